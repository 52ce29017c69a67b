//! The sizes of a model's matrices: the heads of each layer, the width of its feed-forward layer,
//! whose keys and values it reads, and the vocabulary.

use std::ops::Range;

use kelvin_kernels::gate::Activation;

use super::{
    super::{
        ModelError,
        families::{FeedForward, Layers, RecurrentLayers},
    },
    LatentConfig, LayerConfig, MAX_SHARING, MAX_TIMES, StackLevel, experts,
    keys::{FEWEST_ROWS, Keys},
    positions::LayerWindows,
    recurrent,
};
use crate::gguf::Gguf;

const FFN: &str = "feed_forward_length";

/// Every layer of the file, in order, without what is said elsewhere: its rotary embedding, whether
/// it is parallel.
pub(super) fn layers(
    keys: &Keys<'_>,
    d_model: usize,
    windows: &LayerWindows,
) -> Result<Vec<LayerConfig>, ModelError> {
    const Q: &str = "attention.head_count";
    const KV: &str = "attention.head_count_kv";
    let n_layers = windows.of.len();
    let (kinds, divisor) = (keys.family.layers, keys.family.ffn_divisor);
    let fewest = usize::from(![Layers::WithoutParts, Layers::OfOnePart].contains(&kinds));
    let without_keys = recurrent::are(keys.family, RecurrentLayers::WithoutKeys);
    let fewest_kv = if without_keys { 0 } else { fewest };
    let mut n_heads = keys.sizes(Q, n_layers, fewest_kv..=1 << 14, None)?;
    let mut n_kv_heads = keys.sizes(KV, n_layers, fewest_kv..=1 << 14, Some(&n_heads))?;
    let own_width = head_width(keys, "", n_heads[0], d_model)?;
    let has_local = keys.family.reads_key("attention.key_length_swa");
    let local_width =
        if has_local { head_width(keys, "_swa", n_heads[0], d_model)? } else { own_width };
    let widest = divisor * (MAX_TIMES * d_model).min(1 << 22);
    // A file without dense layers may say the experts' width alone.
    let d_expert = experts::width(keys)?.map(|width| vec![width; n_layers]);
    let mut d_ff = keys.sizes(FFN, n_layers, fewest..=widest, d_expert.as_deref())?;
    if !keys.family.reads_key(FFN) {
        d_ff.fill(0);
    }
    let recurrent = recurrent::layers(keys, &n_kv_heads, &d_ff)?;
    let attends = attending(keys, &recurrent, &d_ff, &mut n_heads, &mut n_kv_heads);
    if kinds == Layers::Alike {
        check_alike(keys, [(Q, &n_heads), (KV, &n_kv_heads), (FFN, &d_ff)])?;
    }
    let from = shared_from(keys, n_layers)?;
    let mut layers = Vec::with_capacity(n_layers);
    for i in 0..n_layers {
        let (n_heads, n_kv_heads) = (n_heads[i], n_kv_heads[i]);
        let head_dim = if windows.of[i].is_some() { local_width } else { own_width };
        if d_ff[i] % divisor != 0 {
            let problem = format!("{} isn't a multiple of {divisor}", d_ff[i]);
            return Err(keys.error(FFN, problem));
        }
        let d_ff = d_ff[i] / divisor;
        if attends[i] {
            check_attention(keys, [n_heads, n_kv_heads, head_dim], d_model, fewest_kv)?;
        }
        keys.check_rows(FFN, d_ff, fewest)?;
        let of_attention = |n: usize| if attends[i] { n } else { 0 };
        layers.push(LayerConfig {
            block: i,
            n_heads: of_attention(n_heads),
            n_kv_heads: of_attention(n_kv_heads),
            head_dim,
            value_dim: value_width(keys, has_local && windows.of[i].is_some(), head_dim)?,
            d_ff,
            // The last layer of the same kind that has keys and values of its own.
            cache: match from {
                Some(from) if i >= from => from - 1 - usize::from(windows.of[i].is_some()),
                _ => i,
            },
            window: windows.of[i],
            compressed: 0,
            rope: None,
            parallel: false,
            experts: false,
            recurrent: recurrent[i],
            expert_limit: None,
            dense_limit: None,
            xielu: None,
            loop_norm: false,
            joins: false,
            leaves: None,
        });
    }
    check_owners(keys, &layers)?;
    check_values(keys, "", own_width)?;
    if has_local {
        check_values(keys, "_swa", local_width)?;
    }
    Ok(layers)
}

