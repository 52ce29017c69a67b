//! Attention to one key of each token, which serves all heads and is its value as well, and to
//! compressed keys of earlier tokens (DeepSeek V4).
//!
//! Each token makes a key and scores for a compressed one. A compressed key is the mean of its
//! tokens' keys, number by number, weighed by the softmax of their scores. Sums are over tokens in
//! order, and what they are so far is part of a text's state, so a step may end anywhere:
//! - the first token sets the greatest score m = s, the sum of weights l = 1, the sum a = k;
//! - each other one: m' = max(m, s), l = l·e^(m-m') + e^(s-m'), a = a·e^(m-m') + k·e^(s-m').
//!
//! The compressed key is a / l, then its norm, turned by the position of its first own token.
//! Compressed keys are kept as f32. Attention sees them before the keys of its window.

use std::ops::Range;

use kelvin_kernels::{
    attention::{KvCache, Span},
    exp::exp,
    kv_cache::{PAGE, Page},
    matmul::{Product, matmul},
    rope::rotate,
};

use super::super::{
    Append, LayerConfig, Model, Scratch,
    scratch::CompressScratch,
    sequence::Row,
    weights::{Compressor, SharedKey},
};

/// What a layer with compressed keys reads: those of a row's sequence, then the keys of its window.
pub(super) struct CompressedCache<'a> {
    pub(super) batch: &'a [Append<'a>],
    pub(super) rows: &'a [Row],
    pub(super) layer: usize,
    pub(super) model: &'a Model,
    pub(super) scratch: &'a CompressScratch,
}

impl CompressedCache<'_> {
    fn config(&self) -> &LayerConfig {
        &self.model.config.layers[self.layer]
    }
}

impl KvCache for CompressedCache<'_> {
    fn page(&self, row: usize, kv_head: usize, page: usize) -> Page<'_> {
        let (Row { sequence, pos, .. }, c) = (self.rows[row], self.config());
        let n_before = self.model.config.compressed_seen(c, pos).div_ceil(PAGE);
        if page < n_before {
            let len = c.head_dim * PAGE;
            let keys = &self.scratch.pages[(self.scratch.starts[sequence] + page) * len..][..len];
            return Page::F32 { keys, values: &[] };
        }
        let first = self.model.config.first_seen(c, pos) / PAGE;
        self.batch[sequence].sequence.page(self.layer, kv_head, page - n_before + first)
    }
}

impl Model {
    /// What a row at a position sees: compressed keys, and on pages after them the window.
    pub(super) fn span(&self, c: &LayerConfig, pos: usize) -> Span {
        let first = self.config.first_seen(c, pos);
        if c.compressed == 0 {
            return Span::from(first..pos + 1);
        }
        let head = self.config.compressed_seen(c, pos);
        let move_by = |pos: usize| pos + head.next_multiple_of(PAGE) - first / PAGE * PAGE;
        Span { head, tail: move_by(first)..move_by(pos + 1) }
    }

