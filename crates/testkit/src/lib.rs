//! What the tests of several crates share: very small models, the binary as a command, a server or
//! a program on a terminal, a browser, and where downloaded models are.
//!
//! It is a dependency of tests (and of the fuzz targets) alone. A failure here is a failed test, so
//! it panics and says where.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]
#![allow(missing_docs, reason = "the names of test support say what it is")]

#[cfg(feature = "browser")]
pub mod browser;
pub mod gguf_bytes;
pub mod load;
pub mod models;
pub mod server;
#[cfg(unix)]
pub mod terminal;
pub mod tiny;

use std::{
    path::PathBuf,
    process::{Child, Command, ExitStatus},
    time::{Duration, Instant},
};

/// The binary `kelvin` of the build that the running test belongs to.
pub fn binary() -> PathBuf {
    // Cargo names it to the tests of its package. Otherwise it lies beside `deps/`, where the
    // test's own program is.
    if let Some(named) = std::env::var_os("CARGO_BIN_EXE_kelvin") {
        return PathBuf::from(named);
    }
    let test = std::env::current_exe().unwrap();
    let folder = test.ancestors().nth(2).expect("a test lies in target/PROFILE/deps");
    folder.join(format!("kelvin{}", std::env::consts::EXE_SUFFIX))
}

/// The binary as a command.
pub fn kelvin() -> Command {
    let mut command = Command::new(binary());
    // How long work lasts here is no matter of a test.
    command.env("KELVIN_PROGRESS", "0");
    command
}

/// Waits for a process's end; nothing if it runs on for two minutes.
fn ended(child: &mut Child) -> Option<ExitStatus> {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(120) {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    None
}
