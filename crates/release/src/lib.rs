//! What a release says about the crates that are linked into the binary.
//!
//! - [`dependencies`] asks cargo for them.
//! - [`licences`] writes their licence texts as one file.
//! - [`sbom`] writes them as a software bill of materials (CycloneDX JSON).
//!
//! The program of this crate writes both into a folder; `./release` runs it.

pub mod dependencies;
pub mod licences;
pub mod sbom;
