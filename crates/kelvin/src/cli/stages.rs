//! The controls there are, out: every stage of a chain, and how other engines order them.

use kelvin_sampling::{Profile, STAGES};
use serde::Serialize;

use super::args::StagesArgs;
use crate::terminal::{self, json, style::Style};

#[derive(Debug, Serialize)]
struct Answer {
    stages: Vec<Row>,
    profiles: Vec<Order>,
}

#[derive(Debug, Serialize)]
struct Row {
    name: &'static str,
    summary: &'static str,
    allowed: &'static str,
    source: &'static str,
}

#[derive(Debug, Serialize)]
struct Order {
    name: &'static str,
    /// What it does when nothing is asked for.
    chain: String,
}

/// Runs the verb.
pub(crate) fn run(args: &StagesArgs) -> anyhow::Result<()> {
    let row = |stage: &kelvin_sampling::StageInfo| Row {
        name: stage.name,
        summary: stage.summary,
        allowed: stage.allowed,
        source: stage.source,
    };
    let order = |profile: Profile| Ok(Order { name: profile.name(), chain: profile.chain(&[])?.to_string() });
    let answer = Answer {
        stages: STAGES.iter().map(row).collect(),
        profiles: Profile::all().map(order).collect::<anyhow::Result<_>>()?,
    };
    if args.output.json {
        return json::print(&answer);
    }
    let style = Style::stdout();
    let mut out = String::from("Stages, written NAME=VALUE[,KEY:VALUE] and joined by | in any order:\n\n");
    for stage in &answer.stages {
        out.push_str(&format!("  {}  {}\n", style.bold(stage.name), stage.summary));
        out.push_str(&style.dim(&format!("      {}; {}\n", stage.allowed, stage.source)));
    }
    out.push_str("\nProfiles, the defaults of other engines in their order:\n\n");
    let width = answer.profiles.iter().map(|profile| profile.name.len()).max().unwrap_or(0);
    for profile in &answer.profiles {
        out.push_str(&format!("  {:width$}  {}\n", profile.name, profile.chain));
    }
    terminal::print(&out)
}
