//! A template's source in, the same source with its values metered out, or a refusal: what would make the compiler
//! recurse too deeply is counted before the compiler sees it.
//!
//! The compiler builds and walks a tree, one call deeper for each operator, attribute, filter, bracket, `elif` or
//! block within a block, and a stack that overflows ends the whole process. So this counts, in one pass over the
//! text, what can become depth. It counts too much rather than too little: all links of one tag count as one chain,
//! and all `elif` of the template as one `if`.
//!
//! The engine takes fuel for the slots of a list, not for what the slots lead to. So a list of itself twice, sixty
//! times over, is cheap to make and endless to compare, and a namespace that holds itself overflows the stack. Values
//! come to hold others in a few places that can be seen in the text: what `set` stores, and what stands in brackets.
//! Those get a call of `METER` around them, which takes fuel for all that they lead to.

use super::error::ChatError;

/// The largest template that is looked at, in bytes. The largest known ones have about 20 KiB.
const MAX_SOURCE: usize = 64 << 10;
/// Operators, dots, bars, commas and brackets within one tag.
const MAX_LINKS: usize = 1000;
/// Brackets within brackets.
const MAX_BRACKETS: usize = 30;
/// `elif` in all of the template.
const MAX_ELIFS: usize = 200;
/// Blocks (`if`, `for`, `macro` …) within blocks.
const MAX_BLOCKS: usize = 50;

/// The function that takes fuel for its arguments and gives them back.
pub(super) const METER: &str = "_metered";
/// The same for what is stored in a namespace, which must not be a namespace.
pub(super) const STORE: &str = "_stored";

/// Words that open a block; `set` does so only without `=`, and the compiler's own guard holds that.
const OPENING: [&str; 9] =
    ["if", "for", "macro", "call", "filter", "with", "block", "autoescape", "generation"];
/// Words that are operators.
const OPERATORS: [&str; 7] = ["and", "or", "not", "in", "is", "if", "else"];

/// Refuses a template that is too long or nests too deeply; gives its text with `METER` around what makes values.
pub(super) fn check(source: &str) -> Result<String, ChatError> {
    if source.len() > MAX_SOURCE {
        return Err(ChatError::TooLong { found: source.len(), allowed: MAX_SOURCE });
    }
    let mut template = Counter {
        source,
        pos: 0,
        blocks: 0,
        elifs: 0,
        concatenates: false,
        multiplies: false,
        meters: vec![],
    };
    while let Some(open) = template.next_tag() {
        match open {
            Tag::Comment => template.skip_past("#}"),
            Tag::Print => drop(template.count_tag(b"}}")?),
            Tag::Statement => {
                let word = template.count_tag(b"%}")?;
                template.count_statement(word)?;
            }
        }
    }
    // `~` writes out a list without asking what that costs, and these two get an immense one to it unmetered.
    if template.concatenates && template.multiplies {
        return Err(ChatError::Unbounded);
    }
    Ok(template.metered())
}

enum Tag {
    Comment,
    Print,
    Statement,
}

struct Counter<'a> {
    source: &'a str,
    /// In bytes; everything before it has been counted.
    pos: usize,
    blocks: usize,
    elifs: usize,
    /// It has `~` somewhere.
    concatenates: bool,
    /// It has `*`, or `default=` for `map`, somewhere.
    multiplies: bool,
    /// Expressions that are to be metered.
    meters: Vec<Meter>,
}

/// A call to be put around an expression.
struct Meter {
    /// The first byte of the expression.
    start: usize,
    /// One past its last byte.
    end: usize,
    /// `METER` or `STORE`.
    function: &'static str,
}

/// A bracket that is open.
struct Bracket {
    start: usize,
    /// Whether it begins a list, dict, tuple or grouping, rather than a call or a subscript.
    makes_value: bool,
}

impl<'a> Counter<'a> {
    /// Moves past the next opening of a tag.
    fn next_tag(&mut self) -> Option<Tag> {
        let bytes = self.source.as_bytes();
        while self.pos + 1 < bytes.len() {
            let tag = match &bytes[self.pos..self.pos + 2] {
                b"{#" => Tag::Comment,
                b"{{" => Tag::Print,
                b"{%" => Tag::Statement,
                _ => {
                    self.pos += 1;
                    continue;
                }
            };
            self.pos += 2;
            return Some(tag);
        }
        None
    }

    fn skip_past(&mut self, end: &str) {
        let rest = &self.source.as_bytes()[self.pos..];
        let found = rest.windows(end.len()).position(|w| w == end.as_bytes());
        self.pos = found.map_or(self.source.len(), |i| self.pos + i + end.len());
    }

    fn refuse<T>(&self, what: &'static str, allowed: usize) -> Result<T, ChatError> {
        let line = 1 + self.source.as_bytes()[..self.pos].iter().filter(|&&b| b == b'\n').count();
        Err(ChatError::TooComplex { what, line, allowed })
    }

    /// The source with a call around each expression of `meters`.
    fn metered(self) -> String {
        // Of several calls that begin at one place the longest comes first; those that end at one place are alike,
        // and come before those that begin there.
        let mut edges: Vec<(usize, usize, Option<&str>)> = vec![];
        for Meter { start, end, function } in self.meters {
            edges.push((start, usize::MAX - end, Some(function)));
            edges.push((end, 0, None));
        }
        edges.sort_unstable();
        let mut out = String::with_capacity(self.source.len() + edges.len() * METER.len());
        let mut done = 0;
        for (at, _, opened) in edges {
            out += &self.source[done..at];
            done = at;
            match opened {
                Some(function) => {
                    out += function;
                    out.push('(');
                }
                None => out.push(')'),
            }
        }
        out + &self.source[done..]
    }

