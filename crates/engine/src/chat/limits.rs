//! A template's source in, nothing or a refusal out: what would make the compiler recurse too deeply is counted
//! before the compiler sees it.
//!
//! The compiler builds and walks a tree, one call deeper for each operator, attribute, filter, bracket, `elif` or
//! block within a block, and a stack that overflows ends the whole process. So this counts, in one pass over the
//! text, what can become depth. It counts too much rather than too little: all links of one tag count as one chain,
//! and all `elif` of the template as one `if`.

use super::error::ChatError;

/// The largest template that is looked at, in bytes. The largest known ones have about 20 KiB.
const MAX_SOURCE: usize = 64 << 10;
/// Operators, dots, bars, commas and brackets within one tag.
const MAX_LINKS: usize = 1000;
/// Brackets within brackets.
const MAX_BRACKETS: usize = 50;
/// `elif` in all of the template.
const MAX_ELIFS: usize = 200;
/// Blocks (`if`, `for`, `macro` …) within blocks.
const MAX_BLOCKS: usize = 50;

/// Words that open a block; `set` does so only without `=`, and the compiler's own guard holds that.
const OPENING: [&str; 9] = [
    "if",
    "for",
    "macro",
    "call",
    "filter",
    "with",
    "block",
    "autoescape",
    "generation",
];
/// Words that are operators.
const OPERATORS: [&str; 7] = ["and", "or", "not", "in", "is", "if", "else"];

/// Refuses a template that is too long or nests too deeply.
pub(super) fn check(source: &str) -> Result<(), ChatError> {
    if source.len() > MAX_SOURCE {
        return Err(ChatError::TooLong {
            found: source.len(),
            allowed: MAX_SOURCE,
        });
    }
    let mut template = Counter {
        source,
        pos: 0,
        blocks: 0,
        elifs: 0,
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
    Ok(())
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
        let line = 1 + self.source.as_bytes()[..self.pos]
            .iter()
            .filter(|&&b| b == b'\n')
            .count();
        Err(ChatError::TooComplex {
            what,
            line,
            allowed,
        })
    }

    /// Counts the links of one tag, moves past its end, gives its first word.
    fn count_tag(&mut self, end: &[u8; 2]) -> Result<&'a str, ChatError> {
        let bytes = self.source.as_bytes();
        let (mut links, mut depth) = (0, 0usize);
        let mut first = None;
        while let Some(&byte) = bytes.get(self.pos) {
            // Within brackets the lexer takes `}}` as two brackets, otherwise as the tag's end.
            if depth == 0 && bytes[self.pos..].starts_with(end) {
                self.pos += 2;
                break;
            }
            match byte {
                b'"' | b'\'' => {
                    self.skip_string(byte);
                    continue;
                }
                b'(' | b'[' | b'{' => {
                    depth += 1;
                    links += 1;
                }
                b')' | b']' | b'}' => depth = depth.saturating_sub(1),
                b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
                    let word = self.word();
                    let first = *first.get_or_insert(word);
                    if OPERATORS.contains(&word) && !std::ptr::eq(word, first) {
                        links += 1;
                        if links > MAX_LINKS {
                            break;
                        }
                    }
                    continue;
                }
                b'+' | b'-' | b'*' | b'/' | b'%' | b'~' | b'|' | b'.' | b',' | b'<' | b'>'
                | b'=' | b'!' | b':' => links += 1,
                _ => {}
            }
            self.pos += 1;
            if links > MAX_LINKS || depth > MAX_BRACKETS {
                break;
            }
        }
        if depth > MAX_BRACKETS {
            return self.refuse("brackets within brackets", MAX_BRACKETS);
        }
        if links > MAX_LINKS {
            return self.refuse(
                "operators, attributes or filters in one expression",
                MAX_LINKS,
            );
        }
        Ok(first.unwrap_or(""))
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
        while bytes
            .get(self.pos)
            .is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_')
        {
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
        } else if word
            .strip_prefix("end")
            .is_some_and(|word| OPENING.contains(&word))
        {
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
