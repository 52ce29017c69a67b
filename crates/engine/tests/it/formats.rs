//! A very small model in each format, and in a mix of them: the logits are near those of the same
//! weights dequantized to F32, and have the same bits however they are computed.

use kelvin_engine::{
    gguf::Gguf,
    transformer::{CacheFormat, ModelOptions},
};
use kelvin_kernels::{format::Format, isa::Isa};
use kelvin_testkit::gguf_bytes::{BOOL, Bytes, F32, OnDisk, STR, U32, string};
use kelvin_testkit::tiny::{MISTRAL_LIKE, Meta, Random, Shape, TinyModel};

use crate::reference::run::{ids, load, logits};

/// Rows are whole super-blocks of 256 weights.
const SHAPE: Shape = Shape {
    n_layers: 2,
    d_model: 256,
    n_heads: 4,
    n_kv_heads: 2,
    head_dim: 64,
    d_ff: 256,
    ..MISTRAL_LIKE
};

const N_TOKENS: usize = 24;

/// Random weights of a format with about zero mean and this spread: bytes as in a file.
fn random_weights(random: &mut Random, format: Format, n: usize, spread: f32) -> Vec<u8> {
    let (len, size) = (format.block_len(), format.block_bytes());
    // Two passes: what spread factors of 1 would give, then the right factors.
    let mut d = 1.0;
    for pass in 0..2 {
        let bytes: Vec<u8> = (0..n / len)
            .flat_map(|_| {
                let mut block: Vec<u8> =
                    (0..size).map(|_| (random.next() * 128.0) as i8 as u8).collect();
                // The middle of a code's range, taken away by the minimum.
                let m = match format {
                    Format::Q4_1 => -7.5,
                    Format::Q5_1 => -15.5,
                    Format::Q2_K => 1.5,
                    Format::Q4_K => 7.5,
                    _ => 15.5,
                };
                format.set_factors(&mut block, d, m * d);
                block
            })
            .collect();
        if pass == 1 {
            return bytes;
        }
        let mut values = vec![0.0; n];
        format.dequantize(&bytes, &mut values);
        d = spread / (values.iter().map(|x| x * x).sum::<f32>() / n as f32).sqrt();
    }
    unreachable!("the second pass returns")
}

/// The tiny model with the formats of its matrices chosen by `format_of`, and its twin in F32.
fn files(format_of: impl Fn(usize) -> Format) -> [Gguf; 2] {
    let model = TinyModel::new(&SHAPE);
    let mut random = Random(0x1234_5678_9ABC_DEF1);
    let mut files = [Bytes::new(), Bytes::new()];
    for (key, value) in &model.metadata {
        let (kind, bytes) = match value {
            Meta::U32(x) => (U32, x.to_le_bytes().to_vec()),
            Meta::F32(x) => (F32, x.to_le_bytes().to_vec()),
            Meta::Bool(x) => (BOOL, vec![u8::from(*x)]),
            Meta::Str(x) => (STR, string(x)),
            _ => panic!("the tiny model has no arrays"),
        };
        files = files.map(|file| file.entry(key, kind, bytes.clone()));
    }
    for (i, (name, shape, values)) in model.tensors.iter().enumerate() {
        let floats = |values: &[f32]| values.iter().flat_map(|x| x.to_le_bytes()).collect();
        let format = if shape.len() == 1 { Format::F32 } else { format_of(i) };
        let [bytes, plain]: [Vec<u8>; 2] = if format.block_len() == 1 {
            [floats(values), floats(values)]
        } else {
            let n = values.len();
            let bytes = random_weights(&mut random, format, n, 1.7 / (shape[0] as f32).sqrt());
            let mut values = vec![0.0; n];
            format.dequantize(&bytes, &mut values);
            [bytes, floats(&values)]
        };
        let dims: Vec<u64> = shape.iter().map(|&n| n as u64).collect();
        let ids = [if format.block_len() == 1 { 0 } else { format.id() }, 0];
        for ((file, data), id) in files.iter_mut().zip([bytes, plain]).zip(ids) {
            let offset = file.data.len() as u64;
            *file = file.clone().tensor(name, &dims, id, offset);
            file.data.extend(data);
            file.data.resize(file.data.len().next_multiple_of(32), 0);
        }
    }
    files.map(|file| Gguf::open(&OnDisk::new(&file.file()).0).unwrap())
}

/// The root mean square of the difference of two tables of logits, over that of the second.
fn difference(ours: &[Vec<f32>], truth: &[Vec<f32>]) -> f64 {
    let square = |x: f64| x * x;
    let pairs = || ours.iter().flatten().zip(truth.iter().flatten());
    let error: f64 = pairs().map(|(a, b)| square(f64::from(*a) - f64::from(*b))).sum();
    let scale: f64 = pairs().map(|(_, b)| square(f64::from(*b))).sum();
    (error / scale).sqrt()
}

#[track_caller]
fn agrees(what: &str, format_of: impl Fn(usize) -> Format) {
    let [quantized, plain] = files(format_of);
    let mut random = Random(7);
    let tokens: Vec<u32> = (0..N_TOKENS).map(|_| random.token(SHAPE.vocab_size)).collect();
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
}

#[test]
fn a_model_of_each_format_is_near_its_dequantized_twin_with_the_same_bits_everywhere() {
    for format in Format::ALL {
        agrees(format.name(), |_| format);
    }
}

#[test]
fn a_file_may_mix_all_formats() {
    for shift in [0, 9, 18] {
        let format_of = |i: usize| Format::ALL[(i + shift) % Format::ALL.len()];
        agrees(&format!("all formats, from {:?} on", format_of(0)), format_of);
    }
}
