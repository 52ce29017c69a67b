//! The whole tree in, no broken invariant out; and every rule shown something it must catch.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::{fs, path::Path};

use kelvin_tidy::{check, circles, is_source};

#[test]
fn the_tree_holds_its_invariants() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut found = Vec::new();
    let mut n_files = 0;
    walk(root, "", &mut |path, text| {
        n_files += 1;
        found.extend(check(path, text));
    });
    assert!(n_files > 20, "the walk found only {n_files} files below {}", root.display());
    assert!(
        found.is_empty(),
        "{} broken invariants (see ARCHITECTURE.md):\n{}",
        found.len(),
        found.join("\n")
    );
}

#[test]
fn the_parts_of_every_folder_form_an_arrow() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let crates = fs::read_dir(root.join("crates")).unwrap().map(|entry| entry.unwrap().path());
    let (mut found, mut n_files) = (Vec::new(), 0);
    for folder in crates.chain([root.join("tidy")]) {
        let mut files = Vec::new();
        walk(&folder.join("src"), "", &mut |path, text| {
            if path.ends_with(".rs") {
                files.push((path.to_string(), text.to_string()));
            }
        });
        n_files += files.len();
        let files: Vec<_> = files.iter().map(|(path, text)| (&**path, &**text)).collect();
        found
            .extend(circles(&files).iter().map(|circle| format!("{}: {circle}", folder.display())));
    }
    assert!(n_files > 500, "the walk found only {n_files} files below {}", root.display());
    assert!(found.is_empty(), "{} circles:\n{}", found.len(), found.join("\n"));
}

/// The files have one circle, and what is said of it has these words.
#[track_caller]
fn has_circle(files: &[(&str, &str)], words: &[&str]) {
    let found = circles(files);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(words.iter().all(|word| found[0].contains(word)), "{}", found[0]);
}

const ROOT: (&str, &str) = ("lib.rs", "//! x\nmod a;\nmod b;\npub use a::A;\n");

#[test]
fn circles_of_two_files_are_found() {
    let b = ("b/mod.rs", "//! x\nuse std::fmt;\nuse crate::a::A;\n");
    let planted = ("a.rs", "//! x\nuse super::{\n    b::{B, c::C},\n};\n");
    has_circle(&[ROOT, planted, b], &["`a` uses `b`", "`b` uses `a`"]);
    for planted in [
        "//! x\nfn f() { crate::b::g() }\n",
        "//! x\nfn f() -> super::b::B { todo() }\n",
        "//! x\nmacro_rules! m { () => { $crate::b::g() }; }\n",
        "//! x\nuse crate::b as c;\n",
        "//! x\nuse super::b::{self, B};\n",
    ] {
        has_circle(&[ROOT, ("a.rs", planted), b], &["`a` uses `b`"]);
    }
    for fine in [
        "//! x\nuse std::fmt;\n",
        "//! x\n// use super::b::B;\n",
        "//! x\nconst A: &str = \"crate::b::B\";\n",
        "//! x\n#[cfg(test)]\nmod tests {\n    use crate::b::B;\n}\n",
        "//! x\npub(crate) use super::b::B;\n",
        "//! x\nfn f(b: u8) -> Option<u8> { g::b::<u8>(b) }\n",
    ] {
        assert_eq!(circles(&[ROOT, ("a.rs", fine), b]), Vec::<String>::new(), "{fine}");
    }
}

#[test]
fn circles_of_three_files_are_found() {
    let a = ("a.rs", "//! x\nuse crate::b::B;\n");
    let b = ("b.rs", "//! x\nfn f() { super::c::g() }\n");
    let c = ("c.rs", "//! x\nuse crate::{a::{A}, d::D};\n");
    let d = ("d.rs", "//! x\n");
    has_circle(&[ROOT, a, b, c, d], &["`a` uses `b`", "`b` uses `c`", "`c` uses `a`"]);
    assert_eq!(circles(&[ROOT, a, b, d]), Vec::<String>::new());
}

