//! The temperature of whole texts: draws y with probability ∝ p(y)^α, α = 1/T.
//!
//! Token temperature draws each token from p(·|y_<t)^α / Z_t. So its texts have the probability
//! Π p^α/Z_t, which isn't p(y)^α/Z: it doesn't see that a likely token may lead to unlikely ones.
//! The power distribution does. Both are equal at T = 1.
//!
//! A text drawn at token temperature has the weight w = Π Z_t, and each [`Method`] uses it in
//! another way: exact rejection (`exact`), particles (`smc`), moves of a Markov chain (`mcmc`).
//! [`draw`] runs them, and each [`Drawn`] says how good it is ([`Quality`]).
//!
//! Texts go up to a token that ends them, whose probability counts, or up to a number of tokens.
//! All random numbers are named by seed, sample, position and stream
//! ([`Stream`](kelvin_sampling::Stream)), and sums have a fixed order. So a text depends on no
//! batch and no number of threads. The first try, or particle, draws with the dice of an ordinary
//! continuation.
//!
//! [`Forward`] is what is needed of a model; [`BatchModel`] is one behind a batch.

mod exact;
mod forward;
mod front;
mod mcmc;
mod model;
mod path;
mod quality;
mod run;
mod settings;
mod smc;

pub use forward::{Ask, Forward, Read, Start};
pub use model::BatchModel;
pub use path::Path;
pub use quality::{Quality, SmcQuality};
pub use run::{Drawn, Progress, draw};
pub use settings::{Method, Settings, SettingsError, TextsError};
