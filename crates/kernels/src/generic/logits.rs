//! Passes over a row of logits that compilers don't vectorize by themselves: the scan, and
//! selections with compressing stores. The others are the code of `scalar::logits`.

use crate::{
    scalar::{
        self,
        logits::{Bin, Bound, FLOOR, GROUP, Line, Near, Scan, WHOLE},
    },
    vector::Vector,
};

/// # Safety
/// The CPU has the instruction set of V.
#[inline(always)]
pub(crate) unsafe fn scan<V: Vector>(xs: &[f32], maxima: &mut [f32]) -> Scan {
    const { assert!(GROUP.is_multiple_of(2 * V::LANES), "pairs of vectors in a group") };
    let (groups, rest) = xs.as_chunks::<GROUP>();
    // SAFETY: the caller's promise; the vectors of a group lie within it.
    let (max, min, nan) = unsafe {
        let (lowest, highest) = (V::splat(f32::NEG_INFINITY), V::splat(f32::INFINITY));
        let (mut all_max, mut all_min, mut nan) = (lowest, highest, V::no_lanes());
        for (group, group_max) in groups.iter().zip(maxima.iter_mut()) {
            let (mut max, mut min) = (lowest, highest);
            for i in 0..GROUP / (2 * V::LANES) {
                let at = group.as_ptr().add(i * 2 * V::LANES);
                let (x, y) = (V::load(at), V::load(at.add(V::LANES)));
                nan = V::or(nan, x.unordered(y));
                // For NaN both keep the second operand; the result doesn't matter then.
                max = y.max(x.max(max));
                min = min.min(x.min(y));
            }
            all_max = max.max(all_max);
            all_min = min.min(all_min);
            *group_max = max.horizontal_max();
        }
        (all_max.horizontal_max(), all_min.horizontal_min(), V::any(nan))
    };
    let tail = scalar::logits::scan(rest, &mut maxima[groups.len()..]);
    Scan {
        max: if tail.max > max { tail.max } else { max },
        min: if tail.min < min { tail.min } else { min },
        fine: !nan && max < f32::INFINITY && tail.fine,
    }
}

/// `|(x - max)·β - center|`: the operations of `scalar::logits::distance`.
///
/// # Safety
/// The CPU has the instruction set of V.
#[inline(always)]
unsafe fn distance<V: Vector>(x: V, line: Line) -> V {
    // SAFETY: the caller's promise. For NaN `max` returns FLOOR.
    unsafe {
        let d = x.sub(V::splat(line.max)).mul(V::splat(line.beta)).max(V::splat(FLOOR));
        d.sub(V::splat(line.center)).abs()
    }
}

/// A condition on logits and their ids. A trait and no closure: closures don't inherit target
/// features.
trait Condition<V: Vector>: Copy {
    /// # Safety
    /// The CPU has the instruction set of V.
    unsafe fn test(self, x: V, id: V::Int) -> V::Mask;
}

/// `x >= edge`.
#[derive(Clone, Copy)]
struct AtLeast(f32);

impl<V: Vector> Condition<V> for AtLeast {
    #[inline(always)]
    unsafe fn test(self, x: V, _: V::Int) -> V::Mask {
        // SAFETY: the caller's promise.
        unsafe { x.ge(V::splat(self.0)) }
    }
}

impl<V: Vector> Condition<V> for Bound {
    #[inline(always)]
    unsafe fn test(self, x: V, id: V::Int) -> V::Mask {
        // SAFETY: the caller's promise.
        unsafe {
            let edge = V::splat(self.x);
            let tied = V::and(x.eq(edge), V::le_int(id, V::splat_int(self.last())));
            V::or(x.gt(edge), tied)
        }
    }
}

impl<V: Vector> Condition<V> for Near {
    #[inline(always)]
    unsafe fn test(self, x: V, id: V::Int) -> V::Mask {
        // SAFETY: the caller's promise.
        unsafe {
            let (distance, reach) = (distance(x, self.line), V::splat(self.reach));
            let tied = V::and(distance.eq(reach), self.last.test(x, id));
            V::and(x.ge(V::splat(self.from)), V::or(distance.lt(reach), tied))
        }
    }
}

