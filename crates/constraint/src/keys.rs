//! Masks tokens that would write a key twice into one JSON object.
//!
//! A grammar can't keep keys distinct where a schema leaves them open. This scanner follows the
//! text and masks tokens that close a key which the object already has. It also masks escapes such
//! as `\u0061` in keys, because a listed key in that spelling would count as an open one. The text
//! is known to be JSON.

use std::{collections::HashSet, sync::Arc};

use kelvin_engine::TokenId;
use llguidance::toktrie::SimpleVob;

use super::vocabulary::Vocabulary;

/// The tokens of a vocabulary that can close a name or escape a character in one.
#[derive(Debug)]
pub(super) struct Closers {
    vocabulary: Arc<Vocabulary>,
    suspects: Vec<u32>,
}

impl Closers {
    pub(super) fn new(vocabulary: Arc<Vocabulary>) -> Closers {
        let is_suspect = |bytes: &[u8]| bytes.contains(&b'"') || bytes.contains(&b'\\');
        let suspects = (0..vocabulary.len()).filter(|id| is_suspect(vocabulary.word(*id)));
        let suspects = suspects.map(|id| id as u32).collect();
        Closers { vocabulary, suspects }
    }

    /// Removes from `allowed` what can't follow `keys`.
    pub(super) fn keep_apart(&self, keys: &Keys, allowed: &mut SimpleVob) {
        let mut check = |id: u32| {
            let bytes = self.vocabulary.word(id as usize);
            if allowed.get(id as usize) && keys.may_matter(bytes) && !keys.allow(bytes) {
                allowed.disallow_token(id);
            }
        };
        if matches!(keys.place, Place::NameEscape | Place::NameHex(..)) {
            // Any token may go on with an escape.
            (0..self.vocabulary.len() as u32).for_each(check);
        } else {
            self.suspects.iter().for_each(|id| check(*id));
        }
    }

    /// Advances by a token.
    pub(super) fn take(&self, keys: &mut Keys, token: TokenId) {
        for byte in self.vocabulary.word(token.0 as usize) {
            step(&mut keys.place, &mut keys.name, &mut keys.open, *byte);
        }
    }
}

/// The scanner's position in the JSON text.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Place {
    /// Between values; whether a string that begins here is a name.
    Between {
        name_next: bool,
    },
    /// In a string that is a value, and behind its backslash.
    Value,
    ValueEscape,
    /// In a name, behind its backslash, and in the four digits of `\u`: how many there are, their
    /// value.
    Name,
    NameEscape,
    NameHex(u8, u32),
}

/// The names of every object that is open, outermost first.
#[derive(Debug, Clone)]
pub(super) struct Keys {
    place: Place,
    /// The name that is being written, decoded.
    name: Vec<u8>,
    open: Vec<Level>,
}

#[derive(Debug, Clone)]
enum Level {
    Object(HashSet<Vec<u8>>),
    Array,
}

impl Keys {
    /// Before the first byte.
    pub(super) fn new() -> Keys {
        Keys { place: Place::Between { name_next: false }, name: Vec::new(), open: Vec::new() }
    }

    /// A quick look at whether a token can end a name or escape something in one.
    fn may_matter(&self, bytes: &[u8]) -> bool {
        let n_quotes = || bytes.iter().filter(|byte| **byte == b'"').count();
        let is_escaped = || bytes.contains(&b'\\');
        match self.place {
            Place::Name | Place::NameEscape | Place::NameHex(..) => true,
            Place::Between { .. } => n_quotes() + usize::from(is_escaped()) >= 2,
            Place::Value | Place::ValueEscape => n_quotes() + usize::from(is_escaped()) >= 3,
        }
    }

    /// Whether these bytes may come next.
    fn allow(&self, bytes: &[u8]) -> bool {
        let mut place = self.place;
        let mut name = self.name.clone();
        let mut ahead = Ahead { open: &self.open, added: Vec::new(), inner: Vec::new() };
        bytes.iter().all(|byte| step(&mut place, &mut name, &mut ahead, *byte))
    }
}

/// The open objects, as `step` needs them.
trait Open {
    fn push(&mut self, is_object: bool);
    fn pop(&mut self);
    fn is_object(&self) -> bool;
    /// Adds a name to the innermost object; false if the object has it.
    fn add(&mut self, name: &[u8]) -> bool;
}

impl Open for Vec<Level> {
    fn push(&mut self, is_object: bool) {
        Vec::push(self, if is_object { Level::Object(HashSet::new()) } else { Level::Array });
    }

    fn pop(&mut self) {
        Vec::pop(self);
    }

    fn is_object(&self) -> bool {
        matches!(self.last(), Some(Level::Object(_)))
    }

    fn add(&mut self, name: &[u8]) -> bool {
        match self.last_mut() {
            Some(Level::Object(names)) => names.insert(name.to_vec()),
            _ => true,
        }
    }
}

