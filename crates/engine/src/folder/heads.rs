//! How many heads the layers of a folder's model have, and how wide their feed-forward layers are.
//! Most families say it once, DeciLM for each layer.

use serde_json::Value as Json;

use super::{
    config::{self, Config, HEADS, KV_HEADS, LAYERS, WIDTH, expected},
    error::{FolderError, wrong},
    family::{Family, KvHeads},
    json,
};

/// More layers than any model has; the engine allows no more.
const MAX_LAYERS: u32 = 512;
/// DeciLM's feed-forward layers have whole multiples of this width.
const DECI_WIDTH: u64 = 256;

/// One layer. A layer without key-value heads has a matrix in attention's place, one without heads
/// has neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layer {
    pub(super) n_heads: usize,
    pub(super) n_kv_heads: usize,
    pub(super) d_ff: u32,
}

/// All layers.
#[derive(Debug)]
pub(super) struct Heads {
    pub(super) layers: Vec<Layer>,
    /// Whether the file says sizes for each layer.
    pub(super) listed: bool,
    /// Whether the file says a number of key-value heads, or the family has one of its own.
    pub(super) says_kv: bool,
    /// Numbers of a head.
    pub(super) dim: usize,
}

impl Heads {
    /// Reads them.
    ///
    /// # Errors
    /// Missing or impossible sizes; a kind of layer that the engine doesn't have.
    pub(super) fn of(config: &Config, family: &Family) -> Result<Heads, FolderError> {
        let n_layers = config.needed(LAYERS)?;
        if !(1..=MAX_LAYERS).contains(&n_layers) {
            let problem = format!("has {n_layers} layers, expected 1 to {MAX_LAYERS}");
            return wrong(config::FILE, problem);
        }
        let (n_heads, dim) = (config.needed(HEADS)?.max(1) as usize, config.head_dim()?);
        if !dim.is_multiple_of(2) {
            let problem = format!("heads have {dim} numbers, expected an even width");
            return wrong(config::FILE, problem);
        }
        if let (KvHeads::ByLayer, Some(blocks)) = (family.kv_heads, config.get("block_configs")) {
            let layers = blocks_of(config, blocks, n_heads, n_layers as usize)?;
            return Ok(Heads { layers, listed: true, says_kv: true, dim });
        }
        let d_ff = feed_forward(config)?;
        let layer = |n_kv_heads| Layer { n_heads, n_kv_heads, d_ff };
        let listed = match family.kv_heads {
            KvHeads::ByLayer => config.get("num_key_value_heads_per_layer"),
            _ => None,
        };
        let said = match family.kv_heads {
            KvHeads::Falcon => Some(of_falcon(config, n_heads)?),
            _ => config.u32(KV_HEADS)?.map(|n| n.max(1) as usize),
        };
        let layers: Vec<Layer> = match listed {
            Some(list) => {
                let sizes = list.as_array().filter(|list| list.len() == n_layers as usize);
                let one = |n: &Json| n.as_u64().filter(|n| (1..=1 << 14).contains(n));
                let sizes: Option<Vec<u64>> =
                    sizes.and_then(|sizes| sizes.iter().map(one).collect());
                let Some(sizes) = sizes else {
                    let what = format!("{n_layers} numbers of heads");
                    return expected("num_key_value_heads_per_layer", &what, list);
                };
                sizes.into_iter().map(|n| layer(n as usize)).collect()
            }
            None => vec![layer(said.unwrap_or(n_heads)); n_layers as usize],
        };
        let uneven = layers.iter().find(|layer| !layer.n_heads.is_multiple_of(layer.n_kv_heads));
        if let Some(Layer { n_heads, n_kv_heads, .. }) = uneven {
            let problem = format!(
                "{n_heads} query heads, {n_kv_heads} key-value heads: expected heads that share \
                 evenly"
            );
            return wrong(config::FILE, problem);
        }
        let says_kv = said.is_some() || listed.is_some();
        Ok(Heads { layers, listed: listed.is_some(), says_kv, dim })
    }
}

