//! The tiny files of every family: one with all that a file may have, one with as little as it may
//! have, and one for each rule that a hyperparameter turns on.

#![allow(unreachable_pub, reason = "the test and the example share it")]

use super::build::{Case, Key::*, SIZES, Sizes};

const RMS: (&str, super::build::Key) = ("attention.layer_norm_rms_epsilon", F(1e-5));
const LAYER: (&str, super::build::Key) = ("attention.layer_norm_epsilon", F(1e-5));

const fn case(
    name: &'static str,
    keys: &'static [(&'static str, super::build::Key)],
    tensors: &'static str,
) -> Case {
    Case { name, tensors, keys, sizes: SIZES }
}

const fn sized(case: Case, sizes: Sizes) -> Case {
    Case { sizes, ..case }
}

const NO_ROPE: Sizes = Sizes { n_kv_heads: 4, rope_dim: 0, ..SIZES };
const FULL_HEADS: Sizes = Sizes { n_kv_heads: 4, ..SIZES };
const WIDE_HEADS: Sizes = Sizes { head_dim: 24, rope_dim: 24, ..SIZES };

#[path = "cases/layer_norm.rs"]
mod layer_norm;
#[path = "cases/rms_norm.rs"]
mod rms_norm;

/// Every case of every family.
pub fn cases() -> impl Iterator<Item = &'static Case> {
    rms_norm::CASES.iter().chain(layer_norm::CASES)
}
