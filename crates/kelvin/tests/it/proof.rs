//! `--proof` and `verify` from outside, on a tiny model: equal whatever computes, and a file that
//! was changed says at which step.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use kelvin_kernels::isa::Isa;
use kelvin_testkit::tiny::{LLAMA3_LIKE, MISTRAL_LIKE, TinyModel};
use serde_json::Value;

/// A folder with a model and reproduction files.
struct Room {
    folder: tempfile::TempDir,
    model: PathBuf,
}

impl Room {
    fn new() -> Room {
        let folder = tempfile::tempdir().unwrap();
        let model = TinyModel::new(&MISTRAL_LIKE).speaking().write_in(folder.path());
        Room { folder, model }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).arg("-m").arg(&self.model).output().unwrap()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = kelvin_testkit::kelvin();
        command.args(args).current_dir(self.folder.path()).stdin(Stdio::null());
        command.env_remove("KELVIN_MODEL").env_remove("KELVIN_DB");
        command
    }

    /// Makes a file of 6 texts and returns its bytes.
    fn compare(&self, name: &str, more: &[&str]) -> String {
        let args = ["compare", "the quick brown fox", "-t", "0.7,1.5", "--samples", "3", "-n"];
        let args = [&args[..], &["24", "--seed", "7", "--proof", name], more].concat();
        done(self.run(&args));
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// The exit code of `verify`, and its JSON if there is some.
    fn verify(&self, name: &str, more: &[&str]) -> (Option<i32>, Value, String) {
        let output = self.run(&[&["verify", name, "--json"], more].concat());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let json = serde_json::from_slice(&output.stdout).unwrap_or_default();
        (output.status.code(), json, said)
    }
}

