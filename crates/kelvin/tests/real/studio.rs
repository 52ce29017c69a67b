//! The studio in Debian's Chromium, with SmolLM2: a person does what each view is for, and the
//! numbers on the page are those of kelvin-sampling.

use kelvin_testkit::{
    browser::{Person, Point, engine, logits, percent},
    server::Server,
};

use kelvin_sampling::{
    Chain, Dice, Distribution, Sampler, State, TokenId, Trace, Words, slope, softmax,
};
use serde_json::json;

const GREETINGS: [f64; 6] = [0.1, 0.0, 0.5, 1.0, 4.0, 0.6];
/// The page's first text, that of the article.
const TEXT: &str = "A: Hey, How you doin'?\nB:";
const SEED: u64 = 7;

fn eight(p: f64) -> String {
    format!("{p:.8}")
}

/// The probabilities in the table of the softmax view.
async fn column(person: &Person) -> Vec<String> {
    person.texts("table.bars tbody tr td:last-child").await
}

async fn shows(person: &Person, logits: &[f64], t: f64) {
    let truth: Vec<String> = softmax(logits, t).unwrap().into_iter().map(eight).collect();
    let is = format!(
        "JSON.stringify([...document.querySelectorAll('table.bars tbody tr \
         td:last-child')].map((e) => e.textContent)) === {:?}",
        serde_json::to_string(&truth).unwrap()
    );
    person.wait(&is).await;
    assert_eq!(column(person).await, truth);
}

