//! Activations of feed-forward layers, in place: with a gate (SwiGLU and GeGLU, arXiv 2002.05202)
//! and without one.

use crate::{
    exp::exp,
    isa::{Isa, dispatch},
    soft_cap::soft_cap,
};

/// The activation function of a feed-forward layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// x / (1 + e^-x).
    Silu,
    /// 0.5·x·(1 + tanh(sqrt(2/π)·(x + 0.044715·x³))) (arXiv 1606.08415), tanh u = 1 - 2/(e^2u + 1).
    GeluTanh,
    /// max(x, 0)² (arXiv 2109.08668).
    ReluSquared,
    /// max(x, 0).
    Relu,
    /// gpt-oss's: with a gate x and an up projection u, x' / (1 + e^(-1.702·x')) · (u' + 1), where
    /// x' = min(x, 7) and u' lies within ± 7. Computed as SiLU of 1.702·x' times (u' + 1) / 1.702.
    ClampedSilu,
}

/// What keeps a gated activation in bounds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Limit {
    /// min(gate, limit) is what the activation gets; up lies within ± limit.
    Inputs(f32),
    /// min(activation(gate), limit) is multiplied with up, which lies within ± limit.
    Outputs(f32),
    /// c·tanh(gate/c) / (1 + e^-gate) is multiplied with l·tanh(up/l), whatever the activation.
    Saturating {
        /// c.
        gate: f32,
        /// l; none: up as it is.
        up: Option<f32>,
    },
}

const CLAMPED_SILU_LIMIT: f32 = 7.0;
const CLAMPED_SILU_ALPHA: f32 = 1.702;

/// The parameters of xIELU (arXiv 2411.13010), an activation that each layer has its own of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Xielu {
    /// Factor of x² above 0.
    pub positive: f32,
    /// Factor of e^min(x, eps) - 1 - x below 0.
    pub negative: f32,
    /// Factor of x.
    pub beta: f32,
    /// A small negative number.
    pub eps: f32,
}

/// Computes `gate_i = activation(gate_i) · up_i` in place; both slices have equal length.
pub fn gate(isa: Isa, activation: Activation, gate: &mut [f32], up: &[f32]) {
    assert_eq!(gate.len(), up.len(), "gate and up have the same length");
    match activation {
        Activation::Silu => dispatch!(isa, gate::silu(gate, up)),
        Activation::GeluTanh => dispatch!(isa, gate::gelu(gate, up)),
        Activation::ReluSquared => {
            for (x, up) in gate.iter_mut().zip(up) {
                let relu = x.max(0.0);
                *x = (relu * relu) * up;
            }
        }
        Activation::Relu => {
            gate.iter_mut().zip(up).for_each(|(x, up)| *x = x.max(0.0) * up);
        }
        Activation::ClampedSilu => {
            let mut ups = [0.0; 256];
            for (gate, up) in gate.chunks_mut(ups.len()).zip(up.chunks(ups.len())) {
                let ups = &mut ups[..gate.len()];
                for ((x, up), clamped) in gate.iter_mut().zip(up).zip(ups.iter_mut()) {
                    *x = x.min(CLAMPED_SILU_LIMIT) * CLAMPED_SILU_ALPHA;
                    let up = up.clamp(-CLAMPED_SILU_LIMIT, CLAMPED_SILU_LIMIT);
                    *clamped = (up + 1.0) / CLAMPED_SILU_ALPHA;
                }
                dispatch!(isa, gate::silu(gate, ups));
            }
        }
    }
}

