//! Takes typed parameters out of a JSON body. A parameter that no parser has taken is an error that
//! names it.

use std::ops::RangeInclusive;

use kelvin_engine::TokenId;
pub(crate) use kelvin_views::shorten::shortened;
use serde_json::{Map, Value};

use super::{openapi, problem::Problem};

/// The largest whole number below which every whole number is exact as an f64.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// The parameters that haven't been taken yet. Null counts as absent.
#[derive(Debug)]
pub(crate) struct Fields {
    left: Map<String, Value>,
    /// The place of a nested field that the schema doesn't describe. Its reader may miss it.
    undescribed: Option<String>,
}

impl Fields {
    /// Parses the JSON of a body.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Fields, Problem> {
        match serde_json::from_slice(bytes) {
            Ok(Value::Object(map)) => Ok(Fields::of(map)),
            Ok(_) => Err(Problem::request("the request's body is JSON, but not an object")),
            Err(error) => Err(Problem::request(format!("the request's body isn't JSON: {error}"))),
        }
    }

    /// Parses the body of a route that the OpenAPI document describes as `schema`. Fields that the
    /// schema doesn't list are refused.
    pub(crate) fn described(bytes: &[u8], schema: &str) -> Result<Fields, Problem> {
        let mut fields = Fields::parse(bytes)?;
        match openapi::undescribed(schema, &fields.left) {
            Some(name) if fields.left.contains_key(&name) => Err(unknown(&name)),
            // Its reader may have more to say of it.
            inside => {
                fields.undescribed = inside;
                Ok(fields)
            }
        }
    }

    /// The fields of a nested object.
    pub(crate) fn of(map: Map<String, Value>) -> Fields {
        Fields { left: map, undescribed: None }
    }

    /// A parameter, without taking it.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.left.get(name)
    }

    /// Takes a parameter as JSON.
    pub(crate) fn take(&mut self, name: &str) -> Option<Value> {
        self.left.remove(name).filter(|value| !value.is_null())
    }

    /// Takes a number.
    pub(crate) fn number(&mut self, name: &str) -> Result<Option<f64>, Problem> {
        let Some(value) = self.take(name) else { return Ok(None) };
        value.as_f64().map(Some).ok_or_else(|| wrong(name, &value, "a number"))
    }

    /// Takes a whole number in a range.
    pub(crate) fn whole(
        &mut self,
        name: &str,
        range: RangeInclusive<u64>,
    ) -> Result<Option<u64>, Problem> {
        let Some(value) = self.take(name) else { return Ok(None) };
        // To JSON 64.0 and 1e3 are whole numbers as well.
        let is_whole = |number: &f64| number.fract() == 0.0 && (0.0..=MAX_EXACT).contains(number);
        let number =
            value.as_u64().or_else(|| value.as_f64().filter(is_whole).map(|number| number as u64));
        let number = number.filter(|number| range.contains(number));
        let expected = format!("a whole number from {} to {}", range.start(), range.end());
        number.map(Some).ok_or_else(|| wrong(name, &value, &expected))
    }

    /// Takes a boolean; false if absent.
    pub(crate) fn flag(&mut self, name: &str) -> Result<bool, Problem> {
        self.flag_or(name, false)
    }

    /// Takes a boolean with a default.
    pub(crate) fn flag_or(&mut self, name: &str, otherwise: bool) -> Result<bool, Problem> {
        let Some(value) = self.take(name) else { return Ok(otherwise) };
        value.as_bool().ok_or_else(|| wrong(name, &value, "true or false"))
    }

    /// Takes parameters that are accepted with certain values only.
    pub(crate) fn as_it_is(&mut self, table: &[(&str, &[&str])]) -> Result<(), Problem> {
        for (name, allowed) in table {
            let Some(value) = self.take(name) else { continue };
            let found = value.to_string();
            if !allowed.contains(&found.as_str()) {
                let (found, allowed) = (shortened(&found), allowed.join(" or "));
                let message = format!("\"{name}\" is {found}, but only {allowed} is supported");
                return Err(Problem::parameter(*name, message).coded("unsupported_parameter"));
            }
        }
        Ok(())
    }

    /// Takes a text.
    pub(crate) fn text(&mut self, name: &str) -> Result<Option<String>, Problem> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(value) => Err(wrong(name, &value, "a text")),
        }
    }

    /// Takes a list of token ids of a vocabulary.
    pub(crate) fn tokens(
        &mut self,
        name: &str,
        vocab_size: usize,
    ) -> Result<Option<Vec<TokenId>>, Problem> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let Value::Array(items) = &value else {
            return Err(wrong(name, &value, "a list of token ids"));
        };
        items.iter().map(|item| token(name, item, vocab_size)).collect::<Result<_, _>>().map(Some)
    }

    /// Refuses parameters that are left, and nested fields that the schema doesn't describe.
    pub(crate) fn end(self) -> Result<(), Problem> {
        match self.left.into_iter().find(|(_, value)| !value.is_null()) {
            Some((name, _)) => Err(unknown(&name)),
            None => self.undescribed.map_or(Ok(()), |place| Err(unknown(&place))),
        }
    }
}

