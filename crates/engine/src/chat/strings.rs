//! The methods of Python's `str`, on texts that keep the origin of their bytes.

use std::ops::Range;

use super::{
    args::Args,
    letters::of_letters,
    machine::{Failure, Machine, Res},
    text::{Builder, Text, is_space},
    value::{Kind, Value},
};

pub(super) const METHODS: [&str; 46] = [
    "capitalize",
    "casefold",
    "center",
    "count",
    "endswith",
    "expandtabs",
    "find",
    "format",
    "format_map",
    "index",
    "isalnum",
    "isalpha",
    "isascii",
    "isdecimal",
    "isdigit",
    "isidentifier",
    "islower",
    "isnumeric",
    "isprintable",
    "isspace",
    "istitle",
    "isupper",
    "join",
    "ljust",
    "lower",
    "lstrip",
    "maketrans",
    "partition",
    "removeprefix",
    "removesuffix",
    "replace",
    "rfind",
    "rindex",
    "rjust",
    "rpartition",
    "rsplit",
    "rstrip",
    "split",
    "splitlines",
    "startswith",
    "strip",
    "swapcase",
    "title",
    "translate",
    "upper",
    "zfill",
];

fn texts(pieces: Vec<Text>) -> Res<Value> {
    Value::list(pieces.into_iter().map(Value::Text).collect())
}

/// The byte range of the text without leading and trailing characters for which `is_out` holds.
pub(super) fn stripped(
    text: &str,
    left: bool,
    right: bool,
    is_out: impl Fn(char) -> bool,
) -> Range<usize> {
    let start = if left { text.len() - text.trim_start_matches(&is_out).len() } else { 0 };
    let end = if right { text.trim_end_matches(&is_out).len() } else { text.len() };
    start.min(end)..end
}

/// Replaces `old` by `new`, from the left, at most `most` times.
pub(super) fn replace(text: &Text, old: &str, new: &Text, most: usize) -> Text {
    let mut out = Builder::default();
    let mut done = 0;
    for (at, found) in text.as_str().match_indices(old).take(most) {
        out.push_slice(text, done..at);
        out.push_text(new);
        done = at + found.len();
    }
    out.push_slice(text, done..text.len());
    out.finish()
}

/// Python's `str.splitlines`.
pub(super) fn lines(text: &Text, keep_ends: bool) -> Vec<Text> {
    let ends =
        ['\n', '\r', '\x0b', '\x0c', '\x1c', '\x1d', '\x1e', '\u{85}', '\u{2028}', '\u{2029}'];
    let whole = text.as_str();
    let (mut out, mut start) = (vec![], 0);
    while start < whole.len() {
        let found = whole[start..].find(ends).map(|at| start + at);
        let Some(at) = found else {
            out.push(text.slice(start..whole.len()));
            break;
        };
        let c = whole[at..].chars().next().map_or(1, char::len_utf8);
        let end = if whole[at..].starts_with("\r\n") { at + 2 } else { at + c };
        out.push(text.slice(start..if keep_ends { end } else { at }));
        start = end;
    }
    out
}

