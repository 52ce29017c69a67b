//! The lesson in Debian's Chromium, with SmolLM2: it runs to its end by keyboard, what it shows is
//! what the engine computes, its chosen texts are those that the model writes, the answers of its
//! exercises are right, and axe-core finds nothing wrong in it.

use std::path::Path;

use kelvin_sampling::{Chain, Dice, Distribution, Sampler, TokenId, slope, softmax};
use kelvin_testkit::{
    browser::{Person, engine, logits, share},
    server::Server,
};
use kelvin_views::criteria::verdicts;
use serde_json::json;

const TEXT: &str = "A: Hey, How you doin'?\nB:";
/// The question of the last steps, in the chat template.
const PROMPT: &str = "Write about Nepal";
const GREETINGS: [f64; 6] = [4.0, 1.0, 0.6, 0.5, 0.1, 0.0];
const STEPS: usize = 7;

/// A number of the page, with a minus sign that is one.
fn signed(x: f64, digits: usize) -> String {
    format!("{x:.digits$}").replace('-', "−")
}

/// The texts of the cells of a table's rows, but for the last row.
async fn cells(person: &Person, row: &str, cell: &str) -> Vec<String> {
    person.texts(&format!(".lesson-stage {row} {cell}")).await
}

/// Goes on by keyboard, and hears the title.
async fn on(person: &Person, step: usize) {
    person.key(".lesson-title", "ArrowRight").await;
    person.wait_for(".lesson-where", &format!("Step {step} of {STEPS}")).await;
    person.wait("document.activeElement.className === 'lesson-title'").await;
}

#[tokio::test]
async fn the_lesson_runs_to_its_end_by_keyboard() {
    let server = Server::start(&[], None);
    let person = Person::at(&server.address).await;
    let engine = engine();
    person.go("#/learn").await;
    person.wait_for("h1", "How are language models creative?").await;
    one_token(&person, &engine).await;
    on(&person, 2).await;
    scores(&person, &engine).await;
    on(&person, 3).await;
    criteria(&person).await;
    on(&person, 4).await;
    curve(&person).await;
    on(&person, 5).await;
    greetings(&person).await;
    on(&person, 6).await;
    texts(&person, &server, 3).await;
    on(&person, 7).await;
    texts(&person, &server, 4).await;
    survivors(&person, &server, &engine).await;
    // There is no step behind the last, and the way back is the other arrow.
    person.key(".lesson-title", "ArrowRight").await;
    person.key(".lesson-title", "PageUp").await;
    person.wait_for(".lesson-where", &format!("Step 6 of {STEPS}")).await;
    person.key(".lesson-notes summary", "Enter").await;
    person.wait("document.querySelector('.lesson-notes').open").await;
    person.leave().await;
}

/// Step 1: the table is the distribution, and the dice are the sampler's.
async fn one_token(person: &Person, engine: &kelvin_engine::Engine) {
    let given = engine.tokenizer.encode(TEXT, true, false);
    person.wait("document.querySelectorAll('.lesson-stage .bars tbody tr').length === 7").await;
    assert_eq!(person.texts(".lesson-tokens .given").await.len(), given.len());
    let row = logits(engine, &given);
    let raw = Distribution::new(&row, &Chain::default()).unwrap();
    let top: Vec<String> = raw.top(6).iter().map(|one| share(one.probability)).collect();
    assert_eq!(cells(person, ".bars tr:not(.rest)", "td.figure").await, top);
    let mut sampler = Sampler::new(Chain::default(), Dice { seed: 42, sample: 0 });
    let pick = sampler.sample(&row, given.len() as u64).unwrap();
    person.key(".lesson-stage button.strong", "Enter").await;
    person.wait("document.querySelectorAll('.lesson-tokens .drawn').length === 1").await;
    let says = person.text(".lesson-says").await;
    assert!(says.contains(&share(raw.probability(pick))), "{says}");
    let drawn = person.text(".lesson-tokens .drawn").await;
    assert_eq!(drawn.replace('␣', " "), engine.tokenizer.decode(&[pick], true));
    person.wait("document.querySelector('.lesson-stage [aria-disabled=false]')").await;
    person.press("Draw ten").await;
    person.wait("document.querySelectorAll('.lesson-tokens .drawn').length === 11").await;
    person.press("From the beginning").await;
    person.wait("document.querySelectorAll('.lesson-tokens .drawn').length === 0").await;
}

