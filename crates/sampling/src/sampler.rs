//! Logits and dice in, a token out: the step itself.

use kelvin_kernels::float_env::FloatEnv;

use crate::{
    Chain, Dice, Distribution, Limits, SampleError, Stage, State, TokenId, Trace,
    candidates::{Candidates, Scratch},
    dice::Words,
    shift::{self, Shift},
    stages::Turn,
    weights::Mass,
};

/// A chain with its dice, its sequence's state and its work space: draws tokens for one sequence.
///
/// The first step makes room for the vocabulary; later steps allocate nothing but what the text's
/// own growth needs. A clone is a fork: it draws the same tokens until it's told of others.
#[derive(Debug, Clone)]
pub struct Sampler {
    pub(crate) chain: Chain,
    dice: Dice,
    state: State,
    scratch: StepScratch,
    measures_shift: bool,
}

/// Work space of a step.
#[derive(Debug, Clone, Default)]
pub(crate) struct StepScratch {
    pub(crate) candidates: Scratch,
    pub(crate) ids: Vec<u32>,
    pub(crate) lengths: Vec<u32>,
}

/// A token that was drawn. All quantities are in nats.
///
/// "Raw" is the model's own distribution: T = 1, the whole vocabulary. "Final" is the distribution
/// the token was drawn from, after the chain.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Draw {
    /// The token.
    pub token: TokenId,
    /// How many survivors stand before it in descending order: 0 is the likeliest.
    pub rank: u32,
    /// -ln p of the token, raw.
    pub surprisal: f64,
    /// -ln p of the token, final.
    pub surprisal_final: f64,
    /// Entropy, raw.
    pub entropy: f64,
    /// Entropy, final.
    pub entropy_final: f64,
    /// Tokens that the chain left (masked ones aren't counted).
    pub survivors: u32,
    /// How far the chain moved the distribution, from a sampler that was [asked to measure
    /// it](Sampler::measuring_shift).
    pub shift: Option<Shift>,
}

impl Sampler {
    /// A sampler at the start of a sequence, of which it knows no tokens.
    pub fn new(chain: Chain, dice: Dice) -> Sampler {
        Sampler {
            chain,
            dice,
            state: State::default(),
            scratch: StepScratch::default(),
            measures_shift: false,
        }
    }

    /// The same, but [`Sampler::draw`] also tells the [`Shift`] of each step, for two more looks at
    /// the vocabulary.
    pub fn measuring_shift(mut self) -> Sampler {
        self.measures_shift = true;
        self
    }

    /// The same after a prompt, which penalties look at.
    pub fn after(mut self, prompt: &[TokenId]) -> Sampler {
        self.state = State::of_prompt(prompt);
        self
    }

    /// The chain as it was resolved.
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// The dice.
    pub fn dice(&self) -> Dice {
        self.dice
    }

    /// What the sequence remembers.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Goes on from a state that was kept.
    pub fn set_state(&mut self, state: State) {
        self.state = state;
    }

    /// Draws the token of absolute position `pos` (prompt and BOS counted) from `logits`, one f32
    /// for each token of the vocabulary, -inf where a token is masked, and takes it: the state
    /// moves on.
    ///
    /// # Errors
    /// If there are no logits or more than [`crate::MAX_VOCAB`], if one is NaN or +inf, if all are
    /// masked or a stage masks what is left, or if a stage names a token that isn't there. The
    /// state stays as it was.
    pub fn sample(&mut self, logits: &[f32], pos: u64) -> Result<TokenId, SampleError> {
        self.sample_with(logits, self.dice.words(pos))
    }

