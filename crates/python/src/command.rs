//! The command `kelvin` that the wheel carries.

use std::ffi::OsString;

use pyo3::prelude::*;

/// Runs the command line to its end and returns its exit code. It prints, and takes over Ctrl-C.
///
/// Args:
///     args: the program's name and its arguments.
///     child: the program and arguments that start this command again. A grammar is compiled in
///         such a process first.
///     ray: the program and arguments that start a sweep on a Ray cluster.
///
/// Examples:
///     >>> kelvin._kelvin.run_command(["kelvin", "no-such-verb"], [], [])
///     2
#[pyfunction]
pub(crate) fn run_command(
    py: Python<'_>,
    args: Vec<OsString>,
    child: Vec<OsString>,
    ray: Vec<OsString>,
) -> u8 {
    let mut child = child.into_iter();
    if let Some(program) = child.next() {
        kelvin_constraint::start_children_with(program, child.collect());
    }
    kelvin::start_ray_with(ray);
    py.detach(|| kelvin::run(args))
}
