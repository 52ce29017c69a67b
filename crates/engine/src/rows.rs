//! What searches and temperatures of texts need of a model: forks of texts, and one forward pass
//! over many of them.
//!
//! A batch of the engine is one such model ([`BatchRows`]), a function of the text another
//! ([`OfText`]).

use crate::{
    Engine, TokenId,
    batch::Batch,
    transformer::{Append, ModelError, Sequence, Want},
};

/// A model that reads tokens of many texts in one pass and hands out rows of logits.
pub trait Rows {
    /// What the model has read of a text. A clone is a fork.
    type Text: Clone;

    /// Reads a prompt but for its last token.
    ///
    /// # Errors
    /// If the model refuses the prompt.
    fn start(&mut self, prompt: &[TokenId]) -> Result<Self::Text, ModelError>;

    /// Appends the tokens of each read to its text, in one forward pass, and runs `run` once for
    /// each ask, with the logits after the last token of its read.
    ///
    /// # Errors
    /// If the model refuses the step. Texts are undefined then.
    fn step<J: Send>(
        &mut self,
        reads: &mut [Read<'_, Self::Text>],
        asks: &mut [Ask<J>],
        run: &(dyn Fn(&mut J, &[f32]) + Sync),
    ) -> Result<(), ModelError>;

    /// Takes tokens off a text until it has `len`, the prompt's counted. Does nothing if it has
    /// fewer.
    fn truncate(&self, text: &mut Self::Text, len: usize);
}

/// Tokens for one text.
#[derive(Debug)]
pub struct Read<'a, T> {
    /// The text.
    pub text: &'a mut T,
    /// At least one token.
    pub next: &'a [TokenId],
}

/// What is to be done with a row of logits.
#[derive(Debug)]
pub struct Ask<J> {
    /// The index of the read whose logits they are.
    pub read: usize,
    /// What is done with them.
    pub job: J,
}

/// Appends `tokens[i]` to `texts[i]`. Returns what `map` makes of the index and the logits of each.
pub(crate) fn append<R: Rows, M: Send>(
    rows: &mut R,
    texts: &mut [R::Text],
    tokens: &[TokenId],
    map: &(dyn Fn(usize, &[f32]) -> M + Sync),
) -> Result<Vec<M>, ModelError> {
    let one = |(text, next)| Read { text, next: std::slice::from_ref(next) };
    let mut reads: Vec<Read<'_, R::Text>> = texts.iter_mut().zip(tokens).map(one).collect();
    let of_read = |read| Ask { read, job: (read, None) };
    let mut asks: Vec<Ask<(usize, Option<M>)>> = (0..reads.len()).map(of_read).collect();
    rows.step(&mut reads, &mut asks, &|(i, made), logits| *made = Some(map(*i, logits)))?;
    Ok(asks.into_iter().filter_map(|ask| ask.job.1).collect())
}

/// Reads the last token of a prompt for the one text that has all tokens before it. Returns what
/// `map` makes of the logits after it.
pub(crate) fn begin<R: Rows, M: Send>(
    rows: &mut R,
    texts: &mut [R::Text],
    prompt: &[TokenId],
    map: &(dyn Fn(&[f32]) -> M + Sync),
) -> Result<Option<M>, ModelError> {
    let last = &prompt[prompt.len().saturating_sub(1)..];
    let mut made = append(rows, texts, last, &|_, logits| map(logits))?;
    Ok(made.pop())
}

/// A batch as such a model.
pub struct BatchRows<'a> {
    /// The engine of the batch.
    pub engine: &'a Engine,
    /// The batch. Its requests stand still while a step runs.
    pub batch: &'a mut Batch,
    /// Is told how many tokens of a prompt are read, and how many there are.
    pub progress: &'a mut dyn FnMut(usize, usize),
}

