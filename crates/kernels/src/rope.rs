//! Rotary position embedding, RoPE (arXiv 2104.09864): rotates pairs of elements by
//! position-dependent angles.
//!
//! It uses plain multiplications and additions, no fma, so one implementation serves every
//! instruction set.

/// Which elements of a head form a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pairing {
    /// (2i, 2i + 1): llama GGUF files (ggml's `ROPE_TYPE_NORM`).
    Adjacent,
    /// (i, i + n/2): GPT-NeoX, Gemma and others (ggml's `ROPE_TYPE_NEOX`).
    Halves,
}

/// Rotates the first 2·cos.len() elements of `head` by the angles with these cosines and sines.
///
/// # Panics
/// If `sin` and `cos` differ in length, or `head` is shorter than 2·cos.len().
pub fn rotate(pairing: Pairing, head: &mut [f32], cos: &[f32], sin: &[f32]) {
    let half = cos.len();
    assert!(
        sin.len() == half && head.len() >= 2 * half,
        "a sine and a cosine for each pair of the head"
    );
    match pairing {
        Pairing::Adjacent => {
            for ((pair, c), s) in head.as_chunks_mut::<2>().0.iter_mut().zip(cos).zip(sin) {
                *pair = rotate_pair(pair[0], pair[1], *c, *s);
            }
        }
        Pairing::Halves => {
            let (first, second) = head.split_at_mut(half);
            for (((a, b), c), s) in first.iter_mut().zip(second).zip(cos).zip(sin) {
                [*a, *b] = rotate_pair(*a, *b, *c, *s);
            }
        }
    }
}

#[inline]
fn rotate_pair(a: f32, b: f32, cos: f32, sin: f32) -> [f32; 2] {
    [a * cos - b * sin, a * sin + b * cos]
}
