//! The proofs that sampling is exact, one file each.
//!
//! `reference` and `chance` are what they are proven against: a full sort with integer arithmetic, and
//! the statistics of counts.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should say where")]

mod bad_input;
mod chance;
mod exact;
mod fit;
mod logits;
mod metamorphic;
mod notation;
mod quantities;
mod reference;
mod reference_stages;
mod tail;
