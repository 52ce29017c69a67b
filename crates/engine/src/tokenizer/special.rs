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

/// gpt-oss's marks around what it says on which channel: part of the text that people read.
const CHANNEL_MARKS: &[&str] = &["<|channel|>", "<|message|>", "<|start|>", "<|constrain|>"];

/// Texts that end no turn, or are no control token at all, where all of some others end one.
const NOT_ENDS: &[(&str, &[&str], Kind)] = &[
    // gpt-oss and Solar Open: an `<|end|>` ends a message, of which a turn has several.
    ("<|end|>", &["<|return|>", "<|call|>"], Kind::Shown),
    ("<|end|>", &["<|return|>", "<|calls|>"], Kind::Shown),
    ("<|end|>", &["<|flush|>", "<|call|>"], Kind::Shown),
    ("<|end|>", &["<|flush|>", "<|calls|>"], Kind::Shown),
    // Gemma 4 and PLaMo: `</s>` is HTML.
    ("</s>", &["<|tool_response>"], Kind::Normal),
    ("</s>", &["<|plamo:eos|>"], Kind::Normal),
];

/// Whether a token is put at an end of a text.
#[derive(Debug, Clone, Copy)]
pub(super) enum Added {
    /// This, unless the file says otherwise.
    Unless(bool),
    /// This, whatever the file says.
    Always(bool),
}

/// What holds for a kind of tokenizer where the file says nothing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Defaults {
    pub(super) bos: Option<u32>,
    pub(super) eos: Option<u32>,
    pub(super) add_bos: Added,
    pub(super) add_eos: Added,
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
    /// Those that take the white space after them along.
    pub(super) strips: Vec<u32>,
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
        mend(vocabulary, &mut ends);

        let add_bos = added(metadata, ADD_BOS, defaults.add_bos, BOS, bos)?;
        let add_eos = added(metadata, ADD_EOS, defaults.add_eos, EOS, eos)?;
        let strips = stripping(metadata, vocabulary)?;
        Ok(Special { bos, eos, add_bos, add_eos, ends, strips })
    }
}

/// Mends what is known of single families: see `CHANNEL_MARKS` and `NOT_ENDS`.
fn mend(vocabulary: &mut Vocabulary, ends: &mut Vec<TokenId>) {
    for id in CHANNEL_MARKS.iter().filter_map(|text| vocabulary.find(text)).collect::<Vec<_>>() {
        vocabulary.kinds[id as usize] = Kind::Shown;
    }
    for &(text, others, kind) in NOT_ENDS {
        let is_end = |text: &&str| {
            vocabulary.find(text).is_some_and(|id| ends.binary_search(&TokenId(id)).is_ok())
        };
        if others.iter().all(is_end)
            && let Some(id) = vocabulary.find(text)
            && let Ok(place) = ends.binary_search(&TokenId(id))
        {
            ends.remove(place);
            vocabulary.set_kind(id, kind);
        }
    }
}

/// The special tokens of Phi-3, which the white space after them belongs to. Files don't say so;
/// llama.cpp knows the family by the model's name.
fn stripping(metadata: &Metadata, vocabulary: &Vocabulary) -> Result<Vec<u32>, TokenizerError> {
    const OTHERS: [&str; 3] = ["<unk>", "<s>", "<|endoftext|>"];
    let name = metadata.str("general.name")?.unwrap_or_default().to_ascii_lowercase();
    if !name.contains("phi-3") && !name.contains("phi3") {
        return Ok(Vec::new());
    }
    let is_special = |id: &u32| {
        let text = vocabulary.text(*id);
        let kind = vocabulary.kinds[*id as usize];
        !OTHERS.contains(&text)
            && (text == "</s>" || !matches!(kind, Kind::Normal | Kind::Unused | Kind::Byte))
    };
    Ok((0..vocabulary.len() as u32).filter(is_special).collect())
}

/// Whether a token is added; a file that asks for one it doesn't name is refused.
fn added(
    metadata: &Metadata,
    asks: &'static str,
    default: Added,
    key: &'static str,
    token: Option<TokenId>,
) -> Result<bool, TokenizerError> {
    let default = match default {
        Added::Always(always) => return Ok(always && token.is_some()),
        Added::Unless(default) => default,
    };
    match (metadata.bool(asks)?, token) {
        (Some(true), None) => Err(TokenizerError::NothingToAdd { asks, key }),
        (None, None) => Ok(false),
        (said, _) => Ok(said.unwrap_or(default)),
    }
}
