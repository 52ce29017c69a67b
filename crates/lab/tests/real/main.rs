//! The lab beside other programs, which `./check` installs.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod reference_packages;
