//! Who may use the server from a browser: its own page, and pages of origins that were allowed by
//! name. With a very small model of random weights. No download.

use kelvin_testkit::{
    server::{Answer, Server},
    tiny::{MISTRAL_LIKE, TinyModel},
};
use serde_json::{Value, json};

fn server(args: &[&str]) -> Server {
    Server::tiny(&TinyModel::new(&MISTRAL_LIKE).speaking(), args)
}

/// The value of a header of an answer.
fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    answer.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

/// The code of a problem, which every answer but a good one has.
fn code(answer: &Answer) -> String {
    assert_eq!(header(answer, "content-type"), Some("application/json"), "{answer:?}");
    let body: Value = serde_json::from_str(&answer.body).unwrap();
    body["error"]["code"].as_str().unwrap().to_string()
}

const POSTS: &[(&str, &str)] = &[
    ("/v1/completions", r#"{ "prompt": "x", "max_tokens": 1 }"#),
    (
        "/v1/chat/completions",
        r#"{ "messages": [{ "role": "user", "content": "x" }], "max_tokens": 1 }"#,
    ),
    ("/v1/responses", r#"{ "input": "x", "max_output_tokens": 1 }"#),
    ("/tokenize", r#"{ "prompt": "x" }"#),
    ("/detokenize", r#"{ "tokens": [5] }"#),
    ("/apply-template", r#"{ "messages": [{ "role": "user", "content": "x" }] }"#),
    ("/studio/softmax", r#"{ "logits": [{ "logit": 1 }] }"#),
    ("/studio/next", r#"{ "prompt": "x" }"#),
    ("/studio/write", r#"{ "prompt": "x", "columns": [{}], "max_tokens": 1 }"#),
];
const GETS: &[&str] = &[
    "/",
    "/health",
    "/metrics",
    "/openapi.json",
    "/v1/models",
    "/tokenizer_info",
    "/studio/model",
    "/web/main.js",
];

#[test]
fn no_route_answers_a_page_of_a_stranger() {
    for server in [server(&[]), server(&["--host", "0.0.0.0"])] {
        let port = server.address.rsplit(':').next().unwrap();
        let own = format!("Origin: http://127.0.0.1:{port}\r\nHost: 127.0.0.1:{port}\r\n");
        let strangers = ["https://evil.example", "http://localhost:1", "null", "http://127.0.0.1"];
        for &(path, body) in POSTS {
            for stranger in strangers {
                let answer =
                    server.exchange("POST", path, &format!("Origin: {stranger}\r\n"), body);
                assert_eq!(
                    (answer.status, code(&answer).as_str()),
                    (403, "origin_not_allowed"),
                    "{path}"
                );
                assert!(
                    answer.body.contains("--allow-origin")
                        && header(&answer, "access-control-allow-origin").is_none()
                );
            }
            assert_eq!(server.exchange("POST", path, &own, body).status, 200, "{path}");
        }
        for path in GETS {
            let answer = server.exchange("GET", path, "Origin: https://evil.example\r\n", "");
            assert_eq!(
                (answer.status, code(&answer).as_str()),
                (403, "origin_not_allowed"),
                "{path}"
            );
            assert_eq!(server.exchange("GET", path, &own, "").status, 200, "{path}");
        }
        let preflight = "Origin: https://evil.example\r\nAccess-Control-Request-Method: POST\r\n";
        assert_eq!(server.exchange("OPTIONS", "/v1/completions", preflight, "").status, 403);
        assert_eq!(server.metric("kelvin_errors_total{code=\"origin_not_allowed\"}"), 45.0);
    }
}

#[test]
fn bodies_are_json_and_say_so() {
    let server = server(&[]);
    for &(path, body) in POSTS {
        for kind in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "",
        ] {
            let answer = server.exchange("POST", path, &format!("Content-Type: {kind}\r\n"), body);
            assert_eq!(
                (answer.status, code(&answer).as_str()),
                (415, "unsupported_media_type"),
                "{path} {kind}"
            );
            assert!(answer.body.contains("Content-Type: application/json"), "{}", answer.body);
        }
        for kind in ["Application/JSON", "application/json; charset=utf-8"] {
            assert_eq!(
                server.exchange("POST", path, &format!("Content-Type: {kind}\r\n"), body).status,
                200
            );
        }
        // As some editors save it.
        assert_eq!(
            server.exchange("POST", path, "", &format!("\u{feff}{body}")).status,
            200,
            "{path}"
        );
    }
}

#[test]
fn allowed_origins_pass_and_their_preflights_are_answered() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("key");
    std::fs::write(&file, "secret").unwrap();
    let key = ["--api-key-file", file.to_str().unwrap()];
    let named = server(
        &[
            &key[..],
            &["--allow-origin", "https://App.example", "--allow-origin", "http://b.example:3000"],
        ]
        .concat(),
    );
    let any = server(&[&key[..], &["--allow-origin", "*"]].concat());
    // What a browser asks before it sends what openai-node sends.
    let preflight = |server: &Server, origin: &str| {
        let headers = format!(
            "Origin: {origin}\r\nAccess-Control-Request-Method: \
             POST\r\nAccess-Control-Request-Headers: authorization,content-type,x-stainless-os\r\n\
             Access-Control-Request-Private-Network: true\r\n"
        );
        server.exchange("OPTIONS", "/v1/chat/completions", &headers, "")
    };
    for (server, origin, told) in [
        (&named, "https://app.example", "https://app.example"),
        (&named, "http://b.example:3000", "http://b.example:3000"),
        (&any, "https://app.example", "*"),
        (&any, "null", "*"),
    ] {
        let answer = preflight(server, origin);
        assert!(answer.status == 200 && answer.body.is_empty(), "{answer:?}");
        assert_eq!(header(&answer, "access-control-allow-origin"), Some(told));
        assert!(header(&answer, "access-control-allow-methods").unwrap().contains("POST"));
        let allowed = header(&answer, "access-control-allow-headers").unwrap();
        assert!(
            ["authorization", "content-type", "x-stainless-os"]
                .iter()
                .all(|name| allowed.contains(name))
        );
        assert_eq!(header(&answer, "access-control-allow-private-network"), Some("true"));
        let asks = |key: &str, body: &Value| {
            let headers = format!("Origin: {origin}\r\nAuthorization: bearer {key}\r\n");
            server.exchange("POST", "/v1/completions", &headers, &body.to_string())
        };
        let good = asks("secret", &json!({ "prompt": "x", "max_tokens": 1 }));
        let stream = asks("secret", &json!({ "prompt": "x", "max_tokens": 1, "stream": true }));
        let bad = asks("secret", &json!({ "prompt": "x", "n": 0 }));
        let locked = asks("wrong", &json!({ "prompt": "x" }));
        assert_eq!([good.status, stream.status, bad.status, locked.status], [200, 200, 400, 401]);
        for answer in [good, stream, bad, locked] {
            assert_eq!(header(&answer, "access-control-allow-origin"), Some(told), "{answer:?}");
            assert!(
                header(&answer, "access-control-expose-headers").unwrap().contains("x-request-id")
            );
        }
    }
    for origin in ["https://evil.example", "http://app.example", "http://b.example", "null"] {
        let answer = preflight(&named, origin);
        assert!(
            answer.status == 403 && !answer.head.contains("access-control-allow"),
            "{answer:?}"
        );
    }
    // It opens no other door: the hosts of this machine alone, and only with the key.
    assert_eq!(
        any.exchange(
            "GET",
            "/v1/models",
            "Host: evil.example\r\nAuthorization: Bearer secret\r\n",
            ""
        )
        .status,
        403
    );
    assert_eq!(
        any.exchange("GET", "/v1/models", "Origin: https://app.example\r\n", "").status,
        401
    );
    assert_eq!(
        any.exchange(
            "GET",
            "/v1/models",
            "Host: LOCALHOST:80\r\nAuthorization: BEARER secret\r\n",
            ""
        )
        .status,
        200
    );
}

#[test]
fn what_is_wrong_is_always_said_as_json() {
    let server = server(&[]);
    for (method, path, status) in [
        ("GET", "/web/%ff", 400),
        ("GET", "/v1/models/%ff", 400),
        ("GET", "/web/%zz", 404),
        ("GET", "/web/nothing", 404),
        ("GET", "/nothing", 404),
        ("GET", "/%ff", 404),
        ("GET", "/v1/models/other", 404),
        ("GET", "/v1/completions", 405),
        ("POST", "/health", 405),
        ("PUT", "/v1/completions", 405),
        ("DELETE", "/", 405),
        ("OPTIONS", "/v1/completions", 405),
        ("POST", "/v1/completions", 400),
        ("POST", "/tokenize", 400),
    ] {
        let answer = server.exchange(method, path, "", "");
        assert_eq!(answer.status, status, "{method} {path}: {answer:?}");
        code(&answer);
    }
}
