//! Mixtures of experts: only selected experts are read, and one clear sentence for each file that
//! says something wrong about its experts.

use kelvin_engine::transformer::{Append, CacheFormat, Config, Model, ModelOptions, Scratch, Want};
use kelvin_testkit::tiny::{Meta, TinyModel};

use super::{
    build::Case,
    cases::cases,
    refusals::refuses,
    run::{open, tokens},
};
use crate::reference::run::{ids, load, logits};

fn case(name: &str) -> &'static Case {
    cases().find(|case| case.name == name).unwrap_or_else(|| panic!("no case {name}"))
}

fn two_threads(model: &TinyModel) -> Model {
    load(&open(model), &ModelOptions { threads: 2, isa: None })
}

/// A model of gpt-oss whose router selects three stated experts, whatever the token.
fn of_fixed_experts(selected: [usize; 3]) -> TinyModel {
    let mut model = case("gpt-oss.full").model();
    for (name, _, values) in &mut model.tensors {
        if name.ends_with("ffn_gate_inp.bias") {
            selected.iter().for_each(|&expert| values[expert] += 1000.0);
        }
    }
    model
}

#[test]
fn idle_experts_are_not_read() {
    const SELECTED: [usize; 3] = [1, 4, 6];
    let tokens = ids(&tokens(case("gpt-oss.full")));
    let run = |model: &TinyModel| logits(&two_threads(model), &tokens, CacheFormat::F32, 16);
    let mut model = of_fixed_experts(SELECTED);
    let expected = run(&model);
    for (name, shape, values) in &mut model.tensors {
        if name.contains("_exps.") {
            let n_experts = shape[shape.len() - 1];
            let each = values.len() / n_experts;
            for (expert, values) in values.chunks_exact_mut(each).enumerate() {
                if !SELECTED.contains(&expert) {
                    values.fill(f32::NAN);
                }
            }
        }
    }
    assert!(run(&model) == expected, "weights of experts that no token selected change nothing");
}

/// A small file of the shape of Qwen3-30B-A3B: 128 experts, of which a token uses 8.
fn qwen3_30b_like() -> TinyModel {
    use kelvin_testkit::tiny::{Random, Sizes};
    let sizes = Sizes {
        n_layers: 4,
        d_model: 32,
        n_experts: 128,
        d_expert: 16,
        vocab_size: 64,
        ..super::build::SIZES
    };
    let mut model = TinyModel::of_sizes("qwen3moe", &sizes);
    model.set("expert_count", Meta::U32(128));
    model.set("expert_used_count", Meta::U32(8));
    model.set("expert_feed_forward_length", Meta::U32(16));
    model.metadata.push(("tokenizer.ggml.model".into(), Meta::Str("none".into())));
    let list = "token_embd output_norm output |
        attn_norm attn_q attn_k attn_v attn_q_norm attn_k_norm attn_output ffn_norm
        ffn_gate_inp ffn_gate_exps ffn_up_exps ffn_down_exps";
    model.add_tensors(&mut Random(11), &sizes, list);
    model
}

#[test]
fn a_step_of_one_text_reads_the_selected_experts_alone() {
    let model = two_threads(&qwen3_30b_like());
    // Three matrices of 16 × 32 numbers, in F32 and in whole groups of sixteen rows.
    const EXPERT: usize = 3 * 16 * 32 * 4;
    let expected = 4 * 8 * EXPERT;
    let mut scratch = Scratch::default();
    let mut sequence = model.sequence(CacheFormat::F32);
    for token in ids(&[3, 1, 4, 1, 5]) {
        let step = Append { sequence: &mut sequence, tokens: &[token], want: Want::Last };
        model.forward(&mut [step], &mut scratch).unwrap();
        assert_eq!(scratch.expert_bytes(), expected);
    }
    // Queries and outputs 64 × 32, keys and values 32 × 32, a router of 128 × 32; the output layer.
    let others = 4 * (2 * 64 * 32 + 2 * 32 * 32 + 128 * 32) + 64 * 32;
    assert_eq!(model.step_bytes(), expected + 4 * others);
    assert_eq!(model.weight_bytes(), 4 * 128 * EXPERT + 4 * (others + 64 * 32));
    assert_eq!(model.config.multiply_adds(true), others + 4 * 8 * 3 * 16 * 32);
    // More tokens read more experts, each once however many tokens selected it.
    let all = ids(&(0..60).collect::<Vec<_>>());
    let step = Append { sequence: &mut sequence, tokens: &all, want: Want::Last };
    model.forward(&mut [step], &mut scratch).unwrap();
    let read = scratch.expert_bytes();
    assert!(read > expected && read <= 4 * 128 * EXPERT, "{read}");
    let step = Append { sequence: &mut sequence, tokens: &all[..1], want: Want::Last };
    model.forward(&mut [step], &mut scratch).unwrap();
    assert_eq!(scratch.expert_bytes(), expected);
}

