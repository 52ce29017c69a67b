//! The recurrent state of a text: a matrix for each head, which every token decays, adds to and
//! reads.
//!
//! The definition, for one token, one head and column i of its matrix S (`[key_dim][value_dim]`);
//! the decay is one number or one for each row n:
//! 1. S_ni = S_ni · decay_n;
//! 2. with the delta rule (arXiv 2412.06464) `new = (v_i - Σ_n S_ni · k_n) · rate`, without it
//!    (Mamba 2, arXiv 2405.21060) `new = v_i · rate`;
//! 3. S_ni = fma(k_n, new, S_ni);
//! 4. out_i = Σ_n S_ni · q_n.
//!
//! Other rules ([`Rule`]) have their definitions in `scalar::recurrence`.
//!
//! Sums have one accumulator each, fma over n in sequence. A text's tokens are computed one after
//! another, and columns never meet. So no bit depends on how a text is cut into steps or which
//! thread has which columns. (Formulas that take a chunk of tokens at once add in another order.)

use std::{marker::PhantomData, ops::Range};

use crate::{
    isa::{Isa, dispatch},
    pool::{DisjointPtr, Pool},
    scalar::recurrence::{BLOCK, Token},
};

/// The heads of a layer and what becomes of their matrices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StateHeads {
    /// Heads, each with a matrix and values of its own.
    pub n_heads: usize,
    /// Groups of heads that share queries and keys; they divide the heads.
    pub n_groups: usize,
    /// Heads belong to the groups in turn; otherwise neighbours belong together.
    pub in_turn: bool,
    /// Rows of a matrix.
    pub key_dim: usize,
    /// Columns of a matrix.
    pub value_dim: usize,
}

/// What a token does to a head's matrix.
#[derive(Debug, Clone, Copy)]
pub enum Rule<'a> {
    /// Its value times the rate is added, by its key.
    Add,
    /// The delta rule: what its key would read is taken from its value first.
    Correct,
    /// RWKV 6 (arXiv 2404.05892): the matrix is read before it changes, with the token's own value
    /// times this bonus, n_heads × key_dim. The rate is 1.
    ReadFirst(&'a [f32]),
    /// RWKV 7 (arXiv 2503.14456): what `read` finds in the matrix is added by `write`, besides
    /// its value by its key. Both have n_groups × key_dim numbers a row. The rate is 1.
    Rewrite {
        /// What reads.
        read: Rows<'a>,
        /// What writes.
        write: Rows<'a>,
    },
    /// Mamba (arXiv 2312.00752): one head, whose columns decay at rates of their own. `rate` has a
    /// number for each column, `decay` none. These numbers, laid out as the matrix is
    /// ([`in_blocks`]), are multiplied with it: the decay is e to the product.
    OfColumns(&'a [f32]),
}

impl StateHeads {
    /// Numbers of all matrices.
    pub fn n_numbers(&self) -> usize {
        self.n_heads * self.key_dim * self.value_dim
    }

    fn group(&self, head: usize) -> usize {
        if self.in_turn { head % self.n_groups } else { head / (self.n_heads / self.n_groups) }
    }
}

/// Numbers of tokens: a part of each row of a table.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a> {
    /// The table.
    pub numbers: &'a [f32],
    /// Numbers of a row.
    pub row_len: usize,
    /// Where the part begins in a row.
    pub at: usize,
}

impl<'a> Rows<'a> {
    fn part(&self, row: usize, from: usize, len: usize) -> &'a [f32] {
        &self.numbers[row * self.row_len..(row + 1) * self.row_len][self.at + from..][..len]
    }
}

/// What tokens bring along, one row for each.
#[derive(Debug, Clone, Copy)]
pub struct StateInputs<'a> {
    /// Queries (`[n_groups][key_dim]`).
    pub q: Rows<'a>,
    /// Keys, likewise.
    pub k: Rows<'a>,
    /// Values (`[n_heads][value_dim]`).
    pub v: Rows<'a>,
    /// n × n_heads, or n × n_heads × key_dim.
    pub decay: &'a [f32],
    /// Rows of a matrix decay at rates of their own.
    pub decays_rows: bool,
    /// n × n_heads; empty where the rule has none.
    pub rate: &'a [f32],
    /// What they do.
    pub rule: Rule<'a>,
}

/// A text's rows of a step and its matrices.
#[derive(Debug)]
pub struct StateRun<'a> {
    rows: Range<usize>,
    state: DisjointPtr<f32>,
    len: usize,
    /// Where the matrices are to be copied, and after how many rows.
    kept: Vec<(usize, DisjointPtr<f32>)>,
    of: PhantomData<&'a mut [f32]>,
}

