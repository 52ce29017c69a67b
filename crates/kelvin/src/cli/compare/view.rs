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

use super::{answer::CompareOutput, plan::Plan};
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

/// One column so far.
#[derive(Debug, Default, Clone)]
struct Growing {
    tokens: Vec<TokenId>,
    /// Where each token's text begins and ends in `column.text`.
    spans: Vec<Range<usize>>,
    column: Column,
    ended: bool,
}

/// Watches the columns grow; on a terminal it shows them.
pub(crate) struct Watcher<'a> {
    plan: &'a Plan,
    guard: &'a Guard,
    growing: Vec<Growing>,
    clocks: Clocks,
    live: Option<Live<Stdout>>,
    style: Style,
    reading: LateBar,
    failed: Option<std::io::Error>,
}

/// When each column got its last token.
#[derive(Debug)]
pub(crate) struct Clocks {
    whole: Clock,
    columns: Vec<Clock>,
}

impl Clocks {
    /// What one column took: columns step together, so its time is theirs until it ended.
    pub(crate) fn of(&self, column: usize, tokens: usize) -> Timings {
        self.columns[column].timings(tokens)
    }

    /// What all of them took.
    pub(crate) fn whole(&self, tokens: usize) -> Timings {
        self.whole.timings(tokens)
    }
}

impl<'a> Watcher<'a> {
    /// `live`: show the columns while they grow.
    pub(crate) fn new(
        plan: &'a Plan,
        live: bool,
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
        let live = live.then(|| Live::new(std::io::stdout())).transpose()?;
        Ok(Watcher {
            plan,
            guard,
            growing,
            clocks,
            live,
            style: Style::stdout(),
            reading: LateBar::new(Counted::Tokens),
            failed: None,
        })
    }

    /// Takes the live view off the screen; the last word is the caller's.
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
            // Of several samples the live view shows the first; the last word shows all.
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
        // Columns come in order, so the first one is never behind.
        if growing.column.mark.is_none()
            && self.growing[first].tokens.get(step.index) != Some(&step.draw.token)
        {
            let growing = &mut self.growing[step.column];
            growing.column.mark = growing.spans.get(step.index).cloned();
        }
        self.paint()?;
        self.go_on()
    }

    fn finished(&mut self, _: RequestId, column: usize, text: &str, _reason: &FinishReason) {
        self.growing[column].column.text.push_str(text);
        self.growing[column].ended = true;
    }
}

/// What is said before the first token.
pub(crate) fn header(session: &Session, prompt: &Prompt, plan: &Plan, chain: &str) -> String {
    let style = Style::stdout();
    let how = if prompt.chat { "in the model's chat template" } else { "as it is" };
    let drawn = if plan.seed.drawn { " (drawn)" } else { "" };
    let typed = escape::for_output(&prompt.prompt, terminal::is_terminal());
    // The temperature is each column's own; its place among the stages matters.
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
    format!("{}\n{}\n\n", style.bold(&typed), style.dim(&facts))
}

/// The whole of every text, and the figures.
pub(crate) fn final_print(
    answer: &CompareOutput,
    plan: &Plan,
    session: &Session,
    continuations: &[Continuation],
) -> String {
    let style = Style::stdout();
    let on_terminal = terminal::is_terminal();
    let (width, _) = terminal::size();
    let all: Vec<Column> = answer
        .columns
        .iter()
        .zip(plan.columns())
        .zip(continuations)
        .map(|((answered, (t, _)), continuation)| Column {
            heading: plan.heading(t),
            temperature: answered.temperature.map_or(1.0, |t| t as f32),
            text: answered.text.clone(),
            mark: answered.diverges_at.map(|at| span(session, continuation, at)),
        })
        .collect();
    let mut lines = Vec::new();
    for sample in 0..plan.samples {
        let row: Vec<Column> = all.iter().skip(sample).step_by(plan.samples).cloned().collect();
        if plan.samples > 1 {
            lines.push(style.bold(&format!("sample {} of {}", sample + 1, plan.samples)));
        }
        if on_terminal && row.len() > 1 && columns::fit(row.len(), width) {
            lines.extend(columns::side_by_side(&row, width, style));
            lines.push(String::new());
        } else {
            lines.extend(columns::blocks(&row, on_terminal.then_some(width), style));
        }
    }
    if on_terminal && all.iter().any(|column| column.mark.is_some()) {
        let first = plan.heading(0);
        lines.push(format!(
            "{} {}",
            style.mark("▸"),
            style
                .dim(&format!("where a column parts from {first}; their random numbers are equal"))
        ));
        lines.push(String::new());
    }
    lines.extend(figures_table(answer, plan, session, continuations, style));
    lines.push(String::new());
    lines.join("\n")
}

