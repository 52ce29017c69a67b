//! `runs cite`: what identifies a run in a paper, and how to cite the program.

use kelvin_lab::{report::command, run::Source, store::Listed};
use serde::Serialize;

use crate::cli::sweep::view::{counted, named};
use kelvin_views::escape;

/// A run as a paper names it.
#[derive(Debug, Serialize)]
pub(crate) struct Cited {
    hash: String,
    source: Source,
    version: String,
    seed: u64,
    prompts: usize,
    chains: usize,
    samples: usize,
    max_tokens: usize,
    /// The command that makes the texts again, to the byte.
    command: String,
}

impl From<&Listed> for Cited {
    fn from(run: &Listed) -> Cited {
        Cited {
            hash: run.hash.clone(),
            source: run.source.clone(),
            version: run.version.clone(),
            seed: run.recipe.seed,
            prompts: run.recipe.prompts.len(),
            chains: run.recipe.chains.len(),
            samples: run.recipe.samples,
            max_tokens: run.recipe.length.max_tokens,
            command: command(&run.recipe),
        }
    }
}

/// A sentence and the command for each run, then the program's entry in BibTeX.
pub(crate) fn words(runs: &[Cited]) -> String {
    let mut out = String::new();
    for run in runs {
        let file = match &run.source {
            Source::Local { sha256, .. } => format!("file SHA-256 {sha256}"),
            Source::Server { url, .. } => format!("at {url}"),
        };
        let size = format!(
            "{} × {} × {} of up to {}",
            counted(run.prompts, "prompt"),
            counted(run.chains, "chain"),
            counted(run.samples, "sample"),
            counted(run.max_tokens, "token")
        );
        out += &escape::printable(&format!(
            "Texts of {} ({file}) by Kelvin {}: {size}, seed {}, recipe {}. They are made again, \
             to the byte, by:",
            named(&run.source),
            run.version,
            run.seed,
            run.hash
        ));
        let command: Vec<String> = run.command.lines().map(escape::printable).collect();
        out += &format!("\n\n{}\n\n", command.join("\n"));
    }
    out + &bibtex()
}

/// The program that prints it, as CITATION.cff names it.
fn bibtex() -> String {
    let version = env!("CARGO_PKG_VERSION");
    format!(
        "@software{{kelvin,\n  author = {{{{The Kelvin authors}}}},\n  title = {{Kelvin: see, steer and \
         measure how temperature makes a language model creative}},\n  version = {{{version}}}\n}}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the program prints is what the repository's file says.
    #[test]
    fn the_citation_file_says_the_same() {
        let file = include_str!("../../../../../CITATION.cff");
        let said = bibtex();
        for (key, field) in [("title: ", "title = {"), ("version: ", "version = {")] {
            let line = file.lines().find_map(|line| line.strip_prefix(key)).unwrap();
            let value = line.trim_matches('"');
            assert!(said.contains(&format!("{field}{value}}}")), "{value}: {said}");
        }
        assert!(file.contains("name: \"The Kelvin authors\"") && file.contains("type: software"));
    }
}
