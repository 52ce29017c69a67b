//! The columns of the exported tables, by name and type, and a sample's rows.

use kelvin_sampling::Chain;

use crate::run::{Prompt, Sample, Token};

/// A column of a table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
}

/// The type of a column. Any cell may be empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Whole,
    Number,
    Text,
}

/// A cell of a table.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    Empty,
    Whole(i64),
    Number(f64),
    Text(String),
}

const fn whole(name: &'static str) -> Column {
    Column { name, kind: Kind::Whole }
}

const fn number(name: &'static str) -> Column {
    Column { name, kind: Kind::Number }
}

const fn text(name: &'static str) -> Column {
    Column { name, kind: Kind::Text }
}

/// One row per text. Means are over its tokens.
pub(super) fn text_columns() -> &'static [Column] {
    const COLUMNS: [Column; 17] = [
        whole("prompt"),
        whole("chain"),
        whole("sample"),
        text("prompt_text"),
        text("fields"),
        text("chain_text"),
        number("temperature"),
        text("finish"),
        whole("tokens"),
        text("text"),
        number("mean_entropy_raw"),
        number("mean_entropy_final"),
        number("mean_surprisal_raw"),
        number("mean_surprisal_final"),
        number("mean_survivors"),
        whole("judged_tokens"),
        number("judged_nats"),
    ];
    &COLUMNS
}

pub(super) fn text_row(sample: &Sample, prompt: &Prompt, chain: &Chain) -> Vec<Cell> {
    let mean = |of: fn(&Token) -> Option<f64>| {
        let values: Option<Vec<f64>> = sample.tokens.iter().map(of).collect();
        Cell::number(
            values
                .filter(|values| !values.is_empty())
                .map(|values| values.iter().sum::<f64>() / values.len() as f64),
        )
    };
    // An f32 printed with the digits that the user typed.
    let temperature = chain.temperature().and_then(|t| t.to_string().parse().ok());
    let fields = serde_json::to_string(&prompt.fields).expect("JSON is always JSON");
    vec![
        Cell::whole(sample.prompt),
        Cell::whole(sample.chain),
        Cell::whole(sample.sample),
        Cell::Text(prompt.text.clone()),
        Cell::Text(fields),
        Cell::Text(chain.to_string()),
        Cell::number(temperature),
        finish(sample),
        Cell::whole(sample.tokens.len()),
        Cell::Text(sample.text.clone()),
        mean(|token| token.entropy),
        mean(|token| token.entropy_final),
        mean(|token| token.surprisal),
        mean(|token| token.surprisal_final),
        mean(|token| token.survivors.map(f64::from)),
        sample.judged.map_or(Cell::Empty, |judged| Cell::whole(judged.tokens)),
        Cell::number(sample.judged.map(|judged| judged.nats)),
    ]
}

fn finish(sample: &Sample) -> Cell {
    match serde_json::to_value(sample.finish) {
        Ok(serde_json::Value::String(name)) => Cell::Text(name),
        _ => Cell::Empty,
    }
}

/// One row per token. An incomplete character shows as U+FFFD in `text`.
pub(super) fn token_columns() -> &'static [Column] {
    const COLUMNS: [Column; 16] = [
        whole("prompt"),
        whole("chain"),
        whole("sample"),
        whole("pos"),
        whole("id"),
        text("text"),
        whole("rank"),
        number("logprob_raw"),
        number("logprob_final"),
        number("entropy_raw"),
        number("entropy_final"),
        whole("survivors"),
        whole("shift_width"),
        number("shift_outside"),
        number("heat_capacity"),
        text("top"),
    ];
    &COLUMNS
}

pub(super) fn token_rows(sample: &Sample) -> impl Iterator<Item = Vec<Cell>> {
    let counted = |n: Option<u32>| n.map_or(Cell::Empty, |n| Cell::Whole(n.into()));
    let logprob = |nats: Option<f64>| Cell::number(nats.map(|nats| 0.0 - nats));
    sample.tokens.iter().enumerate().map(move |(pos, token)| {
        let top = (!token.top.is_empty())
            .then(|| serde_json::to_string(&token.top).expect("texts and numbers are JSON"));
        vec![
            Cell::whole(sample.prompt),
            Cell::whole(sample.chain),
            Cell::whole(sample.sample),
            Cell::whole(pos),
            counted(token.id),
            Cell::Text(String::from_utf8_lossy(&token.bytes).into_owned()),
            counted(token.rank),
            logprob(token.surprisal),
            logprob(token.surprisal_final),
            Cell::number(token.entropy),
            Cell::number(token.entropy_final),
            counted(token.survivors),
            counted(token.shift.map(|shift| shift.width)),
            Cell::number(token.shift.map(|shift| shift.outside)),
            Cell::number(token.shift.map(|shift| shift.heat_capacity)),
            top.map_or(Cell::Empty, Cell::Text),
        ]
    })
}

impl Cell {
    fn whole(n: usize) -> Cell {
        Cell::Whole(n as i64)
    }

    fn number(x: Option<f64>) -> Cell {
        x.map_or(Cell::Empty, Cell::Number)
    }
}
