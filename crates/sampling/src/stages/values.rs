//! Parses the text after a stage's name: a value, then `key:value` pairs, separated by commas.

use std::str::FromStr;

use super::StageInfo;
use crate::{
    error::ChainError,
    notation::split,
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
