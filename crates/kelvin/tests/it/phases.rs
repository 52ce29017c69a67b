//! Schedules, reasoning blocks and banned strings from the command line and over HTTP, with a very
//! small model of random weights, whose template has it think before each answer. No download.

use std::path::PathBuf;

use assert_cmd::Command;
use kelvin_testkit::{
    server::{Server, streamed_text},
    tiny::{MISTRAL_LIKE, Meta, TinyModel},
};
use serde_json::{Value, json};

const THINKS: &str = "{% for m in messages %}{{ m.content }}\n{% endfor %}<think>\n";

/// A model file that is gone when the test ends.
struct Tiny(PathBuf);

impl Drop for Tiny {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Tiny {
    /// A model that always thinks.
    fn thinking() -> Tiny {
        let mut model = TinyModel::new(&MISTRAL_LIKE).speaking();
        model.metadata.retain(|(key, _)| key != "tokenizer.chat_template");
        model.metadata.push(("tokenizer.chat_template".into(), Meta::Str(THINKS.into())));
        Tiny(model.write())
    }

    /// A model that never does.
    fn plain() -> Tiny {
        Tiny(TinyModel::new(&MISTRAL_LIKE).speaking().write())
    }

    fn run(&self, args: &[&str], stdin: &str) -> (i32, String, String) {
        let mut command = Command::cargo_bin("kelvin").unwrap();
        command.env_remove("KELVIN_MODEL").args(args).arg("-m").arg(&self.0);
        let output = command.write_stdin(stdin).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    fn json(&self, args: &[&str]) -> Value {
        let (code, out, said) = self.run(&[args, &["--json"]].concat(), "");
        assert_eq!(code, 0, "{args:?}: {said}");
        serde_json::from_str(&out).unwrap()
    }

    /// The one sentence that it is refused with.
    fn refused(&self, args: &[&str]) -> String {
        let (code, out, said) = self.run(args, "");
        assert!(code != 0 && out.is_empty(), "{args:?}: {out}");
        let errors: Vec<&str> = said.lines().filter_map(|l| l.strip_prefix("error: ")).collect();
        assert_eq!(errors.len(), 1, "{said}");
        errors[0].to_string()
    }

    fn server(&self) -> Server {
        Server::of_file(&self.0, &[])
    }
}

const SCHEDULES: [&str; 6] = [
    "think: temp=1.5 | top_p=0.95; answer: temp=0.3",
    "after 12: temp=0.2; temp=2",
    "after \"a\": temp=0.4; temp=1.5",
    "repeats 2: heat 5; temp=0.1",
    "entropy > 3: temp=0.5 | min_p=0.05; temp=1.2",
    "repeats 3: heat 2; think: temp=0.8 | mirostat=3; after 20: temp=0.2 | mirostat=3; temp=1",
];

#[test]
fn a_schedule_draws_one_text_everywhere() {
    let tiny = Tiny::thinking();
    let server = tiny.server();
    for chain in SCHEDULES {
        let how = ["--raw", "--ignore-end", "--seed", "5", "-n", "40", "--sampler", chain];
        let one = tiny.json(&[&["generate", "abc<think>\n"], &how[..]].concat());
        assert_eq!((&one["chain"], one["ids"].as_array().unwrap().len()), (&json!(chain), 40));
        for more in [&["--threads", "1"][..], &["--draft", "off"], &["--draft", "lookup"]] {
            let again = tiny.json(&[&["generate", "abc<think>\n"], &how[..], more].concat());
            assert_eq!(again["ids"], one["ids"], "{chain} {more:?}");
        }
        let columns =
            tiny.json(&[&["compare", "abc<think>\n", "--samples", "3"], &how[..]].concat());
        assert_eq!(columns["columns"][0]["ids"], one["ids"], "{chain}");
        let asked = json!({ "prompt": "abc<think>\n", "max_tokens": 40, "seed": 5, "n": 2,
            "sampler": chain, "ignore_eos": true, "return_token_ids": true });
        let answer = server.good("/v1/completions", &asked);
        assert_eq!(answer["choices"][0]["token_ids"], one["ids"], "{chain}");
        assert_eq!(answer["choices"][0]["text"], one["text"], "{chain}");
    }
    // The chains of a schedule differ from one that holds everywhere.
    let ids = |chain: &str| {
        let how = ["--raw", "--ignore-end", "--seed", "5", "-n", "40", "--sampler", chain];
        tiny.json(&[&["generate", "abc"], &how[..]].concat())["ids"].as_array().unwrap().clone()
    };
    let (both, first) = (ids("after 12: temp=0.2; temp=2"), ids("temp=2"));
    assert!(both[..12] == first[..12] && both[12..] != first[12..]);
}

#[test]
fn bad_schedules_are_refused_in_one_sentence() {
    let (tiny, plain) = (Tiny::thinking(), Tiny::plain());
    let server = plain.server();
    for (chain, says) in [
        ("think: temp=1", "has no last chain"),
        ("after 4: temp=1; after 9: temp=2; temp=1", "overlap"),
        ("dream: temp=1; temp=2", "unknown place `dream`"),
        ("after 3: hot=1; temp=2", "`after 3` of the schedule: unknown stage `hot`"),
        ("strings: temp=1; structure: temp=2", "is a place in JSON"),
        ("think: temp=1; answer: temp=2", "shows no reasoning block"),
    ] {
        for verb in ["generate", "next"] {
            let said = plain.refused(&[verb, "x", "--sampler", chain]);
            assert!(said.contains(says) && said.len() < 500, "{said}");
        }
        let asked = json!({ "prompt": "x", "max_tokens": 2, "sampler": chain });
        let answer = server.post("/v1/completions", &asked);
        assert!(answer.status == 400 && answer.body.contains(says), "{}", answer.body);
    }
    let said = tiny.refused(&["generate", "x", "-t", "2", "--sampler", SCHEDULES[0]]);
    assert!(said.contains("a temperature for each of its chains"), "{said}");
    let said = tiny.refused(&["sweep", "--plan", "-p", "x", "--sampler", "think: temp=1"]);
    assert!(said.contains("sampler: the schedule has no last chain"), "{said}");
    let asked = json!({ "prompt": "x", "max_tokens": 2, "sampler": SCHEDULES[1], "logprobs": 1,
        "logprobs_stage": "temperature" });
    let answer = server.post("/v1/completions", &asked);
    assert!(answer.status == 400 && answer.body.contains("logprobs_stage"), "{}", answer.body);
}

#[test]
fn strings_of_json_are_hot_and_structure_is_cold() {
    let plain = Tiny::plain();
    let schema = r#"{"type":"object","properties":{"a":{"type":"string","maxLength":12}},"required":["a"],"additionalProperties":false}"#;
    let make = |chain: &str| {
        let how = ["--seed", "3", "-n", "60", "--json-schema", schema, "--sampler", chain];
        plain.json(&[&["generate", "x"], &how[..]].concat())["text"].as_str().unwrap().to_string()
    };
    let (hot, cold) = (make("temp=3"), make("temp=0"));
    let mixed = make("strings: temp=3; structure: temp=0");
    let said = |text: &str| serde_json::from_str::<Value>(text).unwrap()["a"].clone();
    assert_ne!(said(&hot), said(&cold));
    // Up to the string it is as cold as the one, and the string is none of a cold text.
    let before = |text: &str| text.split('"').take(3).collect::<Vec<_>>().join("|");
    assert_eq!(before(&mixed), before(&cold));
    assert_ne!(said(&mixed), said(&cold));
    let same = make("strings: temp=0; structure: temp=0");
    assert_eq!(same, cold);
}

#[test]
fn thoughts_are_apart_from_the_answer_and_end_when_they_are_spent() {
    let tiny = Tiny::thinking();
    let how = ["--seed", "7", "-n", "40", "--think", "9"];
    let one = tiny.json(&[&["generate", "--chat", "abc"], &how[..]].concat());
    let (text, thoughts) = (one["text"].as_str().unwrap(), &one["reasoning_content"]);
    let (thought, answer) = text.split_once("</think>").unwrap();
    assert_eq!(
        (thoughts, one["content"].as_str()),
        (&json!(thought.trim()), Some(answer.trim_start()))
    );
    assert!((1..=9).contains(&thoughts.as_str().unwrap().chars().count()), "{thoughts}");
    let (code, out, said) = tiny.run(&[&["chat", "--json"], &how[..]].concat(), "abc\n/why\n");
    assert_eq!(code, 0, "{said}");
    let turns: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&turns[0]["ids"], &turns[0]["text"]), (&one["ids"], &one["content"]));
    assert_eq!(&turns[0]["reasoning_content"], thoughts);
    assert_eq!(turns[1].as_array().unwrap().len(), one["ids"].as_array().unwrap().len());
    let (_, shown, _) = tiny.run(&[&["chat"], &how[..]].concat(), "abc\n");
    let whole = format!("{}\n\n{}", thoughts.as_str().unwrap(), one["content"].as_str().unwrap());
    assert_eq!(shown.trim_end(), whole.trim_end());

