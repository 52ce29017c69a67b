//! A mask: the set of tokens that may come at all.

use std::{fmt, sync::Arc};

use super::{Control, StageInfo, Turn};
use crate::{
    candidates::Candidates,
    error::{ChainError, SampleError},
};

/// `mask=1,2,10-19` keeps these token ids; `mask=not,1,2,10-19` bans them. Nothing left is an error.
///
/// For grammars, allowed ids and bad words; placed before truncations it makes them exact for what is allowed. A mask that
/// changes with every token is the caller's ([`crate::Limits`]).
///
/// Source: constrained decoding; vLLM's `allowed_token_ids` and `bad_words`.
///
/// ```
/// use kelvin_sampling::{Chain, Distribution};
///
/// let logits = [5.0, 1.0, 2.0, 3.0];
/// assert_eq!(Distribution::new(&logits, &"mask=1-2".parse()?)?.survivors(), 2);
/// assert_eq!(Distribution::new(&logits, &"mask=not,0".parse()?)?.survivors(), 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mask {
    ban: bool,
    ids: Arc<[u32]>,
}

impl Mask {
    /// Only these tokens.
    pub fn only(ids: impl IntoIterator<Item = u32>) -> Result<Mask, ChainError> {
        Mask::new(false, ids)
    }

    /// All but these tokens.
    pub fn not(ids: impl IntoIterator<Item = u32>) -> Result<Mask, ChainError> {
        Mask::new(true, ids)
    }

    fn new(ban: bool, ids: impl IntoIterator<Item = u32>) -> Result<Mask, ChainError> {
        let mut ids: Vec<u32> = ids.into_iter().collect();
        ids.sort_unstable();
        ids.dedup();
        Self::INFO.require(!ids.is_empty(), "no value")?;
        Ok(Mask { ban, ids: ids.into() })
    }

    /// Whether the tokens are banned rather than the only ones allowed.
    pub fn bans(&self) -> bool {
        self.ban
    }

    /// The token ids, rising.
    pub fn ids(&self) -> &[u32] {
        &self.ids
    }
}

impl Control for Mask {
    const INFO: StageInfo = StageInfo {
        name: "mask",
        allowed: "token ids and ranges of them (1,2,10-19), with `not` before them to ban",
        summary: "keeps a set of tokens, or bans one",
        source: "constrained decoding; vLLM allowed_token_ids, bad_words",
    };

    fn parse(text: Option<&str>) -> Result<Mask, ChainError> {
        let text = text.unwrap_or("");
        let refuse = || Self::INFO.refuse(if text.is_empty() { "no value" } else { text });
        let (ban, list) = match text.split_once(',') {
            Some((first, rest)) if first.trim() == "not" => (true, rest),
            _ => (false, text),
        };
        let mut ids = Vec::new();
        for item in list.split(',') {
            let (first, last) = item.split_once('-').unwrap_or((item, item));
            let number = |text: &str| text.trim().parse::<u32>().map_err(|_| refuse());
            let (first, last) = (number(first)?, number(last)?);
            // A range isn't believed to be larger than a vocabulary.
            if first > last || last as usize >= crate::MAX_VOCAB {
                return Err(refuse());
            }
            ids.extend(first..=last);
        }
        Mask::new(ban, ids)
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.ban { "=not" } else { "=" })?;
        let mut rest = &self.ids[..];
        while let [first, ..] = *rest {
            let n = rest.iter().zip(first..).take_while(|(id, expected)| **id == *expected).count();
            if self.ban || rest.len() < self.ids.len() {
                f.write_str(",")?;
            }
            match n {
                1 => write!(f, "{first}")?,
                _ => write!(f, "{first}-{}", rest[n - 1])?,
            }
            rest = &rest[n..];
        }
        Ok(())
    }

    fn apply(&self, candidates: &mut Candidates<'_>, _: &mut Turn<'_>) -> Result<(), SampleError> {
        let ids = || self.ids.iter().copied();
        Turn::check(&Self::INFO, candidates, ids())?;
        let left = if self.ban {
            candidates.ban(ids())
        } else {
            candidates.keep_ids(ids())
        };
        if left { Ok(()) } else { Err(Self::INFO.nothing_left()) }
    }
}
