//! Architectures that llama.cpp knows and the engine doesn't run, each with the reason, for the
//! sentence that refuses a file. Others, which `gguf::kinds` names, are no language models.

const DIFFUSION: &str = "it is a diffusion model: it fills in the tokens of a whole text in any \
                         order, and each sees those after it";
const DRAFTS: &str = "it only drafts tokens for another model";
const SOUND: &str = "it makes sound, not text";

/// Names and reasons.
const REASONS: &[(&str, &str)] = &[
    ("gptj", "llama.cpp knows its name and not what it computes"),
    ("llama-embed", "it is an encoder, which makes embeddings of texts and no text"),
    ("clef", "it scores texts and continues none"),
    ("gemma4-assistant", DRAFTS),
    ("eagle3", DRAFTS),
    ("dflash", DRAFTS),
    ("t5", "it has an encoder beside what makes text"),
    ("wavtokenizer-dec", SOUND),
    ("qwen3tts", SOUND),
    ("pockettts", SOUND),
    ("dream", DIFFUSION),
    ("llada", DIFFUSION),
    ("llada-moe", DIFFUSION),
    ("rnd1", DIFFUSION),
];

/// Why an architecture isn't run, if it is known.
pub(in super::super) fn why(architecture: &str) -> Option<&'static str> {
    REASONS.iter().find(|(name, _)| *name == architecture).map(|(_, reason)| *reason)
}
