//! The view Search in Debian's Chromium, with SmolLM2: the tree is that of `POST /v1/search`, it
//! can be walked by keyboard alone, a text that was found goes on in Write, and axe-core finds
//! nothing wrong.

use std::collections::BTreeMap;

use kelvin_testkit::{
    browser::{Person, share},
    server::Server,
};
use serde_json::{Value, json};

const TEXT: &str = "The capital of Nepal is";
const DONE: &str =
    "/^[0-9]+ texts?,/.test(document.querySelector('.searching [role=status]')?.textContent)";

async fn search(person: &Person) {
    person.press("Search").await;
    person.wait(DONE).await;
}

/// The rows as the page has them: level, text, whether pale, the rank's words.
async fn rows(person: &Person) -> Vec<(usize, String, bool, String)> {
    person
        .read(
            "[...document.querySelectorAll('.search-row')].map((e) => [Number(e.ariaLevel), \
             e.querySelector('.search-text').textContent, e.classList.contains('pale'), \
             e.querySelector('.search-rank')?.textContent ?? ''])",
        )
        .await
}

fn nodes(answer: &Value) -> &Vec<Value> {
    answer["tree"].as_array().unwrap()
}

#[tokio::test]
async fn beams_are_a_tree_that_is_read_by_keyboard() {
    let server = Server::start(&[], None);
    let person = Person::at(&server.address).await;
    person.go("#/search?text=The+capital+of+Nepal+is&n=8&b=4").await;
    person.wait(DONE).await;
    let body = json!({ "prompt": TEXT, "method": "beam", "beams": 4, "length_penalty": 1,
        "max_tokens": 8, "tree": true });
    let answer = server.good("/v1/search", &body);
    let texts = answer["texts"].as_array().unwrap();
    let words: Vec<&str> = texts.iter().map(|text| text["text"].as_str().unwrap()).collect();
    assert_eq!(person.texts(".found-words").await, words);

    // Every token that wasn't dropped at once stands in one row, and in one alone.
    let living = nodes(&answer).iter().filter(|node| node["fate"] != "dropped");
    let mut tokens: BTreeMap<String, usize> = BTreeMap::new();
    living.clone().for_each(|node| {
        let text = node["text"].as_str().unwrap().replace('\n', "↵");
        *tokens.entry(text).or_default() += 1;
    });
    let mut shown: BTreeMap<String, usize> = BTreeMap::new();
    for text in person.texts(".search-token").await {
        *shown.entry(text).or_default() += 1;
    }
    assert_eq!(shown, tokens);
    // The best text is what stands furthest left, and has the first rank; pale rows have none.
    let all = rows(&person).await;
    let best: String =
        all.iter().filter(|(level, ..)| *level == 1).map(|(_, text, ..)| text.as_str()).collect();
    assert_eq!(best, words[0].replace('\n', "↵"));
    let ranks: Vec<&str> = all.iter().map(|row| &*row.3).filter(|rank| !rank.is_empty()).collect();
    let mut numbers: Vec<&str> = ranks.iter().map(|rank| rank.split(' ').next().unwrap()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, ["1", "2", "3", "4"]);
    let score = texts[0]["score"].as_f64().unwrap();
    assert!(ranks.contains(&&*format!("1 · {score:.3}").replace('-', "−")), "{ranks:?}");
    assert!(all.iter().all(|row| !row.2 || row.3.is_empty()), "{all:?}");
    // A branch has its probability, under the model's own distribution.
    let first = nodes(&answer).iter().find(|node| node["fate"] == "kept").unwrap();
    let p = share(first["logprob"].as_f64().unwrap().exp());
    assert!(person.texts(".search-p").await.contains(&p), "{p}");
    let dropped = nodes(&answer).iter().filter(|node| node["fate"] == "dropped").count();
    assert!(dropped > 3 && person.text(".search-root .search-dropped").await.contains("dropped"));

    // By keyboard alone: down, into the numbers of a row, fold and unfold, to the end and back.
    person.key(".search-row", "ArrowDown").await;
    let at = "[...document.querySelectorAll('.search-row')].indexOf(document.activeElement)";
    assert_eq!(person.read::<i64>(at).await, 1);
    person.key(":focus", "Enter").await;
    person.wait("document.querySelectorAll('.search-numbers tbody tr').length > 0").await;
    let own = person.texts(".search-numbers tbody th").await.concat();
    assert_eq!(own, all[1].1);
    assert_eq!(person.read::<i64>(at).await, 1, "the focus stays");
    let folds = "document.querySelector('.search-row[aria-expanded]')";
    let _: bool = person.read(&format!("({folds}.focus(), true)")).await;
    person.key(":focus", "ArrowLeft").await;
    assert_eq!(person.read::<String>(&format!("{folds}.ariaExpanded")).await, "false");
    let hidden = "[...document.querySelectorAll('.search-row')].filter((e) => e.hidden).length";
    assert!(person.read::<usize>(hidden).await > 0);
    person.key(":focus", "ArrowRight").await;
    assert_eq!(person.read::<usize>(hidden).await, 0);
    person.key(":focus", "End").await;
    assert_eq!(person.read::<i64>(at).await, all.len() as i64 - 1);
    person.key(":focus", "Home").await;
    assert_eq!(person.read::<i64>(at).await, 0);
    // A text of the list is marked in the tree, from its first token to its last.
    person.click(".found-text:nth-child(2) button").await;
    let marked = person.texts(".search-row.on .search-text").await.concat();
    assert_eq!(marked, words[1].replace('\n', "↵"));
    // It goes on in Write.
    person.click(".found-text:nth-child(2) a").await;
    let written = format!(
        "[...document.querySelectorAll('.sheet .piece')].map((e) => \
         e.textContent).join('').startsWith({:?})",
        format!("{TEXT}{}", words[1])
    );
    person.wait(&written).await;
    person.leave().await;
}

