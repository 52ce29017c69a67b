//! The view of a sweep: what is missing, a progress bar, the result.

use std::{
    ops::ControlFlow,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};
use kelvin_lab::{
    Recipe,
    recipe::{Origin, Template},
    run::{Finish, Sample, Source},
    store::RunId,
    sweep::{Progress, SweepResult},
};
use kelvin_views::escape;
use serde::Serialize;

use crate::{
    interrupt::Guard,
    terminal::{self, json, wrap},
};

/// What a sweep is about to do.
#[derive(Debug, Serialize)]
pub(crate) struct Header {
    run: RunId,
    hash: String,
    source: Source,
    template: Template,
    prompts: usize,
    chains: usize,
    samples: usize,
    texts: usize,
    /// Texts that are there already.
    present: usize,
}

impl Header {
    /// Of a run that misses so many texts.
    pub(crate) fn new(run: RunId, recipe: &Recipe, source: &Source, n_missing: usize) -> Header {
        Header {
            run,
            hash: recipe.hash(source),
            source: source.clone(),
            template: template(recipe),
            prompts: recipe.prompts.len(),
            chains: recipe.chains.len(),
            samples: recipe.samples,
            texts: recipe.n_texts(),
            present: recipe.n_texts() - n_missing,
        }
    }

    fn words(&self) -> String {
        let there = match self.present {
            0 => String::new(),
            n if n == self.texts => ", all of them there".into(),
            n => format!(", {} of them there", grouped(n)),
        };
        let table = format!(
            "run {} · {} · {} · {} × {} × {} = {}{there}",
            self.run,
            &self.hash[..8],
            escape::printable(named(&self.source)),
            counted(self.prompts, "prompt"),
            counted(self.chains, "chain"),
            counted(self.samples, "sample"),
            counted(self.texts, "text"),
        );
        sentence(&table) + &manner(&self.source).unwrap_or_default()
    }
}

/// A text that is safe, as JSON says it.
#[derive(Debug, Serialize)]
struct Stored<'a> {
    prompt: usize,
    chain: usize,
    sample: usize,
    finish: Finish,
    tokens: usize,
    text: &'a str,
}

/// The last line.
#[derive(Debug, Serialize)]
struct End {
    run: RunId,
    before: usize,
    new: usize,
    missing: usize,
}

/// Tells of a sweep while it lasts.
pub(crate) struct Reporter<'a> {
    guard: &'a Guard,
    json: bool,
    bar: ProgressBar,
    begun: Instant,
    /// Of a text.
    max_tokens: usize,
    n_tokens: u64,
    n_stored: usize,
    n_missing: usize,
    /// Nothing comes for now.
    is_waiting: bool,
    printed: anyhow::Result<()>,
}

impl Reporter<'_> {
    /// Says what is about to be done.
    pub(crate) fn new(
        header: Header,
        max_tokens: usize,
        json: bool,
        guard: &Guard,
    ) -> anyhow::Result<Reporter<'_>> {
        let n_missing = header.texts - header.present;
        if json {
            json::print_line(&header)?;
        } else {
            terminal::print(&header.words())?;
        }
        // Counted in tokens, of which a text that ends early brings what it leaves: so the time
        // left is steady.
        let bar = ProgressBar::new((n_missing * max_tokens) as u64);
        let style = ProgressStyle::with_template("  {bar:30} {msg} · {eta} left");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_message(format!("0 of {} texts", grouped(n_missing)));
        bar.enable_steady_tick(Duration::from_millis(250));
        Ok(Reporter {
            guard,
            json,
            bar,
            begun: Instant::now(),
            max_tokens,
            n_tokens: 0,
            n_stored: 0,
            n_missing,
            is_waiting: false,
            printed: Ok(()),
        })
    }

    /// Takes the bar away. An error if somebody who wanted to read went away.
    pub(crate) fn finish(self) -> anyhow::Result<()> {
        self.bar.finish_and_clear();
        self.printed
    }

    /// What stands beside the bar.
    fn say(&self) {
        let pace = if self.is_waiting {
            "waiting".to_string()
        } else {
            format!("{:.0} tokens/s", self.n_tokens as f64 / self.begun.elapsed().as_secs_f64())
        };
        let (stored, missing) = (grouped(self.n_stored), grouped(self.n_missing));
        self.bar.set_message(format!("{stored} of {missing} texts · {pace}"));
    }

    fn goes_on(&self) -> ControlFlow<()> {
        if self.guard.requested() || self.printed.is_err() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

impl Progress for Reporter<'_> {
    fn tokens(&mut self, n_new: usize) -> ControlFlow<()> {
        self.n_tokens += n_new as u64;
        self.bar.inc(n_new as u64);
        self.say();
        self.goes_on()
    }

    fn waits(&mut self, why: &str) -> ControlFlow<()> {
        self.is_waiting = true;
        self.bar.suspend(|| terminal::note(&escape::printable(&format!("note: {why}"))));
        self.say();
        self.goes_on()
    }

    fn stored(&mut self, sample: &Sample) -> ControlFlow<()> {
        self.n_stored += 1;
        self.is_waiting = false;
        self.bar.inc(self.max_tokens.saturating_sub(sample.tokens.len()) as u64);
        if self.json {
            self.printed = json::print_line(&Stored {
                prompt: sample.prompt,
                chain: sample.chain,
                sample: sample.sample,
                finish: sample.finish,
                tokens: sample.tokens.len(),
                text: &sample.text,
            });
        }
        self.goes_on()
    }
}

