//! A template's value in, its text out, paid for while it's written: a list that holds the same long text or list many
//! times is small in memory and immense as text, and the engine itself takes payment only for what is finished.

use std::fmt::{self, Write};

use minijinja::{
    Error, ErrorKind, State, Value,
    value::{Kwargs, Rest, ValueKind},
};

/// Digits of a width or precision in a format: four of them pad with 10 KB.
const MAX_WIDTH_DIGITS: usize = 4;

/// Values within values: the engine compares and prints them by calling itself.
const MAX_DEPTH: usize = 50;
/// One fuel pays for this many bytes of text in a list: fewer than elsewhere, because a list is easily joined to itself.
const BYTES_PER_FUEL: usize = 8;

/// Takes fuel for the text of `value`, which isn't kept.
pub(super) fn pay(state: &State<'_, '_>, value: &Value) -> Result<(), Error> {
    if matches!(value.kind(), ValueKind::Seq | ValueKind::Map | ValueKind::Iterable | ValueKind::Plain) {
        let mut meter = Meter { state, unpaid: 0, failure: None };
        let written = write!(meter, "{value}");
        match meter.failure {
            Some(error) => return Err(error),
            None if written.is_err() => {
                return Err(Error::new(ErrorKind::InvalidOperation, "the value has no text"));
            }
            None => {}
        }
    }
    Ok(())
}

/// Counts what is written to it, takes fuel for it, and fails when there is none.
struct Meter<'a, 'b, 'c> {
    state: &'a State<'b, 'c>,
    /// Bytes written since the last payment.
    unpaid: usize,
    failure: Option<Error>,
}

impl Write for Meter<'_, '_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // Some bytes for each piece, so that empty pieces aren't free.
        self.unpaid += text.len() + 4;
        if self.unpaid >= 64 {
            if let Err(error) = self.state.consume_fuel((self.unpaid / 64) as u64) {
                self.failure = Some(error);
                return Err(fmt::Error);
            }
            self.unpaid %= 64;
        }
        Ok(())
    }
}

/// The filter `join(separator='', attribute=None)`.
pub(super) fn join(
    state: &State<'_, '_>,
    value: &Value,
    separator: Option<&str>,
    kwargs: Kwargs,
) -> Result<Value, Error> {
    let separator = match separator {
        Some(text) => text,
        None => kwargs.get::<Option<&str>>("d")?.unwrap_or(""),
    };
    let attribute: Option<&str> = kwargs.get("attribute")?;
    kwargs.assert_all_used()?;
    let mut out = String::new();
    if value.is_undefined() {
        return Ok(Value::from(out));
    }
    for (n, item) in value.try_iter()?.enumerate() {
        let item = match attribute {
            Some(name) => item.get_attr(name)?,
            None => item,
        };
        if n > 0 {
            out += separator;
        }
        pay(state, &item)?;
        let before = out.len();
        match item.as_str() {
            Some(text) => out += text,
            None => out += &item.to_string(),
        }
        state.consume_fuel(1 + ((out.len() - before + separator.len()) / 64) as u64)?;
    }
    Ok(Value::from(out))
}

/// The filter `string`.
pub(super) fn string(state: &State<'_, '_>, value: &Value) -> Result<Value, Error> {
    pay(state, value)?;
    Ok(match value.kind() {
        ValueKind::String => value.clone(),
        _ => Value::from(value.to_string()),
    })
}

/// The filter `format`, as Python's `%`.
pub(super) fn format(state: &mut State<'_, '_>, text: &str, args: Rest<Value>) -> Result<Value, Error> {
    check_widths(text)?;
    for value in args.iter() {
        pay(state, value)?;
    }
    minijinja::formatting::format(minijinja::formatting::FormatStyle::Printf, text, &args).map(Value::from)
}

/// Refuses a format that would pad to more than any prompt needs.
pub(super) fn check_widths(format: &str) -> Result<(), Error> {
    let longest = format.split(|c: char| !c.is_ascii_digit()).map(str::len).max().unwrap_or(0);
    let flags_end = |spec: &str| spec.find(|c| !"#0- +.123456789".contains(c)).unwrap_or(spec.len());
    let variable = format.split('%').skip(1).any(|spec| spec[flags_end(spec)..].starts_with('*'));
    if longest > MAX_WIDTH_DIGITS || variable {
        let message = "a format with a width or precision of five digits or more, or of a variable";
        return Err(Error::new(ErrorKind::InvalidOperation, message));
    }
    Ok(())
}

/// The function `METER` of `limits`: takes fuel for all that its arguments lead to, and gives them back.
pub(super) fn metered(state: &State<'_, '_>, args: Rest<Value>) -> Result<Value, Error> {
    for value in args.iter() {
        pay_deep(state, value, 0)?;
    }
    // `set a, b = 1, 2` has two.
    Ok(if let [value] = args.as_slice() { value.clone() } else { args.iter().cloned().collect() })
}

/// The function `STORE` of `limits`: the same for what is stored in a namespace.
pub(super) fn stored(state: &State<'_, '_>, args: Rest<Value>) -> Result<Value, Error> {
    for value in args.iter() {
        pay_deep(state, value, 1)?;
    }
    metered(state, args)
}

/// A namespace of the engine's: the only value that can change, and so come to hold itself.
fn is_namespace(value: &Value) -> bool {
    value.as_object().is_some_and(|object| object.type_name().contains("Namespace"))
}

fn pay_deep(state: &State<'_, '_>, value: &Value, depth: usize) -> Result<(), Error> {
    let refuse = |message| Err(Error::new(ErrorKind::InvalidOperation, message));
    match value.kind() {
        ValueKind::String if depth > 0 => {
            state.consume_fuel(1 + (value.as_str().map_or(0, str::len) / BYTES_PER_FUEL) as u64)
        }
        ValueKind::Seq | ValueKind::Map | ValueKind::Iterable => {
            if is_namespace(value) {
                // By itself it may have a second name; what it holds was paid for when it was stored.
                return if depth == 0 {
                    Ok(())
                } else {
                    refuse("a namespace can't be put into another value")
                };
            }
            if depth > MAX_DEPTH {
                return refuse("a value nests too deeply");
            }
            state.consume_fuel(1)?;
            for item in value.try_iter()? {
                if value.kind() == ValueKind::Map {
                    pay_deep(state, &value.get_item(&item)?, depth + 1)?;
                }
                pay_deep(state, &item, depth + 1)?;
            }
            Ok(())
        }
        _ => state.consume_fuel(1),
    }
}