impl<'a> StateRun<'a> {
    /// The rows of a text among the step's, and the matrices that they change.
    pub fn new(rows: Range<usize>, state: &'a mut [f32]) -> StateRun<'a> {
        let (len, state) = (state.len(), DisjointPtr(state.as_mut_ptr()));
        StateRun { rows, state, len, kept: Vec::new(), of: PhantomData }
    }

    /// Copies the matrices to `copy` after the first `n_rows` rows.
    ///
    /// # Panics
    /// If the copy has another length.
    pub fn keep(&mut self, n_rows: usize, copy: &'a mut [f32]) {
        assert_eq!(copy.len(), self.len, "a copy is as long as the state");
        self.kept.push((n_rows, DisjointPtr(copy.as_mut_ptr())));
    }
}

/// Puts a table `[key_dim][value_dim]` into the order in which a matrix is stored.
pub fn in_blocks(table: &[f32], key_dim: usize, value_dim: usize) -> Vec<f32> {
    let mut blocks = Vec::with_capacity(table.len());
    for first in (0..value_dim).step_by(BLOCK) {
        let width = BLOCK.min(value_dim - first);
        for n in 0..key_dim {
            blocks.extend_from_slice(&table[n * value_dim + first..][..width]);
        }
    }
    blocks
}

/// Runs the tokens of all texts through their matrices, in one parallel job. `out` gets a row of
/// n_heads × value_dim numbers for each token.
///
/// # Panics
/// If a shape doesn't fit, or rows of runs overlap.
pub fn advance(
    pool: &Pool,
    isa: Isa,
    heads: StateHeads,
    inputs: StateInputs<'_>,
    runs: &mut [StateRun<'_>],
    out: &mut [f32],
) {
    let StateHeads { n_heads, n_groups, key_dim, value_dim, .. } = heads;
    let inner = n_heads * value_dim;
    let mut end = 0;
    for run in runs.iter() {
        assert!(run.rows.start >= end && run.rows.start <= run.rows.end, "runs follow each other");
        assert_eq!(run.len, heads.n_numbers(), "a state has a matrix for each head");
        end = run.rows.end;
    }
    assert!(end * inner <= out.len(), "there is a row of results for each token");
    assert!(n_groups > 0 && n_heads.is_multiple_of(n_groups), "groups divide the heads");
    let n_blocks = value_dim.div_ceil(BLOCK);
    let per_run = n_heads * n_blocks;
    let (runs, out) = (&*runs, DisjointPtr(out.as_mut_ptr()));
    pool.run(runs.len() * per_run, &|task| {
        let (run, head) = (&runs[task / per_run], task % per_run / n_blocks);
        let first = task % n_blocks * BLOCK;
        let width = BLOCK.min(value_dim - first);
        let place = head * key_dim * value_dim + first * key_dim;
        // SAFETY: the run has exclusive access to its n_numbers() numbers, and these belong to one
        // block of one head, so to this task alone.
        let state = unsafe { std::slice::from_raw_parts_mut(run.state.at(place), key_dim * width) };
        for row in run.rows.clone() {
            let at = row * inner + head * value_dim + first;
            // SAFETY: `out` is borrowed mutably and has the row (asserted above); rows of runs
            // don't overlap, and these columns of the row are this task's alone.
            let out = unsafe { std::slice::from_raw_parts_mut(out.at(at), width) };
            inputs.step(isa, heads, [row, head, first], state, out);
            for (n_rows, copy) in &run.kept {
                if row + 1 - run.rows.start == *n_rows {
                    // SAFETY: a copy is as long as the state (asserted in `keep`), borrowed
                    // mutably, and this block of it is this task's alone.
                    let copy =
                        unsafe { std::slice::from_raw_parts_mut(copy.at(place), key_dim * width) };
                    copy.copy_from_slice(state);
                }
            }
        }
    });
}

impl StateInputs<'_> {
    /// One token of one head through the columns from `first` on.
    fn step(
        &self,
        isa: Isa,
        heads: StateHeads,
        [row, head, first]: [usize; 3],
        state: &mut [f32],
        out: &mut [f32],
    ) {
        let StateHeads { n_heads, key_dim, value_dim, .. } = heads;
        let key = heads.group(head) * key_dim;
        let place = row * n_heads + head;
        let decay = match self.rule {
            Rule::OfColumns(_) => &[],
            _ if self.decays_rows => &self.decay[place * key_dim..][..key_dim],
            _ => &self.decay[place..=place],
        };
        let token = Token {
            q: self.q.part(row, key, key_dim),
            k: self.k.part(row, key, key_dim),
            v: self.v.part(row, head * value_dim + first, out.len()),
            decay,
            rate: 1.0,
            corrects: matches!(self.rule, Rule::Correct),
        };
        match self.rule {
            Rule::Add | Rule::Correct => {
                let token = Token { rate: self.rate[place], ..token };
                dispatch!(isa, recurrence::step(state, token, out));
            }
            Rule::ReadFirst(bonus) => {
                let bonus = &bonus[head * key_dim..][..key_dim];
                dispatch!(isa, recurrence::read_first(state, token, bonus, out));
            }
            Rule::Rewrite { read, write } => {
                let [read, write] = [read, write].map(|rows| rows.part(row, key, key_dim));
                dispatch!(isa, recurrence::rewrite(state, token, read, write, out));
            }
            Rule::OfColumns(rates) => {
                let rates = &rates[first * key_dim..][..state.len()];
                let steps = &self.rate[row * value_dim + first..][..out.len()];
                dispatch!(isa, recurrence::of_columns(state, token, rates, steps, out));
            }
        }
    }
}

/// Computes `sum_i = fma(a_i, b_i, sum_i)`: one tap of a convolution over channels.
///
/// # Panics
/// If lengths differ.
pub fn add_products(isa: Isa, a: &[f32], b: &[f32], sum: &mut [f32]) {
    assert!(a.len() == sum.len() && b.len() == sum.len(), "rows have one length");
    dispatch!(isa, recurrence::add_products(a, b, sum));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fma::fma;

    fn numbers(n: usize, seed: u32) -> Vec<f32> {
        let next = |i: u32| (i.wrapping_mul(2_654_435_761).wrapping_add(seed) >> 9) % 2001;
        (0..n as u32).map(|i| next(i + seed) as f32 / 1000.0 - 1.0).collect()
    }

    fn heads(value_dim: usize, n_groups: usize, in_turn: bool) -> StateHeads {
        StateHeads { n_heads: 4, n_groups, in_turn, key_dim: 9, value_dim }
    }

    /// The definition in f64, on matrices stored as `[key_dim][value_dim]`.
    fn plain(heads: StateHeads, inputs: StateInputs<'_>, n: usize) -> Vec<f64> {
        let StateHeads { n_heads, key_dim, value_dim, .. } = heads;
        let mut out = vec![0.0; n * n_heads * value_dim];
        let number = |x: f32| f64::from(x);
        for head in 0..n_heads {
            for i in 0..value_dim {
                let mut s = vec![0.0f64; key_dim];
                for row in 0..n {
                    let key = heads.group(head) * key_dim;
                    let at = |rows: Rows<'_>, n: usize| number(rows.part(row, key + n, 1)[0]);
                    let value = number(inputs.v.part(row, head * value_dim + i, 1)[0]);
                    let place = row * n_heads + head;
                    let step = |rate: &[f32]| number(rate[row * value_dim + i]);
                    let decay = |n: usize| match inputs.rule {
                        Rule::OfColumns(rates) => {
                            let (block, width) =
                                (i / BLOCK, BLOCK.min(value_dim - i / BLOCK * BLOCK));
                            let rate = rates[block * BLOCK * key_dim + n * width + i % BLOCK];
                            (step(inputs.rate) * number(rate)).exp()
                        }
                        _ if inputs.decays_rows => number(inputs.decay[place * key_dim + n]),
                        _ => number(inputs.decay[place]),
                    };
                    let before = s.clone();
                    s.iter_mut().enumerate().for_each(|(n, s)| *s *= decay(n));
                    let new = match inputs.rule {
                        Rule::Add => value * number(inputs.rate[place]),
                        Rule::Correct => {
                            let read: f64 = (0..key_dim).map(|n| s[n] * at(inputs.k, n)).sum();
                            (value - read) * number(inputs.rate[place])
                        }
                        Rule::OfColumns(_) => value * step(inputs.rate),
                        Rule::ReadFirst(_) | Rule::Rewrite { .. } => value,
                    };
                    let found: f64 = match inputs.rule {
                        Rule::Rewrite { read, .. } => {
                            (0..key_dim).map(|n| before[n] * at(read, n)).sum()
                        }
                        _ => 0.0,
                    };
                    for (n, s) in s.iter_mut().enumerate() {
                        *s += at(inputs.k, n) * new;
                        if let Rule::Rewrite { write, .. } = inputs.rule {
                            *s += found * at(write, n);
                        }
                        let seen = match inputs.rule {
                            Rule::ReadFirst(bonus) => {
                                let bonus = number(bonus[head * key_dim + n]);
                                before[n] + bonus * at(inputs.k, n) * value
                            }
                            _ => *s,
                        };
                        out[row * n_heads * value_dim + head * value_dim + i] +=
                            seen * at(inputs.q, n);
                    }
                }
            }
        }
        out
    }

    /// The results and the last state of two texts of 5 and 3 tokens, in steps of `chunk`.
    fn run(isa: Isa, threads: usize, heads: StateHeads, inputs: StateInputs<'_>) -> Vec<f32> {
        let pool = Pool::new(threads);
        let mut out = vec![0.0; 8 * heads.n_heads * heads.value_dim];
        let mut states = [vec![0.0; heads.n_numbers()], vec![0.0; heads.n_numbers()]];
        let mut copy = vec![0.0; heads.n_numbers()];
        let [first, second] = &mut states;
        let mut runs = [StateRun::new(0..5, first), StateRun::new(5..8, second)];
        runs[0].keep(2, &mut copy);
        advance(&pool, isa, heads, inputs, &mut runs, &mut out);
        // What was kept after two tokens goes on as the text did.
        let mut again = vec![0.0; out.len()];
        advance(&pool, isa, heads, inputs, &mut [StateRun::new(2..5, &mut copy)], &mut again);
        let inner = heads.n_heads * heads.value_dim;
        assert_eq!(again[2 * inner..5 * inner], out[2 * inner..5 * inner]);
        assert_eq!(copy, states[0]);
        out.extend(states.concat());
        out
    }

    fn check(heads: StateHeads, inputs: StateInputs<'_>) {
        let expected = run(Isa::SCALAR, 1, heads, inputs);
        for isa in Isa::all() {
            for threads in [1, 3] {
                let found = run(isa, threads, heads, inputs);
                assert!(found == expected, "{heads:?}, {}, {threads}", isa.name());
            }
        }
        for (found, truth) in expected.iter().zip(plain(heads, inputs, 5)) {
            let difference = (f64::from(*found) - truth).abs();
            assert!(difference < 1e-4 * (1.0 + truth.abs()), "{heads:?}: {found} {truth}");
        }
    }

    #[test]
    fn instruction_sets_and_threads_agree_and_follow_the_definition() {
        for value_dim in [1, 16, 31, 32, 33, 64, 70] {
            let row_len = 4 * 36 + 4 * value_dim + 3;
            let numbers_of_rows = numbers(8 * row_len, 7);
            let part = |at: usize| Rows { numbers: &numbers_of_rows, row_len, at };
            let decay: Vec<f32> = numbers(288, 5).iter().map(|x| x * 0.2 + 0.8).collect();
            let (rate, bonus) = (numbers(32, 3), numbers(36, 2));
            let inputs = StateInputs {
                q: part(3),
                k: part(39),
                v: part(147),
                decay: &decay,
                decays_rows: false,
                rate: &rate,
                rule: Rule::Add,
            };
            let rewrite = Rule::Rewrite { read: part(75), write: part(111) };
            let of_rows = StateInputs { decays_rows: true, ..inputs };
            check(heads(value_dim, 2, false), StateInputs { rule: Rule::Correct, ..inputs });
            check(heads(value_dim, 2, true), StateInputs { rule: Rule::Correct, ..inputs });
            check(heads(value_dim, 2, false), inputs);
            check(heads(value_dim, 4, false), StateInputs { rule: Rule::Correct, ..of_rows });
            check(heads(value_dim, 4, false), of_rows);
            check(
                heads(value_dim, 4, false),
                StateInputs { rule: Rule::ReadFirst(&bonus), ..of_rows },
            );
            check(heads(value_dim, 4, false), StateInputs { rule: rewrite, ..of_rows });
            let steps: Vec<f32> = numbers(8 * value_dim, 4).iter().map(|x| x * 0.5 + 0.6).collect();
            let table: Vec<f32> = numbers(9 * value_dim, 6).iter().map(|x| x - 1.1).collect();
            let one = StateHeads { n_heads: 1, n_groups: 1, ..heads(value_dim, 1, false) };
            check(
                one,
                StateInputs {
                    decay: &[],
                    rate: &steps,
                    rule: Rule::OfColumns(&in_blocks(&table, 9, value_dim)),
                    ..inputs
                },
            );
        }
    }

    #[test]
    fn products_are_added_alike_at_every_length() {
        for n in 0..70 {
            let (a, b, start) = (numbers(n, 1), numbers(n, 2), numbers(n, 3));
            let expected: Vec<f32> = (0..n).map(|i| fma(a[i], b[i], start[i])).collect();
            for isa in Isa::all() {
                let mut sum = start.clone();
                add_products(isa, &a, &b, &mut sum);
                assert_eq!(sum, expected, "{n} {}", isa.name());
            }
        }
    }
}
