//! Scores of one's own from outside, on a tiny model: every kind by hand, failures told per text,
//! the recipe's hash, the report's opening sentences, a search, and exports that name their run.

#![cfg(unix)]

use std::{
    fs,
    path::PathBuf,
    process::{Command, Output, Stdio},
};

use kelvin_testkit::{
    terminal::Terminal,
    tiny::{MISTRAL_LIKE, TinyModel},
};
use serde_json::Value;

struct Lab {
    folder: tempfile::TempDir,
    model: String,
}

impl Lab {
    fn new() -> Lab {
        let folder = tempfile::tempdir().unwrap();
        let model = TinyModel::new(&MISTRAL_LIKE).speaking().write_in(folder.path());
        let prompts = "prompt,expected\none,x\ntwo,y\nthree,z\nfour,w\n";
        fs::write(folder.path().join("prompts.csv"), prompts).unwrap();
        Lab { model: model.to_str().unwrap().to_string(), folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, args: &[&str]) -> Output {
        let mut command = kelvin_testkit::kelvin();
        command.args(args).args(["--db", "runs.db"]).current_dir(self.folder.path());
        command.env_remove("KELVIN_MODEL").env_remove("KELVIN_DB").stdin(Stdio::null());
        command.output().unwrap()
    }

    fn sweep(&self, more: &[&str]) -> Output {
        let fixed = ["sweep", "-m", &self.model, "--prompts", "prompts.csv", "-n", "6"];
        self.run(&[&fixed[..], &["-t", "0.5,1,2", "--samples", "3"], more].concat())
    }

    /// The texts of the last run, by prompt, chain and sample.
    fn texts(&self) -> Vec<Value> {
        let all = text(self.run(&["runs", "export", "last", "--format", "jsonl"]));
        all.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn report(&self, more: &[&str]) -> Value {
        let json = text(self.run(&[&["report", "last", "--json"], more].concat()));
        serde_json::from_str(&json).unwrap()
    }
}

#[track_caller]
fn text(output: Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn refused(output: &Output, words: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains(words), "{said}");
    assert!(!said.contains("panicked"), "{said}");
}

fn metric<'a>(report: &'a Value, name: &str) -> &'a Value {
    report["metrics"].as_array().unwrap().iter().find(|m| m["name"] == name).unwrap()
}

/// The mean over prompts of a value of texts, for each of the three chains, by hand.
fn by_hand(texts: &[Value], of: &dyn Fn(&str) -> f64) -> [f64; 3] {
    [0, 1, 2].map(|chain| {
        let of_chain: Vec<f64> = texts
            .iter()
            .filter(|row| row["chain"] == chain)
            .map(|row| of(row["text"].as_str().unwrap()))
            .collect();
        assert_eq!(of_chain.len(), 12);
        of_chain.iter().sum::<f64>() / 12.0
    })
}

fn means(metric: &Value) -> [f64; 3] {
    [0, 1, 2].map(|i| metric["values"][i]["mean"].as_f64().unwrap())
}

