//! The view of a comparison: columns that stream on a terminal, and the final summary.

use std::{
    io::Stdout,
    ops::{ControlFlow, Range},
};

use kelvin_engine::{
    batch::{Continuation, Observer, RequestId, Step},
    generate::FinishReason,
};
use kelvin_sampling::TokenId;
use kelvin_views::{
    clock::{Clock, Timings},
    escape,
    figures::number,
};

use super::{
    answer::{ColumnOutput, Summary},
    done::Done,
    plan::Plan,
    quality, searches,
};
use crate::{
    cli::shared::{prompt::Prompt, session::Session},
    interrupt::Guard,
    terminal::{
        self,
        columns::{self, Column},
        late::{Counted, LateBar},
        live::Live,
        style::Style,
        table::{self, Align},
        wrap,
    },
};

/// Lines of a live view that stay while the texts scroll: headings and rule.
const HEAD_LINES: usize = 2;

/// A column while it streams.
#[derive(Debug, Default, Clone)]
struct Growing {
    tokens: Vec<TokenId>,
    /// Where each token's text begins and ends in `column.text`.
    spans: Vec<Range<usize>>,
    column: Column,
    ended: bool,
}

/// Collects the columns while they stream, and shows them on a terminal.
pub(crate) struct Watcher<'a> {
    plan: &'a Plan,
    guard: &'a Guard,
    growing: Vec<Growing>,
    clocks: Clocks,
    live: Option<Live<Stdout>>,
    style: Style,
    reading: LateBar,
    /// Where nothing is shown before the end: how far the texts are, of at most so many tokens.
    writing: Option<(LateBar, u64)>,
    failed: Option<std::io::Error>,
}

/// Measures when each column got its last token.
#[derive(Debug)]
pub(crate) struct Clocks {
    whole: Clock,
    columns: Vec<Clock>,
}

impl Clocks {
    /// The times of one column. Columns decode in one batch, so they share its time until they end.
    pub(crate) fn of(&self, column: usize, tokens: usize) -> Timings {
        self.columns[column].timings(tokens)
    }

    /// The times of all columns together.
    pub(crate) fn whole(&self, tokens: usize) -> Timings {
        self.whole.timings(tokens)
    }
}

