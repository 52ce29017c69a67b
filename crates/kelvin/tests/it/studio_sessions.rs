//! Sessions of the studio on the server's disk, on a tiny model: what is written is read, also by
//! the next server; of two writers the second is refused; and each bound holds.

use std::{fs, path::Path};

use kelvin_testkit::{
    server::Server,
    tiny::{MISTRAL_LIKE, TinyModel},
};
use serde_json::{Value, json};

fn server(folder: &Path) -> Server {
    let folder = folder.to_str().unwrap();
    Server::tiny(&TinyModel::new(&MISTRAL_LIKE).speaking(), &["--sessions", folder])
}

fn head(id: &str, revision: u64) -> Value {
    json!({
        "id": id, "name": "Tea", "model": "tiny", "changed": 1, "n_tokens": 3, "excerpt": "Tea is",
        "revision": revision, "how": { "chain": "temp=1", "t": 1, "seed": 7 },
    })
}

/// A write of these parts.
fn writing(id: &str, revision: u64, parts: Value, n_parts: usize) -> Value {
    json!({
        "head": head(id, revision), "state": format!("{{\"leaf\":{revision}}}"), "parts": parts,
        "n_parts": n_parts,
    })
}

fn read(server: &Server, id: &str) -> Value {
    server.good("/studio/sessions/read", &json!({ "id": id }))
}

#[track_caller]
fn refused(server: &Server, path: &str, body: &Value, status: u16, code: &str) {
    let answer = server.post(path, body);
    let error: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!((answer.status, error["error"]["code"].as_str()), (status, Some(code)), "{error}");
}

#[test]
fn what_is_written_is_read_by_the_next_server_too() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("made/here");
    let first = server(&folder);
    let model: Value =
        serde_json::from_str(&first.exchange("GET", "/studio/model", "", "").body).unwrap();
    assert_eq!(model["sessions"], true);
    assert!(read(&first, "d1-2-3")["head"].is_null());
    let parts = json!({ "0": "[1,\"ä\"]", "1": "[2]" });
    let answer = first.good("/studio/sessions/write", &writing("d1-2-3", 0, parts, 2));
    assert_eq!(answer["revision"], 1);
    // Only what is new is sent; parts at the end may go.
    let parts = json!({ "1": "[3]", "2": "[4]" });
    first.good("/studio/sessions/write", &writing("d1-2-3", 1, parts, 3));
    assert_eq!(read(&first, "d1-2-3")["parts"], json!(["[1,\"ä\"]", "[3]", "[4]"]));
    first.good("/studio/sessions/write", &writing("d1-2-3", 2, json!({}), 1));
    drop(first);

    let next = server(&folder);
    let found = read(&next, "d1-2-3");
    assert_eq!(found["parts"], json!(["[1,\"ä\"]"]));
    assert_eq!((&found["state"], &found["head"]["revision"]), (&json!("{\"leaf\":2}"), &json!(3)));
    let heads = next.good("/studio/sessions", &json!({}))["heads"].clone();
    assert_eq!(heads.as_array().unwrap().len(), 1);
    assert_eq!((&heads[0]["name"], &heads[0]["how"]["seed"]), (&json!("Tea"), &json!(7)));
    assert!(heads[0]["changed"].as_u64() > Some(1_700_000_000_000), "the server's clock");
    // A writer that knows an older revision is refused, and nothing changes.
    let late = writing("d1-2-3", 1, json!({ "0": "[9]" }), 1);
    refused(&next, "/studio/sessions/write", &late, 409, "session_conflict");
    assert_eq!(read(&next, "d1-2-3"), found);
    next.good("/studio/sessions/remove", &json!({ "id": "d1-2-3" }));
    assert!(read(&next, "d1-2-3")["head"].is_null());
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0, "nothing is left behind");
}

