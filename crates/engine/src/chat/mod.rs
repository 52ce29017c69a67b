//! Messages in, the model's prompt text out, by the chat template that the model file carries.

/// Who says something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// `system`, `user` or `assistant`.
    pub role: String,
    /// What is said.
    pub content: String,
}

/// A compiled chat template.
#[derive(Debug)]
pub struct ChatTemplate {}

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
    pub fn new(_source: &str, _bos: &str, _eos: &str) -> Result<ChatTemplate, ChatError> {
        todo!()
    }
    /// The prompt for `messages`.
    pub fn render(&self, _messages: &[Message], _options: &RenderOptions) -> Result<String, ChatError> {
        todo!()
    }
}

/// Why a template was refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum ChatError {}
