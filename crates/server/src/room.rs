//! What a job may come to in, the pages of keys and values that it can need out.
//!
//! A job begins only if there is room for all that it may become: what is held, what was promised
//! to those that run and what it needs itself are never more than there is. So nothing fails in the
//! middle for want of memory. What is kept of ended texts uses the rest, and goes when a job needs
//! it.

use kelvin_engine::transformer::PAGE;

/// How much runs at once.
#[derive(Debug, Clone, Copy)]
pub struct Room {
    /// Texts.
    pub n_texts: usize,
    /// Pages of keys and values, of all that runs and of all that is kept.
    pub n_pages: usize,
}

impl Room {
    /// Tokens that the pages hold.
    pub fn n_tokens(self) -> usize {
        self.n_pages * PAGE
    }
}

/// Pages of a prompt and of `n_texts` continuations of up to `max_tokens` tokens: the prompt's
/// whole pages are shared, the rest of it every text has for itself.
pub(crate) fn pages(prompt: usize, n_texts: usize, max_tokens: usize) -> usize {
    prompt.div_ceil(PAGE) + pages_after_prompt(prompt, n_texts, max_tokens)
}

/// Those of them that aren't taken while the prompt is read.
pub(crate) fn pages_after_prompt(prompt: usize, n_texts: usize, max_tokens: usize) -> usize {
    let whole = prompt / PAGE;
    let of_a_text = (prompt + max_tokens).div_ceil(PAGE) - whole;
    // The prompt's last page, if it isn't full, becomes the first of one of them.
    (n_texts * of_a_text).saturating_sub(prompt.div_ceil(PAGE) - whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_by_hand() {
        assert_eq!(pages(32, 1, 0), 1);
        assert_eq!(pages(32, 1, 1), 2);
        assert_eq!(pages(33, 1, 31), 2);
        assert_eq!(pages(33, 1, 32), 3);
        // One whole page and three texts that each begin in a page of their own.
        assert_eq!(pages(40, 3, 24), 4);
        assert_eq!(pages(40, 3, 25), 7);
        // Only the prompt is read.
        assert_eq!(pages(40, 0, 0), 2);
        assert_eq!(pages(64, 0, 100), 2);
    }
}