/// Computes `gate_i = activation(gate_i) · up_i` in place within a limit.
pub fn gate_within(isa: Isa, activation: Activation, limit: Limit, gates: &mut [f32], up: &[f32]) {
    assert_eq!(gates.len(), up.len(), "gate and up have the same length");
    match limit {
        Limit::Inputs(limit) => {
            let mut ups = [0.0; 256];
            for (gates, up) in gates.chunks_mut(ups.len()).zip(up.chunks(ups.len())) {
                let ups = &mut ups[..gates.len()];
                for ((x, up), within) in gates.iter_mut().zip(up).zip(ups.iter_mut()) {
                    *x = x.min(limit);
                    *within = up.clamp(-limit, limit);
                }
                gate(isa, activation, gates, ups);
            }
        }
        Limit::Outputs(limit) => {
            activate(isa, activation, gates);
            for (x, up) in gates.iter_mut().zip(up) {
                *x = x.min(limit) * up.clamp(-limit, limit);
            }
        }
        Limit::Saturating { gate, up: of_up } => {
            let mut ups = [0.0; 256];
            for (gates, up) in gates.chunks_mut(ups.len()).zip(up.chunks(ups.len())) {
                let ups = &mut ups[..gates.len()];
                ups.copy_from_slice(up);
                if let Some(limit) = of_up {
                    soft_cap(isa, ups, limit);
                }
                for (up, x) in ups.iter_mut().zip(gates.iter()) {
                    *up *= 1.0 / (1.0 + exp(-*x));
                }
                soft_cap(isa, gates, gate);
                gates.iter_mut().zip(ups).for_each(|(x, up)| *x *= *up);
            }
        }
    }
}

/// Computes `x_i = activation(x_i)` in place.
pub fn activate(isa: Isa, activation: Activation, x: &mut [f32]) {
    const ONES: [f32; 256] = [1.0; 256];
    for x in x.chunks_mut(ONES.len()) {
        gate(isa, activation, x, &ONES[..x.len()]);
    }
}

/// Computes `x_i = xielu(x_i)` in place: positive·x² + beta·x above 0, and
/// negative·(e^min(x, eps) - 1 - x) + beta·x below.
pub fn xielu(x: &mut [f32], Xielu { positive, negative, beta, eps }: Xielu) {
    for x in x {
        *x = if *x > 0.0 {
            positive * *x * *x + beta * *x
        } else {
            ((exp(x.min(eps)) - 1.0) - *x) * negative + beta * *x
        };
    }
}

/// Computes `x_i = x_i / (1 + e^-g)` in place, where each number g of `gates` serves as many
/// neighbouring elements of `x`.
///
/// # Panics
/// If the number of gates doesn't divide the number of elements.
pub fn weigh(x: &mut [f32], gates: &[f32]) {
    weigh_by(x, gates, |g| 1.0 / (1.0 + exp(-g)));
}

