//! Numbers in JSON: infinities as strings, f32 with the shortest digits that round-trip.

use kelvin_engine::gguf::Value as GgufValue;
use serde::Serializer;
use serde_json::Value;

/// Serializes a number that may be infinite. JSON has no infinity, so it is `"inf"` or `"-inf"`.
///
/// # Errors
/// If the serializer fails.
pub fn number<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    if value.is_infinite() {
        serializer.serialize_str(if *value > 0.0 { "inf" } else { "-inf" })
    } else {
        serializer.serialize_f64(*value)
    }
}

/// As [`number`], for an optional number; `None` is null.
///
/// # Errors
/// If the serializer fails.
pub fn maybe_number<S: Serializer>(value: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => number(value, serializer),
        None => serializer.serialize_none(),
    }
}

/// An f32 as the shortest decimal that round-trips (0.1 rather than 0.10000000149011612).
pub fn short(value: f32) -> f64 {
    value.to_string().parse().unwrap_or(f64::from(value))
}
/// A value of a model file's metadata; of an array, what it is in words.
pub fn metadata(value: &GgufValue) -> Value {
    match value {
        GgufValue::U8(x) => (*x).into(),
        GgufValue::I8(x) => (*x).into(),
        GgufValue::U16(x) => (*x).into(),
        GgufValue::I16(x) => (*x).into(),
        GgufValue::U32(x) => (*x).into(),
        GgufValue::I32(x) => (*x).into(),
        GgufValue::U64(x) => (*x).into(),
        GgufValue::I64(x) => (*x).into(),
        GgufValue::F32(x) => short(*x).into(),
        GgufValue::F64(x) => (*x).into(),
        GgufValue::Bool(x) => (*x).into(),
        GgufValue::Str(x) => x.as_str().into(),
        array => array.describe().into(),
    }
}
