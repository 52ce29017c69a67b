//! Sessions of "Write and fork" in a folder of the server's disk (`serve --sessions DIR`).
//!
//! A session is a file: its first line is the head as JSON, the second the state, and then comes a
//! line for each part of the tokens. State and parts are JSON of the page, which is not read here.
//! A write has the parts that changed. The file is replaced as a whole, so it is never half
//! written. Revisions are compared first: of two browsers that write a session, the second is
//! refused.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, BufRead, BufReader, Write},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    Shared,
    fields::{Fields, shortened},
    limits::{MAX_HEAD_BYTES, MAX_SESSION_BYTES, MAX_SESSION_PARTS, MAX_SESSIONS},
    problem::Problem,
};

/// The end of a session's file.
const ENDING: &str = "session.jsonl";
/// The end of a file of parts that were sent ahead of a write.
const AHEAD: &str = "ahead";
/// The end of a file that isn't whole yet.
const NEW: &str = "new";
const LONGEST_ID: usize = 40;

/// A folder of sessions.
#[derive(Debug)]
pub(crate) struct Sessions {
    folder: PathBuf,
    /// One write at a time.
    lock: Mutex<()>,
}

/// What a list of sessions shows.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    id: String,
    name: String,
    model: String,
    /// Milliseconds since 1970.
    changed: u64,
    n_tokens: u64,
    excerpt: String,
    /// 0 before the first write.
    revision: u64,
    /// How tokens are drawn: JSON of the page.
    how: Value,
}

impl Sessions {
    pub(crate) fn new(folder: PathBuf) -> Sessions {
        Sessions { folder, lock: Mutex::new(()) }
    }

    fn file(&self, id: &str, ending: &str) -> PathBuf {
        self.folder.join(format!("{id}.{ending}"))
    }

