//! The first token at which texts differ.

use super::Absent;
use crate::run::Sample;

/// The length of the common prefix of two texts; `None` if they are equal.
pub fn parting(a: &Sample, b: &Sample) -> Option<usize> {
    let same = |i: &usize| match (&a.tokens[*i], &b.tokens[*i]) {
        (a, b) if a.id.is_some() && b.id.is_some() => a.id == b.id,
        (a, b) => a.bytes == b.bytes,
    };
    let shorter = a.tokens.len().min(b.tokens.len());
    let shared = (0..shorter).take_while(same).count();
    (shared < a.tokens.len().max(b.tokens.len())).then_some(shared)
}

/// The mean over all pairs of the length of their common prefix. A pair of equal texts counts its
/// whole length.
pub fn shared_start(samples: &[&Sample]) -> Result<f64, Absent> {
    if samples.len() < 2 {
        return Err(Absent::NeedsSamples { samples: 2 });
    }
    for sample in samples {
        super::tokens(sample)?;
    }
    let (mut sum, mut pairs) = (0, 0);
    for (i, a) in samples.iter().enumerate() {
        for b in &samples[i + 1..] {
            sum += parting(a, b).unwrap_or(a.tokens.len());
            pairs += 1;
        }
    }
    Ok(f64::from(sum as u32) / f64::from(pairs))
}
