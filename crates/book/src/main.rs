//! The `kelvin` binary under another name: the tests of the book run it as `kelvin`.

use std::process::ExitCode;

fn main() -> ExitCode {
    kelvin::run()
}
