//! `/why`: shows the alternatives to each token of the last answer.
//!
//! Nothing is recorded while the answer streams: a second pass over it gives the same bits.

use std::fmt::Write;

use anyhow::anyhow;
use kelvin_engine::{batch::Batch, generate::Constraint};
use kelvin_sampling::{Chain, Dice, Distribution, Limits, Sampler, State, TokenId};
use serde::Serialize;

use crate::{
    cli::shared::{session::Session, trace::percent},
    terminal::{
        self, bars,
        style::Style,
        table::{self, Align},
    },
};

/// An answer's tokens, and the chain and random numbers that reproduce its draws.
#[derive(Debug, Clone)]
pub(crate) struct Drawn {
    /// The tokens of the prompt.
    pub(crate) prompt: Vec<TokenId>,
    /// The tokens of the answer.
    pub(crate) tokens: Vec<TokenId>,
    /// The chain.
    pub(crate) chain: Chain,
    /// The random numbers.
    pub(crate) dice: Dice,
}

/// One token of an answer and its alternatives.
#[derive(Debug, Serialize)]
pub(crate) struct Reason {
    /// Position in the answer, from 1.
    place: usize,
    ids: [u32; 1],
    text: String,
    /// Rank in the raw distribution, from 1.
    rank: Option<usize>,
    probability_raw: f64,
    probability_final: f64,
    /// The likeliest tokens of the raw distribution.
    top: Vec<Alternative>,
    #[serde(skip)]
    token: TokenId,
}

#[derive(Debug, Serialize)]
struct Alternative {
    ids: [u32; 1],
    text: String,
    probability_raw: f64,
    probability_final: f64,
    #[serde(skip)]
    token: TokenId,
}

/// The tokens at positions `places` (from 0) of an answer, with `top` alternatives each.
/// `constraint` is the form that the answer had to have.
pub(crate) fn reasons(
    session: &Session,
    batch: &mut Batch,
    drawn: &Drawn,
    constraint: Option<&dyn Constraint>,
    places: std::ops::Range<usize>,
    top: usize,
) -> anyhow::Result<Vec<Reason>> {
    let mut read = drawn.prompt.clone();
    let mut sampler =
        Sampler::new(session.engine.tokenizer.bind(&drawn.chain), drawn.dice).after(&drawn.prompt);
    // A stage that learns has to see every token drawn before; penalties only need the list.
    let from = if drawn.chain.learns() { 0 } else { places.start };
    read.extend_from_slice(&drawn.tokens[..from]);
    sampler.set_state(State::restore(read.clone(), drawn.prompt.len(), None));
    let mut constraint = constraint.map(Constraint::fork);
    let refused = |words| anyhow!("the answer can't be held to its form again: {words}");
    if let Some(constraint) = &mut constraint {
        drawn.tokens[..from]
            .iter()
            .try_for_each(|&token| constraint.take(token))
            .map_err(refused)?;
    }
    let mut reasons = Vec::with_capacity(places.len());
    for place in from..places.end {
        let token = drawn.tokens[place];
        let logits = session.read(batch, &read)?;
        let pos = read.len() as u64;
        read.push(token);
        let allowed = constraint.as_mut().map(|constraint| constraint.allowed()).transpose();
        let limits = Limits { allowed: allowed.map_err(refused)?, banned: &[] };
        let last = sampler.distribution_within(usize::MAX, &logits, pos, limits)?;
        // Equal random numbers draw the same token.
        sampler.draw_within(&logits, pos, limits)?;
        if let Some(constraint) = &mut constraint {
            constraint.take(token).map_err(refused)?;
        }
        if place < places.start {
            continue;
        }
        let raw = Distribution::new(&logits, &Chain::default())?;
        let alternative = |token: TokenId| Alternative {
            ids: [token.0],
            text: session.text(token),
            probability_raw: raw.probability(token),
            probability_final: last.probability(token),
            token,
        };
        reasons.push(Reason {
            place: place + 1,
            ids: [token.0],
            text: session.text(token),
            rank: raw.rank(token).map(|rank| rank + 1),
            probability_raw: raw.probability(token),
            probability_final: last.probability(token),
            top: raw.top(top).into_iter().map(|choice| alternative(choice.token)).collect(),
            token,
        });
    }
    Ok(reasons)
}

/// One line for each token.
pub(crate) fn list(session: &Session, reasons: &[Reason], style: Style) -> String {
    let mut rows =
        vec![["", "token", "raw", "final", "rank", "instead (raw)"].map(str::to_string).to_vec()];
    for reason in reasons {
        let others = reason.top.iter().filter(|other| other.token != reason.token).take(3);
        let others = others.map(|other| {
            format!("{} {:.0} %", session.shown(other.token), other.probability_raw * 100.0)
        });
        rows.push(vec![
            reason.place.to_string(),
            session.shown(reason.token),
            percent(reason.probability_raw),
            percent(reason.probability_final),
            reason.rank.map_or_else(String::new, |rank| rank.to_string()),
            others.collect::<Vec<_>>().join(" · "),
        ]);
    }
    let mut lines = table::lines(
        &rows,
        &[Align::Right, Align::Left, Align::Right, Align::Right, Align::Right, Align::Left],
        0,
    );
    lines[0] = style.dim(&lines[0]);
    lines.join("\n") + "\n"
}

/// One token with all its alternatives.
pub(crate) fn detail(session: &Session, reason: &Reason, chain: &Chain, style: Style) -> String {
    let mut out = String::new();
    let rank =
        reason.rank.map_or_else(String::new, |rank| format!(", number {rank} of the raw order"));
    let _ = writeln!(
        out,
        "token {}: {}{rank}; final is after {chain}",
        reason.place,
        style.bold(&session.shown(reason.token))
    );
    let mut rows = vec![["", "token", "raw", "final"].map(str::to_string).to_vec()];
    for (i, other) in reason.top.iter().enumerate() {
        let here = if other.token == reason.token { "▸" } else { "" };
        rows.push(vec![
            format!("{here}{}", i + 1),
            session.shown(other.token),
            percent(other.probability_raw),
            percent(other.probability_final),
        ]);
    }
    let lines = table::lines(&rows, &[Align::Right, Align::Left, Align::Right, Align::Right], 2);
    let _ = writeln!(out, "{}", style.dim(&lines[0]));
    let room = terminal::size().0.saturating_sub(60).clamp(8, 40);
    for (line, other) in lines[1..].iter().zip(&reason.top) {
        let _ = writeln!(out, "{line}  {}", bars::bar(other.probability_final, room));
    }
    out
}
