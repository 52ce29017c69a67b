//! Reads the prompt from an argument, a flag, a file or standard input, and tokenizes it, raw or in
//! the model's chat template.

use std::io::{IsTerminal, Read};

use anyhow::{Context, anyhow};
use kelvin_engine::{
    Engine, TokenId,
    chat::{
        BadDay, ChatError, ChatTemplate, Day, Message, RenderOptions, Rendered, template_source,
    },
    gguf::Metadata,
    tokenizer::Tokenizer,
};
use kelvin_lab::{
    recipe::{Framed, Framing, FramingError, Template},
    text_file,
};
use kelvin_views::token;
use serde::Serialize;

use super::{
    args::{PromptArgs, TextArgs},
    failure::usage,
};
use crate::terminal;

/// Maximum bytes of a prompt: more than any context holds, and few enough to read at once.
pub(crate) const MAX_BYTES: u64 = 64 << 20;
/// Maximum bytes of a text that is only read: some 200 million tokens.
const MAX_TEXT_BYTES: u64 = 1 << 30;
/// The name of the prompt in errors.
const THE_PROMPT: &str = "the prompt";

/// A prompt as the model reads it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Prompt {
    /// The prompt as given.
    pub(crate) prompt: String,
    /// Whether the chat template was applied.
    pub(crate) chat: bool,
    /// The whole text, the template's part included.
    pub(crate) text: String,
    /// Its tokens.
    pub(crate) ids: Vec<u32>,
    /// The date (YYYY-MM-DD) that the template used, if it uses one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) date: Option<String>,
}

/// The treatment of a prompt without `--chat` and `--raw`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Otherwise {
    /// The chat template, if the model has one.
    TemplateIfAny,
    /// No template.
    AsItIs,
}

impl Prompt {
    /// Whether the chat template was applied, in words.
    pub(crate) fn form(&self) -> &'static str {
        if self.chat { "in the model's chat template" } else { "as plain text" }
    }

    /// The tokens as ids of the engine.
    pub(crate) fn tokens(&self) -> Vec<TokenId> {
        self.ids.iter().map(|&id| TokenId(id)).collect()
    }

    /// Notes on standard error which date the template used, unless `--date` named one.
    pub(crate) fn note_date(&self, args: &PromptArgs) {
        if args.date.as_deref().is_none_or(|date| date == "today") {
            note_today(self.date.as_deref());
        }
    }
}

/// Reads the text from the argument, the flag, the file or standard input.
pub(crate) fn read(args: &PromptArgs) -> anyhow::Result<String> {
    day(args.date.as_deref())?;
    let typed = typed(args);
    let text = if let Some(path) = &args.file {
        let file = std::fs::File::open(path)
            .with_context(|| format!("can't read {THE_PROMPT} from {}", path.display()))?;
        read_text(file, THE_PROMPT, &path.display().to_string())?
    } else if let Some(typed) = typed {
        typed.clone()
    } else {
        if std::io::stdin().is_terminal() {
            return Err(usage(
                "there is no prompt: give it as an argument, with --file, or on standard input",
            ));
        }
        let text = read_text(std::io::stdin().lock(), THE_PROMPT, "standard input")?;
        if text.is_empty() {
            return Err(usage(
                "standard input is empty, so there is no prompt: give it as an argument, with \
                 --file, or on standard input",
            ));
        }
        text
    };
    if args.escape { unescape(&text) } else { Ok(text) }
}

/// A text that is only read. A newline at its end is removed, as llama.cpp's `llama-perplexity`
/// does.
pub(crate) fn read_only(args: &TextArgs) -> anyhow::Result<String> {
    if let Some(text) = args.text.as_ref().filter(|text| *text != "-") {
        return Ok(text.clone());
    }
    let mut text = match &args.file {
        Some(path) => text_file::read(path, MAX_TEXT_BYTES)?,
        None if std::io::stdin().is_terminal() => {
            return Err(usage(
                "there is no text: give it as an argument, with --file, or on standard input",
            ));
        }
        None => text_file::read_from(std::io::stdin().lock(), "standard input", MAX_TEXT_BYTES)?,
    };
    if text.ends_with('\n') {
        text.pop();
    }
    Ok(text)
}

/// The prompt of the command line, if there is one.
fn typed(args: &PromptArgs) -> Option<&String> {
    args.prompt.as_ref().filter(|prompt| *prompt != "-").or(args.prompt_flag.as_ref())
}

/// The day of `--date`.
pub(crate) fn day(typed: Option<&str>) -> anyhow::Result<Day> {
    Day::read(typed).map_err(|BadDay(typed)| bad_day(&typed))
}

fn bad_day(typed: &str) -> anyhow::Error {
    usage(format!("--date is \"{typed}\", but a date is written YYYY-MM-DD, or today"))
}

/// The prompt's name in errors if the prompt is read from standard input.
pub(crate) fn on_standard_input(args: &PromptArgs) -> Option<&'static str> {
    (args.file.is_none() && typed(args).is_none()).then_some(THE_PROMPT)
}

/// All of `source`, without a byte-order mark at its start and without one newline at its end,
/// which shells and editors put there. Errors call the text `what`.
pub(crate) fn read_text(source: impl Read, what: &str, name: &str) -> anyhow::Result<String> {
    let mut text = text_file::read_from(source, &format!("{what} from {name}"), MAX_BYTES)?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Ok(text)
}

/// `\n`, `\r`, `\t` and `\\` as the characters they mean.
fn unescape(text: &str) -> anyhow::Result<String> {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some('\\') => out.push('\\'),
            other => {
                return Err(usage(format!(
                    "with --escape, \\{} has no meaning: there are \\n, \\r, \\t and \\\\",
                    other.map_or(String::new(), String::from)
                )));
            }
        }
    }
    Ok(out)
}

