//! The generic algorithms over arrays of 4, 8 and 16 lanes give the bits of the specification, with
//! an emulated vector that any CPU runs. The fma is a function, not an instruction.

use half::f16;

use super::{
    attention::{self, pair_of},
    exp, floats, gate, logits, norm, recurrence,
};
use crate::{
    fma::fma,
    format::Format,
    layout::GROUP_ROWS,
    logits::SLACK,
    scalar::{
        self,
        attention::PAGE,
        logits::{Bin, Bound, GROUP, Line, Near},
        recurrence::{BLOCK, Token},
    },
    vector::Vector,
};

/// N lanes in an array.
#[derive(Clone, Copy)]
struct Lanes<const N: usize>([f32; N]);

fn zip<const N: usize>(a: Lanes<N>, b: Lanes<N>, f: impl Fn(f32, f32) -> f32) -> Lanes<N> {
    Lanes(std::array::from_fn(|i| f(a.0[i], b.0[i])))
}

fn compare<const N: usize>(a: Lanes<N>, b: Lanes<N>, f: impl Fn(&f32, &f32) -> bool) -> [bool; N] {
    std::array::from_fn(|i| f(&a.0[i], &b.0[i]))
}

impl<const N: usize> Vector for Lanes<N> {
    const LANES: usize = N;
    type Int = [u32; N];
    type Mask = [bool; N];