    let server = tiny.server();
    let mut asked = json!({ "messages": [{ "role": "user", "content": "abc" }], "seed": 7,
        "max_tokens": 40, "think": 9 });
    let message = server.good("/v1/chat/completions", &asked)["choices"][0]["message"].clone();
    assert_eq!((&message["content"], &message["reasoning_content"]), (&one["content"], thoughts));
    asked["stream"] = json!(true);
    let body = server.post("/v1/chat/completions", &asked).body;
    assert_eq!(Some(streamed_text(&body, 0).as_str()), one["content"].as_str());
    let deltas = body.lines().filter_map(|line| line.strip_prefix("data: {"));
    let delta = |data: &str| -> Option<String> {
        let event: Value = serde_json::from_str(&format!("{{{data}")).unwrap();
        Some(event["choices"][0]["delta"]["reasoning_content"].as_str()?.to_string())
    };
    let streamed: Vec<String> = deltas.filter_map(delta).collect();
    assert!(streamed.len() > 2 && json!(streamed.concat()) == *thoughts, "{streamed:?}");

    let plain = Tiny::plain();
    for verb in [&["generate", "x"][..], &["chat"]] {
        let said = plain.refused(&[verb, &["--think", "3"]].concat());
        assert!(said.starts_with("--think: ") && said.contains("no reasoning block"), "{said}");
    }
    let answer = plain.server().post("/v1/chat/completions", &asked);
    assert!(answer.status == 400 && answer.body.contains("\"think\""), "{}", answer.body);
    let message = plain.server().good(
        "/v1/chat/completions",
        &json!({ "messages": [{ "role": "user", "content": "abc" }], "max_tokens": 5 }),
    );
    assert!(message["choices"][0]["message"].get("reasoning_content").is_none());
}