/// The bytes of a continuation's text that its token `at` wrote.
fn span(session: &Session, continuation: &Continuation, at: usize) -> Range<usize> {
    let length = |n: usize| {
        continuation
            .tokens
            .iter()
            .take(n)
            .map(|&token| session.engine.tokenizer.bytes(token, false).len())
            .sum()
    };
    // Half a character at a token's edge, or a stop string, makes the text shorter than its tokens.
    let floor = |i: usize| {
        let mut i = i.min(continuation.text.len());
        while !continuation.text.is_char_boundary(i) {
            i -= 1;
        }
        i
    };
    floor(length(at))..floor(length(at + 1))
}

fn words(temperature: Option<f64>, is_recommended: bool) -> String {
    let t = temperature.map_or_else(|| "-".to_string(), |t| t.to_string());
    if is_recommended { format!("{t}, recommended") } else { t }
}

/// One row for each temperature (for each continuation where there's one sample).
fn figures_table(
    answer: &CompareOutput,
    plan: &Plan,
    session: &Session,
    continuations: &[Continuation],
    style: Style,
) -> Vec<String> {
    let (rows, align) = if plan.samples == 1 {
        one_row_a_text(answer, session, continuations)
    } else {
        one_row_a_temperature(answer)
    };
    let mut lines = table::lines(&rows, &align, 0);
    lines[0] = style.dim(&lines[0]);
    let timings = answer.timings.as_ref().filter(|timings| timings.tokens_per_sec > 0.0);
    let speed = timings
        .map(|t| {
            format!(
                "; all together {:.1} tokens/s after {:.2} s for the prompt",
                t.tokens_per_sec, t.prompt_secs
            )
        })
        .unwrap_or_default();
    let places = if plan.samples == 1 { "" } else { "; places are means, in tokens from 1" };
    let note =
        format!("entropy and surprisal: raw (T = 1), mean over tokens, in nats{places}{speed}");
    lines.extend(wrap::sentence(&note, 0, terminal::width(), |line| style.dim(line)));
    lines
}

/// A table's rows, the head first, and how its columns are aligned.
type Rows = (Vec<Vec<String>>, Vec<Align>);

/// The speed is a column only where it was asked for.
fn one_row_a_text(
    answer: &CompareOutput,
    session: &Session,
    continuations: &[Continuation],
) -> Rows {
    let mut head = vec!["T", "tokens", "entropy", "surprisal", "distinct-2"];
    if answer.timings.is_some() {
        head.push("tokens/s");
    }
    let mut align = vec![Align::Right; head.len()];
    head.extend(["parts at", "ended by"]);
    align.extend([Align::Left; 2]);
    let mut rows = vec![head.into_iter().map(str::to_string).collect::<Vec<_>>()];
    for (answered, continuation) in answer.columns.iter().zip(continuations) {
        let parts = answered.diverges_at.map_or_else(
            || "-".to_string(),
            |at| {
                let what = continuation.tokens.get(at).map_or_else(
                    || "its end".to_string(),
                    |&token| table::cut(&session.shown(token), 10),
                );
                format!("{} {what}", at + 1)
            },
        );
        let figures = &answered.figures;
        let mut row = vec![
            words(answered.temperature, answered.recommended),
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
    (rows, align)
}

fn one_row_a_temperature(answer: &CompareOutput) -> Rows {
    let mut rows = vec![
        [
            "T",
            "distinct texts",
            "samples part at",
            "parts from first at",
            "tokens",
            "entropy",
            "surprisal",
            "distinct-2",
        ]
        .map(str::to_string)
        .to_vec(),
    ];
    for summary in &answer.temperatures {
        rows.push(vec![
            words(summary.temperature, summary.recommended),
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
        ]);
    }
    (rows, vec![Align::Right; 8])
}
