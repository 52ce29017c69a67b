//! Renders messages to the model's prompt, with the chat template of the model file.
//!
//! A template is a program in Jinja2, written for `apply_chat_template` of transformers, and it is
//! untrusted. Its source is bounded and its nesting is counted before it is parsed (`limits`). It
//! runs with a budget of fuel that is charged for every step, every byte produced and every item
//! visited (`machine`), on a thread with a stack that is larger than the deepest template needs.
//!
//! The rendered prompt knows which of its bytes came from messages. The tokenizer recognises
//! special tokens in the other bytes only, so no message can write a turn of its own.

mod access;
mod args;
mod call;
mod checks;
mod choose;
mod date;
mod day;
mod dialect;
mod error;
mod expression;
mod filters;
mod letters;
mod limits;
mod lists;
mod machine;
mod numbers;
mod operators;
mod percent;
mod reasoning;
mod show;
mod strings;
mod text;
mod translate;
mod value;
mod web;
mod wrap;

pub use choose::template_source;
pub use day::{BadDay, Day};
pub use error::ChatError;
pub use reasoning::Reasoning;

use std::{cell::Cell, ops::Range, sync::OnceLock, thread};

use minijinja::machinery::{self, ast::Stmt};

use date::Date;
use text::Text;
use value::Value;

use crate::{TokenId, tokenizer::Tokenizer};

/// Stack size for rendering, in bytes. A template at the limits uses a fraction.
const STACK: usize = 64 << 20;
/// Fuel that every template gets. One unit pays for a step or for 64 bytes.
const FUEL: u64 = 100_000;
/// Additional fuel for each message.
const FUEL_PER_MESSAGE: u64 = 2_000;
/// Additional fuel for each byte of the messages.
const FUEL_PER_BYTE: u64 = 1;

/// One message of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// `system`, `developer`, `user` or `assistant`.
    pub role: String,
    /// The content.
    pub content: Content,
    /// Name of the speaker, if a role has several. Most templates ignore it.
    pub name: Option<String>,
    /// Reasoning of an assistant before the content, for templates that render it. Most don't.
    pub reasoning_content: Option<String>,
}

/// The content of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// One text.
    Text(String),
    /// A list of text parts. A template that handles lists gets `{"type": "text", "text": …}` for
    /// each part, another one their texts joined by newlines.
    Parts(Vec<String>),
}

impl From<String> for Content {
    fn from(text: String) -> Content {
        Content::Text(text)
    }
}

impl From<&str> for Content {
    fn from(text: &str) -> Content {
        Content::Text(text.into())
    }
}

impl From<&String> for Content {
    fn from(text: &String) -> Content {
        Content::Text(text.clone())
    }
}

impl Content {
    /// The text; parts are joined by newlines.
    pub fn joined(&self) -> String {
        match self {
            Content::Text(text) => text.clone(),
            Content::Parts(parts) => parts.join("\n"),
        }
    }
}

impl Message {
    /// A message of a speaker without a name.
    pub fn new(role: impl Into<String>, content: impl Into<Content>) -> Message {
        Message { role: role.into(), content: content.into(), name: None, reasoning_content: None }
    }

    fn n_bytes(&self) -> usize {
        let content = match &self.content {
            Content::Text(text) => text.len(),
            Content::Parts(parts) => parts.iter().map(|part| part.len() + 32).sum(),
        };
        let more = [&self.name, &self.reasoning_content].into_iter().flatten().map(String::len);
        self.role.len() + content + more.sum::<usize>()
    }