    unsafe fn splat(x: f32) -> Self {
        Lanes([x; N])
    }
    unsafe fn load(at: *const f32) -> Self {
        // SAFETY: the caller's promise.
        Lanes(unsafe { at.cast::<[f32; N]>().read_unaligned() })
    }
    unsafe fn store(self, at: *mut f32) {
        // SAFETY: the caller's promise.
        unsafe { at.cast::<[f32; N]>().write_unaligned(self.0) }
    }
    unsafe fn load_f16(at: *const f16) -> Self {
        // SAFETY: the caller's promise.
        Lanes(unsafe { at.cast::<[f16; N]>().read_unaligned() }.map(f16::to_f32))
    }
    unsafe fn load_bf16(at: *const u16) -> Self {
        // SAFETY: the caller's promise.
        let bits = unsafe { at.cast::<[u16; N]>().read_unaligned() };
        Lanes(bits.map(|bits| f32::from_bits(u32::from(bits) << 16)))
    }
    unsafe fn store_f16(self, at: *mut f16) {
        // SAFETY: the caller's promise.
        unsafe { at.cast::<[f16; N]>().write_unaligned(self.0.map(f16::from_f32)) }
    }
    unsafe fn add(self, other: Self) -> Self {
        zip(self, other, |a, b| a + b)
    }
    unsafe fn sub(self, other: Self) -> Self {
        zip(self, other, |a, b| a - b)
    }
    unsafe fn mul(self, other: Self) -> Self {
        zip(self, other, |a, b| a * b)
    }
    unsafe fn div(self, other: Self) -> Self {
        zip(self, other, |a, b| a / b)
    }
    unsafe fn fma(self, factor: Self, term: Self) -> Self {
        Lanes(std::array::from_fn(|i| fma(self.0[i], factor.0[i], term.0[i])))
    }
    unsafe fn max(self, other: Self) -> Self {
        zip(self, other, |a, b| if a > b { a } else { b })
    }
    unsafe fn min(self, other: Self) -> Self {
        zip(self, other, |a, b| if a < b { a } else { b })
    }
    unsafe fn abs(self) -> Self {
        Lanes(self.0.map(f32::abs))
    }
    unsafe fn neg(self) -> Self {
        Lanes(self.0.map(|x| -x))
    }
    unsafe fn horizontal_max(self) -> f32 {
        self.0.into_iter().fold(f32::NEG_INFINITY, f32::max)
    }
    unsafe fn horizontal_min(self) -> f32 {
        self.0.into_iter().fold(f32::INFINITY, f32::min)
    }
    unsafe fn lt(self, other: Self) -> Self::Mask {
        compare(self, other, f32::lt)
    }
    unsafe fn gt(self, other: Self) -> Self::Mask {
        compare(self, other, f32::gt)
    }
    unsafe fn ge(self, other: Self) -> Self::Mask {
        compare(self, other, f32::ge)
    }
    unsafe fn eq(self, other: Self) -> Self::Mask {
        compare(self, other, f32::eq)
    }
    unsafe fn unordered(self, other: Self) -> Self::Mask {
        compare(self, other, |a, b| a.is_nan() || b.is_nan())
    }
    unsafe fn zero_where(self, mask: Self::Mask) -> Self {
        Lanes(std::array::from_fn(|i| if mask[i] { 0.0 } else { self.0[i] }))
    }
    unsafe fn no_lanes() -> Self::Mask {
        [false; N]
    }
    unsafe fn and(a: Self::Mask, b: Self::Mask) -> Self::Mask {
        std::array::from_fn(|i| a[i] & b[i])
    }
    unsafe fn or(a: Self::Mask, b: Self::Mask) -> Self::Mask {
        std::array::from_fn(|i| a[i] | b[i])
    }
    unsafe fn any(mask: Self::Mask) -> bool {
        mask.contains(&true)
    }
    unsafe fn count(mask: Self::Mask) -> usize {
        mask.iter().filter(|&&lane| lane).count()
    }
    unsafe fn to_bits(self) -> Self::Int {
        self.0.map(f32::to_bits)
    }
    unsafe fn from_bits(bits: Self::Int) -> Self {
        Lanes(bits.map(f32::from_bits))
    }
    unsafe fn splat_int(x: u32) -> Self::Int {
        [x; N]
    }
    unsafe fn iota(first: u32) -> Self::Int {
        std::array::from_fn(|i| first + i as u32)
    }
    unsafe fn load_i8_pairs(at: *const i8) -> Self::Int {
        // SAFETY: the caller's promise.
        let pairs = unsafe { at.cast::<[[i8; 2]; N]>().read_unaligned() };
        pairs.map(|pair| pair_of(pair.map(i16::from)))
    }
    unsafe fn dot_i16(sum: Self::Int, a: Self::Int, b: Self::Int) -> Self::Int {
        let halves = |x: u32| [x as u16, (x >> 16) as u16].map(|x| i32::from(x.cast_signed()));
        std::array::from_fn(|i| {
            let (a, b) = (halves(a[i]), halves(b[i]));
            sum[i].wrapping_add((a[0] * b[0] + a[1] * b[1]).cast_unsigned())
        })
    }
    unsafe fn from_i32(x: Self::Int) -> Self {
        Lanes(x.map(|x| x.cast_signed() as f32))
    }
    unsafe fn store_low_halves(x: Self::Int, at: *mut i16) {
        // SAFETY: the caller's promise.
        unsafe { at.cast::<[u16; N]>().write_unaligned(x.map(|x| x as u16)) }
    }
    unsafe fn add_int(a: Self::Int, b: Self::Int) -> Self::Int {
        std::array::from_fn(|i| a[i].wrapping_add(b[i]))
    }
    unsafe fn shift_left_23(bits: Self::Int) -> Self::Int {
        bits.map(|x| x << 23)
    }
    unsafe fn eq_int(a: Self::Int, b: Self::Int) -> Self::Mask {
        std::array::from_fn(|i| a[i] == b[i])
    }
    unsafe fn le_int(a: Self::Int, b: Self::Int) -> Self::Mask {
        std::array::from_fn(|i| a[i] <= b[i])
    }
    unsafe fn compress_store(
        id: Self::Int,
        x: Self,
        mask: Self::Mask,
        ids: *mut u32,
        logits: Option<*mut f32>,
    ) {
        for (n, i) in (0..N).filter(|&i| mask[i]).enumerate() {
            // SAFETY: the caller's promise: N elements can be written, and n < N.
            unsafe {
                ids.add(n).write(id[i]);
                if let Some(logits) = logits {
                    logits.add(n).write(x.0[i]);
                }
            }
        }
    }
}

fn number(i: usize) -> f32 {
    ((i * 7919 + 13) % 1009) as f32 / 60.0 - 8.4
}

fn bits(x: &[f32]) -> Vec<u32> {
    x.iter().map(|x| x.to_bits()).collect()
}