#[test]
fn every_kind_says_what_is_counted_by_hand() {
    let lab = Lab::new();
    text(lab.sweep(&[]));
    let texts = lab.texts();
    // A letter that some texts have and others don't.
    let share =
        |c: char| texts.iter().filter(|row| row["text"].as_str().unwrap().contains(c)).count();
    let letter = ('a'..='z').find(|&c| (6..30).contains(&share(c))).unwrap();
    let ratings: String = texts
        .iter()
        .map(|row| {
            let len = row["text"].as_str().unwrap().len();
            format!("{},{},{},{}\n", row["prompt"], row["chain"], row["sample"], len % 5)
        })
        .collect();
    fs::write(lab.path("ratings.csv"), format!("prompt,chain,sample,stars\n{ratings}")).unwrap();
    let (has, matches) = (format!("has=contains:{letter}"), format!("ends=regex:{letter}$"));
    let scores = [
        "--score",
        &has,
        "--score",
        &matches,
        "--score",
        "bytes=command:wc -c",
        "--score",
        "stars=csv:ratings.csv",
        "--score",
        "valid=json",
        "--score",
        "low=least command:echo -2",
    ];
    let report = lab.report(&scores);
    let near = |name: &str, of: &dyn Fn(&str) -> f64| {
        let (found, truth) = (means(metric(&report, name)), by_hand(&texts, of));
        for (found, truth) in found.iter().zip(truth) {
            assert!((found - truth).abs() < 1e-9, "{name}: {found} {truth}");
        }
    };
    let yes = |is: bool| f64::from(u8::from(is));
    near("has", &|text| yes(text.contains(letter)));
    near("ends", &|text| yes(text.ends_with(letter)));
    near("bytes", &|text| text.len() as f64);
    near("stars", &|text| (text.len() % 5) as f64);
    near("valid", &|text| yes(serde_json::from_str::<Value>(text.trim()).is_ok()));
    near("low", &|_| -2.0);
    assert_eq!(metric(&report, "low")["more_is_better"], false);
    // Intervals over prompts, and a difference from the setting that others are compared with.
    let bytes = metric(&report, "bytes");
    assert_eq!(
        (&bytes["values"][0]["n"], &bytes["values"][0]["over"]),
        (&12.into(), &"prompts".into())
    );
    assert!(bytes["values"][0]["low"].as_f64() <= bytes["values"][0]["mean"].as_f64());
    assert!(bytes["differences"][0]["p_holm"].is_number() && bytes["differences"][1].is_null());
    // Without the flags there are none, and the run is the same one.
    assert!(lab.report(&[])["metrics"].as_array().unwrap().iter().all(|m| m["name"] != "has"));
    // Tables, Markdown and the page have them.
    let said = text(lab.run(&[&["report", "--format", "table"][..], &scores].concat()));
    assert!(
        said.contains("Scores\n") && said.contains("bytes ↑") && said.contains("low ↓"),
        "{said}"
    );
    text(lab.run(&[&["report", "-o", "page.html"][..], &scores].concat()));
    assert!(fs::read_to_string(lab.path("page.html")).unwrap().contains("\"bytes\""));
    // On the plane too.
    let plane = lab.report(&[&scores[..], &["--quality", "has"]].concat());
    assert_eq!(plane["plane"]["quality"], "has");
}

#[test]
fn commands_fail_text_by_text_and_run_once() {
    let lab = Lab::new();
    text(lab.sweep(&[]));
    // It counts how often it is run, and fails on some texts.
    let script = "t=$(cat); echo x >> runs.log; case \"$t\" in *a*) echo no a here >&2; exit 3;; esac; echo 1\n";
    fs::write(lab.path("score.sh"), script).unwrap();
    let args = ["report", "--json", "--score", "fine=command:sh score.sh"];
    let first = lab.run(&args);
    let said = String::from_utf8_lossy(&first.stderr).into_owned();
    let report: Value = serde_json::from_str(&text(first)).unwrap();
    let texts = lab.texts();
    let failing = texts.iter().filter(|row| row["text"].as_str().unwrap().contains('a')).count();
    assert!(failing > 0 && failing < texts.len(), "{failing}");
    let fine = metric(&report, "fine");
    assert_eq!(fine["absent"][0][1], failing, "{fine}");
    assert_eq!(fine["absent"][0][0], "the command ended with exit code 3: no a here");
    assert!(said.contains("fine has no value of prompt") && said.contains("no a here"), "{said}");
    let n_runs = || fs::read_to_string(lab.path("runs.log")).unwrap().lines().count();
    assert_eq!(n_runs(), texts.len());
    // What has a value isn't run again; what failed is.
    text(lab.run(&args));
    assert_eq!(n_runs(), texts.len() + failing);
    // Another script gives other numbers.
    fs::write(lab.path("score.sh"), "wc -w").unwrap();
    let words = lab.report(&["--score", "fine=command:sh score.sh"]);
    assert!(metric(&words, "fine")["absent"].as_array().unwrap().is_empty());
    // One that never ends, and one that says too much.
    let slow = lab.report(&["--score", "slow=command(1):sleep 60", "--metrics", "slow"]);
    assert_eq!(metric(&slow, "slow")["absent"][0][0], "the command took longer than 1 s");
    assert_eq!(metric(&slow, "slow")["absent"][0][1], texts.len());
    let much = lab.report(&["--score", "much=command:yes", "--metrics", "much"]);
    let why = metric(&much, "much")["absent"][0][0].as_str().unwrap();
    assert!(why.contains("more than 65536 bytes"), "{why}");
}