#[track_caller]
fn done(output: Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_file_is_the_same_whatever_computes() {
    let room = Room::new();
    let file = room.compare("a.proof", &[]);
    let ways: [&[&str]; 4] = [
        &["--threads", "1"],
        &["--draft", "lookup"],
        &["--draft", "auto", "--threads", "2"],
        &["--isa", "scalar"],
    ];
    for way in ways {
        assert_eq!(room.compare("b.proof", way), file, "{way:?}");
    }
    let words = done(room.run(&["verify", "a.proof"]));
    let n: Value = serde_json::from_str(file.lines().last().unwrap()).unwrap();
    assert_eq!(n["texts"], 6);
    assert_eq!(words, format!("the same, {} steps of 6 texts\n", n["steps"]));
    let isas: Vec<Vec<&str>> = Isa::all().iter().map(|isa| vec!["--isa", isa.name()]).collect();
    let ways = isas.iter().map(Vec::as_slice).chain([
        &["--width", "1", "--threads", "1"][..],
        &["--width", "5", "--draft", "lookup"],
        &["--draft", "auto"],
    ]);
    for way in ways {
        let (code, json, said) = room.verify("a.proof", way);
        assert_eq!(code, Some(0), "{way:?}: {said}");
        assert_eq!((&json["steps"], &json["texts"]), (&n["steps"], &n["texts"]), "{way:?}");
        assert_eq!(json["differences"], Value::Array(vec![]), "{way:?}");
    }
}

#[test]
fn everything_that_decides_a_text_is_in_the_file() {
    let room = Room::new();
    let common = ["-n", "16", "--proof", "a.proof"];
    let ways: [&[&str]; 6] = [
        &["generate", "abc", "--cache-type", "f32", "--top-k", "9", "--xtc", "0.5"],
        &["generate", "abc", "--chat", "--system", "be brief", "--stop", "e"],
        &["generate", "abc", "--regex", "[a-z]{3,9}", "--seed", "5"],
        &["generate", "a", "--ctx-size", "12", "--sampler", "dry=0.8 | temp=1.2 | mirostat=3"],
        &["compare", "abc", "-t", "0,0.000001,1", "--ignore-end"],
        &["compare", "abc", "--choice", "yes", "--choice", "no", "--samples", "4"],
    ];
    for way in ways {
        done(room.run(&[way, &common].concat()));
        let (code, json, said) = room.verify("a.proof", &[]);
        assert_eq!(code, Some(0), "{way:?}: {said} {json}");
        assert!(json["steps"].as_u64() > Some(0), "{way:?}");
    }
    // The name of the model's folder isn't in it.
    let file = fs::read_to_string(room.path("a.proof")).unwrap();
    assert!(!file.contains(&*room.folder.path().to_string_lossy()), "{file}");
}

/// Changes a value of one step of the first text, and returns what `verify` says of it.
fn tampered(room: &Room, step: usize, place: usize, value: &str) -> (Value, String) {
    let file = fs::read_to_string(room.path("a.proof")).unwrap();
    let mut lines: Vec<Value> = file.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let place = &mut lines[1]["steps"][step][place];
    *place = if place.is_string() { value.into() } else { value.parse::<u32>().unwrap().into() };
    let changed: Vec<String> = lines.iter().map(ToString::to_string).collect();
    fs::write(room.path("t.proof"), changed.join("\n") + "\n").unwrap();
    let (code, json, said) = room.verify("t.proof", &[]);
    assert_eq!(code, Some(3), "{said}");
    let words = room.run(&["verify", "t.proof"]);
    assert_eq!((words.status.code(), words.stderr.len()), (Some(3), 0));
    (json["differences"].clone(), String::from_utf8(words.stdout).unwrap())
}

#[test]
fn a_file_that_was_changed_says_at_which_step() {
    let room = Room::new();
    room.compare("a.proof", &[]);
    for (step, place, value, part) in
        [(3, 1, "00ff", "logits"), (0, 2, "7", "draw"), (5, 4, "abc", "draw"), (9, 0, "4", "token")]
    {
        let (found, words) = tampered(&room, step, place, value);
        assert_eq!(found.as_array().unwrap().len(), 1, "{found}");
        let found = &found[0];
        assert_eq!((&found["step"], &found["part"]), (&step.into(), &part.into()));
        assert_eq!((&found["prompt"], &found["chain"]), (&0.into(), &0.into()));
        let place = format!("temp=0.7, sample 1, step {}: differs in {part}: expected ", step + 1);
        assert!(words.contains(&place), "{words}");
        assert!(words.contains("1 of 6 texts differ\n"), "{words}");
    }
}

#[test]
fn what_is_no_file_of_this_model_is_refused_in_a_sentence() {
    let room = Room::new();
    let file = room.compare("a.proof", &[]);
    let refused = |name: &str, more: &[&str], words: &str| {
        let (code, _, said) = room.verify(name, more);
        assert!(matches!(code, Some(1 | 2)), "{code:?} {said}");
        assert!(said.starts_with("error: ") && said.contains(words), "{said}");
        assert_eq!(said.trim_end().lines().count(), 1, "{said}");
    };
    for (len, words) in
        [(0, "isn't the head"), (file.len() / 2, "cut short"), (file.len() - 1, "cut")]
    {
        fs::write(room.path("cut.proof"), &file[..len]).unwrap();
        refused("cut.proof", &[], words);
    }
    fs::write(room.path("seed.proof"), file.replacen("\\\"seed\\\":7", "\\\"seed\\\":8", 1))
        .unwrap();
    refused("seed.proof", &[], "its hash is");
    refused("none.proof", &[], "can't read none.proof");
    refused("a.proof", &["--width", "0"], "--width");
    let other = TinyModel::new(&LLAMA3_LIKE).speaking().write_in(room.folder.path());
    let wrong = room.command(&["verify", "a.proof", "-m"]).arg(&other).output().unwrap();
    let said = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert_eq!(wrong.status.code(), Some(1));
    assert!(said.contains("was made with another model"), "{said}");
    // The file's own name of the model is never opened.
    let unnamed = room.command(&["verify", "a.proof"]).output().unwrap();
    let said = String::from_utf8_lossy(&unnamed.stderr).into_owned();
    assert!(unnamed.status.code() == Some(2) && said.contains("give it with -m"), "{said}");
    for (flag, words) in [(".", "is a folder"), ("no/such.proof", "no folder no")] {
        let output = room.run(&["generate", "abc", "--proof", flag]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(2) && said.contains(words), "{said}");
    }
}

fn sweep(room: &Room, db: &str, proof: &str, more: &[&str]) -> Output {
    let args = ["sweep", "-p", "one", "-p", "two", "-t", "0.5,1", "--samples", "3", "-n", "12"];
    room.run(&[&args[..], &["--db", db, "--proof", proof], more].concat())
}

#[test]
fn a_sweep_writes_each_text_and_continues_its_file() {
    let room = Room::new();
    done(sweep(&room, "a.db", "a.proof", &["--width", "2"]));
    let whole = fs::read(room.path("a.proof")).unwrap();
    let words = done(room.run(&["verify", "a.proof", "--width", "7"]));
    assert!(words.starts_with("the same, ") && words.contains(" of 12 texts"), "{words}");
    // A sweep that was killed left a part of its file.
    fs::write(room.path("a.proof"), &whole[..whole.len() * 2 / 3]).unwrap();
    done(sweep(&room, "b.db", "a.proof", &[]));
    assert_eq!(sorted(&room.path("a.proof")), sorted_bytes(&whole));
    // What is stored already isn't made again, so a new file lacks it.
    let output = sweep(&room, "b.db", "c.proof", &[]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("--proof has 0 of the 12 texts"), "{said}");
    let said = done(room.run(&["verify", "c.proof"]));
    assert_eq!(
        said,
        "the same, 0 steps of 0 texts\nthe file has 0 of the 12 texts of its recipe\n"
    );
    let output = sweep(&room, "b.db", "a.proof", &["--seed", "9"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("is of another recipe"), "{said}");
}

fn sorted(path: &Path) -> Vec<String> {
    sorted_bytes(&fs::read(path).unwrap())
}

fn sorted_bytes(bytes: &[u8]) -> Vec<String> {
    let mut lines: Vec<String> =
        String::from_utf8(bytes.to_vec()).unwrap().lines().map(str::to_string).collect();
    lines.sort();
    lines
}
