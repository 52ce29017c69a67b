//! The table of model families: what a family's file doesn't say, which tensors and hyperparameters
//! of it the engine reads, and which are known to change nothing. Every other tensor and
//! hyperparameter is a reason to refuse the file.
//!
//! A new family is a row of [`FAMILIES`]. Names of tensors and keys: llama.cpp's
//! `src/llama-arch.cpp`; what each family's graph does with them: its `src/models/`. llama.cpp
//! refuses a file with tensors that it doesn't read, too.

use kelvin_kernels::{gate::Activation, rope::Pairing};

use super::ModelError;
use crate::{
    gguf::{Gguf, Value},
    uses::{Row, Rule, Use, in_rows, listed, quoted, row},
};

/// One family.
#[derive(Debug)]
pub(super) struct Family {
    /// `general.architecture`.
    pub(super) architecture: &'static str,
    pub(super) activation: Activation,
    pub(super) pairing: Pairing,
    pub(super) qk_norm: bool,
    pub(super) post_norms: bool,
    pub(super) scaled_embeddings: bool,
    /// Every so many layers one sees all; the others have the window and a rotary embedding of
    /// their own.
    pub(super) global_every: usize,
    pub(super) window_base: f64,
    /// Groups of tensors that the engine reads. In a name, `blk.*.` stands for every layer of the
    /// file.
    pub(super) tensors: &'static [&'static [&'static str]],
    /// Groups of hyperparameters, by their names after `ARCH.`.
    pub(super) keys: &'static [&'static [Row]],
}

/// Every family that can be run.
pub(super) const FAMILIES: [Family; 2] = [
    Family {
        architecture: "llama",
        activation: Activation::Silu,
        pairing: Pairing::Adjacent,
        qk_norm: false,
        post_norms: false,
        scaled_embeddings: false,
        global_every: 0,
        window_base: 0.0,
        tensors: &[DECODER, ATTENTION_BIASES, FEED_FORWARD_BIASES, ROPE_FACTORS],
        keys: &[SHAPES, NOT_DONE, NO_EXPERTS, NO_SCALES, UNUSED],
    },
    Family {
        architecture: "gemma3",
        activation: Activation::GeluTanh,
        pairing: Pairing::Halves,
        qk_norm: true,
        post_norms: true,
        scaled_embeddings: true,
        global_every: 6,
        window_base: 10_000.0,
        tensors: &[DECODER, ATTENTION_BIASES, QK_NORMS, POST_NORMS],
        keys: &[SHAPES, LOCAL_LAYERS_OF_GEMMA3, NOT_DONE, NO_EXPERTS, UNUSED],
    },
];

const DECODER: &[&str] = &[
    "token_embd.weight",
    "output_norm.weight",
    "output.weight",
    "blk.*.attn_norm.weight",
    "blk.*.attn_q.weight",
    "blk.*.attn_k.weight",
    "blk.*.attn_v.weight",
    "blk.*.attn_output.weight",
    "blk.*.ffn_norm.weight",
    "blk.*.ffn_gate.weight",
    "blk.*.ffn_up.weight",
    "blk.*.ffn_down.weight",
];
const ATTENTION_BIASES: &[&str] =
    &["blk.*.attn_q.bias", "blk.*.attn_k.bias", "blk.*.attn_v.bias", "blk.*.attn_output.bias"];
const FEED_FORWARD_BIASES: &[&str] =
    &["blk.*.ffn_gate.bias", "blk.*.ffn_up.bias", "blk.*.ffn_down.bias"];
const QK_NORMS: &[&str] = &["blk.*.attn_q_norm.weight", "blk.*.attn_k_norm.weight"];
const POST_NORMS: &[&str] = &["blk.*.post_attention_norm.weight", "blk.*.post_ffw_norm.weight"];
const ROPE_FACTORS: &[&str] = &["rope_freqs.weight"];

/// What `Config` reads of every family.
const SHAPES: &[Row] = &[
    row("block_count", Rule::Read),
    row("context_length", Rule::Read),
    row("embedding_length", Rule::Read),
    row("feed_forward_length", Rule::Read),
    row("vocab_size", Rule::Read),
    row("attention.head_count", Rule::Read),
    row("attention.head_count_kv", Rule::Read),
    row("attention.key_length", Rule::Read),
    row("attention.value_length", Rule::Read),
    row("attention.layer_norm_rms_epsilon", Rule::Read),
    row("attention.sliding_window", Rule::Read),
    row("rope.dimension_count", Rule::Read),
    row("rope.freq_base", Rule::Read),
    row("rope.scale_linear", Rule::Read),
    row("rope.scaling.type", Rule::Read),
    row("rope.scaling.factor", Rule::Read),
];

