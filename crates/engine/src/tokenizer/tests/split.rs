//! The pre-tokenizers against the regular expressions that define them, in a backtracking engine.

use std::sync::LazyLock;

use fancy_regex::Regex;
use proptest::prelude::*;

use crate::tokenizer::{
    classes::Classes,
    pre::{PRES, Pre},
    split::Split,
};

const GPT2: &str = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";
const LLAMA3: &str = r"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const QWEN2: &str = r"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const TEKKEN: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const SYMBOLS: &str = r"[\p{P}\$\+<=>\^~\|]+";

const QWEN35: &str = r"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const SEED: &str = r"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+";
const UFAKZEKA: &str =
    r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const MINICPM5: &str = r"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}+| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const GPT4O: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const DEEPSEEK3: &str = r##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"##;
const BLOOM: &str = r" ?[^(\s|.,!?…。，、।۔،)]+";

const EXAONE_MOE: &str = r"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+";
const JAIS2: &str = r"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s{512}(?!\S)|\s{256}(?!\S)|\s{128}(?!\S)|\s{64}(?!\S)|\s{32}(?!\S)|\s{16}(?!\S)|\s{8}(?!\S)|\s{4}(?!\S)|\s{1,2}(?!\S)|\s{1}";
const SPARK: &str = r##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+|[\r\n]|\s+(?!\S)|\s+"##;
const MARKED_3: &str = r"[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const MARKED_1: &str = r"[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])?|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const KIMI_K2: &str = r"[\x{4E00}-\x{9FFF}\x{3400}-\x{4DBF}\x{20000}-\x{2A6DF}\x{2A700}-\x{2EBEF}\x{F900}-\x{FAFF}\x{2F800}-\x{2FA1F}]+|[^\r\n\p{L}\p{N}]?[\p{L}&&[^\x{4E00}-\x{9FFF}\x{3400}-\x{4DBF}\x{20000}-\x{2A6DF}\x{2A700}-\x{2EBEF}\x{F900}-\x{FAFF}\x{2F800}-\x{2FA1F}]]+(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const YOUTU: &str = "[가-힣\u{3131}-\u{318e}]+|[！…“”‘’—：；，、-\u{303f}\u{fe30}-\u{fe4f}]+|[\u{3105}-\u{312f}]+|[一-龥\u{3040}-\u{309f}\u{30a0}-\u{30ff}]+";
const ASIAN: &str = "[\u{4e00}-\u{9fff}\u{3400}-\u{4dbf}\u{8c48}-\u{faff}\u{3040}-\u{309f}\u{30a0}-\u{30ff}\u{ff65}-\u{ff9f}\u{2f00}-\u{2fdf}\u{e40}-\u{e7f}\u{e80}-\u{eff}\u{1780}-\u{17ff}\u{1000}-\u{109f}\u{aa60}-\u{aa7f}\u{a9e0}-\u{a9ff}\u{ac00}-\u{d7af}\u{1100}-\u{11ff}]+";
/// Numbers in threes from the right, the first with what is before it.
const THREES: &str =
    r"\P{N}*(?:\p{N}{1,2}(?=(?:\p{N}{3})*(?!\p{N}))|\p{N}{3}(?=(?:\p{N}{3})*(?!\p{N})))";
/// A space of CJK's range isn't of it in llama.cpp.
const WIDE_CJK: &str = "(?:(?!\\s)[一-龥\u{800}-一\u{ac00}-\u{d7ff}])+";
const DEEPSEEK_LETTERS: &str = concat!(
    r"\s?[",
    r"A-Za-z\x{b5}\x{c0}-\x{d6}\x{d8}-\x{f6}\x{f8}-\x{1ba}\x{1bc}-\x{1bf}\x{1c4}-\x{293}",
    r"\x{295}-\x{2af}\x{370}-\x{373}\x{376}\x{377}\x{37b}-\x{37d}\x{37f}\x{386}\x{388}-\x{38a}",
    r"\x{38c}\x{38e}-\x{3a1}\x{3a3}-\x{3f5}\x{3f7}-\x{481}\x{48a}-\x{52f}\x{531}-\x{556}",
    r"\x{10a0}-\x{10c5}\x{13a0}-\x{13f5}\x{13f8}-\x{13fd}\x{1c90}-\x{1cba}\x{1cbd}-\x{1cbf}",
    r"\x{1d00}-\x{1d2b}\x{1d6b}-\x{1d77}\x{1d79}-\x{1d9a}\x{1e00}-\x{1f15}\x{1f18}-\x{1f1d}",
    r"\x{1f20}-\x{1f45}\x{1f48}-\x{1f4d}\x{1f50}-\x{1f57}\x{1f59}\x{1f5b}\x{1f5d}",
    r"\x{1f5f}-\x{1f7d}\x{1f80}-\x{1fb4}\x{1fb6}-\x{1fbc}\x{1fbe}\x{1fc2}-\x{1fc4}",
    r"\x{1fc6}-\x{1fcc}\x{1fd0}-\x{1fd3}\x{1fd6}-\x{1fdb}\x{1fe0}-\x{1fec}\x{1ff2}-\x{1ff4}",
    r"\x{1ff6}-\x{1ffc}\x{2102}\x{2107}\x{210a}-\x{2113}\x{2115}\x{2119}-\x{211d}\x{2124}",
    r"\x{2126}\x{2128}\x{212a}-\x{212d}\x{212f}-\x{2134}\x{2139}\x{213c}-\x{213f}",
    r"\x{2145}-\x{2149}\x{214e}\x{2183}\x{2184}\x{2c00}-\x{2c7b}\x{2c7e}-\x{2ce4}",
    r"\x{2ceb}-\x{2cee}\x{2cf2}\x{2cf3}\x{a640}-\x{a66d}\x{a680}-\x{a69b}\x{a722}-\x{a76f}",
    r"\x{a771}-\x{a787}\x{a78b}-\x{a78e}\x{ab70}-\x{abbf}\x{fb00}-\x{fb06}\x{fb13}-\x{fb17}",
    r"\x{ff21}-\x{ff3a}\x{ff41}-\x{ff5a}\x{10400}-\x{1044f}\x{104b0}-\x{104d3}",
    r"\x{104d8}-\x{104fb}\x{10c80}-\x{10cb2}\x{10cc0}-\x{10cf2}\x{118a0}-\x{118df}",
    r"\x{1e900}-\x{1e943}",
    r"]+",
);

