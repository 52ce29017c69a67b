//! How a server is spoken to.

use std::time::Duration;

/// How a server is spoken to.
#[derive(Debug, Clone)]
pub(crate) struct Manners {
    /// Sent as a bearer token.
    pub(crate) key: Option<String>,
    /// Requests at once.
    pub(crate) n_requests: usize,
    /// For one answer.
    pub(crate) timeout: Duration,
    /// How long it's waited for while it answers nobody, if not as long as usual.
    pub(crate) patience: Option<Duration>,
}
