//! Requests answered in the process, as in a browser's tab, beside those of a server: equal bytes
//! but for times. The page of `studio --static`.

use std::{collections::BTreeMap, fs, time::Duration};

use kelvin_engine::{Engine, batch::Guesses, chat::Day, transformer::ModelOptions};
use kelvin_server::{Budget, Local, Options, Piece};
use kelvin_testkit::{
    server::Server,
    tiny::{MISTRAL_LIKE, TinyModel},
};
use serde_json::{Value, json};

const LIMIT: usize = 250;

fn local(path: &std::path::Path, name: &str) -> Local {
    let options = ModelOptions { threads: 1, isa: None };
    let engine = Engine::open(path, &options, &mut |_, _| ()).unwrap();
    let options = Options {
        names: vec![name.to_string()],
        sha256: None,
        cache: Default::default(),
        guesses: Guesses::Off,
        draft_model: None,
        calibration: None,
        limit: LIMIT,
        room: Budget { n_texts: 16, n_pages: 200 },
        queue: 8,
        key: None,
        day: Day::Today,
        starts_recommended: false,
        origins: Vec::new(),
        connections: 1,
        patience: Duration::from_secs(10),
        drain: Duration::ZERO,
        menu: Default::default(),
        sessions: None,
    };
    Local::new(engine, options).unwrap()
}

/// Status and body of every request, which run together.
fn answers(local: &mut Local, asked: &[(&str, Option<Value>)]) -> Vec<(u16, String)> {
    let numbers: Vec<u32> = (asked.iter())
        .map(|(path, body)| local.request(path, body.as_ref().map(|b| b.to_string().into())))
        .map(Option::unwrap)
        .collect();
    let mut found: BTreeMap<u32, (u16, Vec<u8>)> = BTreeMap::new();
    let mut goes_on = true;
    while goes_on {
        goes_on = local.turn();
        for &number in &numbers {
            while let Some(piece) = local.piece(number) {
                let answer = found.entry(number).or_default();
                match piece {
                    Piece::Head { status, .. } => answer.0 = status,
                    Piece::Body(bytes) => answer.1.extend(bytes),
                    Piece::End => break,
                }
            }
        }
    }
    let text = |(status, bytes)| (status, String::from_utf8(bytes).unwrap());
    found.into_values().map(text).collect()
}

/// An answer without the times in it.
fn timeless(text: &str) -> String {
    let mut parts = text.split("\"timings\":{");
    let mut out = parts.next().unwrap_or_default().to_string();
    parts.for_each(|part| out.push_str(part.split_once('}').unwrap().1));
    out
}

#[test]
fn a_request_in_the_process_has_the_bytes_of_the_server() {
    let path = TinyModel::new(&MISTRAL_LIKE).speaking().write();
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let limit = LIMIT.to_string();
    let server = Server::of_file(&path, &["--ctx-size", &limit, "--threads", "2"]);
    let mut local = local(&path, &name);
    fs::remove_file(path).unwrap();
    let columns: Value = [("temp=1", 3), ("min_p=0.05 | temp=2", 3), ("mirostat=5,eta:0.1", 9)]
        .map(|(sampler, seed)| json!({ "sampler": sampler, "seed": seed }))
        .as_slice()
        .into();
    let asked = [
        ("/studio/model", None),
        ("/studio/stages", None),
        ("/studio/nowhere", None),
        ("/studio/next", Some(json!({ "prompt": "a b", "sampler": "temp=2", "seed": 1 }))),
        ("/studio/next", Some(json!({ "prompt": "a b", "sampler": "no_such=2" }))),
        ("/studio/softmax", Some(json!({ "logits": [1, 2, 3.5], "temperature": 0.7 }))),
        ("/v1/search", Some(json!({ "prompt": "abc", "max_tokens": 9, "tree": true }))),
        (
            "/v1/search",
            Some(json!({ "prompt": "abc", "max_tokens": 5, "method": "mbr", "samples": 20,
                "seed": 1, "tree": true })),
        ),
        ("/studio/write", Some(json!({ "prompt": "a b", "max_tokens": 20, "columns": columns }))),
    ];
    let found = answers(&mut local, &asked);
    assert_eq!(found.len(), asked.len());
    for ((path, body), (status, text)) in asked.iter().zip(found) {
        let answer = match body {
            Some(body) => server.exchange("POST", path, "", &body.to_string()),
            None => server.exchange("GET", path, "", ""),
        };
        assert_eq!(status, answer.status, "{path}");
        if path.ends_with("/write") {
            assert!(text.ends_with("data: [DONE]\n\n") && text.contains("\"finish\""), "{text}");
            // What the prefix cache has of a prompt depends on what was read before.
            let is_event =
                |line: &&str| line.starts_with("data: ") && !line.contains("cached_tokens");
            let events = |text: &str| -> Vec<String> {
                text.lines().filter(is_event).map(timeless).collect()
            };
            assert_eq!(events(&text), events(&answer.body), "{path}");
        } else {
            // What the prefix cache has depends on what was read before; the menu of models and the
            // run are the server's.
            let end = if *path == "/studio/model" { "\"models\"" } else { "\"cached_tokens\"" };
            let cut = |text: &str| text.split(end).next().map(str::to_string);
            assert_eq!(cut(&text), cut(&answer.body), "{path}");
        }
    }
}

