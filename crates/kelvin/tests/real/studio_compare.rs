//! The studio's comparison in Debian's Chromium, with SmolLM2: what the page says is what the verb
//! says.

use assert_cmd::Command;
use kelvin_engine::TokenId;
use kelvin_sampling::Distribution;
use kelvin_testkit::{
    browser::{Person, engine, logits, share},
    server::Server,
};
use serde_json::Value;

const TEXT: &str = "A: Hey, How you doin'?\nB:";

/// What the verb prints.
fn compared(args: &[&str]) -> Value {
    let mut command = Command::cargo_bin("kelvin").unwrap();
    command.arg("compare").args(args).args(["--json", "--offline"]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

async fn all_have_ended(person: &Person) {
    person
        .wait(
            "document.querySelectorAll('.says-run')[0]?.textContent.startsWith('Done') && \
            [...document.querySelectorAll('.column [data-figure=end]')].every((e) => e.textContent \
            !== '…')",
        )
        .await;
}

/// Holds the page's columns against the verb's.
async fn holds(person: &Person, verb: &Value) {
    all_have_ended(person).await;
    let columns = verb["columns"].as_array().unwrap();
    assert_eq!(person.texts(".compare:not(.places) > .column").await.len(), columns.len());
    for (i, column) in columns.iter().enumerate() {
        let of = |name: &str| format!(".column[data-column='{i}'] [data-figure={name}]");
        let figures = &column["figures"];
        for (name, key) in [
            ("entropy", "mean_entropy_raw"),
            ("surprisal", "mean_surprisal_raw"),
            ("distinct-2", "distinct_2"),
        ] {
            let truth = format!("{:.3}", figures[key].as_f64().unwrap());
            assert_eq!(person.text(&of(name)).await, truth, "{name} of column {i}");
        }
        assert_eq!(person.text(&of("tokens")).await, figures["tokens"].to_string());
        let end = match column["finish"]["reason"].as_str().unwrap() {
            "end_token" => "end of turn",
            "max_tokens" => "length",
            other => panic!("{other}"),
        };
        assert_eq!(person.text(&of("end")).await, end);
        let text = person.text(&format!(".column[data-column='{i}'] .tokens")).await;
        assert_eq!(text, column["text"].as_str().unwrap(), "column {i}");
        let parts = person.text(&of("parts")).await;
        match column["diverges_at"].as_u64() {
            None => assert!(parts == "–" || parts == "nowhere", "{parts}"),
            Some(at) => {
                let first = parts.split(' ').next().unwrap().to_string();
                assert_eq!(first, (at + 1).to_string(), "column {i}");
                let marked = format!(".column[data-column='{i}'] .parts");
                let is: Option<String> = person
                    .read(&format!("document.querySelector({marked:?})?.dataset.i ?? null"))
                    .await;
                if parts != format!("{} its end", at + 1) {
                    assert_eq!(is, Some(at.to_string()));
                }
            }
        }
        assert!(person.text(&of("speed")).await.parse::<f64>().unwrap() > 0.0);
    }
}

#[tokio::test]
async fn a_comparison_says_what_the_verb_prints() {
    let server = Server::start(&[], None);
    let person = Person::at(&server.address).await;
    person.go("#/compare?n=20").await;
    let verb = compared(&[TEXT, "--raw", "-t", "0,0.5,1,2", "--seed", "7", "-n", "20"]);
    holds(&person, &verb).await;

    // At the first place all have read the same: raw they are equal, final each has its own
    // temperature.
    person.click(".column[data-column='1'] [data-i='0']").await;
    person
        .wait(
            "document.querySelector('.place-panel h2')?.textContent === 'At token 1' && \
        !document.querySelector('.place-panel')?.hidden",
        )
        .await;
    let engine = engine();
    let row = logits(&engine, &engine.tokenizer.encode(TEXT, true, false));
    let raw = Distribution::new(&row, &"temp=1".parse().unwrap()).unwrap();
    for (name, t) in [("A", "0"), ("B", "0.5"), ("C", "1"), ("D", "2")] {
        let last = Distribution::new(&row, &format!("temp={t}").parse().unwrap()).unwrap();
        let cells =
            person.texts(&format!(".places .column[data-column={name}] tbody td.figure")).await;
        let truth = raw.top(8).into_iter();
        let truth: Vec<String> = truth
            .flat_map(|choice| [share(choice.probability), share(last.probability(choice.token))])
            .collect();
        assert_eq!(cells[..16], truth, "column {name}");
        // What it took is marked.
        let took = person.text(&format!(".places .column[data-column={name}] tr.mark th")).await;
        let index = ["A", "B", "C", "D"].iter().position(|other| *other == name).unwrap();
        let id = verb["columns"][index]["ids"][0].as_u64().unwrap() as u32;
        let shown = kelvin_shown(&engine.tokenizer.decode(&[TokenId(id)], true));
        assert_eq!(took, format!("▸ {shown}"));
    }

    // The address is the comparison; other dice, other texts; a column more and one less.
    let address: String =
        person.read("new Promise((done) => setTimeout(() => done(location.hash), 300))").await;
    assert!(address.contains("n=20") && address.contains("at=0"), "{address}");
    let before = person.texts(".column .tokens").await;
    person.press("New dice").await;
    person.wait("/seed=\\d+/.test(location.hash)").await;
    all_have_ended(&person).await;
    let after = person.texts(".column .tokens").await;
    assert_eq!(before[0], after[0], "T = 0 doesn't look at the dice");
    assert_ne!(before[3], after[3]);
    let seed: String = person.read("document.querySelector('.seed').value").await;
    person.press("+ Temperature").await;
    person.wait("document.querySelectorAll('.compare:not(.places) > .column').length === 5").await;
    all_have_ended(&person).await;
    person.press("+ Chain").await;
    person.wait("document.querySelectorAll('.compare:not(.places) > .column').length === 6").await;
    person.enter(".column[data-column='5'] .column-what", "top_k=3 | temp=1").await;
    person.key(".column[data-column='5'] .column-what", "Enter").await;
    person.wait("location.hash.includes('top_k')").await;
    all_have_ended(&person).await;
    person.click(".column[data-column='0'] .column-head button").await;
    person.wait("document.querySelectorAll('.compare:not(.places) > .column').length === 5").await;
    let verb = compared(&[TEXT, "--raw", "-t", "0.5,1,2,1.5", "--seed", &seed, "-n", "20"]);
    all_have_ended(&person).await;
    for (i, column) in verb["columns"].as_array().unwrap().iter().enumerate() {
        let text = person.text(&format!(".column[data-column='{i}'] .tokens")).await;
        // The page doesn't show the bytes of a character that isn't whole at the end.
        assert_eq!(text, column["text"].as_str().unwrap().trim_end_matches('\u{fffd}'));
    }

    // A long one is stopped.
    person.go("#/compare?n=1500&cols=1;1.5").await;
    person.wait("document.querySelectorAll('.column[data-column=\"1\"] .piece').length > 3").await;
    person.press("Stop").await;
    person.wait_for(".column[data-column='0'] [data-figure=end]", "interrupted").await;
    // As a message, with what the chat template makes of it, up to the end of the turn.
    person.go("#/compare?n=60&cols=0;0.7&chat=1&text=Say+hello").await;
    holds(&person, &compared(&["Say hello", "-t", "0,0.7", "--seed", "7", "-n", "60"])).await;
    person.leave().await;
}

/// A token as the page shows it.
fn kelvin_shown(text: &str) -> String {
    text.replace(' ', "␣").replace('\n', "\\n")
}

/// A column's text.
async fn column(person: &Person, i: usize) -> String {
    person.text(&format!(".column[data-column='{i}'] .tokens")).await
}

/// The texts of three columns.
async fn columns(person: &Person) -> [String; 3] {
    [column(person, 0).await, column(person, 1).await, column(person, 2).await]
}

#[tokio::test]
async fn columns_are_kept_drawn_again_and_chosen() {
    let server = Server::start(&[], None);
    let person = Person::at(&server.address).await;
    person.go("#/compare?n=12&cols=0.7;1;1.5").await;
    all_have_ended(&person).await;
    let [a, b, c] = columns(&person).await;

    // A locked column stays as it is while the others get new dice.
    person.click(".column[data-column='1'] .column-acts button").await;
    person.wait_for(".column[data-column='1'] .column-acts button", "Locked").await;
    person.press("New dice").await;
    person.wait("/seed=\\d+/.test(location.hash)").await;
    all_have_ended(&person).await;
    assert_eq!(column(&person, 1).await, b);
    assert!(column(&person, 0).await != a || column(&person, 2).await != c);
    // One column with other dice leaves the others alone.
    let before = (column(&person, 0).await, column(&person, 2).await);
    person.click(".column[data-column='2'] .column-acts button:last-child").await;
    all_have_ended(&person).await;
    assert_eq!(column(&person, 0).await, before.0);
    assert_ne!(column(&person, 2).await, before.1);
    let texts = columns(&person).await;

    // Blind votes: while they are cast, no setting is in sight. The longest text wins.
    person.press("Vote blind").await;
    person
        .wait("document.querySelector('.ballot') && !document.querySelector('.ballot').hidden")
        .await;
    let hidden: bool = person
        .read(
            "getComputedStyle(document.querySelector('.compare:not(.places)')).display === 'none'",
        )
        .await;
    assert!(hidden);
    let mut cast = 0;
    while person.read("!document.querySelector('.ballot').hidden").await {
        let pair = person.texts(".ballot-text").await;
        assert!(texts.contains(&pair[0]) && texts.contains(&pair[1]), "{pair:?}");
        let left = pair[0].len() >= pair[1].len();
        person.press(if left { "The first" } else { "The second" }).await;
        cast += 1;
    }
    assert_eq!(cast, 3, "{texts:?}");
    // By hand: each setting is in two votes, and the shares come to one half on average.
    let settings = person.texts(".votes tbody th").await;
    let mut sorted = settings.clone();
    sorted.sort();
    assert_eq!(sorted, ["temp=0.7", "temp=1", "temp=1.5"]);
    let best = texts.iter().enumerate().max_by_key(|(_, text)| text.len()).unwrap().0;
    assert_eq!(settings[0], ["temp=0.7", "temp=1", "temp=1.5"][best]);
    let cells = person.texts(".votes tbody td").await;
    assert_eq!((cells[0].as_str(), cells[2].as_str()), ("100 %", "2"));
    // The lab's file, with the dice of each text.
    let file: String = person
        .read(
            "import('/web/parts/votes.js').then((m) => m.csv(JSON.parse(localStorage.getItem('votes'))))",
        )
        .await;
    let rows: Vec<&str> = file.split("\r\n").filter(|line| !line.contains("prompt_text")).collect();
    assert!(
        file.starts_with("prompt_text,chain_text,sample,preferred,seed,model,chat\r\n"),
        "{file}"
    );
    assert!(rows.iter().any(|row| row.contains("temp=1,0,") && row.contains(",7,")), "{file}");

    // All columns become forks of a session.
    person.press("Write on with these").await;
    person.wait("location.hash.startsWith('#/write')").await;
    person
        .wait("document.querySelectorAll('.sheet .piece').length > 5 && document.querySelector('.sessions .here')")
        .await;
    let written: String = person
        .read("[...document.querySelectorAll('.sheet .piece')].map((e) => e.textContent).join('')")
        .await;
    assert!(written.trim_end().ends_with(texts[0].trim()), "{written:?} {texts:?}");
    person.leave().await;
}
