//! What a model knows of positions: kinds of rotary embedding with their scaling, windows, and
//! ALiBi.

use super::{
    super::{
        ModelError,
        families::{Rotary, WindowRotary, Windows},
    },
    LayerConfig, Rope, Yarn,
    keys::Keys,
};
use crate::gguf::Value;

/// The sizes that positions depend on.
pub(super) struct Sizes {
    pub(super) n_layers: usize,
    pub(super) head_dim: usize,
    pub(super) rope_dim: usize,
    pub(super) ctx_len: usize,
}

/// The kinds of rotary embedding, and each layer's kind and window. Whether a layer is parallel is
/// said elsewhere.
pub(super) fn layers(
    keys: &Keys<'_>,
    sizes: &Sizes,
) -> Result<(Vec<Rope>, Vec<LayerConfig>), ModelError> {
    let global = global(keys, sizes)?;
    let (windows, rotary) = windows(keys, sizes)?;
    let any_window = windows.iter().any(Option::is_some);
    let local = match rotary {
        WindowRotary::Same => Rope { base: swa_base(keys, global.base)?, ..global.clone() },
        WindowRotary::Unscaled => Rope::plain(global.base),
        WindowRotary::Base(base) => Rope::plain(swa_base(keys, base)?),
    };
    let has_local = any_window && local != global;
    let is_switched_off = keys.family.rotary == Rotary::Switched
        && keys.metadata.bool(&keys.name("rope.scaling.finetuned"))? == Some(false);
    let rotates = |i: usize| match keys.family.rotary {
        Rotary::Never => false,
        Rotary::EveryLayer => true,
        Rotary::AllBut(every) => !(i + 1).is_multiple_of(every),
        Rotary::Windowed => windows[i].is_some() || !any_window,
        Rotary::Switched => !is_switched_off,
    };
    let layer = |i: usize| LayerConfig {
        window: windows[i],
        rope: rotates(i).then_some(usize::from(has_local && windows[i].is_some())),
        parallel: false,
        xielu: None,
    };
    let layers = (0..sizes.n_layers).map(layer).collect();
    Ok((if has_local { vec![global, local] } else { vec![global] }, layers))
}

fn swa_base(keys: &Keys<'_>, default: f64) -> Result<f64, ModelError> {
    keys.positive("rope.freq_base_swa", default)
}

/// The rotary embedding of layers that see everything.
fn global(keys: &Keys<'_>, sizes: &Sizes) -> Result<Rope, ModelError> {
    let mut base = keys.positive("rope.freq_base", 10_000.0)?;
    if let Some(alpha) = keys.said("rope.scaling.alpha")?.filter(|alpha| *alpha > 0.0) {
        let dim = sizes.head_dim as f64;
        if dim <= 2.0 {
            let problem = format!("scales heads of {dim} numbers, expected more than 2");
            return Err(keys.error("rope.scaling.alpha", problem));
        }
        base *= libm::pow(alpha, dim / (dim - 2.0));
    }
    let mut rope = Rope { file_factors: true, ..Rope::plain(base) };
    if keys.family.rotary == Rotary::Never {
        return Ok(rope);
    }
    // Files from before rope.scaling.type have the factor as scale_linear.
    let old = keys.positive("rope.scale_linear", 1.0)?;
    let factor = keys.positive("rope.scaling.factor", old)?;
    let kind = keys.metadata.str(&keys.name("rope.scaling.type"))?.unwrap_or("linear");
    rope.magnitude = keys.positive("rope.scaling.attn_factor", 1.0)?;
    match kind {
        "none" => {}
        "linear" | "longrope" => rope.scale = 1.0 / factor,
        "yarn" => {
            rope.scale = 1.0 / factor;
            rope.yarn = Some(yarn(keys, sizes, base)?);
            let magnitude = |strength: f64| match factor {
                factor if factor <= 1.0 => 1.0,
                factor => 0.1 * strength * libm::log(factor) + 1.0,
            };
            let all = keys.said("rope.scaling.yarn_log_multiplier")?.unwrap_or(0.0);
            rope.magnitude *= magnitude(1.0) / if all == 0.0 { 1.0 } else { magnitude(all) };
        }
        other => {
            let problem =
                format!("{other:?} isn't supported; supported are none, linear, longrope, yarn");
            return Err(keys.error("rope.scaling.type", problem));
        }
    }
    Ok(rope)
}