/// Checks every algorithm at a width of N lanes; 16 lanes are held in VECTORS vectors.
fn check<const N: usize, const VECTORS: usize>() {
    let x: Vec<f32> = (0..997).map(number).collect();
    // SAFETY: `Lanes` runs on any CPU.
    unsafe {
        let mut awkward: Vec<f32> =
            (0..43_000u32).map(|i| f32::from_bits(i.wrapping_mul(99_907))).collect();
        let mut expected = awkward.clone();
        exp::exp_slice::<Lanes<N>>(&mut awkward);
        scalar::exp::exp_slice(&mut expected);
        // A NaN may have other bits.
        let same = |(a, b): (&f32, &f32)| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan());
        assert!(awkward.iter().zip(&expected).all(same), "exp, {N} lanes");

        let up: Vec<f32> = x.iter().map(|x| x * 0.1 - 0.7).collect();
        let (mut a, mut b) = (x.clone(), x.clone());
        gate::silu::<Lanes<N>>(&mut a, &up);
        scalar::gate::silu(&mut b, &up);
        assert_eq!(bits(&a), bits(&b), "silu, {N} lanes");
        gate::gelu::<Lanes<N>>(&mut a, &up);
        scalar::gate::gelu(&mut b, &up);
        assert_eq!(bits(&a), bits(&b), "gelu, {N} lanes");

        let found = norm::square_lanes::<Lanes<N>, VECTORS>(&x);
        assert_eq!(bits(&found), bits(&scalar::norm::square_lanes(&x)), "norm, {N} lanes");
    }
    check_attention::<N, VECTORS>();
    check_floats::<N, VECTORS, { Format::F32 as usize }>();
    check_floats::<N, VECTORS, { Format::F16 as usize }>();
    check_floats::<N, VECTORS, { Format::BF16 as usize }>();
    check_logits::<N>();
}

fn check_floats<const N: usize, const VECTORS: usize, const FORMAT: usize>() {
    let (format, cols) = (Format::ALL[FORMAT], 37);
    let number = |i: usize| -> Vec<u8> {
        match format {
            Format::F32 => number(i).to_le_bytes().to_vec(),
            Format::F16 => f16::from_f32(number(i)).to_le_bytes().to_vec(),
            _ => half::bf16::from_f32(number(i)).to_le_bytes().to_vec(),
        }
    };
    let stream: Vec<u8> = (0..cols * GROUP_ROWS).flat_map(number).collect();
    let x: Vec<f32> = (0..3 * cols).map(|i| i as f32 * 0.37 - 9.0).collect();
    let [mut a, mut b] = [[[1.5; GROUP_ROWS]; 3]; 2];
    // SAFETY: `Lanes` runs on any CPU.
    unsafe { floats::floats::<Lanes<N>, FORMAT, VECTORS, 3>(&stream, &x, &mut a) };
    scalar::floats::floats(format, &stream, &x, &mut b);
    assert_eq!(bits(a.as_flattened()), bits(b.as_flattened()), "{format:?}, {N} lanes");
}

fn check_integer_attention<const N: usize>() {
    let (head_dim, width, at) = (64, 64, 32);
    let integer = |i: usize| (i * 7919 + 13) % 1009;
    let queries: Vec<i16> =
        (0..3 * head_dim).map(|i| integer(i * 31) as i16 * 32 - 16_000).collect();
    let keys: Vec<i8> = (0..head_dim * PAGE).map(|i| (integer(i) % 255) as i8).collect();
    let scales: [f32; PAGE] = std::array::from_fn(|i| number(i).abs() + 0.1);
    let (factors, ahead) = ([0.3, 0.001, 7.0], keys.as_ptr().cast());
    let [mut a, mut b] = [(); 2].map(|()| vec![1.5; 3 * width]);
    // SAFETY: `Lanes` runs on any CPU.
    unsafe {
        attention::integer_scores::<Lanes<N>, 3, 2>(
            &queries, &factors, &keys, &scales, ahead, &mut a, width, at,
        );
    }
    scalar::attention::integer_scores(&queries, &factors, &keys, &scales, ahead, &mut b, width, at);
    assert_eq!(bits(&a), bits(&b), "integer scores, {N} lanes");
    check_to_integers::<N>();
    let weights = &queries[..3 * PAGE];
    for dims in [0..64, 16..48, 48..64] {
        let [mut a, mut b] = [(); 2].map(|()| vec![1.5; 3 * dims.len()]);
        // SAFETY: `Lanes` runs on any CPU.
        unsafe {
            attention::integer_values::<Lanes<N>, 3, 4>(
                weights,
                &factors,
                &keys,
                ahead,
                dims.clone(),
                &mut a,
            );
        }
        scalar::attention::add_integer_values(weights, &factors, &keys, ahead, dims, &mut b);
        assert_eq!(bits(&a), bits(&b), "integer values, {N} lanes");
    }
}

