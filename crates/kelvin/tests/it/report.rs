//! `report` and `tune` from outside, on a tiny model: every form of a report says the same, a
//! judge's opinion is kept, a search names its winner and goes on where it stopped, and what can't
//! be done is a sentence.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Output, Stdio},
};

use kelvin_testkit::tiny::{MISTRAL_LIKE, TinyModel};
use serde_json::Value;

fn kelvin(folder: &Path, args: &[&str]) -> Output {
    let mut command = kelvin_testkit::kelvin();
    command.args(args).args(["--db", "runs.db"]).current_dir(folder);
    command.env_remove("KELVIN_MODEL").env_remove("KELVIN_DB").stdin(Stdio::null());
    command.output().unwrap()
}

#[track_caller]
fn text(output: Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn refused(output: Output, words: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains(words), "{said}");
    assert!(!said.contains("panicked"), "{said}");
}

struct Model(PathBuf);

impl Drop for Model {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[test]
fn a_run_becomes_a_report_in_every_form() {
    let folder = tempfile::tempdir().unwrap();
    let model = Model(TinyModel::new(&MISTRAL_LIKE).speaking().write());
    let file = model.0.to_str().unwrap();
    let run = |args: &[&str]| kelvin(folder.path(), args);
    refused(run(&["report"]), "runs.db");
    let prompts = ["-p", "one", "-p", "two", "-p", "three", "-p", "four"];
    let sweep = [
        &[
            "sweep",
            "-m",
            file,
            "--samples",
            "4",
            "-n",
            "10",
            "--record",
            "shift",
            "-t",
            "0,0.5,1,2",
        ],
        &prompts[..],
    ]
    .concat();
    text(run(&sweep));

    let json: Value = serde_json::from_str(&text(run(&["report", "--json"]))).unwrap();
    assert_eq!(json["settings"].as_array().unwrap().len(), 4);
    assert!(json["warnings"].as_array().unwrap().is_empty(), "{}", json["warnings"]);
    let metric = |name: &str| {
        json["metrics"].as_array().unwrap().iter().find(|m| m["name"] == name).unwrap().clone()
    };
    assert_eq!(metric("surprisal")["values"][3]["n"], 16);
    assert_eq!(metric("judge")["values"][0], Value::Null);
    assert!(metric("judge")["absent"][0][0].as_str().unwrap().contains("--judge"));
    // Greedy texts of a prompt are one text.
    assert_eq!(metric("shared_start")["values"][0]["mean"], metric("length")["values"][0]["mean"]);

    // The tables and the file; equal runs give equal bytes.
    let said = text(run(&["report"]));
    assert!(
        said.contains("Fluency") && said.contains("surprisal") && said.contains("melts at"),
        "{said}"
    );
    let name = said.lines().last().unwrap().rsplit(' ').next().unwrap();
    let page = fs::read(folder.path().join(name)).unwrap();
    text(run(&["report", "last", "-o", "again.html"]));
    let again = fs::read_to_string(folder.path().join("again.html")).unwrap();
    assert!(again.contains("kelvin sweep -m") && again.len() == page.len());
    text(run(&["report", "1", "-o", "page.md", "--texts", "0"]));
    assert!(fs::read_to_string(folder.path().join("page.md")).unwrap().contains("## Each metric"));
    let one = text(run(&[
        "report",
        "last",
        "--format",
        "table",
        "--metrics",
        "loops,length",
        "--against",
        "temp=2",
    ]));
    assert!(!one.contains("self-BLEU") && one.contains('*'), "{one}");

    // The command that the report names fills the same table.
    let command = json["runs"][0]["command"].as_str().unwrap();
    let words: Vec<&str> = command.split(' ').skip(1).collect();
    assert!(text(run(&words)).contains("all stored already"), "{command}");

    // A judge who wrote the texts finds them as likely as they were.
    text(run(&["report", "--judge", file, "--format", "table"]));
    let judged: Value =
        serde_json::from_str(&text(run(&["report", "--json", "--metrics", "judge,surprisal"])))
            .unwrap();
    assert_eq!(judged["runs"][0]["judge"]["local"]["model"], *file);
    assert!(judged["metrics"][0]["values"][2]["mean"].as_f64().unwrap() > 0.0);
}

/// What a recipe asks for is what `report` shows, by flags or in its file, and it leaves the run
/// the same one.
#[test]
fn a_recipe_names_its_metrics_and_its_judge() {
    let folder = tempfile::tempdir().unwrap();
    let model = Model(TinyModel::new(&MISTRAL_LIKE).speaking().write());
    let file = model.0.to_str().unwrap();
    let run = |args: &[&str]| kelvin(folder.path(), args);
    let recipe = |more: &str| {
        let toml = format!(
            "prompts = [\"one\", \"two\"]\nmodel = '{file}'\nmax_tokens = 6\ntemp = \"1,2\"\n{more}"
        );
        fs::write(folder.path().join("study.toml"), toml).unwrap();
    };
    let shown = |args: &[&str]| -> (Vec<String>, Value) {
        let json: Value =
            serde_json::from_str(&text(run(&[&["report", "--json"], args].concat()))).unwrap();
        let names =
            json["metrics"].as_array().unwrap().iter().map(|m| m["name"].as_str().unwrap().into());
        (names.collect(), json["runs"][0]["judge"]["local"]["model"].clone())
    };

    recipe("");
    text(run(&["sweep", "study.toml"]));
    assert!(shown(&[]).0.len() > 20);
    // The same run, though now it asks for something; nothing that needs a judge is shown, so none
    // is asked.
    recipe(&format!("metrics = [\"loops\", \"length\"]\njudge = '{file}'"));
    assert!(
        text(run(&["sweep", "study.toml"])).contains("run 1 ")
            && shown(&[]) == (vec!["loops".into(), "length".into()], Value::Null)
    );
    let said = text(run(&["runs", "show", "1"]));
    assert!(said.contains(&format!("reports loops, length · judge {file}")), "{said}");
    // Who says otherwise gets that, and without the flag the recipe's own judge reads the texts.
    assert_eq!(
        shown(&["--metrics", "judge", "--judge", "none"]),
        (vec!["judge".into()], Value::Null)
    );
    assert_eq!(shown(&["--metrics", "judge"]).1, *file);
    // It has read them all: it isn't asked again, so it may be gone.
    assert!(
        text(run(&["sweep", "study.toml", "--metrics", "judge", "--samples", "2", "--json"]))
            .contains("\"new\":4")
    );
    let command = serde_json::from_str::<Value>(&text(run(&["report", "--json"]))).unwrap()["runs"]
        [0]["command"]
        .to_string();
    assert!(command.contains("--metrics judge --judge /"), "{command}");
    fs::remove_file(file).unwrap();
    let judged: Value = serde_json::from_str(&text(run(&["report", "--json"]))).unwrap();
    assert_eq!(
        (&judged["metrics"][0]["name"], &judged["metrics"][0]["values"][1]["n"]),
        (&"judge".into(), &4.into())
    );
    refused(run(&["report", "--judge", file]), "can't judge");

    // What nobody could mean is said before any text is made.
    let sweep = |more: &[&str]| run(&[&["sweep", "-p", "x", "-m", file][..], more].concat());
    refused(
        sweep(&["--metrics", "loops,creativity"]),
        "metrics: there is no metric `creativity`; there are entropy,",
    );
    refused(sweep(&["--metrics", "width"]), "metrics: width needs data that isn't recorded");
    refused(
        sweep(&["--judge", "gema3"]),
        "judge: no model is called \"gema3\": give one of smollm2, gemma3",
    );
}

#[test]
fn what_cannot_be_reported_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let model = Model(TinyModel::new(&MISTRAL_LIKE).speaking().write());
    let run = |args: &[&str]| kelvin(folder.path(), args);
    text(run(&["sweep", "-m", model.0.to_str().unwrap(), "-p", "one", "-n", "4", "-t", "1"]));
    refused(
        run(&["report", "--metrics", "creativity"]),
        "there is no metric `creativity`; there are entropy",
    );
    refused(run(&["report", "--against", "temp=3"]), "the run has no chain \"temp=3\"");
    refused(run(&["report", "--quality", "length"]), "can't be an axis");
    refused(run(&["report", "9"]), "9");
    refused(run(&["report", "-o", "no/such/folder/x.html"]), "can't write");
    // One sample: what needs two says so, and so does a single prompt.
    let said = text(run(&["report", "--format", "md"]));
    assert!(said.contains("needs at least 2") && said.contains("one prompt"), "{said}");
}

