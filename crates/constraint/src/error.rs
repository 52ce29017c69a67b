//! Why a text can't be held to a form, and the parser's errors made short.

/// Why a text can't be held to a form.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FormError {
    /// The form exceeds a limit of size.
    #[error("it has {found} {unit}, at most {most} are taken")]
    TooLarge {
        /// The size that was found.
        found: usize,
        /// What is counted.
        unit: &'static str,
        /// The limit.
        most: usize,
    },
    /// The form is wrong, not supported, or exceeds the parser's limits, in the parser's words.
    #[error("{0}")]
    Refused(String),
    /// Compiling exceeds its limits.
    #[error("compiling it takes longer than the {0} s that there are for that; make it simpler")]
    TooSlow(u64),
    /// Too many forms are being compiled.
    #[error("others are being compiled; try again later")]
    Busy,
    /// The schema isn't JSON.
    #[error("it isn't JSON: {0}")]
    NotJson(String),
    /// The model has no end token, so no text of a form could end.
    #[error("the model has no token that ends a text, so none can be given a form")]
    Endless,
    /// An error that has nothing to do with the form.
    #[error("compiling the form failed: {0}")]
    Failed(String),
}

/// The first line of the parser's message, shortened, and the reason below it. The message of a
/// panic is left out.
pub(crate) fn short(words: &str) -> String {
    let line = words.lines().next().unwrap_or_default().trim();
    if line.starts_with("panic") {
        return "the parser of constraints failed on it".to_string();
    }
    if line.contains("NoExtensionBias") {
        return "the vocabulary has no token with which a text of this form could go on"
            .to_string();
    }
    let reason = words.lines().skip(1).find_map(|line| line.trim().strip_prefix("error: "));
    let reason = reason.map(|reason| format!(" {reason}")).unwrap_or_default();
    line.chars().chain(reason.chars()).take(400).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parsers_own_names_are_put_in_words() {
        assert!(short("NoExtensionBias").starts_with("the vocabulary has no token"));
        assert_eq!(short("panic: at 3"), "the parser of constraints failed on it");
        assert_eq!(short("failed\n  at x\nerror: no rule a\n"), "failed no rule a");
    }
}
