//! `studio --static`: the studio as a folder for any web server.

use std::path::{Path, PathBuf};

use anyhow::Context;
use kelvin_server::{StaticEngine, StaticModel, write_static};

use super::args::StudioArgs;
use crate::{
    cli::shared::{failure::usage, session},
    terminal,
};

/// The name of the model's file in the folder.
const MODEL: &str = "model.gguf";
/// The engine's module.
const MODULE: &str = "kelvin.wasm";

/// Writes the page, the engine's module and the model's file.
pub(super) fn write(folder: &Path, args: &StudioArgs) -> anyhow::Result<()> {
    let module = match &args.engine {
        Some(path) => path.clone(),
        None => installed()?,
    };
    let plain = std::fs::read(&module).with_context(|| {
        format!(
            "the engine's module can't be read from {}; archives of Kelvin have it, \
             ./check-wasm --build makes it, and --engine names it",
            module.display()
        )
    })?;
    if !plain.starts_with(b"\0asm") {
        return Err(usage(format!("{} is no module of WebAssembly", module.display())));
    }
    // Without the faster modules the page has the plain one alone.
    let read = |variant| std::fs::read(beside(&module, variant)).ok();
    let engine = StaticEngine { plain, relaxed: read("relaxed"), threads: read("threads") };
    std::fs::create_dir_all(folder).with_context(|| format!("can't make {}", folder.display()))?;
    let model = if args.without_model {
        StaticModel::default()
    } else {
        let (_, path) = session::locate(&args.serve.model.named)?;
        if path.is_dir() {
            return Err(usage("a page has one file as its model, not a folder"));
        }
        let name = args.serve.model.named.model.clone();
        StaticModel::copy(&path, folder, MODEL, name)
            .with_context(|| format!("can't copy {} into the folder", path.display()))?
    };
    write_static(folder, &engine, &model)
        .with_context(|| format!("can't write the page into {}", folder.display()))?;
    terminal::print(&format!(
        "The studio is in {}. Any web server can serve it, for example\n  python3 -m http.server \
         --directory {}\n",
        folder.display(),
        folder.display()
    ))
}

/// A variant of the module, beside it.
fn beside(module: &Path, variant: &str) -> PathBuf {
    let stem = module.file_stem().unwrap_or_default().to_string_lossy();
    module.with_file_name(format!("{stem}-{variant}.wasm"))
}

/// Where `./release` puts the module: beside the program, or where a Debian package has it.
fn installed() -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe().context("where this program is isn't known")?;
    let own = program.with_file_name(MODULE);
    let shared = program.parent().map(|folder| folder.join("../share/kelvin").join(MODULE));
    Ok(shared.filter(|path| !own.exists() && path.exists()).unwrap_or(own))
}
