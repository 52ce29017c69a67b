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
use kelvin_lab::text_file;
use kelvin_views::token;
use serde::Serialize;

use super::{args::PromptArgs, failure::usage};
use crate::terminal;

/// Far more than any context holds, and little enough to read at once.
pub(crate) const MAX_BYTES: u64 = 64 << 20;
/// What errors call it.
const THE_PROMPT: &str = "the prompt";

/// A prompt as the model reads it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Prompt {
    /// What was typed.
    pub(crate) prompt: String,
    /// Whether the chat template was applied.
    pub(crate) chat: bool,
    /// The whole text, with what the template put around it.
    pub(crate) text: String,
    /// Its tokens.
    pub(crate) ids: Vec<u32>,
    /// The date (YYYY-MM-DD) that the template was told, if it asked for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) date: Option<String>,
}

/// What happens to a prompt when neither `--chat` nor `--raw` was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Otherwise {
    /// The chat template where the model has one.
    TemplateIfAny,
    /// As it is.
    AsItIs,
}

impl Prompt {
    /// Its tokens, as the engine takes them.
    pub(crate) fn tokens(&self) -> Vec<TokenId> {
        self.ids.iter().map(|&id| TokenId(id)).collect()
    }

    /// Says on standard error which date the template was told, unless one was named.
    pub(crate) fn note_date(&self, args: &PromptArgs) {
        if args.date.as_deref().is_none_or(|date| date == "today") {
            note_today(self.date.as_deref());
        }
    }
}

/// Reads the text from where it was given.
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
        read_text(std::io::stdin().lock(), THE_PROMPT, "standard input")?
    };
    if args.escape { unescape(&text) } else { Ok(text) }
}

/// The prompt that was typed, if it was.
fn typed(args: &PromptArgs) -> Option<&String> {
    args.prompt.as_ref().filter(|prompt| *prompt != "-").or(args.prompt_flag.as_ref())
}

/// The day that `--date` asks for.
pub(crate) fn day(typed: Option<&str>) -> anyhow::Result<Day> {
    Day::read(typed).map_err(|BadDay(typed)| {
        usage(format!("--date is \"{typed}\", but a date is written YYYY-MM-DD, or today"))
    })
}

/// The prompt by name if it takes standard input.
pub(crate) fn on_standard_input(args: &PromptArgs) -> Option<&'static str> {
    (args.file.is_none() && typed(args).is_none()).then_some(THE_PROMPT)
}

/// The whole of `source` but for one newline at its end, which shells and editors put there, and a
/// byte-order mark at its start. Errors say `what` it was to be.
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

/// Puts the text into the template, or not, and cuts it into tokens.
pub(crate) fn prepare(
    engine: &Engine,
    text: String,
    args: &PromptArgs,
    otherwise: Otherwise,
) -> anyhow::Result<Prompt> {
    let asked = args.chat || args.system.is_some() || args.date.is_some();
    let wanted = asked || (otherwise == Otherwise::TemplateIfAny && engine.template.is_some());
    if args.raw || !wanted {
        note_unreadable(&engine.tokenizer, &text, args.special);
        let ids = ids(engine.tokenizer.encode(&text, true, args.special));
        return Ok(Prompt { prompt: text.clone(), chat: false, text, ids, date: None });
    }
    let (rendered, date) = render_one(template(engine)?, &text, args)?;
    note_unreadable(&engine.tokenizer, &rendered.text, true);
    Ok(Prompt {
        prompt: text,
        chat: true,
        ids: ids(rendered.encode(&engine.tokenizer)),
        text: rendered.text,
        date,
    })
}

/// Tells people of characters that are lost between a text and its tokens.
pub(crate) fn note_unreadable(tokenizer: &Tokenizer, text: &str, parse_special: bool) {
    if let Some(why) = token::unreadable(tokenizer, text, parse_special) {
        terminal::note(&format!("warning: {why}: it reads the text without"));
    }
}

/// One user's message, after the system text if there is one, in the template; and the date that
/// the template was told, if it asked for one.
pub(crate) fn render_one(
    template: &ChatTemplate,
    text: &str,
    args: &PromptArgs,
) -> anyhow::Result<(Rendered, Option<String>)> {
    let system = args.system.iter().map(|system| Message::new("system", system));
    let messages: Vec<Message> = system.chain([Message::new("user", text)]).collect();
    let date = day(args.date.as_deref())?.date();
    let rendered = render(template, &messages, &date)?;
    let told = rendered.dated.then_some(date);
    Ok((rendered, told))
}

/// The model's template, or why there is none to use.
pub(crate) fn template(engine: &Engine) -> anyhow::Result<&ChatTemplate> {
    match &engine.template {
        Some(Ok(template)) => Ok(template),
        Some(Err(error)) => Err(refused(error)),
        None => Err(missing()),
    }
}

/// The template of a file whose weights weren't read.
pub(crate) fn template_of(
    metadata: &Metadata,
    tokenizer: &Tokenizer,
) -> anyhow::Result<ChatTemplate> {
    let source = template_source(metadata, false)?.ok_or_else(missing)?;
    let source = source.map_err(|error| refused(&error))?;
    let text = |token: Option<TokenId>| token.map_or("", |token| tokenizer.piece(token));
    ChatTemplate::new(source, text(tokenizer.bos()), text(tokenizer.eos()))
        .map_err(|error| refused(&error))
}

fn refused(error: &ChatError) -> anyhow::Error {
    anyhow!("the model's chat template can't be used ({error}); --raw takes the text as it is")
}

fn missing() -> anyhow::Error {
    anyhow!(
        "the model has no chat template (it only continues text): leave out --chat, --system and \
         --date"
    )
}

/// The messages in the template, ending where the model's answer begins.
pub(crate) fn render(
    template: &ChatTemplate,
    messages: &[Message],
    date: &str,
) -> anyhow::Result<Rendered> {
    let options = RenderOptions { add_generation_prompt: true, date: Some(date.to_string()) };
    template.render(messages, &options).map_err(|error| match error {
        ChatError::Raised { .. } => {
            anyhow::Error::new(error).context("the model's chat template refuses this")
        }
        // These say themselves that it is the template.
        other => other.into(),
    })
}

/// Says on standard error that a template was told today's date.
pub(crate) fn note_today(date: Option<&str>) {
    if let Some(date) = date {
        terminal::note(&format!(
            "the chat template asks for the date: {date} (today, UTC); --date {date} makes this \
             prompt again"
        ));
    }
}

/// Tokens as JSON has them.
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
