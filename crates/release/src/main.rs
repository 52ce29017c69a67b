//! Writes `THIRD-PARTY.txt` and `kelvin.cdx.json` of a package's release for a platform into the
//! folder that is given.

use std::{env, fs, path::Path};

use anyhow::{Context, bail};
use kelvin_release::{dependencies, licences, sbom};

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [folder, target, package] = &arguments[..] else {
        bail!("usage: kelvin-release FOLDER TARGET PACKAGE");
    };
    let shipped = dependencies::of_release(package, target)?;
    let write = |name: &str, text: String| {
        let path = Path::new(folder).join(name);
        fs::write(&path, text).with_context(|| format!("can't write {}", path.display()))
    };
    write("THIRD-PARTY.txt", licences::text(&shipped.dependencies)?)?;
    write("kelvin.cdx.json", sbom::json(&shipped))
}