#[test]
fn wrong_counts_of_experts_are_told_by_their_key() {
    for (name, key, value, expected) in [
        ("qwen3moe.full", "expert_count", 0, "expected 1 to 1024, found 0"),
        ("qwen3moe.full", "expert_count", u32::MAX, "expected 1 to 1024"),
        ("qwen3moe.full", "expert_used_count", 0, "expected 1 to 8"),
        (
            "qwen3moe.full",
            "expert_used_count",
            9,
            "expected 1 to 8, which is expert_count, found 9",
        ),
        ("qwen3moe.full", "expert_feed_forward_length", 7, "found 7"),
        ("qwen3moe.full", "expert_feed_forward_length", u32::MAX, "found 4294967295"),
        ("qwen3moe.groups", "expert_group_count", 3, "8 experts can't be 3 groups"),
        ("qwen3moe.groups", "expert_group_count", 8, "at least 2"),
        ("qwen3moe.groups", "expert_group_used_count", 5, "expected 1 to 4"),
        ("qwen3moe.groups", "expert_group_used_count", 1, "fewer than the 3"),
        ("glm4moe.full", "expert_gating_func", 9, "9 isn't supported"),
        ("glm4moe.full", "expert_shared_count", u32::MAX, "expert_shared"),
        ("glm4moe.full", "nextn_predict_layers", 3, "leave none"),
    ] {
        let mut model = case(name).model();
        model.set(key, Meta::U32(value));
        let key = format!("{}.{key}", case(name).arch());
        let key = if expected == "expert_shared" { "expert_shared" } else { &key };
        refuses(name, &model, &[key, expected]);
    }
}

#[test]
fn a_router_wider_than_its_experts_is_refused() {
    let mut model = case("qwen3moe.full").model();
    let router = model.tensors.iter_mut().find(|t| t.0 == "blk.1.ffn_gate_inp.weight").unwrap();
    router.1[1] = 9;
    router.2.resize(64 * 9, 0.5);
    refuses("a router", &model, &["blk.1.ffn_gate_inp.weight", "[64, 8]", "[64, 9]"]);
    // Or the experts are too few for a router that the key agrees with.
    let mut model = case("qwen3moe.full").model();
    model.set("expert_count", Meta::U32(9));
    refuses("a count", &model, &["blk.0.ffn_gate_inp.weight", "[64, 9]", "[64, 8]"]);
}

#[test]
fn experts_of_another_shape_are_refused() {
    let mut model = case("qwen3moe.full").model();
    let up = model.tensors.iter_mut().find(|t| t.0 == "blk.0.ffn_up_exps.weight").unwrap();
    up.1 = vec![64, 320];
    refuses("experts in two dimensions", &model, &["blk.0.ffn_up_exps.weight", "[64, 320]"]);
    let mut model = case("qwen3moe.full").model();
    model.tensors.retain(|t| t.0 != "blk.1.ffn_down_exps.weight");
    refuses("no experts", &model, &["blk.1.ffn_down_exps.weight", "no tensor"]);
}

#[test]
fn tensors_in_the_wrong_kind_of_layer_are_refused() {
    let tensor = |name: &str, shape: &[usize]| {
        (name.to_string(), shape.to_vec(), vec![0.5; shape.iter().product()])
    };
    let mut model = case("ernie4_5-moe.full").model();
    model.tensors.push(tensor("blk.1.ffn_up.weight", &[64, 88]));
    refuses("dense in a mixture", &model, &["blk.1.ffn_up.weight", "tensors"]);
    let mut model = case("ernie4_5-moe.full").model();
    model.tensors.push(tensor("blk.0.ffn_up_exps.weight", &[64, 40, 8]));
    refuses("experts in a dense layer", &model, &["blk.0.ffn_up_exps.weight", "tensors"]);
    let mut model = case("llama.plain").model();
    model.tensors.push(tensor("blk.0.ffn_gate_inp.weight", &[64, 8]));
    refuses("a router without experts", &model, &["blk.0.ffn_gate_inp.weight", "tensors"]);
}

#[test]
fn layers_that_predict_several_tokens_are_left_out() {
    let model = case("glm4moe.full").model();
    let config = Config::from_gguf(&open(&model)).unwrap();
    assert_eq!(config.n_layers, 2);
    assert_eq!(config.layers.iter().map(|l| l.experts).collect::<Vec<_>>(), [false, true]);
    let names: Vec<String> = model.tensors.iter().map(|t| t.0.clone()).collect();
    let uses = kelvin_engine::uses::of_tensors(&open(&model));
    for (name, of) in names.iter().zip(uses) {
        let is_left_out = matches!(of, kelvin_engine::uses::Use::Ignored(_));
        assert_eq!(is_left_out, name.starts_with("blk.2."), "{name}");
    }
}
