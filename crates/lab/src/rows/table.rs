//! The columns of a file of rows, and rows as row groups and back.
//!
//! Names and units are those of the database (`schema.sql`).

use std::{
    io::Write,
    mem,
    sync::{Arc, LazyLock},
};

use kelvin_sampling::Shift;
use parquet::{
    data_type::{ByteArray, ByteArrayType, DoubleType, Int32Type, Int64Type},
    errors::ParquetError,
    file::writer::SerializedRowGroupWriter,
    schema::{parser::parse_message_type, types::TypePtr},
};
use serde::Serialize;

use super::{
    Finished,
    column::{Column, Readable, write},
};
use crate::{
    recorded::RecordedLogits,
    run::{Finish, Sample, Token},
    worker::Row,
};

/// Rows of a row group.
const MAX_ROWS: usize = 1000;
/// Bytes of a row group, about.
const MAX_BYTES: usize = 64 << 20;
/// Columns of the list of tokens.
const N_TOKEN_COLUMNS: usize = 12;

/// The columns: prompt, chain and sample; why there is no text, or the text and why it ended; how
/// each token was drawn; the logits, if they were recorded; how the text was drawn as a whole, if
/// it was, as JSON.
const SCHEMA: &str = "message rows {
    required int64 prompt;
    required int64 chain;
    required int64 sample;
    optional binary error (STRING);
    optional binary text (STRING);
    optional binary finish (STRING);
    required group tokens (LIST) {
        repeated group list {
            required group item {
                optional int32 id (INTEGER(32,false));
                required binary bytes;
                optional int32 rank (INTEGER(32,false));
                optional double logprob_raw;
                optional double logprob_final;
                optional double entropy_raw;
                optional double entropy_final;
                optional int32 survivors (INTEGER(32,false));
                optional int32 shift_width (INTEGER(32,false));
                optional double shift_outside;
                optional double heat_capacity;
                optional binary top (STRING);
            }
        }
    }
    required group logits (LIST) {
        repeated group list {
            required group item {
                required int64 place (INTEGER(64,false));
                required int64 n_vocab (INTEGER(64,false));
                required binary packed;
            }
        }
    }
    optional binary whole (STRING);
}";

static PARSED: LazyLock<TypePtr> = LazyLock::new(|| {
    Arc::new(parse_message_type(SCHEMA).expect("the schema is Parquet's notation"))
});

/// The columns of a file.
pub(super) fn schema() -> TypePtr {
    Arc::clone(&PARSED)
}

/// Cuts rows into row groups, whose borders depend on the rows alone.
pub(super) fn groups(rows: &[Finished]) -> impl Iterator<Item = &[Finished]> {
    let mut filling = Filling::default();
    if let Some(first) = rows.first() {
        filling.takes(first);
    }
    rows.chunk_by(move |_, next| filling.takes(next))
}

/// How full the row group is that takes the next row.
#[derive(Debug, Default)]
pub(super) struct Filling {
    rows: usize,
    bytes: usize,
}

impl Filling {
    /// Adds a row. Returns whether it joins the rows before it; else it begins another row group.
    pub(super) fn takes(&mut self, row: &Finished) -> bool {
        let bytes = size(row);
        let fits = self.rows < MAX_ROWS && self.bytes + bytes <= MAX_BYTES || self.rows == 0;
        if !fits {
            *self = Filling::default();
        }
        self.rows += 1;
        self.bytes += bytes;
        fits
    }
}

/// About how many bytes a row takes.
fn size(row: &Finished) -> usize {
    let Ok((sample, logits)) = &row.outcome else { return 0 };
    let tokens = sample.tokens.iter().map(|token| 100 + token.bytes.len());
    let logits = logits.iter().map(|step| 24 + step.packed.len());
    sample.text.len() + tokens.sum::<usize>() + logits.sum::<usize>()
}

/// Writes all columns of a row group, in the schema's order.
pub(super) fn write_group(
    group: &mut SerializedRowGroupWriter<'_, impl Write + Send>,
    rows: &[Finished],
) -> Result<(), ParquetError> {
    let lists = || rows.chunks(1);
    for of in [|row: &Row| row.prompt, |row: &Row| row.chain, |row: &Row| row.sample] {
        write::<Int64Type, _>(group, lists(), |row| Some(of(&row.row) as i64))?;
    }
    let error = |row: &Finished| row.outcome.as_ref().err().map(|error| text(error));
    write::<ByteArrayType, _>(group, lists(), error)?;
    write::<ByteArrayType, _>(group, lists(), |row| Some(text(&sample(row)?.text)))?;
    write::<ByteArrayType, _>(group, lists(), |row| Some(finish_name(sample(row)?.finish)))?;
    let tokens: Vec<&[Token]> =
        rows.iter().map(|row| sample(row).map_or(&[][..], |sample| &sample.tokens)).collect();
    write_tokens(group, &tokens)?;
    let logits: Vec<&[RecordedLogits]> =
        rows.iter().map(|row| row.outcome.as_ref().map_or(&[][..], |(_, all)| all)).collect();
    write_logits(group, &logits)?;
    write::<ByteArrayType, _>(group, lists(), |row| sample(row)?.whole.as_ref().map(json))
}

