//! The weights of RWKV's layers: what mixes a token with the one before it and with the state.

use kelvin_kernels::matrix::WeightMatrix;

use super::{
    super::{Config, ModelError, RecurrentConfig, RecurrentKind},
    Loader, Norm,
};

/// A product of two matrices, with a number for each row added.
#[derive(Debug)]
pub(crate) struct LowRank {
    /// rank × d_model.
    pub(crate) first: WeightMatrix,
    /// d_model × rank.
    pub(crate) second: WeightMatrix,
    /// d_model; empty where nothing is added.
    pub(crate) bias: Vec<f32>,
}

/// The half of an RWKV layer that has a state. Matrices are rows (outputs) × columns (inputs).
#[derive(Debug)]
pub(crate) struct TimeMix {
    /// d_model.
    pub(crate) norm: Option<Norm>,
    /// How much of the difference to the token before each input has, d_model each: RWKV 6's decay,
    /// keys, values, receptance and gate; RWKV 7's receptance, decay, keys, values, rates and gate.
    pub(crate) shares: Vec<f32>,
    /// d_model × d_model.
    pub(crate) receptance: WeightMatrix,
    /// n_groups·key_dim × d_model each.
    pub(crate) key: WeightMatrix,
    pub(crate) value: WeightMatrix,
    /// For receptance, keys and values.
    pub(crate) biases: [Option<Vec<f32>>; 3],
    /// What makes the decays; tanh stands between its matrices.
    pub(crate) decay: LowRank,
    pub(crate) version: Version,
    /// value_dim numbers for each head: the norm of what it reads.
    pub(crate) head_norm: Option<Norm>,
    /// d_model × d_model.
    pub(crate) output: WeightMatrix,
}

/// What only one version has.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "a layer has one, of the model's version")]
pub(crate) enum Version {
    Six {
        /// d_model: the share of what makes shares.
        share: Vec<f32>,
        /// 5 · rank × d_model.
        mix: WeightMatrix,
        /// For each input d_model × rank.
        mixes: Vec<WeightMatrix>,
        /// d_model × d_model.
        gate: WeightMatrix,
        /// n_heads × key_dim: the weight of a token's own value. None in gated linear attention.
        bonus: Option<Vec<f32>>,
    },
    Seven {
        /// How much of what a key would read is replaced.
        rates: LowRank,
        /// The share of the first layer's values; none in the first layer.
        first_values: Option<LowRank>,
        /// rank × d_model and d_model × rank.
        gate: Option<[WeightMatrix; 2]>,
        /// d_model each: multiply keys for reading and where they are replaced, and the receptance
        /// where it meets keys.
        key_read: Vec<f32>,
        key_rate: Vec<f32>,
        bonus: Vec<f32>,
    },
}

/// The feed-forward half of an RWKV layer.
#[derive(Debug)]
pub(crate) struct ChannelMix {
    /// How much of the difference to the token before keys have, and the receptance: d_model each.
    pub(crate) key_share: Vec<f32>,
    pub(crate) key: WeightMatrix,
    pub(crate) value: WeightMatrix,
    /// Weighs the output (RWKV 6).
    pub(crate) receptance: Option<(Vec<f32>, WeightMatrix)>,
}

impl LowRank {
    fn matrices(&self) -> impl Iterator<Item = &WeightMatrix> {
        [&self.first, &self.second].into_iter()
    }
}

impl TimeMix {
    pub(super) fn matrices(&self) -> impl Iterator<Item = &WeightMatrix> {
        let own = [&self.receptance, &self.key, &self.value, &self.output];
        let mut others: Vec<&WeightMatrix> = Vec::new();
        match &self.version {
            Version::Six { mix, mixes, gate, .. } => {
                others.extend([mix, gate]);
                others.extend(mixes);
            }
            Version::Seven { rates, first_values, gate, .. } => {
                others.extend(rates.matrices());
                others.extend(first_values.iter().flat_map(LowRank::matrices));
                others.extend(gate.iter().flatten());
            }
        }
        own.into_iter().chain(self.decay.matrices()).chain(others)
    }
}

impl ChannelMix {
    pub(super) fn matrices(&self) -> impl Iterator<Item = &WeightMatrix> {
        let receptance = self.receptance.iter().map(|(_, matrix)| matrix);
        [&self.key, &self.value].into_iter().chain(receptance)
    }
}

