//! A GGUF file in, typed metadata and tensor descriptions out, bounded and checked before anything is believed.

use std::{collections::HashMap, fs::File, path::Path};

use kelvin_kernels::format::Format;

/// What a metadata key holds. Arrays are typed, never nested.
#[derive(Debug, Clone, PartialEq)]
#[allow(
    missing_docs,
    reason = "each variant is the GGUF value type of its name"
)]
pub enum Value {
    U8(u8),
    I8(i8),
    U16(u16),
    I16(i16),
    U32(u32),
    I32(i32),
    F32(f32),
    Bool(bool),
    Str(String),
    U64(u64),
    I64(i64),
    F64(f64),
    /// Arrays of any integer type, widened.
    IntArray(Vec<i64>),
    /// Arrays of f32 or f64, as f32.
    FloatArray(Vec<f32>),
    BoolArray(Vec<bool>),
    StrArray(Vec<String>),
}

/// The key-value section of a file.
#[derive(Debug, Clone, Default)]
pub struct Metadata {
    /// In file order.
    pub entries: Vec<(String, Value)>,
    index: HashMap<String, usize>,
}

impl Metadata {
    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.index.get(key).map(|&i| &self.entries[i].1)
    }
    /// An unsigned integer of any width that fits; `Ok(None)` if the key is absent, an error that names key, expected and found type otherwise.
    pub fn u32(&self, _key: &str) -> Result<Option<u32>, GgufError> {
        todo!()
    }
    /// A float.
    pub fn f32(&self, _key: &str) -> Result<Option<f32>, GgufError> {
        todo!()
    }
    /// A bool.
    pub fn bool(&self, _key: &str) -> Result<Option<bool>, GgufError> {
        todo!()
    }
    /// A string.
    pub fn str(&self, _key: &str) -> Result<Option<&str>, GgufError> {
        todo!()
    }
    /// An array of strings.
    pub fn str_array(&self, _key: &str) -> Result<Option<&[String]>, GgufError> {
        todo!()
    }
    /// An array of floats.
    pub fn f32_array(&self, _key: &str) -> Result<Option<&[f32]>, GgufError> {
        todo!()
    }
    /// An array of integers.
    pub fn int_array(&self, _key: &str) -> Result<Option<&[i64]>, GgufError> {
        todo!()
    }
}

/// One tensor of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct TensorInfo {
    /// Its name, e.g. `blk.0.attn_q.weight`.
    pub name: String,
    /// Its shape, innermost (contiguous) dimension first, 1 to 4 dimensions, none of them zero.
    pub shape: Vec<usize>,
    /// How its numbers are stored.
    pub format: Format,
    /// Where its bytes begin, from the beginning of the file.
    pub offset: u64,
    /// How many bytes it takes.
    pub n_bytes: usize,
}

/// An open model file whose header has been read and checked.
#[derive(Debug)]
pub struct Gguf {
    /// 2 or 3.
    pub version: u32,
    /// The key-value section.
    pub metadata: Metadata,
    /// In file order.
    pub tensors: Vec<TensorInfo>,
    file: File,
}

impl Gguf {
    /// Opens and checks a file.
    pub fn open(_path: &Path) -> Result<Gguf, GgufError> {
        todo!()
    }
    /// The tensor called `name`.
    pub fn tensor(&self, _name: &str) -> Option<&TensorInfo> {
        todo!()
    }
    /// Reads a tensor's bytes into `out`, which becomes exactly `info.n_bytes` long.
    pub fn read_tensor(&self, _info: &TensorInfo, _out: &mut Vec<u8>) -> Result<(), GgufError> {
        let _ = &self.file;
        todo!()
    }
}

/// What was wrong with a file, where, and what was expected.
#[derive(Debug, thiserror::Error)]
pub enum GgufError {
    /// Reading failed.
    #[error("{0}")]
    Io(#[from] std::io::Error),
}
