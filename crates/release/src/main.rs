//! Writes `THIRD-PARTY.txt` and `kelvin.cdx.json` into the folder that is given.

use std::{env, fs, path::PathBuf};

use anyhow::Context;
use kelvin_release::{dependencies, licences, sbom};

fn main() -> anyhow::Result<()> {
    let folder = env::args_os().nth(1).map(PathBuf::from);
    let folder = folder.context("usage: kelvin-release FOLDER")?;
    let shipped = dependencies::of_binary("kelvin")?;
    let write = |name: &str, text: String| {
        let path = folder.join(name);
        fs::write(&path, text).with_context(|| format!("can't write {}", path.display()))
    };
    write("THIRD-PARTY.txt", licences::text(&shipped.dependencies)?)?;
    write("kelvin.cdx.json", sbom::json(&shipped))
}
