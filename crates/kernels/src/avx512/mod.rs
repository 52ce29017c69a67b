//! AVX-512 with VNNI: the functions of `scalar`, bit for bit, sixteen f32 lanes at a time where
//! that is faster than `avx2`.

pub(crate) mod matmul;
mod unpack;
mod vector;

pub(crate) use crate::avx2::roofline;

// Eight tokens: their accumulators hide the latency of a multiply-add, and their rows of
// activations fill the registers for addresses.
crate::generic::vector_functions! {
    features: "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma,f16c",
    vector: std::arch::x86_64::__m512,
    scores: [1: 2, 2: 2, 3: 2, 4: 2, 5: 2, 6: 2, 7: 2, 8: 2],
    values: [1: 4, 2: 4, 3: 4, 4: 4, 5: 2, 6: 2, 7: 2, 8: 2],
    integers: [1: 2, 2: 2, 3: 2, 4: 2, 5: 2, 6: 2, 7: 2, 8: 2],
    floats: [1, 2, 3, 4, 5, 6, 7, 8],
    otherwise: avx2,
}
