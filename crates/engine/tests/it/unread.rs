//! Biases against plain code, and files that hold more than the engine reads: every tensor and
//! every hyperparameter is used, known to change nothing, or refused by its name.

use std::fs;

use kelvin_engine::{
    gguf::Gguf,
    transformer::{CacheFormat, Config, Model, ModelOptions},
    uses::{self, Use},
};
use kelvin_testkit::tiny::{
    GEMMA3_LIKE, LLAMA3_LIKE, MISTRAL_LIKE, Meta, Random, Shape, TinyModel,
};

use crate::reference::{
    Reference,
    run::{ids, load, logits},
};

const N_TOKENS: usize = 20;
const ATTENTION: [&str; 4] = ["attn_q", "attn_k", "attn_v", "attn_output"];
const FEED_FORWARD: [&str; 3] = ["ffn_gate", "ffn_up", "ffn_down"];

fn open(model: &TinyModel) -> Gguf {
    let path = model.write();
    let gguf = Gguf::open(&path).unwrap();
    fs::remove_file(path).unwrap();
    gguf
}

fn tokens(shape: &Shape) -> Vec<u32> {
    let mut random = Random(7);
    (0..N_TOKENS).map(|_| random.token(shape.vocab_size)).collect()
}

/// With biases on `matrices`, the engine's logits are the reference's and others than without.
#[track_caller]
fn biases_count(shape: &Shape, matrices: &[&str]) {
    let file = || open(&TinyModel::new(shape).biased(matrices));
    let tokens = tokens(shape);
    let truth = Reference::new(file()).logits(&tokens, N_TOKENS);
    let run = |gguf: &Gguf, threads, chunk| {
        let model = load(gguf, &ModelOptions { threads, isa: None });
        logits(&model, &ids(&tokens), CacheFormat::F32, chunk)
    };
    let ours = run(&file(), 1, N_TOKENS);
    let scale = truth.iter().flatten().fold(0.0, |max: f64, x| max.max(x.abs()));
    for (a, b) in ours.iter().flatten().zip(truth.iter().flatten()) {
        let d = (f64::from(*a) - b).abs() / scale;
        assert!(d <= 1e-4, "{} with biases on {matrices:?}: {a} for {b}", shape.arch);
    }
    for (threads, chunk) in [(1, 1), (2, 7), (3, N_TOKENS)] {
        let again = run(&file(), threads, chunk);
        assert!(
            ours == again,
            "{matrices:?}: other bits with {threads} threads and steps of {chunk}"
        );
    }
    let plain = run(&open(&TinyModel::new(shape)), 1, N_TOKENS);
    assert!(plain != ours, "{}: biases on {matrices:?} change nothing", shape.arch);
}

#[test]
fn each_bias_of_a_llama_is_added_to_its_product() {
    for matrix in ATTENTION.iter().chain(&FEED_FORWARD) {
        biases_count(&MISTRAL_LIKE, &[matrix]);
    }
    biases_count(&LLAMA3_LIKE, &[&ATTENTION[..], &FEED_FORWARD].concat());
}

#[test]
fn biases_of_gemma3_are_added_before_its_norms() {
    for matrix in ATTENTION {
        biases_count(&GEMMA3_LIKE, &[matrix]);
    }
    refuses(&TinyModel::new(&GEMMA3_LIKE).biased(&["ffn_up"]), &["blk.0.ffn_up.bias", "gemma3"]);
}

#[test]
fn a_bias_of_another_length_is_refused() {
    let mut model = TinyModel::new(&MISTRAL_LIKE).biased(&["attn_k"]);
    let (_, shape, values) = model.tensors.last_mut().unwrap();
    shape[0] += 1;
    values.push(0.0);
    refuses(&model, &["blk.2.attn_k.bias", "[32]", "[33]"]);
}

/// Loading and reading the hyperparameters alone both fail, with an error of a few lines that has
/// all of `names`.
#[track_caller]
fn refuses(model: &TinyModel, names: &[&str]) {
    let gguf = open(model);
    let loaded = Model::load(&gguf, &ModelOptions { threads: 1, isa: None }, &mut |_, _| {});
    let error =
        loaded.err().unwrap_or_else(|| panic!("a file with {names:?} was believed")).to_string();
    assert!(
        names.iter().all(|name| error.contains(name)),
        "the error names not all of {names:?}: {error}"
    );
    assert!(error.len() < 1500, "an error of {} bytes", error.len());
}

#[track_caller]
fn takes(model: &TinyModel) {
    Config::from_gguf(&open(model)).unwrap_or_else(|error| panic!("{error}"));
}

fn with_tensor(shape: &Shape, name: &str) -> TinyModel {
    let mut model = TinyModel::new(shape);
    model.tensors.push((name.to_string(), vec![16], vec![1.0; 16]));
    model
}

