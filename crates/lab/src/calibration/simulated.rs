//! Examples of a known temperature, for tests.

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

use super::example::Example;

/// Examples of `k` options whose right answers are drawn from softmax(ln q / truth).
pub(super) fn examples(n: usize, k: usize, truth: f64, seed: u64) -> Vec<Example> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut uniform = move || (f64::from(random.next_u32()) + 0.5) / 4_294_967_296.0;
    let mut one = || {
        // Spread over some 6 nats, as small models' labels are.
        let logits: Vec<f64> = (0..k).map(|_| 6.0 * uniform()).collect();
        let total = logits.iter().map(|x| x.exp()).sum::<f64>().ln();
        let mut example = Example { ln: logits.iter().map(|x| x - total).collect(), answer: 0 };
        let (p, mut u) = (example.at(truth), uniform());
        example.answer = p
            .iter()
            .position(|p| {
                u -= p;
                u < 0.0
            })
            .unwrap_or(k - 1);
        example
    };
    (0..n).map(|_| one()).collect()
}
