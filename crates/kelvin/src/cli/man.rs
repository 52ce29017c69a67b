//! `man`: writes the man pages that releases and packages contain. Help doesn't list the verb.

use std::fs;

use anyhow::Context;
use clap::Args as ClapArgs;

/// `man`.
#[derive(Debug, ClapArgs)]
pub(crate) struct ManArgs {
    /// The folder; it is made if it doesn't exist
    folder: std::path::PathBuf,
}

/// Writes `kelvin.1`, and `kelvin-VERB.1` for each verb that help lists.
pub(crate) fn run(args: &ManArgs, command: clap::Command) -> anyhow::Result<()> {
    let folder = &args.folder;
    fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(command, folder))
        .with_context(|| format!("can't write man pages into {}", folder.display()))
}
