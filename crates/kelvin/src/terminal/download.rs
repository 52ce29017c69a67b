//! Shows the download of a model: messages, progress bar and questions on standard error.

use std::{
    io::{self, BufRead, IsTerminal, Write},
    ops::ControlFlow,
    time::Duration,
};

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use kelvin_models::{Dialog, Progress};

/// Somebody at a terminal, or reading its output.
pub(crate) struct Terminal;

impl Dialog for Terminal {
    fn note(&self, sentence: &str) {
        super::note(sentence);
    }

    fn accepts_terms(&self) -> anyhow::Result<Option<bool>> {
        if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
            return Ok(None);
        }
        eprint!("Do you accept these terms? [y/N] ");
        let _ = io::stderr().flush();
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer).context("reading your answer failed")?;
        Ok(Some(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")))
    }

    fn begin(&self, total: u64) -> Box<dyn Progress> {
        let bar = ProgressBar::new(total);
        let template = "  {bar:30} {bytes:>10} of {total_bytes} · {bytes_per_sec} · {eta} left";
        bar.set_style(
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        bar.enable_steady_tick(Duration::from_millis(250));
        Box::new(Bar(bar))
    }
}

/// A bar that hides itself where standard error is no terminal.
struct Bar(ProgressBar);

impl Progress for Bar {
    fn set(&self, n_bytes: u64) -> ControlFlow<()> {
        self.0.set_position(n_bytes);
        ControlFlow::Continue(())
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
