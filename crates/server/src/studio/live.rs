//! Next-token distributions for the studio: at one temperature, over all temperatures, and as
//! draws.

use std::collections::HashMap;

use kelvin_engine::{Engine, TokenId};
use kelvin_sampling::{Chain, Dice, Distribution, Sampler, State};
use kelvin_views::{
    flips::{self, Flip, Named},
    grid, json,
    next::{self, Moment, Next},
    ranks::{Rank, ranks},
    token,
};
use serde::Serialize;

use super::ask::{Ask, Learned, Subject, sampling, to_go_on};
use crate::{
    fields::Fields,
    limits::{MAX_DRAWS, MAX_FAN, MAX_ROW_TOP, MAX_WATCHED},
    problem::Problem,
    requests::Ids,
};

const MAX_FLIPS: usize = 60;

/// A row of logits, and the request about it.
pub(super) struct Live<'a> {
    pub(super) engine: &'a Engine,
    pub(super) logits: &'a [f32],
    /// The distribution of the neutral chain.
    pub(super) raw: &'a Distribution,
    pub(super) subject: &'a Subject,
    pub(super) ask: &'a Ask,
}

impl Live<'_> {
    fn state(&self) -> State {
        self.subject.state(self.ask)
    }

    fn sampler(&self, chain: Chain, dice: Dice) -> Sampler {
        let mut sampler = Sampler::new(chain, dice);
        sampler.set_state(self.state());
        sampler
    }
}

/// The answer of `next`.
#[derive(Debug, Serialize)]
pub(super) struct NextTokens {
    n_tokens: usize,
    n_vocab: usize,
    /// The tokens chosen after the prompt.
    taken: Vec<Named>,
    #[serde(flatten)]
    next: Next,
    /// Only if the request has `ranks`.
    #[serde(skip_serializing_if = "Option::is_none")]
    ranks: Option<Vec<Rank>>,
    /// For each token of the answer, the state of a learning stage after that token.
    #[serde(skip_serializing_if = "HashMap::is_empty")]
    learned: HashMap<u32, Learned>,
}

/// The next-token distribution at one temperature: the `top` likeliest tokens, and those of
/// `watch`.
pub(super) fn next(live: &Live<'_>, fields: &mut Fields) -> Result<NextTokens, Problem> {
    let n = fields.whole("top", 0..=MAX_ROW_TOP)?.unwrap_or(20) as usize;
    let watch = fields.take::<Option<Ids>>("watch")?.unwrap_or_default().0;
    if watch.len() > MAX_WATCHED {
        return Err(Problem::parameter(
            "watch",
            format!("\"watch\" has more than {MAX_WATCHED} tokens"),
        ));
    }
    let (state, pos) = (live.state(), live.subject.pos());
    let words = live.ask.words(pos);
    let chain = live.ask.resolved(live.logits)?;
    let mut sampler = live.sampler(chain.clone(), live.ask.dice);
    let pick = sampler.replay(&chain, live.logits, pos).map_err(sampling)?.token;
    let mut learned = HashMap::new();
    if chain.learns() {
        let mut shown: Vec<TokenId> = live.raw.top(n).iter().map(|choice| choice.token).collect();
        shown.extend(watch.iter().copied().chain([pick]));
        let after = sampler.learned_after(live.logits, pos, &shown).map_err(sampling)?;
        let one = |(token, after): (TokenId, Option<_>)| Some((token.0, to_go_on(after?)?));
        learned.extend(shown.into_iter().zip(after).filter_map(one));
    }
    let moment = Moment {
        engine: live.engine,
        logits: live.logits,
        chain: &chain,
        state: &state,
        words: &words,
    };
    let ranks = if fields.flag("ranks")? {
        Some(ranks(&moment, live.raw).map_err(sampling)?)
    } else {
        None
    };
    let next = next::next(&moment, live.raw, pick, n, &watch).map_err(sampling)?;
    let taken = live.subject.taken().iter().map(|&token| Named::of(live.engine, token)).collect();
    Ok(NextTokens {
        n_tokens: live.subject.tokens.len(),
        n_vocab: live.logits.len(),
        taken,
        next,
        ranks,
        learned,
    })
}

