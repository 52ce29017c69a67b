//! The hyperparameters of a mixture of experts: how many, how wide, and how tokens are routed.

use super::{
    super::{
        ModelError,
        families::{
            DenseBeside, ExpertWidth, Gating, GatingRule, Limited, Normalized, SharedWidth,
        },
    },
    Config, MAX_TIMES,
    keys::{FEWEST_ROWS, Keys},
};
use crate::gguf::{Gguf, Value};
use kelvin_kernels::gate::Limit;

/// Experts of a layer, at most.
pub(in super::super) const MAX_EXPERTS: usize = 1024;

/// A mixture of experts: each token goes through some of the feed-forward networks of a layer.
#[derive(Debug, Clone, PartialEq)]
pub struct ExpertConfig {
    /// Experts of a layer.
    pub n_experts: usize,
    /// Experts that a token goes through.
    pub n_used: usize,
    /// Width of an expert's feed-forward network.
    pub d_ff: usize,
    /// Width of the stream that experts read and make.
    pub d_stream: usize,
    /// It is another one than the model's, made of that.
    pub is_narrow: bool,
    /// Width of the network that every token goes through besides; 0 is none.
    pub d_shared: usize,
    /// What the sum of experts is multiplied with where one of them is shared.
    pub shared_scale: f32,
    /// Experts read the stream before attention, and a dense network follows attention.
    pub before_attention: bool,
    /// In the first so many layers a table says by the token which experts it goes through.
    pub n_by_token: usize,
    /// How the router's outputs become weights.
    pub gating: Gating,
    /// Weights are divided by their sum.
    pub normalized: bool,
    /// What weights are multiplied with at the end.
    pub weight_scale: f32,
    /// Weights multiply the experts' inputs, not their outputs.
    pub weighs_input: bool,
    /// The router reads the stream before attention, without a norm.
    pub routes_stream: bool,
    /// The second mixture, which reads what the first one made.
    pub grouped: Option<GroupedExperts>,
    /// Groups of neighbouring experts; 1 where there are none.
    pub n_groups: usize,
    /// Groups whose experts may be selected: those with the largest sums of their two best.
    pub n_groups_used: usize,
}

/// A mixture whose networks serve neighbouring experts each: a token goes through those of the
/// experts that it selects.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GroupedExperts {
    /// Experts that share a network.
    pub n_sharing: usize,
    /// Width of a network.
    pub d_ff: usize,
    /// What the sum of networks is multiplied with.
    pub scale: f32,
}

/// The mixture that makes values of attention: its experts have one matrix each.
pub(super) fn of_values(
    keys: &Keys<'_>,
    config: &Config,
) -> Result<Option<ExpertConfig>, ModelError> {
    const COUNT: &str = "attention.value_expert_count";
    const USED: &str = "attention.value_expert_used_count";
    let Some(experts) = config.experts.clone().filter(|_| keys.family.reads_key(COUNT)) else {
        return Ok(None);
    };
    let n_experts = keys.metadata.u32(&keys.name(COUNT))?.unwrap_or(0) as usize;
    if n_experts == 0 {
        return Ok(None);
    }
    let n_experts = keys.size(COUNT, Some(n_experts), MAX_EXPERTS)?;
    Ok(Some(ExpertConfig {
        n_experts,
        n_used: keys.size(USED, None, n_experts)?,
        d_ff: config.n_kv_heads * config.head_dim,
        d_shared: 0,
        grouped: None,
        n_groups: 1,
        n_groups_used: 1,
        ..experts
    }))
}

