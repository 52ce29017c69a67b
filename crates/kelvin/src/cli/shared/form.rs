//! The flags of structured output.
//!
//! The server's `response_format` and `structured_outputs` accept and refuse the same forms: both
//! compile in `kelvin-constraint`.

use std::io::Read;

use anyhow::Context;
use clap::Args as ClapArgs;
use kelvin_constraint::{Form, FormError, Forms};
use kelvin_engine::{
    generate::{Constraint, FinishReason},
    tokenizer::Tokenizer,
};

use super::{failure::usage, prompt};
use crate::terminal;

/// The form of structured output: at most one of these flags.
#[derive(Debug, Clone, ClapArgs)]
#[command(next_help_heading = "Form")]
#[group(multiple = false)]
pub(crate) struct FormArgs {
    /// Structured output by a JSON schema: a file, `-` for standard input, or the schema itself
    #[arg(long, value_name = "FILE|{…}")]
    json_schema: Option<String>,
    /// Structured output by a regular expression, which matches the whole text
    #[arg(long, value_name = "REGEX", allow_hyphen_values = true)]
    regex: Option<String>,
    /// Structured output by a grammar in Lark's notation, in a file or (`-`) on standard input
    #[arg(long, value_name = "FILE")]
    grammar: Option<String>,
    /// Structured output: one of several choices; give the flag once for each
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    choice: Vec<String>,
}

impl FormArgs {
    /// Whether one of the flags is given.
    pub(crate) fn is_given(&self) -> bool {
        let FormArgs { json_schema, regex, grammar, choice } = self;
        json_schema.is_some() || regex.is_some() || grammar.is_some() || !choice.is_empty()
    }
}

/// A requested form, and its flag.
#[derive(Debug)]
pub(crate) struct Asked {
    flag: &'static str,
    /// The form.
    pub(crate) form: Form,
}

/// Reads the requested form, and refuses what can be refused without a model. `taken` is the
/// argument that reads standard input already.
pub(crate) fn read(args: &FormArgs, taken: Option<&str>) -> anyhow::Result<Option<Asked>> {
    let FormArgs { json_schema, regex, grammar, choice } = args;
    let asked = if let Some(typed) = json_schema {
        let is_schema = typed.trim_start().starts_with('{');
        let text =
            if is_schema { typed.clone() } else { read_file("--json-schema", typed, taken)? };
        Some(("--json-schema", Form::schema(&text)))
    } else if let Some(path) = grammar {
        Some(("--grammar", Ok(Form::Lark(read_file("--grammar", path, taken)?))))
    } else if let Some(regex) = regex {
        Some(("--regex", Ok(Form::Regex(regex.clone()))))
    } else if !choice.is_empty() {
        Some(("--choice", Ok(Form::Choice(choice.clone()))))
    } else {
        None
    };
    let Some((flag, form)) = asked else { return Ok(None) };
    let form = form
        .and_then(|form| form.grammar().map(|_| form))
        .map_err(|error| unusable(flag, &error))?;
    Ok(Some(Asked { flag, form }))
}

fn read_file(flag: &str, path: &str, taken: Option<&str>) -> anyhow::Result<String> {
    let opened: Box<dyn Read> = match (path, taken) {
        ("-", Some(other)) => {
            return Err(usage(format!(
                "{flag} is -, but standard input has {other}: put one of them into a file"
            )));
        }
        ("-", None) => Box::new(std::io::stdin().lock()),
        _ => Box::new(
            std::fs::File::open(path).with_context(|| format!("can't read {flag} from {path}"))?,
        ),
    };
    let name = if path == "-" { "standard input" } else { path };
    prompt::read_text(opened, flag, name)
}

fn unusable(flag: &str, error: &FormError) -> anyhow::Error {
    usage(format!("{flag} can't be used: {error}"))
}

impl Asked {
    /// The constraint for texts of a model.
    pub(crate) fn constraint(&self, tokenizer: &Tokenizer) -> anyhow::Result<Box<dyn Constraint>> {
        let compiled = Forms::new(tokenizer).and_then(|forms| forms.compile(&self.form));
        compiled.map_err(|error| unusable(self.flag, &error))
    }

    /// Warns if texts were cut before they were complete. (Cancelled and failed texts are reported
    /// elsewhere.)
    pub(crate) fn note_cut<'a>(&self, reasons: impl IntoIterator<Item = &'a FinishReason>) {
        let reasons: Vec<&FinishReason> = reasons.into_iter().collect();
        let is_cut = |reason: &&&FinishReason| {
            matches!(
                reason,
                FinishReason::MaxTokens | FinishReason::ContextFull | FinishReason::StopString(_)
            )
        };
        let which = match (reasons.iter().filter(is_cut).count(), reasons.len()) {
            (0, _) => return,
            (_, 1) => "the text was".to_string(),
            (n, of) => format!("{n} of {of} texts were"),
        };
        let flag = self.flag;
        terminal::note(&format!(
            "hint: {which} cut before {flag} was fulfilled; -n gives more tokens"
        ));
    }
}
