//! Where a schema stands in another, for errors and for the limit on nesting.

use kelvin_views::shorten::shortened;

use crate::error::FormError;

/// How deep a schema may be: no deeper than JSON may be that is read.
pub(super) const MAX_DEPTH: usize = 128;

/// Where a schema stands.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// The JSON pointer.
    pub(super) pointer: String,
    pub(super) depth: usize,
    /// It's inside of a schema with an `$id` of its own, against which references would be
    /// resolved.
    pub(super) is_rebased: bool,
}

impl Place {
    pub(super) fn top() -> Place {
        Place::at("")
    }

    pub(super) fn at(pointer: &str) -> Place {
        Place { pointer: pointer.to_string(), depth: 0, is_rebased: false }
    }

    pub(super) fn inside(&self, name: &str) -> Place {
        let escaped = name.replace('~', "~0").replace('/', "~1");
        let pointer = format!("{}/{escaped}", self.pointer);
        Place { pointer, depth: self.depth + 1, ..*self }
    }

    /// Refuses a keyword here.
    pub(super) fn refuse(&self, keyword: &str, why: &str) -> FormError {
        let place = match self.pointer.as_str() {
            "" => "at the top".to_string(),
            pointer => format!("at {}", shortened(pointer)),
        };
        FormError::Refused(format!("\"{}\" {place} {why}", shortened(keyword)))
    }
}
