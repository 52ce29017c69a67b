//! The studio's texts in Debian's Chromium, with SmolLM2: a text forks, is painted, undone, saved
//! and loaded, and what was drawn is what the API draws.

use kelvin_engine::TokenId;
use kelvin_sampling::Distribution;
use kelvin_testkit::{
    browser::{Person, engine, logits, share},
    server::Server,
};
use serde_json::{Value, json};

const TEXT: &str = "A: Hey, How you doin'?\nB:";

/// The text at hand, without the end.
async fn text(person: &Person) -> String {
    person
        .read(
            "[...document.querySelectorAll('.sheet .tokens .piece')].map((e) => \
            e.textContent).join('')",
        )
        .await
}

/// The ids after the text that was given.
async fn ids(person: &Person) -> Vec<u64> {
    person
        .read(
            "new Promise((done) => setTimeout(() => done( \
            [...document.querySelectorAll('.sheet .piece:not(.given)')].map((e) => \
            Number(e.dataset.id))), 250))",
        )
        .await
}

async fn is_written(person: &Person) {
    person
        .wait("/^(Written|Ended)/.test(document.querySelector('.sheet .says-run')?.textContent)")
        .await;
    person.wait("document.querySelector('.at-place .alternatives li')").await;
}

/// What the API draws after these tokens.
fn drawn(server: &Server, ids: &[u64], t: f64, n: usize) -> Vec<u64> {
    let body = json!({ "prompt": ids, "temperature": t, "seed": 7, "max_tokens": n, "return_token_ids": true });
    let answer = server.good("/v1/completions", &body);
    answer["choices"][0]["token_ids"]
        .as_array()
        .unwrap()
        .iter()
        .map(|id| id.as_u64().unwrap())
        .collect()
}

fn lens_says(label: &str) -> f64 {
    label.split(' ').find_map(|word| word.parse().ok()).unwrap_or_else(|| panic!("{label}"))
}

