//! Pages of a KV cache: keys and values as f16 or f32, in the layout that attention reads.
//!
//! A page holds [`PAGE`] positions of one sequence. For one KV head, keys are `[head_dim][PAGE]`
//! (one lane per position) and values are `[PAGE][head_dim]` (one lane per dimension).

use half::f16;

use crate::{
    isa::{Isa, dispatch},
    memory::Pod,
};

/// Positions in a page. vLLM calls this the block size.
pub const PAGE: usize = 32;

/// The type of a stored key or value element: `f16` or `f32`.
pub trait CacheElement: Pod + Default {
    /// Whether the type is f16; otherwise it is f32.
    const IS_F16: bool;
    /// Converts f32 to the stored type, rounding to nearest, ties to even.
    fn from_f32s(isa: Isa, x: &[f32], out: &mut [Self]);
    /// Converts a stored element to f32; exact.
    fn to_f32(self) -> f32;
}

impl CacheElement for f16 {
    const IS_F16: bool = true;
    fn from_f32s(isa: Isa, x: &[f32], out: &mut [f16]) {
        dispatch!(isa, attention::to_f16(x, out));
    }
    fn to_f32(self) -> f32 {
        f16::to_f32(self)
    }
}

impl CacheElement for f32 {
    const IS_F16: bool = false;
    fn from_f32s(_: Isa, x: &[f32], out: &mut [f32]) {
        out.copy_from_slice(x);
    }
    fn to_f32(self) -> f32 {
        self
    }
}

/// Writes one position's key and value of one KV head into slot `slot` of a page.
///
/// Shapes: `keys` is `[head_dim][PAGE]`, `values` is `[PAGE][head_dim]`, `key` and `value` are
/// `[head_dim]`; `slot < PAGE`.
pub fn store<T: CacheElement>(
    isa: Isa,
    keys: &mut [T],
    values: &mut [T],
    slot: usize,
    key: &[f32],
    value: &[f32],
) {
    let head_dim = value.len();
    T::from_f32s(isa, value, &mut values[slot * head_dim..(slot + 1) * head_dim]);
    let mut converted = [T::default(); 64];
    for (columns, key) in keys.chunks_mut(converted.len() * PAGE).zip(key.chunks(converted.len())) {
        T::from_f32s(isa, key, &mut converted[..key.len()]);
        for (column, x) in columns.chunks_exact_mut(PAGE).zip(&converted) {
            column[slot] = *x;
        }
    }
}

/// One page of one KV head: keys `[head_dim][PAGE]` and values `[PAGE][head_dim]`.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs, reason = "the variant names the element type, the fields their content")]
pub enum Page<'a> {
    F16 { keys: &'a [f16], values: &'a [f16] },
    F32 { keys: &'a [f32], values: &'a [f32] },
}

/// Selects the keys or the values of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Keys,
    Values,
}

impl Page<'_> {
    /// The address of the keys or values. Rows that share a page see equal addresses.
    pub(crate) fn address(&self, side: Side) -> *const u8 {
        match (self, side) {
            (Page::F16 { keys: x, .. }, Side::Keys)
            | (Page::F16 { values: x, .. }, Side::Values) => x.as_ptr().cast(),
            (Page::F32 { keys: x, .. }, Side::Keys)
            | (Page::F32 { values: x, .. }, Side::Values) => x.as_ptr().cast(),
        }
    }
}
