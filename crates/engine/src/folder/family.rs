//! What the row of a family of folders says.

use super::rule::Rule;

/// A setting that changes the arithmetic: the values (bools as 0 and 1) that the engine computes
/// with, and what another one would ask for.
pub(super) type Usual = (&'static str, &'static [f64], &'static str);

/// One family.
#[derive(Debug)]
pub(super) struct Family {
    /// Entries of `architectures` in config.json.
    pub(super) names: &'static [&'static str],
    /// `general.architecture` of the GGUF file.
    pub(super) gguf: &'static str,
    /// What `hidden_act` may be.
    pub(super) activations: &'static [&'static str],
    /// The norm's epsilon in config.json, and its key in GGUF.
    pub(super) epsilon: (&'static [&'static str], &'static str),
    /// The epsilon, if the file doesn't say.
    pub(super) usual_epsilon: Option<f64>,
    /// What says how many key-value heads there are.
    pub(super) kv_heads: KvHeads,
    /// Settings that must have their usual value, besides those of all families.
    pub(super) usual: &'static [Usual],
    /// Hyperparameters besides those that all families have.
    pub(super) keys: &'static [Key],
    /// Groups of tensors.
    pub(super) tensors: &'static [&'static [Rule]],
    /// Which part of a head is rotated unless the file says another.
    pub(super) rotated: Rotated,
    /// When a `sliding_window` counts.
    pub(super) window: Window,
    /// Norms are stored less one.
    pub(super) norms_less_one: bool,
    /// Whether the embedding is the output matrix if the file doesn't say.
    pub(super) tied: bool,
    /// The longest text, if the file doesn't say.
    pub(super) context: Option<u32>,
    /// Beginnings of names of tensors that belong to other parts than the language model.
    pub(super) skipped: &'static [&'static str],
}

/// A hyperparameter that is copied.
#[derive(Debug)]
pub(super) struct Key {
    /// After `ARCH.` in GGUF.
    pub(super) gguf: &'static str,
    /// In config.json.
    pub(super) hf: &'static str,
    pub(super) kind: Kind,
}

/// What a key holds, and what is written if the file lacks it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    U32,
    F32,
    /// A number that is made of the file's, of how many layers there are and of the model's width.
    Made(fn(f64, f64, f64) -> f64),
    BoolOr(bool),
    /// Zero if the file says that the flag of this name is false; else a number, which is this one
    /// if the file lacks it.
    IfNot(&'static str, f64),
}

/// What says how many key-value heads there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KvHeads {
    /// `num_key_value_heads`, else as many as query heads.
    Said,
    /// Falcon: one, unless the file says otherwise.
    Falcon,
    /// DeciLM: `block_configs` or `num_key_value_heads_per_layer`.
    ByLayer,
}

/// Which numbers of a head are rotated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Rotated {
    /// None: the family has no rotary embedding.
    None,
    /// `partial_rotary_factor` or `rotary_pct`, else this share.
    Share(f64),
}

/// When the file's `sliding_window` counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Window {
    /// If `use_sliding_window` is true.
    IfUsed,
    /// Unless it is null; on every layer.
    Always,
    /// With `layer_types`, or on all but each fourth layer.
    Listed,
    /// On all layers but each so-manieth, which `layer_types` must confirm.
    AllBut(usize),
    /// GGUF's family has none: texts end where the window would begin to count.
    Bound,
    /// The family has none.
    Never,
}
