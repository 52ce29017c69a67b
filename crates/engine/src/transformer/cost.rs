//! What a step costs at least: bytes that must be read and multiplications that must be done, for
//! those who compare a speed with what the machine could do.

use kelvin_kernels::pool::Pool;

use super::{CacheFormat, Config, LayerConfig, Model};

impl Config {
    /// Bytes of keys and values that the token at position `pos` reads; a window leaves out what
    /// lies before it.
    pub fn cache_bytes(&self, pos: usize, cache: CacheFormat) -> usize {
        let seen = |layer: &LayerConfig| layer.window.unwrap_or(usize::MAX).min(pos + 1);
        let positions: usize = self.layers.iter().map(seen).sum();
        positions * 2 * self.n_kv_heads * self.head_dim * cache.bytes()
    }

    /// Bytes of a page of keys and values: [`super::PAGE`] positions of all layers.
    pub fn page_bytes(&self, cache: CacheFormat) -> usize {
        self.n_layers * 2 * self.n_kv_heads * self.head_dim * super::PAGE * cache.bytes()
    }

    /// Multiplications with weights (each with its addition) that one token takes, with those for
    /// its logits or without.
    pub fn multiply_adds(&self, logits: bool) -> usize {
        let attention = 2 * self.d_model * (self.n_heads + self.n_kv_heads) * self.head_dim;
        let output = if logits { self.vocab_size * self.d_model } else { 0 };
        self.n_layers * (attention + 3 * self.d_model * self.d_ff) + output
    }
}

impl Model {
    /// Bytes of weights that every step reads, whatever its batch: all but an embedding that isn't
    /// the output layer as well.
    pub fn step_bytes(&self) -> usize {
        let looked_up = self.weights.output.is_some().then(|| self.weights.embedding.n_bytes());
        self.weights.n_bytes() - looked_up.unwrap_or(0)
    }

    /// The threads it runs on, for work of the caller's own between two steps.
    pub fn pool(&self) -> &Pool {
        &self.pool
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transformer::Rope;
    use kelvin_kernels::{gate::Activation, rope::Pairing};

    #[test]
    fn a_small_model_by_hand() {
        let rope = Rope { base: 1e4, scale: 1.0, file_factors: false };
        let config = Config {
            architecture: "llama".to_string(),
            n_layers: 2,
            d_model: 8,
            n_heads: 4,
            n_kv_heads: 2,
            head_dim: 2,
            d_ff: 16,
            vocab_size: 10,
            ctx_len: 64,
            norm_eps: 1e-5,
            embedding_scale: 1.0,
            attention_scale: 1.0,
            activation: Activation::Silu,
            pairing: Pairing::Adjacent,
            rope_dim: 2,
            ropes: vec![rope],
            layers: vec![
                LayerConfig { window: Some(3), rope: 0 },
                LayerConfig { window: None, rope: 0 },
            ],
            qk_norm: false,
            post_norms: false,
        };
        // q and o are 8 × 8, k and v 8 × 4, three matrices of 8 × 16; twice.
        assert_eq!(config.multiply_adds(false), 2 * (64 + 64 + 32 + 32 + 3 * 128));
        assert_eq!(config.multiply_adds(true) - config.multiply_adds(false), 80);
        // At position 9 one layer sees 3 positions and the other 10: keys and values of 2 heads of
        // 2 halves.
        assert_eq!(config.cache_bytes(9, CacheFormat::F16), 13 * 2 * 4 * 2);
        assert_eq!(config.cache_bytes(0, CacheFormat::F32), 2 * 2 * 4 * 4);
    }
}