/// YaRN's ramp from pairs that keep their speed to pairs that are slowed down (arXiv 2309.00071).
fn yarn(keys: &Keys<'_>, sizes: &Sizes, base: f64) -> Result<Yarn, ModelError> {
    let trained = original_context(keys, sizes)? as f64;
    let (n, turns) = (sizes.rope_dim as f64, 2.0 * std::f64::consts::PI);
    let pair = |beta: f64| n * libm::log(trained / (beta * turns)) / (2.0 * libm::log(base));
    let fast = keys.positive("rope.scaling.yarn_beta_fast", 32.0)?;
    let slow = keys.positive("rope.scaling.yarn_beta_slow", 1.0)?;
    let (low, high) = (libm::floor(pair(fast)).max(0.0), libm::ceil(pair(slow)).min(n - 1.0));
    if !(low.is_finite() && high.is_finite()) {
        let problem = format!("YaRN needs a base above 1, found {base}");
        return Err(keys.error("rope.freq_base", problem));
    }
    Ok(Yarn { low, high })
}

/// Positions that the model was trained for before its context was stretched.
pub(super) fn original_context(keys: &Keys<'_>, sizes: &Sizes) -> Result<usize, ModelError> {
    keys.size("rope.scaling.original_context_length", Some(sizes.ctx_len), 1 << 28)
}

/// The window of each layer, and how layers with one rotate.
fn windows(
    keys: &Keys<'_>,
    sizes: &Sizes,
) -> Result<(Vec<Option<usize>>, WindowRotary), ModelError> {
    let n_layers = sizes.n_layers;
    let named = keys.metadata.u32(&keys.name("attention.sliding_window"))?.map(|w| w as usize);
    let some = |window: usize| (window > 0).then_some(window);
    match keys.family.windows {
        Windows::Never => match named {
            Some(window) if window > 0 && window < sizes.ctx_len => {
                let problem = format!(
                    "a window of {window} positions isn't known for this architecture, expected 0 \
                     or the context length"
                );
                Err(keys.error("attention.sliding_window", problem))
            }
            _ => Ok((vec![None; n_layers], WindowRotary::Same)),
        },
        Windows::EveryLayer => Ok((vec![named.and_then(some); n_layers], WindowRotary::Same)),
        Windows::Pattern { layers, rotary, .. } if layers > 0 && layers != n_layers => {
            Ok((vec![None; n_layers], rotary))
        }
        Windows::Pattern { every, default, rotary, .. } => {
            let window = some(named.unwrap_or(default));
            let local = pattern(keys, every, n_layers)?;
            Ok((local.iter().map(|local| window.filter(|_| *local)).collect(), rotary))
        }
    }
}

/// Which layers have the window: all but each so-manieth (0: all), or a list with one for each.
fn pattern(keys: &Keys<'_>, every: usize, n_layers: usize) -> Result<Vec<bool>, ModelError> {
    const KEY: &str = "attention.sliding_window_pattern";
    let list: Vec<bool> = match keys.metadata.get(&keys.name(KEY)) {
        Some(Value::BoolArray(list)) => list.clone(),
        Some(Value::IntArray(list)) => list.iter().map(|&x| x != 0).collect(),
        _ => {
            let every = keys.metadata.u32(&keys.name(KEY))?.map_or(every, |every| every as usize);
            let is_local = |i: usize| every == 0 || !(i + 1).is_multiple_of(every);
            (0..n_layers).map(is_local).collect()
        }
    };
    if list.len() != n_layers {
        let problem =
            format!("expected one entry for each of {n_layers} layers, found {}", list.len());
        return Err(keys.error(KEY, problem));
    }
    Ok(list)
}

/// ALiBi's slope of each head (arXiv 2108.12409); none without ALiBi.
pub(super) fn slopes(keys: &Keys<'_>, n_heads: usize) -> Result<Vec<f32>, ModelError> {
    let bias = keys.said("attention.max_alibi_bias")?.unwrap_or(keys.family.alibi);
    if bias == 0.0 {
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
