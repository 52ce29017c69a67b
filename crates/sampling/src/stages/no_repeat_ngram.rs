//! No n-gram twice.

use std::fmt;

use super::{Context, Counterpart, Param, Range, Setting, StageInfo, StageKind, Traits, Values};
use crate::{
    Engine, TokenId,
    candidates::Candidates,
    error::{ChainError, SampleError},
};

/// `no_repeat_ngram=n`: bans every token that would complete an n-gram that occurred before, in the
/// prompt or since. 0 turns the stage off. A ban of every token is an error.
///
/// Source: Paulus, Xiong, Socher 2017, arXiv 1705.04304.
///
/// ```
/// use kelvin_sampling::{Chain, Dice, Sampler, TokenId};
///
/// let chain: Chain = "no_repeat_ngram=2 | temp=0".parse()?;
/// let text = [TokenId(0), TokenId(1), TokenId(0)];
/// let mut sampler = Sampler::new(chain, Dice::default()).after(&text);
/// assert_eq!(sampler.sample(&[1.0, 3.0, 2.0], 3)?, TokenId(2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoRepeatNgram(u32);

impl NoRepeatNgram {
    /// A ban on repeating n-grams of this length; 0 turns the stage off.
    pub fn new(n: u32) -> NoRepeatNgram {
        NoRepeatNgram(n)
    }

    /// n.
    pub fn get(self) -> u32 {
        self.0
    }
}

const TRANSFORMERS: Counterpart = Counterpart {
    place: 40,
    settings: &[Setting::new("no_repeat_ngram_size", Range::COUNT).whole()],
    ..Counterpart::of(Engine::Transformers)
};

impl StageKind for NoRepeatNgram {
    const INFO: StageInfo = StageInfo {
        name: "no_repeat_ngram",
        allowed: "a whole number from 0 (off) to 4294967295",
        summary: "bans tokens that would repeat a sequence of n tokens",
        source: "arXiv 1705.04304",
        traits: Traits::PENALTY,
        params: &[Param::whole("n", "3", [0.0, 10.0])],
        counterparts: &[
            TRANSFORMERS,
            Counterpart { engine: Engine::TransformersJs, ..TRANSFORMERS },
            Counterpart { engine: Engine::OnnxGenAi, ..TRANSFORMERS },
            Counterpart { engine: Engine::CTranslate2, ..TRANSFORMERS },
        ],
        ..StageInfo::BLANK
    };

    fn parse(text: Option<&str>) -> Result<NoRepeatNgram, ChainError> {
        Values::read(&Self::INFO, text, &[])?.number().map(NoRepeatNgram)
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "={}", self.0)
    }

    fn is_off(&self) -> bool {
        self.0 == 0
    }

    fn apply(
        &self,
        candidates: &mut Candidates<'_>,
        context: &mut Context<'_>,
    ) -> Result<(), SampleError> {
        let (tokens, n) = (context.state.tokens(), self.0 as usize);
        if n == 0 || tokens.len() < n {
            return Ok(());
        }
        // The n - 1 tokens that the next one would follow.
        let end: &[TokenId] = &tokens[tokens.len() - (n - 1)..];
        context.ids.clear();
        let seen = tokens.windows(n).filter(|ngram| ngram[..n - 1] == *end);
        context.ids.extend(seen.map(|ngram| ngram[n - 1].0));
        context.ids.sort_unstable();
        context.ids.dedup();
        Context::check(&Self::INFO, candidates, context.ids.iter().copied())?;
        if candidates.ban(context.ids.iter().copied()) {
            Ok(())
        } else {
            Err(Self::INFO.nothing_left())
        }
    }
}
