//! The weights of a layer's attention.

use kelvin_kernels::matrix::WeightMatrix;

use super::{
    super::{
        Config, LatentConfig, LayerConfig, ModelError, QkNorm, SharedKeyConfig,
        families::{AttentionGate, is_nvfp4},
    },
    Adapters, After, Experts, Loader, Norm,
    latent::Latent,
    shared_key::SharedKey,
};

/// One layer's attention. Matrices are rows (outputs) × columns (inputs).
#[derive(Debug)]
pub(crate) struct Attention {
    /// d_model.
    pub(crate) norm: Option<Norm>,
    /// What makes queries, keys and values; none where a matrix stands in the place of attention.
    pub(crate) projections: Option<Projections>,
    /// What makes them in latent attention.
    pub(crate) latent: Option<Latent>,
    /// What makes them where all heads share one key of a token.
    pub(crate) shared_key: Option<SharedKey>,
    /// For queries, keys and values: the width of a head, or all heads' widths.
    pub(crate) head_norms: [Option<Norm>; 3],
    /// The experts that make values, where no matrix does.
    pub(crate) values: Option<Box<Experts>>,
    /// n_heads or n_heads·value_dim × d_model: weighs what the heads found.
    pub(crate) gate: Option<WeightMatrix>,
    /// What is done with its products.
    pub(crate) gate_after: After,
    /// n_heads·value_dim.
    pub(crate) sub_norm: Option<Norm>,
    /// d_model × n_heads·value_dim.
    pub(crate) output: WeightMatrix,
    /// n_heads: attention sinks; empty without them.
    pub(crate) sinks: Vec<f32>,
    /// d_model.
    pub(crate) post_norm: Option<Norm>,
    /// What is done with the products with the output matrix.
    pub(crate) after: After,
    /// The adapters of queries, keys, values and the output.
    pub(crate) adapters: Option<[Adapters; 4]>,
}

/// The matrices of queries, keys and values, and what is done with their products.
#[derive(Debug)]
pub(crate) struct Projections {
    /// n_heads·head_dim × d_model.
    pub(crate) q: WeightMatrix,
    /// n_kv_heads·head_dim × d_model; none where another layer's keys and values are read.
    pub(crate) k: Option<WeightMatrix>,
    /// n_kv_heads·value_dim × d_model; none where keys serve as values, or experts make them.
    pub(crate) v: Option<WeightMatrix>,
    pub(crate) after: [After; 3],
}

impl Attention {
    /// Whether tokens attend to each other: a matrix may stand in the place of that.
    pub(crate) fn attends(&self) -> bool {
        self.projections.is_some() || self.latent.is_some() || self.shared_key.is_some()
    }

    /// The matrices that it begins with.
    pub(crate) fn input(&self) -> ([&WeightMatrix; 3], usize) {
        if let Some(latent) = &self.latent {
            let first = latent.q_low.as_ref().map_or(&latent.q, |(matrix, _)| matrix);
            return ([first, &latent.kv_low, &latent.kv_low], 2);
        }
        if let Some(shared) = &self.shared_key {
            return ([&shared.q_low, &shared.key, &shared.key], 2);
        }
        match &self.projections {
            None => ([&self.output; 3], 1),
            Some(Projections { q, k: Some(k), v: Some(v), .. }) => ([q, k, v], 3),
            Some(Projections { q, k: Some(k), .. }) => ([q, k, k], 2),
            Some(Projections { q, .. }) => ([q; 3], 1),
        }
    }

    pub(super) fn matrices(&self) -> impl Iterator<Item = &WeightMatrix> {
        let projections = self.projections.iter();
        let projected = projections.flat_map(|p| [&p.q].into_iter().chain(&p.k).chain(&p.v));
        let latent = self.latent.iter().flat_map(Latent::matrices);
        let adapters = self.adapters.iter().flatten().flat_map(Adapters::matrices);
        let latent = latent.chain(self.shared_key.iter().flat_map(SharedKey::matrices));
        let values = self.values.iter().flat_map(|values| values.matrices());
        let rest = values.chain(&self.gate).chain([&self.output]).chain(adapters);
        projected.chain(latent).chain(rest)
    }
}

/// What is done with the products of queries and with those of their gate, which have one matrix:
/// it has for each head of `width` numbers those of queries, then those of the gate.
fn halves_of_queries(after: &After, width: usize) -> [After; 2] {
    [0, 1].map(|half| {
        let of_half =
            |bias: &Vec<f32>| bias.chunks(width).skip(half).step_by(2).flatten().copied().collect();
        After { scale: after.scale, bias: after.bias.as_ref().map(of_half) }
    })
}

