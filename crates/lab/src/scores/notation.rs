//! The notation of a score in flags and recipes: `NAME=KIND:TEXT`, `NAME=KIND(DETAIL):TEXT`, with
//! `least` before the kind if less is better.

use std::{fmt, path::Path};

use serde_json::Value;

use super::{ANSWERS, Kind, Score, text};
use crate::{metrics::Metric, text_file};

/// What each kind is written like.
const KINDS: &str = "expected, contains:TEXT, regex:PATTERN, json, schema:FILE, command:COMMAND, \
    judge:QUESTION, csv:FILE";
/// The field of `expected` unless another is named.
const FIELD: &str = "expected";
/// How long a command may take unless said otherwise, in seconds.
const SECS: u64 = 10;
/// The longest that may be said, in seconds.
const MOST_SECS: u64 = 3600;
/// The maximum size of a schema's file in bytes.
const MAX_BYTES: u64 = 1 << 20;
const MAX_NAME: usize = 40;

impl Score {
    /// Reads `NAME=NOTATION`. A schema's file is looked up in `folder`, and its content becomes
    /// part of the score.
    ///
    /// # Errors
    /// A sentence about what is wrong.
    pub fn read(text: &str, folder: &Path) -> Result<Score, String> {
        let Some((name, notation)) = text.split_once('=') else {
            return Err(format!("\"{text}\" isn't NAME=KIND; kinds are {KINDS}"));
        };
        let (name, notation) = (name.trim(), notation.trim());
        check_name(name)?;
        let (most, notation) = match notation.split_once(char::is_whitespace) {
            Some(("least", rest)) => (false, rest.trim_start()),
            Some(("most", rest)) => (true, rest.trim_start()),
            _ => (true, notation),
        };
        let kind = kind(name, notation, folder).map_err(|problem| format!("{name}: {problem}"))?;
        Ok(Score { name: name.to_string(), most, kind })
    }
}

fn check_name(name: &str) -> Result<(), String> {
    let is_name = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && name.len() <= MAX_NAME;
    if !is_name {
        return Err(format!(
            "\"{name}\" can't be a score's name, which has small letters, digits and _ (at most \
             {MAX_NAME}, a letter first)"
        ));
    }
    if name == "all" || Metric::find(name).is_ok() {
        return Err(format!("\"{name}\" is a metric already: give the score another name"));
    }
    Ok(())
}

fn kind(name: &str, notation: &str, folder: &Path) -> Result<Kind, String> {
    let end = notation.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(notation.len());
    let (word, rest) = notation.split_at(end);
    let (detail, rest) = match rest.strip_prefix('(') {
        None => (None, rest),
        Some(inner) => {
            let (detail, rest) = inner.split_once(')').ok_or("a bracket isn't closed")?;
            (Some(detail.trim()), rest)
        }
    };
    let text = match rest.strip_prefix(':') {
        Some(text) => Some(text),
        None if rest.is_empty() => None,
        None => return Err(format!("after {word} there is \"{rest}\", where `:` is expected")),
    };
    let needed = |what: &str| {
        let text = text.filter(|text| !text.trim().is_empty());
        text.ok_or_else(|| format!("{word} needs {what}: {word}:…"))
    };
    let nothing = |given: Option<&str>| match given {
        Some(given) => Err(format!("{word} takes no \"{given}\"")),
        None => Ok(()),
    };
    match word {
        "expected" => {
            nothing(text)?;
            Ok(Kind::Expected { field: detail.unwrap_or(FIELD).to_string() })
        }
        "contains" => match (detail, text) {
            (Some(field), None) => Ok(Kind::ContainsField { field: field.to_string() }),
            (detail, _) => {
                nothing(detail)?;
                Ok(Kind::Contains { text: needed("a text")?.to_string() })
            }
        },
        "regex" => {
            nothing(detail)?;
            let pattern = needed("a regular expression")?.to_string();
            text::compiled(&pattern)?;
            Ok(Kind::Regex { pattern })
        }
        "json" => {
            nothing(detail.or(text))?;
            Ok(Kind::Json)
        }
        "schema" => {
            nothing(detail)?;
            Ok(Kind::Schema { schema: schema(needed("a file")?.trim(), folder)? })
        }
        "command" => {
            let secs = detail.map_or(Ok(SECS), seconds)?;
            Ok(Kind::Command { command: needed("a command")?.trim().to_string(), secs })
        }
        "judge" => judge(detail, needed("a question")?),
        "csv" => {
            let column = detail.unwrap_or(name).to_string();
            Ok(Kind::Csv { file: needed("a file")?.trim().to_string(), column })
        }
        other => Err(format!("there is no kind \"{other}\" of scores; kinds are {KINDS}")),
    }
}

fn seconds(detail: &str) -> Result<u64, String> {
    let secs = detail.parse().ok().filter(|secs| (1..=MOST_SECS).contains(secs));
    secs.ok_or_else(|| format!("\"{detail}\" isn't a number of seconds from 1 to {MOST_SECS}"))
}