/// Step 2: logits, and the place of a token that is typed.
async fn scores(person: &Person, engine: &kelvin_engine::Engine) {
    person.wait("document.querySelectorAll('.lesson-stage .bars tbody tr').length === 6").await;
    let row = logits(engine, &engine.tokenizer.encode(TEXT, true, false));
    let raw = Distribution::new(&row, &Chain::default()).unwrap();
    let top: Vec<String> = raw.top(6).iter().map(|one| signed(one.logit.into(), 2)).collect();
    assert_eq!(cells(person, ".bars tr", "td.figure").await, top);
    let rare = TokenId(49000);
    person.enter(".lesson-find input", "#49000").await;
    let place = raw.rank(rare).unwrap() + 1;
    person
        .wait(&format!(
            "document.querySelector('.lesson-find .lesson-says').textContent.replaceAll(',', '') \
             .endsWith('place {place}.')"
        ))
        .await;
    let says = person.text(".lesson-find .lesson-says").await;
    assert!(says.contains(&format!("has {}:", signed(row[49000].into(), 2))), "{says}");
    // A word is two tokens, with a space and without: both are told, and are on the curve.
    person.enter(".lesson-find input", "Hey").await;
    let mut both: Vec<(usize, String)> = [" Hey", "Hey"]
        .map(|text| {
            let [id] = engine.tokenizer.encode(text, false, false)[..] else { panic!("{text}") };
            let place = raw.rank(id).unwrap() + 1;
            let logit = signed(row[id.0 as usize].into(), 2);
            (place, format!("“{}” has {logit}: place {place}.", text.replace(' ', "␣")))
        })
        .to_vec();
    both.sort();
    let both = format!("{} {}", both[0].1, both[1].1);
    person
        .wait(&format!(
            "document.querySelector('.lesson-find .lesson-says').textContent.replaceAll(',', '') \
             === {both:?}"
        ))
        .await;
    person.wait("document.querySelectorAll('.lesson-stage .chart circle').length === 2").await;
}

/// Step 3: every function's verdict is that of the library, and only powers stay.
async fn criteria(person: &Person) {
    let order = ["plain", "magnitude", "square", "two", "exp"];
    person.wait("document.querySelectorAll('.lesson-criteria tbody tr').length === 6").await;
    for n in 2..=order.len() {
        person.key(".lesson-pair button", "Enter").await;
        person
            .wait(&format!(
                "document.querySelectorAll('.lesson-criteria thead th').length === {}",
                n + 1
            ))
            .await;
    }
    // To the score −3 by keyboard: the smaller score gets more of |x| and x².
    for _ in 0..4 {
        person.key(".lesson-slider input", "ArrowLeft").await;
    }
    let found = verdicts(&[-3.0, 2.0], 1.0);
    for criterion in 0..4 {
        let expected: Vec<&str> = order
            .iter()
            .map(|name| found.iter().find(|one| one.name == *name).unwrap().holds[criterion])
            .map(|holds| if holds { "✓ holds" } else { "✗ breaks" })
            .collect();
        let row = format!(".lesson-criteria tbody tr:nth-child({}) td", criterion + 2);
        let read = format!(
            "JSON.stringify([...document.querySelectorAll({row:?})].map((e) => e.textContent))"
        );
        let expected = serde_json::to_string(&expected).unwrap();
        person.wait(&format!("{read} === {expected:?}")).await;
    }
    let always = person.texts(".lesson-criteria tbody tr:last-child td").await;
    assert!(always[..3].iter().all(|text| text.starts_with('✗')), "{always:?}");
    assert_eq!(always[3..], ["✓ always", "✓ always"]);
}

/// Step 4: the factor of one step, and the slope.
async fn curve(person: &Person) {
    for (stop, t) in [("5", 5.0), ("0.5", 0.5), ("1", 1.0)] {
        person.click(&format!(".lesson-stage .heat-stop[data-t='{stop}']")).await;
        let (factor, steep) = (f64::exp(1.0 / t), slope(GREETINGS[0], t));
        let says = format!(
            "One step to the right makes a token {factor:.2} times as likely. Slope at Hello: \
             {steep:.2}."
        );
        person.wait_for(".lesson-stage .lesson-says", &says).await;
    }
    person.press("▶ Play").await;
    person.wait("Number(document.querySelector('.lesson-stage .heat-box').value) > 1.2").await;
    person.press("■ Stop").await;
}