/// The expressions of a pre-tokenizer; each cuts what the one before it left.
fn expressions(split: Split) -> &'static [&'static str] {
    match split {
        Split::Default => &[SYMBOLS, GPT2, r"\p{N}+", "[0-9][0-9][0-9]"],
        Split::Gpt2 => &[GPT2],
        Split::Digits => &[r"\p{N}", GPT2],
        Split::Falcon => &[r"[\p{P}\$\+<=>\^~\|`]+", GPT2, "[0-9][0-9][0-9]"],
        Split::Llama3 => &[LLAMA3],
        Split::MiniCpm5 => &[r"\p{N}{1,3}", MINICPM5],
        Split::Qwen2 => &[QWEN2],
        Split::Qwen35 => &[QWEN35],
        Split::Seed => &[SEED],
        Split::Ufakzeka => &[UFAKZEKA],
        Split::Laguna => &[r"[^\n]+|[\n]+", QWEN2],
        Split::Tekken => &[TEKKEN],
        Split::Gpt4o => &[GPT4O],
        Split::DeepSeek3 => {
            &[r"\p{N}{1,3}", "[一-龥\u{3040}-\u{309f}\u{30a0}-\u{30ff}]+", DEEPSEEK3]
        }
        Split::DeepSeekCoder => &[r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", WIDE_CJK, r"\p{N}"],
        Split::DeepSeekLlm => &[
            r"[\r\n]",
            DEEPSEEK_LETTERS,
            r"\s?[!-/:-~！-／：-～‘-‟\x{3001}-。]+",
            r"\s+$",
            WIDE_CJK,
            r"\p{N}+",
        ],
        Split::Jais2 => &[JAIS2],
        Split::ExaoneMoe => &[EXAONE_MOE],
        Split::TinyAya => &[THREES, MARKED_3],
        Split::Youtu => &[YOUTU, MARKED_1],
        Split::KimiK2 => &[KIMI_K2],
        Split::Spark => {
            &[r"\p{N}{1,3}", "[一-龥\u{3040}-\u{309f}\u{30a0}-\u{30ff}]+", SPARK, r"\p{N}"]
        }
        Split::Afmoe => &[THREES, ASIAN, DEEPSEEK3],
        Split::SuperBpe => &[r"\p{N}+", r"(?=(?:[0-9]{3})+(?![0-9]))"],
        Split::Chameleon => &[
            "<sentinel:[0-9]+>",
            "IMGIMG[A-I]{1,4}Z",
            r"[\t\n]|    |  ",
            r"\p{N}",
            r"[\p{P}!-/:-@\[-`{-~]",
            GPT2,
        ],
        Split::Lines => &[r"[^\n]+|[\n]+"],
        Split::Whitespace => &[r"\S+"],
        Split::Bloom => &[BLOOM],
        Split::Viking => &[BLOOM, r"\p{N}"],
    }
}

const ALL: [Split; 29] = [
    Split::Default,
    Split::Gpt2,
    Split::Digits,
    Split::Falcon,
    Split::Llama3,
    Split::MiniCpm5,
    Split::Qwen2,
    Split::Qwen35,
    Split::Seed,
    Split::Ufakzeka,
    Split::Laguna,
    Split::Tekken,
    Split::Gpt4o,
    Split::DeepSeek3,
    Split::DeepSeekCoder,
    Split::Bloom,
    Split::Viking,
    Split::Jais2,
    Split::ExaoneMoe,
    Split::TinyAya,
    Split::Youtu,
    Split::KimiK2,
    Split::Spark,
    Split::Afmoe,
    Split::DeepSeekLlm,
    Split::SuperBpe,
    Split::Chameleon,
    Split::Lines,
    Split::Whitespace,
];

static EXPRESSIONS: LazyLock<Vec<(Split, Vec<Regex>)>> = LazyLock::new(|| {
    let compile = |split| {
        expressions(split).iter().map(|expression| Regex::new(expression).unwrap()).collect()
    };
    ALL.map(|split| (split, compile(split))).into()
});

/// Matches and what lies between them, stage by stage.
fn by_expression<'a>(expressions: &[Regex], text: &'a str) -> Vec<&'a str> {
    let mut parts = if text.is_empty() { vec![] } else { vec![text] };
    for expression in expressions {
        parts = parts
            .into_iter()
            .flat_map(|part| {
                let mut cut = Vec::new();
                let mut end = 0;
                for found in expression.find_iter(part) {
                    let found = found.unwrap();
                    cut.extend((end < found.start()).then(|| &part[end..found.start()]));
                    cut.push(found.as_str());
                    end = found.end();
                }
                cut.extend((end < part.len()).then(|| &part[end..]));
                // Some expressions match places, not text.
                cut.retain(|word| !word.is_empty());
                cut
            })
            .collect();
    }
    parts
}