/// A schema written in place, or in a file.
fn schema(text: &str, folder: &Path) -> Result<Value, String> {
    let (what, text) = if text.starts_with('{') {
        ("the schema".to_string(), text.to_string())
    } else {
        let path = folder.join(text);
        let content = text_file::read(&path, MAX_BYTES).map_err(|error| error.to_string())?;
        (path.display().to_string(), content)
    };
    let schema = serde_json::from_str(&text).map_err(|error| format!("{what}: {error}"))?;
    text::validator(&schema)?;
    Ok(schema)
}

fn judge(detail: Option<&str>, question: &str) -> Result<Kind, String> {
    if !question.contains("{text}") {
        return Err("the question has no {text}, so the judge wouldn't see what it judges".into());
    }
    let answers: Vec<String> = match detail {
        None => ANSWERS.map(String::from).to_vec(),
        Some(list) => list.split(',').map(|answer| answer.trim().to_string()).collect(),
    };
    let is_twice = |i: usize| answers[..i].contains(&answers[i]);
    if answers.len() < 2 || answers.iter().any(String::is_empty) || (0..answers.len()).any(is_twice)
    {
        return Err(
            "the answers in brackets are at least two different words: judge(no,yes):…".into()
        );
    }
    Ok(Kind::Judge { question: question.to_string(), answers })
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Score { name, most, kind } = self;
        write!(f, "{name}={}", if *most { "" } else { "least " })?;
        match kind {
            Kind::Expected { field } if field == FIELD => write!(f, "expected"),
            Kind::Expected { field } => write!(f, "expected({field})"),
            Kind::Contains { text } => write!(f, "contains:{text}"),
            Kind::ContainsField { field } => write!(f, "contains({field})"),
            Kind::Regex { pattern } => write!(f, "regex:{pattern}"),
            Kind::Json => write!(f, "json"),
            Kind::Schema { schema } => write!(f, "schema:{schema}"),
            Kind::Command { command, secs: SECS } => write!(f, "command:{command}"),
            Kind::Command { command, secs } => write!(f, "command({secs}):{command}"),
            Kind::Judge { question, answers } if *answers == ANSWERS => {
                write!(f, "judge:{question}")
            }
            Kind::Judge { question, answers } => {
                write!(f, "judge({}):{question}", answers.join(","))
            }
            Kind::Csv { file, column } if column == name => write!(f, "csv:{file}"),
            Kind::Csv { file, column } => write!(f, "csv({column}):{file}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Score, String> {
        Score::read(text, Path::new(""))
    }

    #[test]
    fn scores_are_read_and_written() {
        for text in [
            "right=expected",
            "right=expected(answer)",
            "nepal=contains: Nepal",
            "place=contains(place)",
            r"year=regex:\b(19|20)\d\d\b",
            "valid=json",
            "card=schema:{\"type\":\"object\",\"required\":[\"b\",\"a\"]}",
            "rude=least command:./rude --now",
            "slow=command(60):./slow",
            "vivid=judge:Is \"{text}\" vivid?",
            "mark=judge(1,2,3):{prompt}\n{text}\nA mark:",
            "stars=csv:r.csv",
            "stars=csv(b):r.csv",
        ] {
            let score = read(text).unwrap();
            assert_eq!(score.to_string(), text);
            let json = serde_json::to_string(&score).unwrap();
            assert_eq!(serde_json::from_str::<Score>(&json).unwrap(), score);
        }
        let spaced = read(" right = most expected ( answer )".trim()).unwrap_err();
        assert!(spaced.contains("`:` is expected"), "{spaced}");
        let score = read("n=command:wc -w").unwrap();
        assert_eq!(score.kind, Kind::Command { command: "wc -w".into(), secs: 10 });
        assert_eq!(score.range(), (f64::NEG_INFINITY, f64::INFINITY));
        assert_eq!(read("m=judge(1,2,5):{text}").unwrap().range(), (1.0, 5.0));
    }

    #[test]
    fn what_cant_be_read_is_said() {
        for (text, words) in [
            ("right", "isn't NAME=KIND"),
            ("Right=json", "small letters"),
            ("vendi=json", "is a metric already"),
            ("all=json", "is a metric already"),
            ("x=yaml", "there is no kind \"yaml\""),
            ("x=contains", "contains needs a text"),
            ("x=contains(a):b", "takes no \"a\""),
            ("x=json:a", "takes no \"a\""),
            ("x=regex:(", "unclosed group"),
            ("x=schema:nowhere.json", "nowhere.json"),
            ("x=schema:{\"type\":\"any\"}", "the schema isn't valid"),
            ("x=command(0):y", "from 1 to 3600"),
            ("x=command(5:y", "isn't closed"),
            ("x=judge:Good?", "no {text}"),
            ("x=judge(yes):{text}", "at least two different"),
        ] {
            let said = read(text).unwrap_err();
            assert!(said.contains(words), "{text}: {said}");
        }
    }
}