/// Step 5: both sides are softmax.
async fn greetings(person: &Person) {
    for (typed, t) in [(None, 5.0), (Some("2"), 2.0)] {
        if let Some(typed) = typed {
            person.enter(".lesson-stage .heat-box", typed).await;
        }
        for (side, t) in [(1, 1.0), (2, t)] {
            let expected: Vec<String> = softmax(&GREETINGS, t)
                .unwrap()
                .into_iter()
                .map(|p| format!("{:.1} %", p * 100.0))
                .collect();
            let read = format!(
                "JSON.stringify([...document.querySelectorAll('.lesson-half > \
                 div:nth-child({side}) td:last-child')].map((e) => e.textContent))"
            );
            let expected = serde_json::to_string(&expected).unwrap();
            person.wait(&format!("{read} === {expected:?}")).await;
        }
    }
}

/// Steps 6 and 7: the chosen texts are shown at once, and are those that the model writes.
async fn texts(person: &Person, server: &Server, n: usize) {
    let chosen = person.texts(".lesson-written").await;
    assert_eq!(chosen.len(), n);
    assert!(chosen.iter().all(|text| text.len() > 80), "{chosen:?}");
    let chains = ["temp=0.5", "temp=1", "temp=2", "top_k=40 | top_p=0.95 | min_p=0.05 | temp=2"];
    for (text, chain) in chosen.iter().zip(chains) {
        assert_eq!(*text, written(server, chain), "{chain}");
    }
    person.press("Write it live").await;
    person
        .wait(
            "document.querySelector('.lesson-columns .lesson-says').textContent \
             .startsWith('Written live: letter for letter')",
        )
        .await;
    person.press("Other dice").await;
    person.wait_for(".lesson-columns .lesson-says", "Written live with the dice of seed 8.").await;
    let others = person.texts(".lesson-written").await;
    assert_ne!(others, chosen);
    // The address has the dice: a link shows the same texts.
    person.wait("location.hash.endsWith('&seed=8')").await;
    let hash: String = person.read("location.hash").await;
    person.go(&hash).await;
    person.wait_for(".lesson-columns .lesson-says", "Written live with the dice of seed 8.").await;
    assert_eq!(person.texts(".lesson-written").await, others);
    person.press("The chosen texts").await;
    assert_eq!(person.texts(".lesson-written").await, chosen);
    person.wait("!location.hash.includes('seed=')").await;
}

/// What the API writes with a chain.
fn written(server: &Server, chain: &str) -> String {
    let body = json!({
        "messages": [{ "role": "user", "content": PROMPT }],
        "sampler": chain, "seed": 7, "max_tokens": 40,
    });
    let answer = server.good("/v1/chat/completions", &body);
    answer["choices"][0]["message"]["content"].as_str().unwrap().to_string()
}

/// Step 7: how many tokens can be drawn as the first.
async fn survivors(person: &Person, server: &Server, engine: &kelvin_engine::Engine) {
    let body = json!({ "messages": [{ "role": "user", "content": PROMPT }] });
    let rendered = server.good("/apply-template", &body);
    let tokens = engine.tokenizer.encode(rendered["prompt"].as_str().unwrap(), false, true);
    let row = logits(engine, &tokens);
    let cut: Chain = "top_k=40 | top_p=0.95 | min_p=0.05 | temp=2".parse().unwrap();
    let left = Distribution::new(&row, &cut).unwrap().survivors();
    let choices = if left == 1 { "choice" } else { "choices" };
    let expected = [row.len(), row.len(), row.len()].map(|n| format!("first token: {n} choices"));
    let expected: Vec<String> =
        expected.into_iter().chain([format!("first token: {left} {choices}")]).collect();
    let read = "JSON.stringify([...document.querySelectorAll('.in-play')].map((e) => \
                e.textContent.replaceAll(',', '')))";
    let expected = serde_json::to_string(&expected).unwrap();
    person.wait(&format!("{read} === {expected:?}")).await;
}

/// The values of an exercise's answers, as the sheet prints them.
async fn answers(person: &Person, id: &str) -> Vec<String> {
    person.texts(&format!("[data-answer='{id}'] dd")).await
}

