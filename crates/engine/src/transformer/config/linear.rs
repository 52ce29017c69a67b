//! The sizes of states of linear attention: Kimi's delta rule, and MiniMax's decaying matrices.

use super::{
    super::{ModelError, families::RecurrentRules, kinds::RecurrentKind},
    MAX_TIMES,
    keys::Keys,
    recurrent::{MAX_KEY_DIM, RecurrentConfig, none_of, taps},
};

/// Heads are as many as those of attention in the first layer.
pub(super) fn read(
    keys: &Keys<'_>,
    rules: &RecurrentRules,
    d_model: usize,
) -> Result<RecurrentConfig, ModelError> {
    const HEADS: &str = "attention.head_count";
    const BOUND: &str = "kda.gate_lower_bound";
    let n_layers = keys.size("block_count", None, 512)?;
    let n_predicting = keys.family.n_predicting_layers(keys.metadata) as usize;
    let n_layers = n_layers.saturating_sub(n_predicting).max(1);
    let n_heads = keys.sizes(HEADS, n_layers, 0..=1 << 14, None)?[0];
    let is_kimi = rules.kind == RecurrentKind::KimiDelta;
    let width = if is_kimi { "kda.head_dim" } else { "attention.key_length" };
    let default = (!is_kimi).then(|| d_model / n_heads.max(1)).filter(|width| *width > 0);
    let key_dim = keys.size(width, default, MAX_KEY_DIM)?;
    let inner = n_heads * key_dim;
    if n_heads == 0 || inner > MAX_TIMES * d_model {
        let problem = format!("{n_heads} heads of {key_dim} numbers beside a width of {d_model}");
        return Err(keys.error(HEADS, problem));
    }
    keys.check_rows(width, inner, 1)?;
    let config = RecurrentConfig {
        n_heads,
        n_groups: n_heads,
        key_dim,
        value_dim: key_dim,
        ..none_of(rules)
    };
    if !is_kimi {
        return Ok(config);
    }
    let gate_bound = match keys.family.reads_key(BOUND) {
        false => None,
        true => match keys.metadata.f32(&keys.name(BOUND))? {
            Some(bound) if bound < 0.0 && bound.is_finite() => Some(bound),
            Some(bound) => {
                return Err(keys.error(BOUND, format!("expected less than 0, found {bound}")));
            }
            None if keys.family.needs("blk.*.ssm_f_b.weight") => None,
            None => return Err(keys.missing(BOUND)),
        },
    };
    let rank = |second: &str| if keys.family.needs(second) { key_dim } else { 0 };
    let ranks = [rank("blk.*.ssm_f_b.weight"), 0, 0, rank("blk.*.ssm_g_b.weight")];
    keys.check_rows("kda.head_dim", ranks[0].max(ranks[3]), 0)?;
    Ok(RecurrentConfig {
        taps: taps(keys, "ssm.conv_kernel")?,
        channels: 3 * inner,
        ranks,
        gate_bound,
        ..config
    })
}
