//! A question: its kind, its instructions and its options.

use std::{collections::HashSet, fmt};

/// Most options of a question.
pub const MAX_OPTIONS: usize = 255;

/// The kind of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Whether a statement is true; its options are Yes and No, in this order.
    Predicate,
    /// One of several options without an order.
    Choice,
    /// One of several levels, each with a whole number.
    Score,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Kind; 3] = [Kind::Predicate, Kind::Choice, Kind::Score];

    /// The kind's name: that of a question's `type` in OpenAI's API.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Predicate => "predicate",
            Kind::Choice => "choice",
            Kind::Score => "score",
        }
    }

    /// The kind of a name.
    pub fn named(name: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

/// An option of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The option's text, or a level's.
    pub text: String,
    /// What the option means, if that needs saying.
    pub description: Option<String>,
    /// A label of the caller's own. All options have one, or none has.
    pub label: Option<String>,
    /// A level's number. A choice's options have their index, from 0.
    pub value: i64,
    /// Whether the option is a boolean, `true` or `false` by its text.
    pub is_boolean: bool,
}

impl Choice {
    /// An option without a description and without a label of its own.
    pub fn new(text: impl Into<String>, value: i64) -> Choice {
        Choice { text: text.into(), description: None, label: None, value, is_boolean: false }
    }
}

/// A question about a text, or about nothing but itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    kind: Kind,
    instructions: String,
    options: Vec<Choice>,
}

/// Why a question can't be asked.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum QuestionError {
    /// Nothing is asked.
    #[error("the question is empty: say what is to be decided")]
    Empty,
    /// Too few or too many options.
    #[error("the question has {}, but 2 to {MAX_OPTIONS} are needed", counted(*.0))]
    Count(usize),
    /// An option without text.
    #[error("option {0} of the question is empty")]
    EmptyOption(usize),
    /// Two options with one text.
    #[error("options {0} and {1} of the question are equal: {2:?}")]
    Equal(usize, usize, String),
    /// Some options have labels, others have none.
    #[error("option {0} has no label, but other options have one: give all of them or none")]
    SomeLabels(usize),
    /// Two options with one label.
    #[error("options {0} and {1} have the label {2:?}: labels have to differ")]
    EqualLabels(usize, usize, String),
    /// A label that isn't a token.
    #[error(
        "the label {0:?} isn't one token of this model's vocabulary: choose a label that is, such \
         as a letter, or leave the labels out"
    )]
    NotOneToken(String),
    /// Fewer labels than options.
    #[error(
        "this model's vocabulary has {found} letters and pairs of letters that are one token, but \
         the question has {wanted} options to label"
    )]
    TooFewLabels {
        /// Labels of the vocabulary.
        found: usize,
        /// Options of the question.
        wanted: usize,
    },
    /// The model's logits can't be used.
    #[error("the model's logits can't be used: {0}")]
    Logits(#[from] kelvin_sampling::SampleError),
    /// Every label is masked.
    #[error("the model gives no label any probability")]
    NoMass,
}

fn counted(n: usize) -> String {
    if n == 1 { "1 option".into() } else { format!("{n} options") }
}

impl Question {
    /// A statement that is true or not, or a question that is answered by yes or no.
    ///
    /// # Errors
    /// If the statement is empty.
    pub fn predicate(instructions: impl Into<String>) -> Result<Question, QuestionError> {
        let option = |text: &str, value| Choice {
            label: Some(text.to_string()),
            ..Choice::new(text, value)
        };
        Question::new(Kind::Predicate, instructions, vec![option("Yes", 1), option("No", 0)])
    }

    /// A choice of several options.
    ///
    /// # Errors
    /// If there are too few or too many options, if two are equal, or if something is empty.
    pub fn choice(
        instructions: impl Into<String>,
        options: Vec<Choice>,
    ) -> Result<Question, QuestionError> {
        Question::new(Kind::Choice, instructions, options)
    }

    /// A score on a scale of several levels.
    ///
    /// # Errors
    /// As [`Question::choice`].
    pub fn score(
        instructions: impl Into<String>,
        levels: Vec<Choice>,
    ) -> Result<Question, QuestionError> {
        Question::new(Kind::Score, instructions, levels)
    }