    fn locked(&self) -> MutexGuard<'_, ()> {
        self.lock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The heads of all sessions. Files that aren't sessions are passed over.
    fn heads(&self) -> io::Result<Vec<Head>> {
        let mut heads = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let Some(id) = name.strip_suffix(ENDING).and_then(|rest| rest.strip_suffix('.')) else {
                continue;
            };
            heads.extend(head(&path).filter(|head| head.id == id));
            if heads.len() >= MAX_SESSIONS {
                break;
            }
        }
        Ok(heads)
    }

    /// The lines of a session; none if there is no such session.
    fn lines(&self, id: &str) -> io::Result<Vec<String>> {
        match fs::read_to_string(self.file(id, ENDING)) {
            Ok(text) => Ok(text.lines().map(str::to_string).collect()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// The parts that were sent ahead, by their numbers.
    fn ahead(&self, id: &str) -> io::Result<BTreeMap<usize, String>> {
        let text = fs::read_to_string(self.file(id, AHEAD))?;
        let parts = text.lines().filter_map(|line| line.split_once('\t'));
        Ok(parts.filter_map(|(n, part)| Some((n.parse().ok()?, part.to_string()))).collect())
    }

    /// Replaces a file as a whole.
    fn replace(&self, id: &str, lines: &[&str]) -> io::Result<()> {
        let path = self.file(id, NEW);
        let mut out = io::BufWriter::new(fs::File::create(&path)?);
        for line in lines {
            out.write_all(line.as_bytes())?;
            out.write_all(b"\n")?;
        }
        out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_data()?;
        fs::rename(path, self.file(id, ENDING))
    }
}

/// The head of a session's file.
fn head(path: &Path) -> Option<Head> {
    let mut line = String::new();
    let file = fs::File::open(path).ok()?;
    BufReader::new(io::Read::take(file, MAX_HEAD_BYTES as u64)).read_line(&mut line).ok()?;
    serde_json::from_str(&line).ok()
}

/// The folder of sessions, if the server has one.
fn sessions(shared: &Shared) -> Result<&Sessions, Problem> {
    let missing = "this server keeps no sessions; kelvin serve --sessions DIR does";
    shared.sessions.as_ref().ok_or_else(|| Problem::not_found("no_sessions", missing))
}

fn disk(error: &io::Error) -> Problem {
    Problem::failed(format!("the folder of sessions can't be used: {error}")).coded("disk")
}

/// An id is digits with dashes, after a letter: no part of a path.
fn checked(id: String) -> Result<String, Problem> {
    let rest = id.strip_prefix('d').unwrap_or_default();
    let is_id = !rest.is_empty()
        && id.len() <= LONGEST_ID
        && rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let message = || format!("\"id\" is \"{}\", which isn't a session's", shortened(&id));
    if is_id { Ok(id) } else { Err(Problem::parameter("id", message())) }
}

/// Lists all sessions.
pub(super) fn list(shared: &Shared, _: &mut Fields) -> Result<Value, Problem> {
    let heads = sessions(shared)?.heads().map_err(|error| disk(&error))?;
    Ok(json!({ "heads": heads }))
}

/// Reads a session: its head, its state and its parts. Nulls if there is none.
pub(super) fn read(shared: &Shared, fields: &mut Fields) -> Result<Value, Problem> {
    let id = checked(fields.take("id")?)?;
    let lines = sessions(shared)?.lines(&id).map_err(|error| disk(&error))?;
    let [head, state, parts @ ..] = &lines[..] else {
        return Ok(json!({ "head": null, "state": null, "parts": [] }));
    };
    let head: Head = serde_json::from_str(head).map_err(|error| {
        Problem::failed(format!("the file of session {id} is damaged: {error}")).coded("disk")
    })?;
    Ok(json!({ "head": head, "state": state, "parts": parts }))
}

/// Keeps parts ahead of a write that would be too long as one request. The first of them begins
/// anew.
pub(super) fn ahead(shared: &Shared, fields: &mut Fields) -> Result<Value, Problem> {
    let id = checked(fields.take("id")?)?;
    let is_first = fields.flag("first")?;
    let parts = given(fields)?;
    let sessions = sessions(shared)?;
    let _lock = sessions.locked();
    let path = sessions.file(&id, AHEAD);
    let mut options = fs::OpenOptions::new();
    options.create(true).write(true).truncate(is_first).append(!is_first);
    let write = || -> io::Result<u64> {
        let mut file = options.open(&path)?;
        for (n, part) in &parts {
            writeln!(file, "{n}\t{part}")?;
        }
        Ok(file.metadata()?.len())
    };
    if write().map_err(|error| disk(&error))? > MAX_SESSION_BYTES as u64 {
        let _ = fs::remove_file(&path);
        return Err(too_long());
    }
    Ok(json!({}))
}

/// Writes what is new of a session, and answers with its next revision.
pub(super) fn write(shared: &Shared, fields: &mut Fields) -> Result<Value, Problem> {
    let head: Value = fields.take("head")?;
    let mut head: Head = serde_json::from_value(head)
        .map_err(|error| Problem::parameter("head", format!("\"head\": {error}")))?;
    head.id = checked(head.id)?;
    let state = one_line("state", fields.take("state")?)?;
    let n_parts = fields.whole("n_parts", 0..=MAX_SESSION_PARTS as u64)?.unwrap_or(0) as usize;
    let has_ahead = fields.flag("ahead")?;
    let mut parts = given(fields)?;
    let sessions = sessions(shared)?;
    let _lock = sessions.locked();
    let kept = sessions.lines(&head.id).map_err(|error| disk(&error))?;
    let revision = match kept.first() {
        Some(line) => serde_json::from_str::<Head>(line).map_or(0, |head| head.revision),
        None if sessions.heads().map_err(|error| disk(&error))?.len() >= MAX_SESSIONS => {
            let message = format!("the folder has {MAX_SESSIONS} sessions: remove some first");
            return Err(Problem::request(message).coded("too_many_sessions"));
        }
        None => 0,
    };
    if revision != head.revision {
        let message = format!("session {} was written by another page", head.id);
        let code = "session_conflict";
        return Err(Problem::new(StatusCode::CONFLICT, "invalid_request_error", code, message));
    }
    if has_ahead {
        let sent = sessions.ahead(&head.id).map_err(|error| disk(&error))?;
        for (n, part) in sent {
            parts.entry(n).or_insert(part);
        }
    }
    head.revision += 1;
    head.changed = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(head.changed, |since| since.as_millis() as u64);
    let line = json!(head).to_string();
    if line.len() >= MAX_HEAD_BYTES {
        return Err(Problem::parameter("head", "\"head\" is too long"));
    }
    let mut lines: Vec<&str> = vec![&line, &state];
    for n in 0..n_parts {
        let old = kept.get(n + 2).map(String::as_str);
        let part = parts.get(&n).map(String::as_str).or(old);
        let missing = || Problem::parameter("parts", format!("part {n} is missing"));
        lines.push(part.ok_or_else(missing)?);
    }
    if lines.iter().map(|line| line.len() + 1).sum::<usize>() > MAX_SESSION_BYTES {
        return Err(too_long());
    }
    sessions.replace(&head.id, &lines).map_err(|error| disk(&error))?;
    let _ = fs::remove_file(sessions.file(&head.id, AHEAD));
    Ok(json!({ "revision": head.revision, "changed": head.changed }))
}

/// Removes a session.
pub(super) fn remove(shared: &Shared, fields: &mut Fields) -> Result<Value, Problem> {
    let id = checked(fields.take("id")?)?;
    let sessions = sessions(shared)?;
    let _lock = sessions.locked();
    match fs::remove_file(sessions.file(&id, ENDING)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(disk(&error)),
        _ => Ok(json!({})),
    }
}

/// The parts of a request, by their numbers.
fn given(fields: &mut Fields) -> Result<BTreeMap<usize, String>, Problem> {
    let Value::Object(parts) = fields.take::<Value>("parts")? else {
        return Err(Problem::parameter("parts", "\"parts\" isn't an object of parts by number"));
    };
    let one = |(n, part): (String, Value)| {
        let number = n.parse().ok().filter(|&n: &usize| n < MAX_SESSION_PARTS);
        let wrong = || {
            let message = format!("\"{}\" isn't a part's number", shortened(&n));
            Problem::parameter("parts", message)
        };
        let number = number.ok_or_else(wrong)?;
        let Value::String(part) = part else {
            return Err(Problem::parameter("parts", format!("part {number} isn't a text")));
        };
        Ok((number, one_line("parts", part)?))
    };
    parts.into_iter().map(one).collect()
}

/// A text that is a line of a file.
fn one_line(name: &str, text: String) -> Result<String, Problem> {
    if text.contains(['\n', '\r']) {
        return Err(Problem::parameter(name, format!("\"{name}\" has a line break")));
    }
    Ok(text)
}

fn too_long() -> Problem {
    let message = format!("a session has at most {} MB", MAX_SESSION_BYTES >> 20);
    Problem::request(message).coded("session_too_long")
}
