//! `calibrate`: fits a temperature for each kind of question to labelled examples, and judges it.

pub(super) mod args;
mod view;

use std::io::Write;

use anyhow::anyhow;
use kelvin_engine::decide::Settings;
use kelvin_lab::calibration::{self, Calibration, FEWEST, FitError, Labelled};

use crate::{
    cli::shared::{decisions, failure::usage, prompt, session, whole_file},
    terminal::{self, json, style::Style},
};
use args::CalibrateArgs;

/// Runs the verb.
pub(crate) fn run(args: &CalibrateArgs) -> anyhow::Result<()> {
    for (flag, path) in [("--output", &args.output), ("--report", &args.report)] {
        path.as_deref().map_or(Ok(()), |path| whole_file::check(flag, path))?;
    }
    if args.output.is_some() && args.output == args.report {
        return Err(usage("--output and --report are one file: give two"));
    }
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
    let asked = decisions::asked(&session, items, question)?;
    let labelled = Labelled::new(&asked)?;
    let judged = labelled.judge(decisions::decide(&session, &asked, &manner)?, args.seed)?;
    let how = (manner.layout, manner.rotations, manner.chat);
    let calibration = Calibration::new(&session.file.model, &session.sha256()?, how, judged);
    if let Some(path) = &args.output {
        whole_file::write(path, |out| Ok(out.write_all(calibration.text().as_bytes())?))?;
    }
    if let Some(path) = &args.report {
        let page = calibration::html(&calibration);
        whole_file::write(path, |out| Ok(out.write_all(page.as_bytes())?))?;
    }
    for (kind, judged) in &calibration.kinds {
        for warning in &judged.warnings {
            terminal::note(&format!("warning: {kind}: {warning}"));
        }
    }
    if args.form.json {
        return json::print(&calibration);
    }
    terminal::print(&view::render(&calibration, args.output.as_deref(), Style::stdout()))
}
