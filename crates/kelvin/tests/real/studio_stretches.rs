//! Painted stretches of the studio's texts in Debian's Chromium, with SmolLM2: a stretch has a
//! chain of its own, what is drawn there uses it, and all of them are one schedule, the command
//! line's and the API's.

use kelvin_testkit::{browser::Person, server::Server};
use serde_json::{Value, json};

const TEXT: &str = "A: Hey, How you doin'?\nB:";
const LAST: &str = ".brush input[aria-label='Last token of the stretch']";
const CHAIN: &str = "temp=2.5 | top_k=50";

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

/// What the API draws after the text with this schedule or chain.
fn drawn(server: &Server, sampler: &str, n: usize) -> Vec<u64> {
    let body = json!({ "prompt": TEXT, "sampler": sampler, "seed": 7, "max_tokens": n,
        "return_token_ids": true });
    let answer = server.good("/v1/completions", &body);
    answer["choices"][0]["token_ids"]
        .as_array()
        .unwrap()
        .iter()
        .map(|id| id.as_u64().unwrap())
        .collect()
}

/// Selects the tokens from `from` (from 0) to `to`.
async fn select(person: &Person, from: usize, to: usize) {
    person.click(&format!(".sheet .tokens [data-i='{from}']")).await;
    person.press("Select …").await;
    person.enter(LAST, &to.to_string()).await;
    person.key(LAST, "Enter").await;
}

async fn painted(person: &Person) -> usize {
    person.read("document.querySelectorAll('.sheet .piece.painted').length").await
}

#[tokio::test]
async fn a_stretch_has_a_chain_and_all_of_them_are_a_schedule() {
    let server = Server::start(&[], None);
    let person = Person::at(&server.address).await;
    person.go("#/write?n=24&text=A:+Hey,+How+you+doin'%3F%0AB:").await;
    is_written(&person).await;
    let first = ids(&person).await;
    let g: usize = person.read("document.querySelectorAll('.sheet .piece.given').length").await;

    // A chain that is none is refused where it was typed; one that is paints and rewrites.
    select(&person, g + 8, g + 13).await;
    person.press("A chain").await;
    person.enter(".brush-chain", "temp=2.5 | top_z=50").await;
    person.press("Rewrite from here with this chain").await;
    person
        .wait("document.querySelector('.brush-chained .wrong').textContent.includes('top_z')")
        .await;
    assert_eq!(painted(&person).await, 0);
    person.enter(".brush-chain", CHAIN).await;
    person.press("Rewrite from here with this chain").await;
    person.wait("document.querySelectorAll('.sheet .piece.chained').length === 5").await;
    is_written(&person).await;
    let one = format!("after 13: temp=1; after 8: {CHAIN}; temp=1");
    assert_eq!(person.text(".schedule-text").await, one);
    let now = ids(&person).await;
    assert_eq!(now, drawn(&server, &one, 24), "the page draws what the schedule draws");
    assert_eq!(now[..8], first[..8]);
    assert_ne!(now[8..13], first[8..13]);
    let says: String = person
        .read(&format!("document.querySelector('.sheet [data-i=\"{}\"]').className", g + 8))
        .await;
    assert!(says.contains("phase-0"), "{says}");

    // What comes next can be painted before it is written; nothing is rewritten by that.
    person.key(".sheet .tokens", "Escape").await;
    person.press("Select …").await;
    person.enter(LAST, &(g + 30).to_string()).await;
    person.key(LAST, "Enter").await;
    person.press("A temperature").await;
    person.enter(".brush .heat-box", "0").await;
    person.press("Paint").await;
    person.wait("document.querySelectorAll('.stretches-list li').length === 2").await;
    assert_eq!(ids(&person).await, now);
    let two =
        format!("after 30: temp=1; after 24: temp=0; after 13: temp=1; after 8: {CHAIN}; temp=1");
    assert_eq!(person.text(".schedule-text").await, two);
    person.press("Write on").await;
    person.wait("document.querySelectorAll('.sheet .piece.painted').length === 11").await;
    is_written(&person).await;
    let all = ids(&person).await;
    assert_eq!(all, drawn(&server, &two, 48));

    // The command line of the page draws the text again.
    person.wait("document.querySelector('.schedule .code').textContent !== ''").await;
    let line = person.text(".schedule .code").await;
    assert!(line.starts_with("kelvin generate ") && line.contains(&two), "{line}");
    let output = std::process::Command::new("sh")
        .arg("-c")
        .arg(format!("exec \"$KELVIN\" {} -n 48 --json", line.strip_prefix("kelvin ").unwrap()))
        .env("KELVIN", kelvin_testkit::kelvin().get_program())
        .output()
        .unwrap();
    let said: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!(said["ids"], json!(all));

    // The session's file has the schedule; imported again it is painted as before.
    let watch = "URL.createObjectURL = ((make) => (blob) => { blob.text().then((text) => { \
        window.saved = text; }); return make.call(URL, blob); })(URL.createObjectURL)";
    let _: Value = person.read(&format!("({watch}, 1)")).await;
    person.click(".session-does .menu summary").await;
    person.press("Session (JSON)").await;
    person.wait("window.saved").await;
    let saved: String = person.read("window.saved").await;
    let tree: Value = serde_json::from_str(&saved).unwrap();
    assert_eq!((&tree["version"], &tree["schedule"]), (&json!(3), &json!(two)));
    assert_eq!(
        tree["paint"],
        json!([{ "from": g + 8, "to": g + 13, "chain": CHAIN },
            { "from": g + 24, "to": g + 30, "t": 0 }])
    );
    let load = format!(
        "(() => {{ const box = document.querySelector('input[type=file]'); const bag = new \
         DataTransfer(); bag.items.add(new File([{saved:?}], 'x.json')); box.files = bag.files; \
         box.dispatchEvent(new Event('change', {{ bubbles: true }})); return true; }})()"
    );
    let _: bool = person.read(&load).await;
    person.wait("document.querySelector('.told').textContent.startsWith('Imported')").await;
    assert_eq!((painted(&person).await, person.text(".schedule-text").await), (11, two));
    assert_eq!(ids(&person).await, all);

    // Taken off, and undone.
    person.click(".stretches-list li:nth-child(2) .icon").await;
    person.wait("document.querySelectorAll('.stretches-list li').length === 1").await;
    assert_eq!(person.text(".schedule-text").await, one);
    person.press("Undo").await;
    person.wait("document.querySelectorAll('.stretches-list li').length === 2").await;
    // The chain that is none.
    person.forgive("400");
    person.leave().await;
}