/// The Responses API has thoughts as an item of the output, whole and streamed.
#[test]
fn thoughts_are_an_item_of_a_response() {
    let tiny = Tiny::thinking();
    let server = tiny.server();
    let mut asked = json!({ "input": "abc", "seed": 7, "max_output_tokens": 40, "think": 9 });
    let whole = server.good("/v1/responses", &asked);
    let chat = json!({ "messages": [{ "role": "user", "content": "abc" }], "seed": 7,
        "max_tokens": 40, "think": 9 });
    let message = server.good("/v1/chat/completions", &chat)["choices"][0]["message"].clone();
    let output = whole["output"].as_array().unwrap();
    let kinds: Vec<&Value> = output.iter().map(|item| &item["type"]).collect();
    assert_eq!(kinds, ["reasoning", "message"]);
    assert_eq!(output[0]["content"][0]["type"], "reasoning_text");
    assert_eq!(output[0]["content"][0]["text"], message["reasoning_content"]);
    assert_eq!(output[1]["content"][0]["text"], message["content"]);
    let n = whole["usage"]["output_tokens_details"]["reasoning_tokens"].as_u64().unwrap();
    assert!((10..40).contains(&n), "{n}");
    // Sent back, it is a turn with thoughts.
    let mut turns = vec![json!({ "role": "user", "content": "abc" })];
    turns.extend(output.clone());
    turns.push(json!({ "role": "user", "content": "d" }));
    server.good("/v1/responses", &json!({ "input": turns, "max_output_tokens": 2 }));
    let alone = json!({ "input": [output[0]] });
    let refused = server.post("/v1/responses", &alone);
    assert!(refused.status == 400 && refused.body.contains("no message"), "{}", refused.body);

    asked["stream"] = json!(true);
    let body = server.post("/v1/responses", &asked).body;
    let events: Vec<Value> = body
        .lines()
        .filter_map(|line| serde_json::from_str(line.strip_prefix("data: ")?).ok())
        .collect();
    let of = |kind: &str| -> Vec<&Value> {
        events.iter().filter(|event| event["type"] == kind).collect()
    };
    let joined = |kind: &str| -> String {
        of(kind).iter().map(|event| event["delta"].as_str().unwrap()).collect()
    };
    assert_eq!(joined("response.reasoning_text.delta"), message["reasoning_content"]);
    assert_eq!(joined("response.output_text.delta"), message["content"]);
    let last = events.last().unwrap();
    assert_eq!(last["type"], format!("response.{}", whole["status"].as_str().unwrap()));
    let completed = &last["response"]["output"];
    for (at, item) in output.iter().enumerate() {
        assert_eq!(completed[at]["content"], item["content"]);
        assert_eq!(of("response.output_item.added")[at]["item"]["type"], item["type"]);
        assert_eq!(of("response.output_item.done")[at]["item"]["content"], item["content"]);
    }
    for (i, event) in events.iter().enumerate() {
        assert_eq!(event["sequence_number"], i, "{event}");
    }
}

