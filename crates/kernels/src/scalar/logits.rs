//! The specification of the passes over a row of logits. Most loops are inlined into each
//! instruction set's wrapper and compiled there, so they are written in blocks that the compiler
//! vectorizes.

use super::exp::exp;
use crate::fma::fma_of_exact;

/// Logits per entry of the table of group maxima, which lets searches skip most of the row.
pub const GROUP: usize = 64;
/// The weight of the most likely token: weights are in units of 2^-45.
pub const ONE: u64 = 1 << 45;
/// 2^52: adding it to a number in [0, 2^52] rounds to an integer, half to even, in the low bits of
/// the sum.
pub const ROUND: f64 = (1u64 << 52) as f64;
/// 2^23: adding it to an f32 in [0, 2^23] rounds to an integer, half to even, in the low bits of
/// the sum.
pub(crate) const WHOLE: f32 = (1u32 << 23) as f32;
/// Lower bound of d: weights below it are 0 anyway. A finite stand-in for -inf keeps NaN out of
/// products.
pub(crate) const FLOOR: f32 = -128.0;
/// Terms of the moment are in units of 2^-52: 7 bits finer than the weights.
pub const MOMENT_UNIT: f64 = 128.0;
/// Terms of squares are w² in units of 2^38, so 2^-52 of the largest.
pub const SQUARE_UNIT: f64 = 1.0 / (1u64 << 38) as f64;

/// The result of [`scan`](crate::logits::scan).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scan {
    /// The largest logit; -inf for an empty row. Valid if `fine`.
    pub max: f32,
    /// The smallest logit, masked ones (-inf) included; +inf for an empty row.
    pub min: f32,
    /// Whether the row has neither NaN nor +inf.
    pub fine: bool,
}

/// Sums over the weights of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sums {
    /// Σ w, in units of 2^-45.
    pub total: u64,
    /// Σ round(w·|d|), in units of 2^-52, half to even.
    pub moment: u128,
}

impl Sums {
    /// Adds the sums over other tokens.
    #[inline(always)]
    pub fn add(&mut self, other: Sums) {
        self.total += other.total;
        self.moment += other.moment;
    }
}

/// The last token of a prefix of the vocabulary in descending order (larger logit first, ties by
/// lower index).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bound {
    /// Its logit.
    pub x: f32,
    /// Its index.
    pub index: usize,
}

impl Bound {
    /// Whether a token is in the prefix.
    #[inline]
    pub fn admits(&self, x: f32, index: usize) -> bool {
        x > self.x || (x == self.x && index <= self.index)
    }

    /// The index as u32, for vector comparisons; ids are below 2^32 - 1.
    #[inline]
    pub(crate) fn last(&self) -> u32 {
        u32::try_from(self.index).unwrap_or(u32::MAX)
    }
}

/// How distances are measured: `d = (x - max)·β`, and a token's distance is `|d - center|`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    /// The largest logit.
    pub max: f32,
    /// β = 1/T.
    pub beta: f32,
    /// The point from which distances are measured; 0 is the most likely token.
    pub center: f32,
}

impl Line {
    /// The distance of a logit.
    #[inline]
    pub fn distance(&self, x: f32) -> f32 {
        distance(x, *self)
    }
}

/// A prefix of the vocabulary in order of distance (ties: larger logit, then lower index).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Near {
    /// How distances are measured.
    pub line: Line,
    /// The distance of the last token.
    pub reach: f32,
    /// The last token among those of this distance.
    pub last: Bound,
    /// A finite lower bound: no logit below it is in the prefix.
    pub from: f32,
}

impl Near {
    /// Whether a token is in the prefix.
    #[inline]
    pub fn admits(&self, x: f32, index: usize) -> bool {
        let distance = self.line.distance(x);
        x >= self.from
            && (distance < self.reach || (distance == self.reach && self.last.admits(x, index)))
    }
}

/// A histogram bin of distances, see [`bins`](crate::logits::bins).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bin {
    /// Its number.
    pub number: u32,
    /// The number of the last bin.
    pub last: u32,
}

/// Block length: so many terms of at most 2^52 fit a u64 sum.
const BLOCK: usize = 256;
const LANES: usize = 16;

