//! Rotary position embedding (arXiv 2104.09864): pairs of numbers turned by an angle that grows with the position.
//!
//! Plain multiplications and additions without fusing, so that one text serves every instruction set.

/// Which numbers of a head make a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pairing {
    /// (2i, 2i+1), as llama's files expect.
    Adjacent,
    /// (i, i + n/2), as GPT-NeoX and Gemma have it.
    Halves,
}

/// Turns the first 2·cos.len() numbers of `head` by the angles whose cosines and sines are given.
pub fn rotate(pairing: Pairing, head: &mut [f32], cos: &[f32], sin: &[f32]) {
    let half = cos.len();
    assert!(sin.len() == half && head.len() >= 2 * half, "an angle for each pair");
    match pairing {
        Pairing::Adjacent => {
            for ((pair, c), s) in head.as_chunks_mut::<2>().0.iter_mut().zip(cos).zip(sin) {
                *pair = turn(pair[0], pair[1], *c, *s);
            }
        }
        Pairing::Halves => {
            let (first, second) = head.split_at_mut(half);
            for (((a, b), c), s) in first.iter_mut().zip(second).zip(cos).zip(sin) {
                [*a, *b] = turn(*a, *b, *c, *s);
            }
        }
    }
}

#[inline]
fn turn(a: f32, b: f32, cos: f32, sin: f32) -> [f32; 2] {
    [a * cos - b * sin, a * sin + b * cos]
}
