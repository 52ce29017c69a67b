//! Logits, chains and continuations in, the rows that people and programs see of them out: what the
//! verbs and the studio share.

pub(crate) mod clock;
pub(crate) mod criteria;
pub(crate) mod figures;
pub(crate) mod flags;
pub(crate) mod flips;
pub(crate) mod grid;
pub(crate) mod knobs;
pub(crate) mod next;
pub(crate) mod ranks;
pub(crate) mod softmax;
pub(crate) mod token;
pub(crate) mod trace;
pub(crate) mod translation;
