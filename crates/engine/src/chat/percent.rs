//! Python's string formatting: `%` and `str.format`.

use super::{
    args::Args,
    machine::{Failure, Machine, Res},
    text::{Builder, Text},
    value::{Kind, Value},
};

/// Most digits of a width or precision. Four digits pad with up to 10 KB.
const MAX_DIGITS: usize = 4;

/// The format of one value.
#[derive(Debug, Default)]
struct Spec {
    fill: Option<char>,
    /// `<`, `>`, `^` or `=`.
    align: Option<char>,
    plus: bool,
    space: bool,
    alternate: bool,
    /// What stands between groups of digits: `,` or `_`.
    group: Option<char>,
    width: usize,
    precision: Option<usize>,
    kind: char,
}

fn bad_width() -> Box<Failure> {
    Failure::new("a format with a width or precision of five digits or more, or of a variable")
}

/// The number at the start of a text, and its length in bytes.
fn number(text: &str) -> Res<(Option<usize>, usize)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if digits > MAX_DIGITS || text[digits..].starts_with('*') {
        return Err(bad_width());
    }
    Ok((text[..digits].parse().ok(), digits))
}

/// The directive behind a `%` and its key: flags, width, precision and kind. With its length in
/// bytes.
fn directive(text: &str) -> Res<(Spec, usize)> {
    let (mut spec, mut at) = (Spec::default(), 0);
    while let Some(flag) = text[at..].chars().next().filter(|c| "#0- +".contains(*c)) {
        match flag {
            '-' => spec.align = Some('<'),
            '0' => spec.fill = Some('0'),
            '+' => spec.plus = true,
            ' ' => spec.space = true,
            _ => spec.alternate = true,
        }
        at += 1;
    }
    let (width, digits) = number(&text[at..])?;
    (spec.width, at) = (width.unwrap_or(0), at + digits);
    if text[at..].starts_with('.') {
        let (precision, digits) = number(&text[at + 1..])?;
        (spec.precision, at) = (Some(precision.unwrap_or(0)), at + 1 + digits);
    }
    spec.kind = text[at..].chars().next().ok_or_else(|| Failure::new("incomplete format"))?;
    let len = at + spec.kind.len_utf8();
    Ok((spec, len))
}

