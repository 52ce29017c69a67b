//! `config.json`: typed access to its keys, with the text model's part of a multimodal one.

use std::path::Path;

use serde_json::{Map, Value};

use super::{
    error::{FolderError, wrong},
    json,
};

/// The file's name.
pub(super) const FILE: &str = "config.json";
/// Where multimodal models have the language model's keys.
const TEXT: &str = "text_config";
/// Where MPT has the keys of attention.
const ATTENTION: &str = "attn_config";

/// The keys of `config.json`.
#[derive(Debug)]
pub(super) struct Config {
    keys: Map<String, Value>,
    text: Map<String, Value>,
}

impl Config {
    pub(super) fn read(folder: &Path) -> Result<Config, FolderError> {
        let Some(mut keys) = json::read::<Map<String, Value>>(folder, FILE, json::MAX_CONFIG)?
        else {
            return wrong(
                FILE,
                format!(
                    "is missing in {}: a model's folder has config.json, tokenizer.json and \
                     *.safetensors; a GGUF model is given as a file",
                    folder.display()
                ),
            );
        };
        let mut part = |name: &str| match keys.remove(name) {
            Some(Value::Object(part)) => part,
            _ => Map::new(),
        };
        let mut text = part(TEXT);
        text.extend(part(ATTENTION));
        let config = Config { keys, text };
        if let Some(how) = config.get("quantization_config") {
            let method = how.get("quant_method").unwrap_or(how);
            let problem = format!(
                "quantization_config says that the weights are packed by {}, which isn't \
                 supported: use the unpacked model (F32, F16, BF16) or a GGUF file",
                json::shown(method)
            );
            return wrong(FILE, problem);
        }
        Ok(config)
    }

    /// The value of a key; null is none.
    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        self.text.get(key).or_else(|| self.keys.get(key)).filter(|value| !value.is_null())
    }

    /// The first of some keys that the file has.
    pub(super) fn first<'a>(&self, names: &[&'a str]) -> Option<(&'a str, &Value)> {
        names.iter().find_map(|&name| Some((name, self.get(name)?)))
    }

    /// What transformers calls the model: the first of `architectures`.
    pub(super) fn architecture(&self) -> Option<&str> {
        self.keys.get("architectures")?.get(0)?.as_str()
    }

    pub(super) fn bool(&self, key: &str) -> Option<bool> {
        self.get(key)?.as_bool()
    }

    /// An integer from 0 to 2^32-1 by the first of some names, if the file has one.
    pub(super) fn u32(&self, names: &[&str]) -> Result<Option<u32>, FolderError> {
        let Some((name, value)) = self.first(names) else { return Ok(None) };
        match value.as_u64().and_then(|n| u32::try_from(n).ok()) {
            Some(n) => Ok(Some(n)),
            None => expected(name, "an integer from 0 to 2^32-1", value),
        }
    }

    /// As [`Config::u32`], of a key that the file must have.
    pub(super) fn needed(&self, names: &[&str]) -> Result<u32, FolderError> {
        self.u32(names)?.map_or_else(|| missing(names), Ok)
    }

    /// A number by the first of some names, if the file has one.
    pub(super) fn f64(&self, names: &[&str]) -> Result<Option<f64>, FolderError> {
        let Some((name, value)) = self.first(names) else { return Ok(None) };
        match value.as_f64().filter(|x| x.is_finite()) {
            Some(x) => Ok(Some(x)),
            None => expected(name, "a number", value),
        }
    }

    /// The longest text; `usual` is what the family's files that don't say it have.
    pub(super) fn context(&self, usual: Option<u32>) -> Result<u32, FolderError> {
        match self.u32(CONTEXT)?.or(usual) {
            Some(n) => Ok(n),
            None => missing(CONTEXT),
        }
    }

    /// Width of a head.
    pub(super) fn head_dim(&self) -> Result<usize, FolderError> {
        match self.u32(&["head_dim"])? {
            Some(n) => Ok(n as usize),
            None => Ok((self.needed(WIDTH)? / self.needed(HEADS)?.max(1)) as usize),
        }
    }
}

/// Names of one hyperparameter in the files of several families.
pub(super) const LAYERS: &[&str] = &["num_hidden_layers", "n_layer", "n_layers", "num_layers"];
pub(super) const WIDTH: &[&str] = &["hidden_size", "n_embd", "n_embed", "dim", "d_model"];
pub(super) const HEADS: &[&str] = &["num_attention_heads", "n_head", "n_heads"];
pub(super) const KV_HEADS: &[&str] = &["num_key_value_heads", "n_kv_heads", "kv_n_heads"];
const CONTEXT: &[&str] = &[
    "max_position_embeddings",
    "n_positions",
    "n_ctx",
    "max_sequence_length",
    "seq_length",
    "max_seq_len",
];

/// An error about a key of `config.json`.
pub(super) fn expected<T>(name: &str, what: &str, found: &Value) -> Result<T, FolderError> {
    wrong(FILE, format!("{name:?}: expected {what}, found {}", json::shown(found)))
}

fn missing<T>(names: &[&str]) -> Result<T, FolderError> {
    wrong(FILE, format!("lacks {:?}, and there's no default for it", names[0]))
}
