//! Guesses: tokens that a step reads before they are drawn, in the hope that they will be.
//!
//! A step of a few tokens costs little more than a step of one, since both read all weights. So the
//! next tokens of a text are guessed and read together with its last one. Then the text draws
//! from each row in order, with the dice of each position and the chain's state as it is there, as
//! long as the token drawn is the one that was guessed. Rows after the first other token are
//! forgotten. This is speculative decoding, whose drafts are called guesses here. Since logits have
//! the same bits in any batch and dice are named by position, each token is the one that would be
//! drawn without guesses, at any temperature and with any chain.
//!
//! Guesses are looked up in the texts (`lookup`), forced by a constraint, or drawn by a smaller
//! model (`model`). How much is guessed follows from what was counted (`acceptance`), never from
//! what was timed, so equal runs do equal work.

mod acceptance;
mod lookup;
mod model;

pub use acceptance::GuessKind;
pub(super) use acceptance::{Acceptance, Source};
pub(super) use lookup::Lookup;
pub(super) use model::{Ask, Drafter, Drafting};
pub use model::{DraftModel, DraftModelError};

use crate::TokenId;

/// Most tokens that are guessed for a text in one step.
const MOST: usize = 15;
/// Most rows of a step that guesses are added to.
const MOST_ROWS: usize = 64;
/// Rows of a step above which one more costs more: a tile of products is full.
const FULL: usize = 16;
/// How many times as many tokens for its cost a step has to promise with guesses as without.
const MARGIN: f32 = 1.05;

/// Which tokens a step reads before they are drawn. The texts are the same with all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Guesses {
    /// None: each text reads one token in each step.
    Off,
    /// Those that followed the same tokens before, in the prompt or in a text of the request.
    Lookup,
    /// Those, and what a constraint forces, and what a draft model drew, if the batch has one.
    /// Texts that are equal so far are read as one.
    #[default]
    Auto,
}

impl Guesses {
    /// All values.
    pub const ALL: [Guesses; 3] = [Guesses::Auto, Guesses::Off, Guesses::Lookup];

    /// The name in flags.
    pub fn name(self) -> &'static str {
        match self {
            Guesses::Off => "off",
            Guesses::Lookup => "lookup",
            Guesses::Auto => "auto",
        }
    }

    /// The value of a name, if there is one.
    pub fn named(name: &str) -> Option<Guesses> {
        Guesses::ALL.into_iter().find(|guesses| guesses.name() == name)
    }
}

/// What came of guesses: numbers since the batch was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GuessCounts {
    /// Steps in which texts drew tokens.
    pub n_steps: u64,
    /// Tokens that texts drew, without those that banned strings took back.
    pub n_drawn: u64,
    /// Steps of the draft model.
    pub n_draft_steps: u64,
    /// By kind, in the order of [`GuessKind::ALL`].
    pub kinds: [KindCounts; GuessKind::ALL.len()],
}

/// What came of guesses of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KindCounts {
    /// Guessed tokens that steps read.
    pub n_guessed: u64,
    /// Those of them that a text drew.
    pub n_right: u64,
}

impl GuessCounts {
    /// Guessed tokens that steps read.
    pub fn n_guessed(&self) -> u64 {
        self.kinds.iter().map(|kind| kind.n_guessed).sum()
    }

    /// Those of them that a text drew.
    pub fn n_right(&self) -> u64 {
        self.kinds.iter().map(|kind| kind.n_right).sum()
    }

    /// What came since an earlier count of the same batch.
    pub fn since(&self, before: &GuessCounts) -> GuessCounts {
        let kind = |at: usize| KindCounts {
            n_guessed: self.kinds[at].n_guessed - before.kinds[at].n_guessed,
            n_right: self.kinds[at].n_right - before.kinds[at].n_right,
        };
        GuessCounts {
            n_steps: self.n_steps - before.n_steps,
            n_drawn: self.n_drawn - before.n_drawn,
            n_draft_steps: self.n_draft_steps - before.n_draft_steps,
            kinds: std::array::from_fn(kind),
        }
    }

