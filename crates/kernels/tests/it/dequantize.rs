//! Dequantization of every format, from the file's bytes and from repacked weights, against what
//! the PyPI package gguf makes of them. `python/dequantize.py` writes the expected hashes.

use kelvin_kernels::{format::Format, matrix::WeightMatrix, pool::Pool};

const GOLDENS: &str = include_str!("../goldens/dequantize.txt");

/// Bytes that fill a block: zero, NaN, infinite and extreme factors.
const PATTERNS: [u64; 11] = [
    0x0000_0000_0000_0000,
    0x7f7f_7f7f_7f7f_7f7f,
    0x8080_8080_8080_8080,
    0xffff_ffff_ffff_ffff,
    0x7c00_7c00_7c00_7c00,
    0xfc00_fc00_fc00_fc00,
    0x0001_0001_0001_0001,
    0x8000_8000_8000_8000,
    0x7bff_7bff_7bff_7bff,
    0x7000_c000_0000_0000,
    0x7e02_ff80_7f01_00fe,
];

/// The blocks that the script makes, without its last-block padding.
fn blocks(format: Format) -> Vec<u8> {
    let size = format.block_bytes();
    let mut state = u64::from(format.id()) + 1;
    let mut bytes = Vec::new();
    while bytes.len() < 256 * size {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        bytes.extend(state.wrapping_mul(0x2545_f491_4f6c_dd1d).to_le_bytes());
    }
    bytes.truncate(256 * size);
    for pattern in PATTERNS {
        bytes.extend(pattern.to_le_bytes().iter().cycle().take(size));
    }
    bytes
}

fn bits(x: f32) -> u32 {
    if x.is_nan() { 0x7fc0_0000 } else { x.to_bits() }
}

fn hash(values: &[f32]) -> u64 {
    values.iter().fold(0xcbf2_9ce4_8422_2325, |hash: u64, &x| {
        (hash ^ u64::from(bits(x))).wrapping_mul(0x0100_0000_01b3)
    })
}

#[test]
fn every_format_is_what_gguf_makes_of_it_hostile_factors_included() {
    let pool = Pool::new(1);
    let mut lines = GOLDENS.lines();
    for format in Format::ALL {
        let line = lines.next().unwrap();
        let fields: Vec<&str> = line.split(' ').collect();
        assert_eq!(fields[0], format.name(), "the goldens are in the order of Format::ALL");
        let bytes = blocks(format);
        let n = bytes.len() / format.block_bytes() * format.block_len();
        let mut values = vec![0.0; n];
        format.dequantize(&bytes, &mut values);
        let first: Vec<String> = values[..8].iter().map(|&x| format!("{:08x}", bits(x))).collect();
        assert_eq!(first, fields[2..], "{format:?}: the first eight");
        assert_eq!(format!("{:016x}", hash(&values)), fields[1], "{format:?}: all numbers");

        // Repacked, as row 5 of a matrix whose other rows are zeros.
        let tensor = [vec![0; 5 * bytes.len()], bytes].concat();
        let weights = WeightMatrix::new(&pool, format, 6, n, &tensor).unwrap();
        let mut row = vec![0.0; n];
        weights.row(5, &mut row);
        let differing = (0..n).find(|&i| bits(row[i]) != bits(values[i]));
        assert_eq!(differing, None, "{format:?}: repacked weights differ");
        assert_eq!(weights.n_bytes(), format.memory_bytes(6, n), "{format:?}");
    }
    assert_eq!(lines.next(), None, "a golden of a format that isn't in Format::ALL");
}

#[test]
fn numbers_and_names_are_ggml_s_and_unique() {
    for format in Format::ALL {
        assert_eq!(Format::from_id(format.id()), Some(format));
        assert_eq!(format!("{format:?}"), format.name());
    }
    // ggml's numbers without a format of weights: removed ones, Q8_1, Q8_K and the integers.
    for id in [4, 5, 9, 15, 24, 25, 26, 27, 28, 31, 32, 33, 36, 37, 38, 43, 142, 143, u32::MAX] {
        assert_eq!(Format::from_id(id), None, "{id}");
    }
}

#[test]
fn the_book_lists_every_format() {
    let page = include_str!("../../../../docs/src/platforms.md");
    let list =
        page.split("- Formats ").nth(1).and_then(|rest| rest.split(", and\n").next()).unwrap();
    let names: Vec<&str> =
        list.split([',', ' ', '\n']).filter(|word| !["", "and"].contains(word)).collect();
    assert_eq!(names, Format::ALL.map(Format::name));
}