#[tokio::test]
async fn a_text_forks_and_what_was_written_stays() {
    let server = Server::start(&[], None);
    let person = Person::at(&server.address).await;
    let engine = engine();
    let given: Vec<u64> =
        engine.tokenizer.encode(TEXT, true, false).iter().map(|id| u64::from(id.0)).collect();
    let g = given.len();
    person.go("#/write?n=24&text=A:+Hey,+How+you+doin'%3F%0AB:").await;
    is_written(&person).await;
    let first = ids(&person).await;
    assert_eq!(first, drawn(&server, &given, 1.0, 24), "as the API draws it");
    let whole = text(&person).await;
    assert!(whole.starts_with(TEXT));

    // The colours' numbers, of a token that was given and of one that was drawn.
    let tokens: Vec<TokenId> = given.iter().chain(&first).map(|&id| TokenId(id as u32)).collect();
    for at in [g - 1, g + 4] {
        let truth =
            Distribution::new(&logits(&engine, &tokens[..at]), &"temp=1".parse().unwrap()).unwrap();
        let label = format!(".sheet .tokens [data-i='{at}']");
        let read = format!("document.querySelector({label:?}).dataset.value");
        let near = |said: f64, is: f64, by: f64| assert!((said - is).abs() <= by, "{said} {is}");
        person.press("surprisal").await;
        near(lens_says(&person.read::<String>(&read).await), truth.surprisal(tokens[at]), 0.0051);
        person.press("rank").await;
        let rank: String = person.read(&read).await;
        assert!(
            rank.ends_with(&format!("rank {}", truth.rank(tokens[at]).unwrap() + 1))
                || truth.rank(tokens[at]).unwrap() > 998,
            "{rank}"
        );
        person.press("entropy").await;
        near(lens_says(&person.read::<String>(&read).await), truth.entropy(), 0.0051);
        person.press("probability").await;
        let label: String = person.read(&read).await;
        assert!(label.ends_with(&share(truth.probability(tokens[at]))), "{label}");
    }

    // Another token at a place: the text forks there, and only that token is read.
    let k = g + 6;
    person.click(&format!(".sheet .tokens [data-i='{k}']")).await;
    person.wait_for(".at-place h2", &format!("At token {}", k + 1)).await;
    let truth =
        Distribution::new(&logits(&engine, &tokens[..k]), &"temp=1".parse().unwrap()).unwrap();
    let other =
        truth.top(10).into_iter().map(|choice| choice.token).find(|id| *id != tokens[k]).unwrap();
    person.wait(&format!("document.querySelector(\".alternative[data-id='{}']\")", other.0)).await;
    let p = person.text(&format!(".alternative[data-id='{}'] .alt-p", other.0)).await;
    assert_eq!(p, format!("final {}", share(truth.probability(other))));
    person.click(&format!(".alternative[data-id='{}']", other.0)).await;
    person
        .wait(&format!(
            "document.querySelector('[data-figure=read-all]')?.textContent === '{}'",
            k + 1
        ))
        .await;
    is_written(&person).await;
    assert_eq!(person.text("[data-figure=cached]").await, k.to_string());
    assert_eq!(person.text("[data-figure=read-new]").await, "1");
    let forked = ids(&person).await;
    let mut before: Vec<u64> = tokens[..k].iter().map(|id| u64::from(id.0)).collect();
    before.push(u64::from(other.0));
    let rest = drawn(&server, &before, 1.0, g + 24 - k - 1);
    assert_eq!(forked, [&before[g..], &rest[..]].concat());

    // The tree has both; one goes back to the first.
    assert_eq!(person.texts(".forks li").await.len(), 3);
    person.click(".forks li:nth-child(2)").await;
    person
        .wait(
            "document.querySelector('.forks li:nth-child(2)').getAttribute('aria-selected') === \
            'true'",
        )
        .await;
    assert_eq!(ids(&person).await, first);
    assert_eq!(text(&person).await, whole);

    // By hand from the end: a digit, the dice, and back.
    person.key(".sheet .tokens", "Escape").await;
    let n = g + first.len();
    person.wait_for(".at-place h2", &format!("Token {} comes next", n + 1)).await;
    let second: u64 = person
        .read("Number(document.querySelectorAll('.alternative[data-id]')[1].dataset.id)")
        .await;
    let truth = Distribution::new(&logits(&engine, &tokens), &"temp=1".parse().unwrap()).unwrap();
    assert_eq!(second, u64::from(truth.top(2)[1].token.0));
    person.key(".alternatives button", "2").await;
    person.wait_for(".at-place h2", &format!("Token {} comes next", n + 2)).await;
    let longer = [&given[..], &first[..], &[second]].concat();
    assert_eq!(ids(&person).await, longer[g..]);
    person.click(".at-place .strong").await;
    person.wait_for(".at-place h2", &format!("Token {} comes next", n + 3)).await;
    assert_eq!(ids(&person).await.last(), drawn(&server, &longer, 1.0, 1).last());
    person.press("Back").await;
    person.wait_for(".at-place h2", &format!("Token {} comes next", n + 2)).await;
    assert_eq!(ids(&person).await, longer[g..]);
    for _ in 0..3 {
        person.press("Undo").await;
    }
    assert_eq!(ids(&person).await, first);
    person.press("Redo").await;
    assert_eq!(ids(&person).await, longer[g..]);
    person.press("Undo").await;

    // A stretch is painted: five tokens at T = 2.5, the rest as before, with the same dice.
    person.click(&format!(".sheet .tokens [data-i='{}']", g + 8)).await;
    person.press("Select …").await;
    person
        .enter(".brush input[aria-label='Last token of the stretch']", &(g + 13).to_string())
        .await;
    person.key(".brush input[aria-label='Last token of the stretch']", "Enter").await;
    person.enter(".brush .heat-box", "2.5").await;
    person.press("Rewrite from here with T = 2.5").await;
    person.wait("document.querySelectorAll('.sheet .painted').length === 5").await;
    is_written(&person).await;
    let painted = ids(&person).await;
    let stem = [&given[..], &first[..8]].concat();
    let hot = drawn(&server, &stem, 2.5, 5);
    let tail = drawn(&server, &[&stem[..], &hot[..]].concat(), 1.0, 11);
    assert_eq!(painted, [&first[..8], &hot[..], &tail[..]].concat(), "as far as it went before");
    person.leave().await;
}

