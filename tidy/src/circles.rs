//! The files of a crate in, pairs of files that use each other out: a file should be readable
//! without those that build on it.

use std::collections::{BTreeMap, BTreeSet};

use crate::code::{find_word, without_comments_and_literals, without_test_items};

/// A file's module: `[]` for the root of the crate.
type Module = Vec<String>;

/// Pairs of files that use each other, as sentences. `files` are the paths and texts of one crate's
/// `src`, relative to it. Re-exports (`pub use`) and what tests use don't count.
pub fn circles(files: &[(&str, &str)]) -> Vec<String> {
    let modules: BTreeMap<Module, &str> =
        files.iter().map(|(path, text)| (module(path), *text)).collect();
    let used: BTreeMap<&Module, BTreeSet<Module>> = modules
        .iter()
        .filter(|(module, _)| module.last().is_none_or(|name| name != "tests"))
        .map(|(module, text)| (module, uses(module, text, &modules)))
        .collect();
    let mut found = Vec::new();
    for (module, others) in &used {
        for other in others.iter().filter(|other| *other > module) {
            if used.get(other).is_some_and(|back| back.contains(*module)) {
                found.push(format!(
                    "`{}` and `{}` use each other: move what both need into a third file",
                    module.join("::"),
                    other.join("::")
                ));
            }
        }
    }
    found
}

fn module(path: &str) -> Module {
    let mut parts: Module = path.trim_end_matches(".rs").split('/').map(str::to_string).collect();
    if parts.last().is_some_and(|last| ["lib", "main", "mod"].contains(&last.as_str())) {
        parts.pop();
    }
    parts
}

fn uses(module: &Module, text: &str, modules: &BTreeMap<Module, &str>) -> BTreeSet<Module> {
    let code = without_test_items(&without_comments_and_literals(text));
    let mut found = BTreeSet::new();
    for at in find_word(&code, "use") {
        let before = code[..at].trim_end();
        if before.ends_with("pub") || before.ends_with(')') {
            continue;
        }
        let statement = code[at + "use".len()..].split(';').next().unwrap_or("");
        let mut paths = Vec::new();
        expand("", statement, &mut paths);
        found.extend(paths.iter().filter_map(|path| target(module, path, modules)));
    }
    found.remove(module);
    found
}

/// The paths of a tree such as `super::{a::B, c}`.
fn expand(prefix: &str, tree: &str, paths: &mut Vec<String>) {
    let (mut depth, mut begin) = (0, 0);
    let mut branches = Vec::new();
    for (at, c) in tree.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                branches.push(&tree[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
    }
    branches.push(&tree[begin..]);
    for branch in branches.into_iter().map(str::trim).filter(|branch| !branch.is_empty()) {
        match (branch.find('{'), branch.rfind('}')) {
            (Some(open), Some(close)) => {
                let prefix = format!("{prefix}{}", branch[..open].trim());
                expand(&prefix, &branch[open + 1..close], paths);
            }
            _ => paths.push(format!("{prefix}{branch}")),
        }
    }
}

/// The file of the crate that a path leads into, if it leads into one.
fn target(module: &Module, path: &str, modules: &BTreeMap<Module, &str>) -> Option<Module> {
    let mut names = path.split("::").map(str::trim).peekable();
    let mut at = module.clone();
    match names.peek().copied()? {
        "crate" => {
            at.clear();
            names.next();
        }
        "super" => {
            while names.next_if_eq(&"super").is_some() {
                at.pop();
            }
        }
        "self" => {
            names.next();
        }
        first => {
            at.push(first.to_string());
            modules.contains_key(&at).then_some(())?;
            names.next();
        }
    }
    for name in names {
        at.push(name.to_string());
        if !modules.contains_key(&at) {
            at.pop();
            break;
        }
    }
    modules.contains_key(&at).then_some(at)
}