#[tokio::test]
async fn softmax_from_zero_to_infinity() {
    let server = Server::start(&[], None);
    let person = Person::at(&server.address).await;
    person.go("#/softmax?exact=1").await;
    shows(&person, &GREETINGS, 1.0).await;
    assert_eq!(person.text("[data-figure=entropy]").await, "0.5935");
    assert_eq!(person.text("[data-figure=sum]").await, "1.00000000");
    // The stops are exact.
    for (stop, t) in [("5", 5.0), ("0", 0.0), ("inf", f64::INFINITY), ("0.25", 0.25)] {
        person.click(&format!(".heat-stop[data-t='{stop}']")).await;
        shows(&person, &GREETINGS, t).await;
        let address: String =
            person.read("new Promise((done) => setTimeout(() => done(location.hash), 200))").await;
        assert!(address.contains(&format!("t={stop}")), "{address}");
    }
    // Dragged to its end, the slider is at ∞; the keyboard goes back in steps.
    let (from, to) =
        (person.place(".heat-range", 0.21, 0.5).await, person.place(".heat-range", 1.0, 0.5).await);
    person.drag(&[from, to]).await;
    shows(&person, &GREETINGS, f64::INFINITY).await;
    person.key(".heat-range", "PageDown").await;
    shows(&person, &GREETINGS, 100.0).await;
    person.key(".heat-range", "Home").await;
    shows(&person, &GREETINGS, 0.0).await;
    person.key(".heat-range", "ArrowRight").await;
    shows(&person, &GREETINGS, 0.05).await;
    // Typed temperatures, typed logits, the other preset, and the formula of the row that is
    // chosen.
    person.enter(".heat-box", "2").await;
    shows(&person, &GREETINGS, 2.0).await;
    person.press("The logits 1 and 2").await;
    shows(&person, &[1.0, 2.0], 2.0).await;
    let result = softmax(&[1.0, 2.0], 2.0).unwrap();
    person.wait_for("[data-figure=result]", &eight(result[1])).await;
    person.click("table.bars tbody tr:first-child").await;
    person.wait_for("[data-figure=result]", &eight(result[0])).await;
    let formula = person.text(".formula").await;
    assert!(
        formula.contains("e1/2") && formula.contains("1.649") && formula.contains("4.367"),
        "{formula}"
    );
    let steep = format!("{:.3}", slope(1.0, 2.0));
    assert!(person.texts(".panel .note").await.iter().any(|note| note.contains(&steep)), "{steep}");
    person.enter(".logits li:nth-child(2) .logit-number", "-3").await;
    shows(&person, &[1.0, -3.0], 2.0).await;
    let typed = Distribution::new(&[1.0, -3.0], &"temp=2".parse().unwrap()).unwrap();
    person.wait_for(".value-entropy", &format!("{:.4}", typed.entropy())).await;
    assert_eq!(person.text(".value-heat_capacity").await, format!("{:.4}", typed.heat_capacity()));
    assert_eq!(
        person.text(".value-free_energy").await,
        format!("{:.4}", typed.free_energy()).replace('-', "−")
    );
    // A banned token doesn't stretch the scale of the free energy.
    person.enter(".logits li:nth-child(2) .logit-number", "-inf").await;
    shows(&person, &[1.0, f64::NEG_INFINITY], 2.0).await;
    let lowest: f64 = person
        .read(
            "new Promise((done) => setTimeout(() => \
             done(Math.min(...[...document.querySelectorAll('.plots.four figure:nth-child(3) \
             .tick')].map((e) => Number(e.textContent)).filter(Number.isFinite))), 500))",
        )
        .await;
    assert!((-20.0..=0.0).contains(&lowest), "{lowest}");
    person.enter(".logits li:nth-child(2) .logit-number", "-3").await;
    shows(&person, &[1.0, -3.0], 2.0).await;
    // The criteria: x² breaks the order for these logits, 2^x none.
    person.press("x²").await;
    person.wait_for(".criteria tbody tr:nth-child(3) td:nth-child(2)", "✗ breaks").await;
    person.press("2^x").await;
    person.wait_for(".criteria tbody tr:nth-child(3) td:nth-child(2)", "✓ holds").await;
    assert_eq!(person.texts(".criteria td.breaks").await.len(), 0);
    // The line of a chart can be dragged: to its middle, T = 1.
    let line = ".plots.four figure:first-child svg";
    person.see(line).await;
    let width: f64 = person
        .read(&format!("document.querySelector({line:?}).getBoundingClientRect().width"))
        .await;
    let middle = (46.0 + (width - 60.0) / 2.0) / width;
    let points = [
        person.place(line, 0.6, 0.5).await,
        person.place(line, 0.55, 0.5).await,
        person.place(line, middle, 0.5).await,
    ];
    person.drag(&points).await;
    shows(&person, &[1.0, -3.0], 1.0).await;
    // The same again from the address alone.
    let address: String =
        person.read("new Promise((done) => setTimeout(() => done(location.hash), 200))").await;
    person.go(&address).await;
    shows(&person, &[1.0, -3.0], 1.0).await;
    // Logits of the live model.
    person.click("details summary").await;
    person.press("The eight likeliest after this text").await;
    let engine = engine();
    let raw = Distribution::new(
        &logits(&engine, &engine.tokenizer.encode(TEXT, true, false)),
        &Chain::default(),
    )
    .unwrap();
    let likeliest: Vec<f64> =
        raw.top(8).iter().map(|choice| format!("{:.4}", choice.logit).parse().unwrap()).collect();
    shows(&person, &likeliest, 1.0).await;
    person.leave().await;
}

