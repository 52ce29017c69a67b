//! A seed and a stream number in, random bits out: the same ones on every machine (splitmix64,
//! Steele, Lea and Flood 2014).

/// A stream of random numbers.
pub struct Random {
    state: u64,
}

impl Random {
    /// Streams of one seed don't overlap in practice: their starts are scattered over 2^64 places.
    pub fn new(seed: u64, stream: u64) -> Random {
        let mut start = Random { state: seed };
        let scattered = start.next_u64() ^ stream.wrapping_mul(0xD6E8_FEB8_6659_FD93);
        let mut mixed = Random { state: scattered };
        Random { state: mixed.next_u64() }
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Uniform in [0, 1).
    pub fn uniform(&mut self) -> f32 {
        (self.next_u64() >> 40) as f32 / (1u64 << 24) as f32
    }

    /// Uniform in 0..n; the bias of n in 2^64 is of no account here.
    pub fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.next_u64()) * n as u128) >> 64) as usize
    }

    /// Overwrites `bytes` with random ones.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let bits = self.next_u64().to_le_bytes();
            chunk.copy_from_slice(&bits[..chunk.len()]);
        }
    }
}