const LOCAL_LAYERS_OF_GEMMA3: &[Row] = &[
    row("rope.freq_base_swa", Rule::Read),
    row(
        "attention.sliding_window_pattern",
        Rule::Neutral(&[6.0], "another pattern of local and global layers than one global in six"),
    ),
];

/// Arithmetic that isn't there: files may turn it off.
const NOT_DONE: &[Row] = &[
    row("attn_logit_softcapping", Rule::Neutral(&[0.0], "a soft cap on attention scores")),
    row("final_logit_softcapping", Rule::Neutral(&[0.0], "a soft cap on logits")),
    row("attention.causal", Rule::Neutral(&[1.0], "attention to tokens that come later")),
    row("attention.scale", Rule::Neutral(&[0.0], "another scale of attention scores")),
    row("attention.clamp_kqv", Rule::Neutral(&[0.0], "clamped queries, keys and values")),
    row("attention.max_alibi_bias", Rule::Neutral(&[0.0], "attention biased by distance (ALiBi)")),
    row(
        "rope.scaling.attn_factor",
        Rule::Neutral(&[1.0], "attention scaled together with positions"),
    ),
    row("use_parallel_residual", Rule::Neutral(&[0.0], "attention and feed-forward side by side")),
    row("nextn_predict_layers", Rule::Neutral(&[0.0], "layers that predict several tokens")),
];

const NO_EXPERTS: &[Row] = &[
    row("expert_count", Rule::Neutral(&[0.0], "a mixture of experts")),
    row("expert_shared_count", Rule::Neutral(&[0.0], "experts that all tokens share")),
    row("expert_*", Rule::Ignored("concerns mixtures of experts, and expert_count isn't above 0")),
];

/// Granite's multipliers, by which llama.cpp's graphs of other families don't multiply. 0 turns one
/// off as well as 1.
const NO_SCALES: &[Row] = &[
    row("embedding_scale", Rule::Neutral(&[0.0, 1.0], "scaled embeddings")),
    row("residual_scale", Rule::Neutral(&[0.0, 1.0], "scaled residual connections")),
    row("logit_scale", Rule::Neutral(&[0.0, 1.0], "scaled logits")),
];

const UNUSED: &[Row] = &[
    row(
        "attention.layer_norm_epsilon",
        Rule::Ignored("all norms of the family are root-mean-square norms"),
    ),
    row("rope.scaling.original_context_length", Rule::Ignored("only YaRN and LongRoPE use it")),
    row("rope.scaling.finetuned", Rule::Ignored("only YaRN and LongRoPE use it")),
    row(
        "rope.scaling.yarn_*",
        Rule::Ignored("only YaRN uses it, which rope.scaling.type would ask for"),
    ),
    row("tensor_data_layout", Rule::Ignored("names the checkpoint's layout; GGUF files have one")),
    row(
        "pooling_type",
        Rule::Ignored("says how a text's embedding is made; making text needs none"),
    ),
];

/// The family of an architecture's name.
pub(super) fn find(architecture: &str) -> Option<&'static Family> {
    FAMILIES.iter().find(|family| family.architecture == architecture)
}

/// What becomes of the hyperparameter `key`, which stands after `ARCH.`.
pub(crate) fn of_key(architecture: &str, key: &str, value: &Value) -> Use {
    let rows =
        find(architecture).into_iter().flat_map(|family| family.keys.iter().copied().flatten());
    in_rows(rows, key, value)
        .unwrap_or_else(|| Use::Refused("the engine doesn't know what it changes".to_string()))
}

/// What becomes of each tensor, in file order.
pub(crate) fn of_tensors(gguf: &Gguf) -> Vec<Use> {
    let text = |key: &str| gguf.metadata.str(key).ok().flatten();
    let architecture = text("general.architecture").unwrap_or_default();
    let n_layers =
        gguf.metadata.u32(&format!("{architecture}.block_count")).ok().flatten().unwrap_or(0);
    let family = find(architecture);
    let of = |name: &str| match family {
        Some(family) if family.reads(name, n_layers) => Use::Read,
        _ => Use::Refused("the engine doesn't read it".to_string()),
    };
    gguf.tensors.iter().map(|tensor| of(&tensor.name)).collect()
}

impl Family {
    /// Whether the engine reads the tensor called `name` in a model of `n_layers` layers.
    fn reads(&self, name: &str, n_layers: u32) -> bool {
        let in_layer = name.strip_prefix("blk.").and_then(|rest| rest.split_once('.'));
        let part = match in_layer {
            // One number has one spelling: "blk.01." isn't layer 1.
            Some((number, part)) => match number.parse::<u32>() {
                Ok(layer) if layer < n_layers && layer.to_string() == number => Some(part),
                _ => return false,
            },
            None => None,
        };
        let is_row = |row: &&str| match part {
            Some(part) => row.strip_prefix("blk.*.") == Some(part),
            None => *row == name,
        };
        self.tensors.iter().copied().flatten().any(is_row)
    }
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
