//! Products of a mixture of experts: the rows of the activations come in groups, and each group is
//! multiplied with the matrix of its expert.
//!
//! An element of the result is defined as in [`matmul`](super::matmul): one accumulator over k, so
//! it depends on its own row and matrix alone, whatever rows are in its group. Only the matrices of
//! experts that have rows are read.

use std::ops::Range;

use super::{
    InputRows, MAX_PRODUCTS, MIN_MACS_PER_TASK, TARGET_TASK_BYTES, TaskPlan, multiply_groups,
};
use crate::{
    activations::Activations,
    isa::Isa,
    layout::GROUP_ROWS,
    matrix::WeightMatrix,
    pool::{DisjointPtr, Pool, part_start},
    scalar::matmul::TILE_TOKENS,
};

/// The rows of the activations that one expert multiplies: `n` from `first` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExpertRows {
    /// The index of the expert's matrix.
    pub expert: usize,
    /// Its first row.
    pub first: usize,
    /// Number of rows, at least 1.
    pub n: usize,
}

/// One product of a job: all experts' matrices `[rows][cols]`, of one shape and format.
#[derive(Debug)]
pub struct ExpertProduct<'a> {
    /// One matrix for each expert.
    pub weights: &'a [WeightMatrix],
    /// The result, `[n][rows]`; n is the number of rows of all groups.
    pub out: &'a mut [f32],
}

/// The tasks of one product: `per_group` for each group of rows.
#[derive(Clone, Copy)]
struct ProductTasks {
    first_task: usize,
    per_group: usize,
    row_groups: usize,
}

impl ProductTasks {
    fn new(
        pool: &Pool,
        first_task: usize,
        groups: &[ExpertRows],
        weights: &[WeightMatrix],
    ) -> Self {
        let (n_rows, matrix) = (groups.iter().map(|rows| rows.n).sum::<usize>(), &weights[0]);
        let row_groups = matrix.rows().div_ceil(GROUP_ROWS);
        let (n_groups, n_threads) = (groups.len().max(1), pool.n_threads());
        let mean_rows = n_rows.div_ceil(n_groups);
        let least = MIN_MACS_PER_TASK.div_ceil((mean_rows * matrix.cols() * GROUP_ROWS).max(1));
        let enough = (n_groups * matrix.n_bytes() / TARGET_TASK_BYTES)
            .clamp(8 * n_threads, 64 * n_threads)
            .div_ceil(n_groups);
        let per_group = (row_groups / least).clamp(1, enough.max(1));
        ProductTasks { first_task, per_group, row_groups }
    }
}

