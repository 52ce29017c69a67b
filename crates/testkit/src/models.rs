//! Finds downloaded files for tests on real models, which fail with advice if a file is missing.

use std::path::PathBuf;

use kelvin_engine::gguf::Gguf;

/// The folder of models: `KELVIN_MODELS`, else `kelvin` in the platform's cache folder.
pub fn folder() -> PathBuf {
    if let Some(folder) = std::env::var_os("KELVIN_MODELS") {
        return PathBuf::from(folder);
    }
    let home = PathBuf::from(std::env::var_os("HOME").expect("HOME or KELVIN_MODELS is set"));
    let cache = match std::env::var_os("XDG_CACHE_HOME") {
        _ if cfg!(target_os = "macos") => home.join("Library/Caches"),
        Some(cache) => PathBuf::from(cache),
        None => home.join(".cache"),
    };
    cache.join("kelvin")
}

/// Opens a file of that folder; `advice` says how to get it.
pub fn open(file: &str, advice: &str) -> Gguf {
    let path = folder().join(file);
    Gguf::open(&path).unwrap_or_else(|error| panic!("{}: {error}\n{advice}", path.display()))
}
