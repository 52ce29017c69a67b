//! The filters of templates (`| trim`) for strings. Those for lists are in [`super::lists`].

use super::{
    args::Args,
    letters::{capitalize, change_chars},
    machine::{Failure, Machine, Res},
    strings,
    text::{Builder, Text, is_space},
    value::Value,
    web,
};

/// All supported filters: those of Jinja2, without `random` and `urlize`.
pub(super) const NAMES: [&str; 52] = [
    "abs",
    "attr",
    "batch",
    "capitalize",
    "center",
    "count",
    "d",
    "default",
    "dictsort",
    "e",
    "escape",
    "filesizeformat",
    "first",
    "float",
    "forceescape",
    "format",
    "groupby",
    "indent",
    "int",
    "items",
    "join",
    "last",
    "length",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "safe",
    "select",
    "selectattr",
    "slice",
    "sort",
    "string",
    "striptags",
    "sum",
    "title",
    "tojson",
    "trim",
    "truncate",
    "unique",
    "upper",
    "urlencode",
    "wordcount",
    "wordwrap",
    "xmlattr",
    "pprint",
];

impl Machine<'_> {
    pub(super) fn apply_filter(&mut self, name: &str, value: Value, args: Args) -> Res<Value> {
        self.spend(1)?;
        match name {
            "tojson" => return self.json(&value, args),
            "abs" | "int" | "float" | "round" | "filesizeformat" => {
                return self.number_filter(name, &value, args);
            }
            "default" | "d" => {
                let [default, falsy] = args.bind(name, ["default_value", "boolean"])?;
                let falsy = falsy.is_some_and(|falsy| falsy.is_true());
                let replaced = value.is_undefined() || (falsy && !value.is_true());
                return Ok(match default {
                    _ if !replaced => value,
                    Some(default) => default,
                    None => Value::frame(""),
                });
            }
            "format" => {
                let format = self.text_of(&value)?;
                let values = if args.named.is_empty() {
                    Value::seq(super::value::Kind::Tuple, args.pos)?
                } else {
                    let named = args.named.into_iter();
                    Value::dict(named.map(|(k, v)| (Value::frame(&k), v)).collect())?
                };
                return self.percent(&format, &values).map(Value::Text);
            }
            "length" | "count" => {
                let [] = args.bind(name, [])?;
                if let Value::Text(text) = &value {
                    self.spend_bytes(text.len())?;
                }
                let n = value.n_items();
                let kind = value.type_name();
                let n =
                    n.ok_or_else(|| Failure::new(format!("a value of type {kind} has no length")))?;
                return Ok(Value::Int(n as i64));
            }
            "attr" => {
                let [name] = args.bind(name, ["name"])?;
                let name = name.as_ref().and_then(Value::as_str);
                let name = name.ok_or_else(|| Failure::new("attr takes a name"))?;
                return self.own_attribute(&value, name);
            }
            "urlencode" | "xmlattr" => return self.web_filter(name, &value, args),
            "string" | "lower" | "upper" | "capitalize" | "title" | "trim" | "replace"
            | "center" | "indent" | "truncate" | "wordcount" | "e" | "escape" | "forceescape"
            | "safe" | "pprint" | "striptags" | "wordwrap" => {
                return self.text_filter(name, &value, args).map(|value| match value {
                    // `wordcount` gives a number.
                    Ok(text) => Value::Text(text),
                    Err(n) => Value::Int(n),
                });
            }
            _ => {}
        }
        self.list_filter(name, value, args)
    }

    fn text_filter(&mut self, name: &str, value: &Value, args: Args) -> Res<Result<Text, i64>> {
        let text = if name == "pprint" { self.repr(value)? } else { self.text_of(value)? };
        self.spend(1 + text.len() / 16)?;
        Ok(Ok(match name {
            "replace" => {
                let [old, new, count] = args.bind(name, ["old", "new", "count"])?;
                let (Some(old), Some(new)) = (old, new) else {
                    return Err(Failure::new("replace takes two texts"));
                };
                let (old, new) = (self.text_of(&old)?, self.text_of(&new)?);
                let most = count.and_then(|count| count.as_int()).unwrap_or(-1);
                self.replaced(&text, &old, &new, usize::try_from(most).unwrap_or(usize::MAX))?
            }
            "trim" => {
                let [chars] = args.bind(name, ["chars"])?;
                self.strip(&text, chars, true, true)?
            }
            "center" => {
                let [width] = args.bind(name, ["width"])?;
                self.pad(&text, Some(width.unwrap_or(Value::Int(80))), " ", name)?
            }
            "indent" => match value {
                Value::Undefined(name) => {
                    return Err(Failure::new(format!("{name:?} is undefined")));
                }
                _ => self.indent(&text, args)?,
            },
            "truncate" => self.truncate(&text, args)?,
            "wordwrap" => self.word_wrap(&text, args)?,
            _ => {
                let [] = args.bind(name, [])?;
                match name {
                    "lower" => text.map(str::to_lowercase),
                    "upper" => text.map(str::to_uppercase),
                    "capitalize" => capitalize(&text),
                    "title" => change_chars(
                        &text,
                        |first, c| {
                            if first {
                                c.to_uppercase().collect()
                            } else {
                                c.to_lowercase().collect()
                            }
                        },
                        |before, _| is_space(before) || "-({[<".contains(before),
                    ),
                    "wordcount" => {
                        let is_word = |c: char| c.is_alphanumeric() || c == '_';
                        let words = text.as_str().split(|c| !is_word(c));
                        return Ok(Err(words.filter(|word| !word.is_empty()).count() as i64));
                    }
                    "e" | "escape" => text.escaped(),
                    "forceescape" => text.like(&Text::default()).escaped(),
                    "safe" => text.markup(),
                    "striptags" => web::without_tags(&text),
                    _ => text,
                }
            }
        }))
    }

    fn indent(&mut self, text: &Text, args: Args) -> Res<Text> {
        let [width, first, blank] = args.bind("indent", ["width", "first", "blank"])?;
        let is_true = |flag: Option<Value>| flag.is_some_and(|flag| flag.is_true());
        let (first, blank) = (is_true(first), is_true(blank));
        let n_lines = 1 + text.as_str().matches('\n').count();
        let indention = match width {
            Some(Value::Text(text)) => text,
            width => {
                let n = width.and_then(|n| n.as_int()).unwrap_or(4);
                let n = usize::try_from(n).unwrap_or(0);
                self.spend_bytes(n.saturating_mul(n_lines))?;
                Text::frame(&" ".repeat(n))
            }
        };
        self.spend_bytes(indention.len().saturating_mul(n_lines))?;
        let mut out = Builder::default();
        // A newline at the end is followed by an empty line.
        let mut lines = strings::lines(text, false);
        if lines.is_empty() || text.as_str().ends_with(['\n', '\r']) {
            lines.push(Text::default());
        }
        for (i, line) in lines.iter().enumerate() {
            if i > 0 {
                out.push_str("\n");
            }
            let indented = if i == 0 { first } else { blank || line.len() > 0 };
            if indented {
                out.push_text(&indention);
            }
            out.push_text(line);
        }
        Ok(out.finish().like(text))
    }

    fn truncate(&mut self, text: &Text, args: Args) -> Res<Text> {
        let names = ["length", "killwords", "end", "leeway"];
        let [length, killwords, end, leeway] = args.bind("truncate", names)?;
        let number = |value: Option<Value>, default| {
            let n = value.and_then(|n| n.as_int()).unwrap_or(default);
            usize::try_from(n).unwrap_or(0)
        };
        let (length, leeway) = (number(length, 255), number(leeway, 5));
        let end = match end {
            Some(end) => self.text_of(&end)?,
            None => Text::frame("..."),
        };
        let end_chars = end.as_str().chars().count();
        if length < end_chars {
            return Err(Failure::new("truncate: the length is less than that of the end"));
        }
        if text.as_str().chars().count() <= length + leeway {
            return Ok(text.clone());
        }
        let mut cut = text.as_str().char_indices().nth(length - end_chars).map_or(0, |(at, _)| at);
        if !killwords.is_some_and(|killwords| killwords.is_true()) {
            cut = text.as_str()[..cut].rfind(' ').unwrap_or(cut);
        }
        let mut out = Builder::default();
        out.push_slice(text, 0..cut);
        out.push_text(&end.within(text));
        Ok(out.finish().like(text))
    }
}

/// Error for an unknown filter.
pub(super) fn unknown(name: &str) -> Box<Failure> {
    Failure::new(format!("unknown filter {name:?}"))
}