#[test]
fn long_sessions_are_sent_in_several_requests() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    let ahead = |first: bool, parts: Value| {
        let body = json!({ "id": "d7", "first": first, "parts": parts });
        server.good("/studio/sessions/ahead", &body)
    };
    // What a page that went away has sent counts for nothing.
    ahead(true, json!({ "0": "[\"old\"]", "1": "[\"old\"]" }));
    ahead(true, json!({ "0": "[0]" }));
    ahead(false, json!({ "1": "[1]" }));
    let mut body = writing("d7", 0, json!({ "2": "[2]" }), 3);
    refused(&server, "/studio/sessions/write", &body, 400, "invalid_value");
    body["ahead"] = json!(true);
    server.good("/studio/sessions/write", &body);
    assert_eq!(read(&server, "d7")["parts"], json!(["[0]", "[1]", "[2]"]));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn what_is_no_session_is_refused_and_touches_nothing() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("sessions");
    let with = server(&folder);
    for id in ["", "1", "d", "../x", "d../../x", "d1/2", "d1\u{0}", "D1", &"d1".repeat(30)] {
        for path in ["read", "remove"] {
            let path = format!("/studio/sessions/{path}");
            refused(&with, &path, &json!({ "id": id }), 400, "invalid_value");
        }
        let body = writing(id, 0, json!({}), 0);
        refused(&with, "/studio/sessions/write", &body, 400, "invalid_value");
        let body = json!({ "id": id, "first": true, "parts": {} });
        refused(&with, "/studio/sessions/ahead", &body, 400, "invalid_value");
    }
    for (name, value) in [
        ("head", json!(3)),
        ("head", json!({ "id": "d1" })),
        ("state", json!("two\nlines")),
        ("parts", json!([])),
        ("parts", json!({ "x": "[]" })),
        ("parts", json!({ "0": 3 })),
        ("parts", json!({ "0": "[]\n" })),
        ("n_parts", json!(-1)),
    ] {
        let mut body = writing("d1", 0, json!({}), 0);
        body[name] = value.clone();
        let answer = with.post("/studio/sessions/write", &body);
        let error: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!((answer.status, &error["error"]["param"]), (400, &json!(name)), "{value}");
    }
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
    // Other files in the folder are let alone, and are no sessions.
    fs::write(folder.join("notes.txt"), "mine").unwrap();
    fs::write(folder.join("d5.session.jsonl"), "not JSON\n\n").unwrap();
    assert_eq!(with.good("/studio/sessions", &json!({}))["heads"], json!([]));
    refused(&with, "/studio/sessions/read", &json!({ "id": "d5" }), 500, "disk");
    // Without the flag there are none.
    let without = Server::tiny(&TinyModel::new(&MISTRAL_LIKE).speaking(), &[]);
    refused(&without, "/studio/sessions", &json!({}), 404, "no_sessions");
    let body = writing("d1", 0, json!({}), 0);
    refused(&without, "/studio/sessions/write", &body, 404, "no_sessions");
}

#[test]
fn a_file_is_no_folder_of_sessions() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().to_str().unwrap();
    let args = ["serve", "--port", "0", "--sessions", path];
    let output = kelvin_testkit::kelvin().args(args).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let words = format!("error: --sessions is {path}, which is a file, but a folder was expected");
    assert!(output.status.code() == Some(2) && said.starts_with(&words), "{said}");
}

#[test]
fn each_bound_of_a_session_holds() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    let write = "/studio/sessions/write";
    server.good(write, &writing("d1", 0, json!({ "0": "[]" }), 1));
    refused(&server, write, &writing("d2", 0, json!({}), 513), 400, "invalid_value");
    refused(&server, write, &writing("d2", 0, json!({ "512": "[]" }), 1), 400, "invalid_value");
    let mut long = writing("d2", 0, json!({}), 0);
    long["head"]["excerpt"] = json!("x".repeat(17_000));
    refused(&server, write, &long, 400, "invalid_value");
    // A file that is as long as can be grows no more.
    let path = folder.path().join("d1.session.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{text}{}\n", "x".repeat(64 << 20))).unwrap();
    refused(&server, write, &writing("d1", 1, json!({}), 2), 400, "session_too_long");
    server.good(write, &writing("d1", 1, json!({}), 1));
    let path = folder.path().join("d1.ahead");
    fs::write(&path, format!("0\t{}\n", "x".repeat(64 << 20))).unwrap();
    let body = json!({ "id": "d1", "parts": { "1": "[]" } });
    refused(&server, "/studio/sessions/ahead", &body, 400, "session_too_long");
    assert!(!path.exists());
    // So many sessions, and no more; those that there are can be written.
    let line = head("d1", 1).to_string();
    for i in 2..=10_000 {
        let line = line.replace("\"d1\"", &format!("\"d{i}\""));
        fs::write(folder.path().join(format!("d{i}.session.jsonl")), format!("{line}\n{{}}\n"))
            .unwrap();
    }
    refused(&server, write, &writing("d10001", 0, json!({}), 0), 400, "too_many_sessions");
    server.good(write, &writing("d10000", 1, json!({}), 0));
}
