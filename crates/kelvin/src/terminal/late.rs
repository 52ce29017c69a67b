//! Work done so far in, a progress bar on standard error out, but only for work that lasts.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Work that takes less than this needs no bar.
const AFTER: Duration = Duration::from_millis(700);

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counted {
    /// Of a model file.
    Bytes,
    /// Of a prompt.
    Tokens,
    /// Of a text that is scored.
    Windows,
    /// Of a measurement.
    Samples,
    /// Of a recipe.
    Prompts,
    /// Of a table.
    Texts,
    /// Of a table's texts.
    #[cfg_attr(
        not(feature = "semantic"),
        expect(dead_code, reason = "only the model of meanings counts them")
    )]
    Embeddings,
}

/// A bar that appears late and goes when the work is done. It hides itself where standard error is no terminal.
#[derive(Debug)]
pub(crate) struct LateBar {
    counted: Counted,
    begun: Instant,
    bar: Option<ProgressBar>,
}

impl LateBar {
    /// The work begins now.
    pub(crate) fn new(counted: Counted) -> LateBar {
        LateBar { counted, begun: Instant::now(), bar: None }
    }

    /// So much of it is done.
    pub(crate) fn set(&mut self, done: u64, total: u64) {
        if done >= total {
            if let Some(bar) = self.bar.take() {
                bar.finish_and_clear();
            }
        } else if self.begun.elapsed() > AFTER {
            let counted = self.counted;
            self.bar.get_or_insert_with(|| new_bar(counted, total)).set_position(done);
        }
    }

    /// A sentence above it.
    pub(crate) fn note(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| super::note(text)),
            None => super::note(text),
        }
    }
}

fn new_bar(counted: Counted, total: u64) -> ProgressBar {
    let template = match counted {
        Counted::Bytes => "  loading {bar:30} {bytes:>10} of {total_bytes} · {eta} left",
        Counted::Tokens => "  reading the prompt {bar:30} {pos:>6} of {len} tokens · {eta} left",
        Counted::Windows => "  reading the text {bar:30} {pos:>5} of {len} windows · {eta} left",
        Counted::Prompts => "  reading prompts {bar:30} {pos:>6} of {len} · {eta} left",
        Counted::Embeddings => "  comparing meanings {bar:30} {pos:>6} of {len} texts · {eta} left",
        Counted::Texts => "  writing {bar:30} {pos:>6} of {len} texts · {eta} left",
        Counted::Samples => "  measuring {bar:30} {pos:>4} of {len} samples · {eta} left",
    };
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(total).with_style(style)
}

impl Drop for LateBar {
    fn drop(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}
