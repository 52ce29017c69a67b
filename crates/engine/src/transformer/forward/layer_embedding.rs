//! The embedding that each layer has besides the model's (Gemma 4's per-layer embedding).

use kelvin_kernels::{
    gate::{Activation, gate},
    matmul::{Product, matmul},
};

use super::super::{
    Model, Scratch,
    weights::{After, Layer},
};

impl Model {
    /// For each layer: the mean, in a sense, of the token's embedding for that layer and of what a
    /// matrix makes of the token's embedding: (norm(matrix · x / sqrt(d_model)) + sqrt(width) ·
    /// embedding) / sqrt(2). Stored `[row][block][width]`.
    pub(super) fn embed_for_layers(&self, s: &mut Scratch) {
        let Some(weights) = &self.weights.layer_embedding else { return };
        let (c, width) = (&self.config, self.config.layer_embedding);
        let (n, all) = (s.rows.len(), weights.projection.rows());
        self.normed_input(None, [&weights.projection], s);
        s.layer_embedding.resize(n * all, 0.0);
        let products = &mut [Product { weights: &weights.projection, out: &mut s.layer_embedding }];
        matmul(&self.pool, self.isa, &s.input, n, products, &[]);
        s.up.resize(n * all, 0.0);
        let rows = &s.rows;
        self.pool.for_each_row(&mut s.up, all, &|row, out| {
            weights.tokens.row(rows[row].token.index(), out);
        });
        let tokens = &s.up;
        let (scale, of_token) = (1.0 / (c.d_model as f32).sqrt(), (width as f32).sqrt());
        let half = 1.0 / 2.0_f32.sqrt();
        self.pool.for_each_row(&mut s.layer_embedding, width, &|at, x| {
            x.iter_mut().for_each(|x| *x *= scale);
            self.norm_in_place(x, Some(&weights.norm));
            let tokens = &tokens[at * width..(at + 1) * width];
            x.iter_mut().zip(tokens).for_each(|(x, token)| *x = (*x + token * of_token) * half);
        });
    }

    /// x += what comes of the embedding for this layer.
    pub(super) fn add_embedding_of_layer(&self, block: usize, layer: &Layer, s: &mut Scratch) {
        if layer.embedding.is_some() {
            self.embedding_of_layer(block, layer, s);
            self.add_to_stream(&s.delta, &mut s.x);
        }
    }

    /// delta = norm(projection · (gelu(gate · x) · the embedding for this layer)).
    pub(super) fn embedding_of_layer(&self, block: usize, layer: &Layer, s: &mut Scratch) {
        let Some(weights) = &layer.embedding else { return };
        let (n, width) = (s.rows.len(), self.config.layer_embedding);
        self.normed_input(None, [&weights.gate], s);
        s.gate.resize(n * width, 0.0);
        let products = &mut [Product { weights: &weights.gate, out: &mut s.gate }];
        matmul(&self.pool, self.isa, &s.input, n, products, &[&weights.projection]);
        let (all, embedding) = (s.layer_embedding.len() / n, &s.layer_embedding);
        self.pool.for_each_row(&mut s.gate, width, &|row, x| {
            let from = row * all + block * width;
            gate(self.isa, Activation::GeluTanh, x, &embedding[from..from + width]);
        });
        std::mem::swap(&mut s.input.x, &mut s.gate);
        self.product_of_input(&weights.projection, s, &[]);
        self.finish_delta(&After::default(), Some(&weights.norm), s);
    }
}
