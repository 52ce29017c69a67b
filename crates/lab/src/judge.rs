//! Texts in, how likely a second model finds them after their prompt out.
//!
//! Tokens are scored as `kelvin perplexity` scores them: -ln p under the model's own distribution
//! (T = 1), every one after all that stands before it. The prompt is read once and every text of it
//! is a fork.

use kelvin_engine::{
    Engine, TokenId,
    transformer::{Append, CacheFormat, ModelError, Scratch, Want},
};
use kelvin_sampling::{SampleError, surprisal};

use crate::run::Judged;

/// Tokens whose logits are kept at once: 262,144 numbers a row take room.
const ROWS: usize = 64;

/// Why a text couldn't be judged.
#[derive(Debug, thiserror::Error)]
pub enum JudgeError {
    /// The prompt has no tokens, so nothing foretells a text's first.
    #[error("the prompt has no tokens, so there is nothing to judge a text's beginning by")]
    EmptyPrompt,
    /// Prompt and text don't fit.
    #[error(
        "prompt and text have {len} tokens under the judge, but its context has room for {limit}"
    )]
    TooLong {
        /// Tokens of both.
        len: usize,
        /// Tokens of the context.
        limit: usize,
    },
    /// The model refused.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The model's logits have no distribution.
    #[error("the judge's logits can't be used: {0}")]
    Logits(#[from] SampleError),
}

/// What `judge` says of each of the texts, all of which follow one prompt, which has become these
/// tokens of the judge's.
pub fn judge(
    judge: &Engine,
    prompt: &[TokenId],
    texts: &[&str],
) -> Result<Vec<Judged>, JudgeError> {
    let (model, tokenizer) = (&judge.model, &judge.tokenizer);
    let Some((last, head)) = prompt.split_last() else { return Err(JudgeError::EmptyPrompt) };
    let mut scratch = Scratch::default();
    let mut read = model.sequence(CacheFormat::F16);
    for tokens in head.chunks(256) {
        model.forward(
            &mut [Append { sequence: &mut read, tokens, want: Want::None }],
            &mut scratch,
        )?;
    }
    let mut found = Vec::with_capacity(texts.len());
    for text in texts {
        let tokens = tokenizer.encode(text, false, false);
        let len = prompt.len() + tokens.len();
        if len > model.config.ctx_len {
            return Err(JudgeError::TooLong { len, limit: model.config.ctx_len });
        }
        let mut sequence = read.clone();
        // The last of the prompt foretells the text's first; the text's last foretells nothing of
        // it.
        let mut before = vec![*last];
        before.extend(&tokens[..tokens.len().saturating_sub(1)]);
        let mut nats = 0.0;
        for (given, next) in before.chunks(ROWS).zip(tokens.chunks(ROWS)) {
            let append = Append { sequence: &mut sequence, tokens: given, want: Want::All };
            let logits = model.forward(&mut [append], &mut scratch)?;
            let mut each: Vec<Result<f64, SampleError>> = vec![Ok(0.0); next.len()];
            model.pool().for_each_chunk(&mut each, 1, &|i, each| {
                each[0] = surprisal(logits.row(i), next[i])
            });
            for one in each {
                nats += one?;
            }
        }
        found.push(Judged { tokens: tokens.len(), nats });
    }
    Ok(found)
}
