//! Matrix products: activations `[n][cols]` times transposed weights `[rows][cols]` gives
//! `[n][rows]`.
//!
//! n = 1 (decode) is a GEMV, bound by memory bandwidth; larger n (prefill, batches) is a GEMM,
//! bound by arithmetic.
//!
//! The definition, for each token and each weight row:
//! - quantized weights, for each run of weights in order that share a factor d and a scale da of
//!   the quantized activations: `acc = fma(d·da, isum, acc)`, and for formats with a minimum then
//!   `acc = fma(m·da, msum, acc)`. Here `isum = Σ scale·value(code)·q` and `msum = Σ min·(sum of
//!   q's)` are exact integers, converted to f32 once; d (times the format's unit) and m are the
//!   block's float factors. A run is a block of 32 or 256 weights; NVFP4's has 16 and Q1_0's and
//!   Q2_0's 32 weights, parts of their blocks;
//! - float weights: `acc = fma(w, x, acc)` over k in sequence.
//!
//! One accumulator per output element: neither threads nor batch size can change a bit.

mod experts;

pub use experts::{ExpertProduct, ExpertRows, matmul_experts};

use std::ops::Range;

use crate::{
    activations::Activations,
    isa::{Isa, dispatch},
    layout::GROUP_ROWS,
    matrix::WeightMatrix,
    pool::{DisjointPtr, Pool, part_start},
    scalar::matmul::{FEW, TILE_TOKENS},
};

/// One product of a job.
#[derive(Debug)]
pub struct Product<'a> {
    /// The weights, `[rows][cols]`.
    pub weights: &'a WeightMatrix,
    /// The result, `[n][rows]`.
    pub out: &'a mut [f32],
}

/// Maximum number of products in one job.
pub const MAX_PRODUCTS: usize = 4;

/// Minimum multiply-adds per task: fewer cost less than taking the task.
const MIN_MACS_PER_TASK: usize = 1 << 15;

/// Bytes of weights per task to aim at. Larger tasks make threads wait longer for the last ones.
const TARGET_TASK_BYTES: usize = 64 << 10;

/// Maximum bytes that an idle thread prefetches: they must stay in its L2 cache until they are
/// read.
const MAX_PREFETCH_BYTES: usize = 256 << 10;

/// Row groups that a call computes of a tile of many tokens.
const GROUPS_AT_ONCE: usize = 4;

/// Bytes of weights that a thread multiplies with all tiles before it goes on: they and a tile's
/// activations stay in its L2 cache.
const MAX_SHARE_BYTES: usize = 128 << 10;

/// The tasks of one product: `n_tasks` from `first_task` on, each a range of neighbouring row
/// groups.
#[derive(Clone, Copy)]
struct ProductTasks<'a> {
    weights: &'a WeightMatrix,
    first_task: usize,
    n_tasks: usize,
}

/// How a job of several products is split into tasks.
struct TaskPlan<'a> {
    products: [Option<ProductTasks<'a>>; MAX_PRODUCTS],
    n_tasks: usize,
}

