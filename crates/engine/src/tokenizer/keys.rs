//! The table of the vocabulary's metadata keys: which are read, which have no effect and why, and
//! which should have one that isn't there. The last earn a warning, because llama.cpp passes over
//! them too and its tokens are the reference.

use crate::{
    gguf::{Metadata, Value},
    names::quoted,
    rules::{Row, Rule, Use, in_rows, row},
};

/// Names the kind of tokenizer.
pub(super) const MODEL: &str = "tokenizer.ggml.model";

/// Of every kind of tokenizer.
const KEYS: &[Row] = &[
    row(MODEL, Rule::Read),
    row("tokenizer.ggml.tokens", Rule::Read),
    row("tokenizer.ggml.token_type", Rule::Read),
    row("tokenizer.ggml.bos_token_id", Rule::Read),
    row("tokenizer.ggml.eos_token_id", Rule::Read),
    row("tokenizer.ggml.eos_token_ids", Rule::Read),
    row("tokenizer.ggml.eot_token_id", Rule::Read),
    row("tokenizer.ggml.eom_token_id", Rule::Read),
    row("tokenizer.ggml.add_bos_token", Rule::Read),
    row("tokenizer.ggml.add_eos_token", Rule::Read),
    row("tokenizer.ggml.fim_pre_token_id", Rule::Read),
    row("tokenizer.ggml.fim_suf_token_id", Rule::Read),
    row("tokenizer.ggml.fim_mid_token_id", Rule::Read),
    row("tokenizer.ggml.fim_pad_token_id", Rule::Read),
    row("tokenizer.ggml.fim_rep_token_id", Rule::Read),
    row("tokenizer.ggml.fim_sep_token_id", Rule::Read),
    row("tokenizer.chat_template", Rule::Read),
    row("tokenizer.chat_template.default", Rule::Read),
    row("tokenizer.chat_template.*", Rule::Ignored("only the default template is used")),
    row("tokenizer.chat_templates", Rule::Ignored("only the default template is used")),
    row("tokenizer.huggingface.json", Rule::Ignored("the vocabulary is read from tokenizer.ggml")),
    row("tokenizer.ggml.padding_token_id", Rule::Ignored("batches need no padding")),
    row("tokenizer.ggml.seperator_token_id", Rule::Ignored("no token is put between texts")),
    row("tokenizer.ggml.cls_token_id", Rule::Ignored("only classifiers use it")),
    row("tokenizer.ggml.mask_token_id", Rule::Ignored("only models that fill in gaps use it")),
    row("tokenizer.ggml.prefix_token_id", Rule::Ignored("only fill-in-the-middle prompts use it")),
    row("tokenizer.ggml.suffix_token_id", Rule::Ignored("only fill-in-the-middle prompts use it")),
    row("tokenizer.ggml.middle_token_id", Rule::Ignored("only fill-in-the-middle prompts use it")),
    row("tokenizer.ggml.token_type_count", Rule::Ignored("only BERT has types of tokens to add")),
    row("tokenizer.ggml.add_sep_token", Rule::Neutral(&[0.0], "a token between texts")),
    row("tokenizer.ggml.add_padding_token", Rule::Ignored("batches need no padding")),
    row("tokenizer.ggml.normalizer.*", Rule::Neutral(&[0.0], "normalized text")),
];

/// Of SentencePiece's kind.
const SPM: &[Row] = &[
    row("tokenizer.ggml.scores", Rule::Read),
    row("tokenizer.ggml.unknown_token_id", Rule::Read),
    row("tokenizer.ggml.add_space_prefix", Rule::Read),
    row("tokenizer.ggml.merges", Rule::Ignored("SentencePiece merges by score")),
    row("tokenizer.ggml.pre", Rule::Ignored("SentencePiece cuts no words before it merges")),
    row(
        "tokenizer.ggml.remove_extra_whitespaces",
        Rule::Neutral(&[0.0], "one space in place of several, and none at the ends"),
    ),
    row(
        "tokenizer.ggml.precompiled_charsmap",
        Rule::Neutral(&[], "text normalized by SentencePiece's table"),
    ),
];

