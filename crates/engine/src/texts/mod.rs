//! The temperature of whole texts: draws y with probability ∝ p(y)^α, α = 1/T.
//!
//! Token temperature draws each token from p(·|y_<t)^α / Z_t. So its texts have the probability
//! Π p^α/Z_t, which isn't p(y)^α/Z: it doesn't see that a likely token may lead to unlikely ones.
//! The power distribution does. Both are equal at T = 1.
//!
//! A text drawn at token temperature has the weight w = Π Z_t, and each [`Method`] uses it in
//! another way: exact rejection (`exact`), particles (`smc`), moves of a Markov chain (`mcmc`).
//! [`draw`] runs them ([`Samples`] a step at a time), and each [`Drawn`] says how good it is
//! ([`Quality`]).
//!
//! Texts go up to a token that ends them, whose probability counts, or up to a number of tokens.
//! All random numbers are named by seed, sample, position and stream
//! ([`Stream`](kelvin_sampling::Stream)), and sums have a fixed order. So a text depends on no
//! batch and no number of threads. The first try, or particle, draws with the dice of an ordinary
//! continuation.
//!
//! [`Rows`](crate::rows::Rows) is what is needed of a model. [`Ending`] says what ends its texts.

mod ending;
mod exact;
mod front;
mod mcmc;
mod notation;
mod path;
mod quality;
mod run;
mod settings;
mod smc;
mod start;

pub use ending::Ending;
pub use notation::{AskError, Asked, TextTemp};
pub use path::Path;
pub use quality::{Quality, SmcQuality};
pub use run::{Drawn, Progress, Samples, draw};
pub use settings::{Method, Settings, SettingsError, TextsError};
pub use start::Start;
