//! Labelled questions as examples of a fit, by their kind.

use std::collections::BTreeMap;

use kelvin_engine::decide::{Decision, Kind};

use super::{
    example::Example,
    fit::{FEWEST, FitError},
    judge::{Judged, judge},
};
use crate::{decisions::Asked, questions};

/// Why labelled questions give no temperatures.
#[derive(Debug, thiserror::Error)]
pub enum LabelError {
    /// An example without an answer.
    #[error("line {0} of the examples has no \"answer\"")]
    NoAnswer(usize),
    /// An answer that isn't one of the question's.
    #[error("line {0} of the examples: {1}")]
    Answer(usize, String),
    /// What a kind's examples can't give.
    #[error("questions of the kind {0}: {1}")]
    Kind(Kind, FitError),
}

/// Labelled questions before a model reads them.
#[derive(Debug)]
pub struct Labelled {
    /// The kind of each question, and the index of its right answer.
    answers: Vec<(Kind, usize)>,
}

impl Labelled {
    /// The right answers of some questions.
    ///
    /// # Errors
    /// If a question has none, or a kind has fewer than [`FEWEST`] examples.
    pub fn new(asked: &[Asked]) -> Result<Labelled, LabelError> {
        let one = |asked: &Asked| {
            let (line, question) = (asked.item.line, asked.form.question());
            let given = asked.item.answer.as_ref().ok_or(LabelError::NoAnswer(line))?;
            let answer = questions::answer(question, given);
            Ok((question.kind(), answer.map_err(|why| LabelError::Answer(line, why))?))
        };
        let answers: Vec<(Kind, usize)> = asked.iter().map(one).collect::<Result<_, _>>()?;
        let mut counts: BTreeMap<Kind, usize> = BTreeMap::new();
        for (kind, _) in &answers {
            *counts.entry(*kind).or_default() += 1;
        }
        match counts.into_iter().find(|(_, n)| *n < FEWEST) {
            Some((kind, n)) => Err(LabelError::Kind(kind, FitError::TooFew(n))),
            None => Ok(Labelled { answers }),
        }
    }

    /// Fits and judges a temperature for each kind, from the decisions of all questions.
    ///
    /// # Errors
    /// As [`judge`](judge()).
    pub fn judge(
        self,
        decisions: Vec<Decision>,
        seed: u64,
    ) -> Result<BTreeMap<Kind, Judged>, LabelError> {
        let mut examples: BTreeMap<Kind, Vec<Example>> = BTreeMap::new();
        for ((kind, answer), decision) in self.answers.into_iter().zip(decisions) {
            examples.entry(kind).or_default().push(Example { ln: decision.ln, answer });
        }
        let one = |(kind, examples): (Kind, Vec<Example>)| {
            let judged = judge(&examples, seed).map_err(|error| LabelError::Kind(kind, error))?;
            Ok((kind, judged))
        };
        examples.into_iter().map(one).collect()
    }
}
