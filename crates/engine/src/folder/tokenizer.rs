//! `tokenizer.json`, `tokenizer_config.json`, `generation_config.json` and the chat template to the
//! vocabulary's keys of a GGUF file.
//!
//! Two kinds of tokenizer are known: byte-level BPE (GGUF's `gpt2`), and BPE with byte fallback as
//! it is made of SentencePiece models (GGUF's `llama`). The latter merges by score in GGUF: the
//! score of a token is the place of the first merge that makes it, so the order stays.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::{
    config::Config,
    error::{FolderError, wrong},
    json::{self, MAX_CONFIG, MAX_TOKENIZER, TOKENIZER},
    keys::Entries,
    pre,
};
use crate::gguf::Value;

const CONFIG: &str = "tokenizer_config.json";
const GENERATION: &str = "generation_config.json";
const TEMPLATE: &str = "chat_template.jinja";
const OLD_TEMPLATE: &str = "chat_template.json";
/// A template is refused beyond 64 KiB; some files have several.
const MAX_TEMPLATE: u64 = 1 << 20;

/// GGUF's numbers of token types.
const NORMAL: i64 = 1;
const UNKNOWN: i64 = 2;
const CONTROL: i64 = 3;
const USER_DEFINED: i64 = 4;
const UNUSED: i64 = 5;
const BYTE: i64 = 6;

/// The vocabulary's keys, and the files that they come from.
pub(super) struct Vocabulary {
    pub(super) entries: Entries,
    pub(super) paths: Vec<PathBuf>,
}

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    added_tokens: Vec<Added>,
    #[serde(default)]
    normalizer: Json,
    #[serde(default)]
    pre_tokenizer: Json,
    #[serde(default)]
    post_processor: Json,
    model: Model,
}

#[derive(Deserialize)]
struct Added {
    id: u32,
    content: String,
    #[serde(default)]
    special: bool,
}

