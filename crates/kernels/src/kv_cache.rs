//! Pages of a KV cache: keys and values as f16, f32 or scaled 8-bit integers, in the layout that
//! attention reads.
//!
//! A page holds [`PAGE`] positions of one sequence. For one KV head, keys are `[head_dim][PAGE]`
//! (one lane per position) and values are `[PAGE][head_dim]` (one lane per dimension).
//!
//! As integers, a key or value x of one position is `q_d · s`: its scale is `s = max |x_d| / 127`,
//! an f32, and `q_d = x_d · (1 / s)`, rounded to nearest, ties to even. Where x isn't finite, s is
//! NaN. What is summed lies in neighbouring pairs: keys are `[head_dim / 2][PAGE][2]`, values are
//! `[PAGE / 2][head_dim][2]`; an odd head_dim is filled up. The scales of the `PAGE`
//! positions follow the integers.

use half::f16;

use crate::{
    isa::{Isa, dispatch},
    memory::Pod,
    scalar::attention::{FloatElement, integer_scale, to_integer},
};

pub use crate::scalar::attention::PAGE;

/// Bytes of a scale.
const SCALE: usize = size_of::<f32>();

/// The greatest integer of a key or value.
const MOST: f32 = 127.0;

/// The type of a stored key or value element: `f16`, `f32` or `i8`.
pub trait CacheElement: Pod + Default {
    /// Whether elements are integers, whose scales follow them.
    const IS_SCALED: bool;
    /// Elements of the keys, or of the values, of one KV head in a page.
    fn side_len(head_dim: usize) -> usize;
    /// Writes one position's key and value of one KV head into slot `slot` of a page. `keys` and
    /// `values` have `side_len` elements, `key` and `value` are `[head_dim]`; `slot < PAGE`. Floats
    /// may have no `values`: the value isn't stored then.
    fn store(
        isa: Isa,
        keys: &mut [Self],
        values: &mut [Self],
        slot: usize,
        key: &[f32],
        value: &[f32],
    );
    /// Writes numbers as they are, whatever the type, into [`float_elements`] of their length.
    fn put_floats(x: &[f32], out: &mut [Self]);
    /// Reads what [`CacheElement::put_floats`] wrote.
    fn floats(from: &[Self], out: &mut [f32]);
}

/// Elements that `n` numbers take as they are.
pub fn float_elements<T: CacheElement>(n: usize) -> usize {
    n * size_of::<f32>() / size_of::<T>()
}

/// A float element that f32s are converted to.
pub(crate) trait FromF32s: FloatElement {
    /// Converts f32 to the stored type, rounding to nearest, ties to even.
    fn from_f32s(isa: Isa, x: &[f32], out: &mut [Self]);
}

impl FromF32s for f16 {
    fn from_f32s(isa: Isa, x: &[f32], out: &mut [f16]) {
        dispatch!(isa, attention::to_f16(x, out));
    }
}

impl FromF32s for f32 {
    fn from_f32s(_: Isa, x: &[f32], out: &mut [f32]) {
        out.copy_from_slice(x);
    }
}

/// Implements `CacheElement` for floating-point numbers.
macro_rules! stored_as_numbers {
    ($type:ty, $put:expr, $read:expr) => {
        impl CacheElement for $type {
            const IS_SCALED: bool = false;
            fn side_len(head_dim: usize) -> usize {
                head_dim * PAGE
            }
            fn store(
                isa: Isa,
                keys: &mut [$type],
                values: &mut [$type],
                slot: usize,
                key: &[f32],
                value: &[f32],
            ) {
                store_numbers(isa, keys, values, slot, key, value);
            }
            fn put_floats(x: &[f32], out: &mut [$type]) {
                $put(x, out);
            }
            fn floats(from: &[$type], out: &mut [f32]) {
                $read(from, out);
            }
        }
    };
}
stored_as_numbers!(f16, halves_of, from_halves);
stored_as_numbers!(f32, copied, copied);

fn copied(x: &[f32], out: &mut [f32]) {
    out.copy_from_slice(x);
}

fn halves_of(x: &[f32], out: &mut [f16]) {
    for (out, x) in out.as_chunks_mut::<2>().0.iter_mut().zip(x) {
        let bits = x.to_bits();
        *out = [bits as u16, (bits >> 16) as u16].map(f16::from_bits);
    }
}

