//! A very small model in each format, and in a mix of them: the logits are near those of the same
//! weights dequantized to F32, and have the same bits however they are computed.

use kelvin_engine::{
    gguf::Gguf,
    transformer::{CacheFormat, ModelOptions},
};
use kelvin_kernels::{format::Format, isa::Isa};
use kelvin_testkit::gguf_bytes::OnDisk;

mod files;

use crate::reference::run::{ids, load, logits};
use files::{N_TOKENS, divergence, files, tokens};

/// llama.cpp's divergence from the truth on the file of each format, made with
/// `examples/formats.rs`.
const GOLDENS: &str = include_str!("../goldens/formats.json");

/// Formats that the llama.cpp of the goldens hasn't.
const NOT_IN_LLAMA_CPP: &[&str] = &[];

/// The root mean square of the difference of two tables of logits, over that of the second.
fn difference(ours: &[Vec<f32>], truth: &[Vec<f32>]) -> f64 {
    let square = |x: f64| x * x;
    let pairs = || ours.iter().flatten().zip(truth.iter().flatten());
    let error: f64 = pairs().map(|(a, b)| square(f64::from(*a) - f64::from(*b))).sum();
    let scale: f64 = pairs().map(|(_, b)| square(f64::from(*b))).sum();
    (error / scale).sqrt()
}

#[track_caller]
fn agrees(what: &str, format_of: impl Fn(usize) -> Format) -> f64 {
    let [quantized, plain] =
        files(format_of).map(|file| Gguf::open(&OnDisk::new(&file).0).unwrap());
    let tokens = tokens();
    let run = |gguf: &Gguf, threads, isa, chunk| {
        let model = load(gguf, &ModelOptions { threads, isa: Some(isa) });
        logits(&model, &ids(&tokens), CacheFormat::F32, chunk)
    };
    let truth = run(&plain, 2, Isa::best(), N_TOKENS);
    let ours = run(&quantized, 2, Isa::best(), N_TOKENS);
    let d = difference(&ours, &truth);
    println!("{what}: {d:.4}");
    // Activations are rounded to 8 bits before each product. A wrong product gives about 1.
    assert!(d <= 0.08, "{what}: logits differ by {d:.3} of their size");
    for isa in Isa::all() {
        for (threads, chunk) in [(1, 1), (3, 7)] {
            let again = run(&quantized, threads, isa, chunk);
            assert!(again == ours, "{what}: other bits with {threads} threads, {}", isa.name());
        }
    }
    divergence(&truth, &ours)
}

#[test]
fn a_model_of_each_format_is_near_its_dequantized_twin_with_the_same_bits_everywhere() {
    let goldens: serde_json::Value = serde_json::from_str(GOLDENS).unwrap();
    for format in Format::ALL {
        let ours = agrees(format.name(), |_| format);
        let Some(theirs) = goldens[format.name()].as_f64() else {
            assert!(NOT_IN_LLAMA_CPP.contains(&format.name()), "no golden of {}", format.name());
            continue;
        };
        // Both round activations to 8 bits, in other places. Below 1e-5 it's the rounding of f32.
        let most = 1.5 * theirs + 1e-5;
        assert!(ours <= most, "{}: a divergence of {ours:.2e}, {theirs:.2e}", format.name());
    }
}

#[test]
fn a_file_may_mix_all_formats() {
    for shift in [0, 9, 18] {
        let format_of = |i: usize| Format::ALL[(i + shift) % Format::ALL.len()];
        agrees(&format!("all formats, from {:?} on", format_of(0)), format_of);
    }
}
