//! `sweep` and `runs` from outside, on a tiny model: what is reported is safe, what is missing is
//! filled, and nothing tells how it came about.

use std::{
    collections::HashSet,
    fs,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use kelvin_testkit::tiny::{MISTRAL_LIKE, TinyModel};
use serde_json::Value;

/// A folder with a model, some prompts and a database.
struct Lab {
    folder: tempfile::TempDir,
    model: PathBuf,
}

impl Lab {
    fn new() -> Lab {
        let lab = Lab {
            folder: tempfile::tempdir().unwrap(),
            model: TinyModel::new(&MISTRAL_LIKE).speaking().write(),
        };
        let prompts: Vec<String> =
            (0..6).map(|i| format!("{{\"prompt\": \"prompt {i}\", \"kind\": {i}}}")).collect();
        fs::write(lab.path("prompts.jsonl"), prompts.join("\n")).unwrap();
        let study = "prompt_file = \"prompts.jsonl\"\ntemp = \"0.5..1.5 step 0.5\"\nsamples = \
            4\nmax_tokens = 12\nseed = 3\n";
        fs::write(lab.path("study.toml"), study).unwrap();
        lab
    }

    fn command(&self, verb: &str, db: &str) -> Command {
        let mut command = kelvin_testkit::kelvin();
        command.arg(verb).arg("--db").arg(self.path(db)).current_dir(self.folder.path());
        command.env_remove("KELVIN_MODEL").env_remove("KELVIN_DB").stdin(Stdio::null());
        command
    }

    /// 6 prompts × 3 chains × 4 samples = 72 texts.
    fn sweep(&self, db: &str) -> Command {
        let mut command = self.command("sweep", db);
        command.args(["study.toml", "--json"]);
        command.arg("-m").arg(&self.model);
        command
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn exported(&self, db: &str, what: &str) -> String {
        text(
            self.command("runs", db)
                .args(["export", "last", "--format", "jsonl", "--what", what])
                .output()
                .unwrap(),
        )
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.model);
    }
}

#[track_caller]
fn text(output: Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    String::from_utf8(output.stdout).unwrap()
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The rows that lines of a sweep report.
fn reported(lines: &[Value]) -> Vec<[u64; 3]> {
    let row = |line: &Value| {
        Some([line["prompt"].as_u64()?, line["chain"].as_u64()?, line["sample"].as_u64()?])
    };
    lines.iter().filter_map(row).collect()
}

#[test]
fn a_table_is_filled_once_and_grows() {
    let lab = Lab::new();
    let first = lines(&text(lab.sweep("a.db").output().unwrap()));
    assert_eq!((&first[0]["texts"], &first[0]["present"]), (&72.into(), &0.into()));
    let rows = reported(&first);
    assert_eq!((rows.len(), rows.iter().collect::<HashSet<_>>().len()), (72, 72));
    let whole = lab.exported("a.db", "texts");
    assert!(whole.contains("{\\\"kind\\\":5}"), "{whole}");

    let again = lines(&text(lab.sweep("a.db").output().unwrap()));
    assert_eq!((again.len(), &again[1]["before"], &again[1]["new"]), (2, &72.into(), &0.into()));
    // More samples are the same run, and its first rows stay what they are.
    let more = lines(&text(lab.sweep("a.db").args(["--samples", "5"]).output().unwrap()));
    assert_eq!((&more[0]["hash"], reported(&more).len()), (&first[0]["hash"], 18));
    let grown = lab.exported("a.db", "texts");
    assert!(whole.lines().all(|line| grown.contains(line)) && grown.lines().count() == 90);
    // Whatever doesn't decide a text: threads, how many at once.
    text(lab.sweep("b.db").args(["--threads", "1", "--width", "3"]).output().unwrap());
    assert_eq!(lab.exported("b.db", "texts"), whole);
    // Another seed is another run beside it.
    text(lab.sweep("a.db").args(["--seed", "4"]).output().unwrap());
    let listed: Value =
        serde_json::from_str(&text(lab.command("runs", "a.db").arg("--json").output().unwrap()))
            .unwrap();
    assert_eq!(
        (listed[0]["present"].as_u64(), listed[1]["present"].as_u64()),
        (Some(90), Some(72))
    );
}

#[test]
fn a_sample_is_what_generate_gives() {
    let lab = Lab::new();
    let all = lines(&text(lab.sweep("a.db").output().unwrap()));
    let mut generate = kelvin_testkit::kelvin();
    generate.args([
        "compare",
        "prompt 4",
        "-t",
        "0.5,1,1.5",
        "--samples",
        "4",
        "-n",
        "12",
        "--seed",
        "3",
        "--json",
        "-m",
    ]);
    let answer: Value =
        serde_json::from_str(&text(generate.arg(&lab.model).output().unwrap())).unwrap();
    let columns = answer["columns"].as_array().unwrap();
    assert_eq!(columns.len(), 12);
    for (i, column) in columns.iter().enumerate() {
        let same = |line: &&Value| {
            line["prompt"] == 4 && line["chain"] == i as u64 / 4 && line["sample"] == i as u64 % 4
        };
        let row = all.iter().find(same).unwrap();
        assert_eq!(
            (&row["text"], row["tokens"].as_u64()),
            (&column["text"], Some(column["ids"].as_array().unwrap().len() as u64))
        );
    }
}

#[test]
fn kept_logits_are_replayed_at_other_temperatures() {
    let lab = Lab::new();
    text(lab.sweep("a.db").args(["--record", "logits", "-t", "0,1"]).output().unwrap());
    let replayed = |args: &[&str]| -> Vec<Value> {
        let output = lab
            .command("runs", "a.db")
            .args(["replay", "last", "--json"])
            .args(args)
            .output()
            .unwrap();
        serde_json::from_str(&text(output)).unwrap()
    };
    let n_tokens = lab.exported("a.db", "tokens").lines().count() as u64;
    let rows = replayed(&["-t", "0..2 step 0.5"]);
    assert!(rows.len() == 5 && rows.iter().all(|row| row["steps"] == n_tokens), "{rows:?}");
    // Half of the texts are greedy and stay so; heat moves the draw down the order and widens what
    // is drawn from.
    let entropies: Vec<f64> =
        rows.iter().map(|row| row["mean_entropy_final"].as_f64().unwrap()).collect();
    assert!(entropies[0] == 0.0 && entropies.is_sorted(), "{entropies:?}");
    let ranks: Vec<f64> = rows.iter().map(|row| row["mean_rank"].as_f64().unwrap()).collect();
    assert!(ranks[0] == 0.0 && ranks.is_sorted(), "{ranks:?}");
    assert!(rows[0]["same"].as_u64().unwrap() >= n_tokens * 2 / 5, "{}", rows[0]);

    // Replayed with the run's own chains, every step gives the run's token.
    for (row, chain) in [(0, "temp=0"), (2, "temp=1")] {
        assert_eq!(
            (&rows[row]["chain"], &rows[row]["own"]),
            (&chain.into(), &rows[row]["own_same"]),
            "{rows:?}"
        );
    }
    let own = |row: usize| rows[row]["own"].as_u64().unwrap();
    assert!(own(0) > 100 && own(2) > 100 && own(0) + own(2) == n_tokens, "{rows:?}");

    // The likeliest alone: whatever is drawn among them is the same, and the rest is told as such.
    text(lab.sweep("b.db").args(["--record", "logits=40", "-t", "0,1"]).output().unwrap());
    let output = lab
        .command("runs", "b.db")
        .args(["replay", "last", "-t", "0..2 step 0.5", "--json"])
        .output()
        .unwrap();
    let least: Vec<Value> = serde_json::from_str(&text(output)).unwrap();
    for (few, all) in least.iter().zip(&rows) {
        let own = few["own"].as_u64().unwrap();
        let differing =
            own - few["own_same"].as_u64().unwrap() - few["own_unnamed"].as_u64().unwrap();
        // Where the dice fall on a boundary that half precision moved.
        assert!(50 * differing <= own, "{few}");
        let apart = few["mean_entropy_final"].as_f64().unwrap()
            - all["mean_entropy_final"].as_f64().unwrap();
        assert!(apart.abs() < 1e-3, "{few} {all}");
    }
    assert!(least[0]["unnamed"] == 0 && least[4]["unnamed"].as_u64().unwrap() > 0, "{least:?}");
    let refused = lab
        .command("runs", "b.db")
        .args(["replay", "last", "--sampler", "bias=5:1"])
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&refused.stderr).contains("names tokens"), "{refused:?}");
    let refused = lab.sweep("b.db").args(["--record", "logits=0"]).output().unwrap();
    assert!(String::from_utf8_lossy(&refused.stderr).contains("logits=N"), "{refused:?}");
    let refused = lab
        .command("runs", "b.db")
        .args(["replay", "last", "--sampler", "repetition=1.1"])
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&refused.stderr).contains("looks at the text before a step"));
    text(lab.sweep("c.db").output().unwrap());
    let refused = lab.command("runs", "c.db").args(["replay", "last"]).output().unwrap();
    assert!(String::from_utf8_lossy(&refused.stderr).contains("kept no logits"));
}

