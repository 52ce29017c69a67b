//! Prints answers: one question's options as bars, or a line for each of many texts.

use kelvin_lab::decisions::Asked;
use kelvin_views::{
    decision::{Answer, Figures, best},
    escape,
};
use unicode_width::UnicodeWidthStr;

use crate::terminal::{
    self, bars,
    style::Style,
    table::{self, Align},
    wrap,
};

/// Maximum columns of an option's text.
const LONGEST_OPTION: usize = 32;
/// Above this mass outside of the labels the model hardly answers in labels.
const LARGE: f64 = 0.5;
/// Columns of the bar of one of many answers.
const BAR: usize = 12;

/// Where the temperature of the probabilities is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heated {
    /// Nowhere: T = 1.
    Not,
    /// `--temp`.
    Asked,
    /// A calibration, which has one for each kind of question.
    Fitted,
}

impl Heated {
    /// What temperatures probabilities are at, in words.
    fn words(self, answers: &[Answer]) -> String {
        let mut all: Vec<String> =
            answers.iter().map(|answer| short(answer.figures().temperature)).collect();
        all.sort();
        all.dedup();
        let at = format!("probabilities at T = {}", all.join(" and "));
        match self {
            Heated::Not | Heated::Asked => at,
            Heated::Fitted => format!("{at}, fitted by the calibration"),
        }
    }
}

/// One answer.
pub(super) fn one(
    model: &str,
    asked: &Asked,
    answer: &Answer,
    heated: Heated,
    width: usize,
    style: Style,
) -> String {
    let shown = |text: &str| escape::for_output(text, terminal::is_terminal()).into_owned();
    let mut out = format!("{}\n", style.bold(&shown(asked.form.question().instructions())));
    if let Some(text) = &asked.item.text {
        for line in wrap::sentence(&shown(text), 0, terminal::width(), |line| style.dim(line)) {
            out.push_str(&(line + "\n"));
        }
    }
    out.push('\n');
    let figures = answer.figures();
    let shares = answer.shares();
    let likeliest = best(&shares.iter().map(|(_, p)| *p).collect::<Vec<f64>>());
    let is_several = figures.rotations.len() > 1;
    let mut rows = vec![vec!["label".to_string(), String::new(), "probability".to_string()]];
    if is_several {
        // What a calibration's temperature is applied to.
        let at = if heated == Heated::Not { "" } else { " at T = 1" };
        rows[0].push(format!("by rotation{at}"));
    }
    for (k, (option, p)) in shares.iter().enumerate() {
        let label = figures.labels.get(k).map_or(String::new(), |label| escape::visible(label));
        let option = table::cut(&escape::visible(option), LONGEST_OPTION);
        let mut row = vec![label, option, percent(*p)];
        if is_several {
            let of = figures.rotations.iter().map(|one| one[k]);
            let ends = of.fold((1.0f64, 0.0f64), |(low, high), p| (low.min(p), high.max(p)));
            row.push(format!("{} to {}", percent(ends.0), percent(ends.1)));
        }
        rows.push(row);
    }
    let align = [Align::Left, Align::Left, Align::Right, Align::Right];
    let lines = table::lines(&rows, &align[..rows[0].len()], 2);
    let widest = lines.iter().map(|line| line.width()).max().unwrap_or(0);
    let room = width.saturating_sub(widest + 2).clamp(4, 40);
    out.push_str(&(style.dim(&lines[0]) + "\n"));
    for (k, (line, (_, p))) in lines[1..].iter().zip(&shares).enumerate() {
        let line = if k == likeliest { style.bold(line) } else { line.clone() };
        out.push_str(&format!("{line}  {}\n", bars::bar(*p, room)));
    }
    out.push('\n');
    for line in
        wrap::sentence(&notes(model, answer, heated), 2, terminal::width(), |line| style.dim(line))
    {
        out.push_str(&(line + "\n"));
    }
    if let Some(warning) = warning(std::slice::from_ref(answer)) {
        for line in wrap::sentence(&warning, 2, terminal::width(), |line| style.mark(line)) {
            out.push_str(&(line + "\n"));
        }
    }
    out
}

