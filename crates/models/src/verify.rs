//! Verifies the size and SHA-256 of a file.

use std::{
    fs::File,
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

/// Expected size and checksum of a file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Expected {
    /// In bytes.
    pub size: Option<u64>,
    /// Lower-case hexadecimal.
    pub sha256: Option<String>,
}

/// Why a file isn't the expected one.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Mismatch {
    /// Wrong size.
    #[error("it has {found} bytes where {expected} were expected")]
    Size {
        /// Actual size in bytes.
        found: u64,
        /// Expected size in bytes.
        expected: u64,
    },
    /// Wrong checksum.
    #[error("its sha256 is {found} where {expected} was expected")]
    Checksum {
        /// Actual SHA-256.
        found: String,
        /// Expected SHA-256.
        expected: String,
    },
    /// The file couldn't be read.
    #[error("it can't be read: {0}")]
    Io(#[from] io::Error),
}

/// Reads the whole file and compares its size and SHA-256.
pub(crate) fn file(path: &Path, expected: &Expected) -> Result<(), Mismatch> {
    size(path, expected)?;
    let mut sum = Sum::new(io::sink());
    io::copy(&mut File::open(path)?.take(u64::MAX), &mut sum)?;
    sum.check(expected)
}

/// A file's SHA-256, in lower-case hexadecimal.
///
/// # Errors
/// If the file can't be read.
pub fn sha256(path: &Path) -> io::Result<String> {
    let mut sum = Sum::new(io::sink());
    io::copy(&mut File::open(path)?, &mut sum)?;
    Ok(sum.sha256())
}

/// The SHA-256 of a model: that of its file, or over the hashes and names of its files and how its
/// weights are packed, in lines of text.
///
/// # Errors
/// If a file can't be read.
pub fn sha256_of_model(files: &[PathBuf], packed: Option<&str>) -> io::Result<String> {
    if let ([file], None) = (files, packed) {
        return sha256(file);
    }
    let mut sum = Sum::new(io::sink());
    for file in files {
        let name = file.file_name().unwrap_or(file.as_os_str());
        writeln!(sum, "{} {}", sha256(file)?, name.to_string_lossy())?;
    }
    if let Some(packed) = packed {
        writeln!(sum, "{packed}")?;
    }
    Ok(sum.sha256())
}

/// Compares the size only, without reading the file.
pub(crate) fn size(path: &Path, expected: &Expected) -> Result<(), Mismatch> {
    let found = path.metadata()?.len();
    match expected.size {
        Some(expected) if expected != found => Err(Mismatch::Size { found, expected }),
        _ => Ok(()),
    }
}

/// A writer that passes bytes on, and counts and hashes them.
pub(crate) struct Sum<W> {
    inner: W,
    written: u64,
    hash: Sha256,
}

impl<W: Write> Sum<W> {
    /// Counts and hashes the bytes written into `inner`.
    pub(crate) fn new(inner: W) -> Sum<W> {
        Sum { inner, written: 0, hash: Sha256::new() }
    }

    /// The checksum of everything written so far, in lower-case hexadecimal.
    fn sha256(self) -> String {
        self.hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Compares size and checksum of everything written so far.
    pub(crate) fn check(self, expected: &Expected) -> Result<(), Mismatch> {
        if let Some(size) = expected.size
            && size != self.written
        {
            return Err(Mismatch::Size { found: self.written, expected: size });
        }
        let found = self.sha256();
        match &expected.sha256 {
            Some(expected) if *expected != found => {
                Err(Mismatch::Checksum { found, expected: expected.clone() })
            }
            _ => Ok(()),
        }
    }
}

impl<W: Write> Write for Sum<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.inner.write(bytes)?;
        self.hash.update(&bytes[..n]);
        self.written += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn a_file_is_what_it_must_be_or_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("abc");
        std::fs::write(&path, "abc").unwrap();
        let expected =
            |size, sum: &str| Expected { size: Some(size), sha256: Some(sum.to_string()) };
        assert_eq!(sha256(&path).unwrap(), ABC);
        let (other, packed) = (directory.path().join("d"), Some("q8_0"));
        std::fs::copy(&path, &other).unwrap();
        let of = |files: &[&PathBuf], packed| {
            let files: Vec<PathBuf> = files.iter().map(|&file| file.clone()).collect();
            sha256_of_model(&files, packed).unwrap()
        };
        assert_eq!(of(&[&path], None), ABC);
        let all = [
            of(&[&path], packed),
            of(&[&path, &other], None),
            of(&[&other, &path], None),
            of(&[&path, &other], packed),
        ];
        for (i, one) in all.iter().enumerate() {
            assert!(*one != ABC && !all[..i].contains(one));
        }
        assert!(file(&path, &expected(3, ABC)).is_ok());
        assert!(matches!(
            file(&path, &expected(4, ABC)),
            Err(Mismatch::Size { found: 3, expected: 4 })
        ));
        assert!(matches!(file(&path, &expected(3, "00")), Err(Mismatch::Checksum { .. })));
    }
}
