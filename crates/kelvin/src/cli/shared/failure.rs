//! Prints errors as one sentence, with exit code 2 for the command line and 1 for everything else
//! (3 says that `verify` found a difference).

use std::{fmt, io::Write};

use clap::{
    Command,
    error::{ContextKind, ContextValue, ErrorKind},
};
use kelvin_models::catalogue::BadReference;
use kelvin_views::{
    escape::printable,
    shorten::{bounded, shortened},
};

use crate::interrupt;

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

/// Prints clap's error as one sentence, or its help text. Values that an error quotes are
/// shortened. `all` is the command with its verbs.
pub(crate) fn report_typed(error: &clap::Error, all: &Command) -> u8 {
    // A verb that needs a verb of its own shows its help, as `--help` does.
    if !error.use_stderr() || error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let _ = error.print();
    } else {
        let text = error.render().to_string();
        let sentence = match (unquoted(error, &text), without_verb(error, &text)) {
            (Some(word), _) => format!(
                "\"{word}\" comes after the text: put quotes around the text, as in \"Write about \
                 Nepal\""
            ),
            (_, Some(hint)) => hint,
            _ => of_longer_name(error, &text, all)
                .or_else(|| of_other_verbs(error, &text, all))
                .unwrap_or_else(|| typed_sentence(&text)),
        };
        let sentence = printable(&bounded(sentence));
        let _ = writeln!(std::io::stderr().lock(), "error: {sentence}");
    }
    u8::try_from(error.exit_code()).unwrap_or(2)
}

/// An error as clap prints it, without the block about usage: what is wrong and what may help on
/// one line, and where there is more.
fn typed_sentence(text: &str) -> String {
    let (said, usage) = text.split_once("\nUsage: ").unwrap_or((text, ""));
    let mut sentence = String::new();
    for line in said.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let line = line.strip_prefix("error: ").or(line.strip_prefix("tip: ")).unwrap_or(line);
        if line.starts_with("For more information") {
            continue;
        }
        sentence.push_str(match (sentence.is_empty(), sentence.ends_with(':')) {
            (true, _) => "",
            (_, true) => " ",
            _ if line.starts_with('[') => " ",
            _ => ", ",
        });
        sentence.push_str(line);
    }
    match verb_of(usage) {
        none if none.is_empty() => sentence,
        verb => format!("{sentence} (`{verb} --help` shows what there is)"),
    }
}

/// The program's name and the verb, of a usage as clap prints it.
fn verb_of(usage: &str) -> String {
    let is_verb = |word: &&str| word.starts_with(|c: char| c.is_ascii_lowercase());
    usage.split_whitespace().take_while(is_verb).collect::<Vec<_>>().join(" ")
}

/// The flag that a verb doesn't have, without its dashes, and the verb. `text` is the error as clap
/// prints it, with the verb's usage.
fn unknown_flag<'a>(error: &'a clap::Error, text: &str) -> Option<(&'a str, String)> {
    let (kind, flag) = (error.kind(), error.get(ContextKind::InvalidArg));
    let (ErrorKind::UnknownArgument, Some(ContextValue::String(flag))) = (kind, flag) else {
        return None;
    };
    let name = flag.strip_prefix("--").filter(|name| !name.is_empty())?;
    Some((name, verb_of(text.split_once("\nUsage: ")?.1)))
}

/// What to say of a flag that is a part of the names of others of the verb: of --schema, that it is
/// --json-schema.
fn of_longer_name(error: &clap::Error, text: &str, all: &Command) -> Option<String> {
    let (name, verb) = unknown_flag(error, text)?;
    let command = verb.split(' ').skip(1).try_fold(all, |at, word| at.find_subcommand(word))?;
    let longs = command.get_arguments().filter(|arg| !arg.is_hide_set());
    let longer: Vec<String> = longs
        .filter_map(clap::Arg::get_long)
        .filter(|long| long.split('-').any(|part| part == name))
        .map(|long| format!("--{long}"))
        .collect();
    let others = longer.join(" and ");
    (!longer.is_empty()).then(|| {
        format!("`{verb}` has no --{name}, but {others} (`{verb} --help` shows what there is)")
    })
}

