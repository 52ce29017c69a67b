//! One sampling step: logits and random numbers to a token.

use kelvin_kernels::float_env::FloatEnv;

use crate::{
    Chain, Dice, Distribution, Learned, Limits, SampleError, Stage, State, TokenId, Trace,
    candidates::Candidates,
    dice::Words,
    shift::{self, Shift},
    spread::{Interval, Spread},
    step::{StepScratch, run},
    weights::Mass,
};

/// Draws the tokens of one sequence: a chain, its dice, the sequence's state and work space.
///
/// The first step allocates buffers for the vocabulary. Later steps allocate only for the growing
/// list of tokens. A clone is a fork: both draw the same tokens until they take different ones.
#[derive(Debug, Clone)]
pub struct Sampler {
    pub(crate) chain: Chain,
    dice: Dice,
    state: State,
    scratch: StepScratch,
    measures_shift: bool,
    /// Where the draws take their words from, if samples are spread.
    spread: Option<Spread>,
}

/// A drawn token with its figures, all in nats.
///
/// "Raw" is the model's own distribution: T = 1 and the whole vocabulary. "Final" is the
/// distribution that the token was drawn from, after the chain.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Draw {
    /// The token.
    pub token: TokenId,
    /// How many survivors precede it in descending order: 0 is the likeliest.
    pub rank: u32,
    /// -ln p of the token, raw.
    pub surprisal: f64,
    /// -ln p of the token, final.
    pub surprisal_final: f64,
    /// Entropy, raw.
    pub entropy: f64,
    /// Entropy, final.
    pub entropy_final: f64,
    /// How many tokens the chain left, masked ones not counted.
    pub survivors: u32,
    /// The token's [weight](crate::weight()) in the distribution that it was drawn from.
    pub weight: u64,
    /// The sum of the survivors' weights: the final probability is exactly weight/total.
    pub total: u64,
    /// How far the chain moved the distribution; only from a sampler that
    /// [measures it](Sampler::measuring_shift).
    pub shift: Option<Shift>,
}

/// What a step is made from, beside the work space.
#[derive(Clone, Copy)]
struct Inputs<'a> {
    chain: &'a Chain,
    logits: &'a [f32],
    limits: Limits<'a>,
    state: &'a State,
    words: &'a Words,
    figures: Figures,
}

/// Which figures of a draw are computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Figures {
    /// The token alone.
    None,
    /// All but the shift.
    Draw,
    /// All.
    Shift,
}

/// What a step drew.
struct Outcome {
    token: TokenId,
    /// Its part of the cumulative weights.
    interval: Interval,
    /// What the last stage learns from the token.
    learned: Option<Learned>,
    /// The figures; `None` if none were asked for.
    draw: Option<Draw>,
}

impl Sampler {
    /// A sampler at the start of a sequence without a prompt.
    pub fn new(chain: Chain, dice: Dice) -> Sampler {
        Sampler {
            chain,
            dice,
            state: State::default(),
            scratch: StepScratch::default(),
            measures_shift: false,
            spread: None,
        }
    }

    /// The sampler, as one of `n` whose samples 0 … n-1 are spread evenly: arithmetic sampling
    /// (arXiv 2210.15458). Each sample alone draws as it does otherwise, but together they repeat
    /// each other less: of any beginning with probability p there are n·p samples, rounded up or
    /// down.
    ///
    /// The first word is that of sample 0 plus sample/n. Each further one is where that point lies
    /// within the interval of the token drawn. So words depend on the draws before them.
    pub fn spreading(mut self, n: u64) -> Sampler {
        self.spread = Some(Spread::new(self.dice, n));
        self
    }

    /// The sampler, but [`Sampler::draw`] also measures the [`Shift`] of each step. That costs two
    /// more scans of the vocabulary.
    pub fn measuring_shift(mut self) -> Sampler {
        self.measures_shift = true;
        self
    }

    /// The sampler after a prompt, which penalties read.
    pub fn after(mut self, prompt: &[TokenId]) -> Sampler {
        self.set_state(State::of_prompt(prompt));
        self
    }

    /// The chain.
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// The dice.
    pub fn dice(&self) -> Dice {
        self.dice
    }

    /// The random words of the next draw, at the absolute position `pos`.
    pub fn words(&self, pos: u64) -> Words {
        let words = self.dice.words(pos);
        match &self.spread {
            Some(spread) => Words { draw: spread.word(pos), ..words },
            None => words,
        }
    }

    /// The state of the sequence.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Continues from a stored state.
    pub fn set_state(&mut self, state: State) {
        self.state = state;
        self.scratch.watch.clear();
    }

    /// Draws the token of absolute position `pos` (prompt and BOS counted) and appends it to the
    /// state. `logits` has one f32 for each token of the vocabulary, -inf where it is masked.
    ///
    /// # Errors
    /// If there are no logits or more than [`crate::MAX_VOCAB`], if one is NaN or +inf, if all are
    /// masked or a stage masks all that are left, or if a stage names a token that the vocabulary
    /// doesn't have. The state is unchanged then.
    pub fn sample(&mut self, logits: &[f32], pos: u64) -> Result<TokenId, SampleError> {
        self.sample_with(logits, self.words(pos))
    }