#[tokio::test]
async fn a_tree_is_a_file_and_a_file_is_never_trusted() {
    let server = Server::start(&[], None);
    let person = Person::at(&server.address).await;
    person.go("#/write?n=12&text=A:+Hey,+How+you+doin'%3F%0AB:").await;
    is_written(&person).await;
    let was = text(&person).await;
    let watch = "URL.createObjectURL = ((make) => (blob) => { blob.text().then((text) => { \
        window.saved = text; }); return make.call(URL, blob); })(URL.createObjectURL)";
    let _: Value = person.read(&format!("({watch}, 1)")).await;
    person.wait("document.querySelector('.sessions li')").await;
    person.click(".session-does .menu summary").await;
    person.press("Session (JSON)").await;
    person.wait("window.saved").await;
    let saved: String = person.read("window.saved").await;
    let tree: Value = serde_json::from_str(&saved).unwrap();
    assert_eq!((tree["format"].as_str(), tree["version"].as_u64()), (Some("kelvin tree"), Some(3)));
    assert_eq!(tree["text"], TEXT);

    person.go("#/write?n=3&text=Tea+is").await;
    is_written(&person).await;
    assert_ne!(text(&person).await, was);
    load(&person, &saved).await;
    person.wait("document.querySelector('.sheet .told')?.textContent.startsWith('Imported')").await;
    assert_eq!(text(&person).await, was);

    // What is text stays text, whoever wrote the file.
    let mut evil = tree.clone();
    let tag =
        "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>";
    for token in evil["tokens"].as_array_mut().unwrap() {
        token["text"] = json!(tag);
        token["shown"] = json!(tag);
    }
    load(&person, &evil.to_string()).await;
    person.wait("document.querySelector('.sheet .tokens')?.textContent.includes('<script>')").await;
    assert_eq!(
        person.read::<u64>("document.querySelectorAll('main img, main script').length").await,
        0
    );
    assert_ne!(person.read::<String>("document.title").await, "owned");
    load(&person, &saved).await;
    person
        .wait("!document.querySelector('.sheet .tokens')?.textContent.includes('<script>')")
        .await;

    let spoil = |at: &str, value: Value| {
        let mut spoilt = tree.clone();
        *spoilt.pointer_mut(at).unwrap() = value;
        spoilt.to_string()
    };
    let many: Vec<Value> = (0..200_001).map(|_| json!(0)).collect();
    for (file, words) in [
        ("{".to_string(), "isn't JSON"),
        ("[]".to_string(), "isn't a tree"),
        (spoil("/version", json!(4)), "reads 1 to 3"),
        (spoil("/model", json!("gemma3")), "made with gemma3"),
        (spoil("/tokens/3/parent", json!(3)), "tokens[3].parent"),
        (spoil("/tokens/3/id", json!(49152)), "tokens[3].id"),
        (spoil("/tokens/3/text", json!(7)), "tokens[3].text"),
        (spoil("/tokens/3/by", json!("magic")), "tokens[3].by"),
        (spoil("/tokens/3/surprisal", json!(-2)), "tokens[3].surprisal"),
        (spoil("/tokens", json!(many)), "1 to 200000"),
        (spoil("/leaf", json!(1e9)), "leaf"),
        (spoil("/paint", json!([{ "from": 4, "to": 2, "t": 1 }])), "paint[0].to"),
        (spoil("/paint", json!([{ "from": 2, "to": 4, "chain": 1 }])), "paint[0].chain"),
    ] {
        load(&person, &file).await;
        let is = format!("document.querySelector('.problem')?.textContent.includes({words:?})");
        person.wait(&is).await;
        assert_eq!(text(&person).await, was, "{words}");
        let _: Value = person.read("(document.querySelector('.problem').remove(), 1)").await;
    }
    person.leave().await;
}

