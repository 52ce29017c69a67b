//! Writes tiny model files of every family, with their tokens. Once llama.cpp's logits lie beside
//! them (`tests/python/family_logits.py`), it prints a table of differences and writes the goldens
//! of `tests/it/families.rs`.
//!
//! `families write FOLDER`, then `family_logits.py FOLDER`, then `families compare FOLDER GOLDENS`.
//! After these stand architectures, if not all are meant; the goldens of others stay as they are.
//!
//! `families files FOLDER` compares model files of any origin, each with its tokens and logits.

#![allow(clippy::unwrap_used, reason = "a tool for those who add a family may fail by panicking")]

#[path = "../tests/reference/mod.rs"]
mod reference;

#[path = "../tests/it/families/build.rs"]
mod build;
#[path = "../tests/it/families/cases.rs"]
mod cases;
#[path = "../tests/it/families/run.rs"]
mod run;

use std::{
    env,
    fmt::Write,
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

use kelvin_engine::{
    gguf::Gguf,
    transformer::{CacheFormat, Model, ModelOptions},
};

use build::Case;
use cases::cases;
use run::{golden_places, logits, tokens};

fn main() {
    let args: Vec<String> = env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["write", folder, ref only @ ..] => write(Path::new(folder), only),
        ["compare", folder, goldens, ref only @ ..] => {
            compare(Path::new(folder), Path::new(goldens), only);
        }
        ["files", folder] => files(Path::new(folder)),
        _ => panic!(
            "usage: families (write FOLDER | compare FOLDER GOLDENS) [ARCHITECTURE...]\n\
             or: families files FOLDER"
        ),
    }
}

/// Prints how far each file's logits are from those beside it, or why it isn't run.
fn files(folder: &Path) {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|end| end == "gguf"));
    paths.sort();
    println!("| file | largest difference / spread |\n|---|---|");
    for path in paths {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let Ok(bytes) = fs::read(path.with_extension("logits")) else { continue };
        let theirs: Vec<f32> =
            bytes.as_chunks::<4>().0.iter().map(|x| f32::from_le_bytes(*x)).collect();
        let tokens = fs::read_to_string(path.with_extension("tokens")).unwrap();
        let tokens: Vec<u32> = tokens.split_whitespace().map(|t| t.parse().unwrap()).collect();
        let options = ModelOptions { threads: 1, isa: None };
        let model = Gguf::open(&path).map_err(|error| error.to_string()).and_then(|gguf| {
            Model::load(&gguf, &options, &mut |_, _| ()).map_err(|error| error.to_string())
        });
        let model = match model {
            Ok(model) => model,
            Err(error) => {
                println!("| {name} | {} |", error.lines().next().unwrap_or_default());
                continue;
            }
        };
        let ours = catch_unwind(AssertUnwindSafe(|| {
            let tokens = reference::run::ids(&tokens);
            reference::run::logits(&model, &tokens, CacheFormat::F32, tokens.len())
        }));
        let Ok(ours) = ours else {
            println!("| {name} | panicked |");
            continue;
        };
        let (ratio, at) = difference(&ours.concat(), &theirs);
        println!("| {name} | {ratio:.1e}, position {} |", at * tokens.len() / theirs.len());
    }
}

/// The largest difference as a share of the spread of all logits, and where it is. Tokens that are
/// never made have the smallest logit here; llama.cpp gives it to them in the first row of a batch
/// alone.
fn difference(ours: &[f32], theirs: &[f32]) -> (f32, usize) {
    assert_eq!(ours.len(), theirs.len());
    let pairs = ours.iter().zip(theirs).enumerate().filter(|(_, (ours, _))| **ours > f32::MIN);
    let (mut largest, mut at) = (0.0, 0);
    for (i, (a, b)) in pairs {
        let d: f32 = (a - b).abs();
        if d.is_nan() || d > largest {
            (largest, at) = (d, i);
        }
    }
    (largest / run::spread(theirs), at)
}

fn is_meant(case: &Case, only: &[&str]) -> bool {
    only.is_empty() || only.contains(&case.arch())
}

fn write(folder: &Path, only: &[&str]) {
    fs::create_dir_all(folder).unwrap();
    for case in cases().filter(|case| is_meant(case, only)) {
        let file = folder.join(format!("{}.gguf", case.name));
        fs::rename(run::write(case, folder), file).unwrap();
        let tokens: Vec<String> = tokens(case).iter().map(u32::to_string).collect();
        fs::write(folder.join(format!("{}.tokens", case.name)), tokens.join(" ")).unwrap();
    }
}

fn compare(folder: &Path, goldens: &Path, only: &[&str]) {
    let before = fs::read_to_string(goldens).unwrap_or_default();
    let mut json = "{\n".to_string();
    let mut n_bad = 0;
    println!("| file | largest difference / spread |\n|---|---|");
    for case in cases() {
        if !is_meant(case, only) {
            let start = format!("\"{}\": ", case.name);
            if let Some(line) = before.lines().find(|line| line.starts_with(&start)) {
                writeln!(json, "{},", line.trim_end_matches(',')).unwrap();
            }
            continue;
        }
        let Ok(bytes) = fs::read(folder.join(format!("{}.logits", case.name))) else {
            println!("| {} | no logits of llama.cpp |", case.name);
            n_bad += 1;
            continue;
        };
        let theirs: Vec<f32> =
            bytes.as_chunks::<4>().0.iter().map(|x| f32::from_le_bytes(*x)).collect();
        let ours = match std::panic::catch_unwind(|| logits(case, 1, None, usize::MAX)) {
            Ok(ours) => ours.concat(),
            Err(_) => {
                n_bad += 1;
                continue;
            }
        };
        let (ratio, _) = difference(&ours, &theirs);
        println!("| {} | {ratio:.1e} |", case.name);
        if ratio.is_nan() || ratio > run::tolerance(case) {
            n_bad += 1;
            continue;
        }
        let golden: Vec<String> =
            golden_places(case).map(|i| format!("{:.4}", theirs[i])).collect();
        writeln!(json, "\"{}\": [{}],", case.name, golden.join(",")).unwrap();
    }
    json.truncate(json.trim_end().trim_end_matches(',').len());
    json += "\n}\n";
    fs::write(goldens, json).unwrap();
    let n = cases().filter(|case| is_meant(case, only)).count();
    println!("{n_bad} of {n} don't agree");
}
