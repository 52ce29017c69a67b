//! What a step costs at least: bytes that must be read and multiplications that must be done, for
//! those who compare a speed with what the machine could do.

use kelvin_kernels::{matrix::WeightMatrix, pool::Pool};

use super::{
    CacheFormat, Config, LayerConfig, Model,
    weights::{Adapters, Layer},
};

impl Config {
    /// The first position that the token at position `pos` sees in a layer.
    pub(super) fn first_seen(&self, layer: &LayerConfig, pos: usize) -> usize {
        match layer.window {
            None => 0,
            Some(window) if self.chunked => pos - pos % window,
            Some(window) => (pos + 1).saturating_sub(window),
        }
    }

    /// Bytes of keys and values that the token at position `pos` reads, and of the recurrent state;
    /// a window leaves out what lies before it.
    pub fn cache_bytes(&self, pos: usize, cache: CacheFormat) -> usize {
        let read = |layer: &LayerConfig| {
            let compressed = self.compressed_seen(layer, pos) * compressed_bytes(layer);
            (pos + 1 - self.first_seen(layer, pos)) * self.position_bytes(layer, cache) + compressed
        };
        self.layers.iter().map(read).sum::<usize>() + self.state_bytes()
    }

    /// Compressed keys that the token at position `pos` sees in a layer.
    pub(super) fn compressed_seen(&self, layer: &LayerConfig, pos: usize) -> usize {
        (pos + 1).checked_div(layer.compressed).unwrap_or(0)
    }

    /// Whether a layer's values are the first numbers of its keys, and floats of them are stored
    /// once: all heads of absorbed latent attention read what keys and values are made of.
    pub(super) fn keys_serve_as_values(&self, layer: &LayerConfig) -> bool {
        let is_absorbed = self.latent_of(layer).is_some_and(|latent| latent.absorbed);
        layer.n_heads > 0 && (is_absorbed || self.shared_key.is_some())
    }

    /// Bytes of the keys and values of one position.
    fn position_bytes(&self, layer: &LayerConfig, cache: CacheFormat) -> usize {
        if layer.n_heads == 0 {
            return 0;
        }
        let keys_alone = cache != CacheFormat::Q8 && self.keys_serve_as_values(layer);
        let n_sides = if keys_alone { 1 } else { 2 };
        n_sides * layer.n_kv_heads * cache.bytes(layer.head_dim)
    }

    /// Bytes of a page of keys and values: [`super::PAGE`] positions of all layers.
    pub fn page_bytes(&self, cache: CacheFormat) -> usize {
        let owners = self.layers.iter().enumerate().filter(|(i, layer)| layer.cache == *i);
        let bytes = |layer: &LayerConfig| {
            let compressed = layer.compressed_on_page() * compressed_bytes(layer);
            self.position_bytes(layer, cache) * super::PAGE + compressed
        };
        owners.map(|(_, layer)| bytes(layer)).sum()
    }

