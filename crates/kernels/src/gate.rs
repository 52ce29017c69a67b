//! Gated activations of feed-forward layers, SwiGLU and GeGLU (arXiv 2002.05202), in place.

use crate::isa::{Isa, dispatch};

/// The activation function of the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// x / (1 + e^-x).
    Silu,
    /// 0.5·x·(1 + tanh(sqrt(2/π)·(x + 0.044715·x³))) (arXiv 1606.08415), tanh u = 1 - 2/(e^2u + 1).
    GeluTanh,
}

pub(crate) const SQRT_2_OVER_PI: f32 = 0.797_884_6;
pub(crate) const CUBIC: f32 = 0.044_715;

/// Computes `gate_i = activation(gate_i) · up_i` in place; both slices have equal length.
pub fn gate(isa: Isa, activation: Activation, gate: &mut [f32], up: &[f32]) {
    assert_eq!(gate.len(), up.len(), "gate and up have the same length");
    match activation {
        Activation::Silu => dispatch!(isa, gate::silu(gate, up)),
        Activation::GeluTanh => dispatch!(isa, gate::gelu(gate, up)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instruction_sets_agree_and_follow_the_formula() {
        let x: Vec<f32> = (0..1003).map(|i| (i as f32 - 501.0) / 30.0).collect();
        let up: Vec<f32> = x.iter().map(|x| x * 0.1 - 0.7).collect();
        for activation in [Activation::Silu, Activation::GeluTanh] {
            let mut a = x.clone();
            gate(Isa::SCALAR, activation, &mut a, &up);
            for isa in Isa::all() {
                let mut b = x.clone();
                gate(isa, activation, &mut b, &up);
                assert_eq!(a, b, "{}", isa.name());
            }
            for ((&x, &up), &y) in x.iter().zip(&up).zip(&a) {
                let (x, up) = (f64::from(x), f64::from(up));
                let truth = up
                    * match activation {
                        Activation::Silu => x / (1.0 + (-x).exp()),
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
}
