//! Fetching from the hub, against a stub server on the loopback: what is resumed, refused and left
//! behind.

#![cfg(feature = "hub")]

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::Output,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
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
    /// Calls the file and its commit by these names.
    Names(&'static str),
    /// Sends more than it said.
    Overflows,
    /// Sends the whole file whatever range is asked for.
    IgnoresRanges,
    /// Has the file at another path, and points from one to the other.
    Moved,
    /// Points from the file to itself.
    Circles,
    /// Sends the file in three pieces, each after a while.
    Slow,
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
    let (mut line, mut range, mut asked) = (String::new(), String::new(), String::new());
    while reader.read_line(&mut line)? > 2 {
        if asked.is_empty() {
            asked = line.split(' ').nth(1).unwrap_or_default().to_string();
        }
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
        return write!(
            stream,
            "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
    }
    if manner == Manner::Circles || manner == Manner::Moved && !asked.starts_with("/renamed/") {
        let place = if manner == Manner::Circles { asked } else { format!("/renamed{asked}") };
        return write!(
            stream,
            "HTTP/1.1 307 Temporary Redirect\r\nLocation: \
             {place}\r\nETag: \"other\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
    }
    let (start, end) = range.split_once('-').unwrap();
    let (mut start, mut end) = (start.parse().unwrap(), end.parse().unwrap_or(bytes.len() - 1));
    let mut status = "206 Partial Content";
    if manner == Manner::IgnoresRanges && range != "0-0" {
        (start, end, status) = (0, bytes.len() - 1, "200 OK");
    }
    let (tag, commit) = match manner {
        Manner::WrongSum => (sum(b"other bytes"), "abc"),
        Manner::Names(name) => (name.to_string(), name),
        _ => (sum(bytes), "abc"),
    };
    let mut body = bytes[start..=end].to_vec();
    if manner == Manner::Overflows && range != "0-0" {
        body.extend_from_slice(b"more");
    }
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nContent-Range: bytes \
         {start}-{end}/{}\r\nETag: \"{tag}\"\r\nX-Repo-Commit: {commit}\r\nConnection: \
         close\r\n\r\n",
        body.len(),
        bytes.len()
    )?;
    if (manner == Manner::BreaksOff || manner == Manner::IgnoresRanges)
        && body.len() > 1000
        && !*broken
    {
        *broken = true;
        return stream.write_all(&body[..body.len() / 2]);
    }
    if manner == Manner::Slow && body.len() > 1000 {
        for piece in body.chunks(body.len().div_ceil(3)) {
            thread::sleep(Duration::from_millis(1100));
            stream.write_all(piece)?;
        }
        return Ok(());
    }
    stream.write_all(&body)
}

fn sum(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn file() -> Vec<u8> {
    (0..300_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

fn pull(models: &Path, endpoint: &str) -> Output {
    let mut command = Command::cargo_bin("kelvin").unwrap();
    for proxy in
        ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"]
    {
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
    let below = entries.flatten().flat_map(|entry| {
        if entry.path().is_dir() { files(&entry.path()) } else { vec![entry.path()] }
    });
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

/// Somebody who reads the output from a pipe learns how far it is.
#[test]
fn a_long_download_tells_its_progress_in_a_pipe() {
    let root = tempfile::tempdir().unwrap();
    let models = root.path().join("models");
    let (endpoint, _) = serve(file(), Manner::Slow);
    let output = pull(&models, &endpoint);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let is_it = |line: &str| line.starts_with("  downloading: ") && line.ends_with(" of 300 KB");
    assert!(said.lines().any(is_it), "{said}");
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

/// Everything below a directory, files and directories, by the path from there.
fn everything(directory: &Path) -> Vec<String> {
    let mut all = Vec::new();
    let mut open = vec![directory.to_path_buf()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).into_iter().flatten().flatten() {
            let path = entry.path();
            all.push(path.strip_prefix(directory).unwrap().display().to_string());
            if path.is_dir() {
                open.push(path);
            }
        }
    }
    all.sort();
    all
}

/// Whatever the hub calls a file, it lies where the models directory has it, and nothing is made
/// elsewhere.
#[test]
fn a_hubs_names_are_no_part_of_a_path() {
    let long = "x".repeat(4000).leak();
    for name in [
        "a..b",
        "..",
        ".",
        "",
        "one/two",
        "../../aside",
        "../../../../aside/deep",
        "a\\b",
        "con",
        "x y",
        long,
    ] {
        let root = tempfile::tempdir().unwrap();
        let models = root.path().join("models");
        let (endpoint, _) = serve(file(), Manner::Names(name));
        let output = pull(&models, &endpoint);
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(fs::read(place(&models)).unwrap(), file(), "{name}");
        let expected = [
            "",
            "/hub",
            "/hub/someone",
            "/hub/someone/some-model",
            "/hub/someone/some-model/weights.gguf",
        ];
        assert_eq!(everything(root.path()), expected.map(|path| format!("models{path}")), "{name}");
    }
    // A name that is a place of its own.
    let (root, aside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let absolute = aside.path().join("here").to_str().unwrap().to_string().leak();
    let (endpoint, _) = serve(file(), Manner::Names(absolute));
    assert!(pull(&root.path().join("models"), &endpoint).status.success());
    assert_eq!(everything(aside.path()), [] as [&str; 0]);
}

/// While it isn't whole, a file lies under a name of our own.
#[test]
fn a_partial_download_is_named_by_a_hash() {
    let root = tempfile::tempdir().unwrap();
    let models = root.path().join("models");
    let (endpoint, _) = serve(file(), Manner::BreaksOff);
    failed(&pull(&models, &endpoint), "resume");
    let [partial] = &files(&models)[..] else { panic!("{:?}", files(&models)) };
    let name = partial.file_name().unwrap().to_str().unwrap();
    let hash = name.strip_suffix(".part").unwrap();
    assert!(hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()), "{name}");
    // Another file under the old name isn't what was begun.
    let other: Vec<u8> = file().iter().map(|byte| byte ^ 1).collect();
    let (endpoint, ranges) = serve(other.clone(), Manner::Good);
    assert!(pull(&models, &endpoint).status.success());
    assert_eq!(fs::read(place(&models)).unwrap(), other);
    assert_eq!(ranges.lock().unwrap().last().unwrap(), "0-");
    assert_eq!(files(&models), [place(&models)]);
}

#[test]
fn more_than_was_stated_is_refused_and_removed() {
    let root = tempfile::tempdir().unwrap();
    let models = root.path().join("models");
    let (endpoint, _) = serve(file(), Manner::Overflows);
    failed(&pull(&models, &endpoint), "bytes where 300000 were expected");
    assert_eq!(files(root.path()), [] as [std::path::PathBuf; 0]);
}

#[test]
fn a_hub_without_ranges_is_read_from_the_beginning() {
    let root = tempfile::tempdir().unwrap();
    let models = root.path().join("models");
    let (endpoint, ranges) = serve(file(), Manner::IgnoresRanges);
    failed(&pull(&models, &endpoint), "resume");
    let output = pull(&models, &endpoint);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(fs::read(place(&models)).unwrap(), file());
    assert_eq!(ranges.lock().unwrap().last().unwrap(), "150000-");
}

#[test]
fn a_renamed_repository_is_followed_and_a_circle_is_left() {
    let root = tempfile::tempdir().unwrap();
    let models = root.path().join("models");
    let (endpoint, _) = serve(file(), Manner::Moved);
    let output = pull(&models, &endpoint);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(fs::read(place(&models)).unwrap(), file());
    let (endpoint, _) = serve(file(), Manner::Circles);
    failed(&pull(&root.path().join("others"), &endpoint), "redirects");
}
