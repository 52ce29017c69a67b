//! Adapts the source of a template to the parser's dialect of Jinja: what Jinja2 takes and the
//! parser doesn't, or takes in another sense, is written in other words.
//!
//! | template | parser |
//! |---|---|
//! | line ends `\r\n`, `\r` | `\n` |
//! | `{% generation %}` of transformers, `{% block name %}` | `{% with %}`, a scope as well |
//! | `{{ a, b }}`, `{% for x in a, b %}` | tuples in parentheses |
//! | `+x` | `- -x` |
//! | `'\101\v'` and other escapes of Python | the characters |
//! | `{% raw %}` | `{% raw +%}`: the newline behind it stays |

use std::{mem, ops::Range};

use minijinja::{
    machinery::{Token, tokenize},
    syntax::SyntaxConfig,
};

use super::error::{self, ChatError};

/// Words after which an operand follows.
const OPERATORS: [&str; 8] = ["and", "or", "not", "in", "is", "if", "elif", "else"];

/// The treatment of white space around tags in `transformers`.
pub(super) fn syntax() -> SyntaxConfig {
    let builder = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    builder.expect("the usual delimiters")
}

/// The source in the parser's dialect.
pub(super) fn adapt(source: &str) -> Result<String, ChatError> {
    // Jinja2's lexer does this before anything else.
    let source = source.replace("\r\n", "\n").replace('\r', "\n");
    let mut edits = Edits { source: &source, ..Edits::default() };
    for token in tokenize(&source, false, syntax()) {
        let (token, span) = token.map_err(error::syntax_error)?;
        let range = span.start_offset as usize..span.end_offset as usize;
        edits.take(&token, range).map_err(|what| {
            let message = format!("syntax error: {what} (line {})", span.start_line);
            ChatError::Syntax { message }
        })?;
    }
    Ok(edits.applied())
}

/// Changes of a source, found token by token.
#[derive(Default)]
struct Edits<'a> {
    source: &'a str,
    /// In order and disjoint; empty ranges insert.
    changes: Vec<(Range<usize>, String)>,
    /// End of the last token.
    end: usize,
    tag: Tag,
    /// Whether the last token began a tag, and whether it ended an operand.
    opened: bool,
    after_operand: bool,
    /// Brackets that are open in the tag.
    depth: usize,
    /// Where an expression begins that may be a tuple without parentheses, and whether it is one.
    expression: Option<usize>,
    has_comma: bool,
    /// Names of all blocks, and of those that are open.
    blocks: Vec<&'a str>,
    open_blocks: Vec<&'a str>,
    ended_block: Option<&'a str>,
}

/// The part of a tag in which a token stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Tag {
    #[default]
    Other,
    /// Behind `for`, and behind its `in`.
    For,
    List,
    /// Behind `block`, behind its name, and behind `endblock`.
    Block,
    Named,
    EndBlock,
}

impl<'a> Edits<'a> {
    fn take(&mut self, token: &Token<'a>, range: Range<usize>) -> Result<(), String> {
        let is_first = mem::take(&mut self.opened);
        let before = mem::replace(&mut self.end, range.end);
        let after_operand = mem::take(&mut self.after_operand);
        match token {
            Token::TemplateData(_) => self.raw(before..range.start),
            Token::VariableStart => self.open(Some(range.end)),
            Token::BlockStart => {
                self.open(None);
                self.opened = true;
            }
            Token::VariableEnd | Token::BlockEnd => self.close(range.start),
            Token::Ident(word) => self.word(word, range, is_first)?,
            Token::Comma if self.depth == 0 => self.has_comma = true,
            Token::ParenOpen | Token::BracketOpen | Token::BraceOpen => self.depth += 1,
            Token::ParenClose | Token::BracketClose | Token::BraceClose => {
                self.depth = self.depth.saturating_sub(1);
                self.after_operand = true;
            }
            Token::Plus if !after_operand => self.change(range, "- -"),
            Token::String(_) => {
                let quoted = literal(&self.source[range.clone()])?;
                self.change(range, quoted);
                self.after_operand = true;
            }
            Token::Str(_) | Token::Int(_) | Token::Int128(_) | Token::Float(_) => {
                self.after_operand = true;
            }
            _ => {}
        }
        Ok(())
    }