/// Refuses layers of several sizes.
fn check_alike(keys: &Keys<'_>, all: [(&str, &Vec<usize>); 3]) -> Result<(), ModelError> {
    match all.iter().find(|(_, sizes)| sizes.iter().any(|size| *size != sizes[0])) {
        Some((key, _)) => {
            let problem = "layers of several sizes aren't known for this architecture";
            Err(keys.error(key, problem.to_string()))
        }
        None => Ok(()),
    }
}

/// The width of a head's values.
fn value_width(keys: &Keys<'_>, is_local: bool, head_dim: usize) -> Result<usize, ModelError> {
    if !keys.family.latent && !keys.family.narrow_values {
        return Ok(head_dim);
    }
    let suffix = if is_local { "_swa" } else { "" };
    keys.size(&format!("attention.value_length{suffix}"), Some(head_dim), head_dim)
}

/// Which layers have attention. The heads that a file states for others don't count: they become
/// those of the first layer with attention.
fn attending(
    keys: &Keys<'_>,
    recurrent: &[Option<usize>],
    d_ff: &[usize],
    n_heads: &mut [usize],
    n_kv_heads: &mut [usize],
) -> Vec<bool> {
    let both = recurrent::are(keys.family, RecurrentLayers::BesideAttention);
    let attends = |i: usize| match keys.family.layers {
        Layers::OfOnePart => recurrent[i].is_none() && n_kv_heads[i] > 0 && d_ff[i] == 0,
        _ => recurrent[i].is_none() || both,
    };
    let attends: Vec<bool> = (0..recurrent.len()).map(attends).collect();
    let first = attends.iter().position(|attends| *attends);
    let sizes = first.map_or((0, 0), |first| (n_heads[first], n_kv_heads[first]));
    for i in (0..attends.len()).filter(|i| !attends[*i]) {
        (n_heads[i], n_kv_heads[i]) = sizes;
    }
    attends
}

/// Layers that read keys and values of another one are of its kind.
fn check_owners(keys: &Keys<'_>, layers: &[LayerConfig]) -> Result<(), ModelError> {
    for layer in layers {
        let owner = &layers[layer.cache];
        let kind = |layer: &LayerConfig| (layer.n_kv_heads, layer.head_dim, layer.window);
        if kind(owner) != kind(layer) {
            let problem = format!(
                "layer {} would read keys and values of layer {}, which is of another kind",
                layer.block, layer.cache
            );
            return Err(keys.error("attention.shared_kv_layers", problem));
        }
    }
    Ok(())
}

/// The activation of feed-forward layers, and whether a gate goes through it. xIELU has parameters
/// of its own in each layer.
pub(super) fn activation(feed_forward: FeedForward) -> (Activation, bool) {
    match feed_forward {
        FeedForward::Gated(activation) | FeedForward::FusedGate(activation) => (activation, true),
        FeedForward::Plain(activation) => (activation, false),
        FeedForward::Xielu => (Activation::Silu, false),
    }
}

/// Tokens in the vocabulary: the rows of the embedding. Both of its sizes are checked.
pub(super) fn vocab_size(
    gguf: &Gguf,
    keys: &Keys<'_>,
    d_model: usize,
) -> Result<usize, ModelError> {
    const EMBEDDING: &str = "token_embd.weight";
    let embedding = gguf.tensor(EMBEDDING).ok_or_else(|| ModelError::Tensor {
        name: EMBEDDING.to_string(),
        expected: vec![d_model],
        found: "no tensor of this name".to_string(),
    })?;
    let vocab_size = embedding.shape.get(1).copied().unwrap_or(0);
    keys.size("vocab_size", Some(vocab_size.max(1)), 1 << 24)?;
    keys.check_rows("embedding_length", d_model, 1)?;
    keys.check_rows("vocab_size", vocab_size, 1)?;
    Ok(vocab_size)
}

