//! Tiny files of every family in: llama.cpp's logits, the same bits however they are computed, and
//! a clear error for all that a family doesn't know.
//!
//! Goldens are logits of llama.cpp, made with `examples/families.rs`; all of them were compared
//! then, and a few of each position are kept.

pub(crate) mod build;
pub(crate) mod cases;
mod determinism;
mod mixtures;
mod refusals;
mod run;
mod scales;
mod states;

use std::collections::HashSet;

use kelvin_engine::transformer::{CacheFormat, Config, PAGE};
use kelvin_kernels::isa::Isa;

use build::Case;
use cases::cases;
use kelvin_testkit::tiny::Meta;
use run::{golden_places, logits, open, open_case, spread, tolerance};

/// All architectures of llama.cpp, with those that run here.
const ARCHITECTURES: &str = include_str!("../../../../records/architectures.md");
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
        let ours = logits(case, 2, None, usize::MAX).concat();
        // Goldens are rounded to four places.
        let most = tolerance(case) * spread(&ours) + 1e-4;
        for (place, golden) in golden_places(case).zip(golden) {
            let (found, golden) = (ours[place], golden.as_f64().unwrap() as f32);
            assert!(
                (found - golden).abs() <= most || found == f32::MIN,
                "{}: logit {place} is {found}, llama.cpp has {golden}",
                case.name
            );
        }
        assert_eq!(golden.len(), golden_places(case).count());
    }
}

