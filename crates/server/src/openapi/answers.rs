//! OpenAPI schemas of the responses, derived from the types in `answers`.

use schemars::{
    Schema,
    generate::{Contract, SchemaSettings},
    transform::RecursiveTransform,
};
use serde_json::{Map, Value};

use crate::answers::{
    ChatCompletion, Completion, Health, Models, ProblemBody, Rendered, Response, Text,
    TokenizerInfo, Tokens,
};

/// The bodies of the answers.
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
    generator.subschema_for::<Tokens>();
    generator.subschema_for::<Text>();
    generator.subschema_for::<Rendered>();
    generator.subschema_for::<TokenizerInfo>();
    generator.subschema_for::<ProblemBody>();
    generator.take_definitions(true)
}