/// The first layer without keys and values of its own.
fn shared_from(keys: &Keys<'_>, n_layers: usize) -> Result<Option<usize>, ModelError> {
    const KEY: &str = "attention.shared_kv_layers";
    if keys.family.own_caches > 0 {
        return Ok(Some(keys.family.own_caches).filter(|from| *from < n_layers));
    }
    if !keys.family.reads_key(KEY) {
        return Ok(None);
    }
    match keys.metadata.u32(&keys.name(KEY))?.unwrap_or(0) as usize {
        0 => Ok(None),
        n if n + 2 <= n_layers => Ok(Some(n_layers - n)),
        n => {
            let problem =
                format!("{n} of {n_layers} layers, expected that two have keys and values");
            Err(keys.error(KEY, problem))
        }
    }
}

fn head_width(
    keys: &Keys<'_>,
    suffix: &str,
    n_heads: usize,
    d_model: usize,
) -> Result<usize, ModelError> {
    let name = format!("attention.key_length{suffix}");
    let given_width = keys.metadata.get(&keys.name(&name)).is_some();
    let n_heads = n_heads.max(1);
    if !given_width && !d_model.is_multiple_of(n_heads) {
        let problem = format!("{n_heads} heads don't divide the embedding length {d_model}");
        return Err(keys.error("attention.head_count", problem));
    }
    let head_dim = keys.size(&name, Some((d_model / n_heads).max(1)), 1 << 14)?;
    Ok(head_dim)
}

/// Values have the width of keys.
fn check_values(keys: &Keys<'_>, suffix: &str, head_dim: usize) -> Result<(), ModelError> {
    let name = format!("attention.value_length{suffix}");
    let value_dim = keys.size(&name, Some(head_dim), 1 << 14)?;
    let may_be_narrow = keys.family.latent || keys.family.narrow_values;
    if value_dim == head_dim || (may_be_narrow && value_dim < head_dim) {
        return Ok(());
    }
    let problem =
        format!("values of {value_dim} beside keys of {head_dim} numbers aren't supported");
    Err(keys.error(&name, problem))
}

/// Checks the sizes of a layer's attention.
fn check_attention(
    keys: &Keys<'_>,
    sizes: [usize; 3],
    d_model: usize,
    fewest_kv: usize,
) -> Result<(), ModelError> {
    check_heads(keys, sizes, d_model)?;
    let [_, n_kv_heads, head_dim] = sizes;
    keys.check_rows("attention.head_count_kv", n_kv_heads * head_dim, fewest_kv)
}

/// A layer's head counts have to fit together, and its buffers stay in proportion to the file.
fn check_heads(
    keys: &Keys<'_>,
    [n_heads, n_kv_heads, head_dim]: [usize; 3],
    d_model: usize,
) -> Result<(), ModelError> {
    if n_heads * head_dim > MAX_TIMES * d_model {
        let problem = format!(
            "{n_heads} heads of {head_dim} numbers are more than {MAX_TIMES} times the embedding \
             length {d_model}"
        );
        return Err(keys.error("attention.head_count", problem));
    }
    if n_kv_heads == 0 {
        return Ok(());
    }
    if !n_heads.is_multiple_of(n_kv_heads) || n_heads == 0 {
        let problem =
            format!("{n_heads} query heads can't share {n_kv_heads} key-value heads evenly");
        return Err(keys.error("attention.head_count_kv", problem));
    }
    if n_heads / n_kv_heads > MAX_SHARING {
        let problem = format!(
            "{n_kv_heads} key-value heads for {n_heads}: at most {MAX_SHARING} can share one"
        );
        return Err(keys.error("attention.head_count_kv", problem));
    }
    Ok(())
}

