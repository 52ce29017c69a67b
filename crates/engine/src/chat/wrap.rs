//! The filter `wordwrap`: lines of a width at most, broken as Python's `textwrap` does.

use std::ops::Range;

use super::{
    args::Args,
    machine::{Failure, Machine, Res},
    strings,
    text::{Builder, Text, is_space},
    value::Value,
};

/// How lines are broken.
struct Rules {
    /// Characters of a line.
    width: usize,
    /// Whether words that are longer than a line are cut.
    long_words: bool,
    /// Whether a line may end behind a hyphen within a word.
    hyphens: bool,
}

impl Machine<'_> {
    pub(super) fn word_wrap(&mut self, text: &Text, args: Args) -> Res<Text> {
        let names = ["width", "break_long_words", "wrapstring", "break_on_hyphens"];
        let [width, long_words, between, hyphens] = args.bind("wordwrap", names)?;
        let width = width.map_or(Some(79), |width| width.as_int());
        let width = width.and_then(|width| usize::try_from(width).ok()).filter(|width| *width > 0);
        let width = width.ok_or_else(|| Failure::new("wordwrap takes a width of 1 or more"))?;
        let is_true = |flag: Option<Value>| flag.is_none_or(|flag| flag.is_true());
        let rules = Rules { width, long_words: is_true(long_words), hyphens: is_true(hyphens) };
        let between = match between {
            None | Some(Value::None) => Text::frame("\n"),
            Some(between) => self.text_of(&between)?,
        };
        // Each line takes a character of the text at least.
        self.spend(1 + text.len())?;
        self.spend_bytes(text.len().saturating_mul(between.len()))?;
        let mut out = Builder::default();
        for (i, line) in strings::lines(text, false).iter().enumerate() {
            if i > 0 {
                out.push_text(&between);
            }
            for (i, part) in wrapped(line.as_str(), &rules).into_iter().enumerate() {
                if i > 0 {
                    out.push_text(&between);
                }
                out.push_slice(line, part);
            }
        }
        Ok(out.finish())
    }
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\x0b' | '\x0c' | '\r')
}

/// A run of white space, or a word or its part up to a hyphen.
struct Chunk {
    range: Range<usize>,
    n_chars: usize,
    is_space: bool,
}

/// The byte ranges of the lines that a text is broken into.
fn wrapped(text: &str, rules: &Rules) -> Vec<Range<usize>> {
    let mut chunks = chunks(text, rules.hyphens);
    chunks.reverse();
    let mut lines: Vec<Range<usize>> = vec![];
    while let Some(first) = chunks.last() {
        if !lines.is_empty() && first.is_space {
            chunks.pop();
        }
        let (mut line, mut len): (Vec<(Range<usize>, bool)>, usize) = (vec![], 0);
        while let Some(chunk) = chunks.pop_if(|chunk| len + chunk.n_chars <= rules.width) {
            len += chunk.n_chars;
            line.push((chunk.range, chunk.is_space));
        }
        if let Some(chunk) = chunks.last_mut().filter(|chunk| chunk.n_chars > rules.width) {
            if rules.long_words {
                let part = cut(&text[chunk.range.clone()], rules.width - len, rules.hyphens);
                if part > 0 {
                    let end = chunk.range.start + part;
                    chunk.n_chars -= text[chunk.range.start..end].chars().count();
                    line.push((chunk.range.start..end, chunk.is_space));
                    chunk.range.start = end;
                }
            } else if line.is_empty() {
                line.extend(chunks.pop().map(|chunk| (chunk.range, chunk.is_space)));
            }
        }
        line.pop_if(|(_, is_space)| *is_space);
        if let (Some((first, _)), Some((last, _))) = (line.first(), line.last()) {
            lines.push(first.start..last.end);
        }
    }
    lines
}

/// Where a word is cut that has more than `room` characters.
fn cut(word: &str, room: usize, hyphens: bool) -> usize {
    let end = word.char_indices().nth(room).map_or(word.len(), |(at, _)| at);
    match word[..end].rfind('-') {
        Some(at) if hyphens && word[..at].contains(|c| c != '-') => at + 1,
        _ => end,
    }
}

/// What a text is made of, in order.
fn chunks(text: &str, hyphens: bool) -> Vec<Chunk> {
    let chars: Vec<(usize, char)> = text.char_indices().collect();
    let mut out = vec![];
    let (mut start, mut n_chars, mut is_blank_so_far) = (0, 0, true);
    for (i, (at, c)) in chars.iter().enumerate() {
        n_chars += 1;
        is_blank_so_far &= is_space(*c);
        let ends = match chars.get(i + 1) {
            None => true,
            Some((_, after)) => {
                let splits = hyphens && *c == '-' && within_word(&chars, i);
                splits || is_blank(*c) != is_blank(*after)
            }
        };
        if ends {
            let end = at + c.len_utf8();
            out.push(Chunk { range: start..end, n_chars, is_space: is_blank_so_far });
            (start, n_chars, is_blank_so_far) = (end, 0, true);
        }
    }
    out
}

/// Whether the hyphen at `at` stands in a word: letters on both sides, two of them before it.
fn within_word(chars: &[(usize, char)], at: usize) -> bool {
    let letter = |i: Option<usize>| {
        i.and_then(|i| chars.get(i)).is_some_and(|(_, c)| c.is_alphabetic() || *c == '_')
    };
    let hyphen = |i: Option<usize>| i.and_then(|i| chars.get(i)).is_some_and(|(_, c)| *c == '-');
    let before = |n| at.checked_sub(n);
    let two_before = letter(before(1)) && letter(before(2));
    let part_before = letter(before(1)) && hyphen(before(2)) && letter(before(3));
    let behind = at + 1 + usize::from(hyphen(Some(at + 2)));
    (two_before || part_before) && letter(Some(at + 1)) && letter(Some(behind + 1))
}
