//! Tokens in, logits out: one forward pass for every family.