#[tokio::test]
async fn the_answers_of_the_exercises_are_right_and_the_book_asks_the_questions() {
    let server = Server::start(&[], None);
    let person = Person::at(&server.address).await;
    person.go("#/learn?sheet=1").await;
    person.wait("document.querySelectorAll('.question').length > 0").await;
    let percent = |p: f64| format!("{:.1} %", p * 100.0);
    let of = |logits: &[f64]| -> Vec<String> {
        softmax(logits, 1.0).unwrap().into_iter().map(percent).collect()
    };
    assert_eq!(answers(&person, "hand").await, of(&[1.0, 2.0]));
    assert_eq!(answers(&person, "add").await, of(&[101.0, 102.0]));
    let broken = |name: &str, logits: &[f64]| {
        let all = verdicts(logits, 1.0);
        let holds = all.iter().find(|one| one.name == name).unwrap().holds;
        let breaks: Vec<usize> = (1..=4).filter(|i| !holds[i - 1]).collect();
        assert_eq!(breaks.len(), 1, "{name}: {breaks:?}");
        format!("criterion {}", breaks[0])
    };
    let found = [broken("plain", &[-1.0, 2.0]), broken("square", &[-3.0, 2.0])];
    assert_eq!(answers(&person, "criteria").await, found);
    let ratio = |t: f64| {
        let p = softmax(&[3.0, 0.0], t).unwrap();
        format!("{:.1}", p[0] / p[1])
    };
    assert_eq!(answers(&person, "ratio").await, [ratio(1.0), ratio(3.0), ratio(0.5)]);
    // Hello's share falls as T grows, so halving the interval finds where it is a half.
    let (mut low, mut high) = (1.0, 5.0);
    while high - low > 1e-9 {
        let middle = (low + high) / 2.0;
        let is_hot = softmax(&GREETINGS, middle).unwrap()[0] < 0.5;
        (low, high) = if is_hot { (low, middle) } else { (middle, high) };
    }
    assert_eq!(answers(&person, "even").await, [format!("{low:.1}")]);
    let chance = |nats: f64, digits: usize| format!("{:.digits$} %", (-nats).exp() * 100.0);
    assert_eq!(answers(&person, "surprise").await, [chance(2.6, 1), chance(10.8, 3)]);
    let p = [0.5f32, 0.3, 0.15, 0.05];
    let row = p.map(f32::ln);
    let cut = Distribution::new(&row, &"min_p=0.2".parse().unwrap()).unwrap();
    let left: Vec<String> = (0..4)
        .map(|i| cut.probability(TokenId(i)))
        .map(|p| if p == 0.0 { "0 %".to_string() } else { percent(p) })
        .collect();
    assert_eq!(answers(&person, "cut").await, left);
    // Every exercise has an answer or a remark, and the book's chapter has its question.
    let questions = person.texts(".question").await;
    assert_eq!(person.texts(".why").await.len(), questions.len());
    let chapter = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/src/creative.md");
    let chapter = std::fs::read_to_string(chapter).unwrap();
    let chapter = chapter.split_whitespace().collect::<Vec<_>>().join(" ");
    for question in questions {
        assert!(chapter.contains(&question), "creative.md doesn't ask: {question}");
    }
    person.leave().await;
}

#[tokio::test]
async fn axe_finds_no_violation_in_the_lesson() {
    let server = Server::start(&[], None);
    let person = Person::at(&server.address).await;
    for theme in ["light", "dark"] {
        for width in [1280, 390] {
            person.look(width, theme).await;
            let steps = (1..=STEPS).map(|step| format!("#/learn?step={step}"));
            for hash in steps.chain(["#/learn?sheet=1".to_string()]) {
                person.go(&hash).await;
                person.wait("document.querySelector('.view-learn > *')").await;
                person.wait(ready(&hash)).await;
                let found = person.axe().await;
                assert!(found.is_empty(), "{hash} at {width}, {theme}: {found:#?}");
                let wide: f64 = person.read("document.documentElement.scrollWidth").await;
                assert!(wide <= width as f64, "{hash} is {wide} wide in {width}");
            }
        }
    }
    person.leave().await;
}

