//! Matrix products: activations (n × cols) times weights (rows × cols) transposed, n × rows out.
//!
//! What is computed, for each token and each row of weights:
//! - quantized weights: for each block in order, acc = fma(d·da, isum, acc), and for formats with minima then
//!   acc = fma(m·da, msum, acc), where isum = Σ scale·(code - offset)·q and msum = Σ min·(sum of q's) are exact
//!   integers, converted to f32 once;
//! - floats: acc = fma(w, x, acc) over k in sequence.
//!
//! One accumulator an output element, so neither the threads nor the number of tokens can change a bit.

use std::ops::Range;

use crate::{
    activations::{Activations, TILE},
    isa::{Isa, dispatch},
    packed::{GROUP, Layout, Packed},
    pool::{Disjoint, Pool, share_start},
};

/// One product: `out` is n × weights.rows().
#[derive(Debug)]
pub struct Product<'a> {
    /// The weights.
    pub weights: &'a Packed,
    /// Where the results go.
    pub out: &'a mut [f32],
}

/// How many products one job can have.
pub const MAX_PRODUCTS: usize = 4;

/// Multiplications that cost no less than taking a task.
const TASK: usize = 1 << 15;

/// Bytes of weights that take long enough to be a task of their own: who is through waits for the others' last ones.
const TASK_BYTES: usize = 64 << 10;

/// Bytes that a waiting thread asks for at most: they have to stay in its second-level cache until they are read.
const SOON: usize = 256 << 10;

/// One product's share of a job: `n_tasks` tasks from `first_task` on, each of some neighbouring groups of rows.
#[derive(Clone, Copy)]
struct Part<'a> {
    weights: &'a Packed,
    first_task: usize,
    n_tasks: usize,
}

/// How a job of several products is cut into tasks.
struct Plan<'a> {
    parts: [Option<Part<'a>>; MAX_PRODUCTS],
    n_tasks: usize,
}