#[test]
fn circles_by_names_that_a_file_hands_on_are_found() {
    let b = ("b.rs", "//! x\nuse crate::A;\n");
    has_circle(&[ROOT, ("a.rs", "//! x\nuse crate::b::B;\n"), b], &["`b` uses `a`"]);
    let root = ("lib.rs", "//! x\nmod a;\nmod b;\npub use a::*;\npub struct R;\n");
    let a = ("a.rs", "//! x\nuse crate::b::B;\npub struct A;\n");
    has_circle(&[root, a, b], &["`b` uses `a`"]);
    let b = ("b.rs", "//! x\nuse crate::R;\n");
    assert_eq!(circles(&[root, a, b]), Vec::<String>::new());
    // A private name of the folder's file serves the files in it.
    let folder = ("f/mod.rs", "//! x\nmod a;\nmod b;\nuse a::A;\n");
    let b = ("f/b.rs", "//! x\nfn f(a: super::A) {}\n");
    has_circle(&[folder, ("f/a.rs", "//! x\nuse super::b::B;\n"), b], &["within `f`"]);
}

#[test]
fn circles_of_folders_are_found() {
    const X: &str = "//! x\n";
    let (down, up) = ("//! x\nuse crate::g::c::C;\n", "//! x\nuse crate::f::b::B;\n");
    let (f, g, b) = (("f/mod.rs", X), ("g.rs", X), ("f/b.rs", X));
    let files = |c| [ROOT, f, g, ("f/a.rs", down), b, ("g/c.rs", c)];
    has_circle(&files(up), &["`f::a` uses `g::c`", "`g::c` uses `f::b`"]);
    assert_eq!(circles(&files(X)), Vec::<String>::new());
}

#[test]
fn a_folder_s_file_and_a_file_in_it_dont_import_each_other() {
    let child = ("f/a.rs", "//! x\nuse super::F;\n");
    has_circle(&[("f/mod.rs", "//! x\nmod a;\nuse a::A;\nstruct F;\n"), child], &["`f::a`"]);
    let fine = "//! x\nmod a;\npub use a::A;\nstruct F;\n";
    assert_eq!(circles(&[("f/mod.rs", fine), child]), Vec::<String>::new());
}

/// Calls `visit` with the relative path and the text of every source file that git would keep.
fn walk(root: &Path, folder: &str, visit: &mut dyn FnMut(&str, &str)) {
    for entry in fs::read_dir(root.join(folder)).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
        if entry.file_type().unwrap().is_dir() {
            if ![".git", "target", ".venv"].contains(&name.as_str()) {
                walk(root, &path, visit);
            }
        } else if is_source(&path) {
            visit(&path, &fs::read_to_string(entry.path()).unwrap());
        }
    }
}

/// The planted violation is reported, once, on the line given.
#[track_caller]
fn catches(path: &str, text: &str, line: Option<usize>) {
    let found = check(path, text);
    assert_eq!(found.len(), 1, "{path}:\n{text}\nreported: {found:#?}");
    if let Some(line) = line {
        assert!(
            found[0].starts_with(&format!("{path}:{line}:")),
            "expected line {line}: {}",
            found[0]
        );
    }
}

#[track_caller]
fn accepts(path: &str, text: &str) {
    assert_eq!(check(path, text), Vec::<String>::new(), "{path}:\n{text}");
}

