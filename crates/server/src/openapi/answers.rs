//! OpenAPI schemas of answers and of streams' events, derived from the types in `answers`,
//! `outputs` and `events`.

use schemars::{
    Schema,
    generate::{Contract, SchemaSettings},
    transform::RecursiveTransform,
};
use serde_json::{Map, Value};

use crate::{
    answers::{
        ChatCompletion, Completion, Decisions, Health, Models, ProblemBody, Rendered, Searched,
        Text, TokenizerInfo, Tokens,
    },
    events::{ChatChunk, ResponseEvent, SearchEvent, TextChunk},
    outputs::Response,
};

/// The bodies of the answers, and the events.
pub(super) fn schemas() -> Map<String, Value> {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.contract = Contract::Serialize;
    });
    // The width of a number in Rust is nothing to a client.
    let no_width = RecursiveTransform(|schema: &mut Schema| drop(schema.remove("format")));
    let mut generator = settings.with_transform(no_width).into_generator();
    generator.subschema_for::<Health>();
    generator.subschema_for::<Models>();
    generator.subschema_for::<Completion>();
    generator.subschema_for::<ChatCompletion>();
    generator.subschema_for::<Response>();
    generator.subschema_for::<TextChunk>();
    generator.subschema_for::<ChatChunk>();
    generator.subschema_for::<ResponseEvent>();
    generator.subschema_for::<Decisions>();
    generator.subschema_for::<Searched>();
    generator.subschema_for::<SearchEvent>();
    generator.subschema_for::<Tokens>();
    generator.subschema_for::<Text>();
    generator.subschema_for::<Rendered>();
    generator.subschema_for::<TokenizerInfo>();
    generator.subschema_for::<ProblemBody>();
    generator.take_definitions(true)
}
