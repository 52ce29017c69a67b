//! `--text-temperature` and `--spread` from outside, on a tiny model.

use std::{
    path::PathBuf,
    process::{Output, Stdio},
};

use kelvin_testkit::tiny::{MISTRAL_LIKE, TinyModel};
use serde_json::Value;

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
    let compared = room.json("compare", &[&none[..], &["-t", "1"]].concat());
    let column = &compared["columns"][1];
    assert_eq!(
        (&column["text"], &column["finish"]["reason"]),
        (&"".into(), &"not_accepted".into())
    );
}

#[test]
fn what_cannot_be_is_refused_in_a_sentence() {
    let room = Room::new();
    for (args, words) in [
        (&["--text-temperature", "0"][..], "at T = 0 is the likeliest of all"),
        (&["--text-temperature", "x"], "--text-temperature is \"x\""),
        (&["--text-temperature", "inf"], "--text-temperature is \"inf\""),
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