#[test]
fn a_search_names_its_winner_and_goes_on_where_it_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let model = Model(TinyModel::new(&MISTRAL_LIKE).speaking().write());
    let run = |args: &[&str]| kelvin(folder.path(), args);
    let tune = |more: &[&str]| {
        let fixed = [
            "tune",
            "-m",
            model.0.to_str().unwrap(),
            "-n",
            "8",
            "--finalists",
            "2",
            "--samples",
            "2",
        ];
        let prompts = ["-p", "one", "-p", "two", "-p", "three", "-p", "four"];
        run(&[&fixed[..], &prompts, &["-t", "0,0.5,1,1.5,2,3"], more].concat())
    };
    let plan = text(tune(&["--plan"]));
    assert!(plan.contains("last") && !folder.path().join("runs.db").exists(), "{plan}");

    let objective = ["--objective", "least surprisal, shared_start<=7", "--json"];
    let found: Value = serde_json::from_str(&text(tune(&objective))).unwrap();
    // Greedy texts of a prompt share all eight of their tokens, so the coldest of the others wins.
    assert_eq!(found["finalists"][0]["chain"], "temp=0.5");
    assert_eq!(found["finalists"][0]["verdict"], "winner");
    assert!(found["finalists"][0]["bounds"][0]["holds"].as_bool().unwrap());
    let rounds = found["rounds"].as_array().unwrap();
    let texts: Vec<u64> = rounds.iter().map(|round| round["texts"].as_u64().unwrap()).collect();
    assert_eq!(texts, [48, 48, 48]);
    let engines: Vec<&str> = found["translations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|t| t["to"].as_str().unwrap())
        .collect();
    assert!(engines.contains(&"vllm") && engines.contains(&"llama.cpp"), "{engines:?}");
    // All rounds are runs, and the same search makes none anew.
    let again: Value = serde_json::from_str(&text(tune(&objective))).unwrap();
    assert_eq!(again, found);
    assert!(
        text(tune(&["--objective", "least surprisal, shared_start<=7"]))
            .contains("For other engines")
    );

    refused(tune(&["--objective", "creativity"]), "there is no metric `creativity`");
    refused(tune(&["--objective", "vendi, judge<=3"]), "name one with --judge");
    // A judge that isn't asked is nobody's trouble; one that is, is opened before the first text.
    refused(
        tune(&["--objective", "vendi, judge<=3", "--judge", "gema3"]),
        "no model is called \"gema3\"",
    );
}