#[tokio::test]
async fn next_token_and_the_loop_to_its_end() {
    let server = Server::start(&[], None);
    let person = Person::at(&server.address).await;
    let engine = engine();
    let read = engine.tokenizer.encode(TEXT, true, false);
    let row = logits(&engine, &read);
    let pos = read.len() as u64;
    let raw = Distribution::new(&row, &Chain::default()).unwrap();
    let columns = "JSON.stringify([...document.querySelectorAll('table.bars')[0].querySelectorAll('tbody tr')].map((r) => [...r.querySelectorAll('td.figure')].map((e) => e.textContent)))";
    let expected = |last: &Distribution| -> Vec<[String; 2]> {
        let top = raw
            .top(12)
            .into_iter()
            .map(|choice| [percent(choice.probability), percent(last.probability(choice.token))]);
        top.chain([[percent(raw.rest(12).1), percent(last.rest(12).1)]]).collect()
    };
    person.go("#/next?exact=1").await;
    person.wait("document.querySelectorAll('table.bars tbody tr').length >= 13").await;
    for (typed, t) in [("1", 1.0f32), ("1.7", 1.7), ("0.3", 0.3), ("25", 25.0)] {
        person.enter(".heat-box", typed).await;
        let last = Distribution::new(&row, &Chain::default().with_temperature(t).unwrap()).unwrap();
        let rows = serde_json::to_string(&expected(&last)).unwrap();
        person.wait(&format!("{columns} === {rows:?}")).await;
        assert_eq!(person.text("[data-figure=entropy]").await, format!("{:.4}", last.entropy()));
        let end: f64 =
            engine.tokenizer.end_tokens().iter().map(|&token| last.probability(token)).sum();
        assert_eq!(person.text("[data-figure=end]").await, percent(end));
        // The dart: what the sampler draws, and the last temperature at which it does.
        let mut sampler = Sampler::new(
            Chain::default().with_temperature(t).unwrap(),
            Dice { seed: SEED, sample: 0 },
        );
        let pick = sampler.clone().sample(&row, pos).unwrap();
        assert_eq!(person.text("[data-figure=pick]").await, shown(&engine, pick));
        let [_, above] = sampler.nearest_changes(&row, pos).unwrap();
        person.wait_for("[data-figure=flip]", &above.unwrap().below.to_string()).await;
        let bounds: [f32; 2] = [above.unwrap().below, above.unwrap().above];
        let at = |t: f32| {
            Sampler::new(
                Chain::default().with_temperature(t).unwrap(),
                Dice { seed: SEED, sample: 0 },
            )
            .sample(&row, pos)
            .unwrap()
        };
        assert!(bounds[0].next_up() == bounds[1] && at(bounds[0]) == pick && at(bounds[1]) != pick);
    }
    // T = ∞ is for looking: all alike.
    person.click(".sticky .heat-stop[data-t='inf']").await;
    person.wait_for("[data-figure=entropy]", &format!("{:.4}", (row.len() as f64).ln())).await;
    // A token however rare.
    person.click(".sticky .heat-stop[data-t='1']").await;
    person.enter("input[type=search]", "Kathmandu").await;
    person.wait("document.querySelector('.found').textContent !== ''").await;
    person.enter("input[type=search]", "#49000").await;
    person.wait("document.querySelector('.found button[title=\"id 49000\"]') !== null").await;
    person.click(".found button[title='id 49000']").await;
    let rare = TokenId(49000);
    person.wait_for(".watch dl div:first-child strong", &percent(raw.probability(rare))).await;
    let words = person.text(".watch dl div:first-child .note").await;
    assert!(
        words.replace(',', "").contains(&format!("rank {} ", raw.rank(rare).unwrap() + 1)),
        "{words}"
    );
    // The rank axis shows the whole vocabulary; then back.
    person.press("by rank").await;
    person
        .wait(
            "document.querySelector('svg[aria-label=\"Probability by rank\"] path.thick') !== null",
        )
        .await;
    person.press("linear").await;
    // Ten thousand draws, each with dice of its own.
    person.click("[data-n='10000']").await;
    person
        .wait(
            "document.querySelector('.presets.flat').closest('.panel').querySelectorAll('tbody \
        tr').length > 10",
        )
        .await;
    let observed: Vec<String> = person
        .read("[...document.querySelector('.presets.flat').closest('.panel').querySelectorAll('tbody tr td:nth-child(3)')].map((e) => e.textContent.replaceAll(',', ''))")
        .await;
    let observed: Vec<u64> = observed.iter().map(|text| text.parse().unwrap()).collect();
    assert_eq!(observed.iter().sum::<u64>(), 10_000);
    let mut sampler = Sampler::new(Chain::default(), Dice::default());
    let mut first = 0;
    for sample in 0..10_000 {
        let token = sampler.sample_with(&row, Dice { seed: SEED, sample }.words(pos)).unwrap();
        first += u64::from(token == raw.top(1)[0].token);
    }
    assert_eq!(observed[0], first);
    // The loop, in a chat, to the token that ends it: the text is that of the API.
    let question = "Is snow white? Answer in one word.";
    person.go("#/next?exact=1&chat=1&text=Is+snow+white%3F+Answer+in+one+word.&t=0.5").await;
    person.wait("document.querySelectorAll('table.bars tbody tr').length >= 13").await;
    person.press("Draw one token").await;
    person.wait("document.querySelectorAll('.steps tbody tr').length === 1").await;
    person.press("Run to the end").await;
    person.wait("document.querySelector('.steps tbody tr.ends') !== null").await;
    let body = json!({ "messages": [{ "role": "user", "content": question }], "temperature": 0.5, "seed": SEED, "max_tokens": 400 });
    let answer = server.good("/v1/chat/completions", &body);
    let text: String = person
        .read(
            "[...document.querySelectorAll('.loop-text \
        .piece:not(.end)')].map((e) => e.textContent).join('')",
        )
        .await;
    assert_eq!(text, answer["choices"][0]["message"]["content"].as_str().unwrap());
    let ends = person.texts("[data-figure=p-end]").await;
    assert_eq!(
        ends.len() as u64,
        answer["usage"]["completion_tokens"].as_u64().unwrap() + 1,
        "the end is a step as well"
    );
    // P(end) of the last step, from the tokens in the address.
    let address: String =
        person.read("new Promise((done) => setTimeout(() => done(location.hash), 200))").await;
    let ids = address.split("cont=").nth(1).unwrap().split('&').next().unwrap();
    let ids: Vec<u32> = ids.split('.').map(|id| id.parse().unwrap()).collect();
    let rendered = server.good("/apply-template", &json!({ "messages": body["messages"] }));
    let mut tokens = engine.tokenizer.encode(rendered["prompt"].as_str().unwrap(), false, true);
    tokens.extend(ids[..ids.len() - 1].iter().map(|&id| TokenId(id)));
    let last = Distribution::new(&logits(&engine, &tokens), &"temp=0.5".parse().unwrap()).unwrap();
    let end: f64 = engine.tokenizer.end_tokens().iter().map(|&token| last.probability(token)).sum();
    assert_eq!(ends[0], percent(end), "the newest stands first");
    person.press("Take one back").await;
    person.wait("document.querySelector('.steps tbody tr.ends') === null").await;
    person.leave().await;
}

