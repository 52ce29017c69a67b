//! One continuation in the making: logits in, a token, its text and perhaps the end out.
//!
//! A step is in two halves: [`Column::draw`] needs nothing but the column's own logits, so that the columns of a step can draw at
//! once on many threads; [`Column::take`] says what came of it. Whoever steps columns (the loop here, a server) shares
//! this, so a text is the same whoever asked for it.

use kelvin_sampling::{Draw, SampleError, Sampler};

use super::{Continuation, FinishReason, stop::StopStrings};
use crate::{
    TokenId,
    tokenizer::{TextStream, Tokenizer},
    transformer::{Append, Sequence, Want},
};

/// When a continuation ends by itself.
#[derive(Debug, Clone, Default)]
pub struct Ends {
    /// How many tokens it may have.
    pub max_tokens: usize,
    /// How many tokens the text may have, prompt included.
    pub limit: usize,
    /// Go on after the tokens that end a turn.
    pub ignore_end: bool,
    /// Other tokens that end it; like those they aren't part of it.
    pub tokens: Vec<TokenId>,
    /// Texts that end it; they aren't part of it.
    pub texts: Vec<String>,
}

/// A continuation in the making.
#[derive(Debug)]
pub struct Column {
    sampler: Sampler,
    sequence: Sequence,
    prompt_len: usize,
    /// What the model reads next.
    next: TokenId,
    drawn: Option<Result<Draw, SampleError>>,
    stream: TextStream,
    stop: StopStrings,
    tokens: Vec<TokenId>,
    text: String,
    draws: Vec<Draw>,
    finish: Option<FinishReason>,
}

/// What became of a draw.
#[derive(Debug, Clone, PartialEq)]
pub struct Taken {
    /// The token, unless the column ended without one.
    pub draw: Option<Draw>,
    /// The text that is now complete: whole characters, and nothing that may turn out to be a stop string.
    pub text: String,
    /// What had been held back, and why the column ended, if it did.
    pub end: Option<(String, FinishReason)>,
}

impl Column {
    /// A column that begins after `prompt`, all of which `sequence` has read.
    pub fn new(sampler: Sampler, sequence: Sequence, prompt: &[TokenId], ends: &Ends) -> Column {
        Column {
            sampler: sampler.after(prompt),
            sequence,
            prompt_len: prompt.len(),
            next: prompt.last().copied().unwrap_or(TokenId(0)),
            drawn: None,
            stream: TextStream::default(),
            stop: StopStrings::new(&ends.texts),
            tokens: Vec::new(),
            text: String::new(),
            draws: Vec::new(),
            finish: None,
        }
    }

    /// What the model reads of it in the next step: the token drawn last.
    pub fn append(&mut self) -> Append<'_> {
        let tokens = std::slice::from_ref(&self.next);
        Append { sequence: &mut self.sequence, tokens, want: Want::Last }
    }

    /// Position in the whole text of the token that is drawn next.
    pub fn pos(&self) -> usize {
        self.prompt_len + self.tokens.len()
    }

    /// Draws the next token from the logits of all before it. [`Column::take`] has to follow.
    pub fn draw(&mut self, logits: &[f32]) {
        self.drawn = Some(self.sampler.draw(logits, self.pos() as u64));
    }

    /// The token that [`Column::draw`] gave, until it's taken.
    pub fn drawn(&self) -> Option<TokenId> {
        self.drawn.as_ref().and_then(|drawn| drawn.as_ref().ok()).map(|draw| draw.token)
    }

    /// Takes what was drawn into the text, and finds out whether that ends it. None if nothing was drawn.
    pub fn take(&mut self, tokenizer: &Tokenizer, ends: &Ends) -> Option<Taken> {
        let without_token = |column: &mut Column, reason| {
            Some(Taken { draw: None, text: String::new(), end: Some((column.end(&reason), reason)) })
        };
        let draw = match self.drawn.take()? {
            Ok(draw) => draw,
            Err(error) => return without_token(self, FinishReason::BadLogits(error.to_string())),
        };
        if ends.max_tokens == 0 {
            return without_token(self, FinishReason::MaxTokens);
        }
        let is_end = !ends.ignore_end && tokenizer.end_tokens().contains(&draw.token);
        if is_end || ends.tokens.contains(&draw.token) {
            return without_token(self, FinishReason::EndToken(draw.token));
        }
        self.next = draw.token;
        self.tokens.push(draw.token);
        self.draws.push(draw);
        let new = self.stream.push(tokenizer.bytes(draw.token, false));
        let (text, stopped) = self.stop.push(&new);
        self.text.push_str(&text);
        let reason = if let Some(stop) = stopped {
            Some(FinishReason::StopString(stop))
        } else if self.tokens.len() >= ends.max_tokens {
            Some(FinishReason::MaxTokens)
        } else if self.pos() >= ends.limit {
            Some(FinishReason::ContextFull)
        } else {
            None
        };
        let end = reason.map(|reason| (self.end(&reason), reason));
        Some(Taken { draw: Some(draw), text, end })
    }

    /// Ends the column; returns the text that was held back until now.
    pub fn end(&mut self, reason: &FinishReason) -> String {
        let mut rest = String::new();
        if !matches!(reason, FinishReason::StopString(_)) {
            rest = self.stop.push(&self.stream.finish()).0;
            rest.push_str(&self.stop.finish());
        }
        self.text.push_str(&rest);
        self.finish = Some(reason.clone());
        rest
    }

    /// Whether it goes on.
    pub fn is_open(&self) -> bool {
        self.finish.is_none()
    }

    /// Its tokens so far.
    pub fn tokens(&self) -> &[TokenId] {
        &self.tokens
    }

    /// What the model has read so far: the prompt and all tokens but the one that it reads next.
    pub fn sequence(&self) -> &Sequence {
        &self.sequence
    }

    /// What the model has read: the prompt and all tokens but the last.
    pub fn into_sequence(self) -> Sequence {
        self.sequence
    }

    /// What became of it, once it has ended.
    pub(super) fn into_continuation(self) -> Continuation {
        let Column { tokens, text, draws, finish, sequence, .. } = self;
        let finish = finish.expect("the loop runs until every column has ended");
        Continuation { tokens, text, draws, finish, sequence }
    }
}
