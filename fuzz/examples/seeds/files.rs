//! Descriptions of model files in, small files out: sound ones, and ones that are wrong in one
//! place.

use std::{error::Error, path::Path};

use kelvin_engine::gguf::{Gguf, Value};
use kelvin_testkit::gguf_bytes::*;

/// How many entries of a real file's arrays are kept, and how many tensors.
const MAX_ITEMS: usize = 12;
/// A text of a real file is cut here, in bytes.
const MAX_TEXT: usize = 160;

fn texts(items: &[&str]) -> Vec<u8> {
    array(STR, items.len() as u64, items.iter().flat_map(string).collect::<Vec<u8>>())
}

fn floats(items: &[f32]) -> Vec<u8> {
    array(F32, items.len() as u64, items.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>())
}

fn ints(items: &[i32]) -> Vec<u8> {
    array(I32, items.len() as u64, items.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>())
}

/// A SentencePiece vocabulary.
fn spm() -> Bytes {
    let file = Bytes::new()
        .entry("tokenizer.ggml.model", STR, string("llama"))
        .entry(
            "tokenizer.ggml.tokens",
            ARRAY,
            texts(&["<unk>", "<s>", "</s>", "<0x0A>", "a", "▁", "▁a", "ab", "b"]),
        )
        .entry("tokenizer.ggml.scores", ARRAY, floats(&[0., 0., 0., 0., -1., -2., -3., -4., -5.]))
        .entry("tokenizer.ggml.token_type", ARRAY, ints(&[2, 3, 3, 6, 1, 1, 1, 1, 4]));
    file.entry("tokenizer.ggml.bos_token_id", U32, 1u32.to_le_bytes())
}

/// A byte-level vocabulary.
fn bpe() -> Bytes {
    let file = Bytes::new()
        .entry("tokenizer.ggml.model", STR, string("gpt2"))
        .entry("tokenizer.ggml.pre", STR, string("smollm"))
        .entry(
            "tokenizer.ggml.tokens",
            ARRAY,
            texts(&["a", "b", "ab", "Ġ", "Ġa", "<|im_end|>", "<|im_start|>"]),
        )
        .entry("tokenizer.ggml.merges", ARRAY, texts(&["a b", "Ġ a"]))
        .entry("tokenizer.ggml.token_type", ARRAY, ints(&[1, 1, 1, 1, 1, 3, 3]));
    file.entry("tokenizer.ggml.add_bos_token", BOOL, [0])
}

/// Hyperparameters of a family.
fn shape(file: Bytes, family: &str) -> Bytes {
    let mut file = file.entry("general.architecture", STR, string(family));
    for (key, value) in [
        ("block_count", 2u32),
        ("context_length", 64),
        ("embedding_length", 16),
        ("feed_forward_length", 32),
        ("attention.head_count", 2),
        ("attention.head_count_kv", 1),
        ("attention.key_length", 8),
        ("rope.dimension_count", 8),
        ("attention.sliding_window", 4),
    ] {
        file = file.entry(&format!("{family}.{key}"), U32, value.to_le_bytes());
    }
    file = file.entry(
        &format!("{family}.attention.layer_norm_rms_epsilon"),
        F32,
        1e-5f32.to_le_bytes(),
    );
    file.entry(&format!("{family}.rope.freq_base"), F32, 10_000f32.to_le_bytes())
}

/// An embedding and a norm, with their numbers.
fn tensors(file: Bytes) -> Bytes {
    let file = file.tensor("token_embd.weight", &[16, 9], 0, 0).tensor(
        "output_norm.weight",
        &[16],
        0,
        576,
    );
    file.with(|file| file.data = (0..640).map(|i| i as u8).collect())
}