    /// The message as a template value. Missing fields are undefined.
    fn value(&self, as_parts: bool) -> machine::Res<Value> {
        // Templates make special tokens of roles (`'<|' + role + '|>'`); a role is one word.
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        let role = match self.role.chars().all(is_word) {
            true => Text::frame(&self.role),
            false => Text::user(&self.role),
        };
        let part = |text: &String| {
            Value::dict(vec![
                (Value::frame("type"), Value::frame("text")),
                (Value::frame("text"), Value::Text(Text::user(text))),
            ])
        };
        let content = match (&self.content, as_parts) {
            (Content::Text(text), false) => Value::Text(Text::user(text)),
            (Content::Text(text), true) => Value::list(vec![part(text)?])?,
            (Content::Parts(parts), true) => {
                Value::list(parts.iter().map(part).collect::<machine::Res<_>>()?)?
            }
            (parts, false) => Value::Text(Text::user(&parts.joined())),
        };
        // transformers gives reasoning under the name that gpt-oss reads as well, first.
        let reasoning = &self.reasoning_content;
        let thinking =
            reasoning.iter().map(|text| (Value::frame("thinking"), Value::Text(Text::user(text))));
        let mut entries: Vec<(Value, Value)> = thinking.collect();
        entries.push((Value::frame("role"), Value::Text(role)));
        entries.push((Value::frame("content"), content));
        let more = [("name", &self.name), ("reasoning_content", reasoning)];
        let given = more.into_iter().filter_map(|(key, text)| Some((key, text.as_ref()?)));
        entries.extend(given.map(|(key, text)| (Value::frame(key), Value::Text(Text::user(text)))));
        Value::dict(entries)
    }
}

/// Which forms of a message reach the prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Handles {
    text: bool,
    parts: bool,
    /// Content in the role `developer`.
    developer: bool,
}

/// A checked chat template.
#[derive(Debug)]
pub struct ChatTemplate {
    checked: limits::Checked,
    bos: String,
    eos: String,
    /// Found by rendering test messages, when first needed.
    handles: OnceLock<Handles>,
}

/// Inputs of a template besides the messages.
#[derive(Debug, Clone, Default)]
pub struct RenderOptions {
    /// Whether the prompt ends with the opening of an assistant's turn.
    pub add_generation_prompt: bool,
    /// The date (YYYY-MM-DD) for templates that ask for it (`strftime_now`). Without one such a
    /// template fails with [`ChatError::NeedsDate`].
    pub date: Option<String>,
}

/// A prompt that knows where its bytes come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The whole prompt.
    pub text: String,
    /// Byte ranges of `text` that came from messages: sorted and disjoint. Special tokens written
    /// in them are plain text.
    pub user: Vec<Range<usize>>,
    /// Whether the template asked for the date.
    pub dated: bool,
}

impl Rendered {
    /// The prompt's tokens. Control tokens that the template wrote are tokens; those that stand in
    /// a message are plain text. A beginning-of-text token that the template wrote itself isn't
    /// added a second time.
    pub fn encode(&self, tokenizer: &Tokenizer) -> Vec<TokenId> {
        let has_bos = tokenizer.bos().is_some_and(|bos| {
            let bos = tokenizer.piece(bos);
            let from_user = self.user.first().is_some_and(|range| range.start < bos.len());
            self.text.starts_with(bos) && !from_user
        });
        tokenizer.encode_marked(&self.text, &self.user, !has_bos)
    }
}

impl ChatTemplate {
    /// Checks a template. `bos` and `eos` are the texts of those tokens.
    ///
    /// # Errors
    /// A template over 64 KiB, one that nests more deeply than any template needs, one that isn't
    /// Jinja.
    pub fn new(source: &str, bos: &str, eos: &str) -> Result<ChatTemplate, ChatError> {
        let checked = limits::check(source)?;
        on_large_stack(|| parse(&checked).map(drop))?;
        Ok(ChatTemplate { checked, bos: bos.into(), eos: eos.into(), handles: OnceLock::new() })
    }

    /// Whether the template may ask for the date.
    pub fn may_ask_date(&self) -> bool {
        self.checked.names_date
    }

    /// The prompt for `messages`.
    ///
    /// Content reaches a template as text or as a list of parts, whichever it handles. The role
    /// `developer` is `system` for templates that refuse it or leave out what it says.
    ///
    /// # Errors
    /// The template's own refusal in its own words (e.g. of a system message), a date that's
    /// needed, anything that fails in the template, and a template that takes too much work or
    /// memory.
    pub fn render(
        &self,
        messages: &[Message],
        options: &RenderOptions,
    ) -> Result<Rendered, ChatError> {
        on_large_stack(|| {
            let template = parse(&self.checked)?;
            let handles = *self.handles.get_or_init(|| self.try_kinds(&template));
            let messages = messages.iter().map(|message| {
                let as_parts = match message.content {
                    Content::Text(_) => !handles.text && handles.parts,
                    Content::Parts(_) => handles.parts,
                };
                let mut message = message.clone();
                if message.role == "developer" && !handles.developer {
                    message.role = "system".into();
                }
                (message, as_parts)
            });
            self.render_as(&template, messages.collect(), options)
        })
    }