#[test]
fn imports_point_upstream() {
    catches(
        "crates/kernels/Cargo.toml",
        "[dependencies]\nkelvin-engine.workspace = true\n",
        Some(2),
    );
    catches(
        "crates/sampling/Cargo.toml",
        "[dev-dependencies]\nkelvin-lab = { path = \"../lab\" }\n",
        Some(2),
    );
    catches("crates/engine/Cargo.toml", "[dependencies.kelvin-lab]\npath = \"../lab\"\n", Some(1));
    catches("crates/views/Cargo.toml", "[dependencies]\nkelvin-server.workspace = true\n", Some(2));
    catches("crates/models/Cargo.toml", "[dependencies]\nkelvin-views.workspace = true\n", Some(2));
    catches("crates/lab/Cargo.toml", "[dependencies]\nkelvin-testkit.workspace = true\n", Some(2));
    accepts("crates/lab/Cargo.toml", "[dev-dependencies]\nkelvin-testkit.workspace = true\n");
    catches("crates/models/src/x.rs", "//! x\nuse kelvin_constraint::Form;\n", Some(2));
    catches("crates/views/src/x.rs", "//! x\nuse kelvin_python::Chain;\n", Some(2));
    accepts("crates/python/src/x.rs", "//! x\nuse kelvin_views::html;\n");
    accepts("crates/constraint/Cargo.toml", "[dependencies]\nkelvin-views.workspace = true\n");
    accepts("crates/server/Cargo.toml", "[dependencies]\nkelvin-constraint.workspace = true\n");
    accepts(
        "crates/engine/Cargo.toml",
        "[dependencies]\nkelvin-kernels.workspace = true\nhalf = \"2\"\n",
    );
    catches("crates/sampling/src/lib.rs", "//! x\nuse kelvin_engine::gguf;\n", Some(2));
    catches("crates/engine/src/lib.rs", "//! x\nfn f() { kelvin::cli::run() }\n", Some(2));
    accepts("crates/engine/src/lib.rs", "//! x\nuse kelvin_sampling::TokenId;\n");
}

#[test]
fn outside_crates_stay_in_their_rooms() {
    catches("crates/sampling/Cargo.toml", "[dependencies]\nserde = \"1\"\n", Some(2));
    catches("crates/lab/Cargo.toml", "[dependencies]\nsafetensors = \"0.8\"\n", Some(2));
    catches("crates/lab/Cargo.toml", "[dependencies]\nclap = { version = \"4\" }\n", Some(2));
    catches("crates/lab/Cargo.toml", "[target.'cfg(unix)'.dependencies]\ntokio = \"1\"\n", Some(2));
    catches("crates/lab/Cargo.toml", "[dependencies]\nureq = \"3\"\n", Some(2));
    catches("crates/engine/Cargo.toml", "[dependencies]\ncandle-core = \"0.11\"\n", Some(2));
    catches("crates/kelvin/Cargo.toml", "[dependencies]\nrusqlite = \"0.37\"\n", Some(2));
    accepts("crates/engine/Cargo.toml", "[dev-dependencies]\nserde_json = \"1\"\n");
    accepts("crates/lab/Cargo.toml", "[dependencies]\nserde = \"1\"\nrusqlite = \"0.37\"\n");
    catches("crates/kelvin/Cargo.toml", "[dependencies]\naxum = \"0.8\"\n", Some(2));
    catches("crates/server/Cargo.toml", "[dependencies]\nllguidance = \"1\"\n", Some(2));
    catches("crates/server/Cargo.toml", "[dependencies]\nclap = \"4\"\n", Some(2));
    accepts("crates/kelvin/Cargo.toml", "[dependencies]\nclap = \"4\"\n");
    accepts("crates/server/Cargo.toml", "[dependencies]\naxum = \"0.8\"\n");
    catches("crates/engine/Cargo.toml", "[dependencies]\npyo3 = \"0.30\"\n", Some(2));
    accepts("crates/python/Cargo.toml", "[dependencies]\npyo3 = \"0.30\"\n");
    accepts("crates/constraint/Cargo.toml", "[dependencies]\nllguidance = \"1\"\n");
}