pub(crate) fn scan(xs: &[f32], maxima: &mut [f32]) -> Scan {
    let mut scan = Scan { max: f32::NEG_INFINITY, min: f32::INFINITY, fine: true };
    for (group, group_max) in xs.chunks(GROUP).zip(maxima) {
        *group_max = group.iter().fold(f32::NEG_INFINITY, |max, &x| if x > max { x } else { max });
        scan.max = if *group_max > scan.max { *group_max } else { scan.max };
        scan.min = group.iter().fold(scan.min, |min, &x| if x < min { x } else { min });
        // False for NaN, too.
        scan.fine &= group.iter().all(|&x| x < f32::INFINITY);
    }
    scan
}

#[inline(always)]
pub(crate) fn count_unmasked(xs: &[f32]) -> usize {
    let count =
        |xs: &[f32]| xs.iter().map(|&x| u32::from(x > f32::NEG_INFINITY)).sum::<u32>() as usize;
    xs.chunks(BLOCK).map(count).sum()
}

#[inline(always)]
pub(crate) fn weigh(xs: &[f32], max: f32, beta: f32, es: &mut [f32]) -> u64 {
    let mut total = 0;
    for (xs, es) in xs.chunks(BLOCK).zip(es.chunks_mut(BLOCK)) {
        for (e, &x) in es.iter_mut().zip(xs) {
            *e = exp(scaled(x, max, beta));
        }
        // Sums the bits of w + ROUND, and subtracts all the ROUNDs at once.
        let sum = es.iter().fold(0u64, |sum, &e| sum.wrapping_add(rounded_weight(e).to_bits()));
        total += sum.wrapping_sub(rounds(es.len()));
    }
    total
}

#[inline(always)]
pub(crate) fn weigh_and_measure(xs: &[f32], max: f32, beta: f32, es: &mut [f32]) -> Sums {
    let mut sums = Sums::default();
    for (xs, es) in xs.chunks(BLOCK).zip(es.chunks_mut(BLOCK)) {
        for (e, &x) in es.iter_mut().zip(xs) {
            *e = exp(scaled(x, max, beta));
        }
        sums.add(measure_block(xs, max, beta, es));
    }
    sums
}

#[inline(always)]
pub(crate) fn measure(xs: &[f32], max: f32, beta: f32, es: &[f32]) -> Sums {
    let mut sums = Sums::default();
    for (xs, es) in xs.chunks(BLOCK).zip(es.chunks(BLOCK)) {
        sums.add(measure_block(xs, max, beta, es));
    }
    sums
}

/// The sums over at most [`BLOCK`] logits.
#[inline(always)]
fn measure_block(xs: &[f32], max: f32, beta: f32, es: &[f32]) -> Sums {
    let (mut total, mut moment) = (0u64, 0u64);
    for (&x, &e) in xs.iter().zip(es) {
        let rounded = rounded_weight(e);
        total = total.wrapping_add(rounded.to_bits());
        // w and d have at most 24 significant bits each: the product is exact before rounding.
        let term = (rounded - ROUND) * (f64::from(-scaled(x, max, beta)) * MOMENT_UNIT);
        moment = moment.wrapping_add((term + ROUND).to_bits());
    }
    Sums {
        total: total.wrapping_sub(rounds(xs.len())),
        moment: u128::from(moment.wrapping_sub(rounds(xs.len()))),
    }
}

#[inline(always)]
pub(crate) fn squares(es: &[f32]) -> u128 {
    let mut sum = 0u128;
    for es in es.chunks(BLOCK) {
        let mut block = 0u64;
        for &e in es {
            let w = (f64::from(e) * ONE as f64 + ROUND) - ROUND;
            // w² has at most 48 significant bits: exact before rounding.
            block += (w * w * SQUARE_UNIT + ROUND).to_bits() - ROUND.to_bits();
        }
        sum += u128::from(block);
    }
    sum
}

