//! What each stage of a chain did, as rows for programs and lines for people.

use kelvin_sampling::{Place, TokenId, Trace};
use serde::Serialize;

use super::{failure::usage, session::Session};
use crate::terminal::{
    style::Style,
    table::{self, Align},
};

/// One stage.
#[derive(Debug, Serialize)]
pub(crate) struct StageRow {
    pub(crate) stage: String,
    survivors_before: usize,
    survivors_after: usize,
    entropy_before: f64,
    entropy_after: f64,
    mass_removed: f64,
}

/// A token that was asked for, and where it stood on its way through the chain.
#[derive(Debug, Serialize)]
pub(crate) struct Watched {
    ids: [u32; 1],
    text: String,
    #[serde(skip)]
    shown: String,
    /// Before the first stage (raw), and after each.
    places: Vec<PlaceRow>,
}

/// Where it stood.
#[derive(Debug, Serialize)]
struct PlaceRow {
    /// `raw`, or the stage after which.
    after: String,
    /// From 0; null where it was gone.
    rank: Option<usize>,
    probability: f64,
    /// Null where it was gone.
    surprisal_nats: Option<f64>,
}

/// The stages of a trace.
pub(crate) fn stages(trace: &Trace) -> Vec<StageRow> {
    let row = |report: &kelvin_sampling::StageReport| StageRow {
        stage: report.stage.to_string(),
        survivors_before: report.survivors_before,
        survivors_after: report.survivors_after,
        entropy_before: report.entropy_before,
        entropy_after: report.entropy_after,
        mass_removed: report.mass_removed,
    };
    trace.stages().iter().map(row).collect()
}

/// The tokens that a trace was told to watch.
pub(crate) fn watched(trace: &Trace, tokens: &[TokenId], session: &Session) -> Vec<Watched> {
    let names = || {
        ["raw".to_string()].into_iter().chain(trace.stages().iter().map(|report| report.stage.to_string()))
    };
    let row = |(after, place): (String, &Option<Place>)| PlaceRow {
        after,
        rank: place.map(|place| place.rank),
        probability: place.map_or(0.0, |place| place.probability),
        surprisal_nats: place.map(|place| place.surprisal),
    };
    let token = |(i, &token): (usize, &TokenId)| Watched {
        ids: [token.0],
        text: session.text(token),
        shown: session.shown(token),
        places: names().zip(trace.places(i)).map(row).collect(),
    };
    tokens.iter().enumerate().map(token).collect()
}

/// The tokens that were typed: a text that is one token, or `#ID`.
pub(crate) fn tokens(typed: &[String], session: &Session) -> anyhow::Result<Vec<TokenId>> {
    let tokenizer = &session.engine.tokenizer;
    let one = |typed: &String| {
        if let Some(id) = typed.strip_prefix('#').and_then(|id| id.parse::<u32>().ok()) {
            return if (id as usize) < tokenizer.vocab_size() {
                Ok(TokenId(id))
            } else {
                let last = tokenizer.vocab_size() - 1;
                Err(usage(format!("--token: there is no token {id}; the model's ids go from 0 to {last}")))
            };
        }
        let named = |id: &u32| tokenizer.bytes(TokenId(*id), true) == typed.as_bytes();
        if let Some(id) = (0..tokenizer.vocab_size() as u32).find(named) {
            return Ok(TokenId(id));
        }
        let parts = tokenizer.encode(typed, false, false);
        let shown = parts.iter().map(|&token| session.shown(token)).collect::<Vec<_>>().join(" ");
        Err(usage(format!(
            "--token: \"{typed}\" isn't one token of this model but {} ({shown}): name one of them, or give #ID",
            parts.len()
        )))
    };
    typed.iter().map(one).collect()
}

/// The stages as a table.
pub(crate) fn stage_lines(stages: &[StageRow], style: Style) -> String {
    let mut rows = vec![["stage", "tokens left", "entropy", "mass removed"].map(str::to_string).to_vec()];
    for stage in stages {
        rows.push(vec![
            stage.stage.clone(),
            format!("{} → {}", stage.survivors_before, stage.survivors_after),
            format!("{:.3} → {:.3}", stage.entropy_before, stage.entropy_after),
            percent(stage.mass_removed),
        ]);
    }
    let lines = table::lines(&rows, &[Align::Left, Align::Right, Align::Right, Align::Right], 2);
    lines.iter().map(|line| style.dim(line) + "\n").collect()
}

/// The watched tokens as a table; the way through the chain if `all`, else its ends.
pub(crate) fn watched_lines(watched: &[Watched], all: bool, style: Style) -> String {
    let mut rows = vec![["token", "after", "rank", "probability", "nats"].map(str::to_string).to_vec()];
    for token in watched {
        let last = token.places.len() - 1;
        let places = token.places.iter().enumerate().filter(|(i, _)| all || *i == 0 || *i == last);
        for (i, place) in places {
            let name = if i == 0 { token.shown.clone() } else { String::new() };
            rows.push(vec![
                name,
                place.after.clone(),
                place.rank.map_or_else(|| "gone".to_string(), |rank| (rank + 1).to_string()),
                percent(place.probability),
                place.surprisal_nats.map_or_else(|| "∞".to_string(), |nats| format!("{nats:.3}")),
            ]);
        }
    }
    let align = [Align::Left, Align::Left, Align::Right, Align::Right, Align::Right];
    let mut lines = table::lines(&rows, &align, 2);
    lines[0] = style.dim(&lines[0]);
    lines.join("\n") + "\n"
}

/// A probability as a percentage whose small values still show.
pub(crate) fn percent(p: f64) -> String {
    match p {
        0.0 => "0 %".to_string(),
        p if p < 5e-6 => format!("{:.1e} %", p * 100.0),
        _ => format!("{:.4} %", p * 100.0),
    }
}
