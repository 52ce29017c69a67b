//! Adapters of a model's matrices that tokens of a text switch on.

use super::{super::ModelError, keys::Keys};
use crate::gguf::Value;

/// Low-rank adapters of all matrices (LoRA, arXiv 2106.09685). Which one a token goes through
/// depends on the tokens of the text so far.
#[derive(Debug, Clone, PartialEq)]
pub struct SwitchConfig {
    /// For each adapter the token that switches it on, and the token whose embedding stands in its
    /// place. Adapter 0, which isn't in the list, is that of texts without such a token.
    pub adapters: Vec<(u32, u32)>,
    /// Rank of the adapters.
    pub rank: usize,
    /// How much more such a token counts than others do: e to twice this.
    pub gain: f64,
}

/// Most adapters and the highest rank, as in llama.cpp. Lower ranks than the least would take many
/// times their room in the file.
const MAX_ADAPTERS: usize = 4096;
const MAX_RANK: usize = 4096;
const MIN_RANK: usize = 4;
/// What llama.cpp takes without a key.
const GAIN: f32 = 15.0;

/// The adapters; none if the family has none.
pub(super) fn read(keys: &Keys<'_>, vocab_size: usize) -> Result<Option<SwitchConfig>, ModelError> {
    const COUNT: &str = "adapters.count";
    const RANK: &str = "adapters.lora_rank";
    const GAIN_KEY: &str = "adapters.router_gain";
    if !keys.family.reads_key(COUNT) {
        return Ok(None);
    }
    let n = keys.metadata.u32(&keys.name(COUNT))?.ok_or_else(|| keys.missing(COUNT))? as usize;
    if n > MAX_ADAPTERS {
        return Err(keys.error(COUNT, format!("expected at most {MAX_ADAPTERS}, found {n}")));
    }
    let rank = keys.size(RANK, None, MAX_RANK)?;
    if rank < MIN_RANK {
        return Err(keys.error(RANK, format!("expected {MIN_RANK} to {MAX_RANK}, found {rank}")));
    }
    let gain = keys.metadata.f32(&keys.name(GAIN_KEY))?.unwrap_or(GAIN);
    if !gain.is_finite() {
        return Err(keys.error(GAIN_KEY, format!("expected a number, found {gain}")));
    }
    let tokens = |key: &str| -> Result<Vec<u32>, ModelError> {
        let list = match keys.metadata.get(&keys.name(key)) {
            Some(Value::IntArray(list)) if list.len() == n => list,
            Some(Value::IntArray(list)) => {
                let problem = format!("{} tokens for {n} adapters", list.len());
                return Err(keys.error(key, problem));
            }
            _ => return Err(keys.error(key, "expected a list of tokens".to_string())),
        };
        let token = |id: &i64| match u32::try_from(*id) {
            Ok(token) if (token as usize) < vocab_size => Ok(token),
            _ => Err(keys.error(key, format!("{id} is none of {vocab_size} tokens"))),
        };
        list.iter().map(token).collect()
    };
    let switches = tokens("adapters.token_ids_activate")?;
    let substitutes = tokens("adapters.token_ids_substitute")?;
    let adapters = switches.into_iter().zip(substitutes).collect();
    Ok(Some(SwitchConfig { adapters, rank, gain: gain.into() }))
}

impl SwitchConfig {
    /// The adapter of a token after a text, itself included, with so many tokens that switch one
    /// on, whose adapters' numbers have this sum, and so many others: the mean of all, such tokens
    /// counting for more, rounded. It is that of the only such token, if there is one.
    pub(in super::super) fn adapter(
        &self,
        n_switches: usize,
        sum: usize,
        n_others: usize,
    ) -> usize {
        let others = n_others as f64 * libm::exp(-2.0 * self.gain);
        let mean = (sum as f64 / (n_switches as f64 + others)) as f32;
        mean.clamp(0.0, self.adapters.len() as f32).round() as usize
    }

    /// Multiplications of one token with the adapters of matrices between these widths.
    pub(in super::super) fn multiply_adds(&self, widths: &[usize]) -> usize {
        self.rank * widths.iter().sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_is_rounded() {
        let config = |gain| SwitchConfig { adapters: vec![(7, 0); 5], rank: 8, gain };
        let sure = config(15.0);
        assert_eq!(sure.adapter(0, 0, 100), 0);
        assert_eq!(sure.adapter(1, 4, 100_000), 4);
        // Half is rounded up: 1 and 2 make 2, 1, 1 and 2 make 1.
        assert_eq!([sure.adapter(2, 3, 50), sure.adapter(3, 4, 50)], [2, 1]);
        // Where all tokens count alike, one of two doesn't make half of adapter 1.
        assert_eq!([config(0.0).adapter(1, 1, 1), config(0.0).adapter(1, 1, 2)], [1, 0]);
    }
}
