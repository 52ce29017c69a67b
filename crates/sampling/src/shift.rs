//! How far a chain moves a distribution away from the model's own.

use crate::{candidates::Candidates, order::Bound};

/// The mass of the smallest set of tokens that [`Shift::width`] counts.
const WIDTH: f64 = 0.95;
/// The raw mass of the smallest set of tokens outside of which [`Shift::outside`] measures.
pub(crate) const NUCLEUS: f64 = 0.9;

/// How far the final distribution of a step is from the raw one (T = 1, the whole vocabulary), and
/// how much it depends on the temperature.
///
/// The first two fields are the shift features of arXiv 2606.01451. "The smallest set with a mass
/// of m" is the shortest prefix of the descending order whose mass is at least m, decided in whole
/// numbers as in `top_p`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shift {
    /// Tokens of the smallest set that has 95 % of the final mass; at least 1.
    pub width: u32,
    /// The final mass outside the smallest set that has 90 % of the raw mass, in [0, 1].
    pub outside: f64,
    /// Heat capacity of the final distribution, Var_p(x)/T², in nats: the change of entropy with ln
    /// T.
    pub heat_capacity: f64,
}

impl Shift {
    /// The shift of the candidates that a chain left of `logits`. `nucleus` is the last token of
    /// the smallest set with 90 % of the raw mass.
    pub(crate) fn of(left: &mut Candidates<'_>, logits: &[f32], nucleus: Bound) -> Shift {
        let width = left.width_of_share(WIDTH) as u32;
        let (inside, heat_capacity) =
            left.mass_and_variance(|token| nucleus.admits(logits[token.index()], token.index()));
        // A sum over all tokens is exactly 1.
        Shift { width, outside: 1.0 - inside, heat_capacity }
    }
}
