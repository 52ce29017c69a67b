//! Writes a tiny model file of each weight format and its twin in F32, with their tokens. Once
//! llama.cpp's logits lie beside them (`tests/python/family_logits.py`), it prints a table of
//! divergences from the twin and writes the goldens of `tests/it/formats.rs`.
//!
//! `formats write FOLDER`, then `family_logits.py FOLDER`, then `formats compare FOLDER GOLDENS`.

#![allow(clippy::unwrap_used, reason = "a tool for those who add a format may fail by panicking")]

#[path = "../tests/it/formats/files.rs"]
mod files;
#[path = "../tests/reference/mod.rs"]
mod reference;

use std::{env, fs, path::Path};

use kelvin_engine::{
    gguf::Gguf,
    transformer::{CacheFormat, ModelOptions},
};
use kelvin_kernels::format::Format;

use files::{N_TOKENS, SHAPE, divergence, files, tokens};
use reference::run::{ids, load, logits};

fn main() {
    let args: Vec<String> = env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["write", folder] => write(Path::new(folder)),
        ["compare", folder, goldens] => compare(Path::new(folder), Path::new(goldens)),
        _ => panic!("usage: formats write FOLDER | formats compare FOLDER GOLDENS"),
    }
}

fn write(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    let tokens = tokens().iter().map(u32::to_string).collect::<Vec<_>>().join(" ");
    for format in Format::ALL {
        let [quantized, plain] = files(|_| format);
        for (name, file) in [(format.name().to_string(), quantized), (twin(format), plain)] {
            fs::write(folder.join(format!("{name}.gguf")), file).unwrap();
            fs::write(folder.join(format!("{name}.tokens")), &tokens).unwrap();
        }
    }
}

fn twin(format: Format) -> String {
    format!("{}-as-F32", format.name())
}

fn compare(folder: &Path, goldens: &Path) {
    let theirs = |name: &str| -> Option<Vec<Vec<f32>>> {
        let bytes = fs::read(folder.join(format!("{name}.logits"))).ok()?;
        let floats = bytes.as_chunks::<4>().0.iter().map(|x| f32::from_le_bytes(*x));
        let rows = floats.collect::<Vec<f32>>();
        Some(rows.chunks(SHAPE.vocab_size).map(<[f32]>::to_vec).collect())
    };
    let ours = |name: &str| {
        let gguf = Gguf::open(&folder.join(format!("{name}.gguf"))).unwrap();
        let model = load(&gguf, &ModelOptions::default());
        logits(&model, &ids(&tokens()), CacheFormat::F32, N_TOKENS)
    };
    let mut lines = Vec::new();
    println!("| format | Kelvin | llama.cpp |\n|---|---|---|");
    for format in Format::ALL {
        let truth = ours(&twin(format));
        let kelvin = divergence(&truth, &ours(format.name()));
        let twins = theirs(&twin(format)).map(|twin| divergence(&truth, &twin));
        assert!(twins.is_none_or(|d| d < 1e-6), "the twins of {} differ", format.name());
        match theirs(format.name()) {
            None => println!("| {} | {kelvin:.1e} | - |", format.name()),
            Some(found) => {
                let llama = divergence(&truth, &found);
                println!("| {} | {kelvin:.1e} | {llama:.1e} |", format.name());
                lines.push(format!("\"{}\": {llama:.3e}", format.name()));
            }
        }
    }
    fs::write(goldens, format!("{{\n{}\n}}\n", lines.join(",\n"))).unwrap();
}
