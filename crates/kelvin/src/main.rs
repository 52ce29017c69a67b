//! The binary: the library's command line, with this process's arguments.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(kelvin::run(std::env::args_os()))
}
