//! Attention: instruction sets, threads and batches give the same bits, near textbook f64
//! arithmetic.

use std::sync::Arc;

use half::f16;

use super::*;
use crate::{
    kv_cache::{CacheElement, FromF32s, Page},
    scalar::attention::{integer_scale, to_integer},
};

/// A stored element, as the tests see it.
trait Element: CacheElement {
    /// What is read of a key or value that is stored.
    fn rounded(x: &[f32]) -> Vec<f32>;
    /// What isn't a number, in as many elements.
    fn awkward(n: usize) -> Vec<Self>;
    /// How far the output may be from that of exact arithmetic.
    const FAR: f64 = 2e-5;
}

fn rounded<T: FromF32s>(x: &[f32]) -> Vec<f32> {
    let mut narrow = vec![T::default(); x.len()];
    T::from_f32s(Isa::SCALAR, x, &mut narrow);
    narrow.into_iter().map(T::to_f32).collect()
}

impl Element for f16 {
    fn rounded(x: &[f32]) -> Vec<f32> {
        rounded::<f16>(x)
    }
    fn awkward(n: usize) -> Vec<f16> {
        vec![f16::NAN; n]
    }
}

impl Element for f32 {
    fn rounded(x: &[f32]) -> Vec<f32> {
        rounded::<f32>(x)
    }
    fn awkward(n: usize) -> Vec<f32> {
        vec![f32::NAN; n]
    }
}

impl Element for i8 {
    fn rounded(x: &[f32]) -> Vec<f32> {
        let (scale, inverse) = integer_scale(x, 127.0);
        x.iter().map(|&x| to_integer(x, inverse) as f32 * scale).collect()
    }
    // Four bytes of NaN, should they be a scale.
    fn awkward(n: usize) -> Vec<i8> {
        vec![-1; n]
    }
    // Queries and weights are rounded to integers.
    const FAR: f64 = 3e-4;
}

/// A KV cache `[sequence][page]`; a page has the keys of each KV head, then the values of each. Row
/// r belongs to sequence `of[r]`.
struct Pages<'h, T> {
    heads: Heads<'h>,
    pages: Vec<Vec<Arc<Vec<T>>>>,
    of: Vec<usize>,
    wrap: for<'a> fn(&'a [T], &'a [T]) -> Page<'a>,
}

impl<T: Element> KvCache for Pages<'_, T> {
    fn page(&self, row: usize, kv_head: usize, page: usize) -> Page<'_> {
        let len = T::side_len(self.heads.head_dim);
        let (keys, values) = self.pages[self.of[row]][page].split_at(self.heads.n_kv_heads * len);
        (self.wrap)(&keys[kv_head * len..][..len], &values[kv_head * len..][..len])
    }
}

fn number(i: usize) -> f32 {
    ((i as u64 * 7919 + 13) % 1009) as f32 / 504.5 - 1.0
}

/// Positions of each sequence: enough for a unit to be split.
const N_POSITIONS: usize = 400;

/// The key (salt 0) or value (salt 1) of a head at a position; sequences differ from position 40
/// on.
fn stored<T: Element>(
    sequence: usize,
    head: usize,
    pos: usize,
    salt: usize,
    head_dim: usize,
) -> Vec<f32> {
    let own = if pos < 40 { 0 } else { sequence * 389 };
    let at = |d: usize| number(pos * 977 + d * 3 + head * 131 + salt + own);
    let x: Vec<f32> = (0..head_dim).map(at).collect();
    T::rounded(&x)
}

fn pages<'h, T: Element>(
    heads: Heads<'h>,
    of: &[usize],
    wrap: for<'a> fn(&'a [T], &'a [T]) -> Page<'a>,
) -> Pages<'h, T> {
    let len = T::side_len(heads.head_dim);
    let page = |sequence: usize, page: usize| {
        // Masked slots may hold anything.
        let mut numbers = T::awkward(2 * heads.n_kv_heads * len);
        let (keys, values) = numbers.split_at_mut(heads.n_kv_heads * len);
        for head in 0..heads.n_kv_heads {
            for pos in page * PAGE..((page + 1) * PAGE).min(N_POSITIONS) {
                let [key, value] =
                    [0, 1].map(|salt| stored::<T>(sequence, head, pos, salt, heads.head_dim));
                let range = head * len..(head + 1) * len;
                let (keys, values) = (&mut keys[range.clone()], &mut values[range]);
                T::store(Isa::best(), keys, values, pos % PAGE, &key, &value);
            }
        }
        Arc::new(numbers)
    };
    // All sequences share the first page.
    let first = page(0, 0);
    let sequence = |s| {
        [first.clone()]
            .into_iter()
            .chain((1..N_POSITIONS.div_ceil(PAGE)).map(|i| page(s, i)))
            .collect()
    };
    Pages { heads, pages: (0..3).map(sequence).collect(), of: of.to_vec(), wrap }
}

