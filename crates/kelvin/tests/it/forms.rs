//! Texts that the command line holds to a form, with a very small model of random weights: they
//! have it whoever makes them, and what can't be is refused as the server refuses it. No download.

use std::{path::PathBuf, process::Output};

use assert_cmd::Command;
use kelvin_testkit::{
    server::Server,
    tiny::{MISTRAL_LIKE, TinyModel},
};
use serde_json::{Value, json};

const SCHEMA: &str = r#"{ "type": "object", "properties": { "a": { "type": "integer", "minimum": 0, "maximum": 99 } },
    "required": ["a"], "additionalProperties": false }"#;

/// A model's file in a directory that goes away with it.
struct Tiny(tempfile::TempDir);

impl Tiny {
    fn new() -> Tiny {
        let directory = tempfile::tempdir().unwrap();
        let written = TinyModel::new(&MISTRAL_LIKE).speaking().write();
        std::fs::copy(&written, directory.path().join("tiny.gguf")).unwrap();
        std::fs::remove_file(written).unwrap();
        Tiny(directory)
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_string()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, args: &[&str], stdin: &str) -> Output {
        let mut command = Command::cargo_bin("kelvin").unwrap();
        command
            .args(args)
            .arg("-m")
            .arg(self.path("tiny.gguf"))
            .write_stdin(stdin)
            .output()
            .unwrap()
    }

