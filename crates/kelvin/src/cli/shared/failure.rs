//! Prints errors as one sentence, with exit code 2 for the command line and 1 for everything else
//! (3 says that `verify` found a difference).

use std::{fmt, io::Write};

use clap::error::{ContextKind, ContextValue, ErrorKind};
use kelvin_models::catalogue::BadReference;
use kelvin_views::{escape::printable, shorten::bounded};

use crate::interrupt;

/// Maximum characters of an error from clap. Help texts of all verbs are shorter.
const MAX_TYPED: usize = 4000;

/// An error in the command line: a flag's value, a model's name.
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

/// `verify` found a difference, which it has printed.
#[derive(Debug)]
pub(crate) struct Differs;

impl Differs {
    /// Not that of a failure, so that scripts can tell them apart.
    const EXIT_CODE: u8 = 3;
}

impl fmt::Display for Differs {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("the texts differ")
    }
}

impl std::error::Error for Differs {}

/// Prints the error and returns the exit code. Ctrl-C and a closed pipe print nothing.
pub(crate) fn report(error: &anyhow::Error, out: &mut impl Write) -> u8 {
    if error.is::<Interrupted>() {
        return interrupt::EXIT_CODE;
    }
    if error.is::<Differs>() {
        return Differs::EXIT_CODE;
    }
    // The reader closed the pipe (`kelvin … | head`): no error for the user.
    if is_broken_pipe(error) {
        return 0;
    }
    let _ = writeln!(out, "error: {}", sentence(error));
    let is_usage = error.is::<Usage>() || error.is::<BadReference>();
    if is_usage { 2 } else { 1 }
}

/// Prints clap's error or help text. A value that an error quotes is shortened.
pub(crate) fn report_typed(error: &clap::Error) -> u8 {
    let text = error.render().to_string();
    if let Some(word) = unquoted(error, &text) {
        let word = printable(&bounded(word.to_string()));
        let _ = writeln!(
            std::io::stderr().lock(),
            "error: \"{word}\" comes after the text: put quotes around the text, as in \"Write \
             about Nepal\""
        );
        return 2;
    }
    if error.use_stderr() && text.chars().count() > MAX_TYPED {
        let _ = writeln!(std::io::stderr().lock(), "{}", bounded(text));
    } else {
        let _ = error.print();
    }
    u8::try_from(error.exit_code()).unwrap_or(2)
}

/// The second word of a text that was typed without quotes, which clap takes for an argument too
/// many. `text` is the error as clap prints it, with the verb's usage.
fn unquoted<'a>(error: &'a clap::Error, text: &str) -> Option<&'a str> {
    let takes_text = ["[PROMPT]", "[TEXT]", "<TEXT>"].iter().any(|name| text.contains(name));
    match (error.kind(), error.get(ContextKind::InvalidArg)) {
        (ErrorKind::UnknownArgument, Some(ContextValue::String(word)))
            if takes_text && !word.starts_with('-') =>
        {
            Some(word)
        }
        _ => None,
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
    })
}

/// The chain of causes on one line, without causes that their parent quotes already.
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
    use clap::Parser;

    use super::*;
    use crate::cli::args::Args;

    fn printed(error: &anyhow::Error) -> (String, u8) {
        let mut out = Vec::new();
        let code = report(error, &mut out);
        (String::from_utf8(out).unwrap(), code)
    }

    #[test]
    fn usage_is_2_even_with_context() {
        let (text, code) = printed(&usage("-t is \"x\"").context("reading flags"));
        assert_eq!((&*text, code), ("error: reading flags: -t is \"x\"\n", 2));
    }

    #[test]
    fn a_text_without_quotes_is_told_from_a_wrong_flag() {
        let second = |line: &str| {
            let error = Args::try_parse_from(line.split(' ')).unwrap_err();
            unquoted(&error, &error.render().to_string()).map(str::to_string)
        };
        assert_eq!(second("kelvin compare Write about Nepal").as_deref(), Some("about"));
        assert_eq!(second("kelvin perplexity Write about -w 8").as_deref(), Some("about"));
        for line in
            ["kelvin compare a --hot", "kelvin serve now", "kelvin compare -t", "kelvin hot"]
        {
            assert_eq!(second(line), None, "{line}");
        }
    }

    #[test]
    fn everything_else_is_1_and_a_broken_pipe_is_quiet() {
        let (text, code) = printed(&anyhow::anyhow!("the disk is full"));
        assert_eq!((&*text, code), ("error: the disk is full\n", 1));
        let pipe = std::io::Error::from(std::io::ErrorKind::BrokenPipe);
        assert_eq!(printed(&anyhow::Error::new(pipe).context("writing")).0, "");
    }
}