impl<'a> TaskPlan<'a> {
    fn new(
        pool: &Pool,
        n: usize,
        weights: impl ExactSizeIterator<Item = &'a WeightMatrix>,
    ) -> TaskPlan<'a> {
        assert!(weights.len() <= MAX_PRODUCTS, "at most {MAX_PRODUCTS} products");
        let mut plan = TaskPlan { products: [None; MAX_PRODUCTS], n_tasks: 0 };
        for (product, weights) in plan.products.iter_mut().zip(weights) {
            let n_groups = weights.rows().div_ceil(GROUP_ROWS);
            let groups_per_task =
                MIN_MACS_PER_TASK.div_ceil((n * weights.cols() * GROUP_ROWS).max(1));
            let n_threads = pool.n_threads();
            // At least 8 tasks per thread, to balance the load when other processes use a core.
            let enough =
                (weights.n_bytes() / TARGET_TASK_BYTES).clamp(8 * n_threads, 64 * n_threads);
            let most = (n_groups / groups_per_task).clamp(1, enough);
            // A multiple of the number of threads.
            let n_tasks = most - most % n_threads.min(most);
            *product = Some(ProductTasks { weights, first_task: plan.n_tasks, n_tasks });
            plan.n_tasks += n_tasks;
        }
        plan
    }

    /// The work of a range of tasks: (index of the product, its weights, a range of row groups).
    fn groups_of(
        &self,
        tasks: Range<usize>,
    ) -> impl Iterator<Item = (usize, &'a WeightMatrix, Range<usize>)> {
        self.products.iter().flatten().enumerate().filter_map(move |(i, product)| {
            let clamped =
                |task: usize| task.clamp(product.first_task, product.first_task + product.n_tasks);
            let n_groups = product.weights.rows().div_ceil(GROUP_ROWS);
            let start =
                |task| part_start(clamped(task) - product.first_task, product.n_tasks, n_groups);
            let groups = start(tasks.start)..start(tasks.end);
            (!groups.is_empty()).then_some((i, product.weights, groups))
        })
    }

    /// The first bytes that a thread reads in this job, to prefetch them. The matrices of a job are
    /// mostly adjacent in memory; where they aren't, some bytes are prefetched in vain.
    fn first_read(&self, pool: &Pool, thread: usize) -> Range<*const u8> {
        let task = part_start(thread, pool.n_threads(), self.n_tasks);
        let Some((_, weights, groups)) = self.groups_of(task..self.n_tasks).next() else {
            return std::ptr::null()..std::ptr::null();
        };
        let all: usize =
            self.products.iter().flatten().map(|product| product.weights.n_bytes()).sum();
        let first = weights.groups(groups).as_ptr();
        first..first.wrapping_add(MAX_PREFETCH_BYTES.min(all / pool.n_threads()))
    }
}

/// Computes up to [`MAX_PRODUCTS`] products of the `n` rows of `input`, in one parallel job.
///
/// `input` must have been [quantized](Activations::quantize) for the formats of the weights. `next`
/// are the weights that the following call reads, if known: idle threads prefetch them.
///
/// # Panics
/// If a shape doesn't fit, or `input` wasn't quantized for these weights.
pub fn matmul(
    pool: &Pool,
    isa: Isa,
    input: &Activations,
    n: usize,
    products: &mut [Product<'_>],
    next: &[&WeightMatrix],
) {
    let plan = TaskPlan::new(pool, n, products.iter().map(|product| product.weights));
    let next = TaskPlan::new(pool, n, next.iter().copied());
    let mut outs = [None; MAX_PRODUCTS];
    for (out, product) in outs.iter_mut().zip(products) {
        let weights = product.weights;
        assert_eq!(product.out.len(), n * weights.rows(), "the output is n × rows");
        match weights.format().layout() {
            Some(layout) => assert!(
                input.quantized(layout).holds(n, weights.cols()),
                "the activations are n × cols, quantized for these weights"
            ),
            None => assert_eq!(input.x.len(), n * weights.cols(), "the activations are n × cols"),
        }
        *out = Some(DisjointPtr(product.out.as_mut_ptr()));
    }
    let prefetch = |thread: usize| next.first_read(pool, thread);
    let rows = InputRows { input, first_row: 0, first_tile: 0, n };
    pool.run_ranges(plan.n_tasks, Some(&prefetch), &|tasks| {
        for (product, weights, groups) in plan.groups_of(tasks) {
            let out = outs[product].expect("every product of the plan has an output");
            // SAFETY: `out` is n × rows, as checked above, and borrowed mutably until `run_ranges`
            // returns; each row group is in one task.
            unsafe { multiply_groups(isa, weights, groups, rows, out) };
        }
    });
}

/// The rows of activations that a matrix is multiplied with: `n` from `first_row` on, in tiles from
/// `first_tile` on.
#[derive(Clone, Copy)]
struct InputRows<'a> {
    input: &'a Activations,
    first_row: usize,
    first_tile: usize,
    n: usize,
}

