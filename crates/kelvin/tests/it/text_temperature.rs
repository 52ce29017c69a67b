//! `--text-temperature` and `--spread` from outside, on a tiny model.

use std::{
    path::PathBuf,
    process::{Output, Stdio},
};

use kelvin_testkit::{
    server::Server,
    tiny::{MISTRAL_LIKE, TinyModel},
};
use serde_json::{Value, json};

const TEXT: &str = "the quick brown fox";

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

    fn run(&self, verb: &str, args: &[&str]) -> Output {
        let mut command = kelvin_testkit::kelvin();
        command.args([verb, TEXT, "--seed", "7", "-n", "6"]).args(args).arg("-m").arg(&self.model);
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        command.env_remove("KELVIN_MODEL").output().unwrap()
    }

    fn json(&self, verb: &str, args: &[&str]) -> Value {
        let output = self.run(verb, &[args, &["--json"]].concat());
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {said}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// The error that a command ends with.
    fn refused(&self, verb: &str, args: &[&str]) -> String {
        let output = self.run(verb, args);
        assert!(!output.status.success(), "{args:?}");
        String::from_utf8(output.stderr).unwrap()
    }
}

#[test]
fn both_temperatures_stand_beside_each_other() {
    let room = Room::new();
    let found =
        room.json("compare", &["--text-temperature", "0.5,1", "-t", "1", "--text-particles", "4"]);
    let columns = found["columns"].as_array().unwrap();
    let kinds: Vec<(f64, bool)> = columns
        .iter()
        .map(|c| (c["temperature"].as_f64().unwrap(), c["text_temperature"].is_object()))
        .collect();
    assert_eq!(kinds, [(1.0, false), (0.5, true), (1.0, true)]);
    let quality = &columns[1]["text_temperature"];
    assert_eq!((&quality["method"], &quality["particles"]), (&"smc".into(), &4.into()));
    assert!(quality["energy"].as_f64().unwrap() > 0.0 && quality["ln_z"].as_f64().unwrap() < 0.0);
    assert_eq!(columns[2]["text_temperature"]["ln_z"], 0.0);
    // Without -t both kinds have equal temperatures, and threads change nothing.
    let args = ["--text-temperature", "0.6", "--samples", "3", "--text-particles", "5"];
    let one = room.json("compare", &[&args[..], &["--threads", "1"]].concat());
    assert_eq!(one, room.json("compare", &[&args[..], &["--threads", "2"]].concat()));
    assert_eq!(one["columns"].as_array().unwrap().len(), 6);
    let heat = &one["temperatures"][1]["text_heat"];
    let figure = |name: &str| heat[name].as_f64().unwrap();
    let (f, e, s) = (figure("free_energy"), figure("energy"), figure("entropy"));
    assert!((s - (e - f) / 0.6).abs() < 1e-6 * s.abs(), "F = E - TS: {heat}");
    assert!(figure("energy_error") > 0.0 && one["temperatures"][0]["text_heat"].is_null());
}

#[test]
fn methods_say_their_quality() {
    let room = Room::new();
    let exact = ["--text-method", "exact", "--text-temperature"];
    let plain = room.json("generate", &["-t", "1"]);
    let found = room.json("generate", &[&exact[..], &["1"]].concat());
    assert_eq!((&found["ids"], &found["text"]), (&plain["ids"], &plain["text"]));
    assert_eq!(found["text_temperature"]["tries"], 1);
    let mcmc =
        room.json("generate", &["--text-temperature", "0.5", "--text-method", "mcmc"])["text_temperature"].clone();
    assert_eq!(mcmc["moves"], 10);
    let output = room.run("generate", &["--text-temperature", "0.5"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && said.contains("16 particles, "), "{said}");
    // What isn't accepted is said, and nothing stands in its place.
    let none = [&exact[..], &["0.05", "--text-tries", "3"]].concat();
    let said = room.refused("generate", &none);
    assert!(said.contains("none of 3 tries at the text was accepted"), "{said}");
    let output = room.run("compare", &[&none[..], &["-t", "1", "--json"]].concat());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("none of 3 tries at the text was accepted"), "{said}");
    let compared: Value = serde_json::from_slice(&output.stdout).unwrap();
    let column = &compared["columns"][1];
    assert_eq!(
        (&column["text"], &column["finish"]["reason"]),
        (&"".into(), &"not_accepted".into())
    );
    // One text of several is no failure.
    let some = [&exact[..], &["0.05,1", "--text-tries", "3"]].concat();
    let compared = room.json("compare", &some);
    assert_eq!(compared["columns"][2]["finish"]["reason"], "not_accepted");
    assert_ne!(compared["columns"][3]["finish"]["reason"], "not_accepted");
}