/// The open objects after some more bytes, without a copy of the state.
struct Ahead<'a> {
    open: &'a [Level],
    /// Names added to the innermost of `open`.
    added: Vec<Vec<u8>>,
    /// Objects that were opened since.
    inner: Vec<Level>,
}

impl Open for Ahead<'_> {
    fn push(&mut self, is_object: bool) {
        Open::push(&mut self.inner, is_object);
    }

    fn pop(&mut self) {
        if self.inner.pop().is_none() {
            self.open = self.open.split_last().map_or(&[], |(_, outer)| outer);
            self.added.clear();
        }
    }

    fn is_object(&self) -> bool {
        if self.inner.is_empty() {
            matches!(self.open.last(), Some(Level::Object(_)))
        } else {
            self.inner.is_object()
        }
    }

    fn add(&mut self, name: &[u8]) -> bool {
        if !self.inner.is_empty() {
            return self.inner.add(name);
        }
        let is_there =
            matches!(self.open.last(), Some(Level::Object(names)) if names.contains(name));
        if is_there || self.added.iter().any(|added| added == name) {
            return false;
        }
        self.added.push(name.to_vec());
        true
    }
}

/// Advances by a byte; false if it can't follow.
fn step(place: &mut Place, name: &mut Vec<u8>, open: &mut impl Open, byte: u8) -> bool {
    *place = match (*place, byte) {
        (Place::Value, b'"') => Place::Between { name_next: false },
        (Place::Value, b'\\') => Place::ValueEscape,
        (Place::Value | Place::ValueEscape, _) => Place::Value,
        (Place::Name, b'"') => {
            if !open.add(name) {
                return false;
            }
            Place::Between { name_next: false }
        }
        (Place::Name, b'\\') => Place::NameEscape,
        (Place::Name, _) => {
            name.push(byte);
            Place::Name
        }
        (Place::NameEscape, b'u') => Place::NameHex(0, 0),
        (Place::NameEscape, _) => {
            name.push(match byte {
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                b'b' => 8,
                b'f' => 12,
                other => other,
            });
            Place::Name
        }
        (Place::NameHex(n, value), _) => {
            let Some(digit) = char::from(byte).to_digit(16) else { return false };
            let value = value * 16 + digit;
            // Control characters have no other form; all others are written as they are.
            let fits = match n {
                0 | 1 => value == 0,
                2 => matches!(value, 0 | 1 | 7),
                _ => value < 0x20 || value == 0x7f,
            };
            if !fits {
                return false;
            }
            if n == 3 {
                name.push(value as u8);
                Place::Name
            } else {
                Place::NameHex(n + 1, value)
            }
        }
        (Place::Between { name_next: true }, b'"') => {
            name.clear();
            Place::Name
        }
        (Place::Between { name_next: false }, b'"') => Place::Value,
        (Place::Between { .. }, b'{') => {
            open.push(true);
            Place::Between { name_next: true }
        }
        (Place::Between { .. }, b'[') => {
            open.push(false);
            Place::Between { name_next: false }
        }
        (Place::Between { .. }, b'}' | b']') => {
            open.pop();
            Place::Between { name_next: false }
        }
        (Place::Between { .. }, b',') => Place::Between { name_next: open.is_object() },
        (between, _) => between,
    };
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(text: &str) -> Keys {
        let mut keys = Keys::new();
        for byte in text.bytes() {
            assert!(step(&mut keys.place, &mut keys.name, &mut keys.open, byte), "{text}");
        }
        keys
    }

    #[test]
    fn a_name_is_closed_once_in_each_object() {
        for (text, next, may) in [
            (r#"{"a":1,"a"#, r#"":"#, false),
            (r#"{"a":1,"a"#, r#"b":"#, true),
            (r#"{"a":1,"b":{"a"#, r#"":"#, true),
            (r#"{"a":1,"b":{"c":2},"b"#, r#"""#, false),
            (r#"{"a":1,"#, r#""a":2"#, false),
            (r#"{"#, r#""a":2,"a":"#, false),
            (r#"{"x":[{"a":1},{"#, r#""a":1},{"a":2}],"x""#, false),
            (r#"{"x":[{"a":1},{"#, r#""a":1},{"a":2}],"y""#, true),
            (r#"{"x":"\"a\":1,\"a\"#, r#"":1,"#, true),
            (r#"{"a\n":1,"a\u000a"#, r#"""#, false),
            (r#"{"\u00"#, r#"61":"#, false),
            (r#"{"\u00"#, r#"1F":"#, true),
            (r#"{"x":"\u00"#, r#"61""#, true),
            (r#"["a","a"#, r#"","a"]"#, true),
        ] {
            let keys = after(text);
            assert_eq!(keys.allow(next.as_bytes()), may, "{text} {next}");
        }
    }
}
