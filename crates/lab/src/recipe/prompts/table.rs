//! Reads prompts from tables with named columns: CSV (RFC 4180), TSV and Apache Parquet.

use std::{fs::File, path::Path};

use csv::{ErrorKind, ReaderBuilder, StringRecord};
use parquet::{
    basic::Compression,
    file::{reader::FileReader, serialized_reader::SerializedFileReader},
    record::Field,
};
use serde_json::{Map, Value};

use super::{MAX_BYTES, record};
use crate::run::Prompt;

/// The prompts of delimited text whose first line names the columns. `at` builds an error from a
/// line and a problem.
pub(super) fn separated(
    text: &str,
    delimiter: u8,
    column: Option<&str>,
    at: &dyn Fn(&str, &str) -> String,
) -> Result<Vec<Prompt>, String> {
    let mut reader = ReaderBuilder::new().delimiter(delimiter).from_reader(text.as_bytes());
    let names = reader.headers().map_err(|error| at("line 1", &error.to_string()))?.clone();
    let on_names = |problem: &str| at("line 1", problem);
    check_names(&names, column.unwrap_or(record::PROMPT), delimiter)
        .map_err(|problem| on_names(&problem))?;
    let mut prompts = Vec::new();
    let mut row = StringRecord::new();
    loop {
        let begin = reader.position().clone();
        let read = reader.read_record(&mut row);
        let line = match &read {
            Ok(false) => return Ok(prompts),
            Ok(true) => row.position().map_or(begin.line(), csv::Position::line),
            Err(error) => error.position().map_or(begin.line(), csv::Position::line),
        };
        let refused = |problem: &str| Err(at(&format!("line {line}"), problem));
        // An unclosed quotation mark swallows the rest of the file, so it is reported before the
        // errors that follow from it.
        let raw = &text.as_bytes()[begin.byte() as usize..reader.position().byte() as usize];
        if raw.iter().filter(|&&byte| byte == b'"').count() % 2 == 1 {
            return refused(
                "a quotation mark has no partner; a text that has one is written in quotation \
                 marks, and each in it twice",
            );
        }
        if let Err(error) = read {
            return refused(&uneven(&error));
        }
        let fields = names
            .iter()
            .zip(&row)
            .map(|(name, cell)| (name.to_string(), Value::from(cell)))
            .collect();
        prompts.push(
            record::prompt(fields, column)
                .map_err(|problem| at(&format!("line {line}"), &problem))?,
        );
    }
}

/// Refuses a header without the prompt's column, as a file without a header has, and duplicate
/// column names.
fn check_names(names: &StringRecord, wanted: &str, delimiter: u8) -> Result<(), String> {
    if let Some(twice) =
        names.iter().enumerate().find(|(i, name)| names.iter().take(*i).any(|n| n == *name))
    {
        return Err(format!("two columns are called \"{}\"", record::shortened(twice.1)));
    }
    if names.iter().any(|name| name == wanted) {
        return Ok(());
    }
    let all: Vec<String> = names.iter().map(str::to_string).collect();
    let other = [(',', "commas"), (';', "semicolons"), ('\t', "tabs")]
        .into_iter()
        .find(|(c, _)| all.len() == 1 && all[0].contains(*c) && *c as u32 != u32::from(delimiter));
    let hint = other.map_or(String::new(), |(_, what)| {
        let expected = if delimiter == b'\t' { "tabs" } else { "commas" };
        format!(" (its columns seem to be separated by {what}, where {expected} are expected)")
    });
    Err(format!(
        "the first line names the columns, and {}{hint}",
        record::missing(wanted, all.iter())
    ))
}

fn uneven(error: &csv::Error) -> String {
    match error.kind() {
        ErrorKind::UnequalLengths { expected_len, len, .. } => format!(
            "it has {len} fields where the line of names has {expected_len} (a text with a \
             separator in it is written in quotation marks)"
        ),
        _ => error.to_string(),
    }
}

/// The first compression that isn't read, by its name.
pub(super) fn unread(mut all: impl Iterator<Item = Compression>) -> Option<String> {
    let is_read =
        |one: &Compression| matches!(one, Compression::UNCOMPRESSED | Compression::SNAPPY);
    let other = all.find(|one| !is_read(one))?;
    let name = format!("{other:?}").to_ascii_lowercase();
    Some(name.split('(').next().unwrap_or_default().to_string())
}

/// The prompts of a Parquet file.
pub(super) fn parquet(
    path: &Path,
    shown: &str,
    column: Option<&str>,
) -> Result<Vec<Prompt>, String> {
    let file = File::open(path).map_err(|error| format!("can't read {shown}: {error}"))?;
    let size = file.metadata().map_err(|error| format!("can't read {shown}: {error}"))?.len();
    let unpacked_too = |what: &str| {
        format!("{shown} has more than {MAX_BYTES} bytes{what}, at most that many are read")
    };
    if size > MAX_BYTES {
        return Err(unpacked_too(""));
    }
    let unreadable = |error: parquet::errors::ParquetError| {
        format!(
            "{shown} isn't a Parquet file that can be read, compressed with snappy or not at all \
             ({error})"
        )
    };
    let reader = SerializedFileReader::new(file).map_err(unreadable)?;
    let columns = reader.metadata().row_groups().iter().flat_map(|group| group.columns());
    if let Some(other) = unread(columns.map(|column| column.compression())) {
        return Err(format!(
            "{shown} is compressed with {other}, but only Parquet with snappy or without \
             compression is read: write it again with that, e.g. by pyarrow's write_table(…, \
             compression=\"snappy\")"
        ));
    }
    let stated: i64 =
        reader.metadata().row_groups().iter().map(|group| group.total_byte_size()).sum();
    if u64::try_from(stated).is_ok_and(|stated| stated > MAX_BYTES) {
        return Err(unpacked_too(" when it is unpacked"));
    }
    let mut prompts = Vec::new();
    for (i, row) in reader.get_row_iter(None).map_err(unreadable)?.enumerate() {
        let row = row.map_err(unreadable)?;
        // Bytes that aren't annotated as text can't be represented in JSON.
        let cells = row.get_column_iter().filter(|(_, field)| !matches!(field, Field::Bytes(_)));
        let fields: Map<String, Value> =
            cells.map(|(name, field)| (name.clone(), field.to_json_value())).collect();
        let prompt = record::prompt(fields, column);
        prompts.push(prompt.map_err(|problem| format!("{shown}, row {}: {problem}", i + 1))?);
    }
    Ok(prompts)
}
