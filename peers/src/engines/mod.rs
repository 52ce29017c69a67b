//! The engines that are compared, behind the two things that a comparison asks of them: read a
//! prompt, take a step.

#[cfg(feature = "candle")]
pub mod candle;
pub mod kelvin;
pub mod llama;

use anyhow::Result;

/// One engine with one model loaded.
pub trait Engine {
    /// Forgets everything, reads a prompt that `ways` continuations share, and returns each one's
    /// most likely next token.
    fn read(&mut self, tokens: &[u32], ways: usize) -> Result<Vec<u32>>;

    /// Appends one token to each continuation, all in one step, and returns each one's most likely
    /// next token.
    fn step(&mut self, tokens: &[u32]) -> Result<Vec<u32>>;
}

/// The place of the largest logit, the first of equals.
pub fn most_likely(row: &[f32]) -> u32 {
    // The largest first, which compilers do in vectors, then where it is: a plain search took a
    // third of a step of 16 ways.
    let max = row.iter().fold(f32::NEG_INFINITY, |max, &x| if x > max { x } else { max });
    row.iter().position(|&x| x == max).unwrap_or(0) as u32
}
