//! Hugging Face folders: every family's folder gives the tensors and the configuration of its GGUF
//! file bit for bit, a folder written as GGUF reads back as the same, and packed weights are those
//! of the quantizer.

mod build;
mod families;
mod goldens;
mod refusals;
mod tokenizer;

use std::fs;

use kelvin_engine::{
    Engine,
    gguf::Gguf,
    source::{self, Quantize},
    transformer::{CacheFormat, Config, ModelOptions},
};
use kelvin_kernels::{format::Format, quantize::quantize};
use kelvin_testkit::tiny::TinyModel;

use crate::reference::run::{ids, logits};
use build::{Folder, Written};
use families::{ROWS, both};

fn opened(model: &TinyModel) -> Gguf {
    let path = model.write();
    let gguf = Gguf::open(&path).unwrap();
    fs::remove_file(path).unwrap();
    gguf
}

fn bytes(gguf: &Gguf, name: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    gguf.read_tensor(gguf.tensor(name).unwrap(), &mut bytes).unwrap();
    bytes
}

/// The tensors of both are the same, bit for bit.
#[track_caller]
fn same_tensors(what: &str, found: &Gguf, expected: &Gguf) {
    for tensor in &expected.tensors {
        let name = &tensor.name;
        let other = found.tensor(name).unwrap_or_else(|| panic!("{what}: no tensor {name}"));
        assert_eq!((&other.shape, other.format), (&tensor.shape, tensor.format), "{what}: {name}");
        assert!(bytes(found, name) == bytes(expected, name), "{what}: {name} has other numbers");
    }
    assert_eq!(found.tensors.len(), expected.tensors.len(), "{what}");
}

#[test]
fn every_family_s_folder_is_its_gguf_file() {
    for row in ROWS {
        let (model, folder) = both(row);
        let expected = opened(&model);
        for written in [folder.write(), folder.write_in_two()] {
            let found = source::open(&written.0, None)
                .unwrap_or_else(|error| panic!("{}: {error}", row.case));
            same_tensors(row.case, &found, &expected);
            let config = Config::from_gguf(&found).unwrap_or_else(|e| panic!("{}: {e}", row.case));
            assert_eq!(config, Config::from_gguf(&expected).unwrap(), "{}", row.case);
        }
    }
}

#[test]
fn queries_of_ministral_grow_with_their_position() {
    let row = ROWS.iter().find(|row| row.case == "mistral3.plain").unwrap();
    let (_, mut folder) = both(row);
    folder.config["rope_parameters"] = serde_json::json!({
        "rope_type": "yarn", "rope_theta": 1e6, "factor": 16.0, "mscale": 1.0,
        "mscale_all_dim": 1.0, "original_max_position_embeddings": 24, "llama_4_scaling_beta": 0.1,
    });
    let config = Config::from_gguf(&source::open(&folder.write().0, None).unwrap()).unwrap();
    let temperature = config.temperature.unwrap();
    assert_eq!((temperature.scale as f32, temperature.floor), (0.1, 24));
    assert_eq!(config.ropes[0].scale, 1.0 / 16.0);
    assert!((config.ropes[0].magnitude - 1.0).abs() < 1e-6);
}

/// A Llama whose matrices fill whole blocks.
fn wide() -> Folder {
    let row = ROWS.iter().find(|row| row.case == "llama.plain").unwrap();
    let (_, mut folder) = both(row);
    folder.config["hidden_size"] = 256.into();
    folder.config["intermediate_size"] = 512.into();
    for (name, shape, numbers) in &mut folder.tensors {
        for n in shape.iter_mut() {
            *n = match *n {
                64 if !name.contains("_proj") || name.contains("mlp") => 256,
                88 => 512,
                other => other,
            };
        }
        if name.contains("self_attn") {
            let is_output = name.contains("o_proj");
            shape[usize::from(!is_output)] = 256;
        }
        let mut random = kelvin_testkit::tiny::Random(name.len() as u64 + 3);
        *numbers = (0..shape.iter().product()).map(|_| random.next() * 0.2).collect();
    }
    folder
}

fn engine(written: &Written, quantize: Option<Quantize>) -> Engine {
    let gguf = source::open(&written.0, quantize).unwrap();
    Engine::load(gguf, &ModelOptions { threads: 2, isa: None }, &mut |_, _| ()).unwrap()
}

#[test]
fn weights_are_packed_while_they_are_read() {
    let written = wide().write();
    let plain = source::open(&written.0, None).unwrap();
    for (quantized, name, format) in [
        (Quantize::Q8_0, "blk.0.attn_q.weight", Format::Q8_0),
        (Quantize::Q8_0, "token_embd.weight", Format::Q8_0),
        (Quantize::Q4K, "blk.1.ffn_up.weight", Format::Q4_K),
        (Quantize::Q4K, "token_embd.weight", Format::Q4_K),
        // Rows of 64 numbers are no whole Q4_K block.
        (Quantize::Q4K, "blk.0.attn_output.weight", Format::Q8_0),
        (Quantize::Q4K, "blk.0.attn_norm.weight", Format::F32),
    ] {
        let packed = source::open(&written.0, Some(quantized)).unwrap();
        let info = packed.tensor(name).unwrap();
        assert_eq!(info.format, format, "{name}");
        let numbers: Vec<f32> = bytes(&plain, name)
            .chunks_exact(4)
            .map(|x| f32::from_le_bytes(x.try_into().unwrap()))
            .collect();
        let mut expected = vec![0; info.n_bytes];
        quantize(format, &numbers, &mut expected);
        assert!(bytes(&packed, name) == expected, "{name}");
        // Any range of a tensor reads as that range of the whole.
        let mut piece = vec![0; expected.len() / 3];
        packed.read_part(info, 5, &mut piece).unwrap();
        assert!(piece == expected[5..5 + piece.len()], "{name}");
    }
}

#[test]
fn a_folder_written_as_gguf_runs_as_the_folder() {
    let written = wide().write();
    let tokens = ids(&[3, 77, 200, 9]);
    for quantize in [None, Some(Quantize::Q8_0), Some(Quantize::Q4K)] {
        let mut file = Vec::new();
        let folder = source::open(&written.0, quantize).unwrap();
        folder.write(&mut file, &mut |_, _| ()).unwrap();
        let path = written.0.join("out.gguf");
        fs::write(&path, file).unwrap();
        let read = Gguf::open(&path).unwrap();
        same_tensors("written", &read, &folder);
        assert_eq!(read.metadata.entries, folder.metadata.entries);
        let options = ModelOptions { threads: 1, isa: None };
        let from_file = Engine::open(&path, &options, &mut |_, _| ()).unwrap();
        let from_folder = engine(&written, quantize);
        let run = |engine: &Engine| logits(&engine.model, &tokens, CacheFormat::F16, 4);
        assert!(run(&from_file) == run(&from_folder));
        assert_eq!(from_folder.files.len(), 4);
        fs::remove_file(path).unwrap();
    }
}

#[test]
fn only_folders_are_packed() {
    let path = TinyModel::new(&kelvin_testkit::tiny::MISTRAL_LIKE).write();
    let error = source::open(&path, Some(Quantize::Q4K)).unwrap_err().to_string();
    fs::remove_file(path).unwrap();
    assert!(error.contains("q4_k was asked for, but only a folder"), "{error}");
}
