//! What a model knows of positions: kinds of rotary embedding with their scaling, windows, and
//! ALiBi.

use super::{
    super::{
        ModelError,
        families::{Rotary, Sections, WindowRotary, Windows, YarnLog},
        kinds::PositionTemperature,
    },
    LayerConfig, Rope, RopeSections, Yarn,
    keys::Keys,
};
use crate::gguf::Value;

/// The sizes that positions depend on.
struct Sizes {
    head_dim: usize,
    /// Numbers of a head that are rotated, in layers that see everything and in those with a
    /// window.
    rope_dims: [usize; 2],
    ctx_len: usize,
}

/// The base of wavelengths, and what it is in files that don't say it.
const BASE: &str = "rope.freq_base";
const DEFAULT_BASE: f64 = 10_000.0;

/// The windows of all layers.
pub(super) struct LayerWindows {
    pub(super) of: Vec<Option<usize>>,
    pub(super) rotary: WindowRotary,
}

/// The kinds of rotary embedding; sets each layer's.
pub(super) fn ropes(
    keys: &Keys<'_>,
    ctx_len: usize,
    rotary: WindowRotary,
    layers: &mut [LayerConfig],
) -> Result<Vec<Rope>, ModelError> {
    let head_dim = layers.iter().map(|layer| layer.head_dim).max().unwrap_or(0);
    let sizes = Sizes { head_dim, rope_dims: rope_dims(keys, layers)?, ctx_len };
    const COMPRESSED: &str = "attention.compress_rope_freq_base";
    if keys.family.reads_key(COMPRESSED) {
        let base = keys.said(COMPRESSED)?.filter(|base| *base > 0.0);
        let base = base.ok_or_else(|| keys.missing(COMPRESSED))?;
        // YaRN's magnitude is divided off again.
        let scaled = Rope { magnitude: 1.0, ..scaled(keys, &sizes, base)? };
        layers.iter_mut().for_each(|layer| layer.rope = Some(usize::from(layer.compressed == 0)));
        let base = keys.positive(BASE, DEFAULT_BASE)?;
        return Ok(vec![scaled, Rope::plain(base, sizes.rope_dims[0])]);
    }
    let global = scaled(keys, &sizes, keys.positive(BASE, DEFAULT_BASE)?)?;
    let any_window = layers.iter().any(|layer| layer.window.is_some());
    let dim = sizes.rope_dims[1];
    let local = match rotary {
        WindowRotary::Same => Rope { base: swa_base(keys, global.base)?, dim, ..global.clone() },
        WindowRotary::Unscaled => Rope::plain(swa_base(keys, global.base)?, dim),
        WindowRotary::Base(base) => Rope::plain(swa_base(keys, base)?, dim),
    };
    let has_local = any_window && local != global;
    let is_switched_off = keys.family.rotary == Rotary::Switched
        && keys.metadata.bool(&keys.name("rope.scaling.finetuned"))? == Some(false);
    let n_layers = layers.len();
    const PATTERN: &str = "attention.rope_pattern";
    let lead = keys.name("leading_dense_block_count");
    let listed = match keys.metadata.get(&keys.name(PATTERN)) {
        // llama.cpp writes one number where all layers have the same.
        Some(all) if all.integer().is_some_and(|all| all != 0) => None,
        Some(_) if keys.family.rotary == Rotary::Listed => {
            Some(layer_list(keys, PATTERN, n_layers)?)
        }
        _ => None,
    };
    for (i, layer) in layers.iter_mut().enumerate() {
        let is_local = layer.window.is_some();
        let rotates = match keys.family.rotary {
            Rotary::Never => false,
            Rotary::EveryLayer => true,
            Rotary::AllBut(every) => !(i + 1).is_multiple_of(every),
            Rotary::Windowed => is_local || !any_window,
            Rotary::InWindows => is_local,
            Rotary::InWindowsOrLead => {
                is_local || i < keys.metadata.u32(&lead)?.unwrap_or(0) as usize
            }
            Rotary::Switched => !is_switched_off,
            Rotary::InModelsOf(layers) => n_layers == layers,
            Rotary::Listed => listed.as_ref().is_none_or(|list| list[i]),
        };
        layer.rope = rotates.then_some(usize::from(has_local && is_local));
    }
    Ok(if has_local { vec![global, local] } else { vec![global] })
}

