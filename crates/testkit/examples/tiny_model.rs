//! Writes the tiny model that the tests of the Python package use:
//! `cargo run -p kelvin-testkit --example tiny_model -- FOLDER` makes FOLDER/tiny.gguf, and
//! FOLDER/thinking.gguf, whose chat template has it think before each answer.

use std::{env, error::Error, fs, path::PathBuf};

use kelvin_testkit::tiny::{MISTRAL_LIKE, Meta, TinyModel};

const THINKS: &str = "{% for m in messages %}{{ m.content }}\n{% endfor %}<think>\n";

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(env::args().nth(1).ok_or("which folder?")?);
    fs::create_dir_all(&folder)?;
    let written = TinyModel::new(&MISTRAL_LIKE).speaking().write_in(&folder);
    fs::rename(written, folder.join("tiny.gguf"))?;
    let mut thinking = TinyModel::new(&MISTRAL_LIKE).speaking();
    thinking.metadata.retain(|(key, _)| key != "tokenizer.chat_template");
    thinking.metadata.push(("tokenizer.chat_template".into(), Meta::Str(THINKS.into())));
    fs::rename(thinking.write_in(&folder), folder.join("thinking.gguf"))?;
    Ok(())
}
