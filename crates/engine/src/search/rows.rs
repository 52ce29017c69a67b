//! What a search needs of a model: forks of a text, and one forward pass over many.

use crate::{
    Engine, TokenId,
    batch::Batch,
    transformer::{Append, ModelError, Sequence, Want},
};

/// A model as a search sees it: it appends tokens to texts and hands out rows of logits.
pub trait Rows {
    /// A text so far. A clone is a fork.
    type Text: Clone;

    /// Reads a prompt. Returns its text, and what `map` makes of the logits after it.
    ///
    /// # Errors
    /// If the model refuses the prompt.
    fn start<M>(
        &mut self,
        prompt: &[TokenId],
        map: &dyn Fn(&[f32]) -> M,
    ) -> Result<(Self::Text, M), ModelError>;

    /// Appends `tokens[i]` to `texts[i]`, all in one forward pass. Returns what `map` makes of the
    /// index and the logits of each. There is at least one text, and as many tokens.
    ///
    /// # Errors
    /// If the model refuses the step.
    fn append<M: Send>(
        &mut self,
        texts: &mut [Self::Text],
        tokens: &[TokenId],
        map: &(dyn Fn(usize, &[f32]) -> M + Sync),
    ) -> Result<Vec<M>, ModelError>;
}

/// A batch as the model of a search.
pub struct BatchRows<'a> {
    /// The engine of the batch.
    pub engine: &'a Engine,
    /// The batch. Its requests stand still while a search runs.
    pub batch: &'a mut Batch,
    /// Is told how many tokens of the prompt are read, and how many there are.
    pub progress: &'a mut dyn FnMut(usize, usize),
}

impl Rows for BatchRows<'_> {
    type Text = Sequence;

    fn start<M>(
        &mut self,
        prompt: &[TokenId],
        map: &dyn Fn(&[f32]) -> M,
    ) -> Result<(Sequence, M), ModelError> {
        let mut text = self.batch.sequence(self.engine);
        let (beginning, last) = prompt.split_at(prompt.len().saturating_sub(1));
        let progress = &mut |n_read| (self.progress)(n_read, prompt.len());
        self.batch.read(self.engine, &mut text, beginning, progress)?;
        let append = Append { sequence: &mut text, tokens: last, want: Want::Last };
        let mapped = map(self.batch.append(self.engine, &mut [append])?.row(0));
        (self.progress)(prompt.len(), prompt.len());
        Ok((text, mapped))
    }

    fn append<M: Send>(
        &mut self,
        texts: &mut [Sequence],
        tokens: &[TokenId],
        map: &(dyn Fn(usize, &[f32]) -> M + Sync),
    ) -> Result<Vec<M>, ModelError> {
        let appends = texts.iter_mut().zip(tokens).map(|(sequence, token)| Append {
            sequence,
            tokens: std::slice::from_ref(token),
            want: Want::Last,
        });
        let mut appends: Vec<Append<'_>> = appends.collect();
        let mut mapped: Vec<Option<M>> = appends.iter().map(|_| None).collect();
        let logits = self.batch.append(self.engine, &mut appends)?;
        let of_row = |i: usize, slot: &mut Option<M>| *slot = Some(map(i, logits.row(i)));
        self.engine.model.for_each(&mut mapped, &of_row);
        Ok(mapped.into_iter().flatten().collect())
    }
}

/// The texts of the next step: `parents[i]` is the text that the i-th one goes on from. The last
/// that goes on from a text takes it over, the others are forks.
pub(super) fn fork<T: Clone>(texts: Vec<T>, parents: &[usize]) -> Vec<T> {
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
