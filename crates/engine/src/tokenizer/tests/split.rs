//! The pre-tokenizers against the regular expressions that define them, in a backtracking engine.

use std::sync::LazyLock;

use fancy_regex::Regex;
use proptest::prelude::*;

use crate::tokenizer::split::{Pre, Split};

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
        Split::DeepSeekCoder => &[
            r"[\r\n]",
            r"\s?\p{L}+",
            r"\s?\p{P}+",
            "[一-龥\u{800}-一\u{ac00}-\u{d7ff}]+",
            r"\p{N}",
        ],
        Split::Bloom => &[BLOOM],
        Split::Viking => &[BLOOM, r"\p{N}"],
    }
}

const ALL: [Split; 17] = [
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
fn a_megabyte_of_anything_takes_time_in_proportion() {
    for split in ALL {
        for unit in [
            " ", "\n", " \n", "a", "A", "1", "!", "中", "中A", "a1", "'", "\u{301}", "\u{301}A",
            " \u{a0}", "/",
        ] {
            let text = unit.repeat(1_000_000 / unit.len());
            let mut n_bytes = 0;
            split.words(&text, |word| n_bytes += word.len());
            assert_eq!(n_bytes, text.len(), "{split:?} of {unit:?}");
        }
    }
    // The words of long runs are those of short ones.
    let text = format!("{}x", " ".repeat(1_000_000));
    for split in ALL {
        let lengths: Vec<usize> = words(split, &text).iter().map(|word| word.len()).collect();
        assert_eq!(lengths, [999_999, 2], "{split:?}");
    }
}

#[test]
fn names_are_distinct_and_found() {
    let names = Pre::names();
    let mut list: Vec<&str> = names.split(", ").collect();
    assert!(list.iter().all(|name| Pre::named(name).is_some()));
    let n_names = list.len();
    list.sort_unstable();
    list.dedup();
    assert_eq!(list.len(), n_names);
    assert!(Pre::named("").is_none());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn words_are_the_expressions_matches(text in prop_oneof![
        // What the expressions tell apart, often.
        prop::collection::vec(prop::sample::select(vec![
            ' ', ' ', '\n', '\r', '\t', '\'', 's', 'T', 'r', 'e', 'L', 'l', 'a', 'B', '1', '2', '.', '/', '$', '^', '`',
            '\u{a0}', '\u{3000}', '\u{85}', '\u{200b}', '中', 'é', 'É', 'ǅ', 'ʰ', '\u{301}', '\u{488}', '٣', '²', '€', '😀',
            'ſ', 'K', '\u{1c}', '\0',
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
