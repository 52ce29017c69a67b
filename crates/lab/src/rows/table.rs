//! The columns of a table of rows in Arrow's types, and rows as record batches and back.
//!
//! Names and units are those of the database (`schema.sql`).

use std::sync::{Arc, LazyLock};

use arrow_array::{
    Array, ArrayRef, ArrowPrimitiveType, BinaryArray, Float64Array, Int64Array, LargeBinaryArray,
    ListArray, PrimitiveArray, RecordBatch, StringArray, StructArray, UInt32Array, UInt64Array,
    cast::AsArray,
    types::{Float64Type, Int64Type, UInt32Type, UInt64Type},
};
use arrow_buffer::OffsetBuffer;
use arrow_schema::{DataType, Field, FieldRef, Fields, Schema, SchemaRef};
use kelvin_sampling::Shift;

use super::Finished;
use crate::{
    recorded::RecordedLogits,
    run::{Finish, Sample, Token},
    worker::Row,
};

/// Rows of a batch, and so of a row group in a file.
const MAX_ROWS: usize = 1000;
/// Bytes of a batch, about. Offsets of Arrow's lists and texts have 31 bits.
const MAX_BYTES: usize = 64 << 20;

static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
    let field = |name: &str, kind, nullable| Field::new(name, kind, nullable);
    let list = |name: &str, items: Fields| {
        field(name, DataType::List(Arc::new(field("item", DataType::Struct(items), false))), false)
    };
    let number = |name: &str| field(name, DataType::Float64, true);
    let count = |name: &str| field(name, DataType::UInt32, true);
    let tokens = vec![
        count("id"),
        field("bytes", DataType::Binary, false),
        count("rank"),
        number("logprob_raw"),
        number("logprob_final"),
        number("entropy_raw"),
        number("entropy_final"),
        count("survivors"),
        count("shift_width"),
        number("shift_outside"),
        number("heat_capacity"),
        field("top", DataType::Utf8, true),
    ];
    let logits = vec![
        field("place", DataType::UInt64, false),
        field("n_vocab", DataType::UInt64, false),
        field("packed", DataType::LargeBinary, false),
    ];
    Arc::new(Schema::new(vec![
        field("prompt", DataType::Int64, false),
        field("chain", DataType::Int64, false),
        field("sample", DataType::Int64, false),
        field("error", DataType::Utf8, true),
        field("text", DataType::Utf8, true),
        field("finish", DataType::Utf8, true),
        list("tokens", tokens.into()),
        list("logits", logits.into()),
        field("whole", DataType::Utf8, true),
    ]))
});

/// The columns: prompt, chain and sample; why there is no text, or the text and why it ended; how
/// each token was drawn; the logits, if they were recorded; how the text was drawn as a whole, if
/// it was, as JSON.
pub fn schema() -> SchemaRef {
    Arc::clone(&SCHEMA)
}

/// Rows as record batches, whose borders depend on the rows alone.
pub fn batches(rows: &[Finished]) -> Vec<RecordBatch> {
    let Some(first) = rows.first() else { return Vec::new() };
    let mut filling = Filling::default();
    filling.takes(first);
    rows.chunk_by(|_, next| filling.takes(next)).map(batch).collect()
}

/// How full the batch is that takes the next row.
#[derive(Debug, Default)]
pub(super) struct Filling {
    rows: usize,
    bytes: usize,
}

