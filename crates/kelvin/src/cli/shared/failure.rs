//! Prints errors as one sentence, with exit code 2 for the command line and 1 for everything else.

use std::{fmt, io::Write, process::ExitCode};

use kelvin_models::catalogue::BadReference;
use kelvin_views::{escape::printable, shorten::bounded};

use crate::interrupt;

/// How long an error of clap may be before it's cut. What lists a verb's flags is shorter.
const MAX_TYPED: usize = 4000;

/// Something about the command line itself is wrong: a flag's value, a model's name.
#[derive(Debug)]
pub(crate) struct Usage(pub(crate) String);

impl fmt::Display for Usage {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

/// A usage error as the `anyhow` error of a verb.
pub(crate) fn usage(sentence: impl Into<String>) -> anyhow::Error {
    anyhow::Error::new(Usage(sentence.into()))
}

/// Ctrl-C ended the verb. No error is printed.
#[derive(Debug)]
pub(crate) struct Interrupted;

impl fmt::Display for Interrupted {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("interrupted")
    }
}

impl std::error::Error for Interrupted {}

/// Prints the error, unless it is one that nobody needs to read about, and says how to exit.
pub(crate) fn report(error: &anyhow::Error, out: &mut impl Write) -> ExitCode {
    if error.is::<Interrupted>() {
        return ExitCode::from(interrupt::EXIT_CODE);
    }
    // The reader of a pipe went away (`kelvin … | head`): it has what it wanted.
    if is_broken_pipe(error) {
        return ExitCode::SUCCESS;
    }
    let _ = writeln!(out, "error: {}", sentence(error));
    let is_usage = error.is::<Usage>() || error.is::<BadReference>();
    ExitCode::from(if is_usage { 2 } else { 1 })
}

/// Prints what clap says of the command line, be it an error or help. A value that it quotes may be
/// very long.
pub(crate) fn report_typed(error: &clap::Error) -> ExitCode {
    let text = error.render().to_string();
    if error.use_stderr() && text.chars().count() > MAX_TYPED {
        let _ = writeln!(std::io::stderr().lock(), "{}", bounded(text));
    } else {
        let _ = error.print();
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
    })
}

/// The chain of causes as one line; a cause that its parent already quotes isn't said twice.
fn sentence(error: &anyhow::Error) -> String {
    let mut whole = String::new();
    for cause in error.chain() {
        let text = cause.to_string();
        if whole.contains(&text) {
            continue;
        }
        if !whole.is_empty() {
            whole.push_str(": ");
        }
        whole.push_str(&text);
    }
    printable(&bounded(whole.replace('\n', " ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(error: &anyhow::Error) -> (String, ExitCode) {
        let mut out = Vec::new();
        let code = report(error, &mut out);
        (String::from_utf8(out).unwrap(), code)
    }

    #[test]
    fn usage_is_2_even_with_context() {
        let (text, code) = printed(&usage("-t is \"x\"").context("reading flags"));
        assert_eq!(text, "error: reading flags: -t is \"x\"\n");
        assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::from(2)));
    }

    #[test]
    fn everything_else_is_1_and_a_broken_pipe_is_quiet() {
        let (text, code) = printed(&anyhow::anyhow!("the disk is full"));
        assert_eq!(
            (text.as_str(), format!("{code:?}")),
            ("error: the disk is full\n", format!("{:?}", ExitCode::from(1)))
        );
        let pipe = std::io::Error::from(std::io::ErrorKind::BrokenPipe);
        assert_eq!(printed(&anyhow::Error::new(pipe).context("writing")).0, "");
    }
}
