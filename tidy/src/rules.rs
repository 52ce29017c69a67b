//! The invariants that one source file can break, each a few lines: what is looked for, where it
//! may stand, what to do instead.

use crate::{
    code::{find_word, line_of, taken_from, without_comments_and_literals, without_test_items},
    crate_of, upstream_of,
};

const LONGEST_FILE: usize = 500;
/// The most lines of a function, tests aside.
const LONGEST_FUNCTION: usize = 80;

/// Rooms named so hold anything; a plain noun says what is inside.
const EMPTY_NAMES: [&str; 9] = [
    "util",
    "utils",
    "common",
    "helper",
    "helpers",
    "manager",
    "managers",
    "misc",
    "miscellaneous",
];

/// A path below one of these exists on one machine only. (In pieces, so that this file doesn't hold
/// one.)
const MACHINE_FOLDERS: [&str; 6] = ["work", "root", "farm", "home", "Users", "tmp/bash_jobs"];

/// Rules that don't care about the language.
pub(crate) fn for_every_file(path: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let n_lines = text.lines().count();
    if [".rs", ".js", ".py"].iter().any(|extension| path.ends_with(extension))
        && n_lines > LONGEST_FILE
    {
        found.push(format!(
            "{path}: {n_lines} lines; a file has at most {LONGEST_FILE}: divide it by what its parts do"
        ));
    }
    for name in path.trim_end_matches(".rs").split('/').filter(|name| EMPTY_NAMES.contains(name)) {
        found.push(format!(
            "{path}: `{name}` says nothing about what is inside; name it for what it holds"
        ));
    }
    for folder in MACHINE_FOLDERS {
        let needle = format!("/{folder}/");
        for (at, _) in text.match_indices(&needle) {
            // Part of an address or of a longer relative path is as bad, but `https://host/home/`
            // isn't ours.
            if text[..at]
                .ends_with(|c: char| c.is_alphanumeric() || c == '.' || c == '_' || c == '-')
            {
                continue;
            }
            found
                .push(format!("{path}:{}: `{needle}` is a path on one machine", line_of(text, at)));
        }
    }
    found
}

/// Rules for Rust source.
pub(crate) fn for_rust(path: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let code = without_comments_and_literals(text);
    let is_test = path.split('/').any(|part| {
        ["tests", "tests.rs", "examples", "benches", "fuzz", "testkit"].contains(&part)
    });
    let product = if is_test { String::new() } else { without_test_items(&code) };
    let name = crate_of(path);
    let mut report = |code: &str, at: usize, what: &str| {
        found.push(format!("{path}:{}: {what}", line_of(code, at)))
    };

    if !text.starts_with("//!") {
        report(&code, 0, "a file opens with `//!`: what comes in, what goes out, why here");
    }
    if let ["crates", _, "tests", _] = path.split('/').collect::<Vec<_>>()[..] {
        report(
            &code,
            0,
            "a test target of its own links everything: make it a module of `tests/it` or `tests/real`",
        );
    }
    if name != Some("kernels") && !path.starts_with("peers/") {
        // An exported name is an unsafe attribute.
        let exports = path == "crates/web/src/exports.rs";
        find_word(&code, "unsafe")
            .filter(|&at| !(exports && code[..at].ends_with("#[")))
            .for_each(|at| report(&code, at, "`unsafe` lives in crates/kernels alone"));
    }
    for at in find_word(&code, "ignore").filter(|&at| code[..at].ends_with("#[")) {
        report(&code, at, "a test is run or deleted, never ignored");
    }
    for unfinished in ["todo!", "unimplemented!"] {
        code.match_indices(unfinished)
            .for_each(|(at, _)| report(&code, at, "unfinished code doesn't land"));
    }
    if path.starts_with("crates/") {
        for (at, n_lines) in functions(&product).filter(|(_, n)| *n > LONGEST_FUNCTION) {
            let what = format!(
                "{n_lines} lines; a function has at most {LONGEST_FUNCTION}: divide it by meaning"
            );
            report(&product, at, &what);
        }
        for (at, _) in product.match_indices(".unwrap()") {
            report(
                &product,
                at,
                "no `unwrap` outside tests; return the error, or `expect(\"why it holds\")`",
            );
        }
    }
    let has_scratch =
        ["engine/src/batch/", "engine/src/transformer/", "kernels/", "sampling/", "testkit/"];
    if let Some(rest) = path.strip_prefix("crates/")
        && !has_scratch.iter().any(|room| rest.starts_with(room))
    {
        find_word(&product, "Scratch").for_each(|at| {
            report(&product, at, "only engine::batch runs the forward pass; be a client of it")
        });
    }
    if let Some(name) = name {
        // Build scripts speak to cargo by printing.
        if name != "kelvin" && !path.ends_with("/build.rs") {
            prints(&product, &mut report);
        }
        of_crate(name, &code, &product, &mut report);
    }
    found
}

/// Where each function with a body begins, and its lines.
fn functions(code: &str) -> impl Iterator<Item = (usize, usize)> {
    find_word(code, "fn").filter_map(move |at| {
        // A type `fn(…)` has no name.
        code[at..].strip_prefix("fn ")?;
        let mut depth = 0;
        let head_end = code[at..].char_indices().find(|&(_, c)| {
            depth += i32::from("([".contains(c)) - i32::from(")]".contains(c));
            depth == 0 && "{;".contains(c)
        });
        // A declaration ends with `;`.
        let open = at + head_end.filter(|&(_, c)| c == '{')?.0;
        let end = code[open..].char_indices().find_map(|(i, c)| {
            depth += i32::from(c == '{') - i32::from(c == '}');
            (depth == 0).then_some(open + i)
        })?;
        Some((at, line_of(code, end) + 1 - line_of(code, at)))
    })
}

/// Libraries don't print.
fn prints(product: &str, report: &mut dyn FnMut(&str, usize, &str)) {
    for printing in ["print", "println", "eprint", "eprintln", "dbg"] {
        for at in find_word(product, printing)
            .filter(|&at| product[at + printing.len()..].starts_with('!'))
        {
            report(product, at, "only crates/kelvin prints; return it or tell an observer");
        }
    }
}

/// Rules that depend on the crate: what it may import and reach.
fn of_crate(name: &str, code: &str, product: &str, report: &mut dyn FnMut(&str, usize, &str)) {
    for downstream in crate::FLOW.iter().filter(|c| **c != name && !upstream_of(name).contains(c)) {
        // The binary's own crate name is a word of the language of every comment, but not of code.
        let import =
            if *downstream == "kelvin" { "kelvin".into() } else { format!("kelvin_{downstream}") };
        for at in find_word(code, &import).filter(|&at| code[at + import.len()..].starts_with("::"))
        {
            report(code, at, &format!("crates/{name} may import only {:?}", upstream_of(name)));
        }
    }
    let forbidden: &[&str] = match name {
        "kernels" => &["fs", "net", "time", "io", "process"],
        "sampling" => &["fs", "net", "time", "io", "process", "thread", "env"],
        _ => &[],
    };
    for (at, module) in taken_from(product, "std") {
        if forbidden.contains(&module) {
            report(
                product,
                at,
                &format!("crates/{name} does no I/O, reads no clock: no `std::{module}`"),
            );
        }
    }
}
