//! Several streams in the place of one, which each half of a layer reads and adds to.

use super::{super::ModelError, keys::Keys};

/// Streams beside each other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HyperConfig {
    /// How many there are.
    pub n_streams: usize,
    /// How they are read and added to.
    pub rule: HyperRule,
}

/// How a half of a layer reads several streams and adds to them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum HyperRule {
    /// A half reads their sum with weights logistic(...) + eps, and adds to them by weights
    /// magnitude · logistic(...) + eps (hyper-connections, arXiv 2409.19606).
    Weighted {
        /// Added to weights.
        eps: f32,
        /// Multiplies the weights of what is added.
        magnitude: f32,
    },
    /// A half reads their sum with weights logistic(...) + eps. Then they are mixed by a matrix
    /// whose rows and columns have sums near 1, and it adds to them by weights 2 · logistic(...)
    /// (arXiv 2512.24880).
    Mixed {
        /// Added to weights and sums.
        eps: f32,
        /// How often columns of that matrix are divided by their sums, and rows in between.
        iterations: usize,
    },
    /// A half reads the mean of their norms, each number of which has a gate made of few numbers,
    /// and adds to them by weights 2 · logistic(...).
    Gated {
        /// What gates are made of.
        rank: usize,
    },
    /// There is one stream, and sums of it from before: it is kept and begins anew after each so
    /// many layers. A half reads a mean of all by weights that depend on them.
    Kept {
        /// Layers between two kept sums.
        every: usize,
    },
}

/// Most streams, sums that are kept not counted. Files have 4.
pub(in super::super) const MAX_STREAMS: usize = 16;
/// Most kept sums, which a step has for each of its tokens.
const MAX_KEPT: usize = 64;
const COUNT: &str = "hyper_connection.count";
const EPS: &str = "hyper_connection.epsilon";
const MAGNITUDE: &str = "hyper_connection.magnitude";
const ITERATIONS: &str = "hyper_connection.sinkhorn_iterations";
const RANK: &str = "hyper_connection.low_rank";
const KEPT: &str = "attn_res.block_size";

/// The streams beside each other; which keys the family reads says how they are read.
pub(super) fn read(keys: &Keys<'_>, n_layers: usize) -> Result<Option<HyperConfig>, ModelError> {
    let reads = |key: &str| keys.family.reads_key(key);
    if reads(KEPT) {
        let every =
            keys.metadata.u32(&keys.name(KEPT))?.ok_or_else(|| keys.missing(KEPT))? as usize;
        let n_kept = match every {
            0 => return Ok(None),
            every => n_layers.div_ceil(every),
        };
        if n_kept > MAX_KEPT {
            let problem = format!("{n_kept} sums are kept, expected at most {MAX_KEPT}");
            return Err(keys.error(KEPT, problem));
        }
        let n_streams = 1 + n_kept;
        return Ok(Some(HyperConfig { n_streams, rule: HyperRule::Kept { every } }));
    }
    if !reads(COUNT) {
        return Ok(None);
    }
    let number = |key: &str| -> Result<f32, ModelError> {
        Ok(keys.said(key)?.ok_or_else(|| keys.missing(key))? as f32)
    };
    let rule = if reads(MAGNITUDE) {
        HyperRule::Weighted { eps: number(EPS)?, magnitude: number(MAGNITUDE)? }
    } else if reads(ITERATIONS) {
        HyperRule::Mixed { eps: number(EPS)?, iterations: keys.size(ITERATIONS, None, 1000)? }
    } else {
        let rank = keys.size(RANK, None, 1 << 14)?;
        keys.check_rows(RANK, rank, 1)?;
        HyperRule::Gated { rank }
    };
    let n_streams = keys.size(COUNT, None, MAX_STREAMS)?;
    if n_streams == 1 && matches!(rule, HyperRule::Gated { .. }) {
        return Err(keys.error(COUNT, "one stream, expected more".to_string()));
    }
    Ok(Some(HyperConfig { n_streams, rule }))
}

impl HyperConfig {
    /// Multiplications with weights for each number of the model's width, of both halves of a
    /// layer.
    pub(in super::super) fn multiply_adds(&self) -> usize {
        let n = self.n_streams;
        2 * match self.rule {
            HyperRule::Weighted { .. } => 2 * n * n,
            HyperRule::Mixed { .. } => (2 + n) * n * n,
            HyperRule::Gated { rank } => 2 * n * rank + n * n,
            HyperRule::Kept { .. } => 0,
        }
    }
}
