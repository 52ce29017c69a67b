//! Messages in, the model's prompt text out, by the chat template that the model file carries.
//!
//! A template is a program in the language Jinja, written for Hugging Face's `apply_chat_template`, and it comes
//! from strangers. So its source is bounded and its chains are counted before it's compiled (`limits`), and it's
//! compiled and rendered on a thread with a large stack and a budget of fuel, which pays for every instruction and
//! for every byte that is made. What fuel doesn't pay for (the engine compares and prints lists that share their
//! parts by walking all of them, and that can take forever) ends with the wait: the caller gets an error in time, the
//! template is never run again, and its thread is left behind until the process ends.

mod date;
mod environment;
mod error;
mod json;
mod limits;
mod text;

pub use error::ChatError;

use std::{
    error::Error as _,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use minijinja::{Environment, ErrorKind, Value, context};

use date::Date;

/// The stack that a template gets, in bytes: a template at the limits takes a fraction of it.
const STACK: usize = 64 << 20;
/// What every template may use: one fuel pays for an instruction or for 64 bytes.
const FUEL: u64 = 100_000;
/// What it may use besides for each message.
const FUEL_PER_MESSAGE: u64 = 2_000;
/// What it may use besides for each byte of the messages: enough for putting all of them into eight lists.
const FUEL_PER_BYTE: u64 = 1;

/// How long a template may take; a usual one takes less than a millisecond.
const PATIENCE: Duration = Duration::from_millis(1500);

/// Who says something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// `system`, `user` or `assistant`.
    pub role: String,
    /// What is said.
    pub content: String,
    /// Which of several who have this role says it, for templates that tell them apart; most don't look at it.
    pub name: Option<String>,
    /// What an assistant thought before it said that, for templates that show it; most leave it out.
    pub reasoning_content: Option<String>,
}

impl Message {
    /// What somebody says who has no name.
    pub fn new(role: impl Into<String>, content: impl Into<String>) -> Message {
        Message { role: role.into(), content: content.into(), name: None, reasoning_content: None }
    }

    fn n_bytes(&self) -> usize {
        let more = [&self.name, &self.reasoning_content].into_iter().flatten().map(String::len);
        self.role.len() + self.content.len() + more.sum::<usize>()
    }

    /// As templates see it: what wasn't given isn't defined.
    fn value(&self) -> Value {
        let Message { role, content, name, reasoning_content } = self;
        match (name, reasoning_content) {
            (None, None) => context! { role, content },
            (Some(name), None) => context! { role, content, name },
            (None, Some(reasoning_content)) => context! { role, content, reasoning_content },
            (Some(name), Some(reasoning_content)) => context! { role, content, name, reasoning_content },
        }
    }
}

/// A compiled chat template.
#[derive(Debug)]
pub struct ChatTemplate {
    env: Environment<'static>,
    bos: String,
    eos: String,
    /// It once didn't come to an end.
    stuck: Arc<AtomicBool>,
}

/// What a template may ask for besides the messages.
#[derive(Debug, Clone, Default)]
pub struct RenderOptions {
    /// End with the opening of an assistant's turn.
    pub add_generation_prompt: bool,
    /// The date (YYYY-MM-DD) for templates that ask for it (`strftime_now`); without one they get an error that says so.
    pub date: Option<String>,
}

impl ChatTemplate {
    /// Checks and compiles a template. `bos` and `eos` are the texts of those tokens.
    ///
    /// # Errors
    /// A template over 64 KiB, one that nests more deeply than any template needs, one that isn't Jinja.
    pub fn new(source: &str, bos: &str, eos: &str) -> Result<ChatTemplate, ChatError> {
        let source = limits::check(source)?;
        let env = on_large_stack(move || {
            environment::compile(source).map_err(|e| ChatError::Syntax { message: describe(&e) })
        })?;
        Ok(ChatTemplate { env, bos: bos.into(), eos: eos.into(), stuck: Arc::default() })
    }

    /// The prompt for `messages`.
    ///
    /// # Errors
    /// The template's own refusal in its own words (e.g. of a system message), a date that's needed, anything that
    /// fails in the template, and a template that takes too much work or memory.
    pub fn render(&self, messages: &[Message], options: &RenderOptions) -> Result<String, ChatError> {
        if self.stuck.load(Ordering::Relaxed) {
            return Err(ChatError::Endless);
        }
        let date = options.date.as_deref().map(Date::parse).transpose()?;
        let n_bytes: usize = messages.iter().map(Message::n_bytes).sum();
        let mut env = self.env.clone();
        env.set_fuel(Some(FUEL + FUEL_PER_MESSAGE * messages.len() as u64 + FUEL_PER_BYTE * n_bytes as u64));
        let messages: Vec<Value> = messages.iter().map(Message::value).collect();
        let context = context! {
            messages,
            add_generation_prompt => options.add_generation_prompt,
            bos_token => &self.bos,
            eos_token => &self.eos,
            // They are there in the original, and templates ask whether they are none.
            tools => (),
            documents => (),
            strftime_now => environment::strftime_now(date),
        };
        let result = on_large_stack(move || {
            let template = env.get_template(environment::NAME).map_err(failure)?;
            template.render(context).map_err(failure)
        });
        if matches!(result, Err(ChatError::Endless)) {
            self.stuck.store(true, Ordering::Relaxed);
        }
        result
    }
}

/// Runs `work` on a thread of its own, whose stack is as large as a template may ever need, and waits for a while.
fn on_large_stack<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ChatError> + Send + 'static,
) -> Result<T, ChatError> {
    let (sender, receiver) = mpsc::channel();
    let builder = thread::Builder::new().name("chat template".into()).stack_size(STACK);
    // A caller who has stopped waiting needs no answer.
    builder.spawn(move || drop(sender.send(work()))).map_err(ChatError::Thread)?;
    match receiver.recv_timeout(PATIENCE) {
        Ok(result) => result,
        Err(mpsc::RecvTimeoutError::Timeout) => Err(ChatError::Endless),
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            Err(ChatError::Failed { message: "the template engine panicked".into() })
        }
    }
}

/// Finds out what a failed rendering means.
fn failure(error: minijinja::Error) -> ChatError {
    let mut cause = Some(&error as &(dyn std::error::Error + 'static));
    while let Some(next) = cause {
        if let Some(raised) = next.downcast_ref::<environment::Raised>() {
            return ChatError::Raised { message: raised.0.clone() };
        }
        if next.is::<environment::NoDate>() {
            return ChatError::NeedsDate;
        }
        if next.downcast_ref::<minijinja::Error>().is_some_and(|e| e.kind() == ErrorKind::OutOfFuel) {
            return ChatError::Budget;
        }
        cause = next.source();
    }
    ChatError::Failed { message: describe(&error) }
}

/// The engine's words for an error, with the line.
fn describe(error: &minijinja::Error) -> String {
    let mut text = match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    };
    if let Some(line) = error.line() {
        text += &format!(" (line {line})");
    }
    if let Some(cause) = error.source() {
        text += &format!(": {cause}");
    }
    text
}
