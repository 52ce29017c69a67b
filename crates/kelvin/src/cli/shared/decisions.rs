//! Asks questions: flags and files of lines into questions, which the lab asks.

use std::{io::IsTerminal, ops::ControlFlow, path::Path};

use anyhow::anyhow;
use kelvin_engine::{
    batch::Budget,
    decide::{Calibrated, Choice, Decision, MAX_OPTIONS, Question, Settings},
};
use kelvin_lab::{
    calibration::Calibration,
    decisions::{AskError, Asked, Manner, Prompts, ask},
    questions::{self, Item, Named},
    text_file,
};

use super::{args::QuestionArgs, failure::usage, memory, prompt, session::Session};
use crate::terminal::late::{Counted, LateBar};

/// Maximum bytes of a file of items.
const MAX_BYTES: u64 = 256 << 20;

/// The question of the flags, if there is one.
pub(crate) fn question(args: &QuestionArgs) -> anyhow::Result<Option<Question>> {
    let Some(instructions) = &args.question else {
        if !args.option.is_empty() || args.score.is_some() {
            return Err(usage("there are options, but no question: give it with --question"));
        }
        return Ok(None);
    };
    let question = if let Some(typed) = &args.score {
        let levels = scale(typed)?.map(|value| Choice::new(value.to_string(), value));
        Question::score(instructions, levels.collect())
    } else if args.option.is_empty() {
        Question::predicate(instructions)
    } else {
        if !args.label.is_empty() && args.label.len() != args.option.len() {
            return Err(usage(format!(
                "there are {} options, but {} labels: give one label for each option",
                args.option.len(),
                args.label.len()
            )));
        }
        let option = |(at, text): (usize, &String)| Choice {
            label: args.label.get(at).cloned(),
            ..Choice::new(text, at as i64)
        };
        Question::choice(instructions, args.option.iter().enumerate().map(option).collect())
    };
    question.map(Some).map_err(|error| usage(error.to_string()))
}

/// The whole numbers of `LOW..HIGH`.
fn scale(typed: &str) -> anyhow::Result<impl Iterator<Item = i64>> {
    let ends = typed.split_once("..").and_then(|(low, high)| {
        let number = |text: &str| text.trim().trim_start_matches('=').parse::<i32>().ok();
        Some((i64::from(number(low)?), i64::from(number(high)?)))
    });
    match ends {
        Some((low, high)) if (1..MAX_OPTIONS as i64).contains(&(high - low)) => Ok(low..=high),
        _ => Err(usage(format!(
            "--score is \"{typed}\", but two whole numbers LOW..HIGH with 2 to {MAX_OPTIONS} \
             levels were expected, such as 1..5"
        ))),
    }
}

/// The temperatures of a file that `calibrate` wrote for this model.
pub(crate) fn calibration(
    session: &Session,
    path: Option<&Path>,
) -> anyhow::Result<Option<Calibrated>> {
    let read = |path| anyhow::Ok(Calibration::read(path, &session.sha256()?)?);
    path.map(read).transpose()
}

/// The lines of a file, or of standard input.
pub(crate) fn items(path: &Path) -> anyhow::Result<Vec<Item>> {
    let is_stdin = path.as_os_str() == "-";
    if is_stdin && std::io::stdin().is_terminal() {
        return Err(usage("--items is -, but standard input is a terminal: give a file"));
    }
    let text = text_file::read_input(path, MAX_BYTES)?;
    let name = match is_stdin {
        true => text_file::STANDARD_INPUT.to_string(),
        false => path.display().to_string(),
    };
    questions::read(&text, &name).map_err(|why| anyhow!(why))
}

/// Gives each item its question: its own, or that of the flags.
pub(crate) fn asked(
    session: &Session,
    items: Vec<Item>,
    question: Option<Question>,
) -> anyhow::Result<Vec<Asked>> {
    let common = question.map(|question| Named { name: None, question });
    ask(&session.engine.tokenizer, items, common.as_ref()).map_err(explained)
}

/// How to ask: the flags, and what a calibration says.
pub(crate) fn manner(
    session: &Session,
    args: &QuestionArgs,
    settings: &Settings,
    fitted: Option<&Calibrated>,
) -> anyhow::Result<Manner> {
    let made = Manner::new(&session.engine, settings, fitted, args.raw, args.date.clone());
    made.map_err(|error| usage(error.to_string()))
}

/// A decision for each question, in their order.
pub(crate) fn decide(
    session: &Session,
    asked: &[Asked],
    manner: &Manner,
) -> anyhow::Result<Vec<Decision>> {
    let prompts = Prompts::new(&session.engine, asked, manner, session.limit());
    let prompts = prompts.map_err(explained)?;
    let config = &session.engine.model.config;
    // Half of the free memory.
    let fits = |budget: Budget| {
        let bytes = budget.n_bytes(config, session.cache) as u64;
        memory::available().is_none_or(|free| bytes <= free / 2)
    };
    let mut batch = session.batch(prompts.budget(&fits));
    let mut bar = LateBar::new(Counted::Prompts);
    let decisions = prompts.decide(&session.engine, &mut batch, asked, &mut |done, all| {
        bar.set(done as u64, all as u64);
        ControlFlow::Continue(())
    });
    decisions.map_err(explained)
}

/// An error in the words of the flags.
fn explained(error: AskError) -> anyhow::Error {
    match error {
        AskError::Question(error) => usage(error.to_string()),
        AskError::NoQuestion(line) => {
            usage(format!("line {line} of the items has no question, and there is no --question"))
        }
        AskError::Framing(error) => prompt::explained(error),
        other => other.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::scale;

    #[test]
    fn a_scale_has_two_levels_at_least() {
        let levels = |typed: &str| scale(typed).map(|levels| levels.collect::<Vec<i64>>()).ok();
        assert_eq!(levels("1..5"), Some(vec![1, 2, 3, 4, 5]));
        assert_eq!(levels("-1..=1"), Some(vec![-1, 0, 1]));
        for bad in ["1..1", "5..1", "1", "a..b", "1..256", "..", "0..255"] {
            assert_eq!(levels(bad), None, "{bad}");
        }
        assert_eq!(levels("0..254").map(|levels| levels.len()), Some(255));
    }
}