fn words(split: Split, text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    split.words(text, |word| words.push(word));
    words
}

#[test]
fn words_as_people_know_them() {
    assert_eq!(
        words(Split::Gpt2, "I'll go  now, 1234!"),
        ["I", "'ll", " go", " ", " now", ",", " 1234", "!"]
    );
    assert_eq!(words(Split::Digits, "a 12"), ["a", " ", "1", "2"]);
    assert_eq!(
        words(Split::Llama3, "I'LL 12345\n\n x"),
        ["I", "'LL", " ", "123", "45", "\n\n", " x"]
    );
    assert_eq!(words(Split::Qwen2, "(abc) 12"), ["(abc", ")", " ", "1", "2"]);
    assert_eq!(
        words(Split::Tekken, "helloWorld HTTPServer a/\n"),
        ["hello", "World", " HTTPServer", " a", "/\n"]
    );
    assert_eq!(words(Split::Default, "a$b 12345"), ["a", "$", "b", " ", "123", "45"]);
}

#[test]
fn a_long_text_of_anything_takes_time_in_proportion() {
    for split in ALL {
        for unit in [
            " ", "\n", " \n", "a", "A", "1", "!", "中", "中A", "a1", "'", "\u{301}", "\u{301}A",
            " \u{a0}", "/",
        ] {
            let text = unit.repeat(200_000 / unit.len());
            let mut n_bytes = 0;
            split.words(&text, |word| n_bytes += word.len());
            assert_eq!(n_bytes, text.len(), "{split:?} of {unit:?}");
        }
    }
    // The words of long runs are those of short ones.
    let text = format!("{}x", " ".repeat(1_000_000));
    let gathers = |split: &Split| {
        !matches!(
            split,
            Split::Jais2 | Split::SuperBpe | Split::Chameleon | Split::Lines | Split::Whitespace
        )
    };
    for split in ALL.into_iter().filter(gathers) {
        let lengths: Vec<usize> = words(split, &text).iter().map(|word| word.len()).collect();
        assert_eq!(lengths, [999_999, 2], "{split:?}");
    }
}

#[test]
fn deepseek_s_letters_are_those_of_its_expression() {
    let expression = Regex::new(DEEPSEEK_LETTERS).unwrap();
    for c in char::MIN..=char::MAX {
        let is_space = Classes::of(c).meets(Classes::SPACE);
        let expected = !is_space && expression.is_match(c.encode_utf8(&mut [0; 4])).unwrap();
        assert_eq!(crate::tokenizer::apart::deepseek_letters(c), expected, "{c:?}");
    }
}

#[test]
fn names_are_distinct_and_found() {
    let mut list: Vec<&str> = PRES.iter().flat_map(|(_, names)| names.split(' ')).collect();
    assert!(list.iter().all(|name| Pre::named(name).is_some()));
    let n_names = list.len();
    list.sort_unstable();
    list.dedup();
    assert_eq!(list.len(), n_names);
    assert!(Pre::named("").is_none());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]
    #[test]
    fn words_are_the_expressions_matches(text in prop_oneof![
        // What the expressions tell apart, often.
        prop::collection::vec(prop::sample::select(vec![
            ' ', ' ', '\n', '\r', '\t', '\'', 's', 'T', 'r', 'e', 'L', 'l', 'a', 'B', '1', '2', '.', '/', '$', '^', '`',
            '\u{a0}', '\u{3000}', '\u{85}', '\u{200b}', '中', 'é', 'É', 'ǅ', 'ʰ', '\u{301}', '\u{488}', '٣', '²', '€', '😀',
            'ſ', 'K', '\u{1c}', '\0', ' ', '3', 'ა', 'ㄱ', 'ㄅ', '、', '한', 'ก', '豈', '\u{1f}',
            '<', '>', 'I', 'Z',
        ]), 0..30).prop_map(String::from_iter),
        "\\PC*",
        ".*",
        "(?s)[\\s\\p{L}\\p{N}'/]{0,40}",
    ]) {
        for (split, expressions) in EXPRESSIONS.iter() {
            prop_assert_eq!(words(*split, &text), by_expression(expressions, &text), "{:?}", split);
        }
    }
}
