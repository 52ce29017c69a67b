//! Expressions that name every word of a text: how many bytes the word at the start of the rest of
//! a text takes.

use super::{
    apart::{is_blank, is_newline, is_number, run, run_at_most, run_of, run_outside},
    classes::Classes,
};

const WORD: Classes = Classes::LETTER;
const NUMBER: Classes = Classes::NUMBER;
const SPACE: Classes = Classes::SPACE;

/// `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
pub(super) fn gpt2(rest: &str) -> usize {
    if let Some(n) = contraction(rest, |a, b| a == b) {
        return n;
    }
    let body = rest.strip_prefix(' ').unwrap_or(rest);
    let n_body = match body.chars().next().map(Classes::of) {
        None => 0,
        Some(first) if first.meets(WORD) => run_of(body, WORD),
        Some(first) if first.meets(NUMBER) => run_of(body, NUMBER),
        Some(_) => run_outside(body, SPACE | WORD | NUMBER),
    };
    match n_body {
        0 => space(rest),
        n_body => rest.len() - body.len() + n_body,
    }
}

/// `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,digits}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
/// (with `i` for ASCII only, as llama.cpp has it)
pub(super) fn llama3(rest: &str, digits: usize) -> usize {
    any_contraction(rest).unwrap_or_else(|| uncontracted(rest, digits))
}

/// `[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,digits}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
pub(super) fn uncontracted(rest: &str, digits: usize) -> usize {
    letters(rest)
        .or_else(|| positive(run_at_most(rest, digits, is_number)))
        .or_else(|| symbols(rest, is_newline))
        .or_else(|| lines(rest))
        .unwrap_or_else(|| space(rest))
}

/// As `llama3` with one digit, but for symbols: ` ?[^\s\p{L}\p{N}\r\n]+`
pub(super) fn seed(rest: &str) -> usize {
    any_contraction(rest)
        .or_else(|| letters(rest))
        .or_else(|| positive(run_at_most(rest, 1, is_number)))
        .or_else(|| symbols(rest, |_| false))
        .or_else(|| lines(rest))
        .unwrap_or_else(|| space(rest))
}

/// As `llama3` with one digit, but with `[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+` for letters and
/// ` ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*` for symbols
pub(super) fn qwen35(rest: &str) -> usize {
    let symbols = || {
        let body = rest.strip_prefix(' ').unwrap_or(rest);
        let n = positive(run_outside(body, SPACE | WORD | NUMBER | Classes::MARK))?;
        Some(rest.len() - body.len() + n + run(&body[n..], is_newline))
    };
    any_contraction(rest)
        .or_else(|| marked_letters(rest))
        .or_else(|| positive(run_at_most(rest, 1, is_number)))
        .or_else(symbols)
        .or_else(|| lines(rest))
        .unwrap_or_else(|| space(rest))
}

/// `[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+`
fn marked_letters(rest: &str) -> Option<usize> {
    let marked = WORD | Classes::MARK;
    // A mark is a lead as well as a part of the word.
    let is_marked = rest.starts_with(|c| Classes::of(c).meets(marked));
    let n_lead = lead(rest).filter(|_| !is_marked).unwrap_or(0);
    positive(run_of(&rest[n_lead..], marked)).map(|n| n_lead + n)
}

/// Two `letters` alternatives as in `cased`, each with `(?:'s|'t|'re|'ve|'m|'ll|'d)?` of either
/// case, then `\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`
pub(super) fn gpt4o(rest: &str) -> usize {
    cased(rest)
        .map(|n| n + any_contraction(&rest[n..]).unwrap_or(0))
        .or_else(|| positive(run_at_most(rest, 3, is_number)))
        .or_else(|| symbols(rest, |c| is_newline(c) || c == '/'))
        .or_else(|| lines(rest))
        .unwrap_or_else(|| space(rest))
}

/// ``[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`` isolated from what is around it
pub(super) fn deepseek3(rest: &str) -> usize {
    or_gap(rest, |rest| {
        deepseek_letters(rest)
            .or_else(|| deepseek_symbols(rest, is_newline))
            .or_else(|| lines(rest))
            .or_else(|| is_spaced(rest).then(|| space(rest)))
    })
}

/// As `deepseek3`, but with ` ?[\p{P}\p{S}]+` for symbols and `[\r\n]` for newlines
pub(super) fn spark(rest: &str) -> usize {
    or_gap(rest, |rest| {
        deepseek_letters(rest)
            .or_else(|| deepseek_symbols(rest, |_| false))
            .or_else(|| rest.starts_with(is_newline).then_some(1))
            .or_else(|| is_spaced(rest).then(|| space(rest)))
    })
}

