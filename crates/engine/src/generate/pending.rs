//! What a text holds back: the beginning of a character, of a stop string, and of the mark of a
//! reasoning block.

use super::{
    stop::StopStrings,
    thoughts::{Blocks, Split},
};
use crate::{
    TokenId,
    tokenizer::{TextStream, Tokenizer},
};

/// Turns the tokens of a text into text that can be shown.
#[derive(Debug, Clone)]
pub(crate) struct Pending {
    stream: TextStream,
    stop: StopStrings,
    blocks: Option<Blocks>,
}

impl Pending {
    /// Of a text without tokens, with its stop strings and reasoning blocks.
    pub(super) fn new(stops: &[String], blocks: Option<Blocks>) -> Pending {
        Pending { stream: TextStream::default(), stop: StopStrings::new(stops), blocks }
    }

    /// The reasoning blocks, if they are told from other text.
    pub(super) fn blocks(&self) -> Option<&Blocks> {
        self.blocks.as_ref()
    }

    /// Takes a token. Returns new whole characters, and of thoughts that are kept apart.
    pub(super) fn push(&mut self, token: TokenId, tokenizer: &Tokenizer) -> (String, String) {
        let (all, shown) = (tokenizer.bytes(token, true), tokenizer.bytes(token, false));
        let split = self.blocks.as_mut().map(|blocks| {
            let split = blocks.push(all, !shown.is_empty());
            (blocks.is_apart(), split)
        });
        match split {
            Some((true, Split { thought, answer })) => (self.stream.push(&answer), thought),
            _ => (self.stream.push(shown), String::new()),
        }
    }

    /// Takes new characters. Returns those that can be shown, and the stop string if there is one.
    pub(super) fn stop(&mut self, text: &str) -> (String, Option<String>) {
        self.stop.push(text)
    }

    /// Ends the text. Returns what was held back of it, and of thoughts.
    pub(super) fn finish(&mut self) -> (String, String) {
        let Pending { stream, stop, blocks } = self;
        let (mut last, mut thought) = (String::new(), String::new());
        if let Some(blocks) = blocks.as_mut().filter(|blocks| blocks.is_apart()) {
            let split = blocks.finish();
            (last, thought) = (stream.push(&split.answer), split.thought);
        }
        last.push_str(&stream.finish());
        let mut rest = stop.push(&last).0;
        rest.push_str(&stop.finish());
        (rest, thought)
    }
}
