//! Checks the invariants that `ARCHITECTURE.md` states. The tests walk the tree with [`check`], and
//! each rule has a test that plants what it forbids.

mod circles;
mod code;
mod manifest;
mod paths;
mod prose;
mod rules;

pub use circles::circles;
pub use manifest::check_manifest;

/// The crates in the order of the data flow: each may import only crates before it.
pub const FLOW: [&str; 11] = [
    "kernels",
    "sampling",
    "engine",
    "lab",
    "views",
    "constraint",
    "models",
    "server",
    "kelvin",
    "python",
    "web",
];

/// What is wrong with one file. `path` is relative to the root of the project, with `/` between its
/// parts. An empty answer is a tidy file.
pub fn check(path: &str, text: &str) -> Vec<String> {
    let mut found = rules::for_every_file(path, text);
    if path.ends_with(".rs") {
        found.extend(rules::for_rust(path, text));
        found.extend(prose::for_rust(path, text));
    }
    if path.ends_with("Cargo.toml") {
        found.extend(check_manifest(path, text));
    }
    found
}

/// Whether the tree-walk looks at a file of this name.
pub fn is_source(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    ["rs", "js", "py", "toml", "md", "html", "css", "sh"].contains(&extension)
        || ["check", "run"].contains(&name)
}

/// The crate of the flow that a path lies in, e.g. `engine` for `crates/engine/src/lib.rs`.
fn crate_of(path: &str) -> Option<&str> {
    let name = path.strip_prefix("crates/")?.split('/').next()?;
    FLOW.contains(&name).then_some(name)
}

/// The crates that `name` may import: those to its left in the flow. `models` stands beside `views`
/// and `constraint` and imports neither.
fn upstream_of(name: &str) -> &'static [&'static str] {
    let name = if name == "models" { "views" } else { name };
    let place = FLOW.iter().position(|&c| c == name).unwrap_or(FLOW.len());
    &FLOW[..place]
}
