//! Tokens with a meaning of their own: BOS, EOS, and all tokens that end a turn.
//!
//! Files name only some of them, so llama.cpp also recognises texts known from model families; its
//! list is kept here.

use super::{
    error::TokenizerError,
    vocabulary::{Kind, Vocabulary},
};
use crate::{TokenId, gguf::Metadata};

const BOS: &str = "tokenizer.ggml.bos_token_id";
const EOS: &str = "tokenizer.ggml.eos_token_id";
const ENDS_LIST: &str = "tokenizer.ggml.eos_token_ids";
const ADD_BOS: &str = "tokenizer.ggml.add_bos_token";
const ADD_EOS: &str = "tokenizer.ggml.add_eos_token";

/// Texts that end a turn in some family of models.
const ENDS: &[&str] = &[
    "<|eot_id|>",
    "<|im_end|>",
    "<|end|>",
    "<|return|>",
    "<|call|>",
    "<|flush|>",
    "<|calls|>",
    "<end_of_turn>",
    "<|endoftext|>",
    "</s>",
    "<|eom_id|>",
    "<EOT>",
    "_<EOT>",
    "[EOT]",
    "[EOS]",
    "<|end_of_text|>",
    "<end_of_utterance>",
    "<eos>",
    "<turn|>",
    "<|tool_response>",
    "<｜end▁of▁sentence｜>",
    "[e~[",
];

/// Fill-in-the-middle tokens: the key that may name one, the texts it's known by, and whether it
/// ends a turn.
const MIDDLES: &[(&str, &[&str], bool)] = &[
    (
        "tokenizer.ggml.fim_pre_token_id",
        &[
            "<|fim_prefix|>",
            "<fim-prefix>",
            "<fim_prefix>",
            "<｜fim▁begin｜>",
            "<PRE>",
            "▁<PRE>",
            "<|code_prefix|>",
            "<|prefix|>",
        ],
        false,
    ),
    (
        "tokenizer.ggml.fim_suf_token_id",
        &[
            "<|fim_suffix|>",
            "<fim-suffix>",
            "<fim_suffix>",
            "<｜fim▁hole｜>",
            "<SUF>",
            "▁<SUF>",
            "<|code_suffix|>",
            "<|suffix|>",
        ],
        false,
    ),
    (
        "tokenizer.ggml.fim_mid_token_id",
        &[
            "<|fim_middle|>",
            "<fim-middle>",
            "<fim_middle>",
            "<｜fim▁end｜>",
            "<MID>",
            "▁<MID>",
            "<|code_middle|>",
            "<|middle|>",
        ],
        false,
    ),
    (
        "tokenizer.ggml.fim_pad_token_id",
        &["<|fim_pad|>", "<fim-pad>", "<fim_pad>", "<PAD>", "[PAD]"],
        true,
    ),
    (
        "tokenizer.ggml.fim_rep_token_id",
        &["<|fim_repo|>", "<|repo_name|>", "<fim-repo>", "<REPO>", "<reponame>"],
        true,
    ),
    ("tokenizer.ggml.fim_sep_token_id", &["<|file_sep|>"], true),
];

/// What the file says about itself before a kind of tokenizer's own defaults are known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Defaults {
    pub(super) bos: Option<u32>,
    pub(super) eos: Option<u32>,
    pub(super) add_bos: bool,
}

/// The tokens with a meaning of their own.
#[derive(Debug)]
pub(super) struct Special {
    pub(super) bos: Option<TokenId>,
    pub(super) eos: Option<TokenId>,
    pub(super) add_bos: bool,
    pub(super) add_eos: bool,
    /// In ascending order.
    pub(super) ends: Vec<TokenId>,
}

impl Special {
    /// Reads the ids; tokens known by their text become control tokens whatever the file says they
    /// are.
    pub(super) fn from_metadata(
        metadata: &Metadata,
        vocabulary: &mut Vocabulary,
        defaults: Defaults,
    ) -> Result<Special, TokenizerError> {
        let named = |vocabulary: &Vocabulary, key| match metadata.u32(key)? {
            None => Ok(None),
            Some(id) => vocabulary.token(key, id).map(Some),
        };
        let or_default = |found: Option<TokenId>, default: Option<u32>, vocabulary: &Vocabulary| {
            let is_control = |&id: &u32| vocabulary.kinds.get(id as usize) == Some(&Kind::Control);
            found.or(default.filter(is_control).map(TokenId))
        };
        let bos = or_default(named(vocabulary, BOS)?, defaults.bos, vocabulary);
        let eos = or_default(named(vocabulary, EOS)?, defaults.eos, vocabulary);

        let mut ends: Vec<TokenId> = eos.into_iter().collect();
        for key in ["tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"] {
            ends.extend(named(vocabulary, key)?);
        }
        // Ollama's converter writes all the ends there are.
        for &id in metadata.int_array(ENDS_LIST)?.unwrap_or_default() {
            // Too large for a vocabulary's index is as much out of range.
            ends.push(vocabulary.token(ENDS_LIST, u32::try_from(id).unwrap_or(u32::MAX))?);
        }
        for &(key, texts, is_end) in MIDDLES {
            let token = named(vocabulary, key)?.or_else(|| {
                let id = texts.iter().find_map(|text| vocabulary.find(text))?;
                vocabulary.kinds[id as usize] = Kind::Control;
                Some(TokenId(id))
            });
            ends.extend(token.filter(|_| is_end));
        }
        for id in ENDS.iter().filter_map(|text| vocabulary.find(text)).collect::<Vec<_>>() {
            vocabulary.kinds[id as usize] = Kind::Control;
            ends.push(TokenId(id));
        }
        ends.sort_unstable();
        ends.dedup();

        let add_bos = added(metadata, ADD_BOS, defaults.add_bos, BOS, bos)?;
        let add_eos = added(metadata, ADD_EOS, false, EOS, eos)?;
        Ok(Special { bos, eos, add_bos, add_eos, ends })
    }
}

/// Whether a token is added; a file that asks for one it doesn't name is refused.
fn added(
    metadata: &Metadata,
    asks: &'static str,
    default: bool,
    key: &'static str,
    token: Option<TokenId>,
) -> Result<bool, TokenizerError> {
    match (metadata.bool(asks)?, token) {
        (Some(true), None) => Err(TokenizerError::NothingToAdd { asks, key }),
        (None, None) => Ok(false),
        (said, _) => Ok(said.unwrap_or(default)),
    }
}