/// Computes `x_i = x_i · weight(g)` in place, with gates as [`weigh`] has them.
///
/// # Panics
/// If the number of gates doesn't divide the number of elements.
pub fn weigh_by(x: &mut [f32], gates: &[f32], weight: impl Fn(f32) -> f32) {
    assert!(
        !gates.is_empty() && x.len().is_multiple_of(gates.len()),
        "each gate serves as many elements"
    );
    for (x, g) in x.chunks_exact_mut(x.len() / gates.len()).zip(gates) {
        let weight = weight(*g);
        x.iter_mut().for_each(|x| *x *= weight);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gates_weigh_their_own_elements() {
        let mut x = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        weigh(&mut x, &[0.0, 100.0, -100.0]);
        assert_eq!(x[..4], [0.5, 1.0, 3.0, 4.0]);
        assert!(x[4].abs() < 1e-30 && x[5].abs() < 1e-30, "{x:?}");
        let mut each = [2.0, 2.0];
        weigh(&mut each, &[3.0_f32.ln(), 0.0]);
        assert!((each[0] - 1.5).abs() < 1e-6 && each[1] == 1.0, "{each:?}");
    }

    #[test]
    fn limits_hold_before_and_after_the_activation() {
        let x: Vec<f32> = (-300..300).map(|i| i as f32 / 20.0).collect();
        let up: Vec<f32> = x.iter().map(|x| 3.0 - x).collect();
        let silu = |x: f64| x / (1.0 + (-x).exp());
        for isa in Isa::all() {
            for limit in [Limit::Inputs(2.5), Limit::Outputs(2.5)] {
                let mut gates = x.clone();
                gate_within(isa, Activation::Silu, limit, &mut gates, &up);
                for ((&x, &up), &y) in x.iter().zip(&up).zip(&gates) {
                    let (x, up) = (f64::from(x), f64::from(up).clamp(-2.5, 2.5));
                    let truth = match limit {
                        Limit::Inputs(limit) => silu(x.min(limit.into())) * up,
                        Limit::Outputs(limit) => silu(x).min(limit.into()) * up,
                        Limit::Saturating { .. } => unreachable!("not in the list"),
                    };
                    assert!((f64::from(y) - truth).abs() < 1e-5, "{limit:?} {x} {y} {truth}");
                }
            }
        }
    }

    #[test]
    fn gates_saturate_smoothly() {
        let x: Vec<f32> = (-300..300).map(|i| i as f32 / 20.0).collect();
        let up: Vec<f32> = x.iter().map(|x| 3.0 - x).collect();
        let capped = |x: f64, cap: f64| cap * (x / cap).tanh();
        for (isa, bound) in Isa::all().into_iter().flat_map(|isa| [(isa, None), (isa, Some(2.5))]) {
            let mut gates = x.clone();
            let limit = Limit::Saturating { gate: 4.0, up: bound };
            gate_within(isa, Activation::Relu, limit, &mut gates, &up);
            for ((&x, &up), &y) in x.iter().zip(&up).zip(&gates) {
                let (x, up) = (f64::from(x), f64::from(up));
                let up = bound.map_or(up, |bound| capped(up, bound.into()));
                let truth = capped(x, 4.0) / (1.0 + (-x).exp()) * up;
                assert!((f64::from(y) - truth).abs() < 2e-5, "{x} {y} {truth}");
            }
        }
    }

    #[test]
    fn instruction_sets_agree_and_follow_the_formula() {
        let x: Vec<f32> = (0..1003).map(|i| (i as f32 - 501.0) / 30.0).collect();
        let up: Vec<f32> = x.iter().map(|x| x * 0.1 - 0.7).collect();
        for activation in [
            Activation::Silu,
            Activation::GeluTanh,
            Activation::ReluSquared,
            Activation::Relu,
            Activation::ClampedSilu,
        ] {
            let mut a = x.clone();
            gate(Isa::SCALAR, activation, &mut a, &up);
            for isa in Isa::all() {
                let mut b = x.clone();
                gate(isa, activation, &mut b, &up);
                assert_eq!(a, b, "{}", isa.name());
            }
            let mut plain = x.clone();
            activate(Isa::best(), activation, &mut plain);
            let mut gated = x.clone();
            gate(Isa::SCALAR, activation, &mut gated, &vec![1.0; x.len()]);
            assert_eq!(plain, gated);
            for ((&x, &up), &y) in x.iter().zip(&up).zip(&a) {
                let (x, up) = (f64::from(x), f64::from(up));
                let clamped = up.clamp(-7.0, 7.0) + 1.0;
                let truth = (if activation == Activation::ClampedSilu { clamped } else { up })
                    * match activation {
                        Activation::Silu => x / (1.0 + (-x).exp()),
                        Activation::ReluSquared => x.max(0.0).powi(2),
                        Activation::Relu => x.max(0.0),
                        Activation::ClampedSilu => {
                            let x = x.min(7.0);
                            x / (1.0 + (-1.702 * x).exp())
                        }
                        Activation::GeluTanh => {
                            let u =
                                (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x * x * x);
                            0.5 * x * (1.0 + u.tanh())
                        }
                    };
                assert!(
                    (f64::from(y) - truth).abs() < 3e-6 * (1.0 + truth.abs()),
                    "{x} {y} {truth}"
                );
            }
        }
    }

    #[test]
    fn xielu_follows_its_formula_on_both_sides_of_zero() {
        let [positive, negative, beta, eps] = [0.8, 1.3, 0.5, -1e-6];
        let mut x: Vec<f32> = (-40..40).map(|i| i as f32 / 4.0).collect();
        let before = x.clone();
        xielu(&mut x, Xielu { positive, negative, beta, eps });
        for (x, y) in before.iter().map(|&x| f64::from(x)).zip(&x) {
            let [p, n, b] = [positive, negative, beta].map(f64::from);
            let truth = if x > 0.0 {
                p * x * x + b * x
            } else {
                (x.min(f64::from(eps)).exp_m1() - x) * n + b * x
            };
            assert!((f64::from(*y) - truth).abs() < 1e-5 * (1.0 + truth.abs()), "{x} {y} {truth}");
        }
    }
}
