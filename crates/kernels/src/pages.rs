//! Keys and values as a cache stores them: in pages, as f16 or f32, laid out as `attention` reads them.

use half::f16;

use crate::{
    isa::{Isa, dispatch},
    memory::Plain,
};

/// Positions in a page.
pub const PAGE: usize = 32;

/// A number as a cache stores it.
pub trait Stored: Plain + Default {
    /// What the kernels know it by: whether it is f16.
    const IS_F16: bool;
    /// Each to the nearest, ties to even.
    fn from_f32s(isa: Isa, x: &[f32], out: &mut [Self]);
    /// Exact.
    fn to_f32(self) -> f32;
}

impl Stored for f16 {
    const IS_F16: bool = true;
    fn from_f32s(isa: Isa, x: &[f32], out: &mut [f16]) {
        dispatch!(isa, attention::to_f16(x, out));
    }
    fn to_f32(self) -> f32 {
        f16::to_f32(self)
    }
}

impl Stored for f32 {
    const IS_F16: bool = false;
    fn from_f32s(_: Isa, x: &[f32], out: &mut [f32]) {
        out.copy_from_slice(x);
    }
    fn to_f32(self) -> f32 {
        self
    }
}

/// Writes the key and the value of one key-value head at place `slot` of a page.
pub fn store<T: Stored>(isa: Isa, keys: &mut [T], values: &mut [T], slot: usize, key: &[f32], value: &[f32]) {
    let width = value.len();
    T::from_f32s(isa, value, &mut values[slot * width..(slot + 1) * width]);
    let mut narrow = [T::default(); 64];
    for (columns, key) in keys.chunks_mut(narrow.len() * PAGE).zip(key.chunks(narrow.len())) {
        T::from_f32s(isa, key, &mut narrow[..key.len()]);
        for (column, x) in columns.chunks_exact_mut(PAGE).zip(&narrow) {
            column[slot] = *x;
        }
    }
}

/// The keys `[head_dim][PAGE]` and values `[PAGE][head_dim]` of one key-value head in one page.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Page<'a> {
    F16 { keys: &'a [f16], values: &'a [f16] },
    F32 { keys: &'a [f32], values: &'a [f32] },
}

/// What a page has two of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Half {
    Keys,
    Values,
}

impl Page<'_> {
    /// Where a half of it is: what rows share has one address.
    pub(crate) fn address(&self, half: Half) -> *const u8 {
        match (self, half) {
            (Page::F16 { keys: x, .. }, Half::Keys) | (Page::F16 { values: x, .. }, Half::Values) => {
                x.as_ptr().cast()
            }
            (Page::F32 { keys: x, .. }, Half::Keys) | (Page::F32 { values: x, .. }, Half::Values) => {
                x.as_ptr().cast()
            }
        }
    }
}

/// Bytes that memory gives at once.
pub(crate) const LINE: usize = 64;

/// Asks for the line at an address, any address. It comes into the second-level cache: the first one has some twenty places for lines that
/// are on their way, and what a product reads waits once they are taken.
#[inline(always)]
pub(crate) fn prefetch(at: *const u8) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        // SAFETY: SSE is part of x86-64, and a prefetch may name any address.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(at.cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = at;
}

/// Asks for the lines of `n` numbers from number `first` on of those at `soon`.
#[inline(always)]
pub(crate) fn ask<T: Stored>(soon: *const u8, first: usize, n: usize) {
    let at = soon.wrapping_add(first * size_of::<T>());
    (0..n * size_of::<T>()).step_by(LINE).for_each(|line| prefetch(at.wrapping_add(line)));
}
