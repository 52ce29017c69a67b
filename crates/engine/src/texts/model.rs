//! A model behind a batch, as the methods of this folder need it; and their paths as continuations.

use super::{
    forward::{Ask, Forward, Read, Start},
    path::Path,
};
use crate::{
    Engine, TokenId,
    batch::{Batch, Continuation, GenerateError, check_prompt},
    generate::{Ends, FinishReason, first_stop},
    tokenizer::TextStream,
    transformer::{Append, ModelError, Sequence, Want},
};

/// A model with a batch, in which its own texts run beside the batch's requests.
#[derive(Debug)]
pub struct BatchModel<'a> {
    engine: &'a Engine,
    batch: &'a mut Batch,
    ends: &'a Ends,
    end_tokens: Vec<TokenId>,
}

impl<'a> BatchModel<'a> {
    /// Texts end as `ends` says. Its least number of tokens isn't looked at.
    pub fn new(engine: &'a Engine, batch: &'a mut Batch, ends: &'a Ends) -> BatchModel<'a> {
        BatchModel { engine, batch, ends, end_tokens: ends.all_tokens(&engine.tokenizer) }
    }

    /// Reads a prompt, chunk by chunk.
    ///
    /// # Errors
    /// If it is empty or leaves no room for a token, or if the model refuses a step.
    pub fn start(&mut self, prompt: Vec<TokenId>) -> Result<Start<Sequence>, GenerateError> {
        check_prompt(self.engine, &prompt, Some(self.ends.limit))?;
        let mut sequence = self.batch.sequence(self.engine);
        let beginning = &prompt[..prompt.len() - 1];
        self.batch.read(self.engine, &mut sequence, beginning, &mut |_| ())?;
        Ok(Start { text: sequence, prompt })
    }

    /// The most tokens of a text after a prompt of this length.
    pub fn max_tokens(&self, n_prompt: usize) -> usize {
        let limit = self.ends.limit.min(self.engine.model.config.ctx_len);
        self.ends.max_tokens.min(limit.saturating_sub(n_prompt))
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

impl Forward for BatchModel<'_> {
    type Text = Sequence;
    type Error = ModelError;

    fn step(
        &mut self,
        reads: &mut [Read<'_, Sequence>],
        asks: &mut [Ask<'_>],
    ) -> Result<(), ModelError> {
        let mut appends: Vec<Append<'_>> = reads
            .iter_mut()
            .map(|Read { text, next }| Append { sequence: text, tokens: next, want: Want::Last })
            .collect();
        let logits = self.batch.append(self.engine, &mut appends)?;
        self.engine.model.for_each(asks, &|_, ask| ask.draw(logits.row(ask.read)));
        Ok(())
    }

    fn truncate(&self, text: &mut Sequence, len: usize) {
        if text.len() > len {
            text.truncate(len);
        }
    }

    fn ends(&self, tokens: &[TokenId]) -> bool {
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
}