fn check_to_integers<const N: usize>() {
    let mut rows: Vec<Vec<f32>> =
        [0, 1, 7, 16, 32, 45, 64, 101].map(|n| (0..n).map(|i| number(i * 17)).collect()).to_vec();
    // What isn't a number, in a vector and after the last one; what is too small for a reciprocal.
    for (at, x) in [(3, f32::NAN), (99, f32::NAN), (0, f32::INFINITY), (100, f32::NEG_INFINITY)] {
        let mut row: Vec<f32> = (0..101).map(number).collect();
        row[at] = x;
        rows.push(row);
    }
    rows.push(vec![0.0; 33]);
    rows.push((0..40).map(|i| i as f32 * 1e-42).collect());
    rows.push((0..40).map(|i| (i as f32 - 20.5) * 1e37).collect());
    for row in rows {
        for most in [32_767.0, 16_383.0, 127.0] {
            let [mut a, mut b] = [(); 2].map(|()| vec![77i16; row.len()]);
            // SAFETY: `Lanes` runs on any CPU.
            let scale_a = unsafe { attention::to_integers::<Lanes<N>>(&row, most, &mut a) };
            let scale_b = scalar::attention::to_integers(&row, most, &mut b);
            assert_eq!((a, scale_a.to_bits()), (b, scale_b.to_bits()), "{row:?}, {N} lanes");
        }
    }
}

fn check_attention<const N: usize, const VECTORS: usize>() {
    check_integer_attention::<N>();
    let (head_dim, width) = (48, 2 * PAGE);
    let queries: Vec<f32> = (0..3 * head_dim).map(|i| number(i * 31) * 0.1).collect();
    let x: Vec<f32> = (0..head_dim * PAGE).map(|i| number(i * 3)).collect();
    let mut keys = vec![f16::ZERO; x.len()];
    let mut narrow = keys.clone();
    scalar::attention::to_f16(&x, &mut keys);
    let (mut a, mut b) = (vec![0.0; 3 * width], vec![0.0; 3 * width]);
    let (mut out_a, mut out_b) = (vec![0.5; 3 * head_dim], vec![0.5; 3 * head_dim]);
    // SAFETY: `Lanes` runs on any CPU.
    unsafe {
        attention::to_f16::<Lanes<N>>(&x, &mut narrow);
        assert_eq!(narrow, keys, "to_f16, {N} lanes");
        let at = PAGE;
        let ahead = keys.as_ptr().cast();
        attention::scores::<Lanes<N>, f16, 3, 2>(&queries, &keys, ahead, 0.37, &mut a, width, at);
        scalar::attention::scores(&queries, &keys, ahead, 0.37, &mut b, width, at);
        assert_eq!(bits(&a), bits(&b), "scores, {N} lanes");
        let lanes_a = attention::softmax_weights::<Lanes<N>, VECTORS>(&mut a[..width]);
        let lanes_b = scalar::attention::softmax_weights(&mut b[..width]);
        assert_eq!((bits(&a), bits(&lanes_a)), (bits(&b), bits(&lanes_b)), "softmax, {N} lanes");
        let (slots, dims) = (3..29, 0..head_dim);
        attention::values::<Lanes<N>, f16, 3, 2>(
            &a,
            width,
            at,
            &keys,
            ahead,
            slots.clone(),
            dims.clone(),
            &mut out_a,
        );
        scalar::attention::add_values(&b, width, at, &keys, ahead, slots, dims, &mut out_b);
        assert_eq!(bits(&out_a), bits(&out_b), "values, {N} lanes");
    }
}