impl Loader<'_> {
    /// The half of layer `i` that has a state.
    pub(super) fn time_mix(
        &mut self,
        config: &Config,
        c: &RecurrentConfig,
        i: usize,
    ) -> Result<TimeMix, ModelError> {
        let (block, d) = (config.layers[i].block, config.d_model);
        let name = |part: &str| format!("blk.{block}.time_mix_{part}.weight");
        let bias = |part: &str| format!("blk.{block}.time_mix_{part}.bias");
        let norm = self.first_norm(self.family.attention_norms, block, d)?;
        let is_six = c.kind == RecurrentKind::Rwkv6;
        let kv = c.n_groups * c.key_dim;
        let version = if is_six { self.six(&name, c, d)? } else { self.seven(&name, c, d, i)? };
        let shares = self.shares(&name, &version, d)?;
        Ok(TimeMix {
            norm,
            shares,
            receptance: self.matrix(&name("receptance"), d, d)?,
            key: self.matrix(&name("key"), kv, d)?,
            value: self.matrix(&name("value"), kv, d)?,
            biases: [
                self.vector_if(&bias("receptance"), &[d])?,
                self.vector_if(&bias("key"), &[kv])?,
                self.vector_if(&bias("value"), &[kv])?,
            ],
            decay: match is_six {
                true => self.low_rank(&name, ["decay_w1", "decay_w2", "decay"], c.ranks[0], d)?,
                false => self.low_rank(&name, ["w1", "w2", "w0"], c.ranks[0], d)?,
            },
            version,
            head_norm: self.norm(&format!("blk.{block}.time_mix_ln"), &[d])?,
            output: self.matrix(&name("output"), d, d)?,
        })
    }

    /// How much of the difference to the token before each input has: one tensor, or one each.
    fn shares(
        &mut self,
        name: &dyn Fn(&str) -> String,
        version: &Version,
        d: usize,
    ) -> Result<Vec<f32>, ModelError> {
        let n = match version {
            Version::Six { .. } => 5,
            Version::Seven { gate, .. } => 5 + usize::from(gate.is_some()),
        };
        let fused = name("lerp_fused");
        if n == 6 || matches!(version, Version::Seven { .. }) || self.has(&fused) {
            return self.vector(&fused, &[d, 1, 1, n]);
        }
        let mut all = Vec::with_capacity(5 * d);
        for part in ["lerp_w", "lerp_k", "lerp_v", "lerp_r", "lerp_g"] {
            all.extend(self.vector(&name(part), &[d])?);
        }
        Ok(all)
    }

    fn six(
        &mut self,
        name: &dyn Fn(&str) -> String,
        c: &RecurrentConfig,
        d: usize,
    ) -> Result<Version, ModelError> {
        let rank = c.ranks[1];
        Ok(Version::Six {
            share: self.vector(&name("lerp_x"), &[d])?,
            mix: self.matrix(&name("w1"), 5 * rank, d)?,
            mixes: self.expert_rows(&name("w2"), 5, 0..d, d, rank)?,
            gate: self.matrix(&name("gate"), d, d)?,
            bonus: self.vector_if(&name("first"), &[c.key_dim, c.n_heads])?,
        })
    }

    fn seven(
        &mut self,
        name: &dyn Fn(&str) -> String,
        c: &RecurrentConfig,
        d: usize,
        i: usize,
    ) -> Result<Version, ModelError> {
        let [_, rates, values, gate] = c.ranks;
        // The first layer has such matrices as well, of the rates' rank, which aren't used.
        let first_values = match i {
            0 => {
                for (part, shape) in
                    [("v1", [d, rates].as_slice()), ("v2", &[rates, d]), ("v0", &[d])]
                {
                    let info = self.find(&name(part), shape)?;
                    self.report(info);
                }
                None
            }
            _ => Some(self.low_rank(name, ["v1", "v2", "v0"], values, d)?),
        };
        let has_gate = self.has(&name("g1")) || self.has(&name("g2"));
        Ok(Version::Seven {
            rates: self.low_rank(name, ["a1", "a2", "a0"], rates, d)?,
            first_values,
            gate: match has_gate {
                true => {
                    Some([self.matrix(&name("g1"), gate, d)?, self.matrix(&name("g2"), d, gate)?])
                }
                false => None,
            },
            key_read: self.vector(&name("k_k"), &[d])?,
            key_rate: self.vector(&name("k_a"), &[d])?,
            bonus: self.vector(&name("r_k"), &[d])?,
        })
    }

    fn low_rank(
        &mut self,
        name: &dyn Fn(&str) -> String,
        [first, second, bias]: [&str; 3],
        rank: usize,
        d: usize,
    ) -> Result<LowRank, ModelError> {
        Ok(LowRank {
            first: self.matrix(&name(first), rank, d)?,
            second: self.matrix(&name(second), d, rank)?,
            bias: self.vector(&name(bias), &[d])?,
        })
    }

    /// The feed-forward half of a layer.
    pub(super) fn channel_mix(
        &mut self,
        kind: RecurrentKind,
        block: usize,
        d_ff: usize,
        d: usize,
    ) -> Result<ChannelMix, ModelError> {
        let name = |part: &str| format!("blk.{block}.channel_mix_{part}.weight");
        let receptance = match kind {
            RecurrentKind::Rwkv6 => {
                let share = self.vector(&name("lerp_r"), &[d])?;
                Some((share, self.matrix(&name("receptance"), d, d)?))
            }
            _ => None,
        };
        Ok(ChannelMix {
            key_share: self.vector(&name("lerp_k"), &[d])?,
            key: self.matrix(&name("key"), d_ff, d)?,
            value: self.matrix(&name("value"), d, d_ff)?,
            receptance,
        })
    }
}
