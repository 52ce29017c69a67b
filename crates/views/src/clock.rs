//! Measures prefill and decode times and speeds.

use std::time::Instant;

use serde::Serialize;

/// Times and speeds of one run; shown with `--timings` only.
#[derive(Debug, Clone, Serialize)]
pub struct Timings {
    /// Seconds of prefill.
    pub prompt_secs: f64,
    /// Seconds from the end of prefill to the last token.
    pub(crate) decode_secs: f64,
    /// Generated tokens per second, all columns together.
    pub tokens_per_sec: f64,
}

/// Measures when prefill ended and when the last token was drawn.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    begun: Instant,
    /// The end of prefill.
    pub read: Option<Instant>,
    last: Option<Instant>,
}

impl Clock {
    /// Starts the clock now.
    pub fn start() -> Clock {
        Clock { begun: Instant::now(), read: None, last: None }
    }

    /// Records the end of prefill.
    pub fn prompt_read(&mut self) {
        self.read = Some(Instant::now());
    }

    /// Records a drawn token.
    pub fn token(&mut self) {
        self.last = Some(Instant::now());
    }

    /// The times, for `tokens` generated tokens.
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