#[tokio::test]
async fn versions_use_the_chain_of_their_stretch_or_their_own() {
    let server = Server::start(&[], None);
    let person = Person::at(&server.address).await;
    person.go("#/write?n=24&text=A:+Hey,+How+you+doin'%3F%0AB:").await;
    is_written(&person).await;
    let g: usize = person.read("document.querySelectorAll('.sheet .piece.given').length").await;
    select(&person, g + 8, g + 13).await;
    person.press("A chain").await;
    person.enter(".brush-chain", CHAIN).await;
    person.press("Paint").await;
    person.wait("document.querySelectorAll('.sheet .piece.chained').length === 5").await;
    // The list leads back to the stretch, whose chain is suggested twice.
    person.click(".stretches-list li button").await;
    let box_is = "document.querySelector('.brush-heats').value";
    assert_eq!(person.read::<String>(box_is).await, format!("{CHAIN}; {CHAIN}"));
    person.enter(".brush-heats", &format!("{CHAIN}; 0; temp=0.1 | top_k=1; warp=1")).await;
    person.press("Make versions").await;
    person.wait("document.querySelector('.brush .wrong').textContent.includes('warp')").await;
    person.enter(".brush-heats", &format!("{CHAIN}; 0; temp=0.1 | top_k=1")).await;
    person.press("Make versions").await;
    person
        .wait(
            "document.querySelectorAll('.version').length === 3 && \
             [...document.querySelectorAll('.version .strong')].every((e) => !e.disabled)",
        )
        .await;
    assert_eq!(person.texts(".version h3").await, [CHAIN, "T = 0", "temp=0.1 | top_k=1"]);
    let texts = person.texts(".version-text").await;
    assert_eq!(texts[1], texts[2], "both take the likeliest");
    assert_ne!(texts[0], texts[1]);
    person.forgive("400");
    person.leave().await;
}

