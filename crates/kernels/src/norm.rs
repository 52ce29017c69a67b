//! RMSNorm, root-mean-square normalization (arXiv 1910.07467), LayerNorm (arXiv 1607.06450), and
//! the fixed horizontal sum.

use crate::{
    isa::{Isa, dispatch},
    scalar::norm::LANES,
};

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

/// LayerNorm in place: `x_i = ((x_i - mean) · 1/sqrt(mean((x - mean)²) + eps)) · weight_i`.
///
/// Both sums have 16 lanes (lane i mod 16, in order; squares by fma) and a fixed horizontal sum.
pub fn layer_norm_in_place(isa: Isa, x: &mut [f32], weight: &[f32], eps: f32) {
    let mut lanes = [0.0f32; LANES];
    for part in x.chunks(LANES) {
        lanes.iter_mut().zip(part).for_each(|(lane, x)| *lane += x);
    }
    let mean = tree_sum(lanes) / x.len() as f32;
    x.iter_mut().for_each(|x| *x -= mean);
    rms_norm_in_place(isa, x, weight, eps);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layer_norm_follows_the_formula_on_every_instruction_set() {
        let x: Vec<f32> = (0..101).map(|i| ((i * 7919 % 113) as f32 - 40.0) / 9.7).collect();
        for n in [1, 15, 16, 17, 64, 101] {
            let weight: Vec<f32> = x[..n].iter().map(|x| x * 0.3 + 1.0).collect();
            let mut a = x[..n].to_vec();
            layer_norm_in_place(Isa::SCALAR, &mut a, &weight, 1e-5);
            for isa in Isa::all() {
                let mut b = x[..n].to_vec();
                layer_norm_in_place(isa, &mut b, &weight, 1e-5);
                assert_eq!(a, b, "length {n}, {}", isa.name());
            }
            let mean = x[..n].iter().map(|&x| f64::from(x)).sum::<f64>() / n as f64;
            let square = |x: &f32| (f64::from(*x) - mean).powi(2);
            let variance = x[..n].iter().map(square).sum::<f64>() / n as f64;
            for i in 0..n {
                let scale = f64::from(weight[i]) / (variance + 1e-5).sqrt();
                let truth = (f64::from(x[i]) - mean) * scale;
                assert!((f64::from(a[i]) - truth).abs() < 1e-4 * (1.0 + truth.abs()), "{n} {i}");
            }
        }
    }

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
