//! The lab's verbs where something is wrong with what they're given: databases, folders, prompts,
//! metrics. Each says so in one clear sentence: what was wrong, where, what to do.

#![cfg(unix)]

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use kelvin_testkit::{
    terminal::Terminal,
    tiny::{MISTRAL_LIKE, TinyModel},
};

/// A folder with a model, and in it a database with one run of two texts.
struct Lab {
    folder: tempfile::TempDir,
    model: String,
}

impl Lab {
    fn new() -> Lab {
        let folder = tempfile::tempdir().unwrap();
        let model = folder.path().join("model.gguf");
        let written = TinyModel::new(&MISTRAL_LIKE).speaking().write();
        fs::copy(&written, &model).unwrap();
        fs::remove_file(written).unwrap();
        let lab = Lab { folder, model: model.to_str().unwrap().to_string() };
        let made =
            lab.run("runs.db", &["sweep", "-m", &lab.model, "-p", "one", "-n", "4", "-t", "1,2"]);
        assert!(made.status.success(), "{made:?}");
        lab
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, db: &str, args: &[&str]) -> Command {
        self.with(kelvin_testkit::kelvin(), db, args)
    }

    fn with(&self, mut command: Command, db: &str, args: &[&str]) -> Command {
        command.args(args).args(["--db", db]).current_dir(self.folder.path()).stdin(Stdio::null());
        command.env_remove("KELVIN_MODEL").env_remove("KELVIN_DB");
        command
    }

    fn run(&self, db: &str, args: &[&str]) -> Output {
        self.command(db, args).output().unwrap()
    }

    /// A copy of the database in which some bytes of the header are others.
    fn changed(&self, name: &str, at: usize, bytes: &[u8]) {
        let mut file = fs::read(self.path("runs.db")).unwrap();
        file[at..at + bytes.len()].copy_from_slice(bytes);
        fs::write(self.path(name), file).unwrap();
    }
}

/// One sentence, and the exit code.
#[track_caller]
fn refused(output: &Output, code: i32, words: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    let errors: Vec<&str> = said.lines().filter(|line| line.starts_with("error: ")).collect();
    assert!(errors.len() == 1 && errors[0].contains(words), "{words:?} isn't in: {said}");
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(!said.contains("panicked"), "{said}");
}

#[test]
fn a_database_that_is_none_is_named_by_every_verb() {
    let lab = Lab::new();
    fs::write(
        lab.path("text.db"),
        "not a database, but long enough to be taken for one by its size alone",
    )
    .unwrap();
    fs::write(lab.path("empty.db"), "").unwrap();
    fs::create_dir(lab.path("folder.db")).unwrap();
    // Where SQLite keeps the number of the schema, and whose file it is.
    lab.changed("newer.db", 60, &99u32.to_be_bytes());
    lab.changed("foreign.db", 68, &[0; 4]);
    fs::copy(lab.path("runs.db"), lab.path("none.db")).unwrap();
    assert!(lab.run("none.db", &["runs", "rm", "1", "--yes"]).status.success());

    let is_folder =
        "folder.db isn't a database of Kelvin's runs (it is a folder); --db names another file";
    let reading: [&[&str]; 6] = [
        &["report"],
        &["runs", "show", "last"],
        &["runs", "compare", "1", "last"],
        &["runs", "export", "last"],
        &["runs", "replay", "last"],
        &["runs", "rm", "last", "--yes"],
    ];
    for args in reading {
        refused(&lab.run("nowhere.db", args), 1, "there are no runs yet: nowhere.db doesn't exist");
        refused(&lab.run("none.db", args), 1, "none.db has no runs yet: `kelvin sweep` makes them");
        refused(&lab.run("folder.db", args), 1, is_folder);
    }
    let model = ["-m", &lab.model, "-p", "x", "-n", "2"];
    let sweep = [&["sweep"][..], &model].concat();
    let tune = [&["tune", "--objective", "least surprisal", "-t", "1,2"][..], &model].concat();
    let writing: [&[&str]; 2] = [&sweep, &tune];
    for args in reading.iter().chain(&writing).copied() {
        refused(
            &lab.run("text.db", args),
            1,
            "text.db isn't a database of Kelvin's runs (it is no SQLite file)",
        );
        refused(
            &lab.run("foreign.db", args),
            1,
            "foreign.db isn't a database of Kelvin's runs (it is a database of another program)",
        );
        refused(
            &lab.run("newer.db", args),
            1,
            "newer.db was written by a newer version of Kelvin (schema 99,",
        );
    }
    for args in writing {
        refused(&lab.run("folder.db", args), 1, is_folder);
        // Nobody's yet: it becomes a database of runs.
        assert!(lab.run("empty.db", args).status.success());
    }
    refused(&lab.run("runs.db", &["runs", "show", "7"]), 1, "there is no run \"7\"");
    refused(
        &lab.run("runs.db", &["runs", "replay", "1"]),
        1,
        "kept no logits: sweep with --record logits",
    );
}