#[inline(always)]
pub(crate) fn deviations(xs: &[f32], max: f32, scale: f64) -> (u64, u128) {
    let (mut sum, mut squares) = (0u64, 0u128);
    for xs in xs.chunks(BLOCK) {
        let (mut block, mut block_squares) = (0u64, 0u64);
        for &x in xs {
            // A masked logit counts as the maximum, which adds 0.
            let x = if x > f32::NEG_INFINITY { x } else { max };
            let rounded = (f64::from(max) - f64::from(x)) * scale + ROUND;
            block = block.wrapping_add(rounded.to_bits());
            let q = rounded - ROUND;
            block_squares = block_squares.wrapping_add((q * q + ROUND).to_bits());
        }
        sum += block.wrapping_sub(rounds(xs.len()));
        squares += u128::from(block_squares.wrapping_sub(rounds(xs.len())));
    }
    (sum, squares)
}

#[inline(always)]
pub(crate) fn least(xs: &[f32]) -> f32 {
    let mut least = [f32::INFINITY; LANES];
    let (blocks, rest) = xs.as_chunks::<LANES>();
    for block in blocks {
        for (least, &x) in least.iter_mut().zip(block) {
            let x = if x > f32::NEG_INFINITY { x } else { f32::INFINITY };
            *least = if x < *least { x } else { *least };
        }
    }
    let rest = rest.iter().copied().filter(|&x| x > f32::NEG_INFINITY);
    least.into_iter().chain(rest).fold(f32::INFINITY, |a, b| if b < a { b } else { a })
}

pub(crate) fn select(
    xs: &[f32],
    bound: Bound,
    first: u32,
    ids: &mut [u32],
    out: &mut [f32],
) -> usize {
    let mut n = 0;
    for (&x, id) in xs.iter().zip(first..) {
        if bound.admits(x, id as usize) {
            (ids[n], out[n]) = (id, x);
            n += 1;
        }
    }
    n
}

pub(crate) fn select_near(
    xs: &[f32],
    near: &Near,
    first: u32,
    ids: &mut [u32],
    out: &mut [f32],
) -> usize {
    let mut n = 0;
    for (&x, id) in xs.iter().zip(first..) {
        if near.admits(x, id as usize) {
            (ids[n], out[n]) = (id, x);
            n += 1;
        }
    }
    n
}

pub(crate) fn select_bin(xs: &[f32], line: Line, bin: Bin, first: u32, ids: &mut [u32]) -> usize {
    let mut n = 0;
    for (&x, id) in xs.iter().zip(first..) {
        if place(x, line, bin.last) == bin.number {
            ids[n] = id;
            n += 1;
        }
    }
    n
}

#[inline(always)]
pub(crate) fn bins(
    xs: &[f32],
    es: &[f32],
    line: Line,
    last_bin: u32,
    bins: &mut [u32; GROUP],
    weights: &mut [u64; GROUP],
) {
    for ((bin, w), (&x, &e)) in bins.iter_mut().zip(weights.iter_mut()).zip(xs.iter().zip(es)) {
        *bin = place(x, line, last_bin);
        *w = weight(e);
    }
}

/// The bin of a logit.
#[inline(always)]
fn place(x: f32, line: Line, last_bin: u32) -> u32 {
    let (distance, last) = (distance(x, line) * 64.0, last_bin as f32);
    let distance = if distance < last { distance } else { last };
    (distance + WHOLE).to_bits() - WHOLE.to_bits()
}

#[inline(always)]
pub(crate) fn distance(x: f32, line: Line) -> f32 {
    (scaled(x, line.max, line.beta) - line.center).abs()
}

#[inline(always)]
pub(crate) fn weight(e: f32) -> u64 {
    rounded_weight(e).to_bits().wrapping_sub(ROUND.to_bits())
}

#[inline(always)]
fn rounded_weight(e: f32) -> f64 {
    fma_of_exact(f64::from(e), ONE as f64, ROUND)
}

/// The excess of `n` terms that carry ROUND. Sums of bits wrap around, and subtracting this wraps
/// back.
#[inline(always)]
fn rounds(n: usize) -> u64 {
    ROUND.to_bits().wrapping_mul(n as u64)
}

#[inline(always)]
pub(crate) fn scaled(x: f32, max: f32, beta: f32) -> f32 {
    let d = (x - max) * beta;
    if d > FLOOR { d } else { FLOOR }
}