/// What `found` finds at the start, or everything up to where it next finds something.
fn or_gap(rest: &str, found: impl Fn(&str) -> Option<usize>) -> usize {
    found(rest).unwrap_or_else(|| {
        let next = rest.char_indices().skip(1).find(|&(at, _)| found(&rest[at..]).is_some());
        next.map_or(rest.len(), |(at, _)| at)
    })
}

fn is_spaced(rest: &str) -> bool {
    rest.starts_with(is_blank)
}

/// ``[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+``
fn deepseek_letters(rest: &str) -> Option<usize> {
    let first = rest.chars().next()?;
    if first.is_ascii_punctuation()
        && let Some(n) = positive(run(&rest[1..], |c| c.is_ascii_alphabetic()))
    {
        return Some(1 + n);
    }
    let others = WORD | Classes::PUNCTUATION | Classes::SYMBOL | Classes::MARK;
    let is_lead = !is_newline(first) && !Classes::of(first).meets(others);
    let n_lead = if is_lead { first.len_utf8() } else { 0 };
    positive(run_of(&rest[n_lead..], WORD | Classes::MARK)).map(|n| n_lead + n)
}

/// ` ?[\p{P}\p{S}]+T*`, where T is `tail`
fn deepseek_symbols(rest: &str, tail: fn(char) -> bool) -> Option<usize> {
    let body = rest.strip_prefix(' ').unwrap_or(rest);
    let n = positive(run_of(body, Classes::PUNCTUATION | Classes::SYMBOL))?;
    Some(rest.len() - body.len() + n + run(&body[n..], tail))
}

/// As `llama3` with one digit, but with
/// `[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+` for letters and
/// ` ?[^\s\p{L}\p{N}]+[\r\n/]?` for symbols
pub(super) fn exaone_moe(rest: &str) -> usize {
    let letters = || {
        let n_lead = lead(rest).unwrap_or(0);
        let mut n = 0;
        loop {
            let body = &rest[n_lead + n..];
            let spaced = body.strip_prefix(' ').filter(|_| n > 0).unwrap_or(body);
            let Some(n_letters) = positive(run_of(spaced, WORD)) else { break };
            n += body.len() - spaced.len() + n_letters;
            n += run_of(&spaced[n_letters..], Classes::MARK);
        }
        positive(n).map(|n| n_lead + n)
    };
    let symbols = || {
        let n = symbols(rest, |_| false)?;
        let has_tail = rest[n..].starts_with(|c| is_newline(c) || c == '/');
        Some(n + usize::from(has_tail))
    };
    any_contraction(rest)
        .or_else(letters)
        .or_else(|| positive(run_at_most(rest, 1, is_number)))
        .or_else(symbols)
        .or_else(|| lines(rest))
        .unwrap_or_else(|| space(rest))
}

/// `[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+` with the contraction that follows, then
/// `\p{N}{1,digits}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`
pub(super) fn marked(rest: &str, digits: usize) -> usize {
    marked_letters(rest)
        .map(|n| n + any_contraction(&rest[n..]).unwrap_or(0))
        .or_else(|| positive(run_at_most(rest, digits, is_number)))
        .or_else(|| symbols(rest, |c| is_newline(c) || c == '/'))
        .or_else(|| lines(rest))
        .unwrap_or_else(|| space(rest))
}

/// `\p{Han}+|[^\r\n\p{L}\p{N}]?[\p{L}&&[^\p{Han}]]+` with the contraction that follows, then
/// `\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+` (llama.cpp's reading of Kimi
/// K2's expression, which also cuts where lower case turns to upper case)
pub(super) fn kimi_k2(rest: &str) -> usize {
    let letters = || {
        let n_lead = lead(rest).unwrap_or(0);
        let n = positive(run(&rest[n_lead..], |c| Classes::of(c).meets(WORD) && !is_han(c)))?;
        let n = n_lead + n;
        Some(n + any_contraction(&rest[n..]).unwrap_or(0))
    };
    positive(run(rest, is_han))
        .or_else(letters)
        .or_else(|| positive(run_at_most(rest, 3, is_number)))
        .or_else(|| symbols(rest, is_newline))
        .or_else(|| lines(rest))
        .unwrap_or_else(|| space(rest))
}

