//! `man`: writes the man pages, which releases and packages contain. The verb is hidden from help.

use std::fs;

use anyhow::Context;
use clap::CommandFactory;

use super::args::{Args, ManArgs};

/// Writes `kelvin.1`, and `kelvin-VERB.1` for each verb that help lists.
pub(crate) fn run(args: &ManArgs) -> anyhow::Result<()> {
    let folder = &args.folder;
    fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(Args::command(), folder))
        .with_context(|| format!("can't write man pages into {}", folder.display()))
}
