//! `POST /v1/search` on a tiny model: what it finds is what `kelvin search` finds, other requests
//! go on beside it, and each of its bounds holds.

use std::process::Stdio;

use kelvin_testkit::{
    server::Server,
    tiny::{MISTRAL_LIKE, TinyModel},
};
use serde_json::{Value, json};

/// A server of a tiny model, and the same model's file.
fn open(args: &[&str]) -> (Server, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = TinyModel::new(&MISTRAL_LIKE).speaking().write_in(folder.path());
    std::fs::rename(path, folder.path().join("tiny.gguf")).unwrap();
    (Server::of_file(&folder.path().join("tiny.gguf"), args), folder)
}

/// What the command line finds.
fn line(folder: &tempfile::TempDir, args: &[&str]) -> Value {
    let mut command = kelvin_testkit::kelvin();
    command.args(["search", "abc", "--json", "-m", "tiny.gguf"]).args(args);
    let output =
        command.current_dir(folder.path()).stdin(Stdio::null()).env_remove("KELVIN_MODEL").output();
    let output = output.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_search_finds_what_the_command_line_finds() {
    let (server, folder) = open(&["--parallel", "6"]);
    for (body, args) in [
        (json!({ "max_tokens": 12 }), "-n 12 --tree"),
        (
            json!({ "max_tokens": 12, "beams": 5, "length_penalty": 0, "early_stopping": "never" }),
            "-n 12 --tree --beams 5 --length-penalty 0 --early-stopping never",
        ),
        (
            json!({ "max_tokens": 9, "method": "diverse", "beams": 6, "groups": 3,
                "diversity_penalty": 2.5, "stop": ["e", "xyz"] }),
            "-n 9 --tree --method diverse --beams 6 --groups 3 --diversity-penalty 2.5 --stop e \
             --stop xyz",
        ),
        (
            json!({ "max_tokens": 8, "method": "stochastic", "beams": 6, "seed": 7,
                "temperature": 1.5, "ignore_eos": true }),
            "-n 8 --tree --method stochastic --beams 6 --seed 7 -t 1.5 --ignore-end",
        ),
        (
            json!({ "max_tokens": 9, "sampler": "top_k=9 | temp=2" }),
            "-n 9 --tree --sampler top_k=9|temp=2",
        ),
        // More texts than run at once.
        (
            json!({ "max_tokens": 5, "method": "best-of", "samples": 20, "seed": 3, "by": "sum" }),
            "-n 5 --method best-of --samples 20 --seed 3 --by sum",
        ),
        (
            json!({ "max_tokens": 6, "method": "mbr", "samples": 9, "seed": 3,
                "sampler": "after 3: temp=0.2; temp=2" }),
            "-n 6 --method mbr --samples 9 --seed 3 --sampler",
        ),
    ] {
        let mut asked = body.clone();
        asked["prompt"] = json!("abc");
        asked["tree"] = json!(true);
        let found = server.good("/v1/search", &asked);
        let mut args: Vec<&str> = args.split_whitespace().collect();
        if args.last() == Some(&"--sampler") {
            args.push(body["sampler"].as_str().unwrap());
        }
        let said = line(&folder, &args);
        for key in ["texts", "method", "score", "beams", "groups", "samples", "chain", "seed"] {
            assert_eq!(found[key], said[key], "{key} of {body}");
        }
        assert_eq!((&found["steps"], &found["rows"]), (&said["steps"], &said["rows"]), "{body}");
        if args.contains(&"--tree") {
            assert_eq!(found["tree"], said["tree"], "{body}");
            assert_eq!(found["usage"]["completion_tokens"], said["rows"]);
        } else {
            is_the_tree_of(&found);
        }
    }
}

/// The tree of drawn texts has each text as the way to its rank, shared beginnings once, and counts
/// the texts that go through each token.
fn is_the_tree_of(found: &Value) {
    let tree = found["tree"].as_array().unwrap();
    let mut ways = std::collections::BTreeSet::new();
    for (i, text) in found["texts"].as_array().unwrap().iter().enumerate() {
        let last = tree.iter().position(|node| node["rank"] == json!(i + 1)).unwrap();
        let mut path = vec![last];
        while let Some(up) = tree[path[path.len() - 1]]["parent"].as_u64() {
            path.push(up as usize);
        }
        path.reverse();
        let ids: Vec<&Value> = path.iter().map(|&node| &tree[node]["ids"][0]).collect();
        let own = text["ids"].as_array().unwrap();
        assert!(own.iter().zip(&ids).all(|(a, b)| a == *b), "{text}");
        assert_eq!(path.len() as u64, text["tokens"].as_u64().unwrap(), "{text}");
        let (a, b) = (&tree[last]["logprob"], &text["logprob"]);
        assert!((a.as_f64().unwrap() - b.as_f64().unwrap()).abs() < 1e-9, "{a} {b}");
        assert!(tree[last]["times"].as_u64() >= text["times"].as_u64());
        ways.insert(format!("{ids:?}"));
    }
    let of: u64 = tree
        .iter()
        .filter(|node| node["parent"].is_null())
        .map(|node| node["times"].as_u64().unwrap())
        .sum();
    assert_eq!(Some(of), found["samples"].as_u64());
    let mut places: Vec<String> =
        tree.iter().map(|node| format!("{} {}", node["parent"], node["ids"])).collect();
    places.sort();
    places.dedup();
    assert_eq!(places.len(), tree.len(), "what is shared is there once");
}

#[test]
fn a_search_goes_on_beside_others_and_changes_none() {
    let (server, _folder) = open(&["--parallel", "6"]);
    let search = json!({ "prompt": "abc", "beams": 4, "max_tokens": 60, "tree": true });
    let text = json!({ "prompt": "b a", "max_tokens": 40, "seed": 1 });
    let (alone, drawn) =
        (server.good("/v1/search", &search), server.good("/v1/completions", &text));
    let of = |answer: &Value| (answer["texts"].clone(), answer["tree"].clone());
    std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..3).map(|_| scope.spawn(|| server.good("/v1/search", &search))).collect();
        let texts: Vec<_> =
            (0..3).map(|_| scope.spawn(|| server.good("/v1/completions", &text))).collect();
        for one in threads {
            assert_eq!(of(&one.join().unwrap()), of(&alone));
        }
        for one in texts {
            assert_eq!(one.join().unwrap()["choices"], drawn["choices"]);
        }
    });
    // Somebody who leaves gives the room back.
    let body = json!({ "prompt": "abc", "beams": 6, "max_tokens": 200 });
    drop(server.send("POST", "/v1/search", "", &body.to_string()));
    server.wait_for("kelvin_requests_running", 0.0);
    assert_eq!(of(&server.good("/v1/search", &search)), of(&alone));
}

