//! The pre-tokenizer of a `tokenizer.json` to the name that GGUF has for it.
//!
//! GGUF names a pre-tokenizer (`tokenizer.ggml.pre`) and tokenizer.json describes one in steps. A
//! description that isn't in the table is refused: texts would be cut into other tokens than the
//! model learned. llama.cpp's converter knows them by a hash over the ids of one text instead.

use serde_json::Value as Json;

use super::{
    error::{FolderError, wrong},
    json::{self, TOKENIZER},
};

/// English contractions in the two spellings that are in use, and a short sign for both.
const CONTRACTIONS: [&str; 2] =
    ["(?i:'s|'t|'re|'ve|'m|'ll|'d)", "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])"];
const SIGN: &str = "{'s}";

/// Steps, and GGUF's name without and with `ignore_merges`, which takes a word that is a token
/// without merging.
struct Row {
    steps: &'static [&'static str],
    name: &'static str,
    ignoring_merges: &'static str,
}

const fn row(steps: &'static [&'static str], name: &'static str) -> Row {
    Row { steps, name, ignoring_merges: "" }
}

/// Sources: the models' tokenizer.json, and the expressions in llama.cpp's `src/llama-vocab.cpp`.
const ROWS: &[Row] = &[
    row(&["words"], "gpt-2"),
    row(&["digits", "words"], "smollm"),
    row(&["punctuation", "words", "numbers", "split [0-9][0-9][0-9]"], "falcon"),
    Row {
        steps: &[
            r"split {'s}|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
            "bytes",
        ],
        name: "smaug-bpe",
        ignoring_merges: "llama-bpe",
    },
    row(
        &[
            r"split {'s}|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
            "bytes",
        ],
        "qwen2",
    ),
    row(
        &[
            r"split {'s}|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
            "bytes",
        ],
        "qwen35",
    ),
    Row {
        steps: &[
            r"split [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+{'s}?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*{'s}?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
            "bytes",
        ],
        name: "gpt-4o",
        ignoring_merges: "gpt-4o",
    },
    Row {
        steps: &[
            r"split [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
            "bytes",
        ],
        name: "",
        ignoring_merges: "tekken",
    },
    row(&[r"split  ?[^(\s|[.,!?…。，、।۔،])]+", "bytes"], "bloom"),
    row(
        &[
            r"split {'s}|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+",
            "bytes",
        ],
        "seed-coder",
    ),
    row(
        &[
            r"split \p{N}{1,3}",
            "split [一-龥぀-ゟ゠-ヿ]+",
            r##"split [!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"##,
            "bytes",
        ],
        "deepseek-v3",
    ),
];

/// GGUF's name for a byte-level pre-tokenizer.
pub(super) fn name(pre: &Json, ignore_merges: bool) -> Result<&'static str, FolderError> {
    let steps = steps(pre)?;
    let row = ROWS.iter().find(|row| row.steps == steps);
    let name = row.map_or("", |row| if ignore_merges { row.ignoring_merges } else { row.name });
    if !name.is_empty() {
        return Ok(name);
    }
    let merges = if ignore_merges { ", and words that are tokens aren't merged" } else { "" };
    wrong(
        TOKENIZER,
        format!(
            "the pre-tokenizer isn't known ({}{merges}), so texts would be cut into other tokens \
             than the model learned: use a GGUF file of the model",
            json::shown(&Json::String(steps.join(", then ")))
        ),
    )
}

/// The steps of a pre-tokenizer as the table writes them.
fn steps(pre: &Json) -> Result<Vec<String>, FolderError> {
    let kind = pre.get("type").and_then(Json::as_str).unwrap_or("none");
    let flag = |key: &str| pre.get(key).and_then(Json::as_bool);
    Ok(match kind {
        "Sequence" => {
            let inner = pre.get("pretokenizers").and_then(Json::as_array);
            let inner = inner.map_or(&[][..], Vec::as_slice);
            let all: Result<Vec<Vec<String>>, FolderError> = inner.iter().map(steps).collect();
            all?.concat()
        }
        "ByteLevel" if flag("add_prefix_space") == Some(true) => {
            vec!["a space in front of texts".to_string()]
        }
        "ByteLevel" if flag("use_regex") == Some(false) => vec!["bytes".to_string()],
        "ByteLevel" => vec!["words".to_string()],
        "Digits" if flag("individual_digits") == Some(true) => vec!["digits".to_string()],
        "Digits" => vec!["numbers".to_string()],
        "Punctuation" if pre.get("behavior").and_then(Json::as_str) == Some("Contiguous") => {
            vec!["punctuation".to_string()]
        }
        "Split" => vec![split(pre)],
        _ => vec![json::shown(pre)],
    })
}

fn split(pre: &Json) -> String {
    let behavior = pre.get("behavior").and_then(Json::as_str);
    let inverted = pre.get("invert").and_then(Json::as_bool).unwrap_or(false);
    let regex = pre.get("pattern").and_then(|pattern| pattern.get("Regex")).and_then(Json::as_str);
    // What lies between the matches of these expressions is nothing.
    match (regex, behavior, inverted) {
        (Some(regex), Some("Isolated"), false) | (Some(regex), Some("Removed"), true) => {
            let mut regex = regex.replace('\r', r"\r").replace('\n', r"\n");
            for contractions in CONTRACTIONS {
                regex = regex.replace(contractions, SIGN);
            }
            format!("split {regex}")
        }
        _ => json::shown(pre),
    }
}
