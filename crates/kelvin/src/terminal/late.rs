//! Progress on standard error, which only appears for work that lasts: a bar on a terminal, lines
//! in a pipe or a file.

use std::{
    io::IsTerminal,
    sync::mpsc::{self, RecvTimeoutError},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Work that takes less than this needs no bar.
const AFTER: Duration = Duration::from_millis(700);
/// Where standard error is no terminal, the first line comes after this.
const LINE_AFTER: Duration = Duration::from_secs(2);
/// Further lines come after twice the time of the one before, at most this.
const LINE_EVERY: Duration = Duration::from_secs(30);

/// The environment variable that turns lines of progress off with the value 0.
const OFF: &str = "KELVIN_PROGRESS";

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counted {
    /// Of a model file.
    Bytes,
    /// Of a prompt.
    Tokens,
    /// Of a text that is scored at once.
    TextTokens,
    /// Of a text that is scored.
    Windows,
    /// Of a search.
    Steps,
    /// Of a measurement.
    Samples,
    /// Of a recipe.
    Prompts,
    /// Of texts that are shown once they are whole.
    NewTokens,
    /// Of a table.
    Texts,
    /// Of a table's texts, by a command or a judge.
    Scores,
    /// Of a table's texts.
    #[cfg_attr(
        not(feature = "semantic"),
        expect(dead_code, reason = "only the model of meanings counts them")
    )]
    Embeddings,
}

impl Counted {
    /// The work, and what is counted.
    fn words(self) -> [&'static str; 2] {
        match self {
            Counted::Bytes => ["loading", "bytes"],
            Counted::Tokens => ["reading the prompt", "tokens"],
            Counted::TextTokens => ["reading the text", "tokens"],
            Counted::Windows => ["reading the text", "windows"],
            Counted::Prompts => ["reading prompts", "prompts"],
            Counted::Embeddings => ["comparing meanings", "texts"],
            Counted::Scores => ["scoring", "texts"],
            Counted::NewTokens => ["writing", "tokens"],
            Counted::Texts => ["writing", "texts"],
            Counted::Samples => ["measuring", "samples"],
            Counted::Steps => ["searching", "steps"],
        }
    }
}

/// A bar that appears late and goes when the work is done. Where standard error is no terminal it
/// is lines, which come ever more seldom.
#[derive(Debug)]
pub(crate) struct LateBar {
    counted: Counted,
    begun: Instant,
    bar: Option<ProgressBar>,
    is_shown: bool,
    lines: Lines,
}

/// Whether lines of progress are turned off by the environment.
fn is_off() -> bool {
    std::env::var_os(OFF).is_some_and(|value| value == "0")
}

/// When the next line of progress is due, where standard error is no terminal.
#[derive(Debug)]
pub(crate) struct Lines {
    next: Duration,
    wait: Duration,
    begun: Instant,
    is_needed: bool,
}

impl Lines {
    /// The work begins now.
    pub(crate) fn new() -> Lines {
        let is_needed = !std::io::stderr().is_terminal() && !is_off();
        Lines { next: LINE_AFTER, wait: LINE_AFTER, begun: Instant::now(), is_needed }
    }

    /// Whether a line is due.
    pub(crate) fn is_due(&mut self) -> bool {
        let elapsed = self.begun.elapsed();
        if !self.is_needed || elapsed < self.next {
            return false;
        }
        self.wait = (self.wait * 2).min(LINE_EVERY);
        self.next = elapsed + self.wait;
        true
    }
}

impl LateBar {
    /// The work begins now.
    pub(crate) fn new(counted: Counted) -> LateBar {
        LateBar { counted, begun: Instant::now(), bar: None, is_shown: false, lines: Lines::new() }
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
            if self.lines.is_due() {
                let [work, things] = self.counted.words();
                super::note(&format!("  {work}: {done} of {total} {things}"));
            }
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
        Counted::TextTokens => "  reading the text {bar:30} {pos:>6} of {len} tokens · {eta} left",
        Counted::Windows => "  reading the text {bar:30} {pos:>5} of {len} windows · {eta} left",
        Counted::Prompts => "  reading prompts {bar:30} {pos:>6} of {len} · {eta} left",
        Counted::Embeddings => "  comparing meanings {bar:30} {pos:>6} of {len} texts · {eta} left",
        Counted::Scores => "  scoring {bar:30} {pos:>6} of {len} texts · {eta} left",
        Counted::NewTokens => "  writing {bar:30} {pos:>6} of at most {len} tokens · {eta} left",
        Counted::Texts => "  writing {bar:30} {pos:>6} of {len} texts · {eta} left",
        Counted::Steps => "  searching {bar:30} {pos:>6} of at most {len} steps · {eta} left",
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

/// Work that can't be counted: after two seconds a line on standard error says what is done, and
/// then again from time to time, so that nobody takes it for a hang.
#[derive(Debug)]
pub(crate) struct Busy {
    /// Its end is the end of the work.
    work: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Busy {
    /// The work begins now. `what` is a verb in its form on -ing, with its object.
    pub(crate) fn new(what: &str) -> Busy {
        let (sender, ended) = mpsc::channel::<()>();
        let what = what.to_string();
        let tell = move || {
            let begun = Instant::now();
            let mut wait = LINE_AFTER;
            while ended.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
                super::note(&format!("  {what}: {} s so far", begun.elapsed().as_secs()));
                wait = (wait * 2).min(LINE_EVERY);
            }
        };
        let thread = std::thread::Builder::new().name("busy".to_string());
        let thread = if is_off() { None } else { thread.spawn(tell).ok() };
        Busy { work: Some(sender), thread }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.work = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
