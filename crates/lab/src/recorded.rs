//! Encodes the logits of a step for the database, and decodes them.
//!
//! There are two forms. **Whole** stores every logit exactly: a draw at any temperature equals the
//! model's own. **Top** stores the n largest logits exactly with their ids. For all others it
//! stores a histogram of their distances from the maximum in half precision. Their ids are lost;
//! their mass is known at any temperature, each distance to one part in 2,048.
//!
//! Half precision can't tell tokens apart: it has 64 values per nat in the usual range of logits,
//! where a vocabulary has thousands of tokens. So the order among the others, which decides a draw,
//! is lost.

use std::io::{Read, Write};

use flate2::{Compression, read::DeflateDecoder, write::DeflateEncoder};
use half::f16;
use kelvin_sampling::{MAX_VOCAB, TokenId};

use crate::recipe::Keep;

/// First byte of the whole form. No deflate stream begins with it or with [`TOP`].
const WHOLE: u8 = 0x06;
/// First byte of the top form.
const TOP: u8 = 0x0E;

/// The encoded logits of one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedLogits {
    /// The token's position in the sequence, prompt included.
    pub place: u64,
    /// The number of logits.
    pub n_vocab: usize,
    /// A form byte, then one raw deflate stream, documented in `schema.sql`.
    pub packed: Vec<u8>,
}

/// Decoded logits.
#[derive(Debug, Clone, PartialEq)]
pub struct Unpacked {
    /// One logit per token. Those of the others are correct as a set, but which token has which
    /// logit is unknown.
    pub logits: Vec<f32>,
    /// The tokens whose logits are exact, ascending; `None` if all are.
    named: Option<Vec<u32>>,
}

impl Unpacked {
    /// Whether every logit is exact.
    pub fn is_whole(&self) -> bool {
        self.named.is_none()
    }

    /// Whether this token's logit is exact.
    pub fn names(&self, token: TokenId) -> bool {
        self.named.as_ref().is_none_or(|named| named.binary_search(&token.0).is_ok())
    }
}

impl RecordedLogits {
    /// Encodes the logits of a step.
    pub fn pack(logits: &[f32], place: u64, keep: Keep) -> RecordedLogits {
        let (form, bytes) = match keep {
            Keep::Top(n) if (n.get() as usize) < logits.len() => {
                (TOP, likeliest(logits, n.get() as usize))
            }
            _ => (WHOLE, planes(logits)),
        };
        let mut encoder = DeflateEncoder::new(vec![form], Compression::fast());
        let packed = encoder.write_all(&bytes).and_then(|()| encoder.finish());
        RecordedLogits {
            place,
            n_vocab: logits.len(),
            packed: packed.expect("memory takes whatever is written to it"),
        }
    }

    /// Decodes the logits; `None` if the bytes are damaged.
    pub fn unpack(&self) -> Option<Unpacked> {
        let n = self.n_vocab;
        let (form, stream) = self.packed.split_first()?;
        // The maximum length of either form: ten bytes per token with an id, and ten per distance.
        let most = 16 + 20 * n.min(MAX_VOCAB) as u64;
        let mut bytes = Vec::new();
        DeflateDecoder::new(stream).take(most + 1).read_to_end(&mut bytes).ok()?;
        match *form {
            WHOLE => Some(Unpacked { logits: whole(&bytes, n)?, named: None }),
            TOP if n <= MAX_VOCAB => spread(&bytes, n),
            _ => None,
        }
    }
}

/// Byte-plane transposition: all first bytes, then all second bytes, and so on. Exponents compress
/// well once they are apart from the mantissas.
fn planes(logits: &[f32]) -> Vec<u8> {
    (0..4).flat_map(|plane| logits.iter().map(move |x| x.to_be_bytes()[plane])).collect()
}

fn whole(bytes: &[u8], n: usize) -> Option<Vec<f32>> {
    if Some(bytes.len()) != n.checked_mul(4) {
        return None;
    }
    let plane = |i: usize| &bytes[i * n..(i + 1) * n];
    let (a, b, c, d) = (plane(0), plane(1), plane(2), plane(3));
    Some((0..n).map(|i| f32::from_be_bytes([a[i], b[i], c[i], d[i]])).collect())
}

/// Maps an f32 to an integer with the same order.
fn rank_of(x: f32) -> u32 {
    let bits = x.to_bits();
    if bits >> 31 == 1 { !bits } else { bits | 1 << 31 }
}

fn of_rank(rank: u32) -> f32 {
    f32::from_bits(if rank >> 31 == 1 { rank & !(1 << 31) } else { !rank })
}

