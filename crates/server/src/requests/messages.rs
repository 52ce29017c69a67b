//! The messages of a request.
//!
//! Client libraries send the messages of earlier replies back as they received them, with empty
//! lists, nulls and annotations. Fields that carry no information are accepted. Fields that ask for
//! something unsupported are refused by name.

use kelvin_engine::chat::{Content, Message};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use super::values::{Ignored, not_null, only, schemas};
use crate::{
    fields::{Object, Param, Place, object},
    limits::MAX_MESSAGES,
    problem::Problem,
};

/// The messages of a chat, 1 to [`MAX_MESSAGES`].
#[derive(Debug)]
pub(crate) struct Messages(pub(crate) Vec<Message>);

impl Param for Messages {
    fn read(value: Value, place: &Place) -> Result<Messages, Problem> {
        match value {
            Value::Array(items) if (1..=MAX_MESSAGES).contains(&items.len()) => {
                list::<ChatMessage>(items, place).map(Messages)
            }
            other => Err(place.wrong(&other, &format!("a list of 1 to {MAX_MESSAGES} messages"))),
        }
    }

    fn absent(place: &Place) -> Result<Messages, Problem> {
        Err(place.missing("a list of messages"))
    }
}

impl JsonSchema for Messages {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Messages".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        messages_of::<ChatMessage>(generator)
    }
}

/// What the Responses API calls input: the user's text, or messages.
#[derive(Debug)]
pub(crate) struct Input(pub(crate) Vec<Message>);

impl Input {
    /// The messages after the instructions, which are the system's.
    pub(crate) fn with_instructions(self, instructions: Option<&str>) -> Vec<Message> {
        let system = instructions.map(|text| Message::new("system", text));
        system.into_iter().chain(self.0).collect()
    }
}

/// What is expected as input.
const INPUT: &str = "a text or a list of messages";

impl Param for Input {
    fn read(value: Value, place: &Place) -> Result<Input, Problem> {
        match value {
            Value::String(text) => Ok(Input(vec![Message::new("user", text)])),
            Value::Array(items) if (1..=MAX_MESSAGES).contains(&items.len()) => {
                input(items, place).map(Input)
            }
            other => Err(place.wrong(&other, INPUT)),
        }
    }

    fn absent(place: &Place) -> Result<Input, Problem> {
        Err(place.missing(INPUT))
    }
}

impl JsonSchema for Input {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Input".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let message = generator.subschema_for::<InputMessage>();
        let thoughts = generator.subschema_for::<ReasoningItem>();
        let items = json_schema!({ "anyOf": [message, thoughts] });
        json_schema!({ "anyOf": [
            { "type": "string" },
            { "type": "array", "minItems": 1, "maxItems": MAX_MESSAGES, "items": items },
        ] })
    }
}

object! {
    /// A message of a chat.
    #[schemars(transform = content_unless_assistant)]
    pub(crate) struct ChatMessage {
        role: Role,
        content: Option<MessageContent>,
        /// The name of the speaker; most chat templates ignore it.
        name: Option<String>,
        ..said: ReplyFields,
    }

    /// A message of the Responses API. Items of another type aren't messages.
    #[schemars(transform = content_unless_assistant)]
    pub(crate) struct InputMessage {
        r#type: Option<MessageType>,
        id: Option<Ignored>,
        status: Option<Ignored>,
        phase: Option<Ignored>,
        role: Role,
        content: Option<MessageContent>,
        ..said: ReplyFields,
    }

    /// The thoughts of a reply that is sent back: they belong to the message after them.
    pub(crate) struct ReasoningItem {
        r#type: ReasoningType,
        id: Option<Ignored>,
        summary: Option<Ignored>,
        status: Option<Ignored>,
        encrypted_content: Option<Ignored>,
        content: Option<Thoughts>,
    }

    /// A part of thoughts.
    pub(crate) struct ThoughtPart {
        r#type: ThoughtPartType,
        text: String,
    }

    /// What a reply that is sent back has beside its role and content.
    pub(crate) struct ReplyFields {
        tool_calls: Option<NoToolCalls>,
        function_call: Option<NoFunctionCall>,
        audio: Option<NoAudio>,
        images: Option<NoImages>,
        refusal: Option<NoRefusal>,
        thinking_blocks: Option<NoThinking>,
        reasoning_details: Option<NoThinking>,
        /// For templates that show it.
        reasoning_content: Option<String>,
        /// Another name for `reasoning_content`.
        reasoning: Option<String>,
        annotations: Option<Ignored>,
        parsed: Option<Ignored>,
        provider_specific_fields: Option<Ignored>,
    }