#[test]
fn what_cannot_be_is_refused_in_a_sentence() {
    let room = Room::new();
    for (args, words) in [
        (&["--text-temperature", "0"][..], "at T = 0 is the likeliest of all"),
        (&["--text-temperature", "x"], "--text-temperature is \"x\""),
        (&["--text-temperature", "-1"], "--text-temperature is \"-1\""),
        (&["--text-temperature", "inf"], "--text-temperature is inf, but the largest is 3.4e38"),
        (&["--text-temperature", "1e300"], "is 1e300, but the largest is 3.4e38"),
        (&["--text-temperature", "1e-50"], "is 1e-50, but the smallest is 1.4e-45"),
        (&["--text-temperature", "0.5, 0.50"], "--text-temperature has 0.50 twice"),
        (&["--text-temperature", "0.5", "--text-particles", "1"], "number of particles is 1"),
        (&["--text-temperature", "2", "--text-method", "exact"], "at T = 2 they are larger"),
        (
            &["--text-temperature", "0.5", "--text-tries", "9"],
            "--text-tries is of --text-method exact",
        ),
        (&["--text-temperature", "0.5", "--top-k", "4"], "doesn't combine with top_k=4"),
        (&["--text-temperature", "0.5", "--choice", "a"], "doesn't combine with a constraint"),
        (&["--text-temperature", "0.5", "--proof", "x"], "doesn't combine with --proof"),
        (&["--text-particles", "4"], "--text-temperature"),
    ] {
        for verb in ["generate", "compare"] {
            let said = room.refused(verb, args);
            assert!(said.contains(words), "{verb} {args:?}: {said}");
        }
    }
    let said = room.refused("generate", &["--text-temperature", "0.5,1"]);
    assert!(said.contains("several temperatures"), "{said}");
    let said = room.refused("generate", &["--text-temperature", "0.5", "-t", "1"]);
    assert!(said.contains("leave out -t"), "{said}");
    for verb in ["generate", "compare"] {
        let said = room.refused(verb, &["--sampler", "text_temp=0.5,smc:4"]);
        assert!(said.contains("text_temp isn't a stage") && said.contains("--text-temperature"));
    }
    let said = room.refused("compare", &["--spread"]);
    assert!(said.contains("--samples 2 or more"), "{said}");
}

/// The first tokens of spread samples are as frequent as they are likely.
#[test]
fn spread_samples_repeat_each_other_less() {
    let room = Room::new();
    let args = ["-t", "0.7", "--samples", "24", "--raw", "-n", "1"];
    let firsts = |more: &[&str]| -> Vec<u64> {
        let mut command = kelvin_testkit::kelvin();
        command.args(["compare", TEXT, "--seed", "7", "--json"]).args(args).args(more);
        let output = command.arg("-m").arg(&room.model).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(found["spread"] == true, !more.is_empty());
        let first = |c: &Value| c["ids"][0].as_u64().unwrap_or(u64::MAX);
        found["columns"].as_array().unwrap().iter().map(first).collect()
    };
    let n_distinct = |mut all: Vec<u64>| {
        all.sort_unstable();
        all.dedup();
        all.len()
    };
    let (spread, plain) = (firsts(&["--spread"]), firsts(&[]));
    assert_eq!(spread[0], plain[0]);
    assert!(n_distinct(spread.clone()) >= n_distinct(plain), "{spread:?}");
    assert_eq!(spread, firsts(&["--spread"]));
}