/// Leaves out layers without a feed-forward part, as llama.cpp does, and repeats the blocks where a
/// file asks for it.
pub(super) fn run_as_the_file_says(
    keys: &Keys<'_>,
    mut layers: Vec<LayerConfig>,
) -> Result<Vec<LayerConfig>, ModelError> {
    const KEY: &str = "num_loops";
    if keys.family.layers == Layers::WithoutParts && layers.iter().any(|layer| layer.d_ff == 0) {
        layers.retain(|layer| layer.d_ff > 0);
        layers.iter_mut().enumerate().for_each(|(i, layer)| layer.cache = i);
    }
    if keys.family.stacks {
        return stacks(keys, layers);
    }
    if !keys.family.reads_key(KEY) {
        return Ok(layers);
    }
    let blocks = layers.clone();
    let n_blocks = blocks.len();
    let n_loops = keys.size(KEY, Some(1), (512 / n_blocks).max(1))?;
    let skip = keys.metadata.bool(&keys.name("skip_loop_final_norm"))?.unwrap_or(false);
    for turn in 1..n_loops {
        layers.last_mut().expect("there is a block").loop_norm = !skip;
        let of_turn = |(i, layer): (usize, &LayerConfig)| LayerConfig {
            cache: turn * n_blocks + i,
            ..*layer
        };
        layers.extend(blocks.iter().enumerate().map(of_turn));
    }
    Ok(layers)
}

/// Layers of two stacks, the low one first in the file. For each turn of the high one the low one
/// runs several times; `block_count` counts all runs of all layers.
fn stacks(keys: &Keys<'_>, mut layers: Vec<LayerConfig>) -> Result<Vec<LayerConfig>, ModelError> {
    let count = |key: &str| keys.size(key, None, 512);
    let len = count("hrm.layers_per_stack")?;
    let (n_high, n_low) = (count("hrm.h_cycles")?, count("hrm.l_cycles")?);
    if len * n_high * (n_low + 1) != layers.len() {
        let problem =
            format!("{} layers aren't {n_high} turns of {n_low} + 1 stacks of {len}", layers.len());
        return Err(keys.error("block_count", problem));
    }
    for (run, stack) in layers.chunks_mut(len).enumerate() {
        let is_high = run % (n_low + 1) == n_low;
        for (i, layer) in stack.iter_mut().enumerate() {
            layer.block = if is_high { len + i } else { i };
            layer.joins = i == 0;
            let level = if is_high { StackLevel::High } else { StackLevel::Low };
            layer.leaves = (i + 1 == len).then_some(level);
        }
    }
    Ok(layers)
}

/// How many parts of the stream have a norm each.
pub(super) fn norm_parts(keys: &Keys<'_>, d_model: usize) -> Result<usize, ModelError> {
    const KEY: &str = "attention.group_norm_groups";
    if !keys.family.norm_parts {
        return Ok(1);
    }
    match keys.metadata.u32(&keys.name(KEY))?.unwrap_or(1).max(1) as usize {
        parts if d_model.is_multiple_of(parts) => Ok(parts),
        parts => Err(keys.error(KEY, format!("{d_model} numbers don't divide into {parts} parts"))),
    }
}

/// The tokens that stand for parts of an image, which have to be among all.
pub(super) fn image_tokens(keys: &Keys<'_>, vocab_size: usize) -> Result<Range<usize>, ModelError> {
    let tokens = keys.family.image_tokens.clone();
    if tokens.end > vocab_size {
        let problem = format!("{vocab_size} tokens, expected {} or more", tokens.end);
        return Err(keys.error("vocab_size", problem));
    }
    Ok(tokens)
}

/// The width of the embedding that each layer has besides.
pub(super) fn layer_embedding(keys: &Keys<'_>) -> Result<usize, ModelError> {
    const KEY: &str = "embedding_length_per_layer_input";
    if keys.family.streams {
        // Gemma 3n's width, which llama.cpp has in its code.
        return Ok(256);
    }
    // In families with a table of n-grams it is the width of that.
    let is_table = keys.family.reads_key("ple.layers");
    let is_read = keys.family.reads_key(KEY) && !is_table;
    if !is_read || keys.metadata.u32(&keys.name(KEY))? == Some(0) {
        return Ok(0);
    }
    let width = keys.size(KEY, None, 1 << 14)?;
    keys.check_rows(KEY, width, 1)?;
    Ok(width)
}

