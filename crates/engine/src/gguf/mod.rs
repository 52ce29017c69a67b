//! Reads GGUF files: typed metadata and tensor descriptions, bounded and checked.
//!
//! A model file is untrusted. Every length in it is compared with the remaining bytes before
//! anything is allocated, the reader's memory is counted against a budget, and errors name the
//! place in the file. The format: <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>,
//! versions 2 and 3, little-endian. Tensors are read one by one with positioned reads and never
//! mapped: if a mapped file is truncated, the process is killed.

mod error;
mod header;
mod metadata;
mod reader;
mod tensor;
mod unsupported;
mod value;

pub use error::GgufError;
pub use metadata::Metadata;
pub use tensor::TensorInfo;
pub use value::Value;

use std::{collections::HashMap, fs::File, path::Path};

use reader::Reader;

/// An open model file whose header has been read and checked.
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
    /// How long the file was when it was opened, in bytes.
    file_len: u64,
    /// How many bytes of memory the header was reckoned to take, see [`Gguf::header_memory`].
    header_memory: u64,
    file: File,
}

impl Gguf {
    /// Opens a file, reads its header and checks all of it: afterwards every tensor is known to lie
    /// within the file.
    ///
    /// # Errors
    /// Whatever doesn't follow the format or passes a limit, with field and offset; formats that
    /// Kelvin can't compute with.
    pub fn open(path: &Path) -> Result<Gguf, GgufError> {
        let failed = |source| GgufError::Io {
            doing: format!("can't open the model file {}", path.display()),
            source,
        };
        // Asked before opening, because opening a pipe waits for somebody to write into it.
        if !std::fs::metadata(path).map_err(failed)?.is_file() {
            return Err(failed(std::io::Error::other("it isn't a regular file")));
        }
        let file = File::open(path).map_err(failed)?;
        let file_len = file.metadata().map_err(failed)?.len();

        let mut reader = Reader::new(&file, file_len);
        let counts = header::read(&mut reader)?;
        let metadata = metadata::read(&mut reader, counts.n_entries)?;
        let alignment = header::alignment(&metadata)?;
        let (tensors, by_name) = tensor::read(&mut reader, counts.n_tensors, alignment)?;
        let header_memory = reader.held();
        Ok(Gguf {
            version: counts.version,
            metadata,
            tensors,
            by_name,
            file_len,
            header_memory,
            file,
        })
    }

    /// The tensor called `name`.
    pub fn tensor(&self, name: &str) -> Option<&TensorInfo> {
        self.by_name.get(name).map(|&i| &self.tensors[i])
    }

    /// How long the file is, in bytes.
    pub fn file_len(&self) -> u64 {
        self.file_len
    }

    /// How many bytes of memory the header takes by the reader's own account (allocator's overhead
    /// included): at most 3 × the file's size + 8 MiB, or the file is refused.
    pub fn header_memory(&self) -> u64 {
        self.header_memory
    }

    /// Reads a tensor's bytes into `out`, which becomes exactly `info.n_bytes` long.
    ///
    /// # Errors
    /// As [`Gguf::read_part`].
    pub fn read_tensor(&self, info: &TensorInfo, out: &mut Vec<u8>) -> Result<(), GgufError> {
        self.check(info)?;
        out.resize(info.n_bytes, 0);
        self.read_part(info, 0, out)
    }

    /// Fills `out` with a tensor's bytes from byte `at` of it on. It works from several threads at
    /// once.
    ///
    /// # Errors
    /// If reading fails or the file has become shorter since it was opened, or if `info` doesn't
    /// lie within the file (one of this file's own always does) or the part not within the tensor.
    pub fn read_part(&self, info: &TensorInfo, at: usize, out: &mut [u8]) -> Result<(), GgufError> {
        self.check(info)?;
        if at.checked_add(out.len()).is_none_or(|end| end > info.n_bytes) {
            return Err(GgufError::Truncated {
                field: format!("a part of tensor {:?}", info.name),
                offset: info.offset + at as u64,
                needed: out.len() as u64,
                left: info.n_bytes.saturating_sub(at) as u64,
            });
        }
        reader::read_at(&self.file, out, info.offset + at as u64).map_err(|source| GgufError::Io {
            doing: format!(
                "can't read {} bytes of tensor {:?} at byte {}",
                out.len(),
                info.name,
                info.offset + at as u64
            ),
            source,
        })
    }

    /// Whether a tensor lies within the file.
    fn check(&self, info: &TensorInfo) -> Result<(), GgufError> {
        let end = info.offset.checked_add(info.n_bytes as u64);
        if end.is_none_or(|end| end > self.file_len) {
            return Err(GgufError::Truncated {
                field: format!("the data of tensor {:?}", info.name),
                offset: info.offset,
                needed: info.n_bytes as u64,
                left: self.file_len.saturating_sub(info.offset),
            });
        }
        Ok(())
    }
}
