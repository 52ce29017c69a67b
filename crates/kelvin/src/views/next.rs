//! The logits of what comes next and a chain in, what a person sees of them out: the likeliest tokens with their probabilities before,
//! between and after the chain's stages, the exact mass of all others, and where the dice fall.
//!
//! Each probability says which one it is. Raw is the model's own, T = 1. "After temperature" is what the chain leaves up to its last
//! stage that sets a temperature, "after truncation" up to its last that removes tokens, and final after all of it.

use kelvin_engine::Engine;
use kelvin_sampling::{Chain, Choice, Distribution, SampleError, Stage, State, TokenId, Trace, Words};
use serde::Serialize;

use super::{
    token,
    trace::{StageRow, Watched, stages, watched},
};

/// What the view is of.
pub(crate) struct Moment<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) logits: &'a [f32],
    pub(crate) chain: &'a Chain,
    pub(crate) state: &'a State,
    pub(crate) words: &'a Words,
}

/// What could come next.
#[derive(Debug, Serialize)]
pub(crate) struct Next {
    chain: String,
    raw: Figures,
    after_temperature: Figures,
    after_truncation: Figures,
    #[serde(rename = "final")]
    last: Figures,
    /// In the raw order.
    top: Vec<Top>,
    rest: Rest,
    /// The tokens that end a text.
    end: End,
    stages: Vec<StageRow>,
    watched: Vec<Watched>,
    dart: Dart,
}

/// Of one distribution.
#[derive(Debug, Serialize)]
struct Figures {
    entropy_nats: f64,
    effective_choices: f64,
    /// Null at T = ∞.
    free_energy: Option<f64>,
    heat_capacity: f64,
    survivors: usize,
}

/// A probability, before, between and after.
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

/// All others.
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

/// Where the dice fall on the cumulative bar of the final distribution.
#[derive(Debug, Serialize)]
struct Dart {
    /// The word of the draw over 2^64.
    u: f64,
    id: u32,
    text: String,
    shown: String,
    /// From 0.
    rank: usize,
    /// The part of the bar that is the token's.
    from: f64,
    to: f64,
    ends: bool,
}

/// The four distributions of a chain, each computed once.
struct Four {
    /// After so many stages.
    made: Vec<(usize, Distribution)>,
    heated: usize,
    cut: usize,
    all: usize,
    raw: Distribution,
}

impl Four {
    fn of(moment: &Moment<'_>) -> Result<Four, SampleError> {
        let Moment { logits, chain, state, words, .. } = *moment;
        let stages = chain.stages();
        let after = |what: fn(&Stage) -> bool| stages.iter().rposition(what).map_or(0, |place| place + 1);
        // Where nothing heats, what is "after temperature" is the raw distribution.
        let (heated, cut, all) = (after(Stage::heats), after(Stage::truncates), stages.len());
        let mut made: Vec<(usize, Distribution)> = Vec::new();
        for n in [heated, cut, all] {
            if n > 0 && !made.iter().any(|(other, _)| *other == n) {
                made.push((n, Distribution::after(logits, &chain.first(n), state, words)?));
            }
        }
        let raw = Distribution::new(logits, &Chain::default())?;
        Ok(Four { made, heated, cut, all, raw })
    }

    fn after(&self, n: usize) -> &Distribution {
        self.made.iter().find(|(other, _)| *other == n).map_or(&self.raw, |(_, distribution)| distribution)
    }

    /// Something of each of the four.
    fn each(&self, f: impl Fn(&Distribution) -> f64) -> Shares {
        Shares {
            raw: f(&self.raw),
            after_temperature: f(self.after(self.heated)),
            after_truncation: f(self.after(self.cut)),
            last: f(self.after(self.all)),
        }
    }
}

/// The view, with the `n` likeliest tokens and those of `watch`.
pub(crate) fn next(
    moment: &Moment<'_>,
    pick: TokenId,
    n: usize,
    watch: &[TokenId],
) -> Result<Next, SampleError> {
    let Moment { engine, logits, chain, state, words } = *moment;
    let four = Four::of(moment)?;
    let trace = Trace::new(logits, chain, state, words, watch)?;
    let ends = engine.tokenizer.end_tokens();
    let first = four.raw.top(n);
    let top = first.iter().map(|choice| Top {
        id: choice.token.0,
        text: token::text(engine, choice.token),
        shown: token::shown(engine, choice.token),
        logit: choice.logit,
        shares: four.each(|distribution| distribution.probability(choice.token)),
        ends: ends.contains(&choice.token),
    });
    let last = four.after(four.all);
    Ok(Next {
        chain: chain.to_string(),
        raw: figures(&four.raw),
        after_temperature: figures(four.after(four.heated)),
        after_truncation: figures(four.after(four.cut)),
        last: figures(last),
        top: top.collect(),
        rest: Rest {
            tokens: four.raw.survivors() - first.len(),
            shares: four.each(|distribution| mass_beyond(distribution, &first)),
        },
        end: End {
            ids: ends.iter().map(|token| token.0).collect(),
            shares: four.each(|d| ends.iter().map(|&token| d.probability(token)).sum()),
        },
        stages: stages(&trace),
        watched: watched(&trace, watch, engine),
        dart: dart(engine, last, words, pick),
    })
}

fn figures(distribution: &Distribution) -> Figures {
    Figures {
        entropy_nats: distribution.entropy(),
        effective_choices: distribution.effective_choices(),
        free_energy: Some(distribution.free_energy()).filter(|energy| energy.is_finite()),
        heat_capacity: distribution.heat_capacity(),
        survivors: distribution.survivors(),
    }
}

/// The mass of all tokens but those of `first`: exact where they are also this distribution's first.
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
    Dart {
        u: words.draw as f64 / 2f64.powi(64),
        id: pick.0,
        text: token::text(engine, pick),
        shown: token::shown(engine, pick),
        rank,
        from: 1.0 - last.rest(rank).1,
        to: 1.0 - last.rest(rank + 1).1,
        ends: engine.tokenizer.end_tokens().contains(&pick),
    }
}
