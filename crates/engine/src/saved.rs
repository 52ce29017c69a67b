//! Files that llama.cpp wrote from a model in memory (`llama_model_save_to_file`): they hold every
//! hyperparameter that llama.cpp knows. What a model doesn't have keeps the value that llama.cpp
//! begins with (`src/llama-hparams.h`), so it says nothing there.

use crate::gguf::{Metadata, Value};

/// Why a key of such a file says nothing.
pub(crate) const REASON: &str = "llama.cpp's initial value, which it writes into all such files";

/// Keys after `ARCH.` that such files have and converters of decoders don't write.
const MARKS: [&str; 2] = ["decoder_start_token_id", "attention.group_norm_groups"];

/// Initial values that aren't 0, false or empty, by their keys after `ARCH.`
const INITIAL: &[(&str, f64)] = &[
    ("activation.situ_beta", 1.0),
    ("attention.causal", 1.0),
    ("attention.indexer.kpool_select_tail", 1.0),
    ("attention.rope_pattern", 1.0),
    ("attn_logit_softcapping", 50.0),
    ("decoder_start_token_id", -1.0),
    ("deepstack_mapping", -1.0),
    ("expert_group_scale", 0.05_f32 as f64),
    ("final_logit_softcapping", 30.0),
    ("kda.gate_lower_bound", f64::NEG_INFINITY),
    ("rope.freq_base_swa", 10_000.0),
    ("rope.scaling.attn_factor", 1.0),
    ("rope.scaling.yarn_attn_factor", 1.0),
    ("rope.scaling.yarn_beta_fast", 32.0),
    ("rope.scaling.yarn_beta_slow", 1.0),
    ("rope.scaling.yarn_ext_factor", -1.0),
    ("router_logit_softcapping", 30.0),
    ("token_shift_count", 2.0),
];

/// Sizes of layers with a window, which begin as those of the others.
const AS_OTHERS: &[(&str, &str)] = &[
    ("attention.key_length_swa", "attention.key_length"),
    ("attention.value_length_swa", "attention.value_length"),
    ("rope.dimension_count_swa", "rope.dimension_count"),
    ("rope.freq_base_swa", "rope.freq_base"),
];

/// Whether `key` (after `ARCH.`) has llama.cpp's initial value, in a file that it wrote from
/// memory.
pub(crate) fn is_initial(
    metadata: &Metadata,
    architecture: &str,
    key: &str,
    value: &Value,
) -> bool {
    let get = |key: &str| metadata.get(&format!("{architecture}.{key}"));
    if !MARKS.iter().all(|mark| get(mark).is_some()) {
        return false;
    }
    let other = AS_OTHERS.iter().find(|(known, _)| *known == key).and_then(|(_, of)| get(of));
    if other.is_some_and(|other| other == value) {
        return true;
    }
    let initial = INITIAL.iter().find(|(known, _)| *known == key).map(|(_, initial)| *initial);
    let is_it = |x: f64| x == 0.0 || Some(x) == initial;
    match value {
        Value::Bool(x) => is_it(f64::from(u8::from(*x))),
        Value::F32(x) => is_it((*x).into()),
        Value::F64(x) => is_it(*x),
        Value::IntArray(list) => list.iter().all(|x| is_it(*x as f64)),
        Value::FloatArray(list) => list.iter().all(|x| is_it((*x).into())),
        Value::BoolArray(list) => list.iter().all(|x| is_it(f64::from(u8::from(*x)))),
        Value::StrArray(list) => list.is_empty(),
        Value::Str(text) => text.is_empty(),
        other => other.integer().is_some_and(|x| is_it(x as f64)),
    }
}
