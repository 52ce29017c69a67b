//! RMSNorm, root-mean-square normalization (arXiv 1910.07467), and the fixed horizontal sum.

use crate::isa::{Isa, dispatch};

/// Lanes (partial sums) of every float reduction, whatever the vector width of the CPU.
pub(crate) const LANES: usize = 16;

/// Horizontal sum of the lanes, always in this order: lane i + n is added to lane i for n = 8, 4,
/// 2, 1.
pub(crate) fn tree_sum(mut lanes: [f32; LANES]) -> f32 {
    let mut n = LANES / 2;
    while n > 0 {
        for i in 0..n {
            lanes[i] += lanes[i + n];
        }
        n /= 2;
    }
    lanes[0]
}

/// Computes `out_i = (x_i · 1/sqrt(mean(x²) + eps)) · weight_i`; the slices have equal length.
///
/// The sum of squares has 16 lanes (lane i mod 16 adds x_i² by fma, in order) and a fixed
/// horizontal sum.
pub fn rms_norm(isa: Isa, x: &[f32], weight: &[f32], eps: f32, out: &mut [f32]) {
    out.copy_from_slice(x);
    rms_norm_in_place(isa, out, weight, eps);
}

/// [`rms_norm`] in place.
pub fn rms_norm_in_place(isa: Isa, x: &mut [f32], weight: &[f32], eps: f32) {
    assert_eq!(x.len(), weight.len(), "x and weight have the same length");
    let sum = tree_sum(dispatch!(isa, norm::square_lanes(x)));
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