    /// Counts the links of one tag, notes what is to be metered, moves past the tag's end, gives its first word.
    fn count_tag(&mut self, end: &[u8; 2]) -> Result<&'a str, ChatError> {
        let bytes = self.source.as_bytes();
        let mut links = 0;
        let mut open: Vec<Bracket> = vec![];
        let mut first = "";
        // What the last token leaves behind: can a bracket after it begin a value, or does it call or subscript?
        let mut ends_operand = false;
        // Where the value of a `set` begins, and where the last token ended.
        let (mut value, mut last_end) = (None, self.pos);
        let mut before_in = false;
        let mut dotted = false;
        while let Some(&byte) = bytes.get(self.pos) {
            // Within brackets the lexer takes `}}` as two brackets, otherwise as the tag's end.
            let dashed = matches!(byte, b'-' | b'+') && bytes[self.pos + 1..].starts_with(end);
            if open.is_empty() && (dashed || bytes[self.pos..].starts_with(end)) {
                self.pos += 2 + usize::from(dashed);
                break;
            }
            match byte {
                b'"' | b'\'' => {
                    self.skip_string(byte);
                    (ends_operand, last_end) = (true, self.pos);
                    continue;
                }
                b'(' | b'[' | b'{' => {
                    links += 1;
                    let makes_value = !ends_operand && !before_in;
                    open.push(Bracket { start: self.pos, makes_value });
                    ends_operand = false;
                }
                b')' | b']' | b'}' => {
                    if let Some(Bracket { start, makes_value: true }) = open.pop() {
                        self.meters.push(Meter { start, end: self.pos + 1, function: METER });
                    }
                    ends_operand = true;
                }
                b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'0'..=b'9' => {
                    let word = self.word();
                    let is_first = first.is_empty();
                    if is_first {
                        first = word;
                        before_in = word == "for";
                    }
                    let operator = OPERATORS.contains(&word);
                    let rest = self.source[self.pos..].trim_start();
                    self.multiplies |= word == "default" && rest.starts_with('=') && !rest.starts_with("==");
                    links += usize::from(operator && !is_first);
                    before_in &= word != "in";
                    ends_operand = !(operator || (is_first && matches!(word, "elif" | "set" | "for")));
                    last_end = self.pos;
                    if links > MAX_LINKS {
                        break;
                    }
                    continue;
                }
                b' ' | b'\t' | b'\r' | b'\n' => {
                    self.pos += 1;
                    continue;
                }
                _ => {
                    links += 1;
                    ends_operand = false;
                    dotted |= byte == b'.';
                    self.multiplies |= byte == b'*';
                    self.concatenates |= byte == b'~';
                    if byte == b'=' && first == "set" && open.is_empty() && value.is_none() {
                        value = Some((self.pos + 1, if dotted { STORE } else { METER }));
                    }
                }
            }
            self.pos += 1;
            last_end = self.pos;
            if links > MAX_LINKS || open.len() > MAX_BRACKETS {
                break;
            }
        }
        if open.len() > MAX_BRACKETS {
            return self.refuse("brackets within brackets", MAX_BRACKETS);
        }
        if links > MAX_LINKS {
            return self.refuse("operators, attributes or filters in one expression", MAX_LINKS);
        }
        if let Some((start, function)) = value {
            self.meters.push(Meter { start, end: last_end.max(start), function });
        }
        Ok(first)
    }

    /// Moves past a string, whose first quote is here.
    fn skip_string(&mut self, quote: u8) {
        let bytes = self.source.as_bytes();
        self.pos += 1;
        while let Some(&byte) = bytes.get(self.pos) {
            self.pos += if byte == b'\\' { 2 } else { 1 };
            if byte == quote {
                break;
            }
        }
        self.pos = self.pos.min(bytes.len());
    }

    /// Moves past a word, which begins here.
    fn word(&mut self) -> &'a str {
        let start = self.pos;
        let bytes = self.source.as_bytes();
        while bytes.get(self.pos).is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_') {
            self.pos += 1;
        }
        &self.source[start..self.pos]
    }

    /// Counts what a statement does to the nesting of blocks.
    fn count_statement(&mut self, word: &str) -> Result<(), ChatError> {
        if OPENING.contains(&word) {
            self.blocks += 1;
            if self.blocks > MAX_BLOCKS {
                return self.refuse("blocks within blocks", MAX_BLOCKS);
            }
        } else if word.strip_prefix("end").is_some_and(|word| OPENING.contains(&word)) {
            self.blocks = self.blocks.saturating_sub(1);
        } else if word == "elif" {
            self.elifs += 1;
            if self.elifs > MAX_ELIFS {
                return self.refuse("elif branches", MAX_ELIFS);
            }
        } else if word == "raw" {
            self.skip_raw();
        }
        Ok(())
    }

    /// Moves past `{% endraw %}`.
    fn skip_raw(&mut self) {
        loop {
            self.skip_past("{%");
            if self.pos == self.source.len() {
                return;
            }
            let rest = &self.source[self.pos..];
            let rest = rest.strip_prefix(['-', '+']).unwrap_or(rest).trim_start();
            if rest.starts_with("endraw") {
                return;
            }
        }
    }
}
