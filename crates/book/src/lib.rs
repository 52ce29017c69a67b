//! The book in `docs/`: its pages, its commands, its generated reference, and its HTML.
//!
//! - [`pages`] reads the Markdown and finds the fenced blocks.
//! - [`session`] runs the blocks marked `sh` and compares what they print.
//! - [`reference`](mod@reference) writes the pages that are made from the program itself.
//! - [`html`] builds the book with mdBook and checks every link of the result.
//!
//! `KELVIN_BOOK=write cargo test -p kelvin --test it book` rewrites generated pages and shown
//! outputs instead of comparing them.

pub mod html;
pub mod pages;
pub mod reference;
pub mod session;

use std::path::{Path, PathBuf};

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("this crate lies two folders below the root")
        .to_path_buf()
}

/// Whether pages are to be rewritten instead of compared.
pub fn writes() -> bool {
    std::env::var("KELVIN_BOOK").is_ok_and(|value| value == "write")
}
