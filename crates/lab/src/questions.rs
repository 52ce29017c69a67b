//! Reads texts to decide about, questions and right answers from JSON lines.
//!
//! A question has the shape that OpenAI's API has (`POST /v1/decisions`): a `type`, `instructions`,
//! and `choices` or `levels`. An option may have a `label` as well, and a level a `value`.

use kelvin_engine::decide::{Choice, Kind, Question, QuestionError};
use serde::Deserialize;
use serde_json::Value;

/// A line of a file: a text, a question, or both.
#[derive(Debug, Clone)]
pub struct Item {
    /// The number of its line, from 1.
    pub line: usize,
    /// The line's `id`, as it is there.
    pub id: Option<Value>,
    /// The text to decide about.
    pub text: Option<String>,
    /// The line's own question.
    pub question: Option<Named>,
    /// The right answer, as it is there.
    pub answer: Option<Value>,
}

/// A question and its name, if it has one.
#[derive(Debug, Clone, PartialEq)]
pub struct Named {
    /// The name, which its answer gets.
    pub name: Option<String>,
    /// The question.
    pub question: Question,
}

/// A line as it stands there. Other fields are the owner's.
#[derive(Deserialize)]
struct Line {
    id: Option<Value>,
    input: Option<String>,
    question: Option<Asked>,
    answer: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    r#type: String,
    name: Option<String>,
    instructions: String,
    choices: Option<Vec<Offered>>,
    levels: Option<Vec<Level>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Offered {
    value: Value,
    description: Option<String>,
    label: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Level {
    label: String,
    description: Option<String>,
    value: Option<i64>,
}

/// The lines of a text. Empty lines are skipped.
///
/// # Errors
/// A sentence with `name` and the number of the line.
pub fn read(text: &str, name: &str) -> Result<Vec<Item>, String> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let items: Result<Vec<Item>, String> = lines
        .map(|(at, line)| {
            item(at + 1, line).map_err(|why| format!("{name}, line {}: {why}", at + 1))
        })
        .collect();
    match items?.as_slice() {
        [] => Err(format!("{name} has no lines")),
        items => Ok(items.to_vec()),
    }
}

fn wrong(error: serde_json::Error) -> String {
    format!("a line is a text or an object with \"input\" as JSON: {error}")
}

fn item(line: usize, text: &str) -> Result<Item, String> {
    of_json(line, serde_json::from_str(text).map_err(wrong)?)
}

/// The item of a line that has been read as JSON.
///
/// # Errors
/// A sentence about it.
pub fn of_json(line: usize, value: Value) -> Result<Item, String> {
    let none = Item { line, id: None, text: None, question: None, answer: None };
    match value {
        Value::String(text) => Ok(Item { text: Some(text), ..none }),
        other => {
            let Line { id, input, question, answer } =
                serde_json::from_value(other).map_err(wrong)?;
            if input.is_none() && question.is_none() {
                return Err("it has neither \"input\" nor \"question\"".into());
            }
            let question = question.map(named).transpose()?;
            Ok(Item { id, text: input, question, answer, ..none })
        }
    }
}

/// The question of an object in the shape of OpenAI's API.
///
/// # Errors
/// A sentence about it.
pub fn question(value: Value) -> Result<Named, String> {
    let wrong = |error: serde_json::Error| {
        format!("a question is an object with \"type\" and \"instructions\": {error}")
    };
    named(serde_json::from_value(value).map_err(wrong)?)
}

fn named(asked: Asked) -> Result<Named, String> {
    let Asked { r#type, name, instructions, choices, levels } = asked;
    let kind = Kind::named(&r#type).ok_or_else(|| {
        format!("the question's type is {type:?}, but predicate, choice and score are the types")
    })?;
    let extra = match kind {
        Kind::Predicate => {
            choices.as_ref().map(|_| "choices").or(levels.as_ref().map(|_| "levels"))
        }
        Kind::Choice => levels.as_ref().map(|_| "levels"),
        Kind::Score => choices.as_ref().map(|_| "choices"),
    };
    if let Some(extra) = extra {
        return Err(format!("a question of type {kind} has no \"{extra}\""));
    }
    let question = match kind {
        Kind::Predicate => Question::predicate(instructions),
        Kind::Choice => Question::choice(instructions, offered(choices.unwrap_or_default())?),
        Kind::Score => Question::score(instructions, scale(levels.unwrap_or_default())),
    };
    let question = question.map_err(|error: QuestionError| error.to_string())?;
    Ok(Named { name, question })
}

fn offered(choices: Vec<Offered>) -> Result<Vec<Choice>, String> {
    let one = |(at, choice): (i64, Offered)| {
        let Offered { value, description, label } = choice;
        let (text, is_boolean) = match value {
            Value::String(text) => (text, false),
            Value::Bool(value) => (value.to_string(), true),
            other => {
                return Err(format!("a choice's value is {other}, but a text or a boolean is"));
            }
        };
        Ok(Choice { text, description, label, value: at, is_boolean })
    };
    (0..).zip(choices).map(one).collect()
}

fn scale(levels: Vec<Level>) -> Vec<Choice> {
    let one = |(at, level): (i64, Level)| Choice {
        description: level.description,
        ..Choice::new(level.label, level.value.unwrap_or(at))
    };
    (0..).zip(levels).map(one).collect()
}

/// The index of the option that a right answer names: a predicate's boolean, a choice's value, a
/// level's text or number.
///
/// # Errors
/// A sentence about the answer.
pub fn answer(question: &Question, answer: &Value) -> Result<usize, String> {
    let options = question.options();
    let found = match (question.kind(), answer) {
        (Kind::Predicate, Value::Bool(is_true)) => Some(usize::from(!is_true)),
        (Kind::Choice, Value::String(text)) => {
            options.iter().position(|one| !one.is_boolean && one.text == *text)
        }
        (Kind::Choice, Value::Bool(value)) => {
            options.iter().position(|one| one.is_boolean && one.text == value.to_string())
        }
        (Kind::Score, Value::String(text)) => options.iter().position(|one| one.text == *text),
        (Kind::Score, Value::Number(number)) => {
            options.iter().position(|one| number.as_i64() == Some(one.value))
        }
        _ => None,
    };
    found.ok_or_else(|| {
        let expected = match question.kind() {
            Kind::Predicate => "true or false",
            Kind::Choice => "one of the question's choices",
            Kind::Score => "one of the question's levels or its number",
        };
        format!("the answer is {answer}, but {expected} was expected")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_texts_or_objects() {
        let text = "\"a text\"\n\n{\"id\": 7, \"input\": \"b\", \"mine\": [1], \"answer\": true}\n";
        let items = read(text, "x.jsonl").unwrap();
        assert_eq!((items[0].text.as_deref(), items[0].line), (Some("a text"), 1));
        assert_eq!((items[1].line, &items[1].answer), (3, &Some(Value::Bool(true))));
        assert_eq!(items[1].id, Some(7.into()));
    }

    #[test]
    fn questions_have_the_shape_of_openais() {
        let line = r#"{"input": "x", "question": {"type": "choice", "name": "topic",
            "instructions": "Which?", "choices": [{"value": "a", "description": "first"},
            {"value": true, "label": "T"}]}}"#
            .replace('\n', " ");
        let said = read(&line, "x").unwrap_err();
        assert!(said.contains("option 1 has no label"), "{said}");
        let items = read(&line.replace(", \"label\": \"T\"", ""), "x").unwrap();
        let named = items[0].question.clone().unwrap();
        let options = named.question.options();
        assert_eq!((named.name.as_deref(), options.len()), (Some("topic"), 2));
        assert!(!options[0].is_boolean && options[1].is_boolean && options[1].text == "true");
        assert_eq!(answer(&named.question, &Value::Bool(true)), Ok(1));
        assert_eq!(answer(&named.question, &"a".into()), Ok(0));
        assert!(answer(&named.question, &"true".into()).is_err(), "a text isn't the boolean");
        let line = r#"{"question": {"type": "score", "instructions": "How good?",
            "levels": [{"label": "bad", "value": 1}, {"label": "good", "value": 3}]}}"#
            .replace('\n', " ");
        let named = read(&line, "x").unwrap()[0].question.clone().unwrap();
        assert_eq!(answer(&named.question, &3.into()), Ok(1));
        assert_eq!(answer(&named.question, &"bad".into()), Ok(0));
        assert!(answer(&named.question, &2.into()).is_err());
    }

    #[test]
    fn bad_lines_are_refused_with_their_number() {
        for (line, said) in [
            ("", "x has no lines"),
            ("{", "x, line 1: a line is a text or an object"),
            ("{}", "x, line 1: it has neither \"input\" nor \"question\""),
            (r#"{"input": 3}"#, "x, line 1: a line is a text or an object"),
            (
                r#"{"question": {"type": "guess", "instructions": "x"}}"#,
                "x, line 1: the question's type is \"guess\"",
            ),
            (
                r#"{"question": {"type": "predicate", "instructions": "x", "levels": []}}"#,
                "a question of type predicate has no \"levels\"",
            ),
            (
                r#"{"question": {"type": "choice", "instructions": "x"}}"#,
                "the question has 0 options",
            ),
            (
                r#"{"question": {"type": "choice", "instructions": "x", "choices": [{"value":3}]}}"#,
                "a choice's value is 3",
            ),
        ] {
            let found = read(line, "x").unwrap_err();
            assert!(found.contains(said), "{found}");
        }
    }
}