impl Machine<'_> {
    pub(super) fn call_text_method(&mut self, text: &Text, name: &str, args: Args) -> Res<Value> {
        // Every method reads the text once and makes a few copies at most.
        self.spend(1 + text.len() / 16)?;
        match name {
            "format" => return self.format_braces(text, args).map(Value::Text),
            "format_map" => {
                let [names] = args.bind(name, ["mapping"])?;
                let Some(Value::Dict(names)) = names else {
                    return Err(Failure::new("format_map takes a dict"));
                };
                let named = names.entries.iter();
                let named = named.filter_map(|(k, v)| Some((k.as_str()?.into(), v.clone())));
                let args = Args { pos: vec![], named: named.collect() };
                return self.format_braces(text, args).map(Value::Text);
            }
            "translate" | "maketrans" => return self.translation(text, name, args),
            "join" => return self.join_method(text, args),
            "split" | "rsplit" => return self.split(text, name, args),
            "replace" => return self.replace_method(text, args),
            "startswith" | "endswith" => return self.starts_or_ends(text, name, args),
            "find" | "rfind" | "index" | "rindex" | "count" => {
                return self.find_method(text, name, args);
            }
            "partition" | "rpartition" => return partition(text, name, args),
            "removeprefix" | "removesuffix" => {
                return without_affix(text, name, args).map(Value::Text);
            }
            "strip" | "lstrip" | "rstrip" => {
                let [chars] = args.bind(name, ["chars"])?;
                let (left, right) = (name != "rstrip", name != "lstrip");
                return self.strip(text, chars, left, right).map(Value::Text);
            }
            "splitlines" => {
                let [keep] = args.bind(name, ["keepends"])?;
                let lines = lines(text, keep.is_some_and(|keep| keep.is_true()));
                self.spend(1 + lines.len())?;
                return texts(lines);
            }
            "center" | "ljust" | "rjust" | "zfill" => {
                let [width, fill] = args.bind(name, ["width", "fillchar"])?;
                let default = if name == "zfill" { "0" } else { " " };
                let fill = fill.as_ref().and_then(Value::as_str).unwrap_or(default);
                return self.pad(text, width, fill, name).map(Value::Text);
            }
            "expandtabs" => return self.expand_tabs(text, args).map(Value::Text),
            _ => {}
        }
        let [] = args.bind(name, [])?;
        of_letters(text, name).ok_or_else(|| Failure::new(format!("str has no method {name}")))
    }

    fn expand_tabs(&mut self, text: &Text, args: Args) -> Res<Text> {
        let [size] = args.bind("expandtabs", ["tabsize"])?;
        let size = size.and_then(|n| n.as_int()).unwrap_or(8).clamp(0, 64) as usize;
        self.spend_bytes(text.as_str().matches('\t').count() * size)?;
        let mut out = Builder::default();
        for (piece, is_user) in text.pieces() {
            let mut column = 0;
            for c in piece.chars() {
                let n = if size == 0 { 0 } else { size - column % size };
                match c {
                    '\t' => out.push(&" ".repeat(n), is_user),
                    c => out.push(c.encode_utf8(&mut [0; 4]), is_user),
                }
                column = match c {
                    '\n' | '\r' => 0,
                    '\t' => column + n,
                    _ => column + 1,
                };
            }
        }
        Ok(out.finish())
    }

    pub(super) fn strip(
        &mut self,
        text: &Text,
        chars: Option<Value>,
        left: bool,
        right: bool,
    ) -> Res<Text> {
        let range = match chars {
            None | Some(Value::None) => stripped(text.as_str(), left, right, is_space),
            Some(Value::Text(chars)) => {
                // Each character of one text may be compared with each of the other.
                let n = 1 + chars.len() / 64;
                self.spend(n * (1 + text.len() / 16))?;
                stripped(text.as_str(), left, right, |c| chars.as_str().contains(c))
            }
            Some(other) => return Err(no_text("strip", &other)),
        };
        Ok(text.slice(range))
    }

    /// Pads the text to `width` characters: centred, left-aligned or right-aligned.
    pub(super) fn pad(
        &mut self,
        text: &Text,
        width: Option<Value>,
        fill: &str,
        name: &str,
    ) -> Res<Text> {
        let width = width.and_then(|width| width.as_int());
        let width = width.ok_or_else(|| Failure::new(format!("{name} needs a width")))?;
        let n_chars = text.as_str().chars().count();
        let missing = usize::try_from(width).unwrap_or(0).saturating_sub(n_chars);
        self.spend_bytes(missing.saturating_mul(fill.len()))?;
        let before = match name {
            "ljust" => 0,
            "rjust" | "zfill" => missing,
            // As Python rounds it.
            _ => missing / 2 + (missing & width as usize & 1),
        };
        // Zeros go behind a sign.
        let n_sign = usize::from(name == "zfill" && text.as_str().starts_with(['+', '-']));
        let mut out = Builder::default();
        out.push_text(&text.slice(0..n_sign));
        out.push_str(&fill.repeat(before));
        out.push_text(&text.slice(n_sign..text.len()));
        out.push_str(&fill.repeat(missing - before));
        Ok(out.finish().like(text))
    }

    fn join_method(&mut self, separator: &Text, args: Args) -> Res<Value> {
        let [items] = args.bind("join", ["iterable"])?;
        let items = items.ok_or_else(|| Failure::new("join needs a list"))?;
        let mut out = Builder::default();
        for (i, item) in self.iterate(&items)?.iter().enumerate() {
            let Value::Text(item) = item else {
                return Err(no_text("join", item));
            };
            self.spend_bytes(item.len() + separator.len())?;
            if i > 0 {
                out.push_text(separator);
            }
            out.push_text(&item.within(separator));
        }
        Ok(Value::Text(out.finish().like(separator)))
    }

    fn split(&mut self, text: &Text, name: &str, args: Args) -> Res<Value> {
        let [separator, most] = args.bind(name, ["sep", "maxsplit"])?;
        let most = most.and_then(|most| most.as_int()).unwrap_or(-1);
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let whole = text.as_str();
        let from_right = name == "rsplit";
        let mut parts: Vec<Range<usize>> = vec![];
        match separator {
            None | Some(Value::None) => {
                // The rest after the last split keeps its spaces on the far side.
                let mut rest = stripped(whole, !from_right, from_right, is_space);
                while !rest.is_empty() {
                    self.spend(1)?;
                    let part = &whole[rest.clone()];
                    let cut = if from_right { part.rfind(is_space) } else { part.find(is_space) };
                    let Some(cut) = cut.filter(|_| parts.len() < most) else {
                        break;
                    };
                    let at = rest.start + cut;
                    if from_right {
                        let after = at + whole[at..].chars().next().map_or(1, char::len_utf8);
                        parts.push(after..rest.end);
                        rest.end = stripped(&whole[..at], false, true, is_space).end;
                    } else {
                        parts.push(rest.start..at);
                        rest.start = at + stripped(&whole[at..], true, false, is_space).start;
                    }
                }
                if !rest.is_empty() {
                    parts.push(rest);
                }
            }
            Some(Value::Text(separator)) if separator.len() > 0 => {
                let separator = separator.as_str();
                let mut rest = 0..whole.len();
                while parts.len() < most {
                    self.spend(1)?;
                    let part = &whole[rest.clone()];
                    let cut = if from_right { part.rfind(separator) } else { part.find(separator) };
                    let Some(at) = cut.map(|cut| rest.start + cut) else { break };
                    if from_right {
                        parts.push(at + separator.len()..rest.end);
                        rest = rest.start..at;
                    } else {
                        parts.push(rest.start..at);
                        rest = at + separator.len()..rest.end;
                    }
                }
                parts.push(rest);
            }
            Some(Value::Text(_)) => return Err(Failure::new(format!("{name}: empty separator"))),
            Some(other) => return Err(no_text(name, &other)),
        }
        if from_right {
            parts.reverse();
        }
        texts(parts.into_iter().map(|part| text.slice(part)).collect())
    }

    fn replace_method(&mut self, text: &Text, args: Args) -> Res<Value> {
        let [old, new, count] = args.bind("replace", ["old", "new", "count"])?;
        let (old, new) = (wanted(old, "replace")?, wanted(new, "replace")?);
        let most = count.and_then(|count| count.as_int()).unwrap_or(-1);
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let replaced = self.replaced(text, &old, &new.within(text), most)?;
        Ok(Value::Text(replaced.like(text)))
    }

    pub(super) fn replaced(
        &mut self,
        text: &Text,
        old: &Text,
        new: &Text,
        most: usize,
    ) -> Res<Text> {
        let n = text.as_str().matches(old.as_str()).count().min(most);
        self.spend_bytes(text.len() + n.saturating_mul(new.len() + 16))?;
        Ok(replace(text, old.as_str(), new, most))
    }

    /// The part of the text between the arguments `start` and `end`, and the number of characters
    /// before it. None if it begins behind the text's end, where even no text is found.
    fn stretch(
        &mut self,
        text: &Text,
        start: Option<Value>,
        end: Option<Value>,
    ) -> Res<Option<(Text, usize)>> {
        let [start, end] = [start, end].map(|bound| bound.and_then(|bound| bound.as_int()));
        if start.is_none() && end.is_none() {
            return Ok(Some((text.clone(), 0)));
        }
        let n = text.as_str().chars().count() as i64;
        let before = match start.unwrap_or(0) {
            at if at < 0 => at.saturating_add(n).max(0),
            at if at > n => return Ok(None),
            at => at,
        };
        match self.slice(&Value::Text(text.clone()), start, end, None)? {
            Value::Text(part) => Ok(Some((part, before as usize))),
            _ => Err(Failure::new("a slice of a text is a text")),
        }
    }

    fn starts_or_ends(&mut self, text: &Text, name: &str, args: Args) -> Res<Value> {
        let [affix, start, end] = args.bind(name, ["affix", "start", "end"])?;
        let Some((stretch, _)) = self.stretch(text, start, end)? else {
            return Ok(Value::Bool(false));
        };
        let affixes = match affix {
            Some(Value::Seq(seq)) if seq.kind == Kind::Tuple => seq.items.clone(),
            Some(other) => vec![other],
            None => return Err(Failure::new(format!("{name} needs a text"))),
        };
        for affix in affixes {
            let affix = wanted(Some(affix), name)?;
            self.spend_bytes(affix.len())?;
            let found = match name {
                "startswith" => stretch.as_str().starts_with(affix.as_str()),
                _ => stretch.as_str().ends_with(affix.as_str()),
            };
            if found {
                return Ok(Value::Bool(true));
            }
        }
        Ok(Value::Bool(false))
    }

    fn find_method(&mut self, text: &Text, name: &str, args: Args) -> Res<Value> {
        let [part, start, end] = args.bind(name, ["sub", "start", "end"])?;
        let part = wanted(part, name)?;
        let stretch = self.stretch(text, start, end)?;
        let (whole, before) = stretch.as_ref().map_or(("", 0), |(s, n)| (s.as_str(), *n));
        if name == "count" && stretch.is_some() {
            return Ok(Value::Int(whole.matches(part.as_str()).count() as i64));
        }
        let found = if stretch.is_none() {
            None
        } else if name.starts_with('r') {
            whole.rfind(part.as_str())
        } else {
            whole.find(part.as_str())
        };
        match found {
            Some(at) => Ok(Value::Int((before + whole[..at].chars().count()) as i64)),
            None if name == "count" => Ok(Value::Int(0)),
            None if name.ends_with("index") => Err(Failure::new("substring not found")),
            None => Ok(Value::Int(-1)),
        }
    }
}

