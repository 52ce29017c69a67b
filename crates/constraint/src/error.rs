//! Why a text can't be held to a form, and the parser's errors made short.

/// Why a text can't be held to a form.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FormError {
    /// It's larger than anybody needs.
    #[error("it has {found} {unit}, at most {most} are taken")]
    TooLarge {
        /// How much it has.
        found: usize,
        /// What of.
        unit: &'static str,
        /// The most.
        most: usize,
    },
    /// It's wrong, not supported, or more than the parser's limits allow; in the parser's words.
    #[error("{0}")]
    Refused(String),
    /// It explodes.
    #[error("compiling it takes longer than the {0} s that there are for that; make it simpler")]
    TooSlow(u64),
    /// Others are being compiled.
    #[error("others are being compiled; try again later")]
    Busy,
    /// A schema that is no JSON.
    #[error("it isn't JSON: {0}")]
    NotJson(String),
    /// It can be held to no form, since none can end.
    #[error("the model has no token that ends a text, so none can be given a form")]
    Endless,
    /// Nothing that has to do with it.
    #[error("compiling the form failed: {0}")]
    Failed(String),
}

/// The first line of what the parser says, at most so long, and what it says below it of the
/// reason; what it says of a panic is of use to nobody here.
pub(crate) fn short(words: &str) -> String {
    let line = words.lines().next().unwrap_or_default().trim();
    if line.starts_with("panic") {
        return "the parser of constraints failed on it".to_string();
    }
    let reason = words.lines().skip(1).find_map(|line| line.trim().strip_prefix("error: "));
    let reason = reason.map(|reason| format!(" {reason}")).unwrap_or_default();
    line.chars().chain(reason.chars()).take(400).collect()
}
