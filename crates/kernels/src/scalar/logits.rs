//! The specification of the passes over a row of logits. Most loops are inlined into each
//! instruction set's wrapper and compiled there, so they are written in blocks that the compiler
//! vectorizes.

use super::exp::exp;
use crate::{
    fma::fma_of_exact,
    logits::{
        Bin, Bound, FLOOR, GROUP, Line, MOMENT_UNIT, Near, ONE, ROUND, SQUARE_UNIT, Scan, Sums,
        WHOLE,
    },
};

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