/// The problem of an unknown parameter.
fn unknown(name: &str) -> Problem {
    let name = shortened(name);
    // Servers that others know take these under names of their own.
    let instead = match name.as_str() {
        "guided_json" | "guided_regex" | "guided_choice" | "guided_grammar" => {
            "; \"structured_outputs\" does that"
        }
        _ => "",
    };
    let message = format!("the parameter \"{name}\" isn't supported here{instead}");
    Problem::parameter(name, message).coded("unsupported_parameter")
}

/// Reads one token id.
pub(crate) fn token(name: &str, item: &Value, vocab_size: usize) -> Result<TokenId, Problem> {
    let id = item.as_u64().filter(|&id| id < vocab_size as u64);
    let id =
        id.ok_or_else(|| wrong(name, item, &format!("a token id from 0 to {}", vocab_size - 1)))?;
    Ok(TokenId(id as u32))
}

/// The problem of a parameter of the wrong type or value.
pub(crate) fn wrong(name: &str, found: &Value, expected: &str) -> Problem {
    let found = shortened(&found.to_string());
    Problem::parameter(name, format!("\"{name}\" is {found}, but {expected} was expected"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_number_is_one_however_it_is_written() {
        let read = |text: &str| {
            Fields::parse(format!("{{ \"n\": {text} }}").as_bytes())
                .unwrap()
                .whole("n", 0..=u64::MAX)
        };
        for (text, number) in
            [("64", 64), ("64.0", 64), ("1e3", 1000), ("18446744073709551615", u64::MAX)]
        {
            assert_eq!(read(text).ok(), Some(Some(number)), "{text}");
        }
        for text in ["64.5", "-1", "-1.0", "1e18", "1e300", "\"64\"", "true", "[64]"] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_not_described_is_refused_though_somebody_would_take_it() {
        let refused =
            |body: &str, schema| Fields::described(body.as_bytes(), schema).err().map(|p| p.body());
        assert_eq!(
            refused(r#"{ "prompt": "x", "top_k": 4, "guided_json": null }"#, "CompletionRequest"),
            None
        );
        // What other routes have.
        for (name, schema) in [
            ("messages", "CompletionRequest"),
            ("prompt", "ChatRequest"),
            ("n", "ResponseRequest"),
            ("prompt_logprobs", "ResponseRequest"),
            ("guided_json", "ChatRequest"),
            ("prompt", "DetokenizeRequest"),
            ("prompt", "NoSuchRequest"),
        ] {
            let body = refused(&format!(r#"{{ "{name}": 1 }}"#), schema).unwrap();
            assert_eq!(
                (&body["error"]["param"], &body["error"]["code"]),
                (&name.into(), &"unsupported_parameter".into())
            );
        }
    }
}
