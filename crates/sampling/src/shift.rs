//! What a chain leaves of one row of logits in, how far that is from the model's own distribution
//! out.

use crate::{candidates::Candidates, order::Bound};

/// The mass whose smallest set of tokens [`Shift::width`] counts.
const WIDTH: f64 = 0.95;
/// The mass of the model's own distribution beyond which [`Shift::outside`] looks.
pub(crate) const NUCLEUS: f64 = 0.9;

/// How far the final distribution of a step is from the raw one (T = 1, the whole vocabulary), and
/// how it answers to heat.
///
/// The first two are the shift features of arXiv 2606.01451. "The smallest set with a mass of m" is
/// the shortest beginning of the descending order that has at least m, decided on whole numbers, as
/// `top_p` does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shift {
    /// Tokens of the smallest set that has 95 % of the final mass; at least 1.
    pub width: u32,
    /// The final mass outside the smallest set that has 90 % of the raw mass, in [0, 1].
    pub outside: f64,
    /// Heat capacity of the final distribution, Var_p(x)/T², in nats: what entropy gains if ln T
    /// rises by one.
    pub heat_capacity: f64,
}

impl Shift {
    /// Of what a chain left of `logits`; `nucleus` is the last token of the smallest set with 90 %
    /// of the raw mass.
    pub(crate) fn of(left: &mut Candidates<'_>, logits: &[f32], nucleus: Bound) -> Shift {
        let width = left.width_of_share(WIDTH) as u32;
        let (inside, heat_capacity) =
            left.mass_and_variance(|token| nucleus.admits(logits[token.index()], token.index()));
        // A sum over all of them is exactly 1.
        Shift { width, outside: 1.0 - inside, heat_capacity }
    }
}