/// Gives the page a file, as a person does who picks one.
async fn load(person: &Person, file: &str) {
    let _: Value = person
        .read(&format!(
            "(() => {{ const bag = new DataTransfer(); bag.items.add(new File([{}], 'tree.json')); \
             const input = document.querySelector('input[type=file]'); input.files = bag.files; \
             input.dispatchEvent(new Event('change')); return 1; }})()",
            serde_json::to_string(file).unwrap()
        ))
        .await;
}

/// Penalties tell what was given from what was written, also where a text goes on after a fork.
#[test]
fn a_text_that_goes_on_draws_as_the_whole_did() {
    let server = Server::start(&[], None);
    let columns = json!([{ "sampler": "frequency=1.5,scope:output | \
        temp=0.7", "seed": 3 }, { "sampler": "temp=1.2", "seed": 3 }]);
    let ids = |body: Value, column: u64| -> Vec<u64> {
        let answer = server.post("/studio/write", &body);
        assert_eq!(answer.status, 200, "{}", answer.body);
        let events = answer.body.split("\n\n").filter_map(|event| event.strip_prefix("data: "));
        let events = events
            .filter(|event| *event != "[DONE]")
            .map(|event| serde_json::from_str::<Value>(event).unwrap());
        events
            .filter(|event| event["token"]["column"] == column)
            .map(|event| event["token"]["id"].as_u64().unwrap())
            .collect()
    };
    let body = json!({ "prompt": "Tea, tea, tea and", "columns": columns, "max_tokens": 24 });
    for column in 0..2 {
        let whole = ids(body.clone(), column);
        assert_eq!(whole.len(), 24);
        let mut rest = body.clone();
        rest["continuation"] = json!(whole[..9]);
        rest["max_tokens"] = json!(15);
        assert_eq!(ids(rest, column), whole[9..], "column {column}");
    }
    for (body, param) in [
        (json!({ "prompt": "x", "columns": [{ "temperature": "inf" }] }), "temperature"),
        (json!({ "prompt": "x", "columns": [{ "heat": 1 }] }), "columns[0].heat"),
        (json!({ "prompt": "x", "columns": "all" }), "columns"),
        (json!({ "prompt": "x", "columns": [{}], "max_tokens": 0 }), "max_tokens"),
        (json!({ "columns": [{}] }), "prompt"),
    ] {
        let answer = server.post("/studio/write", &body);
        assert_eq!(answer.status, 400, "{body}");
        let error: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(error["error"]["param"], param, "{body}: {error}");
    }
}

/// The events of a stream of the studio, each as JSON.
fn events(server: &Server, body: &Value) -> Vec<Value> {
    let answer = server.post("/studio/write", body);
    assert_eq!(answer.status, 200, "{}", answer.body);
    let events = answer.body.split("\n\n").filter_map(|event| event.strip_prefix("data: "));
    events
        .filter(|event| *event != "[DONE]")
        .map(|event| serde_json::from_str(event).unwrap())
        .collect()
}