/// The binary as somebody for whom permissions count: for root they don't, unless it gives up the
/// right to pass over them.
fn without_privileges(is_root: bool) -> Command {
    let binary = kelvin_testkit::binary();
    if !is_root {
        return Command::new(binary);
    }
    let mut command = Command::new("setpriv");
    command.args(["--bounding-set", "-dac_override,-dac_read_search", "--"]);
    command.arg(binary);
    command
}

#[test]
fn what_is_read_only_is_read_and_never_half_written() {
    let lab = Lab::new();
    let folder = lab.path("shut");
    fs::create_dir(&folder).unwrap();
    fs::copy(lab.path("runs.db"), folder.join("runs.db")).unwrap();
    let whole = fs::read(folder.join("runs.db")).unwrap();
    let allow =
        |mode: u32, path: &Path| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    let model = ["-m", &lab.model, "-p", "one", "-n", "4"];
    let sweep = |more: &[&'static str]| [&["sweep", "-t", "1,2"][..], &model, more].concat();
    // Whoever can write into a folder that is shut is root.
    allow(0o555, &folder);
    let is_root = fs::write(folder.join("probe"), "")
        .and_then(|()| fs::remove_file(folder.join("probe")))
        .is_ok();
    // A file that can't be written in a folder that can, one in a folder that can't, and both.
    for (of_file, of_folder) in [(0o444, 0o755), (0o644, 0o555), (0o444, 0o555)] {
        allow(of_file, &folder.join("runs.db"));
        allow(of_folder, &folder);
        let run = |db: &str, args: &[&str]| {
            lab.with(without_privileges(is_root), db, args).output().unwrap()
        };
        let read_only = "can't write shut/runs.db: the file or its folder is read-only; choose \
            another place with --db";
        refused(&run("shut/runs.db", &sweep(&["--samples", "2"])), 1, read_only);
        refused(&run("shut/runs.db", &sweep(&["--seed", "9"])), 1, read_only);
        refused(&run("shut/runs.db", &["runs", "rm", "1", "--yes"]), 1, read_only);
        refused(&run("shut/runs.db", &["report", "--judge", &lab.model]), 1, read_only);
        for args in [
            &["runs"][..],
            &["runs", "show", "1"],
            &["report", "--format", "table"],
            &["runs", "export", "1"],
            &sweep(&["--plan"]),
        ] {
            let output = run("shut/runs.db", args);
            assert!(
                output.status.success(),
                "{args:?}: {}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
        if of_folder == 0o555 {
            refused(&run("shut/new.db", &sweep(&[])), 1, "can't write shut/new.db: ");
            refused(
                &run("shut/new/runs.db", &sweep(&[])),
                1,
                "can't write shut/new/runs.db: its folder can't be made",
            );
            refused(
                &run("runs.db", &["runs", "export", "1", "-o", "shut/a.csv"]),
                1,
                "can't write shut/a.csv",
            );
            refused(
                &run("runs.db", &["report", "-o", "shut/a.html"]),
                1,
                "can't write shut/a.html",
            );
            // Beside the database lies what SQLite needs to read it, from when the folder was open.
            let is_foreign = |name: &str| !name.starts_with("runs.db");
            let mut names = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name());
            assert!(
                names.all(|name| !is_foreign(name.to_str().unwrap())),
                "something was left in the folder"
            );
        }
        assert_eq!(fs::read(folder.join("runs.db")).unwrap(), whole);
    }
    allow(0o755, &folder);
    allow(0o000, &folder.join("runs.db"));
    let output = lab.with(without_privileges(is_root), "shut/runs.db", &["runs"]).output().unwrap();
    refused(&output, 1, "shut/runs.db: it can't be read (Permission denied");
}

#[test]
fn prompts_that_are_none_have_their_file_and_line() {
    let lab = Lab::new();
    for (name, bytes, words) in [
        ("empty.txt", &b""[..], "prompt_file: empty.txt has no prompts: it is empty"),
        ("blank.txt", b"\n \n", "prompt_file: blank.txt has no prompts: every line is empty"),
        (
            "latin.txt",
            b"good\ncaf\xe9\n",
            "prompt_file: latin.txt, line 2: it isn't UTF-8 text (byte 8 of the file)",
        ),
        (
            "field.jsonl",
            b"{\"prompt\": \"a\"}\n{\"text\": \"b\"}\n",
            "field.jsonl, line 2, column 1: there is no \"prompt\" among its fields (text)",
        ),
        (
            "number.jsonl",
            b"{\"prompt\": 7}\n",
            "number.jsonl, line 1, column 1: \"prompt\" is 7, not a text",
        ),
        ("cut.jsonl", b"{\"prompt\": \"a\"}\n{\"prom", "cut.jsonl, line 2, column 6: not JSON"),
        (
            "names.csv",
            b"text,tag\ntea,a\n",
            "names.csv, line 1: the first line names the columns, and there is no",
        ),
        ("array.txt", b"[{\"prompt\": \"a\"}]", "prompt_file: array.txt holds a JSON array"),
        ("wide.txt", b"\xff\xfea\0", "prompt_file: wide.txt is UTF-16 text"),
        ("twice.txt", b"a\nb\na\n", "prompts: prompt 3 is the same as prompt 1"),
    ] {
        fs::write(lab.path(name), bytes).unwrap();
        for verb in ["sweep", "tune"] {
            refused(&lab.run("new.db", &[verb, "-m", &lab.model, "--prompts", name]), 2, words);
        }
    }
    refused(
        &lab.run("new.db", &["sweep", "--prompts", "nowhere.txt"]),
        2,
        "prompt_file: can't read nowhere.txt",
    );
    refused(&lab.run("new.db", &["sweep", "--prompts", "."]), 2, "prompt_file: can't read .");
    refused(
        &lab.run("new.db", &["sweep", "-p", "x", "--prompt-column", "y"]),
        2,
        "prompt_column: it names a column",
    );
    fs::write(lab.path("wide.toml"), b"\xff\xfea\0").unwrap();
    refused(&lab.run("new.db", &["sweep", "wide.toml"]), 2, "recipe: wide.toml is UTF-16 text");
    refused(&lab.run("new.db", &["sweep", "nowhere.toml"]), 2, "nowhere.toml: can't read it");
    assert!(!lab.path("new.db").exists());
}

#[test]
fn a_metric_without_its_samples_is_told_before_a_search_and_in_a_report() {
    let lab = Lab::new();
    let tune = |more: &[&str]| {
        let fixed = ["tune", "-m", &lab.model, "-p", "one", "-n", "4", "-t", "0,1,2"];
        lab.run("new.db", &[&fixed[..], more].concat())
    };
    refused(
        &tune(&["--samples", "1"]),
        2,
        "--objective: vendi compares samples of a prompt, at least 2 of them, but --samples is 1",
    );
    refused(
        &tune(&["--objective", "most novelty"]),
        2,
        "novelty compares with the greedy text of a prompt",
    );
    refused(&tune(&["--objective", "length"]), 2, "say `most length` or `least length`");
    assert!(!lab.path("new.db").exists());
    let said = lab.run("runs.db", &["report", "--format", "md", "--metrics", "self_bleu"]);
    let said = String::from_utf8_lossy(&said.stdout);
    assert!(said.contains("it compares samples of one prompt and needs at least 2"), "{said}");
}

/// 1001 temperatures × 1000 samples: off a terminal it's refused with what to say, on one a person
/// is asked.
#[test]
fn a_million_texts_are_begun_by_nobody_by_accident() {
    let lab = Lab::new();
    let args = [
        "sweep",
        "-m",
        &lab.model,
        "-p",
        "x",
        "-t",
        "0..1 step 0.001",
        "--samples",
        "1000",
        "-n",
        "2",
    ];
    let words = "1 prompt × 1,001 chains × 1,000 samples are 1,001,000 texts";
    refused(&lab.run("new.db", &args), 2, words);
    refused(&lab.run("new.db", &args), 2, "--plan shows what that takes, --yes begins it");
    for keys in ["n\r", "\r"] {
        let mut terminal = Terminal::start(&mut lab.command("new.db", &args), 100);
        terminal.wait_for("Begin? [y/N]");
        assert!(terminal.shown().contains(words), "{:?}", terminal.shown());
        terminal.press(keys);
        terminal.wait_for("nothing was done");
        assert_eq!(terminal.end(), Some(2));
        assert!(!lab.path("new.db").exists());
    }
    let mut terminal = Terminal::start(&mut lab.command("new.db", &args), 100);
    terminal.wait_for("Begin? [y/N]");
    terminal.press("y\r");
    terminal.wait_for("tokens/s");
    assert!(lab.path("new.db").exists());
    drop(terminal);
    let terminal =
        Terminal::start(&mut lab.command("new.db", &[&args[..], &["--yes"]].concat()), 100);
    terminal.wait_for("tokens/s");
    assert!(!terminal.shown().contains("Begin?"));
    drop(terminal);

    let mut terminal = Terminal::start(&mut lab.command("runs.db", &["runs", "rm", "1"]), 100);
    terminal.wait_for("Remove 1 run with 2 texts for good? [y/N]");
    terminal.press("no\r");
    assert_eq!(terminal.end(), Some(2));
    refused(
        &lab.run("runs.db", &["runs", "rm", "1"]),
        2,
        "1 run with 2 texts would be removed for good: say --yes",
    );
    assert!(lab.run("runs.db", &["runs", "show", "1"]).status.success());
}
