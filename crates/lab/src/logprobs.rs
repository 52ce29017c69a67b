//! The log-probabilities of a given text under one model, or under two beside each other.
//!
//! Every token is scored as `kelvin perplexity` scores it: ln p under the model's own distribution
//! (T = 1, whole vocabulary) after all tokens before it. Where two models have one vocabulary and
//! read the text as equal tokens, there is also the divergence KL(first ‖ second) of the whole
//! distributions at each position. Otherwise the text is divided into [`Span`]s: stretches between
//! places where tokens of both models begin, whose log-probabilities can be compared.

use std::{collections::HashSet, ops::Range};

use kelvin_engine::{
    Engine, TokenId,
    batch::{Batch, Scored, score},
    tokenizer::{Tokenizer, VocabularyDifference},
    transformer::{Append, Logits, ModelError, Sequence, Want},
};
use kelvin_sampling::{Divergence, SampleError, divergence};

/// Tokens that are read at a time. Their logits are in memory together.
const CHUNK: usize = 32;

/// A text as a model reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextTokens {
    /// The start token, if the model puts one before a text. It isn't scored.
    pub bos: Option<TokenId>,
    /// The text's tokens.
    pub ids: Vec<TokenId>,
    /// The place in the text, in bytes, at which each token begins. Places never fall.
    pub starts: Vec<usize>,
}

impl TextTokens {
    /// The tokens of a text, in which control tokens are plain characters.
    pub fn new(tokenizer: &Tokenizer, text: &str) -> TextTokens {
        let added = tokenizer.encode("", true, false);
        let bos = tokenizer.bos().filter(|bos| added.first() == Some(bos));
        let (ids, starts) = tokenizer.encode_with_places(text, false, false).into_iter().unzip();
        TextTokens { bos, ids, starts }
    }

    /// All tokens that the model reads.
    pub fn all(&self) -> Vec<TokenId> {
        self.bos.iter().chain(&self.ids).copied().collect()
    }

    /// Index of the first token that something predicts.
    pub fn first_scored(&self) -> usize {
        usize::from(self.bos.is_none())
    }

    /// The tokens that begin in a stretch of the text.
    fn of(&self, bytes: &Range<usize>) -> Range<usize> {
        let index = |place: usize| self.starts.partition_point(|&start| start < place);
        index(bytes.start)..index(bytes.end)
    }
}

/// Why a text can't be scored.
#[derive(Debug, thiserror::Error)]
pub enum LogprobsError {
    /// The forward pass failed.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The model's logits have no distribution.
    #[error("the model's logits can't be used: {0}")]
    Logits(#[from] SampleError),
}

/// A model that reads a text.
#[derive(Debug)]
pub struct Reader<'a> {
    engine: &'a Engine,
    batch: Batch,
    tokens: TextTokens,
    sequence: Sequence,
}

impl<'a> Reader<'a> {
    /// A model before a text. `batch` is an empty one of it.
    pub fn new(engine: &'a Engine, batch: Batch, tokens: TextTokens) -> Reader<'a> {
        let sequence = batch.sequence(engine);
        Reader { engine, batch, tokens, sequence }
    }

    /// The text's tokens.
    pub fn tokens(&self) -> &TextTokens {
        &self.tokens
    }

    /// Reads on. The rows of logits predict the text's tokens `of`; there are none for a first
    /// token that nothing stands before.
    fn read(&mut self, of: &Range<usize>) -> Result<Option<Logits<'_>>, ModelError> {
        let Reader { engine, batch, tokens, sequence } = self;
        let tokens = match (of.start, &tokens.bos) {
            (0, None) => return Ok(None),
            (0, Some(bos)) => std::slice::from_ref(bos),
            _ => &tokens.ids[of.start - 1..of.end - 1],
        };
        let mut append = [Append { sequence, tokens, want: Want::All }];
        batch.append(engine, &mut append).map(Some)
    }
}

/// A token of a text under up to two models that read it as equal tokens.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Token {
    /// Its scores, with the likeliest token; `None` for a first token that nothing stands before.
    pub scored: Vec<Option<Scored>>,
    /// The divergence of the second model's distribution from the first's.
    pub divergence: Option<Divergence>,
}

/// Why two models' distributions over tokens can't be compared; `None` if they can.
pub fn incomparable(a: &Reader<'_>, b: &Reader<'_>) -> Option<String> {
    let (of_a, of_b) = (&a.engine.tokenizer, &b.engine.tokenizer);
    match of_a.difference(of_b) {
        None => {}
        Some(VocabularyDifference::Size) => {
            let (a, b) = (of_a.vocab_size(), of_b.vocab_size());
            return Some(format!("their vocabularies differ ({a} and {b} tokens)"));
        }
        Some(VocabularyDifference::Token(id)) => {
            return Some(format!("their vocabularies differ (token {}, for one)", id.0));
        }
    }
    let rows = |reader: &Reader<'_>| reader.engine.model.config.vocab_size;
    if rows(a) != rows(b) {
        let (a, b) = (rows(a), rows(b));
        return Some(format!("they give logits of {a} and {b} tokens"));
    }
    (a.tokens.ids != b.tokens.ids).then(|| "they divide the text differently into tokens".into())
}