fn from_halves(from: &[f16], out: &mut [f32]) {
    for (halves, out) in from.as_chunks::<2>().0.iter().zip(out) {
        let [low, high] = halves.map(|half| u32::from(half.to_bits()));
        *out = f32::from_bits(low | high << 16);
    }
}

fn store_numbers<T: FromF32s>(
    isa: Isa,
    keys: &mut [T],
    values: &mut [T],
    slot: usize,
    key: &[f32],
    value: &[f32],
) {
    let head_dim = value.len();
    if !values.is_empty() {
        T::from_f32s(isa, value, &mut values[slot * head_dim..(slot + 1) * head_dim]);
    }
    let mut converted = [T::default(); 64];
    for (columns, key) in keys.chunks_mut(converted.len() * PAGE).zip(key.chunks(converted.len())) {
        T::from_f32s(isa, key, &mut converted[..key.len()]);
        for (column, x) in columns.chunks_exact_mut(PAGE).zip(&converted) {
            column[slot] = *x;
        }
    }
}

impl CacheElement for i8 {
    const IS_SCALED: bool = true;

    fn side_len(head_dim: usize) -> usize {
        (head_dim.next_multiple_of(2) + SCALE) * PAGE
    }

    fn store(_: Isa, keys: &mut [i8], values: &mut [i8], slot: usize, key: &[f32], value: &[f32]) {
        // An odd head_dim is filled up.
        let stride = values.len() / PAGE - SCALE;
        let put_scale = |side: &mut [i8], scale: f32| {
            let at = side.len() - SCALE * (PAGE - slot);
            side[at..at + SCALE].copy_from_slice(&scale.to_le_bytes().map(u8::cast_signed));
        };
        let (scale, inverse) = integer_scale(key, MOST);
        put_scale(keys, scale);
        for (pair, x) in keys.chunks_exact_mut(2 * PAGE).zip(key.chunks(2)) {
            for (place, x) in pair[2 * slot..].iter_mut().zip(x) {
                *place = to_integer(*x, inverse) as i8;
            }
        }
        let (scale, inverse) = integer_scale(value, MOST);
        put_scale(values, scale);
        let of_pair = &mut values[slot / 2 * 2 * stride..][..2 * stride];
        for (pair, x) in of_pair.chunks_exact_mut(2).zip(value) {
            pair[slot % 2] = to_integer(*x, inverse) as i8;
        }
    }

    fn put_floats(x: &[f32], out: &mut [i8]) {
        for (out, x) in out.as_chunks_mut::<4>().0.iter_mut().zip(x) {
            *out = x.to_le_bytes().map(u8::cast_signed);
        }
    }

    fn floats(from: &[i8], out: &mut [f32]) {
        for (bytes, out) in from.as_chunks::<4>().0.iter().zip(out) {
            *out = f32::from_le_bytes(bytes.map(i8::cast_unsigned));
        }
    }
}

/// One page of one KV head, keys and values in the shapes above. Pages of floats may have no
/// values: keys serve as such.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs, reason = "the variant names the element type, the fields their content")]
pub enum Page<'a> {
    F16 { keys: &'a [f16], values: &'a [f16] },
    F32 { keys: &'a [f32], values: &'a [f32] },
    Q8 { keys: &'a [i8], values: &'a [i8] },
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
            // Keys serve as values.
            (Page::F16 { keys: x, values: [] }, _) => x.as_ptr().cast(),
            (Page::F32 { keys: x, values: [] }, _) => x.as_ptr().cast(),
            (Page::F16 { keys: x, .. }, Side::Keys)
            | (Page::F16 { values: x, .. }, Side::Values) => x.as_ptr().cast(),
            (Page::F32 { keys: x, .. }, Side::Keys)
            | (Page::F32 { values: x, .. }, Side::Values) => x.as_ptr().cast(),
            (Page::Q8 { keys: x, .. }, Side::Keys) | (Page::Q8 { values: x, .. }, Side::Values) => {
                x.as_ptr().cast()
            }
        }
    }

    /// Bytes of its keys, or of its values.
    pub(crate) fn side_bytes(&self) -> usize {
        match self {
            Page::F16 { keys, .. } => size_of_val(*keys),
            Page::F32 { keys, .. } => size_of_val(*keys),
            Page::Q8 { keys, .. } => size_of_val(*keys),
        }
    }

    /// Whether its sides have the lengths of a head of so many dimensions.
    pub(crate) fn fits(&self, head_dim: usize) -> bool {
        let (n, len) = match self {
            Page::F16 { keys, values } => ([keys.len(), values.len()], f16::side_len(head_dim)),
            Page::F32 { keys, values } => ([keys.len(), values.len()], f32::side_len(head_dim)),
            Page::Q8 { keys, values } => ([keys.len(), values.len()], i8::side_len(head_dim)),
        };
        let serve_both = !matches!(self, Page::Q8 { .. }) && n == [len, 0];
        serve_both || n == [len; 2]
    }
}

