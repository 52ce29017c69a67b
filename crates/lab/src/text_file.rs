//! Reads a user's text file or standard input. Every text that a user hands over is read here.
//!
//! A text is UTF-8. A byte-order mark at its start, as editors on Windows write it, isn't part of
//! the text and is dropped. A mark anywhere else stays. UTF-16 and UTF-32, recognized by their
//! marks, are refused by name.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

/// U+FEFF in UTF-8.
const MARK: &[u8] = b"\xEF\xBB\xBF";

/// The marks of other encodings, and their names. UTF-32 stands before UTF-16, whose mark it begins
/// with.
const OTHER_MARKS: [(&[u8], &str, &str); 4] = [
    (b"\xFF\xFE\0\0", "UTF-32", "little-endian"),
    (b"\0\0\xFE\xFF", "UTF-32", "big-endian"),
    (b"\xFF\xFE", "UTF-16", "little-endian"),
    (b"\xFE\xFF", "UTF-16", "big-endian"),
];

/// Why a text can't be read. The sentence begins with the name of the file.
#[derive(Debug, thiserror::Error)]
pub enum TextError {
    /// The file or stream can't be opened or read.
    #[error("can't read {name}: {error}")]
    Io {
        /// Name of the file or stream.
        name: String,
        /// The I/O error.
        error: io::Error,
    },
    /// More bytes than allowed.
    #[error("{name} is longer than {most} bytes, which is the most that is read")]
    TooLong {
        /// Name of the file or stream.
        name: String,
        /// The limit in bytes.
        most: u64,
    },
    /// Text in another encoding, as its byte-order mark says.
    #[error(
        "{name} is {encoding} text ({order}, by its byte-order mark), but UTF-8 is expected: save \
         it as UTF-8, or run `iconv -f {encoding} -t UTF-8`"
    )]
    OtherEncoding {
        /// Name of the file or stream.
        name: String,
        /// UTF-16 or UTF-32.
        encoding: &'static str,
        /// little-endian or big-endian.
        order: &'static str,
    },
    /// Bytes that aren't UTF-8.
    #[error("{name}, line {line}: it isn't UTF-8 text (byte {byte} of the file): save it as UTF-8")]
    NotUtf8 {
        /// Name of the file or stream.
        name: String,
        /// Line of the first invalid byte, from 1.
        line: usize,
        /// Offset of that byte, from 0.
        byte: usize,
    },
}

/// The text of a file of at most `most` bytes.
///
/// # Errors
/// If it can't be read, is longer, or isn't UTF-8.
pub fn read(path: &Path, most: u64) -> Result<String, TextError> {
    let name = path.display().to_string();
    match File::open(path) {
        Ok(file) => read_from(file, &name, most),
        Err(error) => Err(TextError::Io { name, error }),
    }
}

/// The name of standard input in errors.
pub const STANDARD_INPUT: &str = "standard input";

/// The text of a file, or of standard input for `-`, of at most `most` bytes.
///
/// # Errors
/// As [`read`].
pub fn read_input(path: &Path, most: u64) -> Result<String, TextError> {
    match path == Path::new("-") {
        true => read_from(io::stdin().lock(), STANDARD_INPUT, most),
        false => read(path, most),
    }
}

/// The text of a stream of at most `most` bytes, which errors call `name`.
///
/// # Errors
/// If it can't be read, is longer, or isn't UTF-8.
pub fn read_from(source: impl Read, name: &str, most: u64) -> Result<String, TextError> {
    let mut bytes = Vec::new();
    source
        .take(most.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|error| TextError::Io { name: name.into(), error })?;
    if bytes.len() as u64 > most {
        return Err(TextError::TooLong { name: name.into(), most });
    }
    decode(bytes, name)
}

/// Decodes the bytes of a file, without a byte-order mark at their start. Errors call it `name`.
///
/// # Errors
/// If the bytes aren't UTF-8.
pub fn decode(mut bytes: Vec<u8>, name: &str) -> Result<String, TextError> {
    if let Some(&(_, encoding, order)) =
        OTHER_MARKS.iter().find(|(mark, ..)| bytes.starts_with(mark))
    {
        return Err(TextError::OtherEncoding { name: name.into(), encoding, order });
    }
    let n_mark = if bytes.starts_with(MARK) { MARK.len() } else { 0 };
    bytes.drain(..n_mark);
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let line = 1 + error.as_bytes()[..at].iter().filter(|&&byte| byte == b'\n').count();
        TextError::NotUtf8 { name: name.into(), line, byte: at + n_mark }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_dropped_at_the_start_alone() {
        let of = |bytes: &[u8]| decode(bytes.to_vec(), "it").unwrap();
        assert_eq!(of(b"\xEF\xBB\xBFa\xEF\xBB\xBFb"), "a\u{feff}b");
        assert_eq!(of(b"\xEF\xBB\xBF\xEF\xBB\xBF"), "\u{feff}");
        assert_eq!(
            (of(b"").as_str(), of(b"\xEF\xBB\xBF").as_str(), of(b"a").as_str()),
            ("", "", "a")
        );
    }

    #[test]
    fn what_isnt_utf8_is_named_with_its_place() {
        let said = |bytes: &[u8]| decode(bytes.to_vec(), "a.txt").unwrap_err().to_string();
        assert_eq!(
            said(b"a\nb\xff"),
            "a.txt, line 2: it isn't UTF-8 text (byte 3 of the file): save it as UTF-8"
        );
        assert!(
            said(b"\xEF\xBB\xBFab\xff")
                .contains("line 1: it isn't UTF-8 text (byte 5 of the file)")
        );
        assert!(
            said(b"\xFF\xFEa\0")
                .starts_with("a.txt is UTF-16 text (little-endian, by its byte-order mark)")
        );
        assert!(said(b"\xFE\xFF\0a").starts_with("a.txt is UTF-16 text (big-endian"));
        assert!(said(b"\xFF\xFE\0\0a\0\0\0").starts_with("a.txt is UTF-32 text (little-endian"));
        assert!(said(b"\0\0\xFE\xFF\0\0\0a").starts_with("a.txt is UTF-32 text (big-endian"));
    }

    #[test]
    fn reading_is_bounded() {
        assert_eq!(read_from(&b"abc"[..], "it", 3).unwrap(), "abc");
        let said = read_from(io::repeat(b'a'), "standard input", 3).unwrap_err().to_string();
        assert!(said.starts_with("standard input is longer than 3 bytes"), "{said}");
        let said = read(Path::new("no/such/file"), 3).unwrap_err().to_string();
        assert!(said.starts_with("can't read no/such/file: "), "{said}");
    }
}