/// What to say of a flag that the verb doesn't have, but others have. `text` is the error as clap
/// prints it, with the verb's usage.
fn of_other_verbs(error: &clap::Error, text: &str, all: &Command) -> Option<String> {
    /// More verbs aren't named.
    const MOST: usize = 5;
    let (name, verb) = unknown_flag(error, text)?;
    let has = |one: &Command| one.get_arguments().any(|arg| arg.get_long() == Some(name));
    let mut having = Vec::new();
    for one in all.get_subcommands().filter(|one| !one.is_hide_set()) {
        let inner = one.get_subcommands().filter(|inner| has(inner));
        having.extend(has(one).then(|| one.get_name().to_string()));
        having.extend(inner.map(|inner| format!("{} {}", one.get_name(), inner.get_name())));
    }
    let others = match &having[..] {
        [] => return None,
        [one] => format!("`{one}` has"),
        [all @ .., last] if having.len() <= MOST => {
            format!("`{}` and `{last}` have", all.join("`, `"))
        }
        all => format!("`{}` and other verbs have", all[..MOST].join("`, `")),
    };
    Some(format!("`{verb}` has no --{name}, which {others} (`{verb} --help` shows what there is)"))
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

/// What to type for a text that stands where a verb should. A single word may be a verb mistyped:
/// then the verbs that are like it are named first. `text` is the error as clap prints it.
fn without_verb(error: &clap::Error, text: &str) -> Option<String> {
    let (kind, word) = (error.kind(), error.get(ContextKind::InvalidSubcommand));
    let (ErrorKind::InvalidSubcommand, Some(ContextValue::String(word))) = (kind, word) else {
        return None;
    };
    let is_first = text.contains("\nUsage: kelvin <COMMAND>");
    let is_text = word.contains(char::is_whitespace);
    let has_like = error.get(ContextKind::SuggestedSubcommand).is_some();
    let shown = shortened(word);
    let quoted = match is_text {
        true => shown.clone(),
        false => format!("{shown} …"),
    };
    let begins = match has_like && !is_text {
        true => typed_sentence(text),
        false => format!("there is no verb '{shown}' (`kelvin --help` shows what there is)"),
    };
    is_first.then(|| format!("{begins}; to continue it as a text: kelvin generate \"{quoted}\""))
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
    use clap::{CommandFactory, Parser};

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
    fn a_text_in_the_place_of_a_verb_is_told_from_a_mistyped_verb() {
        let hint = |words: &[&str]| {
            let error = Args::try_parse_from([&["kelvin"], words].concat()).unwrap_err();
            without_verb(&error, &error.render().to_string())
        };
        let said = hint(&["Write about Nepal"]).unwrap();
        assert!(said.ends_with("as a text: kelvin generate \"Write about Nepal\""), "{said}");
        let said = hint(&["Write", "about", "Nepal"]).unwrap();
        assert!(said.ends_with("kelvin generate \"Write …\""), "{said}");
        let long = hint(&[&"a word ".repeat(50)]).unwrap();
        assert!(long.contains('…') && long.len() < 400, "{long}");
        // A word that is like a verb may be a text all the same.
        for (word, verb) in [("compar", "'compare'"), ("word", "no verb")] {
            let said = hint(&[word]).unwrap();
            assert!(said.contains(&format!("'{word}'")) && said.contains(verb), "{said}");
            assert!(said.ends_with(&format!("kelvin generate \"{word} …\"")), "{said}");
        }
        for words in [&["models", "pul"][..], &["models", "a b"], &["compare", "--x"]] {
            assert_eq!(hint(words), None, "{words:?}");
        }
    }

    #[test]
    fn a_flag_of_other_verbs_names_them() {
        let all = Args::command();
        let said = |line: &str| {
            let error = Args::try_parse_from(line.split(' ')).unwrap_err();
            of_other_verbs(&error, &error.render().to_string(), &all)
        };
        for (line, verb, flag, others) in [
            ("kelvin search a --proof x", "search", "--proof", &["generate", "compare"][..]),
            ("kelvin search a --text-temperature 2", "search", "--text-temperature", &["compare"]),
            ("kelvin next a --beams=3", "next", "--beams", &["search"]),
            ("kelvin runs show 1 --output x", "runs show", "--output", &["runs export"]),
        ] {
            let said = said(line).unwrap();
            assert!(said.starts_with(&format!("`kelvin {verb}` has no {flag}, which ")), "{said}");
            assert!(others.iter().all(|other| said.contains(other)), "{said}");
            // Each verb that is named takes the flag.
            for other in others {
                let help = format!("kelvin {other} --help");
                let help = Args::try_parse_from(help.split(' ')).unwrap_err().to_string();
                assert!(help.contains(flag), "{other} {flag}");
            }
        }
        assert_eq!(said("kelvin compare a --hot"), None);
        assert_eq!(said("kelvin compare -Z"), None);
    }

    #[test]
    fn a_part_of_a_flags_name_leads_to_it() {
        let said = |line: &str| {
            let error = Args::try_parse_from(line.split(' ')).unwrap_err();
            of_longer_name(&error, &error.render().to_string(), &Args::command())
        };
        for (line, flag) in [
            (
                "kelvin search a --schema x.json",
                "`kelvin search` has no --schema, but --json-schema ",
            ),
            ("kelvin sweep a --column x", "`kelvin sweep` has no --column, but --prompt-column "),
        ] {
            assert!(said(line).unwrap().starts_with(flag), "{:?}", said(line));
        }
        assert_eq!(said("kelvin compare a --hot"), None);
    }

    #[test]
    fn errors_of_the_parser_are_one_sentence() {
        let said = |line: &str| {
            let error = Args::try_parse_from(line.split(' ')).unwrap_err();
            typed_sentence(&error.render().to_string())
        };
        for (line, words, verb) in [
            ("kelvin compare a --hot", "unexpected argument '--hot' found", "kelvin compare"),
            ("kelvin decide a -q b --label c", "provided: --option <", "kelvin decide"),
            ("kelvin compar", "similar subcommands exist: 'score', 'compare'", "kelvin"),
            ("kelvin models pul", "a similar subcommand exists: 'pull'", "kelvin models"),
        ] {
            let said = said(line);
            assert!(said.contains(words) && !said.contains('\n'), "{said}");
            assert!(said.ends_with(&format!(" (`{verb} --help` shows what there is)")), "{said}");
        }
        let said = said("kelvin generate a --seed x");
        assert!(
            said.starts_with("invalid value 'x' for '--seed <N>': a seed is a whole"),
            "{said}"
        );
        assert!(said.ends_with(&u64::MAX.to_string()), "{said}");
    }

    #[test]
    fn everything_else_is_1_and_a_broken_pipe_is_quiet() {
        let (text, code) = printed(&anyhow::anyhow!("the disk is full"));
        assert_eq!((&*text, code), ("error: the disk is full\n", 1));
        let pipe = std::io::Error::from(std::io::ErrorKind::BrokenPipe);
        assert_eq!(printed(&anyhow::Error::new(pipe).context("writing")).0, "");
    }
}