#[tokio::test]
async fn other_searches_have_trees_too() {
    let server = Server::start(&[], None);
    let person = Person::at(&server.address).await;
    person.go("#/search?text=The+capital+of+Nepal+is&n=4&b=4").await;
    person.wait(DONE).await;
    person.press("Diverse").await;
    search(&person).await;
    let body = json!({ "prompt": TEXT, "method": "diverse", "beams": 4, "groups": 2,
        "diversity_penalty": 1, "max_tokens": 4 });
    let words = |answer: &Value| -> Vec<String> {
        let texts = answer["texts"].as_array().unwrap();
        texts.iter().map(|text| text["text"].as_str().unwrap().to_string()).collect()
    };
    assert_eq!(person.texts(".found-words").await, words(&server.good("/v1/search", &body)));
    assert!(person.texts(".search-group").await.contains(&"group 2".to_string()));

    person.press("Stochastic").await;
    person.enter(".dice input", "11").await;
    search(&person).await;
    let body = json!({ "prompt": TEXT, "method": "stochastic", "beams": 4, "seed": 11,
        "max_tokens": 4 });
    assert_eq!(person.texts(".found-words").await, words(&server.good("/v1/search", &body)));

    // Drawn texts: each branch says how many of them go through it.
    person.press("Best of n").await;
    person.enter(".heat-box", "0.5").await;
    search(&person).await;
    let body = json!({ "prompt": TEXT, "method": "best-of", "samples": 8, "seed": 11,
        "temperature": 0.5, "max_tokens": 4, "tree": true });
    let answer = server.good("/v1/search", &body);
    assert_eq!(person.texts(".found-words").await, words(&answer));
    let roots: usize = nodes(&answer)
        .iter()
        .filter(|node| node["parent"].is_null())
        .map(|node| node["times"].as_u64().unwrap() as usize)
        .sum();
    assert_eq!(roots, 8);
    assert!(person.texts(".search-times").await.iter().all(|said| said.ends_with(" of 8")));
    // The address is the whole state.
    let hash: String =
        person.read("new Promise((done) => setTimeout(() => done(location.hash), 250))").await;
    person.go(&hash).await;
    person.wait(DONE).await;
    assert_eq!(person.texts(".found-words").await, words(&answer));
    // What can't be is said in a sentence.
    person.go("#/search?text=x&chain=xtc%3D0.5").await;
    person.wait("document.querySelector('.problem')?.textContent.includes('is random')").await;
    person.forgive("400");
    person.leave().await;
}

#[tokio::test]
async fn the_tree_fits_a_phone_in_both_themes_and_axe_finds_nothing() {
    let server = Server::start(&[], None);
    let person = Person::at(&server.address).await;
    for theme in ["light", "dark"] {
        for width in [1280, 390] {
            person.look(width, theme).await;
            person.go("#/search?text=Once+upon+a+time&n=16&b=6").await;
            person.wait(DONE).await;
            person.click(".search-row:nth-child(3)").await;
            let found = person.axe().await;
            assert!(found.is_empty(), "at {width}, {theme}: {found:#?}");
            let wide: f64 = person.read("document.documentElement.scrollWidth").await;
            assert!(wide <= width as f64, "{wide} wide in {width}");
            let cut: Vec<String> = person
                .read(
                    "[...document.querySelectorAll('main .panel, .search-row')].filter((e) => \
                     e.scrollWidth > e.clientWidth + 1).map((e) => e.textContent.slice(0, 80))",
                )
                .await;
            assert!(cut.is_empty(), "{width}: {cut:?}");
        }
    }
    person.leave().await;
}
