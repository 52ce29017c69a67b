//! Texts from files and from standard input: a byte-order mark at the start is no part of them, and
//! what isn't UTF-8 is named.

use std::{
    fs,
    io::Write,
    path::PathBuf,
    process::{Output, Stdio},
};

use kelvin_testkit::tiny::{MISTRAL_LIKE, TinyModel};
use serde_json::Value;

const MARK: &str = "\u{feff}";

/// A folder with a model and texts.
struct Folder {
    folder: tempfile::TempDir,
    model: PathBuf,
}

impl Folder {
    fn new() -> Folder {
        Folder {
            folder: tempfile::tempdir().unwrap(),
            model: TinyModel::new(&MISTRAL_LIKE).speaking().write(),
        }
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.folder.path().join(name), bytes).unwrap();
    }

    fn run(&self, args: &[&str], input: &[u8]) -> Output {
        let mut command = kelvin_testkit::kelvin();
        command.args(args).arg("-m").arg(&self.model).current_dir(self.folder.path());
        command.env_remove("KELVIN_MODEL").env("KELVIN_DB", "runs.db");
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Who refuses doesn't read it all.
        let _ = child.stdin.take().unwrap().write_all(input);
        child.wait_with_output().unwrap()
    }

    #[track_caller]
    fn said(&self, args: &[&str], input: &[u8]) -> String {
        let output = self.run(args, input);
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.model);
    }
}

/// The same text with and without a mark, in a file and on standard input.
#[test]
fn a_mark_at_the_start_changes_nothing() {
    let folder = Folder::new();
    let text = "One two three four five six";
    folder.write("plain.txt", text);
    folder.write("marked.txt", format!("{MARK}{text}"));
    let marked = format!("{MARK}{text}\n");
    for verb in ["perplexity", "tokenize", "next", "generate"] {
        let more: &[&str] =
            if verb == "generate" { &["-n", "4", "--seed", "1", "--json"] } else { &["--json"] };
        let plain = folder.said(&[&[verb, "--file", "plain.txt"], more].concat(), b"");
        assert_eq!(
            folder.said(&[&[verb, "--file", "marked.txt"], more].concat(), b""),
            plain,
            "{verb}"
        );
        assert_eq!(
            folder.said(&[&[verb], more].concat(), marked.as_bytes()),
            plain,
            "{verb}, standard input"
        );
    }
    let chat =
        |input: &str| folder.said(&["chat", "--json", "-n", "4", "--seed", "1"], input.as_bytes());
    let plain = chat("one\ntwo\n");
    assert_eq!(chat(&format!("{MARK}one\ntwo\n")), plain);
    assert_ne!(chat(&format!("one\n{MARK}two\n")), plain, "a mark elsewhere is a character");
}

#[test]
fn recipes_prompts_and_forms_may_begin_with_a_mark() {
    let folder = Folder::new();
    folder.write("schema.json", format!("{MARK}{{\"enum\": [\"a\"]}}"));
    folder.write("grammar.lark", format!("{MARK}start: \"a\""));
    for form in [["--json-schema", "schema.json"], ["--grammar", "grammar.lark"]] {
        folder.said(&[&["generate", "one", "-n", "8"][..], &form].concat(), b"");
    }
    folder.write("prompts.csv", format!("{MARK}prompt,tag\n\"one, two\",x\nthree,y\n"));
    folder.write(
        "study.toml",
        format!("{MARK}prompt_file = \"prompts.csv\"\nmax_tokens = 2\ntemp = 1\n"),
    );
    folder.said(&["sweep", "study.toml"], b"");
    let rows = kelvin_testkit::kelvin()
        .args(["runs", "export", "last", "--format", "jsonl", "--db", "runs.db"])
        .current_dir(folder.folder.path())
        .output()
        .unwrap();
    let rows = String::from_utf8(rows.stdout).unwrap();
    let rows: Vec<Value> = rows.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        (&rows[0]["prompt_text"], &rows[1]["prompt_text"]),
        (&"one, two".into(), &"three".into())
    );
    let fields = rows[0]["fields"].as_str().map_or(rows[0]["fields"].to_string(), str::to_string);
    assert!(fields.contains("\"tag\""), "{fields}");
}

#[test]
fn utf_16_is_named() {
    let folder = Folder::new();
    let wide: Vec<u8> =
        [0xFF, 0xFE].into_iter().chain("{\"a\":1}".bytes().flat_map(|byte| [byte, 0])).collect();
    folder.write("wide.txt", &wide);
    folder.write("wide.jsonl", &wide);
    let refused = |args: &[&str], input: &[u8]| {
        let output = folder.run(args, input);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && !said.contains("panicked"), "{said}");
        assert!(
            said.contains("UTF-16 text (little-endian") && said.contains("save it as UTF-8"),
            "{args:?}: {said}"
        );
    };
    refused(&["generate", "--file", "wide.txt"], b"");
    refused(&["generate"], &wide);
    refused(&["chat"], &wide);
    refused(&["perplexity", "--file", "wide.txt"], b"");
    refused(&["generate", "x", "--json-schema", "wide.txt"], b"");
    refused(&["sweep", "--prompts", "wide.jsonl"], b"");
    refused(&["sweep", "wide.txt"], b"");
    refused(&["serve", "--port", "0", "--api-key-file", "wide.txt"], b"");
}
