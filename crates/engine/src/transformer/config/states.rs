//! The sizes of the recurrent part of a file's layers.

use super::{
    super::{ModelError, families::RecurrentRules, kinds::RecurrentKind},
    MAX_TIMES,
    keys::Keys,
    linear,
    recurrent::{MAX_KEY_DIM, RecurrentConfig, none_of, taps},
    rwkv,
};

/// How many times more numbers than a layer's matrices of weights its state may have. Files have
/// far less than 1.
const MAX_STATE_TIMES: usize = 16;

/// The sizes of the recurrent part; none if the family has none.
pub(super) fn read(keys: &Keys<'_>, d_model: usize) -> Result<Option<RecurrentConfig>, ModelError> {
    let Some(rules) = &keys.family.recurrent else { return Ok(None) };
    let config = match rules.kind {
        RecurrentKind::ShortConvolution => RecurrentConfig {
            taps: taps(keys, "shortconv.l_cache")?,
            channels: d_model,
            ..none_of(rules)
        },
        RecurrentKind::DeltaNet | RecurrentKind::Mamba2 => heads(keys, rules, d_model)?,
        RecurrentKind::Mamba | RecurrentKind::SelectiveHeads => selective(keys, rules, d_model)?,
        RecurrentKind::KimiDelta | RecurrentKind::Lightning => linear::read(keys, rules, d_model)?,
        RecurrentKind::Rwkv6 | RecurrentKind::Rwkv7 => rwkv::read(keys, rules, d_model)?,
    };
    check_state(keys, &config, d_model)?;
    Ok(Some(config))
}

/// The state stays in proportion to the layer's weights.
fn check_state(
    keys: &Keys<'_>,
    config: &RecurrentConfig,
    d_model: usize,
) -> Result<(), ModelError> {
    let (inner, key_dim) = (config.inner(), config.key_dim);
    if inner * key_dim > MAX_STATE_TIMES * config.channels.max(inner) * d_model {
        let problem = format!(
            "matrices of {inner} × {key_dim} numbers are more than {MAX_STATE_TIMES} times the \
             layer's weights"
        );
        return Err(keys.error("ssm.state_size", problem));
    }
    Ok(())
}

/// The sizes of heads under the delta rule, and of Mamba 2.
fn heads(
    keys: &Keys<'_>,
    rules: &RecurrentRules,
    d_model: usize,
) -> Result<RecurrentConfig, ModelError> {
    let kind = rules.kind;
    let widest = MAX_TIMES * d_model;
    let key_dim = keys.size("ssm.state_size", None, MAX_KEY_DIM)?;
    let n_heads = keys.size("ssm.time_step_rank", None, 1 << 14)?;
    let n_groups = keys.size("ssm.group_count", None, n_heads)?;
    let inner = keys.size("ssm.inner_size", None, widest)?;
    keys.check_rows("ssm.inner_size", inner, 1)?;
    let value_dim = inner / n_heads;
    if !inner.is_multiple_of(n_heads) || (kind == RecurrentKind::DeltaNet && value_dim != key_dim) {
        let problem = match kind {
            RecurrentKind::DeltaNet => {
                format!("expected {n_heads} heads of {key_dim} numbers, found {inner}")
            }
            _ => format!("{n_heads} heads don't divide {inner}"),
        };
        return Err(keys.error("ssm.inner_size", problem));
    }
    if !n_heads.is_multiple_of(n_groups) || n_groups * key_dim > widest {
        let problem = format!(
            "expected groups that divide {n_heads} heads, with keys of at most {widest} numbers, \
             found {n_groups} groups of {key_dim}"
        );
        return Err(keys.error("ssm.group_count", problem));
    }
    let taps = taps(keys, "ssm.conv_kernel")?;
    let channels = inner + 2 * n_groups * key_dim;
    Ok(RecurrentConfig { taps, channels, n_heads, n_groups, key_dim, value_dim, ..none_of(rules) })
}

/// The sizes of Mamba's state, and of PLaMo 2's.
fn selective(
    keys: &Keys<'_>,
    rules: &RecurrentRules,
    d_model: usize,
) -> Result<RecurrentConfig, ModelError> {
    const RANK: &str = "ssm.time_step_rank";
    const UNIT_NORMS: &str = "ssm.dt_b_c_rms";
    let widest = MAX_TIMES * d_model;
    let key_dim = keys.size("ssm.state_size", None, MAX_KEY_DIM)?;
    let inner = keys.size("ssm.inner_size", None, widest)?;
    keys.check_rows("ssm.inner_size", inner, 1)?;
    let rank = keys.size(RANK, None, inner)?;
    let (n_heads, rank) = match rules.kind {
        RecurrentKind::Mamba => (1, rank),
        _ if inner.is_multiple_of(rank) => (rank, (d_model / 16).max(64)),
        _ => return Err(keys.error(RANK, format!("{rank} heads don't divide {inner}"))),
    };
    keys.check_rows(RANK, rank + 2 * key_dim, 1)?;
    let unit_norms = keys.family.reads_key(UNIT_NORMS)
        && keys.metadata.bool(&keys.name(UNIT_NORMS))?.unwrap_or(false);
    Ok(RecurrentConfig {
        taps: taps(keys, "ssm.conv_kernel")?,
        channels: inner,
        n_heads,
        n_groups: 1,
        key_dim,
        value_dim: inner / n_heads,
        ranks: [rank, 0, 0, 0],
        unit_norms,
        ..none_of(rules)
    })
}