#[tokio::test]
async fn a_schedule_of_the_page_goes_along_and_says_what_it_cannot() {
    let server = Server::start(&[], None);
    let person = Person::at(&server.address).await;
    // Positions: what is painted goes between them.
    person
        .go("#/write?n=20&chain=after+6:+temp%3D0;+temp%3D1.4&text=A:+Hey,+How+you+doin'%3F%0AB:")
        .await;
    is_written(&person).await;
    assert_eq!(ids(&person).await, drawn(&server, "after 6: temp=0; temp=1.4", 20));
    let g: usize = person.read("document.querySelectorAll('.sheet .piece.given').length").await;
    select(&person, g + 4, g + 9).await;
    person.press("A chain").await;
    person.enter(".brush-chain", "temp=3 | top_k=9").await;
    person.press("Rewrite from here with this chain").await;
    person.wait("document.querySelectorAll('.sheet .piece.chained').length === 5").await;
    is_written(&person).await;
    let both = "after 9: temp=0; after 4: temp=3 | top_k=9; temp=1.4";
    assert_eq!(person.text(".schedule-text").await, both);
    assert_eq!(ids(&person).await, drawn(&server, both, 20));
    // What looks at the text can't be painted over, and draws as it is.
    let gate = "entropy > 2.5: temp=0.7; temp=1.2";
    person.go("#/write?n=20&text=Tea+is&chain=entropy+%3E+2.5:+temp%3D0.7;+temp%3D1.2").await;
    is_written(&person).await;
    let body = json!({ "prompt": "Tea is", "sampler": gate, "seed": 7, "max_tokens": 20,
        "return_token_ids": true });
    let answer = server.good("/v1/completions", &body);
    assert_eq!(json!(ids(&person).await), answer["choices"][0]["token_ids"]);
    let g: usize = person.read("document.querySelectorAll('.sheet .piece.given').length").await;
    select(&person, g + 4, g + 9).await;
    person.press("Paint").await;
    person.wait("document.querySelector('.says-run').textContent.includes('nothing can be')").await;
    assert_eq!(painted(&person).await, 0);
    person.leave().await;
}

/// Paint stays on its tokens when something before them is edited, and goes back with it.
#[tokio::test]
async fn an_edit_before_a_stretch_moves_its_paint() {
    let server = Server::start(&[], None);
    let person = Person::at(&server.address).await;
    person.go("#/write?n=16&text=The+old+man+went+to+the+sea").await;
    is_written(&person).await;
    let g: usize = person.read("document.querySelectorAll('.sheet .piece.given').length").await;
    select(&person, g + 4, g + 9).await;
    person.press("Paint").await;
    person.wait("document.querySelectorAll('.sheet .piece.painted').length === 5").await;
    let words = "[...document.querySelectorAll('.sheet .piece.painted')].map((e) => \
                 e.textContent).join('')";
    let before: String = person.read(words).await;
    person.key(".sheet .tokens", "Escape").await;
    person.click(".sheet [data-i='1']").await;
    let _: Value = person.read("(getSelection().modify('move', 'left', 'word'), 1)").await;
    let _: Value = person.read("(getSelection().modify('move', 'right', 'word'), 1)").await;
    person.insert(" very very").await;
    let list = "document.querySelector('.stretches-list li button').textContent";
    let here = format!("Tokens {} to {}", g + 5, g + 9);
    person.wait(&format!("{list} !== {here:?} && {words} === {before:?}")).await;
    person.press("Undo").await;
    person.wait(&format!("{list} === {here:?} && {words} === {before:?}")).await;

    // By hand: a stretch of 4 to 6 of 10 tokens, and one of the two tokens to come.
    let old = |range: std::ops::Range<usize>| range.map(|k| json!(k)).collect::<Vec<Value>>();
    let new = |n: usize| vec![Value::Null; n];
    let cases: [(&str, Vec<Value>, Value); 7] = [
        ("two before it", [new(2), old(0..10)].concat(), json!([[6, 9], [12, 14]])),
        ("two less before it", old(2..10), json!([[2, 5], [8, 10]])),
        ("within it", [old(0..5), new(1), old(5..10)].concat(), json!([[4, 8], [11, 13]])),
        ("other words within", [old(0..5), new(2), old(6..10)].concat(), json!([[4, 8], [11, 13]])),
        ("at its border", [old(0..4), new(1), old(4..10)].concat(), json!([[5, 8], [11, 13]])),
        ("across its border", [old(0..3), new(1), old(6..10)].concat(), json!([[4, 5], [8, 10]])),
        ("none of it is left", [old(0..4), old(7..10)].concat(), json!([[7, 9]])),
    ];
    for (what, from, expected) in cases {
        let moved = format!(
            "import('/web/write/shift.js').then((m) => m.moved([{{from: 4, to: 7, t: 2}}, \
             {{from: 10, to: 12, t: 1}}], 10, {}).map((one) => [one.from, one.to]))",
            json!(from)
        );
        assert_eq!(person.read::<Value>(&moved).await, expected, "{what}");
    }
    person.leave().await;
}

