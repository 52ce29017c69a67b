//! A family's case in, a tiny model file of random F32 weights out: numbers come from the case's
//! name, so a file is the same everywhere.

#![allow(dead_code, unreachable_pub, reason = "the test and the example take what they need")]
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use kelvin_kernels::format::Format;
use kelvin_testkit::tiny::{Meta, Random, Sizes, TinyModel};

/// A file to be made.
pub struct Case {
    /// `ARCHITECTURE.VARIANT`.
    pub name: &'static str,
    /// As `TinyModel::add_tensors` reads it.
    pub tensors: &'static str,
    /// Hyperparameters after `ARCH.`, besides the sizes; names with a leading `=` are whole.
    pub keys: &'static [(&'static str, Key)],
    pub sizes: Sizes,
    /// The format of a tensor by its name; without it all are F32.
    pub format_of: Option<fn(&str) -> Format>,
}

/// A hyperparameter's value.
#[derive(Clone, Copy)]
pub enum Key {
    U(u32),
    F(f32),
    B(bool),
    S(&'static str),
    Fs(&'static [f32]),
    Is(&'static [i32]),
    Us(&'static [u64]),
    Bs(&'static [bool]),
}

pub const SIZES: Sizes = Sizes {
    n_layers: 2,
    d_model: 64,
    n_heads: 4,
    n_kv_heads: 2,
    head_dim: 16,
    d_ff: 88,
    vocab_size: 250,
    rope_dim: 16,
    ctx_len: 96,
    layer_embedding: 0,
    n_experts: 8,
    d_expert: 40,
    d_shared: 56,
    ffn_times: 1,
    each: &[],
};

/// The context of files that are read for longer than others.
pub const LONG_CONTEXT: usize = 256;

impl Case {
    pub fn arch(&self) -> &'static str {
        self.name.split_once('.').unwrap().0
    }

    pub fn model(&self) -> TinyModel {
        let mut model = TinyModel::of_sizes(self.arch(), &self.sizes);
        for (key, value) in self.keys {
            let value = value.meta();
            match key.strip_prefix('=') {
                Some(whole) => model.metadata.push((whole.into(), value)),
                None => model.set(key, value),
            }
        }
        model.metadata.push(("tokenizer.ggml.model".into(), Meta::Str("none".into())));
        let seed = self.name.bytes().fold(0xCBF2_9CE4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
        });
        model.add_tensors(&mut Random(seed), &self.sizes, self.tensors);
        model
    }
}

impl Key {
    fn meta(self) -> Meta {
        match self {
            Key::U(x) => Meta::U32(x),
            Key::F(x) => Meta::F32(x),
            Key::B(x) => Meta::Bool(x),
            Key::S(x) => Meta::Str(x.into()),
            Key::Fs(x) => Meta::F32s(x.to_vec()),
            Key::Is(x) => Meta::I32s(x.to_vec()),
            Key::Us(x) => Meta::U64s(x.to_vec()),
            Key::Bs(x) => Meta::Bools(x.to_vec()),
        }
    }
}