    /// Multiplications with weights (each with its addition) that one token takes, with those for
    /// its logits or without. Of a mixture of experts the selected ones count.
    pub fn multiply_adds(&self, logits: bool) -> usize {
        let output = if logits { self.vocab_size * self.d_model } else { 0 };
        let matrices = if self.gated { 3 } else { 2 };
        let of_layer = |(i, layer): (usize, &LayerConfig)| {
            let attention = match (layer.n_heads, layer.n_kv_heads, self.latent_of(layer)) {
                (0, ..) => 0,
                (_, 0, _) => self.d_model * self.d_model,
                _ if self.shared_key.is_some() => self.shared_key_multiply_adds(layer),
                (n_heads, _, Some(latent)) => {
                    let rotated = self.ropes[0].dim;
                    let (d_q, d_v) = (n_heads * latent.key_dim, n_heads * latent.value_dim);
                    let queries = match latent.q_rank {
                        Some(rank) => rank * (self.d_model + d_q),
                        None => self.d_model * d_q,
                    };
                    let spread = latent.kv_rank * (d_q - n_heads * rotated + d_v);
                    queries + self.d_model * (latent.kv_rank + rotated + d_v) + spread
                }
                (n_heads, n_kv_heads, None) => {
                    let own = if layer.cache == i { n_kv_heads } else { 0 };
                    2 * self.d_model * (n_heads + own) * layer.head_dim
                }
            };
            let recurrent = match &self.recurrent {
                Some(recurrent) if layer.recurrent.is_some() => {
                    recurrent.multiply_adds(self.d_model)
                }
                _ => 0,
            };
            let embedding = 3 * self.d_model * self.layer_embedding;
            let (feed_forward, experts) = match &self.experts {
                Some(mixture) if layer.experts => {
                    let beside = if mixture.before_attention { layer.d_ff } else { 0 };
                    let of_expert = mixture.d_ff + mixture.grouped.map_or(0, |g| g.d_ff);
                    let experts = matrices * mixture.n_used * of_expert * mixture.d_stream;
                    let narrowed = if mixture.is_narrow { 2 * mixture.d_stream } else { 0 };
                    let beside = matrices * (mixture.d_shared + beside);
                    (mixture.n_experts + narrowed + beside, experts)
                }
                _ => (matrices * layer.d_ff, 0),
            };
            let streams = self.hyper.map_or(0, |hyper| hyper.multiply_adds());
            let of_width = feed_forward + streams;
            let adapters = self.switch.as_ref().map_or(0, |switch| {
                let (n, width) = (2 * layer.n_heads + 2 * layer.n_kv_heads, layer.head_dim);
                switch.multiply_adds(&[7 * self.d_model, n * width, 3 * layer.d_ff])
            });
            attention + recurrent + self.d_model * of_width + experts + embedding + adapters
        };
        let n_streams = self.hyper.map_or(1, |hyper| hyper.n_streams);
        let of_ngrams = (n_streams + 1) * self.d_model * self.d_model;
        let ngrams = self.ngrams.as_ref().map_or(0, |_| of_ngrams);
        self.layers.iter().enumerate().map(of_layer).sum::<usize>() + ngrams + output
    }
}

/// Bytes of a layer's compressed key.
fn compressed_bytes(layer: &LayerConfig) -> usize {
    layer.head_dim * size_of::<f32>()
}

impl Model {
    /// Bytes of weights that a step of one token reads. Learned positions, the embedding for each
    /// layer, a table of n-grams and an embedding that isn't the output layer as well are left out:
    /// a step reads one row of them for each token, and some rows of the table. Of a mixture of
    /// experts the selected ones count, of adapters one; every other weight is read once however
    /// many tokens a step has.
    pub fn step_bytes(&self) -> usize {
        let (weights, mixture) = (&self.weights, self.config.experts.as_ref());
        let idle = |layer: &Layer| -> usize {
            let attention = layer.attention.iter().filter_map(|a| a.adapters.as_ref()).flatten();
            let dense = layer.dense.iter().filter_map(|d| d.adapters.as_ref()).flatten();
            let adapters: usize = attention.chain(dense).map(Adapters::idle_bytes).sum();
            let values = layer.attention.iter().filter_map(|a| a.values.as_deref());
            let values = values.zip(&self.config.value_experts).map(|(experts, mixture)| {
                let expert: usize = experts.of_expert(0).map(WeightMatrix::n_bytes).sum();
                (mixture.n_experts - mixture.n_used) * expert
            });
            let adapters = adapters + values.sum::<usize>();
            let (Some(experts), Some(mixture)) = (layer.mixture(), mixture) else {
                return adapters;
            };
            // All experts of a layer have one size.
            let expert: usize = experts.of_expert(0).map(WeightMatrix::n_bytes).sum();
            adapters + (mixture.n_experts - mixture.n_used) * expert
        };
        let idle: usize = weights.blocks.iter().flatten().map(idle).sum();
        let embedding = weights.output.as_ref().map_or(0, |_| weights.embedding.n_bytes());
        let positions = weights.positions.as_ref().map_or(0, |positions| positions.n_bytes());
        let for_layers = weights.layer_embedding.as_ref().map_or(0, |e| e.tokens.n_bytes());
        let ngrams = weights.ngrams.as_ref().map_or(0, |ngrams| ngrams.table.n_bytes());
        weights.n_bytes() - embedding - positions - for_layers - ngrams - idle
    }

