//! `decide`: the probabilities of a question's options, for one text or for many.

pub(super) mod args;
mod view;

use std::io::IsTerminal;

use anyhow::Context;
use kelvin_engine::decide::{Calibrated, Settings};
use kelvin_lab::{decisions::Asked, questions::Item};
use kelvin_views::decision::Answer;
use serde::Serialize;
use serde_json::Value;

use crate::{
    cli::shared::{
        decisions,
        failure::usage,
        prompt,
        session::{self, Session},
    },
    terminal::{self, json, style::Style},
};
use args::DecideArgs;

/// An answer to one question, for JSON.
#[derive(Debug, Serialize)]
struct Line<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a Value>,
    #[serde(flatten)]
    answer: &'a Answer,
}

/// Runs the verb.
pub(crate) fn run(args: &DecideArgs) -> anyhow::Result<()> {
    let question = decisions::question(&args.asked)?;
    if question.is_none() && args.items.is_none() {
        return Err(usage("there is no question: give it with --question"));
    }
    let settings = settings(args)?;
    settings.check(None, true).map_err(|error| usage(error.to_string()))?;
    prompt::day(args.asked.date.as_deref())?;
    let items = match &args.items {
        Some(path) => decisions::items(path)?,
        None => vec![Item { line: 0, id: None, text: text(args)?, question: None, answer: None }],
    };
    let session = session::open(&args.model)?;
    let fitted = decisions::calibration(&session, args.calibration.as_deref())?;
    let manner = decisions::manner(&session, &args.asked, &settings, fitted.as_ref())?;
    let asked = decisions::asked(&session, items, question)?;
    let temperatures = temperatures(&asked, &settings, fitted.as_ref())?;
    let decisions = decisions::decide(&session, &asked, &manner)?;
    let answers =
        asked.iter().zip(&decisions).zip(temperatures).map(|((asked, decision), t)| {
            Answer::new(asked.name.clone(), &asked.form, decision, t)
        });
    let answers: Vec<Answer> = answers.collect();
    if args.output.json {
        return print_lines(&asked, &answers, args.items.is_some());
    }
    let heated = match (&args.temp, &args.calibration) {
        (Some(_), _) => view::Heated::Asked,
        (None, Some(_)) => view::Heated::Fitted,
        (None, None) => view::Heated::Not,
    };
    show(&session, &asked, &answers, args.items.is_some(), heated)
}

/// What the flags set.
fn settings(args: &DecideArgs) -> anyhow::Result<Settings> {
    let number = |typed: &String| {
        typed
            .trim()
            .parse::<f64>()
            .map_err(|_| usage(format!("--temp is \"{typed}\", but a number above 0 was expected")))
    };
    Ok(Settings {
        layout: args.asked.layout,
        rotations: args.asked.rotations,
        temperature: args.temp.as_ref().map(number).transpose()?,
    })
}

/// The text of the command line, or of standard input if that isn't a terminal. An empty one is
/// none: the question stands by itself.
fn text(args: &DecideArgs) -> anyhow::Result<Option<String>> {
    let is_terminal = std::io::stdin().is_terminal();
    match args.text.as_deref() {
        Some("-") if is_terminal => Err(usage("the text is -, but standard input is a terminal")),
        None if is_terminal => Ok(None),
        Some("-") | None => {
            prompt::read_text(std::io::stdin().lock(), "the text", "standard input").map(Some)
        }
        text => Ok(text.map(str::to_string)),
    }
}

/// The temperature of each question.
fn temperatures(
    asked: &[Asked],
    settings: &Settings,
    fitted: Option<&Calibrated>,
) -> anyhow::Result<Vec<f64>> {
    let of = |asked: &Asked| settings.temperature(fitted, asked.form.question().kind());
    asked.iter().map(|asked| of(asked).map_err(|error| usage(error.to_string()))).collect()
}

fn print_lines(asked: &[Asked], answers: &[Answer], is_several: bool) -> anyhow::Result<()> {
    for (asked, answer) in asked.iter().zip(answers) {
        let line = Line { id: asked.item.id.as_ref(), answer };
        if is_several {
            json::print_line(&line)?;
        } else {
            json::print(&line)?;
        }
    }
    Ok(())
}

fn show(
    session: &Session,
    asked: &[Asked],
    answers: &[Answer],
    is_several: bool,
    heated: view::Heated,
) -> anyhow::Result<()> {
    let (width, _) = terminal::size();
    let style = Style::stdout();
    let out = match (is_several, asked, answers) {
        (false, [asked], [answer]) => {
            view::one(&session.file.model, asked, answer, heated, width, style)
        }
        _ => view::several(&session.file.model, asked, answers, heated, width, style),
    };
    terminal::print(&out).context("the answer can't be printed")
}