/// The text before a separator, the separator, and the text after it.
fn partition(text: &Text, name: &str, args: Args) -> Res<Value> {
    let [separator] = args.bind(name, ["sep"])?;
    let separator = wanted(separator, name)?;
    let (whole, from_right) = (text.as_str(), name == "rpartition");
    let found = match from_right {
        true => whole.rfind(separator.as_str()),
        false => whole.find(separator.as_str()),
    };
    let parts = match found {
        Some(at) => {
            let end = at + separator.len();
            [text.slice(0..at), text.slice(at..end), text.slice(end..text.len())]
        }
        None if from_right => [Text::default(), Text::default(), text.clone()],
        None => [text.clone(), Text::default(), Text::default()],
    };
    Value::seq(Kind::Tuple, parts.map(Value::Text).into())
}

fn without_affix(text: &Text, name: &str, args: Args) -> Res<Text> {
    let [affix] = args.bind(name, ["affix"])?;
    let (affix, whole) = (wanted(affix, name)?, text.as_str());
    let range = if name == "removeprefix" && whole.starts_with(affix.as_str()) {
        affix.len()..text.len()
    } else if name == "removesuffix" && whole.ends_with(affix.as_str()) {
        0..text.len() - affix.len()
    } else {
        0..text.len()
    };
    Ok(text.slice(range))
}

fn no_text(function: &str, found: &Value) -> Box<Failure> {
    Failure::new(format!("{function} takes a text, not a value of type {}", found.type_name()))
}

fn wanted(value: Option<Value>, function: &str) -> Res<Text> {
    match value {
        Some(Value::Text(text)) => Ok(text),
        Some(other) => Err(no_text(function, &other)),
        None => Err(Failure::new(format!("{function} needs a text"))),
    }
}