/// Probabilities against T, from 0 to ∞.
#[derive(Debug, Serialize)]
pub(super) struct Fan {
    temperatures: Vec<Temperature>,
    tokens: Vec<Ray>,
    /// Mass of all other tokens.
    rest: Vec<f64>,
    entropy: Vec<f64>,
}

#[derive(Debug, Serialize)]
struct Temperature(#[serde(serialize_with = "json::number")] f64);

#[derive(Debug, Serialize)]
struct Ray {
    id: u32,
    shown: String,
    probabilities: Vec<f64>,
}

/// The final probabilities of the `top` likeliest tokens at every temperature.
pub(super) fn fan(live: &Live<'_>, fields: &mut Fields) -> Result<Fan, Problem> {
    let n = fields.whole("top", 1..=MAX_FAN)?.unwrap_or(8) as usize;
    let watch = fields.take::<Option<Ids>>("watch")?.unwrap_or_default().0;
    let (state, words) = (live.state(), live.ask.words(live.subject.pos()));
    let mut tokens: Vec<TokenId> = live.raw.top(n).iter().map(|choice| choice.token).collect();
    tokens.extend(watch.into_iter().take(MAX_WATCHED));
    let ray = |&token: &TokenId| Ray {
        id: token.0,
        shown: token::shown(live.engine, token),
        probabilities: Vec::new(),
    };
    let mut fan = Fan {
        temperatures: Vec::new(),
        tokens: tokens.iter().map(ray).collect(),
        rest: Vec::new(),
        entropy: Vec::new(),
    };
    for t in grid::temperatures() {
        let Ask { chain, dice, learned, .. } = live.ask;
        let ask =
            Ask { uniform: t.is_infinite(), chain: chain.clone(), dice: *dice, learned: *learned };
        let chain = if t.is_finite() {
            let chain = ask.chain.with_temperature(t as f32);
            chain.map_err(|error| Problem::parameter("sampler", error.to_string()))?
        } else {
            ask.resolved(live.logits)?
        };
        let distribution =
            Distribution::after(live.logits, &chain, &state, &words).map_err(sampling)?;
        for (ray, &token) in fan.tokens.iter_mut().zip(&tokens) {
            ray.probabilities.push(distribution.probability(token));
        }
        let shown: f64 = fan.tokens.iter().filter_map(|ray| ray.probabilities.last()).sum();
        fan.rest.push((1.0 - shown).max(0.0));
        fan.entropy.push(distribution.entropy());
        fan.temperatures.push(Temperature(t));
    }
    Ok(fan)
}

/// The temperatures at which one random number draws another token.
#[derive(Debug, Serialize)]
pub(super) struct Flips {
    u: f64,
    /// The token drawn at T = 0.05, where the search starts.
    first: Named,
    flips: Vec<Flip>,
    /// Whether there may be more changes below T = 10.
    more: bool,
}

/// The changes from T = 0.05 up to 10.
pub(super) fn flips(live: &Live<'_>, _: &mut Fields) -> Result<Flips, Problem> {
    let pos = live.subject.pos();
    let mut sampler = live.sampler(live.ask.chain.clone(), live.ask.dice);
    let wrong = |error: &dyn std::fmt::Display| Problem::parameter("sampler", error.to_string());
    let flips = flips::flips(live.engine, &mut sampler, live.logits, pos, MAX_FLIPS);
    let flips = flips.map_err(|error| wrong(&error))?;
    let cold = live.ask.chain.with_temperature(0.05).map_err(|error| wrong(&error))?;
    let first = live.sampler(cold.clone(), live.ask.dice).replay(&cold, live.logits, pos);
    let first = first.map_err(sampling)?.token;
    Ok(Flips {
        u: live.ask.words(pos).draw as f64 / 2f64.powi(64),
        first: Named::of(live.engine, first),
        more: flips.len() == MAX_FLIPS,
        flips,
    })
}

/// The nearest temperatures at which the random number draws another token.
#[derive(Debug, Serialize)]
pub(super) struct Nearest {
    below: Option<Flip>,
    above: Option<Flip>,
}

/// The nearest changes below and above the temperature; none at T = ∞.
pub(super) fn nearest(live: &Live<'_>, _: &mut Fields) -> Result<Nearest, Problem> {
    if live.ask.uniform {
        return Ok(Nearest { below: None, above: None });
    }
    let mut sampler = live.sampler(live.ask.chain.clone(), live.ask.dice);
    let found = flips::nearest(live.engine, &mut sampler, live.logits, live.subject.pos());
    let [below, above] = found.map_err(|error| Problem::parameter("sampler", error.to_string()))?;
    Ok(Nearest { below, above })
}

/// Counts of draws beside their expected values.
#[derive(Debug, Serialize)]
pub(super) struct Draws {
    n: u64,
    /// Number of different tokens.
    distinct: usize,
    /// The likeliest tokens, and those drawn most often.
    tokens: Vec<Drawn>,
    others: Others,
}

#[derive(Debug, Serialize)]
struct Drawn {
    id: u32,
    shown: String,
    observed: u64,
    expected: f64,
}

#[derive(Debug, Serialize)]
struct Others {
    observed: u64,
    expected: f64,
}

/// Draws samples 0 to n-1 of the seed, each with its own random number.
pub(super) fn draws(live: &Live<'_>, fields: &mut Fields) -> Result<Draws, Problem> {
    let n = fields.whole("n", 1..=MAX_DRAWS)?.unwrap_or(1);
    let top = fields.whole("top", 0..=MAX_ROW_TOP)?.unwrap_or(20) as usize;
    live.ask.check_draws()?;
    let (pos, state, chain) = (live.subject.pos(), live.state(), &live.ask.chain);
    let last =
        Distribution::after(live.logits, chain, &state, &live.ask.words(pos)).map_err(sampling)?;
    let mut counts: HashMap<TokenId, u64> = HashMap::new();
    let mut sampler = live.sampler(chain.clone(), live.ask.dice);
    for sample in 0..n {
        let words = Dice { sample, ..live.ask.dice }.words(pos);
        let token = sampler.sample_with(live.logits, words).map_err(sampling)?;
        sampler.set_state(state.clone());
        *counts.entry(token).or_default() += 1;
    }
    let mut tokens: Vec<TokenId> = last.top(top).iter().map(|choice| choice.token).collect();
    let mut seen: Vec<(TokenId, u64)> = counts.iter().map(|(&token, &n)| (token, n)).collect();
    seen.sort_unstable_by_key(|&(token, n)| (std::cmp::Reverse(n), token));
    let surprising = seen.iter().filter(|(token, _)| !tokens.contains(token)).take(5);
    let surprising: Vec<TokenId> = surprising.map(|(token, _)| *token).collect();
    tokens.extend(surprising);
    let drawn = |&token: &TokenId| Drawn {
        id: token.0,
        shown: token::shown(live.engine, token),
        observed: counts.get(&token).copied().unwrap_or(0),
        expected: n as f64 * last.probability(token),
    };
    let tokens: Vec<Drawn> = tokens.iter().map(drawn).collect();
    let others = Others {
        observed: n - tokens.iter().map(|drawn| drawn.observed).sum::<u64>(),
        expected: (n as f64 - tokens.iter().map(|drawn| drawn.expected).sum::<f64>()).max(0.0),
    };
    Ok(Draws { n, distinct: counts.len(), tokens, others })
}
