//! The binary on real models, in a browser and with other programs: `./check` fetches and installs
//! what they need.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod book;
mod cli;
mod clients;
mod constraints;
mod decide;
mod engines;
mod load;
#[cfg(feature = "semantic")]
mod meaning;
mod parameters;
mod phases;
mod report;
mod search;
mod server;
mod studio;
mod studio_compare;
mod studio_decide;
mod studio_figures;
mod studio_journeys;
mod studio_lesson;
mod studio_search;
mod studio_sessions;
mod studio_stretches;
mod studio_writing;
mod sweep;