    /// The same with random words of your own: the token is the first in descending order whose
    /// cumulative weight exceeds `floor(u · total / 2^64)`. 0 draws the likeliest.
    ///
    /// # Errors
    /// As [`Sampler::sample`].
    pub fn sample_with(
        &mut self,
        logits: &[f32],
        words: impl Into<Words>,
    ) -> Result<TokenId, SampleError> {
        let words = words.into();
        let (token, memory) = {
            // Hosts may have changed the rounding or flush subnormals.
            let _standard = FloatEnv::standard();
            let mut left = after(&self.chain, logits, &self.state, &words, &mut self.scratch)?;
            let index = draw(&mut left, words.draw);
            (left.token(index).0, learned(&self.chain, &self.state, &mut left, Some(index)))
        };
        self.take(token, memory);
        Ok(token)
    }

    /// As [`Sampler::sample`], with the figures of the draw: costs one or two more looks at the
    /// vocabulary.
    ///
    /// # Errors
    /// As [`Sampler::sample`].
    pub fn draw(&mut self, logits: &[f32], pos: u64) -> Result<Draw, SampleError> {
        self.draw_with(logits, self.dice.words(pos))
    }

    /// As [`Sampler::draw`], with random words of your own.
    ///
    /// # Errors
    /// As [`Sampler::sample`].
    pub fn draw_with(
        &mut self,
        logits: &[f32],
        words: impl Into<Words>,
    ) -> Result<Draw, SampleError> {
        self.draw_limited(logits, &words.into(), Limits::NONE)
    }

    /// As [`Sampler::draw`], of what `limits` allow at this position.
    ///
    /// # Errors
    /// As [`Sampler::sample`], and if the limits leave nothing.
    pub fn draw_within(
        &mut self,
        logits: &[f32],
        pos: u64,
        limits: Limits<'_>,
    ) -> Result<Draw, SampleError> {
        self.draw_limited(logits, &self.dice.words(pos), limits)
    }

    fn draw_limited(
        &mut self,
        logits: &[f32],
        words: &Words,
        limits: Limits<'_>,
    ) -> Result<Draw, SampleError> {
        let (draw, memory) = measured(
            &self.chain,
            logits,
            limits,
            &self.state,
            words,
            &mut self.scratch,
            self.measures_shift,
        )?;
        self.take(draw.token, memory);
        Ok(draw)
    }

    /// What another chain would have drawn here: the same logits, dice and tokens so far, and
    /// nothing moves.
    ///
    /// A stage of `chain` that learns starts afresh, unless `chain` is the sampler's own.
    ///
    /// # Errors
    /// As [`Sampler::sample`].
    pub fn replay(&mut self, chain: &Chain, logits: &[f32], pos: u64) -> Result<Draw, SampleError> {
        let words = self.dice.words(pos);
        if *chain == self.chain {
            let scratch = &mut self.scratch;
            return Ok(measured(
                chain,
                logits,
                Limits::NONE,
                &self.state,
                &words,
                scratch,
                self.measures_shift,
            )?
            .0);
        }
        let state = State::restore(self.state.tokens().to_vec(), self.state.n_prompt(), None);
        Ok(measured(
            chain,
            logits,
            Limits::NONE,
            &state,
            &words,
            &mut self.scratch,
            self.measures_shift,
        )?
        .0)
    }

    /// The token that another chain draws here with the same state; nothing moves.
    pub(crate) fn peek(
        &mut self,
        chain: &Chain,
        logits: &[f32],
        pos: u64,
    ) -> Result<TokenId, SampleError> {
        let _standard = FloatEnv::standard();
        let words = self.dice.words(pos);
        let mut left = after(chain, logits, &self.state, &words, &mut self.scratch)?;
        let index = draw(&mut left, words.draw);
        Ok(left.token(index).0)
    }

    /// The whole distribution of the next draw; nothing moves.
    ///
    /// # Errors
    /// As [`Sampler::sample`].
    pub fn distribution(&self, logits: &[f32], pos: u64) -> Result<Distribution, SampleError> {
        Distribution::after(logits, &self.chain, &self.state, &self.dice.words(pos))
    }