impl Loader<'_> {
    /// The attention of layer `i`, which has heads.
    pub(super) fn attention(&mut self, config: &Config, i: usize) -> Result<Attention, ModelError> {
        let (layer, d_model) = (&config.layers[i], config.d_model);
        let [d_q, d_kv] = [layer.n_heads, layer.n_kv_heads].map(|n| n * layer.head_dim);
        let [d_heads, d_v] = [layer.n_heads, layer.n_kv_heads].map(|n| n * layer.value_dim);
        let block = layer.block;
        let name = |part: &str| format!("blk.{block}.{part}");
        let norm = self.first_norm(self.family.attention_norms, block, d_model)?;
        if layer.n_kv_heads == 0 {
            return self.output_alone(block, d_model, norm);
        }
        if let Some(shared) = &config.shared_key {
            return self.shared_key_attention(config, shared, i, norm);
        }
        if let Some(latent) = config.latent_of(layer) {
            return self.latent_attention(config, latent, i, norm);
        }
        let gate_name = name("attn_gate.weight");
        let gate_rows = self.gate_rows(&gate_name, layer.n_heads, d_heads);
        let in_queries = self.family.attention_gate == AttentionGate::InQueries;
        let gate = match self.has(&gate_name) {
            _ if in_queries => Some(self.rows_in_queries(layer, 1, d_model)?),
            true => Some(self.matrix(&gate_name, gate_rows, d_model)?),
            false => None,
        };
        let mixture = config.value_experts.as_ref().filter(|_| layer.experts);
        let values = mixture.map(|mixture| self.value_experts(mixture, block)).transpose()?;
        let values = values.map(Box::new);
        let mut gate_after = After::default();
        let projections = match layer.cache == i {
            _ if in_queries => {
                let mut after = self.after_qkv(block, [2 * d_q, d_kv, d_v])?;
                [after[0], gate_after] = halves_of_queries(&after[0], layer.head_dim);
                Projections {
                    q: self.rows_in_queries(layer, 0, d_model)?,
                    k: Some(self.matrix(&name("attn_k.weight"), d_kv, d_model)?),
                    v: Some(self.matrix(&name("attn_v.weight"), d_v, d_model)?),
                    after,
                }
            }
            true => self.projections(block, [d_q, d_kv, d_v], d_model, values.is_some())?,
            false => self.queries_alone(block, [d_q, d_kv], d_model)?,
        };
        if self.family.attention_gate == AttentionGate::SoftplusOfTwo {
            gate_after.scale = self.number(&name("attn_gate.scale"))?;
        }
        let head_norms = self.head_norms(config, i)?;
        Ok(Attention {
            gate_after,
            norm,
            projections: Some(projections),
            latent: None,
            shared_key: None,
            values,
            head_norms,
            gate,
            sub_norm: self.norm(&name("attn_sub_norm"), &[d_heads])?,
            output: self.matrix(&name("attn_output.weight"), d_model, d_heads)?,
            sinks: (self.vector_if(&name("attn_sinks.weight"), &[layer.n_heads])?)
                .unwrap_or_default(),
            post_norm: self.post_norm(
                &["post_attention_norm", "attn_output_norm"],
                block,
                d_model,
            )?,
            after: self.after_attention(config, &name("attn_output"))?,
            adapters: self.attention_adapters(config, block, [d_q, d_kv, d_v, d_heads])?,
        })
    }

    /// A layer without heads: its input goes through the output's matrix.
    fn output_alone(
        &mut self,
        block: usize,
        d_model: usize,
        norm: Option<Norm>,
    ) -> Result<Attention, ModelError> {
        let name = format!("blk.{block}.attn_output");
        Ok(Attention {
            norm,
            projections: None,
            latent: None,
            shared_key: None,
            values: None,
            head_norms: [None, None, None],
            gate: None,
            gate_after: After::default(),
            sub_norm: None,
            output: self.matrix(&format!("{name}.weight"), d_model, d_model)?,
            sinks: Vec::new(),
            post_norm: None,
            after: self.after(&name, d_model)?,
            adapters: None,
        })
    }

    /// The rows of a gate's matrix: one for each head, or for each of a head's numbers.
    fn gate_rows(&self, name: &str, n_heads: usize, d_heads: usize) -> usize {
        match self.family.attention_gate {
            AttentionGate::EachHead => n_heads,
            AttentionGate::EachNumber | AttentionGate::InQueries | AttentionGate::SoftplusOfTwo => {
                d_heads
            }
            AttentionGate::Softplus => match self.gguf.tensor(name) {
                Some(gate) if gate.shape.get(1) == Some(&d_heads) => d_heads,
                _ => n_heads,
            },
        }
    }

    /// Latent attention of layer `i`, whose norm is read.
    fn latent_attention(
        &mut self,
        config: &Config,
        latent: &LatentConfig,
        i: usize,
        norm: Option<Norm>,
    ) -> Result<Attention, ModelError> {
        let (layer, d_model, value_dim) = (&config.layers[i], config.d_model, latent.value_dim);
        let name = |part: &str| format!("blk.{}.{part}", layer.block);
        let n_heads = layer.n_heads;
        let latent = self.latent(config, latent, layer)?;
        Ok(Attention {
            norm,
            projections: None,
            latent: Some(latent),
            shared_key: None,
            values: None,
            head_norms: [None, None, None],
            gate: match self.has(&name("attn_gate.weight")) {
                true => {
                    let each_head = self.family.attention_gate == AttentionGate::EachHead;
                    let rows = if each_head { n_heads } else { n_heads * value_dim };
                    Some(self.matrix(&name("attn_gate.weight"), rows, d_model)?)
                }
                false => None,
            },
            gate_after: After::default(),
            sub_norm: None,
            sinks: (self.vector_if(&name("attn_sinks.weight"), &[n_heads])?).unwrap_or_default(),
            output: self.matrix(&name("attn_output.weight"), d_model, n_heads * value_dim)?,
            post_norm: None,
            after: self.after(&name("attn_output"), d_model)?,
            adapters: None,
        })
    }

    /// The attention to shared keys of layer `i`, whose norm is read.
    fn shared_key_attention(
        &mut self,
        config: &Config,
        shared: &SharedKeyConfig,
        i: usize,
        norm: Option<Norm>,
    ) -> Result<Attention, ModelError> {
        let (layer, d_model) = (&config.layers[i], config.d_model);
        let (out_groups, out_rank) = (shared.out_groups, shared.out_rank);
        let name = |part: &str| format!("blk.{}.{part}", layer.block);
        let shared_key = self.shared_key(shared, layer, d_model)?;
        Ok(Attention {
            norm,
            projections: None,
            latent: None,
            shared_key: Some(shared_key),
            values: None,
            head_norms: [None, None, None],
            gate: None,
            gate_after: After::default(),
            sub_norm: None,
            sinks: self.vector(&name("attn_sinks.weight"), &[layer.n_heads])?,
            output: self.matrix(&name("attn_output_b.weight"), d_model, out_groups * out_rank)?,
            post_norm: None,
            after: After::default(),
            adapters: None,
        })
    }

    /// The rows of queries (`half` 0), or those of the gate (1), in a matrix that has for each head
    /// one below the other.
    fn rows_in_queries(
        &mut self,
        layer: &LayerConfig,
        half: usize,
        d_model: usize,
    ) -> Result<WeightMatrix, ModelError> {
        let (n, width) = (layer.n_heads * layer.head_dim, layer.head_dim);
        let from = |row: usize| (2 * (row / width) + half) * width + row % width;
        let name = format!("blk.{}.attn_q.weight", layer.block);
        self.picked_rows(&name, n, &from, 2 * n, d_model)
    }

    /// What is done with attention's output.
    fn after_attention(&mut self, config: &Config, name: &str) -> Result<After, ModelError> {
        let mut after = self.after(name, config.d_model)?;
        if config.value_scale != 1.0 {
            after.scale = Some(after.scale.unwrap_or(1.0) * config.value_scale);
            let scaled = |bias: &mut f32| *bias *= config.value_scale;
            after.bias.iter_mut().flatten().for_each(scaled);
        }
        Ok(after)
    }

    /// The norms of queries, keys and values.
    fn head_norms(&mut self, config: &Config, i: usize) -> Result<[Option<Norm>; 3], ModelError> {
        let layer = &config.layers[i];
        let name = |part: &str| format!("blk.{}.{part}", layer.block);
        let (kind, width) = (self.family.qk_norm, layer.head_dim);
        if let Some(without) = self.family.rotated_norms {
            let n_experts = config.experts.as_ref().map(|experts| experts.n_experts);
            if layer.rope.is_none() || n_experts == Some(without) {
                return Ok([None, None, None]);
            }
        }
        let shape = |n_heads: usize| match kind {
            QkNorm::Head => vec![width],
            QkNorm::EachHead => vec![width, n_heads],
            QkNorm::Whole => vec![n_heads * width],
            QkNorm::ScaleOfHead => vec![1, n_heads],
        };
        let read = |loader: &mut Self, part: &str, n_heads: usize| {
            let mut shape = shape(n_heads);
            // Files of K2 Horizon have them one after another.
            let tensor = loader.gguf.tensor(&format!("{}.weight", name(part)));
            if kind == QkNorm::EachHead && tensor.is_some_and(|tensor| tensor.shape.len() == 1) {
                shape = vec![n_heads * width];
            }
            let mut norm = loader.norm(&name(part), &shape)?;
            if let (Some(norm), QkNorm::ScaleOfHead) = (&mut norm, kind) {
                let each = norm.weight.iter().flat_map(|scale| std::iter::repeat_n(*scale, width));
                norm.weight = each.collect();
            }
            Ok::<_, ModelError>(norm)
        };
        let q = read(self, "attn_q_norm", layer.n_heads)?;
        // A layer that reads another one's keys may lack it.
        let k = match layer.cache == i || self.gguf.tensor(&name("attn_k_norm.weight")).is_some() {
            true => read(self, "attn_k_norm", layer.n_kv_heads)?,
            false => None,
        };
        Ok([q, k, self.norm(&name("attn_v_norm"), &[width])?])
    }

    /// Queries, keys and values, unless those are of experts: parts of one tensor, or several.
    fn projections(
        &mut self,
        block: usize,
        [q, k, v]: [usize; 3],
        d_model: usize,
        of_experts: bool,
    ) -> Result<Projections, ModelError> {
        let fused = format!("blk.{block}.attn_qkv.weight");
        let after = self.after_qkv(block, [q, k, v])?;
        if self.has(&fused) {
            let n = q + k + v;
            return Ok(Projections {
                q: self.rows(&fused, 0..q, n, d_model)?,
                k: Some(self.rows(&fused, q..q + k, n, d_model)?),
                v: Some(self.rows(&fused, q + k..n, n, d_model)?),
                after,
            });
        }
        let name = |part: &str| format!("blk.{block}.{part}.weight");
        let has_values = !of_experts && (!self.family.keys_as_values || self.has(&name("attn_v")));
        let [of_q, of_k, of_v] = after;
        // Keys that serve as values are the products with what is done with them.
        let of_v = if has_values || of_experts { of_v } else { of_k.clone() };
        let after = [of_q, of_k, of_v];
        Ok(Projections {
            q: self.matrix(&name("attn_q"), q, d_model)?,
            k: Some(self.matrix(&name("attn_k"), k, d_model)?),
            v: has_values.then(|| self.matrix(&name("attn_v"), v, d_model)).transpose()?,
            after,
        })
    }

    /// The queries of a layer that reads another one's keys and values. It may have matrices of its
    /// own for these, which aren't used.
    fn queries_alone(
        &mut self,
        block: usize,
        [q, kv]: [usize; 2],
        d_model: usize,
    ) -> Result<Projections, ModelError> {
        let name = |part: &str| format!("blk.{block}.{part}.weight");
        let fused = name("attn_qkv");
        let of_all = self.after_qkv(block, [q, kv, kv])?;
        // llama.cpp 0.6.0 multiplies them in all graphs but that of several streams.
        let is_read = !self.family.streams || is_nvfp4(self.gguf, &format!("blk.{block}.attn_q"));
        let [of_q, ..] = if is_read { of_all } else { Default::default() };
        let after = [of_q, After::default(), After::default()];
        if self.has(&fused) {
            let q = self.rows(&fused, 0..q, q + 2 * kv, d_model)?;
            return Ok(Projections { q, k: None, v: None, after });
        }
        for part in ["attn_k", "attn_v"].map(name) {
            if let Some(info) = self.gguf.tensor(&part) {
                self.find(&part, &[d_model, kv])?;
                self.report(info);
            }
        }
        Ok(Projections { q: self.matrix(&name("attn_q"), q, d_model)?, k: None, v: None, after })
    }

    pub(super) fn after_qkv(
        &mut self,
        block: usize,
        [q, k, v]: [usize; 3],
    ) -> Result<[After; 3], ModelError> {
        let name = |part: &str| format!("blk.{block}.{part}");
        let fused = self.after(&name("attn_qkv"), q + k + v)?;
        let mut all = [
            self.after(&name("attn_q"), q)?,
            self.after(&name("attn_k"), k)?,
            self.after(&name("attn_v"), v)?,
        ];
        for (after, rows) in all.iter_mut().zip([0..q, q..q + k, q + k..q + k + v]) {
            after.scale = after.scale.or(fused.scale);
            if let Some(bias) = &fused.bias {
                after.bias = Some(bias[rows].to_vec());
            }
        }
        Ok(all)
    }
}
