//! Adapters that tokens switch on (LoRA, arXiv 2106.09685): each row of a step goes through that of
//! its text so far. A row's numbers depend on no other row.

use kelvin_kernels::{
    matmul::{ExpertProduct, ExpertRows, matmul_experts},
    matrix::WeightMatrix,
};

use super::super::{Append, Model, Scratch, scratch::AdapterScratch, weights::Adapters};

impl Model {
    /// Finds the adapter of each row: the one that tokens of its text so far have switched on.
    pub(super) fn switch_adapters(&self, batch: &[Append<'_>], s: &mut Scratch) {
        let (Some(config), Some(table)) = (&self.config.switch, &self.weights.switch) else {
            return;
        };
        let a = &mut s.adapters;
        a.of_row.clear();
        for Append { sequence, tokens, .. } in batch {
            let (mut n_switches, mut sum, before) = (0, 0, sequence.tokens());
            for (i, token) in before.iter().chain(*tokens).enumerate() {
                let adapter = usize::from(table.adapter[token.index()]);
                n_switches += usize::from(adapter > 0);
                sum += adapter;
                if i >= before.len() {
                    a.of_row.push(config.adapter(n_switches, sum, i + 1 - n_switches));
                }
            }
        }
        a.order.clear();
        a.order.extend(0..a.of_row.len());
        let of_row = &a.of_row;
        a.order.sort_by_key(|row| of_row[*row]);
        a.groups.clear();
        for (first, row) in a.order.iter().enumerate() {
            let expert = of_row[*row];
            match a.groups.last_mut().filter(|rows| rows.expert == expert) {
                Some(rows) => rows.n += 1,
                None => a.groups.push(ExpertRows { expert, first, n: 1 }),
            }
        }
    }

    /// out += what each row's adapter makes of `x`.
    pub(super) fn add_adapters(
        &self,
        adapters: &Adapters,
        x: &[f32],
        out: &mut [f32],
        a: &mut AdapterScratch,
    ) {
        let (cols, rows, order) = (adapters.a[0].cols(), adapters.b[0].rows(), &a.order);
        a.input.x.resize(x.len(), 0.0);
        self.pool.for_each_row(&mut a.input.x, cols, &|i, to| {
            to.copy_from_slice(&x[order[i] * cols..][..cols]);
        });
        self.product_of_groups(&adapters.a, a);
        std::mem::swap(&mut a.input.x, &mut a.made);
        self.product_of_groups(&adapters.b, a);
        // Every row of `out` is in the order once.
        let made = &a.made;
        for (i, row) in a.order.iter().enumerate() {
            let more = &made[i * rows..(i + 1) * rows];
            out[row * rows..][..rows].iter_mut().zip(more).for_each(|(x, more)| *x += more);
        }
    }

    /// made = the rows of input, each by the matrix of its group.
    fn product_of_groups(&self, weights: &[WeightMatrix], a: &mut AdapterScratch) {
        let (matrix, n) = (&weights[0], a.order.len());
        let ends = a.groups.iter().map(|rows| rows.first + rows.n);
        let formats = [matrix.format()];
        a.input.quantize_groups(&self.pool, self.isa, matrix.cols(), formats, ends);
        a.made.resize(n * matrix.rows(), 0.0);
        let products = &mut [ExpertProduct { weights, out: &mut a.made }];
        matmul_experts(&self.pool, self.isa, &a.input, &a.groups, products, &[]);
    }
}
