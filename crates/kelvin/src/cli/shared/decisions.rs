//! Asks questions: flags and lines into prompts, prompts through a batch, logits into decisions.

use std::{io::IsTerminal, ops::ControlFlow, path::Path};

use anyhow::{Context, anyhow};
use kelvin_engine::{
    TokenId,
    batch::{Budget, next_logits_of_each},
    decide::{
        Calibrated, Choice, Decision, Form, Labels, Layout, MAX_OPTIONS, Question, Reading,
        Settings,
    },
    transformer::PAGE,
};
use kelvin_lab::{
    calibration::Calibration,
    questions::{self, Item, Named},
    recipe::{Framing, Template},
    text_file,
};

use super::{args::QuestionArgs, failure::usage, memory, prompt, session::Session};
use crate::terminal::late::{Counted, LateBar};

/// Maximum bytes of a file of items.
const MAX_BYTES: u64 = 256 << 20;
/// Prompts that are read at once, if memory allows.
const MAX_AT_ONCE: usize = 64;

/// A text and a question about it.
#[derive(Debug)]
pub(crate) struct Asked {
    /// The line that it comes from, if it does.
    pub(crate) item: Item,
    /// The question's name.
    pub(crate) name: Option<String>,
    /// The question, with labels of the model.
    pub(crate) form: Form,
}

/// How questions are asked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner {
    pub(crate) layout: Layout,
    pub(crate) rotations: usize,
    /// Whether prompts are in the chat template.
    pub(crate) chat: bool,
}

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
    question: Option<&Question>,
) -> anyhow::Result<Vec<Asked>> {
    let tokenizer = &session.engine.tokenizer;
    let labels = Labels::new(tokenizer);
    let form = |question: &Question| Form::new(tokenizer, &labels, question.clone());
    let common = question.map(form).transpose().map_err(|error| usage(error.to_string()))?;
    let one = |mut item: Item| {
        let (name, form) = match (item.question.take(), &common) {
            (Some(Named { name, question }), _) => {
                let made = form(&question);
                (name, made.with_context(|| format!("line {} of the items", item.line))?)
            }
            (None, Some(common)) => (None, common.clone()),
            (None, None) => {
                return Err(usage(format!(
                    "line {} of the items has no question, and there is no --question",
                    item.line
                )));
            }
        };
        Ok(Asked { item, name, form })
    };
    items.into_iter().map(one).collect()
}

/// How to ask: the flags, and what a calibration says.
pub(crate) fn manner(
    session: &Session,
    args: &QuestionArgs,
    settings: &Settings,
    fitted: Option<&Calibrated>,
) -> anyhow::Result<Manner> {
    let chat = !args.raw && session.engine.template.is_some();
    settings.check(fitted, chat).map_err(|error| usage(error.to_string()))?;
    Ok(Manner { layout: settings.layout(fitted), rotations: settings.rotations(fitted), chat })
}

/// A decision for each question, in their order.
pub(crate) fn decide(
    session: &Session,
    asked: &[Asked],
    manner: Manner,
    args: &QuestionArgs,
) -> anyhow::Result<Vec<Decision>> {
    let orders = |asked: &Asked| asked.form.question().orders(manner.rotations);
    let places: Vec<(usize, Vec<usize>)> = asked
        .iter()
        .enumerate()
        .flat_map(|(at, asked)| orders(asked).into_iter().map(move |order| (at, order)))
        .collect();
    let prompts = places
        .iter()
        .map(|(at, order)| tokens(session, &asked[*at], order, manner, args))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let mut readings: Vec<Option<Reading>> = vec![None; places.len()];
    let (mut failed, n) = (None, places.len());
    let mut batch = session.batch(budget(session, &prompts));
    let mut bar = LateBar::new(Counted::Prompts);
    let mut n_read = 0;
    next_logits_of_each(&session.engine, &mut batch, prompts, &mut |place, logits| {
        let (at, order) = &places[place];
        match asked[*at].form.read(logits, order) {
            Ok(reading) => readings[place] = Some(reading),
            Err(error) => {
                failed = Some(error);
                return ControlFlow::Break(());
            }
        }
        n_read += 1;
        bar.set(n_read, n as u64);
        ControlFlow::Continue(())
    })?;
    if let Some(error) = failed {
        return Err(error.into());
    }
    let mut readings = readings.into_iter().flatten();
    asked
        .iter()
        .map(|one| {
            let own: Vec<Reading> = readings.by_ref().take(orders(one).len()).collect();
            Ok(Decision::of(own)?)
        })
        .collect()
}

/// The tokens of a prompt.
fn tokens(
    session: &Session,
    asked: &Asked,
    order: &[usize],
    manner: Manner,
    args: &QuestionArgs,
) -> anyhow::Result<Vec<TokenId>> {
    let Manner { layout, chat, .. } = manner;
    let text = asked.form.prompt(asked.item.text.as_deref(), order, layout, !chat);
    let framing = Framing {
        template: if chat { Template::Chat } else { Template::Raw },
        system: None,
        date: args.date.clone(),
        special: false,
    };
    let framed = framing.read(&session.engine, &text).map_err(prompt::explained)?;
    let (len, limit) = (framed.tokens.len(), session.limit());
    if len > limit {
        let place = match asked.item.line {
            0 => "the prompt".to_string(),
            line => format!("the prompt of line {line}"),
        };
        return Err(anyhow!("{place} has {len} tokens, but the context has room for {limit}"));
    }
    Ok(framed.tokens)
}

/// Room for as many prompts at once as half of the free memory allows, and at least one.
fn budget(session: &Session, prompts: &[Vec<TokenId>]) -> Budget {
    let longest = prompts.iter().map(Vec::len).max().unwrap_or(0) + PAGE;
    let mut n = prompts.len().clamp(1, MAX_AT_ONCE);
    let bytes = |n: usize| {
        Budget::for_texts(n, longest).n_bytes(&session.engine.model.config, session.cache) as u64
    };
    while n > 1 && memory::available().is_some_and(|free| bytes(n) > free / 2) {
        n /= 2;
    }
    Budget::for_texts(n, longest)
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
