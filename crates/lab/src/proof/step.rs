//! One step of a text: a hash of its logits, and the numbers that the draw depends on.

use std::sync::{Arc, Mutex, PoisonError};

use kelvin_engine::batch::{Draft, Tap};
use kelvin_sampling::{Dice, Draw};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Logits that are hashed at a time.
const CHUNK: usize = 1024;

/// What one token was drawn from.
///
/// In a file it is a list: the token's id, then in hexadecimal the hash of the logits (32 digits),
/// word, weight and total, since numbers of JSON are exact up to 2^53 only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Form", try_from = "Form")]
pub struct Step {
    /// The token's id.
    pub token: u32,
    /// The first 128 bits of the SHA-256 of the raw logits: vocab_size f32, little-endian. Logits
    /// that differ in one bit have another hash.
    pub logits: u128,
    /// The random word of the draw ([`Dice::word`]).
    pub word: u64,
    /// The token's fixed-point weight after the chain.
    pub weight: u64,
    /// The sum of all weights after the chain: the token's final probability is weight/total.
    pub total: u64,
}

#[derive(Serialize, Deserialize)]
struct Form(u32, String, String, String, String);

impl From<Step> for Form {
    fn from(step: Step) -> Form {
        let Step { token, logits, word, weight, total } = step;
        let hex = |number: u64| format!("{number:x}");
        Form(token, format!("{logits:032x}"), hex(word), hex(weight), hex(total))
    }
}

impl TryFrom<Form> for Step {
    type Error = String;

    fn try_from(Form(token, logits, word, weight, total): Form) -> Result<Step, String> {
        let number = |digits: &str, most: usize| {
            let is_hex = (1..=most).contains(&digits.len())
                && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
            let parsed = is_hex.then(|| u128::from_str_radix(digits, 16).ok()).flatten();
            parsed.ok_or_else(|| {
                format!("a number of a step has 1 to {most} hexadecimal digits, in lower case")
            })
        };
        let short = |digits: &str| number(digits, 16).map(|number| number as u64);
        Ok(Step {
            token,
            logits: number(&logits, 32)?,
            word: short(&word)?,
            weight: short(&weight)?,
            total: short(&total)?,
        })
    }
}

impl Step {
    /// The step that drew the token of position `pos` from a row of logits.
    pub fn of(dice: Dice, pos: usize, logits: &[f32], draw: &Draw) -> Step {
        let Draw { token, weight, total, .. } = *draw;
        let word = dice.word(pos as u64);
        Step { token: token.0, logits: hash(logits), word, weight, total }
    }
}

/// The first 128 bits of the SHA-256 of the logits' bits.
fn hash(logits: &[f32]) -> u128 {
    let mut sum = Sha256::new();
    let mut bytes = [0; 4 * CHUNK];
    for chunk in logits.chunks(CHUNK) {
        for (bytes, logit) in bytes.chunks_exact_mut(4).zip(chunk) {
            bytes.copy_from_slice(&logit.to_le_bytes());
        }
        sum.update(&bytes[..4 * chunk.len()]);
    }
    let digest = sum.finalize();
    digest[..16].iter().fold(0, |number, &byte| number << 8 | u128::from(byte))
}

/// Collects the steps of one text on the threads that draw.
#[derive(Debug, Clone, Default)]
pub struct Recorder(Arc<Mutex<Vec<(usize, Step)>>>);

impl Recorder {
    /// Records the steps of a continuation that hasn't started, in place of its tap.
    pub fn attach(draft: &mut Draft) -> Recorder {
        let recorder = Recorder::default();
        let (of_tap, dice) = (recorder.clone(), draft.sampler.dice());
        draft.tap = Some(Tap::new(move |pos, logits, drawn| of_tap.see(dice, pos, logits, drawn)));
        recorder
    }

    /// Records one step. Logits from which nothing could be drawn aren't one.
    pub(crate) fn see(&self, dice: Dice, pos: usize, logits: &[f32], drawn: Option<&Draw>) {
        if let Some(draw) = drawn {
            let step = Step::of(dice, pos, logits, draw);
            let mut steps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            // A banned string took tokens back: these draw them again.
            while steps.last().is_some_and(|(last, _)| *last >= pos) {
                steps.pop();
            }
            steps.push((pos, step));
        }
    }

    /// Takes the steps so far.
    pub fn take(&self) -> Vec<Step> {
        let steps = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        steps.into_iter().map(|(_, step)| step).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The digests are those of coreutils' sha256sum over the same bytes.
    #[test]
    fn the_hash_is_sha256_of_little_endian_bytes() {
        assert_eq!(hash(&[]), 0xe3b0_c442_98fc_1c14_9afb_f4c8_996f_b924);
        // The bytes "abcd".
        assert_eq!(
            hash(&[f32::from_le_bytes(*b"abcd")]),
            0x88d4_266f_d4e6_338d_13b8_45fc_f289_579d
        );
        let many: Vec<f32> = (0..3 * CHUNK + 5).map(|i| i as f32).collect();
        let bytes: Vec<u8> = many.iter().flat_map(|x| x.to_le_bytes()).collect();
        let whole = Sha256::digest(bytes);
        assert_eq!(hash(&many).to_be_bytes(), whole[..16]);
        // Zeros of both signs are equal numbers with different bits.
        assert_ne!(hash(&[0.0]), hash(&[-0.0]));
    }

    #[test]
    fn steps_are_lists_of_exact_numbers() {
        let step = Step { token: 7, logits: 0xab, word: u64::MAX, weight: 1 << 45, total: 5 };
        let json = serde_json::to_string(&step).unwrap();
        assert_eq!(
            json,
            "[7,\"000000000000000000000000000000ab\",\"ffffffffffffffff\",\"200000000000\",\"5\"]"
        );
        assert_eq!(serde_json::from_str::<Step>(&json).unwrap(), step);
        for bad in ["", "g", "+1", "10000000000000000", "A"] {
            let json = format!("[7,\"ab\",\"{bad}\",\"1\",\"1\"]");
            assert!(serde_json::from_str::<Step>(&json).is_err(), "{bad}");
        }
    }
}
