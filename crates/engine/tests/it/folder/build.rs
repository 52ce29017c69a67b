//! Writes Hugging Face folders: tiny tensors in safetensors files, a configuration, a tokenizer.

use std::{
    fs,
    path::PathBuf,
    sync::atomic::{AtomicUsize, Ordering},
};

use serde_json::{Map, Value, json};

/// A folder to be written; it goes away with this value once it was.
#[derive(Clone)]
pub(super) struct Folder {
    pub(super) config: Value,
    pub(super) tokenizer: Value,
    /// Other files by name.
    pub(super) files: Vec<(String, String)>,
    /// Name, shape with the outermost dimension first, numbers.
    pub(super) tensors: Vec<(String, Vec<usize>, Vec<f32>)>,
}

/// A written folder.
pub(super) struct Written(pub(super) PathBuf);

impl Drop for Written {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Written {
    pub(super) fn empty() -> Written {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("kelvin-folder-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Written(path)
    }

    pub(super) fn put(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.0.join(name), bytes).unwrap();
    }
}

/// A vocabulary of `n` tokens by bytes, as GPT-2 has it, without merges.
pub(super) fn tokenizer(n: usize) -> Value {
    let mut vocab = Map::new();
    for id in 0..n - 2 {
        vocab.insert(format!("t{id}"), json!(id));
    }
    json!({
        "added_tokens": [
            { "id": n - 2, "content": "<s>", "special": true },
            { "id": n - 1, "content": "</s>", "special": true },
        ],
        "normalizer": null,
        "pre_tokenizer": { "type": "ByteLevel", "add_prefix_space": false, "use_regex": true },
        "post_processor": null,
        "model": { "type": "BPE", "vocab": vocab, "merges": [] },
    })
}

/// A safetensors file: header, then data in the order of the list.
pub(super) fn safetensors(tensors: &[(String, Vec<usize>, Vec<f32>)]) -> Vec<u8> {
    let (mut header, mut data) = (Map::new(), Vec::new());
    for (name, shape, numbers) in tensors {
        let start = data.len();
        data.extend(numbers.iter().flat_map(|x| x.to_le_bytes()));
        let offsets = [start, data.len()];
        let info = json!({ "dtype": "F32", "shape": shape, "data_offsets": offsets });
        header.insert(name.clone(), info);
    }
    with_header(&Value::Object(header).to_string(), &data)
}

/// A safetensors file with this header.
pub(super) fn with_header(header: &str, data: &[u8]) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), data].concat()
}

impl Folder {
    pub(super) fn write(&self) -> Written {
        let written = self.write_without_weights();
        written.put("model.safetensors", safetensors(&self.tensors));
        written
    }

    pub(super) fn write_without_weights(&self) -> Written {
        let written = Written::empty();
        written.put("config.json", self.config.to_string());
        written.put("tokenizer.json", self.tokenizer.to_string());
        for (name, text) in &self.files {
            written.put(name, text);
        }
        written
    }

    /// Two files and an index.
    pub(super) fn write_in_two(&self) -> Written {
        let written = self.write_without_weights();
        let (first, second) = self.tensors.split_at(self.tensors.len() / 2);
        let mut map = Map::new();
        for (name, tensors) in [("a.safetensors", first), ("b.safetensors", second)] {
            written.put(name, safetensors(tensors));
            for (tensor, ..) in tensors {
                map.insert(tensor.clone(), json!(name));
            }
        }
        let index = json!({ "metadata": {}, "weight_map": map });
        written.put("model.safetensors.index.json", index.to_string());
        written
    }
}
