//! A mask: the set of tokens that may be drawn at all.

use std::{fmt, sync::Arc};

use super::{
    Context, Counterpart, Field, List, Param, ParamKind, Settings, StageInfo, StageKind, Value,
    translate::no_such,
};
use crate::{
    Engine,
    candidates::Candidates,
    error::{ChainError, SampleError},
};

/// `mask=1,2,10-19` keeps these token ids; `mask=not,1,2,10-19` bans them. A mask that leaves no
/// token is an error.
///
/// Used for allowed ids, bad words and fixed grammars. Placed before truncations, it makes them
/// exact for the allowed tokens. A mask that changes with every token is passed by the caller
/// ([`crate::Limits`]).
///
/// The ids are stored as sorted ranges that don't touch, so memory grows with the text that was
/// typed, not with the number of tokens.
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
    /// First and last token of each range, in rising order with gaps between them.
    ranges: Arc<[(u32, u32)]>,
}

impl Mask {
    /// Allows only these tokens.
    ///
    /// # Errors
    /// If there are none.
    pub fn only(ids: impl IntoIterator<Item = u32>) -> Result<Mask, ChainError> {
        Mask::new(false, ids.into_iter().map(|id| (id, id)).collect())
    }

    /// Bans these tokens.
    ///
    /// # Errors
    /// If there are none.
    pub fn not(ids: impl IntoIterator<Item = u32>) -> Result<Mask, ChainError> {
        Mask::new(true, ids.into_iter().map(|id| (id, id)).collect())
    }

    /// Merges ranges that overlap or touch.
    fn new(ban: bool, mut typed: Vec<(u32, u32)>) -> Result<Mask, ChainError> {
        typed.sort_unstable();
        let mut ranges: Vec<(u32, u32)> = Vec::with_capacity(typed.len());
        for (first, last) in typed {
            match ranges.last_mut() {
                Some((_, end)) if first <= end.saturating_add(1) => *end = last.max(*end),
                _ => ranges.push((first, last)),
            }
        }
        Self::INFO.require(!ranges.is_empty(), "no value")?;
        Ok(Mask { ban, ranges: ranges.into() })
    }

    /// Whether the tokens are banned rather than the only ones allowed.
    pub fn bans(&self) -> bool {
        self.ban
    }

    /// The token ids, in rising order.
    pub fn ids(&self) -> impl Iterator<Item = u32> + '_ {
        self.ranges.iter().flat_map(|&(first, last)| first..=last)
    }

    /// How many token ids there are.
    pub fn n_ids(&self) -> usize {
        self.ranges.iter().map(|&(first, last)| (last - first) as usize + 1).sum()
    }

    /// Whether a token is among the ids, allowed or banned.
    pub fn contains(&self, id: u32) -> bool {
        let at = self.ranges.partition_point(|&(_, last)| last < id);
        self.ranges.get(at).is_some_and(|&(first, _)| first <= id)
    }
}

/// The most token ids that are written as a list for another engine.
const MAX_IDS: usize = 4096;
const VLLM: Counterpart = Counterpart { place: 20, ..Counterpart::of(Engine::Vllm) };
const LLAMA: Counterpart = Counterpart { engine: Engine::LlamaCpp, list: List::Before, ..VLLM };

impl StageKind for Mask {
    const INFO: StageInfo = StageInfo {
        name: "mask",
        allowed: "token ids and ranges of them (1,2,10-19), or `not,` and those to ban (not,1,2)",
        summary: "keeps a set of tokens, or bans one",
        source: "constrained decoding; vLLM allowed_token_ids, bad_words",
        params: &[Param::other("token ids", ParamKind::Text, "not,0")],
        field: Some(Field::own("allowed_token_ids")),
        counterparts: &[
            LLAMA,
            LLAMA.in_ollama(),
            VLLM,
            Counterpart { engine: Engine::Transformers, ..VLLM },
        ],
        ..StageInfo::BLANK
    };

