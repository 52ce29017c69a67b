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

impl Page<'_> {
    /// Where it is: what rows share has one address.
    pub(crate) fn address(&self) -> *const u8 {
        match self {
            Page::F16 { keys, .. } => keys.as_ptr().cast(),
            Page::F32 { keys, .. } => keys.as_ptr().cast(),
        }
    }
}

/// Asks for a slice's cache lines.
pub(crate) fn prefetch<T>(numbers: &[T]) {
    #[cfg(target_arch = "x86_64")]
    for at in (0..size_of_val(numbers)).step_by(64) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: SSE is part of x86-64, and a prefetch may name any address.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(numbers.as_ptr().cast::<i8>().wrapping_add(at)) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = numbers;
}
