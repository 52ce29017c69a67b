//! Searches: the likeliest texts, different likely texts, and the best of texts that were drawn.
//!
//! A search asks a model for the logits after several texts in one forward pass
//! ([`Rows`](crate::rows::Rows)), chooses how they go on, and forks them. It ends with texts in the
//! order of a score ([`Outcome`]), and with the tree of all that it weighed ([`Tree`]).
//!
//! - [`beam_search`]: the likeliest, with or without groups that avoid each other's tokens.
//! - [`stochastic_beams`]: drawn without replacement.
//! - [`Steps`]: these two, one forward pass at a time.
//! - [`draw_texts`] draws texts as [`crate::batch::generate`] does; [`best_of`] ranks them by
//!   likelihood, [`minimum_risk`] by how alike each is to the others ([`chrf()`]).
//!
//! [`by_text`] makes one text of beams that spell it in several ways; drawn texts are ranked so.
//!
//! Beams may keep to a form ([`Held`]): each has a place within it, masks come before anything is
//! chosen, and the place moves on with the token that is.
//!
//! [`Wanted`] is what a caller sets of a [`Method`].
//!
//! Every sum has a fixed order and logits have equal bits in any batch, so what a search finds
//! depends on model, settings and seed alone.

mod beam;
mod candidates;
mod chrf;
mod draws;
mod held;
mod plan;
mod spellings;
mod steps;
mod stochastic;
mod task;
mod tree;

pub use beam::{Beams, EarlyStopping, MAX_LENGTH_PENALTY};
pub use chrf::{Runs, chrf};
pub use draws::{By, Drawn, Watched, best_of, draw_texts, minimum_risk};
pub use held::Held;
pub use plan::{Method, Plan, Wanted};
pub use spellings::{Ranked, Spelling, by_text};
pub use steps::{Steps, beam_search, stochastic_beams};
pub use task::{End, MAX_BEAMS, MAX_TEXTS, SearchError, Stops, Task};
pub use tree::{Fate, Found, Node, Outcome, Tree};