/// How many numbers of a head turn: in layers that see everything, and in those with a window.
fn rope_dims(keys: &Keys<'_>, layers: &[LayerConfig]) -> Result<[usize; 2], ModelError> {
    const KEYS: [&str; 2] = ["rope.dimension_count", "rope.dimension_count_swa"];
    let narrowest = |local: bool| {
        let of_kind = layers.iter().filter(|layer| layer.window.is_some() == local);
        of_kind.map(|layer| layer.head_dim).min()
    };
    // Keys of latent attention needn't have a part that all heads share, if none is rotated.
    let may_lack = keys.family.latent && keys.family.rotary == Rotary::Never;
    let read = |key: &str, default: usize, most: usize| {
        let dim = match keys.metadata.u32(&keys.name(key))? {
            Some(0) if may_lack => 0,
            _ => keys.size(key, Some(default), most)?,
        };
        match dim.is_multiple_of(2) {
            true => Ok(dim),
            false => Err(keys.error(key, format!("{dim} numbers don't make pairs"))),
        }
    };
    let separate = keys.family.reads_key(KEYS[1]);
    let both = narrowest(false).unwrap_or(usize::MAX).min(narrowest(true).unwrap_or(usize::MAX));
    let global_most = if separate { narrowest(false).unwrap_or(both) } else { both };
    let global = read(KEYS[0], global_most, global_most)?;
    let local_most = narrowest(true).unwrap_or(global_most);
    let local = if separate { read(KEYS[1], global.min(local_most), local_most)? } else { global };
    match keys.family.half_rotary {
        false => Ok([global, local]),
        true if global.is_multiple_of(4) => Ok([global / 2, local]),
        true => Err(keys.error(KEYS[0], format!("half of {global} numbers don't make pairs"))),
    }
}

/// How pairs turn by the coordinates of an image's places.
pub(super) fn sections(keys: &Keys<'_>) -> Result<Option<RopeSections>, ModelError> {
    const KEY: &str = "rope.dimension_sections";
    let kind = keys.family.sections;
    if kind == Sections::None {
        return Ok(None);
    }
    let list = match keys.metadata.get(&keys.name(KEY)) {
        None if kind == Sections::BlocksIfAny => return Ok(None),
        Some(Value::IntArray(list)) => list.as_slice(),
        _ => &[],
    };
    let counts: Vec<usize> =
        list.iter().filter_map(|&n| usize::try_from(n).ok().filter(|n| *n <= 1 << 14)).collect();
    match <[usize; 4]>::try_from(counts) {
        Ok(counts) if list.len() == 4 && counts[0] > 0 && counts[1] > 0 => {
            Ok(Some(RopeSections { counts, interleaved: kind == Sections::Interleaved }))
        }
        // Without sections for height and width there is one coordinate.
        Ok(_) if list.len() == 4 && kind == Sections::BlocksIfAny => Ok(None),
        _ => {
            let problem = format!(
                "expected four counts of pairs, the first two of them above 0, found {list:?}"
            );
            Err(keys.error(KEY, problem))
        }
    }
}

fn swa_base(keys: &Keys<'_>, default: f64) -> Result<f64, ModelError> {
    const KEY: &str = "rope.freq_base_swa";
    if keys.family.reads_key(KEY) { keys.positive(KEY, default) } else { Ok(default) }
}