#[test]
fn each_bound_of_a_search_holds() {
    let (server, _folder) = open(&["--parallel", "6"]);
    for (body, param, words) in [
        (json!({}), "prompt", "either \"prompt\" or \"messages\""),
        (json!({ "prompt": "" , "add_special_tokens": false }), "prompt", "no tokens"),
        (json!({ "prompt": ["a", "b"] }), "prompt", "at most 1"),
        (json!({ "prompt": "a", "method": "astar" }), "method", "one of \"beam\""),
        (json!({ "prompt": "a", "beams": 0 }), "beams", "from 1 to 256"),
        (json!({ "prompt": "a", "beams": 7 }), "beams", "more than the 6 texts"),
        (json!({ "prompt": "a", "samples": 5 }), "samples", "is for best-of or mbr"),
        (json!({ "prompt": "a", "method": "mbr", "samples": 1 }), "samples", "at least 2 texts"),
        (json!({ "prompt": "a", "method": "mbr", "samples": 129 }), "samples", "1 to 128"),
        (
            json!({ "prompt": "a", "method": "diverse", "beams": 4, "groups": 3 }),
            "method",
            "can't be divided",
        ),
        (json!({ "prompt": "a", "diversity_penalty": 0 }), "diversity_penalty", "above 0"),
        (json!({ "prompt": "a", "length_penalty": 11 }), "length_penalty", "from -10 to 10"),
        (json!({ "prompt": "a", "early_stopping": "soon" }), "early_stopping", "\"never\""),
        (json!({ "prompt": "a", "sampler": "xtc=0.5" }), "sampler", "is random"),
        (
            json!({ "prompt": "a", "sampler": "after 2: temp=1; temp=2" }),
            "sampler",
            "takes one chain",
        ),
        (json!({ "prompt": "a", "max_tokens": 0 }), "method", "at least one token"),
        (
            json!({ "prompt": "a", "max_tokens": 0, "method": "mbr" }),
            "max_tokens",
            "at least one token",
        ),
        (json!({ "prompt": "a", "max_tokens": 999 }), "prompt", "room for 256"),
        (
            json!({ "prompt": "a", "method": "mbr", "samples": 128, "max_tokens": 200 }),
            "max_tokens",
            "computed for a request",
        ),
        (json!({ "prompt": "a", "top_k": 3 }), "top_k", "isn't supported"),
    ] {
        let answer = server.post("/v1/search", &body);
        assert_eq!(answer.status, 400, "{body}: {}", answer.body);
        let error = serde_json::from_str::<Value>(&answer.body).unwrap()["error"].clone();
        assert_eq!(error["param"], json!(param), "{body}: {error}");
        assert!(error["message"].as_str().unwrap().contains(words), "{words}: {error}");
    }
}