/// Kills sweeps at random moments until one comes to its end. Everything that was reported stays,
/// nothing comes twice, and the table is what an undisturbed run leaves.
#[test]
fn kills_lose_nothing_and_double_nothing() {
    let kills: u64 = std::env::var("KELVIN_TEST_KILLS").map_or(10, |n| n.parse().unwrap());
    let lab = Lab::new();
    let begun = Instant::now();
    let undisturbed = text(lab.sweep("whole.db").output().unwrap());
    let whole = begun.elapsed();
    assert_eq!(lines(&undisturbed)[73]["missing"], 0);
    let mut random = 0x9E37_79B9_7F4A_7C15u64 ^ u64::from(std::process::id());
    let (mut n_killed, mut n_halfway) = (0, 0);
    for round in 0.. {
        let db = format!("killed-{round}.db");
        let mut safe: HashSet<[u64; 3]> = HashSet::new();
        for _ in 0..6 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let (rows, was_killed) =
                killed_after(&lab, &db, whole.mul_f64((random >> 40) as f64 / (1u64 << 24) as f64));
            for row in &rows {
                assert!(safe.insert(*row), "{row:?} was reported twice");
            }
            n_killed += u64::from(was_killed);
            n_halfway += u64::from(was_killed && !safe.is_empty() && safe.len() < 72);
        }
        if lab.path(&db).exists() {
            let there = lab
                .command("runs", &db)
                .args(["export", "last", "--format", "jsonl"])
                .output()
                .unwrap();
            if there.status.success() {
                let stored: HashSet<[u64; 3]> =
                    reported(&lines(&text(there))).into_iter().collect();
                assert!(
                    safe.is_subset(&stored),
                    "lost: {:?}",
                    safe.difference(&stored).collect::<Vec<_>>()
                );
            } else {
                assert!(safe.is_empty(), "{}", String::from_utf8_lossy(&there.stderr));
            }
        }
        text(lab.sweep(&db).output().unwrap());
        for what in ["texts", "tokens"] {
            assert_eq!(lab.exported(&db, what), lab.exported("whole.db", what));
        }
        if n_killed >= kills {
            break;
        }
    }
    assert!(n_halfway > 0, "no kill came between the first text and the last");
}

