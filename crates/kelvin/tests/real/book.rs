//! Every command of the book and of the README, on the real models and a real server.

use std::{fs, path::Path};

use kelvin_book::{
    pages, root,
    session::{self, Which},
    writes,
};

#[test]
fn every_command_prints_what_its_page_shows() {
    let mut problems = Vec::new();
    let mut n_run = 0;
    // One page alone, while one writes it.
    let only = std::env::var("KELVIN_BOOK_PAGE").unwrap_or_default();
    for page in pages::all().unwrap().iter().filter(|page| page.path.contains(&only)) {
        let kelvin = Path::new(env!("CARGO_BIN_EXE_kelvin"));
        let ran = session::run(page, Which::All, kelvin).unwrap();
        n_run += ran.n_run;
        if writes() {
            fs::write(root().join(&page.path), &ran.text).unwrap();
        }
        problems.extend(ran.problems);
    }
    assert!(problems.is_empty() || writes(), "{}", problems.join("\n"));
    assert!(n_run >= 20 || !only.is_empty(), "only {n_run} blocks were run");
}
