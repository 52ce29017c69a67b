//! The vocabulary in the form that `llguidance` needs, serializable for the child process.

use std::io::{Read, Write};
use std::sync::Arc;

use kelvin_engine::{TokenId, tokenizer::Tokenizer};
use llguidance::{
    ParserFactory,
    api::ParserLimits,
    earley::SlicedBiasComputer,
    toktrie::{ApproximateTokEnv, InferenceCapabilities, TokEnv, TokRxInfo, TokTrie},
};

use super::error::FormError;

/// Marks special tokens in the trie, and is part of no text.
const NO_TEXT: u8 = TokTrie::SPECIAL_TOKEN_MARKER;

/// What every token spells, one behind the other, and which tokens end a text.
#[derive(Debug, PartialEq)]
pub(super) struct Vocabulary {
    bytes: Vec<u8>,
    /// Where each token's bytes end.
    places: Vec<u32>,
    ends: Vec<u32>,
}

impl Vocabulary {
    /// Of a model's tokens, if one of them ends a text.
    pub(super) fn new(tokenizer: &Tokenizer) -> Result<Vocabulary, FormError> {
        let ends: Vec<u32> = tokenizer.end_tokens().iter().map(|token| token.0).collect();
        if ends.is_empty() {
            return Err(FormError::Endless);
        }
        let mut vocabulary = Vocabulary { bytes: Vec::new(), places: Vec::new(), ends };
        for id in 0..tokenizer.vocab_size() as u32 {
            // Control tokens spell nothing, so no form allows them; those that end a text come
            // where it may end.
            match tokenizer.bytes(TokenId(id), false) {
                bytes if bytes.contains(&NO_TEXT) => {}
                bytes => vocabulary.bytes.extend_from_slice(bytes),
            }
            vocabulary.places.push(vocabulary.bytes.len() as u32);
        }
        Ok(vocabulary)
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// A token's bytes.
    pub(super) fn word(&self, id: usize) -> &[u8] {
        let start = if id == 0 { 0 } else { self.places[id - 1] };
        &self.bytes[start as usize..self.places[id] as usize]
    }

    /// The factory of parsers for the vocabulary.
    pub(super) fn factory(&self) -> Result<ParserFactory, FormError> {
        let info = TokRxInfo::new(self.len() as u32, self.ends[0]);
        let words: Vec<Vec<u8>> = (0..self.len()).map(|id| self.word(id).to_vec()).collect();
        let trie = TokTrie::from(&info, &words).with_eos_tokens(&self.ends);
        // Its tokenization is an approximation, and so nothing is forced by it.
        let env: TokEnv = Arc::new(ApproximateTokEnv::new(trie));
        let slices = SlicedBiasComputer::general_slices();
        let factory = ParserFactory::new(&env, InferenceCapabilities::default(), &slices);
        let mut factory = factory.map_err(|error| FormError::Failed(error.to_string()))?;
        factory.quiet();
        *factory.limits_mut() = limits();
        Ok(factory)
    }

    /// Serializes the vocabulary.
    pub(super) fn write(&self, out: &mut impl Write) -> std::io::Result<()> {
        for list in [&self.ends, &self.places] {
            out.write_all(&(list.len() as u32).to_le_bytes())?;
            let bytes: Vec<u8> = list.iter().flat_map(|n| n.to_le_bytes()).collect();
            out.write_all(&bytes)?;
        }
        out.write_all(&self.bytes)
    }

    /// Deserializes what `write` wrote. It comes from this program, so it isn't checked.
    pub(super) fn read(from: &mut impl Read) -> std::io::Result<Vocabulary> {
        let mut list = || -> std::io::Result<Vec<u32>> {
            let n = read_u32(from)? as usize;
            let mut bytes = vec![0; n * 4];
            from.read_exact(&mut bytes)?;
            Ok(bytes.as_chunks::<4>().0.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect())
        };
        let (ends, places) = (list()?, list()?);
        let mut bytes = vec![0; places.last().map_or(0, |end| *end as usize)];
        from.read_exact(&mut bytes)?;
        Ok(Vocabulary { bytes, places, ends })
    }
}

/// A number as it's written between the two processes.
pub(super) fn read_u32(from: &mut impl Read) -> std::io::Result<u32> {
    let mut bytes = [0; 4];
    from.read_exact(&mut bytes)?;
    Ok(u32::from_le_bytes(bytes))
}

/// The parser's limits. Within them a token takes some tens of milliseconds at worst.
fn limits() -> ParserLimits {
    ParserLimits {
        initial_lexer_fuel: 300_000,
        max_lexer_states: 50_000,
        verbose_errors: false,
        ..ParserLimits::default()
    }
}
