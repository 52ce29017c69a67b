//! The heads of each layer, the width of its feed-forward layer, and whose keys and values it
//! reads.

use super::{
    super::{ModelError, families::Layers},
    FEWEST_ROWS, LatentConfig, LayerConfig, MAX_SHARING, MAX_TIMES, experts,
    keys::Keys,
    positions::LayerWindows,
};

/// Every layer of the file, in order, without what is said elsewhere: its rotary embedding, whether
/// it is parallel.
pub(super) fn layers(
    keys: &Keys<'_>,
    d_model: usize,
    windows: &LayerWindows,
) -> Result<Vec<LayerConfig>, ModelError> {
    const Q: &str = "attention.head_count";
    const KV: &str = "attention.head_count_kv";
    const FFN: &str = "feed_forward_length";
    let n_layers = windows.of.len();
    let (kinds, divisor) = (keys.family.layers, keys.family.ffn_divisor);
    let fewest = usize::from(kinds != Layers::WithoutParts);
    let n_heads = keys.sizes(Q, n_layers, fewest..=1 << 14, None)?;
    let n_kv_heads = keys.sizes(KV, n_layers, fewest..=1 << 14, Some(&n_heads))?;
    let own_width = head_width(keys, "", n_heads[0], d_model)?;
    let has_local = keys.family.reads_key("attention.key_length_swa");
    let local_width =
        if has_local { head_width(keys, "_swa", n_heads[0], d_model)? } else { own_width };
    let widest = divisor * (MAX_TIMES * d_model).min(1 << 22);
    // A file without dense layers may say the experts' width alone.
    let d_expert = experts::width(keys)?.map(|width| vec![width; n_layers]);
    let d_ff = keys.sizes(FFN, n_layers, fewest..=widest, d_expert.as_deref())?;
    if kinds == Layers::Alike {
        for (key, sizes) in [(Q, &n_heads), (KV, &n_kv_heads), (FFN, &d_ff)] {
            if sizes.iter().any(|size| *size != sizes[0]) {
                let problem = "layers of several sizes aren't known for this architecture";
                return Err(keys.error(key, problem.to_string()));
            }
        }
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
        check_heads(keys, [n_heads, n_kv_heads, head_dim], d_model)?;
        for (key, rows) in [(KV, n_kv_heads * head_dim), (FFN, d_ff)] {
            check_rows(keys, key, rows, fewest)?;
        }
        layers.push(LayerConfig {
            block: i,
            n_heads,
            n_kv_heads,
            head_dim,
            d_ff,
            // The last layer of the same kind that has keys and values of its own.
            cache: match from {
                Some(from) if i >= from => from - 1 - usize::from(windows.of[i].is_some()),
                _ => i,
            },
            window: windows.of[i],
            rope: None,
            parallel: false,
            experts: false,
            xielu: None,
            loop_norm: false,
        });
    }
    for layer in &layers {
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
    check_values(keys, "", own_width)?;
    if has_local {
        check_values(keys, "_swa", local_width)?;
    }
    Ok(layers)
}

/// A matrix of few rows would take many times its room in the file. No rows at all are allowed
/// where a layer may lack a part.
pub(super) fn check_rows(
    keys: &Keys<'_>,
    key: &str,
    rows: usize,
    fewest: usize,
) -> Result<(), ModelError> {
    if rows >= FEWEST_ROWS || (rows == 0 && fewest == 0) {
        return Ok(());
    }
    let problem = format!("its matrices would have {rows} rows, expected {FEWEST_ROWS} or more");
    Err(keys.error(key, problem))
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
    if value_dim == head_dim || (keys.family.latent && value_dim < head_dim) {
        return Ok(());
    }
    let problem =
        format!("values of {value_dim} beside keys of {head_dim} numbers aren't supported");
    Err(keys.error(&name, problem))
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
    if layers.iter().any(|layer| layer.d_ff == 0) {
        layers.retain(|layer| layer.d_ff > 0);
        layers.iter_mut().enumerate().for_each(|(i, layer)| layer.cache = i);
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

/// The width of the embedding that each layer has besides.
pub(super) fn layer_embedding(keys: &Keys<'_>) -> Result<usize, ModelError> {
    const KEY: &str = "embedding_length_per_layer_input";
    if keys.family.streams {
        // Gemma 3n's width, which llama.cpp has in its code.
        return Ok(256);
    }
    if !keys.family.reads_key(KEY) || keys.metadata.u32(&keys.name(KEY))? == Some(0) {
        return Ok(0);
    }
    let width = keys.size(KEY, None, 1 << 14)?;
    check_rows(keys, KEY, width, 1)?;
    Ok(width)
}

/// The widths of latent attention, which has as many key-value heads as query heads.
pub(super) fn latent(
    keys: &Keys<'_>,
    n_heads: usize,
    n_kv_heads: usize,
    head_dim: usize,
) -> Result<Option<LatentConfig>, ModelError> {
    const KV: &str = "attention.kv_lora_rank";
    const Q: &str = "attention.q_lora_rank";
    if !keys.family.latent {
        return Ok(None);
    }
    if n_heads != n_kv_heads {
        let problem = format!("expected as many as query heads, {n_heads}, found {n_kv_heads}");
        return Err(keys.error("attention.head_count_kv", problem));
    }
    let kv_rank = keys.size(KV, None, 1 << 14)?;
    check_rows(keys, KV, kv_rank, 1)?;
    let q_rank = keys.family.reads_key(Q).then(|| keys.size(Q, None, 1 << 14)).transpose()?;
    check_rows(keys, Q, q_rank.unwrap_or(FEWEST_ROWS), 1)?;
    let value_dim = keys.size("attention.value_length", Some(head_dim), head_dim)?;
    Ok(Some(LatentConfig { q_rank, kv_rank, value_dim }))
}