fn server(args: &[&str]) -> Server {
    Server::tiny(&TinyModel::new(&MISTRAL_LIKE).speaking(), args)
}

fn asked(server: &Server, path: &str, body: &Value) -> Value {
    let answer = server.post(path, body);
    assert_eq!(answer.status, 200, "{}", answer.body);
    serde_json::from_str(&answer.body).unwrap()
}

/// A request has the text of the command line, whatever else runs, and counts what was computed.
#[test]
fn the_server_gives_the_texts_of_the_command_line() {
    let room = Room::new();
    // As many tries at once as on the command line: their number changes what is read, not the text.
    let server = server(&["--parallel", "16", "--threads", "2"]);
    for (flags, fields) in [
        (&["--text-particles", "4"][..], json!({ "text_particles": 4 })),
        (
            &["--text-method", "exact", "--text-tries", "100"],
            json!({ "text_method": "exact", "text_tries": 100 }),
        ),
        (
            &["--text-method", "mcmc", "--text-moves", "3", "--text-block", "2"],
            json!({ "text_method": "mcmc", "text_moves": 3, "text_block": 2 }),
        ),
    ] {
        let args =
            [&["--text-temperature", "0.9", "-t", "1", "--raw", "--samples", "3"], flags].concat();
        let found = room.json("compare", &args);
        let columns: Vec<&Value> = found["columns"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|c| c["text_temperature"].is_object())
            .collect();
        assert_eq!(columns.len(), 3);
        let body = |more: Value| {
            let mut body = json!({
                "prompt": TEXT, "text_temperature": 0.9, "seed": 7, "max_tokens": 6,
                "return_token_ids": true,
            });
            for fields in [&fields, &more] {
                body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
            }
            body
        };
        // Together, and each alone.
        let all = asked(&server, "/v1/completions", &body(json!({ "n": 3 })));
        let mut read = 0;
        for (i, column) in columns.iter().enumerate() {
            let one = asked(&server, "/v1/completions", &body(json!({ "first_sample": i })));
            for choice in [&all["choices"][i], &one["choices"][0]] {
                assert_eq!(
                    (&choice["text"], &choice["token_ids"]),
                    (&column["text"], &column["ids"])
                );
                for figure in ["method", "energy", "tokens_read"] {
                    assert_eq!(
                        choice["text_temperature"][figure],
                        column["text_temperature"][figure]
                    );
                }
            }
            let computed = &column["text_temperature"]["tokens_read"];
            assert_eq!(&one["usage"]["completion_tokens"], computed);
            read += computed.as_u64().unwrap();
        }
        assert_eq!(all["usage"]["completion_tokens"], read);
        assert!(all["kelvin"]["chains"][0].as_str().unwrap().starts_with("text_temp=0.9,"));
    }
    // In a chat as well.
    let messages = json!([{ "role": "user", "content": "ab" }]);
    let chat = json!({ "messages": messages, "text_temperature": 0.5, "max_tokens": 5, "text_particles": 3 });
    let answer = asked(&server, "/v1/chat/completions", &chat);
    assert_eq!(answer["choices"][0]["text_temperature"]["particles"], 3);
}

