//! The filters of templates that write HTML or addresses of the web.

use std::fmt::Write;

use super::{
    args::Args,
    machine::{Failure, Machine, Res},
    text::{Builder, Text, escape, is_space},
    value::Value,
};

/// Named entities that `striptags` turns into characters.
const ENTITIES: [(&str, &str); 6] =
    [("lt", "<"), ("gt", ">"), ("quot", "\""), ("apos", "'"), ("nbsp", "\u{a0}"), ("amp", "&")];

/// The text without comments and tags, with single spaces, and characters for entities.
pub(super) fn without_tags(text: &Text) -> Text {
    let text = without(&without(text, "<!--", "-->"), "<", ">");
    let mut words = Builder::default();
    let whole = text.as_str();
    let mut done = 0;
    while let Some(start) = whole[done..].find(|c| !is_space(c)).map(|at| done + at) {
        let end = whole[start..].find(is_space).map_or(whole.len(), |at| start + at);
        words.push_str(if words.len() > 0 { " " } else { "" });
        words.push_slice(&text, start..end);
        done = end;
    }
    words.finish().map(unescaped).markup()
}

/// The text without the parts from `open` to `close`.
fn without(text: &Text, open: &str, close: &str) -> Text {
    let (whole, mut out, mut done) = (text.as_str(), Builder::default(), 0);
    while let Some(start) = whole[done..].find(open).map(|at| done + at) {
        let Some(end) = whole[start..].find(close) else { break };
        out.push_slice(text, done..start);
        done = start + end + close.len();
    }
    out.push_slice(text, done..text.len());
    out.finish()
}

fn unescaped(text: &str) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some(at) = rest.find('&') {
        out += &rest[..at];
        rest = &rest[at..];
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '#';
        let name = rest[1..].split(|c| !is_name(c)).next().unwrap_or_default();
        let found = rest[1 + name.len()..].starts_with(';').then(|| entity(name)).flatten();
        match found {
            Some(text) => {
                out += &text;
                rest = &rest[name.len() + 2..];
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out + rest
}

fn entity(name: &str) -> Option<String> {
    let number = match name.strip_prefix('#') {
        Some(digits) => match digits.strip_prefix(['x', 'X']) {
            Some(digits) => u32::from_str_radix(digits, 16).ok()?,
            None => digits.parse().ok()?,
        },
        None => {
            let known = ENTITIES.iter().find(|(known, _)| *known == name);
            return known.map(|(_, text)| (*text).to_string());
        }
    };
    char::from_u32(number).map(String::from)
}

/// The text as part of an address; in a query (`a=b`) slashes are written as numbers as well, and
/// spaces as `+`.
fn quoted(text: &str, in_query: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for b in text.bytes() {
        match b {
            b' ' if in_query => out.push('+'),
            b'/' if in_query => out += "%2F",
            b'/' | b'_' | b'.' | b'-' | b'~' => out.push(b.into()),
            b if b.is_ascii_alphanumeric() => out.push(b.into()),
            b => write!(out, "%{b:02X}").expect("strings take all text"),
        }
    }
    out
}

impl Machine<'_> {
    pub(super) fn web_filter(&mut self, name: &str, value: &Value, args: Args) -> Res<Value> {
        match name {
            "urlencode" => {
                let [] = args.bind(name, [])?;
                self.url_encoded(value).map(Value::Text)
            }
            _ => {
                let [space] = args.bind(name, ["autospace"])?;
                let space = space.is_none_or(|space| space.is_true());
                self.attributes(value, space).map(Value::Text)
            }
        }
    }

    fn url_encoded(&mut self, value: &Value) -> Res<Text> {
        let pairs = match value {
            Value::Dict(dict) => super::access::pairs(&dict.entries)?,
            Value::Seq(_) | Value::Undefined(_) => self.iterate(value)?,
            other => {
                let text = self.text_of(other)?;
                self.spend_bytes(3 * text.len())?;
                return Ok(text.map(|piece| quoted(piece, false)));
            }
        };
        let mut out = Builder::default();
        for pair in pairs {
            let Ok(pair) = <[Value; 2]>::try_from(self.iterate(&pair)?) else {
                return Err(Failure::new("urlencode takes pairs of values"));
            };
            out.push_str(if out.len() > 0 { "&" } else { "" });
            for (part, between) in pair.iter().zip(["=", ""]) {
                let text = self.text_of(part)?;
                self.spend_bytes(3 * text.len())?;
                out.push_text(&text.map(|piece| quoted(piece, true)));
                out.push_str(between);
            }
        }
        Ok(out.finish())
    }

    /// The entries of a dict as attributes of a tag.
    fn attributes(&mut self, value: &Value, space: bool) -> Res<Text> {
        let Value::Dict(dict) = value else { return Err(Failure::new("xmlattr takes a dict")) };
        let mut out = Builder::default();
        for (name, value) in &dict.entries {
            if matches!(value, Value::None | Value::Undefined(_)) {
                continue;
            }
            let (name, value) = (self.text_of(name)?, self.text_of(value)?);
            if name.as_str().contains(|c: char| is_space(c) || "/>=".contains(c)) {
                let message = format!("no name of an attribute: {:?}", name.as_str());
                return Err(Failure::new(message));
            }
            self.spend_bytes(6 * (name.len() + value.len()))?;
            out.push_str(if space || out.len() > 0 { " " } else { "" });
            out.push_text(&name.map(escape));
            out.push_str("=\"");
            out.push_text(&value.map(escape));
            out.push_str("\"");
        }
        Ok(out.finish())
    }
}
