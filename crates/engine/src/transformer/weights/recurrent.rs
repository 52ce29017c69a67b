//! The weights of a layer's recurrent part.

use kelvin_kernels::{matrix::WeightMatrix, recurrence::in_blocks};

use super::{
    super::{Config, ModelError, RecurrentConfig, RecurrentKind},
    Loader, Norm, missing,
};

/// The recurrent part of one layer. Matrices are rows (outputs) × columns (inputs).
#[derive(Debug)]
pub(crate) struct Recurrent {
    /// d_model.
    pub(crate) norm: Option<Norm>,
    /// What makes the convolution's input, channels × d_model; the gate of the output, n_heads ·
    /// value_dim or channels × d_model; then, for heads, how much of a token they take in and how
    /// much they forget, n_heads × d_model each (one matrix for both in Mamba 2); for short
    /// convolutions the gate of the input, channels × d_model.
    pub(crate) input: Vec<WeightMatrix>,
    /// A factor of the products with each of these matrices, and with `output`.
    pub(crate) scales: [Option<f32>; 4],
    pub(crate) output_scale: Option<f32>,
    /// taps × channels: weights of the convolution, those of the current token last.
    pub(crate) taps: Vec<f32>,
    /// channels.
    pub(crate) conv_bias: Option<Vec<f32>>,
    /// What heads need besides.
    pub(crate) heads: Option<Heads>,
    /// What makes keys, queries and steps of the convolution's output (Mamba).
    pub(crate) selective: Option<Selective>,
    /// n_heads·key_dim × rank each: the second matrices of what makes KDA's decays and the gate of
    /// the output; empty where there is one matrix.
    pub(crate) spread: Vec<WeightMatrix>,
    /// d_model × n_heads·value_dim or channels.
    pub(crate) output: WeightMatrix,
    /// d_model.
    pub(crate) post_norm: Option<Norm>,
}

/// What makes a state's inputs of the convolution's output.
#[derive(Debug)]
pub(crate) struct Selective {
    /// rank + 2·key_dim × channels: what steps are made of, keys and queries.
    pub(crate) low: WeightMatrix,
    /// Where these three begin.
    pub(crate) at: [usize; 3],
    /// The norms of these three: rank, key_dim and key_dim.
    pub(crate) norms: [Option<Norm>; 3],
    /// n_heads or channels × rank.
    pub(crate) steps: WeightMatrix,
}

/// Of each head.
#[derive(Debug)]
pub(crate) struct Heads {
    /// n_heads; Mamba: channels; KDA: n_heads·key_dim: added to what they forget.
    pub(crate) bias: Vec<f32>,
    /// n_heads: multiplies it. Mamba: as the matrix lies in the state. Lightning: the decays.
    pub(crate) rate: Vec<f32>,
    /// n_heads or channels: how much of a value goes past the state; empty without it.
    pub(crate) skip: Vec<f32>,
    /// value_dim or n_heads·value_dim: the norm of what heads read.
    pub(crate) norm: Option<Norm>,
    /// key_dim each: the delta rule's queries and keys get norms with these weights.
    pub(crate) qk_norms: [Vec<f32>; 2],
}

impl Recurrent {
    pub(super) fn matrices(&self) -> impl Iterator<Item = &WeightMatrix> {
        let selective = self.selective.iter().flat_map(|parts| [&parts.low, &parts.steps]);
        self.input.iter().chain(selective).chain(&self.spread).chain([&self.output])
    }

    /// The matrices that it begins with.
    pub(super) fn first_matrices(&self) -> ([&WeightMatrix; 3], usize) {
        let [first, second, ..] = self.input.as_slice() else {
            return ([&self.output; 3], 1);
        };
        ([first, second, second], 2)
    }
}

