//! `translate`: translates a chain to another engine's settings, and lists what that engine can't
//! express.

use kelvin_sampling::{Chain, Profile};
use kelvin_views::translation::translate;

use super::{args::TranslateArgs, failure::usage};
use crate::terminal::{self, json, style::Style};

/// Runs the verb.
pub(crate) fn run(args: &TranslateArgs) -> anyhow::Result<()> {
    let chain: Chain = args.chain.parse().map_err(|error| usage(format!("{error}")))?;
    let profile: Profile = args.to.parse().map_err(|error| usage(format!("--to: {error}")))?;
    let translation = translate(&chain, profile)?;
    if args.output.json {
        return json::print(&translation);
    }
    let style = Style::stdout();
    let settings = serde_json::to_string_pretty(&translation.settings)?;
    let mut out = format!("{}\n{settings}\n", style.dim(translation.place));
    out.push_str(&format!("{} {}\n", style.dim("runs as"), translation.runs));
    for missing in &translation.missing {
        out.push_str(&format!("{} {missing}\n", style.bold("can't:")));
    }
    terminal::print(&out)
}