#[test]
fn the_server_refuses_what_cannot_be() {
    let server = server(&[]);
    for (more, param, words) in [
        (json!({ "stream": true }), "stream", "is known when all of it is drawn"),
        (json!({ "temperature": 1 }), "temperature", "can't be given beside it"),
        (json!({ "top_k": 4 }), "top_k", "can't be given beside it"),
        (json!({ "sampler": "temp=1" }), "sampler", "can't be given beside it"),
        (json!({ "logprobs": 1 }), "logprobs", "can't be given beside it"),
        (json!({ "ban_strings": ["a"] }), "ban_strings", "can't be given beside it"),
        (json!({ "structured_outputs": { "choice": ["a"] } }), "response_format", "can't be"),
        (json!({ "text_temperature": 0 }), "text_temperature", "the likeliest of all"),
        (json!({ "text_temperature": 1e300 }), "text_temperature", "from 1.4e-45 to 3.4e38"),
        (json!({ "text_method": "gibbs" }), "text_method", "\"exact\", \"smc\", \"mcmc\""),
        (json!({ "text_tries": 4 }), "text_tries", "is of \"text_method\" \"exact\""),
        (json!({ "text_particles": 1 }), "text_particles", "from 2 to 1024"),
        (json!({ "text_temperature": null, "text_moves": 2 }), "text_temperature", "is missing"),
        (
            json!({ "text_temperature": 0.05, "text_method": "exact", "text_tries": 3 }),
            "text_temperature",
            "none of 3 tries at the text was accepted",
        ),
    ] {
        let mut body =
            json!({ "prompt": "x", "text_temperature": 0.5, "max_tokens": 6, "seed": 7 });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let answer = server.post("/v1/completions", &body);
        let error: Value = serde_json::from_str(&answer.body).unwrap();
        let said = error["error"]["message"].as_str().unwrap_or_default();
        assert_eq!(
            (answer.status, &error["error"]["param"]),
            (400, &param.into()),
            "{more}: {said}"
        );
        assert!(said.contains(words), "{more}: {said}");
    }
}

/// A sweep has both kinds of temperature as columns, goes on where it stopped, and its report says
/// what both cost.
#[test]
fn sweeps_and_reports_have_both_temperatures() {
    let room = Room::new();
    let run = |args: &[&str]| {
        let mut command = kelvin_testkit::kelvin();
        command.args(args).args(["--db", "runs.db"]).current_dir(room.folder.path());
        command.env_remove("KELVIN_MODEL").env_remove("KELVIN_DB").stdin(Stdio::null());
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{args:?}: {said}");
        String::from_utf8(output.stdout).unwrap()
    };
    let model = room.model.to_str().unwrap();
    let sweep = |samples: &str, threads: &str| {
        run(&[
            "sweep",
            "-p",
            TEXT,
            "-p",
            "once",
            "--raw",
            "--text-temperature",
            "0.6,1",
            "--text-particles",
            "4",
            "--samples",
            samples,
            "-n",
            "6",
            "-m",
            model,
            "--json",
            "--threads",
            threads,
        ])
    };
    let few = sweep("2", "1");
    assert_eq!(few.lines().count(), 1 + 2 * 4 * 2 + 1, "{few}");
    let more = sweep("4", "2");
    assert_eq!(more.lines().count(), 1 + 2 * 4 * 2 + 1, "only what was missing: {more}");
    let plan: Value = serde_json::from_str(&run(&[
        "sweep",
        "-p",
        TEXT,
        "--raw",
        "--text-temperature",
        "0.6",
        "--text-particles",
        "4",
        "-t",
        "1",
        "-n",
        "6",
        "-m",
        model,
        "--json",
        "--plan",
    ]))
    .unwrap();
    assert_eq!(
        (&plan["chains"][1], &plan["most_tokens"]),
        (&"text_temp=0.6,smc:4".into(), &30.into())
    );
    // The text of a row is that of `compare`.
    let rows: Vec<Value> = more.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let compared: Value = serde_json::from_str(&run_compare(
        &room,
        &[
            "--samples",
            "4",
            "--text-temperature",
            "0.6",
            "-t",
            "1",
            "--text-particles",
            "4",
            "--raw",
            "--seed",
            "0",
            "-n",
            "6",
        ],
    ))
    .unwrap();
    let row = rows.iter().find(|row| row["prompt"] == 0 && row["chain"] == 2 && row["sample"] == 3);
    assert_eq!(row.unwrap()["text"], compared["columns"][7]["text"]);
    let report: Value = serde_json::from_str(&run(&["report", "last", "--json"])).unwrap();
    let whole = report["whole"].as_array().unwrap();
    assert_eq!(whole.len(), 4);
    assert!(whole[2]["computed"].as_f64() > whole[2]["tokens"].as_f64());
    let heat = &whole[3]["heat"];
    let figure = |name: &str| heat[name]["value"].as_f64().unwrap();
    // At T = 1 the free energy is 0 and the entropy is the energy.
    assert!(figure("free_energy") == 0.0 && (figure("entropy") - figure("energy")).abs() < 1e-9);
    let shown = run(&["runs", "show", "last"]);
    assert!(shown.contains("text_temp=0.6,smc:4") && shown.contains("computed"), "{shown}");
    run(&["runs", "export", "last", "-o", "texts.jsonl"]);
    let exported = std::fs::read_to_string(room.folder.path().join("texts.jsonl")).unwrap();
    let rows: Vec<Value> =
        exported.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of_chain = |chain: u64| rows.iter().find(|row| row["chain"] == chain).unwrap();
    assert!(
        of_chain(0)["energy"].is_null() && of_chain(0)["tokens_computed"] == of_chain(0)["tokens"]
    );
    assert!(of_chain(2)["energy"].as_f64() > Some(0.0));
    assert_eq!(of_chain(2)["temperature"], 0.6);
}