/// Computes up to [`MAX_PRODUCTS`] products of the grouped rows of `input`, in one parallel job.
///
/// The groups lie one after another from row 0 on. `input` must have been quantized for the formats
/// of the weights with [these groups](Activations::quantize_groups). `next` are the weights that
/// the following call reads, if known: idle threads prefetch them.
///
/// # Panics
/// If a shape doesn't fit, or `input` wasn't quantized for these weights and groups.
pub fn matmul_experts(
    pool: &Pool,
    isa: Isa,
    input: &Activations,
    groups: &[ExpertRows],
    products: &mut [ExpertProduct<'_>],
    next: &[&WeightMatrix],
) {
    assert!(products.len() <= MAX_PRODUCTS, "at most {MAX_PRODUCTS} products");
    let n = groups.iter().fold(0, |n, rows| {
        assert_eq!(rows.first, n, "groups lie one after another");
        n + rows.n
    });
    if n == 0 {
        return;
    }
    let mut plans = [None; MAX_PRODUCTS];
    let mut n_tasks = 0;
    for (plan, product) in plans.iter_mut().zip(products.iter_mut()) {
        let weights = product.weights;
        for matrix in groups.iter().map(|rows| &weights[rows.expert]) {
            assert!(
                matrix.rows() == weights[0].rows()
                    && matrix.cols() == weights[0].cols()
                    && matrix.format() == weights[0].format(),
                "all experts have one shape and format"
            );
        }
        assert_eq!(product.out.len(), n * weights[0].rows(), "the output is n × rows");
        match weights[0].format().layout() {
            Some(layout) => assert!(
                input.quantized(layout).holds(n, weights[0].cols()),
                "the activations are n × cols, quantized for these weights"
            ),
            None => {
                assert_eq!(input.x.len(), n * weights[0].cols(), "the activations are n × cols");
            }
        }
        let tasks = ProductTasks::new(pool, n_tasks, groups, weights);
        n_tasks += groups.len() * tasks.per_group;
        *plan = Some((tasks, weights, DisjointPtr(product.out.as_mut_ptr())));
    }
    let next = TaskPlan::new(pool, 1, next.iter().copied());
    let prefetch = |thread: usize| next.first_read(pool, thread);
    pool.run_ranges(n_tasks, Some(&prefetch), &|tasks| {
        for (tasks_of, weights, out) in plans.iter().flatten() {
            for_each_part(*tasks_of, groups.len(), tasks.clone(), |group, row_groups| {
                let ExpertRows { expert, first, n } = groups[group];
                let tiles = |rows: &ExpertRows| rows.n.div_ceil(TILE_TOKENS);
                let first_tile = groups[..group].iter().map(tiles).sum();
                let rows = InputRows { input, first_row: first, first_tile, n };
                let matrix = &weights[expert];
                let out = DisjointPtr(out.at(first * matrix.rows()));
                // SAFETY: `out` has all groups' rows, as checked above, so from row `first` on it
                // has the n rows of this group. It is borrowed mutably until `run_ranges` returns,
                // and each row group of an expert is in one task.
                unsafe { multiply_groups(isa, matrix, row_groups, rows, out) };
            });
        }
    });
}

/// Calls `f` with each group of rows, and its range of row groups of the matrix, that the range of
/// tasks has of a product.
fn for_each_part(
    ProductTasks { first_task, per_group, row_groups }: ProductTasks,
    n_groups: usize,
    tasks: Range<usize>,
    mut f: impl FnMut(usize, Range<usize>),
) {
    let end = first_task + n_groups * per_group;
    let (mut task, end) = (tasks.start.max(first_task), tasks.end.min(end));
    while task < end {
        let (group, part) = ((task - first_task) / per_group, (task - first_task) % per_group);
        let last = per_group.min(part + end - task);
        let at = |part| part_start(part, per_group, row_groups);
        f(group, at(part)..at(last));
        task += last - part;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        format::Format,
        matmul::{Product, matmul},
    };

    /// Random bytes as weights: half a format's codes, with factors that are finite.
    fn matrices(
        pool: &Pool,
        format: Format,
        rows: usize,
        cols: usize,
        n: usize,
    ) -> Vec<WeightMatrix> {
        let mut state = 0x9E37_79B9u32;
        let mut next = move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state >> 24
        };
        let matrix = |_| {
            let n_blocks = rows * cols / format.block_len();
            let mut bytes = vec![0; n_blocks * format.block_bytes()];
            if format == Format::F32 {
                for x in bytes.chunks_exact_mut(4) {
                    x.copy_from_slice(&(next() as f32 / 256.0 - 0.5).to_le_bytes());
                }
            } else {
                bytes.iter_mut().for_each(|byte| *byte = next() as u8);
                for block in bytes.chunks_exact_mut(format.block_bytes()) {
                    format.set_factors(block, 0.01, 0.02);
                }
            }
            WeightMatrix::new(pool, format, rows, cols, &bytes).unwrap()
        };
        (0..n).map(matrix).collect()
    }

    #[test]
    fn each_group_has_the_bits_of_a_product_of_its_own() {
        const SIZES: [(usize, usize); 4] = [(3, 1), (0, 17), (4, 33), (1, 2)];
        let (rows, cols) = (90, 256);
        for format in [Format::F32, Format::Q4_K, Format::Q8_0, Format::MXFP4] {
            for (isa, threads) in Isa::all().into_iter().flat_map(|isa| [(isa, 1), (isa, 3)]) {
                let pool = Pool::new(threads);
                let [weights, others] =
                    [rows, rows + 7].map(|rows| matrices(&pool, format, rows, cols, 5));
                let mut groups = Vec::new();
                let mut n = 0;
                for (expert, rows) in SIZES {
                    groups.push(ExpertRows { expert, first: n, n: rows });
                    n += rows;
                }
                let x: Vec<f32> =
                    (0..n * cols).map(|i| ((i * 37 % 101) as f32 - 50.0) / 50.0).collect();
                let mut input = Activations::default();
                input.x = x.clone();
                let ends = groups.iter().map(|rows| rows.first + rows.n);
                input.quantize_groups(&pool, isa, cols, [format], ends);
                let (mut out, mut other) = (vec![0.0; n * rows], vec![0.0; n * (rows + 7)]);
                let products = &mut [
                    ExpertProduct { weights: &weights, out: &mut out },
                    ExpertProduct { weights: &others, out: &mut other },
                ];
                matmul_experts(&pool, isa, &input, &groups, products, &[&weights[2]]);
                for &ExpertRows { expert, first, n } in &groups {
                    for (weights, out) in [(&weights, &out), (&others, &other)] {
                        let rows = weights[0].rows();
                        let mut alone = Activations::default();
                        alone.x = x[first * cols..(first + n) * cols].to_vec();
                        alone.quantize(&pool, isa, cols, [format]);
                        let mut expected = vec![0.0; n * rows];
                        let product = Product { weights: &weights[expert], out: &mut expected };
                        matmul(&pool, isa, &alone, n, &mut [product], &[]);
                        assert_eq!(
                            out[first * rows..(first + n) * rows],
                            expected,
                            "{}",
                            isa.name()
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn no_rows_are_no_work() {
        let pool = Pool::new(2);
        let weights = matrices(&pool, Format::F32, 16, 32, 2);
        let product = ExpertProduct { weights: &weights, out: &mut [] };
        matmul_experts(&pool, Isa::best(), &Activations::default(), &[], &mut [product], &[]);
    }
}