/// The rotary embedding of layers that see everything, with what the file says of scaling.
fn scaled(keys: &Keys<'_>, sizes: &Sizes, mut base: f64) -> Result<Rope, ModelError> {
    if let Some(alpha) = keys.said("rope.scaling.alpha")?.filter(|alpha| *alpha > 0.0) {
        let dim = sizes.head_dim as f64;
        if dim <= 2.0 {
            let problem = format!("scales heads of {dim} numbers, expected more than 2");
            return Err(keys.error("rope.scaling.alpha", problem));
        }
        base *= libm::pow(alpha, dim / (dim - 2.0));
    }
    let mut rope = Rope { file_factors: true, ..Rope::plain(base, sizes.rope_dims[0]) };
    if keys.family.rotary == Rotary::Never {
        return Ok(rope);
    }
    // Files from before rope.scaling.type have the factor as scale_linear.
    let old = keys.positive("rope.scale_linear", 1.0)?;
    // A factor of 0 isn't there, as in llama.cpp: files that it saved from memory have it.
    let factor = keys.said("rope.scaling.factor")?.filter(|factor| *factor > 0.0).unwrap_or(old);
    let kind = keys.metadata.str(&keys.name("rope.scaling.type"))?.unwrap_or("linear");
    rope.magnitude = keys.positive("rope.scaling.attn_factor", 1.0)?;
    match kind {
        "none" => {}
        "linear" | "longrope" => rope.scale = 1.0 / factor,
        "yarn" => {
            rope.scale = 1.0 / factor;
            rope.yarn = Some(yarn(keys, sizes, base)?);
            let magnitude = |m: f64| 0.1 * m * libm::log(factor.max(1.0)) + 1.0;
            rope.magnitude *= match (log_multiplier(keys)?, keys.family.yarn_log) {
                (0.0, _) => magnitude(1.0),
                (_, YarnLog::TenthOfBoth) => 1.0,
                (m, YarnLog::Whole | YarnLog::Tenth) => magnitude(1.0) / magnitude(m),
            };
        }
        other => {
            let problem =
                format!("{other:?} isn't supported; supported are none, linear, longrope, yarn");
            return Err(keys.error("rope.scaling.type", problem));
        }
    }
    Ok(rope)
}

/// The factor m of YaRN's magnitude; 0 where the file says none.
fn log_multiplier(keys: &Keys<'_>) -> Result<f64, ModelError> {
    let said = keys.said("rope.scaling.yarn_log_multiplier")?.unwrap_or(0.0);
    Ok(match keys.family.yarn_log {
        YarnLog::Whole => said,
        YarnLog::Tenth | YarnLog::TenthOfBoth => 10.0 * said,
    })
}

/// YaRN's magnitude of queries and keys, whose square multiplies scores: that of cosines and sines
/// times 0.1·m·ln(s) + 1. llama.cpp has the first without YaRN, too.
pub(super) fn score_magnitude(keys: &Keys<'_>, rope: &Rope) -> Result<f64, ModelError> {
    let log = -libm::log(rope.scale);
    let of_turns = match rope.yarn {
        Some(_) => rope.magnitude,
        None => rope.magnitude * (1.0 + 0.1 * log),
    };
    Ok(of_turns * (1.0 + 0.1 * log_multiplier(keys)? * log))
}

/// How queries grow with their position.
pub(super) fn temperature(
    keys: &Keys<'_>,
    ctx_len: usize,
) -> Result<Option<PositionTemperature>, ModelError> {
    const LEN: &str = "attention.temperature_length";
    let scale = match keys.said("attention.temperature_scale")? {
        Some(scale) if scale > 0.0 => scale,
        _ => return Ok(keys.family.temperature),
    };
    let floor = match keys.family.reads_key(LEN) {
        true => keys.size(LEN, None, 1 << 28)?,
        false => original_context(keys, ctx_len)?,
    };
    Ok(Some(PositionTemperature { scale, floor, offset: 0, unrotated: false }))
}