/// A form is that of the answer: the model thinks before it.
#[test]
fn a_form_begins_behind_the_thoughts() {
    let tiny = Tiny::thinking();
    let how = ["--seed", "7", "-n", "60", "--think", "9", "--regex", "[0-9]{6}"];
    let one = tiny.json(&[&["generate", "--chat", "abc"], &how[..]].concat());
    let content = one["content"].as_str().unwrap();
    assert!(content.len() == 6 && content.bytes().all(|b| b.is_ascii_digit()), "{one}");
    assert!(!one["reasoning_content"].as_str().unwrap().is_empty());
    assert_eq!(one["finish"]["reason"], "complete");
    let (code, out, said) = tiny.run(&[&["chat", "--json"], &how[..]].concat(), "abc\n/why\n");
    assert_eq!((code, out.lines().count()), (0, 2), "{said}");
}

#[test]
fn banned_strings_are_not_said_and_texts_are_the_same_everywhere() {
    let tiny = Tiny::plain();
    let free =
        tiny.json(&["generate", "x", "--ignore-end", "--seed", "4", "-n", "60", "-t", "0.9"]);
    let text = free["text"].as_str().unwrap();
    // What it says: a character, and two in a row.
    let chars: Vec<char> = text.chars().collect();
    let banned: Vec<String> = [&chars[9..10], &chars[20..22]].map(String::from_iter).into();
    let mut args = vec!["generate", "x", "--ignore-end", "--seed", "4", "-n", "60", "-t", "0.9"];
    banned.iter().for_each(|string| args.extend(["--ban-string", string.as_str()]));
    let one = tiny.json(&args);
    let said = one["text"].as_str().unwrap();
    assert!(banned.iter().all(|string| !said.contains(string.as_str())), "{banned:?} {said}");
    let beginning = String::from_iter(&chars[..9]);
    assert!(said != text && said.starts_with(&beginning), "{said} {text}");
    let server = tiny.server();
    let mut asked = json!({ "prompt": "x", "seed": 4, "max_tokens": 60, "temperature": 0.9,
        "ban_strings": banned, "ignore_eos": true, "return_token_ids": true });
    let answer = server.good("/v1/completions", &asked);
    assert_eq!(answer["choices"][0]["token_ids"], one["ids"]);
    assert_eq!(answer["usage"]["completion_tokens"], 60);
    asked["stream"] = json!(true);
    assert_eq!(streamed_text(&server.post("/v1/completions", &asked).body, 0), said);

    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_string();
    let proof = path("a.proof");
    assert_eq!(tiny.json(&[&args[..], &["--proof", &proof]].concat())["ids"], one["ids"]);
    let (code, out, said) = tiny.run(&["verify", &proof], "");
    assert!(code == 0 && out.contains("the same"), "{out} {said}");

    let said = tiny.refused(&["generate", "x", "--ban-string", ""]);
    assert!(said.contains("--ban-string: a banned string is empty"), "{said}");
    // A banned string that a form asks for: both are named.
    let both = ["generate", "x", "--choice", "abc", "--choice", "ab", "--ban-string", "a"];
    let (code, _, said) = tiny.run(&both, "");
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("the form (schema, regular expression, grammar or choice)"), "{said}");
    assert!(said.contains("the banned string \"a\" forbids"), "{said}");
    asked["ban_strings"] = json!([""]);
    let answer = server.post("/v1/completions", &asked);
    assert!(answer.status == 400 && answer.body.contains("ban_strings"), "{}", answer.body);
}

