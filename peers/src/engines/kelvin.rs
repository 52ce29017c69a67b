//! Kelvin itself, as the library that other programs use: tokens in, logits out.

use std::path::Path;

use anyhow::{Result, bail};

use super::Engine;

/// A loaded model with its sequences.
pub struct Kelvin {}

impl Kelvin {
    /// Loads the model.
    pub fn load(_path: &Path, _threads: usize) -> Result<Kelvin> {
        bail!("kelvin-engine has no forward pass yet")
    }

    /// Reads `tokens` as a text of its own and calls `row` with the logits after each of them, first to last.
    pub fn rows(&mut self, _tokens: &[u32], _row: impl FnMut(&[f32])) -> Result<()> {
        bail!("kelvin-engine has no forward pass yet")
    }
}

impl Engine for Kelvin {
    fn read(&mut self, _tokens: &[u32], _ways: usize) -> Result<Vec<u32>> {
        bail!("kelvin-engine has no forward pass yet")
    }
    fn step(&mut self, _tokens: &[u32]) -> Result<Vec<u32>> {
        bail!("kelvin-engine has no forward pass yet")
    }
}
