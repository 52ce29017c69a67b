//! Joins the bytes of tokens to complete UTF-8 text: a stream never emits part of a character.

/// Decodes a stream of tokens without ever emitting half a UTF-8 character.
///
/// What it emits over its life is what `String::from_utf8_lossy` gives for all the bytes at once.
#[derive(Debug, Default, Clone)]
pub struct TextStream {
    /// The beginning of a character whose rest hasn't come yet: at most 3 bytes between calls.
    pending: Vec<u8>,
}

impl TextStream {
    /// Takes a token's bytes and returns the text that is now complete (invalid bytes as U+FFFD).
    pub fn push(&mut self, bytes: &[u8]) -> String {
        self.pending.extend_from_slice(bytes);
        let mut text = String::with_capacity(self.pending.len());
        let mut rest = self.pending.as_slice();
        loop {
            match std::str::from_utf8(rest) {
                Ok(valid) => {
                    text.push_str(valid);
                    rest = &[];
                    break;
                }
                Err(error) => {
                    let (valid, invalid) = rest.split_at(error.valid_up_to());
                    text.push_str(std::str::from_utf8(valid).expect("valid_up_to says so"));
                    rest = invalid;
                    // No length: the bytes are the beginning of a character that may yet be
                    // completed.
                    let Some(n_invalid) = error.error_len() else {
                        break;
                    };
                    text.push(char::REPLACEMENT_CHARACTER);
                    rest = &rest[n_invalid..];
                }
            }
        }
        let n_done = self.pending.len() - rest.len();
        self.pending.drain(..n_done);
        text
    }

    /// Whether the beginning of a character waits for its rest.
    pub fn is_within_character(&self) -> bool {
        !self.pending.is_empty()
    }

    /// The end: whatever is pending, invalid bytes as U+FFFD.
    pub fn finish(&mut self) -> String {
        let text = String::from_utf8_lossy(&self.pending).into_owned();
        self.pending.clear();
        text
    }
}
