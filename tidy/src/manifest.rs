//! A `Cargo.toml` in, dependencies that its crate may not have out.

use crate::{crate_of, upstream_of};

/// Crates of other people that belong to certain rooms: what it is, and the crates of the flow that
/// may depend on it.
const ROOMS: [(&str, &[&str]); 26] = [
    (
        "serde",
        &["engine", "lab", "views", "constraint", "models", "server", "kelvin", "python", "web"],
    ),
    ("serde_json", &["engine", "lab", "views", "constraint", "server", "kelvin", "python", "web"]),
    ("toml", &["lab", "models"]),
    ("rusqlite", &["lab"]),
    ("parquet", &["lab"]),
    ("arrow-array", &["lab", "python"]),
    ("arrow-schema", &["lab", "python"]),
    ("candle-core", &["lab"]),
    ("candle-nn", &["lab"]),
    ("candle-transformers", &["lab"]),
    ("tokenizers", &["lab"]),
    ("safetensors", &["engine"]),
    ("llguidance", &["constraint"]),
    ("clap", &["kelvin"]),
    ("clap_complete", &["kelvin"]),
    ("clap_mangen", &["kelvin"]),
    ("indicatif", &["kelvin"]),
    ("tokio", &["server"]),
    ("axum", &["server"]),
    ("hyper", &["server"]),
    ("hyper-util", &["server"]),
    ("tower-http", &["server"]),
    ("ureq", &["models", "kelvin"]),
    ("anyhow", &["models", "server", "kelvin", "python", "web"]),
    ("pyo3", &["python"]),
    ("numpy", &["python"]),
];

/// What tests of any crate may use, and nothing else.
const TEST_SUPPORT: [&str; 2] = ["testkit", "book"];

/// Imports point upstream only, and serde, async, HTTP and clap stay where ARCHITECTURE.md says.
pub fn check_manifest(path: &str, text: &str) -> Vec<String> {
    let Some(name) = crate_of(path) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for (line, kind, dependency) in dependencies(text) {
        if let Some(own) = dependency.strip_prefix("kelvin-")
            && !upstream_of(name).contains(&own)
            && !(TEST_SUPPORT.contains(&own) && kind == "dev-dependencies")
        {
            let allowed = upstream_of(name);
            found.push(format!(
                "{path}:{line}: crates/{name} may import only {allowed:?}, not `{dependency}`"
            ));
        }
        let room = ROOMS.iter().find(|(held, _)| *held == dependency);
        // Tests may read JSON; what ships may not.
        if let Some((_, allowed)) =
            room.filter(|(_, allowed)| !allowed.contains(&name) && kind != "dev-dependencies")
        {
            found.push(format!(
                "{path}:{line}: `{dependency}` belongs to {allowed:?}, not to crates/{name}"
            ));
        }
    }
    found
}

/// The dependencies of a manifest: line, kind of section, name. Both `[dependencies]` with lines
/// under it and `[dependencies.name]` are understood, for targets too.
fn dependencies(text: &str) -> Vec<(usize, &str, &str)> {
    let mut found = Vec::new();
    let mut section = "";
    for (i, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(header) = line.strip_prefix('[') {
            let header = header.trim_end_matches(']');
            section = ["dev-dependencies", "build-dependencies", "dependencies"]
                .into_iter()
                .find(|kind| header.split('.').any(|part| part == *kind))
                .unwrap_or("");
            let last = header.rsplit('.').next().unwrap_or("");
            if !section.is_empty() && last != section {
                found.push((i + 1, section, last));
            }
        } else if !section.is_empty() && !line.starts_with('#') {
            let end =
                line.find(|c: char| !c.is_alphanumeric() && c != '-' && c != '_').unwrap_or(0);
            if end > 0 {
                found.push((i + 1, section, &line[..end]));
            }
        }
    }
    found
}
