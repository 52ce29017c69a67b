//! Folders of every family give the logits that transformers computes of them (llama.cpp, for
//! families that transformers has no code for). `tests/python/folder_models.py` made the goldens:
//! configurations as they are on the hub and as transformers writes them, the names and shapes of
//! the stored tensors, some logits. Numbers of a tensor follow from its name.

use std::{fs, path::Path};

use kelvin_engine::{
    gguf::Gguf,
    source,
    transformer::{CacheFormat, Model, ModelOptions},
};
use serde_json::Value;

use super::build::{Folder, tokenizer};
use crate::reference::run::{ids, logits};

const N_TOKENS: usize = 96;
/// How far a logit may lie from transformers', in units of the spread of all logits.
const TOLERANCE: f64 = 2e-5;
/// Where the files ask for GELU by the error function: the engine computes the approximation by
/// tanh, as llama.cpp does for these families.
const TOLERANCE_OF_GELU: f64 = 1e-3;
const GELU: &[&str] = &["gptneox", "gpt2.inner", "falcon", "mpt"];

/// `base` plus numbers from -1/4 to 1/4 that follow from the name and the place.
fn numbers(name: &str, n: usize, base: f32) -> Vec<f32> {
    let hashed = name.bytes().fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    });
    let number = |i: u64| {
        let mut x = hashed.wrapping_add((i + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        x = (x ^ x >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ x >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^= x >> 31;
        ((x >> 40) as f32 - (1 << 23) as f32) * (-25_f32).exp2() + base
    };
    (0..n as u64).map(number).collect()
}

fn goldens() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens/folders.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// The folder of a case with one of its configurations.
fn folder(case: &Value, config: &Value) -> Folder {
    let tensor = |tensor: &Value| {
        let name = tensor[0].as_str().unwrap().to_string();
        let shape: Vec<usize> =
            tensor[1].as_array().unwrap().iter().map(|n| n.as_u64().unwrap() as usize).collect();
        let base = tensor[2].as_f64().unwrap() as f32;
        let n = shape.iter().product();
        // The last entry says that all numbers are alike.
        let numbers = match tensor.get(3) {
            Some(_) => vec![base; n],
            None => numbers(&name, n, base),
        };
        (name, shape, numbers)
    };
    Folder {
        config: config.clone(),
        tokenizer: tokenizer(N_TOKENS),
        files: vec![("tokenizer_config.json".into(), r#"{"eos_token": "</s>"}"#.into())],
        tensors: case["tensors"].as_array().unwrap().iter().map(tensor).collect(),
    }
}

/// The largest difference from the goldens of a case, as a share of the spread of all logits.
fn difference(file: &Value, case: &Value, gguf: &Gguf) -> f64 {
    let list = |value: &Value| -> Vec<f64> {
        value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
    };
    let tokens: Vec<u32> = list(&file["tokens"]).into_iter().map(|x| x as u32).collect();
    let model = Model::load(gguf, &ModelOptions { threads: 1, isa: None }, &mut |_, _| ()).unwrap();
    let ours = logits(&model, &ids(&tokens), CacheFormat::F32, tokens.len());
    let step = file["step"].as_u64().unwrap() as usize;
    let positions = list(&file["positions"]);
    let ours = positions.iter().flat_map(|at| ours[*at as usize].iter().step_by(step));
    let theirs = list(&case["logits"]);
    assert_eq!(theirs.len(), positions.len() * N_TOKENS.div_ceil(step));
    let largest = ours.zip(theirs).fold(0.0, |largest: f64, (ours, theirs)| {
        let apart = (f64::from(*ours) - theirs).abs();
        if apart <= largest { largest } else { apart }
    });
    largest / case["spread"].as_f64().unwrap()
}

#[test]
fn folders_give_the_logits_of_transformers() {
    let file = goldens();
    let mut wrong = Vec::new();
    let cases = file["cases"].as_array().unwrap();
    assert!(cases.len() >= 55);
    for case in cases {
        let name = case["name"].as_str().unwrap();
        let is_gelu = GELU.iter().any(|start| name.starts_with(start));
        let tolerance = if is_gelu { TOLERANCE_OF_GELU } else { TOLERANCE };
        for (i, config) in case["configs"].as_array().unwrap().iter().enumerate() {
            let written = folder(case, config).write();
            let apart = match source::open(&written.0, None) {
                Ok(gguf) => difference(&file, case, &gguf),
                Err(error) => {
                    wrong.push(format!("{name}, configuration {i}: {error}"));
                    continue;
                }
            };
            println!("{name} {i}: {apart:.1e}");
            if apart.is_nan() || apart > tolerance {
                wrong.push(format!("{name}, configuration {i}: {apart:.1e} apart"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
