//! `stages`: lists the stages of a chain and the profiles of other engines.

use clap::Args as ClapArgs;
use kelvin_sampling::{Profile, STAGES};
use serde::Serialize;

use crate::{
    cli::shared::args::JsonArgs,
    terminal::{self, json, style::Style, wrap},
};

/// `stages`.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  kelvin stages
  kelvin generate \"Once upon a time\" --sampler \"repetition=1.1 | temp=1.5 | min_p=0.05\"
  kelvin compare \"Once upon a time\" --profile llama.cpp")]
pub(crate) struct StagesArgs {
    #[command(flatten)]
    pub(crate) output: JsonArgs,
}

#[derive(Debug, Serialize)]
struct StagesOutput {
    stages: Vec<StageRow>,
    profiles: Vec<Order>,
}

#[derive(Debug, Serialize)]
struct StageRow {
    name: &'static str,
    summary: &'static str,
    allowed: &'static str,
    source: &'static str,
}

#[derive(Debug, Serialize)]
struct Order {
    name: &'static str,
    /// The chain of the profile's defaults.
    chain: String,
}

/// Runs the verb.
pub(crate) fn run(args: &StagesArgs) -> anyhow::Result<()> {
    let row = |stage: &kelvin_sampling::StageInfo| StageRow {
        name: stage.name,
        summary: stage.summary,
        allowed: stage.allowed,
        source: stage.source,
    };
    let order = |profile: Profile| {
        Ok(Order { name: profile.name(), chain: profile.chain(&[])?.to_string() })
    };
    let answer = StagesOutput {
        stages: STAGES.iter().map(row).collect(),
        profiles: Profile::all().map(order).collect::<anyhow::Result<_>>()?,
    };
    if args.output.json {
        return json::print(&answer);
    }
    let (style, width) = (Style::stdout(), terminal::width());
    let mut out =
        String::from("Stages, written NAME=VALUE[,KEY:VALUE] and joined by | in any order:\n\n");
    for stage in &answer.stages {
        let head =
            wrap::sentence(&format!("{}  {}", stage.name, stage.summary), 2, width, str::to_string);
        let terms =
            wrap::sentence(&format!("{}; {}", stage.allowed, stage.source), 6, width, |line| {
                style.dim(line)
            });
        out.push_str(&head.join("\n").replacen(stage.name, &style.bold(stage.name), 1));
        out.push_str(&format!("\n{}\n", terms.join("\n")));
    }
    out.push_str("\nProfiles, the defaults of other engines in their order:\n\n");
    let widest = answer.profiles.iter().map(|profile| profile.name.len()).max().unwrap_or(0);
    for profile in &answer.profiles {
        let chain = wrap::sentence(&profile.chain, widest + 4, width, str::to_string).join("\n");
        out.push_str(&format!("  {:widest$}  {}\n", profile.name, chain.trim_start()));
    }
    terminal::print(&out)
}
