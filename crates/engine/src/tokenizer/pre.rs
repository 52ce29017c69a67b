//! The names that GGUF gives to pre-tokenizers (`tokenizer.ggml.pre`), and what each stands for.

use super::split::Split;

/// What `tokenizer.ggml.pre` stands for (llama.cpp's table).
#[derive(Debug, Clone, Copy)]
pub(super) struct Pre {
    /// How a text is cut into words.
    pub(super) split: Split,
    /// What the words are spelled with in the vocabulary.
    pub(super) alphabet: Alphabet,
    /// Whether a word that is a token is taken whole, without merging.
    pub(super) ignore_merges: bool,
    /// Whether a beginning-of-text token is added unless the file says otherwise.
    pub(super) add_bos: bool,
    /// Whether one is added even if the file says otherwise.
    pub(super) always_bos: bool,
    /// Whether the merges may be missing from the file.
    pub(super) without_merges: bool,
}

/// What words are spelled with in the vocabulary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alphabet {
    /// A printable character for each byte (GPT-2).
    Bytes,
    /// Characters as they are. A character without a token becomes its bytes (`<0x0A>`).
    Characters,
    /// As `Characters`, with `▁` for a space.
    Metaspace,
    /// As `Metaspace`, and a run of newlines that is a token is taken whole.
    MetaspaceNewlines,
    /// As `MetaspaceNewlines`; each line and each word of it starts with a `▁`.
    MetaspaceWords,
}

const fn pre(split: Split) -> Pre {
    Pre {
        split,
        alphabet: Alphabet::Bytes,
        ignore_merges: false,
        add_bos: false,
        always_bos: false,
        without_merges: false,
    }
}

const fn unmerged(split: Split) -> Pre {
    Pre { ignore_merges: true, ..pre(split) }
}

const fn whole_words(split: Split) -> Pre {
    Pre { add_bos: true, ..unmerged(split) }
}

const fn spelled(alphabet: Alphabet, split: Split) -> Pre {
    Pre { alphabet, ..pre(split) }
}

/// The pre-tokenizer of `tokenizer.ggml.model` = `gemma4`, whatever `tokenizer.ggml.pre` says.
pub(super) const GEMMA4: Pre =
    Pre { always_bos: true, ..spelled(Alphabet::MetaspaceNewlines, Split::Lines) };

/// The supported values of `tokenizer.ggml.pre`, in lines of names.
pub(super) const PRES: &[(Pre, &str)] = &[
    (pre(Split::Default), "default"),
    (
        pre(Split::Gpt2),
        "gpt-2 phi-2 jina-es jina-de gigachat jina-v2-es jina-v2-de a.x-4.0 mellum modern-bert mpt \
         olmo jais trillion granite-docling exaone4 jina-v1-en jina-v2-code roberta-bpe",
    ),
    (pre(Split::Digits), "smollm starcoder refact command-r codeshell exaone minerva-7b mellum2"),
    (pre(Split::Falcon), "falcon"),
    (
        whole_words(Split::Llama3),
        "llama-bpe llama3 llama-v3 falcon3 falcon-h1 pixtral midm-2.0 lfm2 jina-v5-nano",
    ),
    (pre(Split::Llama3), "smaug-bpe dbrx chatglm-bpe"),
    (unmerged(Split::Llama3), "glm4 glm5"),
    (pre(Split::Jais2), "jais-2"),
    (unmerged(Split::MiniCpm5), "minicpm5"),
    (
        pre(Split::Qwen2),
        "qwen2 deepseek-r1-qwen kormo f2llmv2 stablelm2 hunyuan solar-open megrez grok-2 \
         bailingmoe bailingmoe2 llada-moe",
    ),
    (pre(Split::Qwen35), "qwen35"),
    (pre(Split::Seed), "seed-coder"),
    (pre(Split::Ufakzeka), "ufakzeka"),
    (pre(Split::Laguna), "laguna"),
    (pre(Split::ExaoneMoe), "exaone-moe"),
    (whole_words(Split::Tekken), "tekken"),
    (pre(Split::Gpt4o), "gpt-4o llama4 kanana2 talkie minimax-m2"),
    (unmerged(Split::Gpt4o), "granite-embed-multi-97m"),
    (pre(Split::TinyAya), "tiny_aya cohere2moe"),
    (unmerged(Split::Youtu), "youtu"),
    (Pre { without_merges: true, ..pre(Split::KimiK2) }, "kimi-k2"),
    (pre(Split::DeepSeek3), "deepseek-v3 hunyuan-dense joyai-llm hy_v4"),
    (pre(Split::Spark), "spark2_5"),
    (pre(Split::Afmoe), "afmoe"),
    (pre(Split::DeepSeekLlm), "deepseek-llm"),
    (pre(Split::DeepSeekCoder), "deepseek-coder"),
    (pre(Split::Bloom), "bloom poro-chat gpt3-finnish"),
    (pre(Split::Viking), "viking"),
    (pre(Split::SuperBpe), "superbpe"),
    (Pre { add_bos: true, ..pre(Split::Chameleon) }, "chameleon"),
    (GEMMA4, "gemma4 granite-embed-multi-311m"),
    (spelled(Alphabet::Metaspace, Split::Lines), "sarvam-moe"),
    (spelled(Alphabet::MetaspaceWords, Split::Lines), "mmbert"),
    (spelled(Alphabet::Characters, Split::Whitespace), "whitespace"),
];

impl Pre {
    /// What `tokenizer.ggml.pre` names.
    pub(super) fn named(name: &str) -> Option<Pre> {
        let knows = |names: &str| names.split(' ').any(|known| known == name && !name.is_empty());
        PRES.iter().find(|(_, names)| knows(names)).map(|&(pre, _)| pre)
    }

    /// A name of each kind that `named` knows.
    pub(super) fn kinds() -> impl Iterator<Item = &'static str> {
        PRES.iter().map(|(_, names)| names.split(' ').next().unwrap_or(names))
    }
}