/// Splits a side of a page of integers into these and the scales of its positions.
pub(crate) fn split_scales(side: &[i8]) -> (&[i8], [f32; PAGE]) {
    let (numbers, bytes) = side.split_at(side.len() - SCALE * PAGE);
    let (bytes, _) = bytes.as_chunks::<SCALE>();
    let scale = |i: usize| f32::from_le_bytes(bytes[i].map(i8::cast_unsigned));
    (numbers, std::array::from_fn(scale))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(x: &[f32]) -> (Vec<i32>, f32) {
        let (scale, inverse) = integer_scale(x, MOST);
        (x.iter().map(|&x| to_integer(x, inverse)).collect(), scale)
    }

    #[test]
    fn integers_are_rounded_to_nearest_ties_to_even() {
        let (q, scale) = stored(&[127.0, -127.0, 0.5, 1.5, -2.5, 0.49, 126.6]);
        assert_eq!((q, scale), (vec![127, -127, 0, 2, -2, 0, 127], 1.0));
        assert_eq!(stored(&[0.0, -0.0]), (vec![0, 0], 0.0));
        assert_eq!(stored(&[1e-40, -1e-42]).0, [0, 0], "the scale's reciprocal overflows");
        for awkward in [f32::NAN, f32::INFINITY, -f32::NAN] {
            let (q, scale) = stored(&[1.0, awkward]);
            assert!(scale.is_nan() && q == [0, 0], "{awkward}");
        }
    }

    #[test]
    fn numbers_are_kept_as_they_are_in_any_format() {
        fn check<T: CacheElement>() {
            let x = [0.1f32, -0.0, f32::INFINITY, 1e-42, -3.4e38];
            let mut elements = vec![T::default(); float_elements::<T>(x.len())];
            T::put_floats(&x, &mut elements);
            let mut read = [1.0; 5];
            T::floats(&elements, &mut read);
            assert_eq!(read.map(f32::to_bits), x.map(f32::to_bits));
        }
        check::<f16>();
        check::<f32>();
        check::<i8>();
    }

    #[test]
    fn an_integer_is_within_half_a_scale_of_the_number() {
        let x: Vec<f32> = (0..64).map(|i| ((i * 7919 + 13) % 1009) as f32 / 100.0 - 5.0).collect();
        let (q, scale) = stored(&x);
        assert!(q.iter().zip(&x).all(|(q, x)| (*q as f32 * scale - x).abs() <= scale * 0.5001));
    }

    #[test]
    fn pairs_are_neighbours_and_scales_follow_the_integers() {
        for head_dim in [6, 7] {
            let [mut keys, mut values] = [(); 2].map(|()| vec![9i8; i8::side_len(head_dim)]);
            let (mut key, value) = (vec![3.0; head_dim], vec![254.0; head_dim]);
            (key[0], key[1]) = (127.0, 2.0);
            i8::store(Isa::SCALAR, &mut keys, &mut values, 3, &key, &value);
            let ((keys, of_keys), (values, of_values)) =
                (split_scales(&keys), split_scales(&values));
            assert_eq!((of_keys[3], of_values[3]), (1.0, 2.0));
            assert_eq!(keys[4..10], [9, 9, 127, 2, 9, 9]);
            assert_eq!(keys[2 * PAGE + 6], 3, "dimension 2");
            let pair = &values[2 * head_dim.next_multiple_of(2)..][..2 * head_dim];
            assert!(pair.chunks(2).all(|pair| pair == [9, 127]), "slots 2 and 3: {pair:?}");
        }
    }
}
