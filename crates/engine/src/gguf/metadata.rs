//! The key-value section of a GGUF file, in file order, with typed access.

use std::collections::HashMap;

use super::{
    error::GgufError,
    reader::{Reader, heap_bytes},
    value::{self, Value},
};

/// The format's own limit on the length of a key, in bytes.
const MAX_KEY: u64 = (1 << 16) - 1;

/// The key-value section of a file.
#[derive(Debug, Clone, Default)]
pub struct Metadata {
    /// In file order.
    pub entries: Vec<(String, Value)>,
    index: HashMap<String, Place>,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    /// In `entries`.
    entry: usize,
    /// Of the key in the file, in bytes; 0 without a file.
    offset: u64,
    /// The format's number for the type of an array's elements; none without a file.
    element: Option<u32>,
}

/// Reads `n` entries. The caller has checked that the file could hold as many.
pub(super) fn read(reader: &mut Reader<'_>, n: u64) -> Result<Metadata, GgufError> {
    let mut metadata = Metadata::default();
    for i in 0..n {
        let offset = reader.pos();
        let key = reader.string(MAX_KEY, &|| format!("key {i} of the metadata"))?;
        if key.is_empty() {
            return Reader::invalid(
                offset,
                format!("key {i} of the metadata"),
                "an empty key",
                "1 to 65535 bytes",
            );
        }
        // The key a second time for the index; lists double, and hash tables are at most seven
        // eighths full.
        let per_entry = 3 * size_of::<(String, Value)>() + 5 * size_of::<(String, Place)>();
        reader.charge(heap_bytes(key.len() as u64) + per_entry as u64, &|| {
            format!("metadata key {key:?}")
        })?;
        let (value, element) = value::read(reader, &key)?;
        if !metadata.insert(key, value, offset, element) {
            let key = &metadata.entries[i as usize].0;
            return Reader::invalid(
                offset,
                format!("metadata key {key:?}"),
                "the key a second time",
                "each key once",
            );
        }
    }
    Ok(metadata)
}

impl FromIterator<(String, Value)> for Metadata {
    /// Metadata without a file; the last of equal keys counts.
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(entries: I) -> Self {
        let mut metadata = Metadata::default();
        for (key, value) in entries {
            metadata.insert(key, value, 0, None);
        }
        metadata
    }
}

impl Metadata {
    /// Whether the key was a new one.
    fn insert(&mut self, key: String, value: Value, offset: u64, element: Option<u32>) -> bool {
        let place = Place { entry: self.entries.len(), offset, element };
        let new = self.index.insert(key.clone(), place).is_none();
        self.entries.push((key, value));
        new
    }

    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.index.get(key).map(|place| &self.entries[place.entry].1)
    }

    /// Where in the file `key` stands, in bytes.
    pub(super) fn offset_of(&self, key: &str) -> Option<u64> {
        self.index.get(key).map(|place| place.offset)
    }

    /// Refuses an array whose elements have another type in the file than those `allowed` (as the
    /// format calls them: `i32`). Values don't tell, because arrays of integers and of floats are
    /// widened when they are read.
    ///
    /// # Errors
    /// Another type of element; the error says `expected`.
    pub fn check_elements(
        &self,
        key: &str,
        allowed: &[&str],
        expected: &'static str,
    ) -> Result<(), GgufError> {
        let element = self.index.get(key).and_then(|place| place.element).map(value::type_name);
        match element.filter(|name| !allowed.contains(name)) {
            Some(name) => {
                let found = format!("an array of {name}");
                Err(GgufError::WrongType { key: key.into(), expected, found })
            }
            None => Ok(()),
        }
    }

    /// An unsigned integer: of any integer type, if its value fits. `Ok(None)` if the key is
    /// absent.
    ///
    /// # Errors
    /// Another type or a value out of range: the error names key, expected and found, as it does in
    /// all of these.
    pub fn u32(&self, key: &str) -> Result<Option<u32>, GgufError> {
        self.typed(key, "an integer from 0 to 2^32-1", |value| value.integer()?.try_into().ok())
    }

    /// A float, f32 or f64.
    ///
    /// # Errors
    /// Another type.
    pub fn f32(&self, key: &str) -> Result<Option<f32>, GgufError> {
        self.typed(key, "a float", |value| match *value {
            Value::F32(v) => Some(v),
            Value::F64(v) => Some(v as f32),
            _ => None,
        })
    }

    /// A bool.
    ///
    /// # Errors
    /// Another type.
    pub fn bool(&self, key: &str) -> Result<Option<bool>, GgufError> {
        self.typed(key, "a bool", |value| match *value {
            Value::Bool(v) => Some(v),
            _ => None,
        })
    }

    /// A string.
    ///
    /// # Errors
    /// Another type.
    pub fn str(&self, key: &str) -> Result<Option<&str>, GgufError> {
        self.typed(key, "a string", |value| match value {
            Value::Str(v) => Some(v.as_str()),
            _ => None,
        })
    }

    /// An array of strings.
    ///
    /// # Errors
    /// Another type.
    pub fn str_array(&self, key: &str) -> Result<Option<&[String]>, GgufError> {
        self.typed(key, "an array of strings", |value| match value {
            Value::StrArray(v) => Some(v.as_slice()),
            _ => None,
        })
    }

    /// An array of floats.
    ///
    /// # Errors
    /// Another type.
    pub fn f32_array(&self, key: &str) -> Result<Option<&[f32]>, GgufError> {
        self.typed(key, "an array of floats", |value| match value {
            Value::FloatArray(v) => Some(v.as_slice()),
            _ => None,
        })
    }

    /// An array of integers.
    ///
    /// # Errors
    /// Another type.
    pub fn int_array(&self, key: &str) -> Result<Option<&[i64]>, GgufError> {
        self.typed(key, "an array of integers", |value| match value {
            Value::IntArray(v) => Some(v.as_slice()),
            _ => None,
        })
    }

    /// An array of bools.
    ///
    /// # Errors
    /// Another type.
    pub fn bool_array(&self, key: &str) -> Result<Option<&[bool]>, GgufError> {
        self.typed(key, "an array of bools", |value| match value {
            Value::BoolArray(v) => Some(v.as_slice()),
            _ => None,
        })
    }

    fn typed<'a, T>(
        &'a self,
        key: &str,
        expected: &'static str,
        take: impl Fn(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, GgufError> {
        let Some(value) = self.get(key) else {
            return Ok(None);
        };
        match take(value) {
            Some(taken) => Ok(Some(taken)),
            None => {
                Err(GgufError::WrongType { key: key.into(), expected, found: value.describe() })
            }
        }
    }
}
