//! Soft caps on attention scores and logits (Gemma 2, arXiv 2408.00118), in place.

use crate::{exp::exp_slice, isa::Isa};

/// Computes `x_i = cap · tanh(x_i / cap)` in place, with tanh u = 1 - 2/(e^2u + 1).
pub fn soft_cap(isa: Isa, x: &mut [f32], cap: f32) {
    let scale = 2.0 / cap;
    x.iter_mut().for_each(|x| *x *= scale);
    exp_slice(isa, x);
    x.iter_mut().for_each(|x| *x = cap * (1.0 - 2.0 / (*x + 1.0)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instruction_sets_agree_and_follow_the_formula() {
        let x: Vec<f32> = (0..2003).map(|i| (i as f32 - 1001.0) / 3.0).collect();
        for cap in [30.0, 50.0] {
            let mut a = x.clone();
            soft_cap(Isa::SCALAR, &mut a, cap);
            for isa in Isa::all() {
                let mut b = x.clone();
                soft_cap(isa, &mut b, cap);
                assert_eq!(a, b, "{}", isa.name());
            }
            for (x, y) in x.iter().zip(&a) {
                let truth = f64::from(cap) * (f64::from(*x) / f64::from(cap)).tanh();
                assert!((f64::from(*y) - truth).abs() < 2e-5, "{x} {y} {truth}");
            }
        }
    }
}
