//! Reads JSON objects into types, field by field. A field that no type has is refused by its name.
//!
//! `object!` declares a struct whose fields are the fields of a JSON object. The declaration gives
//! both the parser and the schema of the OpenAPI document.
//!
//! Requests don't use serde's derive, for three reasons. Its errors name neither the field nor the
//! value that was found. A struct with flattened parts can't deny unknown fields, and routes share
//! parts. Some bounds are known at run time only: the vocabulary, the texts that run at once.

use std::ops::RangeInclusive;

use kelvin_engine::TokenId;
pub(crate) use kelvin_views::shorten::shortened;
use serde_json::{Map, Value};

use super::problem::Problem;

/// The largest whole number below which every whole number is exact as an f64.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// Bounds of values that depend on the model and on the server's options.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) vocab_size: usize,
    /// Texts that run at once.
    pub(crate) n_texts: usize,
}

/// Where a value stands in a request, such as `messages[0].name`.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) name: String,
    pub(crate) bounds: Bounds,
}

impl Place {
    /// The place of an item of the list here.
    pub(crate) fn item(&self, i: usize) -> Place {
        Place { name: format!("{}[{i}]", self.name), bounds: self.bounds }
    }

    /// The fields of the object here.
    pub(crate) fn object(&self, value: Value, expected: &str) -> Result<Fields, Problem> {
        match value {
            Value::Object(left) => {
                Ok(Fields { left, place: self.name.clone(), bounds: self.bounds })
            }
            other => Err(self.wrong(&other, expected)),
        }
    }

    /// Reads the object here, which has the fields of `T` and no others.
    pub(crate) fn whole_object<T: Object>(
        &self,
        value: Value,
        expected: &str,
    ) -> Result<T, Problem> {
        let mut fields = self.object(value, expected)?;
        let read = T::take(&mut fields)?;
        fields.end()?;
        Ok(read)
    }

    /// The problem of a value of the wrong type, or out of its bounds.
    pub(crate) fn wrong(&self, found: &Value, expected: &str) -> Problem {
        wrong(&self.name, found, expected)
    }

    /// The problem of a value that Kelvin doesn't support.
    pub(crate) fn unsupported(&self, found: &Value, why: &str) -> Problem {
        let found = shortened(&found.to_string());
        let message = format!("\"{}\" is {found}, but {why}", self.name);
        Problem::parameter(&self.name, message).coded("unsupported_parameter")
    }

    /// The problem of a value that isn't there.
    pub(crate) fn missing(&self, expected: &str) -> Problem {
        let message = format!("\"{}\" is missing; it is {expected}", self.name);
        Problem::parameter(&self.name, message)
    }
}

/// A type that is read from a JSON value.
pub(crate) trait Param: Sized {
    /// Reads a value.
    fn read(value: Value, place: &Place) -> Result<Self, Problem>;

    /// What a field is that isn't there.
    fn absent(place: &Place) -> Result<Self, Problem> {
        Self::read(Value::Null, place)
    }

    /// What a field is that is null. Null counts as absent.
    fn null(place: &Place) -> Result<Self, Problem> {
        Self::absent(place)
    }
}

