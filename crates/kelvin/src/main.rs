//! The binary: people and programs meet the engine here. All of it lies in the library beside this
//! file.

use std::process::ExitCode;

fn main() -> ExitCode {
    kelvin::run()
}
