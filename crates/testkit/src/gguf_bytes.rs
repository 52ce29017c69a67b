//! Writes GGUF files field by field, valid or not: the hostile files of the tests.

use std::{
    fs,
    path::PathBuf,
    sync::atomic::{AtomicUsize, Ordering},
};

/// The format's numbers for value types.
pub const U8: u32 = 0;
pub const I8: u32 = 1;
pub const U16: u32 = 2;
pub const I16: u32 = 3;
pub const U32: u32 = 4;
pub const I32: u32 = 5;
pub const F32: u32 = 6;
pub const BOOL: u32 = 7;
pub const STR: u32 = 8;
pub const ARRAY: u32 = 9;
pub const U64: u32 = 10;
pub const I64: u32 = 11;
pub const F64: u32 = 12;

/// A tensor's description, believed by nobody.
#[derive(Clone)]
pub struct Tensor {
    pub name: Vec<u8>,
    pub dims: Vec<u64>,
    pub kind: u32,
    pub offset: u64,
}

/// A whole file. The counts follow the lists unless they are given.
#[derive(Clone)]
pub struct Bytes {
    pub magic: [u8; 4],
    pub version: u32,
    pub n_tensors: Option<u64>,
    pub n_entries: Option<u64>,
    /// Key, type, bytes of the value.
    pub entries: Vec<(Vec<u8>, u32, Vec<u8>)>,
    pub tensors: Vec<Tensor>,
    pub alignment: usize,
    pub data: Vec<u8>,
}

impl Default for Bytes {
    fn default() -> Bytes {
        Bytes::new()
    }
}

impl Bytes {
    /// Version 3, nothing in it.
    pub fn new() -> Bytes {
        Bytes {
            magic: *b"GGUF",
            version: 3,
            n_tensors: None,
            n_entries: None,
            entries: vec![],
            tensors: vec![],
            alignment: 32,
            data: vec![],
        }
    }

    /// A valid file: some metadata of several types, and two tensors, F32 3x2 at 0 and Q8_0 32x2
    /// at 32.
    pub fn small() -> Bytes {
        let mut file = Bytes::new()
            .entry("general.architecture", STR, string("llama"))
            .entry("llama.block_count", U32, 2u32.to_le_bytes())
            .entry(
                "tokenizer.ggml.tokens",
                ARRAY,
                array(STR, 3, [string("a"), string("é"), string("")].concat()),
            )
            .entry(
                "tokenizer.ggml.scores",
                ARRAY,
                array(F32, 2, [0f32.to_le_bytes(), 1f32.to_le_bytes()].concat()),
            )
            .tensor("a.weight", &[3, 2], 0, 0)
            .tensor("b.weight", &[32, 2], 8, 32);
        file.data = (0..32 + 68).collect();
        file
    }

    pub fn entry(mut self, key: &str, kind: u32, value: impl Into<Vec<u8>>) -> Bytes {
        self.entries.push((key.into(), kind, value.into()));
        self
    }

    pub fn tensor(mut self, name: &str, dims: &[u64], kind: u32, offset: u64) -> Bytes {
        self.tensors.push(Tensor { name: name.into(), dims: dims.into(), kind, offset });
        self
    }

    /// `self` after `change`.
    pub fn with(mut self, change: impl FnOnce(&mut Bytes)) -> Bytes {
        change(&mut self);
        self
    }

    /// Everything but the data, without padding.
    pub fn header(&self) -> Vec<u8> {
        let mut out = self.magic.to_vec();
        out.extend(self.version.to_le_bytes());
        out.extend(self.n_tensors.unwrap_or(self.tensors.len() as u64).to_le_bytes());
        out.extend(self.n_entries.unwrap_or(self.entries.len() as u64).to_le_bytes());
        for (key, kind, value) in &self.entries {
            out.extend(string(key));
            out.extend(kind.to_le_bytes());
            out.extend(value);
        }
        for tensor in &self.tensors {
            out.extend(string(&tensor.name));
            out.extend((tensor.dims.len() as u32).to_le_bytes());
            out.extend(tensor.dims.iter().flat_map(|dim| dim.to_le_bytes()));
            out.extend(tensor.kind.to_le_bytes());
            out.extend(tensor.offset.to_le_bytes());
        }
        out
    }

    /// The whole file; it ends with the last byte of data.
    pub fn file(&self) -> Vec<u8> {
        let mut out = self.header();
        if !self.data.is_empty() {
            out.resize(out.len().next_multiple_of(self.alignment), 0);
            out.extend(&self.data);
        }
        out
    }
}

/// A string as the format has it.
pub fn string(text: impl AsRef<[u8]>) -> Vec<u8> {
    let text = text.as_ref();
    [&(text.len() as u64).to_le_bytes(), text].concat()
}

/// An array's value: element type, claimed length, bytes of the elements.
pub fn array(kind: u32, n: u64, elements: impl AsRef<[u8]>) -> Vec<u8> {
    [&kind.to_le_bytes()[..], &n.to_le_bytes(), elements.as_ref()].concat()
}

/// A file on disk that goes away with this value.
pub struct OnDisk(pub PathBuf);

impl OnDisk {
    pub fn new(bytes: &[u8]) -> OnDisk {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("gguf-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::write(&path, bytes).unwrap();
        OnDisk(path)
    }
}

impl Drop for OnDisk {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