fn sample(row: &Finished) -> Option<&Sample> {
    row.outcome.as_ref().ok().map(|(sample, _)| sample)
}

fn text(text: &str) -> ByteArray {
    text.into()
}

fn json(value: &impl Serialize) -> ByteArray {
    serde_json::to_vec(value).expect("texts and numbers are always JSON").into()
}

fn finish_name(finish: Finish) -> ByteArray {
    let name = serde_json::to_value(finish).expect("a name is always JSON");
    text(name.as_str().expect("a name is a text"))
}

fn write_tokens(
    group: &mut SerializedRowGroupWriter<'_, impl Write + Send>,
    rows: &[&[Token]],
) -> Result<(), ParquetError> {
    let lists = || rows.iter().copied();
    let count = |group: &mut _, of: fn(&Token) -> Option<u32>| {
        write::<Int32Type, _>(group, lists(), |token| of(token).map(u32::cast_signed))
    };
    let number =
        |group: &mut _, of: fn(&Token) -> Option<f64>| write::<DoubleType, _>(group, lists(), of);
    count(group, |token| token.id)?;
    write::<ByteArrayType, _>(group, lists(), |token| Some(token.bytes.clone().into()))?;
    count(group, |token| token.rank)?;
    number(group, |token| token.surprisal.map(|nats| 0.0 - nats))?;
    number(group, |token| token.surprisal_final.map(|nats| 0.0 - nats))?;
    number(group, |token| token.entropy)?;
    number(group, |token| token.entropy_final)?;
    count(group, |token| token.survivors)?;
    count(group, |token| token.shift.map(|shift| shift.width))?;
    number(group, |token| token.shift.map(|shift| shift.outside))?;
    number(group, |token| token.shift.map(|shift| shift.heat_capacity))?;
    let top = |token: &Token| (!token.top.is_empty()).then(|| json(&token.top));
    write::<ByteArrayType, _>(group, lists(), top)
}

fn write_logits(
    group: &mut SerializedRowGroupWriter<'_, impl Write + Send>,
    rows: &[&[RecordedLogits]],
) -> Result<(), ParquetError> {
    let lists = || rows.iter().copied();
    write::<Int64Type, _>(group, lists(), |step| Some(step.place.cast_signed()))?;
    write::<Int64Type, _>(group, lists(), |step| Some(step.n_vocab as i64))?;
    write::<ByteArrayType, _>(group, lists(), |step| Some(step.packed.clone().into()))
}

/// The next `n` rows of the columns of a row group that has the schema.
///
/// # Errors
/// Columns that don't fit together, or a row that no worker writes.
pub(super) fn finished(columns: &mut [Column], n: usize) -> Result<Vec<Finished>, String> {
    let [prompts, chains, samples, errors, texts, finishes, rest @ .., wholes] = columns else {
        return Err("columns are missing".to_string());
    };
    let Some((tokens, logits)) = rest.split_at_mut_checked(N_TOKEN_COLUMNS) else {
        return Err("columns are missing".to_string());
    };
    let place = |column: &mut Column| Ok::<_, String>(column.read::<Int64Type>(n)?.values);
    let places = [place(prompts)?, place(chains)?, place(samples)?];
    let said = |column: &mut Column| -> Result<Vec<Option<String>>, String> {
        column.read::<ByteArrayType>(n)?.values.into_iter().map(told).collect()
    };
    let (mut errors, mut texts, mut finishes) = (said(errors)?, said(texts)?, said(finishes)?);
    let mut wholes = said(wholes)?;
    let (mut tokens, mut logits) = (read_tokens(tokens, n)?, read_logits(logits, n)?);
    let index = |i: usize, row: usize| {
        let place = places[i][row].unwrap_or(-1);
        usize::try_from(place).map_err(|_| format!("row {row} has the index {place}"))
    };
    let one = |i: usize| {
        let (prompt, chain, sample) = (index(0, i)?, index(1, i)?, index(2, i)?);
        let outcome = match (errors[i].take(), texts[i].take(), finishes[i].take()) {
            (Some(error), None, None) => Err(error),
            (None, Some(text), Some(finish)) => {
                let finish = serde_json::from_value(finish.into())
                    .map_err(|error| format!("its finish: {error}"))?;
                let whole = wholes[i].take().map(|json| serde_json::from_str(&json)).transpose();
                let sample = Sample {
                    prompt,
                    chain,
                    sample,
                    text,
                    finish,
                    tokens: mem::take(&mut tokens[i]),
                    judged: None,
                    embedding: None,
                    whole: whole.map_err(|error| format!("how it was drawn: {error}"))?,
                };
                Ok((sample, mem::take(&mut logits[i])))
            }
            _ => return Err("a row has a text and its finish, or an error instead".to_string()),
        };
        Ok(Finished { row: Row { prompt, chain, sample }, outcome })
    };
    (0..n).map(one).collect()
}