#[tokio::test]
async fn a_chain_is_dragged_switched_and_taken_elsewhere() {
    let server = Server::start(&[], None);
    let person = Person::at(&server.address).await;
    let engine = engine();
    let row = logits(&engine, &engine.tokenizer.encode(TEXT, true, false));
    person.go("#/chain").await;
    person.wait("document.querySelectorAll('.card').length === 1").await;
    person.press("llama.cpp").await;
    let falls = async |text: &str| {
        let chain: Chain = text.parse().unwrap();
        let trace = Trace::new(&row, &chain, &State::default(), &Words::default(), &[]).unwrap();
        let left: Vec<String> =
            trace.stages().iter().map(|stage| stage.survivors_after.to_string()).collect();
        let entropy: Vec<String> =
            trace.stages().iter().map(|stage| format!("{:.3}", stage.entropy_after)).collect();
        let read = |figure: &str| {
            format!(
                "JSON.stringify([...document.querySelectorAll('.waterfall \
                 [data-figure={figure}]')].slice(1).map((e) => e.textContent.replaceAll(',', '')))"
            )
        };
        person
            .wait(&format!("{} === {:?}", read("left"), serde_json::to_string(&left).unwrap()))
            .await;
        person
            .wait(&format!(
                "{} === {:?}",
                read("entropy"),
                serde_json::to_string(&entropy).unwrap()
            ))
            .await;
        let notation: String = person.read("document.querySelector('.notation').value").await;
        assert_eq!(
            notation
                .split(" | ")
                .filter(|stage| !stage.starts_with('!'))
                .collect::<Vec<_>>()
                .join(" | "),
            text
        );
    };
    falls("top_k=40 | top_p=0.95 | min_p=0.05 | temp=0.8").await;
    // Heat comes last there, and that is said aloud.
    person.wait("document.querySelector('.warning')?.textContent.includes('can do little')").await;
    // The card of the temperature is dragged to the top.
    person.see(".card:nth-child(3)").await;
    let grip = person.place(".card:last-child .grip-handle", 0.5, 0.5).await;
    let top = person.place(".card:first-child", 0.5, 0.1).await;
    let between = |i: i32| Point::new(grip.x, grip.y + (top.y - grip.y) * f64::from(i) / 12.0);
    let path: Vec<Point> = (0..=12).map(between).collect();
    person.drag(&path).await;
    person.wait("document.querySelector('.card strong').textContent === 'temp'").await;
    falls("temp=0.8 | top_k=40 | top_p=0.95 | min_p=0.05").await;
    person.wait("document.querySelector('.warning') === null").await;
    // By keyboard one step down, and switched off.
    person.key(".card:first-child .grip-handle", "ArrowDown").await;
    falls("top_k=40 | temp=0.8 | top_p=0.95 | min_p=0.05").await;
    person.click(".card:nth-child(3) input[type=checkbox]").await;
    falls("top_k=40 | temp=0.8 | min_p=0.05").await;
    // Inert: a single token is left before the heat.
    person.enter(".card:first-child .knob-box", "1").await;
    person.key(".card:first-child .knob-box", "Enter").await;
    falls("top_k=1 | temp=0.8 | min_p=0.05").await;
    person.wait("document.querySelector('.warning')?.textContent.includes('inert')").await;
    person.press("Move it before").await;
    falls("temp=0.8 | top_k=1 | min_p=0.05").await;
    // Elsewhere.
    person
        .wait(
            "document.querySelector('.code').textContent.includes(\"--sampler 'temp=0.8 | \
        top_k=1 | min_p=0.05'\")",
        )
        .await;
    person.click(".choose[aria-label=Engine] [data-value=vllm]").await;
    person.wait("document.querySelector('.code').textContent.startsWith('SamplingParams(')").await;
    person
        .wait(
            "document.querySelector('.missing').textContent.includes('temp=0.8 | min_p=0.05 | \
            top_k=1')",
        )
        .await;
    person.press("JSON").await;
    let settings: serde_json::Value =
        person.read("JSON.parse(document.querySelector('.code').textContent)").await;
    assert_eq!((&settings["temperature"], &settings["top_k"]), (&0.8.into(), &1.into()));
    person.click(".choose[aria-label=Engine] [data-value=openai]").await;
    person
        .wait(
            "document.querySelector('.missing').textContent.includes('openai has no such control')",
        )
        .await;
    // The command line has the text as it is now.
    person.click(".choose[aria-label=Engine] [data-value=kelvin]").await;
    person.enter(".subject textarea", "Once upon").await;
    person.wait("document.querySelector('.code').textContent.includes(\"'Once upon'\")").await;
    person.leave().await;
}

