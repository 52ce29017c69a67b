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
    /// Where the chain of a schedule holds, and that chain.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    held: Option<Held>,
    /// Tokens that a banned string took back here.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    taken_back: Vec<String>,
    /// Rank in the raw distribution, from 1.
    rank: Option<usize>,
    probability_raw: f64,
    probability_final: f64,
    /// The likeliest tokens of the raw distribution.
    top: Vec<Alternative>,
    #[serde(skip)]
    token: TokenId,
}

/// The chain of a schedule that drew a token.
#[derive(Debug, Serialize)]
struct Held {
    at: String,
    chain: String,
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
    let mut sampler = Sampler::new(session.bind(&drawn.chain)?, drawn.dice).after(&drawn.prompt);
    // A stage that learns has to see every token drawn before; penalties only need the list.
    let from = if drawn.chain.learns() { 0 } else { places.start };
    read.extend_from_slice(&drawn.tokens[..from]);
    sampler.set_state(State::restore(read.clone(), drawn.prompt.len(), None));
    let mut constraint = constraint.map(Constraint::fork);
    let mut reader = session.engine.read_blocks(&drawn.prompt);
    let refused = |words| anyhow!("the answer can't be held to its form again: {words}");
    for &token in &drawn.tokens[..from] {
        if let Some(constraint) = constraint.as_mut().filter(|_| !reader.is_in()) {
            constraint.take(token).map_err(refused)?;
        }
        reader.push(token);
    }
    let mut reasons = Vec::with_capacity(places.len());
    for place in from..places.end {
        let token = drawn.tokens[place];
        let logits = session.read(batch, &read)?;
        let pos = read.len() as u64;
        read.push(token);
        // A form is that of the answer.
        let mut form = constraint.as_mut().filter(|_| !reader.is_in());
        let allowed = form.as_mut().map(|constraint| constraint.allowed()).transpose();
        let allowed = allowed.map_err(refused)?;
        let banned = taken_back(&mut sampler, &logits, pos, allowed, token)?;
        let limits = Limits { allowed, banned: &banned };
        let (chain, at) = sampler.chain().at(&logits, sampler.state())?;
        let held = at.map(|at| Held { at, chain: chain.to_string() });
        let last = sampler.distribution_within(usize::MAX, &logits, pos, limits)?;
        // Equal random numbers draw the same token, unless a spent budget forced it.
        if sampler.draw_within(&logits, pos, limits)?.token != token {
            let learned = sampler.state().learned();
            sampler.set_state(State::restore(read.clone(), drawn.prompt.len(), learned));
        }
        if let Some(constraint) = constraint.as_mut().filter(|_| !reader.is_in()) {
            constraint.take(token).map_err(refused)?;
        }
        reader.push(token);
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
            held,
            taken_back: banned.iter().map(|&token| session.text(token)).collect(),
            rank: raw.rank(token).map(|rank| rank + 1),
            probability_raw: raw.probability(token),
            probability_final: last.probability(token),
            top: raw.top(top).into_iter().map(|choice| alternative(choice.token)).collect(),
            token,
        });
    }
    Ok(reasons)
}

/// The tokens that the dice draw at a place before they draw `token`, in rising order: banned
/// strings took them back. None if they don't draw it soon.
fn taken_back(
    sampler: &mut Sampler,
    logits: &[f32],
    pos: u64,
    allowed: Option<&[u32]>,
    token: TokenId,
) -> anyhow::Result<Vec<TokenId>> {
    const MOST: usize = 64;
    let state = sampler.state().clone();
    let mut banned: Vec<TokenId> = Vec::new();
    while banned.len() <= MOST {
        let drawn = sampler.draw_within(logits, pos, Limits { allowed, banned: &banned });
        sampler.set_state(state.clone());
        match drawn {
            Ok(draw) if draw.token == token => return Ok(banned),
            Ok(draw) => {
                let at = banned.partition_point(|other| *other < draw.token);
                banned.insert(at, draw.token);
            }
            Err(_) => break,
        }
    }
    Ok(Vec::new())
}

/// One line for each token.
pub(crate) fn list(session: &Session, reasons: &[Reason], style: Style) -> String {
    let mut rows =
        vec![["", "token", "raw", "final", "rank", "instead (raw)"].map(str::to_string).to_vec()];
    // A schedule says where each of its chains held.
    if reasons.iter().any(|reason| reason.held.is_some()) {
        rows[0].push("at".to_string());
    }
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
        if let (Some(held), Some(row)) = (&reason.held, rows.last_mut()) {
            row.push(held.at.clone());
        }
    }
    let mut lines = table::lines(
        &rows,
        &[
            Align::Right,
            Align::Left,
            Align::Right,
            Align::Right,
            Align::Right,
            Align::Left,
            Align::Left,
        ],
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
    let chain = match &reason.held {
        Some(Held { at, chain }) => format!("{chain} ({at})"),
        None => chain.to_string(),
    };
    let _ = writeln!(
        out,
        "token {}: {}{rank}; final is after {chain}",
        reason.place,
        style.bold(&session.shown(reason.token))
    );
    if !reason.taken_back.is_empty() {
        let _ = writeln!(out, "a banned string took back: {}", reason.taken_back.join(", "));
    }
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