impl Machine<'_> {
    /// Python's `format % values`.
    pub(super) fn percent(&mut self, format: &Text, values: &Value) -> Res<Text> {
        self.spend_bytes(format.len())?;
        let (mut rest, names) = match values {
            Value::Seq(seq) if seq.kind == Kind::Tuple => (seq.items.clone(), None),
            Value::Dict(dict) => (vec![values.clone()], Some(dict)),
            other => (vec![other.clone()], None),
        };
        rest.reverse();
        let mut all_used = rest.is_empty() || names.is_some() || is_list(values);
        let mut out = Builder::default();
        let whole = format.as_str();
        let mut at = 0;
        while let Some(found) = whole[at..].find('%') {
            out.push_slice(format, at..at + found);
            at += found + 1;
            let mut by_name = None;
            if whole[at..].starts_with('(') {
                let end = whole[at..].find(')');
                let end = end.ok_or_else(|| Failure::new("incomplete format key"))?;
                let dict = names.ok_or_else(|| Failure::new("the format needs a dict"))?;
                let key = Value::frame(&whole[at + 1..at + end]);
                let value = self.find(&dict.entries, &key)?;
                by_name =
                    Some(value.ok_or_else(|| Failure::new("a key of the format is missing"))?);
                at += end + 1;
            }
            let (mut spec, len) = directive(&whole[at..])?;
            at += len;
            if spec.kind == '%' {
                out.push_str("%");
                continue;
            }
            let value = match by_name {
                Some(value) => value,
                None => {
                    rest.pop().ok_or_else(|| Failure::new("not enough values for the format"))?
                }
            };
            all_used |= rest.is_empty();
            let text = match spec.kind {
                's' => self.text_of(&value)?,
                'r' => self.repr(&value)?,
                'a' => self.repr(&value)?.map(super::show::ascii),
                'c' if value.as_str().is_some() => self.text_of(&value)?,
                'd' | 'i' | 'u' => {
                    spec.kind = 'd';
                    let float = value.as_float().map(|x| x.trunc() as i64);
                    let n = value.as_int().or(float);
                    let n = n.ok_or_else(|| Failure::new("%d takes a number"))?;
                    self.formatted_number(&Value::Int(n), &spec)?
                }
                _ => self.formatted_number(&value, &spec)?,
            };
            let is_text = matches!(spec.kind, 's' | 'r' | 'a' | 'c');
            let text = if is_text { text.within(format) } else { text };
            if is_text {
                spec.fill = None;
            }
            let padded = self.padded(&text, &spec, '>')?;
            out.push_text(&padded);
        }
        out.push_slice(format, at..format.len());
        if !all_used {
            return Err(Failure::new("not all values were used by the format"));
        }
        self.spend_bytes(out.len())?;
        Ok(out.finish().like(format))
    }

    /// Python's `format.format(values)`.
    pub(super) fn format_braces(&mut self, format: &Text, args: Args) -> Res<Text> {
        let whole = format.as_str();
        let (mut out, mut at, mut next) = (Builder::default(), 0, 0);
        while let Some(found) = whole[at..].find(['{', '}']) {
            out.push_slice(format, at..at + found);
            at += found;
            if whole[at..].starts_with("{{") || whole[at..].starts_with("}}") {
                out.push_slice(format, at..at + 1);
                at += 2;
                continue;
            }
            let end = field_end(&whole[at..]);
            let end = end.ok_or_else(|| Failure::new("a single brace in a format"))?;
            let field = &whole[at + 1..at + end];
            at += end + 1;
            let (field, spec) = field.split_once(':').unwrap_or((field, ""));
            let (field, conversion) = field.split_once('!').unwrap_or((field, ""));
            let mut value = self.field_value(field, &args, &mut next)?;
            match conversion {
                "r" => value = Value::Text(self.repr(&value)?),
                "a" => value = Value::Text(self.repr(&value)?.map(super::show::ascii)),
                "s" => value = Value::Text(self.text_of(&value)?),
                _ => {}
            }
            let is_plain = spec.is_empty();
            let mut spec = match spec.contains('{') {
                true => parse_spec(self.filled(spec, &args, &mut next)?.as_str())?,
                false => parse_spec(spec)?,
            };
            let (text, align) = match (&value, spec.kind) {
                (Value::Int(_) | Value::Float(_) | Value::Bool(_), _) => {
                    if is_plain && matches!(value, Value::Bool(_)) {
                        (self.text_of(&value)?, '<')
                    } else {
                        let text = self.formatted_number(&value, &spec)?;
                        // It isn't cut to that many characters.
                        spec.precision = None;
                        (text, '>')
                    }
                }
                (Value::Text(_), '\0' | 's') => {
                    let text = self.text_of(&value)?;
                    (text, '<')
                }
                (Value::Text(_), _) => return Err(Failure::new("this format takes a number")),
                (_, _) if is_plain => (self.text_of(&value)?, '<'),
                (other, _) => {
                    let kind = other.type_name();
                    let message = format!("a value of type {kind} has no format but {{}}");
                    return Err(Failure::new(message));
                }
            };
            let padded = self.padded(&text, &spec, align)?.like(&text);
            out.push_text(&padded.within(format));
        }
        out.push_slice(format, at..format.len());
        self.spend_bytes(out.len())?;
        Ok(out.finish().like(format))
    }

    /// The value that a field names: by its place, its name or the order of fields, then by its
    /// items and attributes.
    fn field_value(&mut self, field: &str, args: &Args, next: &mut usize) -> Res<Value> {
        let name_end = field.find(['.', '[']).unwrap_or(field.len());
        let (name, mut path) = field.split_at(name_end);
        let mut value = if let Ok(place) = name.parse::<usize>() {
            args.pos.get(place).cloned()
        } else if name.is_empty() {
            *next += 1;
            args.pos.get(*next - 1).cloned()
        } else {
            let found = args.named.iter().find(|(key, _)| **key == *name);
            found.map(|(_, value)| value.clone())
        }
        .ok_or_else(|| Failure::new(format!("the format has no value for {name:?}")))?;
        while !path.is_empty() {
            if let Some(rest) = path.strip_prefix('[') {
                let (key, rest) = rest.split_once(']').unwrap_or((rest, ""));
                let key = key.parse().map_or_else(|_| Value::frame(key), Value::Int);
                value = self.item(&value, &key)?;
                path = rest;
            } else {
                let rest = path.strip_prefix('.').unwrap_or(path);
                let end = rest.find(['.', '[']).unwrap_or(rest.len());
                value = self.attribute(&value, &rest[..end])?;
                path = &rest[end..];
            }
        }
        Ok(value)
    }

    /// A specification that has fields itself.
    fn filled(&mut self, spec: &str, args: &Args, next: &mut usize) -> Res<Text> {
        let pos = args.pos.iter().skip(*next).cloned().collect();
        *next += spec.matches("{}").count();
        let args = Args { pos, named: args.named.clone() };
        self.deeper(0, |machine| machine.format_braces(&Text::frame(spec), args))
    }

    fn formatted_number(&mut self, value: &Value, spec: &Spec) -> Res<Text> {
        self.spend(1)?;
        let precision = spec.precision.unwrap_or(6);
        if precision > 999 {
            return Err(bad_width());
        }
        let float = value.as_float().ok_or_else(|| Failure::new("the format takes a number"))?;
        let int = value.as_int();
        let (magnitude, negative) = match (spec.kind, int) {
            ('d', Some(n)) => (n.unsigned_abs().to_string(), n < 0),
            ('\0' | 'n', Some(n)) if spec.precision.is_none() => {
                (n.unsigned_abs().to_string(), n < 0)
            }
            ('x', Some(n)) => (format!("{:x}", n.unsigned_abs()), n < 0),
            ('X', Some(n)) => (format!("{:X}", n.unsigned_abs()), n < 0),
            ('o', Some(n)) => (format!("{:o}", n.unsigned_abs()), n < 0),
            ('b', Some(n)) => (format!("{:b}", n.unsigned_abs()), n < 0),
            ('f' | 'F', _) => (format!("{:.precision$}", float.abs()), float.is_sign_negative()),
            ('%', _) => (format!("{:.precision$}%", float.abs() * 100.0), float.is_sign_negative()),
            ('e' | 'E', _) => {
                let text = format!("{:.precision$e}", float.abs());
                let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
                let exponent: i32 = exponent.parse().unwrap_or(0);
                let sign = if exponent < 0 { '-' } else { '+' };
                let text = format!("{digits}{}{sign}{:02}", spec.kind, exponent.abs());
                (text, float.is_sign_negative())
            }
            ('\0', None) if spec.precision.is_none() => {
                (super::show::float(float.abs()), float.is_sign_negative())
            }
            ('g' | 'G' | '\0', _) => {
                let text = general(float.abs(), precision, spec);
                let text = if spec.kind == 'G' { text.to_uppercase() } else { text };
                (text, float.is_sign_negative())
            }
            ('c', Some(n)) => {
                let c = u32::try_from(n).ok().and_then(char::from_u32);
                let c = c.ok_or_else(|| Failure::new("%c takes the number of a character"))?;
                return Ok(Text::frame(&c.to_string()));
            }
            (kind, _) => {
                return Err(Failure::new(format!("the format {kind:?} isn't known here")));
            }
        };
        let magnitude = match spec.group {
            Some(sign) if matches!(spec.kind, 'x' | 'X' | 'o' | 'b') => {
                grouped(&magnitude, sign, 4)
            }
            Some(sign) => grouped(&magnitude, sign, 3),
            None => magnitude,
        };
        let sign = match (negative, spec.plus, spec.space) {
            (true, ..) => "-",
            (false, true, _) => "+",
            (false, false, true) => " ",
            _ => "",
        };
        let prefix = match spec.kind {
            'x' if spec.alternate => "0x",
            'X' if spec.alternate => "0X",
            'o' if spec.alternate => "0o",
            'b' if spec.alternate => "0b",
            _ => "",
        };
        let n = sign.len() + prefix.len() + magnitude.len();
        // What fills up behind the sign.
        let (fill, missing) = match (spec.fill, spec.align) {
            (Some('0'), None) => ('0', spec.width.saturating_sub(n)),
            (fill, Some('=')) => (fill.unwrap_or(' '), spec.width.saturating_sub(n)),
            _ => (' ', 0),
        };
        let filled = String::from(fill).repeat(missing);
        Ok(Text::frame(&format!("{sign}{prefix}{filled}{magnitude}")))
    }

    fn padded(&mut self, text: &Text, spec: &Spec, align: char) -> Res<Text> {
        let cut = match (spec.kind, spec.precision) {
            ('s' | 'r' | 'a' | '\0', Some(most)) => {
                let end = text.as_str().char_indices().nth(most).map(|(at, _)| at);
                text.slice(0..end.unwrap_or(text.len()))
            }
            _ => text.clone(),
        };
        let fill = spec.fill.unwrap_or(' ').to_string();
        let name = match spec.align.unwrap_or(align) {
            '<' => "ljust",
            '^' => "format",
            _ => "rjust",
        };
        let missing = spec.width.saturating_sub(cut.as_str().chars().count());
        self.spend_bytes(missing)?;
        let before = match name {
            "ljust" => 0,
            "rjust" => missing,
            _ => missing / 2,
        };
        let mut out = Builder::default();
        out.push_str(&fill.repeat(before));
        out.push_text(&cut);
        out.push_str(&fill.repeat(missing - before));
        Ok(out.finish())
    }
}

