//! What a family of models is, as data: a row says what the family's files don't say, which tensors
//! and hyperparameters the engine reads, and which are known to change nothing. Every other tensor
//! and hyperparameter is a reason to refuse the file.
//!
//! A new family is a row in one of the tables of this folder. Nothing else in the engine compares
//! an architecture's name. Names of tensors and keys: llama.cpp's `src/llama-arch.cpp`; what each
//! family's graph does with them: its `src/models/`. llama.cpp refuses a file with tensors that it
//! doesn't read, too.

mod compressed;
mod expert_rules;
mod experts;
mod features;
mod gpt_like;
mod image_text;
mod keys;
mod latent;
mod layer_norm;
mod llama4;
mod llama_like;
mod more_experts;
mod more_mixtures;
mod more_parts;
mod recurrent;
mod recurrent_rules;
mod refused;
mod rms_norm;
mod scales;
mod state_streams;
mod states;
mod tensors;
mod varied;

pub use expert_rules::Gating;
pub(super) use expert_rules::{
    DenseBeside, ExpertRules, ExpertWidth, GatingRule, Limited, Normalized, SharedWidth,
};
pub(super) use features::{
    AttentionGate, FeedForward, LayerScale, Layers, LogitScale, Residual, Rotary, Scale,
    ScoreScale, Sections, WindowRotary, Windows, YarnLog,
};
pub(super) use refused::why;
pub(super) use scales::is_nvfp4;

pub(super) use recurrent_rules::{RecurrentLayers, RecurrentRules};

use std::ops::Range;

use kelvin_kernels::rope::Pairing;

use super::{
    ModelError,
    kinds::{NormKind, PositionTemperature, QkNorm},
};
use crate::{
    gguf::{Gguf, Metadata, Value},
    names::{listed, quoted},
    rules::{self, Row, Use, in_rows},
    saved,
};