impl<'a> Plan<'a> {
    fn new(pool: &Pool, n: usize, weights: impl ExactSizeIterator<Item = &'a Packed>) -> Plan<'a> {
        assert!(weights.len() <= MAX_PRODUCTS, "at most {MAX_PRODUCTS} products");
        let mut plan = Plan { parts: [None; MAX_PRODUCTS], n_tasks: 0 };
        for (part, weights) in plan.parts.iter_mut().zip(weights) {
            let n_groups = weights.rows().div_ceil(GROUP);
            // Enough tasks to even out what a neighbour takes of a core, as many for each thread.
            let groups_a_task = TASK.div_ceil((n * weights.cols() * GROUP).max(1));
            let n_threads = pool.n_threads();
            let enough = (weights.n_bytes() / TASK_BYTES).clamp(8 * n_threads, 64 * n_threads);
            let most = (n_groups / groups_a_task).clamp(1, enough);
            let n_tasks = most - most % n_threads.min(most);
            *part = Some(Part { weights, first_task: plan.n_tasks, n_tasks });
            plan.n_tasks += n_tasks;
        }
        plan
    }

    /// What neighbouring tasks do: of which products, with which weights, and which of their groups of rows.
    fn work(&self, tasks: Range<usize>) -> impl Iterator<Item = (usize, &'a Packed, Range<usize>)> {
        self.parts.iter().flatten().enumerate().filter_map(move |(i, part)| {
            let ours = |task: usize| task.clamp(part.first_task, part.first_task + part.n_tasks);
            let n_groups = part.weights.rows().div_ceil(GROUP);
            let start = |task| share_start(ours(task) - part.first_task, part.n_tasks, n_groups);
            let groups = start(tasks.start)..start(tasks.end);
            (!groups.is_empty()).then_some((i, part.weights, groups))
        })
    }

    /// The first bytes that a thread reads for its share of the tasks. Matrices of one job lie behind each other mostly; where
    /// they don't, some bytes are asked for in vain.
    fn first_bytes(&self, pool: &Pool, thread: usize) -> Range<*const u8> {
        let task = share_start(thread, pool.n_threads(), self.n_tasks);
        let Some((_, weights, groups)) = self.work(task..self.n_tasks).next() else {
            return std::ptr::null()..std::ptr::null();
        };
        let all: usize = self.parts.iter().flatten().map(|part| part.weights.n_bytes()).sum();
        let first = weights.groups(groups).as_ptr();
        first..first.wrapping_add(SOON.min(all / pool.n_threads()))
    }
}

/// Multiplies the `n` prepared rows of `input` with the weights of up to [`MAX_PRODUCTS`] products, in one parallel job. `soon` are the
/// weights that the next call reads, if they are known: threads that wait until then ask for them, which changes no result.
pub fn matmul(
    pool: &Pool,
    isa: Isa,
    input: &Activations,
    n: usize,
    products: &mut [Product<'_>],
    soon: &[&Packed],
) {
    let plan = Plan::new(pool, n, products.iter().map(|product| product.weights));
    let soon = Plan::new(pool, n, soon.iter().copied());
    let mut outs = [None; MAX_PRODUCTS];
    for (out, product) in outs.iter_mut().zip(products) {
        let weights = product.weights;
        assert_eq!(product.out.len(), n * weights.rows(), "a result for each token and row");
        match Layout::of(weights.format()) {
            Some(layout) => assert!(
                input.quantized(layout).holds(n, weights.cols()),
                "rows of activations, prepared for these weights"
            ),
            None => assert_eq!(input.x.len(), n * weights.cols(), "a row of activations for each token"),
        }
        *out = Some(Disjoint(product.out.as_mut_ptr()));
    }
    let soon = |thread: usize| soon.first_bytes(pool, thread);
    pool.run_ranges(plan.n_tasks, Some(&soon), &|tasks| {
        for (product, weights, groups) in plan.work(tasks) {
            let out = outs[product].expect("a place for each product");
            // SAFETY: `out` is n × rows, as checked above, and borrowed mutably until `run_ranges` returns; each group of
            // rows is in one task.
            unsafe { multiply_groups(isa, weights, groups, input, n, out) };
        }
    });
}

/// The products of some neighbouring groups of rows with all `n` tokens.
///
/// # Safety
/// `out` is n × rows numbers, whose columns of these groups are the caller's alone.
unsafe fn multiply_groups(
    isa: Isa,
    weights: &Packed,
    groups: Range<usize>,
    input: &Activations,
    n: usize,
    out: Disjoint<f32>,
) {
    let n_rows = weights.rows();
    if n == 1 && groups.end * GROUP <= n_rows {
        // One after another, with nothing in between that would hold up the stream of weights.
        // SAFETY: the caller's promise; these groups are whole.
        let place =
            unsafe { std::slice::from_raw_parts_mut(out.at(groups.start * GROUP), groups.len() * GROUP) };
        multiply(isa, weights, groups, input, 0, place.as_chunks_mut().0);
        return;
    }
    let mut sums = [[0.0; GROUP]; TILE];
    for group in groups {
        let lanes = GROUP.min(n_rows - group * GROUP);
        for token in (0..n).step_by(TILE) {
            let sums = &mut sums[..TILE.min(n - token)];
            multiply(isa, weights, group..group + 1, input, token, sums);
            for (i, sums) in sums.iter().enumerate() {
                // SAFETY: the caller's promise.
                let place = unsafe {
                    std::slice::from_raw_parts_mut(out.at((token + i) * n_rows + group * GROUP), lanes)
                };
                match <&mut [f32; GROUP]>::try_from(&mut *place) {
                    // Of a length that is known: no call.
                    Ok(place) => *place = *sums,
                    Err(_) => place.copy_from_slice(&sums[..lanes]),
                }
            }
        }
    }
}

/// The products of some neighbouring groups of rows with the tile that begins at `token`; `sums` has, for each group, a place for
/// each of the tile's tokens.
fn multiply(
    isa: Isa,
    weights: &Packed,
    groups: Range<usize>,
    input: &Activations,
    token: usize,
    sums: &mut [[f32; GROUP]],
) {
    match Layout::of(weights.format()) {
        Some(layout) => {
            let tile = input.quantized(layout).tile(layout, token / TILE);
            dispatch!(isa, matmul::quantized(weights.format(), weights.groups(groups), tile, sums));
        }
        None => {
            let tokens = sums.len() / groups.len();
            let x = &input.x[token * weights.cols()..(token + tokens) * weights.cols()];
            for (group, sums) in groups.zip(sums.chunks_exact_mut(tokens)) {
                let stream = weights.groups(group..group + 1);
                dispatch!(isa, matmul::floats(weights.format(), stream, x, sums));
            }
        }
    }
}
