//! Writes the seeds in `corpus/`: `cargo run -p kelvin-fuzz --example seeds [MODEL.gguf...]`.
//!
//! Each model file that is named gives a seed of its own: its header with vocabulary and tensors
//! cut short, and no weights.

mod files;
mod proofs;
mod texts;

use std::{error::Error, fs, path::Path};

/// Writes one seed, named by its place in the list.
fn write(target: &str, name: &str, bytes: &[u8]) -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    fs::create_dir_all(&folder)?;
    fs::write(folder.join(name), bytes)?;
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    for (target, seeds) in texts::all() {
        for (i, seed) in seeds.iter().enumerate() {
            write(target, &format!("{i:02}"), seed)?;
        }
    }
    for (i, seed) in proofs::made().iter().enumerate() {
        write("proof", &format!("{i:02}"), seed)?;
    }
    for (name, bytes) in files::made() {
        write("gguf", &name, &bytes)?;
    }
    for path in std::env::args().skip(1) {
        let (name, bytes) = files::cut(Path::new(&path))?;
        write("gguf", &name, &bytes)?;
    }
    Ok(())
}
