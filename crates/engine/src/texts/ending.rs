//! What ends texts of a model: its end tokens and stop strings; and paths as continuations.

use super::path::Path;
use crate::{
    Engine, TokenId,
    batch::{Continuation, GenerateError, check_prompt},
    generate::{Ends, FinishReason, first_stop},
    tokenizer::TextStream,
};

/// What ends texts of an engine.
#[derive(Debug)]
pub struct Ending<'a> {
    engine: &'a Engine,
    ends: &'a Ends,
    end_tokens: Vec<TokenId>,
}

impl<'a> Ending<'a> {
    /// Texts end as `ends` says. Its least number of tokens isn't looked at.
    pub fn new(engine: &'a Engine, ends: &'a Ends) -> Ending<'a> {
        Ending { engine, ends, end_tokens: ends.all_tokens(&engine.tokenizer) }
    }

    /// The most tokens of a text after a prompt.
    ///
    /// # Errors
    /// If the prompt is empty or leaves no room for a token.
    pub fn max_tokens(&self, prompt: &[TokenId]) -> Result<usize, GenerateError> {
        check_prompt(self.engine, prompt, Some(self.ends.limit))?;
        let limit = self.ends.limit.min(self.engine.model.config.ctx_len);
        Ok(self.ends.max_tokens.min(limit.saturating_sub(prompt.len())))
    }

    /// Whether the last of a continuation's tokens ends it.
    pub fn ends(&self, tokens: &[TokenId]) -> bool {
        let Some(last) = tokens.last() else { return false };
        if self.end_tokens.contains(last) {
            return true;
        }
        let Some(longest) = self.ends.texts.iter().map(String::len).max() else { return false };
        // The last token's bytes, and as many before them as a stop string may have.
        let bytes = |&token: &TokenId| self.engine.tokenizer.bytes(token, false);
        let (mut first, mut n) = (tokens.len() - 1, 0);
        while first > 0 && n < longest {
            first -= 1;
            n += bytes(&tokens[first]).len();
        }
        let tail: Vec<u8> = tokens[first..].iter().flat_map(bytes).copied().collect();
        let has = |stop: &String| tail.windows(stop.len()).any(|part| part == stop.as_bytes());
        self.ends.texts.iter().filter(|stop| !stop.is_empty()).any(has)
    }

    /// A path as a continuation: without the token that ended it, and its text up to a stop string.
    pub fn continuation(&self, path: &Path) -> Continuation {
        let mut tokens = path.tokens.clone();
        let last = tokens.last().copied();
        let end = last.filter(|last| path.has_ended && self.end_tokens.contains(last));
        if end.is_some() {
            tokens.pop();
        }
        let mut stream = TextStream::default();
        let push = |&token: &TokenId| stream.push(self.engine.tokenizer.bytes(token, false));
        let mut text: String = tokens.iter().map(push).collect();
        text.push_str(&stream.finish());
        let stop = first_stop(&text, &self.ends.texts).map(|(at, stop)| (at, stop.clone()));
        let finish = match (end, stop) {
            (Some(token), _) => FinishReason::EndToken(token),
            (None, Some((at, stop))) if path.has_ended => {
                text.truncate(at);
                FinishReason::StopString(stop)
            }
            _ if tokens.len() >= self.ends.max_tokens => FinishReason::MaxTokens,
            _ => FinishReason::ContextFull,
        };
        let draws = path.draws[..tokens.len()].to_vec();
        Continuation { tokens, text, thoughts: String::new(), draws, finish }
    }
}
