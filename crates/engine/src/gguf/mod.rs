//! Reads GGUF files: typed metadata and tensor descriptions, bounded and checked.
//!
//! A model file is untrusted. Every length in it is compared with the remaining bytes before
//! anything is allocated, the reader's memory is counted against a budget, and errors name the
//! place in the file. The format: <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>,
//! versions 2 and 3, little-endian. Tensors are read one by one with positioned reads and never
//! mapped: if a mapped file is truncated, the process is killed.

mod error;
mod header;
mod kinds;
mod metadata;
mod other_files;
mod parts;
mod reader;
mod tensor;
mod unsupported;
mod value;
mod write;

pub use error::{FolderError, GgufError};
pub use metadata::Metadata;
pub use tensor::TensorInfo;
pub use value::Value;

pub(crate) use kinds::not_a_language_model;
pub(crate) use reader::read_at;

use std::{
    collections::HashMap,
    fmt::Debug,
    path::{Path, PathBuf},
};

/// Where the bytes of tensors come from: files, or a conversion of other files.
pub(crate) trait TensorData: Debug + Send + Sync {
    /// Fills `out` with bytes of tensor number `index`, from byte `at` of it on. The caller checks
    /// that the range lies within the tensor.
    fn read(
        &self,
        index: usize,
        info: &TensorInfo,
        at: usize,
        out: &mut [u8],
    ) -> Result<(), GgufError>;
}

/// An open model whose header has been read and checked: a GGUF file, all parts of a split one, or
/// another kind of model turned into the same (see `folder`).
#[derive(Debug)]
pub struct Gguf {
    /// 2 or 3.
    pub version: u32,
    /// The key-value section.
    pub metadata: Metadata,
    /// In file order.
    pub tensors: Vec<TensorInfo>,
    /// Place in `tensors` of each name.
    by_name: HashMap<String, usize>,
    /// The files that it was read from, in the order of the parts.
    paths: Vec<PathBuf>,
    /// How long the files were when they were opened, in bytes, together.
    file_len: u64,
    /// How many bytes of memory the header was reckoned to take, see [`Gguf::header_memory`].
    header_memory: u64,
    data: Box<dyn TensorData>,
}

impl Gguf {
    /// Opens a file, reads its header and checks all of it: afterwards every tensor is known to lie
    /// within the file. Of a split model (`NAME-00001-of-00003.gguf`) any part opens all of them.
    ///
    /// # Errors
    /// Whatever doesn't follow the format or passes a limit, with field and offset; formats that
    /// Kelvin can't compute with; a part that is missing or belongs to another model.
    pub fn open(path: &Path) -> Result<Gguf, GgufError> {
        parts::open(path)
    }

    /// A model whose header was made rather than read. Names of tensors are distinct.
    pub(crate) fn assembled(
        metadata: Metadata,
        tensors: Vec<TensorInfo>,
        paths: Vec<PathBuf>,
        data: Box<dyn TensorData>,
    ) -> Gguf {
        let by_name = tensors.iter().enumerate().map(|(i, tensor)| (tensor.name.clone(), i));
        let by_name = by_name.collect();
        let len = |path: &PathBuf| std::fs::metadata(path).map_or(0, |about| about.len());
        let file_len = paths.iter().map(len).sum();
        Gguf { version: 3, metadata, tensors, by_name, paths, file_len, header_memory: 0, data }
    }

    /// The tensor called `name`.
    pub fn tensor(&self, name: &str) -> Option<&TensorInfo> {
        self.by_name.get(name).map(|&i| &self.tensors[i])
    }

    /// The files that it was read from, in the order of the parts.
    pub fn paths(&self) -> &[PathBuf] {
        &self.paths
    }

    /// How long the files are together, in bytes.
    pub fn file_len(&self) -> u64 {
        self.file_len
    }

    /// How many bytes of memory the headers take by the reader's own account (allocator's overhead
    /// included): at most 3 × a file's size + 8 MiB, or the file is refused.
    pub fn header_memory(&self) -> u64 {
        self.header_memory
    }

    /// Reads a tensor's bytes into `out`, which becomes exactly `info.n_bytes` long.
    ///
    /// # Errors
    /// As [`Gguf::read_part`].
    pub fn read_tensor(&self, info: &TensorInfo, out: &mut Vec<u8>) -> Result<(), GgufError> {
        self.index_of(info)?;
        out.resize(info.n_bytes, 0);
        self.read_part(info, 0, out)
    }

    /// Fills `out` with a tensor's bytes from byte `at` of it on. It works from several threads at
    /// once.
    ///
    /// # Errors
    /// If reading fails or a file has become shorter since it was opened, if `info` isn't one of
    /// this model's tensors, or if the part doesn't lie within the tensor.
    pub fn read_part(&self, info: &TensorInfo, at: usize, out: &mut [u8]) -> Result<(), GgufError> {
        let index = self.index_of(info)?;
        if at.checked_add(out.len()).is_none_or(|end| end > info.n_bytes) {
            return Err(GgufError::Truncated {
                field: format!("a part of tensor {:?}", info.name),
                offset: info.offset + at as u64,
                needed: out.len() as u64,
                left: info.n_bytes.saturating_sub(at) as u64,
            });
        }
        self.data.read(index, info, at, out)
    }

    /// The place of a tensor in `tensors`.
    fn index_of(&self, info: &TensorInfo) -> Result<usize, GgufError> {
        let index = self.by_name.get(&info.name).copied();
        index.filter(|&index| self.tensors[index] == *info).ok_or_else(|| GgufError::Invalid {
            field: format!("the data of tensor {:?}", info.name),
            offset: info.offset,
            found: "a tensor of another file".to_string(),
            allowed: "tensors of this one".to_string(),
        })
    }
}