    /// Queries, keys and values of one layer, and new compressed keys in the sequences' pages.
    pub(super) fn project_shared_key(
        &self,
        i: usize,
        shared: &SharedKey,
        batch: &mut [Append<'_>],
        s: &mut Scratch,
    ) {
        let (c, n) = (&self.config.layers[i], s.rows.len());
        let (d_q, head_dim) = (c.n_heads * c.head_dim, c.head_dim);
        s.gate.resize(n * shared.q_low.rows(), 0.0);
        s.k.resize(n * head_dim, 0.0);
        let low = Product { weights: &shared.q_low, out: &mut s.gate };
        let key = Product { weights: &shared.key, out: &mut s.k };
        match &shared.compressor {
            None => matmul(&self.pool, self.isa, &s.input, n, &mut [low, key], &[&shared.q]),
            Some(compressor) => {
                let of = &mut s.compressed;
                of.keys.resize(n * compressor.keys.rows(), 0.0);
                of.scores.resize(n * compressor.keys.rows(), 0.0);
                let keys = Product { weights: &compressor.keys, out: &mut of.keys };
                let scores = Product { weights: &compressor.scores, out: &mut of.scores };
                let products = &mut [low, key, keys, scores];
                matmul(&self.pool, self.isa, &s.input, n, products, &[&shared.q]);
                self.compress(i, compressor, batch, s);
                self.gather_compressed(i, batch, s);
            }
        }
        self.take_normed(shared.q_low.rows(), &shared.q_norm, &shared.q, s);
        s.q.resize(n * d_q, 0.0);
        let q = Product { weights: &shared.q, out: &mut s.q };
        matmul(&self.pool, self.isa, &s.input, n, &mut [q], &[&shared.groups[0]]);
        let (rows, angles) = (&s.rows, self.angles_of(c, &s.angles));
        let rotated = self.rotated(c);
        for (heads, width, norm) in
            [(&mut s.q, d_q, &shared.ones), (&mut s.k, head_dim, &shared.key_norm)]
        {
            self.pool.for_each_row(heads, width, &|row, heads| {
                for head in heads.chunks_exact_mut(head_dim) {
                    self.norm_in_place(head, Some(norm));
                    self.turn(angles, rows[row].pos, &mut head[head_dim - rotated..]);
                }
            });
        }
        s.v.clone_from(&s.k);
    }

    /// Takes the batch's tokens into the sums of compressed keys, and stores those that are done.
    fn compress(&self, i: usize, compressor: &Compressor, batch: &mut [Append<'_>], s: &Scratch) {
        let (c, width, state) =
            (&self.config.layers[i], compressor.keys.rows(), self.config.compressor_at(i));
        let (rows, of, head_dim) = (&s.rows, &s.compressed, c.head_dim);
        let (angles, rotated) = (self.angles_of(c, &s.angles), self.rotated(c));
        self.pool.for_each_chunk(batch, 1, &|sequence, append| {
            let Append { sequence: to, tokens, .. } = &mut append[0];
            let first = rows.partition_point(|row| row.sequence < sequence);
            let (start, mut done) = (to.len(), Vec::new());
            let states = to.states_mut().expect("compressed keys have a state");
            let (now, copies) = states.numbers_mut(state.clone());
            let mut copies = copies.peekable();
            for at in 0..tokens.len() {
                let pos = start + at;
                let row = (first + at) * width..(first + at + 1) * width;
                let place = pos % c.compressed;
                let token = Token {
                    keys: &of.keys[row.clone()],
                    scores: &of.scores[row],
                    places: &compressor.places[place * width..][..width],
                };
                token.add_to(now, head_dim, pos, place);
                if place + 1 == c.compressed {
                    let from = done.len();
                    done.extend((0..head_dim).map(|d| now[2 * head_dim + d] / now[head_dim + d]));
                    let key = &mut done[from..];
                    self.norm_in_place(key, Some(&compressor.norm));
                    self.turn(angles, pos - place, &mut key[head_dim - rotated..]);
                }
                while let Some((_, copy)) = copies.next_if(|(n, _)| *n == at + 1) {
                    copy.copy_from_slice(now);
                }
            }
            drop(copies);
            to.store_compressed(i, start / c.compressed, &done);
        });
    }

    /// Puts the compressed keys that the batch sees into pages as attention reads them.
    fn gather_compressed(&self, i: usize, batch: &[Append<'_>], s: &mut Scratch) {
        let c = &self.config.layers[i];
        let CompressScratch { pages, starts, .. } = &mut s.compressed;
        let seen = |append: &Append<'_>| {
            self.config.compressed_seen(c, append.sequence.len() + append.tokens.len() - 1)
        };
        starts.clear();
        starts.push(0);
        for append in batch {
            starts.push(starts[starts.len() - 1] + seen(append).div_ceil(PAGE));
        }
        let len = c.head_dim * PAGE;
        pages.resize(starts[batch.len()] * len, 0.0);
        self.pool.for_each_row(pages, len, &|page, out| {
            let sequence = starts.partition_point(|start| *start <= page) - 1;
            let first = (page - starts[sequence]) * PAGE;
            let mut key = vec![0.0; c.head_dim];
            for (slot, number) in (first..seen(&batch[sequence])).take(PAGE).enumerate() {
                batch[sequence].sequence.compressed(i, number, &mut key);
                key.iter().enumerate().for_each(|(d, x)| out[d * PAGE + slot] = *x);
            }
        });
    }

    /// What heads found, turned back by the token's position, then each group by its matrix.
    pub(super) fn finish_shared_key(&self, c: &LayerConfig, shared: &SharedKey, s: &mut Scratch) {
        let (rotated, head_dim) = (self.rotated(c), c.head_dim);
        if let Some(angles) = self.angles_of(c, &s.angles) {
            let (rows, half) = (&s.rows, rotated / 2);
            s.up.resize(rows.len() * rotated, 0.0);
            self.pool.for_each_row(&mut s.up, rotated, &|row, back| {
                back.copy_from_slice(&angles[rows[row].pos * rotated..][..rotated]);
                back[half..].iter_mut().for_each(|sin| *sin = -*sin);
            });
            let back = &s.up;
            self.pool.for_each_row(&mut s.input.x, c.n_heads * head_dim, &|row, heads| {
                let (cos, sin) = back[row * rotated..][..rotated].split_at(half);
                for head in heads.chunks_exact_mut(head_dim) {
                    rotate(self.config.pairing, &mut head[head_dim - rotated..], cos, sin);
                }
            });
        }
        self.each_through(&shared.groups, s);
    }

    /// How many numbers at the end of a head turn.
    fn rotated(&self, c: &LayerConfig) -> usize {
        c.rope.map_or(0, |rope| self.config.ropes[rope].dim)
    }
}

/// What one token gives to compressed keys: each has as many numbers as the compressor's matrices
/// have rows.
struct Token<'a> {
    keys: &'a [f32],
    scores: &'a [f32],
    /// Added to scores.
    places: &'a [f32],
}

impl Token<'_> {
    /// Adds it to the sums of its own compressed key and, where keys overlap, of the one after
    /// that. It is the token at `pos`, at `place` among those of its key.
    fn add_to(&self, sums: &mut [f32], head_dim: usize, pos: usize, place: usize) {
        if self.keys.len() == head_dim {
            return self.add(0..head_dim, sums, place == 0);
        }
        let (own, next) = sums.split_at_mut(sums.len() / 2);
        if place == 0 && pos > 0 {
            own.copy_from_slice(next);
        }
        self.add(head_dim..2 * head_dim, own, pos == 0);
        self.add(0..head_dim, next, place == 0);
    }