/// The mixture of a file; none where all layers are dense.
pub(super) fn read(
    keys: &Keys<'_>,
    config: &Config,
    gguf: &Gguf,
) -> Result<Option<ExpertConfig>, ModelError> {
    let Some(rules) = &keys.family.experts else { return Ok(None) };
    let Config { d_model, d_ff, .. } = *config;
    let count = |key: &str| -> Result<usize, ModelError> {
        match keys.family.reads_key(key) {
            true => Ok(keys.metadata.u32(&keys.name(key))?.unwrap_or(0) as usize),
            false => Ok(0),
        }
    };
    if rules.may_be_dense && count("expert_count")? == 0 {
        return Ok(None);
    }
    let n_experts = keys.size("expert_count", None, MAX_EXPERTS)?;
    let n_used = count("expert_used_count")?;
    if !(1..=n_experts).contains(&n_used) {
        let problem = format!("expected 1 to {n_experts}, which is expert_count, found {n_used}");
        return Err(keys.error("expert_used_count", problem));
    }
    let d_expert = match (rules.width, count("expert_feed_forward_length")?) {
        (ExpertWidth::FeedForward, _) => d_ff,
        (ExpertWidth::KeyOrShare, 0) => d_ff / n_used,
        (ExpertWidth::KeyOrFeedForward, 0) => d_ff,
        (_, width) => width,
    };
    let shared = shared_width(keys, gguf, d_ff, d_expert)?;
    let most = (MAX_TIMES * d_model).min(1 << 22);
    for (key, width) in [
        ("expert_feed_forward_length", Some(d_expert)),
        ("expert_shared_feed_forward_length", (shared > 0).then_some(shared)),
    ] {
        if let Some(width) = width.filter(|width| !(FEWEST_ROWS..=most).contains(width)) {
            let problem = format!("expected a width of {FEWEST_ROWS} to {most}, found {width}");
            return Err(keys.error(key, problem));
        }
    }
    let (n_groups, n_groups_used) = groups(keys, n_experts, n_used)?;
    let narrow = narrow(keys, d_model)?;
    Ok(Some(ExpertConfig {
        n_experts,
        n_used,
        d_ff: d_expert,
        d_shared: shared,
        shared_scale: if shared > 0 { rules.shared_scale } else { 1.0 },
        before_attention: rules.dense == DenseBeside::AfterAttention,
        n_by_token: count("hash_layer_count")?,
        gating: gating(keys, rules.gating, config)?,
        normalized: match rules.normalized {
            Normalized::Always => true,
            Normalized::Never => false,
            Normalized::Key => {
                keys.metadata.bool(&keys.name("expert_weights_norm"))?.unwrap_or(false)
            }
        },
        weight_scale: match keys.said("expert_weights_scale")? {
            None | Some(0.0) => 1.0,
            Some(scale) => scale as f32,
        },
        d_stream: narrow.unwrap_or(d_model),
        is_narrow: narrow.is_some(),
        weighs_input: rules.weighs_input,
        routes_stream: rules.routes_stream,
        grouped: match rules.grouped {
            true => Some(grouped(keys, config, n_experts, n_used)?),
            false => None,
        },
        n_groups,
        n_groups_used,
    }))
}

/// The width of the stream that experts read, where it isn't the model's.
fn narrow(keys: &Keys<'_>, d_model: usize) -> Result<Option<usize>, ModelError> {
    const KEY: &str = "expert_latent_length";
    if !keys.family.reads_key(KEY) || keys.metadata.u32(&keys.name(KEY))?.unwrap_or(0) == 0 {
        return Ok(None);
    }
    let width = keys.size(KEY, None, (MAX_TIMES * d_model).min(1 << 22))?;
    keys.check_rows(KEY, width, 1)?;
    Ok(Some(width))
}

/// The second mixture.
fn grouped(
    keys: &Keys<'_>,
    config: &Config,
    n_experts: usize,
    n_used: usize,
) -> Result<GroupedExperts, ModelError> {
    const SHARING: &str = "experts_per_group";
    const WIDTH: &str = "expert_chunk_feed_forward_length";
    const SCALE: &str = "expert_group_scale";
    let n_sharing = keys.size(SHARING, None, n_experts)?;
    if !n_experts.is_multiple_of(n_sharing) || n_experts / n_sharing < n_used {
        let problem = format!(
            "{n_experts} experts in groups of {n_sharing}, expected at least {n_used} groups"
        );
        return Err(keys.error(SHARING, problem));
    }
    let most = (MAX_TIMES * config.d_model).min(1 << 22);
    let d_ff = match keys.metadata.u32(&keys.name(WIDTH))? {
        Some(0) => config.head_dim,
        _ => keys.size(WIDTH, Some(config.head_dim), most)?,
    };
    keys.check_rows(WIDTH, d_ff, 1)?;
    let scale = keys.said(SCALE)?.ok_or_else(|| keys.missing(SCALE))?;
    Ok(GroupedExperts { n_sharing, d_ff, scale: scale as f32 })
}

