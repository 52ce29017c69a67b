//! The lab from outside, without network or downloaded models.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod intervals;
mod local;
mod logprobs;
mod proof;
mod rows;
mod whole;
