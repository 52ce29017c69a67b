//! Writes tiny model files of every family, with their tokens. Once llama.cpp's logits lie beside
//! them (`tests/python/family_logits.py`), it prints a table of differences and writes the goldens
//! of `tests/it/families.rs`.
//!
//! `families write FOLDER`, then `family_logits.py FOLDER`, then `families compare FOLDER GOLDENS`.

#![allow(clippy::unwrap_used, reason = "a tool for those who add a family may fail by panicking")]

#[path = "../tests/reference/mod.rs"]
mod reference;

#[path = "../tests/it/families/build.rs"]
mod build;
#[path = "../tests/it/families/cases.rs"]
mod cases;
#[path = "../tests/it/families/run.rs"]
mod run;

use std::{env, fmt::Write, fs, path::Path};

use cases::cases;
use run::{golden_places, logits, tokens};

fn main() {
    let args: Vec<String> = env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["write", folder] => write(Path::new(folder)),
        ["compare", folder, goldens] => compare(Path::new(folder), Path::new(goldens)),
        _ => panic!("usage: families write FOLDER | families compare FOLDER GOLDENS"),
    }
}

fn write(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    for case in cases() {
        let file = folder.join(format!("{}.gguf", case.name));
        fs::rename(run::write(case, folder), file).unwrap();
        let tokens: Vec<String> = tokens(case).iter().map(u32::to_string).collect();
        fs::write(folder.join(format!("{}.tokens", case.name)), tokens.join(" ")).unwrap();
    }
}

fn compare(folder: &Path, goldens: &Path) {
    let mut json = "{\n".to_string();
    let mut n_bad = 0;
    println!("| file | largest difference / spread |\n|---|---|");
    for case in cases() {
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
        assert_eq!(ours.len(), theirs.len());
        let spread = run::spread(&theirs);
        let difference = ours
            .iter()
            .zip(&theirs)
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, |max: f32, d| if d <= max { max } else { d });
        let ratio = difference / spread;
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
    println!("{n_bad} of {} don't agree", cases().count());
}
