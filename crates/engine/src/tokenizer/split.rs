//! Pre-tokenizers: split a text into the words that BPE merges within.
//!
//! Reference tokenizers define these by regular expressions with a lookahead, which a backtracking
//! engine runs (and gives up on long input). Here they are written as functions: `apart` has those
//! that isolate something from the text around it, `words` those that name every word. Each
//! function names its expression, and the tests compare it with that. All take time linear in the
//! text.
//!
//! Where llama.cpp's expression isn't that of the model's own tokenizer, the words are llama.cpp's,
//! but for `tekken` and `gpt-4o`: those tell upper case from lower case in every script, and marks
//! belong to letters.

use super::{
    apart::{
        apart, asian_apart, blanks_apart, bloom, chameleon_blanks, chameleon_image,
        chameleon_sentinel, cjk_apart, deepseek_letters, deepseek_punctuation, digits_apart,
        falcon_symbols_apart, is_blank, line, newlines_apart, numbers_apart, punctuation_apart,
        spaced_apart, spaces_at_the_end, symbols_apart, threes_apart, threes_from_right, triple,
        triples_from_right, wide_cjk_apart, youtu_scripts,
    },
    classes::Classes,
    words::{
        deepseek3, exaone_moe, gpt2, gpt4o, kimi_k2, llama3, marked, qwen35, seed, spark, tekken,
        uncontracted,
    },
};

/// How text is cut into words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Split {
    /// llama.cpp's fallback: punctuation apart, GPT-2's words, numbers apart and by three digits.
    Default,
    /// GPT-2's words.
    Gpt2,
    /// Every digit apart, then GPT-2's words.
    Digits,
    /// Falcon's words: punctuation apart, GPT-2's words, groups of three digits apart.
    Falcon,
    /// Llama 3's words.
    Llama3,
    /// Llama 3's words, with runs of spaces cut into powers of two.
    Jais2,
    /// Numbers of at most three digits apart, then Llama 3's words.
    MiniCpm5,
    /// Qwen 2's words: Llama 3's, but every digit apart.
    Qwen2,
    /// Qwen 3.5's words: Qwen 2's, and marks belong to letters.
    Qwen35,
    /// Seed's words: Qwen 2's, but newlines don't belong to the symbols before them.
    Seed,
    /// Qwen 2's words without English contractions.
    Ufakzeka,
    /// Lines apart, then Qwen 2's words.
    Laguna,
    /// Exaone MoE's words: Qwen 2's, but single spaces don't end a stretch of letters.
    ExaoneMoe,
    /// Tekken's words: cut where lower case turns to upper case; no contractions.
    Tekken,
    /// GPT-4o's words: Tekken's, with the contraction that follows and by three digits.
    Gpt4o,
    /// Tiny Aya's words: numbers in threes from the right, letters with marks and contractions.
    TinyAya,
    /// Youtu's words: East Asian scripts apart, letters with marks and contractions, every digit.
    Youtu,
    /// Kimi K2's words: Han apart, letters with contractions, numbers of at most three digits.
    KimiK2,
    /// DeepSeek V3's words: numbers and CJK apart, letters with marks, symbols.
    DeepSeek3,
    /// Spark's words: DeepSeek V3's, but every newline and every digit apart.
    Spark,
    /// AFMoE's words: numbers in threes from the right, Asian scripts apart, DeepSeek V3's words.
    Afmoe,
    /// DeepSeek LLM's words: newlines, letters, punctuation, last spaces, CJK and numbers apart.
    DeepSeekLlm,
    /// DeepSeek Coder's words: newlines, letters, punctuation, CJK and digits apart.
    DeepSeekCoder,
    /// Bloom's words: what stands between punctuation.
    Bloom,
    /// Bloom's words, then every digit apart.
    Viking,
    /// Whole texts between numbers, which are cut in threes from the right.
    SuperBpe,
    /// Chameleon's words: sentinels, images, blanks, digits and punctuation apart, GPT-2's words.
    Chameleon,
    /// Lines and the newlines between them.
    Lines,
    /// Whatever stands between spaces.
    Whitespace,
}

