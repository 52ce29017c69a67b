//! Schedules and banned strings of SmolLM2: one text whatever the threads, the drafts and the
//! door, a repeat breaker that breaks repeats, and strings that aren't said.

use std::collections::HashSet;

use kelvin_testkit::{models, server::Server};
use serde_json::{Value, json};

fn generate(args: &[&str]) -> Value {
    let mut command = kelvin_testkit::kelvin();
    command.env("KELVIN_MODELS", models::folder()).env_remove("KELVIN_MODEL");
    let output = command.arg("generate").args(args).args(["--json", "--offline"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_schedule_is_one_text_everywhere_and_begins_with_its_first_chain() {
    let prompt = "Once upon a time";
    let chain = "after 12: temp=0.3; repeats 4: heat 2; temp=1.3 | min_p=0.05";
    let how = |chain| ["--raw", "--seed", "7", "-n", "32", "--sampler", chain];
    let one = generate(&[&[prompt][..], &how(chain)].concat());
    for more in [&["--threads", "1"][..], &["--draft", "auto"], &["--draft", "lookup"]] {
        let again = generate(&[&[prompt][..], &how(chain), more].concat());
        assert_eq!(again["ids"], one["ids"], "{more:?}");
    }
    let hot = generate(&[&[prompt][..], &how("temp=1.3 | min_p=0.05")].concat());
    let ids = |answer: &Value| answer["ids"].as_array().unwrap().clone();
    assert_eq!(ids(&one)[..12], ids(&hot)[..12]);
    assert_ne!(ids(&one)[12..], ids(&hot)[12..]);
    let server = Server::start(&["--ctx-size", "512", "--draft", "auto"], None);
    let asked = json!({ "prompt": prompt, "seed": 7, "max_tokens": 32, "sampler": chain, "n": 3,
        "ban_strings": [], "return_token_ids": true });
    let answer = server.good("/v1/completions", &asked);
    assert_eq!(answer["choices"][0]["token_ids"], one["ids"]);
}

#[test]
fn a_repeat_breaker_breaks_repeats_and_banned_strings_are_not_said() {
    let prompt = "The song goes:";
    let how = |chain| ["--raw", "--seed", "1", "-n", "96", "--sampler", chain];
    // Different runs of four tokens.
    let runs = |chain| {
        let ids = generate(&[&[prompt][..], &how(chain)].concat())["ids"].clone();
        let ids: Vec<Value> = ids.as_array().unwrap().clone();
        ids.windows(4).map(|run| format!("{run:?}")).collect::<HashSet<_>>().len()
    };
    let (loops, broken) = (runs("temp=0.1"), runs("repeats 4: heat 20; temp=0.1"));
    assert!(broken > loops + 40, "{broken} and {loops} different runs of 93");

    let free = generate(&[&[prompt][..], &how("temp=0.8")].concat());
    let text = free["text"].as_str().unwrap();
    let words: Vec<&str> = text.split(' ').filter(|word| word.len() > 3).collect();
    let banned = [words[4], words[9]];
    let mut args = [&[prompt][..], &how("temp=0.8")].concat();
    banned.iter().for_each(|word| args.extend(["--ban-string", word]));
    let held = generate(&args);
    let said = held["text"].as_str().unwrap();
    assert!(banned.iter().all(|word| !said.contains(word)), "{banned:?}: {said}");
    let place = banned.iter().map(|word| text.find(word).unwrap()).min().unwrap();
    assert!(said.starts_with(text[..place].trim_end()), "{said}\n{text}");
    let again = generate(&[&args[..], &["--threads", "1", "--draft", "auto"]].concat());
    assert_eq!(again["ids"], held["ids"]);
}
