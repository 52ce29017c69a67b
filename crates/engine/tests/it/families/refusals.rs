//! Each family's tiny file with one thing wrong is refused by a sentence that names it.

use kelvin_engine::transformer::{Append, CacheFormat, Model, ModelOptions, Scratch, Want};
use kelvin_testkit::tiny::{Meta, TinyModel};

use super::{
    build::Case,
    cases::cases,
    run::{open, tokens},
};
use crate::reference::run::ids;

/// What an error is at most: names that it quotes are cut and counted.
const MOST_BYTES: usize = 1500;

fn load(model: &TinyModel) -> Result<Model, String> {
    let options = ModelOptions { threads: 1, isa: None };
    Model::load(&open(model), &options, &mut |_, _| {}).map_err(|error| error.to_string())
}

/// The file is refused by an error of a few lines that has all of `names`.
#[track_caller]
pub(super) fn refuses(what: &str, model: &TinyModel, names: &[&str]) {
    let error = load(model).err();
    let error = error.unwrap_or_else(|| panic!("{what}: a file with {names:?} was believed"));
    assert!(names.iter().all(|name| error.contains(name)), "{what}: {names:?} aren't in: {error}");
    assert!(error.len() < MOST_BYTES, "{what}: an error of {} bytes", error.len());
}

/// The plain file of each family.
fn plain() -> impl Iterator<Item = &'static Case> {
    cases().filter(|case| case.name.ends_with(".plain"))
}

/// One file of each family with most that it may have.
fn full() -> impl Iterator<Item = &'static Case> {
    cases().filter(|case| case.name.ends_with(".full"))
}

/// Text needs none of the matrices for images, and a short one none that select positions, so they
/// may be missing or of any shape. Gemma 4's keys serve where it has no values.
fn is_needed(case: &Case, name: &str) -> bool {
    let serves_keys = case.arch() == "gemma4" && name.contains("attn_v");
    !serves_keys && !name.contains(".vis_") && !name.contains(".indexer")
}

/// The names of a case's tensors, without those of further layers that the first has as well.
fn different_tensors(case: &Case) -> Vec<String> {
    let names: Vec<String> = case.model().tensors.into_iter().map(|(name, ..)| name).collect();
    let is_new = |name: &&String| match name.strip_prefix("blk.1.") {
        Some(part) => !names.contains(&format!("blk.0.{part}")),
        None => !name.starts_with("blk.") || name.starts_with("blk.0."),
    };
    names.iter().filter(is_new).filter(|name| is_needed(case, name)).cloned().collect()
}

#[test]
fn a_tensor_or_a_key_too_many() {
    for case in plain() {
        for name in ["blk.0.foo.weight", "blk.1.attn_sinks.scale", "foo.weight"] {
            let mut model = case.model();
            model.tensors.push((name.into(), vec![16], vec![1.0; 16]));
            refuses(case.name, &model, &[name, "tensors", case.arch()]);
        }
        for key in ["foo", "attention.indexer_size", "moe_latent_size"] {
            let mut model = case.model();
            model.set(key, Meta::U32(1));
            refuses(case.name, &model, &[&format!("{}.{key}", case.arch()), "keys"]);
        }
    }
}

#[test]
fn a_missing_tensor() {
    for case in plain() {
        for name in different_tensors(case) {
            let mut model = case.model();
            model.tensors.retain(|tensor| tensor.0 != name);
            refuses(case.name, &model, &[&name, "no tensor"]);
        }
    }
}

#[test]
fn a_tensor_of_another_shape() {
    for case in full() {
        // The vocabulary's size is what the embedding says, and a table may have more rows than are
        // looked up.
        let names = different_tensors(case).into_iter();
        let is_table =
            |name: &str| name == "per_layer_token_embd.weight" && case.arch() == "qwen4exp";
        for name in names.filter(|name| name != "token_embd.weight" && !is_table(name)) {
            let mut model = case.model();
            let (_, shape, values) = model.tensors.iter_mut().find(|t| t.0 == name).unwrap();
            let last = shape.len() - 1;
            shape[last] += 1;
            values.resize(shape.iter().product(), 1.0);
            refuses(case.name, &model, &[&name, "expected shape"]);
        }
    }
}

