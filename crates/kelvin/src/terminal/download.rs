//! Shows the download of a model: messages, progress and questions on standard error.

use std::{
    cell::RefCell,
    io::{self, BufRead, IsTerminal, Write},
    ops::ControlFlow,
    time::Duration,
};

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use kelvin_models::{Dialog, Progress};

use super::late::Lines;

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
        bar.tick();
        bar.enable_steady_tick(Duration::from_millis(250));
        Box::new(Bar { bar, total, lines: RefCell::new(Lines::new()) })
    }
}

/// A bar, which hides itself where standard error is no terminal: there lines tell the same, ever
/// more seldom.
struct Bar {
    bar: ProgressBar,
    total: u64,
    lines: RefCell<Lines>,
}

impl Progress for Bar {
    fn set(&self, n_bytes: u64) -> ControlFlow<()> {
        self.bar.set_position(n_bytes);
        if self.lines.borrow_mut().is_due() {
            let (unit, name) =
                if self.total < 10_000_000 { (1_000, "KB") } else { (1_000_000, "MB") };
            let [done, all] = [n_bytes, self.total].map(|bytes| bytes / unit);
            super::note(&format!("  downloading: {done} of {all} {name}"));
        }
        ControlFlow::Continue(())
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
