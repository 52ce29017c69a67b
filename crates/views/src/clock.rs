//! Measures prefill and decode times and speeds.

use std::time::Instant;

use serde::Serialize;

/// How long things took; only with `--timings`.
#[derive(Debug, Clone, Serialize)]
pub struct Timings {
    /// Reading the prompt.
    pub prompt_secs: f64,
    /// From the end of the prompt to the last token.
    pub(crate) decode_secs: f64,
    /// Tokens of all columns in a second.
    pub tokens_per_sec: f64,
}

/// When the prompt had been read and when the last token came.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    begun: Instant,
    /// When the prompt had been read.
    pub read: Option<Instant>,
    last: Option<Instant>,
}

impl Clock {
    /// Starts now.
    pub fn start() -> Clock {
        Clock { begun: Instant::now(), read: None, last: None }
    }

    /// The prompt has been read.
    pub fn prompt_read(&mut self) {
        self.read = Some(Instant::now());
    }

    /// A token came.
    pub fn token(&mut self) {
        self.last = Some(Instant::now());
    }

    /// What `tokens` tokens took.
    pub fn timings(&self, tokens: usize) -> Timings {
        let read = self.read.unwrap_or(self.begun);
        let decode = self.last.unwrap_or(read).duration_since(read).as_secs_f64();
        let tokens_per_sec = if decode > 0.0 { tokens as f64 / decode } else { 0.0 };
        Timings {
            prompt_secs: read.duration_since(self.begun).as_secs_f64(),
            decode_secs: decode,
            tokens_per_sec,
        }
    }
}