impl<'a> Watcher<'a> {
    /// With `live`, the columns are shown while they stream. A text has at most `longest` tokens.
    pub(crate) fn new(
        plan: &'a Plan,
        live: bool,
        longest: usize,
        guard: &'a Guard,
    ) -> std::io::Result<Watcher<'a>> {
        let growing: Vec<Growing> = plan
            .columns()
            .map(|(t, _)| {
                let temperature = plan.temperatures[t];
                Growing {
                    column: Column {
                        heading: plan.heading(t),
                        temperature: temperature.unwrap_or(1.0),
                        ..Column::default()
                    },
                    ..Growing::default()
                }
            })
            .collect();
        let clock = Clock::start();
        let clocks = Clocks { whole: clock, columns: vec![clock; growing.len()] };
        let most = growing.len().saturating_mul(longest) as u64;
        let writing = (!live).then(|| (LateBar::new(Counted::NewTokens), most));
        let live = live.then(|| Live::new(std::io::stdout())).transpose()?;
        Ok(Watcher {
            plan,
            guard,
            growing,
            clocks,
            live,
            style: Style::stdout(),
            reading: LateBar::new(Counted::Tokens),
            writing,
            failed: None,
        })
    }

    /// Clears the live view; the caller prints the final view.
    pub(crate) fn finish(mut self) -> anyhow::Result<Clocks> {
        if let Some(live) = &mut self.live {
            live.clear()?;
        }
        match self.failed {
            Some(error) => Err(error.into()),
            None => Ok(self.clocks),
        }
    }

    fn paint(&mut self) -> ControlFlow<()> {
        let Some(live) = &mut self.live else { return ControlFlow::Continue(()) };
        if live.is_due() {
            let (width, height) = terminal::size();
            // The live view shows the first sample of each temperature; the final view shows all.
            let shown: Vec<Column> = self
                .growing
                .iter()
                .step_by(self.plan.samples)
                .map(|growing| growing.column.clone())
                .collect();
            let mut lines = if columns::fit(shown.len(), width) {
                columns::side_by_side(&shown, width, self.style)
            } else {
                columns::blocks(&shown, Some(width), self.style)
            };
            if self.plan.samples > 1 {
                let ended = self.growing.iter().filter(|growing| growing.ended).count();
                let note = format!(
                    "sample 1 of {}; {ended} of {} continuations have ended",
                    self.plan.samples,
                    self.growing.len()
                );
                lines.push(self.style.dim(&note));
            }
            if let Err(error) = live.paint(&lines, HEAD_LINES, height) {
                self.failed = Some(error);
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    }

    fn go_on(&self) -> ControlFlow<()> {
        if self.guard.requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

impl Observer for Watcher<'_> {
    fn prompt(&mut self, _: RequestId, done: usize, total: usize) -> ControlFlow<()> {
        self.reading.set(done as u64, total as u64);
        if done == total {
            self.clocks.whole.prompt_read();
            self.clocks.columns.iter_mut().for_each(Clock::prompt_read);
        }
        self.go_on()
    }

    fn token(&mut self, step: Step<'_>) -> ControlFlow<()> {
        self.clocks.whole.token();
        self.clocks.columns[step.column].token();
        let first = self.plan.first_of(step.column);
        let growing = &mut self.growing[step.column];
        let begin = growing.column.text.len();
        growing.tokens.push(step.draw.token);
        growing.column.text.push_str(step.text);
        growing.spans.push(begin..growing.column.text.len());
        // Columns are stepped in order, so the first column is never behind.
        if growing.column.mark.is_none()
            && self.growing[first].tokens.get(step.index) != Some(&step.draw.token)
        {
            let growing = &mut self.growing[step.column];
            growing.column.mark = growing.spans.get(step.index).cloned();
        }
        if let Some((bar, most)) = &mut self.writing {
            let n: usize = self.growing.iter().map(|growing| growing.tokens.len()).sum();
            bar.set(n as u64, *most);
        }
        self.paint()?;
        self.go_on()
    }

    fn finished(&mut self, _: RequestId, column: usize, text: &str, _reason: &FinishReason) {
        self.growing[column].column.text.push_str(text);
        self.growing[column].ended = true;
    }
}

/// The line above the columns that has the prompt.
pub(crate) fn typed(prompt: &Prompt) -> String {
    let typed = escape::for_output(&prompt.prompt, terminal::is_terminal());
    format!("{}\n", Style::stdout().bold(&typed))
}

/// The lines above a model's columns: model, chain and seed.
pub(crate) fn facts(session: &Session, prompt: &Prompt, plan: &Plan, chain: &str) -> String {
    let style = Style::stdout();
    let how = prompt.form();
    let drawn = if plan.seed.drawn { " (drawn)" } else { "" };
    // Every column has a temperature of its own: the chain shows `temp=T` at its place.
    let mut own = plan.temperatures.iter().enumerate();
    let own = own.all(|(t, temperature)| temperature.is_some() || plan.is_recommended(t));
    let stages: Vec<&str> = chain
        .split('|')
        .map(|stage| if own && stage.trim().starts_with("temp=") { "temp=T" } else { stage.trim() })
        .collect();
    let stages =
        if stages == ["temp=T"] { String::new() } else { format!(" · {}", stages.join(" | ")) };
    let facts = format!(
        "{} · {}, {how} · seed {}{drawn}{stages}",
        session.file.model,
        terminal::counted(prompt.ids.len(), "token"),
        plan.seed.value
    );
    format!("{}\n\n", style.dim(&facts))
}

/// The final view: every text in full, and the figures.
pub(crate) fn final_print(all: &[Done<'_>]) -> String {
    let style = Style::stdout();
    let on_terminal = terminal::is_terminal();
    let (width, _) = terminal::size();
    let columns: Vec<Column> = all.iter().flat_map(|done| final_columns(done, all.len())).collect();
    let (first, mut lines) = (&all[0], Vec::new());
    let samples = first.plan.samples;
    for sample in 0..samples {
        let mut row: Vec<Column> = columns.iter().skip(sample).step_by(samples).cloned().collect();
        if sample == 0 {
            row.extend(all.iter().flat_map(|done| search_columns(done, all.len())));
        }
        if samples > 1 {
            lines.push(style.bold(&format!("sample {} of {samples}", sample + 1)));
        }
        if on_terminal && row.len() > 1 && columns::fit(row.len(), width) {
            lines.extend(columns::side_by_side(&row, width, style));
            lines.push(String::new());
        } else {
            lines.extend(columns::blocks(&row, on_terminal.then_some(width), style));
        }
    }
    if on_terminal && columns.iter().any(|column| column.mark.is_some()) {
        let own = first.plan.heading(0);
        let legend = match all.len() {
            1 => format!("where a column parts from {own}; their random numbers are equal"),
            _ => format!(
                "where a column of {0} parts from {own}, and one of another model from {0}'s",
                escape::printable(&first.session.file.model)
            ),
        };
        lines.push(format!("{} {}", style.mark("▸"), style.dim(&legend)));
        lines.push(String::new());
    }
    lines.extend(figures_table(all, style));
    lines.push(String::new());
    lines.join("\n")
}

/// A model's columns with their full texts.
fn final_columns<'a>(done: &'a Done<'_>, n_models: usize) -> impl Iterator<Item = Column> + 'a {
    let Done { session, plan, continuations, answer } = done;
    let columns = answer.columns.iter().zip(plan.columns()).zip(continuations);
    columns.map(move |((answered, (t, _)), continuation)| Column {
        heading: match n_models {
            1 => plan.heading(t),
            _ => format!("{} · {}", escape::printable(&session.file.model), plan.heading(t)),
        },
        temperature: answered.temperature.map_or(1.0, |t| t as f32),
        text: answered.text.clone(),
        // Random numbers of whole texts are others where particles were resampled.
        mark: parts_at(answered)
            .filter(|_| answered.text_temperature.is_none())
            .map(|at| span(session, continuation, at)),
    })
}

/// A model's columns of searches, which have one text each.
fn search_columns<'a>(done: &'a Done<'_>, n_models: usize) -> impl Iterator<Item = Column> + 'a {
    let model = escape::printable(&done.session.file.model);
    searches::columns(&done.answer.searches, (n_models > 1).then_some(model))
}

/// Where a column parts from the one that it is compared with: the first model's, or its own
/// model's first.
fn parts_at(column: &ColumnOutput) -> Option<usize> {
    column.diverges_from_first_model_at.unwrap_or(column.diverges_at)
}

/// The bytes of a continuation's text that belong to its token number `at`.
fn span(session: &Session, continuation: &Continuation, at: usize) -> Range<usize> {
    let length = |n: usize| {
        continuation
            .tokens
            .iter()
            .take(n)
            .map(|&token| session.engine.tokenizer.bytes(token, false).len())
            .sum()
    };
    // A token that ends within a character, or a stop string, makes the text shorter than the
    // tokens' bytes.
    let floor = |i: usize| {
        let mut i = i.min(continuation.text.len());
        while !continuation.text.is_char_boundary(i) {
            i -= 1;
        }
        i
    };
    floor(length(at))..floor(length(at + 1))
}

fn words(done: &Done<'_>, t: usize) -> String {
    let plan = &done.plan;
    let temperature = done.answer.temperatures[t].temperature;
    let words = temperature.map_or_else(|| "-".to_string(), |t| t.to_string());
    match (plan.is_recommended(t), plan.is_of_texts(t)) {
        (true, _) => format!("{words}, recommended"),
        (_, true) => format!("{words}, text"),
        _ => words,
    }
}

/// One row for each temperature; with one sample, one row for each continuation.
fn figures_table(all: &[Done<'_>], style: Style) -> Vec<String> {
    let (head, mut align, row) = match all[0].plan.samples {
        1 => text_head(all[0].answer.timings.is_some()),
        _ => temperature_head(),
    };
    let mut rows = vec![head];
    for done in all {
        rows.extend(row(done));
    }
    if all.len() > 1 {
        let models = all.iter().flat_map(|done| {
            let n = row(done).len();
            std::iter::repeat_n(escape::printable(&done.session.file.model), n)
        });
        let cells: Vec<String> = std::iter::once("model".to_string()).chain(models).collect();
        rows.iter_mut().zip(cells).for_each(|(row, model)| row.insert(0, model));
        align.insert(0, Align::Left);
    }
    let mut lines = table::lines(&rows, &align, 0);
    lines[0] = style.dim(&lines[0]);
    let (places, over) = match all[0].plan.samples {
        1 => ("", "mean over tokens"),
        _ => (
            "; places are means, in tokens from 1, where texts that never part count as parting \
             behind their end",
            "mean over the tokens of a text, then over texts",
        ),
    };
    let speeds: String = all.iter().map(|done| speed(done, all.len())).collect();
    let note = format!("entropy and surprisal: raw (T = 1), {over}, in nats{places}{speeds}");
    let found = all.iter().flat_map(|done| searches::lines(&done.answer.searches));
    let notes = all.iter().flat_map(quality::lines).chain(found).chain([note]);
    let width = terminal::width();
    lines.extend(notes.flat_map(|note| wrap::sentence(&note, 0, width, |line| style.dim(line))));
    lines
}

/// The speed of a model, if it was measured.
fn speed(done: &Done<'_>, n_models: usize) -> String {
    let answer = &done.answer;
    let Some(t) = answer.timings.as_ref().filter(|timings| timings.tokens_per_sec > 0.0) else {
        return String::new();
    };
    let drafts = answer.drafts.as_ref().map(|drafts| format!("; {}", drafts.words()));
    let of = match n_models {
        1 => "all together".to_string(),
        _ => escape::printable(&done.session.file.model),
    };
    format!(
        "; {of} {:.1} tokens/s after {:.2} s for the prompt{}",
        t.tokens_per_sec,
        t.prompt_secs,
        drafts.unwrap_or_default()
    )
}

/// The head of a table, the alignment of its columns, and what makes a model's rows.
type Table = (Vec<String>, Vec<Align>, fn(&Done<'_>) -> Vec<Vec<String>>);

/// The table with one row for each text. It has speeds if `--timings` is given.
fn text_head(is_timed: bool) -> Table {
    let mut head = vec!["T", "tokens", "entropy", "surprisal", "distinct-2"];
    if is_timed {
        head.push("tokens/s");
    }
    let mut align = vec![Align::Right; head.len()];
    head.extend(["parts at", "ended by"]);
    align.extend([Align::Left; 2]);
    (head.into_iter().map(str::to_string).collect(), align, one_row_a_text)
}

fn one_row_a_text(done: &Done<'_>) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    let columns = done.answer.columns.iter().zip(&done.continuations);
    for (t, (answered, continuation)) in columns.enumerate() {
        let parts = parts_at(answered).map_or_else(
            || "-".to_string(),
            |at| {
                let what = continuation.tokens.get(at).map_or_else(
                    || "its end".to_string(),
                    |&token| table::cut(&done.session.shown(token), 10),
                );
                format!("{} {what}", at + 1)
            },
        );
        let figures = &answered.figures;
        let mut row = vec![
            words(done, t),
            figures.tokens.to_string(),
            number(figures.mean_entropy_raw, 3),
            number(figures.mean_surprisal_raw, 3),
            number(figures.distinct_2, 3),
        ];
        if let Some(timings) = &answered.timings {
            row.push(number(Some(timings.tokens_per_sec).filter(|&speed| speed > 0.0), 1));
        }
        row.extend([parts, answered.finish.words()]);
        rows.push(row);
    }
    let (session, is_timed) = (done.session, done.answer.timings.is_some());
    let of_search = |one| searches::row_of_text(one, session, is_timed);
    rows.extend(done.answer.searches.iter().map(of_search));
    rows
}

/// The table with one row for each temperature.
fn temperature_head() -> Table {
    let head = [
        "T",
        "distinct texts",
        "samples part at",
        "parts from first at",
        "tokens",
        "entropy",
        "surprisal",
        "distinct-2",
    ];
    (head.map(str::to_string).to_vec(), vec![Align::Right; 8], one_row_a_temperature)
}

fn one_row_a_temperature(done: &Done<'_>) -> Vec<Vec<String>> {
    let row = |(t, summary): (usize, &Summary)| {
        vec![
            words(done, t),
            format!("{} of {}", summary.distinct_texts, summary.samples),
            match summary.distinct_texts {
                1 => "never".to_string(),
                _ => number(summary.samples_diverge_at.map(|at| at + 1.0), 1),
            },
            number(summary.diverges_at.map(|at| at + 1.0), 1),
            format!("{:.1}", summary.tokens),
            number(summary.mean_entropy_raw, 3),
            number(summary.mean_surprisal_raw, 3),
            number(summary.distinct_2, 3),
        ]
    };
    let temperatures = done.answer.temperatures.iter().enumerate().map(row);
    temperatures.chain(done.answer.searches.iter().map(searches::row_of_samples)).collect()
}
