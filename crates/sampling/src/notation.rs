//! Parses the text after a stage's name: a value, then `key:value` pairs, separated by commas.

use std::str::FromStr;

use crate::{
    error::ChainError,
    stages::StageInfo,
    state::{Scope, Window},
};

/// A stage's parameters as they were typed.
pub(crate) struct Values<'t> {
    info: &'static StageInfo,
    whole: &'t str,
    first: Option<&'t str>,
    named: Vec<(&'t str, &'t str)>,
}

impl<'t> Values<'t> {
    /// Splits the text after `=`. Keys must be among `keys`, none twice.
    pub(crate) fn read(
        info: &'static StageInfo,
        text: Option<&'t str>,
        keys: &[&str],
    ) -> Result<Values<'t>, ChainError> {
        let whole = text.unwrap_or("");
        let mut values = Values { info, whole, first: None, named: Vec::new() };
        if whole.is_empty() {
            return Ok(values);
        }
        for (i, item) in split(whole, ',').into_iter().enumerate() {
            match item.split_once(':') {
                Some((key, value))
                    if keys.contains(&key.trim()) && values.named(key.trim()).is_none() =>
                {
                    values.named.push((key.trim(), value.trim()));
                }
                None if i == 0 && !item.is_empty() => values.first = Some(item),
                _ => return Err(values.refuse()),
            }
        }
        Ok(values)
    }

    /// The value before all keys.
    ///
    /// # Errors
    /// If there is none.
    pub(crate) fn first(&self) -> Result<&'t str, ChainError> {
        self.first.ok_or_else(|| self.refuse())
    }

    /// The first value as a number. Ranges (and NaN) are checked where the stage is made.
    pub(crate) fn number<T: FromStr>(&self) -> Result<T, ChainError> {
        self.parse(self.first()?)
    }

    /// The number of a key, or its default.
    pub(crate) fn number_or<T: FromStr>(&self, key: &str, default: T) -> Result<T, ChainError> {
        self.named(key).map_or(Ok(default), |text| self.parse(text))
    }

    /// `window:n`, or its default.
    pub(crate) fn window_or(&self, default: Window) -> Result<Window, ChainError> {
        match self.named("window") {
            None => Ok(default),
            Some("-1") => Ok(Window::ALL),
            Some(text) => Ok(Window::last(self.parse(text)?)),
        }
    }

    /// `scope:…`, or its default.
    pub(crate) fn scope_or(&self, default: Scope) -> Result<Scope, ChainError> {
        match self.named("scope") {
            None => Ok(default),
            Some("output") => Ok(Scope::Output),
            Some("prompt+output") => Ok(Scope::All),
            Some(_) => Err(self.refuse()),
        }
    }

    /// `ties:kept`, or nothing.
    pub(crate) fn ties(&self) -> Result<bool, ChainError> {
        match self.named("ties") {
            None => Ok(false),
            Some("kept") => Ok(true),
            Some(_) => Err(self.refuse()),
        }
    }

    pub(crate) fn named(&self, key: &str) -> Option<&'t str> {
        self.named.iter().find(|(k, _)| *k == key).map(|(_, value)| *value)
    }

    pub(crate) fn parse<T: FromStr>(&self, text: &str) -> Result<T, ChainError> {
        text.parse().map_err(|_| self.refuse())
    }

    /// The error that quotes everything that was typed.
    pub(crate) fn refuse(&self) -> ChainError {
        self.info.refuse(if self.whole.is_empty() { "no value" } else { self.whole })
    }

    /// The result of a stage's own check, with an error that quotes everything that was typed.
    pub(crate) fn checked<T>(&self, made: Result<T, ChainError>) -> Result<T, ChainError> {
        made.map_err(|_| self.refuse())
    }
}

/// The parts of a chain's notation between separators, except those in quotes.
pub fn split(text: &str, separator: char) -> Vec<&str> {
    let mut is_quoted = false;
    text.split(move |c| {
        is_quoted ^= c == '"';
        c == separator && !is_quoted
    })
    .map(str::trim)
    .collect()
}

/// A text as the notation writes it: in double quotes, with an escape for every character that
/// separates parts of a chain.
///
/// Escapes are `\n`, `\t`, `\r` and `\xNN` (two hexadecimal digits, below 80), so a quoted text has
/// no `|`, `,`, `:`, `/`, `+` or brace, and the notation can be split without regard to quotes.
pub(crate) fn quote(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c.is_ascii() && !c.is_ascii_alphanumeric() && !" *-_.;!?#".contains(c) => {
                out.push_str(&format!("\\x{:02x}", c as u32));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// The first escape of a text in quotes that is none of [`quote`]'s.
pub(crate) fn bad_escape(quoted: &str) -> Option<&str> {
    let mut rest = quoted;
    while let Some(at) = rest.find('\\') {
        rest = &rest[at..];
        let is_escape = |end: usize| {
            let Some(escape) = rest.get(..end) else { return false };
            unquote(&format!("\"{escape}\"")).is_some()
        };
        let Some(end) = [2, 4].into_iter().find(|&end| is_escape(end)) else {
            let n = if rest.starts_with("\\x") { 4 } else { 2 };
            return Some(rest.char_indices().nth(n).map_or(rest, |(end, _)| &rest[..end]));
        };
        rest = &rest[end..];
    }
    None
}

/// The text that [`quote`] wrote; `None` if the text isn't quoted.
pub(crate) fn unquote(quoted: &str) -> Option<String> {
    let mut rest = quoted.strip_prefix('"')?.strip_suffix('"')?.chars();
    let mut text = String::new();
    while let Some(c) = rest.next() {
        text.push(match c {
            '"' => return None,
            '\\' => match rest.next()? {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                'x' => {
                    let (high, low) = (rest.next()?.to_digit(16)?, rest.next()?.to_digit(16)?);
                    char::from_u32(16 * high + low).filter(char::is_ascii)?
                }
                _ => return None,
            },
            c => c,
        });
    }
    Some(text)
}
