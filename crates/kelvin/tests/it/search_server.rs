//! `POST /v1/search` on a tiny model: what it finds is what `kelvin search` finds, streamed or not,
//! other requests go on beside it, and each of its bounds holds.

use std::process::Stdio;

use kelvin_testkit::{
    server::{Answer, Server},
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
        // Single stages, as on the other routes.
        (json!({ "max_tokens": 9, "top_k": 9, "temperature": 2 }), "-n 9 --tree --top-k 9 -t 2"),
        // Forms.
        (
            json!({ "max_tokens": 9, "beams": 6, "length_penalty": 0, "ignore_eos": true,
                "structured_outputs": { "regex": "([a-c]x){2,3}" } }),
            "-n 9 --tree --beams 6 --length-penalty 0 --ignore-end --regex ([a-c]x){2,3}",
        ),
        (
            json!({ "max_tokens": 7, "method": "stochastic", "beams": 3, "seed": 4,
                "structured_outputs": { "choice": ["yes", "yet", "no"] } }),
            "-n 7 --tree --method stochastic --beams 3 --seed 4 --choice yes --choice yet \
             --choice no",
        ),
        (
            json!({ "max_tokens": 30, "beams": 5, "top_k": 40, "response_format": {
                "type": "json_schema",
                "json_schema": { "schema": { "type": "array", "items": { "type": "boolean" },
                    "maxItems": 2 } } } }),
            "-n 30 --tree --beams 5 --top-k 40 --json-schema \
             {\"type\":\"array\",\"items\":{\"type\":\"boolean\"},\"maxItems\":2}",
        ),
        (
            json!({ "max_tokens": 9, "method": "best-of", "samples": 8, "seed": 3, "min_p": 0.1,
                "temperature": 3, "structured_outputs": { "regex": "[ab]{1,4}" } }),
            "-n 9 --method best-of --samples 8 --seed 3 --min-p 0.1 -t 3 --regex [ab]{1,4}",
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

/// The events of a stream, whose names are their types.
fn events(answer: &Answer) -> Vec<Value> {
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(answer.head.contains("text/event-stream"), "{}", answer.head);
    let field = |block: &str, name: &str| -> Option<String> {
        block.lines().find_map(|line| line.strip_prefix(name)).map(str::to_string)
    };
    let blocks = answer.body.split("\n\n").filter(|block| block.contains("data: "));
    let event = |block: &str| {
        let data: Value = serde_json::from_str(&field(block, "data: ").unwrap()).unwrap();
        assert_eq!(data["type"].as_str(), field(block, "event: ").as_deref(), "{block}");
        data
    };
    blocks.map(event).collect()
}

/// The answer at the end of a stream is that without one. Before it, steps tell of the nodes of its
/// tree that were kept or ended a text.
#[test]
fn steps_of_beams_are_told_as_they_come() {
    let (server, _folder) = open(&["--parallel", "6"]);
    for body in [
        json!({ "prompt": "abc", "max_tokens": 12, "tree": true }),
        json!({ "prompt": "abc", "max_tokens": 9, "method": "diverse", "beams": 6, "groups": 3,
            "stop": "e", "tree": true }),
        json!({ "prompt": "abc", "max_tokens": 9, "method": "stochastic", "beams": 5, "seed": 3,
            "structured_outputs": { "regex": "[ab]{2,7}" }, "tree": true }),
    ] {
        let whole = server.good("/v1/search", &body);
        let mut asked = body.clone();
        asked["stream"] = json!(true);
        let events = events(&server.post("/v1/search", &asked));
        let (first, last) = (&events[0], &events[events.len() - 1]);
        assert_eq!((&first["type"], &last["type"]), (&json!("search.read"), &json!("search.done")));
        assert_eq!(first["prompt_tokens"], whole["usage"]["prompt_tokens"]);
        for (key, value) in whole.as_object().unwrap().iter().filter(|(key, _)| *key != "usage") {
            assert_eq!(&last["search"][key], value, "{key} of {body}");
        }
        let steps = &events[1..events.len() - 1];
        let mut told = Vec::new();
        let mut rows = 0;
        for (i, step) in steps.iter().enumerate() {
            assert_eq!((&step["type"], &step["step"]), (&json!("search.step"), &json!(i + 1)));
            assert_eq!(step["max_tokens"], body["max_tokens"]);
            let so_far = step["rows"].as_u64().unwrap();
            assert!(so_far >= rows);
            rows = so_far;
            told.extend(step["nodes"].as_array().unwrap().iter().cloned());
        }
        assert_eq!(json!(rows), whole["rows"]);
        let tree = whole["tree"].as_array().unwrap();
        let is_told = |node: &Value| ["kept", "ended"].contains(&node["fate"].as_str().unwrap());
        let expected: Vec<Value> = tree
            .iter()
            .enumerate()
            .filter(|(_, node)| is_told(node))
            .map(|(at, node)| {
                let mut node = node.clone();
                node["node"] = json!(at);
                // Which texts are best is known at the end.
                node.as_object_mut().unwrap().remove("rank");
                node
            })
            .collect();
        assert_eq!(told, expected, "{body}");
    }
}

#[test]
fn drawn_texts_are_told_as_they_come() {
    let (server, _folder) = open(&["--parallel", "6"]);
    let body = json!({ "prompt": "abc", "max_tokens": 8, "method": "mbr", "samples": 9, "seed": 3,
        "stop": "e", "tree": true });
    let whole = server.good("/v1/search", &body);
    let mut asked = body.clone();
    asked["stream"] = json!(true);
    let events = events(&server.post("/v1/search", &asked));
    let last = &events[events.len() - 1];
    for key in ["texts", "tree", "chain", "seed", "samples"] {
        assert_eq!(last["search"][key], whole[key], "{key}");
    }
    let mut texts = vec![(String::new(), Value::Null); 9];
    for event in &events[1..events.len() - 1] {
        assert_eq!(event["type"], "search.text");
        let (text, finish) = &mut texts[event["sample"].as_u64().unwrap() as usize];
        assert!(finish.is_null(), "{event}");
        text.push_str(event["text"].as_str().unwrap());
        *finish = event["finish"].clone();
    }
    let mut found: Vec<(String, Value)> = Vec::new();
    for text in whole["texts"].as_array().unwrap() {
        let times = text["times"].as_u64().unwrap() as usize;
        let one = (text["text"].as_str().unwrap().to_string(), text["finish"].clone());
        found.extend(std::iter::repeat_n(one, times));
    }
    let sorted = |mut texts: Vec<(String, Value)>| {
        texts.sort_by_key(|(text, finish)| format!("{text} {finish}"));
        texts
    };
    assert_eq!(sorted(texts), sorted(found));
}

/// What fails while it's told ends the stream with an error.
#[test]
fn a_search_that_finds_nothing_says_so() {
    let (server, _folder) = open(&["--parallel", "6"]);
    let body = json!({ "prompt": "abc", "allowed_token_ids": [5],
        "structured_outputs": { "regex": "x" } });
    let answer = server.post("/v1/search", &body);
    let error = serde_json::from_str::<Value>(&answer.body).unwrap()["error"].clone();
    assert_eq!((answer.status, &error["param"]), (400, &json!("structured_outputs")), "{error}");
    let mut asked = body.clone();
    asked["stream"] = json!(true);
    let told = events(&server.post("/v1/search", &asked));
    assert_eq!(told[told.len() - 1], json!({ "type": "error", "error": error }));
    // What is refused before it begins is no stream.
    asked["beams"] = json!(7);
    assert_eq!(server.post("/v1/search", &asked).status, 400);
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
        (json!({ "prompt": ["a", "b"] }), "prompt", "2 texts, but a search takes one"),
        (json!({ "prompt": "a", "method": "astar" }), "method", "one of \"beam\""),
        (json!({ "prompt": "a", "beams": 0 }), "beams", "from 1 to 256"),
        (json!({ "prompt": "a", "beams": 7 }), "beams", "more than the 6 texts"),
        (json!({ "prompt": "a", "samples": 5 }), "samples", "is for best-of or mbr"),
        (json!({ "prompt": "a", "method": "mbr", "samples": 1 }), "samples", "at least 2 texts"),
        (json!({ "prompt": "a", "method": "mbr", "samples": 129 }), "samples", "1 to 128"),
        (
            json!({ "prompt": "a", "method": "diverse", "beams": 4, "groups": 3 }),
            "groups",
            "can't be divided",
        ),
        (json!({ "prompt": "a", "method": "diverse", "beams": 3 }), "beams", "can't be divided"),
        (json!({ "prompt": "a", "diversity_penalty": 0 }), "diversity_penalty", "above 0"),
        (json!({ "prompt": "a", "length_penalty": 11 }), "length_penalty", "from -10 to 10"),
        (json!({ "prompt": "a", "early_stopping": "soon" }), "early_stopping", "\"never\""),
        (json!({ "prompt": "a", "sampler": "xtc=0.5" }), "sampler", "is random"),
        (json!({ "prompt": "a", "sampler": "temp=1", "top_k": 3 }), "sampler", "a whole chain"),
        (json!({ "prompt": "a", "temperatures": [1, 2] }), "temperatures", "isn't supported"),
        (json!({ "prompt": "a", "think": 3 }), "think", "is for best-of or mbr"),
        (json!({ "prompt": "a", "method": "mbr", "think": 3 }), "think", "reasoning"),
        (
            json!({ "prompt": "a", "response_format": { "type": "json_object" },
                "structured_outputs": { "regex": "a" } }),
            "structured_outputs",
            "can't be given together",
        ),
        (
            json!({ "prompt": "a", "structured_outputs": { "regex": "[" } }),
            "structured_outputs",
            "can't be used",
        ),
        (
            json!({ "prompt": "a", "method": "mbr", "sampler": "strings: temp=1; temp=2" }),
            "sampler",
            "a place in JSON",
        ),
        (
            json!({ "prompt": "a", "sampler": "after 2: temp=1; temp=2" }),
            "sampler",
            "takes one chain",
        ),
        (json!({ "prompt": "a", "max_tokens": 0 }), "max_tokens", "at least one token"),
        (
            json!({ "prompt": "a", "max_tokens": 0, "method": "mbr" }),
            "max_tokens",
            "at least one token",
        ),
        (json!({ "prompt": "a", "max_tokens": 999 }), "max_tokens", "has room for 253"),
        (json!({ "prompt": "a".repeat(300) }), "prompt", "at least one of them new"),
        (
            json!({ "prompt": "a", "method": "mbr", "samples": 128, "max_tokens": 200 }),
            "max_tokens",
            "computed for a request",
        ),
        (json!({ "prompt": "a", "min_tokens": 3 }), "min_tokens", "isn't supported"),
    ] {
        let answer = server.post("/v1/search", &body);
        assert_eq!(answer.status, 400, "{body}: {}", answer.body);
        let error = serde_json::from_str::<Value>(&answer.body).unwrap()["error"].clone();
        assert_eq!(error["param"], json!(param), "{body}: {error}");
        assert!(error["message"].as_str().unwrap().contains(words), "{words}: {error}");
    }
}