/// YaRN's ramp from pairs that keep their speed to pairs that are slowed down (arXiv 2309.00071).
fn yarn(keys: &Keys<'_>, sizes: &Sizes, base: f64) -> Result<Yarn, ModelError> {
    let trained = original_context(keys, sizes.ctx_len)? as f64;
    let (n, turns) = (sizes.rope_dims[0] as f64, 2.0 * std::f64::consts::PI);
    let pair = |beta: f64| n * libm::log(trained / (beta * turns)) / (2.0 * libm::log(base));
    let fast = keys.positive("rope.scaling.yarn_beta_fast", keys.family.yarn_beta_fast)?;
    let slow = keys.positive("rope.scaling.yarn_beta_slow", 1.0)?;
    let (low, high) = (libm::floor(pair(fast)).max(0.0), libm::ceil(pair(slow)).min(n - 1.0));
    if !(low.is_finite() && high.is_finite()) {
        let problem = format!("YaRN needs a base above 1, found {base}");
        return Err(keys.error("rope.freq_base", problem));
    }
    Ok(Yarn { low, high })
}

/// Positions that the model was trained for before its context was stretched.
pub(super) fn original_context(keys: &Keys<'_>, ctx_len: usize) -> Result<usize, ModelError> {
    keys.size("rope.scaling.original_context_length", Some(ctx_len), 1 << 28)
}

/// How many positions attention selects at most, where it selects.
pub(super) fn selected(keys: &Keys<'_>) -> Result<Option<usize>, ModelError> {
    const MOST: usize = 1 << 28;
    const RATIOS: &str = "attention.compress_ratios";
    if keys.family.reads_key(RATIOS) && !any_pooled(keys)? {
        return Ok(None);
    }
    let default = keys.family.may_see_all.then_some(MOST);
    let sizes = keys.family.selects.iter().map(|key| keys.size(key, default, MOST));
    let product = sizes.reduce(|a, b| Ok(a?.saturating_mul(b?)));
    product.transpose()
}

/// Whether a layer selects means of positions: of how many, the file's list says; 0 is no layer's.
fn any_pooled(keys: &Keys<'_>) -> Result<bool, ModelError> {
    const KEY: &str = "attention.compress_ratios";
    match keys.metadata.get(&keys.name(KEY)) {
        Some(Value::IntArray(list)) => Ok(list.iter().any(|ratio| *ratio != 0)),
        _ => Ok(keys.metadata.u32(&keys.name(KEY))?.unwrap_or(0) != 0),
    }
}

/// The window of each layer, and how layers with one rotate.
pub(super) fn windows(keys: &Keys<'_>, n_layers: usize) -> Result<LayerWindows, ModelError> {
    const KEY: &str = "attention.sliding_window";
    let named = keys.metadata.u32(&keys.name(KEY))?.map(|w| w as usize);
    let some = |window: usize| (window > 0).then_some(window);
    let all =
        |window: Option<usize>, rotary| Ok(LayerWindows { of: vec![window; n_layers], rotary });
    let empty = || Err(keys.error(KEY, "a window of 0 positions, expected 1 or more".to_string()));
    let (window, every, rotary) = match keys.family.windows {
        Windows::Never => {
            let text = || keys.size("context_length", None, 1 << 28);
            return match named {
                Some(window) if window > 0 && window < text()? => {
                    let problem = format!(
                        "a window of {window} positions isn't known for this architecture, \
                         expected 0 or the context length"
                    );
                    Err(keys.error(KEY, problem))
                }
                _ => all(None, WindowRotary::Same),
            };
        }
        Windows::EveryLayer => return all(named.and_then(some), WindowRotary::Same),
        Windows::AllButFirstOf { every, window, rotary } => {
            let Some(named) = named.and_then(some) else { return all(None, rotary) };
            let window = if window > 0 { window } else { named };
            const PATTERN: &str = "attention.sliding_window_pattern";
            let of = match keys.metadata.get(&keys.name(PATTERN)) {
                Some(Value::BoolArray(_) | Value::IntArray(_)) => pattern(keys, None, n_layers)?,
                _ => {
                    let said = keys.metadata.u32(&keys.name(PATTERN))?;
                    let every = said.map_or(every, |every| every as usize);
                    (0..n_layers).map(|i| every == 0 || !i.is_multiple_of(every)).collect()
                }
            };
            let of = of.iter().map(|local| local.then_some(window)).collect();
            return Ok(LayerWindows { of, rotary });
        }
        Windows::Listed(rotary) => (named.ok_or_else(|| keys.missing(KEY))?, None, rotary),
        Windows::Chunks { .. } if named == Some(0) => return empty(),
        Windows::Chunks { every, len } => (len, Some(every), WindowRotary::Same),
        Windows::Pattern { layers, rotary, .. } if layers > 0 && layers != n_layers => {
            return all(None, rotary);
        }
        Windows::Pattern { every, default, rotary, .. } => {
            let window = named.unwrap_or(default);
            if window == 0 && default == 0 {
                // Models without windows say so.
                return all(None, rotary);
            }
            (window, Some(every), rotary)
        }
    };
    if window == 0 {
        return empty();
    }
    let local = pattern(keys, every, n_layers)?;
    Ok(LayerWindows { of: local.iter().map(|local| local.then_some(window)).collect(), rotary })
}