/// Scores a text under one model, or two comparable ones in lockstep: a [`Token`] for each token.
/// `told` gets the number of tokens read.
///
/// # Errors
/// If a model refuses a step, or its logits have no distribution.
pub fn score_text(
    readers: &mut [Reader<'_>],
    told: &mut dyn FnMut(usize),
) -> Result<Vec<Token>, LogprobsError> {
    let Some(first) = readers.first() else { return Ok(Vec::new()) };
    let (engine, ids) = (first.engine, first.tokens.ids.clone());
    let mut all = Vec::with_capacity(ids.len());
    while all.len() < ids.len() {
        let begin = all.len();
        let of = begin..if begin == 0 { 1 } else { ids.len().min(begin + CHUNK) };
        let rows: Vec<Option<Logits<'_>>> =
            readers.iter_mut().map(|reader| reader.read(&of)).collect::<Result<_, _>>()?;
        let mut found: Vec<Result<Token, SampleError>> =
            of.clone().map(|_| Ok(Token::default())).collect();
        let score = |i: usize, token: &mut [Result<Token, SampleError>]| {
            token[0] = score_one(&rows, i, ids[of.start + i]);
        };
        engine.model.pool().for_each_chunk(&mut found, 1, &score);
        for token in found {
            all.push(token?);
        }
        told(all.len());
    }
    Ok(all)
}

/// Scores the token that row `i` of each model's logits predicts.
fn score_one(rows: &[Option<Logits<'_>>], i: usize, token: TokenId) -> Result<Token, SampleError> {
    let of = |rows: &Option<Logits<'_>>| rows.map(|rows| score(rows.row(i), token, 1)).transpose();
    let scored = rows.iter().map(of).collect::<Result<_, _>>()?;
    let divergence = match rows {
        [Some(a), Some(b)] => Some(divergence(a.row(i), b.row(i))?),
        _ => None,
    };
    Ok(Token { scored, divergence })
}

/// A stretch of a text that is whole tokens of both models.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// Its bytes in the text.
    pub bytes: Range<usize>,
    /// Its tokens under each model.
    pub tokens: [Range<usize>; 2],
}

/// The smallest stretches of a text of `len` bytes that are whole tokens of both models, in order.
/// They begin with the first token that both models score.
pub fn spans(a: &TextTokens, b: &TextTokens, len: usize) -> Vec<Span> {
    let begins = |tokens: &TextTokens| -> HashSet<usize> {
        tokens.starts.iter().skip(tokens.first_scored()).copied().collect()
    };
    let (of_a, of_b) = (begins(a), begins(b));
    let mut common: Vec<usize> = of_a.intersection(&of_b).copied().collect();
    common.push(len);
    common.sort_unstable();
    common.dedup();
    let spans = common.windows(2).map(|ends| {
        let bytes = ends[0]..ends[1];
        Span { tokens: [a.of(&bytes), b.of(&bytes)], bytes }
    });
    spans.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(bos: bool, starts: &[usize]) -> TextTokens {
        TextTokens {
            bos: bos.then_some(TokenId(0)),
            ids: starts.iter().map(|_| TokenId(1)).collect(),
            starts: starts.to_vec(),
        }
    }

    #[test]
    fn spans_end_where_tokens_of_both_models_begin() {
        let (a, b) = (tokens(true, &[0, 0, 3, 5, 9]), tokens(true, &[0, 2, 5, 6, 7, 9]));
        let found = spans(&a, &b, 12);
        let expected = [(0..5, [0..3, 0..2]), (5..9, [3..4, 2..5]), (9..12, [4..5, 5..6])];
        assert_eq!(found.len(), 3);
        for (span, (bytes, tokens)) in found.iter().zip(expected) {
            assert_eq!(*span, Span { bytes, tokens });
        }
    }

    /// The first token of a model without a start token isn't scored, so no span has it.
    #[test]
    fn spans_begin_where_both_models_score() {
        let found = spans(&tokens(false, &[0, 4, 8]), &tokens(true, &[0, 2, 4, 6, 8]), 10);
        assert_eq!(found[0], Span { bytes: 4..8, tokens: [1..2, 2..4] });
        assert_eq!(found.len(), 2);
        assert!(spans(&tokens(false, &[0]), &tokens(true, &[0]), 3).is_empty());
        assert!(spans(&tokens(true, &[]), &tokens(true, &[]), 0).is_empty());
    }
}
