//! Pre-tokenizers: split a text into the words that byte-level BPE merges within, by the names that
//! GGUF gives them.
//!
//! Reference tokenizers define these by regular expressions with a lookahead, which a backtracking
//! engine runs (and gives up on long input). Here they are written as functions. Each function
//! names its expression, and the tests compare it with that. All take time linear in the text.

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
    /// Falcon's words: punctuation apart, GPT-2's words, groups of three digits apart.
    Falcon,
    /// Llama 3's words.
    Llama3,
    /// Numbers of at most three digits apart, then Llama 3's words.
    MiniCpm5,
    /// Qwen 2's words: Llama 3's, but every digit apart.
    Qwen2,
    /// Qwen 3.5's words: Qwen 2's, and marks belong to letters.
    Qwen35,
    /// Seed's words: Qwen 2's, but newlines don't belong to the symbols before them.
    Seed,
    /// Qwen 2's words without English contractions.
    Ufakzeka,
    /// Lines apart, then Qwen 2's words.
    Laguna,
    /// Tekken's words: cut where lower case turns to upper case; no contractions.
    Tekken,
    /// GPT-4o's words: Tekken's, with the contraction that follows and by three digits.
    Gpt4o,
    /// DeepSeek V3's words: numbers and CJK apart, letters with marks, symbols.
    DeepSeek3,
    /// DeepSeek Coder's words: newlines, letters, punctuation, CJK and digits apart.
    DeepSeekCoder,
    /// Bloom's words: what stands between punctuation.
    Bloom,
    /// Bloom's words, then every digit apart.
    Viking,
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

const fn unmerged(split: Split) -> Pre {
    Pre { split, ignore_merges: true, add_bos: false }
}

const fn whole_words(split: Split) -> Pre {
    Pre { split, ignore_merges: true, add_bos: true }
}

/// The supported values of `tokenizer.ggml.pre`, in lines of names.
const PRES: &[(Pre, &str)] = &[
    (pre(Split::Default), "default"),
    (
        pre(Split::Gpt2),
        "gpt-2 phi-2 jina-es jina-de gigachat jina-v2-es jina-v2-de a.x-4.0 mellum modern-bert mpt \
         olmo jais trillion granite-docling exaone4",
    ),
    (pre(Split::Digits), "smollm starcoder refact command-r codeshell exaone minerva-7b mellum2"),
    (pre(Split::Falcon), "falcon"),
    (
        whole_words(Split::Llama3),
        "llama-bpe llama3 llama-v3 falcon3 falcon-h1 pixtral midm-2.0 lfm2 jina-v5-nano",
    ),
    (pre(Split::Llama3), "smaug-bpe dbrx chatglm-bpe"),
    (unmerged(Split::Llama3), "glm4 glm5"),
    (unmerged(Split::MiniCpm5), "minicpm5"),
    (
        pre(Split::Qwen2),
        "qwen2 deepseek-r1-qwen kormo f2llmv2 stablelm2 hunyuan solar-open megrez grok-2 \
         bailingmoe bailingmoe2 llada-moe",
    ),
    (pre(Split::Qwen35), "qwen35"),
    (pre(Split::Seed), "seed-coder"),
    (pre(Split::Ufakzeka), "ufakzeka"),
    (pre(Split::Laguna), "laguna"),
    (whole_words(Split::Tekken), "tekken"),
    (pre(Split::Gpt4o), "gpt-4o llama4 kanana2 talkie minimax-m2"),
    (pre(Split::DeepSeek3), "deepseek-v3 hunyuan-dense joyai-llm hy_v4"),
    (pre(Split::DeepSeekCoder), "deepseek-coder"),
    (pre(Split::Bloom), "bloom poro-chat gpt3-finnish"),
    (pre(Split::Viking), "viking"),
];

impl Pre {
    /// What `tokenizer.ggml.pre` names.
    pub(super) fn named(name: &str) -> Option<Pre> {
        let knows = |names: &str| names.split(' ').any(|known| known == name && !name.is_empty());
        PRES.iter().find(|(_, names)| knows(names)).map(|&(pre, _)| pre)
    }

    /// Every name that `named` knows.
    pub(super) fn names() -> String {
        PRES.iter().flat_map(|(_, names)| names.split(' ')).collect::<Vec<_>>().join(", ")
    }
}

/// How many bytes the word at the start of a text takes.
type Next = fn(&str) -> usize;