/// Which layers have the window: all but each so-manieth (0: all), or a list with one for each.
/// Without `every` there has to be a list.
fn pattern(
    keys: &Keys<'_>,
    every: Option<usize>,
    n_layers: usize,
) -> Result<Vec<bool>, ModelError> {
    const KEY: &str = "attention.sliding_window_pattern";
    match (keys.metadata.get(&keys.name(KEY)), every) {
        (Some(Value::BoolArray(_) | Value::IntArray(_)), _) | (_, None) => {
            layer_list(keys, KEY, n_layers)
        }
        (_, Some(every)) => {
            let every = keys.metadata.u32(&keys.name(KEY))?.map_or(every, |every| every as usize);
            let is_local = |i: usize| every == 0 || !(i + 1).is_multiple_of(every);
            Ok((0..n_layers).map(is_local).collect())
        }
    }
}

/// A list with yes or no for each layer.
pub(super) fn layer_list(
    keys: &Keys<'_>,
    key: &str,
    n_layers: usize,
) -> Result<Vec<bool>, ModelError> {
    let mut list: Vec<bool> = match keys.metadata.get(&keys.name(key)) {
        Some(Value::BoolArray(list)) => list.clone(),
        Some(Value::IntArray(list)) => list.iter().map(|&x| x != 0).collect(),
        _ => {
            let problem = format!("expected a list with an entry for each of {n_layers} layers");
            return Err(keys.error(key, problem));
        }
    };
    // Layers that predict several tokens at once stand at the end.
    if list.len() == keys.metadata.u32(&keys.name("block_count"))?.unwrap_or(0) as usize {
        list.truncate(n_layers);
    }
    if list.len() != n_layers {
        let problem =
            format!("expected one entry for each of {n_layers} layers, found {}", list.len());
        return Err(keys.error(key, problem));
    }
    Ok(list)
}

/// ALiBi's slope of each head (arXiv 2108.12409); none without ALiBi.
pub(super) fn slopes(
    keys: &Keys<'_>,
    n_heads: usize,
    n_layers: usize,
) -> Result<Vec<f32>, ModelError> {
    let bias = keys.said("attention.max_alibi_bias")?.unwrap_or(keys.family.alibi);
    let of_other_models = ![0, n_layers].contains(&keys.family.alibi_layers);
    if bias == 0.0 || of_other_models {
        return Ok(Vec::new());
    }
    // The largest power of two that isn't larger.
    let n = 1usize << n_heads.ilog2();
    let slope = |head: usize| {
        let exponent = if head < n {
            (head + 1) as f64 / n as f64
        } else {
            (2 * (head - n) + 1) as f64 / (2 * n) as f64
        };
        libm::pow(2.0, -bias * exponent) as f32
    };
    Ok((0..n_heads).map(slope).collect())
}