#[test]
fn views_say_which_chain_holds() {
    let tiny = Tiny::thinking();
    let next = |prompt: &str| {
        let chain = "think: temp=2 | top_k=5; answer: temp=0.5";
        let view = tiny.json(&["next", prompt, "--raw", "--stages", "--sampler", chain]);
        let view = view["views"][0].clone();
        (view["at"].clone(), view["chain"].clone(), view["stages"].as_array().unwrap().len())
    };
    assert_eq!(next("a<think>\n"), (json!("think"), json!("temp=2 | top_k=5"), 2));
    assert_eq!(next("a"), (json!("answer"), json!("temp=0.5"), 1));
    let (_, out, _) =
        tiny.run(&["next", "a", "--raw", "--sampler", "repeats 2: heat 2; temp=0.5"], "");
    assert!(out.contains("final probabilities, after temp=0.5 (elsewhere)"), "{out}");

    let chain = "after 3: temp=0.3; temp=2 | top_k=20";
    let lines = "abc\n/why\n/why 5\n";
    let how = ["chat", "--seed", "1", "-n", "8", "--sampler", chain];
    let (_, out, said) = tiny.run(&[&how[..], &["--json"]].concat(), lines);
    let rows: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let held = |i: usize| (rows[1][i]["at"].clone(), rows[1][i]["chain"].clone());
    assert_eq!(held(2), (json!("elsewhere"), json!("temp=2 | top_k=20")), "{said}");
    assert_eq!(held(3), (json!("after 3"), json!("temp=0.3")));
    let (_, out, _) = tiny.run(&how, lines);
    assert!(out.contains("final is after temp=0.3 (after 3)"), "{out}");
}

/// A recipe's grid, and its rows beside what `generate` makes of each chain.
#[test]
fn a_sweep_takes_grids_of_schedules() {
    let tiny = Tiny::thinking();
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("runs.db").to_str().unwrap().to_string();
    let recipe = folder.path().join("study.toml").to_str().unwrap().to_string();
    let toml = "prompts = [\"abc\"]\ntemplate = \"chat\"\nmax_tokens = 30\nthink = 6\nseed = 2\n\
                ban_string = [\"e\", \"ab\"]\nsampler = \"think: temp={0.5,1.5}; answer: temp={0.2,1}\"\n";
    std::fs::write(&recipe, toml).unwrap();
    let (code, _, said) = tiny.run(&["sweep", &recipe, "--db", &store], "");
    assert_eq!(code, 0, "{said}");
    let mut command = Command::cargo_bin("kelvin").unwrap();
    let output = command
        .args(["runs", "export", "last", "--format", "jsonl", "--db", &store])
        .output()
        .unwrap();
    let exported = String::from_utf8(output.stdout).unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let rows: Vec<Value> =
        exported.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), 4);
    for row in rows {
        let chain = row["chain_text"].as_str().unwrap();
        let how = ["--seed", "2", "-n", "30", "--think", "6", "--sampler", chain];
        let bans = ["--ban-string", "e", "--ban-string", "ab"];
        let one = tiny.json(&[&["generate", "--chat", "abc"], &how[..], &bans].concat());
        assert_eq!(row["text"], one["text"], "{chain}");
    }
}
