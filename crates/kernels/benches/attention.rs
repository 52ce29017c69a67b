//! Benchmark of attention over KV caches in memory, for one row and for rows that share pages, as a
//! share of the roofline's memory bandwidth. Compare the shares, not the single figures.
//!
//! `cargo bench -p kelvin-kernels --bench attention` (optional argument: threads).

mod best;

use std::hint::black_box;

use best::best;
use half::f16;
use kelvin_kernels::{
    attention::{Heads, KvCache, attend},
    isa::Isa,
    kv_cache::{PAGE, Page},
    pool::Pool,
    roofline,
};

/// Samples; the fastest counts, since other processes may share the machine.
const SAMPLES: usize = 25;
/// Bytes of keys and values per sample, over several layers.
const BYTES: usize = 96 << 20;

/// The pages of one layer: keys of every head, then values of every head.
struct Layer<'a> {
    heads: Heads<'a>,
    pages: &'a [Vec<f16>],
}

impl KvCache for Layer<'_> {
    fn page(&self, _: usize, kv_head: usize, page: usize) -> Page<'_> {
        let len = self.heads.head_dim * PAGE;
        let (keys, values) = self.pages[page].split_at(self.heads.n_kv_heads * len);
        Page::F16 { keys: &keys[kv_head * len..][..len], values: &values[kv_head * len..][..len] }
    }
}

fn main() {
    let threads = std::env::args().find_map(|a| a.parse().ok()).unwrap_or(0);
    let (pool, isa) = (Pool::new(threads), Isa::best());
    let numbers = roofline::read_buffer().expect("memory");
    let read = best(SAMPLES, || {
        black_box(roofline::read(&pool, isa, black_box(&numbers)));
    });
    let read = (numbers.len() * 8) as f64 / read / 1e9;
    println!("{} threads: read {read:.1} GB/s", pool.n_threads());
    println!(
        "{:<24} {:>6} {:>5} {:>9} {:>6}",
        "heads, of keys, width", "depth", "rows", "GB/s", "share"
    );
    for (n_heads, n_kv_heads, head_dim) in [(9, 3, 64), (4, 1, 256), (32, 8, 128)] {
        let heads = Heads {
            n_heads,
            n_kv_heads,
            head_dim,
            scale: 0.1,
            soft_cap: None,
            slopes: &[],
            sinks: &[],
        };
        let page_len = 2 * n_kv_heads * head_dim * PAGE;
        let pages: Vec<Vec<f16>> =
            (0..BYTES / (2 * page_len)).map(|_| vec![f16::from_f32(0.5); page_len]).collect();
        for (depth, n) in [(1024, 1), (4096, 1), (1024, 8)] {
            let layers: Vec<_> =
                pages.chunks_exact(depth / PAGE).map(|pages| Layer { heads, pages }).collect();
            let queries = vec![0.01; n * n_heads * head_dim];
            let mut out = queries.clone();
            let spans = vec![0..depth; n];
            let secs = best(SAMPLES, || {
                layers.iter().for_each(|l| attend(&pool, isa, heads, &queries, &spans, l, &mut out))
            });
            let moved = (layers.len() * depth / PAGE * page_len * 2) as f64 / secs / 1e9;
            let shape = format!("{n_heads}, {n_kv_heads}, {head_dim}");
            println!("{shape:<24} {depth:>6} {n:>5} {moved:>9.1} {:>5.0}%", 100.0 * moved / read);
        }
    }
}