    /// A part of a message. What a reply's part has beside its text says nothing new.
    pub(crate) struct TextPart {
        r#type: TextPartType,
        text: String,
        annotations: Option<Ignored>,
        logprobs: Option<Ignored>,
    }
}

only! {
    /// The type of an item.
    MessageType = "message";
    /// The type of an item that is thoughts.
    ReasoningType = "reasoning";
    /// The type of a part of thoughts.
    ThoughtPartType = "reasoning_text";
    /// The types of parts that are texts.
    TextPartType = "text" | "input_text" | "output_text";
}

/// An object that is a message.
trait IsMessage: Object + JsonSchema {
    fn parts(self) -> (Role, Option<MessageContent>, Option<String>, ReplyFields);
}

impl IsMessage for ChatMessage {
    fn parts(self) -> (Role, Option<MessageContent>, Option<String>, ReplyFields) {
        (self.role, self.content, self.name, self.said)
    }
}

impl IsMessage for InputMessage {
    fn parts(self) -> (Role, Option<MessageContent>, Option<String>, ReplyFields) {
        (self.role, self.content, None, self.said)
    }
}

/// The parts of thoughts, as one text.
#[derive(Debug)]
pub(crate) struct Thoughts(String);

impl Param for Thoughts {
    fn read(value: Value, place: &Place) -> Result<Thoughts, Problem> {
        let Value::Array(parts) = value else {
            return Err(place.wrong(&value, "a list of parts of thoughts"));
        };
        let one = |(i, part)| {
            let part: ThoughtPart = place.item(i).whole_object(part, "a part of thoughts")?;
            Ok(part.text)
        };
        let texts: Result<Vec<String>, Problem> = parts.into_iter().enumerate().map(one).collect();
        texts.map(|texts| Thoughts(texts.concat()))
    }
}

impl JsonSchema for Thoughts {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Thoughts".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "array", "items": generator.subschema_for::<ThoughtPart>() })
    }
}

/// Kinds of input items: messages, which may leave their kind out, and thoughts.
const ITEM_KINDS: [&str; 2] = ["message", "reasoning"];

fn item_kinds() -> String {
    ITEM_KINDS.map(|kind| format!("\"{kind}\"")).join(" and ")
}

/// Reads the items of an input. Thoughts become those of the assistant's message after them.
fn input(items: Vec<Value>, place: &Place) -> Result<Vec<Message>, Problem> {
    let (mut messages, mut thoughts) = (Vec::new(), None);
    for (i, item) in items.into_iter().enumerate() {
        let own = place.item(i);
        let kind = item.get("type").and_then(Value::as_str);
        if let Some(kind) = kind.filter(|kind| !ITEM_KINDS.contains(kind)) {
            let place = Place { name: format!("{}.type", own.name), ..own };
            let why = format!("the kinds of items that are supported are {}", item_kinds());
            return Err(place.unsupported(&kind.into(), &why));
        }
        if kind == Some(ITEM_KINDS[1]) {
            let item: ReasoningItem = own.whole_object(item, "an item of thoughts")?;
            thoughts = item.content.map(|Thoughts(text)| text).filter(|text| !text.is_empty());
            continue;
        }
        let mut message = message::<InputMessage>(item, &own)?;
        let earlier = thoughts.take();
        if message.role == ASSISTANT {
            message.reasoning_content = message.reasoning_content.or(earlier);
        }
        messages.push(message);
    }
    match messages.is_empty() {
        true => Err(Problem::parameter(&place.name, "the input has thoughts, but no message")),
        false => Ok(messages),
    }
}

/// Reads the messages of a list.
fn list<M: IsMessage>(items: Vec<Value>, place: &Place) -> Result<Vec<Message>, Problem> {
    let one = |(i, item)| message::<M>(item, &place.item(i));
    items.into_iter().enumerate().map(one).collect()
}

fn message<M: IsMessage>(item: Value, place: &Place) -> Result<Message, Problem> {
    let mut fields = place.object(item, "an object with \"role\" and \"content\"")?;
    let (role, content, name, said) = M::take(&mut fields)?.parts();
    let content = match content {
        Some(MessageContent(content)) => content,
        // An assistant may have said nothing.
        None if role.0 == ASSISTANT => Content::Text(String::new()),
        None => fields.take::<MessageContent>("content")?.0,
    };
    fields.end()?;
    // Servers call it the one or the other, and some both.
    let thoughts = [said.reasoning_content, said.reasoning];
    let reasoning_content = thoughts.into_iter().flatten().find(|text| !text.is_empty());
    Ok(Message { role: role.0, content, name, reasoning_content })
}

