//! Benchmark of attention over KV caches in memory, of f16 and of 8-bit integers in turn, for one
//! row and for rows that share pages, as shares of the roofline's memory bandwidth. Compare the
//! shares, not the single figures.
//!
//! `cargo bench -p kelvin-kernels --bench attention` (optional argument: threads).

mod best;

use std::hint::black_box;

use best::best;
use half::f16;
use kelvin_kernels::{
    attention::{Heads, KvCache, Span, attend},
    isa::Isa,
    kv_cache::{CacheElement, PAGE, Page},
    pool::Pool,
    roofline,
};

/// Samples; the fastest counts, since other processes may share the machine.
const SAMPLES: usize = 25;
/// Numbers of keys and values per sample, over several layers.
const NUMBERS: usize = 48 << 20;

/// The pages of one layer, in the format T: keys of every head, then values of every head.
struct Layer<'a, T> {
    heads: Heads<'a>,
    pages: &'a [Vec<T>],
    wrap: for<'p> fn(&'p [T], &'p [T]) -> Page<'p>,
}

impl<T: CacheElement> KvCache for Layer<'_, T> {
    fn page(&self, _: usize, kv_head: usize, page: usize) -> Page<'_> {
        let len = T::side_len(self.heads.head_dim);
        let (keys, values) = self.pages[page].split_at(self.heads.n_kv_heads * len);
        (self.wrap)(&keys[kv_head * len..][..len], &values[kv_head * len..][..len])
    }
}

/// Layers of `depth` positions, in the format T.
struct Layers<'a, T> {
    heads: Heads<'a>,
    pages: Vec<Vec<T>>,
    wrap: for<'p> fn(&'p [T], &'p [T]) -> Page<'p>,
}

impl<'a, T: CacheElement> Layers<'a, T> {
    fn new(heads: Heads<'a>, isa: Isa, wrap: for<'p> fn(&'p [T], &'p [T]) -> Page<'p>) -> Self {
        let len = T::side_len(heads.head_dim);
        let x: Vec<f32> = (0..heads.head_dim).map(|i| (i as f32 * 0.7).sin()).collect();
        let mut page = vec![T::default(); 2 * heads.n_kv_heads * len];
        let (keys, values) = page.split_at_mut(heads.n_kv_heads * len);
        for (keys, values) in keys.chunks_exact_mut(len).zip(values.chunks_exact_mut(len)) {
            (0..PAGE).for_each(|slot| T::store(isa, keys, values, slot, &x, &x));
        }
        let pages = vec![page; NUMBERS / (2 * heads.n_kv_heads * heads.head_dim * PAGE)];
        Layers { heads, pages, wrap }
    }

    /// Seconds for a position of a layer, and bytes read for it.
    fn time(&self, pool: &Pool, isa: Isa, depth: usize, n: usize) -> (f64, f64) {
        let Layers { heads, pages, wrap } = self;
        let layers: Vec<_> = pages
            .chunks_exact(depth / PAGE)
            .map(|pages| Layer { heads: *heads, pages, wrap: *wrap })
            .collect();
        let queries: Vec<f32> =
            (0..n * heads.n_heads * heads.head_dim).map(|i| (i as f32).cos()).collect();
        let mut out = queries.clone();
        let spans = vec![Span::from(0..depth); n];
        let secs = best(1, || {
            layers.iter().for_each(|l| attend(pool, isa, *heads, &queries, &spans, l, &mut out))
        });
        let n_positions = (layers.len() * depth) as f64;
        (secs / n_positions, (pages[0].len() * size_of::<T>()) as f64 / PAGE as f64)
    }
}

/// The least time and the bytes of a position, of samples that took turns.
fn least(samples: &[(f64, f64)]) -> (f64, f64) {
    samples.iter().copied().fold((f64::MAX, 0.0), |a, b| (a.0.min(b.0), b.1))
}

fn main() {
    let threads = std::env::args().find_map(|a| a.parse().ok()).unwrap_or(0);
    let (pool, isa) = (Pool::new(threads), Isa::best());
    let numbers = roofline::read_buffer().expect("memory");
    let read = best(SAMPLES, || {
        black_box(roofline::read(&pool, isa, black_box(&numbers)));
    });
    let read = (numbers.len() * 8) as f64 / read / 1e9;
    println!("{} threads, {}: read {read:.1} GB/s", pool.n_threads(), isa.name());
    println!(
        "{:<24} {:>6} {:>5} {:>9} {:>6} {:>10} {:>6} {:>7}",
        "heads, of keys, width",
        "depth",
        "rows",
        "f16 GB/s",
        "share",
        "q8_0 GB/s",
        "share",
        "faster"
    );
    for (n_heads, n_kv_heads, head_dim) in [(9, 3, 64), (14, 2, 64), (4, 1, 256), (32, 8, 128)] {
        let heads = Heads {
            n_heads,
            n_kv_heads,
            head_dim,
            scale: 0.1,
            soft_cap: None,
            slopes: &[],
            sinks: &[],
        };
        let floats = Layers::<f16>::new(heads, isa, |keys, values| Page::F16 { keys, values });
        let integers = Layers::<i8>::new(heads, isa, |keys, values| Page::Q8 { keys, values });
        for (depth, n) in [(1024, 1), (4096, 1), (8192, 1), (1024, 8)] {
            let turn = |_| [floats.time(&pool, isa, depth, n), integers.time(&pool, isa, depth, n)];
            let (a, b): (Vec<_>, Vec<_>) = (0..SAMPLES).map(turn).map(|[a, b]| (a, b)).unzip();
            let [(secs_a, bytes_a), (secs_b, bytes_b)] = [least(&a), least(&b)];
            let [rate_a, rate_b] = [bytes_a / secs_a / 1e9, bytes_b / secs_b / 1e9];
            println!(
                "{:<24} {depth:>6} {n:>5} {rate_a:>9.1} {:>5.0}% {rate_b:>10.1} {:>5.0}% {:>6.2}x",
                format!("{n_heads}, {n_kv_heads}, {head_dim}"),
                100.0 * rate_a / read,
                100.0 * rate_b / read,
                secs_a / secs_b
            );
        }
    }
}
