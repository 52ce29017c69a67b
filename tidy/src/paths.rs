//! The files of a crate in, out comes which files each one uses: by `use`, and by paths within its
//! code. A name that a file hands on leads to the file that defines it.
//!
//! Text is read, not syntax: `super` within a module that has no file of its own leads one file too
//! far, and methods that are defined in another file aren't seen.

use std::collections::{BTreeMap, BTreeSet};

use crate::code::{find_word, without_comments_and_literals, without_test_items};

/// A file's module: `[]` for the root of the crate.
pub(crate) type Module = Vec<String>;

/// More names in a row than lead from one file to the next.
const MOST_STEPS: usize = 16;

/// The files of a crate that tests alone don't use.
pub(crate) struct Files(BTreeMap<Module, File>);

struct File {
    /// The code without comments, literals, tests and `use`.
    code: String,
    /// The paths of `use`, but not of `pub use`.
    imports: Vec<String>,
    /// The names that any `use` brings in, each with its path.
    names: BTreeMap<String, String>,
    /// The paths in front of `::*`.
    globs: Vec<String>,
}

impl Files {
    /// Reads files by their paths within `src`.
    pub(crate) fn read(files: &[(&str, &str)]) -> Files {
        let of_tests = |module: &Module| module.last().is_some_and(|name| name == "tests");
        let files = files.iter().map(|(path, text)| (module(path), File::read(text)));
        Files(files.filter(|(module, _)| !of_tests(module)).collect())
    }

    pub(crate) fn modules(&self) -> impl Iterator<Item = &Module> {
        self.0.keys()
    }

    /// The files that `use` leads to from a file. What it only hands on doesn't count.
    pub(crate) fn imports(&self, from: &Module) -> BTreeSet<Module> {
        self.targets(from, &self.0[from].imports)
    }

    /// The files that paths within a file's code lead to.
    pub(crate) fn paths(&self, from: &Module) -> BTreeSet<Module> {
        self.targets(from, &paths(&self.0[from].code))
    }

    fn targets(&self, from: &Module, paths: &[String]) -> BTreeSet<Module> {
        let targets = paths.iter().filter_map(|path| self.resolve(from, path, MOST_STEPS));
        targets.filter(|target| target != from).collect()
    }

    /// The file of the crate that a path leads into, if it leads into one.
    fn resolve(&self, from: &Module, path: &str, steps: usize) -> Option<Module> {
        let steps = steps.checked_sub(1)?;
        let mut names = path.split("::").map(str::trim).peekable();
        let mut at = from.clone();
        match *names.peek()? {
            "crate" => at.clear(),
            "self" => {}
            "super" => {
                at.pop()?;
            }
            first => match self.0.get(&child(&at, first)) {
                Some(_) => at.push(first.to_string()),
                None => {
                    let whole = self.0[from].names.get(first)?;
                    return self.resolve(from, &joined(whole, names.skip(1)), steps);
                }
            },
        }
        names.next();
        while names.next_if_eq(&"super").is_some() {
            at.pop()?;
        }
        while let Some(name) = names.next_if(|name| self.0.contains_key(&child(&at, name))) {
            at.push(name.to_string());
        }
        let file = self.0.get(&at)?;
        let Some(name) = names.next() else { return Some(at) };
        let handed_on = match file.names.get(name) {
            Some(whole) => self.resolve(&at, &joined(whole, names), steps),
            None if file.defines(name) => None,
            None => file.globs.iter().find_map(|glob| {
                let found = self.resolve(&at, glob, steps).filter(|found| *found != at)?;
                let knows = self.0[&found].defines(name) || self.0[&found].names.contains_key(name);
                let whole = joined(glob, [name].into_iter());
                knows.then(|| self.resolve(&at, &whole, steps)).flatten()
            }),
        };
        handed_on.or(Some(at))
    }
}

impl File {
    fn read(text: &str) -> File {
        let code = without_test_items(&without_comments_and_literals(text));
        let mut rest = code.clone();
        let (mut imports, mut names) = (Vec::new(), BTreeMap::new());
        let mut globs = Vec::new();
        for at in find_word(&code, "use") {
            let before = code[..at].trim_end();
            let begin = at + "use".len();
            let Some(len) = code[begin..].find(';') else { continue };
            let tree = code[begin..begin + len].trim();
            // `impl Trait + use<'_>` is a bound.
            if tree.starts_with('<') {
                continue;
            }
            rest.replace_range(at..begin + len, &" ".repeat(begin + len - at));
            let mut paths = Vec::new();
            expand("", tree, &mut paths);
            for path in paths {
                let (path, name) = path.split_once(" as ").unwrap_or((&path, ""));
                let path = path.trim();
                if !before.ends_with("pub") && !before.ends_with(')') {
                    imports.push(path.to_string());
                }
                match path.rsplit("::").next().unwrap_or(path) {
                    "*" => globs.push(path.trim_end_matches("::*").to_string()),
                    last => {
                        let name = if name.is_empty() { last } else { name.trim() };
                        names.insert(name.to_string(), path.to_string());
                    }
                }
            }
        }
        File { code: rest, imports, names, globs }
    }

    /// Whether an item of this name stands in the file.
    fn defines(&self, name: &str) -> bool {
        const ITEMS: [&str; 9] =
            ["fn", "struct", "enum", "trait", "type", "const", "static", "mod", "macro_rules!"];
        find_word(&self.code, name).any(|at| {
            let before = self.code[..at].trim_end();
            ITEMS.iter().any(|item| before.ends_with(item))
        })
    }
}

fn module(path: &str) -> Module {
    let mut parts: Module = path.trim_end_matches(".rs").split('/').map(str::to_string).collect();
    if parts.last().is_some_and(|last| ["lib", "main", "mod"].contains(&last.as_str())) {
        parts.pop();
    }
    parts
}

fn child(module: &Module, name: &str) -> Module {
    module.iter().map(String::as_str).chain([name]).map(str::to_string).collect()
}

fn joined<'a>(path: &'a str, names: impl Iterator<Item = &'a str>) -> String {
    [path].into_iter().chain(names).collect::<Vec<_>>().join("::")
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
            _ if branch == "self" => paths.push(prefix.trim_end_matches("::").to_string()),
            _ => paths.push(format!("{prefix}{branch}")),
        }
    }
}

/// The paths of several names within code. Those that say who may see an item (`in super::super`)
/// don't count.
fn paths(code: &str) -> Vec<String> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let mut found = Vec::new();
    let mut rest = code;
    while let Some(begin) = rest.find(is_part) {
        let len_of = |text: &str| text.find(|c| !is_part(c)).unwrap_or(text.len());
        let mut end = begin + len_of(&rest[begin..]);
        let mut n_names = 1;
        while let Some(next) = rest[end..].strip_prefix("::").filter(|next| len_of(next) > 0) {
            end += "::".len() + len_of(next);
            n_names += 1;
        }
        let before = rest[..begin].trim_end();
        if n_names > 1 && !before.ends_with("::") && !before.ends_with("(in") {
            found.push(rest[begin..end].to_string());
        }
        rest = &rest[end..];
    }
    found
}
