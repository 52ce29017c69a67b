//! Shortens text that errors quote.

/// How many characters of a quoted text are shown.
pub const MAX_QUOTED: usize = 80;
/// How many characters an error may have as a whole.
const MAX_SAID: usize = 2000;

/// The beginning of a text, long enough to recognise it.
pub fn shortened(text: &str) -> String {
    cut(text, MAX_QUOTED)
}

/// Shortens an error message that quotes a long text. It keeps the beginning, and the end, where
/// the advice is.
pub fn bounded(message: String) -> String {
    if message.len() <= MAX_SAID || message.chars().count() <= MAX_SAID {
        return message;
    }
    let half = MAX_SAID / 2 - 1;
    let n_chars = message.chars().count();
    let start: String = message.chars().take(half).collect();
    let end: String = message.chars().skip(n_chars - half).collect();
    format!("{start} … {end}")
}

fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_string(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_words_are_cut_and_short_ones_stay() {
        assert_eq!(shortened("é"), "é");
        assert_eq!(shortened(&"é".repeat(80)), "é".repeat(80));
        assert_eq!(shortened(&"é".repeat(81)), "é".repeat(80) + "…");
        assert_eq!(bounded("x".repeat(2000)).len(), 2000);
        let long = bounded(format!("it is {}, but a number was expected", "é".repeat(300_000)));
        assert!(
            long.chars().count() <= 2001
                && long.starts_with("it is é")
                && long.ends_with("was expected")
        );
    }
}
