//! A progress bar on standard error that only appears for work that lasts.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

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

/// A bar that appears late and goes when the work is done. It hides itself where standard error is
/// no terminal.
#[derive(Debug)]
pub(crate) struct LateBar {
    counted: Counted,
    begun: Instant,
    bar: Option<ProgressBar>,
    is_shown: bool,
}

impl LateBar {
    /// The work begins now.
    pub(crate) fn new(counted: Counted) -> LateBar {
        LateBar { counted, begun: Instant::now(), bar: None, is_shown: false }
    }

    /// So much of it is done. What is done at the first call took no time here, so no time left is
    /// told by it.
    pub(crate) fn set(&mut self, done: u64, total: u64) {
        if done >= total {
            if let Some(bar) = self.bar.take() {
                bar.finish_and_clear();
            }
        } else {
            let bar = self.bar.get_or_insert_with(|| new_bar(self.counted, done, total));
            if !self.is_shown && self.begun.elapsed() > AFTER {
                bar.set_draw_target(ProgressDrawTarget::stderr());
                self.is_shown = true;
            }
            bar.set_position(done);
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

/// One that isn't shown yet, and measures its pace from here on.
fn new_bar(counted: Counted, done: u64, total: u64) -> ProgressBar {
    let template = match counted {
        Counted::Bytes => "  loading {bar:30} {bytes:>10} of {total_bytes} · {eta} left",
        Counted::Tokens => "  reading the prompt {bar:30} {pos:>6} of {len} tokens · {eta} left",
        Counted::Windows => "  reading the text {bar:30} {pos:>5} of {len} windows · {eta} left",
        Counted::Prompts => "  reading prompts {bar:30} {pos:>6} of {len} · {eta} left",
        Counted::Embeddings => "  comparing meanings {bar:30} {pos:>6} of {len} texts · {eta} left",
        Counted::Texts => "  writing {bar:30} {pos:>6} of {len} texts · {eta} left",
        Counted::Samples => "  measuring {bar:30} {pos:>4} of {len} samples · {eta} left",
    };
    let style =
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar =
        ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::hidden()).with_style(style);
    bar.set_position(done);
    bar.tick();
    bar.reset_eta();
    bar
}

impl Drop for LateBar {
    fn drop(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}