    /// Counts the guesses of a step that read them all, of which the first `n_right` were drawn.
    pub(super) fn count(&mut self, read: &[Guessed], n_right: usize) {
        for (n, guessed) in read.iter().enumerate() {
            let kind = &mut self.kinds[guessed.source.kind() as usize];
            kind.n_guessed += 1;
            kind.n_right += u64::from(n < n_right);
        }
    }
}

/// A guessed token.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Guessed {
    pub(super) token: TokenId,
    pub(super) source: Source,
}

/// Guesses for a text, or for several that are equal so far: the tokens in order.
#[derive(Debug, Clone, Default)]
pub(super) struct Guess(pub(super) Vec<Guessed>);

impl Guess {
    /// The first `n` of the tokens that a constraint forces.
    pub(super) fn forced(tokens: &[TokenId], n: usize) -> Guess {
        let of = |(at, &token): (usize, &TokenId)| {
            let is_last = at + 1 == tokens.len();
            let source = if is_last { Source::LastForced } else { Source::Forced };
            Guessed { token, source }
        };
        Guess(tokens.iter().enumerate().take(n).map(of).collect())
    }

    /// Tokens that followed a match of `len` tokens.
    pub(super) fn found(tokens: Vec<TokenId>, len: usize) -> Guess {
        let of = |(n, token)| Guessed { token, source: Source::Match(len + n) };
        Guess(tokens.into_iter().enumerate().map(of).collect())
    }

    /// Counts what a text drew where these tokens were guessed.
    pub(super) fn count(&self, drawn: impl Iterator<Item = TokenId>, acceptance: &mut Acceptance) {
        for (drawn, guessed) in drawn.zip(&self.0) {
            acceptance.count(guessed.source, drawn == guessed.token);
            if drawn != guessed.token {
                return;
            }
        }
    }

    /// For each guess the probability that it and all before it are right.
    pub(super) fn odds(&self, acceptance: &Acceptance) -> Vec<f32> {
        let mut all_right = 1.0;
        let odds = |guessed: &Guessed| {
            all_right *= acceptance.expected(guessed.source);
            all_right
        };
        self.0.iter().map(odds).collect()
    }
}

/// Most tokens that can be guessed for a text which may get `left` more.
pub(super) fn most(left: usize) -> usize {
    left.saturating_sub(1).min(MOST)
}

/// What guesses would be worth.
#[derive(Debug)]
pub(super) struct Bid {
    /// Number of texts that draw from the rows.
    pub(super) n_texts: usize,
    /// For each guess the probability that it and all before it are right.
    pub(super) odds: Vec<f32>,
}

/// How many guesses of each bid are read, beside `n_rows` rows from which `n_texts` texts draw:
/// the likeliest first, and as many as give the most tokens for the step's cost.
pub(super) fn choose(bids: &[Bid], n_rows: usize, n_texts: usize, costs: Costs) -> Vec<usize> {
    let worth = |bid: &Bid, odds: f32| bid.n_texts as f32 * odds;
    let of = |(at, bid): (usize, &Bid)| {
        bid.odds.iter().map(|&odds| (worth(bid, odds), at)).collect::<Vec<_>>()
    };
    let mut all: Vec<(f32, usize)> = bids.iter().enumerate().flat_map(of).collect();
    // The worth of a bid's guesses falls, and the sort is stable: they stay in order.
    all.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut rows, mut tokens) = (n_rows, n_texts as f32);
    let (mut best, mut n_best) = (MARGIN * tokens / costs.of_step(rows), 0);
    for (n, (worth, _)) in all.iter().enumerate() {
        (rows, tokens) = (rows + 1, tokens + worth);
        if rows > MOST_ROWS {
            break;
        }
        if tokens / costs.of_step(rows) > best {
            (best, n_best) = (tokens / costs.of_step(rows), n + 1);
        }
    }
    let mut chosen = vec![0; bids.len()];
    all[..n_best].iter().for_each(|(_, at)| chosen[*at] += 1);
    chosen
}

/// What a step costs by its number of rows, in steps of one row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Costs {
    /// Of the second row, of each further one, and of each above [`FULL`].
    second: f32,
    pub(super) further: f32,
    above: f32,
    /// What the step has cost so far: steps of the draft model.
    pub(super) spent: f32,
}

