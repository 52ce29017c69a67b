//! Rows whose texts are drawn as a whole: the samples of a prompt at one temperature of texts run
//! beside each other, in the worker's batch.
//!
//! A text depends on its dice, its prompt and the temperature alone, so it doesn't matter which
//! rows are filled together.

use kelvin_engine::{
    Engine, TokenId,
    batch::Batch,
    generate::Ends,
    rows::BatchRows,
    texts::{Drawn, Ending, Samples, Start, TextsError},
    transformer::Sequence,
};
use kelvin_sampling::Dice;

use super::{Row, Watcher, WorkerError, record::record};
use crate::{
    Recipe,
    run::{Finish, Sample},
    text_quality::TextQuality,
};

/// What rows are filled with.
pub(super) struct Filling<'a> {
    pub(super) engine: &'a Engine,
    pub(super) batch: &'a mut Batch,
    pub(super) recipe: &'a Recipe,
    /// Tokens of each prompt.
    pub(super) prompts: &'a [Vec<TokenId>],
    pub(super) ends: &'a Ends,
}

impl Filling<'_> {
    /// Draws the texts of rows, and passes each on when it is there. Returns whether the watcher
    /// broke off.
    pub(super) fn run(
        &mut self,
        rows: &[Row],
        watcher: &mut dyn Watcher,
    ) -> Result<bool, WorkerError> {
        let engine = self.engine;
        let ending = Ending::new(engine, self.ends);
        let mut start: Option<(usize, Start<Sequence>)> = None;
        for cell in rows.chunk_by(|a, b| (a.prompt, a.chain) == (b.prompt, b.chain)) {
            let Row { prompt, chain, .. } = cell[0];
            let Some(texts) = self.recipe.chains[chain].texts() else { continue };
            let tokens = &self.prompts[prompt];
            let problem = |problem| WorkerError::Prompt { number: prompt + 1, problem };
            let max_tokens = ending.max_tokens(tokens).map_err(problem)?;
            let settings = texts.settings(max_tokens)?;
            let mut model = BatchRows { engine, batch: self.batch, progress: &mut |_, _| () };
            // All temperatures of a prompt begin at one reading of it.
            let read = match start.take() {
                Some((of, read)) if of == prompt => read,
                _ => Start::read(&mut model, tokens.clone())?,
            };
            let seed = self.recipe.seed;
            let dice = cell.iter().map(|row| Dice { seed, sample: row.sample as u64 });
            let mut samples = Samples::new(&read, &settings, &dice.collect::<Vec<_>>());
            let (mut left, mut n_read) = (cell.iter(), 0);
            while !samples.are_done() {
                samples.step(&mut model, &|tokens| ending.ends(tokens)).map_err(failed)?;
                let now = samples.progress().n_read;
                if watcher.tokens((now - n_read) as usize).is_break() {
                    return Ok(true);
                }
                n_read = now;
                for (drawn, row) in samples.take_ready().into_iter().zip(left.by_ref()) {
                    let sample = sample(engine, &ending, *row, drawn);
                    if watcher.finished(sample, Vec::new()).is_break() {
                        return Ok(true);
                    }
                }
            }
            start = Some((prompt, read));
        }
        Ok(false)
    }
}

fn failed(error: TextsError) -> WorkerError {
    match error {
        TextsError::Model(error) => error.into(),
        other => WorkerError::Texts(other.to_string()),
    }
}

/// A drawn text as a sample: without text if no try was accepted.
fn sample(engine: &Engine, ending: &Ending<'_>, row: Row, drawn: Drawn) -> Sample {
    let Row { prompt, chain, sample } = row;
    let whole = Some(TextQuality::of(&drawn));
    let continuation = drawn.path.as_ref().map(|path| ending.continuation(path));
    let finish = continuation.as_ref().map_or(Finish::Other, |one| Finish::of(&one.finish));
    let (text, draws) = continuation.map(|one| (one.text, one.draws)).unwrap_or_default();
    let tokens = draws
        .into_iter()
        .map(|draw| record(draw, engine.tokenizer.bytes(draw.token, true)))
        .collect();
    let (judged, embedding) = (None, None);
    Sample { prompt, chain, sample, text, finish, tokens, judged, embedding, whole }
}