    fn new(
        kind: Kind,
        instructions: impl Into<String>,
        options: Vec<Choice>,
    ) -> Result<Question, QuestionError> {
        let instructions = instructions.into();
        if instructions.trim().is_empty() {
            return Err(QuestionError::Empty);
        }
        if !(2..=MAX_OPTIONS).contains(&options.len()) {
            return Err(QuestionError::Count(options.len()));
        }
        if let Some(at) = options.iter().position(|option| option.text.trim().is_empty()) {
            return Err(QuestionError::EmptyOption(at + 1));
        }
        if let Some((a, b)) = repeated(options.iter().map(|option| option.text.trim())) {
            return Err(QuestionError::Equal(a + 1, b + 1, options[a].text.clone()));
        }
        let labels: Vec<&str> =
            options.iter().filter_map(|option| option.label.as_deref()).collect();
        if !labels.is_empty() {
            if let Some(at) = options.iter().position(|option| option.label.is_none()) {
                return Err(QuestionError::SomeLabels(at + 1));
            }
            if let Some((a, b)) = repeated(labels.iter().copied()) {
                return Err(QuestionError::EqualLabels(a + 1, b + 1, labels[a].to_string()));
            }
        }
        Ok(Question { kind, instructions, options })
    }

    /// The kind.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// What is asked.
    pub fn instructions(&self) -> &str {
        &self.instructions
    }

    /// The options, in the order of the question.
    pub fn options(&self) -> &[Choice] {
        &self.options
    }

    /// The orders in which the options are asked: `n` rotations, evenly spaced, the first one as
    /// the question has it. A question with fewer options has as many rotations as options.
    pub fn orders(&self, n: usize) -> Vec<Vec<usize>> {
        let k = self.options.len();
        let n = rotations(k, n);
        (0..n).map(|i| (0..k).map(|place| (place + i * k / n) % k).collect()).collect()
    }
}

/// The number of rotations of `k` options if `n` are asked for: 1 to k.
pub fn rotations(k: usize, n: usize) -> usize {
    n.clamp(1, k.max(1))
}

/// The places of the first text that is there twice.
fn repeated<'a>(texts: impl Iterator<Item = &'a str> + Clone) -> Option<(usize, usize)> {
    let mut seen = HashSet::new();
    let (second, text) = texts.clone().enumerate().find(|(_, text)| !seen.insert(*text))?;
    let first = texts.clone().position(|other| other == text)?;
    Some((first, second))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(texts: &[&str]) -> Vec<Choice> {
        texts.iter().zip(0..).map(|(text, value)| Choice::new(*text, value)).collect()
    }

    #[test]
    fn bad_questions_are_refused_in_a_sentence() {
        let many: Vec<Choice> = (0..256).map(|i| Choice::new(i.to_string(), i)).collect();
        let labelled = |labels: [Option<&str>; 2]| {
            let of = |(i, label): (usize, Option<&str>)| Choice {
                label: label.map(str::to_string),
                ..Choice::new(i.to_string(), i as i64)
            };
            labels.into_iter().enumerate().map(of).collect::<Vec<_>>()
        };
        for (asked, given, said) in [
            ("  ", options(&["a", "b"]), "the question is empty: say what is to be decided"),
            ("x", options(&["a"]), "the question has 1 option, but 2 to 255 are needed"),
            ("x", many.clone(), "the question has 256 options, but 2 to 255 are needed"),
            ("x", options(&["a", " "]), "option 2 of the question is empty"),
            ("x", options(&["a", "b", "a "]), "options 1 and 3 of the question are equal: \"a\""),
            (
                "x",
                labelled([Some("A"), None]),
                "option 2 has no label, but other options have one: give all of them or none",
            ),
            (
                "x",
                labelled([Some("A"), Some("A")]),
                "options 1 and 2 have the label \"A\": labels have to differ",
            ),
        ] {
            assert_eq!(Question::choice(asked, given).unwrap_err().to_string(), said);
        }
        assert!(Question::choice("x", many[..255].to_vec()).is_ok());
    }

    #[test]
    fn rotations_are_spread_over_the_options_and_end_with_them() {
        let question = Question::choice("x", options(&["a", "b", "c", "d"])).unwrap();
        assert_eq!(question.orders(1), [[0, 1, 2, 3]]);
        assert_eq!(question.orders(2), [[0, 1, 2, 3], [2, 3, 0, 1]]);
        assert_eq!(question.orders(4)[3], [3, 0, 1, 2]);
        assert_eq!(question.orders(255), question.orders(4));
        assert_eq!(Question::predicate("x").unwrap().orders(9), [[0, 1], [1, 0]]);
    }
}