/// Files by name.
pub(crate) fn made() -> Vec<(String, Vec<u8>)> {
    let mut files = vec![
        ("empty", Bytes::new()),
        ("small", Bytes::small()),
        ("spm", spm()),
        ("bpe", bpe()),
        ("spm-llama", tensors(shape(spm(), "llama"))),
        ("bpe-gemma3", tensors(shape(bpe(), "gemma3"))),
        ("version-2", Bytes::small().with(|file| file.version = 2)),
        ("version-4", Bytes::small().with(|file| file.version = 4)),
        ("many-entries", Bytes::small().with(|file| file.n_entries = Some(1 << 58))),
        ("many-tensors", Bytes::small().with(|file| file.n_tensors = Some(u64::MAX))),
        ("twice", Bytes::small().entry("llama.block_count", U32, 2u32.to_le_bytes())),
        ("tensor-twice", Bytes::small().tensor("a.weight", &[3, 2], 0, 128)),
        ("overlap", Bytes::small().with(|file| file.tensors[1].offset = 0)),
        ("outside", Bytes::small().with(|file| file.tensors[1].offset = 1 << 40)),
        ("dims", Bytes::small().with(|file| file.tensors[0].dims = vec![1 << 62, 1 << 62])),
        ("five-dims", Bytes::small().with(|file| file.tensors[0].dims = vec![1; 5])),
        ("format", Bytes::small().with(|file| file.tensors[0].kind = 4)),
        ("long-array", Bytes::new().entry("k", ARRAY, array(STR, 1 << 61, []))),
        ("nested", Bytes::new().entry("k", ARRAY, array(ARRAY, 1, []))),
    ];
    for (name, alignment) in [("alignment-0", 0u32), ("alignment-8", 8), ("alignment-13", 13)] {
        files.push((name, Bytes::small().entry("general.alignment", U32, alignment.to_le_bytes())));
    }
    let numbers = Bytes::new()
        .entry("u8", U8, [1])
        .entry("i8", I8, [255])
        .entry("u16", U16, 7u16.to_le_bytes())
        .entry("i16", I16, (-7i16).to_le_bytes())
        .entry("i32", I32, (-7i32).to_le_bytes())
        .entry("f32", F32, f32::NAN.to_le_bytes())
        .entry("bool", BOOL, [2])
        .entry("u64", U64, u64::MAX.to_le_bytes())
        .entry("i64", I64, i64::MIN.to_le_bytes())
        .entry("f64", F64, 1e300f64.to_le_bytes());
    files.push(("numbers", numbers.clone()));
    files.push(("numbers-right", numbers.with(|file| file.entries[6].2 = vec![1])));
    let arrays = Bytes::new()
        .entry("u8s", ARRAY, array(U8, 2, [1, 2]))
        .entry("bools", ARRAY, array(BOOL, 2, [0, 1]))
        .entry("u64s", ARRAY, array(U64, 1, u64::MAX.to_le_bytes()))
        .entry("f64s", ARRAY, array(F64, 1, 1e300f64.to_le_bytes()));
    files.push(("arrays", arrays.clone()));
    files.push(("arrays-right", arrays.with(|file| drop(file.entries.remove(2)))));
    let mut named: Vec<(String, Vec<u8>)> =
        files.into_iter().map(|(name, file)| (name.to_string(), file.file())).collect();
    let whole = tensors(shape(spm(), "llama")).file();
    for at in [1, 12, 23, 40, 300, whole.len() - 1] {
        named.push((format!("cut-at-{at}"), whole[..at.min(whole.len())].to_vec()));
    }
    named
}

/// A real file with its arrays cut short, one row of its first tensors, and no weights.
pub(crate) fn cut(path: &Path) -> Result<(String, Vec<u8>), Box<dyn Error>> {
    let gguf = Gguf::open(path)?;
    let mut file = Bytes::new();
    for (key, value) in &gguf.metadata.entries {
        let (kind, bytes) = match value {
            Value::U8(v) => (U8, v.to_le_bytes().to_vec()),
            Value::I8(v) => (I8, v.to_le_bytes().to_vec()),
            Value::U16(v) => (U16, v.to_le_bytes().to_vec()),
            Value::I16(v) => (I16, v.to_le_bytes().to_vec()),
            Value::U32(v) => (U32, v.to_le_bytes().to_vec()),
            Value::I32(v) => (I32, v.to_le_bytes().to_vec()),
            Value::F32(v) => (F32, v.to_le_bytes().to_vec()),
            Value::Bool(v) => (BOOL, vec![u8::from(*v)]),
            Value::U64(v) => (U64, v.to_le_bytes().to_vec()),
            Value::I64(v) => (I64, v.to_le_bytes().to_vec()),
            Value::F64(v) => (F64, v.to_le_bytes().to_vec()),
            Value::Str(v) => (STR, string(v.chars().take(MAX_TEXT).collect::<String>())),
            Value::IntArray(v) => {
                (ARRAY, ints(&v.iter().take(MAX_ITEMS).map(|&v| v as i32).collect::<Vec<_>>()))
            }
            Value::FloatArray(v) => (ARRAY, floats(&v[..v.len().min(MAX_ITEMS)])),
            Value::BoolArray(v) => {
                let items: Vec<u8> = v.iter().take(MAX_ITEMS).map(|&v| v.into()).collect();
                (ARRAY, array(BOOL, items.len() as u64, items))
            }
            // Merges name tokens that are gone, so none is kept.
            Value::StrArray(_) if key.ends_with("merges") => (ARRAY, array(STR, 0, [])),
            Value::StrArray(v) => {
                (ARRAY, texts(&v.iter().take(MAX_ITEMS).map(String::as_str).collect::<Vec<_>>()))
            }
        };
        // Ids of special tokens lie within what is kept.
        let is_id = key.ends_with("token_id") && kind == U32;
        file = file.entry(key, kind, if is_id { 1u32.to_le_bytes().to_vec() } else { bytes });
    }
    let mut offset = 0;
    for info in gguf.tensors.iter().take(MAX_ITEMS / 3) {
        file = file.tensor(&info.name, &[8], 0, offset);
        offset += 32;
    }
    file.data = vec![0; offset as usize];
    let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or("model");
    Ok((format!("real-{name}").to_lowercase(), file.file()))
}
