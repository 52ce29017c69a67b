//! The lines of a recipe's file at which its fields stand, for errors that are found later, when
//! fields are combined.

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

use super::RecipeError;

/// Where a file has its fields.
#[derive(Debug, Clone, Default)]
pub struct Lines {
    /// The file as it was named; empty if there is none.
    file: String,
    /// The line of each field, from 1. Fields of a table have their table's name and a dot before
    /// theirs.
    lines: BTreeMap<String, usize>,
    /// Fields that flags gave in the place of the file.
    overridden: Vec<&'static str>,
}

/// Where fields stand is no part of what they are: equal settings are equal.
impl PartialEq for Lines {
    fn eq(&self, _: &Lines) -> bool {
        true
    }
}

impl Lines {
    /// Of a TOML file and its text. A text that is no TOML has none.
    pub(super) fn of(file: &str, text: &str) -> Lines {
        let line = |at: usize| text[..at.min(text.len())].matches('\n').count() + 1;
        let mut lines = BTreeMap::new();
        if let Ok(table) = DeTable::parse(text) {
            for (name, value) in table.get_ref() {
                lines.insert(name.get_ref().to_string(), line(name.span().start));
                let DeValue::Table(inner) = value.get_ref() else { continue };
                for (key, _) in inner {
                    let field = format!("{}.{}", name.get_ref(), key.get_ref());
                    lines.insert(field, line(key.span().start));
                }
            }
        }
        Lines { file: file.to_string(), lines, overridden: Vec::new() }
    }

    /// Whether there is no file.
    pub(super) fn is_empty(&self) -> bool {
        self.file.is_empty()
    }

    /// The lines where flags gave these fields.
    pub(super) fn without(self, given: &[&'static str]) -> Lines {
        Lines { overridden: given.to_vec(), ..self }
    }

    /// The error with the file and the line of its field. A field that a flag gave has neither, one
    /// that nobody gave has no line.
    pub(super) fn place(&self, error: RecipeError) -> RecipeError {
        let field = error.field;
        let table = field.split('.').next().unwrap_or_default();
        if self.is_empty() || self.overridden.contains(&table) {
            return RecipeError { field, ..error };
        }
        let line = self.lines.get(&field).or_else(|| self.lines.get(table));
        let line = line.map_or_else(String::new, |line| format!("line {line}, "));
        RecipeError { field: format!("{}, {line}{field}", self.file), ..error }
    }
}
