//! Writes the tiny model that the tests of the Python package use:
//! `cargo run -p kelvin-testkit --example tiny_model -- FOLDER` makes FOLDER/tiny.gguf.

use std::{env, error::Error, fs, path::PathBuf};

use kelvin_testkit::tiny::{MISTRAL_LIKE, TinyModel};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(env::args().nth(1).ok_or("which folder?")?);
    fs::create_dir_all(&folder)?;
    let written = TinyModel::new(&MISTRAL_LIKE).speaking().write_in(&folder);
    fs::rename(written, folder.join("tiny.gguf"))?;
    Ok(())
}