    /// Renders a message as text, as a list of parts and in the role `developer`. The template
    /// handles what reaches the prompt, unless the prompt shows parts as Python or JSON write them.
    fn try_kinds(&self, template: &Stmt<'_>) -> Handles {
        const NEEDLE: &str = "what is said";
        let options = RenderOptions { date: Some("2024-07-26".into()), ..RenderOptions::default() };
        let shows = |role: &str, as_parts| {
            let mut messages = vec![(Message::new(role, NEEDLE), as_parts)];
            if role != "user" {
                messages.push((Message::new("user", "Hi"), as_parts));
            }
            let rendered = self.render_as(template, messages, &options);
            rendered.is_ok_and(|rendered| {
                let from_user =
                    |range: &Range<usize>| rendered.text[range.clone()].contains(NEEDLE);
                let raw = ["'text':", "\"text\":"].iter().any(|key| rendered.text.contains(key));
                rendered.user.iter().any(from_user) && !(as_parts && raw)
            })
        };
        let (text, parts) = (shows("user", false), shows("user", true));
        Handles { text, parts, developer: shows("developer", !text && parts) }
    }

    /// Renders messages, each with whether its content is a list of parts.
    fn render_as(
        &self,
        template: &Stmt<'_>,
        messages: Vec<(Message, bool)>,
        options: &RenderOptions,
    ) -> Result<Rendered, ChatError> {
        let date = options.date.as_deref().map(Date::parse).transpose()?;
        let n_bytes: usize = messages.iter().map(|(message, _)| message.n_bytes()).sum();
        let fuel = FUEL + FUEL_PER_MESSAGE * messages.len() as u64 + FUEL_PER_BYTE * n_bytes as u64;
        let messages = messages.iter().map(|(message, as_parts)| message.value(*as_parts));
        let render = || {
            let variables = vec![
                ("messages", Value::list(messages.collect::<machine::Res<_>>()?)?),
                ("add_generation_prompt", Value::Bool(options.add_generation_prompt)),
                ("bos_token", Value::frame(&self.bos)),
                ("eos_token", Value::frame(&self.eos)),
                // transformers defines them, and templates test whether they are none.
                ("tools", Value::None),
                ("documents", Value::None),
            ];
            machine::render(template, variables, date, self.checked.rest, fuel)
        };
        let (text, dated) = render().map_err(|failure| ChatError::from(*failure))?;
        let (text, user) = text.into_parts();
        Ok(Rendered { text, user, dated })
    }
}

fn parse(checked: &limits::Checked) -> Result<Stmt<'_>, ChatError> {
    machinery::parse(&checked.source, "chat_template", dialect::syntax())
        .map_err(error::syntax_error)
}

thread_local! {
    /// Whether this thread's stack suffices for any template.
    static IS_LARGE: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work` on a new thread, unless this one's stack suffices for any template.
fn on_large_stack<T: Send>(
    work: impl FnOnce() -> Result<T, ChatError> + Send,
) -> Result<T, ChatError> {
    if IS_LARGE.get() {
        return work();
    }
    let builder = thread::Builder::new().name("chat template".into()).stack_size(STACK);
    thread::scope(|scope| {
        let running = builder.spawn_scoped(scope, work).map_err(ChatError::Thread)?;
        running.join().unwrap_or_else(|_| {
            Err(ChatError::Failed { message: "the template engine panicked".into() })
        })
    })
}

/// From now on this thread checks and renders templates itself, and panics of the template engine
/// are the caller's. For programs that render many, on a thread with a stack of at least 64 MiB.
pub fn render_on_this_stack() {
    IS_LARGE.set(true);
}
