//! The questions of a decision, and the text that they are about, as OpenAI's API has them.
//!
//! Kelvin's own fields are a choice's `label`, a level's `value`, and the request's `rotations`,
//! `temperature`, `layout` and `date`.

use kelvin_engine::decide::{Choice, Layout, MAX_OPTIONS, Question, QuestionError};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Value;

use super::values::{ChatDate, Ignored, ModelName, Whole, only, schemas};
use crate::{
    fields::{Object, Param, Place, object, whole},
    limits::{MAX_MESSAGES, MAX_QUESTIONS},
    problem::Problem,
};

object! {
    /// Asks questions about a text.
    pub(crate) struct DecisionRequest {
        model: Option<ModelName>,
        /// What the questions are about; an empty text leaves them by themselves.
        input: Evidence,
        questions: Questions,
        /// Orders of the options that are asked and averaged; at most as many as options. By
        /// default that of the server's calibration, or 1.
        rotations: Option<Whole<1, { MAX_OPTIONS as u64 }>>,
        /// T of softmax(ln q / T). By default that of the server's calibration, or 1.
        temperature: Option<Heat>,
        /// What prompts begin with. By default that of the server's calibration, or the question.
        layout: Option<LayoutName>,
        date: Option<ChatDate>,
        /// No effect, like the two below.
        prompt_cache_key: Option<Ignored>,
        prompt_cache_options: Option<Ignored>,
        safety_identifier: Option<Ignored>,
    }

    /// Whether a statement is true.
    struct PredicateQuestion {
        r#type: PredicateType,
        name: Option<String>,
        instructions: Texts,
    }

    /// One of several options.
    struct ChoiceQuestion {
        r#type: ChoiceType,
        name: Option<String>,
        instructions: Texts,
        choices: Options<Offered>,
    }

    /// One of several ordered levels.
    struct ScoreQuestion {
        r#type: ScoreType,
        name: Option<String>,
        instructions: Texts,
        levels: Options<Level>,
    }

    /// An option of a choice.
    struct Offered {
        value: TextOrBoolean,
        description: Option<String>,
        /// A label of one token, in place of a letter.
        label: Option<String>,
    }

    /// A level of a score.
    struct Level {
        label: String,
        description: Option<String>,
        /// The level's number; its index, from 0, by default.
        value: Option<LevelNumber>,
    }

    /// A message of the input.
    struct EvidenceMessage {
        r#type: Option<MessageType>,
        role: Speaker,
        content: Texts,
        phase: Option<Ignored>,
        id: Option<Ignored>,
        status: Option<Ignored>,
    }

    /// A part that is a text.
    struct PlainPart {
        r#type: PlainPartType,
        text: String,
        prompt_cache_breakpoint: Option<Ignored>,
        annotations: Option<Ignored>,
        logprobs: Option<Ignored>,
    }

    /// A part that is JSON, which the model reads as text.
    struct JsonPart {
        r#type: JsonPartType,
        data: Container,
    }
}

only! {
    /// The type of a predicate.
    PredicateType = "predicate";
    /// The type of a choice.
    ChoiceType = "choice";
    /// The type of a score.
    ScoreType = "score";
    /// The type of an item.
    MessageType = "message";
    /// The types of parts that are texts.
    PlainPartType = "input_text" | "output_text";
    /// The type of a part that is JSON.
    JsonPartType = "input_json";
}

/// A question with its name.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) name: Option<String>,
    pub(crate) question: Question,
}

/// The questions, 1 to [`MAX_QUESTIONS`].
#[derive(Debug)]
pub(crate) struct Questions(pub(crate) Vec<Asked>);

impl Param for Questions {
    fn read(value: Value, place: &Place) -> Result<Questions, Problem> {
        match value {
            Value::Array(items) if (1..=MAX_QUESTIONS).contains(&items.len()) => {
                let one = |(i, item)| question(item, &place.item(i));
                items.into_iter().enumerate().map(one).collect::<Result<_, _>>().map(Questions)
            }
            other => Err(place.wrong(&other, &format!("a list of 1 to {MAX_QUESTIONS} questions"))),
        }
    }

    fn absent(place: &Place) -> Result<Questions, Problem> {
        Err(place.missing(&format!("a list of 1 to {MAX_QUESTIONS} questions")))
    }
}