fn messages_of<M: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "minItems": 1,
        "maxItems": MAX_MESSAGES,
        "items": generator.subschema_for::<M>(),
    })
}

/// A message has content, but for an assistant's, which may have none.
fn content_unless_assistant(schema: &mut Schema) {
    let mut spoken = schema.clone().to_value();
    let mut assistant = spoken.clone();
    spoken["properties"]["role"] = json!({ "enum": SPEAKERS });
    not_null(&mut spoken["properties"]["content"]);
    spoken["required"] = json!(["role", "content"]);
    assistant["properties"]["role"] = json!({ "const": ASSISTANT });
    *schema = json_schema!({ "anyOf": [spoken, assistant] });
}

const ASSISTANT: &str = "assistant";
/// Roles besides the assistant. `developer` is `system` for templates that don't know it.
const SPEAKERS: [&str; 3] = ["system", "developer", "user"];

/// Who speaks.
#[derive(Debug)]
pub(crate) struct Role(String);

impl Param for Role {
    fn read(value: Value, place: &Place) -> Result<Role, Problem> {
        match value {
            Value::String(role) if role == ASSISTANT || SPEAKERS.contains(&&*role) => {
                Ok(Role(role))
            }
            Value::String(role) if matches!(&*role, "tool" | "function") => {
                Err(place.unsupported(&role.into(), "tools aren't supported"))
            }
            other => {
                Err(place.wrong(&other, "\"system\", \"developer\", \"user\" or \"assistant\""))
            }
        }
    }
}

/// A text, or a list of texts.
#[derive(Debug)]
pub(crate) struct MessageContent(Content);

impl Param for MessageContent {
    fn read(value: Value, place: &Place) -> Result<MessageContent, Problem> {
        Ok(MessageContent(match value {
            Value::String(text) => Content::Text(text),
            Value::Array(parts) => {
                let one = |(i, part)| text_of(part, place, &place.item(i));
                Content::Parts(parts.into_iter().enumerate().map(one).collect::<Result<_, _>>()?)
            }
            other => return Err(place.wrong(&other, "a text or a list of text parts")),
        }))
    }
}

/// The text of a part of the content at `place`.
fn text_of(part: Value, place: &Place, own: &Place) -> Result<String, Problem> {
    let wrong = |part: &Value| place.wrong(part, "parts of text, the only ones supported,");
    if !part.is_object() {
        return Err(wrong(&part));
    }
    let mut fields = own.object(part.clone(), "")?;
    let TextPart { text, .. } = TextPart::take(&mut fields).map_err(|_| wrong(&part))?;
    fields.end()?;
    Ok(text)
}

impl JsonSchema for MessageContent {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "MessageContent".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let part = generator.subschema_for::<TextPart>();
        json_schema!({ "anyOf": [{ "type": "string" }, { "type": "array", "items": part }] })
    }
}

/// Declares types that have to be empty, with the feature that a value would ask for.
macro_rules! empty {
    ($($name:ident = $why:literal;)+) => {$(
        #[doc = concat!("Nothing: ", $why, ".")]
        #[derive(Debug)]
        pub(crate) struct $name;

        impl Param for $name {
            fn read(value: Value, place: &Place) -> Result<$name, Problem> {
                let is_empty = match value {
                    Value::Array(items) => items.is_empty(),
                    Value::Object(map) => map.is_empty(),
                    Value::String(text) => text.is_empty(),
                    _ => false,
                };
                if is_empty {
                    return Ok($name);
                }
                let message = format!("{} (\"{}\" has to be empty or null)", $why, place.name);
                Err(Problem::parameter(&place.name, message).coded("unsupported_parameter"))
            }
        }
    )+};
}

empty! {
    NoToolCalls = "tool calls aren't supported";
    NoFunctionCall = "tool calls aren't supported";
    NoAudio = "audio isn't supported";
    NoImages = "images aren't supported";
    NoRefusal =
        "a refusal apart from the content isn't supported: give its text as \"content\"";
    NoThinking = "thinking apart from \"reasoning_content\" isn't supported";
}

schemas! {
    NoToolCalls => { "type": "array", "maxItems": 0 };
    NoFunctionCall => { "type": "null" };
    NoAudio => { "type": "null" };
    NoImages => { "type": "array", "maxItems": 0 };
    NoRefusal => { "const": "" };
    NoThinking => { "type": "array", "maxItems": 0 };
    Role => { "enum": [ASSISTANT, SPEAKERS[0], SPEAKERS[1], SPEAKERS[2]] };
}
