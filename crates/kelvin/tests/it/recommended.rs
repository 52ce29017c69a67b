//! The sampling settings that a model file recommends: shown, used where somebody asks for them,
//! never otherwise; and `models check`. Very small models of random weights, no download.

use std::path::{Path, PathBuf};

use assert_cmd::Command;
use kelvin_testkit::{
    server::Server,
    tiny::{MISTRAL_LIKE, Meta, TinyModel},
};
use serde_json::{Value, json};

/// What [`TinyModel::recommending`] comes to.
const CHAIN: &str = "top_k=20 | top_p=0.95 | temp=0.6";

/// A model file that goes away with this value.
struct File(PathBuf);

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn silent() -> File {
    File(TinyModel::new(&MISTRAL_LIKE).speaking().write())
}

fn recommending() -> File {
    File(TinyModel::new(&MISTRAL_LIKE).speaking().recommending().write())
}

/// Exit code, standard output, standard error.
fn kelvin(args: &[&str], input: &str) -> (i32, String, String) {
    let mut command = Command::cargo_bin("kelvin").unwrap();
    command.env_remove("KELVIN_MODEL").args(args).write_stdin(input);
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// The JSON of a verb with a model, and what it said beside.
#[track_caller]
fn answer(file: &File, args: &[&str], input: &str) -> (Value, String) {
    let (code, out, said) = kelvin(&[args, &["--json", "-m", text(&file.0)]].concat(), input);
    assert_eq!(code, 0, "{args:?}: {said}");
    (serde_json::from_str(&out).unwrap(), said)
}

fn models(server: &Server) -> Value {
    serde_json::from_str(&server.exchange("GET", "/v1/models", "", "").body).unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn inspect_shows_them() {
    let file = recommending();
    let (found, _) = answer(&file, &["inspect"], "");
    let settings = json!({ "temp": 0.6, "top_k": 20, "top_p": 0.95 });
    assert_eq!(found["recommended"], json!({ "settings": settings, "chain": CHAIN }));
    let (_, shown, _) = kelvin(&["inspect", text(&file.0)], "");
    assert!(shown.contains(&format!("recommended    {CHAIN}")), "{shown}");
    assert!(answer(&silent(), &["inspect"], "").0.get("recommended").is_none());
}

#[test]
fn generate_starts_from_them_only_where_it_is_told_to() {
    let file = recommending();
    let common = ["generate", "Once upon", "-n", "12", "--seed", "7"];
    let with = |more: &[&str]| answer(&file, &[&common, more].concat(), "");
    let (plain, said) = with(&[]);
    assert_eq!(plain["chain"], "temp=1");
    assert!(!said.contains("recommend"), "{said}");
    let (own, said) = with(&["--recommended"]);
    assert_eq!(own["chain"], CHAIN);
    assert!(said.contains(&format!("The model file recommends {CHAIN}")), "{said}");
    assert_eq!(own["text"], with(&["--sampler", CHAIN]).0["text"]);
    // Flags replace its settings one by one.
    let (changed, said) = with(&["--recommended", "-t", "1.5", "--top-k", "3", "--min-p", "0.1"]);
    let expected = "top_k=3 | top_p=0.95 | min_p=0.1 | temp=1.5";
    assert_eq!(changed["chain"], expected);
    assert!(said.contains(&format!("the chain is {expected}.")), "{said}");

    let path = text(&file.0);
    for other in [["--sampler", "temp=1"], ["--profile", "vllm"]] {
        let (code, _, said) =
            kelvin(&[&["generate", "x", "-m", path, "--recommended"][..], &other].concat(), "");
        assert!(code == 2 && said.contains("cannot be used with"), "{said}");
    }
    let silent = silent();
    let (code, _, said) = kelvin(&["generate", "x", "-m", text(&silent.0), "--recommended"], "");
    assert!(code == 2 && said.contains("recommends no sampling settings"), "{said}");
    let mut wrong = TinyModel::new(&MISTRAL_LIKE).speaking();
    wrong.metadata.push(("general.sampling.min_p".into(), Meta::F32(7.0)));
    let wrong = File(wrong.write());
    let (code, _, said) = kelvin(&["generate", "x", "-m", text(&wrong.0), "--recommended"], "");
    assert!(code == 2 && said.contains("--recommended: min_p: 7"), "{said}");
}

#[test]
fn chat_starts_from_them() {
    let file = recommending();
    let args = ["chat", "-n", "4", "--seed", "7"];
    let (turn, _) = answer(&file, &args, "Hi\n");
    assert_eq!(turn["chain"], "temp=1");
    let (turn, said) = answer(&file, &[&args[..], &["--recommended"]].concat(), "/temp 2\nHi\n");
    assert_eq!(turn["chain"], CHAIN.replace("0.6", "2"));
    assert!(said.contains(CHAIN), "{said}");
}

#[test]
fn compare_has_a_column_of_them() {
    let file = recommending();
    let args = ["compare", "Once upon", "--raw", "-n", "8", "--seed", "7", "-t", "0.5,1"];
    let (plain, _) = answer(&file, &args, "");
    let recommended = [&args[..], &["--recommended"]].concat();
    let (found, said) = answer(&file, &recommended, "");
    assert!(said.contains(&format!("The model file recommends {CHAIN}")), "{said}");
    let columns = found["columns"].as_array().unwrap();
    assert_eq!((columns.len(), plain["columns"].as_array().unwrap().len()), (3, 2));
    // The others are as they are without it.
    assert_eq!(json!(columns[..2]), plain["columns"]);
    let last = &columns[2];
    assert_eq!((&last["chain"], &last["recommended"]), (&json!(CHAIN), &json!(true)));
    assert_eq!(last["temperature"], 0.6);
    let one = ["generate", "Once upon", "-n", "8", "--seed", "7", "--sampler", CHAIN];
    assert_eq!(last["text"], answer(&file, &one, "").0["text"]);

    let with_model = [&recommended[..], &["-m", text(&file.0)]].concat();
    let (_, shown, _) = kelvin(&with_model, "");
    assert!(shown.contains("T = 0.6, recommended"), "{shown}");
    // Equal runs print equal bytes, unless speed is asked for.
    assert!(!shown.contains("tokens/s"), "{shown}");
    let (_, shown, _) = kelvin(&[&with_model[..], &["--timings"]].concat(), "");
    assert!(shown.contains("distinct-2  tokens/s") && shown.contains("all together"), "{shown}");
}

#[test]
fn a_server_shows_them_and_starts_from_them_where_it_is_told_to() {
    let model = TinyModel::new(&MISTRAL_LIKE).speaking().recommending();
    for applied in [false, true] {
        let flags: &[&str] = if applied { &["--recommended"] } else { &[] };
        let server = Server::tiny(&model, flags);
        let models = models(&server);
        let settings = json!({ "temp": 0.6, "top_k": 20, "top_p": 0.95 });
        assert_eq!(
            models["data"][0]["recommended"],
            json!({ "settings": settings, "chain": CHAIN, "applied": applied })
        );
        assert_eq!(server.log().contains(CHAIN), applied, "{}", server.log());
        let chain = |body: Value| {
            let mut body = body;
            body["prompt"] = "Once".into();
            body["max_tokens"] = 2.into();
            server.good("/v1/completions", &body)["kelvin"]["chains"][0].clone()
        };
        let or = |with: &str, without: &str| json!(if applied { with } else { without });
        assert_eq!(chain(json!({})), or(CHAIN, "temp=1"));
        assert_eq!(
            chain(json!({ "temperature": 2, "top_k": 3 })),
            or("top_k=3 | top_p=0.95 | temp=2", "temp=2 | top_k=3")
        );
        // Who names a chain or a profile gets that.
        assert_eq!(chain(json!({ "sampler": "temp=0.1" })), "temp=0.1");
        assert_eq!(chain(json!({ "profile": "kelvin" })), "temp=1");
    }
    let server = Server::tiny(&TinyModel::new(&MISTRAL_LIKE).speaking(), &[]);
    assert!(models(&server)["data"][0].get("recommended").is_none());
}

#[test]
fn tune_has_them_among_its_candidates() {
    let settings = |file: &File| {
        let (rounds, said) = answer(file, &["tune", "-p", "Once", "--plan"], "");
        (rounds[0]["settings"].as_u64().unwrap(), said.contains("which the model file recommends"))
    };
    assert_eq!(settings(&silent()), (35, false));
    assert_eq!(settings(&recommending()), (36, true));
}

#[test]
fn a_check_says_what_a_model_is_and_whether_it_runs() {
    let file = recommending();
    let (code, out, said) = kelvin(&["models", "check", text(&file.0), "--json"], "");
    assert_eq!(code, 0, "{said}");
    let found: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&found["runs"], &found["problems"]), (&json!(true), &json!([])));
    assert_eq!((&found["architecture"], &found["context"]), (&json!("llama"), &json!(256)));
    assert_eq!(found["recommended"]["chain"], CHAIN);
    assert!(found["memory"]["weights"].as_u64().unwrap() > 0, "{found}");
    // The context is shorter than the text for which memory is said otherwise.
    assert_eq!(found["memory"]["kv_cache"], found["memory"]["kv_cache_of_context"]);
    assert!(found["speed"]["decode_at_most"].as_f64().unwrap() > 0.0, "{found}");
    let (_, shown, _) = kelvin(&["models", "check", text(&file.0)], "");
    for expected in ["runs here", "yes", "weights", "at most", CHAIN] {
        assert!(shown.contains(expected), "{shown}");
    }

    // Odd, but it runs.
    let mut odd = TinyModel::new(&MISTRAL_LIKE).speaking();
    odd.metadata.retain(|(key, _)| key != "tokenizer.chat_template");
    let odd = File(odd.write());
    let (code, shown, said) = kelvin(&["models", "check", text(&odd.0)], "");
    assert_eq!(code, 0, "{said}");
    assert!(shown.contains("odd") && shown.contains("no chat template"), "{shown}");

    // A tensor that nobody reads makes another model of it.
    let mut refused = TinyModel::new(&MISTRAL_LIKE).speaking();
    refused.tensors.push(("blk.0.attn_magic.weight".into(), vec![4], vec![0.0; 4]));
    let refused = File(refused.write());
    let (code, shown, said) = kelvin(&["models", "check", text(&refused.0)], "");
    assert!(code == 1 && said.contains("doesn't run here"), "{said}");
    assert!(shown.contains("problem") && shown.contains("attn_magic"), "{shown}");
    let (code, _, said) = kelvin(&["models", "check", "no/such.gguf"], "");
    assert!(code != 0 && said.contains("no/such.gguf"), "{said}");
}