/// An answer's figures in words.
fn notes(model: &str, answer: &Answer, heated: Heated) -> String {
    let Figures { outside, spread, rotations, .. } = answer.figures();
    let mut notes = Vec::new();
    if let Answer::Score { score, deviation, .. } = answer {
        notes.push(format!("score {score:.3} ± {deviation:.3}"));
    }
    notes.push(heated.words(std::slice::from_ref(answer)));
    // These are the model's own, whatever the temperature.
    let at = if heated == Heated::Not { "" } else { "at T = 1: " };
    notes.push(format!("{at}mass outside of the labels {}", percent(*outside)));
    notes.push(match rotations.len() {
        1 => "one order of the options".to_string(),
        n => format!("{at}{n} rotations, which differ by up to {}", percent(*spread)),
    });
    format!("{model} · {}", notes.join(" · "))
}

/// A warning of answers whose model hardly answers in labels.
fn warning(answers: &[Answer]) -> Option<String> {
    let n = answers.iter().filter(|answer| answer.figures().outside > LARGE).count();
    let of = match answers.len() {
        1 => String::new(),
        all => format!(" for {n} of {}", terminal::counted(all, "text")),
    };
    (n > 0).then(|| {
        format!(
            "Most of the probability is outside of the labels{of}: the model hardly answers in \
             labels, so these probabilities say little."
        )
    })
}

/// A line for each answer.
pub(super) fn several(
    model: &str,
    asked: &[Asked],
    answers: &[Answer],
    heated: Heated,
    width: usize,
    style: Style,
) -> String {
    let mut rows =
        vec![["answer", "probability", "", "outside", "text"].map(str::to_string).to_vec()];
    for (asked, answer) in asked.iter().zip(answers) {
        let shares = answer.shares();
        let likeliest = best(&shares.iter().map(|(_, p)| *p).collect::<Vec<f64>>());
        let (option, p) = &shares[likeliest];
        let shown = match answer {
            Answer::Score { score, .. } => format!("{score:.2}"),
            _ => table::cut(&escape::visible(option), LONGEST_OPTION),
        };
        let text = asked.item.text.as_deref().unwrap_or(asked.form.question().instructions());
        let bar = format!("{:BAR$}", bars::bar(*p, BAR));
        let outside = percent(answer.figures().outside);
        rows.push(vec![shown, percent(*p), bar, outside, escape::visible(text)]);
    }
    let align = [Align::Left, Align::Right, Align::Left, Align::Right, Align::Left];
    let lines = table::lines(&rows, &align, 2);
    let mut out = String::new();
    for (i, line) in lines.iter().enumerate() {
        let line = table::cut(line, width.max(60));
        out.push_str(&(if i == 0 { style.dim(&line) } else { line } + "\n"));
    }
    let mean = answers.iter().map(|answer| answer.figures().outside).sum::<f64>()
        / answers.len().max(1) as f64;
    let note = format!(
        "{model} · {} · {} · mean mass outside of the labels {}",
        terminal::counted(answers.len(), "answer"),
        heated.words(answers),
        percent(mean)
    );
    out.push('\n');
    for line in wrap::sentence(&note, 2, terminal::width(), |line| style.dim(line)) {
        out.push_str(&(line + "\n"));
    }
    if let Some(warning) = warning(answers) {
        for line in wrap::sentence(&warning, 2, terminal::width(), |line| style.mark(line)) {
            out.push_str(&(line + "\n"));
        }
    }
    out
}

/// A probability in percent.
fn percent(p: f64) -> String {
    format!("{:.1} %", p * 100.0)
}

/// A temperature to three digits after the point, without needless zeros.
fn short(t: f64) -> String {
    let text = format!("{t:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}
