//! The fixed header of a GGUF file (24 bytes): version and counts; and the alignment, which is in
//! the metadata.

use super::{error::GgufError, metadata::Metadata, reader::Reader, value::Value};

/// Real files have some fifty entries.
const MAX_ENTRIES: u64 = 1 << 14;
/// The largest mixtures of experts, stored expert by expert, have some fifty thousand tensors.
const MAX_TENSORS: u64 = 1 << 16;
/// An entry takes at least: length of key, one byte of key, type, one byte of value.
const MIN_ENTRY_BYTES: u64 = 8 + 1 + 4 + 1;
/// A tensor's description takes at least: length of name, one byte of name, number of dimensions,
/// one dimension, type, offset.
const MIN_TENSOR_BYTES: u64 = 8 + 1 + 4 + 8 + 4 + 8;
/// What tensors are aligned to if a file doesn't say.
const DEFAULT_ALIGNMENT: u32 = 32;
/// More than a page of any system would only waste space.
const MAX_ALIGNMENT: u32 = 1 << 16;

/// What the first 24 bytes say.
pub(super) struct Counts {
    pub(super) version: u32,
    pub(super) n_tensors: u64,
    pub(super) n_entries: u64,
}

/// Reads magic, version, number of tensors, number of metadata entries.
pub(super) fn read(reader: &mut Reader<'_>) -> Result<Counts, GgufError> {
    let mut magic = [0u8; 4];
    let n = (reader.len() as usize).min(4);
    reader.bytes(&mut magic[..n], &|| "the magic bytes".into())?;
    if n < 4 || &magic != b"GGUF" {
        let text = String::from_utf8_lossy(&magic[..n]);
        return Err(GgufError::NotGguf { found: format!("{text:?}") });
    }

    let offset = reader.pos();
    let version: u32 = reader.number(&|| "the version".into())?;
    if !(2..=3).contains(&version) {
        let found = if (1..=3).contains(&version.swap_bytes()) {
            format!("{} in big-endian byte order", version.swap_bytes())
        } else {
            version.to_string()
        };
        return Reader::invalid(
            offset,
            "the version",
            found,
            "2 and 3, little-endian (gguf-py's `gguf-convert-endian FILE little` turns a file around)",
        );
    }

    let n_tensors = count(reader, "the number of tensors", MAX_TENSORS)?;
    let n_entries = count(reader, "the number of metadata entries", MAX_ENTRIES)?;
    reader
        .need(n_entries * MIN_ENTRY_BYTES, &|| format!("a list of {n_entries} metadata entries"))?;
    reader.need(n_tensors * MIN_TENSOR_BYTES, &|| format!("a list of {n_tensors} tensors"))?;
    Ok(Counts { version, n_tensors, n_entries })
}

fn count(reader: &mut Reader<'_>, field: &str, max: u64) -> Result<u64, GgufError> {
    let offset = reader.pos();
    let n: u64 = reader.number(&|| field.into())?;
    if n > max {
        return Reader::invalid(offset, field, n.to_string(), format!("at most {max}"));
    }
    Ok(n)
}

/// What the offsets of tensors are multiples of.
pub(super) fn alignment(metadata: &Metadata) -> Result<u64, GgufError> {
    const KEY: &str = "general.alignment";
    match metadata.get(KEY) {
        None => Ok(DEFAULT_ALIGNMENT.into()),
        // The format requires a multiple of 8.
        Some(&Value::U32(n)) if n.is_power_of_two() && (8..=MAX_ALIGNMENT).contains(&n) => {
            Ok(n.into())
        }
        Some(Value::U32(n)) => Reader::invalid(
            metadata.offset_of(KEY).unwrap_or(0),
            format!("metadata key {KEY:?}"),
            n.to_string(),
            format!("a power of two from 8 to {MAX_ALIGNMENT}"),
        ),
        Some(other) => Err(GgufError::WrongType {
            key: KEY.into(),
            expected: "an unsigned 32-bit integer (u32)",
            found: other.describe(),
        }),
    }
}
