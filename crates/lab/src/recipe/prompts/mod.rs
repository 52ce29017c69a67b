//! Reads files of prompts: one prompt a line, or records of JSON, CSV, TSV or Parquet. A record's
//! other fields stay with its prompt.
//!
//! The file's extension decides the format; of standard input, the content. A file whose content
//! contradicts its extension is refused: a JSON array in a .txt file isn't one prompt.

mod json;
mod record;
mod table;

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, path::Path};

use crate::{run::Prompt, text_file};

/// The maximum size of a file of prompts in bytes.
const MAX_BYTES: u64 = 256 << 20;

/// How the prompts are stored in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Lines,
    Json,
    /// Delimited text with this byte between fields.
    Table(u8),
    Parquet,
}

/// Extensions of files that hold texts or tables but aren't supported. Read as lines, their markup
/// would become prompts.
const UNREAD: [&str; 17] = [
    "yaml", "yml", "toml", "xml", "html", "xlsx", "xls", "ods", "docx", "pdf", "arrow", "feather",
    "gz", "zst", "zip", "db", "sqlite",
];

/// Reads the prompts of a file. Its extension decides the format:
///
/// - `.jsonl`, `.ndjson`, `.json`: records one after another, or one array of them. A record is an
///   object with a `prompt` or a text alone.
/// - `.csv`, `.tsv`, `.parquet`: a table with named columns, one of them `prompt`.
/// - `.txt` and anything else: one prompt a line; empty lines are skipped.
/// - `-`: standard input, as records of JSON if all of it is that, else one prompt a line.
///
/// `column` names another field or column than `prompt`. Without a `prompt`, a record may have
/// `messages` with one user's message, or be a line of OpenAI's batch files, where both lie in
/// `body`. The other fields of a record stay with the prompt.
///
/// # Errors
/// A sentence with the file and the place in it.
pub fn read(path: &Path, column: Option<&str>) -> Result<Vec<Prompt>, String> {
    let is_input = path == Path::new("-");
    let shown = match is_input {
        true => text_file::STANDARD_INPUT.to_string(),
        false => path.display().to_string(),
    };
    let named = form(path).map_err(|problem| format!("{shown} {problem}"))?;
    if named == Form::Parquet {
        return some(table::parquet(path, &shown, column)?, &shown, "it has no rows");
    }
    let text = text_file::read_input(path, MAX_BYTES).map_err(|error| error.to_string())?;
    let is_json = is_input && (column.is_some() || json::disguised(&text).is_some());
    let form = if is_json { Form::Json } else { named };
    if text.trim().is_empty() {
        let why = if text.is_empty() { "it is empty" } else { "every line is empty" };
        return some(Vec::new(), &shown, why);
    }
    let at = |place: &str, problem: &str| format!("{shown}, {place}: {problem}");
    match form {
        Form::Lines => lines(&text, &shown, column),
        Form::Json => some(json::read(&text, column, &at)?, &shown, "its array is empty"),
        Form::Table(delimiter) => some(
            table::separated(&text, delimiter, column, &at)?,
            &shown,
            "no row follows its line of names",
        ),
        Form::Parquet => unreachable!("read above"),
    }
}

fn form(path: &Path) -> Result<Form, String> {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
    match ending.as_deref() {
        Some("jsonl" | "ndjson" | "json") => Ok(Form::Json),
        Some("csv") => Ok(Form::Table(b',')),
        Some("tsv" | "tab") => Ok(Form::Table(b'\t')),
        Some("parquet") => Ok(Form::Parquet),
        Some(ending) if UNREAD.contains(&ending) => Err(format!(
            "ends in .{ending}, which isn't read: give the prompts one a line (.txt), or as \
             .jsonl, .json, .csv, .tsv or .parquet"
        )),
        _ => Ok(Form::Lines),
    }
}

fn lines(text: &str, shown: &str, column: Option<&str>) -> Result<Vec<Prompt>, String> {
    if let Some(column) = column {
        return Err(format!(
            "{shown} has one prompt a line, so there is no column `{column}`: name it .jsonl, \
             .json, .csv, .tsv or .parquet if it has columns"
        ));
    }
    if let Some(what) = json::disguised(text) {
        let ending = if what == json::ARRAY { ".json" } else { ".jsonl" };
        return Err(format!(
            "{shown} holds {what}, but by its name it has one prompt a line: rename it to end in \
             {ending}"
        ));
    }
    Ok(text.lines().filter(|line| !line.trim().is_empty()).map(Prompt::from).collect())
}

/// The prompts, or an error if there are none.
fn some(prompts: Vec<Prompt>, shown: &str, why: &str) -> Result<Vec<Prompt>, String> {
    if prompts.is_empty() { Err(format!("{shown} has no prompts: {why}")) } else { Ok(prompts) }
}

impl From<&str> for Prompt {
    fn from(text: &str) -> Prompt {
        Prompt { text: text.to_string(), fields: BTreeMap::new() }
    }
}