    /// What the first `n_stages` stages leave of it (all, if there are no more) within limits;
    /// nothing moves.
    ///
    /// # Errors
    /// As [`Sampler::draw_within`].
    pub fn distribution_within(
        &self,
        n_stages: usize,
        logits: &[f32],
        pos: u64,
        limits: Limits<'_>,
    ) -> Result<Distribution, SampleError> {
        let chain = self.chain.first(n_stages);
        Distribution::within(logits, limits, &chain, &self.state, &self.dice.words(pos))
    }

    /// What each stage does to the next draw, and where the tokens `watched` stand; nothing moves.
    ///
    /// # Errors
    /// As [`Sampler::sample`].
    pub fn trace(
        &self,
        logits: &[f32],
        pos: u64,
        watched: &[TokenId],
    ) -> Result<Trace, SampleError> {
        Trace::new(logits, &self.chain, &self.state, &self.dice.words(pos), watched)
    }

    /// Takes a token that somebody else chose at `pos`, as if it had been drawn from `logits`.
    ///
    /// # Errors
    /// As [`Sampler::sample`].
    pub fn force(&mut self, logits: &[f32], pos: u64, token: TokenId) -> Result<(), SampleError> {
        let words = self.dice.words(pos);
        let memory = {
            let _standard = FloatEnv::standard();
            let mut left = after(&self.chain, logits, &self.state, &words, &mut self.scratch)?;
            // What is left is gathered by this, which moves it: a place that was found before would
            // be another's.
            left.total();
            let index = left.find(token);
            learned(&self.chain, &self.state, &mut left, index)
        };
        self.take(token, memory);
        Ok(())
    }

    /// What [`State::memory`] would be after each of these tokens, had it been taken at `pos`;
    /// nothing moves. A stage that learns can so go on from a token that somebody chooses later.
    ///
    /// # Errors
    /// As [`Sampler::sample`].
    pub fn memory_after(
        &mut self,
        logits: &[f32],
        pos: u64,
        tokens: &[TokenId],
    ) -> Result<Vec<Option<[f64; 2]>>, SampleError> {
        let _standard = FloatEnv::standard();
        let words = self.dice.words(pos);
        let mut left = after(&self.chain, logits, &self.state, &words, &mut self.scratch)?;
        let one = |&token: &TokenId| {
            // What is left is gathered by this, which moves it: a place that was found before would
            // be another's.
            left.total();
            let index = left.find(token);
            learned(&self.chain, &self.state, &mut left, index)
        };
        Ok(tokens.iter().map(one).collect())
    }

    fn take(&mut self, token: TokenId, memory: Option<[f64; 2]>) {
        if self.chain.looks_back() {
            self.state.push(token);
        }
        if let Some(memory) = memory {
            self.state.remember(memory);
        }
    }
}

/// Lets the stages act in order; `watch` sees the candidates before the first and after each of
/// them.
pub(crate) fn run<'a>(
    chain: &Chain,
    logits: &'a [f32],
    limits: Limits<'_>,
    state: &State,
    words: &Words,
    scratch: &'a mut StepScratch,
    watch: &mut dyn FnMut(&mut Candidates<'a>, Option<&Stage>),
) -> Result<Candidates<'a>, SampleError> {
    let StepScratch { candidates, ids, lengths } = scratch;
    let mut left = Candidates::new(logits, candidates)?;
    watch(&mut left, None);
    limits.apply(&mut left)?;
    let mut turn = Turn { state, words, n_random: 0, ids, lengths };
    for stage in chain.stages() {
        stage.apply(&mut left, &mut turn)?;
        watch(&mut left, Some(stage));
    }
    Ok(left)
}

/// What the chain leaves where nothing else limits it and nobody watches.
fn after<'a>(
    chain: &Chain,
    logits: &'a [f32],
    state: &State,
    words: &Words,
    scratch: &'a mut StepScratch,
) -> Result<Candidates<'a>, SampleError> {
    run(chain, logits, Limits::NONE, state, words, scratch, &mut |_, _| ())
}

/// The draw, by rank: the index of the token.
fn draw(left: &mut Candidates<'_>, word: u64) -> usize {
    let target = (u128::from(word) * u128::from(left.total())) >> 64;
    left.reach(target as u64)
}