/// The top form's payload: the number of top tokens, their ids and the differences of their
/// [ranks](rank_of); then the histogram of distances, ascending, as gaps in units in the last place
/// of half precision, each with its count.
fn likeliest(logits: &[f32], n: usize) -> Vec<u8> {
    let mut order: Vec<u32> = (0..logits.len() as u32).collect();
    let logit = |id: u32| logits[id as usize];
    let descending = |a: &u32, b: &u32| logit(*b).total_cmp(&logit(*a)).then(a.cmp(b));
    order.select_nth_unstable_by(n, descending);
    let (top, rest) = order.split_at_mut(n);
    top.sort_unstable_by(descending);
    let mut bytes = Vec::new();
    push(&mut bytes, n as u32);
    let mut before = u32::MAX;
    for &id in &*top {
        let rank = rank_of(logit(id));
        push(&mut bytes, id);
        push(&mut bytes, before - rank);
        before = rank;
    }
    let max = logit(top[0]);
    let mut distances: Vec<u16> =
        rest.iter().map(|&id| f16::from_f32(max - logit(id)).to_bits()).collect();
    distances.sort_unstable();
    let mut before = 0;
    for equal in distances.chunk_by(|a, b| a == b) {
        push(&mut bytes, u32::from(equal[0] - before));
        push(&mut bytes, equal.len() as u32);
        before = equal[0];
    }
    bytes
}

/// Puts the top logits at their ids and the others at the remaining ids.
fn spread(bytes: &[u8], n_vocab: usize) -> Option<Unpacked> {
    let mut bytes = bytes.iter();
    let n = pull(&mut bytes)? as usize;
    if n == 0 || n > n_vocab {
        return None;
    }
    let mut logits: Vec<Option<f32>> = vec![None; n_vocab];
    let mut named = Vec::with_capacity(n);
    let (mut rank, mut max) = (u32::MAX, f32::NAN);
    for i in 0..n {
        let id = pull(&mut bytes)?;
        rank = rank.checked_sub(pull(&mut bytes)?)?;
        let x = of_rank(rank);
        max = if i == 0 { x } else { max };
        if logits.get_mut(id as usize)?.replace(x).is_some() {
            return None;
        }
        named.push(id);
    }
    named.sort_unstable();
    // No other logit may exceed a top logit.
    let (least, mut left) = (of_rank(rank), n_vocab - n);
    let mut places = logits.iter_mut().filter(|x| x.is_none());
    let mut bits = 0u32;
    while left > 0 {
        bits += pull(&mut bytes)?;
        let (distance, count) =
            (f16::from_bits(u16::try_from(bits).ok()?).to_f32(), pull(&mut bytes)?);
        left = left.checked_sub(count as usize)?;
        let x = max - distance;
        let x = if x >= least { least.next_down() } else { x };
        places.by_ref().take(count as usize).for_each(|place| *place = Some(x));
    }
    bytes.next().is_none().then_some(())?;
    Some(Unpacked { logits: logits.into_iter().collect::<Option<_>>()?, named: Some(named) })
}

