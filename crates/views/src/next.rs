//! The next-token distribution of a chain: the top tokens with their probabilities at each point of
//! the chain, the exact mass of all others, and the token that the random number selects.
//!
//! Every probability is labelled. Raw is the model's own, T = 1. "After temperature" is after the
//! chain's last stage that sets a temperature, "after truncation" after its last stage that removes
//! tokens, and final after all stages.

use std::borrow::Cow;

use kelvin_engine::Engine;
use kelvin_sampling::{
    Chain, Choice, Distribution, SampleError, Stage, State, TokenId, Trace, Words,
};
use serde::Serialize;

use super::{
    token,
    trace::{StageRow, Watched, stages, watched},
};

/// Input of the view.
pub struct Moment<'a> {
    /// The engine, for token texts.
    pub engine: &'a Engine,
    /// The model's logits, one per token of the vocabulary.
    pub logits: &'a [f32],
    /// The sampler whose chain is shown.
    pub chain: &'a Chain,
    /// The state of stages after the text so far.
    pub state: &'a State,
    /// Token texts, for stages that need them.
    pub words: &'a Words,
}

/// The next-token distribution, and the draw.
#[derive(Debug, Serialize)]
pub struct Next {
    chain: String,
    /// Where the chain of a schedule holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
    raw: Figures,
    after_temperature: Figures,
    after_truncation: Figures,
    #[serde(rename = "final")]
    last: Figures,
    /// The likeliest tokens, by raw probability.
    top: Vec<Top>,
    rest: Rest,
    /// The tokens that end a text.
    end: End,
    stages: Vec<StageRow>,
    watched: Vec<Watched>,
    dart: Dart,
}

/// Figures of one distribution.
#[derive(Debug, Clone, Serialize)]
struct Figures {
    entropy_nats: f64,
    effective_choices: f64,
    /// Null at T = ∞.
    free_energy: Option<f64>,
    heat_capacity: f64,
    survivors: usize,
}

/// A token's probability at each of the four points.
#[derive(Debug, Clone, Copy, Default, Serialize)]
struct Shares {
    raw: f64,
    after_temperature: f64,
    after_truncation: f64,
    #[serde(rename = "final")]
    last: f64,
}

#[derive(Debug, Serialize)]
struct Top {
    id: u32,
    text: String,
    shown: String,
    logit: f32,
    #[serde(flatten)]
    shares: Shares,
    ends: bool,
}

/// Mass of all other tokens.
#[derive(Debug, Serialize)]
struct Rest {
    tokens: usize,
    #[serde(flatten)]
    shares: Shares,
}

#[derive(Debug, Serialize)]
struct End {
    ids: Vec<u32>,
    #[serde(flatten)]
    shares: Shares,
}

/// The random number as a point of the cumulative final distribution, and the token there.
#[derive(Debug, Serialize)]
struct Dart {
    /// The random 64-bit number divided by 2^64.
    u: f64,
    id: u32,
    text: String,
    shown: String,
    /// From 0.
    rank: usize,
    /// The token's interval of the cumulative distribution.
    from: f64,
    to: f64,
    ends: bool,
}

/// The four distributions of a chain, stored once each if some are equal.
struct Four<'a> {
    distinct: Vec<Cow<'a, Distribution>>,
    /// Indices of the raw, after-temperature, after-truncation and final distribution.
    which: [usize; 4],
}

