//! Counter-based random numbers, keyed by seed, sample and position.
//!
//! They depend on these three numbers alone, not on the temperature, the batch, the thread or the
//! number of earlier draws. So columns of a comparison with equal seed and sample have equal random
//! numbers at each position, and any step can be repeated on its own.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// 32-bit words in one block of ChaCha. Each position has one block.
const WORDS: u128 = 16;

/// The random numbers of one continuation.
///
/// ChaCha with 8 rounds. The key is `seed` as little-endian u64, padded with zeros to 32 bytes. The
/// stream is `sample`. Position `pos` has the block at word position `16·pos`.
///
/// ```
/// use kelvin_sampling::Dice;
///
/// let dice = Dice { seed: 7, sample: 0 };
/// assert_eq!(dice.word(12), dice.word(12));
/// assert_ne!(dice.word(12), dice.word(13));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Dice {
    /// The seed of a run.
    pub seed: u64,
    /// The number of the continuation among those of one prompt and one chain, from 0.
    pub sample: u64,
}

impl Dice {
    /// All random words of the absolute position `pos` of the token to be drawn.
    pub fn words(self, pos: u64) -> Words {
        self.words_in(Stream::default(), pos)
    }

    /// All random words of `pos` in a stream of its own.
    pub fn words_in(self, stream: Stream, pos: u64) -> Words {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&self.seed.to_le_bytes());
        key[8..16].copy_from_slice(&stream.name);
        key[16..24].copy_from_slice(&stream.number.to_le_bytes());
        let mut rng = ChaCha8Rng::from_seed(key);
        rng.set_stream(self.sample);
        rng.set_word_pos(WORDS * u128::from(pos));
        let mut pair = || {
            let low = rng.next_u32();
            u64::from(low) | u64::from(rng.next_u32()) << 32
        };
        Words { draw: pair(), stages: std::array::from_fn(|_| pair()) }
    }

    /// The random word of the draw at the absolute position `pos`.
    pub fn word(self, pos: u64) -> u64 {
        self.words(pos).draw
    }
}

/// Random numbers for something else than the draws of one continuation, such as the particles of a
/// method that draws whole texts. Its words depend on the stream, the dice and a position alone.
///
/// Name and number are bytes 8 to 23 of the key. The stream without a name and with the number 0 is
/// that of [`Dice::words`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Stream {
    /// What the numbers are for, in ASCII, padded with zeros.
    pub name: [u8; 8],
    /// Which of these streams.
    pub number: u64,
}

impl Stream {
    /// The stream of this name and number.
    pub const fn new(name: [u8; 8], number: u64) -> Stream {
        Stream { name, number }
    }
}

/// The random words of one position. Nothing else about a step is random.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Words {
    /// The word of the draw: words 0 (low half) and 1 (high half) of the block.
    pub draw: u64,
    /// The words of stages: the k-th random stage has words 2+2k (low half) and 3+2k of the block.
    pub stages: [u64; Words::N_STAGES],
}

impl Words {
    /// How many random stages a chain can have.
    pub const N_STAGES: usize = 7;
}

/// A word for the draw, with 0 for all stages.
impl From<u64> for Words {
    fn from(draw: u64) -> Words {
        Words { draw, stages: [0; 7] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ChaCha written out from its definition (Bernstein 2008): the 16 words of a block.
    fn block(seed: u64, stream: u64, counter: u64) -> [u32; 16] {
        block_in([seed, 0, 0], stream, counter)
    }

    /// As above, with three of the key's four u64.
    fn block_in(key: [u64; 3], stream: u64, counter: u64) -> [u32; 16] {
        let halves = |x: u64| [x as u32, (x >> 32) as u32];
        let mut start = [0u32; 16];
        start[..4].copy_from_slice(&[0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574]);
        for (i, part) in key.into_iter().enumerate() {
            start[4 + 2 * i..6 + 2 * i].copy_from_slice(&halves(part));
        }
        start[12..14].copy_from_slice(&halves(counter));
        start[14..].copy_from_slice(&halves(stream));
        let mut x = start;
        let mut quarter = |[a, b, c, d]: [usize; 4]| {
            for (p, q, r, turn) in [(a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)] {
                x[p] = x[p].wrapping_add(x[q]);
                x[r] = (x[r] ^ x[p]).rotate_left(turn);
            }
        };
        for _ in 0..4 {
            for i in 0..4 {
                quarter([i, i + 4, i + 8, i + 12]);
            }
            for i in 0..4 {
                quarter([i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4]);
            }
        }
        std::array::from_fn(|i| x[i].wrapping_add(start[i]))
    }

    #[test]
    fn words_are_those_of_the_definition() {
        for (seed, sample, pos) in [
            (0, 0, 0),
            (7, 3, 1),
            (u64::MAX, u64::MAX, u64::MAX),
            (0x0123_4567_89ab_cdef, 1 << 40, (1 << 60) + 5),
        ] {
            let block = block(seed, sample, pos);
            let pair = |i: usize| u64::from(block[i]) | u64::from(block[i + 1]) << 32;
            let dice = Dice { seed, sample };
            assert_eq!(dice.word(pos), pair(0), "{dice:?} {pos}");
            for k in 0..7 {
                assert_eq!(dice.words(pos).stages[k], pair(2 + 2 * k), "{dice:?} {pos} {k}");
            }
        }
    }

    #[test]
    fn streams_are_keys_of_their_own() {
        let dice = Dice { seed: 7, sample: 3 };
        assert_eq!(dice.words_in(Stream::default(), 5), dice.words(5));
        let stream = Stream::new(*b"accept\0\0", 1 << 33);
        let name = u64::from_le_bytes(stream.name);
        let block = block_in([7, name, 1 << 33], 3, 5);
        let word = u64::from(block[0]) | u64::from(block[1]) << 32;
        assert_eq!(dice.words_in(stream, 5).draw, word);
    }

    /// Recorded once: a change of these numbers changes every text ever generated.
    #[test]
    fn words_never_change() {
        let dice = Dice { seed: 7, sample: 0 };
        let words = [14095323943061994099, 11152950903118102349, 5146692075830915397];
        assert_eq!([dice.word(0), dice.word(1), dice.word(2)], words);
    }
}
