//! What the model reads of a prompt: the chat template around it or not, and its tokens.

use kelvin_engine::{
    Engine, TokenId,
    chat::{BadDay, ChatError, ChatTemplate, Day, Message, RenderOptions, Rendered},
};

use super::{Framing, Template};

/// A prompt as the model reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Framed {
    /// The whole text, with what the template put around the prompt.
    pub text: String,
    /// Its tokens.
    pub tokens: Vec<TokenId>,
    /// Whether the chat template was applied.
    pub is_chat: bool,
    /// The date (YYYY-MM-DD) that the template was told, if it asked for one.
    pub date: Option<String>,
}

/// Why a prompt can't be framed.
#[derive(Debug, thiserror::Error)]
pub enum FramingError {
    /// A chat template was asked for, and there is none.
    #[error(
        "the model has no chat template (it only continues text): leave out chat, system and date"
    )]
    Missing,
    /// The model's template can't be compiled. Raw prompts don't need it.
    #[error("the model's chat template can't be used ({0}); raw prompts go without it")]
    Unusable(String),
    /// The template refuses the messages, in its own words.
    #[error("the model's chat template refuses this: {0}")]
    Refused(#[source] ChatError),
    /// The template can't be rendered.
    #[error(transparent)]
    Chat(ChatError),
    /// No date.
    #[error("date is \"{}\", but a date is written YYYY-MM-DD, or today", .0.0)]
    Date(BadDay),
    /// The template asks for a date that the recipe doesn't have.
    #[error(
        "the model's chat template asks for the date, which belongs to the recipe: give a date, \
         YYYY-MM-DD or today"
    )]
    Undated,
}

impl Framing {
    /// A prompt as the model reads it. Without a date of its own the template is told today's.
    ///
    /// # Errors
    /// If there is no template although one is needed, or if it refuses the prompt.
    pub fn read(&self, engine: &Engine, prompt: &str) -> Result<Framed, FramingError> {
        let asked = self.template == Template::Chat || self.system.is_some() || self.date.is_some();
        let wanted = match self.template {
            Template::Raw => false,
            Template::Chat => true,
            Template::Auto => asked || engine.template.is_some(),
        };
        if !wanted {
            let tokens = engine.tokenizer.encode(prompt, true, self.special);
            return Ok(Framed { text: prompt.to_string(), tokens, is_chat: false, date: None });
        }
        let template = match &engine.template {
            Some(Ok(template)) => template,
            Some(Err(error)) => return Err(FramingError::Unusable(error.to_string())),
            None => return Err(FramingError::Missing),
        };
        let (rendered, date) = self.render(template, prompt)?;
        let tokens = rendered.encode(&engine.tokenizer);
        Ok(Framed { text: rendered.text, tokens, is_chat: true, date })
    }

    /// Like [`Framing::read`], for a recipe, whose texts may not depend on the day: a template
    /// that asks for the date needs one of the recipe.
    ///
    /// # Errors
    /// As `read`, or if the recipe lacks the date.
    pub fn read_for_recipe(&self, engine: &Engine, prompt: &str) -> Result<Framed, FramingError> {
        let framed = self.read(engine, prompt)?;
        match (&framed.date, &self.date) {
            (Some(_), None) => Err(FramingError::Undated),
            _ => Ok(framed),
        }
    }

    /// The prompt as one user's message in a template, after the system message if there is one;
    /// and the date that the template was told, if it asked for one.
    ///
    /// # Errors
    /// If the template refuses it, or the date isn't one.
    pub fn render(
        &self,
        template: &ChatTemplate,
        prompt: &str,
    ) -> Result<(Rendered, Option<String>), FramingError> {
        let system = self.system.iter().map(|system| Message::new("system", system));
        let messages: Vec<Message> = system.chain([Message::new("user", prompt)]).collect();
        let date = Day::read(self.date.as_deref()).map_err(FramingError::Date)?.date();
        let options = RenderOptions { add_generation_prompt: true, date: Some(date.clone()) };
        let rendered = template.render(&messages, &options).map_err(|error| match error {
            ChatError::Raised { .. } => FramingError::Refused(error),
            // These say themselves that it is the template.
            other => FramingError::Chat(other),
        })?;
        let told = rendered.dated.then_some(date);
        Ok((rendered, told))
    }
}