/// `determinism.rs` has the whole of it for a family of each kind.
#[test]
fn every_family_has_the_same_bits_on_another_instruction_set() {
    let sets = Isa::all();
    for (i, case) in all_that_a_file_may_have().enumerate() {
        let expected = logits(case, 1, Some(sets[i % sets.len()]), usize::MAX);
        let found = logits(case, 2, Some(sets[(i + 1) % sets.len()]), 7);
        assert!(found == expected, "{}", case.name);
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
fn tokens_of_images_are_never_made() {
    for case in cases().filter(|case| case.arch() == "chameleon") {
        for row in logits(case, 1, None, 7) {
            let is_made = |(i, x): (usize, &f32)| (*x > f32::MIN) != (4..8196).contains(&i);
            assert!(row.iter().enumerate().all(is_made), "{}", case.name);
        }
    }
}

#[test]
fn llama_4_sees_chunks_in_the_layers_that_rotate() {
    let case = cases().find(|case| case.name == "llama4.full").unwrap();
    let config = Config::from_gguf(&open(&case.model())).unwrap();
    assert!(config.chunked);
    let chunk = Some(8192);
    let windows: Vec<_> = config.layers.iter().map(|layer| layer.window).collect();
    assert_eq!(windows, [chunk, chunk, chunk, None, chunk]);
    assert!(config.layers.iter().all(|layer| layer.rope.is_some() == layer.window.is_some()));
}

#[test]
fn a_model_that_selects_positions_ends_where_it_sees_all() {
    for (name, key, selected, context) in
        [("deepseek32.full", "top_k", 40, 40), ("minimax-m3.full", "block_size", 5, 80)]
    {
        let case = cases().find(|case| case.name == name).unwrap();
        let mut model = case.model();
        model.set(&format!("attention.indexer.{key}"), Meta::U32(selected));
        assert_eq!(Config::from_gguf(&open(&model)).unwrap().ctx_len, context, "{name}");
    }
}

#[test]
fn a_context_that_selects_means_of_positions_ends_where_it_sees_all() {
    let context = |name: &str, change: &dyn Fn(&mut kelvin_testkit::tiny::TinyModel)| {
        let case = cases().find(|case| case.name == name).unwrap();
        let mut model = case.model();
        model.set("attention.indexer.top_k", Meta::U32(40));
        change(&mut model);
        Config::from_gguf(&open(&model)).map(|config| config.ctx_len)
    };
    assert_eq!(context("glm5-next.full", &|_| ()).unwrap(), 40);
    assert_eq!(context("qwen4exp.full", &|_| ()).unwrap(), 40);
    // No layer selects.
    assert_eq!(context("qwen4exp.plain", &|_| ()).unwrap(), 96);
    let blind = context("glm5-next.full", &|model| {
        model.set("attention.indexer.kpool_select_tail", Meta::Bool(false));
    });
    let error = blind.unwrap_err().to_string();
    assert!(error.contains("kpool_select_tail"), "{error}");
}

#[test]
fn an_architecture_that_is_refused_is_told_why() {
    let mut model = cases().next().unwrap().model();
    let mut n = 0;
    for row in ARCHITECTURES.lines().filter(|line| line.contains("| refused |")) {
        let name = row.split('`').nth(1).unwrap();
        model.metadata[0].1 = Meta::Str(name.into());
        let error = Config::from_gguf(&open(&model)).unwrap_err().to_string();
        let reasons = ["which isn't supported: ", "isn't a language model: "];
        assert!(reasons.iter().any(|reason| error.contains(reason)), "{error}");
        assert_eq!(row.contains("diffusion"), error.contains("diffusion model"), "{error}");
        n += 1;
    }
    assert_eq!(n, 25);
    model.metadata[0].1 = Meta::Str("nonsense".into());
    let error = Config::from_gguf(&open(&model)).unwrap_err().to_string();
    assert!(error.contains("isn't supported; supported are: "), "{error}");
}

/// Floats of keys and values of absorbed latent attention are stored once.
#[test]
fn latent_attention_keeps_a_position_once() {
    let config = |name: &str| {
        let case = cases().find(|case| case.name == name).unwrap();
        Config::from_gguf(&open_case(case)).unwrap()
    };
    // Two layers: 32 numbers and a rotated part of 8; as integers, keys and values have scales.
    let latent = config("deepseek2.full");
    let formats = [CacheFormat::F16, CacheFormat::F32, CacheFormat::Q8];
    let bytes = formats.map(|cache| latent.page_bytes(cache));
    assert_eq!(bytes, [2 * 40 * 2, 2 * 40 * 4, 2 * 2 * (40 + 4)].map(|each| each * PAGE));
    let expanded = config("minicpm3.full");
    assert_eq!(expanded.page_bytes(CacheFormat::F16), 2 * 2 * 4 * 24 * 2 * PAGE);
}

#[test]
fn every_family_that_errors_name_has_a_case() {
    let mut model = cases().next().unwrap().model();
    model.metadata[0].1 = Meta::Str("gptj".into());
    let error = Config::from_gguf(&open(&model)).unwrap_err().to_string();
    let known: HashSet<&str> = error.split("supported are: ").nth(1).unwrap().split(", ").collect();
    let tested: HashSet<&str> = cases().map(Case::arch).collect();
    assert_eq!(known, tested);
}

/// A mixture of experts may be named here before its row in the table says so.
#[test]
fn the_table_of_architectures_is_true() {
    let mut model = cases().next().unwrap().model();
    model.metadata[0].1 = Meta::Str("gptj".into());
    let error = Config::from_gguf(&open(&model)).unwrap_err().to_string();
    let known: HashSet<&str> = error.split("supported are: ").nth(1).unwrap().split(", ").collect();
    let goldens: serde_json::Value = serde_json::from_str(GOLDENS).unwrap();
    let mut listed = HashSet::new();
    for row in ARCHITECTURES.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let (name, runs, reason) = (cells[1].trim_matches('`'), cells[2] == "runs", cells[3]);
        let has_goldens =
            goldens.as_object().unwrap().keys().any(|key| key.split('.').next() == Some(name));
        if runs {
            assert!(known.contains(name) && has_goldens, "{name} is said to run");
        } else {
            let may_run = reason == "a mixture of experts";
            assert!(may_run || !known.contains(name), "{name} is said to be refused: {reason}");
            assert!(!reason.is_empty(), "{name} is refused for no reason");
        }
        listed.insert(name);
    }
    assert!(known.is_subset(&listed), "architectures without a row");
    assert_eq!(listed.len(), 155);
}
