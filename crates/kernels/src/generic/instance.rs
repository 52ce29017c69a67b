//! `vector_functions!`: the functions of an instruction set that only call a generic algorithm with
//! its register type.

/// Defines the modules `attention`, `exp`, `floats`, `gate`, `logits`, `norm` and `recurrence` of
/// an instruction set.
///
/// - `features`: the target features, as `#[target_feature]` takes them;
/// - `vector`: the register type, which implements [`Vector`](crate::vector::Vector);
/// - `scores`, `values`: the register blocking of attention. For 1, 2, … queries at a time, how
///   many vectors of positions or dimensions have their accumulators in registers;
/// - `integers`: both of scaled integers;
/// - `floats`: for how many tokens at a time products of float weights have their accumulators in
///   registers: 1, 2, …;
/// - `otherwise`: the module whose `attention` takes dimensions that don't fill a vector.
macro_rules! vector_functions {
    (
        features: $features:tt,
        vector: $vector:ty,
        scores: [$($scores_n:literal: $scores_v:literal),*],
        values: [$($values_n:literal: $values_v:literal),*],
        integers: [$($integers_n:literal: $integers_v:literal),*],
        floats: [$($tokens:literal),*],
        otherwise: $otherwise:ident,
    ) => {
        pub(crate) mod attention {
            //! Attention: see `generic::attention`.

            use std::ops::Range;

            use half::f16;

            use crate::{
                generic::attention as generic,
                scalar::{
                    attention::{FloatElement, PAGE},
                    norm::LANES,
                },
                vector::Vector,
            };

            /// Maximum queries whose accumulators stay in registers.
            const QUERIES: usize = [$($scores_n),*].len();
            /// As many for integers.
            const INTEGER_QUERIES: usize = [$($integers_n),*].len();

            #[target_feature(enable = $features)]
            pub(crate) fn to_f16(x: &[f32], out: &mut [f16]) {
                // SAFETY: this function has the target features of the vector.
                unsafe { generic::to_f16::<$vector>(x, out) }
            }

            #[target_feature(enable = $features)]
            pub(crate) fn scores<T: FloatElement>(
                queries: &[f32],
                keys: &[T],
                prefetch: *const u8,
                scale: f32,
                scores: &mut [f32],
                width: usize,
                at: usize,
            ) {
                let head_dim = keys.len() / PAGE;
                for (queries, scores) in
                    queries.chunks(QUERIES * head_dim).zip(scores.chunks_mut(QUERIES * width))
                {
                    // SAFETY: this function has the target features of the vector.
                    unsafe {
                        match queries.len() / head_dim {
                            $($scores_n => generic::scores::<$vector, T, $scores_n, $scores_v>(
                                queries, keys, prefetch, scale, scores, width, at,
                            ),)*
                            _ => unreachable!("a chunk has at most QUERIES queries"),
                        }
                    }
                }
            }

            #[target_feature(enable = $features)]
            pub(crate) fn to_integers(x: &[f32], most: f32, out: &mut [i16]) -> f32 {
                // SAFETY: this function has the target features of the vector.
                unsafe { generic::to_integers::<$vector>(x, most, out) }
            }

            #[target_feature(enable = $features)]
            pub(crate) fn integer_weights(
                weights: &[f32],
                width: usize,
                at: usize,
                scales: &[f32; PAGE],
                most: f32,
                out: &mut [i16],
                factors: &mut [f32],
            ) {
                let rows = weights.chunks_exact(width).zip(out.chunks_exact_mut(PAGE));
                for ((weights, out), factor) in rows.zip(factors) {
                    let mut scaled = *scales;
                    scaled.iter_mut().zip(&weights[at..at + PAGE]).for_each(|(x, w)| *x *= w);
                    // SAFETY: this function has the target features of the vector.
                    *factor = unsafe { generic::to_integers::<$vector>(&scaled, most, out) };
                }
            }

            #[target_feature(enable = $features)]
            pub(crate) fn integer_scores(
                queries: &[i16],
                factors: &[f32],
                keys: &[i8],
                scales: &[f32; PAGE],
                prefetch: *const u8,
                scores: &mut [f32],
                width: usize,
                at: usize,
            ) {
                let len = keys.len() / PAGE;
                let rows = queries.chunks(INTEGER_QUERIES * len).zip(factors.chunks(INTEGER_QUERIES));
                let rows = rows.zip(scores.chunks_mut(INTEGER_QUERIES * width));
                for ((queries, factors), scores) in rows {
                    // SAFETY: this function has the target features of the vector.
                    unsafe {
                        match factors.len() {
                            $($integers_n => generic::integer_scores::<$vector, $integers_n, $integers_v>(
                                queries, factors, keys, scales, prefetch, scores, width, at,
                            ),)*
                            _ => unreachable!("a chunk has at most QUERIES queries"),
                        }
                    }
                }
            }

            #[target_feature(enable = $features)]
            pub(crate) fn add_integer_values(
                weights: &[i16],
                factors: &[f32],
                values: &[i8],
                prefetch: *const u8,
                dims: Range<usize>,
                out: &mut [f32],
            ) {
                if !dims.len().is_multiple_of(<$vector>::LANES) {
                    return crate::$otherwise::attention::add_integer_values(
                        weights, factors, values, prefetch, dims, out,
                    );
                }
                let rows = weights.chunks(INTEGER_QUERIES * PAGE);
                let rows = rows.zip(factors.chunks(INTEGER_QUERIES));
                let rows = rows.zip(out.chunks_mut(INTEGER_QUERIES * dims.len()));
                for ((weights, factors), out) in rows {
                    let dims = dims.clone();
                    // SAFETY: this function has the target features of the vector.
                    unsafe {
                        match factors.len() {
                            $($integers_n => generic::integer_values::<$vector, $integers_n, $integers_v>(
                                weights, factors, values, prefetch, dims, out,
                            ),)*
                            _ => unreachable!("a chunk has at most QUERIES queries"),
                        }
                    }
                }
            }

            #[target_feature(enable = $features)]
            pub(crate) fn softmax_weights(scores: &mut [f32]) -> [f32; LANES] {
                const N: usize = LANES / <$vector>::LANES;
                // SAFETY: this function has the target features of the vector.
                unsafe { generic::softmax_weights::<$vector, N>(scores) }
            }

            #[target_feature(enable = $features)]
            pub(crate) fn add_values<T: FloatElement>(
                weights: &[f32],
                width: usize,
                at: usize,
                values: &[T],
                prefetch: *const u8,
                slots: Range<usize>,
                dims: Range<usize>,
                out: &mut [f32],
            ) {
                if !dims.len().is_multiple_of(<$vector>::LANES) {
                    return crate::$otherwise::attention::add_values(
                        weights, width, at, values, prefetch, slots, dims, out,
                    );
                }
                for (weights, out) in
                    weights.chunks(QUERIES * width).zip(out.chunks_mut(QUERIES * dims.len()))
                {
                    let (slots, dims) = (slots.clone(), dims.clone());
                    // SAFETY: this function has the target features of the vector.
                    unsafe {
                        match out.len() / dims.len() {
                            $($values_n => generic::values::<$vector, T, $values_n, $values_v>(
                                weights, width, at, values, prefetch, slots, dims, out,
                            ),)*
                            _ => unreachable!("a chunk has at most QUERIES queries"),
                        }
                    }
                }
            }
        }

        pub(crate) mod floats {
            //! Products of float weights: see `generic::floats`.

            use crate::{
                format::Format, generic::floats as generic, layout::GROUP_ROWS, vector::Vector,
            };

            /// Maximum tokens whose accumulators stay in registers.
            const TOKENS: usize = [$($tokens),*].len();
            /// Vectors with a lane for each row of a group.
            const VECTORS: usize = GROUP_ROWS / <$vector>::LANES;

            #[target_feature(enable = $features)]
            pub(crate) fn floats(
                format: Format,
                stream: &[u8],
                x: &[f32],
                sums: &mut [[f32; GROUP_ROWS]],
            ) {
                match format {
                    Format::F32 => passes::<{ Format::F32 as usize }>(stream, x, sums),
                    Format::F16 => passes::<{ Format::F16 as usize }>(stream, x, sums),
                    _ => passes::<{ Format::BF16 as usize }>(stream, x, sums),
                }
            }

            #[target_feature(enable = $features)]
            fn passes<const FORMAT: usize>(
                stream: &[u8],
                x: &[f32],
                sums: &mut [[f32; GROUP_ROWS]],
            ) {
                let cols = x.len() / sums.len();
                for (x, sums) in x.chunks(TOKENS * cols).zip(sums.chunks_mut(TOKENS)) {
                    // SAFETY: this function has the target features of the vector.
                    unsafe {
                        match sums.len() {
                            $($tokens => generic::floats::<$vector, FORMAT, VECTORS, $tokens>(
                                stream, x, sums,
                            ),)*
                            _ => unreachable!("a chunk has at most TOKENS tokens"),
                        }
                    }
                }
            }
        }

        pub(crate) mod exp {
            //! e^x: see `generic::exp`.

            #[target_feature(enable = $features)]
            pub(crate) fn exp_slice(x: &mut [f32]) {
                // SAFETY: this function has the target features of the vector.
                unsafe { crate::generic::exp::exp_slice::<$vector>(x) }
            }
        }

        pub(crate) mod gate {
            //! Gated activations: see `generic::gate`.

            #[target_feature(enable = $features)]
            pub(crate) fn silu(gate: &mut [f32], up: &[f32]) {
                // SAFETY: this function has the target features of the vector.
                unsafe { crate::generic::gate::silu::<$vector>(gate, up) }
            }

            #[target_feature(enable = $features)]
            pub(crate) fn gelu(gate: &mut [f32], up: &[f32]) {
                // SAFETY: this function has the target features of the vector.
                unsafe { crate::generic::gate::gelu::<$vector>(gate, up) }
            }
        }

        pub(crate) mod norm {
            //! RMSNorm's sum of squares: see `generic::norm`.

            use crate::{scalar::norm::LANES, vector::Vector};

            #[target_feature(enable = $features)]
            pub(crate) fn square_lanes(x: &[f32]) -> [f32; LANES] {
                const N: usize = LANES / <$vector>::LANES;
                // SAFETY: this function has the target features of the vector.
                unsafe { crate::generic::norm::square_lanes::<$vector, N>(x) }
            }
        }

        pub(crate) mod recurrence {
            //! The state of recurrent layers: `generic::recurrence`, and the loops of
            //! `scalar::recurrence` compiled with these target features.

            use crate::{
                generic::recurrence as generic,
                scalar::{
                    self,
                    recurrence::{BLOCK, Token},
                },
                vector::Vector,
            };

            #[target_feature(enable = $features)]
            pub(crate) fn step(state: &mut [f32], token: Token<'_>, out: &mut [f32]) {
                const N: usize = BLOCK / <$vector>::LANES;
                // SAFETY: this function has the target features of the vector.
                unsafe { generic::step::<$vector, N>(state, token, out) }
            }

            #[target_feature(enable = $features)]
            pub(crate) fn read_first(
                state: &mut [f32],
                token: Token<'_>,
                bonus: &[f32],
                out: &mut [f32],
            ) {
                scalar::recurrence::read_first(state, token, bonus, out);
            }

            #[target_feature(enable = $features)]
            pub(crate) fn rewrite(
                state: &mut [f32],
                token: Token<'_>,
                read: &[f32],
                write: &[f32],
                out: &mut [f32],
            ) {
                scalar::recurrence::rewrite(state, token, read, write, out);
            }

            #[target_feature(enable = $features)]
            pub(crate) fn of_columns(
                state: &mut [f32],
                token: Token<'_>,
                rates: &[f32],
                steps: &[f32],
                out: &mut [f32],
            ) {
                scalar::recurrence::of_columns(state, token, rates, steps, out);
            }

            #[target_feature(enable = $features)]
            pub(crate) fn add_products(a: &[f32], b: &[f32], sum: &mut [f32]) {
                // SAFETY: this function has the target features of the vector.
                unsafe { generic::add_products::<$vector>(a, b, sum) }
            }
        }

        pub(crate) mod logits {
            //! Passes over a row of logits: `generic::logits`, and the loops of `scalar::logits`
            //! compiled with these target features.

            use crate::{
                generic,
                scalar::{
                    self,
                    logits::{Bin, Bound, GROUP, Line, Near, Scan, Sums},
                },
            };

            #[target_feature(enable = $features)]
            pub(crate) fn scan(xs: &[f32], maxima: &mut [f32]) -> Scan {
                // SAFETY: this function has the target features of the vector.
                unsafe { generic::logits::scan::<$vector>(xs, maxima) }
            }

            #[target_feature(enable = $features)]
            pub(crate) fn select(
                xs: &[f32],
                bound: Bound,
                first: u32,
                ids: &mut [u32],
                out: &mut [f32],
            ) -> usize {
                // SAFETY: this function has the target features of the vector.
                unsafe { generic::logits::select::<$vector>(xs, bound, first, ids, out) }
            }

            #[target_feature(enable = $features)]
            pub(crate) fn select_near(
                xs: &[f32],
                near: &Near,
                first: u32,
                ids: &mut [u32],
                out: &mut [f32],
            ) -> usize {
                // SAFETY: this function has the target features of the vector.
                unsafe { generic::logits::select_near::<$vector>(xs, near, first, ids, out) }
            }

            #[target_feature(enable = $features)]
            pub(crate) fn select_bin(
                xs: &[f32],
                line: Line,
                bin: Bin,
                first: u32,
                ids: &mut [u32],
            ) -> usize {
                // SAFETY: this function has the target features of the vector.
                unsafe { generic::logits::select_bin::<$vector>(xs, line, bin, first, ids) }
            }

            #[target_feature(enable = $features)]
            pub(crate) fn count_unmasked(xs: &[f32]) -> usize {
                scalar::logits::count_unmasked(xs)
            }

            #[target_feature(enable = $features)]
            pub(crate) fn weigh(xs: &[f32], max: f32, beta: f32, es: &mut [f32]) -> u64 {
                scalar::logits::weigh(xs, max, beta, es)
            }

            #[target_feature(enable = $features)]
            pub(crate) fn weigh_and_measure(
                xs: &[f32],
                max: f32,
                beta: f32,
                es: &mut [f32],
            ) -> Sums {
                scalar::logits::weigh_and_measure(xs, max, beta, es)
            }

            #[target_feature(enable = $features)]
            pub(crate) fn measure(xs: &[f32], max: f32, beta: f32, es: &[f32]) -> Sums {
                scalar::logits::measure(xs, max, beta, es)
            }

            #[target_feature(enable = $features)]
            pub(crate) fn squares(es: &[f32]) -> u128 {
                scalar::logits::squares(es)
            }

            #[target_feature(enable = $features)]
            pub(crate) fn deviations(xs: &[f32], max: f32, scale: f64) -> (u64, u128) {
                scalar::logits::deviations(xs, max, scale)
            }

            #[target_feature(enable = $features)]
            pub(crate) fn least(xs: &[f32]) -> f32 {
                scalar::logits::least(xs)
            }

            #[target_feature(enable = $features)]
            pub(crate) fn bins(
                xs: &[f32],
                es: &[f32],
                line: Line,
                last_bin: u32,
                bins: &mut [u32; GROUP],
                weights: &mut [u64; GROUP],
            ) {
                scalar::logits::bins(xs, es, line, last_bin, bins, weights);
            }
        }
    };
}
pub(crate) use vector_functions;