    fn parse(text: Option<&str>) -> Result<Mask, ChainError> {
        let text = text.unwrap_or("");
        let refuse = || Self::INFO.refuse(if text.is_empty() { "no value" } else { text });
        let (ban, list) = match text.split_once(',') {
            Some((first, rest)) if first.trim() == "not" => (true, rest),
            _ => (false, text),
        };
        let mut ranges = Vec::new();
        for item in list.split(',') {
            let (first, last) = item.split_once('-').unwrap_or((item, item));
            let number = |text: &str| text.trim().parse::<u32>().map_err(|_| refuse());
            let (first, last) = (number(first)?, number(last)?);
            // No vocabulary is larger.
            if first > last || last as usize >= crate::MAX_VOCAB {
                return Err(refuse());
            }
            ranges.push((first, last));
        }
        Mask::new(ban, ranges)
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.ban { "=not" } else { "=" })?;
        for (i, &(first, last)) in self.ranges.iter().enumerate() {
            if self.ban || i > 0 {
                f.write_str(",")?;
            }
            if first == last { write!(f, "{first}")? } else { write!(f, "{first}-{last}")? }
        }
        Ok(())
    }

    fn apply(
        &self,
        candidates: &mut Candidates<'_>,
        _: &mut Context<'_>,
    ) -> Result<(), SampleError> {
        // The first id that the vocabulary doesn't have, found by ranges.
        let vocab = candidates.n_vocab() as u32;
        let beyond = self.ranges.iter().find(|&&(_, last)| last >= vocab);
        let unknown = beyond.map(|&(first, _)| first.max(vocab));
        Context::check(&Self::INFO, candidates, unknown.into_iter())?;
        let left =
            if self.ban { candidates.ban(self.ids()) } else { candidates.keep_ids(self.ids()) };
        if left { Ok(()) } else { Err(Self::INFO.nothing_left()) }
    }

    fn largest_id(&self) -> Option<u32> {
        self.ranges.last().map(|&(_, last)| last)
    }

    fn own_settings(&self, counterpart: &Counterpart) -> Option<Settings> {
        if self.n_ids() > MAX_IDS {
            let reason = format!("a list of {} token ids is too long to write", self.n_ids());
            return Some(Err(reason));
        }
        let id = |id: u32| Value::Whole(id.into());
        let (name, list): (_, Vec<Value>) = match (counterpart.engine, self.ban) {
            (Engine::Vllm, false) => ("allowed_token_ids", self.ids().map(id).collect()),
            (Engine::Transformers, true) => ("suppress_tokens", self.ids().map(id).collect()),
            // A ban is a bias of `false`.
            (Engine::LlamaCpp, true) => {
                let pair = |i| Value::List(vec![id(i), Value::Flag(false)]);
                ("logit_bias", self.ids().map(pair).collect())
            }
            (engine, _) => return Some(Err(no_such(engine))),
        };
        Some(Ok(vec![(name, Value::List(list))]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Chain, Distribution, Stage};

    #[test]
    fn ranges_merge_and_print_in_one_form() {
        for (typed, printed) in [
            ("5,1-3,2-4", "1-5"),
            ("1-3,7,4", "1-4,7"),
            ("0-9,0-9,3", "0-9"),
            ("not,9,2-3,1", "not,1-3,9"),
            ("524286,524285", "524285-524286"),
        ] {
            let mask = Mask::parse(Some(typed)).unwrap();
            let chain: Chain = format!("mask={typed}").parse().unwrap();
            assert_eq!(chain.to_string(), format!("mask={printed}"));
            let ids: Vec<u32> = mask.ids().collect();
            assert_eq!(ids.len(), mask.n_ids());
            assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
            let last = ids[ids.len() - 1];
            assert!(
                (0..=20).all(|id| mask.contains(id) == ids.contains(&id))
                    && mask.contains(last)
                    && !mask.contains(last + 1)
            );
        }
    }

    #[test]
    fn the_error_says_how_tokens_are_banned() {
        let said = "mask=not 13".parse::<Chain>().unwrap_err().to_string();
        assert!(said.contains("`not,` and those to ban (not,1,2)"), "{said}");
        assert!("mask=not,13".parse::<Chain>().is_ok());
    }

    /// 4 KB of chain may not stand for more memory or work than a vocabulary.
    #[test]
    fn repeated_ranges_cost_what_their_text_does() {
        let text = format!("mask={}", vec!["0-524286"; 460].join(","));
        assert!(text.len() > 4096);
        let chain: Chain = text.parse().unwrap();
        assert_eq!(chain.to_string(), "mask=0-524286");
        let Stage::Mask(mask) = &chain.stages()[0] else { panic!("{chain}") };
        assert_eq!((mask.ranges.len(), mask.n_ids()), (1, crate::MAX_VOCAB));
        let error = Distribution::new(&[1.0, 2.0], &chain).unwrap_err();
        assert_eq!(
            error.to_string(),
            "mask: there is no token 2, the vocabulary has 2 (ids from 0)"
        );
    }
}