#[tokio::test]
async fn nothing_is_cut_off_in_either_theme_and_a_key_is_asked_for() {
    let server = Server::start(&[], Some("secret"));
    let person = Person::at(&server.address).await;
    person.go("#/next").await;
    person.wait("document.querySelector('form.problem') !== null").await;
    person.enter("form.problem input", "secret").await;
    person.press("Use this key").await;
    for hash in ["#/softmax", "#/next", "#/chain"] {
        for (width, theme) in [(1280, "light"), (390, "dark")] {
            person.look(width, theme).await;
            let _: bool = person.read(&format!("(location.hash = {hash:?}, true)")).await;
            person.wait(&format!("document.querySelector('.view-{}')", &hash[2..])).await;
            person
                .wait("document.querySelectorAll('.bars tbody tr, .waterfall tbody tr').length > 3")
                .await;
            let wide: f64 = person.read("document.documentElement.scrollWidth").await;
            assert!(wide <= width as f64, "{hash} is {wide} wide in {width}");
            let cut: Vec<String> = person
                .read(
                    "[...document.querySelectorAll('main .panel')].filter((e) => e.scrollWidth > \
                    e.clientWidth + 1).map((e) => e.textContent.slice(0, 80))",
                )
                .await;
            assert!(cut.is_empty(), "{hash} at {width}: wider than its panel: {cut:?}");
            let ground: String =
                person.read("getComputedStyle(document.body).backgroundColor").await;
            assert_eq!(ground == "rgb(19, 20, 25)", theme == "dark", "{ground}");
            // Every control has a name.
            let unnamed: Vec<String> = person
                .read(
                    "[...document.querySelectorAll('main button, main input, main select, main \
                    textarea')].filter((e) => !e.hidden && !(e.getAttribute('aria-label') || \
                    e.textContent || e.labels?.length)).map((e) => e.outerHTML)",
                )
                .await;
            assert!(unnamed.is_empty(), "{hash}: {unnamed:?}");
        }
    }
    // Text is text, whatever it says.
    person.go("#/next?text=%3Cimg+src%3Dx+onerror%3Dalert(1)%3E%3Cscript%3E&rows=100").await;
    person.wait("document.querySelectorAll('.bars tbody tr').length > 100").await;
    person.press("Draw one token").await;
    person.wait("document.querySelectorAll('.steps tbody tr').length === 1").await;
    let made: usize =
        person.read("document.querySelectorAll('main img, main script, main b i').length").await;
    assert_eq!(made, 0);
    person.forgive("401");
    person.leave().await;
}

