//! Text representations of values: Python's `str`, `repr` and `json.dumps`. Models were trained on
//! prompts with exactly these spaces and quotes.

use super::{
    args::Args,
    machine::{BYTES_PER_FUEL, Failure, Machine, Res},
    text::{Builder, Text},
    value::{Callable, Kind, Value},
};

/// Options of `tojson`.
struct Style {
    indent: Option<String>,
    comma: String,
    colon: String,
    sort_keys: bool,
    ensure_ascii: bool,
}

/// A JSON or Python text under construction, and the length that fuel was charged for.
#[derive(Default)]
struct Writer {
    out: Builder,
    paid: usize,
}

/// What is called, as it's printed.
fn name_of(callable: &Callable) -> String {
    match callable {
        Callable::Global(name) => format!("<function {name}>"),
        Callable::Method(_, name) => format!("<method {name}>"),
        Callable::Macro(_) => "<Macro>".to_string(),
        Callable::Joiner(..) => "<Joiner>".to_string(),
        Callable::Cycler(..) => "<Cycler>".to_string(),
    }
}

impl Machine<'_> {
    /// Python's `str(value)`.
    pub(super) fn text_of(&mut self, value: &Value) -> Res<Text> {
        if let Value::Text(text) = value {
            return Ok(text.clone());
        }
        let mut writer = Writer::default();
        self.write(value, &mut writer, false)?;
        self.pay(&mut writer)?;
        Ok(writer.out.finish())
    }

    pub(super) fn repr(&mut self, value: &Value) -> Res<Text> {
        let mut writer = Writer::default();
        self.write(value, &mut writer, true)?;
        self.pay(&mut writer)?;
        Ok(writer.out.finish())
    }

    /// Charges fuel for what was written since the last call.
    fn pay(&mut self, writer: &mut Writer) -> Res<()> {
        self.spend(1 + (writer.out.len() - writer.paid) / (BYTES_PER_FUEL / 8))?;
        writer.paid = writer.out.len();
        Ok(())
    }

    fn write(&mut self, value: &Value, writer: &mut Writer, in_repr: bool) -> Res<()> {
        self.pay(writer)?;
        let out = &mut writer.out;
        match value {
            Value::Undefined(_) if in_repr => out.push_str("Undefined"),
            Value::Undefined(_) => {}
            Value::None => out.push_str("None"),
            Value::Bool(true) => out.push_str("True"),
            Value::Bool(false) => out.push_str("False"),
            Value::Int(n) => out.push_str(&n.to_string()),
            Value::Float(x) => out.push_str(&float(*x)),
            Value::Text(text) if in_repr && text.is_markup() => {
                out.push_str("Markup(");
                quote(text, out);
                out.push_str(")");
            }
            Value::Text(text) if in_repr => quote(text, out),
            Value::Text(text) => out.push_text(text),
            Value::Seq(seq) => {
                let (open, close) = match (seq.kind, &*seq.items) {
                    (Kind::List, _) => ("[", "]"),
                    (Kind::Tuple | Kind::Group, [_]) => ("(", ",)"),
                    (Kind::Tuple | Kind::Group, _) => ("(", ")"),
                    (Kind::Range, items) => {
                        out.push_str(&range(items));
                        return Ok(());
                    }
                    (Kind::View(name), _) => {
                        out.push_str(name);
                        ("([", "])")
                    }
                    (Kind::Generator, _) => {
                        out.push_str("<generator object>");
                        return Ok(());
                    }
                };
                out.push_str(open);
                for (i, item) in seq.items.iter().enumerate() {
                    if i > 0 {
                        writer.out.push_str(", ");
                    }
                    self.write(item, writer, true)?;
                }
                writer.out.push_str(close);
            }
            Value::Dict(dict) => {
                out.push_str("{");
                for (i, (key, value)) in dict.entries.iter().enumerate() {
                    if i > 0 {
                        writer.out.push_str(", ");
                    }
                    self.write(key, writer, true)?;
                    writer.out.push_str(": ");
                    self.write(value, writer, true)?;
                }
                writer.out.push_str("}");
            }
            Value::Namespace(space) => {
                out.push_str("<Namespace {");
                for (i, (name, value)) in space.borrow().iter().enumerate() {
                    writer.out.push_str(if i > 0 { ", " } else { "" });
                    quote(&Text::frame(name), &mut writer.out);
                    writer.out.push_str(": ");
                    self.write(value, writer, true)?;
                }
                writer.out.push_str("}>");
            }
            Value::Loop(state) => {
                let (at, n) = (state.at.get() + 1, state.items.len());
                out.push_str(&format!("<LoopContext {at}/{n}>"));
            }
            Value::Callable(callable) => out.push_str(&name_of(callable)),
        }
        Ok(())
    }

    /// The filter `tojson(ensure_ascii=False, indent=None, separators=None, sort_keys=False)`.
    pub(super) fn json(&mut self, value: &Value, args: Args) -> Res<Value> {
        let names = ["ensure_ascii", "indent", "separators", "sort_keys"];
        let [ensure_ascii, indent, separators, sort_keys] = args.bind("tojson", names)?;
        let indent = match indent {
            None | Some(Value::None) => None,
            Some(Value::Text(text)) if text.len() <= 16 => Some(text.as_str().to_owned()),
            Some(other) => {
                let n = other.as_int().filter(|n| *n <= 16);
                let n = n.ok_or_else(|| Failure::new("tojson: indent must be 16 or less"))?;
                Some(" ".repeat(usize::try_from(n).unwrap_or(0)))
            }
        };
        let (comma, colon) = match separators {
            None | Some(Value::None) => {
                // json.dumps ends its lines without a space where it indents.
                (if indent.is_some() { "," } else { ", " }.to_owned(), ": ".to_owned())
            }
            Some(pair) => {
                let parts = self.iterate(&pair)?;
                let [Value::Text(comma), Value::Text(colon)] = &*parts else {
                    return Err(Failure::new("tojson: separators must be two texts"));
                };
                self.spend_bytes(comma.len() + colon.len())?;
                (comma.as_str().to_owned(), colon.as_str().to_owned())
            }
        };
        let is_true = |flag: Option<Value>| flag.is_some_and(|flag| flag.is_true());
        let (sort_keys, ensure_ascii) = (is_true(sort_keys), is_true(ensure_ascii));
        let style = Style { indent, comma, colon, sort_keys, ensure_ascii };
        let mut writer = Writer::default();
        self.write_json(value, &style, 0, &mut writer)?;
        self.pay(&mut writer)?;
        Ok(Value::Text(writer.out.finish()))
    }

    fn write_json(
        &mut self,
        value: &Value,
        style: &Style,
        depth: usize,
        writer: &mut Writer,
    ) -> Res<()> {
        self.pay(writer)?;
        let line = |out: &mut Builder, depth: usize| {
            if let Some(indent) = &style.indent {
                out.push_str("\n");
                for _ in 0..depth {
                    out.push_str(indent);
                }
            }
        };
        let out = &mut writer.out;
        match value {
            Value::None => out.push_str("null"),
            Value::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
            Value::Int(n) => out.push_str(&n.to_string()),
            Value::Float(x) => out.push_str(&json_float(*x)),
            Value::Text(text) => json_text(text, style.ensure_ascii, out),
            Value::Seq(seq) if seq.is_list_or_tuple() => {
                out.push_str("[");
                for (i, item) in seq.items.iter().enumerate() {
                    if i > 0 {
                        writer.out.push_str(&style.comma);
                    }
                    line(&mut writer.out, depth + 1);
                    self.write_json(item, style, depth + 1, writer)?;
                }
                if !seq.items.is_empty() {
                    line(&mut writer.out, depth);
                }
                writer.out.push_str("]");
            }
            Value::Dict(dict) => {
                out.push_str("{");
                let entries = if style.sort_keys {
                    self.sorted(dict.entries.clone(), |(key, _)| key, false)?
                } else {
                    dict.entries.clone()
                };
                for (i, (key, value)) in entries.iter().enumerate() {
                    if i > 0 {
                        writer.out.push_str(&style.comma);
                    }
                    line(&mut writer.out, depth + 1);
                    let out = &mut writer.out;
                    match key {
                        Value::Text(text) => json_text(text, style.ensure_ascii, out),
                        Value::None => out.push_str("\"null\""),
                        Value::Bool(truth) => out.push_str(&format!("\"{truth}\"")),
                        Value::Int(n) => out.push_str(&format!("\"{n}\"")),
                        Value::Float(x) => out.push_str(&format!("\"{}\"", json_float(*x))),
                        other => return Err(no_json(other)),
                    }
                    writer.out.push_str(&style.colon);
                    self.write_json(value, style, depth + 1, writer)?;
                }
                if !entries.is_empty() {
                    line(&mut writer.out, depth);
                }
                writer.out.push_str("}");
            }
            other => return Err(no_json(other)),
        }
        Ok(())
    }
}

