//! Tiny files of every family in: llama.cpp's logits, the same bits however they are computed, and
//! a clear error for all that a family doesn't know.
//!
//! Goldens are logits of llama.cpp, made with `examples/families.rs`; all of them were compared
//! then, and a few of each position are kept.

mod build;
mod cases;
mod run;

use std::collections::HashSet;

use kelvin_engine::transformer::{Append, CacheFormat, Config, Model, ModelOptions, Scratch, Want};
use kelvin_kernels::isa::Isa;

use crate::reference::run::{ids, load};
use build::Case;
use cases::cases;
use kelvin_testkit::tiny::{Meta, TinyModel};
use run::{N_TOKENS, TOLERANCE, golden_places, logits, open, spread, tokens};

const GOLDENS: &str = include_str!("../goldens/families.json");

fn all_that_a_file_may_have() -> impl Iterator<Item = &'static Case> {
    cases().filter(|case| !case.name.ends_with(".plain"))
}

#[test]
fn every_family_gives_llama_cpp_s_logits() {
    let goldens: serde_json::Value = serde_json::from_str(GOLDENS).unwrap();
    for case in cases() {
        let golden = goldens[case.name].as_array();
        let golden = golden.unwrap_or_else(|| panic!("no goldens of {}", case.name));
        let ours = logits(case, 2, None, N_TOKENS).concat();
        // Goldens are rounded to four places.
        let most = TOLERANCE * spread(&ours) + 1e-4;
        for (place, golden) in golden_places(case).zip(golden) {
            let (found, golden) = (ours[place], golden.as_f64().unwrap() as f32);
            assert!(
                (found - golden).abs() <= most,
                "{}: logit {place} is {found}, llama.cpp has {golden}",
                case.name
            );
        }
        assert_eq!(golden.len(), golden_places(case).count());
    }
}

#[test]
fn bits_do_not_depend_on_threads_steps_or_instructions() {
    let others: Vec<Isa> = Isa::all().into_iter().filter(|isa| *isa != Isa::best()).collect();
    for case in all_that_a_file_may_have() {
        let expected = logits(case, 1, None, N_TOKENS);
        for (threads, chunk) in [(2, 16), (3, 1), (3, 7)] {
            let found = logits(case, threads, None, chunk);
            assert!(found == expected, "{}: {threads} threads, steps of {chunk}", case.name);
        }
        for isa in &others {
            let found = logits(case, 2, Some(*isa), 16);
            assert!(found == expected, "{}: {}", case.name, isa.name());
        }
    }
}

#[test]
fn bits_do_not_depend_on_the_batch_or_on_a_fork() {
    for case in all_that_a_file_may_have() {
        let model = load(&open(&case.model()), &ModelOptions { threads: 2, isa: None });
        let tokens = ids(&tokens(case));
        let alone = crate::reference::run::logits(&model, &tokens, CacheFormat::F16, N_TOKENS);
        let mut scratch = Scratch::default();
        let mut first = model.sequence(CacheFormat::F16);
        let step = Append { sequence: &mut first, tokens: &tokens[..40], want: Want::None };
        model.forward(&mut [step], &mut scratch).unwrap();
        let (mut fork, mut other) = (first.clone(), model.sequence(CacheFormat::F16));
        let mut batch = [
            Append { sequence: &mut other, tokens: &tokens[..9], want: Want::All },
            Append { sequence: &mut fork, tokens: &tokens[40..], want: Want::All },
            Append { sequence: &mut first, tokens: &tokens[40..43], want: Want::Last },
        ];
        let together = model.forward(&mut batch, &mut scratch).unwrap();
        let expected = [&alone[..9], &alone[40..], &alone[42..43]].concat();
        for (i, expected) in expected.iter().enumerate() {
            assert!(together.row(i) == expected, "{}: row {i} of a batch", case.name);
        }
    }
}

/// The file is refused by an error of a few lines that has all of `names`.
#[track_caller]
fn refuses(what: &str, model: &TinyModel, names: &[&str]) {
    let options = ModelOptions { threads: 1, isa: None };
    let loaded = Model::load(&open(model), &options, &mut |_, _| {});
    let error =
        loaded.err().unwrap_or_else(|| panic!("{what}: a file with {names:?} was believed"));
    let error = error.to_string();
    assert!(names.iter().all(|name| error.contains(name)), "{what}: {names:?} aren't in: {error}");
    assert!(error.len() < 1500, "{what}: an error of {} bytes", error.len());
}