    /// [`Sampler::sample`] with given random words. The token is the first in descending order
    /// whose cumulative weight exceeds `floor(u · total / 2^64)`; u = 0 draws the likeliest.
    ///
    /// # Errors
    /// Those of [`Sampler::sample`].
    pub fn sample_with(
        &mut self,
        logits: &[f32],
        words: impl Into<Words>,
    ) -> Result<TokenId, SampleError> {
        let outcome = self.step(logits, &words.into(), Limits::NONE, Figures::None)?;
        Ok(outcome.token)
    }

    /// [`Sampler::sample`] with the figures of the draw. They cost one or two more scans of the
    /// vocabulary.
    ///
    /// # Errors
    /// Those of [`Sampler::sample`].
    pub fn draw(&mut self, logits: &[f32], pos: u64) -> Result<Draw, SampleError> {
        self.draw_with(logits, self.words(pos))
    }

    /// [`Sampler::draw`] with given random words.
    ///
    /// # Errors
    /// Those of [`Sampler::sample`].
    pub fn draw_with(
        &mut self,
        logits: &[f32],
        words: impl Into<Words>,
    ) -> Result<Draw, SampleError> {
        let outcome = self.step(logits, &words.into(), Limits::NONE, self.figures())?;
        Ok(figures_of(&outcome))
    }

    /// [`Sampler::draw`] among the tokens that `limits` allow at this position.
    ///
    /// # Errors
    /// Those of [`Sampler::sample`], and limits that leave no token.
    pub fn draw_within(
        &mut self,
        logits: &[f32],
        pos: u64,
        limits: Limits<'_>,
    ) -> Result<Draw, SampleError> {
        let outcome = self.step(logits, &self.words(pos), limits, self.figures())?;
        Ok(figures_of(&outcome))
    }

    /// Draws a token and appends it to the state. All draws of a sampler's own chain go through
    /// here.
    fn step(
        &mut self,
        logits: &[f32],
        words: &Words,
        limits: Limits<'_>,
        figures: Figures,
    ) -> Result<Outcome, SampleError> {
        let Sampler { chain, state, scratch, spread, .. } = self;
        let inputs = Inputs { chain, logits, limits, state, words, figures };
        let outcome = step(inputs, scratch)?;
        if let Some(spread) = spread {
            spread.enter(words.draw, outcome.interval);
        }
        self.take(outcome.token, outcome.learned);
        Ok(outcome)
    }

    fn figures(&self) -> Figures {
        if self.measures_shift { Figures::Shift } else { Figures::Draw }
    }

    /// What another chain would have drawn here, with the same logits, dice and tokens. The state
    /// is unchanged.
    ///
    /// A stage of `chain` that learns begins afresh, unless `chain` is the sampler's own.
    ///
    /// # Errors
    /// Those of [`Sampler::sample`].
    pub fn replay(&mut self, chain: &Chain, logits: &[f32], pos: u64) -> Result<Draw, SampleError> {
        let (words, figures) = (self.words(pos), self.figures());
        let fresh;
        let state = if *chain == self.chain {
            &self.state
        } else {
            fresh = State::restore(self.state.tokens().to_vec(), self.state.n_prompt(), None);
            &fresh
        };
        let (chain, _) = chain.at(logits, state)?;
        let inputs = Inputs { chain, logits, limits: Limits::NONE, state, words: &words, figures };
        Ok(figures_of(&step(inputs, &mut self.scratch)?))
    }

    /// The token that another chain draws here in the same state. The state is unchanged.
    pub(crate) fn peek(
        &mut self,
        chain: &Chain,
        logits: &[f32],
        pos: u64,
    ) -> Result<TokenId, SampleError> {
        let (words, limits) = (self.words(pos), Limits::NONE);
        let (state, figures) = (&self.state, Figures::None);
        let (chain, _) = chain.at(logits, state)?;
        let inputs = Inputs { chain, logits, limits, state, words: &words, figures };
        Ok(step(inputs, &mut self.scratch)?.token)
    }

    /// The whole distribution of the next draw. The state is unchanged.
    ///
    /// # Errors
    /// Those of [`Sampler::sample`].
    pub fn distribution(&self, logits: &[f32], pos: u64) -> Result<Distribution, SampleError> {
        Distribution::after(logits, &self.chain, &self.state, &self.words(pos))
    }

    /// The distribution after the first `n_stages` stages (all, if there are fewer) within limits.
    /// The state is unchanged.
    ///
    /// # Errors
    /// Those of [`Sampler::draw_within`].
    pub fn distribution_within(
        &self,
        n_stages: usize,
        logits: &[f32],
        pos: u64,
        limits: Limits<'_>,
    ) -> Result<Distribution, SampleError> {
        let chain = self.chain.first(n_stages);
        Distribution::within(logits, limits, &chain, &self.state, &self.words(pos))
    }

