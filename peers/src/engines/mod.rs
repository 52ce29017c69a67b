//! The engines that are compared, behind the two things that a comparison asks of them: read a prompt, take a step.

#[cfg(feature = "candle")]
pub mod candle;
pub mod kelvin;
pub mod llama;

use anyhow::Result;

/// One engine with one model loaded.
pub trait Engine {
    /// Forgets everything, reads a prompt that `ways` continuations share, and returns each one's most likely next token.
    fn read(&mut self, tokens: &[u32], ways: usize) -> Result<Vec<u32>>;

    /// Appends one token to each continuation, all in one step, and returns each one's most likely next token.
    fn step(&mut self, tokens: &[u32]) -> Result<Vec<u32>>;
}

/// The place of the largest logit, the first of equals.
pub fn most_likely(row: &[f32]) -> u32 {
    let mut best = 0;
    for (i, x) in row.iter().enumerate() {
        if *x > row[best] {
            best = i;
        }
    }
    best as u32
}