fn question(item: Value, place: &Place) -> Result<Asked, Problem> {
    let expected = "an object with \"type\" and \"instructions\"";
    let refused = |error: QuestionError| {
        Problem::parameter(&place.name, format!("\"{}\": {error}", place.name))
    };
    let (name, question) = match item.get("type").and_then(Value::as_str) {
        Some("predicate") => {
            let PredicateQuestion { name, instructions, .. } =
                place.whole_object(item, expected)?;
            (name, Question::predicate(instructions.0))
        }
        Some("choice") => {
            let ChoiceQuestion { name, instructions, choices, .. } =
                place.whole_object(item, expected)?;
            let option = |(at, one): (i64, Offered)| Choice {
                description: one.description,
                label: one.label,
                is_boolean: one.value.is_boolean,
                ..Choice::new(one.value.text, at)
            };
            let options = (0..).zip(choices.0).map(option).collect();
            (name, Question::choice(instructions.0, options))
        }
        Some("score") => {
            let ScoreQuestion { name, instructions, levels, .. } =
                place.whole_object(item, expected)?;
            let level = |(at, one): (i64, Level)| Choice {
                description: one.description,
                ..Choice::new(one.label, one.value.map_or(at, |value| value.0))
            };
            let levels = (0..).zip(levels.0).map(level).collect();
            (name, Question::score(instructions.0, levels))
        }
        _ if item.is_object() => {
            let of_type = Place { name: format!("{}.type", place.name), bounds: place.bounds };
            let found = item.get("type").cloned().unwrap_or(Value::Null);
            return Err(of_type.wrong(&found, "\"predicate\", \"choice\" or \"score\""));
        }
        _ => return Err(place.wrong(&item, expected)),
    };
    Ok(Asked { name, question: question.map_err(refused)? })
}

impl JsonSchema for Questions {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Questions".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let kinds = [
            generator.subschema_for::<PredicateQuestion>(),
            generator.subschema_for::<ChoiceQuestion>(),
            generator.subschema_for::<ScoreQuestion>(),
        ];
        json_schema!({
            "type": "array",
            "minItems": 1,
            "maxItems": MAX_QUESTIONS,
            "items": { "anyOf": kinds },
        })
    }
}

/// The options of a question, 2 to [`MAX_OPTIONS`].
#[derive(Debug)]
struct Options<T>(Vec<T>);

impl<T: Object> Param for Options<T> {
    fn read(value: Value, place: &Place) -> Result<Options<T>, Problem> {
        match value {
            Value::Array(items) if (2..=MAX_OPTIONS).contains(&items.len()) => {
                let one = |(i, item)| place.item(i).whole_object(item, "an object");
                items.into_iter().enumerate().map(one).collect::<Result<_, _>>().map(Options)
            }
            Value::Array(items) => {
                let error = QuestionError::Count(items.len());
                Err(Problem::parameter(&place.name, format!("\"{}\": {error}", place.name)))
            }
            other => Err(place.wrong(&other, &format!("a list of 2 to {MAX_OPTIONS} options"))),
        }
    }

    fn absent(place: &Place) -> Result<Options<T>, Problem> {
        Err(place.missing(&format!("a list of 2 to {MAX_OPTIONS} options")))
    }
}

/// An object that is an option.
trait IsOption {
    /// The field with its text.
    const TEXT: &'static str;
}

impl IsOption for Offered {
    const TEXT: &'static str = "value";
}

impl IsOption for Level {
    const TEXT: &'static str = "label";
}

impl<T: JsonSchema + IsOption> JsonSchema for Options<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("Options_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "array",
            "minItems": 2,
            "maxItems": MAX_OPTIONS,
            "items": generator.subschema_for::<T>(),
            "examples": [[{ (T::TEXT): "a" }, { (T::TEXT): "b" }]],
        })
    }
}

/// The text that questions are about: a text, or messages as a transcript.
#[derive(Debug)]
pub(crate) struct Evidence(pub(crate) String);

/// What is expected as input.
const EVIDENCE: &str = "a text or a list of messages";

impl Param for Evidence {
    fn read(value: Value, place: &Place) -> Result<Evidence, Problem> {
        let items = match value {
            Value::String(text) => return Ok(Evidence(text)),
            Value::Array(items) if (1..=MAX_MESSAGES).contains(&items.len()) => items,
            other => return Err(place.wrong(&other, EVIDENCE)),
        };
        let one = |(i, item): (usize, Value)| {
            let place = place.item(i);
            if let Some(of_type) =
                item.get("type").filter(|of_type| !of_type.is_null() && *of_type != "message")
            {
                let name = format!("{}.type", place.name);
                let place = Place { name, bounds: place.bounds };
                return Err(place.unsupported(of_type, "only messages are supported"));
            }
            place.whole_object::<EvidenceMessage>(item, "an object with \"role\" and \"content\"")
        };
        let messages: Vec<EvidenceMessage> =
            items.into_iter().enumerate().map(one).collect::<Result<_, _>>()?;
        if let [only] = &messages[..] {
            return Ok(Evidence(only.content.0.clone()));
        }
        let line = |one: &EvidenceMessage| format!("{}: {}", one.role.0, one.content.0);
        Ok(Evidence(messages.iter().map(line).collect::<Vec<_>>().join("\n\n")))
    }

    fn absent(place: &Place) -> Result<Evidence, Problem> {
        Err(place.missing(EVIDENCE))
    }
}

impl JsonSchema for Evidence {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Evidence".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let message = generator.subschema_for::<EvidenceMessage>();
        json_schema!({ "anyOf": [
            { "type": "string" },
            { "type": "array", "minItems": 1, "maxItems": MAX_MESSAGES, "items": message },
        ] })
    }
}