impl Split {
    /// Calls `word` with one word after another; together they are the text.
    pub(super) fn words<'a>(self, text: &'a str, mut word: impl FnMut(&'a str)) {
        each(text, self.stages(), &mut word);
    }

    /// What cuts the text, and then what is left of it.
    fn stages(self) -> &'static [Next] {
        match self {
            Split::Default => &[symbols_apart, gpt2, numbers_apart, triple],
            Split::Gpt2 => &[gpt2],
            Split::Digits => &[digits_apart, gpt2],
            Split::Falcon => &[falcon_symbols_apart, gpt2, triple],
            Split::Llama3 => &[|rest| llama3(rest, 3)],
            Split::MiniCpm5 => &[threes_apart, |rest| llama3(rest, 3)],
            Split::Qwen2 => &[|rest| llama3(rest, 1)],
            Split::Qwen35 => &[qwen35],
            Split::Seed => &[seed],
            Split::Ufakzeka => &[|rest| uncontracted(rest, 1)],
            Split::Laguna => &[line, |rest| llama3(rest, 1)],
            Split::Tekken => &[tekken],
            Split::Gpt4o => &[gpt4o],
            Split::DeepSeek3 => &[threes_apart, cjk_apart, deepseek3],
            Split::DeepSeekCoder => &[
                newlines_apart,
                |rest| spaced_apart(rest, |c| Classes::of(c).meets(WORD)),
                |rest| spaced_apart(rest, |c| Classes::of(c).meets(Classes::PUNCTUATION)),
                wide_cjk_apart,
                digits_apart,
            ],
            Split::Bloom => &[bloom],
            Split::Viking => &[bloom, digits_apart],
        }
    }
}