#[test]
fn a_tensor_or_a_key_too_many_is_refused_by_name() {
    for case in cases() {
        for name in ["blk.0.foo.weight", "blk.1.attn_sinks.scale", "foo.weight"] {
            let mut model = case.model();
            model.tensors.push((name.into(), vec![16], vec![1.0; 16]));
            refuses(case.name, &model, &[name, "tensors", case.arch()]);
        }
        for key in ["foo", "attention.temperature_length", "moe_latent_size"] {
            let mut model = case.model();
            model.set(key, Meta::U32(1));
            refuses(case.name, &model, &[&format!("{}.{key}", case.arch()), "keys"]);
        }
    }
}

/// The names of a case's tensors, without those of the second layer that the first has as well.
fn different_tensors(case: &Case) -> Vec<String> {
    let names: Vec<String> = case.model().tensors.into_iter().map(|(name, ..)| name).collect();
    let is_new = |name: &&String| match name.strip_prefix("blk.1.") {
        Some(part) => !names.contains(&format!("blk.0.{part}")),
        None => !name.starts_with("blk.2."),
    };
    names.iter().filter(is_new).cloned().collect()
}

#[test]
fn a_missing_tensor_is_named() {
    for case in cases().filter(|case| case.name.ends_with(".plain")) {
        for name in different_tensors(case) {
            let mut model = case.model();
            model.tensors.retain(|tensor| tensor.0 != name);
            refuses(case.name, &model, &[&name, "no tensor"]);
        }
    }
}

#[test]
fn a_tensor_of_another_shape_is_named() {
    for case in all_that_a_file_may_have() {
        // The vocabulary's size is what the embedding says.
        for name in different_tensors(case).iter().filter(|name| *name != "token_embd.weight") {
            let mut model = case.model();
            let (_, shape, values) = model.tensors.iter_mut().find(|t| t.0 == *name).unwrap();
            let last = shape.len() - 1;
            shape[last] += 1;
            values.resize(shape.iter().product(), 1.0);
            refuses(case.name, &model, &[name]);
        }
    }
}

/// Zero, far too much and no number at all: each is a short error, or a model that runs.
#[test]
fn wild_hyperparameters_make_an_error_or_a_model() {
    for case in all_that_a_file_may_have() {
        let keys: Vec<(String, Meta)> = case.model().metadata.split_off(1);
        for (key, value) in keys.iter().filter(|(key, _)| !key.starts_with("tokenizer.")) {
            let wild: Vec<Meta> = match value {
                Meta::U32(_) => [0, 1, 3, u32::MAX].map(Meta::U32).into(),
                Meta::F32(_) => [0.0, -1.0, 1e30, f32::NAN, f32::INFINITY].map(Meta::F32).into(),
                Meta::Str(_) => vec![Meta::Str("foo".into()), Meta::U32(1)],
                Meta::F32s(_) => vec![Meta::F32s(vec![f32::NAN; 2]), Meta::F32s(vec![1.0; 3])],
                _ => vec![Meta::Str("foo".into())],
            };
            for value in wild {
                let mut model = case.model();
                model.metadata.iter_mut().find(|(k, _)| k == key).unwrap().1 = value;
                let options = ModelOptions { threads: 1, isa: None };
                let error = match Model::load(&open(&model), &options, &mut |_, _| {}) {
                    Err(error) => error.to_string(),
                    Ok(model) => {
                        let mut sequence = model.sequence(CacheFormat::F16);
                        let tokens = &ids(&tokens(case))[..3];
                        let step = Append { sequence: &mut sequence, tokens, want: Want::Last };
                        let mut scratch = Scratch::default();
                        let result = model.forward(&mut [step], &mut scratch);
                        result.err().map(|error| error.to_string()).unwrap_or_default()
                    }
                };
                assert!(error.len() < 1500, "{}: {error}", case.name);
            }
        }
    }
}

#[test]
fn a_model_of_long_rope_ends_where_its_short_factors_do() {
    let case = cases().find(|case| case.name == "phi3.full").unwrap();
    let mut model = case.model();
    model.set("rope.scaling.original_context_length", Meta::U32(40));
    assert_eq!(Config::from_gguf(&open(&model)).unwrap().ctx_len, 40);
}

#[test]
fn every_family_that_errors_name_has_a_case() {
    let mut model = cases().next().unwrap().model();
    model.metadata[0].1 = Meta::Str("mamba".into());
    let error = Config::from_gguf(&open(&model)).unwrap_err().to_string();
    let known: HashSet<&str> = error.split("supported are: ").nth(1).unwrap().split(", ").collect();
    let tested: HashSet<&str> = cases().map(Case::arch).collect();
    assert_eq!(known, tested);
}