/// The width of the expert that all tokens share; 0 is none.
fn shared_width(
    keys: &Keys<'_>,
    gguf: &Gguf,
    d_ff: usize,
    d_expert: usize,
) -> Result<usize, ModelError> {
    const COUNT: &str = "expert_shared_count";
    let Some(rules) = &keys.family.experts else { return Ok(0) };
    let is_there = |ending: &str| gguf.tensors.iter().any(|t| t.name.ends_with(ending));
    if rules.dense == DenseBeside::Shared {
        return Ok(if is_there(".ffn_up.weight") { d_ff } else { 0 });
    }
    let count = match keys.family.reads_key(COUNT) {
        true => keys.metadata.u32(&keys.name(COUNT))?.map(|n| n as usize),
        false => None,
    };
    let n_shared = count.unwrap_or(0);
    let width = match keys.family.reads_key("expert_shared_feed_forward_length") {
        true => keys.metadata.u32(&keys.name("expert_shared_feed_forward_length"))?.unwrap_or(0),
        false => 0,
    };
    Ok(match (rules.shared, width as usize) {
        (SharedWidth::None, _) => 0,
        (SharedWidth::KeyOrFeedForward, 0) => d_ff,
        (SharedWidth::KeyOrExpert, 0) => d_expert,
        (SharedWidth::Key | SharedWidth::KeyOrFeedForward | SharedWidth::KeyOrExpert, width) => {
            width
        }
        (SharedWidth::CountIfThere, _) => match is_there(".ffn_gate_shexp.weight") {
            true => n_shared.max(1).saturating_mul(d_expert),
            false => 0,
        },
        (SharedWidth::Count, _) | (SharedWidth::CountOfKey, 0) => n_shared.saturating_mul(d_expert),
        (SharedWidth::CountOfKey, width) => n_shared.saturating_mul(width),
        (SharedWidth::KeyOrCount(default), width) => match (count.unwrap_or(default), width) {
            (0, _) => 0,
            (n, 0) => n.saturating_mul(d_expert),
            (_, width) => width,
        },
    })
}

/// The limits of layers' gated activations, and the width of networks beside experts.
pub(super) fn limits(keys: &Keys<'_>, config: &mut Config) -> Result<(), ModelError> {
    let Some(rules) = &keys.family.experts else { return Ok(()) };
    let limit = |x: f32| match rules.limited {
        // llama.cpp takes less for no limit.
        _ if x <= 1e-6 => None,
        Limited::Inputs | Limited::InputsOfAll => Some(Limit::Inputs(x)),
        Limited::Outputs => Some(Limit::Outputs(x)),
    };
    let n_layers = config.layers.len();
    let of_experts = numbers(keys, "swiglu_clamp_exp", n_layers)?;
    let mut of_shared = numbers(keys, "swiglu_clamp_shexp", n_layers)?;
    if of_shared.is_empty() && rules.limited == Limited::InputsOfAll {
        of_shared.clone_from(&of_experts);
    }
    let saturating = saturating(keys)?;
    for (i, layer) in config.layers.iter_mut().enumerate() {
        layer.expert_limit = of_experts.get(i).copied().and_then(limit).or(saturating);
        layer.dense_limit = of_shared.get(i).copied().and_then(limit).or(saturating);
        if rules.dense == DenseBeside::AfterAttention {
            layer.d_ff = config.d_model;
        }
    }
    Ok(())
}

/// Bounds of all gated activations by tanh.
fn saturating(keys: &Keys<'_>) -> Result<Option<Limit>, ModelError> {
    const GATE: &str = "activation.situ_beta";
    const UP: &str = "activation.situ_linear_beta";
    if !keys.family.reads_key(GATE) {
        return Ok(None);
    }
    // 0 or less is no bound of the up projection.
    let up = keys.metadata.f32(&keys.name(UP))?.ok_or_else(|| keys.missing(UP))?;
    let gate = match keys.metadata.f32(&keys.name(GATE))? {
        Some(gate) if gate > 0.0 && gate.is_finite() => gate,
        Some(gate) => {
            return Err(keys.error(GATE, format!("expected a positive number, found {gate}")));
        }
        None => return Err(keys.missing(GATE)),
    };
    if !up.is_finite() {
        return Err(keys.error(UP, format!("expected a number, found {up}")));
    }
    Ok(Some(Limit::Saturating { gate, up: (up > 0.0).then_some(up) }))
}