impl Rows for BatchRows<'_> {
    type Text = Sequence;

    fn start(&mut self, prompt: &[TokenId]) -> Result<Sequence, ModelError> {
        let mut text = self.batch.sequence(self.engine);
        let beginning = &prompt[..prompt.len().saturating_sub(1)];
        let progress = &mut |n_read| (self.progress)(n_read, prompt.len());
        self.batch.read(self.engine, &mut text, beginning, progress)?;
        (self.progress)(prompt.len(), prompt.len());
        Ok(text)
    }

    fn step<J: Send>(
        &mut self,
        reads: &mut [Read<'_, Sequence>],
        asks: &mut [Ask<J>],
        run: &(dyn Fn(&mut J, &[f32]) + Sync),
    ) -> Result<(), ModelError> {
        let mut appends: Vec<Append<'_>> = reads
            .iter_mut()
            .map(|Read { text, next }| Append { sequence: text, tokens: next, want: Want::Last })
            .collect();
        let logits = self.batch.append(self.engine, &mut appends)?;
        self.engine.model.for_each(asks, &|_, ask| run(&mut ask.job, logits.row(ask.read)));
        Ok(())
    }

    fn truncate(&self, text: &mut Sequence, len: usize) {
        if text.len() > len {
            text.truncate(len);
        }
    }
}

/// A made-up model whose logits are a function of the text's tokens, the prompt's included. What is
/// true of a search or a drawing in general is shown on one.
#[derive(Debug, Clone)]
pub struct OfText<F> {
    logits: F,
    n_rows: usize,
}

impl<F: Fn(&[TokenId]) -> Vec<f32>> OfText<F> {
    /// The model of a function.
    pub fn new(logits: F) -> OfText<F> {
        OfText { logits, n_rows: 0 }
    }

    /// How many rows of logits were computed.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }
}

impl<F: Fn(&[TokenId]) -> Vec<f32>> Rows for OfText<F> {
    type Text = Vec<TokenId>;

    fn start(&mut self, prompt: &[TokenId]) -> Result<Vec<TokenId>, ModelError> {
        Ok(prompt[..prompt.len().saturating_sub(1)].to_vec())
    }

    fn step<J: Send>(
        &mut self,
        reads: &mut [Read<'_, Vec<TokenId>>],
        asks: &mut [Ask<J>],
        run: &(dyn Fn(&mut J, &[f32]) + Sync),
    ) -> Result<(), ModelError> {
        reads.iter_mut().for_each(|read| read.text.extend_from_slice(read.next));
        self.n_rows += reads.len();
        let rows: Vec<Vec<f32>> = reads.iter().map(|read| (self.logits)(read.text)).collect();
        asks.iter_mut().for_each(|ask| run(&mut ask.job, &rows[ask.read]));
        Ok(())
    }

    fn truncate(&self, text: &mut Vec<TokenId>, len: usize) {
        text.truncate(len);
    }
}

/// The texts of the next step: `parents[i]` is the text that the i-th one goes on from. The last
/// that goes on from a text takes it over, the others are forks.
pub(crate) fn fork<T: Clone>(texts: Vec<T>, parents: &[usize]) -> Vec<T> {
    let mut left: Vec<Option<T>> = texts.into_iter().map(Some).collect();
    let next = |(i, &parent): (usize, &usize)| {
        if parents[i + 1..].contains(&parent) { left[parent].clone() } else { left[parent].take() }
    };
    parents.iter().enumerate().filter_map(next).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_to_go_on_takes_a_text_over() {
        let texts = vec!["a".to_string(), "b".to_string(), "c".to_string()];
        let places: Vec<*const u8> = texts.iter().map(|text| text.as_ptr()).collect();
        let next = fork(texts, &[2, 0, 2]);
        assert_eq!(next, ["c", "a", "c"]);
        assert!(next[0].as_ptr() != places[2] && next[2].as_ptr() == places[2]);
        assert_eq!(next[1].as_ptr(), places[0]);
    }
}