/// Chinese characters by block: the unified ones with extensions A to F, and compatibility ones.
fn is_han(c: char) -> bool {
    matches!(c,
        '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{2a6df}'
        | '\u{2a700}'..='\u{2ebef}'
        | '\u{2f800}'..='\u{2fa1f}')
}

/// Two `letters` alternatives as in `cased`, then
/// `\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`
pub(super) fn tekken(rest: &str) -> usize {
    cased(rest)
        .or_else(|| positive(run_at_most(rest, 1, is_number)))
        .or_else(|| symbols(rest, |c| is_newline(c) || c == '/'))
        .or_else(|| lines(rest))
        .unwrap_or_else(|| space(rest))
}

fn positive(n: usize) -> Option<usize> {
    (n > 0).then_some(n)
}

/// `'s|'t|'re|'ve|'m|'ll|'d`
fn contraction(rest: &str, equal: impl Fn(u8, u8) -> bool) -> Option<usize> {
    let after = rest.strip_prefix('\'')?.as_bytes();
    ["s", "t", "re", "ve", "m", "ll", "d"]
        .iter()
        .find(|end| after.len() >= end.len() && end.bytes().zip(after).all(|(a, &b)| equal(a, b)))
        .map(|end| 1 + end.len())
}

/// `(?i:'s|'t|'re|'ve|'m|'ll|'d)`, with `i` for ASCII only
fn any_contraction(rest: &str) -> Option<usize> {
    contraction(rest, |a, b| a.eq_ignore_ascii_case(&b))
}

/// How many bytes `[^\r\n\p{L}\p{N}]` takes at the start, if it matches.
fn lead(rest: &str) -> Option<usize> {
    let first = rest.chars().next()?;
    (!is_newline(first) && !Classes::of(first).meets(WORD | NUMBER)).then_some(first.len_utf8())
}

/// `[^\r\n\p{L}\p{N}]?\p{L}+`
fn letters(rest: &str) -> Option<usize> {
    let n_lead = lead(rest).unwrap_or(0);
    positive(run_of(&rest[n_lead..], WORD)).map(|n| n_lead + n)
}

/// `[^\r\n\p{L}\p{N}]?U*L+|[^\r\n\p{L}\p{N}]?U+L*`, where U is `Classes::UPPER` and L is
/// `Classes::LOWER`
fn cased(rest: &str) -> Option<usize> {
    // The optional first character is tried first, and given back if nothing follows: it may be a
    // mark.
    let starts = || lead(rest).into_iter().chain([0]);
    starts().find_map(|n| ends_lower(&rest[n..]).map(|end| n + end)).or_else(|| {
        starts().find_map(|n| positive(run_of(&rest[n..], Classes::UPPER)).map(|end| n + end))
    })
}

/// `U*L+`: as many U as there are, fewer if no L follows them.
fn ends_lower(rest: &str) -> Option<usize> {
    let n_upper = run_of(rest, Classes::UPPER);
    let n_lower = run_of(&rest[n_upper..], Classes::LOWER);
    if n_lower > 0 {
        return Some(n_upper + n_lower);
    }
    // Characters without case are both U and L: the last of them ends the word.
    let upper = &rest[..n_upper];
    upper
        .char_indices()
        .rfind(|&(_, c)| Classes::of(c).meets(Classes::LOWER))
        .map(|(at, c)| at + c.len_utf8())
}

/// ` ?[^\s\p{L}\p{N}]+T*`, where T is `tail`
fn symbols(rest: &str, tail: fn(char) -> bool) -> Option<usize> {
    let body = rest.strip_prefix(' ').unwrap_or(rest);
    let n = positive(run_outside(body, SPACE | WORD | NUMBER))?;
    Some(rest.len() - body.len() + n + run(&body[n..], tail))
}

/// `\s*[\r\n]+`
fn lines(rest: &str) -> Option<usize> {
    rest[..run_of(rest, SPACE)].rfind(is_newline).map(|at| at + 1)
}

/// `\s+(?!\S)|\s+`: a space before a word belongs to the word.
fn space(rest: &str) -> usize {
    let n = run_of(rest, SPACE);
    match rest[..n].char_indices().next_back() {
        Some((last, _)) if last > 0 && n < rest.len() => last,
        Some(_) => n,
        // No expression gets here: every character is a letter, a number, a space or none of the
        // three.
        None => rest.chars().next().map_or(0, char::len_utf8),
    }
}
