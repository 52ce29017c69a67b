//! The fields that become a stage of the chain. They are made from the table of stages.

use std::borrow::Cow;

use kelvin_sampling::{Field, FieldKind, STAGES, StageInfo};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use crate::{
    fields::{Fields, Object},
    problem::Problem,
};

/// The numbers of a request that become stages, in the order in which fields are listed.
#[derive(Debug)]
pub(crate) struct StageFields(pub(crate) Vec<(&'static StageInfo, Field, f64)>);

impl StageFields {
    /// The number of a field.
    pub(crate) fn get(&self, name: &str) -> Option<f64> {
        let StageFields(all) = self;
        all.iter().find(|(_, field, _)| field.name == name).map(|&(_, _, value)| value)
    }
}

impl Object for StageFields {
    fn names(names: &mut Vec<&'static str>) {
        names.extend(all().iter().map(|(_, field)| field.name));
    }

    fn take(fields: &mut Fields) -> Result<StageFields, Problem> {
        let one = |(info, field): (&'static StageInfo, Field)| {
            let value: Option<f64> = fields.take(field.name)?;
            Ok(value.map(|value| (info, field, value)))
        };
        all().into_iter().map(one).filter_map(Result::transpose).collect::<Result<_, _>>().map(Self)
    }
}

impl JsonSchema for StageFields {
    fn schema_name() -> Cow<'static, str> {
        "StageFields".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let all = all();
        let properties: Map<String, Value> =
            all.iter().map(|(_, field)| (field.name.to_string(), schema(field))).collect();
        json_schema!({ "type": "object", "properties": properties })
    }
}

/// The fields that take a number, from the table of stages.
fn all() -> Vec<(&'static StageInfo, Field)> {
    let number = |field: &Field| field.kind != FieldKind::Own;
    let with_field = |info: &'static StageInfo| Some((info, info.field.filter(number)?));
    let mut fields: Vec<_> = STAGES.iter().filter_map(with_field).collect();
    fields.sort_by_key(|(info, _)| info.listing_order());
    fields
}

/// The numbers that the field of a stage takes.
fn schema(field: &Field) -> Value {
    let kind = if field.kind == FieldKind::Whole { "integer" } else { "number" };
    let mut schema = Map::from_iter([("type".to_string(), json!([kind, "null"]))]);
    let (low, high) = field.range.open;
    let ends = [
        (if low { "exclusiveMinimum" } else { "minimum" }, field.range.low),
        (if high { "exclusiveMaximum" } else { "maximum" }, field.range.high),
    ];
    for (name, end) in ends.into_iter().filter(|(_, end)| end.is_finite()) {
        let end = if end.fract() == 0.0 { json!(end as i64) } else { json!(end) };
        schema.insert(name.to_string(), end);
    }
    if !field.remark.is_empty() {
        schema.insert("description".to_string(), json!(field.remark));
    }
    Value::Object(schema)
}

#[cfg(test)]
mod tests {
    use kelvin_sampling::Range;

    use super::*;

    #[test]
    fn the_schema_of_a_field_has_the_bounds_of_its_stage() {
        let made_up = Field { remark: "A test.", ..Field::number("x", Range::below(0.5, 9.0)) };
        let expected = json!({
            "type": ["number", "null"],
            "minimum": 0.5,
            "exclusiveMaximum": 9,
            "description": "A test.",
        });
        assert_eq!(schema(&made_up), expected);
    }
}