/// A stage that learns goes on from what it knew where the text forks, also after a token that
/// somebody took by hand.
#[test]
fn a_fork_goes_on_with_what_a_stage_had_learned() {
    let server = Server::start(&[], None);
    for sampler in ["temp=1.5 | mirostat=2,eta:0.6", "temp=1.5 | adaptive_p=0.1,decay:0.7"] {
        let column = json!({ "sampler": sampler, "seed": 5 });
        let body = json!({ "prompt": "Tea, tea, tea and", "columns": [column], "max_tokens": 24 });
        let written = events(&server, &body);
        let tokens: Vec<&Value> =
            written.iter().map(|event| &event["token"]).filter(|token| token.is_object()).collect();
        let ids: Vec<u64> = tokens.iter().map(|token| token["id"].as_u64().unwrap()).collect();
        assert!(ids.len() > 12, "{sampler}: {ids:?}");
        let goes_on = |learned: &Value| -> Vec<Value> {
            let mut rest = body.clone();
            rest["continuation"] = json!(ids[..9]);
            rest["max_tokens"] = json!(15);
            rest["columns"][0]["learned"] = learned.clone();
            let rest = events(&server, &rest).into_iter().map(|event| event["token"].clone());
            rest.filter(Value::is_object).collect()
        };
        let forked = goes_on(&tokens[8]["learned"]);
        for (now, then) in forked.iter().zip(&tokens[9..]) {
            for name in ["id", "learned", "survivors", "surprisal_final"] {
                assert_eq!(now[name], then[name], "{sampler}: {name}");
            }
        }
        assert_eq!(forked.len(), ids.len() - 9, "{sampler}");
        // Afresh it draws from another distribution, so that the above says something.
        assert_ne!(
            goes_on(&Value::Null)[0]["surprisal_final"],
            tokens[9]["surprisal_final"],
            "{sampler}"
        );
        // The same token taken by hand.
        let mut place = json!({ "prompt": "Tea, tea, tea \
            and", "continuation": ids[..8], "watch": [ids[8]], "top": 3 });
        place.as_object_mut().unwrap().extend(column.as_object().unwrap().clone());
        place["learned"] = tokens[7]["learned"].clone();
        let answer = server.good("/studio/next", &place);
        assert_eq!(answer["dart"]["id"], ids[8], "{sampler}");
        assert_eq!(answer["learned"][ids[8].to_string()], tokens[8]["learned"], "{sampler}");
        assert!(answer["learned"].as_object().unwrap().len() >= 3, "{sampler}");
        // What another stage knew is nothing to this one; what isn't two numbers is refused.
        let other = goes_on(&json!({ "another": [1, 2] }));
        assert_eq!(other, goes_on(&Value::Null), "{sampler}");
        for wrong in [json!([1, 2]), json!({ "mirostat": [1] }), json!({ "mirostat": ["a", 2] })] {
            let mut body = body.clone();
            body["columns"][0]["learned"] = wrong.clone();
            assert_eq!(server.post("/studio/write", &body).status, 400, "{wrong}");
        }
        // Whatever somebody says was learned, nothing breaks.
        for extreme in [json!([1e300, 1e300]), json!([-1e300, 0]), json!([0, -1e300])] {
            let mut body = body.clone();
            body["columns"][0]["learned"] = json!({ "mirostat": extreme, "adaptive_p": extreme });
            assert!(
                events(&server, &body).iter().any(|event| event["end"].is_object()),
                "{extreme}"
            );
        }
    }
}

/// The page does that by itself: what is taken back and written again is the same.
#[tokio::test]
async fn the_page_goes_on_with_what_was_learned() {
    let server = Server::start(&[], None);
    let person = Person::at(&server.address).await;
    let hey = "text=A:+Hey,+How+you+doin'%3F%0AB:";
    let chain = "chain=temp%3D1.5%20%7C%20mirostat%3D2%2Ceta%3A0.6&t=1.5";
    person.go(&format!("#/write?n=16&{chain}&{hey}")).await;
    is_written(&person).await;
    let first = ids(&person).await;
    assert_eq!(first.len(), 16);
    let n: usize = person.read("document.querySelectorAll('.sheet .tokens .piece').length").await;
    for i in 1..=10 {
        person
            .wait("!document.querySelector('.at-place .middle button:nth-child(2)').disabled")
            .await;
        person.click(".at-place .middle button:nth-child(2)").await;
        person
            .wait(&format!(
                "document.querySelectorAll('.sheet .tokens .piece').length === {}",
                n - i
            ))
            .await;
    }
    assert_eq!(ids(&person).await, first[..6]);
    person.press("Write on").await;
    is_written(&person).await;
    assert_eq!(ids(&person).await[..16], first);
    person.leave().await;
}