    /// What each stage does to the next draw, and where the tokens `watched` stand after it. The
    /// state is unchanged.
    ///
    /// # Errors
    /// Those of [`Sampler::sample`].
    pub fn trace(
        &self,
        logits: &[f32],
        pos: u64,
        watched: &[TokenId],
    ) -> Result<Trace, SampleError> {
        Trace::new(logits, &self.chain, &self.state, &self.words(pos), watched)
    }

    /// Appends a token that the caller chose at `pos`, as if it had been drawn from `logits`.
    ///
    /// # Errors
    /// Those of [`Sampler::sample`].
    pub fn force(&mut self, logits: &[f32], pos: u64, token: TokenId) -> Result<(), SampleError> {
        let learned = self.teach(logits, pos, |learned| learned(token))?;
        self.take(token, learned);
        Ok(())
    }

    /// What [`State::learned`] would be after each of these tokens, had it been drawn at `pos`. The
    /// state is unchanged. A stage that learns can so continue from a token that is chosen later.
    ///
    /// # Errors
    /// Those of [`Sampler::sample`].
    pub fn learned_after(
        &mut self,
        logits: &[f32],
        pos: u64,
        tokens: &[TokenId],
    ) -> Result<Vec<Option<Learned>>, SampleError> {
        self.teach(logits, pos, |learned| tokens.iter().map(|&token| learned(token)).collect())
    }

    /// Runs the chain and calls `ask` with what the last stage would learn from a token.
    fn teach<R>(
        &mut self,
        logits: &[f32],
        pos: u64,
        ask: impl FnOnce(&mut dyn FnMut(TokenId) -> Option<Learned>) -> R,
    ) -> Result<R, SampleError> {
        let _standard = FloatEnv::standard();
        let words = self.words(pos);
        let Sampler { chain, state, scratch, .. } = self;
        let chain = scratch.held(chain, logits, state)?;
        let no_watch = &mut |_: &mut Candidates<'_>, _: Option<&Stage>| ();
        let mut left = run(chain, logits, Limits::NONE, state, &words, scratch, no_watch)?;
        Ok(ask(&mut |token| {
            // Weighing may gather the candidates, which moves them: find the token afterwards.
            left.total();
            let index = left.find(token);
            learned(chain, state, &mut left, index)
        }))
    }

    fn take(&mut self, token: TokenId, learned: Option<Learned>) {
        if self.chain.looks_back() {
            self.state.push(token);
        }
        if let Some(learned) = learned {
            self.state.learn(learned);
        }
    }
}

/// One step: runs the chain, draws by rank, lets the last stage learn, and computes the figures.
fn step(inputs: Inputs<'_>, scratch: &mut StepScratch) -> Result<Outcome, SampleError> {
    let Inputs { chain, logits, limits, state, words, figures } = inputs;
    // The host may have changed the rounding mode or flush subnormals.
    let _standard = FloatEnv::standard();
    let chain = scratch.held(chain, logits, state)?;
    let (mut raw, mut raw_max, mut nucleus) = (Mass::default(), 0.0, None);
    let mut left = run(chain, logits, limits, state, words, scratch, &mut |left, stage| {
        if stage.is_none() && figures != Figures::None {
            raw_max = left.max();
            raw = left.mass();
            nucleus = (figures == Figures::Shift).then(|| left.last_of_share(shift::NUCLEUS));
        }
    })?;
    if figures != Figures::None {
        // Weights and moments in one scan; the draw needs the weights.
        left.mass();
    }
    let target = (u128::from(words.draw) * u128::from(left.total())) >> 64;
    let found = left.reach(target as u64);
    let (index, before) = (found.index, found.before.mass);
    let learned = learned(chain, state, &mut left, Some(index));
    let (token, x) = left.token(index);
    let (weight, total) = (left.weight_at(index), left.total());
    let interval = Interval { before, weight, total };
    if figures == Figures::None {
        return Ok(Outcome { token, interval, learned, draw: None });
    }
    let rank = left.rank(index) as u32;
    let (max, beta, survivors) = (left.max(), left.beta(), left.n() as u32);
    let last = left.mass();
    let draw = Draw {
        token,
        rank,
        surprisal: raw.surprisal(logits[token.index()], raw_max, 1.0),
        surprisal_final: last.surprisal(x, max, beta),
        entropy: raw.entropy(),
        entropy_final: last.entropy(),
        survivors,
        weight,
        total,
        shift: nucleus.map(|nucleus| Shift::of(&mut left, logits, nucleus)),
    };
    Ok(Outcome { token, interval, learned, draw: Some(draw) })
}

fn figures_of(outcome: &Outcome) -> Draw {
    outcome.draw.expect("figures were asked for")
}

/// What the last stage learns from the token at `index`; `None` is one that the chain removed.
fn learned(
    chain: &Chain,
    state: &State,
    left: &mut Candidates<'_>,
    index: Option<usize>,
) -> Option<Learned> {
    chain.stages().last().and_then(|stage| stage.learn(state.learned(), left, index))
}

#[cfg(test)]
mod tests;