impl Loader<'_> {
    /// The recurrent part of layer `i`.
    pub(super) fn recurrent(
        &mut self,
        config: &Config,
        c: &RecurrentConfig,
        i: usize,
    ) -> Result<Recurrent, ModelError> {
        let (block, d_model) = (config.layers[i].block, config.d_model);
        let name = |part: &str| format!("blk.{block}.{part}");
        let norm = self.first_norm(self.family.attention_norms, block, d_model)?;
        let (conv, output) = match c.kind {
            RecurrentKind::ShortConvolution => ("shortconv.conv", "shortconv.out_proj.weight"),
            RecurrentKind::KimiDelta | RecurrentKind::Lightning => ("", "attn_output.weight"),
            _ => ("ssm_conv1d", "ssm_out.weight"),
        };
        let width = if c.n_heads > 0 { c.inner() } else { c.channels };
        Ok(Recurrent {
            norm,
            input: self.recurrent_input(&name, c, d_model)?,
            scales: self.recurrent_scales(&name, c)?,
            output_scale: self.number(&name("ssm_out.scale"))?,
            taps: match c.kind {
                RecurrentKind::KimiDelta => self.taps_of_three(&name, c)?,
                RecurrentKind::Lightning => Vec::new(),
                _ => {
                    let name = name(&format!("{conv}.weight"));
                    by_tap(&self.vector(&name, &[c.taps, c.channels])?, c.taps)
                }
            },
            conv_bias: match conv {
                "" => None,
                conv => self.vector_if(&name(&format!("{conv}.bias")), &[c.channels])?,
            },
            heads: match c.kind {
                RecurrentKind::ShortConvolution => None,
                RecurrentKind::KimiDelta => Some(self.kimi_heads(&name, c)?),
                RecurrentKind::Lightning => Some(self.lightning_heads(&name, config, c, i)?),
                RecurrentKind::Mamba => Some(self.mamba_heads(&name, c)?),
                _ => Some(self.recurrent_heads(&name, c)?),
            },
            selective: match c.kind {
                RecurrentKind::Mamba | RecurrentKind::SelectiveHeads => {
                    Some(self.selective(&name, c)?)
                }
                _ => None,
            },
            spread: match c.kind {
                RecurrentKind::KimiDelta => self.kimi_spread(&name, c)?,
                _ => Vec::new(),
            },
            output: self.matrix(&name(output), d_model, width)?,
            post_norm: self.post_norm(&["post_attention_norm"], block, d_model)?,
        })
    }

    /// The matrices that the recurrent part begins with.
    fn recurrent_input(
        &mut self,
        name: &dyn Fn(&str) -> String,
        c: &RecurrentConfig,
        d_model: usize,
    ) -> Result<Vec<WeightMatrix>, ModelError> {
        let (channels, inner, whole) = (c.channels, c.inner(), name("ssm_in.weight"));
        match c.kind {
            RecurrentKind::ShortConvolution => {
                let whole = name("shortconv.in_proj.weight");
                let mut part = |at: usize| {
                    let rows = at * channels..(at + 1) * channels;
                    self.rows(&whole, rows, 3 * channels, d_model)
                };
                [2, 1, 0].map(&mut part).into_iter().collect()
            }
            RecurrentKind::DeltaNet => {
                let mut input = self.delta_inputs(name, c, d_model)?;
                input.extend(self.rates(name, c, d_model)?);
                Ok(input)
            }
            RecurrentKind::Mamba2 => {
                let n = inner + channels + c.n_heads;
                Ok(vec![
                    self.rows(&whole, inner..inner + channels, n, d_model)?,
                    self.rows(&whole, 0..inner, n, d_model)?,
                    self.rows(&whole, inner + channels..n, n, d_model)?,
                ])
            }
            RecurrentKind::Mamba => Ok(vec![
                self.rows(&whole, 0..inner, 2 * inner, d_model)?,
                self.rows(&whole, inner..2 * inner, 2 * inner, d_model)?,
            ]),
            RecurrentKind::SelectiveHeads => {
                // For each head the gate's rows, then the values'.
                let width = c.value_dim;
                let of_head =
                    |half: usize, row: usize| (row / width * 2 + half) * width + row % width;
                let mut half =
                    |i| self.picked_rows(&whole, inner, &|r| of_head(i, r), 2 * inner, d_model);
                Ok(vec![half(1)?, half(0)?])
            }
            RecurrentKind::KimiDelta => self.kimi_input(name, c, d_model),
            RecurrentKind::Lightning => self.lightning_input(name, c, d_model),
            RecurrentKind::Rwkv6 | RecurrentKind::Rwkv7 => Ok(Vec::new()),
        }
    }

    /// Factors of the products with the matrices that the recurrent part begins with.
    fn recurrent_scales(
        &mut self,
        name: &dyn Fn(&str) -> String,
        c: &RecurrentConfig,
    ) -> Result<[Option<f32>; 4], ModelError> {
        Ok(match c.kind {
            RecurrentKind::DeltaNet if self.has_own_gate(name) => {
                let parts = ["attn_qkv", "attn_gate", "ssm_beta", "ssm_alpha"];
                let mut scales = [None; 4];
                for (scale, part) in scales.iter_mut().zip(parts) {
                    *scale = self.number(&name(&format!("{part}.scale")))?;
                }
                scales
            }
            RecurrentKind::Mamba2 | RecurrentKind::Mamba => {
                [self.number(&name("ssm_in.scale"))?; 4]
            }
            _ => [None; 4],
        })
    }

    /// What makes keys, queries and steps of the convolution's output.
    fn selective(
        &mut self,
        name: &dyn Fn(&str) -> String,
        c: &RecurrentConfig,
    ) -> Result<Selective, ModelError> {
        let (rank, key_dim) = (c.ranks[0], c.key_dim);
        let is_mamba = c.kind == RecurrentKind::Mamba;
        let n_steps = if is_mamba { c.channels } else { c.n_heads };
        let at = if is_mamba { [0, rank, rank + key_dim] } else { [2 * key_dim, 0, key_dim] };
        let widths = [("ssm_dt_norm", rank), ("ssm_b_norm", key_dim), ("ssm_c_norm", key_dim)];
        let mut norms = [None, None, None];
        for (norm, (part, width)) in norms.iter_mut().zip(widths) {
            *norm = match c.unit_norms {
                true => Some(Norm { weight: vec![1.0; width], bias: None }),
                false => self.norm(&name(part), &[width])?,
            };
        }
        Ok(Selective {
            low: self.matrix(&name("ssm_x.weight"), rank + 2 * key_dim, c.channels)?,
            at,
            norms,
            steps: self.matrix(&name("ssm_dt.weight"), n_steps, rank)?,
        })
    }

    /// Of Mamba's one head.
    fn mamba_heads(
        &mut self,
        name: &dyn Fn(&str) -> String,
        c: &RecurrentConfig,
    ) -> Result<Heads, ModelError> {
        let (key_dim, inner) = (c.key_dim, c.channels);
        let by_column = self.vector(&name("ssm_a"), &[key_dim, inner])?;
        let table: Vec<f32> =
            (0..key_dim * inner).map(|i| by_column[i % inner * key_dim + i / inner]).collect();
        Ok(Heads {
            bias: self.vector(&name("ssm_dt.bias"), &[inner])?,
            rate: in_blocks(&table, key_dim, inner),
            skip: self.vector(&name("ssm_d"), &[inner])?,
            norm: None,
            qk_norms: [Vec::new(), Vec::new()],
        })
    }

    /// Whether the gate of the delta rule's output has a matrix of its own. A file may have the
    /// other form besides, which says nothing then.
    fn has_own_gate(&self, name: &dyn Fn(&str) -> String) -> bool {
        self.has(&name("attn_qkv.weight")) || !self.has(&name("ssm_in.weight"))
    }

    /// What makes the delta rule's queries, keys and values, and the gate of the output: two
    /// matrices, or one in which each group's rows of all four follow each other.
    fn delta_inputs(
        &mut self,
        name: &dyn Fn(&str) -> String,
        c: &RecurrentConfig,
        d_model: usize,
    ) -> Result<Vec<WeightMatrix>, ModelError> {
        let (channels, inner, all) = (c.channels, c.inner(), name("ssm_in.weight"));
        if self.has_own_gate(name) {
            return Ok(vec![
                self.matrix(&name("attn_qkv.weight"), channels, d_model)?,
                self.matrix(&name("attn_gate.weight"), inner, d_model)?,
            ]);
        }
        let (keys, share) = (c.n_groups * c.key_dim, inner / c.n_groups);
        // Row `row` of a part with `width` rows of each group, which begins at `at` there.
        let of_group = |row: usize, width: usize, at: usize| {
            row / width * 2 * (c.key_dim + share) + at + row % width
        };
        let mixed = |row: usize| match row {
            row if row < keys => of_group(row, c.key_dim, 0),
            row if row < 2 * keys => of_group(row - keys, c.key_dim, c.key_dim),
            row => of_group(row - 2 * keys, share, 2 * c.key_dim),
        };
        let gate = |row: usize| of_group(row, share, 2 * c.key_dim + share);
        let n = channels + inner;
        Ok(vec![
            self.picked_rows(&all, channels, &mixed, n, d_model)?,
            self.picked_rows(&all, inner, &gate, n, d_model)?,
        ])
    }

    /// What makes the delta rule's rates and what heads forget: two matrices, or one in which each
    /// group's rows of both follow each other.
    fn rates(
        &mut self,
        name: &dyn Fn(&str) -> String,
        c: &RecurrentConfig,
        d_model: usize,
    ) -> Result<[WeightMatrix; 2], ModelError> {
        let (n_heads, both) = (c.n_heads, name("ssm_ba.weight"));
        if !self.has(&both) {
            let [beta, alpha] = ["ssm_beta.weight", "ssm_alpha.weight"].map(name);
            return Ok([
                self.matrix(&beta, n_heads, d_model)?,
                self.matrix(&alpha, n_heads, d_model)?,
            ]);
        }
        let share = n_heads / c.n_groups;
        let mut half = |at: usize| {
            let from = |head: usize| head / share * 2 * share + at * share + head % share;
            self.picked_rows(&both, n_heads, &from, 2 * n_heads, d_model)
        };
        Ok([half(0)?, half(1)?])
    }

    fn recurrent_heads(
        &mut self,
        name: &dyn Fn(&str) -> String,
        c: &RecurrentConfig,
    ) -> Result<Heads, ModelError> {
        let (n_heads, inner) = (c.n_heads, c.inner());
        let is_delta = c.kind == RecurrentKind::DeltaNet;
        let of_heads = |loader: &mut Self, part: &str| {
            let is_column = c.kind == RecurrentKind::Mamba2;
            let shape: &[usize] = if is_column { &[1, n_heads] } else { &[n_heads] };
            loader.vector(&name(part), shape)
        };
        let norm_shape = match is_delta {
            true => vec![c.value_dim],
            false => vec![inner / c.n_groups, c.n_groups],
        };
        let norm = match c.kind {
            RecurrentKind::SelectiveHeads => None,
            _ => self.norm(&name("ssm_norm"), &norm_shape)?,
        };
        if is_delta && norm.is_none() {
            return Err(missing(&name("ssm_norm.weight"), &norm_shape));
        }
        Ok(Heads {
            bias: self.vector(&name("ssm_dt.bias"), &[n_heads])?,
            rate: of_heads(self, "ssm_a")?,
            skip: if is_delta { Vec::new() } else { of_heads(self, "ssm_d")? },
            norm,
            qk_norms: unit_norms(c),
        })
    }

    /// Some rows of a matrix of `n_rows`: row `i` is row `from(i)` of the file.
    pub(super) fn picked_rows(
        &mut self,
        name: &str,
        rows: usize,
        from: &(dyn Fn(usize) -> usize + Sync),
        n_rows: usize,
        cols: usize,
    ) -> Result<WeightMatrix, ModelError> {
        let info = self.find(name, &[cols, n_rows])?;
        let row_bytes = info.n_bytes / n_rows;
        let read = |at: usize, out: &mut [u8]| {
            for (i, row) in out.chunks_mut(row_bytes).enumerate() {
                self.gguf.read_part(info, from(at / row_bytes + i) * row_bytes, row)?;
            }
            Ok(())
        };
        let (arena, format) = (&mut self.arena, info.format);
        let packed = WeightMatrix::read(self.pool, arena, format, rows, cols, &read);
        self.report(info);
        packed
    }
}

/// The weights that make root-mean-square norms of length 1 / sqrt(key_dim) for queries, 1 for
/// keys.
pub(super) fn unit_norms(c: &RecurrentConfig) -> [Vec<f32>; 2] {
    let key_dim = c.key_dim as f32;
    [1.0 / key_dim, 1.0 / key_dim.sqrt()].map(|x| vec![x; c.key_dim])
}

/// A convolution's weights `[channels][taps]` as `[taps][channels]`.
pub(super) fn by_tap(by_channel: &[f32], taps: usize) -> Vec<f32> {
    let channels = by_channel.len() / taps;
    (0..by_channel.len()).map(|i| by_channel[i % channels * taps + i / channels]).collect()
}