/// A form is compiled in the process; one that can't be compiled is refused.
#[test]
fn a_form_holds_in_the_process() {
    let path = TinyModel::new(&MISTRAL_LIKE).speaking().write();
    let mut local = local(&path, "tiny");
    fs::remove_file(path).unwrap();
    let ask = |form: Value| json!({ "prompt": "a b", "max_tokens": 9, "structured_outputs": form });
    let asked = [
        ("/v1/completions", Some(ask(json!({ "choice": ["ab", "ba"] })))),
        ("/v1/completions", Some(ask(json!({ "regex": "[" })))),
    ];
    let found = answers(&mut local, &asked);
    let answer: Value = serde_json::from_str(&found[0].1).unwrap();
    let text = answer["choices"][0]["text"].as_str().unwrap_or_default();
    assert!(found[0].0 == 200 && ["ab", "ba"].contains(&text), "{}", found[0].1);
    assert!(found[1].0 == 400 && found[1].1.contains("structured_outputs"), "{}", found[1].1);
}

#[test]
fn a_cancelled_request_leaves_nothing_to_do() {
    let path = TinyModel::new(&MISTRAL_LIKE).speaking().write();
    let mut local = local(&path, "tiny");
    fs::remove_file(path).unwrap();
    assert_eq!(local.request("no path", None), None);
    let body = json!({ "prompt": "a b", "max_tokens": 200, "columns": [{ "sampler": "temp=1" }] });
    let number = local.request("/studio/write", Some(body.to_string().into())).unwrap();
    assert!(local.turn() && local.turn());
    local.cancel(number);
    while local.turn() {}
    assert_eq!(local.piece(number), None);
}

#[test]
fn the_static_page_is_whole_and_names_its_model() {
    let folder = tempfile::tempdir().unwrap();
    let model = TinyModel::new(&MISTRAL_LIKE).speaking().write();
    let (page, module) = (folder.path().join("page"), folder.path().join("kelvin.wasm"));
    let run = |module: &std::path::Path| {
        let mut command = kelvin_testkit::kelvin();
        command.args(["studio", "--offline", "--static"]).arg(&page);
        command.arg("--engine").arg(module).arg("--model").arg(&model).output().unwrap()
    };
    fs::write(&module, b"not a module").unwrap();
    let output = run(&module);
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && words.contains("no module of WebAssembly"), "{words}");
    fs::write(&module, b"\0asm\x01\0\0\0").unwrap();
    let output = run(&module);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let about: Value = serde_json::from_slice(&fs::read(page.join("model.json")).unwrap()).unwrap();
    let size = fs::metadata(&model).unwrap().len();
    assert_eq!((&about["file"], about["size"].as_u64()), (&json!("model.gguf"), Some(size)));
    assert_eq!(fs::metadata(page.join("model.gguf")).unwrap().len(), size);
    let index = fs::read_to_string(page.join("index.html")).unwrap();
    assert!(!index.contains("\"/"), "addresses are relative: {index}");
    for part in index.split('"').filter(|part| part.starts_with("web/")) {
        assert!(page.join(part).is_file(), "{part}");
    }
    let pieces = about["pieces"].as_array().unwrap();
    assert_eq!((pieces.len(), &pieces[0]), (1, &about["sha256"]), "a small file is one piece");
    let worker = fs::read_to_string(page.join("offline.js")).unwrap();
    assert!(worker.contains("\"kelvin.wasm\":") && !worker.contains("model.gguf\":"), "{worker}");
    let manifest = fs::read(page.join("manifest.webmanifest")).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    assert_eq!(manifest["start_url"], "./");
    let transport = fs::read_to_string(page.join("web/transport.js")).unwrap();
    assert!(transport.contains("./tab/transport.js"), "{transport}");
    fs::remove_file(model).unwrap();
}