/// Multiplies some neighbouring row groups with all `n` tokens of `input`.
///
/// # Safety
/// `out` is n × rows; the columns of these groups are written by this call alone.
unsafe fn multiply_groups(
    isa: Isa,
    weights: &WeightMatrix,
    groups: Range<usize>,
    input: InputRows<'_>,
    out: DisjointPtr<f32>,
) {
    let n = input.n;
    let n_rows = weights.rows();
    if n == 1 && groups.end * GROUP_ROWS <= n_rows {
        // GEMV over whole groups: one kernel call, with nothing in between to interrupt the weight
        // stream.
        let (start, len) = (groups.start * GROUP_ROWS, groups.len() * GROUP_ROWS);
        // SAFETY: the caller's promise; these groups are whole.
        let out = unsafe { std::slice::from_raw_parts_mut(out.at(start), len) };
        multiply(isa, weights, groups, input, 0, out.as_chunks_mut().0);
        return;
    }
    // A tile is multiplied with several groups, so that its activations stay in L1 and the results
    // of a token are neighbours in memory; a share of the groups, so that the weights stay in L2
    // from one tile to the next.
    let at_once = if n <= FEW { TILE_TOKENS / n.max(1) } else { GROUPS_AT_ONCE };
    let bytes = weights.format().group_bytes(weights.cols()).max(1);
    let share = (MAX_SHARE_BYTES / bytes).next_multiple_of(at_once).max(at_once);
    let mut sums = [[0.0; GROUP_ROWS]; TILE_TOKENS * GROUPS_AT_ONCE];
    let parts = |all: Range<usize>, len: usize| {
        all.clone().step_by(len).map(move |first| first..all.end.min(first + len))
    };
    for share in parts(groups, share) {
        for token in (0..n).step_by(TILE_TOKENS) {
            let tokens = TILE_TOKENS.min(n - token);
            for groups in parts(share.clone(), at_once) {
                let sums = &mut sums[..groups.len() * tokens];
                multiply(isa, weights, groups.clone(), input, token, sums);
                for t in 0..tokens {
                    for (i, group) in groups.clone().enumerate() {
                        let sums = &sums[i * tokens + t];
                        let lanes = GROUP_ROWS.min(n_rows - group * GROUP_ROWS);
                        let start = (token + t) * n_rows + group * GROUP_ROWS;
                        // SAFETY: the caller's promise.
                        let out = unsafe { std::slice::from_raw_parts_mut(out.at(start), lanes) };
                        match <&mut [f32; GROUP_ROWS]>::try_from(&mut *out) {
                            // A constant length compiles to a vector copy, not a call.
                            Ok(out) => *out = *sums,
                            Err(_) => out.copy_from_slice(&sums[..lanes]),
                        }
                    }
                }
            }
        }
    }
}

/// Multiplies some neighbouring row groups with the tile of tokens that begins at `token`. `sums`
/// is `[group][token of the tile]`.
fn multiply(
    isa: Isa,
    weights: &WeightMatrix,
    groups: Range<usize>,
    InputRows { input, first_row, first_tile, .. }: InputRows<'_>,
    token: usize,
    sums: &mut [[f32; GROUP_ROWS]],
) {
    match weights.format().layout() {
        Some(layout) => {
            let tile = input.quantized(layout).tile(layout, first_tile + token / TILE_TOKENS);
            dispatch!(isa, matmul::quantized(weights.format(), weights.groups(groups), tile, sums));
        }
        None => {
            let tokens = sums.len() / groups.len();
            let (row, cols) = (first_row + token, weights.cols());
            let x = &input.x[row * cols..(row + tokens) * cols];
            for (group, sums) in groups.zip(sums.chunks_exact_mut(tokens)) {
                let stream = weights.groups(group..group + 1);
                dispatch!(isa, floats::floats(weights.format(), stream, x, sums));
            }
        }
    }
}