/// Who speaks.
#[derive(Debug)]
struct Speaker(String);

const SPEAKERS: [&str; 4] = ["user", "assistant", "system", "developer"];

impl Param for Speaker {
    fn read(value: Value, place: &Place) -> Result<Speaker, Problem> {
        let known = value.as_str().filter(|role| SPEAKERS.contains(role));
        let expected = "\"user\", \"assistant\", \"system\" or \"developer\"";
        known.map(|role| Speaker(role.into())).ok_or_else(|| place.wrong(&value, expected))
    }
}

/// A text, or parts that are texts or JSON. They are joined by newlines.
#[derive(Debug)]
struct Texts(String);

impl Param for Texts {
    fn read(value: Value, place: &Place) -> Result<Texts, Problem> {
        let items = match value {
            Value::String(text) => return Ok(Texts(text)),
            Value::Array(items) => items,
            other => return Err(place.wrong(&other, "a text or a list of parts")),
        };
        let one = |(i, part): (usize, Value)| {
            let place = place.item(i);
            match part.get("type").and_then(Value::as_str) {
                Some("input_json") => {
                    let JsonPart { data, .. } = place.whole_object(part, "a part")?;
                    Ok(data.0.to_string())
                }
                Some("input_text" | "output_text") => {
                    place.whole_object(part, "a part").map(|part: PlainPart| part.text)
                }
                _ => Err(place.unsupported(&part, "only parts of text and JSON are supported")),
            }
        };
        let parts: Vec<String> =
            items.into_iter().enumerate().map(one).collect::<Result<_, _>>()?;
        Ok(Texts(parts.join("\n")))
    }

    fn absent(place: &Place) -> Result<Texts, Problem> {
        Err(place.missing("a text or a list of parts"))
    }
}

impl JsonSchema for Texts {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Texts".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let parts = [generator.subschema_for::<PlainPart>(), generator.subschema_for::<JsonPart>()];
        json_schema!({ "anyOf": [
            { "type": "string" },
            { "type": "array", "items": { "anyOf": parts } },
        ] })
    }
}

/// An object, or a list of objects.
#[derive(Debug)]
struct Container(Value);

impl Param for Container {
    fn read(value: Value, place: &Place) -> Result<Container, Problem> {
        let is_list = value.as_array().is_some_and(|all| all.iter().all(Value::is_object));
        if value.is_object() || is_list {
            return Ok(Container(value));
        }
        Err(place.wrong(&value, "an object or a list of objects"))
    }
}

/// A text or a boolean.
#[derive(Debug)]
struct TextOrBoolean {
    text: String,
    is_boolean: bool,
}

impl Param for TextOrBoolean {
    fn read(value: Value, place: &Place) -> Result<TextOrBoolean, Problem> {
        match value {
            Value::String(text) => Ok(TextOrBoolean { text, is_boolean: false }),
            Value::Bool(value) => Ok(TextOrBoolean { text: value.to_string(), is_boolean: true }),
            other => Err(place.wrong(&other, "a text or a boolean")),
        }
    }
}

/// A whole number.
#[derive(Debug)]
struct LevelNumber(i64);

impl Param for LevelNumber {
    fn read(value: Value, place: &Place) -> Result<LevelNumber, Problem> {
        let number = value.as_i64().or_else(|| {
            whole(&value, &place.name, 0..=u64::from(u32::MAX)).ok().map(|number| number as i64)
        });
        let fits = |number: &i64| number.unsigned_abs() <= u64::from(u32::MAX);
        let expected = "a whole number of at most 32 bits";
        number.filter(fits).map(LevelNumber).ok_or_else(|| place.wrong(&value, expected))
    }
}

/// A temperature of decisions, above 0.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Heat(pub(crate) f64);

impl Param for Heat {
    fn read(value: Value, place: &Place) -> Result<Heat, Problem> {
        let number = value.as_f64().filter(|&t| t > 0.0 && t.is_finite());
        number.map(Heat).ok_or_else(|| place.wrong(&value, "a number above 0"))
    }
}

/// The name of a layout.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LayoutName(pub(crate) Layout);

impl Param for LayoutName {
    fn read(value: Value, place: &Place) -> Result<LayoutName, Problem> {
        let names = Layout::ALL.map(|layout| format!("\"{}\"", layout.name())).join(" or ");
        let layout = value.as_str().and_then(Layout::named);
        layout.map(LayoutName).ok_or_else(|| place.wrong(&value, &names))
    }
}

schemas! {
    Container => { "anyOf": [
        { "type": "object" },
        { "type": "array", "items": { "type": "object" } },
    ] };
    TextOrBoolean => { "type": ["string", "boolean"] };
    LevelNumber => { "type": "integer", "minimum": -(i64::from(u32::MAX)), "maximum": u32::MAX };
    Speaker => { "enum": SPEAKERS };
    Heat => { "type": "number", "exclusiveMinimum": 0 };
    LayoutName => { "enum": Layout::ALL.map(Layout::name) };
}