/// A type whose fields are fields of a JSON object: the whole object, or a part of it.
pub(crate) trait Object: Sized {
    /// Adds the names of the fields.
    fn names(names: &mut Vec<&'static str>);

    /// Takes the fields out of an object.
    fn take(fields: &mut Fields) -> Result<Self, Problem>;
}

/// Declares structs that are JSON objects, or parts of objects. Parts stand after the fields, with
/// two dots in front. Fields have the name of the JSON field; their documentation describes it.
macro_rules! object {
    ($($(#[$about:meta])* $vis:vis struct $name:ident {
        $($(#[$of_field:meta])* $field:ident: $type:ty,)*
        $(..$part:ident: $of_part:ty,)*
    })+) => {$(
        #[derive(Debug, schemars::JsonSchema)]
        #[allow(dead_code, reason = "a field may be checked and have no effect")]
        $(#[$about])*
        $vis struct $name {
            $($(#[$of_field])* $vis $field: $type,)*
            $(#[schemars(flatten)] $vis $part: $of_part,)*
        }

        impl $crate::fields::Object for $name {
            fn names(names: &mut Vec<&'static str>) {
                names.extend_from_slice(&[$(stringify!($field).trim_start_matches("r#"),)*]);
                $(<$of_part as $crate::fields::Object>::names(names);)*
            }

            fn take(
                fields: &mut $crate::fields::Fields,
            ) -> Result<Self, $crate::problem::Problem> {
                Ok($name {
                    $($field: fields.take(stringify!($field).trim_start_matches("r#"))?,)*
                    $($part: $crate::fields::Object::take(fields)?,)*
                })
            }
        }
    )+};
}
pub(crate) use object;

/// The fields of an object that haven't been taken yet.
#[derive(Debug)]
pub(crate) struct Fields {
    left: Map<String, Value>,
    /// The place of the object; empty for a request's body.
    place: String,
    bounds: Bounds,
}

impl Fields {
    /// Parses the JSON of a body.
    pub(crate) fn parse(bytes: &[u8], bounds: Bounds) -> Result<Fields, Problem> {
        match serde_json::from_slice(bytes) {
            Ok(Value::Object(left)) => Ok(Fields { left, place: String::new(), bounds }),
            Ok(_) => Err(Problem::request("the request's body is JSON, but not an object")),
            Err(error) => Err(Problem::request(format!("the request's body isn't JSON: {error}"))),
        }
    }

    /// Takes a field.
    pub(crate) fn take<T: Param>(&mut self, name: &str) -> Result<T, Problem> {
        let place = Place { name: self.place_of(name), bounds: self.bounds };
        match self.left.remove(name) {
            None => T::absent(&place),
            Some(Value::Null) => T::null(&place),
            Some(value) => T::read(value, &place),
        }
    }

    /// Takes a whole number in a range.
    pub(crate) fn whole(
        &mut self,
        name: &str,
        range: RangeInclusive<u64>,
    ) -> Result<Option<u64>, Problem> {
        let place = self.place_of(name);
        let value: Option<Value> = self.take(name)?;
        value.map(|value| whole(&value, &place, range)).transpose()
    }

    /// Takes a boolean; false if absent.
    pub(crate) fn flag(&mut self, name: &str) -> Result<bool, Problem> {
        Ok(self.take::<Option<bool>>(name)?.unwrap_or(false))
    }

    /// Refuses fields that are left.
    pub(crate) fn end(self) -> Result<(), Problem> {
        match self.left.iter().find(|(_, value)| !value.is_null()) {
            Some((name, _)) => Err(unknown(&self.place_of(name))),
            None => Ok(()),
        }
    }

    fn place_of(&self, name: &str) -> String {
        if self.place.is_empty() { name.to_string() } else { format!("{}.{name}", self.place) }
    }
}

/// Reads the body of a request. Fields that no type has are refused first.
pub(crate) fn request<T: Object>(bytes: &[u8], bounds: Bounds) -> Result<T, Problem> {
    let mut fields = Fields::parse(bytes, bounds)?;
    let mut names = Vec::new();
    T::names(&mut names);
    let is_unknown =
        |(name, value): &(&String, &Value)| !value.is_null() && !names.contains(&name.as_str());
    match fields.left.iter().find(is_unknown) {
        Some((name, _)) => Err(unknown(name)),
        None => T::take(&mut fields),
    }
}

/// The problem of an unknown field.
pub(crate) fn unknown(place: &str) -> Problem {
    let name = shortened(place);
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

/// The problem of a parameter of the wrong type or value.
pub(crate) fn wrong(name: &str, found: &Value, expected: &str) -> Problem {
    let found = shortened(&found.to_string());
    Problem::parameter(name, format!("\"{name}\" is {found}, but {expected} was expected"))
}

/// Reads a whole number. To JSON 64.0 and 1e3 are whole numbers as well.
pub(crate) fn whole(
    value: &Value,
    place: &str,
    range: RangeInclusive<u64>,
) -> Result<u64, Problem> {
    let is_whole = |number: &f64| number.fract() == 0.0 && (0.0..=MAX_EXACT).contains(number);
    let number =
        value.as_u64().or_else(|| value.as_f64().filter(is_whole).map(|number| number as u64));
    let expected = || format!("a whole number from {} to {}", range.start(), range.end());
    number.filter(|number| range.contains(number)).ok_or_else(|| wrong(place, value, &expected()))
}

/// Reads one token id.
pub(crate) fn token(item: &Value, place: &Place) -> Result<TokenId, Problem> {
    let vocab_size = place.bounds.vocab_size;
    let id = item.as_u64().filter(|&id| id < vocab_size as u64);
    let expected = || format!("a token id from 0 to {}", vocab_size - 1);
    Ok(TokenId(id.ok_or_else(|| place.wrong(item, &expected()))? as u32))
}

impl<T: Param> Param for Option<T> {
    fn read(value: Value, place: &Place) -> Result<Option<T>, Problem> {
        T::read(value, place).map(Some)
    }

    fn absent(_: &Place) -> Result<Option<T>, Problem> {
        Ok(None)
    }
}

impl Param for Value {
    fn read(value: Value, _: &Place) -> Result<Value, Problem> {
        Ok(value)
    }
}

impl Param for String {
    fn read(value: Value, place: &Place) -> Result<String, Problem> {
        match value {
            Value::String(text) => Ok(text),
            other => Err(place.wrong(&other, "a text")),
        }
    }
}

impl Param for bool {
    fn read(value: Value, place: &Place) -> Result<bool, Problem> {
        value.as_bool().ok_or_else(|| place.wrong(&value, "true or false"))
    }
}

impl Param for f64 {
    fn read(value: Value, place: &Place) -> Result<f64, Problem> {
        value.as_f64().ok_or_else(|| place.wrong(&value, "a number"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds { vocab_size: 10, n_texts: 4 };

    #[test]
    fn a_whole_number_is_one_however_it_is_written() {
        let read = |text: &str| {
            Fields::parse(format!("{{ \"n\": {text} }}").as_bytes(), BOUNDS)
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

    object! {
        /// An object with an object inside.
        struct Outer {
            /// A text.
            name: String,
            inner: Option<Value>,
            ..part: Part,
        }

        /// A part of an object.
        struct Part {
            r#type: Option<bool>,
        }
    }

    fn said(body: &str) -> Result<Outer, (String, String)> {
        request(body.as_bytes(), BOUNDS).map_err(|problem| {
            let error = problem.error();
            (error.param.unwrap_or_default(), error.message)
        })
    }

    #[test]
    fn an_object_has_its_fields_and_those_of_its_parts_and_no_others() {
        let read = said(r#"{ "name": "x", "type": true, "inner": null, "more": null }"#).unwrap();
        assert_eq!((&*read.name, read.inner, read.part.r#type), ("x", None, Some(true)));
        for (body, param, message) in [
            (r#"{ "more": 1 }"#, "more", "the parameter \"more\" isn't supported here"),
            (r#"{ "name": 3 }"#, "name", "\"name\" is 3, but a text was expected"),
            (r#"{}"#, "name", "\"name\" is null, but a text was expected"),
            (
                r#"{ "name": "x", "type": "y" }"#,
                "type",
                "\"type\" is \"y\", but true or false was expected",
            ),
        ] {
            assert_eq!(said(body).unwrap_err(), (param.to_string(), message.to_string()));
        }
    }
}
