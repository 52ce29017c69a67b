//! A model whose logits depend on the last two tokens alone, as `python/beam_goldens.py` has it.

use kelvin_engine::{TokenId, rows::OfText};

/// The model.
#[derive(Debug, Clone)]
pub(super) struct OfIds {
    pub(super) seed: u32,
    pub(super) vocab: u32,
    /// Tokens that end a text, and what is added to their logits.
    pub(super) ends: Vec<u32>,
    pub(super) end_bias: f32,
    /// The last token's logit, if it isn't like the others'.
    pub(super) pad: Option<f32>,
}

/// The finalizer of MurmurHash3.
fn mixed(x: u32) -> u32 {
    let x = (x ^ (x >> 16)).wrapping_mul(0x85EB_CA6B);
    let x = (x ^ (x >> 13)).wrapping_mul(0xC2B2_AE35);
    x ^ (x >> 16)
}

impl OfIds {
    /// One without a pad token.
    pub(super) fn new(seed: u32, vocab: u32, ends: &[u32]) -> OfIds {
        OfIds { seed, vocab, ends: ends.to_vec(), end_bias: 0.0, pad: None }
    }

    /// The logits after a text of at least two tokens.
    pub(super) fn logits(&self, text: &[TokenId]) -> Vec<f32> {
        let [.., before, last] = text else { panic!("two tokens at least") };
        let of = |token: u32| {
            let hash = mixed(mixed(mixed(mixed(self.seed) ^ before.0) ^ last.0) ^ token);
            let bias = if self.ends.contains(&token) { self.end_bias } else { 0.0 };
            match self.pad {
                Some(logit) if token + 1 == self.vocab => logit,
                _ => (hash >> 8) as f32 / (1 << 21) as f32 - 4.0 + bias,
            }
        };
        (0..self.vocab).map(of).collect()
    }

    /// The model that searches read.
    pub(super) fn rows(&self) -> OfText<impl Fn(&[TokenId]) -> Vec<f32>> {
        OfText::new(|text: &[TokenId]| self.logits(text))
    }
}
