//! Searches on a real model: ranks, determinism, and how a wide beam compares with what is drawn.

use kelvin_testkit::models;
use serde_json::Value;

const STORY: &str = "Once upon a time";

fn search(args: &[&str]) -> Value {
    let mut command = kelvin_testkit::kelvin();
    command.env("KELVIN_MODELS", models::folder()).env_remove("KELVIN_MODEL");
    let output = command.args(["search", STORY]).args(args).args(["--json", "--offline"]).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn best(answer: &Value) -> f64 {
    answer["texts"][0]["logprob"].as_f64().unwrap()
}

#[test]
fn beams_find_likelier_texts_than_greedy_and_than_draws() {
    let ask = ["-n", "16", "--ignore-end", "--length-penalty", "0"];
    let greedy = search(&[&ask[..], &["--beams", "1"]].concat());
    let beams = search(&[&ask[..], &["--beams", "8"]].concat());
    assert!(best(&beams) > best(&greedy), "{} {}", best(&beams), best(&greedy));
    let drawn = search(&[
        "-n",
        "16",
        "--ignore-end",
        "--method",
        "best-of",
        "--by",
        "sum",
        "--samples",
        "32",
        "-s",
        "7",
    ]);
    assert!(best(&beams) > best(&drawn), "{} {}", best(&beams), best(&drawn));
}

#[test]
fn a_search_finds_equal_bits_on_any_number_of_threads() {
    for method in [
        &["--beams", "4", "--tree"][..],
        &["--method", "diverse", "--beams", "4"],
        &["--method", "stochastic", "--beams", "4", "-s", "7"],
        &["--method", "mbr", "--samples", "6", "-s", "7"],
    ] {
        let of = |threads: &str| search(&[&["-n", "8", "--threads", threads], method].concat());
        let expected = of("1");
        for threads in ["2", "3"] {
            assert_eq!(of(threads), expected, "{method:?}, {threads} threads");
        }
    }
}

#[cfg(feature = "semantic")]
#[test]
fn minimum_risk_may_compare_meanings() {
    let ask = ["-n", "20", "--method", "mbr", "--samples", "6", "-s", "7", "--utility", "meaning"];
    let answer = search(&ask);
    let texts = answer["texts"].as_array().unwrap();
    assert!(texts.iter().all(|text| text["score"].as_f64().unwrap() < 1.0));
    assert_eq!(answer["utility"], "meaning");
}
