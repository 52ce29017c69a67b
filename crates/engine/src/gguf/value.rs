//! One metadata value: its type, and how its bytes are read.

use super::{
    error::GgufError,
    reader::{Reader, heap_bytes},
};

/// What a metadata key holds. Arrays are typed, never nested.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "each variant is the GGUF value type of its name")]
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
    /// Arrays of any integer type, widened. An unsigned 64-bit number above 2^63-1 is refused.
    IntArray(Vec<i64>),
    /// Arrays of f32 or f64, as f32.
    FloatArray(Vec<f32>),
    BoolArray(Vec<bool>),
    StrArray(Vec<String>),
}

/// The format's names for its types, by number; 9 is the array.
const NAMES: [&str; 13] =
    ["u8", "i8", "u16", "i16", "u32", "i32", "f32", "bool", "string", "array", "u64", "i64", "f64"];
const ARRAY: u32 = 9;

impl Value {
    /// Type and value (or length) for people, e.g. `-1 (i32)`.
    pub fn describe(&self) -> String {
        match self {
            Value::U8(v) => format!("{v} (u8)"),
            Value::I8(v) => format!("{v} (i8)"),
            Value::U16(v) => format!("{v} (u16)"),
            Value::I16(v) => format!("{v} (i16)"),
            Value::U32(v) => format!("{v} (u32)"),
            Value::I32(v) => format!("{v} (i32)"),
            Value::F32(v) => format!("{v:?} (f32)"),
            Value::Bool(v) => format!("{v} (bool)"),
            Value::U64(v) => format!("{v} (u64)"),
            Value::I64(v) => format!("{v} (i64)"),
            Value::F64(v) => format!("{v:?} (f64)"),
            Value::Str(v) => format!("a string of {} bytes", v.len()),
            Value::IntArray(v) => format!("an array of {} integers", v.len()),
            Value::FloatArray(v) => format!("an array of {} floats", v.len()),
            Value::BoolArray(v) => format!("an array of {} bools", v.len()),
            Value::StrArray(v) => format!("an array of {} strings", v.len()),
        }
    }

    /// Any integer, if it fits 128 bits, which all do.
    pub(crate) fn integer(&self) -> Option<i128> {
        Some(match *self {
            Value::U8(v) => v.into(),
            Value::I8(v) => v.into(),
            Value::U16(v) => v.into(),
            Value::I16(v) => v.into(),
            Value::U32(v) => v.into(),
            Value::I32(v) => v.into(),
            Value::U64(v) => v.into(),
            Value::I64(v) => v.into(),
            _ => return None,
        })
    }
}

/// The format's name for a type, e.g. `i32`.
pub(super) fn type_name(kind: u32) -> &'static str {
    NAMES.get(kind as usize).copied().unwrap_or("unknown")
}

/// Reads the type and the value of `key`. Of an array, also the type of its elements in the file,
/// which `Value` widens.
pub(super) fn read(reader: &mut Reader<'_>, key: &str) -> Result<(Value, Option<u32>), GgufError> {
    let field = || format!("the value of metadata key {key:?}");
    let offset = reader.pos();
    let kind: u32 = reader.number(&|| format!("the type of metadata key {key:?}"))?;
    if kind == ARRAY {
        return read_array(reader, key).map(|(value, element)| (value, Some(element)));
    }
    let value = match kind {
        0 => Value::U8(reader.number(&field)?),
        1 => Value::I8(reader.number(&field)?),
        2 => Value::U16(reader.number(&field)?),
        3 => Value::I16(reader.number(&field)?),
        4 => Value::U32(reader.number(&field)?),
        5 => Value::I32(reader.number(&field)?),
        6 => Value::F32(reader.number(&field)?),
        7 => {
            let offset = reader.pos();
            match reader.number::<u8>(&field)? {
                0 => Value::Bool(false),
                1 => Value::Bool(true),
                other => {
                    return Reader::invalid(offset, field(), format!("the bool {other}"), "0 or 1");
                }
            }
        }
        8 => Value::Str(reader.string(u64::MAX, &field)?),
        10 => Value::U64(reader.number(&field)?),
        11 => Value::I64(reader.number(&field)?),
        12 => Value::F64(reader.number(&field)?),
        _ => return unknown_type(offset, key, "type", kind),
    };
    Ok((value, None))
}

fn read_array(reader: &mut Reader<'_>, key: &str) -> Result<(Value, u32), GgufError> {
    let offset = reader.pos();
    let kind: u32 = reader.number(&|| format!("the element type of metadata key {key:?}"))?;
    let n: u64 = reader.number(&|| format!("the array length of metadata key {key:?}"))?;
    let name = type_name(kind);
    let field = || format!("the array of {n} {name} values of metadata key {key:?}");
    let value = match kind {
        0 => Value::IntArray(reader.numbers(n, |v: u8| v.into(), &field)?),
        1 => Value::IntArray(reader.numbers(n, |v: i8| v.into(), &field)?),
        2 => Value::IntArray(reader.numbers(n, |v: u16| v.into(), &field)?),
        3 => Value::IntArray(reader.numbers(n, |v: i16| v.into(), &field)?),
        4 => Value::IntArray(reader.numbers(n, |v: u32| v.into(), &field)?),
        5 => Value::IntArray(reader.numbers(n, |v: i32| v.into(), &field)?),
        6 => Value::FloatArray(reader.numbers(n, |v: f32| v, &field)?),
        7 => {
            let start = reader.pos();
            let bytes = reader.numbers(n, |v: u8| v, &field)?;
            if let Some(i) = bytes.iter().position(|&b| b > 1) {
                return Reader::invalid(
                    start + i as u64,
                    field(),
                    format!("the bool {}", bytes[i]),
                    "0 or 1",
                );
            }
            reader.charge(n, &field)?;
            Value::BoolArray(bytes.into_iter().map(|b| b == 1).collect())
        }
        8 => {
            // Each string takes at least the eight bytes of its length.
            reader.need(n.saturating_mul(8), &field)?;
            reader.charge(heap_bytes(n.saturating_mul(size_of::<String>() as u64)), &field)?;
            let mut strings = Vec::with_capacity(n as usize);
            for i in 0..n {
                strings.push(
                    reader.string(u64::MAX, &|| format!("string {i} of metadata key {key:?}"))?,
                );
            }
            Value::StrArray(strings)
        }
        ARRAY => {
            let allowed = "arrays of numbers, bools or strings";
            return Reader::invalid(
                offset,
                format!("metadata key {key:?}"),
                "an array of arrays",
                allowed,
            );
        }
        10 => {
            let start = reader.pos();
            let numbers = reader.numbers(n, |v: u64| v as i64, &field)?;
            if let Some(i) = numbers.iter().position(|&v| v < 0) {
                let found = (numbers[i] as u64).to_string();
                return Reader::invalid(start + 8 * i as u64, field(), found, "at most 2^63-1");
            }
            Value::IntArray(numbers)
        }
        11 => Value::IntArray(reader.numbers(n, |v: i64| v, &field)?),
        12 => Value::FloatArray(reader.numbers(n, |v: f64| v as f32, &field)?),
        _ => return unknown_type(offset, key, "element type", kind),
    };
    Ok((value, kind))
}

fn unknown_type<T>(offset: u64, key: &str, what: &str, kind: u32) -> Result<T, GgufError> {
    let allowed = format!("0 to {} ({})", NAMES.len() - 1, NAMES.join(", "));
    Reader::invalid(
        offset,
        format!("the {what} of metadata key {key:?}"),
        kind.to_string(),
        allowed,
    )
}
