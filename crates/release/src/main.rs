//! Writes `THIRD-PARTY.txt` and `kelvin.cdx.json` of a platform's release into the folder that is
//! given.

use std::{env, fs, path::PathBuf};

use anyhow::Context;
use kelvin_release::{dependencies, licences, sbom};

fn main() -> anyhow::Result<()> {
    let (folder, target) = (env::args_os().nth(1).map(PathBuf::from), env::args().nth(2));
    let (folder, target) = folder.zip(target).context("usage: kelvin-release FOLDER TARGET")?;
    let shipped = dependencies::of_release("kelvin", &target)?;
    let write = |name: &str, text: String| {
        let path = folder.join(name);
        fs::write(&path, text).with_context(|| format!("can't write {}", path.display()))
    };
    write("THIRD-PARTY.txt", licences::text(&shipped.dependencies)?)?;
    write("kelvin.cdx.json", sbom::json(&shipped))
}
