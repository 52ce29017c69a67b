//! The bytes of a request in, its parameters one by one out: what nobody has asked for at the end is an error that names it.

use std::ops::RangeInclusive;

use axum::body::{Body, to_bytes};
use axum::http::StatusCode;
use kelvin_engine::TokenId;
use serde_json::{Map, Value};
use std::time::Duration;

use super::{openapi, problem::Problem};

/// The longest body that is read, in bytes.
pub(crate) const MOST_BYTES: usize = 4 << 20;

/// Reads a body within its limits of size and time.
pub(crate) async fn read_body(body: Body, patience: Duration) -> Result<Vec<u8>, Problem> {
    match tokio::time::timeout(patience, to_bytes(body, MOST_BYTES)).await {
        Ok(Ok(bytes)) => Ok(bytes.to_vec()),
        Ok(Err(error)) if is_too_long(&error) => Err(Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "invalid_request_error",
            "request_too_large",
            format!("the request's body is longer than {MOST_BYTES} bytes, the most that is read"),
        )),
        Ok(Err(error)) => Err(Problem::request(format!("the request's body can't be read: {error}"))),
        Err(_) => Err(Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "invalid_request_error",
            "request_timeout",
            format!("the request's body didn't arrive within {} s", patience.as_secs()),
        )),
    }
}

fn is_too_long(error: &axum::Error) -> bool {
    let mut cause = Some(error as &(dyn std::error::Error + 'static));
    while let Some(one) = cause {
        if one.is::<http_body_util::LengthLimitError>() {
            return true;
        }
        cause = one.source();
    }
    false
}

/// The parameters that haven't been asked for yet; null counts as absent.
#[derive(Debug)]
pub(crate) struct Fields(Map<String, Value>);

impl Fields {
    /// From the JSON of a body.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Fields, Problem> {
        match serde_json::from_slice(bytes) {
            Ok(Value::Object(map)) => Ok(Fields(map)),
            Ok(_) => Err(Problem::request("the request's body is JSON, but not an object")),
            Err(error) => Err(Problem::request(format!("the request's body isn't JSON: {error}"))),
        }
    }

    /// The same of a route whose body the API's document describes as `schema`: what isn't in it is refused, so that nothing is taken
    /// which isn't described.
    pub(crate) fn described(bytes: &[u8], schema: &str) -> Result<Fields, Problem> {
        let fields = Fields::parse(bytes)?;
        let known = openapi::parameters(schema);
        match fields.0.iter().find(|(name, value)| !value.is_null() && !known.contains(*name)) {
            None => Ok(fields),
            Some((name, _)) => Err(unknown(name)),
        }
    }

    /// The same for an object inside of one.
    pub(crate) fn of(map: Map<String, Value>) -> Fields {
        Fields(map)
    }

    /// A parameter that stays where it is.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// A parameter as it stands.
    pub(crate) fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name).filter(|value| !value.is_null())
    }

    /// A number.
    pub(crate) fn number(&mut self, name: &str) -> Result<Option<f64>, Problem> {
        let Some(value) = self.take(name) else { return Ok(None) };
        value.as_f64().map(Some).ok_or_else(|| wrong(name, &value, "a number"))
    }

    /// A whole number in a range.
    pub(crate) fn whole(&mut self, name: &str, range: RangeInclusive<u64>) -> Result<Option<u64>, Problem> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let number = value.as_u64().filter(|number| range.contains(number));
        let expected = format!("a whole number from {} to {}", range.start(), range.end());
        number.map(Some).ok_or_else(|| wrong(name, &value, &expected))
    }

    /// True or false; false if absent.
    pub(crate) fn flag(&mut self, name: &str) -> Result<bool, Problem> {
        self.flag_or(name, false)
    }

    /// True or false.
    pub(crate) fn flag_or(&mut self, name: &str, otherwise: bool) -> Result<bool, Problem> {
        let Some(value) = self.take(name) else { return Ok(otherwise) };
        value.as_bool().ok_or_else(|| wrong(name, &value, "true or false"))
    }

    /// A text.
    pub(crate) fn text(&mut self, name: &str) -> Result<Option<String>, Problem> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(value) => Err(wrong(name, &value, "a text")),
        }
    }

    /// A list of token ids of a vocabulary.
    pub(crate) fn tokens(&mut self, name: &str, vocab_size: usize) -> Result<Option<Vec<TokenId>>, Problem> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let Value::Array(items) = &value else { return Err(wrong(name, &value, "a list of token ids")) };
        items.iter().map(|item| token(name, item, vocab_size)).collect::<Result<_, _>>().map(Some)
    }

    /// Nothing may be left.
    pub(crate) fn end(self) -> Result<(), Problem> {
        match self.0.into_iter().find(|(_, value)| !value.is_null()) {
            None => Ok(()),
            Some((name, _)) => Err(unknown(&name)),
        }
    }
}

/// A parameter that there isn't.
fn unknown(name: &str) -> Problem {
    let name = shortened(name);
    let message = format!("the parameter \"{name}\" isn't supported here");
    Problem::parameter(name, message).coded("unsupported_parameter")
}

/// One token id.
pub(crate) fn token(name: &str, item: &Value, vocab_size: usize) -> Result<TokenId, Problem> {
    let id = item.as_u64().filter(|&id| id < vocab_size as u64);
    let id = id.ok_or_else(|| wrong(name, item, &format!("token ids from 0 to {}", vocab_size - 1)))?;
    Ok(TokenId(id as u32))
}

/// A parameter of another kind than it should be.
pub(crate) fn wrong(name: &str, found: &Value, expected: &str) -> Problem {
    let found = shortened(&found.to_string());
    Problem::parameter(name, format!("\"{name}\" is {found}, but {expected} was expected"))
}

/// Enough of a client's own words to know them by.
pub(crate) fn shortened(text: &str) -> String {
    if text.chars().count() <= 80 {
        text.to_string()
    } else {
        text.chars().take(80).collect::<String>() + "…"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_described_is_refused_though_somebody_would_take_it() {
        let refused = |body: &str, schema| Fields::described(body.as_bytes(), schema).err().map(|p| p.body());
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