/// When a step has what it shows.
fn ready(hash: &str) -> &'static str {
    match hash.rsplit('=').next().unwrap() {
        _ if hash.contains("sheet") => "document.querySelector('.question')",
        "3" => "document.querySelector('.lesson-criteria td')",
        "4" => "document.querySelector('.lesson-stage .chart path')",
        "6" | "7" => "document.querySelector('.lesson-written')?.textContent",
        _ => "document.querySelector('.lesson-stage .bars tbody td.figure')?.textContent",
    }
}

#[tokio::test]
async fn the_guided_minute_is_the_lesson_in_short_and_is_offered_once() {
    let server = Server::start(&[], None);
    let person = Person::at(&server.address).await;
    person.go("").await;
    person.wait("document.querySelector('.offer')").await;
    person.press("Show me").await;
    let mut titles = Vec::new();
    for step in 1..=4 {
        person.wait_for(".lesson-where", &format!("Step {step} of 4")).await;
        titles.push(person.text(".lesson-title").await);
        person.key(".lesson-title", "ArrowRight").await;
    }
    titles.dedup();
    assert_eq!(titles.len(), 4);
    person.click(".lesson-go.strong").await;
    person.wait_for(".lesson-where", &format!("Step 1 of {STEPS}")).await;
    person.go("").await;
    person.wait("document.querySelector('.view')").await;
    assert!(!person.read::<bool>("Boolean(document.querySelector('.offer'))").await, "never again");
    person.click(".help").await;
    person.wait_for(".lesson-where", "Step 1 of 4").await;
    // Where the browser keeps nothing it's offered, and answered for as long as the page is open.
    person
        .first(
            "for (const name of ['localStorage', 'sessionStorage']) \
            Object.defineProperty(window, name, { get() { throw new DOMException('no', \
            'SecurityError'); } })",
        )
        .await;
    person.go("").await;
    person.wait("document.querySelector('.offer') && document.querySelector('.view')").await;
    person.press("No, thanks").await;
    person.wait("!document.querySelector('.offer')").await;
    person.click("#nav a:nth-child(2)").await;
    person.wait("document.querySelector('.view-next .bars tbody tr')").await;
    assert!(!person.read::<bool>("Boolean(document.querySelector('.offer'))").await);
    person.leave().await;
}

/// Where writing begins where nobody has said anything, and what SmolLM2 writes there.
const OPENING: &str = "Tell a story about a lighthouse keeper and a fox.";
const OPENED: [(f64, &str); 2] = [
    (
        0.8,
        "Once upon a time in a faraway land of the golden crab, there lived a brave and quiet \
         lighthouse keeper named Olga. She was a gentle and compassionate soul who had spent her \
         entire life on the",
    ),
    (
        1.0,
        "Once upon a time in a quiet village by the coast, there lived a lass named Naara. She was \
         a skilled sailor and keeper of the sturdy, sturdy lighthouses that helped keep the",
    ),
];

#[tokio::test]
async fn the_lesson_leads_to_a_text_that_was_read_beforehand() {
    let server = Server::start(&[], None);
    let person = Person::at(&server.address).await;
    person.go(&format!("#/learn?step={STEPS}")).await;
    person.wait("document.querySelector('.lesson-foot a[href^=\"#/write\"]')").await;
    let hash: String = person
        .read("document.querySelector('.lesson-foot a[href^=\"#/write\"]').getAttribute('href')")
        .await;
    assert_eq!(hash, "#/write?t=0.8");
    for ((t, text), hash) in OPENED.into_iter().zip([hash.as_str(), "#/write?t=1"]) {
        let body = json!({
            "messages": [{ "role": "user", "content": OPENING }],
            "temperature": t, "seed": 7, "max_tokens": 40,
        });
        let answer = server.good("/v1/chat/completions", &body);
        assert_eq!(answer["choices"][0]["message"]["content"], text);
        // Without a session of its own a browser begins with it.
        person.go("#/softmax").await;
        let _: bool = person
            .read(
                "new Promise((done) => { const gone = indexedDB.deleteDatabase('kelvin'); \
                 gone.onsuccess = () => done(true); })",
            )
            .await;
        person.go(hash).await;
        person.wait("document.querySelector('.says-run')?.textContent.startsWith('Written')").await;
        let seen: String = person
            .read(
                "[...document.querySelectorAll('.sheet .piece')].map((e) => e.innerText).join('')",
            )
            .await;
        assert!(seen.contains(OPENING) && seen.ends_with(text), "{seen:?}");
    }
    person.leave().await;
}