    fn good(&self, args: &[&str], stdin: &str) -> String {
        let output = self.run(args, stdin);
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn json(&self, args: &[&str], stdin: &str) -> Value {
        serde_json::from_str(&self.good(&[args, &["--json"]].concat(), stdin)).unwrap()
    }

    /// The one sentence that it's refused with.
    fn refused(&self, args: &[&str], code: i32) -> String {
        let output = self.run(args, "");
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
        let mut errors = said.lines().filter_map(|line| line.strip_prefix("error: "));
        let error = errors.next().unwrap_or_else(|| panic!("{args:?}: {said}")).to_string();
        assert!(errors.next().is_none() && output.stdout.is_empty(), "{args:?}: {said}");
        error
    }
}

#[test]
fn a_text_has_the_form_that_was_asked_for() {
    let tiny = Tiny::new();
    let make = |flags: &[&str], stdin: &str| {
        tiny.json(
            &[&["generate", "x", "--seed", "7", "-t", "2", "-n", "60"], flags].concat(),
            stdin,
        )
    };
    let text = |answer: &Value| answer["text"].as_str().unwrap().to_string();

    let dated = make(&["--regex", "[0-9]{4}-[01][0-9]"], "");
    let parts: Vec<usize> = text(&dated).split('-').map(str::len).collect();
    assert_eq!(parts, [4, 2], "{dated}");
    assert_eq!(dated["finish"]["reason"], "complete");
    assert_eq!(dated["form"], json!({ "regex": "[0-9]{4}-[01][0-9]" }));

    let inline = make(&["--json-schema", SCHEMA], "");
    let value: Value = serde_json::from_str(&text(&inline)).unwrap();
    assert!(value["a"].as_u64().unwrap() <= 99, "{value}");
    let from_file = make(&["--json-schema", &tiny.file("schema.json", SCHEMA)], "");
    assert_eq!((&from_file, &make(&["--json-schema", "-"], SCHEMA)), (&inline, &inline));

    let grammar =
        tiny.file("greeting.lark", "start: (\"Hi\" | \"Yo\") \" \" NAME\nNAME: /[A-Z][a-z]{2}/\n");
    let greeting = text(&make(&["--grammar", &grammar], ""));
    assert!(
        greeting.len() == 6 && (greeting.starts_with("Hi ") || greeting.starts_with("Yo ")),
        "{greeting}"
    );

    let chosen = text(&make(&["--choice", "yes", "--choice", "no", "--choice", "-1"], ""));
    assert!(["yes", "no", "-1"].contains(&chosen.as_str()), "{chosen}");
    assert!(make(&[], "").get("form").is_none());
}

#[test]
fn every_column_and_every_answer_has_it() {
    let tiny = Tiny::new();
    let held = ["--regex", "(ab|cd|ef){3}", "--seed", "5", "-n", "20"];
    let compared = tiny.json(
        &[&["compare", "x", "--raw", "-t", "0.5,4", "--samples", "3"], &held[..]].concat(),
        "",
    );
    let texts: Vec<&str> = compared["columns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["text"].as_str().unwrap())
        .collect();
    assert!(texts.len() == 6 && texts.iter().all(|text| text.len() == 6), "{texts:?}");
    assert!(texts.iter().any(|text| *text != texts[0]), "{texts:?}");
    // The first sample's dice are generate's.
    let alone = tiny.json(&[&["generate", "x", "-t", "4"], &held[..]].concat(), "");
    assert_eq!(alone["text"], texts[3]);

    let turns = tiny.good(&[&["chat", "--json"], &held[..]].concat(), "x\n/why\n/why 4\ny\n");
    let turns: Vec<Value> = turns.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(turns.len(), 4);
    for answer in [&turns[0], &turns[3]] {
        assert_eq!(
            (answer["text"].as_str().unwrap().len(), &answer["form"]["regex"]),
            (6, &json!(held[1]))
        );
    }
    // What the form forbids can't have come, and what came is as likely as it leaves it.
    let letters = turns[1].as_array().unwrap();
    assert_eq!(letters.len(), 6);
    for (i, letter) in letters.iter().enumerate() {
        let finals = letter["probability_final"].as_f64().unwrap();
        assert!(if i % 2 == 1 { finals == 1.0 } else { finals > 0.0 && finals < 1.0 }, "{letter}");
    }
    assert_eq!(turns[2][0]["probability_final"], 1.0);
    assert_eq!(turns[2][0]["text"], letters[3]["text"]);
}

#[test]
fn a_text_that_was_cut_says_so() {
    let tiny = Tiny::new();
    let notes = |args: &[&str]| String::from_utf8(tiny.run(args, "").stderr).unwrap();
    let cut = ["generate", "x", "--regex", "[a-z]{50}", "-n", "3"];
    assert!(
        notes(&cut).contains("hint: the text was cut before --regex was fulfilled"),
        "{}",
        notes(&cut)
    );
    let cut = ["compare", "x", "--regex", "[a-z]{50}", "-n", "3", "-t", "0,1"];
    assert!(notes(&cut).contains("hint: 2 of 2 texts were cut"), "{}", notes(&cut));
    assert!(!notes(&["generate", "x", "--regex", "[a-z]{3}", "-n", "9"]).contains("cut"));
}

#[test]
fn what_cannot_be_is_refused_in_the_words_of_the_server() {
    let tiny = Tiny::new();
    let server = Server::of_file(&tiny.path("tiny.gguf"), &[]);
    let ambiguous = tiny.file("bad.lark", "start: T\nT: /a/ & /b/");
    let divisor = json!({ "type": "integer", "multipleOf": 1_000_003 }).to_string();
    let long = "a".repeat(20_000);
    for (flag, value, parameter, given) in [
        ("--regex", "[", "regex", json!("[")),
        ("--regex", &*long, "regex", json!(long)),
        ("--grammar", &*ambiguous, "grammar", json!("start: T\nT: /a/ & /b/")),
        ("--json-schema", &*divisor, "json", json!(divisor)),
        ("--json-schema", "{", "json", json!("{")),
        ("--choice", "", "choice", json!([""])),
    ] {
        let said = tiny.refused(&["generate", "x", flag, value], 2);
        let (start, why) = said.split_once(" can't be used: ").unwrap_or_else(|| panic!("{said}"));
        assert_eq!(start, flag);
        let answer = server.post(
            "/v1/completions",
            &json!({ "prompt": "x", "max_tokens": 2, "structured_outputs": { parameter: given } }),
        );
        let error: Value = serde_json::from_str(&answer.body).unwrap();
        let theirs = error["error"]["message"].as_str().unwrap();
        assert_eq!(answer.status, 400);
        assert_eq!(
            theirs.split_once(" can't be used: ").map(|(_, why)| why),
            Some(why),
            "{theirs}"
        );
    }
}

#[test]
fn what_was_typed_wrong_is_said_before_a_model_is_read() {
    let tiny = Tiny::new();
    for verb in ["generate", "compare"] {
        let said = tiny.refused(&[verb, "x", "--json-schema", "/nowhere/schema.json"], 1);
        assert!(said.contains("can't read --json-schema from /nowhere/schema.json"), "{said}");
        let said = tiny.refused(&[verb, "x", "--regex", "a", "--choice", "b"], 2);
        assert!(said.contains("--regex") && said.contains("--choice"), "{said}");
        let said = tiny.refused(&[verb, "--grammar", "-"], 2);
        assert!(said.contains("standard input has the prompt"), "{said}");
    }
    let said = tiny.refused(&["chat", "--json-schema", "-"], 2);
    assert!(said.contains("standard input has the conversation"), "{said}");
    // No model is there to be read.
    let mut command = Command::cargo_bin("kelvin").unwrap();
    let output =
        command.args(["generate", "x", "--choice", "", "-m", "/nowhere.gguf"]).output().unwrap();
    assert!(String::from_utf8(output.stderr).unwrap().contains("--choice can't be used"));
}

/// The process that compiles forms first is made to die, or to hang, on forms that say so.
#[test]
fn a_form_that_ends_its_compiler_is_refused_and_nothing_else_happens() {
    let tiny = Tiny::new();
    let outputs = |regex: &str| json!({ "prompt": "x", "max_tokens": 8, "seed": 3, "structured_outputs": { "regex": regex } });
    let free = json!({ "prompt": "x", "max_tokens": 8, "seed": 3 });
    let sound = Server::of_file(&tiny.path("tiny.gguf"), &[]);
    let texts = |server: &Server| {
        [
            server.good("/v1/completions", &free),
            server.good("/v1/completions", &outputs("[a-f]{6}")),
        ]
        .map(|answer| answer["choices"].clone())
    };
    let expected = texts(&sound);
    for (fault, said) in [("abort:zz", "failed on it"), ("hang:zz", "takes longer than")] {
        let server =
            Server::of_file_with(&tiny.path("tiny.gguf"), &[], ("KELVIN_FORM_FAULT", fault));
        for _ in 0..2 {
            let answer = server.post("/v1/completions", &outputs("zz[a-f]"));
            assert_eq!(answer.status, 400, "{fault}: {}", answer.body);
            let error: Value = serde_json::from_str(&answer.body).unwrap();
            let message = error["error"]["message"].as_str().unwrap();
            assert!(
                message.contains(said) && error["error"]["param"] == "structured_outputs",
                "{message}"
            );
            assert_eq!(texts(&server), expected, "{fault}");
        }
    }
    let mut command = Command::cargo_bin("kelvin").unwrap();
    command
        .args(["generate", "x", "--regex", "zz[a-f]", "-n", "4", "-m"])
        .arg(tiny.path("tiny.gguf"));
    let output = command.env("KELVIN_FORM_FAULT", "abort:zz").output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(2) && said.contains("--regex can't be used"), "{said}");
    tiny.good(&["generate", "x", "--regex", "zz[a-f]", "-n", "4"], "");
}

#[test]
fn what_a_schema_can_not_be_held_to_is_said_by_keyword_and_place() {
    let tiny = Tiny::new();
    for (schema, said) in [
        (r#"{ "enum": [1152921504606846977] }"#, "\"enum\" at /enum/0 has 1152921504606846977"),
        (
            r#"{ "properties": { "a": { "uniqueItems": true } } }"#,
            "\"uniqueItems\" at /properties/a",
        ),
    ] {
        let words = tiny.refused(&["generate", "x", "--json-schema", schema], 2);
        assert!(words.contains("--json-schema can't be used") && words.contains(said), "{words}");
    }
    // A key twice is the last of them, as in Python and JavaScript.
    let schema = r#"{ "const": "a", "const": "b" }"#;
    assert_eq!(tiny.json(&["generate", "x", "--json-schema", schema], "")["text"], "\"b\"");
}

/// Whatever is quoted in an error is cut.
#[test]
fn errors_are_short_whatever_was_sent() {
    let tiny = Tiny::new();
    let server = Server::of_file(&tiny.path("tiny.gguf"), &[]);
    let long = "x".repeat(300_000);
    let spaced = "temp=1 | ".repeat(30_000);
    for more in [
        json!({ "sampler": long }),
        json!({ "sampler": spaced }),
        json!({ "sampler": format!("temp=1 | {long}=3") }),
        json!({ "sampler": format!("mask={long}") }),
        json!({ "sampler": { (long.clone()): 1 } }),
        json!({ "profile": long }),
        json!({ "model": long }),
        json!({ "seed": long }),
        json!({ "stop": [[long]] }),
        json!({ "logit_bias": { (long.clone()): 1 } }),
        json!({ (long.clone()): 1 }),
        json!({ "logprobs_stage": long }),
        json!({ "stream_options": { (long.clone()): 1 } }),
        json!({ "response_format": { "type": long } }),
        json!({ "response_format": { "type": "json_schema", "json_schema": { "schema": { (long.clone()): 1, "type": long } } } }),
        json!({ "structured_outputs": { "json": { "type": long[..60_000] } } }),
        json!({ "structured_outputs": { "json": { "properties": { (long[..60_000].to_string()): { "not": { "type": "null" } } } } } }),
        json!({ "structured_outputs": { "json": { "pattern": format!("(?!{})", &long[..60_000]) } } }),
        json!({ "structured_outputs": { "json": format!("{{{long}") } }),
        json!({ "structured_outputs": { "regex": format!("({}", &long[..16_000]) } }),
        json!({ "structured_outputs": { "grammar": format!("start: {}", &long[..60_000]) } }),
        json!({ "structured_outputs": { (long.clone()): 1 } }),
    ] {
        let mut body = json!({ "prompt": "x", "max_tokens": 2 });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let answer = server.post("/v1/completions", &body);
        let start: String = more.to_string().chars().take(80).collect();
        assert!((400..500).contains(&answer.status), "{start}: {}", answer.status);
        assert!(answer.body.len() < 9000, "{start}: {} bytes", answer.body.len());
    }
    let long = &long[..100_000];
    for args in [
        &["generate", "x", "--sampler", long][..],
        &["generate", "x", "-t", long],
        &["generate", "x", "--profile", long],
        &["generate", "x", "--regex", &format!("({}", &long[..16_000])],
        &["generate", "x", "--json-schema", &format!("{{ \"type\": \"{}\" }}", &long[..60_000])],
        &["softmax", long],
        &[long],
    ] {
        let mut command = Command::cargo_bin("kelvin").unwrap();
        let output = command.args(args).output().unwrap();
        assert!(
            !output.status.success() && output.stderr.len() < 9000,
            "{}: {} bytes",
            args[0].len(),
            output.stderr.len()
        );
    }
}
