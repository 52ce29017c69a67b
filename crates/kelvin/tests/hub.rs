//! Fetching from the hub, against a stub server on the loopback: what is resumed, refused and left behind.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]
#![cfg(feature = "hub")]

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::Output,
    sync::{Arc, Mutex},
    thread,
};

use assert_cmd::Command;
use sha2::{Digest, Sha256};

/// How the stub behaves.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Manner {
    Good,
    /// Breaks off in the middle of the first long answer.
    BreaksOff,
    /// States the checksum of other bytes.
    WrongSum,
    /// Answers everything with 404.
    Missing,
    /// Answers everything with 401.
    Gated,
}

/// A stub of the hub that serves one file; returns its address and the `Range` of every request.
fn serve(bytes: Vec<u8>, manner: Manner) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let ranges = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&ranges);
    thread::spawn(move || {
        let mut broken = false;
        for stream in listener.incoming().flatten() {
            let _ = answer(stream, &bytes, manner, &seen, &mut broken);
        }
    });
    (address, ranges)
}

fn answer(
    mut stream: TcpStream,
    bytes: &[u8],
    manner: Manner,
    seen: &Mutex<Vec<String>>,
    broken: &mut bool,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let (mut line, mut range) = (String::new(), String::new());
    while reader.read_line(&mut line)? > 2 {
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("range: bytes=") {
            range = value.trim().to_string();
        }
        line.clear();
    }
    if range.is_empty() {
        return Ok(()); // The check whether anybody is there.
    }
    seen.lock().unwrap().push(range.clone());
    if manner == Manner::Missing || manner == Manner::Gated {
        let status = if manner == Manner::Missing { "404 Not Found" } else { "401 Unauthorized" };
        return write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    }
    let (start, end) = range.split_once('-').unwrap();
    let start: usize = start.parse().unwrap();
    let end = end.parse().unwrap_or(bytes.len() - 1);
    let stated = if manner == Manner::WrongSum { sum(b"other bytes") } else { sum(bytes) };
    let body = &bytes[start..=end];
    write!(
        stream,
        "HTTP/1.1 206 Partial Content\r\nContent-Length: {}\r\nContent-Range: bytes {start}-{end}/{}\r\nETag: \"{stated}\"\r\nX-Repo-Commit: abc\r\nConnection: close\r\n\r\n",
        body.len(),
        bytes.len()
    )?;
    if manner == Manner::BreaksOff && body.len() > 1000 && !*broken {
        *broken = true;
        return stream.write_all(&body[..body.len() / 2]);
    }
    stream.write_all(body)
}

fn sum(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn file() -> Vec<u8> {
    (0..300_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

fn pull(models: &Path, endpoint: &str) -> Output {
    let mut command = Command::cargo_bin("kelvin").unwrap();
    for proxy in ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        command.env_remove(proxy);
    }
    command.env("KELVIN_MODELS", models).env("HF_ENDPOINT", endpoint).env_remove("HF_TOKEN");
    command.args(["models", "pull", "someone/some-model:weights.gguf"]).output().unwrap()
}

fn failed(output: &Output, words: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(words), "{said}");
    assert_eq!(said.lines().filter(|line| line.starts_with("error: ")).count(), 1, "{said}");
}

fn place(models: &Path) -> std::path::PathBuf {
    models.join("hub/someone/some-model/weights.gguf")
}

/// Every file below a directory.
fn files(directory: &Path) -> Vec<std::path::PathBuf> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let below = entries
        .flatten()
        .flat_map(|entry| if entry.path().is_dir() { files(&entry.path()) } else { vec![entry.path()] });
    below.collect()
}

#[test]
fn a_file_comes_whole_and_alone() {
    let root = tempfile::tempdir().unwrap();
    let models = root.path().join("models");
    let (endpoint, ranges) = serve(file(), Manner::Good);
    let output = pull(&models, &endpoint);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(fs::read(place(&models)).unwrap(), file());
    assert_eq!(files(&models), [place(&models)]);
    // The second time nobody is asked.
    let asked = ranges.lock().unwrap().len();
    assert!(pull(&models, "http://127.0.0.1:9").status.success());
    assert_eq!(ranges.lock().unwrap().len(), asked);
}

#[test]
fn a_broken_download_is_resumed_where_it_broke() {
    let root = tempfile::tempdir().unwrap();
    let models = root.path().join("models");
    let (endpoint, ranges) = serve(file(), Manner::BreaksOff);
    failed(&pull(&models, &endpoint), "resume");
    assert!(!place(&models).exists());
    let output = pull(&models, &endpoint);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(fs::read(place(&models)).unwrap(), file());
    assert_eq!(files(&models), [place(&models)]);
    let last = ranges.lock().unwrap().last().cloned().unwrap();
    assert_eq!(last, "150000-", "it began in the middle");
}

#[test]
fn other_bytes_than_stated_are_refused_and_removed() {
    let root = tempfile::tempdir().unwrap();
    let models = root.path().join("models");
    let (endpoint, _) = serve(file(), Manner::WrongSum);
    failed(&pull(&models, &endpoint), "sha256");
    assert_eq!(files(root.path()), [] as [std::path::PathBuf; 0]);
}

#[test]
fn what_isnt_there_or_not_for_us_is_said() {
    let root = tempfile::tempdir().unwrap();
    let models = root.path().join("models");
    let (endpoint, _) = serve(file(), Manner::Missing);
    failed(&pull(&models, &endpoint), "404");
    let (endpoint, _) = serve(file(), Manner::Gated);
    failed(&pull(&models, &endpoint), "HF_TOKEN");
    failed(&pull(&models, "http://127.0.0.1:9"), "can't be reached");
    failed(&pull(&models, "nonsense"), "HF_ENDPOINT");
    assert_eq!(files(root.path()), [] as [std::path::PathBuf; 0]);
}

#[test]
fn two_at_once_fetch_once() {
    let root = tempfile::tempdir().unwrap();
    let models = root.path().join("models");
    let (endpoint, _) = serve(file(), Manner::Good);
    let pulls: Vec<_> = (0..2)
        .map(|_| {
            let (models, endpoint) = (models.clone(), endpoint.clone());
            thread::spawn(move || pull(&models, &endpoint))
        })
        .collect();
    for output in pulls {
        let output = output.join().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(files(&models), [place(&models)]);
}
