//! The answer to a question as the verb `decide` and the server's API have it: OpenAI's fields, and
//! Kelvin's figures beside them.

use kelvin_engine::decide::{Choice, Decision, Form, Kind};
use schemars::JsonSchema;
use serde::Serialize;

/// An answer. Its type is the question's.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "lowercase")]
#[schemars(rename = "DecisionAnswer")]
pub enum Answer {
    /// How likely a statement is true.
    Predicate {
        /// The question's name.
        name: Option<String>,
        /// The probability that it is true.
        probability: f64,
        /// How the probability was found.
        kelvin: Figures,
    },
    /// The likeliest option.
    Choice {
        /// The question's name.
        name: Option<String>,
        /// The likeliest option; of equals the first.
        choice: Value,
        /// Its probability.
        confidence: f64,
        /// The probabilities of all options, in the question's order.
        probabilities: Vec<OfChoice>,
        /// How the probabilities were found.
        kelvin: Figures,
    },
    /// A score.
    Score {
        /// The question's name.
        name: Option<String>,
        /// Σ value · probability over the levels.
        score: f64,
        /// The standard deviation of that: how far the levels' probabilities are spread.
        deviation: f64,
        /// The probability of the likeliest level.
        confidence: f64,
        /// The probabilities of all levels, in the question's order.
        probabilities: Vec<OfLevel>,
        /// How the probabilities were found.
        kelvin: Figures,
    },
}

/// An option's value: a text, or a boolean.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Value {
    /// A boolean.
    Boolean(bool),
    /// A text.
    Text(String),
}

/// An option's probability.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "ChoiceProbability")]
pub struct OfChoice {
    /// The option.
    pub value: Value,
    /// Its probability.
    pub probability: f64,
}

/// A level's probability.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "LevelProbability")]
pub struct OfLevel {
    /// The level's text.
    pub label: String,
    /// The level's number: its index, from 0, unless the question says another.
    pub value: i64,
    /// Its probability.
    pub probability: f64,
}

/// How an answer's probabilities were found.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "DecisionFigures")]
pub struct Figures {
    /// The temperature T of softmax(ln q / T).
    pub temperature: f64,
    /// The probability of all tokens that aren't labels: a large one means that the model doesn't
    /// answer in labels.
    pub outside: f64,
    /// How far an option's probability goes from one rotation to another at most.
    pub spread: f64,
    /// The labels that the model saw, in the question's order.
    pub labels: Vec<String>,
    /// q: the probabilities at T = 1, in the question's order.
    pub raw: Vec<f64>,
    /// Those of each rotation.
    pub rotations: Vec<Vec<f64>>,
}

impl Answer {
    /// The answer to a question at a temperature above 0.
    pub fn new(name: Option<String>, form: &Form, decision: &Decision, temperature: f64) -> Answer {
        let p = decision.at(temperature);
        let options = form.question().options();
        let kelvin = Figures {
            temperature,
            outside: decision.outside,
            spread: decision.spread,
            labels: form.labels().map(str::to_string).collect(),
            raw: decision.at(1.0),
            rotations: decision.readings.iter().map(|reading| reading.at(1.0)).collect(),
        };
        let best = best(&p);
        match form.question().kind() {
            Kind::Predicate => Answer::Predicate { name, probability: p[0], kelvin },
            Kind::Choice => Answer::Choice {
                name,
                choice: value(&options[best]),
                confidence: p[best],
                probabilities: options
                    .iter()
                    .zip(&p)
                    .map(|(option, &probability)| OfChoice { value: value(option), probability })
                    .collect(),
                kelvin,
            },
            Kind::Score => {
                let mean = |of: &dyn Fn(f64) -> f64| -> f64 {
                    options.iter().zip(&p).map(|(level, p)| p * of(level.value as f64)).sum()
                };
                let score = mean(&|value| value);
                let variance = mean(&|value| (value - score) * (value - score));
                let level = |(level, &probability): (&Choice, &f64)| OfLevel {
                    label: level.text.clone(),
                    value: level.value,
                    probability,
                };
                Answer::Score {
                    name,
                    score,
                    deviation: variance.max(0.0).sqrt(),
                    confidence: p[best],
                    probabilities: options.iter().zip(&p).map(level).collect(),
                    kelvin,
                }
            }
        }
    }

    /// How the answer was found.
    pub fn figures(&self) -> &Figures {
        match self {
            Answer::Predicate { kelvin, .. }
            | Answer::Choice { kelvin, .. }
            | Answer::Score { kelvin, .. } => kelvin,
        }
    }

    /// The options with their probabilities, in the question's order.
    pub fn shares(&self) -> Vec<(String, f64)> {
        match self {
            Answer::Predicate { probability, .. } => {
                vec![("yes".into(), *probability), ("no".into(), 1.0 - probability)]
            }
            Answer::Choice { probabilities, .. } => {
                let shown = |one: &OfChoice| match &one.value {
                    Value::Text(text) => text.clone(),
                    Value::Boolean(value) => value.to_string(),
                };
                probabilities.iter().map(|one| (shown(one), one.probability)).collect()
            }
            Answer::Score { probabilities, .. } => {
                let shown = |one: &OfLevel| match one.label == one.value.to_string() {
                    true => one.label.clone(),
                    false => format!("{} {}", one.value, one.label),
                };
                probabilities.iter().map(|one| (shown(one), one.probability)).collect()
            }
        }
    }
}

/// The index of the largest number; of equals the first.
pub fn best(p: &[f64]) -> usize {
    (0..p.len()).fold(0, |best, k| if p[k] > p[best] { k } else { best })
}

fn value(option: &Choice) -> Value {
    match option.is_boolean {
        true => Value::Boolean(option.text == "true"),
        false => Value::Text(option.text.clone()),
    }
}