/// A bar in quotes doesn't end a stage.
#[tokio::test]
async fn a_bar_in_quotes_belongs_to_its_stage() {
    let server = Server::start(&[], None);
    let person = Person::at(&server.address).await;
    person.go("#/chain").await;
    person.wait("document.querySelector('.notation')").await;
    person.enter(".notation", "dry=1,breakers:\"a|b\" | temp=2").await;
    person.key(".notation", "Enter").await;
    person.wait("document.querySelectorAll('.cards > li').length === 2").await;
    person.wait("document.querySelector('.code').textContent.includes('a\\\\x7cb')").await;
    let line = person.text(".code").await;
    assert!(line.contains(r#"dry=1,breakers:"a\x7cb" | temp=2"#), "{line}");
    assert_eq!(person.texts(".problem").await.len(), 0);
    person.leave().await;
}

#[tokio::test]
async fn painted_stretches_fit_a_phone_in_both_themes_and_axe_finds_nothing() {
    let server = Server::start(&[], None);
    let person = Person::at(&server.address).await;
    person.go("#/write?n=24&text=A:+Hey,+How+you+doin'%3F%0AB:").await;
    is_written(&person).await;
    let g: usize = person.read("document.querySelectorAll('.sheet .piece.given').length").await;
    select(&person, g + 8, g + 13).await;
    person.press("A chain").await;
    person.press("Paint").await;
    person.wait("document.querySelectorAll('.sheet .piece.chained').length === 5").await;
    person.click(".stretches-list li button").await;
    person.wait("!document.querySelector('.brush').hidden").await;
    for theme in ["light", "dark"] {
        for width in [1280, 390] {
            person.look(width, theme).await;
            let found = person.axe().await;
            assert!(found.is_empty(), "at {width}, {theme}: {found:#?}");
            let wide: f64 = person.read("document.documentElement.scrollWidth").await;
            assert!(wide <= width as f64, "{wide} wide in {width}");
        }
    }
    person.leave().await;
}

#[tokio::test]
async fn a_schedule_is_said_to_be_no_sequence() {
    let server = Server::start(&[], None);
    let person = Person::at(&server.address).await;
    person.go("#/chain?chain=repeats+8:+temp%3D2;+after+6:+temp%3D1;+temp%3D0.4").await;
    let places = "[aria-label='Places of the schedule'] button";
    person.wait(&format!("document.querySelectorAll({places:?}).length === 3")).await;
    assert_eq!(person.texts(places).await, ["repeats 8", "else after 6", "else"]);
    let decides = "For each token the first place that holds decides.";
    let notes = person.texts("[aria-label=Stages] .note").await;
    assert!(notes.iter().any(|note| note.contains(decides)), "{notes:?}");
    person.go("#/write?n=4&text=Tea+is&chain=after+6:+temp%3D0;+temp%3D1.4").await;
    person.wait("document.querySelector('.chain-line')").await;
    let line = person.text(".chain-line").await;
    assert!(line.contains(decides), "{line}");
    person.leave().await;
}
