//! The hyperparameters of a mixture of experts: how many, how wide, and how tokens are routed.

use super::{
    super::{
        ModelError,
        families::{ExpertWidth, Gating, GatingRule, Normalized, SharedWidth},
    },
    FEWEST_ROWS, MAX_TIMES,
    keys::Keys,
};

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
    /// Width of the network that every token goes through besides; 0 is none.
    pub d_shared: usize,
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
    /// Groups of neighbouring experts; 1 where there are none.
    pub n_groups: usize,
    /// Groups whose experts may be selected: those with the largest sums of their two best.
    pub n_groups_used: usize,
}

/// The mixture of a file; none where all layers are dense.
pub(super) fn read(
    keys: &Keys<'_>,
    d_model: usize,
    d_ff: usize,
) -> Result<Option<ExpertConfig>, ModelError> {
    let Some(rules) = &keys.family.experts else { return Ok(None) };
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
        (_, width) => width,
    };
    let shared = match (rules.shared, count("expert_shared_feed_forward_length")?) {
        (SharedWidth::None, _) => 0,
        (SharedWidth::KeyOrFeedForward, 0) => d_ff,
        (SharedWidth::KeyOrExpert, 0) => d_expert,
        (SharedWidth::Key | SharedWidth::KeyOrFeedForward | SharedWidth::KeyOrExpert, width) => {
            width
        }
        (SharedWidth::Count, _) | (SharedWidth::CountOfKey, 0) => {
            count("expert_shared_count")?.saturating_mul(d_expert)
        }
        (SharedWidth::CountOfKey, width) => count("expert_shared_count")?.saturating_mul(width),
    };
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
    Ok(Some(ExpertConfig {
        n_experts,
        n_used,
        d_ff: d_expert,
        d_shared: shared,
        gating: gating(keys, rules.gating)?,
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
        weighs_input: rules.weighs_input,
        routes_stream: rules.routes_stream,
        n_groups,
        n_groups_used,
    }))
}

/// The width that `expert_feed_forward_length` says.
pub(super) fn width(keys: &Keys<'_>) -> Result<Option<usize>, ModelError> {
    const KEY: &str = "expert_feed_forward_length";
    match keys.family.experts.is_some() && keys.family.reads_key(KEY) {
        true => Ok(keys.metadata.u32(&keys.name(KEY))?.map(|width| width as usize)),
        false => Ok(None),
    }
}

fn gating(keys: &Keys<'_>, rule: GatingRule) -> Result<Gating, ModelError> {
    const KEY: &str = "expert_gating_func";
    match rule {
        GatingRule::Is(gating) => Ok(gating),
        GatingRule::Key(default) => match keys.metadata.u32(&keys.name(KEY))? {
            None | Some(0) => Ok(default),
            Some(1) => Ok(Gating::Softmax),
            Some(2) => Ok(Gating::Sigmoid),
            Some(3) => Ok(Gating::SoftmaxOfSelected),
            Some(other) => {
                let problem = format!(
                    "{other} isn't supported; supported are 1 (softmax), 2 (sigmoid), 3 (softmax \
                     of the selected)"
                );
                Err(keys.error(KEY, problem))
            }
        },
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