fn check<T: Element>(
    heads: Heads<'_>,
    rows: &[(usize, Span)],
    wrap: for<'a> fn(&'a [T], &'a [T]) -> Page<'a>,
) {
    let of: Vec<usize> = rows.iter().map(|row| row.0).collect();
    let spans: Vec<_> = rows.iter().map(|row| row.1.clone()).collect();
    let cache = pages(heads, &of, wrap);
    let width = heads.n_heads * heads.head_dim;
    let queries: Vec<f32> = (0..rows.len() * width).map(|i| number(i * 31) * 3.0).collect();
    let run = |threads: usize, isa: Isa| {
        let mut out = vec![1.0; queries.len()];
        attend(&Pool::new(threads), isa, heads, &queries, &spans, &cache, &mut out);
        out
    };
    let spec = run(1, Isa::SCALAR);
    for isa in Isa::all() {
        for threads in [1, 2, 3] {
            assert_eq!(
                spec,
                run(threads, isa),
                "{heads:?}, {rows:?}, {}, {threads} threads",
                isa.name()
            );
        }
    }
    for (row, (sequence, span)) in rows.iter().enumerate() {
        let alone = pages(heads, &[*sequence], wrap);
        let mut out = vec![0.0; width];
        let queries = &queries[row * width..(row + 1) * width];
        attend(
            &Pool::new(1),
            Isa::best(),
            heads,
            queries,
            std::slice::from_ref(span),
            &alone,
            &mut out,
        );
        assert_eq!(out, spec[row * width..(row + 1) * width], "row {row} alone");
        // Textbook attention in f64.
        let head = row % heads.n_heads;
        let q = &queries[head * heads.head_dim..][..heads.head_dim];
        let kv = |pos, salt| {
            stored::<T>(
                *sequence,
                head / (heads.n_heads / heads.n_kv_heads),
                pos,
                salt,
                heads.head_dim,
            )
        };
        let score = |pos| {
            let product = kv(pos, 0).iter().zip(q).map(|(k, q)| f64::from(k * q)).sum::<f64>()
                * f64::from(heads.scale);
            let capped = match heads.soft_cap.map(f64::from) {
                Some(cap) => cap * (product / cap).tanh(),
                None => product,
            };
            let slope = heads.slopes.get(head).map_or(0.0, |&slope| f64::from(slope));
            capped - slope * (span.tail.end - 1 - pos) as f64
        };
        let seen: Vec<usize> = span.parts().flatten().collect();
        let scores: Vec<f64> = seen.iter().map(|&pos| score(pos)).collect();
        let max = scores.iter().copied().fold(f64::MIN, f64::max);
        let sink = heads.sinks.get(head).map_or(0.0, |&sink| (f64::from(sink) - max).exp());
        let total: f64 = scores.iter().map(|s| (s - max).exp()).sum::<f64>() + sink;
        let mut truth = vec![0.0; heads.head_dim];
        for (&pos, s) in seen.iter().zip(&scores) {
            let weight = (s - max).exp() / total;
            truth.iter_mut().zip(kv(pos, 1)).for_each(|(sum, v)| *sum += weight * f64::from(v));
        }
        for (truth, found) in truth.iter().zip(&out[head * heads.head_dim..]) {
            assert!((truth - f64::from(*found)).abs() < T::FAR, "{truth} {found}");
        }
    }
}