/// Where the field that a text begins with ends, fields inside of it included.
fn field_end(text: &str) -> Option<usize> {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => return None,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at).filter(|_| c == '}');
        }
    }
    None
}

/// Whether a format may leave values unused, as it may those of a dict.
fn is_list(values: &Value) -> bool {
    match values {
        Value::Undefined(_) => true,
        Value::Seq(seq) => matches!(seq.kind, Kind::List | Kind::Range),
        _ => false,
    }
}

/// The digits before the point in groups, with a sign between them.
fn grouped(digits: &str, sign: char, size: usize) -> String {
    let end = digits.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(digits.len());
    let (whole, rest) = digits.split_at(end);
    let mut out = String::new();
    for (i, c) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(size) {
            out.push(sign);
        }
        out.push(c);
    }
    out + rest
}

/// The kind `g`, and the kind of floats that have a precision and no kind: so many digits, as a
/// power of ten if the number is large or small, without zeros at the end.
fn general(x: f64, precision: usize, spec: &Spec) -> String {
    if !x.is_finite() {
        return super::show::float(x);
    }
    let n_digits = precision.max(1);
    let scientific = format!("{x:.*e}", n_digits - 1);
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let has_kind = spec.kind != '\0';
    let trimmed = |digits: &str| match digits.contains('.') && !spec.alternate {
        true => digits.trim_end_matches('0').trim_end_matches('.').to_string(),
        false => digits.to_string(),
    };
    // Without a kind there's a digit behind the point, which needs a place.
    let most = n_digits as i32 - i32::from(!has_kind);
    if exponent < -4 || exponent >= most {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{}e{sign}{:02}", trimmed(digits), exponent.abs());
    }
    let n_decimals = (n_digits as i32 - 1 - exponent).max(0) as usize;
    let text = trimmed(&format!("{x:.n_decimals$}"));
    if has_kind || text.contains('.') { text } else { text + ".0" }
}