impl<'a> Four<'a> {
    fn of(
        moment: &Moment<'a>,
        raw: &'a Distribution,
        last: &'a Distribution,
    ) -> Result<Four<'a>, SampleError> {
        let Moment { logits, chain, state, words, .. } = *moment;
        let stages = chain.stages();
        let after =
            |what: fn(&Stage) -> bool| stages.iter().rposition(what).map_or(0, |place| place + 1);
        let mut four =
            Four { distinct: vec![Cow::Borrowed(raw), Cow::Borrowed(last)], which: [0, 0, 0, 1] };
        // If no stage sets a temperature, "after temperature" is the raw distribution.
        let (heated, cut) = (after(Stage::heats), after(Stage::truncates));
        for (place, n) in [(1, heated), (2, cut)] {
            four.which[place] = match n {
                0 => 0,
                n if n == stages.len() => 1,
                n if place == 2 && n == heated => four.which[1],
                n => {
                    let first = Distribution::after(logits, &chain.first(n), state, words)?;
                    four.distinct.push(Cow::Owned(first));
                    four.distinct.len() - 1
                }
            };
        }
        Ok(four)
    }

    /// A value of each of the four distributions, computed once for equal ones.
    fn each<T: Clone>(&self, f: impl Fn(&Distribution) -> T) -> [T; 4] {
        let all: Vec<T> = self.distinct.iter().map(|distribution| f(distribution)).collect();
        self.which.map(|i| all[i].clone())
    }

    fn shares(&self, f: impl Fn(&Distribution) -> f64) -> Shares {
        let [raw, after_temperature, after_truncation, last] = self.each(f);
        Shares { raw, after_temperature, after_truncation, last }
    }
}

/// Makes the view, with the `n` likeliest tokens and those of `watch`. `raw` is the distribution of
/// the neutral chain.
pub fn next(
    moment: &Moment<'_>,
    raw: &Distribution,
    pick: TokenId,
    n: usize,
    watch: &[TokenId],
) -> Result<Next, SampleError> {
    let Moment { engine, logits, state, words, .. } = *moment;
    let (chain, at) = moment.chain.at(logits, state)?;
    let trace = Trace::new(logits, chain, state, words, watch)?;
    let four = Four::of(&Moment { chain, ..*moment }, raw, trace.distribution())?;
    let ends = engine.tokenizer.end_tokens();
    let first = raw.top(n);
    let top = first.iter().map(|choice| Top {
        id: choice.token.0,
        text: token::text(engine, choice.token),
        shown: token::shown(engine, choice.token),
        logit: choice.logit,
        shares: four.shares(|distribution| distribution.probability(choice.token)),
        ends: ends.contains(&choice.token),
    });
    let top = top.collect();
    let [figures_raw, after_temperature, after_truncation, last] = four.each(figures);
    Ok(Next {
        chain: chain.to_string(),
        at,
        raw: figures_raw,
        after_temperature,
        after_truncation,
        last,
        top,
        rest: Rest {
            tokens: raw.survivors() - first.len(),
            shares: four.shares(|distribution| mass_beyond(distribution, &first)),
        },
        end: End {
            ids: ends.iter().map(|token| token.0).collect(),
            shares: four.shares(|d| ends.iter().map(|&token| d.probability(token)).sum()),
        },
        stages: stages(&trace),
        watched: watched(&trace, watch, engine),
        dart: dart(engine, trace.distribution(), words, pick),
    })
}

fn figures(distribution: &Distribution) -> Figures {
    let entropy = distribution.entropy();
    Figures {
        entropy_nats: entropy,
        effective_choices: entropy.exp(),
        free_energy: Some(distribution.free_energy()).filter(|energy| energy.is_finite()),
        heat_capacity: distribution.heat_capacity(),
        survivors: distribution.survivors(),
    }
}

/// Mass of all tokens except `first`. It is exact if they are the first ones of this distribution
/// as well.
fn mass_beyond(distribution: &Distribution, first: &[Choice]) -> f64 {
    let left: Vec<TokenId> = first
        .iter()
        .map(|choice| choice.token)
        .filter(|&token| distribution.surprisal(token).is_finite())
        .collect();
    let own = distribution.top(left.len());
    if own.iter().all(|choice| left.contains(&choice.token)) {
        return distribution.rest(left.len()).1;
    }
    let mass: f64 = left.iter().map(|&token| distribution.probability(token)).sum();
    (1.0 - mass).max(0.0)
}

fn dart(engine: &Engine, last: &Distribution, words: &Words, pick: TokenId) -> Dart {
    let rank = last.rank(pick).unwrap_or(0);
    let from = 1.0 - last.rest(rank).1;
    Dart {
        u: words.draw as f64 / 2f64.powi(64),
        id: pick.0,
        text: token::text(engine, pick),
        shown: token::shown(engine, pick),
        rank,
        from,
        to: from + last.probability(pick),
        ends: engine.tokenizer.end_tokens().contains(&pick),
    }
}
