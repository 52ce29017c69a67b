//! The notation of a chain, then logits, in: the chain prints to what it was read from, and draws
//! only tokens that it can draw.
//!
//! The notation ends with a line feed. The rest is logits, four bytes each; without them some plain
//! ones are used.

use kelvin_sampling::{Chain, Dice, Draw, Sampler};

use crate::memory;

/// Tokens in the text after which the next is drawn.
const STEPS: u64 = 3;
const MAX_LOGITS: usize = 32;
/// Reading a notation of a few hundred bytes.
const MAX_MEMORY: usize = 64 << 20;
const MAX_ERROR: usize = 2000;

/// Panics if the chain breaks a promise.
pub(crate) fn check(bytes: &[u8]) {
    let (notation, logits) = match bytes.iter().position(|&byte| byte == b'\n') {
        Some(at) => (&bytes[..at], &bytes[at + 1..]),
        None => (bytes, &[][..]),
    };
    let Ok(notation) = std::str::from_utf8(notation) else { return };
    let (chain, peak) = memory::peak_of(|| notation.parse::<Chain>());
    assert!(peak <= MAX_MEMORY, "reading the chain took {peak} bytes of memory");
    match chain {
        Ok(chain) => {
            check_notation(&chain);
            check_draws(&chain, &read_logits(logits));
        }
        Err(error) => {
            let error = error.to_string();
            assert!(!error.is_empty() && error.len() <= MAX_ERROR + 6 * bytes.len());
        }
    }
}

fn check_notation(chain: &Chain) {
    let printed = chain.to_string();
    let again: Chain = printed.parse().expect("what is printed can be read");
    assert_eq!(&again, chain, "{printed}");
    assert_eq!(again.to_string(), printed);
}

fn read_logits(bytes: &[u8]) -> Vec<f32> {
    let words = bytes.as_chunks::<4>().0.iter().take(MAX_LOGITS);
    let logits: Vec<f32> = words.map(|&word| f32::from_le_bytes(word)).collect();
    if logits.is_empty() {
        (0..16u8).map(|i| f32::from(i * 7 % 16) * 0.5).collect()
    } else {
        logits
    }
}

fn check_draws(chain: &Chain, logits: &[f32]) {
    let is_bad = logits.iter().any(|x| x.is_nan() || *x == f32::INFINITY)
        || logits.iter().all(|x| x.is_infinite());
    let mut sampler = Sampler::new(chain.clone(), Dice { seed: 7, sample: 0 }).measuring_shift();
    for pos in 0..STEPS {
        let before = sampler.clone();
        let draw = match sampler.draw(logits, pos) {
            Ok(draw) => draw,
            Err(error) => {
                assert!(!error.to_string().is_empty());
                assert!(
                    before.distribution(logits, pos).is_err()
                        && before.clone().sample(logits, pos).is_err()
                );
                return;
            }
        };
        assert!(!is_bad, "drawn from logits that nothing can be drawn from");
        assert!(
            logits.get(draw.token.index()).is_some_and(|x| x.is_finite()),
            "a masked token was drawn"
        );
        assert!(draw.surprisal_final.is_finite() && draw.surprisal_final >= -1e-9);
        assert!(draw.rank < draw.survivors && draw.survivors as usize <= logits.len());
        // Twice the work, so only where stages that look back or learn have something to go by.
        if pos + 1 == STEPS {
            check_shown(&before, logits, pos, &draw);
        }
    }
}

/// The whole distribution says what the draw says.
fn check_shown(before: &Sampler, logits: &[f32], pos: u64, draw: &Draw) {
    let distribution =
        before.distribution(logits, pos).expect("what can be drawn from can be shown");
    assert_eq!(
        before.clone().sample(logits, pos).ok(),
        Some(draw.token),
        "with and without figures"
    );
    let p = distribution.probability(draw.token);
    assert!(p > 0.0 && p <= 1.0 + 1e-9, "a token of probability {p}");
    assert!(
        (p.ln() + draw.surprisal_final).abs() <= 1e-6,
        "p = {p}, -ln p = {}",
        draw.surprisal_final
    );
    assert_eq!(distribution.survivors(), draw.survivors as usize);
    let total: f64 = distribution.top(logits.len()).iter().map(|choice| choice.probability).sum();
    assert!((total - 1.0).abs() <= 1e-9, "probabilities sum to {total}");
}