/// Changes of one key, each with what the error has to name. A key that the file hasn't is left
/// out.
const CHANGES: &[(&str, Meta, &str)] = &[
    ("block_count", Meta::U32(0), "block_count"),
    ("block_count", Meta::U32(1), "blk.1."),
    ("block_count", Meta::U32(999), "block_count"),
    ("context_length", Meta::U32(0), "context_length"),
    ("embedding_length", Meta::U32(0), "embedding_length"),
    ("embedding_length", Meta::U32(1 << 30), "embedding_length"),
    ("attention.head_count", Meta::U32(u32::MAX), "head_count"),
    ("attention.head_count_kv", Meta::U32(u32::MAX), "head_count_kv"),
    ("attention.key_length", Meta::U32(0), "key_length"),
    ("attention.value_length", Meta::U32(1 << 13), "value_length"),
    ("feed_forward_length", Meta::U32(u32::MAX), "feed_forward_length"),
    ("rope.dimension_count", Meta::U32(3), "rope.dimension_count"),
    ("rope.dimension_count", Meta::U32(512), "rope.dimension_count"),
    ("attention.layer_norm_epsilon", Meta::F32(-1.0), "layer_norm_epsilon"),
    ("attention.layer_norm_rms_epsilon", Meta::F32(f32::NAN), "layer_norm_rms_epsilon"),
    ("attention.shared_kv_layers", Meta::U32(4), "shared_kv_layers"),
    ("num_loops", Meta::U32(0), "num_loops"),
    ("num_loops", Meta::U32(1000), "num_loops"),
];

#[test]
fn a_key_that_cannot_be() {
    for case in full() {
        let given = |model: &TinyModel, key: &str| {
            let name = format!("{}.{key}", case.arch());
            model.metadata.iter().any(|(key, _)| *key == name)
        };
        for (key, value, named) in CHANGES {
            let mut model = case.model();
            // Lists for each layer are checked first.
            let has_lists = matches!((key, value), (&"block_count", Meta::U32(1)))
                && (model.metadata.iter())
                    .any(|(_, v)| matches!(v, Meta::I32s(_) | Meta::Bools(_)));
            let predicts = given(&model, "nextn_predict_layers");
            if given(&model, key) && !has_lists && !predicts {
                model.set(key, value.clone());
                refuses(&format!("{}, {key}", case.name), &model, &[named]);
            }
        }
    }
}

#[test]
fn head_counts_that_do_not_divide() {
    let has_heads = |case: &&Case| case.sizes.each.is_empty() && case.sizes.n_heads > 0;
    for case in full().filter(has_heads) {
        let mut model = case.model();
        model.set("attention.head_count_kv", Meta::U32(case.sizes.n_heads as u32 + 1));
        refuses(case.name, &model, &["attention.head_count_kv", "evenly"]);
        let mut model = case.model();
        let lengths = ["key_length", "value_length"];
        model.metadata.retain(|(key, _)| !lengths.iter().any(|length| key.contains(length)));
        model.set("attention.head_count", Meta::U32(7));
        refuses(case.name, &model, &["attention.head_count"]);
    }
}

#[test]
fn a_list_with_too_few_layers() {
    for case in full() {
        for key in ["attention.head_count", "attention.head_count_kv", "feed_forward_length"] {
            let mut model = case.model();
            model.set(key, Meta::I32s(vec![2]));
            refuses(case.name, &model, &[key, "layers"]);
        }
    }
}