fn told(bytes: Option<ByteArray>) -> Result<Option<String>, String> {
    let text = bytes.map(|bytes| String::from_utf8(bytes.data().to_vec())).transpose();
    text.map_err(|_| "a text isn't UTF-8".to_string())
}

/// Cuts the items of all rows into those of each.
fn each<T>(lengths: &[usize], items: Vec<T>) -> Vec<Vec<T>> {
    let mut items = items.into_iter();
    lengths.iter().map(|&n| items.by_ref().take(n).collect()).collect()
}

fn read_tokens(columns: &mut [Column], n: usize) -> Result<Vec<Vec<Token>>, String> {
    let [
        ids,
        bytes,
        ranks,
        logprobs,
        final_logprobs,
        entropies,
        final_entropies,
        survivors,
        widths,
        outsides,
        capacities,
        tops,
    ] = columns
    else {
        return Err("columns are missing".to_string());
    };
    let bytes = bytes.read::<ByteArrayType>(n)?;
    let lengths = &bytes.lengths;
    let counts = |column| of_lengths::<Int32Type>(column, n, lengths);
    let numbers = |column| of_lengths::<DoubleType>(column, n, lengths);
    let (ids, ranks) = (counts(ids)?, counts(ranks)?);
    let (survivors, widths) = (counts(survivors)?, counts(widths)?);
    let (logprobs, final_logprobs) = (numbers(logprobs)?, numbers(final_logprobs)?);
    let (entropies, final_entropies) = (numbers(entropies)?, numbers(final_entropies)?);
    let (outsides, capacities) = (numbers(outsides)?, numbers(capacities)?);
    let mut tops = of_lengths::<ByteArrayType>(tops, n, lengths)?;
    let count = |value: Option<i32>| value.map(i32::cast_unsigned);
    let one = |(i, bytes): (usize, &Option<ByteArray>)| {
        let shift = match (count(widths[i]), outsides[i], capacities[i]) {
            (Some(width), Some(outside), Some(heat_capacity)) => {
                Some(Shift { width, outside, heat_capacity })
            }
            (None, None, None) => None,
            _ => return Err("a token has a part of a shift".to_string()),
        };
        let top = told(tops[i].take())?.map(|json| serde_json::from_str(&json)).transpose();
        Ok(Token {
            id: count(ids[i]),
            bytes: bytes.as_ref().map_or(Vec::new(), |bytes| bytes.data().to_vec()),
            rank: count(ranks[i]),
            surprisal: logprobs[i].map(|logprob| 0.0 - logprob),
            surprisal_final: final_logprobs[i].map(|logprob| 0.0 - logprob),
            entropy: entropies[i],
            entropy_final: final_entropies[i],
            survivors: count(survivors[i]),
            shift,
            top: top.map_err(|error| format!("a token's likeliest: {error}"))?.unwrap_or_default(),
        })
    };
    let tokens = bytes.values.iter().enumerate().map(one).collect::<Result<_, _>>()?;
    Ok(each(&bytes.lengths, tokens))
}

fn read_logits(columns: &mut [Column], n: usize) -> Result<Vec<Vec<RecordedLogits>>, String> {
    let [places, sizes, packed] = columns else { return Err("columns are missing".to_string()) };
    let packed = packed.read::<ByteArrayType>(n)?;
    let numbers = |column| of_lengths::<Int64Type>(column, n, &packed.lengths);
    let (places, sizes) = (numbers(places)?, numbers(sizes)?);
    let number = |value: Option<i64>| value.unwrap_or(0).cast_unsigned();
    let one = |(i, packed): (usize, &Option<ByteArray>)| {
        let n_vocab = usize::try_from(number(sizes[i])).map_err(|error| error.to_string())?;
        let packed = packed.as_ref().map_or(Vec::new(), |bytes| bytes.data().to_vec());
        Ok::<_, String>(RecordedLogits { place: number(places[i]), n_vocab, packed })
    };
    let logits = packed.values.iter().enumerate().map(one).collect::<Result<_, _>>()?;
    Ok(each(&packed.lengths, logits))
}

/// A column of a list whose other columns have so many items in each row.
fn of_lengths<T: Readable>(
    column: &mut Column,
    n: usize,
    lengths: &[usize],
) -> Result<Vec<Option<T::T>>, String> {
    let items = column.read::<T>(n)?;
    match items.lengths == lengths {
        true => Ok(items.values),
        false => Err("the columns of a list have other lengths".to_string()),
    }
}