/// Cuts the text by the first stage, and each part by the others.
fn each<'a>(mut text: &'a str, stages: &[Next], word: &mut dyn FnMut(&'a str)) {
    let [next, others @ ..] = stages else { return word(text) };
    while !text.is_empty() {
        let (first, rest) = text.split_at(next(text));
        each(first, others, word);
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

/// `[\p{P}\$\+<=>\^~\|]+`
fn symbols_apart(rest: &str) -> usize {
    apart(rest, usize::MAX, is_symbol)
}

/// ``[\p{P}\$\+<=>\^~\|`]+``
fn falcon_symbols_apart(rest: &str) -> usize {
    apart(rest, usize::MAX, |c| is_symbol(c) || c == '`')
}

/// `\p{N}+`
fn numbers_apart(rest: &str) -> usize {
    apart(rest, usize::MAX, is_number)
}

/// `\p{N}`
fn digits_apart(rest: &str) -> usize {
    apart(rest, 1, is_number)
}

/// `\p{N}{1,3}`
fn threes_apart(rest: &str) -> usize {
    apart(rest, 3, is_number)
}

/// `[\r\n]`
fn newlines_apart(rest: &str) -> usize {
    apart(rest, 1, is_newline)
}

/// `[\n]+|[^\n]+`
fn line(rest: &str) -> usize {
    apart(rest, usize::MAX, |c| c == '\n')
}

/// `[一-龥぀-ゟ゠-ヿ]+`
fn cjk_apart(rest: &str) -> usize {
    apart(rest, usize::MAX, |c| matches!(c, '一'..='龥' | '\u{3040}'..='\u{30ff}'))
}

/// `[一-龥ࠀ-一가-퟿]+`
fn wide_cjk_apart(rest: &str) -> usize {
    apart(rest, usize::MAX, |c| matches!(c, '\u{800}'..='龥' | '\u{ac00}'..='\u{d7ff}'))
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

/// `\s?X+` isolated from what is around it.
fn spaced_apart(rest: &str, x: fn(char) -> bool) -> usize {
    let Some((start, _)) = rest.char_indices().find(|&(_, c)| x(c)) else { return rest.len() };
    let before = rest[..start].chars().next_back().filter(|&c| Classes::of(c).meets(SPACE));
    match start - before.map_or(0, char::len_utf8) {
        0 => start + run(&rest[start..], x),
        other => other,
    }
}

/// ` ?[^(\s|.,!?…。，、।۔،)]+` isolated from what is around it.
fn bloom(rest: &str) -> usize {
    const BETWEEN: [char; 14] =
        ['(', '|', '.', ',', '!', '?', '…', '。', '，', '、', '।', '۔', '،', ')'];
    let is_word = |c: char| !(Classes::of(c).meets(SPACE) || BETWEEN.contains(&c));
    let Some((start, _)) = rest.char_indices().find(|&(_, c)| is_word(c)) else {
        return rest.len();
    };
    match start - usize::from(rest[..start].ends_with(' ')) {
        0 => start + run(&rest[start..], is_word),
        other => other,
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
    any_contraction(rest).unwrap_or_else(|| uncontracted(rest, digits))
}

/// `[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,digits}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
fn uncontracted(rest: &str, digits: usize) -> usize {
    letters(rest)
        .or_else(|| positive(run_at_most(rest, digits, is_number)))
        .or_else(|| symbols(rest, is_newline))
        .or_else(|| lines(rest))
        .unwrap_or_else(|| space(rest))
}

/// As `llama3` with one digit, but for symbols: ` ?[^\s\p{L}\p{N}\r\n]+`
fn seed(rest: &str) -> usize {
    any_contraction(rest)
        .or_else(|| letters(rest))
        .or_else(|| positive(run_at_most(rest, 1, is_number)))
        .or_else(|| symbols(rest, |_| false))
        .or_else(|| lines(rest))
        .unwrap_or_else(|| space(rest))
}

/// As `llama3` with one digit, but with `[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+` for letters and
/// ` ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*` for symbols
fn qwen35(rest: &str) -> usize {
    const MARKED: [Classes; 2] = [WORD, Classes::MARK];
    let is_marked = |c: char| MARKED.iter().any(|class| Classes::of(c).meets(*class));
    let letters = || {
        // A mark is a lead as well as a part of the word.
        let n_lead = lead(rest).filter(|_| !rest.starts_with(is_marked)).unwrap_or(0);
        positive(run(&rest[n_lead..], is_marked)).map(|n| n_lead + n)
    };
    let symbols = || {
        let body = rest.strip_prefix(' ').unwrap_or(rest);
        let n = positive(run_outside(body, SPACE | WORD | NUMBER | Classes::MARK))?;
        Some(rest.len() - body.len() + n + run(&body[n..], is_newline))
    };
    any_contraction(rest)
        .or_else(letters)
        .or_else(|| positive(run_at_most(rest, 1, is_number)))
        .or_else(symbols)
        .or_else(|| lines(rest))
        .unwrap_or_else(|| space(rest))
}

/// Two `letters` alternatives as in `cased`, each with `(?:'s|'t|'re|'ve|'m|'ll|'d)?` of either
/// case, then `\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`
fn gpt4o(rest: &str) -> usize {
    cased(rest)
        .map(|n| n + any_contraction(&rest[n..]).unwrap_or(0))
        .or_else(|| positive(run_at_most(rest, 3, is_number)))
        .or_else(|| symbols(rest, |c| is_newline(c) || c == '/'))
        .or_else(|| lines(rest))
        .unwrap_or_else(|| space(rest))
}

/// ``[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`` isolated from what is around it
fn deepseek3(rest: &str) -> usize {
    let found = |rest: &str| {
        let ascii = || {
            let body = rest.strip_prefix(|c: char| c.is_ascii_punctuation())?;
            positive(run(body, |c| c.is_ascii_alphabetic())).map(|n| 1 + n)
        };
        let letters = || {
            let first = rest.chars().next()?;
            let others = WORD | Classes::PUNCTUATION | Classes::SYMBOL | Classes::MARK;
            let is_lead = !is_newline(first) && !Classes::of(first).meets(others);
            let n_lead = if is_lead { first.len_utf8() } else { 0 };
            positive(run_of(&rest[n_lead..], WORD | Classes::MARK)).map(|n| n_lead + n)
        };
        let symbols = || {
            let body = rest.strip_prefix(' ').unwrap_or(rest);
            let n = positive(run_of(body, Classes::PUNCTUATION | Classes::SYMBOL))?;
            Some(rest.len() - body.len() + n + run(&body[n..], is_newline))
        };
        let is_space = || rest.starts_with(|c| Classes::of(c).meets(SPACE));
        ascii()
            .or_else(letters)
            .or_else(symbols)
            .or_else(|| lines(rest))
            .or_else(|| is_space().then(|| space(rest)))
    };
    found(rest).unwrap_or_else(|| {
        // Numbers and characters of no class, up to the next match.
        let gap = rest.char_indices().skip(1).find(|&(at, _)| found(&rest[at..]).is_some());
        gap.map_or(rest.len(), |(at, _)| at)
    })
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
