//! `sweep` over a server that speaks OpenAI's protocol: the same texts as here, whatever happens to
//! the server meanwhile.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Output, Stdio},
};

use kelvin_testkit::{
    server::Server,
    tiny::{MISTRAL_LIKE, TinyModel},
};
use serde_json::Value;

fn model() -> TinyModel {
    TinyModel::new(&MISTRAL_LIKE).speaking()
}

/// 3 prompts × 3 chains × 4 samples = 36 texts.
fn sweep(folder: &Path, db: &str) -> Command {
    let mut command = kelvin_testkit::kelvin();
    command
        .current_dir(folder)
        .stdin(Stdio::null())
        .env_remove("KELVIN_MODEL")
        .args(["sweep", "--db", db, "--json"]);
    command.args([
        "-p",
        "Hi",
        "-p",
        "Once upon",
        "-p",
        "é\n",
        "--sampler",
        "temp={0.5,1} | top_p=0.9",
        "--sampler",
        "temp=1.5",
    ]);
    command.args(["--samples", "4", "-n", "12", "--seed", "3", "--stop", "z", "--raw"]);
    command
}

#[track_caller]
fn text(output: Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn exported(folder: &Path, db: &str, what: &str) -> Vec<Value> {
    let mut command = kelvin_testkit::kelvin();
    command
        .current_dir(folder)
        .args(["runs", "--db", db, "export", "last", "--format", "jsonl", "--what", what]);
    text(command.output().unwrap())
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn a_servers_texts_are_those_of_its_model() {
    let folder = tempfile::tempdir().unwrap();
    let path = model().write();
    text(sweep(folder.path(), "here.db").arg("-m").arg(&path).output().unwrap());
    let server = Server::of_file(&path, &[]);
    let name = path.file_name().unwrap().to_str().unwrap();
    let url = format!("http://{}/v1/", server.address);
    let at_server = |db: &str| {
        let mut command = sweep(folder.path(), db);
        command.args(["--server", &url, "--speaks", "kelvin", "--requests", "3", "-m", name]);
        command
    };
    text(at_server("there.db").output().unwrap());
    let (here, there) = (
        exported(folder.path(), "here.db", "tokens"),
        exported(folder.path(), "there.db", "tokens"),
    );
    assert_eq!(here.len(), there.len());
    for (one, other) in here.iter().zip(&there) {
        for field in ["prompt", "chain", "sample", "pos", "id"] {
            assert_eq!(one[field], other[field]);
        }
        let (a, b) = (one["logprob_raw"].as_f64().unwrap(), other["logprob_raw"].as_f64().unwrap());
        assert!((a - b).abs() < 1e-5, "{a} {b}");
        let withheld =
            ["rank", "logprob_final", "entropy_raw", "entropy_final", "survivors", "heat_capacity"];
        assert!(withheld.iter().all(|field| other[field].is_null()), "{other}");
        assert!(other["top"].as_str().is_some_and(|top| top.starts_with("[[\"")), "{other}");
    }
    let texts = |db: &str| {
        exported(folder.path(), db, "texts")
            .iter()
            .map(|row| row["text"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(texts("here.db"), texts("there.db"));
    std::fs::remove_file(&path).unwrap();
    // What a server can't do is said before it's asked.
    let refused = at_server("there.db").args(["--record", "shift"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("record: a server"));
}

/// The same search at a server as here; what it can't tell is refused before it's asked.
#[test]
fn a_search_over_a_server_finds_what_it_finds_here() {
    let folder = tempfile::tempdir().unwrap();
    let path = model().write();
    let server = Server::of_file(&path, &[]);
    let url = format!("http://{}/v1", server.address);
    let name = path.file_name().unwrap().to_str().unwrap();
    let tune = |more: &[&str]| {
        let mut command = kelvin_testkit::kelvin();
        command
            .current_dir(folder.path())
            .env_remove("KELVIN_MODEL")
            .env_remove("KELVIN_DB")
            .stdin(Stdio::null());
        command.args([
            "tune", "--db", "tune.db", "-p", "one", "-p", "two", "-p", "three", "-n", "8", "--json",
        ]);
        command.args(more).output().unwrap()
    };
    let settings = [
        "--raw",
        "--sampler",
        "temp={0,0.5,1,1.5,2,3} | min_p=0.01",
        "--samples",
        "2",
        "--finalists",
        "2",
    ];
    let objective = ["--objective", "least surprisal, shared_start<=7"];
    let there = ["--server", &url, "-m", name];
    let kelvin = [&there[..], &["--speaks", "kelvin"]].concat();
    let found = |who: &[&str]| -> Value {
        serde_json::from_str(&text(tune(&[who, &settings, &objective].concat()))).unwrap()
    };
    let (of_server, of_model) = (found(&kelvin), found(&["-m", path.to_str().unwrap()]));
    assert_eq!(of_server["source"]["server"]["url"], url);
    for (one, other) in of_server["finalists"]
        .as_array()
        .unwrap()
        .iter()
        .zip(of_model["finalists"].as_array().unwrap())
    {
        assert_eq!((&one["chain"], &one["verdict"]), (&other["chain"], &other["verdict"]));
        let apart =
            one["value"]["mean"].as_f64().unwrap() - other["value"]["mean"].as_f64().unwrap();
        assert!(apart.abs() < 1e-5, "{one} {other}");
    }
    let texts = |found: &Value| {
        found["rounds"].as_array().unwrap().iter().map(|r| r["texts"].clone()).collect::<Vec<_>>()
    };
    assert_eq!((texts(&of_server).len(), texts(&of_server)), (3, texts(&of_model)));
    // What was found is found again, and nobody has to be there for it.
    drop(server);
    assert_eq!(found(&kelvin), of_server);
    std::fs::remove_file(&path).unwrap();

    let refused = |args: &[&str], words: &str| {
        let output = tune(args);
        let said = String::from_utf8_lossy(&output.stderr).to_string();
        assert!(output.status.code() == Some(2) && said.contains(words), "{said}");
    };
    let asks = |objective: &str, words: &str| {
        refused(&[&kelvin[..], &["--objective", objective]].concat(), words)
    };
    asks(
        "vendi, width<=40",
        "width can't be had here: the texts come from a server, which tells the likeliest tokens \
         at most",
    );
    asks("least entropy", "entropy can't be had here");
    refused(
        &[&there[..], &["--sampler", "temp=1 | min_p={0,0.1}"]].concat(),
        "the chain `temp=1 | min_p=0.1` can't be asked of this server, min_p=0.1: openai has no such \
         control",
    );
    // Of the settings that are usually tried, OpenAI's protocol has no words for those with min-p.
    let n_settings = |who: &[&str]| {
        let plan: Value = serde_json::from_str(&text(tune(&[who, &["--plan"]].concat()))).unwrap();
        plan[0]["settings"].as_u64().unwrap()
    };
    assert_eq!((n_settings(&there), n_settings(&kelvin)), (21, 35));
}

/// A model's chat template is its own; a server takes prompts as they are. And the address is part
/// of what a run is.
#[test]
fn what_a_server_does_otherwise_is_said_before_it_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let plan = |url: &str, more: &[&str]| {
        let mut command = kelvin_testkit::kelvin();
        command
            .current_dir(folder.path())
            .args(["sweep", "--db", "a.db", "-p", "Hi", "-m", "some", "--plan", "--server", url]);
        text(command.args(more).env_remove("KELVIN_DB").output().unwrap())
    };
    let words = "prompts go to http://localhost:1/v1 as they are, without a chat template; another \
        address or model name is another run";
    assert!(plan("http://localhost:1/v1", &[]).contains(words));
    let json = |url: &str, more: &[&str]| -> Value {
        serde_json::from_str(&plan(url, &[&["--json"][..], more].concat())).unwrap()
    };
    let one = json("http://localhost:1/v1", &[]);
    assert_eq!(
        (&one["template"], &one["hash"]),
        (&"raw".into(), &json("http://localhost:1/v1/", &[])["hash"])
    );
    assert_ne!(one["hash"], json("http://localhost:2/v1", &[])["hash"]);
}

#[test]
fn a_sweep_goes_on_with_a_server_that_came_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = model().write();
    let name = path.file_name().unwrap().to_str().unwrap();
    let ask = |address: &str| {
        let mut command = sweep(folder.path(), "a.db");
        command.args([
            "--server",
            &format!("http://{address}/v1"),
            "--speaks",
            "kelvin",
            "--requests",
            "2",
            "-m",
            name,
        ]);
        command
    };
    let server = Server::of_file(&path, &["--parallel", "2"]);
    let address = server.address.clone();
    let mut child = ask(&address).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let n_before = lines.by_ref().take(6).map(Result::unwrap).count();
    drop(server);
    // It would ask for two minutes whether the server is back; a person has seen enough.
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(n_before, 6);
    assert!(exported(folder.path(), "a.db", "texts").len() >= 5);

    let server = Server::of_file(&path, &["--port", address.rsplit(':').next().unwrap()]);
    let again = text(ask(&server.address).output().unwrap());
    let first: Value = serde_json::from_str(again.lines().next().unwrap()).unwrap();
    assert!(first["present"].as_u64().unwrap() >= 5, "{first}");
    assert_eq!(exported(folder.path(), "a.db", "texts").len(), 36);
    std::fs::remove_file(&path).unwrap();
}