/// Numbers for layers, in order: the file has one for all or a list. Empty where it has none.
fn numbers(keys: &Keys<'_>, key: &str, n_layers: usize) -> Result<Vec<f32>, ModelError> {
    if !keys.family.reads_key(key) {
        return Ok(Vec::new());
    }
    let list = match keys.metadata.get(&keys.name(key)) {
        Some(Value::FloatArray(list)) => list.clone(),
        _ => keys.metadata.f32(&keys.name(key))?.map_or(Vec::new(), |x| vec![x; n_layers]),
    };
    if !list.is_empty() && list.len() < n_layers {
        let n = list.len();
        let problem = format!("expected one number for each of {n_layers} layers, found {n}");
        return Err(keys.error(key, problem));
    }
    match list.iter().find(|x| !x.is_finite()) {
        None => Ok(list),
        Some(x) => Err(keys.error(key, format!("expected a number, found {x}"))),
    }
}

/// The width that `expert_feed_forward_length` says.
pub(super) fn width(keys: &Keys<'_>) -> Result<Option<usize>, ModelError> {
    const KEY: &str = "expert_feed_forward_length";
    match keys.family.experts.is_some() && keys.family.reads_key(KEY) {
        true => Ok(keys.metadata.u32(&keys.name(KEY))?.map(|width| width as usize)),
        false => Ok(None),
    }
}

fn gating(keys: &Keys<'_>, rule: GatingRule, config: &Config) -> Result<Gating, ModelError> {
    const KEY: &str = "expert_gating_func";
    let default = match rule {
        GatingRule::Is(gating) => return Ok(gating),
        GatingRule::Key(default) => default,
        GatingRule::KeyOr(default) => default(config.n_layers, config.vocab_size),
    };
    match keys.metadata.u32(&keys.name(KEY))? {
        None | Some(0) => Ok(default),
        Some(1) => Ok(Gating::Softmax),
        Some(2) => Ok(Gating::Sigmoid),
        Some(3) => Ok(Gating::SoftmaxOfSelected),
        Some(4) => Ok(Gating::RootOfSoftplus),
        Some(other) => {
            let problem = format!(
                "{other} isn't supported; supported are 1 (softmax), 2 (sigmoid), 3 (softmax of \
                 the selected), 4 (root of softplus)"
            );
            Err(keys.error(KEY, problem))
        }
    }
}

/// Groups of experts, and how many of them a token may use.
fn groups(keys: &Keys<'_>, n_experts: usize, n_used: usize) -> Result<(usize, usize), ModelError> {
    const KEY: &str = "expert_group_count";
    const KEY_USED: &str = "expert_group_used_count";
    let count = |key: &str| -> Result<usize, ModelError> {
        Ok(keys.metadata.u32(&keys.name(key))?.unwrap_or(0) as usize)
    };
    let n_groups = count(KEY)?;
    if n_groups <= 1 {
        return Ok((1, 1));
    }
    if !n_experts.is_multiple_of(n_groups) || n_experts / n_groups < 2 {
        let problem =
            format!("{n_experts} experts can't be {n_groups} groups of one size, at least 2");
        return Err(keys.error(KEY, problem));
    }
    let n_groups_used = count(KEY_USED)?;
    if !(1..=n_groups).contains(&n_groups_used) {
        let problem = format!("expected 1 to {n_groups}, which is {KEY}, found {n_groups_used}");
        return Err(keys.error(KEY_USED, problem));
    }
    if n_groups_used * (n_experts / n_groups) < n_used {
        let problem = format!(
            "{n_groups_used} groups of {} experts have fewer than the {n_used} that a token uses",
            n_experts / n_groups
        );
        return Err(keys.error(KEY_USED, problem));
    }
    Ok((n_groups, n_groups_used))
}