impl Filling {
    /// Adds a row. Returns whether it joins the rows before it; else it begins another batch.
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

fn batch(rows: &[Finished]) -> RecordBatch {
    let place = |of: fn(&Row) -> usize| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| of(&row.row) as i64)))
    };
    let texts = || rows.iter().map(|row| row.outcome.as_ref().ok());
    let samples = || texts().map(|text| text.map(|(sample, _)| sample));
    let tokens =
        || texts().map(|text| text.map_or(&[][..], |(sample, _)| sample.tokens.as_slice()));
    let logits = || texts().map(|text| text.map_or(&[][..], |(_, logits)| logits.as_slice()));
    let errors = rows.iter().map(|row| row.outcome.as_ref().err());
    let columns: Vec<ArrayRef> = vec![
        place(|row| row.prompt),
        place(|row| row.chain),
        place(|row| row.sample),
        Arc::new(errors.collect::<StringArray>()),
        Arc::new(samples().map(|s| s.map(|s| s.text.as_str())).collect::<StringArray>()),
        Arc::new(samples().map(|s| s.map(|s| finish_name(s.finish))).collect::<StringArray>()),
        list(
            6,
            tokens().map(<[Token]>::len),
            token_columns(&tokens().flatten().collect::<Vec<_>>()),
        ),
        list(7, logits().map(<[_]>::len), logit_columns(&logits().flatten().collect::<Vec<_>>())),
        Arc::new(samples().map(|s| s.and_then(whole)).collect::<StringArray>()),
    ];
    RecordBatch::try_new(schema(), columns).expect("the columns are the schema's, of one length")
}

fn finish_name(finish: Finish) -> String {
    let name = serde_json::to_value(finish).expect("a name is always JSON");
    name.as_str().expect("a name is a text").to_string()
}

fn whole(sample: &Sample) -> Option<String> {
    let json = |whole| serde_json::to_string(whole).expect("names and numbers are always JSON");
    sample.whole.as_ref().map(json)
}

/// A column of lists: how long each is, and the columns of all items.
fn list(column: usize, lengths: impl Iterator<Item = usize>, items: Vec<ArrayRef>) -> ArrayRef {
    let item = item(column);
    let DataType::Struct(fields) = item.data_type() else { unreachable!("items are structs") };
    let items = StructArray::new(fields.clone(), items, None);
    Arc::new(ListArray::new(item, OffsetBuffer::from_lengths(lengths), Arc::new(items), None))
}

fn item(column: usize) -> FieldRef {
    let DataType::List(item) = SCHEMA.field(column).data_type() else {
        unreachable!("the column holds lists")
    };
    Arc::clone(item)
}

fn token_columns(tokens: &[&Token]) -> Vec<ArrayRef> {
    let count = |of: fn(&Token) -> Option<u32>| -> ArrayRef {
        Arc::new(tokens.iter().map(|token| of(token)).collect::<UInt32Array>())
    };
    let number = |of: fn(&Token) -> Option<f64>| -> ArrayRef {
        Arc::new(tokens.iter().map(|token| of(token)).collect::<Float64Array>())
    };
    let top = tokens.iter().map(|token| {
        let told = (!token.top.is_empty()).then_some(&token.top);
        told.map(|top| serde_json::to_string(top).expect("texts and numbers are JSON"))
    });
    vec![
        count(|token| token.id),
        Arc::new(BinaryArray::from_iter_values(tokens.iter().map(|token| &token.bytes))),
        count(|token| token.rank),
        number(|token| token.surprisal.map(|nats| 0.0 - nats)),
        number(|token| token.surprisal_final.map(|nats| 0.0 - nats)),
        number(|token| token.entropy),
        number(|token| token.entropy_final),
        count(|token| token.survivors),
        count(|token| token.shift.map(|shift| shift.width)),
        number(|token| token.shift.map(|shift| shift.outside)),
        number(|token| token.shift.map(|shift| shift.heat_capacity)),
        Arc::new(top.collect::<StringArray>()),
    ]
}

fn logit_columns(logits: &[&RecordedLogits]) -> Vec<ArrayRef> {
    let numbers = |of: fn(&RecordedLogits) -> u64| -> ArrayRef {
        Arc::new(UInt64Array::from_iter_values(logits.iter().map(|step| of(step))))
    };
    vec![
        numbers(|step| step.place),
        numbers(|step| step.n_vocab as u64),
        Arc::new(LargeBinaryArray::from_iter_values(logits.iter().map(|step| &step.packed))),
    ]
}

