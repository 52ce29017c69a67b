//! The tiny files of every family: one with all that a file may have, one with as little as it may
//! have, and one for each rule that a hyperparameter turns on.

#![allow(unreachable_pub, reason = "the test and the example share it")]

use kelvin_testkit::tiny::{Each, Sizes};

use super::build::{Case, Key::*, LONG_CONTEXT, SIZES};

const RMS: (&str, super::build::Key) = ("attention.layer_norm_rms_epsilon", F(1e-5));
const LAYER: (&str, super::build::Key) = ("attention.layer_norm_epsilon", F(1e-5));

const fn case(
    name: &'static str,
    keys: &'static [(&'static str, super::build::Key)],
    tensors: &'static str,
) -> Case {
    Case { name, tensors, keys, sizes: SIZES, format_of: None }
}

const fn sized(case: Case, sizes: Sizes) -> Case {
    Case { sizes, ..case }
}

/// Rows are whole super-blocks of 256 weights.
const WIDE: Sizes = Sizes {
    d_model: 256,
    head_dim: 64,
    rope_dim: 64,
    d_ff: 256,
    d_expert: 256,
    d_shared: 256,
    ..SIZES
};
const NO_ROPE: Sizes = Sizes { n_kv_heads: 4, rope_dim: 0, ..SIZES };
const FULL_HEADS: Sizes = Sizes { n_kv_heads: 4, ..SIZES };
const SMALL: Sizes = Sizes { d_model: 32, n_heads: 2, n_kv_heads: 2, d_ff: 40, ..SIZES };
const WIDE_HEADS: Sizes = Sizes { head_dim: 24, rope_dim: 24, ..SIZES };

#[path = "cases/by_turns.rs"]
mod by_turns;
#[path = "cases/compressed.rs"]
mod compressed;
#[path = "cases/experts.rs"]
mod experts;
#[path = "cases/gpt_like.rs"]
mod gpt_like;
#[path = "cases/image_text.rs"]
mod image_text;
#[path = "cases/latent.rs"]
mod latent;
#[path = "cases/layer_norm.rs"]
mod layer_norm;
#[path = "cases/llama_like.rs"]
mod llama_like;
#[path = "cases/more_experts.rs"]
mod more_experts;
#[path = "cases/more_mixtures.rs"]
mod more_mixtures;
#[path = "cases/more_parts.rs"]
mod more_parts;
#[path = "cases/quantized_experts.rs"]
mod quantized_experts;
#[path = "cases/recurrent.rs"]
mod recurrent;
#[path = "cases/rms_norm.rs"]
mod rms_norm;
#[path = "cases/saved.rs"]
mod saved;
#[path = "cases/scales.rs"]
mod scales;
#[path = "cases/state_streams.rs"]
mod state_streams;
#[path = "cases/states.rs"]
mod states;
#[path = "cases/varied.rs"]
mod varied;

/// Every case of every family.
pub fn cases() -> impl Iterator<Item = &'static Case> {
    let tables = [
        rms_norm::CASES,
        layer_norm::CASES,
        llama_like::CASES,
        gpt_like::CASES,
        image_text::CASES,
        more_parts::CASES,
        varied::CASES,
        latent::CASES,
        compressed::CASES,
        recurrent::CASES,
        states::CASES,
        state_streams::CASES,
        scales::CASES,
        by_turns::CASES,
        experts::CASES,
        more_experts::CASES,
        more_mixtures::CASES,
        quantized_experts::CASES,
        saved::CASES,
    ];
    tables.into_iter().flatten()
}