/// How many bytes the word at the start of a text takes.
type Next = fn(&str) -> usize;
/// Calls the function with one part of a text after another; together they are the text.
type Cut = for<'a> fn(&'a str, &mut dyn FnMut(&'a str));

/// A rule that cuts a text into parts.
#[derive(Debug, Clone, Copy)]
enum Stage {
    /// Each part depends on what follows it alone.
    Next(Next),
    /// Parts that depend on more than that.
    Cut(Cut),
}

const LLAMA3: Stage = Stage::Next(|rest| llama3(rest, 3));
const QWEN2: Stage = Stage::Next(|rest| llama3(rest, 1));
const DEEPSEEK3: Stage = Stage::Next(deepseek3);

impl Split {
    /// Calls `word` with one word after another; together they are the text.
    pub(super) fn words<'a>(self, text: &'a str, mut word: impl FnMut(&'a str)) {
        each(text, self.stages(), &mut word);
    }

    /// What cuts the text, and then what is left of it.
    fn stages(self) -> &'static [Stage] {
        use Stage::{Cut, Next};
        match self {
            Split::Default => &[Next(symbols_apart), Next(gpt2), Next(numbers_apart), Next(triple)],
            Split::Gpt2 => &[Next(gpt2)],
            Split::Digits => &[Next(digits_apart), Next(gpt2)],
            Split::Falcon => &[Next(falcon_symbols_apart), Next(gpt2), Next(triple)],
            Split::Llama3 => &[LLAMA3],
            Split::Jais2 => &[LLAMA3, Next(blanks_apart)],
            Split::MiniCpm5 => &[Next(threes_apart), LLAMA3],
            Split::Qwen2 => &[QWEN2],
            Split::Qwen35 => &[Next(qwen35)],
            Split::Seed => &[Next(seed)],
            Split::Ufakzeka => &[Next(|rest| uncontracted(rest, 1))],
            Split::Laguna => &[Next(line), QWEN2],
            Split::ExaoneMoe => &[Next(exaone_moe)],
            Split::Tekken => &[Next(tekken)],
            Split::Gpt4o => &[Next(gpt4o)],
            Split::TinyAya => &[Cut(threes_from_right), Next(|rest| marked(rest, 3))],
            Split::Youtu => &[Next(youtu_scripts), Next(|rest| marked(rest, 1))],
            Split::KimiK2 => &[Next(kimi_k2)],
            Split::DeepSeek3 => &[Next(threes_apart), Next(cjk_apart), DEEPSEEK3],
            Split::Spark => &[Next(threes_apart), Next(cjk_apart), Next(spark), Next(digits_apart)],
            Split::Afmoe => &[Cut(threes_from_right), Next(asian_apart), DEEPSEEK3],
            Split::DeepSeekLlm => &[
                Next(newlines_apart),
                Next(|rest| spaced_apart(rest, deepseek_letters)),
                Next(|rest| spaced_apart(rest, deepseek_punctuation)),
                Cut(spaces_at_the_end),
                Next(wide_cjk_apart),
                Next(numbers_apart),
            ],
            Split::DeepSeekCoder => &[
                Next(newlines_apart),
                Next(|rest| spaced_apart(rest, |c| Classes::of(c).meets(Classes::LETTER))),
                Next(|rest| spaced_apart(rest, |c| Classes::of(c).meets(Classes::PUNCTUATION))),
                Next(wide_cjk_apart),
                Next(digits_apart),
            ],
            Split::Bloom => &[Next(bloom)],
            Split::Viking => &[Next(bloom), Next(digits_apart)],
            Split::SuperBpe => &[Next(numbers_apart), Cut(triples_from_right)],
            Split::Chameleon => &[
                Next(chameleon_sentinel),
                Next(chameleon_image),
                Next(chameleon_blanks),
                Next(digits_apart),
                Next(punctuation_apart),
                Next(gpt2),
            ],
            Split::Lines => &[Next(line)],
            Split::Whitespace => &[Next(|rest| apart(rest, usize::MAX, |c| !is_blank(c)))],
        }
    }
}

/// Cuts the text by the first stage, and each part by the others.
fn each<'a>(mut text: &'a str, stages: &[Stage], word: &mut dyn FnMut(&'a str)) {
    let [stage, others @ ..] = stages else { return word(text) };
    match stage {
        Stage::Next(next) => {
            while !text.is_empty() {
                let (first, rest) = text.split_at(next(text));
                each(first, others, word);
                text = rest;
            }
        }
        Stage::Cut(cut) => {
            cut(text, &mut |part| {
                if !part.is_empty() {
                    each(part, others, word);
                }
            });
        }
    }
}