#[test]
fn what_cannot_be_is_refused_by_name_and_the_edges_are_answered() {
    let server = Server::start(&["--ctx-size", "64"], None);
    let refused = |path: &str, body: serde_json::Value, param: &str| {
        let answer = server.post(path, &body);
        assert_eq!(answer.status, 400, "{body}: {}", answer.body);
        let error: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(error["error"]["param"], param, "{body}: {error}");
    };
    for (field, value) in [
        ("prompt", json!("")),
        ("prompt", json!("x ".repeat(100))),
        ("temperature", json!(-1)),
        ("temperature", json!("hot")),
        ("sampler", json!("warp=3")),
        ("sampler", json!("bias=999999:1")),
        ("watch", json!([999_999])),
        ("continuation", json!([-1])),
        ("top", json!(1_000_000)),
        ("seed", json!(-1)),
        ("nothing", json!(1)),
    ] {
        let mut body = json!({ "prompt": "x" });
        body[field] = value;
        refused("/studio/next", body, field);
    }
    refused("/studio/fan", json!({ "prompt": "x", "sampler": "temp=1 | temp=2" }), "sampler");
    refused("/studio/draws", json!({ "prompt": "x", "n": 1_000_000 }), "n");
    refused("/studio/draws", json!({ "prompt": "x", "temperature": "inf" }), "temperature");
    refused("/studio/softmax", json!({ "logits": [] }), "logits");
    refused("/studio/softmax", json!({ "logits": [{ "logit": "-inf" }] }), "logits");
    refused("/studio/chain", json!({ "sampler": "top_p=0" }), "sampler");
    let huge = json!({ "logits": [{ "logit": 1e308 }, { "logit": -1e308 }], "temperature": 1e-8 });
    let answer = server.good("/studio/softmax", &huge);
    assert_eq!(answer["at"]["choices"][0]["probability"], 1.0);
    server.good("/studio/curves", &json!({ "logits": huge["logits"] }));
    // Nothing is colder than T = 0, and a view at T = ∞ has no neighbours.
    let coldest = server.good("/studio/nearest", &json!({ "prompt": "x", "temperature": 0 }));
    assert!(coldest["below"].is_null() && coldest["above"].is_object(), "{coldest}");
    let limit = server.good("/studio/nearest", &json!({ "prompt": "x", "temperature": "inf" }));
    assert!(limit["below"].is_null() && limit["above"].is_null(), "{limit}");
    for path in ["/web/../mod.rs", "/web/%2e%2e/mod.rs", "/web/nothing.js", "/web/"] {
        assert_eq!(server.exchange("GET", path, "", "").status, 404, "{path}");
    }
}

/// As the page shows a token.
fn shown(engine: &kelvin_engine::Engine, token: TokenId) -> String {
    engine.tokenizer.decode(&[token], true).replace(' ', "␣").replace('\n', "\\n")
}