fn no_json(value: &Value) -> Box<Failure> {
    Failure::new(format!("tojson: a value of type {} isn't JSON", value.type_name()))
}

fn range(items: &[Value]) -> String {
    let at = |i: usize| items.get(i).and_then(Value::as_int);
    let start = at(0).unwrap_or(0);
    let step = at(1).map_or(1, |second| second - start);
    let stop = at(items.len().wrapping_sub(1)).map_or(start, |last| last + step.signum());
    match step {
        1 => format!("range({start}, {stop})"),
        step => format!("range({start}, {stop}, {step})"),
    }
}

/// Python's `repr` of a float: the shortest digits, an exponent below 1e-4 and from 1e16 on.
pub(super) fn float(x: f64) -> String {
    if x.is_nan() {
        return "nan".into();
    }
    if x.is_infinite() {
        return if x > 0.0 { "inf" } else { "-inf" }.into();
    }
    let scientific = format!("{x:e}");
    let (digits, exponent) = scientific.split_once('e').expect("`e` writes an exponent");
    let exponent: i32 = exponent.parse().expect("an exponent is a number");
    if x != 0.0 && !(-4..16).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{digits}e{sign}{:02}", exponent.abs());
    }
    let plain = x.to_string();
    if plain.contains('.') { plain } else { plain + ".0" }
}

