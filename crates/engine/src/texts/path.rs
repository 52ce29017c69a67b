//! A text that is being drawn, with what each of its tokens weighs.

use kelvin_sampling::{Draw, TokenId};

/// A text drawn at a token temperature.
///
/// A token that ends the text is part of it here: its probability belongs to the text's.
#[derive(Debug, Clone, Default)]
pub struct Path {
    /// Its tokens.
    pub tokens: Vec<TokenId>,
    /// The draw of each.
    pub draws: Vec<Draw>,
    /// ln Z_t of each draw: the logarithm of Σ p^α over the vocabulary at its place.
    pub ln_zs: Vec<f64>,
    /// Whether its last token ended it.
    pub has_ended: bool,
}

impl Path {
    /// How many tokens it has.
    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// Its energy, -ln p(y), in nats: the sum of its tokens' surprisals under the model.
    pub fn energy(&self) -> f64 {
        self.draws.iter().map(|draw| draw.surprisal).sum()
    }

    /// ln w of the tokens from number `from` on: Σ ln Z_t.
    pub fn ln_weight(&self, from: usize) -> f64 {
        self.ln_zs[from..].iter().sum()
    }

    /// Its first tokens.
    pub(super) fn first(&self, len: usize) -> Path {
        Path {
            tokens: self.tokens[..len].to_vec(),
            draws: self.draws[..len].to_vec(),
            ln_zs: self.ln_zs[..len].to_vec(),
            has_ended: false,
        }
    }

    pub(super) fn push(&mut self, draw: Draw, alpha: f64) {
        self.tokens.push(draw.token);
        self.draws.push(draw);
        self.ln_zs.push(ln_z(&draw, alpha));
    }
}

/// ln Σ_v p(v)^α of the distribution that a token was drawn from, with token temperature 1/α.
///
/// The token's final probability is q = p^α/Z, so ln Z = α·ln p - ln q. For α >= 1 a sum of p^α
/// can't exceed 1, nor may its rounding, so that a weight is a probability.
fn ln_z(draw: &Draw, alpha: f64) -> f64 {
    let ln_z = draw.surprisal_final - alpha * draw.surprisal;
    if alpha >= 1.0 { ln_z.min(0.0) } else { ln_z }
}
