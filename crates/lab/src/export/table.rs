//! The columns of the exported tables, by name and type, and a sample's rows.

use std::borrow::Cow;

use kelvin_sampling::TokenId;

use crate::{
    column,
    replay::Unpacked,
    run::{Prompt, Sample, Scored, Token},
    scores::Score,
};

/// What a row of the table stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// A text.
    Texts,
    /// A token.
    Tokens,
    /// A logit that was recorded.
    Logits,
}

/// A column of a table.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) name: Cow<'static, str>,
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
    Column { name: Cow::Borrowed(name), kind: Kind::Whole }
}

const fn number(name: &'static str) -> Column {
    Column { name: Cow::Borrowed(name), kind: Kind::Number }
}

const fn text(name: &'static str) -> Column {
    Column { name: Cow::Borrowed(name), kind: Kind::Text }
}

/// The columns of a table. Texts have one for each score, behind the others.
pub(super) fn columns(what: What, scores: &[Score]) -> Vec<Column> {
    match what {
        What::Texts => {
            let score = |score: &Score| Column {
                name: Cow::Owned(format!("score_{}", score.name)),
                kind: Kind::Number,
            };
            text_columns().iter().cloned().chain(scores.iter().map(score)).collect()
        }
        What::Tokens => token_columns().to_vec(),
        What::Logits => logit_columns().to_vec(),
    }
}

/// The cells of a text's scores: empty where it has no value.
pub(super) fn score_cells(sample: &Sample, scores: &[Scored]) -> impl Iterator<Item = Cell> {
    let place = (sample.prompt, sample.chain, sample.sample);
    let value = move |of: &Scored| of.get(&place).and_then(|value| value.as_ref().ok()).copied();
    scores.iter().map(move |of| Cell::number(value(of)))
}

/// One row per text. Means are over its tokens. `energy` and `text_temperature` (JSON) are of texts
/// that were drawn as a whole.
fn text_columns() -> &'static [Column] {
    static COLUMNS: [Column; 25] = [
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
        whole("tokens_computed"),
        number("energy"),
        text("text_temperature"),
        text("run_hash"),
        text("model"),
        text("model_sha256"),
        whole("seed"),
        text("kelvin_version"),
    ];
    &COLUMNS
}

pub(super) fn text_row(sample: &Sample, prompt: &Prompt, chain: &column::Column) -> Vec<Cell> {
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
        Cell::whole(sample.n_computed()),
        Cell::number(sample.whole.as_ref().and_then(|whole| whole.energy)),
        sample.whole.as_ref().map_or(Cell::Empty, |whole| Cell::Text(json(whole))),
    ]
}

/// A record as JSON.
fn json(record: &impl serde::Serialize) -> String {
    serde_json::to_string(record).expect("names and numbers are always JSON")
}

fn finish(sample: &Sample) -> Cell {
    name(&sample.finish)
}

/// A value whose JSON is a text.
fn name(value: &impl serde::Serialize) -> Cell {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => Cell::Text(name),
        _ => Cell::Empty,
    }
}

/// One row per token. An incomplete character shows as U+FFFD in `text`.
fn token_columns() -> &'static [Column] {
    static COLUMNS: [Column; 21] = [
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
        text("run_hash"),
        text("model"),
        text("model_sha256"),
        whole("seed"),
        text("kelvin_version"),
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

/// The last cells of a row: what names its run.
pub(super) fn origin_cells(origin: &[(&'static str, String)]) -> Vec<Cell> {
    let cell = |(key, value): &(&'static str, String)| match *key {
        "seed" => value.parse().map_or_else(|_| Cell::Text(value.clone()), Cell::Whole),
        _ if value.is_empty() => Cell::Empty,
        _ => Cell::Text(value.clone()),
    };
    origin.iter().map(cell).collect()
}

/// One row per logit that was recorded with its token, the likeliest first. The step at which a
/// text ended comes after its last token.
fn logit_columns() -> &'static [Column] {
    static COLUMNS: [Column; 7] = [
        whole("prompt"),
        whole("chain"),
        whole("sample"),
        whole("pos"),
        whole("rank"),
        whole("id"),
        number("logit"),
    ];
    &COLUMNS
}

pub(super) fn logit_rows(
    sample: &Sample,
    pos: usize,
    step: &Unpacked,
) -> impl Iterator<Item = Vec<Cell>> {
    let mut known: Vec<(usize, f32)> = step.logits.iter().copied().enumerate().collect();
    known.retain(|(id, _)| step.names(TokenId(*id as u32)));
    known.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let place = [sample.prompt, sample.chain, sample.sample, pos];
    known.into_iter().enumerate().map(move |(rank, (id, logit))| {
        let numbers = place.iter().chain([&rank, &id]).map(|&n| Cell::whole(n));
        numbers.chain([Cell::number(Some(f64::from(logit)))]).collect()
    })
}

/// One row per metric and setting. `low` and `high` bound the 95 % interval of the mean;
/// differences are paired, from the setting that `report` compares with.
#[cfg(feature = "arrow")]
pub(super) fn metric_columns() -> &'static [Column] {
    static COLUMNS: [Column; 16] = [
        text("metric"),
        text("unit"),
        whole("chain"),
        text("chain_text"),
        number("temperature"),
        number("mean"),
        number("low"),
        number("high"),
        whole("n"),
        text("over"),
        number("difference"),
        number("difference_low"),
        number("difference_high"),
        number("p_holm"),
        text("verdict"),
        text("absent"),
    ];
    &COLUMNS
}

#[cfg(feature = "arrow")]
pub(super) fn metric_rows(report: &crate::report::Report) -> impl Iterator<Item = Vec<Cell>> + '_ {
    let row = |metric: &crate::report::Measured, i: usize| {
        let (setting, value, shown) =
            (&report.settings[i], metric.values[i].as_ref(), metric.differences[i].as_ref());
        let difference = shown.map(|shown| shown.value);
        let absent = metric.absent.first().filter(|_| value.is_none());
        vec![
            Cell::Text(metric.name.to_string()),
            Cell::Text(metric.unit.to_string()),
            Cell::whole(setting.index),
            Cell::Text(setting.chain.clone()),
            Cell::number(setting.temperature),
            Cell::number(value.map(|value| value.mean)),
            Cell::number(value.and_then(|value| value.low)),
            Cell::number(value.and_then(|value| value.high)),
            value.map_or(Cell::Empty, |value| Cell::whole(value.n)),
            value.map_or(Cell::Empty, |value| name(&value.over)),
            Cell::number(difference.map(|value| value.mean)),
            Cell::number(difference.and_then(|value| value.low)),
            Cell::number(difference.and_then(|value| value.high)),
            Cell::number(shown.and_then(|shown| shown.p_holm)),
            shown.map_or(Cell::Empty, |shown| Cell::Text(shown.verdict.to_string())),
            absent.map_or(Cell::Empty, |(why, _)| Cell::Text(why.clone())),
        ]
    };
    let settings = 0..report.settings.len();
    report.metrics.iter().flat_map(move |metric| settings.clone().map(move |i| row(metric, i)))
}

impl Cell {
    fn whole(n: usize) -> Cell {
        Cell::Whole(n as i64)
    }

    fn number(x: Option<f64>) -> Cell {
        x.map_or(Cell::Empty, Cell::Number)
    }
}
