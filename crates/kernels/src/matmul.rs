//! Matrix products: activations (n × cols) times weights (rows × cols) transposed, n × rows out.
//!
//! What is computed, for each token and each row of weights:
//! - quantized weights: for each block in order, acc = fma(d·da, isum, acc), and for formats with minima then
//!   acc = fma(m·da, msum, acc), where isum = Σ scale·(code - offset)·q and msum = Σ min·(sum of q's) are exact
//!   integers, converted to f32 once;
//! - floats: acc = fma(w, x, acc) over k in sequence.
//!
//! One accumulator an output element, so neither the threads nor the number of tokens can change a bit.

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

/// One product's share of a job: `n_tasks` tasks from `first_task` on, each of some neighbouring groups of rows.
#[derive(Clone, Copy)]
struct Part<'a> {
    weights: &'a Packed,
    out: Disjoint<f32>,
    n_groups: usize,
    first_task: usize,
    n_tasks: usize,
}

/// Multiplies the `n` prepared rows of `input` with the weights of up to [`MAX_PRODUCTS`] products, in one parallel job.
pub fn matmul(pool: &Pool, isa: Isa, input: &Activations, n: usize, products: &mut [Product<'_>]) {
    assert!(products.len() <= MAX_PRODUCTS, "at most {MAX_PRODUCTS} products");
    let mut parts = [None; MAX_PRODUCTS];
    let mut n_tasks = 0;
    for (part, product) in parts.iter_mut().zip(products) {
        let weights = product.weights;
        assert_eq!(product.out.len(), n * weights.rows(), "a result for each token and row");
        match Layout::of(weights.format()) {
            Some(layout) => assert!(
                input.quantized(layout).holds(n, weights.cols()),
                "rows of activations, prepared for these weights"
            ),
            None => assert_eq!(input.x.len(), n * weights.cols(), "a row of activations for each token"),
        }
        let n_groups = weights.rows().div_ceil(GROUP);
        // Enough tasks to even out what a neighbour takes of a core, as many for each thread.
        let groups_a_task = TASK.div_ceil((n * weights.cols() * GROUP).max(1));
        let most = (n_groups / groups_a_task).clamp(1, 8 * pool.n_threads());
        let n_its_tasks = most - most % pool.n_threads().min(most);
        let out = Disjoint(product.out.as_mut_ptr());
        *part = Some(Part { weights, out, n_groups, first_task: n_tasks, n_tasks: n_its_tasks });
        n_tasks += n_its_tasks;
    }
    pool.run(n_tasks, &|task| {
        let part = parts.iter().flatten().rfind(|part| part.first_task <= task);
        let Part { weights, out, n_groups, first_task, n_tasks } = *part.expect("the first part has task 0");
        let task = task - first_task;
        let mut sums = [[0.0; GROUP]; TILE];
        for group in share_start(task, n_tasks, n_groups)..share_start(task + 1, n_tasks, n_groups) {
            let lanes = GROUP.min(weights.rows() - group * GROUP);
            for token in (0..n).step_by(TILE) {
                let sums = &mut sums[..TILE.min(n - token)];
                multiply_group(isa, weights, group, input, token, sums);
                for (i, sums) in sums.iter().enumerate() {
                    let at = (token + i) * weights.rows() + group * GROUP;
                    // SAFETY: this group's columns of `out` (checked above to be n × rows) belong to this task
                    // alone, and `products` is borrowed mutably until `run` returns.
                    let place = unsafe { std::slice::from_raw_parts_mut(out.at(at), lanes) };
                    match <&mut [f32; GROUP]>::try_from(&mut *place) {
                        // Of a length that is known: no call.
                        Ok(place) => *place = *sums,
                        Err(_) => place.copy_from_slice(&sums[..lanes]),
                    }
                }
            }
        }
    });
}

/// The products of one group of rows with the tile that begins at `token`; `sums` has a place for each of its tokens.
fn multiply_group(
    isa: Isa,
    weights: &Packed,
    group: usize,
    input: &Activations,
    token: usize,
    sums: &mut [[f32; GROUP]],
) {
    let stream = weights.group(group);
    match Layout::of(weights.format()) {
        Some(layout) => {
            let tile = input.quantized(layout).tile(layout, token / TILE);
            dispatch!(isa, matmul::quantized(weights.format(), stream, tile, sums));
        }
        None => {
            let x = &input.x[token * weights.cols()..(token + sums.len()) * weights.cols()];
            dispatch!(isa, matmul::floats(weights.format(), stream, x, sums));
        }
    }
}