    /// The threads it runs on, for work of the caller's own between two steps.
    pub fn pool(&self) -> &Pool {
        &self.pool
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transformer::{GateCurve, NormKind, QkNorm, Rope};
    use kelvin_kernels::{gate::Activation, rope::Pairing};

    #[test]
    fn a_small_model_by_hand() {
        let layer = LayerConfig {
            block: 0,
            n_heads: 4,
            n_kv_heads: 2,
            head_dim: 2,
            value_dim: 2,
            d_ff: 16,
            cache: 0,
            window: None,
            compressed: 0,
            rope: Some(0),
            parallel: false,
            experts: false,
            recurrent: None,
            expert_limit: None,
            dense_limit: None,
            xielu: None,
            loop_norm: false,
            joins: false,
            leaves: None,
        };
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
            norm: NormKind::Rms,
            norm_eps: 1e-5,
            post_norm_eps: 1e-5,
            qk_norm: QkNorm::Head,
            norm_after_rotation: false,
            qk_layer_norm: false,
            image_tokens: 0..0,
            embedding_scale: 1.0,
            residual_scale: 1.0,
            normed_stream: None,
            attention_scale: 1.0,
            logit_scale: 1.0,
            score_cap: None,
            logit_cap: None,
            clamp: None,
            slopes: Vec::new(),
            chunked: false,
            temperature: None,
            activation: Activation::Silu,
            gate_curve: GateCurve::Logistic,
            norm_parts: 1,
            value_scale: 1.0,
            gated: true,
            pairing: Pairing::Adjacent,
            sections: None,
            adds_embeddings: false,
            layer_embedding: 0,
            latent: None,
            local_latent: None,
            shared_key: None,
            hyper: None,
            ngrams: None,
            switch: None,
            streams: false,
            stacks: false,
            ropes: vec![Rope::plain(1e4, 2)],
            experts: None,
            value_experts: None,
            recurrent: None,
            layers: vec![
                LayerConfig { window: Some(3), ..layer },
                LayerConfig { block: 1, cache: 1, ..layer },
            ],
        };
        // q and o are 8 × 8, k and v 8 × 4, three matrices of 8 × 16; twice.
        assert_eq!(config.multiply_adds(false), 2 * (64 + 64 + 32 + 32 + 3 * 128));
        assert_eq!(config.multiply_adds(true) - config.multiply_adds(false), 80);
        // A chunk of 3 positions begins at 9.
        let chunked = Config { chunked: true, ..config.clone() };
        let first = |config: &Config, pos: usize| config.first_seen(&config.layers[0], pos);
        assert_eq!([8, 9, 10, 11, 12].map(|pos| first(&chunked, pos)), [6, 9, 9, 9, 12]);
        assert_eq!([1, 2, 3, 10].map(|pos| first(&config, pos)), [0, 0, 1, 8]);
        // At position 9 one layer sees 3 positions and the other 10: keys and values of 2 heads of
        // 2 halves.
        assert_eq!(config.cache_bytes(9, CacheFormat::F16), 13 * 2 * 4 * 2);
        assert_eq!(config.cache_bytes(0, CacheFormat::F32), 2 * 2 * 4 * 4);
        assert_eq!(config.cache_bytes(0, CacheFormat::Q8), 2 * 2 * (4 + 2 * 4));
    }
}
