//! Kinds of rotary embedding.

use super::Config;

/// Counts of pairs that turn by each of four coordinates: for text the first three are the position
/// and the fourth is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RopeSections {
    /// Pairs for each coordinate.
    pub counts: [usize; 4],
    /// Pairs take the first three coordinates in turn.
    pub interleaved: bool,
}

/// One kind of rotary embedding: the angle of pair i at position p is p · speed_i, where speed_i =
/// scale · base^(-2i/dim) / factor_i, or YaRN's mean of that and the speed without the scale.
#[derive(Debug, Clone, PartialEq)]
pub struct Rope {
    /// How many numbers of a head turn.
    pub dim: usize,
    /// The base of the wavelengths.
    pub base: f64,
    /// What positions are multiplied with (linear scaling: 1/factor).
    pub scale: f64,
    /// Whether the file's tensor of factors divides the angles (Llama 3's scaling, LongRoPE).
    pub file_factors: bool,
    /// What cosines and sines are multiplied with.
    pub magnitude: f64,
    /// YaRN's ramp.
    pub yarn: Option<Yarn>,
}

/// Pairs below `low` keep their speed, pairs above `high` are scaled, those between in proportion
/// (arXiv 2309.00071).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Yarn {
    /// The last pair that keeps its speed.
    pub low: f64,
    /// The first pair that is scaled wholly.
    pub high: f64,
}

impl Rope {
    /// Without scaling and factors.
    pub fn plain(base: f64, dim: usize) -> Rope {
        Rope { dim, base, scale: 1.0, file_factors: false, magnitude: 1.0, yarn: None }
    }
}

impl RopeSections {
    /// Whether pair `i` turns with a text's positions.
    fn turns(&self, i: usize) -> bool {
        let [t, h, w, e] = self.counts;
        let i = i % (t + h + w + e).max(1);
        if self.interleaved { i < 3 * [t, h, w][i % 3] } else { i < t + h + w }
    }
}

impl Config {
    /// How far each pair of a rotary embedding turns from one position to the next; `factors` are
    /// the file's.
    pub(in super::super) fn speeds(&self, rope: &Rope, factors: Option<&[f32]>) -> Vec<f64> {
        let speed = |i: usize| {
            if self.sections.is_some_and(|sections| !sections.turns(i)) {
                return 0.0;
            }
            let exponent = -2.0 * i as f64 / rope.dim as f64;
            let factor = match factors {
                Some(factors) if rope.file_factors => f64::from(factors[i]),
                _ => 1.0,
            };
            let scaled = rope.scale * libm::pow(rope.base, exponent) / factor;
            match rope.yarn {
                None => scaled,
                Some(Yarn { low, high }) => {
                    let kept = 1.0 - ((i as f64 - low) / (high - low).max(0.001)).clamp(0.0, 1.0);
                    scaled * (1.0 - kept) + scaled / rope.scale * kept
                }
            }
        };
        (0..rope.dim / 2).map(speed).collect()
    }
}