/// The logits in one bin of a line.
#[derive(Clone, Copy)]
struct InBin(Line, Bin);

impl<V: Vector> Condition<V> for InBin {
    #[inline(always)]
    unsafe fn test(self, x: V, _: V::Int) -> V::Mask {
        let InBin(line, bin) = self;
        // SAFETY: the caller's promise.
        unsafe {
            let distance = distance(x, line).mul(V::splat(64.0)).min(V::splat(bin.last as f32));
            let number = V::splat_int(bin.number.wrapping_add(WHOLE.to_bits()));
            V::eq_int(distance.add(V::splat(WHOLE)).to_bits(), number)
        }
    }
}

/// Writes the ids, and the logits if `out` is given, of the logits that satisfy the condition.
/// Returns their number, and the number of logits tested: all whole vectors of `xs`.
///
/// # Safety
/// The CPU has the instruction set of V.
#[inline(always)]
unsafe fn compress<V: Vector>(
    xs: &[f32],
    first: u32,
    ids: &mut [u32],
    mut out: Option<&mut [f32]>,
    condition: impl Condition<V>,
) -> (usize, usize) {
    assert!(ids.len() >= xs.len() + V::LANES, "ids hold all logits and a vector more");
    assert!(out.as_ref().is_none_or(|out| out.len() >= xs.len() + V::LANES), "and so does out");
    let vectors = xs.chunks_exact(V::LANES);
    let n_tested = vectors.len() * V::LANES;
    let mut n = 0;
    // SAFETY: the caller's promise; `lanes` has V::LANES elements. n is at most the number of
    // logits before these, and the outputs hold all logits and V::LANES more, as asserted.
    unsafe {
        let mut id = V::iota(first);
        for lanes in vectors {
            let x = V::load(lanes.as_ptr());
            let kept = condition.test(x, id);
            let out = out.as_mut().map(|out| out.as_mut_ptr().wrapping_add(n));
            V::compress_store(id, x, kept, ids.as_mut_ptr().add(n), out);
            n += V::count(kept);
            id = V::add_int(id, V::splat_int(V::LANES as u32));
        }
    }
    (n, n_tested)
}

/// # Safety
/// The CPU has the instruction set of V.
#[inline(always)]
pub(crate) unsafe fn select<V: Vector>(
    xs: &[f32],
    bound: Bound,
    first: u32,
    ids: &mut [u32],
    out: &mut [f32],
) -> usize {
    // SAFETY: the caller's promise.
    let (n, done) = unsafe {
        if bound.last() == u32::MAX {
            compress::<V>(xs, first, ids, Some(&mut *out), AtLeast(bound.x))
        } else {
            compress::<V>(xs, first, ids, Some(&mut *out), bound)
        }
    };
    n + scalar::logits::select(
        &xs[done..],
        bound,
        first + done as u32,
        &mut ids[n..],
        &mut out[n..],
    )
}

/// # Safety
/// The CPU has the instruction set of V.
#[inline(always)]
pub(crate) unsafe fn select_near<V: Vector>(
    xs: &[f32],
    near: &Near,
    first: u32,
    ids: &mut [u32],
    out: &mut [f32],
) -> usize {
    // SAFETY: the caller's promise.
    let (n, done) = unsafe { compress::<V>(xs, first, ids, Some(&mut *out), *near) };
    n + scalar::logits::select_near(
        &xs[done..],
        near,
        first + done as u32,
        &mut ids[n..],
        &mut out[n..],
    )
}

/// # Safety
/// The CPU has the instruction set of V.
#[inline(always)]
pub(crate) unsafe fn select_bin<V: Vector>(
    xs: &[f32],
    line: Line,
    bin: Bin,
    first: u32,
    ids: &mut [u32],
) -> usize {
    // SAFETY: the caller's promise.
    let (n, done) = unsafe { compress::<V>(xs, first, ids, None, InBin(line, bin)) };
    n + scalar::logits::select_bin(&xs[done..], line, bin, first + done as u32, &mut ids[n..])
}
