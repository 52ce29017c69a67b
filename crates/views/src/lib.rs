//! The figures that the terminal, the studio and programs show, computed in one place.
//!
//! [`decision`] is the answer to a question with options, [`search`] what a search found.
//! [`next`] shows a next-token distribution stage by stage, [`softmax`] typed logits, [`figures`]
//! entropy, surprisal and diversity of a text, [`translation`] a chain in another engine's
//! settings, [`recommended`] the chain that a model file recommends. The rows serialize to the JSON
//! of the verbs and of the studio's routes. [`json`] writes numbers, [`escape`] makes text safe to
//! show, [`shorten`] bounds what errors quote.

pub mod clock;
pub mod criteria;
pub mod decision;
pub mod escape;
pub mod figures;
pub mod flags;
pub mod flips;
pub mod grid;
pub mod html;
pub mod json;
pub mod knobs;
pub mod next;
pub mod ranks;
pub mod recommended;
pub mod search;
pub mod shorten;
pub mod softmax;
pub mod token;
pub mod trace;
pub mod translation;