/// The width of all feed-forward layers.
fn feed_forward(config: &Config) -> Result<u32, FolderError> {
    if let Some(width) = config.u32(&["intermediate_size", "n_inner", "ffn_hidden_size"])? {
        return Ok(width);
    }
    let times = config.u32(&["expansion_ratio"])?.unwrap_or(4);
    Ok(config.needed(WIDTH)?.saturating_mul(times))
}

/// Falcon's first models share one key head unless they say otherwise; `num_kv_heads` counts in
/// the newer ones.
fn of_falcon(config: &Config, n_heads: usize) -> Result<usize, FolderError> {
    if config.bool("new_decoder_architecture") == Some(true) {
        return Ok(config.u32(&["num_kv_heads"])?.map_or(n_heads, |n| n.max(1) as usize));
    }
    if let Some(n) = config.u32(&["n_head_kv"])? {
        return Ok(n.max(1) as usize);
    }
    Ok(if config.bool("multi_query") == Some(false) { n_heads } else { 1 })
}

/// DeciLM's list of blocks.
fn blocks_of(
    config: &Config,
    blocks: &Json,
    n_heads: usize,
    n_layers: usize,
) -> Result<Vec<Layer>, FolderError> {
    let Some(list) = blocks.as_array().filter(|list| list.len() == n_layers) else {
        return expected("block_configs", &format!("{n_layers} blocks"), blocks);
    };
    let width = config.needed(WIDTH)?;
    let one = |(i, block): (usize, &Json)| block_of(i, block, n_heads, width);
    list.iter().enumerate().map(one).collect()
}

fn block_of(i: usize, block: &Json, n_heads: usize, width: u32) -> Result<Layer, FolderError> {
    let get = |part: &str, key: &str| block.get(part).and_then(|part| part.get(key));
    let is_true = |part: &str, key: &str| get(part, key) == Some(&Json::Bool(true));
    for (part, key, otherwise) in [
        ("ffn", "replace_with_linear", "a matrix in the place of a feed-forward layer"),
        ("attention", "window_length", "attention with a window"),
        ("attention", "num_sink_tokens", "attention with sinks"),
    ] {
        let value = get(part, key).filter(|value| !value.is_null());
        if let Some(value) = value.filter(|value| **value != Json::Bool(false)) {
            let problem = format!(
                "block {i} of \"block_configs\": {key:?} is {}, which asks for {otherwise}",
                json::shown(value)
            );
            return wrong(config::FILE, problem);
        }
    }
    let sharing = get("attention", "n_heads_in_group").and_then(Json::as_u64);
    let sharing = sharing.filter(|_| !is_true("attention", "no_op"));
    let (heads, kv_heads) = match sharing {
        Some(sharing) => {
            let sharing = usize::try_from(sharing).unwrap_or(usize::MAX);
            if sharing == 0 || !n_heads.is_multiple_of(sharing) {
                let problem = format!(
                    "block {i} of \"block_configs\": {sharing} of {n_heads} heads share a key, \
                     expected a divisor"
                );
                return wrong(config::FILE, problem);
            }
            (n_heads, n_heads / sharing)
        }
        None if is_true("attention", "replace_with_linear") => (n_heads, 0),
        None => (0, 0),
    };
    let times = get("ffn", "ffn_mult").and_then(Json::as_f64);
    let d_ff = match times.filter(|_| !is_true("ffn", "no_op")) {
        Some(times) => ((2.0 * times * f64::from(width) / 3.0) as u64).next_multiple_of(DECI_WIDTH),
        None => 0,
    };
    let d_ff = u32::try_from(d_ff).unwrap_or(u32::MAX);
    Ok(Layer { n_heads: heads, n_kv_heads: kv_heads, d_ff })
}
