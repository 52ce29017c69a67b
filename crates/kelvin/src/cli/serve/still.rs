//! `studio --static`: the studio as a folder for any web server.

use std::path::{Path, PathBuf};

use anyhow::Context;
use kelvin_server::{StaticModel, write_static};

use super::args::StudioArgs;
use crate::{
    cli::shared::{failure::usage, session},
    terminal,
};

/// The name of the model's file in the folder.
const MODEL: &str = "model.gguf";

/// Writes the page, the engine's module and the model's file.
pub(super) fn write(folder: &Path, args: &StudioArgs) -> anyhow::Result<()> {
    let module = match &args.engine {
        Some(path) => path.clone(),
        None => beside_this_program()?,
    };
    let engine = std::fs::read(&module).with_context(|| {
        format!("the engine's module can't be read from {}; --engine names it", module.display())
    })?;
    if !engine.starts_with(b"\0asm") {
        return Err(usage(format!("{} is no module of WebAssembly", module.display())));
    }
    std::fs::create_dir_all(folder).with_context(|| format!("can't make {}", folder.display()))?;
    let model = if args.without_model {
        StaticModel { file: None, name: String::new(), size: 0 }
    } else {
        let (_, path) = session::locate(&args.serve.model.named)?;
        if path.is_dir() {
            return Err(usage("a page has one file as its model, not a folder"));
        }
        let size = std::fs::copy(&path, folder.join(MODEL))
            .with_context(|| format!("can't copy {} into the folder", path.display()))?;
        let name = args.serve.model.named.model.clone();
        StaticModel { file: Some(MODEL.to_string()), name, size }
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

/// Where `./release` puts the module.
fn beside_this_program() -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe().context("where this program is isn't known")?;
    Ok(program.with_file_name("kelvin.wasm"))
}