/// What came of it.
pub(crate) fn end(run: RunId, swept: &SweepResult, json: bool) -> anyhow::Result<()> {
    let SweepResult { n_before, n_new, n_missing, n_tokens, elapsed_secs } = *swept;
    if json {
        return json::print_line(&End { run, before: n_before, new: n_new, missing: n_missing });
    }
    let rate = n_tokens as f64 / elapsed_secs.max(1e-9);
    let mut out = match n_new {
        0 => String::new(),
        n => format!(
            "{} added in {} ({rate:.0} tokens/s)\n",
            counted(n, "text"),
            duration(elapsed_secs)
        ),
    };
    out.push_str(&if n_missing > 0 {
        format!(
            "stopped with {} missing; the same command goes on from there\n",
            counted(n_missing, "text")
        )
    } else {
        format!("see kelvin runs show {run}\n")
    });
    terminal::print(&out)
}

/// Where texts come from, in a word.
pub(crate) fn named(source: &Source) -> &str {
    match source {
        Source::Local { model, .. } | Source::Server { model, .. } => model,
    }
}

/// What is put around a recipe's prompts, as far as it's known before the model is: a server knows
/// no template to choose.
pub(crate) fn template(recipe: &Recipe) -> Template {
    match (&recipe.origin, recipe.framing.template) {
        (Origin::Server { .. }, Template::Auto) => Template::Raw,
        (_, template) => template,
    }
}

/// What somebody who asks a server should know, since a model here is asked otherwise.
pub(crate) fn manner(source: &Source) -> Option<String> {
    let Source::Server { url, .. } = source else { return None };
    Some(sentence(&format!(
        "prompts go to {} as they are, without a chat template; another address or model name is \
         another run",
        escape::printable(url)
    )))
}

/// A sentence as a terminal has room for it.
pub(crate) fn sentence(text: &str) -> String {
    wrap::sentence(text, 0, terminal::width(), str::to_string).join("\n") + "\n"
}

/// A number of things.
pub(crate) fn counted(n: usize, thing: &str) -> String {
    format!("{} {}", grouped(n), terminal::things(n, thing))
}

/// A whole number with its thousands apart.
pub(crate) fn grouped(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A time as people say it.
pub(crate) fn duration(secs: f64) -> String {
    let whole = secs.round() as u64;
    match whole {
        _ if secs < 10.0 => format!("{secs:.1} s"),
        0..120 => format!("{whole} s"),
        120..7200 => format!("{} min {:02} s", whole / 60, whole % 60),
        _ => format!("{} h {:02} min", whole / 3600, whole / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_for_people() {
        assert_eq!([0, 999, 1000, 1234567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(
            (counted(1, "text").as_str(), counted(2, "text").as_str()),
            ("1 text", "2 texts")
        );
        let times = [0.25, 12.4, 119.0, 125.0, 7300.0].map(duration);
        assert_eq!(times, ["0.2 s", "12 s", "119 s", "2 min 05 s", "2 h 01 min"]);
    }
}