/// One family.
#[derive(Debug)]
pub(super) struct Family {
    /// `general.architecture`.
    pub(super) architecture: &'static str,
    pub(super) norm: NormKind,
    /// Norms are LayerNorms in files that have no epsilon of root-mean-square norms.
    pub(super) norm_by_key: bool,
    /// Norms of the stream go over parts of it, as many as the file says.
    pub(super) norm_parts: bool,
    /// Names of the norm before attention; the first that the file has counts. None: no norm.
    pub(super) attention_norms: &'static [&'static str],
    /// Names of the norm before the feed-forward layer, likewise.
    pub(super) ffn_norms: &'static [&'static str],
    /// The outputs of attention and feed-forward have norms.
    pub(super) post_norms: bool,
    /// The epsilon of those norms, where it isn't the file's.
    pub(super) post_norm_eps: Option<f32>,
    /// Names of norms that have no weights.
    pub(super) unweighted_norms: &'static [&'static str],
    pub(super) residual: Residual,
    pub(super) feed_forward: FeedForward,
    /// The mixture of experts of layers that have one.
    pub(super) experts: Option<ExpertRules>,
    /// The recurrent part of layers that have one.
    pub(super) recurrent: Option<RecurrentRules>,
    /// The name of the norm before the output.
    pub(super) output_norm: &'static str,
    /// The feed-forward layer's width is `feed_forward_length` divided by this.
    pub(super) ffn_divisor: usize,
    /// What the matrix `attn_gate` weighs, where a file has it.
    pub(super) attention_gate: AttentionGate,
    /// What the number `layer_output_scale` multiplies, where a file has it.
    pub(super) layer_scale: LayerScale,
    pub(super) layers: Layers,
    /// Values of a head may have fewer numbers than its keys.
    pub(super) narrow_values: bool,
    /// Where a layer has no matrix of values, its keys serve.
    pub(super) keys_as_values: bool,
    /// Layers after so many read keys and values of earlier ones; 0: as the file says.
    pub(super) own_caches: usize,
    /// Queries, keys and values are made of few numbers for each token (MLA, arXiv 2405.04434).
    pub(super) latent: bool,
    /// The stream has three others beside it (AltUp, arXiv 2301.13310).
    pub(super) streams: bool,
    /// Two stacks of layers run by turns, each on the sum of what both made (HRM, arXiv
    /// 2506.21734).
    pub(super) stacks: bool,
    /// Logits of tokens that stand for parts of an image, which are never made.
    pub(super) image_tokens: Range<usize>,
    /// What a norm of queries and keys goes over, where the file has one.
    pub(super) qk_norm: QkNorm,
    /// Queries and keys are rotated before their norm.
    pub(super) norm_after_rotation: bool,
    /// Norms of queries and keys are LayerNorms, whatever the others are.
    pub(super) qk_layer_norm: bool,
    /// Queries and keys have a norm only in layers that rotate them, and in models of so many
    /// experts nowhere.
    pub(super) rotated_norms: Option<usize>,
    pub(super) pairing: Pairing,
    pub(super) rotary: Rotary,
    /// Layers without a window rotate half as many numbers as the file says.
    pub(super) half_rotary: bool,
    pub(super) yarn_log: YarnLog,
    /// YaRN's `yarn_beta_fast`, unless the file says another.
    pub(super) yarn_beta_fast: f64,
    pub(super) sections: Sections,
    pub(super) windows: Windows,
    /// How queries grow with their position, whatever the file says.
    pub(super) temperature: Option<PositionTemperature>,
    /// The greatest bias of ALiBi, unless the file says another.
    pub(super) alibi: f64,
    /// Only models of so many layers have ALiBi; 0: all.
    pub(super) alibi_layers: usize,
    pub(super) embedding_scale: Scale,
    pub(super) residual_scale: Scale,
    pub(super) logit_scale: LogitScale,
    pub(super) score_scale: ScoreScale,
    /// The cap of attention scores, unless the file says another; 0 is none.
    pub(super) score_cap: f64,
    /// The cap of logits, unless the file says another; 0 is none.
    pub(super) logit_cap: f64,
    /// Groups of tensors without which a file is refused.
    pub(super) required: &'static [&'static [&'static str]],
    /// Groups of tensors that are read where a file has them.
    pub(super) optional: &'static [&'static [&'static str]],
    /// Groups of scales of matrices that are read, whatever the format of the matrix.
    pub(super) scales: scales::Scales,
    /// Layers with one of these tensors read none.
    pub(super) without_scales: &'static [&'static str],
    /// Tensors that a file may have and text needs none of.
    pub(super) unused: &'static [&'static str],
    pub(super) unused_because: &'static str,
    /// Groups of tensors that llama.cpp loads where a file has them, and that its graph of the
    /// family doesn't read.
    pub(super) idle: &'static [&'static [&'static str]],
    /// Hyperparameters whose product is how many positions attention selects. Texts end there: up
    /// to that many it sees them all.
    pub(super) selects: &'static [&'static str],
    /// A file may lack these: attention sees everything then.
    pub(super) may_see_all: bool,
    /// Groups of hyperparameters, by their names after `ARCH.`, besides those of every family and
    /// of every mixture of experts (`key_rows`).
    pub(super) keys: &'static [&'static [Row]],
    /// Hyperparameters whose names don't begin with `ARCH.`.
    pub(super) bare_keys: &'static [Row],
}

/// Every family that can be run.
pub(super) fn all() -> impl Iterator<Item = &'static Family> {
    let tables = [
        rms_norm::FAMILIES,
        layer_norm::FAMILIES,
        llama_like::FAMILIES,
        gpt_like::FAMILIES,
        image_text::FAMILIES,
        more_parts::FAMILIES,
        varied::FAMILIES,
        latent::FAMILIES,
        compressed::FAMILIES,
        recurrent::FAMILIES,
        states::FAMILIES,
        state_streams::FAMILIES,
        llama4::FAMILIES,
        experts::FAMILIES,
        more_experts::FAMILIES,
        more_mixtures::FAMILIES,
    ];
    tables.into_iter().flatten()
}