fn with_key(shape: &Shape, key: &str, value: Meta) -> TinyModel {
    let mut model = TinyModel::new(shape);
    model.set(key, value);
    model
}

#[test]
fn a_tensor_that_is_not_read_is_refused_by_name() {
    let of_any =
        ["blk.0.foo.weight", "output.bias", "blk.0.attn_norm.bias", "blk.1.attn_sinks.weight", "x"];
    // Names that only look like those of a layer.
    let odd = [
        "blk.99.attn_q.bias",
        "blk.00.attn_q.bias",
        "blk.+1.attn_q.bias",
        "blk..attn_q.bias",
        "blk.0.",
    ];
    for shape in [&MISTRAL_LIKE, &GEMMA3_LIKE] {
        for name in of_any.iter().chain(&odd) {
            refuses(&with_tensor(shape, name), &[name, "tensors", shape.arch]);
        }
    }
    for name in
        ["blk.0.attn_q_norm.weight", "blk.0.post_ffw_norm.weight", "blk.0.ffn_gate_inp.weight"]
    {
        refuses(&with_tensor(&MISTRAL_LIKE, name), &[name]);
    }
    refuses(&with_tensor(&GEMMA3_LIKE, "rope_freqs.weight"), &["rope_freqs.weight"]);
}

#[test]
fn many_tensors_that_are_not_read_make_one_short_error() {
    let mut model = TinyModel::new(&MISTRAL_LIKE);
    let name = |i: usize| format!("{}{i}", "x".repeat(60));
    model.tensors.extend((0..1000).map(|i| (name(i), vec![1], vec![0.0])));
    refuses(&model, &[&name(0), "and 994 more"]);
}

#[test]
fn a_key_that_is_not_known_is_refused_by_name() {
    for shape in [&MISTRAL_LIKE, &GEMMA3_LIKE] {
        for (key, value) in [
            ("foo", Meta::U32(0)),
            ("attention.temperature_length", Meta::U32(8192)),
            ("rope.scaling.alpha", Meta::F32(1.0)),
            ("moe_latent_size", Meta::U32(1)),
            (&"x".repeat(60_000), Meta::U32(1)),
        ] {
            let start: String = key.chars().take(30).collect();
            refuses(&with_key(shape, key, value), &["keys", &format!("{}.{start}", shape.arch)]);
        }
    }
    refuses(
        &with_key(&MISTRAL_LIKE, "rope.freq_base_swa", Meta::F32(1e4)),
        &["llama.rope.freq_base_swa"],
    );
    refuses(
        &with_key(&GEMMA3_LIKE, "embedding_scale", Meta::F32(1.0)),
        &["gemma3.embedding_scale"],
    );
}

#[test]
fn a_key_that_would_change_the_arithmetic_may_only_turn_it_off() {
    for (key, neutral, other) in [
        ("logit_scale", Meta::F32(1.0), Meta::F32(8.0)),
        ("residual_scale", Meta::F32(1.0), Meta::F32(0.22)),
        ("embedding_scale", Meta::F32(0.0), Meta::F32(12.0)),
        ("attention.scale", Meta::F32(0.0), Meta::F32(0.015)),
        ("attention.clamp_kqv", Meta::F32(0.0), Meta::F32(8.0)),
        ("attention.causal", Meta::Bool(true), Meta::Bool(false)),
        ("attn_logit_softcapping", Meta::F32(0.0), Meta::F32(50.0)),
        ("final_logit_softcapping", Meta::F32(0.0), Meta::F32(30.0)),
        ("rope.scaling.yarn_ext_factor", Meta::F32(-1.0), Meta::F32(0.5)),
        ("use_parallel_residual", Meta::Bool(false), Meta::Bool(true)),
        ("rope.scaling.type", Meta::Str("none".into()), Meta::Str("su".into())),
    ] {
        takes(&with_key(&MISTRAL_LIKE, key, neutral));
        refuses(&with_key(&MISTRAL_LIKE, key, other), &[key]);
        refuses(&with_key(&MISTRAL_LIKE, key, Meta::I32s(vec![1])), &[key]);
    }
    let mut rotated = TinyModel::new(&MISTRAL_LIKE);
    rotated.metadata.push(("prism.hadamard.version".into(), Meta::U32(1)));
    refuses(&rotated, &["prism.hadamard.version", "rotated weights"]);
    takes(&with_key(&GEMMA3_LIKE, "expert_count", Meta::U32(0)));
    refuses(&with_key(&GEMMA3_LIKE, "expert_count", Meta::U32(8)), &["expert_count", "mixture"]);
    takes(&with_key(&GEMMA3_LIKE, "attention.sliding_window_pattern", Meta::U32(4)));
    let pattern = with_key(&GEMMA3_LIKE, "attention.sliding_window_pattern", Meta::I32s(vec![1]));
    refuses(&pattern, &["sliding_window_pattern", "each of 7 layers"]);
}

