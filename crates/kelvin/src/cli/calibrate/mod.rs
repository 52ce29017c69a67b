//! `calibrate`: fits a temperature for each kind of question to labelled examples, and judges it.

pub(super) mod args;
mod view;

use std::{collections::BTreeMap, io::Write};

use anyhow::{Context, anyhow};
use kelvin_engine::decide::{Kind, Settings};
use kelvin_lab::{
    calibration::{Calibration, Example, FEWEST, FitError, Judged, judge},
    questions,
};

use crate::{
    cli::shared::{
        decisions::{self, Asked},
        failure::usage,
        prompt, session, whole_file,
    },
    terminal::{self, json, style::Style},
};
use args::CalibrateArgs;

/// Runs the verb.
pub(crate) fn run(args: &CalibrateArgs) -> anyhow::Result<()> {
    let question = decisions::question(&args.asked)?;
    let settings =
        Settings { layout: args.asked.layout, rotations: args.asked.rotations, temperature: None };
    settings.check(None, true).map_err(|error| usage(error.to_string()))?;
    prompt::day(args.asked.date.as_deref())?;
    let items = decisions::items(&args.data)?;
    if items.len() < FEWEST {
        let error = FitError::TooFew(items.len());
        return Err(anyhow!("{}: {error}", args.data.display()));
    }
    let session = session::open(&args.model)?;
    let manner = decisions::manner(&session, &args.asked, &settings, None)?;
    let asked = decisions::asked(&session, items, question.as_ref())?;
    let answers = answers(&asked)?;
    check_counts(&asked)?;
    let decisions = decisions::decide(&session, &asked, manner, &args.asked)?;
    let mut examples: BTreeMap<Kind, Vec<Example>> = BTreeMap::new();
    for ((asked, decision), answer) in asked.iter().zip(decisions).zip(answers) {
        let of_kind = examples.entry(asked.form.question().kind()).or_default();
        of_kind.push(Example { ln: decision.ln, answer });
    }
    let judged = examples.into_iter().map(|(kind, examples)| {
        let judged = judge(&examples, args.seed);
        anyhow::Ok((kind, judged.with_context(|| format!("questions of the kind {kind}"))?))
    });
    let judged = judged.collect::<anyhow::Result<BTreeMap<Kind, Judged>>>()?;
    let how = (manner.layout, manner.rotations, manner.chat);
    let calibration = Calibration::new(&session.file.model, &session.sha256()?, how, judged);
    if let Some(path) = &args.output {
        whole_file::write(path, |out| Ok(out.write_all(calibration.text().as_bytes())?))?;
    }
    if args.form.json {
        return json::print(&calibration);
    }
    terminal::print(&view::render(&calibration, args.output.as_deref(), Style::stdout()))
}

/// The index of each right answer.
fn answers(asked: &[Asked]) -> anyhow::Result<Vec<usize>> {
    let one = |asked: &Asked| {
        let line = asked.item.line;
        let given = asked.item.answer.as_ref();
        let given =
            given.ok_or_else(|| anyhow!("line {line} of the examples has no \"answer\""))?;
        questions::answer(asked.form.question(), given)
            .map_err(|why| anyhow!("line {line} of the examples: {why}"))
    };
    asked.iter().map(one).collect()
}

/// Refuses a kind with too few examples before the model reads any.
fn check_counts(asked: &[Asked]) -> anyhow::Result<()> {
    let mut counts: BTreeMap<Kind, usize> = BTreeMap::new();
    for one in asked {
        *counts.entry(one.form.question().kind()).or_default() += 1;
    }
    match counts.into_iter().find(|(_, n)| *n < FEWEST) {
        Some((kind, n)) => Err(anyhow!("questions of the kind {kind}: {}", FitError::TooFew(n))),
        None => Ok(()),
    }
}
