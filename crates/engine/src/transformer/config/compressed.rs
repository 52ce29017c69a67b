//! Attention to one key of each token, which all heads share and which is its value as well, and to
//! compressed keys of earlier tokens (DeepSeek V4).

use std::ops::Range;

use super::{
    super::{ModelError, PAGE},
    Config, LayerConfig, MAX_TIMES,
    keys::Keys,
};
use crate::gguf::Value;

/// Widths of attention to shared keys, besides those of heads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SharedKeyConfig {
    /// What queries are made of.
    pub q_rank: usize,
    /// Groups of neighbouring heads, each with a matrix for what its heads found.
    pub out_groups: usize,
    /// What each of these matrices makes.
    pub out_rank: usize,
}

/// Tokens of a compressed key of the kind that overlaps: it is made of those before as well.
const OVERLAPPING: usize = 4;
/// Tokens of a compressed key of the other kind.
const APART: usize = 128;
/// Numbers that a compressed key needs of the tokens so far, for each of its own.
const SUMS: usize = 3;

const GROUPS: &str = "attention.output_group_count";
const RATIOS: &str = "attention.compress_ratios";

/// The widths; sets how many tokens a compressed key of each layer stands for. None in families
/// without shared keys.
pub(super) fn read(
    keys: &Keys<'_>,
    layers: &mut [LayerConfig],
    d_model: usize,
) -> Result<Option<SharedKeyConfig>, ModelError> {
    const HEADS: &str = "attention.head_count_kv";
    const Q_RANK: &str = "attention.q_lora_rank";
    const OUT_RANK: &str = "attention.output_lora_rank";
    if !keys.family.reads_key(GROUPS) {
        return Ok(None);
    }
    if let Some(layer) = layers.iter().find(|layer| layer.n_kv_heads != 1) {
        return Err(keys.error(HEADS, format!("expected 1, found {}", layer.n_kv_heads)));
    }
    let n_heads = layers[0].n_heads;
    let out_groups = keys.size(GROUPS, None, n_heads)?;
    if !n_heads.is_multiple_of(out_groups) {
        let problem = format!("{out_groups} groups don't divide {n_heads} heads");
        return Err(keys.error(GROUPS, problem));
    }
    let widest = (MAX_TIMES * d_model).min(1 << 22);
    let q_rank = keys.size(Q_RANK, None, widest)?;
    keys.check_rows(Q_RANK, q_rank, 1)?;
    let out_rank = keys.size(OUT_RANK, None, widest / out_groups)?;
    keys.check_rows(OUT_RANK, out_rank, 1)?;
    let ratios = match keys.metadata.get(&keys.name(RATIOS)) {
        Some(Value::IntArray(list)) if list.len() >= layers.len() => list,
        None => return Err(keys.missing(RATIOS)),
        _ => {
            let problem =
                format!("expected a list with a number for each of {} layers", layers.len());
            return Err(keys.error(RATIOS, problem));
        }
    };
    for (layer, ratio) in layers.iter_mut().zip(ratios) {
        layer.compressed = match usize::try_from(*ratio) {
            Ok(n @ (0 | OVERLAPPING | APART)) => n,
            _ => {
                let problem = format!("expected 0, {OVERLAPPING} or {APART}, found {ratio}");
                return Err(keys.error(RATIOS, problem));
            }
        };
    }
    Ok(Some(SharedKeyConfig { q_rank, out_groups, out_rank }))
}

/// How many tokens see all compressed keys: in longer texts attention selects among those that
/// overlap.
pub(super) fn seen(keys: &Keys<'_>, layers: &[LayerConfig]) -> Result<usize, ModelError> {
    if layers.iter().all(|layer| layer.compressed != OVERLAPPING) {
        return Ok(usize::MAX);
    }
    let most = keys.size("attention.indexer.top_k", None, 1 << 28)?;
    Ok((most + 1) * OVERLAPPING - 1)
}

impl LayerConfig {
    /// Compressed keys whose last token lies on a page, at most.
    pub(in super::super) fn compressed_on_page(&self) -> usize {
        match self.compressed {
            0 => 0,
            ratio => (PAGE / ratio).max(1),
        }
    }

    /// Numbers of each token that compressed keys are made of.
    pub(in super::super) fn compressor_width(&self) -> usize {
        match self.compressed {
            0 => 0,
            OVERLAPPING => 2 * self.head_dim,
            _ => self.head_dim,
        }
    }

    /// Numbers of a text's state that its next compressed keys are made of.
    fn compressor_state(&self) -> usize {
        SUMS * self.compressor_width()
    }
}

impl Config {
    /// Multiplications with weights of one token, in a layer with shared keys.
    pub(in super::super) fn shared_key_multiply_adds(&self, layer: &LayerConfig) -> usize {
        let Some(c) = &self.shared_key else { return 0 };
        let d_q = layer.n_heads * layer.head_dim;
        let low = c.q_rank + layer.head_dim + 2 * layer.compressor_width();
        let output = c.out_rank * (d_q + c.out_groups * self.d_model);
        self.d_model * low + c.q_rank * d_q + output
    }

    /// Where the compressor of layer `i` lies in a text's state.
    pub(in super::super) fn compressor_at(&self, i: usize) -> Range<usize> {
        let before = self.state_numbers() - compressors(&self.layers[i..]);
        before..before + self.layers[i].compressor_state()
    }

    /// Numbers of a text's state that are of compressors.
    pub(in super::super) fn compressor_numbers(&self) -> usize {
        compressors(&self.layers)
    }
}

fn compressors(layers: &[LayerConfig]) -> usize {
    layers.iter().map(LayerConfig::compressor_state).sum()
}
