//! How a server is spoken to.

use std::time::Duration;

/// How a server is spoken to.
#[derive(Debug, Clone)]
pub struct Manners {
    /// Sent as a bearer token.
    pub key: Option<String>,
    /// Requests at once.
    pub n_requests: usize,
    /// For one answer.
    pub timeout: Duration,
    /// How long it's waited for while it answers nobody, if not as long as usual.
    pub patience: Option<Duration>,
}

impl Manners {
    /// The key is read from the environment variable `key_env`. It is sent only if the variable is
    /// named, so that no other server's is given away.
    ///
    /// # Errors
    /// If the variable is empty, or no request is allowed.
    pub fn new(
        key_env: Option<&str>,
        n_requests: usize,
        timeout_secs: u64,
        patience_secs: Option<u64>,
    ) -> Result<Manners, String> {
        let key = key_env.map(|name| {
            let key = std::env::var(name).ok().filter(|key| !key.is_empty());
            key.ok_or_else(|| {
                format!("--key-env: the environment variable {name} is empty or not set")
            })
        });
        if n_requests == 0 {
            return Err("--requests is 0, but at least 1 is needed".to_string());
        }
        let timeout = Duration::from_secs(timeout_secs.max(1));
        let patience = patience_secs.map(Duration::from_secs);
        Ok(Manners { key: key.transpose()?, n_requests, timeout, patience })
    }
}