/// The widths of latent attention. Where the file has the widths of a head's keys and values
/// besides, its matrices are those of the absorbed kind: one key-value head serves all.
pub(super) fn latent(
    keys: &Keys<'_>,
    layers: &[LayerConfig],
    rotated: usize,
) -> Result<Option<LatentConfig>, ModelError> {
    if !keys.family.latent {
        return Ok(None);
    }
    // Recurrent layers have no heads of attention.
    let has_local = keys.family.reads_key("attention.kv_lora_rank_swa");
    let is_wide = |layer: &&LayerConfig| !has_local || layer.window.is_none();
    let layer = layers.iter().filter(is_wide).find(|layer| layer.n_heads > 0);
    layer.map(|layer| latent_of(keys, layer, rotated, "")).transpose()
}

/// Likewise of layers with a window, where they have widths of their own.
pub(super) fn local_latent(
    keys: &Keys<'_>,
    layers: &[LayerConfig],
    rotated: usize,
) -> Result<Option<LatentConfig>, ModelError> {
    if !keys.family.latent || !keys.family.reads_key("attention.kv_lora_rank_swa") {
        return Ok(None);
    }
    let layer = layers.iter().find(|layer| layer.window.is_some());
    layer.map(|layer| latent_of(keys, layer, rotated, "_swa")).transpose()
}

fn latent_of(
    keys: &Keys<'_>,
    layer: &LayerConfig,
    rotated: usize,
    suffix: &str,
) -> Result<LatentConfig, ModelError> {
    const Q: &str = "attention.q_lora_rank";
    let named = |key: &str| format!("attention.{key}{suffix}");
    let [kv, of_keys, of_values] =
        ["kv_lora_rank", "key_length_mla", "value_length_mla"].map(named);
    let (kv, of_keys, of_values) = (kv.as_str(), of_keys.as_str(), of_values.as_str());
    let has =
        |key: &str| keys.family.reads_key(key) && keys.metadata.get(&keys.name(key)).is_some();
    let absorbed = has(of_keys) || has(of_values);
    let (n_heads, n_kv_heads) = (layer.n_heads, layer.n_kv_heads);
    if absorbed && n_kv_heads != 1 {
        let problem = format!("expected 1, since the file has {of_keys}, found {n_kv_heads}");
        return Err(keys.error("attention.head_count_kv", problem));
    }
    if !absorbed && n_heads != n_kv_heads {
        let problem = format!("expected as many as query heads, {n_heads}, found {n_kv_heads}");
        return Err(keys.error("attention.head_count_kv", problem));
    }
    let kv_rank = keys.size(kv, None, 1 << 14)?;
    keys.check_rows(kv, kv_rank, 1)?;
    let q_rank = has(Q).then(|| keys.size(Q, None, 1 << 14)).transpose()?;
    keys.check_rows(Q, q_rank.unwrap_or(FEWEST_ROWS), 1)?;
    let (mut key_dim, mut value_dim) = (layer.head_dim, layer.value_dim);
    if absorbed {
        let most = (MAX_TIMES * keys.size("embedding_length", None, 1 << 20)? / n_heads).max(1);
        for (key, found, expected) in
            [("key_length", key_dim, kv_rank + rotated), ("value_length", value_dim, kv_rank)]
        {
            if found != expected {
                let problem =
                    format!("expected {expected}, by {kv} and rope.dimension_count, found {found}");
                return Err(keys.error(&named(key), problem));
            }
        }
        key_dim = keys.size(of_keys, None, most)?;
        value_dim = keys.size(of_values, None, most)?;
        keys.check_rows(of_values, value_dim, 1)?;
    }
    if key_dim < rotated {
        let problem =
            format!("keys of {key_dim} numbers, expected {rotated} or more, which rotate");
        let key = if absorbed { of_keys } else { "attention.key_length" };
        return Err(keys.error(key, problem));
    }
    Ok(LatentConfig { q_rank, kv_rank, key_dim, value_dim, absorbed })
}