/// The format specification after the colon of a field of `str.format`.
fn parse_spec(text: &str) -> Res<Spec> {
    let mut spec = Spec::default();
    let mut rest = text;
    let mut chars = rest.chars();
    match (chars.next(), chars.next()) {
        (Some(fill), Some(align @ ('<' | '>' | '^' | '='))) => {
            (spec.fill, spec.align) = (Some(fill), Some(align));
            rest = chars.as_str();
        }
        (Some(align @ ('<' | '>' | '^' | '=')), _) => {
            spec.align = Some(align);
            rest = &rest[1..];
        }
        _ => {}
    }
    for (flag, set) in [("+", 0), ("-", 1), (" ", 2), ("#", 3), ("0", 4)] {
        if let Some(after) = rest.strip_prefix(flag) {
            rest = after;
            match set {
                0 => spec.plus = true,
                2 => spec.space = true,
                3 => spec.alternate = true,
                4 if spec.fill.is_none() => spec.fill = Some('0'),
                _ => {}
            }
        }
    }
    let (width, digits) = number(rest)?;
    (spec.width, rest) = (width.unwrap_or(0), &rest[digits..]);
    if let Some(after) = rest.strip_prefix([',', '_']) {
        (spec.group, rest) = (rest.chars().next(), after);
    }
    if let Some(after) = rest.strip_prefix('.') {
        let (precision, digits) = number(after)?;
        (spec.precision, rest) = (precision, &after[digits..]);
    }
    let mut kinds = rest.chars();
    spec.kind = kinds.next().unwrap_or('\0');
    match kinds.next() {
        None => Ok(spec),
        Some(_) => Err(Failure::new(format!("the format {text:?} isn't known here"))),
    }
}
