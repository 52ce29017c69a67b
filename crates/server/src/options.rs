//! How requests are answered, over sockets or in the process.

use std::{path::PathBuf, time::Duration};

use kelvin_engine::{
    batch::{DraftModel, Guesses},
    chat::Day,
    decide::Calibrated,
    transformer::CacheFormat,
};

use super::{Budget, Key, Menu, Origin};

/// How to serve.
pub struct Options {
    /// The names that the model goes by; the first is its own.
    pub names: Vec<String>,
    /// SHA-256 of the model file, if the catalogue knows it.
    pub sha256: Option<String>,
    /// Temperatures of decisions that were fitted for this model.
    pub calibration: Option<Calibrated>,
    /// The format of the KV cache.
    pub cache: CacheFormat,
    /// Which tokens a step reads before they are drawn.
    pub guesses: Guesses,
    /// A smaller model that guesses as well.
    pub draft_model: Option<DraftModel>,
    /// Tokens that a text may have.
    pub limit: usize,
    /// How much runs at once.
    pub room: Budget,
    /// Prompts that may wait.
    pub queue: usize,
    /// The key that clients have to send, if one is set.
    pub key: Option<Key>,
    /// The date for chat templates, if a request names none.
    pub day: Day,
    /// Whether requests that choose no chain and no profile start from what the model file
    /// recommends.
    pub starts_recommended: bool,
    /// Foreign origins whose pages may use the server.
    pub origins: Vec<Origin>,
    /// Connections at once; more close the one that is idle longest.
    pub connections: usize,
    /// How long a client may take to send a request's header, to send its body, and to take what is
    /// written to it; a connection may be idle for so long as well.
    pub patience: Duration,
    /// How long running answers may take after a signal.
    pub drain: Duration,
    /// The models that the studio's menu offers.
    pub menu: Menu,
    /// A folder where the studio may keep sessions.
    pub sessions: Option<PathBuf>,
}