#[test]
fn unsafe_lives_in_kernels() {
    catches("crates/engine/src/x.rs", "//! x\nfn f() { unsafe { g() } }\n", Some(2));
    catches("tidy/src/x.rs", "//! x\n\nunsafe impl Send for T {}\n", Some(3));
    accepts("crates/kernels/src/x.rs", "//! x\nfn f() { unsafe { g() } }\n");
    accepts("crates/web/src/exports.rs", "//! x\n#[unsafe(no_mangle)]\nextern \"C\" fn f() {}\n");
    catches("crates/web/src/exports.rs", "//! x\nfn f() { unsafe { g() } }\n", Some(2));
    accepts(
        "crates/engine/src/x.rs",
        "//! x\n// unsafe\n/* unsafe /* unsafe */ unsafe */ fn unsafely() -> &'static str \
         { \"unsafe\" }\n",
    );
    catches(
        "crates/engine/src/x.rs",
        "//! x\nconst A: &str = r#\"\"unsafe\"#; const Q: char = '\"'; unsafe fn g() {}\n",
        Some(2),
    );
}

#[test]
fn no_unwrap_outside_tests() {
    catches("crates/lab/src/x.rs", "//! x\nfn f() { g().unwrap() }\n", Some(2));
    accepts("crates/lab/src/x.rs", "//! x\n#[cfg(test)]\nmod tests { fn f() { g().unwrap() } }\n");
    catches(
        "crates/lab/src/x.rs",
        "//! x\n#[cfg(test)]\nmod tests;\nfn f() { g().unwrap() }\n",
        Some(4),
    );
    accepts("crates/lab/tests/it/x.rs", "//! x\nfn f() { g().unwrap() }\n");
}

#[test]
fn only_the_binary_prints() {
    for print in ["print!", "println!", "eprint!", "eprintln!", "dbg!"] {
        catches("crates/engine/src/x.rs", &format!("//! x\nfn f() {{ {print}(\"\") }}\n"), Some(2));
        catches("crates/server/src/x.rs", &format!("//! x\nfn f() {{ {print}(\"\") }}\n"), Some(2));
        accepts("crates/kelvin/src/x.rs", &format!("//! x\nfn f() {{ {print}(\"\") }}\n"));
    }
    accepts("crates/engine/examples/x.rs", "//! x\nfn main() { println!(\"\") }\n");
}

#[test]
fn kernels_and_sampling_touch_nothing_outside() {
    catches("crates/kernels/src/x.rs", "//! x\nuse std::time::Instant;\n", Some(2));
    catches(
        "crates/sampling/src/x.rs",
        "//! x\nuse std::{\n    collections::HashMap,\n    fs::File,\n};\n",
        Some(4),
    );
    catches(
        "crates/sampling/src/x.rs",
        "//! x\nfn f() { std::net::TcpStream::connect(a) }\n",
        Some(2),
    );
    accepts("crates/kernels/src/x.rs", "//! x\nuse std::{sync::{Arc, Mutex}, thread};\n");
    accepts("crates/engine/src/x.rs", "//! x\nuse std::{fs::File, io};\n");
}

#[test]
fn files_open_with_their_purpose_and_stay_short() {
    catches("crates/lab/src/x.rs", "use std::fs;\n", Some(1));
    catches("crates/lab/src/x.rs", &format!("//! x\n{}", "\n".repeat(500)), None);
    catches("crates/server/src/web/x.js", &"\n".repeat(501), None);
    accepts("crates/lab/src/x.rs", &format!("//! x\n{}", "\n".repeat(499)));
}

#[test]
fn functions_stay_short() {
    let function = |n: usize| format!("//! x\nfn f() {{\n{}}}\n", "    g();\n".repeat(n - 2));
    catches("crates/lab/src/x.rs", &function(81), Some(2));
    accepts("crates/lab/src/x.rs", &function(80));
    accepts("crates/lab/tests/it/x.rs", &function(81));
    accepts("crates/lab/src/x.rs", &format!("//! x\ntype F = fn(u8);\n{}", "//\n".repeat(90)));
    catches("crates/lab/src/x.rs", &function(81).replace("f()", "f(a: [u8; 2])"), Some(2));
    let declared = "//! x\ntrait T {\n    fn f(a: [u8; 2]);\n}\n".to_string();
    accepts("crates/lab/src/x.rs", &(declared + &"//\n".repeat(90)));
}

