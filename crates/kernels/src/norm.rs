//! Root-mean-square normalisation (arXiv 1910.07467).

use crate::isa::{Isa, dispatch};

/// How many partial sums a float reduction has, whatever the width of the CPU's vectors.
pub(crate) const LANES: usize = 16;

/// Adds up the partial sums: always in this order, halving.
pub(crate) fn tree(mut lanes: [f32; LANES]) -> f32 {
    let mut n = LANES / 2;
    while n > 0 {
        for i in 0..n {
            lanes[i] += lanes[i + n];
        }
        n /= 2;
    }
    lanes[0]
}

/// out_i = (x_i · 1/sqrt(mean(x²) + eps)) · weight_i; all three have the same length.
///
/// The sum of squares has 16 lanes (lane i mod 16 takes x_i by fma, in order) and a fixed tree.
pub fn rms_norm(isa: Isa, x: &[f32], weight: &[f32], eps: f32, out: &mut [f32]) {
    out.copy_from_slice(x);
    rms_norm_in_place(isa, out, weight, eps);
}

/// As [`rms_norm`], over its input.
pub fn rms_norm_in_place(isa: Isa, x: &mut [f32], weight: &[f32], eps: f32) {
    assert_eq!(x.len(), weight.len(), "one weight for each number");
    let sum = tree(dispatch!(isa, norm::square_lanes(x)));
    let scale = 1.0 / (sum / x.len() as f32 + eps).sqrt();
    for (x, weight) in x.iter_mut().zip(weight) {
        *x = (*x * scale) * weight;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instruction_sets_agree_at_every_length() {
        let x: Vec<f32> = (0..100).map(|i| ((i * 7919 % 113) as f32 - 56.0) / 9.7).collect();
        for n in 1..x.len() {
            let weight: Vec<f32> = x[..n].iter().map(|x| x * 0.3 + 1.0).collect();
            let (mut a, mut b) = (vec![0.0; n], vec![0.0; n]);
            rms_norm(Isa::SCALAR, &x[..n], &weight, 1e-5, &mut a);
            rms_norm(Isa::best(), &x[..n], &weight, 1e-5, &mut b);
            assert_eq!(a, b, "length {n}");
            let mean = x[..n].iter().map(|x| f64::from(x * x)).sum::<f64>() / n as f64;
            let truth = f64::from(x[0]) / (mean + 1e-5).sqrt() * f64::from(weight[0]);
            assert!((f64::from(a[0]) - truth).abs() < 1e-5);
        }
    }
}
