//! Checks a template's source before it is parsed. Sources that would make the parser recurse too
//! deeply are refused.
//!
//! The parser builds a tree and recurses once for each operator, attribute, filter, bracket, `elif`
//! or block within a block. The count is taken from the parser's own tokens, and is an upper bound:
//! all links of one tag count as one chain, and all `elif` of the template as one `if`.

use minijinja::machinery::{Token, tokenize};

use super::{
    dialect,
    error::{self, ChatError},
    machine,
};

/// The largest accepted template in bytes. The largest known ones have about 20 KiB.
const MAX_SOURCE: usize = 64 << 10;
/// Most operators, dots, bars, commas and brackets within one tag.
const MAX_LINKS: usize = 1000;
/// Deepest nesting of brackets.
const MAX_BRACKETS: usize = 30;
/// Most `elif` in the whole template.
const MAX_ELIFS: usize = 200;
/// Deepest nesting of blocks (`if`, `for`, `macro` …).
const MAX_BLOCKS: usize = 50;

/// Words that open a block; `set` does so only without `=`, and the parser's own guard holds that.
const OPENING: [&str; 7] = ["if", "for", "macro", "call", "filter", "with", "autoescape"];
/// Words that are operators.
const OPERATORS: [&str; 7] = ["and", "or", "not", "in", "is", "if", "else"];

/// The source of a template before it is parsed, and facts about it.
#[derive(Debug)]
pub(super) struct Checked {
    /// The source in the parser's dialect.
    pub(super) source: String,
    /// Whether it mentions the function `strftime_now`.
    pub(super) names_date: bool,
    /// Special variables that its macros use.
    pub(super) rest: machine::Rest,
}

/// Refuses a template that is too long or nests too deeply.
pub(super) fn check(source: &str) -> Result<Checked, ChatError> {
    if source.len() > MAX_SOURCE {
        return Err(ChatError::TooLong { found: source.len(), allowed: MAX_SOURCE });
    }
    let source = dialect::adapt(source)?;
    let mut counter = Counter::default();
    let mut names_date = false;
    let mut rest = machine::Rest::default();
    let mut is_first = false;
    for token in tokenize(&source, false, dialect::syntax()) {
        let (token, span) = token.map_err(error::syntax_error)?;
        match token {
            Token::Ident("do") if is_first => {
                let message = format!("unknown statement do (line {})", span.start_line);
                return Err(ChatError::Syntax { message });
            }
            Token::Ident("strftime_now") => names_date = true,
            Token::Ident("varargs") => rest.varargs = true,
            Token::Ident("kwargs") => rest.kwargs = true,
            _ => {}
        }
        counter.count(&token, is_first, span.start_line.into())?;
        is_first = matches!(token, Token::BlockStart);
    }
    Ok(Checked { source, names_date, rest })
}

#[derive(Debug, Default)]
struct Counter {
    blocks: usize,
    elifs: usize,
    links: usize,
    brackets: usize,
}

impl Counter {
    fn count(&mut self, token: &Token<'_>, is_first: bool, line: usize) -> Result<(), ChatError> {
        let refuse = |what, allowed| Err(ChatError::TooComplex { what, line, allowed });
        match token {
            Token::VariableStart | Token::BlockStart => (self.links, self.brackets) = (0, 0),
            Token::TemplateData(_) | Token::VariableEnd | Token::BlockEnd => {}
            Token::Str(_) | Token::String(_) => {}
            Token::Int(_) | Token::Int128(_) | Token::Float(_) => {}
            Token::Ident(word) if is_first => {
                if OPENING.contains(word) {
                    self.blocks += 1;
                } else if word.strip_prefix("end").is_some_and(|word| OPENING.contains(&word)) {
                    self.blocks = self.blocks.saturating_sub(1);
                } else if *word == "elif" {
                    self.elifs += 1;
                }
            }
            Token::Ident(word) => self.links += usize::from(OPERATORS.contains(word)),
            Token::ParenOpen | Token::BracketOpen | Token::BraceOpen => {
                self.links += 1;
                self.brackets += 1;
            }
            Token::ParenClose | Token::BracketClose | Token::BraceClose => {
                self.brackets = self.brackets.saturating_sub(1);
            }
            _ => self.links += 1,
        }
        if self.blocks > MAX_BLOCKS {
            refuse("blocks within blocks", MAX_BLOCKS)
        } else if self.elifs > MAX_ELIFS {
            refuse("elif branches", MAX_ELIFS)
        } else if self.brackets > MAX_BRACKETS {
            refuse("brackets within brackets", MAX_BRACKETS)
        } else if self.links > MAX_LINKS {
            refuse("operators, attributes or filters in one expression", MAX_LINKS)
        } else {
            Ok(())
        }
    }
}