/// LEB128: seven bits per byte, the lowest first; the eighth bit says that more follow.
fn push(bytes: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn pull(bytes: &mut std::slice::Iter<'_, u8>) -> Option<u32> {
    let mut number = 0u32;
    for shift in (0..35).step_by(7) {
        let byte = *bytes.next()?;
        number |= u32::from(byte & 0x7F)
            .checked_shl(shift)
            .filter(|part| part >> shift == u32::from(byte & 0x7F))?;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use kelvin_sampling::{Chain, Dice, Sampler};
    use proptest::prelude::*;

    use super::*;

    fn top(n: u32) -> Keep {
        Keep::Top(NonZeroU32::new(n).unwrap())
    }

    /// Logits as models have them: a bell with a few above it, some equal, some masked.
    fn bell(n: usize, seed: u64) -> Vec<f32> {
        let mut state = seed | 1;
        let mut uniform = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 40) as f32 / (1 << 24) as f32
        };
        let mut logits: Vec<f32> =
            (0..n).map(|_| (0..6).map(|_| uniform()).sum::<f32>() * 5.0 - 15.0).collect();
        for _ in 0..12 {
            logits[(uniform() * n as f32) as usize % n] = 4.0 + uniform() * 8.0;
        }
        logits[n / 2] = logits[n / 3];
        logits[n / 5] = f32::NEG_INFINITY;
        logits
    }

    proptest! {
        #[test]
        fn whole_logits_come_back_bit_for_bit(bits in prop::collection::vec(any::<u32>(), 0..600)) {
            let logits: Vec<f32> = bits.iter().map(|&bits| f32::from_bits(bits)).collect();
            let back = RecordedLogits::pack(&logits, 12, Keep::Whole).unpack().unwrap();
            prop_assert!(back.is_whole());
            prop_assert_eq!(back.logits.iter().map(|x| x.to_bits()).collect::<Vec<_>>(), bits);
        }

        #[test]
        fn the_likeliest_come_back_bit_for_bit_and_the_rest_to_half_precision(
            mut logits in prop::collection::vec(-40f32..40.0, 1..600), n in 1u32..700,
        ) {
            let count = logits.len();
            logits[count / 2] = logits[count / 3];
            let back = RecordedLogits::pack(&logits, 12, top(n)).unpack().unwrap();
            let named: Vec<usize> = (0..count).filter(|&i| back.names(TokenId(i as u32))).collect();
            prop_assert_eq!(named.len(), count.min(n as usize));
            let max = logits.iter().copied().fold(f32::MIN, f32::max);
            let (mut rest, mut came) = (logits.clone(), back.logits.clone());
            for &i in named.iter().rev() {
                prop_assert_eq!(logits[i], back.logits[i]);
                rest.remove(i);
                came.remove(i);
            }
            rest.sort_by(f32::total_cmp);
            came.sort_by(f32::total_cmp);
            let least = named.iter().map(|&i| logits[i]).fold(f32::MAX, f32::min);
            for (a, b) in rest.iter().zip(&came) {
                prop_assert!((a - b).abs() <= (max - a) / 2048.0 + 1e-5 && *b < least, "{a} {b}");
            }
        }

        #[test]
        fn any_bytes_are_logits_or_refused(n_vocab in 0usize..50, packed in prop::collection::vec(any::<u8>(), 0..60), form in any::<bool>()) {
            let mut encoder = DeflateEncoder::new(vec![if form { WHOLE } else { TOP }], Compression::fast());
            encoder.write_all(&packed).unwrap();
            for packed in [packed, encoder.finish().unwrap()] {
                if let Some(back) = (RecordedLogits { place: 0, n_vocab, packed }).unpack() {
                    prop_assert_eq!(back.logits.len(), n_vocab);
                }
            }
        }

        /// A draw among the named is the model's own unless the dice fall on a boundary, and always
        /// where nothing else is left.
        #[test]
        fn draws_from_the_likeliest_are_the_models_own(seed in any::<u64>()) {
            let logits = bell(20_000, seed);
            let back = RecordedLogits::pack(&logits, 0, top(500)).unpack().unwrap();
            for (chain, exact) in [("temp=1", false), ("temp=1 | min_p=0.02", true), ("top_k=500 | \
                temp=1 | top_p=0.9", true)] {
                let (mut same, mut named) = (0, 0);
                let chain: Chain = chain.parse().unwrap();
                for t in [0.0f32, 0.3, 0.7, 1.0, 1.3] {
                    let chain = chain.with_temperature(t).unwrap();
                    for sample in 0..20 {
                        let mut sampler = Sampler::new(Chain::default(), Dice { seed, sample });
                        let truth = sampler.replay(&chain, &logits, 5).unwrap();
                        let draw = sampler.replay(&chain, &back.logits, 5).unwrap();
                        // Dice on a boundary give the neighbour in the order, which may lie
                        // anywhere while it has a name.
                        if draw.token == truth.token || !back.names(truth.token) {
                            prop_assert!((draw.surprisal - truth.surprisal).abs() < 0.05);
                        }
                        // A cut among the rest takes or leaves all that half precision can't tell
                        // apart.
                        let tolerance = if exact { 0.02 } else { 1e-3 };
                        prop_assert!((draw.entropy_final - truth.entropy_final).abs() < tolerance);
                        if exact && truth.survivors <= 500 {
                            prop_assert_eq!((draw.token, draw.survivors), (truth.token, truth.survivors));
                        }
                        named += usize::from(back.names(truth.token));
                        same += usize::from(back.names(truth.token) && draw.token == truth.token);
                    }
                }
                // Where a cut leaves a part of the rest, its mass is rough, and this bell has much
                // of it.
                prop_assert!(named >= 50 && (exact || same + 3 >= named), "{chain}: {same} of \
                    {named}");
            }
        }
    }

    #[test]
    fn bytes_that_are_cut_or_of_another_size_are_refused() {
        let logits = bell(5003, 3);
        for keep in [Keep::Whole, top(100), top(9000)] {
            let kept = RecordedLogits::pack(&logits, 12, keep);
            assert!(kept.packed.len() < 4 * logits.len());
            for (n_vocab, packed) in [
                (5002, kept.packed.clone()),
                (6000, kept.packed.clone()),
                (usize::MAX / 4 + 1, kept.packed.clone()),
                (5003, kept.packed[..kept.packed.len() / 2].to_vec()),
                (5003, kept.packed[1..].to_vec()),
                (5003, Vec::new()),
            ] {
                assert_eq!(
                    RecordedLogits { place: 12, n_vocab, packed }.unpack(),
                    None,
                    "{n_vocab} {keep:?}"
                );
            }
        }
    }
}
