//! Methods of Python's `str` that take no arguments: they change the case of letters, or say what
//! kind of characters a text has.

use super::{
    show::is_printable,
    text::{Builder, Text, is_space},
    value::Value,
};

/// Python's `str.capitalize`.
pub(super) fn capitalize(text: &Text) -> Text {
    change_chars(text, |at_start, c| if at_start { upper(c) } else { lower(c) }, |_, _| false)
}

fn upper(c: char) -> String {
    c.to_uppercase().collect()
}

fn lower(c: char) -> String {
    c.to_lowercase().collect()
}

/// Changes each character. `change` gets whether the character begins a word, which
/// `starts(before, c)` decides. The start of the text begins a word.
pub(super) fn change_chars(
    text: &Text,
    change: impl Fn(bool, char) -> String,
    starts: impl Fn(char, char) -> bool,
) -> Text {
    let mut out = Builder::default();
    let mut before = None;
    for (piece, is_user) in text.pieces() {
        let mut changed = String::with_capacity(piece.len());
        for c in piece.chars() {
            changed += &change(before.is_none_or(|before| starts(before, c)), c);
            before = Some(c);
        }
        out.push(&changed, is_user);
    }
    out.finish()
}

/// Python's `str.title`.
fn title(text: &Text) -> Text {
    change_chars(
        text,
        |at_start, c| if at_start { upper(c) } else { lower(c) },
        |before, _| !before.is_alphabetic(),
    )
}

/// What the method `name` gives for a text; none if there is no such method.
pub(super) fn of_letters(text: &Text, name: &str) -> Option<Value> {
    let whole = text.as_str();
    let all = |test: fn(char) -> bool| !whole.is_empty() && whole.chars().all(test);
    Some(match name {
        "lower" => Value::Text(text.map(str::to_lowercase)),
        "casefold" => Value::Text(text.map(|piece| piece.to_lowercase().replace('ß', "ss"))),
        "upper" => Value::Text(text.map(str::to_uppercase)),
        "capitalize" => Value::Text(capitalize(text)),
        "title" => Value::Text(title(text)),
        "swapcase" => Value::Text(change_chars(
            text,
            |_, c| if c.is_uppercase() { lower(c) } else { upper(c) },
            |_, _| false,
        )),
        "isalnum" => Value::Bool(all(char::is_alphanumeric)),
        "isalpha" => Value::Bool(all(char::is_alphabetic)),
        "isascii" => Value::Bool(whole.is_ascii()),
        "isdecimal" | "isdigit" | "isnumeric" => Value::Bool(all(char::is_numeric)),
        "isidentifier" => Value::Bool(
            all(|c| c.is_alphanumeric() || c == '_')
                && !whole.starts_with(|c: char| c.is_numeric()),
        ),
        "islower" => Value::Bool(is_case(whole, char::is_lowercase, char::is_uppercase)),
        "isupper" => Value::Bool(is_case(whole, char::is_uppercase, char::is_lowercase)),
        "isprintable" => Value::Bool(whole.chars().all(is_printable)),
        "isspace" => Value::Bool(all(is_space)),
        "istitle" => {
            Value::Bool(whole.chars().any(char::is_alphabetic) && title(text).as_str() == whole)
        }
        _ => return None,
    })
}

fn is_case(text: &str, is: fn(char) -> bool, is_other: fn(char) -> bool) -> bool {
    text.chars().any(is) && !text.chars().any(is_other)
}
