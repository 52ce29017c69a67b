//! A text in, the words that byte-level BPE merges within out: the pre-tokenizers, by the names
//! GGUF gives them.
//!
//! Reference tokenizers state these as regular expressions with a lookahead, which a backtracking
//! engine runs (and gives up on long input). Here they are written out; each function says which
//! expression it is, and the tests hold it to that. All take time proportional to the text.

use super::classes::Classes;

const WORD: Classes = Classes::LETTER;
const NUMBER: Classes = Classes::NUMBER;
const SPACE: Classes = Classes::SPACE;

/// How text is cut into words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Split {
    /// llama.cpp's fallback: punctuation apart, GPT-2's words, numbers apart and by three digits.
    Default,
    /// GPT-2's words.
    Gpt2,
    /// Every digit apart, then GPT-2's words.
    Digits,
    /// Llama 3's words.
    Llama3,
    /// Qwen 2's words: Llama 3's, but every digit apart.
    Qwen2,
    /// Tekken's words: cut where lower case turns to upper case; no contractions.
    Tekken,
}

/// What `tokenizer.ggml.pre` stands for: the words, whether a word that is a token is taken whole
/// without merging, and whether a beginning-of-text token is added unless the file says otherwise
/// (llama.cpp's table).
#[derive(Debug, Clone, Copy)]
pub(super) struct Pre {
    pub(super) split: Split,
    pub(super) ignore_merges: bool,
    pub(super) add_bos: bool,
}

const fn pre(split: Split) -> Pre {
    Pre { split, ignore_merges: false, add_bos: false }
}

const fn whole_words(split: Split) -> Pre {
    Pre { split, ignore_merges: true, add_bos: true }
}

/// The supported values of `tokenizer.ggml.pre`.
const PRES: &[(Pre, &[&str])] = &[
    (pre(Split::Default), &["default"]),
    (
        pre(Split::Gpt2),
        &[
            "gpt-2",
            "phi-2",
            "jina-es",
            "jina-de",
            "gigachat",
            "jina-v2-es",
            "jina-v2-de",
            "a.x-4.0",
            "mellum",
            "modern-bert",
            "mpt",
            "olmo",
            "jais",
            "trillion",
            "granite-docling",
        ],
    ),
    (
        pre(Split::Digits),
        &[
            "smollm",
            "starcoder",
            "refact",
            "command-r",
            "codeshell",
            "exaone",
            "minerva-7b",
            "mellum2",
        ],
    ),
    (
        whole_words(Split::Llama3),
        &[
            "llama-bpe",
            "llama3",
            "llama-v3",
            "falcon3",
            "falcon-h1",
            "pixtral",
            "midm-2.0",
            "lfm2",
            "jina-v5-nano",
        ],
    ),
    (pre(Split::Llama3), &["smaug-bpe", "dbrx"]),
    (
        pre(Split::Qwen2),
        &[
            "qwen2",
            "deepseek-r1-qwen",
            "kormo",
            "f2llmv2",
            "stablelm2",
            "hunyuan",
            "solar-open",
            "megrez",
        ],
    ),
    (whole_words(Split::Tekken), &["tekken"]),
];

impl Pre {
    /// What `tokenizer.ggml.pre` names.
    pub(super) fn named(name: &str) -> Option<Pre> {
        PRES.iter().find(|(_, names)| names.contains(&name)).map(|&(pre, _)| pre)
    }

    /// Every name that `named` knows.
    pub(super) fn names() -> String {
        PRES.iter().flat_map(|(_, names)| *names).copied().collect::<Vec<_>>().join(", ")
    }
}

impl Split {
    /// Calls `word` with one word after another; together they are the text.
    pub(super) fn words<'a>(self, text: &'a str, mut word: impl FnMut(&'a str)) {
        match self {
            Split::Gpt2 => each(text, gpt2, word),
            Split::Llama3 => each(text, |rest| llama3(rest, 3), word),
            Split::Qwen2 => each(text, |rest| llama3(rest, 1), word),
            Split::Tekken => each(text, tekken, word),
            Split::Digits => {
                each(text, |rest| apart(rest, 1, is_number), |part| each(part, gpt2, &mut word))
            }
            Split::Default => each(
                text,
                |rest| apart(rest, usize::MAX, is_symbol),
                |part| {
                    each(part, gpt2, |part| {
                        each(
                            part,
                            |rest| apart(rest, usize::MAX, is_number),
                            |part| each(part, triple, &mut word),
                        );
                    });
                },
            ),
        }
    }
}

/// Cuts the text by `next`, which says how many bytes the word at the start of a text takes.
fn each<'a>(mut text: &'a str, next: impl Fn(&str) -> usize, mut word: impl FnMut(&'a str)) {
    while !text.is_empty() {
        let (first, rest) = text.split_at(next(text));
        word(first);
        text = rest;
    }
}

fn is_number(c: char) -> bool {
    Classes::of(c).meets(NUMBER)
}

fn is_symbol(c: char) -> bool {
    Classes::of(c).meets(Classes::PUNCTUATION)
        || matches!(c, '$' | '+' | '<' | '=' | '>' | '^' | '~' | '|')
}

fn is_newline(c: char) -> bool {
    matches!(c, '\r' | '\n')
}

/// How many bytes the characters at the start take that are all `inside`.
fn run(text: &str, inside: impl Fn(char) -> bool) -> usize {
    text.find(|c| !inside(c)).unwrap_or(text.len())
}

fn run_of(text: &str, classes: Classes) -> usize {
    run(text, |c| Classes::of(c).meets(classes))
}

fn run_outside(text: &str, classes: Classes) -> usize {
    run(text, |c| !Classes::of(c).meets(classes))
}

/// `X{1,most}` isolated from what is around it.
fn apart(rest: &str, most: usize, x: fn(char) -> bool) -> usize {
    match run(rest, |c| !x(c)) {
        0 => run_at_most(rest, most, x),
        other => other,
    }
}

fn run_at_most(rest: &str, most: usize, x: fn(char) -> bool) -> usize {
    rest.chars().take(most).take_while(|&c| x(c)).map(char::len_utf8).sum()
}

/// `[0-9][0-9][0-9]` isolated from what is around it.
fn triple(rest: &str) -> usize {
    let is_triple = |bytes: &[u8]| bytes.iter().all(u8::is_ascii_digit);
    match rest.as_bytes().windows(3).position(is_triple) {
        Some(0) => 3,
        Some(other) => other,
        None => rest.len(),
    }
}

/// `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
fn gpt2(rest: &str) -> usize {
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
fn llama3(rest: &str, digits: usize) -> usize {
    contraction(rest, |a, b| a.eq_ignore_ascii_case(&b))
        .or_else(|| letters(rest))
        .or_else(|| positive(run_at_most(rest, digits, is_number)))
        .or_else(|| symbols(rest, is_newline))
        .or_else(|| lines(rest))
        .unwrap_or_else(|| space(rest))
}

/// Two `letters` alternatives as in `cased`, then
/// `\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`
fn tekken(rest: &str) -> usize {
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
