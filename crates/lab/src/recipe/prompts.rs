//! A file of prompts in, the prompts out: one a line, or JSON lines whose other fields stay with them.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::Value;

use crate::run::Prompt;

/// More than anybody has prompts for.
const MOST_BYTES: u64 = 256 << 20;

/// Reads the prompts of a file. Its name decides: `.jsonl` and `.ndjson` are JSON lines, each an object with a text `prompt` (or a
/// text alone); anything else has one prompt a line. Empty lines are passed over.
///
/// # Errors
/// A sentence with the file and the line.
pub fn read(path: &Path) -> Result<Vec<Prompt>, String> {
    let shown = path.display();
    let size = path.metadata().map_err(|error| format!("can't read {shown}: {error}"))?.len();
    if size > MOST_BYTES {
        return Err(format!("{shown} has {size} bytes, at most {MOST_BYTES} are read"));
    }
    let bytes = fs::read(path).map_err(|error| format!("can't read {shown}: {error}"))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let line = 1 + error.as_bytes()[..at].iter().filter(|&&byte| byte == b'\n').count();
        format!("{shown}, line {line}: it isn't UTF-8 text (byte {at} of the file): save it as UTF-8")
    })?;
    let is_json = path.extension().is_some_and(|ext| ext == "jsonl" || ext == "ndjson");
    let mut prompts = Vec::new();
    for (i, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let prompt = if is_json { from_json(line) } else { Ok(Prompt::from(line)) };
        prompts.push(prompt.map_err(|problem| format!("{shown}, line {}: {problem}", i + 1))?);
    }
    if prompts.is_empty() {
        let why = if text.is_empty() { "it is empty" } else { "every line is empty" };
        return Err(format!("{shown} has no prompts: {why}"));
    }
    Ok(prompts)
}

fn from_json(line: &str) -> Result<Prompt, String> {
    match serde_json::from_str(line).map_err(|error| format!("not JSON ({error})"))? {
        Value::String(text) => Ok(Prompt::from(text.as_str())),
        Value::Object(mut fields) => match fields.remove("prompt") {
            Some(Value::String(text)) => Ok(Prompt { text, fields: fields.into_iter().collect() }),
            Some(other) => Err(format!("\"prompt\" is {other}, not a text")),
            None => {
                let names: Vec<&str> = fields.keys().map(String::as_str).collect();
                Err(format!("there is no \"prompt\" among its fields ({})", names.join(", ")))
            }
        },
        other => Err(format!("expected an object with a \"prompt\", or a text, not {other}")),
    }
}

impl From<&str> for Prompt {
    fn from(text: &str) -> Prompt {
        Prompt { text: text.to_string(), fields: BTreeMap::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_as(name: &str, text: &[u8]) -> Result<Vec<Prompt>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        read(&path)
    }

    #[test]
    fn lines_and_json_lines() {
        let plain = read_as("a.txt", b"Write about Nepal\r\n\n{\"prompt\": 1}\n").unwrap();
        assert_eq!(
            plain.iter().map(|p| p.text.as_str()).collect::<Vec<_>>(),
            ["Write about Nepal", "{\"prompt\": 1}"]
        );
        let json =
            read_as("a.jsonl", "{\"prompt\": \"a\\nb\", \"kind\": \"poem\"}\n\"नेपाल\"\n".as_bytes()).unwrap();
        assert_eq!((json[0].text.as_str(), &json[0].fields["kind"]), ("a\nb", &Value::from("poem")));
        assert_eq!((json[1].text.as_str(), json[1].fields.len()), ("नेपाल", 0));
    }

    #[test]
    fn what_is_wrong_has_its_line() {
        for (name, text, words) in [
            ("a.txt", &b""[..], "has no prompts"),
            ("a.txt", b"\n \n", "has no prompts"),
            ("a.txt", b"ab\xff", "line 1: it isn't UTF-8 text (byte 2 of the file)"),
            ("a.jsonl", b"\"a\"\n{", "line 2: not JSON"),
            ("a.jsonl", b"{\"text\": \"a\"}", "line 1: there is no \"prompt\""),
            ("a.jsonl", b"{\"prompt\": 7}", "\"prompt\" is 7"),
            ("a.jsonl", b"7", "not 7"),
        ] {
            let said = read_as(name, text).unwrap_err();
            assert!(said.contains(words), "{said}");
        }
        assert!(read(Path::new("no/such/file")).unwrap_err().contains("can't read no/such/file"));
    }
}
