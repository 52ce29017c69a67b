//! NEON, which every aarch64 CPU has: the functions of `scalar`, bit for bit, four f32 lanes at a
//! time.

pub(crate) mod dot;
pub(crate) mod matmul;
pub(crate) mod roofline;
pub(crate) mod unpack;
mod vector;

crate::generic::vector_functions! {
    features: "neon",
    vector: std::arch::aarch64::float32x4_t,
    scores: [1: 4, 2: 4, 3: 4, 4: 4, 5: 4, 6: 4],
    values: [1: 4, 2: 4, 3: 4, 4: 4, 5: 4, 6: 4],
    integers: [1: 4, 2: 4, 3: 4, 4: 4, 5: 4, 6: 4],
    floats: [1, 2, 3, 4],
    otherwise: scalar,
}
