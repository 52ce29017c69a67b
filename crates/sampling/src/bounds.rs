//! How much of a chain is taken: numbers that errors say, and so stand below them.

/// Stages of a chain: each may scan the whole vocabulary in every step.
pub(crate) const MAX_STAGES: usize = 64;
/// Breakers of `dry` in a chain that are texts: each costs a pass over the vocabulary.
pub(crate) const MAX_TEXTS: usize = 64;
/// Bytes of a breaker that is a text (llama.cpp cuts longer ones there).
pub(crate) const MAX_TEXT_BYTES: usize = 40;
/// Parts of a schedule: each may look at the text in every step.
pub(crate) const MAX_PARTS: usize = 16;