#[test]
fn instruction_sets_threads_and_companions_agree_and_follow_the_formula() {
    // Rows of a prompt, rows with a window, rows of several continuations, and rows with nothing in
    // common.
    let one = |sequence: usize, span: Range<usize>| (sequence, Span::from(span));
    let prompt: Vec<_> = (60..79).map(|pos| one(1, 0..pos + 1)).collect();
    let window: Vec<_> = (25..45).map(|pos| one(2, (pos - 20usize)..pos + 1)).collect();
    let ways: Vec<_> = (0..7).map(|i| one(i % 3, 0..90 + 9 * i)).collect();
    let apart =
        [(0, 3..7), (1, 100..131), (1, 64..96), (2, 0..150), (0, 31..33)].map(|(s, r)| one(s, r));
    // Positions from 0 on besides: neighbouring rows see more and more of them.
    let besides: Vec<_> = (0..9)
        .map(|i| (2, Span { head: (29 + i) % 64, tail: 70 + i..100 + 2 * i }))
        .chain([(0, Span { head: 1, tail: 380..384 }), (1, Span { head: 96, tail: 96..97 })])
        .collect();
    for (n_heads, n_kv_heads, head_dim) in
        [(9, 3, 64), (4, 1, 256), (2, 2, 80), (7, 1, 8), (5, 1, 6), (2, 1, 7)]
    {
        let plain = Heads {
            n_heads,
            n_kv_heads,
            head_dim,
            scale: 0.37,
            soft_cap: None,
            slopes: &[],
            sinks: &[],
        };
        let slopes: Vec<f32> = (0..n_heads).map(|head| 0.3 / (head + 1) as f32).collect();
        // One sink far below all scores, the others near them and far above.
        let sinks: Vec<f32> = (0..n_heads).map(|head| [0.5, 200.0, -90.0][head % 3]).collect();
        for heads in [
            Heads { soft_cap: Some(2.5), ..plain },
            Heads { slopes: &slopes, ..plain },
            Heads { sinks: &sinks, ..plain },
        ] {
            for rows in [&prompt[..], &window, &apart, &besides, &[one(0, 5..387)]] {
                check::<f32>(heads, rows, |keys, values| Page::F32 { keys, values });
                check::<i8>(heads, rows, |keys, values| Page::Q8 { keys, values });
            }
        }
        let heads = plain;
        for rows in [
            &prompt[..],
            &window,
            &ways,
            &apart,
            &besides,
            &[one(0, 0..1)],
            &[one(0, 5..131)],
            &[one(0, 5..387)],
        ] {
            check::<f16>(heads, rows, |keys, values| Page::F16 { keys, values });
            check::<i8>(heads, rows, |keys, values| Page::Q8 { keys, values });
            check::<f32>(heads, rows, |keys, values| Page::F32 { keys, values });
        }
    }
}

/// Pages whose keys are values as well.
fn with_values<'h, T: Element>(
    cache: &Pages<'h, T>,
    wrap: for<'a> fn(&'a [T], &'a [T]) -> Page<'a>,
) -> Pages<'h, T> {
    let (heads, len) = (cache.heads, T::side_len(cache.heads.head_dim));
    let page = |page: &Arc<Vec<T>>| {
        let mut page = page.to_vec();
        let (keys, values) = page.split_at_mut(heads.n_kv_heads * len);
        for (keys, values) in keys.chunks(len).zip(values.chunks_mut(len)) {
            for i in 0..len {
                values[i % PAGE * heads.head_dim + i / PAGE] = keys[i];
            }
        }
        Arc::new(page)
    };
    let pages = cache.pages.iter().map(|pages| pages.iter().map(page).collect()).collect();
    Pages { heads, pages, of: cache.of.clone(), wrap }
}

#[test]
fn keys_may_serve_as_values() {
    fn check<T: Element>(
        keys_alone: for<'a> fn(&'a [T], &'a [T]) -> Page<'a>,
        both: for<'a> fn(&'a [T], &'a [T]) -> Page<'a>,
    ) {
        for (n_heads, n_kv_heads, head_dim) in [(9, 3, 64), (5, 1, 72), (4, 1, 7)] {
            let (soft_cap, slopes, sinks) = (None, &[][..], &[][..]);
            let heads =
                Heads { n_heads, n_kv_heads, head_dim, scale: 0.37, soft_cap, slopes, sinks };
            let spans = [3..7, 0..41, 0..140, 100..131, 5..387].map(Span::from);
            let alone = pages(heads, &[0, 1, 1, 2, 0], keys_alone);
            let whole = with_values(&alone, both);
            let n = spans.len() * n_heads * head_dim;
            let queries: Vec<f32> = (0..n).map(|i| number(i * 31) * 3.0).collect();
            let run = |cache: &Pages<'_, T>, threads: usize, isa: Isa| {
                let mut out = vec![1.0; n];
                attend(&Pool::new(threads), isa, heads, &queries, &spans, cache, &mut out);
                out
            };
            let expected = run(&whole, 1, Isa::SCALAR);
            for isa in Isa::all() {
                for threads in [1, 2, 3] {
                    assert_eq!(expected, run(&alone, threads, isa), "{heads:?}, {}", isa.name());
                }
            }
        }
    }
    check::<f16>(
        |keys, _| Page::F16 { keys, values: &[] },
        |keys, values| Page::F16 { keys, values },
    );
    check::<f32>(
        |keys, _| Page::F32 { keys, values: &[] },
        |keys, values| Page::F32 { keys, values },
    );
}
