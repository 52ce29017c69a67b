//! The book without a model: it builds, its links lead somewhere, its generated pages are what the
//! program says, and its commands that need no model print what the pages show.

use std::{fs, path::Path};

use kelvin_book::{
    html, pages, reference, root,
    session::{self, Which},
    writes,
};

const KELVIN: &str = env!("CARGO_BIN_EXE_kelvin");

#[test]
fn every_link_leads_somewhere() {
    let folder = tempfile::tempdir().unwrap();
    html::build(folder.path()).unwrap();
    let dead = html::dead_links(folder.path()).unwrap();
    assert!(dead.is_empty(), "{}", dead.join("\n"));
}

#[test]
fn every_page_is_in_the_summary() {
    let summary = fs::read_to_string(root().join("docs/src/SUMMARY.md")).unwrap();
    let listed = pages::links(&summary);
    for page in pages::all().unwrap() {
        let Some(name) = page.path.strip_prefix("docs/src/") else { continue };
        let there = name == "SUMMARY.md" || listed.iter().any(|link| link == name);
        assert!(there, "docs/src/SUMMARY.md doesn't list {name}");
    }
}

#[test]
fn files_that_pages_name_are_there() {
    for page in pages::all().unwrap() {
        for path in pages::named_paths(&page.text) {
            let there = root().join(&path).exists();
            assert!(there, "{} names `{path}`, which isn't there", page.path);
        }
    }
}

#[test]
fn links_of_the_readme_lead_to_files() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    assert!(readme.lines().count() <= 120, "README.md has at most 120 lines");
    for link in pages::links(&readme).iter().filter(|link| !link.contains("://")) {
        let file = link.split('#').next().unwrap();
        assert!(root().join(file).exists(), "README.md: {link} leads nowhere");
    }
}

#[test]
fn the_reference_is_what_the_program_says() {
    for (name, text) in reference::pages(Path::new(KELVIN)).unwrap() {
        let path = root().join("docs/src").join(name);
        if writes() {
            fs::write(&path, text).unwrap();
            continue;
        }
        let there = fs::read_to_string(&path).unwrap_or_default();
        let differs = there.lines().zip(text.lines()).find(|(there, made)| there != made);
        assert!(
            there == text,
            "docs/src/{name} isn't what the program says (first line that differs: {differs:?}); \
             KELVIN_BOOK=write cargo test -p kelvin --test it book writes it"
        );
    }
}

#[test]
fn commands_without_a_model_print_what_pages_show() {
    let mut n_run = 0;
    for page in pages::all().unwrap() {
        let ran = session::run(&page, Which::WithoutModel, Path::new(KELVIN)).unwrap();
        n_run += ran.n_run;
        if writes() {
            fs::write(root().join(&page.path), ran.text).unwrap();
        } else {
            assert!(ran.problems.is_empty(), "{}", ran.problems.join("\n"));
        }
    }
    assert!(n_run >= 5, "only {n_run} blocks were run");
}