/// The rows of a batch that has the schema.
///
/// # Errors
/// A row that no worker writes.
pub(super) fn finished(batch: &RecordBatch) -> Result<Vec<Finished>, String> {
    let place = |i: usize| batch.column(i).as_primitive::<Int64Type>();
    let (prompts, chains, samples) = (place(0), place(1), place(2));
    let text = |i: usize| batch.column(i).as_string::<i32>();
    let (errors, texts, finishes, wholes) = (text(3), text(4), text(5), text(8));
    let (tokens, logits) = (batch.column(6).as_list::<i32>(), batch.column(7).as_list::<i32>());
    let one = |i: usize| {
        let index = |column: &Int64Array| {
            usize::try_from(column.value(i))
                .map_err(|_| format!("row {i} has the index {}", column.value(i)))
        };
        let row = Row { prompt: index(prompts)?, chain: index(chains)?, sample: index(samples)? };
        let said = |texts: &StringArray| texts.is_valid(i).then(|| texts.value(i).to_string());
        let outcome = match (said(errors), said(texts), said(finishes)) {
            (Some(error), None, None) => Err(error),
            (None, Some(text), Some(finish)) => {
                let finish = serde_json::from_value(finish.into())
                    .map_err(|error| format!("its finish: {error}"))?;
                let Row { prompt, chain, sample } = row;
                let tokens = read_tokens(tokens.value(i).as_struct())?;
                let whole = said(wholes).map(|json| serde_json::from_str(&json)).transpose();
                let whole = whole.map_err(|error| format!("how it was drawn: {error}"))?;
                let (judged, embedding) = (None, None);
                let sample = Sample {
                    prompt,
                    chain,
                    sample,
                    text,
                    finish,
                    tokens,
                    judged,
                    embedding,
                    whole,
                };
                Ok((sample, read_logits(logits.value(i).as_struct())?))
            }
            _ => return Err("a row has a text and its finish, or an error instead".to_string()),
        };
        Ok(Finished { row, outcome })
    };
    (0..batch.num_rows()).map(one).collect()
}

fn optional<T: ArrowPrimitiveType>(column: &PrimitiveArray<T>, i: usize) -> Option<T::Native> {
    column.is_valid(i).then(|| column.value(i))
}

fn read_tokens(items: &StructArray) -> Result<Vec<Token>, String> {
    let count = |column: usize, i| optional(items.column(column).as_primitive::<UInt32Type>(), i);
    let number = |column: usize, i| optional(items.column(column).as_primitive::<Float64Type>(), i);
    let (bytes, top) = (items.column(1).as_binary::<i32>(), items.column(11).as_string::<i32>());
    let one = |i: usize| {
        let shift = match (count(8, i), number(9, i), number(10, i)) {
            (Some(width), Some(outside), Some(heat_capacity)) => {
                Some(Shift { width, outside, heat_capacity })
            }
            (None, None, None) => None,
            _ => return Err("a token has a part of a shift".to_string()),
        };
        let top = match top.is_valid(i) {
            true => serde_json::from_str(top.value(i))
                .map_err(|error| format!("a token's likeliest: {error}"))?,
            false => Vec::new(),
        };
        Ok(Token {
            id: count(0, i),
            bytes: bytes.value(i).to_vec(),
            rank: count(2, i),
            surprisal: number(3, i).map(|logprob| 0.0 - logprob),
            surprisal_final: number(4, i).map(|logprob| 0.0 - logprob),
            entropy: number(5, i),
            entropy_final: number(6, i),
            survivors: count(7, i),
            shift,
            top,
        })
    };
    (0..items.len()).map(one).collect()
}

fn read_logits(items: &StructArray) -> Result<Vec<RecordedLogits>, String> {
    let number = |column: usize, i| items.column(column).as_primitive::<UInt64Type>().value(i);
    let packed = items.column(2).as_binary::<i64>();
    let one = |i: usize| {
        let n_vocab = usize::try_from(number(1, i)).map_err(|error| error.to_string())?;
        Ok(RecordedLogits { place: number(0, i), n_vocab, packed: packed.value(i).to_vec() })
    };
    (0..items.len()).map(one).collect()
}
