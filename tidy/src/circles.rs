//! The files of a crate in, circles among them out: a file or folder should be readable without
//! those that build on it.

use std::collections::{BTreeMap, BTreeSet};

use crate::paths::{Files, Module};

/// Of the files and folders of one folder: which ones each uses, and by which files.
type Level<'a> = BTreeMap<&'a str, BTreeMap<&'a str, (&'a Module, &'a Module)>>;

/// Circles among files and folders that stand beside each other, and pairs of a folder's own file
/// (`mod.rs`) and a file in it that import each other, as sentences. `files` are the paths and
/// texts of one crate's `src`, relative to it. Re-exports (`pub use`) and what tests use don't
/// count.
pub fn circles(files: &[(&str, &str)]) -> Vec<String> {
    let files = Files::read(files);
    let imports: BTreeMap<&Module, BTreeSet<Module>> =
        files.modules().map(|module| (module, files.imports(module))).collect();
    let mut found = Vec::new();
    for (module, others) in &imports {
        for other in others.iter().filter(|other| module.starts_with(other)) {
            if imports.get(other).is_some_and(|back| back.contains(*module)) {
                found.push(format!(
                    "`{}` and `{}` use each other: move what both need into a third file",
                    name(other),
                    name(module)
                ));
            }
        }
    }
    let uses: BTreeMap<&Module, BTreeSet<Module>> = imports
        .into_iter()
        .map(|(module, by_use)| (module, &by_use | &files.paths(module)))
        .collect();
    let folders: BTreeSet<&[String]> = files
        .modules()
        .flat_map(|module| (0..module.len()).map(|depth| &module[..depth]))
        .collect();
    for folder in folders {
        if let Some(circle) = circle(level(folder, &uses)) {
            found.push(format!(
                "within `{}` there is a circle: move what its parts share below them: {}",
                name(folder),
                circle.join(", ")
            ));
        }
    }
    found
}

fn name(module: &[String]) -> String {
    if module.is_empty() { "crate".to_string() } else { module.join("::") }
}

/// What the files and folders within a folder use of each other. The folder's own file belongs to
/// none of them.
fn level<'a>(folder: &[String], uses: &'a BTreeMap<&Module, BTreeSet<Module>>) -> Level<'a> {
    let within = |module: &'a Module| {
        module.strip_prefix(folder).and_then(<[String]>::first).map(String::as_str)
    };
    let mut level = Level::new();
    for (from, others) in uses {
        for to in others {
            if let (Some(a), Some(b)) = (within(from), within(to))
                && a != b
            {
                level.entry(a).or_default().entry(b).or_insert((*from, to));
            }
        }
    }
    level
}

/// The steps of one circle, if there is one.
fn circle(mut level: Level<'_>) -> Option<Vec<String>> {
    // What uses nothing that is left is in no circle.
    loop {
        let left: BTreeSet<&str> = level.keys().copied().collect();
        let n = level.values().map(BTreeMap::len).sum::<usize>();
        level.values_mut().for_each(|used| used.retain(|name, _| left.contains(name)));
        level.retain(|_, used| !used.is_empty());
        if level.values().map(BTreeMap::len).sum::<usize>() == n {
            break;
        }
    }
    let mut steps: Vec<(&str, String)> = Vec::new();
    let mut at = *level.keys().next()?;
    while !steps.iter().any(|(name, _)| *name == at) {
        let (next, (from, to)) = level[at].first_key_value()?;
        steps.push((at, format!("`{}` uses `{}`", name(from), name(to))));
        at = next;
    }
    let begin = steps.iter().position(|(name, _)| *name == at)?;
    Some(steps.split_off(begin).into_iter().map(|(_, sentence)| sentence).collect())
}