/// Applies the chat template if wanted, and tokenizes the text.
pub(crate) fn prepare(
    engine: &Engine,
    text: String,
    args: &PromptArgs,
    otherwise: Otherwise,
) -> anyhow::Result<Prompt> {
    let framed = framing(args, otherwise).read(engine, &text).map_err(explained)?;
    note_unreadable(&engine.tokenizer, &framed.text, framed.is_chat || args.special);
    let Framed { text: whole, tokens, is_chat, date } = framed;
    Ok(Prompt { prompt: text, chat: is_chat, text: whole, ids: ids(tokens), date })
}

/// What the flags say of the template.
pub(crate) fn framing(args: &PromptArgs, otherwise: Otherwise) -> Framing {
    let asked = args.chat || args.system.is_some() || args.date.is_some();
    let template = match (args.raw, asked, otherwise) {
        (true, ..) => Template::Raw,
        (_, true, _) => Template::Chat,
        (_, _, Otherwise::TemplateIfAny) => Template::Auto,
        (_, _, Otherwise::AsItIs) => Template::Raw,
    };
    Framing {
        template,
        system: args.system.clone(),
        date: args.date.clone(),
        special: args.special,
    }
}

/// An error of framing in words that name flags.
pub(crate) fn explained(error: FramingError) -> anyhow::Error {
    match error {
        FramingError::Missing => missing(),
        FramingError::Unusable(why) => refused(&why),
        FramingError::Date(BadDay(typed)) => bad_day(&typed),
        FramingError::Undated => usage(
            "the model's chat template asks for the date, which belongs to the recipe: give \
             --date YYYY-MM-DD or --date today",
        ),
        FramingError::Refused(error) => raised(error),
        FramingError::Chat(error) => error.into(),
    }
}

/// Warns of characters that the vocabulary can't spell.
pub(crate) fn note_unreadable(tokenizer: &Tokenizer, text: &str, parse_special: bool) {
    if let Some(why) = token::unreadable(tokenizer, text, parse_special) {
        terminal::note(&format!("warning: {why}: it reads the text without"));
    }
}

/// Renders the template with one user message, after the system message if there is one. Also
/// returns the date if the template uses it.
pub(crate) fn render_one(
    template: &ChatTemplate,
    text: &str,
    args: &PromptArgs,
) -> anyhow::Result<(Rendered, Option<String>)> {
    framing(args, Otherwise::TemplateIfAny).render(template, text).map_err(explained)
}

/// The model's template.
///
/// # Errors
/// If the model has none, or one that can't be used.
pub(crate) fn template(engine: &Engine) -> anyhow::Result<&ChatTemplate> {
    match &engine.template {
        Some(Ok(template)) => Ok(template),
        Some(Err(error)) => Err(refused(&error.to_string())),
        None => Err(missing()),
    }
}

/// The template of a file whose weights aren't loaded.
pub(crate) fn template_of(
    metadata: &Metadata,
    tokenizer: &Tokenizer,
) -> anyhow::Result<ChatTemplate> {
    let source = template_source(metadata, false)?.ok_or_else(missing)?;
    let source = source.map_err(|error| refused(&error.to_string()))?;
    let text = |token: Option<TokenId>| token.map_or("", |token| tokenizer.piece(token));
    ChatTemplate::new(source, text(tokenizer.bos()), text(tokenizer.eos()))
        .map_err(|error| refused(&error.to_string()))
}

fn refused(error: &str) -> anyhow::Error {
    anyhow!("the model's chat template can't be used ({error}); --raw takes the text as it is")
}

fn missing() -> anyhow::Error {
    anyhow!(
        "the model has no chat template (it only continues text): leave out --chat, --system and \
         --date"
    )
}

/// Renders the template up to the point where the model's answer begins.
pub(crate) fn render(
    template: &ChatTemplate,
    messages: &[Message],
    date: &str,
) -> anyhow::Result<Rendered> {
    let options = RenderOptions { add_generation_prompt: true, date: Some(date.to_string()) };
    template.render(messages, &options).map_err(|error| match error {
        ChatError::Raised { .. } => raised(error),
        // These errors name the template themselves.
        other => other.into(),
    })
}

fn raised(error: ChatError) -> anyhow::Error {
    anyhow::Error::new(error).context("the model's chat template refuses this")
}

/// Notes on standard error that a template used today's date.
pub(crate) fn note_today(date: Option<&str>) {
    if let Some(date) = date {
        terminal::note(&format!(
            "the chat template asks for the date: {date} (today, UTC); --date {date} makes this \
             prompt again"
        ));
    }
}

/// Token ids as numbers.
pub(crate) fn ids(tokens: Vec<TokenId>) -> Vec<u32> {
    tokens.into_iter().map(|token| token.0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_lose_one_newline_and_must_be_text() {
        assert_eq!(read_text(&b"a\nb\n\n"[..], "it", "x").unwrap(), "a\nb\n");
        assert_eq!(read_text(&b"a\r\n"[..], "it", "x").unwrap(), "a");
        assert_eq!(read_text(&b"\xEF\xBB\xBFa\xEF\xBB\xBF"[..], "it", "x").unwrap(), "a\u{feff}");
        let error = read_text(&b"ab\xff"[..], "it", "standard input").unwrap_err().to_string();
        assert!(error.contains("standard input") && error.contains("byte 2"), "{error}");
    }

    #[test]
    fn escapes() {
        assert_eq!(unescape("a\\nB:\\\\").unwrap(), "a\nB:\\");
        assert!(unescape("a\\x").is_err() && unescape("a\\").is_err());
    }
}
