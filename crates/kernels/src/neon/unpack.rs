//! Unpacks codes, factors, scales and mins of a repacked block into vectors, four rows at a time
//! (`quarter` 0 to 3 of a row group).

use std::arch::aarch64::*;

use crate::{
    layout::{Codes, F16_PLANE_BYTES, Factors, Layout, PLANE_BYTES, Scales},
    layout_of::LayoutOf,
};

/// The integers that codes of up to four bits stand for.
const fn table(layout: Layout) -> [i8; 16] {
    let mut table = [0; 16];
    let mut code = 0;
    while code < 1 << layout.bits && code < 16 {
        table[code] = layout.codes.value(code as u8) as i8;
        code += 1;
    }
    table
}

/// The eight quads of 32 codes of four rows, as the integers that they stand for.
///
/// # Safety
/// The CPU has NEON; `planes` is the quarter's part of the first of `bits` planes.
#[inline(always)]
pub(crate) unsafe fn codes<const FORMAT: usize>(planes: *const u8) -> [int8x16_t; 8] {
    let mut quads = [[0u8; 16]; 8].map(|_| unsafe { vdupq_n_s8(0) });
    for (g, quad) in quads.iter_mut().enumerate() {
        // SAFETY: the caller's promise.
        *quad = unsafe { code::<FORMAT>(planes, g) };
    }
    quads
}

/// Quad `g` of [`codes`].
///
/// # Safety
/// As for [`codes`].
#[inline(always)]
unsafe fn code<const FORMAT: usize>(planes: *const u8, g: usize) -> int8x16_t {
    let table = const { table(LayoutOf::<FORMAT>::LAYOUT) };
    // SAFETY: the planes are where `Layout::code` reads them, within the bytes the caller promises;
    // the table has sixteen bytes.
    unsafe {
        let bits = match LayoutOf::<FORMAT>::BITS {
            1 => single(planes, 0, g),
            2 => two_bits(planes, 0, g),
            3 => vorrq_u8(two_bits(planes, 0, g), vshlq_n_u8::<2>(single(planes, 2, g))),
            4 => nibble(planes, g),
            5 => vorrq_u8(nibble(planes, g), vshlq_n_u8::<4>(single(planes, 4, g))),
            6 => vorrq_u8(nibble(planes, g), vshlq_n_u8::<4>(two_bits(planes, 4, g))),
            _ => plane(planes, g),
        };
        match LayoutOf::<FORMAT>::LAYOUT.codes {
            _ if LayoutOf::<FORMAT>::BITS <= 4 => vqtbl1q_s8(vld1q_s8(table.as_ptr()), bits),
            Codes::Offset(zero) => vsubq_s8(vreinterpretq_s8_u8(bits), vdupq_n_s8(zero as i8)),
            _ => vreinterpretq_s8_u8(bits),
        }
    }
}

/// # Safety
/// The CPU has NEON; plane `i` is there.
#[inline(always)]
unsafe fn plane(planes: *const u8, i: usize) -> uint8x16_t {
    // SAFETY: the caller's promise.
    unsafe { vld1q_u8(planes.add(i * PLANE_BYTES)) }
}

/// Shifts bytes right; `n` is a constant after inlining.
///
/// # Safety
/// The CPU has NEON.
#[inline(always)]
unsafe fn right(v: uint8x16_t, n: usize) -> uint8x16_t {
    // SAFETY: the caller's promise.
    unsafe { vshlq_u8(v, vdupq_n_s8(-(n as i8))) }
}

/// # Safety
/// The CPU has NEON; plane `from` is there.
#[inline(always)]
unsafe fn single(planes: *const u8, from: usize, g: usize) -> uint8x16_t {
    // SAFETY: the caller's promise.
    unsafe { vandq_u8(right(plane(planes, from), g), vdupq_n_u8(1)) }
}

/// # Safety
/// The CPU has NEON; planes `from` and `from + 1` are there.
#[inline(always)]
unsafe fn two_bits(planes: *const u8, from: usize, g: usize) -> uint8x16_t {
    // SAFETY: the caller's promise.
    unsafe { vandq_u8(right(plane(planes, from + g / 4), g % 4 * 2), vdupq_n_u8(3)) }
}

/// # Safety
/// The CPU has NEON; planes 0 to 3 are there.
#[inline(always)]
unsafe fn nibble(planes: *const u8, g: usize) -> uint8x16_t {
    // SAFETY: the caller's promise.
    unsafe { vandq_u8(right(plane(planes, g % 4), g / 4 * 4), vdupq_n_u8(15)) }
}

/// Four f16 as f32.
///
/// # Safety
/// The CPU has NEON; there are eight bytes at `at`.
#[inline(always)]
pub(crate) unsafe fn floats_of_f16(at: *const u8) -> float32x4_t {
    // SAFETY: the caller's promise.
    unsafe { vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(at))) }
}