/// The family of an architecture's name.
pub(super) fn find(architecture: &str) -> Option<&'static Family> {
    all().find(|family| family.architecture == architecture)
}

/// What becomes of a metadata key that isn't the vocabulary's. Hyperparameters stand after `ARCH.`.
pub(crate) fn of_key(metadata: &Metadata, key: &str, value: &Value) -> Use {
    if let Some(found) = rules::of_every_file(key, value) {
        return found;
    }
    let architecture = metadata.str("general.architecture").ok().flatten().unwrap_or_default();
    let family = find(architecture);
    match key.strip_prefix(architecture).and_then(|rest| rest.strip_prefix('.')) {
        Some(key) => match in_rows(family.into_iter().flat_map(Family::key_rows), key, value) {
            None | Some(Use::Refused(_))
                if saved::is_initial(metadata, architecture, key, value) =>
            {
                Use::Ignored(saved::REASON)
            }
            None => Use::Refused("the engine doesn't know what it changes".to_string()),
            Some(found) => found,
        },
        None => family
            .and_then(|family| in_rows(family.bare_keys.iter(), key, value))
            .unwrap_or(Use::Ignored("belongs to no part of this engine")),
    }
}

/// The refused keys of a file, with the reasons; none if there are none. The vocabulary's keys earn
/// warnings at most.
pub(super) fn refused_keys(metadata: &Metadata) -> Option<String> {
    let own = metadata.entries.iter().filter(|(key, _)| !key.starts_with("tokenizer."));
    let refused = own.filter_map(|(key, value)| match of_key(metadata, key, value) {
        Use::Refused(reason) => Some(format!("{} ({reason})", quoted(key))),
        _ => None,
    });
    listed(refused)
}

/// What becomes of each tensor, in file order.
pub(crate) fn of_tensors(gguf: &Gguf) -> Vec<Use> {
    let text = |key: &str| gguf.metadata.str(key).ok().flatten();
    let architecture = text("general.architecture").unwrap_or_default();
    let n_layers =
        gguf.metadata.u32(&format!("{architecture}.block_count")).ok().flatten().unwrap_or(0);
    let family = find(architecture);
    let n_predicting = family.map_or(0, |family| family.n_predicting_layers(&gguf.metadata));
    let n_read = n_layers.saturating_sub(n_predicting);
    let of = |name: &str| match family.filter(|_| is_layer_below(name, n_layers)) {
        Some(_) if !is_layer_below(name, n_read) => {
            Use::Ignored("belongs to a layer that predicts several tokens at once")
        }
        Some(family) if family.presence(name, gguf).is_some() => Use::Read,
        found => match found.and_then(|family| family.unused(name, gguf)) {
            Some(reason) => Use::Ignored(reason),
            None => Use::Refused("the engine doesn't read it".to_string()),
        },
    };
    gguf.tensors.iter().map(|tensor| of(&tensor.name)).collect()
}

/// Whether a family's files must have a tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    Required,
    Optional,
}

impl Family {
    /// Whether the engine reads the tensor called `name`, and whether a file must have it. The
    /// hyperparameters say which layers have a mixture of experts.
    pub(super) fn presence(&self, name: &str, gguf: &Gguf) -> Option<Presence> {
        let lists = |groups: &[&[&str]]| groups.iter().any(|group| is_among(group, name));
        let (layer, part) = in_layer(name).unzip();
        let has_experts = layer
            .and_then(|layer| layer.parse().ok())
            .is_some_and(|layer| self.has_experts(gguf, layer));
        let rules = self.experts.as_ref().filter(|_| has_experts);
        let has_no_dense = rules.is_some_and(|rules| rules.dense == DenseBeside::Nothing);
        if has_no_dense && part.is_some_and(expert_rules::is_dense) {
            None
        } else if lists(self.required) || rules.is_some_and(|rules| lists(rules.required)) {
            Some(Presence::Required)
        } else if rules.is_some_and(|rules| lists(rules.optional)) {
            Some(Presence::Optional)
        } else {
            let is_there = lists(self.optional) || self.reads_scale(name, rules.is_some(), gguf);
            is_there.then_some(Presence::Optional)
        }
    }