    fn word(&mut self, word: &'a str, range: Range<usize>, is_first: bool) -> Result<(), String> {
        match (self.tag, word) {
            (_, "generation") if is_first => self.change(range, "with"),
            (_, "endgeneration") if is_first => self.change(range, "endwith"),
            (_, "for") if is_first => self.tag = Tag::For,
            (_, "block") if is_first => {
                self.tag = Tag::Block;
                self.change(range, "with");
            }
            (_, "endblock") if is_first => {
                self.tag = Tag::EndBlock;
                self.ended_block = self.open_blocks.pop();
                self.change(range, "endwith");
            }
            (Tag::Block, name) => {
                if self.blocks.contains(&name) {
                    return Err(format!("block {name:?} is there twice"));
                }
                self.blocks.push(name);
                self.open_blocks.push(name);
                self.tag = Tag::Named;
                self.change(range, "");
            }
            (Tag::Named, "scoped") => self.change(range, ""),
            (Tag::EndBlock, name) => {
                if self.ended_block != Some(name) {
                    return Err(format!("{name:?} isn't the block that ends here"));
                }
                self.change(range, "");
            }
            (Tag::For, "in") if self.depth == 0 => {
                self.tag = Tag::List;
                (self.expression, self.has_comma) = (Some(range.end), false);
            }
            // What may follow the list of a loop.
            (Tag::List, "if" | "recursive") if self.depth == 0 => self.close(range.start),
            _ => self.after_operand = !OPERATORS.contains(&word),
        }
        Ok(())
    }

    fn change(&mut self, range: Range<usize>, text: impl Into<String>) {
        self.changes.push((range, text.into()));
    }

    fn open(&mut self, expression: Option<usize>) {
        (self.tag, self.depth) = (Tag::Other, 0);
        (self.expression, self.has_comma) = (expression, false);
    }

    /// Ends an expression; a tuple gets parentheses.
    fn close(&mut self, end: usize) {
        self.tag = Tag::Other;
        if let (Some(start), true) = (self.expression.take(), self.has_comma) {
            let place = self.changes.partition_point(|(range, _)| range.start < start);
            self.changes.insert(place, (start..start, "(".into()));
            self.change(end..end, ")");
        }
    }

    /// What stands before text may be a tag `raw`, whose newline the parser leaves out.
    fn raw(&mut self, gap: Range<usize>) {
        let Some(before) = self.source[gap.clone()].strip_suffix("%}\n") else { return };
        let tag = before.trim_end().strip_suffix("raw").map(str::trim_end);
        if tag.is_some_and(|tag| ["{%", "{%-", "{%+"].iter().any(|open| tag.ends_with(open))) {
            let end = gap.start + before.len();
            self.change(end..end, "+");
        }
    }

    fn applied(self) -> String {
        let mut out = String::with_capacity(self.source.len());
        let mut done = 0;
        for (range, text) in self.changes {
            out += &self.source[done..range.start];
            out += &text;
            done = range.end;
        }
        out + &self.source[done..]
    }
}

/// A string literal whose escapes are read as Python reads them. It is written so that the parser
/// reads the same characters.
fn literal(quoted: &str) -> Result<String, String> {
    let mut out = String::from('\'');
    let mut rest = &quoted[1..quoted.len() - 1];
    while let Some(at) = rest.find(['\\', '\'']) {
        out += &rest[..at];
        rest = &rest[at..];
        let Some(escaped) = rest.strip_prefix('\\') else {
            out += "\\'";
            rest = &rest[1..];
            continue;
        };
        let (text, len) = escape(escaped).ok_or_else(|| {
            let start: String = rest.chars().take(12).collect();
            format!("the text has an escape that isn't known here, at {start:?}")
        })?;
        for c in text.chars() {
            match c {
                // A newline would change the numbers of the lines behind it.
                '\n' => out += "\\n",
                '\\' | '\'' => out.extend(['\\', c]),
                c => out.push(c),
            }
        }
        rest = &escaped[len..];
    }
    Ok(out + rest + "'")
}

