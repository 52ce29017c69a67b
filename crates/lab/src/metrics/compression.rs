//! The compression ratio of texts.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};

use super::Absent;

/// Compression ratio: bytes of the texts, joined by spaces, over bytes of their gzip at level 9
/// (Shaib et al. 2024, arXiv 2403.00553).
///
/// The package `diversity` compresses the compressed bytes once more, which removes most of the
/// number's meaning; this is one gzip. The output of zlib-rs doesn't depend on the CPU, and its
/// length is within half a percent of zlib's.
pub fn compression(texts: &[&str]) -> Result<f64, Absent> {
    let joined = texts.join(" ");
    if joined.is_empty() {
        return Err(Absent::TooShort { words: 1 });
    }
    let mut zipped = GzEncoder::new(Vec::new(), Compression::best());
    let written = zipped.write_all(joined.as_bytes()).and_then(|()| zipped.finish());
    let zipped = written.expect("a vector takes whatever is written");
    Ok(joined.len() as f64 / zipped.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_repeats_itself_becomes_smaller() {
        let same = compression(&["tea for two"; 20]).unwrap();
        let other = compression(&[
            "The quick brown fox jumps over the lazy dog; nymphs blitz quick vex dwarf.",
        ])
        .unwrap();
        assert!(same > 5.0 && other < 1.0, "{same} {other}");
        assert!(compression(&[""]).is_err());
    }
}