    /// Whether a file must have the tensors of this name in a row's list.
    pub(super) fn needs(&self, tensor: &str) -> bool {
        self.required.iter().any(|group| group.contains(&tensor))
    }

    /// Why the tensor called `name` changes nothing, if a file may have it and needn't.
    pub(super) fn unused(&self, name: &str, gguf: &Gguf) -> Option<&'static str> {
        // Beside each matrix's scale NVFP4 files have one of its input.
        let matrix = name.strip_suffix(".input_scale").map(|matrix| format!("{matrix}.scale"));
        if matrix.is_some_and(|scale| scales::is_scale(&scale)) {
            return Some("is for activations of 4 bits; the engine's have more");
        }
        if self.is_idle_scale(name, gguf) {
            return Some("has no effect in llama.cpp 0.6.0 on matrices of this format");
        }
        if self.idle.iter().any(|group| is_among(group, name)) {
            return Some("the family's graph in llama.cpp doesn't read it");
        }
        is_among(self.unused, name).then_some(self.unused_because)
    }

    /// What is said of hyperparameters; the first row about one counts.
    fn key_rows(&self) -> impl Iterator<Item = &'static Row> {
        let of_experts: &[&[Row]] = if self.experts.is_some() {
            &[keys::EXPERTS_KEYS, keys::NO_OTHER_ROUTING]
        } else {
            &[keys::NO_EXPERTS]
        };
        let of_states: &[&[Row]] =
            if self.recurrent.is_some() { &[keys::RECURRENT_LAYERS_SAID] } else { &[] };
        let common: &[&[Row]] = &[keys::SHAPES, keys::NOT_DONE, keys::UNUSED];
        self.keys.iter().chain(of_experts).chain(of_states).chain(common).copied().flatten()
    }

    /// Whether the engine reads the hyperparameter called `ARCH.key`, whatever its value.
    pub(super) fn reads_key(&self, key: &str) -> bool {
        let row = self.key_rows().find(|row| row.key == key);
        row.is_some_and(|row| matches!(row.rule, rules::Rule::Read))
    }
}

/// Whether a tensor's name is one of `rows`.
fn is_among(rows: &[&str], name: &str) -> bool {
    match in_layer(name) {
        Some((_, part)) => rows.iter().any(|row| row.strip_prefix("blk.*.") == Some(part)),
        None => rows.contains(&name),
    }
}

/// The layer and the rest of a name `blk.LAYER.REST`.
fn in_layer(name: &str) -> Option<(&str, &str)> {
    name.strip_prefix("blk.").and_then(|rest| rest.split_once('.'))
}

/// Whether a name belongs to no layer or to one of the first `n_layers`.
fn is_layer_below(name: &str, n_layers: u32) -> bool {
    in_layer(name).is_none_or(|(number, _)| {
        // One number has one spelling: "blk.01." isn't layer 1.
        let layer = number.parse::<u32>().ok().filter(|layer| layer.to_string() == number);
        layer.is_some_and(|layer| layer < n_layers)
    })
}

/// Refuses a file with tensors of which `is_read` says no.
pub(super) fn refuse_unread(
    gguf: &Gguf,
    architecture: &str,
    is_read: impl Fn(usize, &str) -> bool,
) -> Result<(), ModelError> {
    let unread = gguf.tensors.iter().enumerate().filter(|(i, tensor)| !is_read(*i, &tensor.name));
    match listed(unread.map(|(_, tensor)| quoted(&tensor.name))) {
        Some(names) => Err(ModelError::Unread {
            what: "tensors",
            architecture: architecture.to_string(),
            names,
        }),
        None => Ok(()),
    }
}