fn run_compare(room: &Room, args: &[&str]) -> String {
    let mut command = kelvin_testkit::kelvin();
    command.args(["compare", TEXT, "--json"]).args(args).arg("-m").arg(&room.model);
    let output = command.current_dir(room.folder.path()).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Spread samples of a sweep are those of `compare --spread`.
#[test]
fn sweeps_spread_their_samples() {
    let room = Room::new();
    let kelvin = |args: &[&str]| {
        let mut command = kelvin_testkit::kelvin();
        command.args(args).arg("-m").arg(&room.model).current_dir(room.folder.path());
        let output = command.env_remove("KELVIN_DB").stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let fixed = ["-t", "0.8", "--samples", "6", "-n", "4", "--raw", "--seed", "7", "--json"];
    let swept = |more: &[&str]| -> Vec<String> {
        let args = [&["sweep", "--db", "spread.db", "-p", TEXT][..], &fixed, more].concat();
        let lines = kelvin(&args);
        let rows = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let mut rows: Vec<(u64, String)> = rows
            .filter_map(|row| Some((row["sample"].as_u64()?, row["text"].as_str()?.to_string())))
            .collect();
        rows.sort_unstable();
        rows.into_iter().map(|(_, text)| text).collect()
    };
    let compared: Value =
        serde_json::from_str(&kelvin(&[&["compare", TEXT, "--spread"][..], &fixed].concat()))
            .unwrap();
    let columns: Vec<String> = compared["columns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|column| column["text"].as_str().unwrap().to_string())
        .collect();
    assert_eq!(swept(&["--spread"]), columns);
    assert_ne!(swept(&[]), columns);
}

/// `tune` has temperatures of texts among its candidates, and says what other ways choose.
#[test]
fn tune_shows_other_ways_to_choose() {
    let room = Room::new();
    let mut command = kelvin_testkit::kelvin();
    command.args(["tune", "--db", "tune.db", "-p", TEXT, "-p", "once", "-p", "abc", "--raw"]);
    command.args(["-n", "5", "--samples", "2", "--seed", "7", "--text-temperature", "0.6"]);
    command.args(["--text-particles", "3", "-t", "0.5..1.5 step 0.25", "--json"]);
    command.args(["--objective", "least surprisal", "--finalists", "2", "-m"]).arg(&room.model);
    let output = command.current_dir(room.folder.path()).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["rounds"][0]["settings"], 6);
    let beside = found["beside"].as_array().unwrap();
    let knee = beside.iter().find(|one| one["by"] == "knee").unwrap();
    assert!(knee["value"]["mean"].as_f64() > Some(0.0), "{knee}");
    // This model's entropy turns nowhere, so no temperature is named for it.
    assert!(beside.iter().all(|one| one["by"] != "turn"), "{found}");
}