/// Begins a sweep and kills it after a while; what it reported until then, and whether it was
/// killed rather than done.
fn killed_after(lab: &Lab, db: &str, after: Duration) -> (Vec<[u64; 3]>, bool) {
    let mut child = lab.sweep(db).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    let reader =
        std::thread::spawn(move || out.lines().map_while(Result::ok).collect::<Vec<String>>());
    std::thread::sleep(after);
    child.kill().unwrap();
    let was_killed = !child.wait().unwrap().success();
    // The last line may be cut.
    let lines: Vec<Value> =
        reader.join().unwrap().iter().filter_map(|line| serde_json::from_str(line).ok()).collect();
    (reported(&lines), was_killed)
}

#[test]
fn what_is_wrong_is_one_sentence() {
    let lab = Lab::new();
    fs::write(lab.path("empty.txt"), "\n\n").unwrap();
    fs::write(lab.path("bad.toml"), "prompts = [\"x\"]\nsample = 3\n").unwrap();
    fs::write(lab.path("folder"), "").unwrap();
    let refused = |args: &[&str], code: i32, words: &str| {
        let output =
            lab.command("sweep", "a.db").args(args).arg("-m").arg(&lab.model).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
        assert!(said.contains(words) && said.trim_end().lines().count() == 1, "{args:?}: {said}");
    };
    refused(&[], 2, "prompts: there is no prompt");
    refused(&["--prompts", "empty.txt"], 2, "empty.txt has no prompts");
    refused(&["bad.toml"], 2, "bad.toml, line 2, sample: a recipe has no such field; did");
    refused(&["-p", "x", "-t", "0.2..2"], 2, "the range \"0.2..2\" has no step");
    refused(
        &["-p", "x", "-t", "0..1 step 0.001", "--samples", "1000"],
        2,
        "1,001,000 texts: --plan shows",
    );
    refused(&["-p", "x", "--top-k", "{1,0.5}"], 2, "stages.top_k: 0.5 is not allowed");
    let unknown = "bias: there is no token 999999, the vocabulary has";
    refused(&["-p", "x", "--logit-bias", "1:2,999999:1"], 2, unknown);
    // None of them has begun a run.
    let runs = lab.command("runs", "a.db").arg("--json").output().unwrap();
    assert_eq!(String::from_utf8(runs.stdout).unwrap().trim(), "[]");
    refused(&["-p", &"long ".repeat(200)], 1, "tokens, but the context has room for 256");
    for (db, words) in [
        ("bad.toml", "isn't a database of Kelvin's runs"),
        ("folder/runs.db", "its folder can't be made"),
    ] {
        let output =
            lab.command("sweep", db).args(["-p", "x", "-m"]).arg(&lab.model).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(words), "{said}");
    }
    let said = String::from_utf8(
        lab.command("runs", "none.db").args(["show", "last"]).output().unwrap().stderr,
    )
    .unwrap();
    assert!(said.contains("there are no runs yet"), "{said}");
}

