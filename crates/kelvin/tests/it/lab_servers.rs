//! `sweep` and `tune` at servers that aren't there, die, hang, refuse or speak something else: one
//! clear sentence each, and what was reported is safe.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Output, Stdio},
    time::{Duration, Instant},
};

/// A server that reads requests one after the other; `answers` gives what comes back, or nothing
/// for ever if there is nothing left.
fn server(answers: impl Iterator<Item = String> + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut left_open = Vec::new();
        let mut answers = answers;
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            read_request(&mut stream);
            match answers.next() {
                Some(answer) => drop(stream.write_all(answer.as_bytes())),
                None => left_open.push(stream),
            }
        }
    });
    format!("http://{address}/v1")
}

fn read_request(stream: &mut TcpStream) {
    let mut lines = BufReader::new(stream);
    let mut n_bytes = 0;
    loop {
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        if let Some(length) = line.to_lowercase().strip_prefix("content-length:") {
            n_bytes = length.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    lines.read_exact(&mut vec![0; n_bytes]).unwrap();
}

fn answer(status: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// A text as a server gives it that tells nothing else.
fn good(text: &str) -> String {
    answer(
        "200 OK",
        &format!("{{\"choices\": [{{\"text\": \"{text}\", \"finish_reason\": \"stop\"}}]}}"),
    )
}

/// One prompt × 2 temperatures × 3 samples, asked for one after the other.
fn run(folder: &Path, verb: &str, url: &str, more: &[&str]) -> Output {
    let mut command = kelvin_testkit::kelvin();
    command
        .current_dir(folder)
        .env_remove("KELVIN_MODEL")
        .env_remove("KELVIN_DB")
        .stdin(Stdio::null());
    command.args([
        verb,
        "--db",
        "a.db",
        "--server",
        url,
        "-m",
        "some",
        "-p",
        "Hi",
        "-t",
        "0.5,1",
        "--samples",
        "3",
    ]);
    command.args(["--requests", "1"]).args(more).output().unwrap()
}

#[track_caller]
fn refused(output: &Output, words: &[&str]) {
    let said = String::from_utf8_lossy(&output.stderr);
    let errors: Vec<&str> = said.lines().filter(|line| line.starts_with("error: ")).collect();
    assert!(
        errors.len() == 1 && words.iter().all(|words| errors[0].contains(words)),
        "{words:?} isn't in: {said}"
    );
    assert!(output.status.code() == Some(1) && !said.contains("panicked"), "{said}");
}

#[test]
fn a_server_that_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    // Somebody had the port a moment ago.
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let begun = Instant::now();
    for verb in ["sweep", "tune"] {
        let output = run(folder.path(), verb, &format!("http://{gone}/v1"), &[]);
        refused(
            &output,
            &[
                &format!("http://{gone}/v1 can't be reached (Connection refused"),
                "is a server running there?",
            ],
        );
    }
    // Nobody waits for minutes because of a wrong address.
    assert!(begun.elapsed() < Duration::from_secs(40), "{:?}", begun.elapsed());
}

#[test]
fn a_server_that_dies_halfway() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let texts = std::thread::spawn(move || {
        for text in ["a", "b", "c"] {
            let (mut stream, _) = listener.accept().unwrap();
            read_request(&mut stream);
            stream.write_all(good(text).as_bytes()).unwrap();
        }
        // The fourth request is read, and then there is nobody.
        read_request(&mut listener.accept().unwrap().0);
    });
    let output = run(folder.path(), "sweep", &url, &["--patience", "1"]);
    texts.join().unwrap();
    refused(
        &output,
        &[
            &format!("{url} doesn't answer any more ("),
            "all reported texts are stored; run the same command again",
        ],
    );
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(said.matches("note: ").count(), 1, "{said}");
    let exported = |args: &[&str]| {
        let mut command = kelvin_testkit::kelvin();
        command.current_dir(folder.path()).args(["runs", "--db", "a.db"]).args(args);
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    assert_eq!(exported(&["export", "last", "--format", "jsonl"]).lines().count(), 3);
    assert!(exported(&["list"]).contains("3 of 6"), "{}", exported(&["list"]));
}

#[test]
fn a_server_that_hangs() {
    let folder = tempfile::tempdir().unwrap();
    let url = server([good("a")].into_iter());
    let begun = Instant::now();
    let output = run(folder.path(), "sweep", &url, &["--timeout", "1", "--patience", "0"]);
    refused(
        &output,
        &[
            "doesn't answer any more (no answer within 1 s, --timeout allows more)",
            "all reported texts are stored",
        ],
    );
    assert!(begun.elapsed() < Duration::from_secs(30));
}

#[test]
fn a_server_that_refuses_or_speaks_something_else() {
    let folder = tempfile::tempdir().unwrap();
    let page = "<!DOCTYPE html><html><body>Welcome</body></html>";
    let said = |answer: String| {
        let url = server(std::iter::repeat(answer));
        (url.clone(), run(folder.path(), "sweep", &url, &[]))
    };
    for (status, body, words) in [
        (
            "401 Unauthorized",
            "{\"error\": {\"message\": \"No key\"}}",
            "refuses: status 401, No key (--key-env NAME sends the key",
        ),
        ("403 Forbidden", "{\"message\": \"Not you\"}", "refuses: status 403, Not you (--key-env"),
        (
            "404 Not Found",
            "{\"error\": {\"message\": \"no model some\"}}",
            "refuses: status 404, no model some (is URL its address up to and with /v1, and -m a \
             model that it has?)",
        ),
        ("404 Not Found", page, "refuses: status 404 and a web page (is URL its address"),
        ("405 Method Not Allowed", "", "refuses: status 405 (is URL its address"),
        ("200 OK", page, "refuses: a web page came back (is URL its address up to and with /v1?)"),
        ("200 OK", "hello", "refuses: its answer isn't JSON: \"hello\""),
        ("200 OK", "{\"choices\": []}", "the server's answer has no text: {\"choices\":[]}"),
        (
            "400 Bad Request",
            "{\"error\": {\"message\": \"too hot\"}}",
            "refuses: status 400, too hot",
        ),
    ] {
        let (url, output) = said(answer(status, body));
        refused(&output, &[&words.replace("URL", &url)]);
    }
    // With a key the sentence is another; without its variable nothing is asked.
    let url = server(std::iter::repeat(answer("401 Unauthorized", "")));
    let mut command = kelvin_testkit::kelvin();
    command
        .current_dir(folder.path())
        .env("SOME_KEY", "x")
        .args(["sweep", "--db", "a.db", "--server", &url, "-m", "some"]);
    let output = command.args(["-p", "Hi", "--key-env", "SOME_KEY"]).output().unwrap();
    refused(&output, &["refuses: status 401 (the key of --key-env was sent)"]);
    let output = run(folder.path(), "sweep", &url, &["--key-env", "KELVIN_NO_SUCH"]);
    assert!(
        String::from_utf8_lossy(&output.stderr)
            .contains("the environment variable KELVIN_NO_SUCH is empty or not set")
    );
}

/// A text without its tokens is a text; whoever asks for more of it is told why there isn't.
#[test]
fn a_server_that_tells_no_tokens() {
    let folder = tempfile::tempdir().unwrap();
    let url = server(std::iter::repeat(good("a b c")));
    let output = run(folder.path(), "tune", &url, &["--objective", "least surprisal"]);
    let said = String::from_utf8_lossy(&output.stderr);
    let words = "--objective: surprisal has no value, since the texts come from a server that \
        reports neither tokens";
    assert!(output.status.code() == Some(2) && said.contains(words), "{said}");
    let found = run(folder.path(), "tune", &url, &["--objective", "most distinct_2", "--json"]);
    assert!(found.status.success(), "{}", String::from_utf8_lossy(&found.stderr));
    let mut report = kelvin_testkit::kelvin();
    report.current_dir(folder.path()).args(["report", "--db", "a.db", "--json"]);
    let report: serde_json::Value =
        serde_json::from_slice(&report.output().unwrap().stdout).unwrap();
    let length = report["metrics"]
        .as_array()
        .unwrap()
        .iter()
        .find(|metric| metric["name"] == "length")
        .unwrap();
    assert!(
        length["values"][0].is_null() && length.to_string().contains("reports neither"),
        "{length}"
    );
    assert_eq!(report["texts"][0]["tokens"][0][0], "a b c");
}