/// What stands behind a backslash: its characters, and the length of the escape in bytes.
fn escape(rest: &str) -> Option<(String, usize)> {
    let first = rest.chars().next()?;
    let number = |range: Range<usize>, radix| {
        let digits = rest.get(range)?;
        let is_number = digits.chars().all(|c| c.is_digit(radix));
        u32::from_str_radix(digits, radix).ok().filter(|_| is_number)
    };
    let hex = |n: usize| Some((char::from_u32(number(1..1 + n, 16)?)?.to_string(), 1 + n));
    let one = |c: char| Some((c.to_string(), 1));
    match first {
        '\n' => Some((String::new(), 1)),
        '\\' | '\'' | '"' => one(first),
        'a' => one('\x07'),
        'b' => one('\x08'),
        'f' => one('\x0c'),
        'n' => one('\n'),
        'r' => one('\r'),
        't' => one('\t'),
        'v' => one('\x0b'),
        '0'..='7' => {
            let n = rest.bytes().take(3).take_while(|b| (b'0'..=b'7').contains(b)).count();
            Some((char::from_u32(number(0..n, 8)?)?.to_string(), n))
        }
        'x' => hex(2),
        'U' => hex(8),
        // The two halves of a character beyond 16 bits, as JSON writes it.
        'u' if matches!(number(1..5, 16), Some(0xd800..=0xdbff)) => {
            let halves = [number(1..5, 16)? as u16, number(7..11, 16)? as u16];
            let text = String::from_utf16(&halves).ok()?;
            (rest.get(5..7) == Some("\\u")).then_some((text, 11))
        }
        'u' => hex(4),
        'N' => None,
        other => Some((format!("\\{other}"), other.len_utf8())),
    }
}

#[cfg(test)]
mod tests {
    use super::adapt;

    #[test]
    fn sources_in_the_parsers_words() {
        for (source, expected) in [
            ("a\r\nb\rc", "a\nb\nc"),
            ("{{ 1, 2 }}{{- f(1, 2) -}}", "{{( 1, 2 )}}{{- f(1, 2) -}}"),
            ("{% for a, b in x, [y] if +a %}", "{% for a, b in( x, [y] )if - -a %}"),
            ("{% for a, b in x if f(a, b) %}", "{% for a, b in x if f(a, b) %}"),
            (
                "{{ +1 + +x|f }}{{ a[+1] + (1) + 'b' }}",
                "{{ - -1 + - -x|f }}{{ a[- -1] + (1) + 'b' }}",
            ),
            ("{%- generation -%}x{% endgeneration %}", "{%- with -%}x{% endwith %}"),
            ("{% block a scoped %}x{%- endblock a -%}", "{% with   %}x{%- endwith  -%}"),
            (
                "{% raw %}\n{{ x }}{% endraw %}\n{% raw -%}\ny{% endraw %}",
                "{% raw +%}\n{{ x }}{% endraw %}\n{% raw -%}\ny{% endraw %}",
            ),
            (
                r#"{{ "it's\101\v\q\\\u00e9\"" }}{{ 'a' }}"#,
                "{{ 'it\\'sA\x0b\\\\q\\\\é\"' }}{{ 'a' }}",
            ),
            (r"{{ 'a\n\012b\tc' }}", "{{ 'a\\n\\nb\tc' }}"),
            (r"{{ '\ud83d\ude42\U0001F642' }}", "{{ '🙂🙂' }}"),
        ] {
            assert_eq!(adapt(source).unwrap(), expected);
        }
    }

    #[test]
    fn what_cant_be_adapted_is_refused() {
        for (source, part) in [
            (r"{{ '\N{BULLET}' }}", "escape"),
            ("{% block a %}{% endblock %}{% block a %}{% endblock %}", "twice"),
            ("{% block a %}\n{% endblock b %}", "line 2"),
        ] {
            let error = adapt(source).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
