//! The view of a sweep: what is missing, a progress bar, the result.

use std::{
    ops::ControlFlow,
    time::{Duration, Instant},
};

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use kelvin_lab::{
    Recipe, TextQuality,
    proof::ProvedText,
    recipe::{Origin, Template},
    run::{Finish, Sample, Source},
    store::RunId,
    sweep::{Progress, SweepResult},
    worker::Row,
};
use kelvin_views::escape;
use serde::Serialize;

use crate::{
    cli::shared::proof::ProofFile,
    interrupt::Guard,
    terminal::{self, json, late::Lines, wrap},
};

/// The beginning of an error of the reproduction file.
const UNWRITTEN: &str = "can't write the file of --proof";

/// The size of a sweep, before it starts.
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
    /// Texts that are stored already.
    present: usize,
}

impl Header {
    /// The header of a run with `n_missing` missing texts.
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
            n if n == self.texts => ", all stored already".into(),
            n => format!(", {} stored already", grouped(n)),
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

/// A stored text, for JSON.
#[derive(Debug, Serialize)]
struct Stored<'a> {
    prompt: usize,
    chain: usize,
    sample: usize,
    finish: Finish,
    tokens: usize,
    text: &'a str,
    /// How it was drawn, if it was drawn as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    text_temperature: Option<&'a TextQuality>,
}

/// The last line of JSON.
#[derive(Debug, Serialize)]
struct End {
    run: RunId,
    before: usize,
    new: usize,
    missing: usize,
}

/// Shows the progress of a sweep.
pub(crate) struct Reporter<'a> {
    guard: &'a Guard,
    json: bool,
    bar: ProgressBar,
    begun: Instant,
    /// Most tokens that are computed for a text, by column.
    most: Vec<usize>,
    n_tokens: u64,
    n_stored: usize,
    n_missing: usize,
    /// The server makes us wait.
    is_waiting: bool,
    lines: Lines,
    printed: anyhow::Result<()>,
    /// The reproduction file, if there is one.
    pub(crate) proof: Option<ProofFile>,
}

impl<'a> Reporter<'a> {
    /// Prints the header and starts the progress bar.
    pub(crate) fn new(
        header: Header,
        recipe: &Recipe,
        missing: &[Row],
        json: bool,
        guard: &'a Guard,
    ) -> anyhow::Result<Reporter<'a>> {
        let n_missing = missing.len();
        let most: Vec<usize> =
            (0..recipe.chains.len()).map(|chain| recipe.most_computed(chain)).collect();
        if json {
            json::print_line(&header)?;
        } else {
            terminal::print(&header.words())?;
        }
        // Counted in tokens. A text that ends early adds those it didn't use, so that the time left
        // is steady.
        let bar = ProgressBar::new(most_tokens(recipe, missing) as u64);
        let style = ProgressStyle::with_template("  {bar:30} {msg} · {eta} left");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_message(format!("0 of {} texts", grouped(n_missing)));
        bar.enable_steady_tick(Duration::from_millis(250));
        Ok(Reporter {
            guard,
            json,
            bar,
            begun: Instant::now(),
            most,
            n_tokens: 0,
            n_stored: 0,
            n_missing,
            is_waiting: false,
            lines: Lines::new(),
            printed: Ok(()),
            proof: None,
        })
    }

    /// Clears the bar and ends the reproduction file. Returns the number of the file's texts, or
    /// the error of printing or writing, if there was one.
    pub(crate) fn finish(self) -> anyhow::Result<Option<usize>> {
        self.bar.finish_and_clear();
        let ended = self.proof.map(ProofFile::end).transpose().context(UNWRITTEN);
        self.printed.and(ended)
    }

    /// Updates the text beside the bar.
    fn say(&mut self) {
        let pace = if self.is_waiting {
            "waiting".to_string()
        } else {
            format!("{:.0} tokens/s", self.n_tokens as f64 / self.begun.elapsed().as_secs_f64())
        };
        let (stored, missing) = (grouped(self.n_stored), grouped(self.n_missing));
        let message = format!("{stored} of {missing} texts · {pace}");
        if self.lines.is_due() {
            terminal::note(&format!("  writing: {message}"));
        }
        self.bar.set_message(message);
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

    fn proved(&mut self, text: ProvedText) -> ControlFlow<()> {
        if let Some(proof) = &mut self.proof
            && let Err(error) = proof.push(&text)
        {
            self.printed = Err(error).context(UNWRITTEN);
        }
        self.goes_on()
    }

    fn stored(&mut self, sample: &Sample) -> ControlFlow<()> {
        self.n_stored += 1;
        self.is_waiting = false;
        self.bar.inc(self.most[sample.chain].saturating_sub(sample.n_computed()) as u64);
        if self.json {
            self.printed = json::print_line(&Stored {
                prompt: sample.prompt,
                chain: sample.chain,
                sample: sample.sample,
                finish: sample.finish,
                tokens: sample.tokens.len(),
                text: &sample.text,
                text_temperature: sample.whole.as_ref(),
            });
        }
        self.goes_on()
    }
}

/// The most tokens that are computed for rows.
pub(crate) fn most_tokens(recipe: &Recipe, rows: &[Row]) -> usize {
    let each = rows.iter().map(|row| recipe.most_computed(row.chain));
    each.fold(0, usize::saturating_add)
}

/// Prints the result of a sweep.
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
            "stopped with {} missing; run the same command again to continue\n",
            counted(n_missing, "text")
        )
    } else {
        format!("see kelvin runs show {run}\n")
    });
    terminal::print(&out)
}

/// The model's name.
pub(crate) fn named(source: &Source) -> &str {
    match source {
        Source::Local { model, .. } | Source::Server { model, .. } => model,
    }
}

/// The template of a recipe, as far as it's known before the model is open. A server gets prompts
/// without a template.
pub(crate) fn template(recipe: &Recipe) -> Template {
    match (&recipe.origin, recipe.framing.template) {
        (Origin::Server { .. }, Template::Auto) => Template::Raw,
        (_, template) => template,
    }
}

/// A note for sweeps over a server: what differs from a local model.
pub(crate) fn manner(source: &Source) -> Option<String> {
    let Source::Server { url, .. } = source else { return None };
    Some(sentence(&format!(
        "prompts go to {} as they are, without a chat template; another address or model name is \
         another run",
        escape::printable(url)
    )))
}

/// A sentence, wrapped at the terminal's width.
pub(crate) fn sentence(text: &str) -> String {
    wrap::sentence(text, 0, terminal::width(), str::to_string).join("\n") + "\n"
}

/// A number with its noun.
pub(crate) fn counted(n: usize, thing: &str) -> String {
    format!("{} {}", grouped(n), terminal::things(n, thing))
}

/// A whole number with separated thousands.
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

/// A duration in words.
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
