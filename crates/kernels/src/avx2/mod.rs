//! AVX2 with FMA and F16C: the functions of `scalar`, bit for bit, eight f32 lanes at a time.

mod dot;
pub(crate) mod matmul;
pub(crate) mod roofline;
mod tiles;
pub(crate) mod unpack;
mod vector;

// Six tokens: twelve accumulators, two vectors of weights and an activation in sixteen registers.
crate::generic::vector_functions! {
    features: "avx2,fma,f16c",
    vector: std::arch::x86_64::__m256,
    scores: [1: 4, 2: 4, 3: 2, 4: 2, 5: 2, 6: 2],
    values: [1: 4, 2: 4, 3: 2, 4: 2, 5: 2, 6: 2],
    // Four vectors are a cache line of the cache, so that each step prefetches one.
    integers: [1: 4, 2: 4, 3: 4, 4: 2, 5: 2, 6: 2],
    floats: [1, 2, 3, 4, 5, 6],
    otherwise: scalar,
}
