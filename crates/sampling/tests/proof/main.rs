//! The proofs that sampling is exact, one file each.
//!
//! `reference` and `chance` are what they are proven against: a full sort with integer arithmetic,
//! and the statistics of counts; `cases` has every stage, for 8, 1,000 and 262,144 tokens.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should say where")]

mod bad_input;
mod cases;
mod chance;
mod exact;
mod logits;
mod metamorphic;
mod notation;
mod plain;
mod quantities;
mod rates;
mod reference;
mod reference_stages;
mod schedule;
mod table;
mod tail;