impl Costs {
    /// Of a model. It decides how fast texts come, but never what they say. Without experts: what
    /// AVX2 needs for SmolLM2, the most that was measured (docs/log/2026-11-30-q8-cache.md). Rows
    /// of a mixture read other experts, which costs what it costs to read them: an estimate.
    pub(super) fn new(has_experts: bool) -> Costs {
        let (second, further, above) = if has_experts { (0.8, 0.8, 0.8) } else { (0.4, 0.2, 0.3) };
        Costs { second, further, above, spent: 0.0 }
    }

    /// Of a step of so many rows.
    pub(super) fn of(self, n_rows: usize) -> f32 {
        match n_rows {
            0 | 1 => 1.0,
            _ => {
                let (n_further, n_above) = (n_rows.min(FULL) - 2, n_rows.saturating_sub(FULL));
                1.0 + self.second + n_further as f32 * self.further + n_above as f32 * self.above
            }
        }
    }

    /// Of such a step, with what was spent before it.
    fn of_step(self, n_rows: usize) -> f32 {
        self.spent + self.of(n_rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COSTS: Costs = Costs { second: 0.5, further: 0.2, above: 0.2, spent: 0.0 };

    fn bid(n_texts: usize, odds: &[f32]) -> Bid {
        Bid { n_texts, odds: odds.to_vec() }
    }

    #[test]
    fn guesses_are_read_as_long_as_they_pay() {
        let alone = |odds: &[f32]| choose(&[bid(1, odds)], 1, 1, COSTS)[0];
        assert_eq!(alone(&[0.5]), 0, "half a token for half a step");
        assert_eq!(alone(&[0.6]), 1);
        assert_eq!(alone(&[0.5, 0.5, 0.1]), 2, "the third row costs less than the second");
        assert_eq!(alone(&[0.9, 0.8, 0.7, 0.1]), 3);
        let spent = |spent: f32| choose(&[bid(1, &[0.4])], 1, 1, Costs { spent, ..COSTS })[0];
        assert_eq!([spent(0.0), spent(2.0)], [0, 1], "what is spent should be of use");
        assert_eq!(alone(&[]), 0);
        assert_eq!(alone(&[1.0; 100]), MOST_ROWS - 1);
    }

    #[test]
    fn a_step_costs_what_was_measured() {
        let of = |n_rows| Costs::new(false).of(n_rows);
        // Medians of SmolLM2 with AVX2, one thread.
        for (n_rows, measured) in [(3, 1.41), (4, 1.47), (5, 1.74), (10, 2.85), (16, 3.88)] {
            let cost = of(n_rows);
            assert!(cost >= measured && cost < 1.3 * measured, "{n_rows} rows: {cost}");
        }
        assert_eq!([of(0), of(1)], [1.0; 2]);
        assert!((of(32) - 9.0).abs() < 1e-4, "{}", of(32));
        let mixture = Costs::new(true);
        assert!((mixture.of(20) - (1.0 + 19.0 * 0.8)).abs() < 1e-4);
    }

    #[test]
    fn in_a_crowd_only_what_is_nearly_certain_is_read() {
        let crowd = |odds: f32| choose(&[bid(1, &[odds; 15]), bid(1, &[0.1])], 32, 32, COSTS);
        assert_eq!(crowd(0.8), [0, 0]);
        assert_eq!(crowd(1.0), [0, 0], "and only if it is much");
        let all = vec![0.99; 15];
        let certain: Vec<Bid> = (0..32).map(|_| bid(1, &all)).collect();
        assert_eq!(choose(&certain, 32, 32, COSTS).iter().sum::<usize>(), MOST_ROWS - 32);
    }

    #[test]
    fn a_row_of_many_texts_is_worth_as_many_tokens() {
        // Four texts that are equal so far read one row.
        assert_eq!(choose(&[bid(4, &[0.6, 0.5])], 1, 4, COSTS), [2]);
        let two = choose(&[bid(1, &[0.2]), bid(3, &[0.8, 0.3])], 2, 4, COSTS);
        assert_eq!(two, [0, 2]);
    }
}
