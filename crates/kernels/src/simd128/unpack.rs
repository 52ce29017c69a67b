//! Unpacks codes, factors, scales and mins of a repacked block into vectors, four rows at a time
//! (`quarter` 0 to 3 of a row group).

use std::arch::wasm32::*;

use super::vector::{floats_of_bits, floats_of_f16};
use crate::{
    layout::{Codes, F16_PLANE_BYTES, Factors, PLANE_BYTES, Scales},
    layout_of::LayoutOf,
};

/// Quad `g` of 32 codes of four rows, as the integers that they stand for: `[row][4]` bytes.
///
/// # Safety
/// `planes` is the quarter's part of the first of `bits` planes.
#[inline(always)]
pub(super) unsafe fn code<const FORMAT: usize>(planes: *const u8, g: usize) -> v128 {
    // SAFETY: the caller's promise.
    let bits = unsafe { stored::<FORMAT>(planes, g) };
    match LayoutOf::<FORMAT>::LAYOUT.codes {
        Codes::Offset(0) | Codes::Signed => bits,
        Codes::Offset(zero) => i8x16_sub(bits, i8x16_splat(zero as i8)),
        // SAFETY: the book has sixteen bytes.
        Codes::Book(book) => i8x16_swizzle(unsafe { v128_load(book.as_ptr().cast()) }, bits),
    }
}

/// Like [`code`], but the codes as they are stored.
///
/// # Safety
/// As for [`code`].
#[inline(always)]
pub(super) unsafe fn stored<const FORMAT: usize>(planes: *const u8, g: usize) -> v128 {
    // SAFETY: the planes are where `Layout::code` reads them, within the bytes the caller promises.
    unsafe {
        match LayoutOf::<FORMAT>::BITS {
            1 => single(planes, 0, g),
            2 => two_bits(planes, 0, g),
            3 => v128_or(two_bits(planes, 0, g), i8x16_shl(single(planes, 2, g), 2)),
            4 => nibble(planes, g),
            5 => v128_or(nibble(planes, g), i8x16_shl(single(planes, 4, g), 4)),
            6 => v128_or(nibble(planes, g), i8x16_shl(two_bits(planes, 4, g), 4)),
            _ => plane(planes, g),
        }
    }
}

/// # Safety
/// Plane `i` is there.
#[inline(always)]
unsafe fn plane(planes: *const u8, i: usize) -> v128 {
    // SAFETY: the caller's promise.
    unsafe { v128_load(planes.add(i * PLANE_BYTES).cast()) }
}

/// # Safety
/// Plane `from` is there.
#[inline(always)]
unsafe fn single(planes: *const u8, from: usize, g: usize) -> v128 {
    // SAFETY: the caller's promise.
    unsafe { v128_and(u8x16_shr(plane(planes, from), g as u32), u8x16_splat(1)) }
}

/// # Safety
/// Planes `from` and `from + 1` are there.
#[inline(always)]
unsafe fn two_bits(planes: *const u8, from: usize, g: usize) -> v128 {
    // SAFETY: the caller's promise.
    let plane = unsafe { plane(planes, from + g / 4) };
    v128_and(u8x16_shr(plane, (g % 4 * 2) as u32), u8x16_splat(3))
}

/// # Safety
/// Planes 0 to 3 are there.
#[inline(always)]
unsafe fn nibble(planes: *const u8, g: usize) -> v128 {
    // SAFETY: the caller's promise.
    let plane = unsafe { plane(planes, g % 4) };
    if g < 4 { v128_and(plane, u8x16_splat(15)) } else { u8x16_shr(plane, 4) }
}

/// The factors d·unit of four rows: number `i` of the block.
///
/// # Safety
/// `block` is a repacked block that has the factor.
#[inline(always)]
pub(super) unsafe fn factors<const FORMAT: usize>(
    block: *const u8,
    quarter: usize,
    i: usize,
) -> v128 {
    let bytes = LayoutOf::<FORMAT>::FACTOR_BYTES;
    let at = block.wrapping_add(i * bytes + bytes / 4 * quarter);
    // SAFETY: factor i begins at `i · FACTOR_BYTES` of the block; a quarter of it is read: a byte
    // or an f16 of each row.
    let d = unsafe {
        match LayoutOf::<FORMAT>::FACTORS {
            Factors::E8M0 => {
                let e = u32_of_bytes(at);
                // 2^(e - 128): subnormal for e < 2.
                let normal = i32x4_shl(i32x4_sub(e, i32x4_splat(1)), 23);
                let subnormal = i32x4_mul(i32x4_add(e, i32x4_splat(1)), i32x4_splat(0x0020_0000));
                v128_bitselect(subnormal, normal, i32x4_lt(e, i32x4_splat(2)))
            }
            Factors::E4M3 => floats_of_bits(i32x4_shl(u32_of_bytes(at), 7)),
            _ => floats_of_f16(at),
        }
    };
    if LayoutOf::<FORMAT>::UNIT == 1.0 {
        d
    } else {
        f32x4_mul(d, f32x4_splat(LayoutOf::<FORMAT>::UNIT))
    }
}

/// Four bytes as u32.
///
/// # Safety
/// There are four bytes at `at`.
#[inline(always)]
unsafe fn u32_of_bytes(at: *const u8) -> v128 {
    // SAFETY: the caller's promise.
    let bytes = unsafe { v128_load32_zero(at.cast()) };
    u32x4_extend_low_u16x8(u16x8_extend_low_u8x16(bytes))
}

/// The scales (`MINS`: the mins) of sub-blocks 2p and 2p + 1 of four rows, next to each other, as
/// i16.
///
/// # Safety
/// `block` is a repacked super-block, one with minima for `MINS`.
#[inline(always)]
pub(super) unsafe fn scale_pair<const FORMAT: usize, const MINS: bool>(
    block: *const u8,
    quarter: usize,
    p: usize,
) -> v128 {
    let part = F16_PLANE_BYTES / 4 * quarter;
    // SAFETY: planes of 6-bit numbers begin at `MINS_AT` and `SCALES_AT`: n/2 with the low nibbles
    // of n pairs, then n/4 with upper bits. Bytes and nibbles have a plane per pair from
    // `SCALES_AT` on. A quarter of a plane is read.
    let plane = |at: usize, i: usize| unsafe {
        v128_load64_zero(block.add(at + i * F16_PLANE_BYTES + part).cast())
    };
    let bytes = |p: usize| plane(LayoutOf::<FORMAT>::SCALES_AT, p);
    let low = u8x16_splat(15);
    let pair = match LayoutOf::<FORMAT>::SCALES {
        Scales::One => i8x16_splat(1),
        Scales::Byte => bytes(p),
        Scales::Nibble if MINS => u8x16_shr(bytes(p), 4),
        Scales::Nibble => v128_and(bytes(p), low),
        Scales::SixBits { offset } => {
            let half = LayoutOf::<FORMAT>::N_PAIRS / 2;
            let (at, offset) = if MINS {
                (LayoutOf::<FORMAT>::MINS_AT, 0)
            } else {
                (LayoutOf::<FORMAT>::SCALES_AT, offset)
            };
            let (lows, highs) = (plane(at, p % half), plane(at, half + p / 4));
            let lows = if p < half { v128_and(lows, low) } else { u8x16_shr(lows, 4) };
            let highs = u8x16_shr(highs, (p % 4 * 2) as u32);
            let highs = i8x16_shl(v128_and(highs, u8x16_splat(3)), 4);
            i8x16_sub(v128_or(lows, highs), i8x16_splat(offset as i8))
        }
    };
    i16x8_extend_low_i8x16(pair)
}
