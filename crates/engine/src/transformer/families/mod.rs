//! What a family of models is, as data: a row says what the family's files don't say, which tensors
//! and hyperparameters the engine reads, and which are known to change nothing. Every other tensor
//! and hyperparameter is a reason to refuse the file.
//!
//! A new family is a row in `rms_norm` or `layer_norm`. Nothing else in the engine compares an
//! architecture's name. Names of tensors and keys: llama.cpp's `src/llama-arch.cpp`; what each
//! family's graph does with them: its `src/models/`. llama.cpp refuses a file with tensors that it
//! doesn't read, too.

mod keys;
mod layer_norm;
mod rms_norm;
mod tensors;

use kelvin_kernels::{gate::Activation, rope::Pairing};

use super::{ModelError, NormKind, QkNorm};
use crate::{
    gguf::{Gguf, Value},
    uses::{Row, Use, in_rows, listed, quoted},
};

/// One family.
#[derive(Debug)]
pub(super) struct Family {
    /// `general.architecture`.
    pub(super) architecture: &'static str,
    pub(super) norm: NormKind,
    /// Names of the norm before attention; the first that the file has counts. None: no norm.
    pub(super) attention_norms: &'static [&'static str],
    /// Names of the norm before the feed-forward layer, likewise.
    pub(super) ffn_norms: &'static [&'static str],
    /// The outputs of attention and feed-forward have norms.
    pub(super) post_norms: bool,
    pub(super) residual: Residual,
    pub(super) feed_forward: FeedForward,
    /// What a norm of queries and keys goes over, where the file has one.
    pub(super) qk_norm: QkNorm,
    /// Queries and keys are rotated before their norm.
    pub(super) norm_after_rotation: bool,
    pub(super) pairing: Pairing,
    pub(super) rotary: Rotary,
    pub(super) windows: Windows,
    /// The greatest bias of ALiBi, unless the file says another.
    pub(super) alibi: f64,
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
    /// Groups of hyperparameters, by their names after `ARCH.`.
    pub(super) keys: &'static [&'static [Row]],
    /// Hyperparameters whose names don't begin with `ARCH.`.
    pub(super) bare_keys: &'static [Row],
}

/// How attention and feed-forward are added to the residual stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Residual {
    /// Feed-forward sees what attention added.
    Sequential,
    /// Both see the same stream.
    Parallel,
    /// As `use_parallel_residual` says.
    ByKey,
    /// Parallel in layers without the first of `ffn_norms`.
    ByNorm,
}

/// A feed-forward layer's parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FeedForward {
    /// activation(gate) · up.
    Gated(Activation),
    /// Gate and up projections stacked in one tensor.
    FusedGate(Activation),
    /// activation(up).
    Plain(Activation),
    /// xielu(up), with parameters for each layer.
    Xielu,
}

/// Which layers rotate queries and keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rotary {
    Never,
    EveryLayer,
    /// All but each so-manieth.
    AllBut(usize),
    /// Those with a window; all if no layer has one.
    Windowed,
    /// All, unless `rope.scaling.finetuned` is false.
    Switched,
}

/// Which layers see only a window of positions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Windows {
    /// None: a window that the file asks for has to be longer than any text.
    Never,
    /// All, if the file names a window.
    EveryLayer,
    /// All but each so-manieth, unless the file says another pattern.
    Pattern {
        every: usize,
        /// The window, unless the file says another; 0 is none.
        default: usize,
        /// Only models of so many layers have windows; 0: all.
        layers: usize,
        rotary: WindowRotary,
    },
}

/// How layers with a window rotate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum WindowRotary {
    /// As the others do, with `rope.freq_base_swa` if the family reads it and the file has it.
    Same,
    /// As the others do, but without scaling.
    Unscaled,
    /// Without scaling, with this base unless the file has `rope.freq_base_swa`.
    Base(f64),
}

/// A scale that a file may set.
#[derive(Debug, Clone, Copy)]
pub(super) enum Scale {
    One,
    /// sqrt(d_model).
    SqrtWidth,
    /// What the file says; 0 or nothing is 1.
    Key,
    /// What the file says; without it a function of n_layers and d_model.
    KeyOr(fn(usize, usize) -> f64),
}

/// How logits are scaled.
#[derive(Debug, Clone, Copy)]
pub(super) enum LogitScale {
    Times(Scale),
    DividedBy(Scale),
}

/// The scale of attention scores.
#[derive(Debug, Clone, Copy)]
pub(super) enum ScoreScale {
    /// 1/sqrt(head_dim).
    Head,
    /// What the file says; 0 or nothing is 1/sqrt(head_dim).
    Key,
    /// 1/sqrt(d_model / n_heads) in the model of so many layers, 1/sqrt(head_dim) in the others.
    SharedWidthAt(usize),
}

/// Every family that can be run.
pub(super) fn all() -> impl Iterator<Item = &'static Family> {
    rms_norm::FAMILIES.iter().chain(layer_norm::FAMILIES)
}

/// The family of an architecture's name.
pub(super) fn find(architecture: &str) -> Option<&'static Family> {
    all().find(|family| family.architecture == architecture)
}

/// What becomes of the hyperparameter `key`, which stands after `ARCH.`.
pub(crate) fn of_key(architecture: &str, key: &str, value: &Value) -> Use {
    let rows =
        find(architecture).into_iter().flat_map(|family| family.keys.iter().copied().flatten());
    in_rows(rows, key, value)
        .unwrap_or_else(|| Use::Refused("the engine doesn't know what it changes".to_string()))
}

/// What becomes of a key that doesn't begin with the architecture's name; none if the family says
/// nothing about it.
pub(crate) fn of_bare_key(architecture: &str, key: &str, value: &Value) -> Option<Use> {
    in_rows(find(architecture)?.bare_keys.iter(), key, value)
}

/// What becomes of each tensor, in file order.
pub(crate) fn of_tensors(gguf: &Gguf) -> Vec<Use> {
    let text = |key: &str| gguf.metadata.str(key).ok().flatten();
    let architecture = text("general.architecture").unwrap_or_default();
    let n_layers =
        gguf.metadata.u32(&format!("{architecture}.block_count")).ok().flatten().unwrap_or(0);
    let family = find(architecture);
    let of = |name: &str| match family {
        Some(family) if is_layer_below(name, n_layers) && family.presence(name).is_some() => {
            Use::Read
        }
        _ => Use::Refused("the engine doesn't read it".to_string()),
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
    /// Whether the engine reads the tensor called `name`, and whether a file must have it.
    pub(super) fn presence(&self, name: &str) -> Option<Presence> {
        let part = in_layer(name).map(|(_, part)| part);
        let is_row = |row: &&str| match part {
            Some(part) => row.strip_prefix("blk.*.") == Some(part),
            None => *row == name,
        };
        let lists = |groups: &[&[&str]]| groups.iter().copied().flatten().any(is_row);
        if lists(self.required) {
            Some(Presence::Required)
        } else {
            lists(self.optional).then_some(Presence::Optional)
        }
    }

    /// Whether the engine reads the hyperparameter called `ARCH.key`, whatever its value.
    pub(super) fn reads_key(&self, key: &str) -> bool {
        let of = |row: &&Row| row.key == key;
        let row = self.keys.iter().copied().flatten().find(of);
        row.is_some_and(|row| matches!(row.rule, crate::uses::Rule::Read))
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