#[test]
fn a_crate_has_one_target_of_ordinary_tests_and_one_on_real_models() {
    catches("crates/lab/tests/x.rs", "//! x\n", Some(1));
    accepts("crates/lab/tests/it/x.rs", "//! x\n");
    accepts("crates/lab/tests/real/main.rs", "//! x\n");
}

#[test]
fn names_say_something() {
    for path in [
        "crates/lab/src/utils.rs",
        "crates/lab/src/common/x.rs",
        "crates/kelvin/src/helpers/mod.rs",
    ] {
        catches(path, "//! x\n", None);
    }
    accepts("crates/lab/src/recipe.rs", "//! x\n");
}

#[test]
fn there_is_one_scheduler() {
    let step = "//! x\nfn f() { model.forward(batch, &mut Scratch::default()) }\n";
    catches("crates/lab/src/x.rs", step, Some(2));
    catches("crates/engine/src/generate/x.rs", step, Some(2));
    accepts("crates/engine/src/batch/x.rs", step);
    accepts("crates/engine/tests/it/x.rs", step);
}

#[test]
fn no_machine_paths() {
    for folder in ["root", "work", "home"] {
        catches("README.md", &format!("see /{folder}/x\n"), Some(1));
    }
    accepts("README.md", "see https://example.com/home/ and crates/lab/\n");
}

#[test]
fn nothing_unfinished_or_ignored() {
    catches("crates/lab/src/x.rs", "//! x\nfn f() { todo!() }\n", Some(2));
    catches("crates/lab/tests/it/x.rs", "//! x\n#[test]\n#[ignore]\nfn f() {}\n", Some(3));
    catches(
        "crates/lab/tests/it/x.rs",
        "//! x\n#[test]\n#[ignore = \"slow\"]\nfn f() {}\n",
        Some(3),
    );
}

#[test]
fn comments_are_short_and_stand_alone() {
    let long = format!("//! A page.\n// {}\n", "word ".repeat(25));
    catches("crates/engine/src/page.rs", &long, Some(2));
    accepts("crates/engine/tests/it/page.rs", &long);
    // A code span that is too long can't be divided, but words behind a short one can.
    let span = |n: usize, words: &str| format!("//! A page.\n// `{}`{words}\n", "a".repeat(n));
    catches("crates/engine/src/page.rs", &span(9, &" word".repeat(25)), Some(2));
    accepts("crates/engine/src/page.rs", &span(98, " is a pattern"));
    accepts("crates/engine/src/page.rs", &format!("//! A page.\n//! | {} |\n", "cell ".repeat(25)));
    catches("crates/engine/src/page.rs", "//! A page.\n/// The same for two.\n", Some(2));
    catches("crates/engine/src/page.rs", "//! Bytes in, a page out.\n", Some(1));
    catches("crates/engine/src/page.rs", "//! `pages`: bytes in, a page out: whole.\n", Some(1));
}

/// Somebody from llama.cpp, vLLM or transformers finds the thing by the name that they know.
#[test]
fn the_field_s_words_are_in_the_code() {
    let terms = [
        "KV cache",
        "prefill",
        "decode",
        "continuous batching",
        "scheduler",
        "prefix cache",
        "copy on write",
        "LRU",
        "work stealing",
        "roofline",
        "dequantize",
        "prefetch",
        "logits processor",
        "structured output",
        "logprob",
    ];
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut code = String::new();
    walk(root, "crates", &mut |path, text| {
        if path.contains("/src/") && path.ends_with(".rs") {
            code.push_str(&text.to_lowercase().replace('-', " "));
        }
    });
    let glossary = fs::read_to_string(root.join("docs/src/glossary.md")).unwrap();
    let glossary = glossary.to_lowercase().replace('-', " ");
    for term in terms.map(str::to_lowercase) {
        assert!(code.contains(&term), "no source file says `{term}`");
        assert!(glossary.contains(&term), "the glossary lacks `{term}`");
    }
}