fn json_float(x: f64) -> String {
    match x {
        x if x.is_nan() => "NaN".into(),
        f64::INFINITY => "Infinity".into(),
        f64::NEG_INFINITY => "-Infinity".into(),
        x => float(x),
    }
}

/// The text with escapes for characters beyond ASCII.
pub(super) fn ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii() { out.push(c) } else { out += &escaped(c) }
    }
    out
}

/// Python's escape of a character.
fn escaped(c: char) -> String {
    match u32::from(c) {
        n @ 0..=0xff => format!("\\x{n:02x}"),
        n @ 0x100..=0xffff => format!("\\u{n:04x}"),
        n => format!("\\U{n:08x}"),
    }
}

fn json_text(text: &Text, ensure_ascii: bool, out: &mut Builder) {
    out.push_str("\"");
    for (piece, is_user) in text.pieces() {
        let mut escaped = String::with_capacity(piece.len());
        for c in piece.chars() {
            match c {
                '"' => escaped += "\\\"",
                '\\' => escaped += "\\\\",
                '\n' => escaped += "\\n",
                '\r' => escaped += "\\r",
                '\t' => escaped += "\\t",
                '\u{8}' => escaped += "\\b",
                '\u{c}' => escaped += "\\f",
                c if c < ' ' || (ensure_ascii && (!c.is_ascii() || c == '\x7f')) => {
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        escaped += &format!("\\u{unit:04x}");
                    }
                }
                c => escaped.push(c),
            }
        }
        out.push(&escaped, is_user);
    }
    out.push_str("\"");
}

/// Python's `repr` of a text.
fn quote(text: &Text, out: &mut Builder) {
    let whole = text.as_str();
    let quote = if whole.contains('\'') && !whole.contains('"') { '"' } else { '\'' };
    out.push_str(quote.encode_utf8(&mut [0; 4]));
    for (piece, is_user) in text.pieces() {
        let mut quoted = String::with_capacity(piece.len());
        for c in piece.chars() {
            match c {
                '\n' => quoted += "\\n",
                '\r' => quoted += "\\r",
                '\t' => quoted += "\\t",
                '\\' => quoted += "\\\\",
                c if c == quote => quoted.extend(['\\', c]),
                c if is_printable(c) => quoted.push(c),
                c => quoted += &escaped(c),
            }
        }
        out.push(&quoted, is_user);
    }
    out.push_str(quote.encode_utf8(&mut [0; 4]));
}

/// Python's `str.isprintable` of a character, but for those that Unicode hasn't assigned yet.
pub(super) fn is_printable(c: char) -> bool {
    let hidden = match c {
        ' ' => false,
        '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' => true,
        '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' => true,
        '\u{2060}'..='\u{206f}' | '\u{e000}'..='\u{f8ff}' | '\u{feff}' => true,
        '\u{fff0}'..='\u{fffb}' | '\u{fffe}'..='\u{ffff}' => true,
        '\u{e0000}'..='\u{e00ff}' | '\u{e01f0}'..='\u{10ffff}' => true,
        c => c.is_control() || c.is_whitespace(),
    };
    !hidden
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_as_python_writes_them() {
        for (x, expected) in [
            (1.0, "1.0"),
            (0.1, "0.1"),
            (-0.0, "-0.0"),
            (1e16, "1e+16"),
            (1.5e15, "1500000000000000.0"),
            (1e-4, "0.0001"),
            (1.25e-5, "1.25e-05"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(float(x), expected);
        }
    }

    #[test]
    fn quotes_as_python_chooses_them() {
        let quoted = |text: &str| {
            let mut out = Builder::default();
            quote(&Text::user(text), &mut out);
            out.finish().as_str().to_owned()
        };
        assert_eq!(quoted("it's"), "\"it's\"");
        assert_eq!(quoted("\"it's\""), "'\"it\\'s\"'");
        assert_eq!(quoted("a\n\u{1}\u{200b}é🙂"), "'a\\n\\x01\\u200bé🙂'");
    }
}