#[derive(Deserialize)]
struct Model {
    /// Old files don't say it.
    #[serde(rename = "type")]
    kind: Option<String>,
    vocab: Texts,
    #[serde(default)]
    merges: Vec<Merge>,
    #[serde(default)]
    byte_fallback: bool,
    #[serde(default)]
    ignore_merges: bool,
    unk_token: Option<String>,
    continuing_subword_prefix: Option<String>,
    end_of_word_suffix: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Texts {
    Ids(HashMap<String, u32>),
    /// Unigram's list.
    Other(serde::de::IgnoredAny),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Merge {
    Text(String),
    Pair([String; 2]),
}

impl Merge {
    fn pair(&self) -> Option<(&str, &str)> {
        match self {
            Merge::Text(text) => text.split_once(' '),
            Merge::Pair([left, right]) => Some((left, right)),
        }
    }
}

/// A vocabulary's texts and types by id.
struct Tokens {
    texts: Vec<String>,
    kinds: Vec<i64>,
    ids: HashMap<String, u32>,
}

impl Vocabulary {
    /// Reads the folder's tokenizer for a model with `n_rows` embeddings.
    pub(super) fn read(
        folder: &Path,
        config: &Config,
        n_rows: usize,
    ) -> Result<Vocabulary, FolderError> {
        let Some(file) = json::read::<File>(folder, TOKENIZER, MAX_TOKENIZER)? else {
            return wrong(
                TOKENIZER,
                format!(
                    "is missing in {}: other files of tokenizers, such as tokenizer.model, aren't \
                     read",
                    folder.display()
                ),
            );
        };
        let settings: Map<String, Json> =
            json::read(folder, CONFIG, MAX_CONFIG)?.unwrap_or_default();
        let generation: Map<String, Json> =
            json::read(folder, GENERATION, MAX_CONFIG)?.unwrap_or_default();
        let Texts::Ids(vocab) = &file.model.vocab else {
            return unsupported_model(file.model.kind.as_deref().unwrap_or("Unigram"));
        };
        match file.model.kind.as_deref() {
            None | Some("BPE") => {}
            Some(other) => return unsupported_model(other),
        }
        let affix = [&file.model.continuing_subword_prefix, &file.model.end_of_word_suffix];
        if let Some(affix) = affix.into_iter().flatten().find(|affix| !affix.is_empty()) {
            return wrong(
                TOKENIZER,
                format!("words are marked with {affix:?}, which isn't supported"),
            );
        }
        let is_spm = file.model.byte_fallback;
        let tokens = Tokens::of(&file, vocab, n_rows, is_spm)?;
        let mut entries = Entries::new();
        let mut put = |key: &str, value: Value| {
            entries.push((format!("tokenizer.ggml.{key}"), value));
        };
        match is_spm {
            true => spm(&file, &tokens, &mut put)?,
            false => bpe(&file, &mut put)?,
        }
        special(&file, &tokens, &settings, &generation, config, &mut put)?;
        put("token_type", Value::IntArray(tokens.kinds));
        put("tokens", Value::StrArray(tokens.texts));
        if let Some(template) = template(folder, &settings)? {
            entries.push(("tokenizer.chat_template".to_string(), Value::Str(template)));
        }
        sampling(&generation, &mut entries);
        let names = [TOKENIZER, CONFIG, GENERATION, TEMPLATE, OLD_TEMPLATE];
        let paths = names.map(|name| folder.join(name)).into_iter().filter(|path| path.exists());
        Ok(Vocabulary { entries, paths: paths.collect() })
    }
}

fn unsupported_model<T>(found: &str) -> Result<T, FolderError> {
    wrong(TOKENIZER, format!("a tokenizer of the kind {found:?} isn't supported; supported is BPE"))
}

impl Tokens {
    fn of(
        file: &File,
        vocab: &HashMap<String, u32>,
        n_rows: usize,
        is_spm: bool,
    ) -> Result<Tokens, FolderError> {
        let mut texts: Vec<Option<&str>> = vec![None; n_rows];
        let mut kinds = vec![UNUSED; n_rows];
        let added: HashMap<u32, &Added> =
            file.added_tokens.iter().map(|token| (token.id, token)).collect();
        for (text, &id) in vocab {
            match texts.get_mut(id as usize) {
                Some(place @ None) => *place = Some(text),
                Some(Some(other)) => {
                    return wrong(
                        TOKENIZER,
                        format!("tokens {other:?} and {text:?} both have id {id}"),
                    );
                }
                // An added token may lie beyond the embedding: the model never saw it.
                None if added.contains_key(&id) => continue,
                None => {
                    let problem =
                        format!("token {text:?} has id {id}, but the embedding has {n_rows} rows");
                    return wrong(TOKENIZER, problem);
                }
            }
            kinds[id as usize] = match () {
                () if file.model.unk_token.as_deref() == Some(text) => UNKNOWN,
                () if is_spm && is_byte(text) => BYTE,
                () => NORMAL,
            };
        }
        let mut own: HashMap<u32, String> = HashMap::new();
        for (id, token) in added {
            let Some(kind) = kinds.get_mut(id as usize) else { continue };
            if *kind == UNKNOWN && is_spm {
                continue;
            }
            let is_control = token.special || looks_special(&token.content);
            *kind = if is_control { CONTROL } else { USER_DEFINED };
            // llama.cpp finds tokens of a user in the text as it is, where a space is a space.
            let text = match is_spm && !is_control {
                true => token.content.replace('▁', " "),
                false => token.content.clone(),
            };
            own.insert(id, text);
        }
        let mut all = Tokens { texts: Vec::with_capacity(n_rows), kinds, ids: HashMap::new() };
        for (id, text) in texts.into_iter().enumerate() {
            let id = id as u32;
            let text = own.remove(&id).or_else(|| text.map(str::to_string));
            let text = text.unwrap_or_else(|| {
                let mut text = format!("[PAD{id}]");
                while vocab.contains_key(&text) {
                    text.push('_');
                }
                text
            });
            all.ids.insert(text.clone(), id);
            all.texts.push(text);
        }
        Ok(all)
    }
}

fn is_byte(text: &str) -> bool {
    let digits = text.strip_prefix("<0x").and_then(|rest| rest.strip_suffix('>'));
    digits.is_some_and(|digits| digits.len() == 2 && u8::from_str_radix(digits, 16).is_ok())
}

/// Whether an added token has a role although the file doesn't say so: llama.cpp's rule.
fn looks_special(text: &str) -> bool {
    let within = |start: &str, end: &str| text.starts_with(start) && text.ends_with(end);
    matches!(text, "<pad>" | "<mask>" | "<2mass>" | "[@BOS@]")
        || within("<|", "|>")
        || within("<｜", "｜>")
        || within("<unused", ">")
}

/// Keys of byte-level BPE.
fn bpe(file: &File, put: &mut dyn FnMut(&str, Value)) -> Result<(), FolderError> {
    match file.normalizer.get("type").and_then(Json::as_str) {
        None | Some("NFC") => {}
        Some("Sequence") if is_empty_sequence(&file.normalizer) => {}
        Some(_) => {
            let problem = format!(
                "the normalizer {} isn't supported with byte-level BPE; supported are none and NFC",
                json::shown(&file.normalizer)
            );
            return wrong(TOKENIZER, problem);
        }
    }
    put("model", Value::Str("gpt2".to_string()));
    let name = pre::name(&file.pre_tokenizer, file.model.ignore_merges)?;
    put("pre", Value::Str(name.to_string()));
    let mut merges = Vec::with_capacity(file.model.merges.len());
    for (i, merge) in file.model.merges.iter().enumerate() {
        match merge.pair() {
            Some((left, right)) => merges.push(format!("{left} {right}")),
            None => return wrong(TOKENIZER, format!("merge {i} isn't two texts")),
        }
    }
    put("merges", Value::StrArray(merges));
    Ok(())
}

fn is_empty_sequence(normalizer: &Json) -> bool {
    normalizer.get("normalizers").and_then(Json::as_array).is_some_and(Vec::is_empty)
}

/// Keys of BPE with byte fallback.
fn spm(file: &File, tokens: &Tokens, put: &mut dyn FnMut(&str, Value)) -> Result<(), FolderError> {
    put("model", Value::Str("llama".to_string()));
    put("pre", Value::Str("default".to_string()));
    put("add_space_prefix", Value::Bool(space_prefix(file)?));
    // Tokens that no merge makes are never merged to; their score says nothing.
    let mut scores = vec![0.0; tokens.texts.len()];
    let mut place = 0;
    for (i, merge) in file.model.merges.iter().enumerate() {
        let Some((left, right)) = merge.pair() else {
            return wrong(TOKENIZER, format!("merge {i} isn't two texts"));
        };
        let Some(&id) = tokens.ids.get(&format!("{left}{right}")) else { continue };
        let score = &mut scores[id as usize];
        if *score == 0.0 {
            place += 1;
            *score = -(place as f32);
        }
    }
    let last = -(place as f32) - 1.0;
    scores.iter_mut().filter(|score| **score == 0.0).for_each(|score| *score = last);
    put("scores", Value::FloatArray(scores));
    Ok(())
}

/// Whether a space is put in front of a text: the steps that SentencePiece's normalizer becomes.
fn space_prefix(file: &File) -> Result<bool, FolderError> {
    let mut steps = Vec::new();
    flatten(&file.normalizer, "normalizers", &mut steps);
    flatten(&file.pre_tokenizer, "pretokenizers", &mut steps);
    let (mut prefix, mut replaced) = (false, false);
    for step in steps {
        let text = |key: &str| step.get(key).and_then(Json::as_str);
        let pattern = step.get("pattern").and_then(|pattern| pattern.get("String"));
        match text("type").unwrap_or_default() {
            "Prepend" if text("prepend") == Some("▁") => prefix = true,
            "Replace" if text("content") == Some("▁") && pattern == Some(&Json::from(" ")) => {
                replaced = true;
            }
            "Metaspace" if matches!(text("replacement"), Some("▁")) => {
                replaced = true;
                let old = step.get("add_prefix_space").and_then(Json::as_bool);
                prefix |= match text("prepend_scheme") {
                    Some(scheme) => scheme != "never",
                    None => old.unwrap_or(true),
                };
            }
            // Spaces were replaced before, so nothing is left to cut at.
            "Split" if pattern == Some(&Json::from(" ")) && replaced => {}
            _ => {
                let problem = format!(
                    "{} isn't a step that is known of tokenizers with byte fallback",
                    json::shown(step)
                );
                return wrong(TOKENIZER, problem);
            }
        }
    }
    match replaced {
        true => Ok(prefix),
        false => wrong(TOKENIZER, "spaces don't become \"▁\", as they do with byte fallback"),
    }
}

/// The steps of a normalizer or pre-tokenizer, one after the other.
fn flatten<'a>(step: &'a Json, list: &str, steps: &mut Vec<&'a Json>) {
    match step.get(list).and_then(Json::as_array) {
        Some(inner) => inner.iter().for_each(|step| flatten(step, list, steps)),
        None if step.is_null() => {}
        None => steps.push(step),
    }
}

/// Keys of tokens with a role.
fn special(
    file: &File,
    tokens: &Tokens,
    settings: &Map<String, Json>,
    generation: &Map<String, Json>,
    config: &Config,
    put: &mut dyn FnMut(&str, Value),
) -> Result<(), FolderError> {
    let named = |key: &str| -> Option<u32> {
        let value = settings.get(key)?;
        let text = value.as_str().or_else(|| value.get("content")?.as_str())?;
        tokens.ids.get(text).copied()
    };
    let ids_of = |value: Option<&Json>| -> Vec<u32> {
        let one = |value: &Json| value.as_u64().and_then(|id| u32::try_from(id).ok());
        match value {
            Some(Json::Array(list)) => list.iter().filter_map(one).collect(),
            Some(value) => one(value).into_iter().collect(),
            None => Vec::new(),
        }
    };
    let stated = |key: &str| {
        let ids = ids_of(generation.get(key));
        if ids.is_empty() { ids_of(config.get(key)) } else { ids }
    };
    let bos = named("bos_token").or_else(|| stated("bos_token_id").first().copied());
    let ends = stated("eos_token_id");
    let eos = named("eos_token").or_else(|| ends.first().copied());
    let mut all: Vec<i64> = eos.iter().chain(&ends).map(|&id| i64::from(id)).collect();
    all.sort_unstable();
    all.dedup();
    for (key, id) in [
        ("bos_token_id", bos),
        ("eos_token_id", eos),
        ("padding_token_id", named("pad_token")),
        (
            "unknown_token_id",
            file.model.unk_token.as_ref().and_then(|text| tokens.ids.get(text).copied()),
        ),
    ] {
        if let Some(id) = id {
            put(key, Value::U32(id));
        }
    }
    if all.len() > 1 {
        put("eos_token_ids", Value::IntArray(all));
    }
    let setting = |key: &str| settings.get(key).and_then(Json::as_bool).unwrap_or(false);
    let (add_bos, add_eos) = match template_of_ids(&file.post_processor) {
        Some(single) => around(single)?,
        None => (setting("add_bos_token") && bos.is_some(), setting("add_eos_token")),
    };
    put("add_bos_token", Value::Bool(add_bos));
    put("add_eos_token", Value::Bool(add_eos && eos.is_some()));
    Ok(())
}

/// What a post-processor puts around one text.
fn template_of_ids(processor: &Json) -> Option<&Vec<Json>> {
    match processor.get("type")?.as_str()? {
        "TemplateProcessing" => processor.get("single")?.as_array(),
        "Sequence" => processor.get("processors")?.as_array()?.iter().find_map(template_of_ids),
        _ => None,
    }
}

/// Whether tokens stand before and after the text.
fn around(single: &[Json]) -> Result<(bool, bool), FolderError> {
    let is_text = |item: &Json| item.get("Sequence").is_some();
    match single.iter().position(is_text) {
        Some(at) if at <= 1 && single.len() - at <= 2 => Ok((at == 1, single.len() - at == 2)),
        _ => wrong(
            TOKENIZER,
            format!(
                "the post-processor puts {} around a text, expected at most one token before it \
                 and one after",
                json::shown(&Json::Array(single.to_vec()))
            ),
        ),
    }
}

/// The chat template: a file of its own, or a setting, of which there may be several.
fn template(folder: &Path, settings: &Map<String, Json>) -> Result<Option<String>, FolderError> {
    if let Some(bytes) = json::bytes(folder, TEMPLATE, MAX_TEMPLATE)? {
        return match String::from_utf8(bytes) {
            Ok(text) => Ok(Some(text)),
            Err(_) => wrong(TEMPLATE, "isn't UTF-8 text"),
        };
    }
    let old: Map<String, Json> =
        json::read(folder, OLD_TEMPLATE, MAX_TEMPLATE)?.unwrap_or_default();
    let found = old.get("chat_template").or_else(|| settings.get("chat_template"));
    let text = |value: &Json| value.as_str().map(str::to_string);
    Ok(match found {
        Some(Json::Array(list)) => {
            let is_default = |one: &&Json| one.get("name") == Some(&Json::from("default"));
            list.iter().find(is_default).and_then(|one| one.get("template")).and_then(text)
        }
        Some(other) => text(other),
        None => None,
    })
}

/// What the maker recommends for sampling, under GGUF's names.
fn sampling(generation: &Map<String, Json>, entries: &mut Entries) {
    if generation.get("do_sample") == Some(&Json::Bool(false)) {
        return;
    }
    for (hf, gguf) in [
        ("temperature", "temp"),
        ("top_p", "top_p"),
        ("min_p", "min_p"),
        ("repetition_penalty", "penalty_repeat"),
    ] {
        if let Some(x) = generation.get(hf).and_then(Json::as_f64) {
            entries.push((format!("general.sampling.{gguf}"), Value::F32(x as f32)));
        }
    }
    if let Some(k) = generation.get("top_k").and_then(Json::as_u64)
        && let Ok(k) = i32::try_from(k)
    {
        entries.push(("general.sampling.top_k".to_string(), Value::I32(k)));
    }
}