/// The factors d·unit of four rows: number `i` of the block.
///
/// # Safety
/// The CPU has NEON; `block` is a repacked block that has the factor.
#[inline(always)]
pub(crate) unsafe fn factors<const FORMAT: usize>(
    block: *const u8,
    quarter: usize,
    i: usize,
) -> float32x4_t {
    let bytes = LayoutOf::<FORMAT>::FACTOR_BYTES;
    let at = block.wrapping_add(i * bytes + bytes / 4 * quarter);
    // SAFETY: factor i begins at `i · FACTOR_BYTES` of the block; a quarter of it is read: a byte
    // or an f16 of each row.
    unsafe {
        let d = match LayoutOf::<FORMAT>::FACTORS {
            Factors::E8M0 => {
                let e = u32_of_bytes(at);
                // 2^(e - 128): subnormal for e < 2.
                let normal = vshlq_n_u32::<23>(vsubq_u32(e, vdupq_n_u32(1)));
                let subnormal = vshlq_u32(vdupq_n_u32(0x0020_0000), vreinterpretq_s32_u32(e));
                let is_small = vcltq_u32(e, vdupq_n_u32(2));
                vreinterpretq_f32_u32(vbslq_u32(is_small, subnormal, normal))
            }
            Factors::E4M3 => {
                let bits = vmovn_u32(vshlq_n_u32::<7>(u32_of_bytes(at)));
                vcvt_f32_f16(vreinterpret_f16_u16(bits))
            }
            _ => floats_of_f16(at),
        };
        if LayoutOf::<FORMAT>::UNIT == 1.0 {
            d
        } else {
            vmulq_f32(d, vdupq_n_f32(LayoutOf::<FORMAT>::UNIT))
        }
    }
}

/// Four bytes as u32.
///
/// # Safety
/// The CPU has NEON; there are four bytes at `at`.
#[inline(always)]
unsafe fn u32_of_bytes(at: *const u8) -> uint32x4_t {
    // SAFETY: the caller's promise.
    unsafe {
        let bytes = vcreate_u8(u64::from(at.cast::<u32>().read_unaligned()));
        vmovl_u16(vget_low_u16(vmovl_u8(bytes)))
    }
}

/// The scales (`MINS`: the mins) of sub-blocks 2p and 2p + 1 of four rows, next to each other, as
/// i16.
///
/// # Safety
/// The CPU has NEON; `block` is a repacked super-block, one with minima for `MINS`.
#[inline(always)]
pub(crate) unsafe fn scale_pair<const FORMAT: usize, const MINS: bool>(
    block: *const u8,
    quarter: usize,
    p: usize,
) -> int16x8_t {
    let part = F16_PLANE_BYTES / 4 * quarter;
    // SAFETY: planes of 6-bit numbers begin at `MINS_AT` and `SCALES_AT`: n/2 with the low nibbles
    // of n pairs, then n/4 with upper bits. Bytes and nibbles have a plane per pair from
    // `SCALES_AT` on. A quarter of a plane is read.
    unsafe {
        let plane = |at: usize, i: usize| vld1_u8(block.add(at + i * F16_PLANE_BYTES + part));
        let bytes = |p: usize| plane(LayoutOf::<FORMAT>::SCALES_AT, p);
        let low = vdup_n_u8(15);
        let pair = match LayoutOf::<FORMAT>::SCALES {
            Scales::One => vdup_n_s8(1),
            Scales::Byte => vreinterpret_s8_u8(bytes(p)),
            Scales::Nibble if MINS => vreinterpret_s8_u8(vshr_n_u8::<4>(bytes(p))),
            Scales::Nibble => vreinterpret_s8_u8(vand_u8(bytes(p), low)),
            Scales::SixBits { offset } => {
                let half = LayoutOf::<FORMAT>::N_PAIRS / 2;
                let (at, offset) = if MINS {
                    (LayoutOf::<FORMAT>::MINS_AT, 0)
                } else {
                    (LayoutOf::<FORMAT>::SCALES_AT, offset)
                };
                let (lows, highs) = (plane(at, p % half), plane(at, half + p / 4));
                let lows = if p < half { vand_u8(lows, low) } else { vshr_n_u8::<4>(lows) };
                let highs = vshl_u8(highs, vdup_n_s8(-((p % 4 * 2) as i8)));
                let highs = vshl_n_u8::<4>(vand_u8(highs, vdup_n_u8(3)));
                let numbers = vreinterpret_s8_u8(vorr_u8(lows, highs));
                vsub_s8(numbers, vdup_n_s8(offset as i8))
            }
        };
        vmovl_s8(pair)
    }
}