/// Keys that converters write into files of these families.
#[test]
fn keys_that_say_nothing_are_taken() {
    for (key, value) in [
        ("expert_used_count", Meta::U32(0)),
        ("attention.layer_norm_epsilon", Meta::F32(1e-5)),
        ("rope.scaling.original_context_length", Meta::U32(8192)),
        ("rope.scaling.finetuned", Meta::Bool(true)),
        ("tensor_data_layout", Meta::Str("Meta AI original pth".into())),
        ("pooling_type", Meta::U32(0)),
    ] {
        takes(&with_key(&LLAMA3_LIKE, key, value));
    }
    let mut model = TinyModel::new(&MISTRAL_LIKE);
    for key in
        ["general.name", "general.base_model.0.name", "quantize.imatrix.file", "somebody.else"]
    {
        model.metadata.push((key.into(), Meta::Str("x".into())));
    }
    takes(&model);
}

#[test]
fn what_is_no_whole_model_is_refused_as_what_it_is() {
    let with = |entries: &[(&str, Meta)]| {
        let mut model = TinyModel::new(&MISTRAL_LIKE);
        model
            .metadata
            .extend(entries.iter().map(|(key, value)| ((*key).to_string(), value.clone())));
        model
    };
    takes(&with(&[("general.type", Meta::Str("model".into()))]));
    refuses(
        &with(&[("general.type", Meta::Str("adapter".into()))]),
        &["general.type", "a LoRA adapter"],
    );
    for (key, value, what) in [
        ("general.type", "mmproj", "a multimodal projector"),
        ("general.type", "imatrix", "an importance matrix"),
        ("general.type", "novelty", "\"novelty\", expected \"model\""),
        ("general.architecture", "clip", "a vision projector"),
        ("general.architecture", "bert", "an embedding model"),
    ] {
        let mut model = with(&[]);
        model.metadata.retain(|(found, _)| found != key);
        model.metadata.insert(0, (key.into(), Meta::Str(value.into())));
        refuses(&model, &["isn't a language model", what]);
    }
    refuses(
        &with(&[("adapter.type", Meta::Str("lora".into()))]),
        &["adapter.type", "adapter's weights"],
    );
    refuses(&with(&[("general.quantization_version", Meta::U32(1))]), &["quantization_version"]);

    takes(&with(&[("split.no", Meta::U32(0)), ("split.count", Meta::U32(1))]));
}

#[test]
fn what_becomes_of_tensors_and_keys_can_be_asked() {
    let mut model = with_key(&MISTRAL_LIKE, "logit_scale", Meta::F32(8.0)).speaking();
    model.set("attention.causal", Meta::Bool(true));
    model.tensors.push(("blk.0.foo.weight".into(), vec![1], vec![0.0]));
    model.metadata.push(("general.name".into(), Meta::Str("x".into())));
    model.metadata.push(("tokenizer.ggml.foo".into(), Meta::U32(1)));
    let gguf = open(&model);
    let of = |key: &str| uses::of_key(&gguf.metadata, key, gguf.metadata.get(key).unwrap());
    assert_eq!(of("llama.block_count"), Use::Read);
    assert_eq!(of("tokenizer.ggml.tokens"), Use::Read);
    assert!(matches!(of("llama.attention.causal"), Use::Ignored(_)));
    assert!(matches!(of("general.name"), Use::Ignored(_)));
    assert!(matches!(of("tokenizer.ggml.foo"), Use::Warned(_)));
    assert!(
        matches!(of("llama.logit_scale"), Use::Refused(reason) if reason.contains("scaled logits"))
    );
    let tensors = uses::of_tensors(&gguf);
    assert_eq!(tensors.iter().filter(|of| **of == Use::Read).count(), gguf.tensors.len() - 1);
    assert!(matches!(tensors.last().unwrap(), Use::Refused(_)));
}

/// The table of families says what the loader reads: a file with all of it loads.
#[test]
fn every_tensor_of_the_table_is_read() {
    let mut model = TinyModel::new(&Shape { tied: false, ..LLAMA3_LIKE });
    model = model.biased(&[&ATTENTION[..], &FEED_FORWARD].concat());
    load(&open(&model), &ModelOptions { threads: 1, isa: None });
    load(
        &open(&TinyModel::new(&GEMMA3_LIKE).biased(&ATTENTION)),
        &ModelOptions { threads: 1, isa: None },
    );
}
