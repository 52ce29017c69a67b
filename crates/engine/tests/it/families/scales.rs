//! Which numbers beside matrices count: those that llama.cpp's graph of the family reads, and all
//! of NVFP4 matrices. `cases/scales.rs` has llama.cpp's logits.

use std::fs;

use kelvin_engine::{
    gguf::Gguf,
    transformer::{CacheFormat, ModelOptions},
    uses::{self, Use},
};
use kelvin_kernels::format::Format;
use kelvin_testkit::tiny::{Sizes, TinyModel};

use super::{
    build::{Case, Key, SIZES},
    cases::cases,
    run::{open, tokens},
};
use crate::reference::{
    quantized,
    run::{self, ids, load},
};

/// Qwen 2's graph reads numbers of attention alone.
fn qwen2() -> Case {
    let case = cases().find(|case| case.name == "qwen2.scales").unwrap();
    let sizes = Sizes { d_ff: 128, ..SIZES };
    Case { name: case.name, tensors: case.tensors, keys: case.keys, sizes, format_of: None }
}

fn nvfp4_down(name: &str) -> Format {
    if name.ends_with("ffn_down.weight") { Format::NVFP4 } else { Format::F32 }
}

/// A file with some matrices in another format than F32.
fn quantized_file(model: &TinyModel, format_of: fn(&str) -> Format) -> Gguf {
    let [quantized, _] = quantized_and_plain(model, format_of);
    quantized
}

/// That file, and its twin with the same weights in F32.
fn quantized_and_plain(model: &TinyModel, format_of: fn(&str) -> Format) -> [Gguf; 2] {
    quantized::files(model, &|_, name| format_of(name)).map(|bytes| {
        let path = model.write();
        fs::write(&path, bytes).unwrap();
        let gguf = Gguf::open(&path).unwrap();
        fs::remove_file(path).unwrap();
        gguf
    })
}

/// The numbers of the first layer that have no effect.
fn idle(gguf: &Gguf) -> Vec<&str> {
    let tensors = gguf.tensors.iter().zip(uses::of_tensors(gguf));
    let ignored = tensors.filter(|(_, of)| matches!(of, Use::Ignored(_)));
    ignored.filter_map(|(tensor, _)| tensor.name.strip_prefix("blk.0.")).collect()
}

#[test]
fn it_is_said_which_have_no_effect() {
    let model = qwen2().model();
    assert_eq!(idle(&open(&model)), ["ffn_gate.scale", "ffn_up.scale", "ffn_down.scale"]);
    assert_eq!(idle(&quantized_file(&model, nvfp4_down)), ["ffn_gate.scale", "ffn_up.scale"]);
}

#[test]
fn one_of_an_nvfp4_matrix_counts_in_every_family() {
    let case = qwen2();
    let of = |doubled: &str| {
        let mut model = case.model();
        let scales = model.tensors.iter_mut().filter(|tensor| tensor.0.ends_with(doubled));
        scales.for_each(|(_, _, numbers)| numbers.iter_mut().for_each(|x| *x *= 2.0));
        let model =
            load(&quantized_file(&model, nvfp4_down), &ModelOptions { threads: 1, isa: None });
        run::logits(&model, &ids(&tokens(&case)), CacheFormat::F32, 64)
    };
    let plain = of("nothing");
    assert!(plain == of("ffn_up.scale"));
    assert!(plain != of("ffn_down.scale"));
    assert!(plain != of("attn_q.scale"));
}

/// Phi 3 has the gate and what it weighs in one matrix.
#[test]
fn one_of_a_fused_gate_counts_for_both_halves() {
    let case = Case {
        name: "phi3.nvfp4",
        tensors: "token_embd output_norm |
            attn_norm attn_qkv attn_output ffn_norm ffn_up:fused* ffn_down",
        keys: &[("attention.layer_norm_rms_epsilon", Key::F(1e-5))],
        sizes: Sizes { d_ff: 128, ..SIZES },
        format_of: None,
    };
    let nvfp4_up =
        |name: &str| if name.ends_with("ffn_up.weight") { Format::NVFP4 } else { Format::F32 };
    let mut model = case.model();
    for (_, _, numbers) in model.tensors.iter_mut().filter(|one| one.0.ends_with(".scale")) {
        numbers.fill(2.0);
    }
    let [quantized, plain] = quantized_and_plain(&model, nvfp4_up);
    let logits = |gguf: &Gguf| {
        let model = load(gguf, &ModelOptions { threads: 1, isa: None });
        run::logits(&model, &ids(&tokens(&case)), CacheFormat::F32, 64).concat()
    };
    // The twin's matrix has no factor, so it gets weights that are twice as large.
    let mut bytes = Vec::new();
    for (name, _, numbers) in &mut model.tensors {
        plain.read_tensor(plain.tensor(name).unwrap(), &mut bytes).unwrap();
        let by = if name.ends_with("ffn_up.weight") { 2.0 } else { 1.0 };
        let read = bytes.chunks_exact(4).map(|x| f32::from_le_bytes(x.try_into().unwrap()));
        *numbers = read.map(|x| by * x).collect();
    }
    let [found, expected, without] = [quantized, open(&model), plain].map(|gguf| logits(&gguf));
    let distance =
        |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    // Products of NVFP4 round their input.
    assert!(10.0 * distance(&found, &expected) < distance(&found, &without));
}