/// A run may come from somebody else: to look at it runs nothing.
#[test]
fn a_report_runs_no_command_unasked() {
    let lab = Lab::new();
    fs::write(lab.path("score.sh"), "echo x >> runs.log; exit 3").unwrap();
    let score = ["--score", "fine=command:sh score.sh"];
    text(lab.sweep(&score));
    let n_runs = || fs::read_to_string(lab.path("runs.log")).unwrap().lines().count();
    let n_texts = lab.texts().len();
    assert_eq!(n_runs(), n_texts, "the sweep runs its own");
    let output = lab.run(&["report", "--json"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    text(output);
    assert!(said.contains("add --score 'fine=command(10):sh score.sh'"), "{said}");
    assert_eq!(n_runs(), n_texts);
    lab.report(&score);
    assert_eq!(n_runs(), 2 * n_texts);
}

#[test]
fn a_judge_is_asked_about_each_text() {
    let lab = Lab::new();
    text(lab.sweep(&["--score", "good=judge(0,10):Is {text} good? Mark:"]));
    let without = lab.report(&["--metrics", "good"]);
    let why = metric(&without, "good")["absent"][0][0].as_str().unwrap();
    assert!(why.contains("--judge MODEL"), "{why}");
    let report = lab.report(&["--judge", &lab.model]);
    let good = metric(&report, "good");
    assert_eq!(good["values"][0]["n"], 12);
    let mean = good["values"][0]["mean"].as_f64().unwrap();
    assert!(mean > 0.0 && mean < 10.0, "{mean}");
    // It is stored: the model may be gone.
    fs::rename(&lab.model, lab.path("gone.gguf")).unwrap();
    assert_eq!(lab.report(&[]), {
        let mut same = report.clone();
        same["command"] = "kelvin report last".into();
        same
    });
}

#[test]
fn scores_are_part_of_the_recipe_and_its_hash() {
    let lab = Lab::new();
    fs::create_dir(lab.path("study")).unwrap();
    let recipe = |scores: &str| {
        let toml = format!(
            "prompt_file = \"../prompts.csv\"\nmodel = '{}'\nmax_tokens = 4\ntemp = 1\n{scores}",
            lab.model
        );
        fs::write(lab.path("study/study.toml"), toml).unwrap();
    };
    let hash = || {
        let said = text(lab.run(&["sweep", "study/study.toml", "--plan", "--json"]));
        serde_json::from_str::<Value>(&said).unwrap()["hash"].as_str().unwrap().to_string()
    };
    recipe("");
    let none = hash();
    recipe("[scores]\nright = \"expected\"");
    let right = hash();
    assert_ne!(none, right);
    recipe("[scores]\nright = \"least expected\"");
    assert_ne!(hash(), right);
    // A schema's file is looked up beside the recipe; its content counts, not its name.
    for name in ["a.json", "b.json"] {
        fs::write(lab.path("study").join(name), "{\"type\": \"object\"}").unwrap();
    }
    recipe("[scores]\nx = \"schema:a.json\"");
    let schema = hash();
    recipe("[scores]\nx = \"schema:b.json\"");
    assert_eq!(hash(), schema);
    text(lab.run(&["sweep", "study/study.toml"]));
    // The report has them, and its command makes the same run again.
    let report = lab.report(&[]);
    assert_eq!(metric(&report, "x")["values"][0]["n"], 4);
    let command = report["runs"][0]["command"].as_str().unwrap();
    assert!(command.contains("--score 'x=schema:{\"type\":\"object\"}'"), "{command}");
    let output = std::process::Command::new("sh")
        .args(["-c", &format!("kelvin() {{ \"$KELVIN\" \"$@\" --db runs.db; }}; {command}")])
        .env("KELVIN", kelvin_testkit::kelvin().get_program())
        .current_dir(lab.folder.path())
        .output()
        .unwrap();
    // Prompts on the command line have no fields, so the run is another one.
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // What is wrong is said with its name.
    for (score, words) in [
        ("x = \"yaml\"", "scores: x: there is no kind \"yaml\""),
        ("x = 3", "scores.x: invalid type: integer `3`, expected a string"),
        ("vendi = \"json\"", "is a metric already"),
        ("x = \"schema:c.json\"", "c.json"),
    ] {
        recipe(&format!("[scores]\n{score}"));
        refused(&lab.run(&["sweep", "study/study.toml"]), words);
    }
    refused(&lab.run(&["report", "--score", "x"]), "isn't NAME=KIND");
    refused(&lab.run(&["report", "--score", "s=csv:no.csv"]), "s: can't read no.csv");
    refused(&lab.sweep(&["--score", "a=json", "--score", "a=expected"]), "given twice");
    refused(&lab.run(&["report", "--metrics", "creativity"]), "length, x");
}

#[test]
fn a_search_heeds_a_score() {
    let lab = Lab::new();
    let tune = |objective: &str| {
        let fixed = ["tune", "-m", &lab.model, "--prompts", "prompts.csv", "-n", "8"];
        let more = ["-t", "0.5,1,2,3", "--samples", "2", "--finalists", "2", "--json"];
        let score = ["--score", "bytes=command:wc -c", "--objective", objective];
        lab.run(&[&fixed[..], &more, &score].concat())
    };
    let found: Value = serde_json::from_str(&text(tune("most bytes, surprisal<=1000"))).unwrap();
    let [first, second] = [0, 1].map(|i| found["finalists"][i]["value"]["mean"].as_f64().unwrap());
    assert!(first > 0.0 && second > 0.0);
    assert_eq!(found["objective"], "most bytes, surprisal<=1000");
    // The last round's figure is that of its texts.
    let texts = lab.texts();
    let chain = &found["finalists"][0]["chain"];
    let of: Vec<f64> = texts
        .iter()
        .filter(|row| row["chain_text"] == *chain)
        .map(|row| row["text"].as_str().unwrap().len() as f64)
        .collect();
    let mean = of.iter().sum::<f64>() / of.len() as f64;
    assert!((mean - first).abs() < 1e-9, "{mean} {first}");
    // Its rounds are runs with the score.
    assert!(metric(&lab.report(&[]), "bytes")["values"][0]["n"].as_u64().unwrap() > 0);
    refused(&tune("vendi, words>=1"), "there is no metric `words`; there are entropy");
    refused(
        &lab.run(&[
            "tune",
            "-m",
            &lab.model,
            "-p",
            "x",
            "--score",
            "g=judge:{text}?",
            "--objective",
            "g",
        ]),
        "name one with --judge",
    );
}

/// In a shell, with the other fields of the prompts.
#[test]
fn the_cited_command_makes_the_run_again() {
    let lab = Lab::new();
    text(lab.sweep(&["-s", "9"]));
    let cited: Value = serde_json::from_str(&text(lab.run(&["runs", "cite", "--json"]))).unwrap();
    let command = cited[0]["command"].as_str().unwrap();
    assert!(command.contains("{\"prompt\":\"one\",\"expected\":\"x\"}"), "{command}");
    let kelvin = kelvin_testkit::kelvin();
    let program = kelvin.get_program().to_str().unwrap();
    let script = format!("kelvin() {{ '{program}' \"$@\"; }}\n{command}\n");
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).env("KELVIN_DB", "again.db").current_dir(lab.folder.path());
    text(shell.output().unwrap());
    let texts = lab.texts();
    fs::rename(lab.path("again.db"), lab.path("runs.db")).unwrap();
    assert_eq!((texts.len(), lab.texts()), (36, texts));
}

#[test]
fn exports_name_their_run() {
    let lab = Lab::new();
    text(lab.sweep(&["--record", "logits=3", "-s", "9"]));
    let texts = lab.texts();
    let cited = text(lab.run(&["runs", "cite"]));
    let hash = texts[0]["run_hash"].as_str().unwrap();
    assert!(hash.len() == 64 && cited.contains(hash), "{cited}");
    assert!(cited.contains("@software{kelvin,") && cited.contains("kelvin sweep -m"), "{cited}");
    for row in &texts {
        let file = std::path::Path::new(&lab.model).file_name().unwrap().to_str().unwrap();
        assert_eq!((&row["seed"], &row["model"]), (&9.into(), &file.into()));
        assert!(cited.contains(row["model_sha256"].as_str().unwrap()));
    }
    let logits = text(lab.run(&["runs", "export", "last", "--what", "logits"]));
    // The step at which a text ended has logits too, but drew no token of it.
    let n_steps = |row: &Value| {
        row["tokens"].as_u64().unwrap() as usize + usize::from(row["finish"] == "end_token")
    };
    assert_eq!(logits.lines().count(), 1 + 3 * texts.iter().map(n_steps).sum::<usize>());
    for (name, words) in [("x.xlsx", "end in .xlsx"), ("x.txt", "end in .txt")] {
        refused(&lab.run(&["runs", "export", "last", "-o", name]), words);
    }
    refused(&lab.run(&["report", "-o", "x.pdf"]), "end in .pdf");
    assert!(!lab.path("x.xlsx").exists() && !lab.path("x.pdf").exists());
    text(lab.run(&["runs", "export", "last", "-o", "x.CSV"]));
    text(lab.run(&["runs", "export", "last", "-o", "x.txt", "--format", "csv"]));
}

/// Bare, the program is an explorer on a terminal and prints its help in a pipe.
#[test]
fn bare_kelvin_explores_on_a_terminal() {
    let lab = Lab::new();
    let bare = || {
        let mut command = kelvin_testkit::kelvin();
        command.current_dir(lab.folder.path()).env("KELVIN_MODEL", &lab.model);
        command
    };
    let piped = bare().stdin(Stdio::null()).output().unwrap();
    let said = [piped.stdout, piped.stderr].concat();
    assert!(String::from_utf8_lossy(&said).contains("Usage: kelvin"));

    let mut terminal = Terminal::start(&mut bare(), 100);
    terminal.wait_for("T = 1\u{1b}");
    terminal.press("\u{1b}[C\u{1b}[C");
    terminal.wait_for("T = 1.2");
    terminal.press("?");
    terminal.wait_for("take back a token");
    terminal.press("c");
    terminal.wait_for("T = 0.5");
    terminal.press("/why\r");
    terminal.wait_for("instead (raw)");
    terminal.press("etwo\r");
    terminal.wait_for("The capital of Nepal istwo");
    terminal.press("/temp 9\r");
    terminal.wait_for("a number from 0 to 5");
    terminal.press("q");
    assert_eq!(terminal.end(), Some(0));
    // It leaves the screen as it was.
    assert!(terminal.shown().ends_with("\u{1b}[?25h\u{1b}[?1049l"), "{:?}", terminal.shown());
    // Ctrl-C leaves it too.
    let mut terminal = Terminal::start(&mut bare(), 100);
    terminal.wait_for("\u{1b}[?1049h");
    // It's a key from then on, also while the model computes.
    assert!(terminal.is_raw());
    terminal.press("c\u{3}");
    assert_eq!(terminal.end(), Some(0));
}