/// Of the unigram model.
const UNIGRAM: &[Row] = &[
    row("tokenizer.ggml.scores", Rule::Read),
    row("tokenizer.ggml.unknown_token_id", Rule::Read),
    row("tokenizer.ggml.add_space_prefix", Rule::Read),
    row("tokenizer.ggml.remove_extra_whitespaces", Rule::Read),
    row("tokenizer.ggml.precompiled_charsmap", Rule::Read),
    row("tokenizer.ggml.pre", Rule::Ignored("the unigram model cuts no words")),
];

/// Of RWKV's and PLaMo 2's.
const MATCHING: &[Row] = &[
    row("tokenizer.ggml.scores", Rule::Read),
    row("tokenizer.ggml.unknown_token_id", Rule::Read),
    row("tokenizer.ggml.merges", Rule::Ignored("this kind of tokenizer merges nothing")),
    row("tokenizer.ggml.pre", Rule::Ignored("this kind of tokenizer cuts no words")),
    row("tokenizer.ggml.add_space_prefix", Rule::Neutral(&[0.0], "a space in front of a text")),
];

/// Of llama.cpp's tests.
const HASHED: &[Row] = &[
    row("tokenizer.ggml.scores", Rule::Ignored("this kind of tokenizer has none")),
    row("tokenizer.ggml.merges", Rule::Ignored("this kind of tokenizer merges nothing")),
    row("tokenizer.ggml.pre", Rule::Ignored("this kind of tokenizer cuts no words")),
    row("tokenizer.ggml.add_space_prefix", Rule::Neutral(&[0.0], "a space in front of a text")),
    row("tokenizer.ggml.remove_extra_whitespaces", Rule::Neutral(&[0.0], "fewer spaces")),
];

/// Of byte-level BPE.
const BPE: &[Row] = &[
    row("tokenizer.ggml.pre", Rule::Read),
    row("tokenizer.ggml.merges", Rule::Read),
    row("tokenizer.ggml.scores", Rule::Ignored("byte-level BPE merges by rank")),
    row("tokenizer.ggml.unknown_token_id", Rule::Ignored("a byte without a token is left out")),
    row("tokenizer.ggml.add_space_prefix", Rule::Neutral(&[0.0], "a space in front of a text")),
    row(
        "tokenizer.ggml.remove_extra_whitespaces",
        Rule::Neutral(&[0.0], "one space in place of several"),
    ),
];

/// What becomes of a key that begins with `tokenizer.`.
pub(crate) fn of(metadata: &Metadata, key: &str, value: &Value) -> Use {
    let own = match metadata.str(MODEL) {
        Ok(Some("llama")) => SPM,
        Ok(Some("t5")) => UNIGRAM,
        Ok(Some("rwkv" | "plamo2")) => MATCHING,
        Ok(Some("test")) => HASHED,
        _ => BPE,
    };
    match in_rows(KEYS.iter().chain(own), key, value) {
        Some(Use::Refused(reason)) => Use::Warned(format!("{reason}, which isn't done")),
        Some(found) => found,
        None => Use::Warned("the engine doesn't know what it changes".to_string()),
    }
}

/// What is to be said about a vocabulary that is used all the same: sentences for people.
pub(super) fn warnings(metadata: &Metadata) -> Vec<String> {
    let mut warnings = Vec::new();
    if metadata.str(MODEL).ok().flatten() == Some("gpt2")
        && metadata.get("tokenizer.ggml.pre").is_none()
    {
        warnings.push(
            "the model file has no tokenizer.ggml.pre, so texts are cut into words in the way \
             called \"default\"; \
             the model may have been trained with another one and answer worse: convert it again"
                .to_string(),
        );
    }
    for (key, value) in metadata.entries.iter().filter(|(key, _)| key.starts_with("tokenizer.")) {
        if let Use::Warned(reason) = of(metadata, key, value) {
            let key = quoted(key);
            warnings.push(format!(
                "the model file's {key} isn't used ({reason}): texts may be cut into other tokens \
                 than the model expects"
            ));
        }
    }
    warnings.truncate(MAX_WARNINGS);
    warnings
}

/// No file needs more, and one may have thousands of keys.
const MAX_WARNINGS: usize = 8;
