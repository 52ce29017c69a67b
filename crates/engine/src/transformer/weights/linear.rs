//! The weights of linear attention: Kimi's delta rule, and MiniMax's decaying matrices.

use kelvin_kernels::matrix::WeightMatrix;

use super::{
    super::{Config, ModelError, RecurrentConfig},
    Loader, Norm, missing,
    recurrent::{Heads, by_tap, unit_norms},
};

impl Loader<'_> {
    /// Queries, keys and values, n_heads·key_dim × d_model each; what makes the decays and the gate
    /// of the output; how much of a token heads take in, n_heads × d_model.
    pub(super) fn kimi_input(
        &mut self,
        name: &dyn Fn(&str) -> String,
        c: &RecurrentConfig,
        d_model: usize,
    ) -> Result<Vec<WeightMatrix>, ModelError> {
        let (inner, fused) = (c.inner(), name("attn_qkv.weight"));
        let mut input = Vec::with_capacity(6);
        for (i, part) in ["attn_q.weight", "attn_k.weight", "attn_v.weight"].iter().enumerate() {
            input.push(match self.has(&fused) {
                true => self.rows(&fused, i * inner..(i + 1) * inner, 3 * inner, d_model)?,
                false => self.matrix(&name(part), inner, d_model)?,
            });
        }
        let rows = |rank: usize| if rank > 0 { rank } else { inner };
        let whole_gate = name("ssm_g.weight");
        let gate = if self.has(&whole_gate) { whole_gate } else { name("ssm_g_a.weight") };
        input.push(self.matrix(&name("ssm_f_a.weight"), rows(c.ranks[0]), d_model)?);
        input.push(self.matrix(&gate, rows(c.ranks[3]), d_model)?);
        input.push(self.matrix(&name("ssm_beta.weight"), c.n_heads, d_model)?);
        Ok(input)
    }

    /// The second matrices of decays and gate, if they have some.
    pub(super) fn kimi_spread(
        &mut self,
        name: &dyn Fn(&str) -> String,
        c: &RecurrentConfig,
    ) -> Result<Vec<WeightMatrix>, ModelError> {
        // Decays first: no family has a second matrix of the gate alone.
        let parts = [("ssm_f_b.weight", c.ranks[0]), ("ssm_g_b.weight", c.ranks[3])];
        let parts = parts.into_iter().filter(|(_, rank)| *rank > 0);
        parts.map(|(part, rank)| self.matrix(&name(part), c.inner(), rank)).collect()
    }

    /// The weights of the convolutions of queries, keys and values, side by side.
    pub(super) fn taps_of_three(
        &mut self,
        name: &dyn Fn(&str) -> String,
        c: &RecurrentConfig,
    ) -> Result<Vec<f32>, ModelError> {
        let mut all = Vec::with_capacity(c.taps * c.channels);
        for part in ["ssm_conv1d_q", "ssm_conv1d_k", "ssm_conv1d_v"] {
            let name = name(&format!("{part}.weight"));
            all.extend(self.vector(&name, &[c.taps, 1, c.inner()])?);
        }
        Ok(by_tap(&all, c.taps))
    }

    pub(super) fn kimi_heads(
        &mut self,
        name: &dyn Fn(&str) -> String,
        c: &RecurrentConfig,
    ) -> Result<Heads, ModelError> {
        let rates = name("ssm_a");
        let is_flat = self.gguf.tensor(&rates).is_some_and(|rates| rates.shape.len() == 1);
        let shape: &[usize] = if is_flat { &[c.n_heads] } else { &[1, c.n_heads] };
        let mut rate = self.vector(&rates, shape)?;
        if c.gate_bound.is_some() && c.ranks[0] > 0 {
            // Files with two matrices of decays have these numbers with a minus.
            rate.iter_mut().for_each(|rate| *rate = -*rate);
        }
        Ok(Heads {
            bias: self.vector(&name("ssm_dt.bias"), &[c.inner()])?,
            rate,
            skip: Vec::new(),
            norm: Some(self.norm_of_heads(&name("ssm_norm"), c.value_dim)?),
            qk_norms: unit_norms(c),
        })
    }

    /// Queries, keys and values of all heads, whose rows follow each other for each head in the
    /// file; the gate of the output.
    pub(super) fn lightning_input(
        &mut self,
        name: &dyn Fn(&str) -> String,
        c: &RecurrentConfig,
        d_model: usize,
    ) -> Result<Vec<WeightMatrix>, ModelError> {
        let (inner, width) = (c.inner(), c.key_dim);
        let from = |row: usize| {
            let (part, row) = (row / inner, row % inner);
            (row / width * 3 + part) * width + row % width
        };
        let whole = name("attn_qkv.weight");
        Ok(vec![
            self.picked_rows(&whole, 3 * inner, &from, 3 * inner, d_model)?,
            self.matrix(&name("attn_gate.weight"), inner, d_model)?,
        ])
    }

    /// Head h of H decays by e^-slope, slope = 2^(-8(h + 1)/H), which shrinks from the first layer
    /// to the last.
    pub(super) fn lightning_heads(
        &mut self,
        name: &dyn Fn(&str) -> String,
        config: &Config,
        c: &RecurrentConfig,
        i: usize,
    ) -> Result<Heads, ModelError> {
        let last = (config.layers.len() - 1).max(1) as f64;
        let share = 1.0 - i as f64 / last + 1e-5;
        let slope = |head: usize| libm::exp2(-8.0 * (head + 1) as f64 / c.n_heads as f64);
        let decay = |head: usize| libm::exp(-slope(head) * share) as f32;
        Ok(Heads {
            bias: Vec::new(),
            rate: (0..c.n_heads).map(decay).collect(),
            skip: Vec::new(),
            norm: Some(self.norm_of_heads(&name("attn_norm_2"), c.inner())?),
            qk_norms: [Vec::new(), Vec::new()],
        })
    }

    fn norm_of_heads(&mut self, name: &str, width: usize) -> Result<Norm, ModelError> {
        let norm = self.norm(name, &[width])?;
        norm.ok_or_else(|| missing(&format!("{name}.weight"), &[width]))
    }
}
