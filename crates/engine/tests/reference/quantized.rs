//! A tiny model in, files with quantized weights out: random blocks of a format, which are valid
//! whatever their bits, with factors that give them a stated spread.

use half::{bf16, f16};
use kelvin_kernels::format::Format;
use kelvin_testkit::{
    gguf_bytes::{BOOL, Bytes, F32, STR, U32, string},
    tiny::{Meta, Random, TinyModel},
};

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

/// The bytes of the model's file with the formats of its tensors chosen by `format_of`, from a
/// tensor's number and name, and of its twin in F32. Tensors of one dimension stay F32.
pub fn files(model: &TinyModel, format_of: &dyn Fn(usize, &str) -> Format) -> [Vec<u8>; 2] {
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
        let floats =
            |values: &[f32]| -> Vec<u8> { values.iter().flat_map(|x| x.to_le_bytes()).collect() };
        let format = if shape.len() == 1 { Format::F32 } else { format_of(i, name) };
        let [bytes, plain]: [Vec<u8>; 2] = match format {
            Format::F32 => [floats(values), floats(values)],
            Format::F16 => {
                let halves = values.iter().map(|x| f16::from_f32(*x));
                let plain: Vec<f32> = halves.clone().map(f16::to_f32).collect();
                [halves.flat_map(f16::to_le_bytes).collect(), floats(&plain)]
            }
            Format::BF16 => {
                let halves = values.iter().map(|x| bf16::from_f32(*x));
                let plain: Vec<f32> = halves.clone().map(bf16::to_f32).collect();
                [halves.flat_map(bf16::to_le_bytes).collect(), floats(&plain)]
            }
            _ => {
                let n = values.len();
                let bytes = random_weights(&mut random, format, n, 1.7 / (shape[0] as f32).sqrt());
                let mut values = vec![0.0; n];
                format.dequantize(&bytes, &mut values);
                [bytes, floats(&values)]
            }
        };
        let dims: Vec<u64> = shape.iter().map(|&n| n as u64).collect();
        let ids = [format.id(), 0];
        for ((file, data), id) in files.iter_mut().zip([bytes, plain]).zip(ids) {
            let offset = file.data.len() as u64;
            *file = file.clone().tensor(name, &dims, id, offset);
            file.data.extend(data);
            file.data.resize(file.data.len().next_multiple_of(32), 0);
        }
    }
    files.map(|file| file.file())
}