    /// Adds some of its numbers to sums, or begins them.
    fn add(&self, numbers: Range<usize>, sums: &mut [f32], is_first: bool) {
        let n = numbers.len();
        let (most, rest) = sums.split_at_mut(n);
        let (totals, values) = rest.split_at_mut(n);
        for (i, number) in numbers.enumerate() {
            let (key, score) = (self.keys[number], self.scores[number] + self.places[number]);
            if is_first {
                (most[i], totals[i], values[i]) = (score, 1.0, key);
                continue;
            }
            let max = if most[i] < score { score } else { most[i] };
            let (before, own) = (exp(most[i] - max), exp(score - max));
            totals[i] = totals[i] * before + own;
            values[i] = values[i] * before + key * own;
            most[i] = max;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What numbers have come to after some tokens, each of which has one key and one score.
    fn compressed(tokens: &[[f32; 2]]) -> f32 {
        let mut sums = [0.0; 3];
        for (i, [key, score]) in tokens.iter().enumerate() {
            let token = Token { keys: &[*key], scores: &[*score], places: &[0.0] };
            token.add(0..1, &mut sums, i == 0);
        }
        sums[2] / sums[1]
    }

    #[test]
    fn a_compressed_key_is_a_mean_by_softmax() {
        let tokens = [[3.0, -200.0], [1.0, 0.5], [-2.0, 1.5], [8.0, 1.0]];
        let weights = tokens.map(|[_, score]| f64::from(score).exp());
        let sum: f64 = tokens.iter().zip(weights).map(|([key, _], w)| f64::from(*key) * w).sum();
        let truth = sum / weights.iter().sum::<f64>();
        assert!((f64::from(compressed(&tokens)) - truth).abs() < 1e-6);
        assert_eq!(compressed(&tokens[..1]), 3.0);
    }

    #[test]
    fn overlapping_keys_are_of_the_tokens_before_as_well() {
        // Two numbers for each token: the first for the key after its own, then for its own.
        let keys: Vec<[f32; 2]> = (0..8).map(|i| [i as f32, 100.0 + i as f32]).collect();
        let scores: Vec<[f32; 2]> =
            (0..8).map(|i| [0.3 * i as f32, 1.0 - 0.2 * i as f32]).collect();
        let mut sums = [0.0; 6];
        let mut found = Vec::new();
        for (pos, (keys, scores)) in keys.iter().zip(&scores).enumerate() {
            let token = Token { keys, scores, places: &[0.0; 2] };
            token.add_to(&mut sums, 1, pos, pos % 4);
            if pos % 4 == 3 {
                found.push(sums[2] / sums[1]);
            }
        }
        let number = |i: usize, half: usize| [keys[i][half], scores[i][half]];
        let own: Vec<_> = (0..4).map(|i| number(i, 1)).collect();
        let both: Vec<_> =
            (0..4).map(|i| number(i, 0)).chain((4..8).map(|i| number(i, 1))).collect();
        assert_eq!(found, [compressed(&own), compressed(&both)]);
    }
}
