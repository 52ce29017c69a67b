//! WebAssembly's 128-bit vectors: the functions of `scalar`, bit for bit, four f32 lanes at a time.

pub(crate) mod fma;
pub(crate) mod matmul;
mod unpack;
mod vector;

// Nobody measures a tab's limits: the loops of the specification.
pub(crate) use crate::scalar::roofline;

crate::generic::vector_functions! {
    features: "simd128",
    vector: std::arch::wasm32::v128,
    scores: [1: 2, 2: 2, 3: 2, 4: 2],
    values: [1: 2, 2: 2, 3: 2, 4: 2],
    integers: [1: 2, 2: 2, 3: 2, 4: 2],
    floats: [1, 2, 3, 4],
    otherwise: scalar,
}
