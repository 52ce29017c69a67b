//! No n-gram twice.

use std::fmt;

use super::{Control, StageInfo, Turn};
use crate::{
    TokenId,
    candidates::Candidates,
    error::{ChainError, SampleError},
    notation::Values,
};

/// `no_repeat_ngram=n`: bans every token that would complete an n-gram seen before (prompt
/// included); 0 is off. It may leave nothing, which is an error.
///
/// Source: Paulus, Xiong, Socher 2017, arXiv 1705.04304.
///
/// ```
/// use kelvin_sampling::{Chain, Dice, Sampler, TokenId};
///
/// let chain: Chain = "no_repeat_ngram=2 | temp=0".parse()?;
/// let mut sampler = Sampler::new(chain, Dice::default()).after(&[TokenId(0), TokenId(1), TokenId(0)]);
/// assert_eq!(sampler.sample(&[1.0, 3.0, 2.0], 3)?, TokenId(2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoRepeatNgram(u32);

impl NoRepeatNgram {
    /// Accepts every n; 0 is off.
    pub fn new(n: u32) -> NoRepeatNgram {
        NoRepeatNgram(n)
    }

    /// n.
    pub fn get(self) -> u32 {
        self.0
    }
}

impl Control for NoRepeatNgram {
    const INFO: StageInfo = StageInfo {
        name: "no_repeat_ngram",
        allowed: "a whole number from 0 (off) to 4294967295",
        summary: "bans tokens that would repeat a sequence of n tokens",
        source: "arXiv 1705.04304",
    };

    fn parse(text: Option<&str>) -> Result<NoRepeatNgram, ChainError> {
        Values::read(&Self::INFO, text, &[])?.number().map(NoRepeatNgram)
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "={}", self.0)
    }

    fn apply(&self, candidates: &mut Candidates<'_>, turn: &mut Turn<'_>) -> Result<(), SampleError> {
        let (tokens, n) = (turn.state.tokens(), self.0 as usize);
        if n == 0 || tokens.len() < n {
            return Ok(());
        }
        // The n - 1 tokens that the next one would follow.
        let end: &[TokenId] = &tokens[tokens.len() - (n - 1)..];
        turn.ids.clear();
        let seen = tokens.windows(n).filter(|ngram| ngram[..n - 1] == *end);
        turn.ids.extend(seen.map(|ngram| ngram[n - 1].0));
        turn.ids.sort_unstable();
        turn.ids.dedup();
        Turn::check(&Self::INFO, candidates, turn.ids.iter().copied())?;
        if candidates.ban(turn.ids.iter().copied()) { Ok(()) } else { Err(Self::INFO.nothing_left()) }
    }
}
