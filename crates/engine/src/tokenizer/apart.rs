//! The stages of pre-tokenizers that isolate something from the text around it.
//!
//! A function gets the rest of a text and answers how many bytes the part at its start takes: what
//! the expression matches there, or everything up to the next match.

use super::classes::Classes;

const NUMBER: Classes = Classes::NUMBER;
const SPACE: Classes = Classes::SPACE;

pub(super) fn is_blank(c: char) -> bool {
    Classes::of(c).meets(SPACE)
}

pub(super) fn is_number(c: char) -> bool {
    Classes::of(c).meets(NUMBER)
}

fn is_symbol(c: char) -> bool {
    Classes::of(c).meets(Classes::PUNCTUATION)
        || matches!(c, '$' | '+' | '<' | '=' | '>' | '^' | '~' | '|')
}

pub(super) fn is_newline(c: char) -> bool {
    matches!(c, '\r' | '\n')
}

/// `[\p{P}\$\+<=>\^~\|]+`
pub(super) fn symbols_apart(rest: &str) -> usize {
    apart(rest, usize::MAX, is_symbol)
}

/// ``[\p{P}\$\+<=>\^~\|`]+``
pub(super) fn falcon_symbols_apart(rest: &str) -> usize {
    apart(rest, usize::MAX, |c| is_symbol(c) || c == '`')
}

/// `\p{N}+`
pub(super) fn numbers_apart(rest: &str) -> usize {
    apart(rest, usize::MAX, is_number)
}

/// `\p{N}`
pub(super) fn digits_apart(rest: &str) -> usize {
    apart(rest, 1, is_number)
}

/// `\p{N}{1,3}`
pub(super) fn threes_apart(rest: &str) -> usize {
    apart(rest, 3, is_number)
}

/// `[\r\n]`
pub(super) fn newlines_apart(rest: &str) -> usize {
    apart(rest, 1, is_newline)
}

/// `[^\n]+|[\n]+`
pub(super) fn line(rest: &str) -> usize {
    apart(rest, usize::MAX, |c| c == '\n')
}

/// `[一-龥぀-ゟ゠-ヿ]+`
pub(super) fn cjk_apart(rest: &str) -> usize {
    apart(rest, usize::MAX, |c| matches!(c, '一'..='龥' | '\u{3040}'..='\u{30ff}'))
}

/// `[一-龥ࠀ-一가-퟿]+`, but for the spaces among these
pub(super) fn wide_cjk_apart(rest: &str) -> usize {
    let is_in = |c| matches!(c, '\u{800}'..='龥' | '\u{ac00}'..='\u{d7ff}') && !is_blank(c);
    apart(rest, usize::MAX, is_in)
}

/// How many bytes the characters at the start take that are all `inside`.
pub(super) fn run(text: &str, inside: impl Fn(char) -> bool) -> usize {
    text.find(|c| !inside(c)).unwrap_or(text.len())
}

pub(super) fn run_of(text: &str, classes: Classes) -> usize {
    run(text, |c| Classes::of(c).meets(classes))
}

pub(super) fn run_outside(text: &str, classes: Classes) -> usize {
    run(text, |c| !Classes::of(c).meets(classes))
}

/// `X{1,most}` isolated from what is around it.
pub(super) fn apart(rest: &str, most: usize, x: fn(char) -> bool) -> usize {
    match run(rest, |c| !x(c)) {
        0 => run_at_most(rest, most, x),
        other => other,
    }
}

pub(super) fn run_at_most(rest: &str, most: usize, x: fn(char) -> bool) -> usize {
    rest.chars().take(most).take_while(|&c| x(c)).map(char::len_utf8).sum()
}

/// `[0-9][0-9][0-9]` isolated from what is around it.
pub(super) fn triple(rest: &str) -> usize {
    let is_triple = |bytes: &[u8]| bytes.iter().all(u8::is_ascii_digit);
    match rest.as_bytes().windows(3).position(is_triple) {
        Some(0) => 3,
        Some(other) => other,
        None => rest.len(),
    }
}

/// `\s?X+` isolated from what is around it.
pub(super) fn spaced_apart(rest: &str, x: fn(char) -> bool) -> usize {
    let Some((start, _)) = rest.char_indices().find(|&(_, c)| x(c)) else { return rest.len() };
    let before = rest[..start].chars().next_back().filter(|&c| Classes::of(c).meets(SPACE));
    match start - before.map_or(0, char::len_utf8) {
        0 => start + run(&rest[start..], x),
        other => other,
    }
}