fn check_logits<const N: usize>() {
    let xs: Vec<f32> =
        (0..997).map(|i| if i % 7 == 0 { f32::NEG_INFINITY } else { number(i * 5) }).collect();
    let n_groups = xs.len().div_ceil(GROUP);
    let (mut maxima, mut expected) = (vec![0.0; n_groups], vec![0.0; n_groups]);
    let (mut ids, mut out) = (vec![0; xs.len() + SLACK], vec![0.0; xs.len() + SLACK]);
    let (mut ids_b, mut out_b) = (ids.clone(), out.clone());
    let bound = Bound { x: xs[500], index: 600 };
    let line = Line { max: 8.4, beta: 0.5, center: -2.0 };
    let near = Near { line, reach: line.distance(xs[500]), last: bound, from: f32::MIN };
    // SAFETY: `Lanes` runs on any CPU.
    unsafe {
        let scan = logits::scan::<Lanes<N>>(&xs, &mut maxima);
        assert_eq!(scan, scalar::logits::scan(&xs, &mut expected), "scan, {N} lanes");
        assert_eq!(maxima, expected, "group maxima, {N} lanes");
        for bound in [bound, Bound { index: usize::MAX, ..bound }] {
            let n = logits::select::<Lanes<N>>(&xs, bound, 3, &mut ids, &mut out);
            let n_b = scalar::logits::select(&xs, bound, 3, &mut ids_b, &mut out_b);
            assert_eq!((&ids[..n], &out[..n]), (&ids_b[..n_b], &out_b[..n_b]), "select, {N} lanes");
        }
        let n = logits::select_near::<Lanes<N>>(&xs, &near, 3, &mut ids, &mut out);
        let n_b = scalar::logits::select_near(&xs, &near, 3, &mut ids_b, &mut out_b);
        assert_eq!((&ids[..n], &out[..n]), (&ids_b[..n_b], &out_b[..n_b]), "near, {N} lanes");
        let bin = Bin { number: 40, last: 500 };
        let n = logits::select_bin::<Lanes<N>>(&xs, line, bin, 3, &mut ids);
        let n_b = scalar::logits::select_bin(&xs, line, bin, 3, &mut ids_b);
        assert_eq!(&ids[..n], &ids_b[..n_b], "bin, {N} lanes");
    }
}

fn check_recurrence<const N: usize, const VECTORS: usize>() {
    let (q, k, v): (Vec<f32>, Vec<f32>, Vec<f32>) = (
        (0..11).map(|i| number(i * 3)).collect(),
        (0..11).map(|i| number(i * 5)).collect(),
        (0..BLOCK).map(|i| number(i * 7)).collect(),
    );
    for (width, corrects, decays) in
        [(BLOCK, true, 1), (BLOCK, false, 1), (BLOCK, true, 11), (BLOCK - 3, true, 11)]
    {
        let decay = &q[..decays];
        let token = Token { q: &q, k: &k, v: &v[..width], decay, rate: 0.4, corrects };
        let mut a: Vec<f32> = (0..11 * width).map(|i| number(i * 11)).collect();
        let mut b = a.clone();
        let (mut out_a, mut out_b) = (vec![0.0; width], vec![0.0; width]);
        scalar::recurrence::step(&mut b, token, &mut out_b);
        // SAFETY: `Lanes` runs on any CPU.
        unsafe {
            recurrence::step::<Lanes<N>, VECTORS>(&mut a, token, &mut out_a);
            recurrence::add_products::<Lanes<N>>(&v[..width], &b[..width], &mut a[..width]);
        }
        let factors = b.clone();
        scalar::recurrence::add_products(&v[..width], &factors[..width], &mut b[..width]);
        assert_eq!((bits(&a), bits(&out_a)), (bits(&b), bits(&out_b)), "state, {N} lanes");
    }
}

#[test]
fn four_eight_and_sixteen_lanes_give_the_bits_of_the_specification() {
    check::<4, 4>();
    check::<8, 2>();
    check::<16, 1>();
    check_recurrence::<4, 8>();
    check_recurrence::<8, 4>();
    check_recurrence::<16, 2>();
}
