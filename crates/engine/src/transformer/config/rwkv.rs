//! The sizes of RWKV's states.

use super::{
    super::{ModelError, families::RecurrentRules, kinds::RecurrentKind},
    keys::{FEWEST_ROWS, Keys},
    recurrent::{MAX_KEY_DIM, RecurrentConfig, none_of},
};

/// Heads fill the width of the stream.
pub(super) fn read(
    keys: &Keys<'_>,
    rules: &RecurrentRules,
    d_model: usize,
) -> Result<RecurrentConfig, ModelError> {
    const HEAD: &str = "wkv.head_size";
    const HALVED: &str = "rescale_every_n_layers";
    let width = keys.size(HEAD, None, MAX_KEY_DIM)?;
    if !d_model.is_multiple_of(width) {
        let problem = format!("heads of {width} numbers don't divide a width of {d_model}");
        return Err(keys.error(HEAD, problem));
    }
    let rank = |key: &str| {
        let rank = keys.size(key, None, 1 << 14)?;
        keys.check_rows(key, rank, 1)?;
        Ok::<_, ModelError>(rank)
    };
    let ranks = match rules.kind {
        RecurrentKind::Rwkv6 => [rank("time_decay_extra_dim")?, rank("time_mix_extra_dim")?, 0, 0],
        _ => [
            rank("attention.decay_lora_rank")?,
            rank("attention.iclr_lora_rank")?,
            rank("attention.value_residual_mix_lora_rank")?,
            gate_rank(keys)?,
        ],
    };
    let n_heads = d_model / width;
    let n_groups = match rules.kind {
        RecurrentKind::Rwkv6 if !rules.mixes_ffn => key_heads(keys, n_heads)?,
        _ => n_heads,
    };
    Ok(RecurrentConfig {
        taps: 2,
        channels: d_model,
        n_heads,
        n_groups,
        key_dim: width,
        value_dim: width,
        ranks,
        halved_every: match keys.family.reads_key(HALVED) {
            true => keys.metadata.u32(&keys.name(HALVED))?.unwrap_or(0) as usize,
            false => 0,
        },
        ..none_of(rules)
    })
}

/// The rank of the gate; 0: there is none.
fn gate_rank(keys: &Keys<'_>) -> Result<usize, ModelError> {
    const KEY: &str = "attention.gate_lora_rank";
    let rank = keys.metadata.u32(&keys.name(KEY))?.unwrap_or(0) as usize;
    if rank > 0 && !(FEWEST_ROWS..=1 << 14).contains(&rank) {
        return Err(keys.error(KEY, format!("expected 0 or {FEWEST_ROWS} to 16384, found {rank}")));
    }
    Ok(rank)
}

/// Heads of keys and values, each of which serves as many heads; as many as heads where the file
/// says 0.
fn key_heads(keys: &Keys<'_>, n_heads: usize) -> Result<usize, ModelError> {
    const KEY: &str = "attention.head_count_kv";
    match keys.metadata.u32(&keys.name(KEY))?.unwrap_or(0) as usize {
        0 => Ok(n_heads),
        n if n_heads.is_multiple_of(n) => Ok(n),
        n => Err(keys.error(KEY, format!("{n_heads} heads can't share {n} evenly"))),
    }
}
