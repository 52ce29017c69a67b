//! Scores texts with a judge model.
//!
//! Tokens are scored as `kelvin perplexity` scores them: -ln p under the model's own distribution
//! (T = 1), conditioned on all preceding tokens. A prompt is prefilled once; further texts find it
//! in the prefix cache.

use std::ops::ControlFlow;

use kelvin_engine::{
    Engine, TokenId,
    batch::{Batch, BatchOptions, Budget, GenerateError, ScoreError, score_tokens},
    transformer::PAGE,
};
use kelvin_sampling::SampleError;

use crate::run::Judged;

/// Why a text couldn't be judged.
#[derive(Debug, thiserror::Error)]
pub enum JudgeError {
    /// The prompt has no tokens, so the first token of a text has no context.
    #[error("the prompt has no tokens, so the text's first token can't be scored")]
    EmptyPrompt,
    /// Prompt and text together exceed the context.
    #[error(
        "prompt and text have {len} tokens under the judge, but its context has room for {limit}"
    )]
    TooLong {
        /// Tokens of prompt and text.
        len: usize,
        /// Tokens of the context.
        limit: usize,
    },
    /// The forward pass failed.
    #[error(transparent)]
    Generate(#[from] GenerateError),
    /// The model's logits have no distribution.
    #[error("the judge's logits can't be used: {0}")]
    Logits(#[from] SampleError),
}

/// Scores texts with `judge`. All texts continue one prompt, given as tokens of the judge's
/// vocabulary.
///
/// # Errors
/// If a text can't be scored.
pub fn judge(
    judge: &Engine,
    prompt: &[TokenId],
    texts: &[&str],
) -> Result<Vec<Judged>, JudgeError> {
    let mut found = Vec::with_capacity(texts.len());
    let each = &mut |judged| {
        found.push(judged);
        ControlFlow::Continue(())
    };
    let _ = judge_each(judge, prompt, texts, each)?;
    Ok(found)
}

/// Like [`judge`](fn@judge), and hands over the score of each text in turn. `Break` ends the work.
///
/// # Errors
/// If a text can't be scored.
pub fn judge_each(
    judge: &Engine,
    prompt: &[TokenId],
    texts: &[&str],
    each: &mut dyn FnMut(Judged) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, JudgeError> {
    if prompt.is_empty() {
        return Err(JudgeError::EmptyPrompt);
    }
    let tokenize = |text: &&str| judge.tokenizer.encode(text, false, false);
    let texts: Vec<Vec<TokenId>> = texts.iter().map(tokenize).collect();
    let limit = judge.model.config.ctx_len;
    let longest = texts.iter().map(Vec::len).max().unwrap_or(0) + prompt.len();
    // Pages for the current text and the prompt, which stays in the prefix cache.
    let mut batch = Batch::new(
        judge,
        BatchOptions::new(Budget::for_texts(1, longest.min(limit) + prompt.len() + PAGE)),
    );
    for tokens in texts {
        let len = prompt.len() + tokens.len();
        if len > limit {
            return Err(JudgeError::TooLong { len, limit });
        }
        let mut judged = Judged { tokens: tokens.len(), nats: 0.0 };
        if !tokens.is_empty() {
            let scores = score_tokens(judge, &mut batch, [prompt, &tokens].concat(), prompt.len())?;
            judged.nats = scores.iter().fold(0.0, |nats, scored| nats - scored.logprob);
        }
        if each(judged).is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

impl From<ScoreError> for JudgeError {
    fn from(error: ScoreError) -> JudgeError {
        match error {
            ScoreError::Generate(error) => JudgeError::Generate(error),
            ScoreError::Logits(error) => JudgeError::Logits(error),
        }
    }
}
