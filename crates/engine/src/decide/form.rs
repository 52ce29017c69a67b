//! A question as a model reads it: its labels, its prompts, and what the logits after them say.

use super::{
    decision::Reading,
    labels::{Labels, letters},
    question::{Choice, Kind, Question, QuestionError},
};
use crate::{TokenId, tokenizer::Tokenizer};

/// The version of the prompts' wording. Another wording has other probabilities, so calibrations
/// name it.
pub const WORDING: u32 = 1;

/// What comes first in a prompt: prompts share what they begin with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Layout {
    /// The question, then the text: many texts share one question.
    #[default]
    QuestionFirst,
    /// The text, then the question: many questions share one text.
    TextFirst,
}

impl Layout {
    /// All layouts.
    pub const ALL: [Layout; 2] = [Layout::QuestionFirst, Layout::TextFirst];

    /// The layout's name.
    pub fn name(self) -> &'static str {
        match self {
            Layout::QuestionFirst => "question-first",
            Layout::TextFirst => "text-first",
        }
    }

    /// The layout of a name.
    pub fn named(name: &str) -> Option<Layout> {
        Layout::ALL.into_iter().find(|layout| layout.name() == name)
    }
}

/// A question with its labels in one model's vocabulary.
#[derive(Debug, Clone)]
pub struct Form {
    question: Question,
    labels: Vec<Label>,
    /// Whether a label stays at its place in the list when options are rotated, as letters do.
    /// Words and numbers go with their option.
    by_place: bool,
}

#[derive(Debug, Clone)]
struct Label {
    text: String,
    /// At least one.
    tokens: Vec<TokenId>,
}

impl Form {
    /// Gives the options labels of one token each. Labels of the question's own are taken.
    /// Otherwise a score's labels are the numbers of its levels if each is one token, and all else
    /// gets letters (after Z pairs of letters) that are one token. A predicate whose vocabulary
    /// has no token for Yes or No gets letters as well.
    ///
    /// # Errors
    /// If a label of the question's own isn't one token, or the vocabulary has too few labels.
    pub fn new(
        tokenizer: &Tokenizer,
        labels: &Labels,
        question: Question,
    ) -> Result<Form, QuestionError> {
        let options = question.options();
        let is_labelled = options.iter().any(|option| option.label.is_some());
        let own: Vec<String> = match question.kind() {
            Kind::Score if !is_labelled => {
                options.iter().map(|level| level.value.to_string()).collect()
            }
            _ => options.iter().filter_map(|option| option.label.clone()).collect(),
        };
        let label = |text: String| Label { tokens: labels.of(tokenizer, &text).to_vec(), text };
        let own: Vec<Label> = own.into_iter().map(label).collect();
        let missing = own.iter().find(|label| label.tokens.is_empty());
        if !own.is_empty() && missing.is_none() {
            return Ok(Form { question, labels: own, by_place: false });
        }
        // Yes, No and numbers were chosen here.
        let is_callers = is_labelled && question.kind() != Kind::Predicate;
        if let Some(label) = missing.filter(|_| is_callers) {
            return Err(QuestionError::NotOneToken(label.text.clone()));
        }
        let wanted = options.len();
        let found = letters().map(label).filter(|label| !label.tokens.is_empty());
        let found: Vec<Label> = found.take(wanted).collect();
        if found.len() < wanted {
            return Err(QuestionError::TooFewLabels { found: found.len(), wanted });
        }
        Ok(Form { question, labels: found, by_place: true })
    }

    /// The question.
    pub fn question(&self) -> &Question {
        &self.question
    }

    /// The labels, in the order of the options. Letters are those of the places in the list, so
    /// another rotation gives an option another letter.
    pub fn labels(&self) -> impl Iterator<Item = &str> {
        self.labels.iter().map(|label| label.text.as_str())
    }

    /// The prompt that asks the question about a text, with the options in an order of
    /// [`Question::orders`]. `completes` is for models without a chat template: the prompt then
    /// ends where the answer begins.
    pub fn prompt(
        &self,
        text: Option<&str>,
        order: &[usize],
        layout: Layout,
        completes: bool,
    ) -> String {
        let text = text.map(|text| format!("Text:\n{text}\n\n")).unwrap_or_default();
        let asked = self.asked(order);
        let (first, second) = match layout {
            Layout::QuestionFirst => (asked, text),
            Layout::TextFirst => (text, asked),
        };
        let end = if completes { "\nAnswer:" } else { "" };
        format!("{first}{second}{}{end}", self.wanted(order))
    }

    /// The question and its options.
    fn asked(&self, order: &[usize]) -> String {
        let instructions = self.question.instructions().trim();
        let mut asked = match self.question.kind() {
            Kind::Predicate if !instructions.ends_with('?') => {
                format!("Is this statement true? {instructions}\n")
            }
            _ => format!("{instructions}\n"),
        };
        if !self.is_listed() {
            return asked + "\n";
        }
        for (place, &at) in order.iter().enumerate() {
            let Choice { text, description, .. } = &self.question.options()[at];
            let label = &self.label(place, at).text;
            let named = if label == text { String::new() } else { format!(" {}", text.trim()) };
            let mark = if named.is_empty() { "" } else { ")" };
            let described =
                description.as_ref().map(|text| format!(": {}", text.trim())).unwrap_or_default();
            asked.push_str(&format!("{label}{mark}{named}{described}\n"));
        }
        asked + "\n"
    }

    /// Whether the options are listed: a predicate's Yes and No need no list.
    fn is_listed(&self) -> bool {
        self.question.kind() != Kind::Predicate || self.by_place
    }

    /// The sentence that says how to answer.
    fn wanted(&self, order: &[usize]) -> String {
        if !self.is_listed() {
            let named: Vec<&str> = order.iter().map(|&at| self.labels[at].text.as_str()).collect();
            return format!("Answer with {} only.", named.join(" or "));
        }
        let is_letter = self.labels.iter().all(|label| label.text.chars().count() == 1);
        let what = match (self.by_place, self.question.kind()) {
            (true, _) if is_letter => "letter",
            (false, Kind::Score) => "number",
            _ => "label",
        };
        format!("Answer with the {what} only.")
    }

    fn label(&self, place: usize, option: usize) -> &Label {
        &self.labels[if self.by_place { place } else { option }]
    }

    /// What the logits after a prompt say of the options, which the prompt has in `order`.
    ///
    /// # Errors
    /// If the logits have no distribution, or no label has any probability.
    pub fn read(&self, logits: &[f32], order: &[usize]) -> Result<Reading, QuestionError> {
        let mut tokens: Vec<&[TokenId]> = vec![&[]; order.len()];
        for (place, &option) in order.iter().enumerate() {
            tokens[option] = &self.label(place, option).tokens;
        }
        Reading::of(logits, &tokens)
    }
}
