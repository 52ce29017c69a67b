//! Decisions: probabilities of a question's options, instead of text.
//!
//! A [`Question`] has 2 to 255 options: a predicate's Yes and No, a choice's options, a score's
//! levels. A [`Form`] gives each option a label that is one token of the model's vocabulary and
//! writes the prompt. One forward pass gives the logits at the answer's position, and
//! p_k ∝ Σ exp(x) over the tokens of label k, renormalised over the labels ([`Reading`]).
//! A token counts for a label if its text is the label, with or without a space in front. The
//! probability of all other tokens is the mass outside of the labels: a large one means that the
//! model doesn't answer in labels.
//!
//! Small models prefer places in a list. So a question can be asked in several rotations of its
//! options. A [`Decision`] is the geometric mean of the readings, renormalised, and
//! [`Decision::at`] applies a temperature to it: softmax(ln q / T), which calibrates the
//! probabilities (Guo et al. 2017, arXiv 1706.04599) and changes no order.
//!
//! Logits have equal bits in any batch, and every sum here has a fixed order. So a decision has
//! equal bits alone and among others.

mod decision;
mod form;
mod labels;
mod question;
mod settings;

pub use decision::{Decision, Reading};
pub use form::{Form, Layout, WORDING};
pub use labels::Labels;
pub use question::{Choice, Kind, MAX_OPTIONS, Question, QuestionError, rotations};
pub use settings::{Calibrated, Settings, SettingsError};