#[test]
fn a_plan_keeps_nothing() {
    let lab = Lab::new();
    let plan: Value =
        serde_json::from_str(&text(lab.sweep("a.db").arg("--plan").output().unwrap())).unwrap();
    assert_eq!(
        (plan["texts"].as_u64(), plan["missing"].as_u64(), plan["most_tokens"].as_u64()),
        (Some(72), Some(72), Some(864))
    );
    assert!(plan["most_secs"].as_f64().unwrap() > 0.0 && plan["speed_from"] == "now");
    assert!(!lab.path("a.db").exists());
    text(lab.sweep("a.db").output().unwrap());
    let plan: Value = serde_json::from_str(&text(
        lab.sweep("a.db").args(["--plan", "--samples", "5"]).output().unwrap(),
    ))
    .unwrap();
    assert_eq!((plan["missing"].as_u64(), &plan["speed_from"]), (Some(18), &"earlier".into()));
}

#[test]
fn a_run_goes_through_a_file_of_rows_into_another_database() {
    let lab = Lab::new();
    text(lab.sweep("a.db").output().unwrap());
    let export = |db: &str, name: &str| {
        let mut command = lab.command("runs", db);
        command.args(["export", "last", "--what", "rows", "-o"]).arg(lab.path(name));
        text(command.output().unwrap());
        fs::read(lab.path(name)).unwrap()
    };
    let whole = export("a.db", "a.parquet");
    let import = |db: &str| {
        text(lab.command("runs", db).arg("import").arg(lab.path("a.parquet")).output().unwrap())
    };
    let said = import("b.db");
    assert!(said.starts_with("72 texts added to run 1, 0 were there\n"), "{said}");
    assert!(export("b.db", "b.parquet") == whole);
    for what in ["texts", "tokens"] {
        assert_eq!(lab.exported("b.db", what), lab.exported("a.db", what));
    }
    assert!(import("b.db").starts_with("0 texts added to run 1, 72 were there\n"));
    // The sweep finds nothing to do in the database that took the rows in.
    let swept = lines(&text(lab.sweep("b.db").output().unwrap()));
    assert_eq!(swept.last().unwrap()["new"], 0);
    let output = lab.command("runs", "b.db").args(["import", "study.toml"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("isn't a Parquet file"), "{said}");
}