/// ` ?[^(\s|.,!?…。，、।۔،)]+` isolated from what is around it.
pub(super) fn bloom(rest: &str) -> usize {
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

/// `[\p{P}!-/:-@\[-`{-~]`
pub(super) fn punctuation_apart(rest: &str) -> usize {
    apart(rest, 1, |c| Classes::of(c).meets(Classes::PUNCTUATION) || c.is_ascii_punctuation())
}

/// `[一-鿿㐀-䶿豈-\u{faff}぀-ゟ゠-ヿ･-ﾟ⼀-\u{2fdf}เ-\u{e7f}\u{e80}-\u{eff}ក-\u{17ff}က-႟ꩠ-ꩿꧠ-\u{a9ff}가-\u{d7af}ᄀ-ᇿ]+`
pub(super) fn asian_apart(rest: &str) -> usize {
    apart(rest, usize::MAX, |c| {
        matches!(c,
            '\u{e40}'..='\u{eff}'
            | '\u{1000}'..='\u{109f}'
            | '\u{1100}'..='\u{11ff}'
            | '\u{1780}'..='\u{17ff}'
            | '\u{2f00}'..='\u{2fdf}'
            | '\u{3040}'..='\u{30ff}'
            | '\u{3400}'..='\u{4dbf}'
            | '\u{4e00}'..='\u{9fff}'
            | '\u{a9e0}'..='\u{a9ff}'
            | '\u{aa60}'..='\u{aa7f}'
            // From a code point that looks like U+F900.
            | '\u{8c48}'..='\u{faff}'
            | '\u{ff65}'..='\u{ff9f}')
    })
}

/// Hangul, East Asian punctuation, Bopomofo, or Han and kana:
/// `[가-힣ㄱ-ㆎ]+|[！…“”‘’—：；，、-〿︰-﹏]+|[ㄅ-ㄯ]+|[一-龥぀-ゟ゠-ヿ]+`
pub(super) fn youtu_scripts(rest: &str) -> usize {
    let script = |c: char| match c {
        '\u{ac00}'..='\u{d7a3}' | '\u{3131}'..='\u{318e}' => 1,
        '！' | '…' | '“' | '”' | '‘' | '’' | '—' | '：' | '；' | '，' => 2,
        '\u{3001}'..='\u{303f}' | '\u{fe30}'..='\u{fe4f}' => 2,
        '\u{3105}'..='\u{312f}' => 3,
        '一'..='龥' | '\u{3040}'..='\u{30ff}' => 4,
        _ => 0,
    };
    let first = rest.chars().next().map_or(0, script);
    run(rest, |c| script(c) == first)
}

/// The letters of DeepSeek LLM's expression: those with a case in Unicode 10, but for Georgian,
/// small Armenian and mathematical ones and rare alphabets.
pub(super) fn deepseek_letters(c: char) -> bool {
    let is_left_out = matches!(c,
        '\u{560}'..='\u{588}'
        | '\u{10c7}'..='\u{10ff}'
        | '\u{1c80}'..='\u{1c8f}'
        | '\u{2d00}'..='\u{2d2d}'
        | '\u{a790}'..='\u{ab6f}'
        | '\u{10570}'..='\u{105bc}'
        | '\u{10d50}'..='\u{10d85}'
        | '\u{16e40}'..='\u{16e7f}'
        | '\u{1d400}'..='\u{1df2a}');
    Classes::of(c).has_case() && !is_left_out
}

/// `[!-/:-~！-／：-～‘-‟　-。]`, but for the space among these; it has the ASCII letters, too
pub(super) fn deepseek_punctuation(c: char) -> bool {
    matches!(c,
        '!'..='/' | ':'..='~' | '！'..='／' | '：'..='～' | '‘'..='‟' | '\u{3001}'..='。')
}

/// `\s+$` isolated from what is before it.
pub(super) fn spaces_at_the_end<'a>(text: &'a str, part: &mut dyn FnMut(&'a str)) {
    let (before, spaces) = text.split_at(text.trim_end_matches(is_blank).len());
    part(before);
    part(spaces);
}

/// Numbers in threes from the right: `12345` is `12`, `345`. The first part of a number isn't cut
/// from the text before it (llama.cpp's `\p{AFMoE_digits}`).
pub(super) fn threes_from_right<'a>(text: &'a str, part: &mut dyn FnMut(&'a str)) {
    let mut rest = text;
    while let Some(start) = rest.find(is_number) {
        let n_bytes = run(&rest[start..], is_number);
        let (number, after) = rest.split_at(start + n_bytes);
        cut_threes(number, start, part);
        rest = after;
    }
    part(rest);
}

/// `(?=(\d{3})+(?!\d))` for ASCII digits: a cut before each group of three from the right.
pub(super) fn triples_from_right<'a>(text: &'a str, part: &mut dyn FnMut(&'a str)) {
    let (mut begin, mut at) = (0, 0);
    while let Some(found) = text[at..].find(|c: char| c.is_ascii_digit()) {
        let start = at + found;
        at = start + run(&text[start..], |c| c.is_ascii_digit());
        for cut in (start + (at - start) % 3..at).step_by(3) {
            part(&text[begin..cut]);
            begin = cut;
        }
    }
    part(&text[begin..]);
}

/// Cuts what stands from byte `start` on in threes of characters from the right.
fn cut_threes<'a>(text: &'a str, start: usize, part: &mut dyn FnMut(&'a str)) {
    let mut n_left = text[start..].chars().count();
    let mut begin = 0;
    for (at, _) in text[start..].char_indices() {
        if n_left.is_multiple_of(3) && at > 0 {
            part(&text[begin..start + at]);
            begin = start + at;
        }
        n_left -= 1;
    }
    part(&text[begin..]);
}

/// A run of spaces without newlines in lengths of 512, 256, …, 4, 2 and 1, the longest first:
/// `\s{512}|\s{256}|…|\s{4}|\s{1,2}`. Gets words of Llama 3's, of which the others stay whole.
pub(super) fn blanks_apart(rest: &str) -> usize {
    let n_blank = rest.chars().take(512).take_while(|&c| is_blank(c)).count();
    let is_run = n_blank > 1 || (n_blank == 1 && rest.chars().nth(1).is_none());
    if !is_run || rest.ends_with(is_newline) {
        return rest.len();
    }
    rest.chars().take(1 << n_blank.ilog2()).map(char::len_utf8).sum()
}

/// `<sentinel:[0-9]+>`
pub(super) fn chameleon_sentinel(rest: &str) -> usize {
    const START: &str = "<sentinel:";
    isolated(rest, START, |after| {
        let n_digits = run(after, |c| c.is_ascii_digit());
        (n_digits > 0 && after[n_digits..].starts_with('>')).then_some(n_digits + 1)
    })
}

/// `(IMGIMG)((A|B|C|D|E|F|G|H|I){1,4})Z`
pub(super) fn chameleon_image(rest: &str) -> usize {
    isolated(rest, "IMGIMG", |after| {
        let n_letters = run_at_most(after, 4, |c| matches!(c, 'A'..='I'));
        (n_letters > 0 && after[n_letters..].starts_with('Z')).then_some(n_letters + 1)
    })
}

/// `[\t\n]|    |  `
pub(super) fn chameleon_blanks(rest: &str) -> usize {
    let starts = |&at: &usize| match rest.as_bytes()[at] {
        b'\t' | b'\n' => true,
        b' ' => rest[at..].starts_with("  "),
        _ => false,
    };
    match (0..rest.len()).find(starts) {
        Some(0) if rest.starts_with("    ") => 4,
        Some(0) if rest.starts_with(' ') => 2,
        Some(0) => 1,
        Some(other) => other,
        None => rest.len(),
    }
}

/// `start` and the bytes that `end` finds after it, isolated from what is around them.
fn isolated(rest: &str, start: &str, end: impl Fn(&str) -> Option<usize>) -> usize {
    // Two of them overlap at most by a part of `start`, so each place is looked at.
    let found = rest.match_indices(&start[..1]).find_map(|(at, _)| {
        let after = rest[at..].strip_prefix(start)?;
        Some((at, start.len() + end(after)?))
    });
    match found {
        Some((0, n_bytes)) => n_bytes,
        Some((other, _)) => other,
        None => rest.len(),
    }
}