/// Where layers are known to have a window it isn't 0; elsewhere 0 says that there is none.
#[test]
fn a_window_of_no_positions() {
    let mut refused = Vec::new();
    for case in full() {
        let mut model = case.model();
        model.set("attention.sliding_window", Meta::U32(0));
        if let Err(error) = load(&model) {
            assert!(error.contains("sliding_window\": a window of 0 positions"), "{error}");
            refused.push(case.arch());
        }
    }
    for arch in ["gemma2", "exaone4", "spark2_5", "gemma4", "granite_swa", "exaone-moe"] {
        assert!(refused.contains(&arch), "{arch} isn't among {refused:?}");
    }
}

#[test]
fn rope_factors_of_another_length_or_that_divide_nothing() {
    let mut n_tried = 0;
    // What a family's graph doesn't read may be anything.
    for case in cases().filter(|case| !case.name.ends_with(".idle")) {
        let names = case.model().tensors.into_iter().map(|(name, ..)| name);
        for name in names.filter(|name| name.starts_with("rope_")) {
            for (factors, named) in [(vec![1.0; 3], "expected shape"), (vec![], "divides no angle")]
            {
                let mut model = case.model();
                let tensor = model.tensors.iter_mut().find(|tensor| tensor.0 == name).unwrap();
                match factors.len() {
                    0 => tensor.2[1] = 0.0,
                    n => (tensor.1, tensor.2) = (vec![n], factors),
                }
                refuses(case.name, &model, &[&name, named]);
            }
            n_tried += 1;
        }
    }
    assert!(n_tried > 15, "{n_tried} files with factors");
}

#[test]
fn sections_that_are_no_sections() {
    for case in cases().filter(|case| ["qwen2vl", "qwen3vl", "paddleocr"].contains(&case.arch())) {
        for sections in [vec![], vec![2, 2, 2], vec![0, 0, 0, 0], vec![-1, 2, 2, 2]] {
            let mut model = case.model();
            model.set("rope.dimension_sections", Meta::I32s(sections));
            refuses(case.name, &model, &["rope.dimension_sections", "four counts"]);
        }
    }
}

/// Zero, far too much and no number at all: each is a short error, or a model that runs.
#[test]
fn wild_hyperparameters_make_an_error_or_a_model() {
    for case in full().filter(|case| case.sizes.n_layers < 9) {
        let keys: Vec<(String, Meta)> = case.model().metadata.split_off(1);
        for (key, value) in keys.iter().filter(|(key, _)| !key.starts_with("tokenizer.")) {
            let wild: Vec<Meta> = match value {
                Meta::U32(_) => [0, 1, 3, u32::MAX].map(Meta::U32).into(),
                Meta::F32(_) => [0.0, -1.0, 1e30, f32::NAN, f32::INFINITY].map(Meta::F32).into(),
                Meta::Str(_) => vec![Meta::Str("foo".into()), Meta::U32(1)],
                Meta::F32s(_) => vec![Meta::F32s(vec![f32::NAN; 2]), Meta::F32s(vec![1.0; 3])],
                Meta::I32s(list) => {
                    let n = list.len();
                    [vec![-1; n], vec![0; n], vec![i32::MAX; n], vec![]].map(Meta::I32s).into()
                }
                _ => vec![Meta::Str("foo".into())],
            };
            for value in wild {
                let mut model = case.model();
                model.metadata.iter_mut().find(|(k, _)| k == key).unwrap().1 = value;
                let error = load(&model).and_then(|model| {
                    let mut sequence = model.sequence(CacheFormat::F16);
                    let tokens = &ids(&tokens(case))[..3];
                    let step = Append { sequence: &mut sequence, tokens, want: Want::Last };
                    let mut scratch = Scratch::default();
                    model.forward(&mut [step], &mut scratch).map_err(|error| error.to_string())?;
                    Ok(())
                });
                let error = error.err().unwrap_or_default();
                assert!(error.len() < MOST_BYTES, "{}: {error}", case.name);
            }
        }
    }
}