fn learned(
    chain: &Chain,
    state: &State,
    left: &mut Candidates<'_>,
    index: Option<usize>,
) -> Option<[f64; 2]> {
    chain.stages().last().and_then(|stage| stage.learn(state.memory(), left, index))
}

/// A step with all its figures, and what the last stage learned from it.
fn measured(
    chain: &Chain,
    logits: &[f32],
    limits: Limits<'_>,
    state: &State,
    words: &Words,
    scratch: &mut StepScratch,
    with_shift: bool,
) -> Result<(Draw, Option<[f64; 2]>), SampleError> {
    let _standard = FloatEnv::standard();
    let (mut raw, mut raw_max, mut nucleus) = (Mass::default(), 0.0, None);
    let mut left = run(chain, logits, limits, state, words, scratch, &mut |left, stage| {
        if stage.is_none() {
            raw_max = left.max();
            raw = left.mass();
            nucleus = with_shift.then(|| left.last_of_share(shift::NUCLEUS));
        }
    })?;
    let index = draw(&mut left, words.draw);
    let memory = learned(chain, state, &mut left, Some(index));
    let (token, x) = left.token(index);
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
        shift: nucleus.map(|nucleus| Shift::of(&mut left, logits, nucleus)),
    };
    Ok((draw, memory))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After the first step buffers have their size, whatever the later logits and chains need.
    #[test]
    fn later_steps_allocate_nothing() {
        const V: usize = 20_000;
        let shapes: [fn(usize) -> f32; 4] = [
            |i| (i * 7919 % V) as f32 * 1e-3,
            |_| 2.0,
            |i| if i == 5 { 40.0 } else { (i % 3) as f32 },
            |i| if i % 2 == 0 { f32::NEG_INFINITY } else { 1e-6 * i as f32 },
        ];
        for chain in [
            "temp=0",
            "temp=1",
            "top_p=0.9 | temp=1e8",
            "top_k=15000 | min_p=0.001",
            "top_k=3",
            "typical=0.9 | top_h=0.5",
            "xtc=1,threshold:0 | quadratic=0.3",
            "tfs=0.9 | adaptive_p=0.4",
        ] {
            let mut sampler =
                Sampler::new(chain.parse().unwrap(), Dice { seed: 1, sample: 0 }).measuring_shift();
            sampler.sample(&vec![0.0; V], 0).unwrap();
            let before = sampler.scratch.candidates.places();
            for (pos, shape) in shapes.iter().enumerate() {
                let logits: Vec<f32> = (0..V).map(shape).collect();
                sampler.sample(&logits, pos as u64).unwrap();
                sampler.sample(&logits[..77], pos as u64).unwrap();
                sampler.draw(&logits, pos as u64).unwrap();
            }
            assert_eq!(sampler.scratch.candidates.places(), before, "{chain}");
        }
    }

    /// A token that somebody chose teaches what the same token teaches when it's drawn.
    #[test]
    fn a_token_teaches_the_same_drawn_or_forced() {
        let logits: Vec<f32> = (0..1000).map(|i| ((i * 7919) % 1000) as f32 * 0.02).collect();
        for chain in
            ["temp=1.5 | mirostat=2,eta:0.6", "mirostat=3,version:1", "temp=1.5 | adaptive_p=0.1"]
        {
            let mut drawn = Sampler::new(chain.parse().unwrap(), Dice { seed: 1, sample: 0 });
            let mut forced = drawn.clone();
            for pos in 0..20 {
                let token = drawn.sample(&logits, pos).unwrap();
                let after = forced.memory_after(&logits, pos, &[TokenId(0), token]).unwrap();
                forced.force(&logits, pos, token).unwrap();
                assert_eq!(forced.state(), drawn.state(), "{chain} {pos}");
                assert_eq!(after[1], drawn.state().memory(), "{chain} {pos}");
            }
        }
    }
}
