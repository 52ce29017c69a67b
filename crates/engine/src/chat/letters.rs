//! Methods of Python's `str` that take no arguments: they change the case of letters, or say what
//! kind of characters a text has.

use std::sync::OnceLock;

use regex_syntax::hir::{Class, ClassUnicode, HirKind};

use super::{
    show::is_printable,
    text::{Builder, Text, is_space},
    value::Value,
};

/// Python's `str.capitalize`.
pub(super) fn capitalize(text: &Text) -> Text {
    change_chars(text, |at_start, c| if at_start { titled(c) } else { lower(c) }, |_, _| false)
}

fn upper(c: char) -> String {
    c.to_uppercase().collect()
}

fn lower(c: char) -> String {
    c.to_lowercase().collect()
}

/// A character as the first of a word: of letters in one character only the first is large.
fn titled(c: char) -> String {
    match c {
        'Ǆ'..='ǆ' => "ǅ".into(),
        'Ǉ'..='ǉ' => "ǈ".into(),
        'Ǌ'..='ǌ' => "ǋ".into(),
        'Ǳ'..='ǳ' => "ǲ".into(),
        'ŉ' => upper(c),
        // Georgian has large letters, which begin no words.
        'ა'..='ჿ' => c.into(),
        c => {
            let mut large = c.to_uppercase();
            large.next().into_iter().chain(large.flat_map(char::to_lowercase)).collect()
        }
    }
}

/// Python's `str.casefold` of a character.
fn folded(c: char) -> String {
    match c {
        'ẞ' => "ss".into(),
        'ı' => c.into(),
        c => c.to_uppercase().flat_map(char::to_lowercase).collect(),
    }
}

/// Changes each character. `change` gets whether the character begins a word, which
/// `starts(before, c)` decides. The start of the text begins a word.
pub(super) fn change_chars(
    text: &Text,
    change: impl Fn(bool, char) -> String,
    starts: impl Fn(char, char) -> bool,
) -> Text {
    let mut out = Builder::default();
    let mut before = None;
    for (piece, is_user) in text.pieces() {
        let mut changed = String::with_capacity(piece.len());
        for c in piece.chars() {
            changed += &change(before.is_none_or(|before| starts(before, c)), c);
            before = Some(c);
        }
        out.push(&changed, is_user);
    }
    out.finish().like(text)
}

/// Python's `str.title`.
fn title(text: &Text) -> Text {
    change_chars(
        text,
        |at_start, c| if at_start { titled(c) } else { lower(c) },
        |before, _| !before.is_alphabetic(),
    )
}

/// What the method `name` gives for a text; none if there is no such method.
pub(super) fn of_letters(text: &Text, name: &str) -> Option<Value> {
    let whole = text.as_str();
    let all = |test: fn(char) -> bool| !whole.is_empty() && whole.chars().all(test);
    Some(match name {
        "lower" => Value::Text(text.map(str::to_lowercase)),
        "casefold" => Value::Text(text.map(|piece| piece.chars().map(folded).collect())),
        "upper" => Value::Text(text.map(str::to_uppercase)),
        "capitalize" => Value::Text(capitalize(text)),
        "title" => Value::Text(title(text)),
        "swapcase" => Value::Text(change_chars(
            text,
            |_, c| if c.is_uppercase() { lower(c) } else { upper(c) },
            |_, _| false,
        )),
        "isalnum" => Value::Bool(all(|c| is_letter(c) || is_numeral(c))),
        "isalpha" => Value::Bool(all(is_letter)),
        "isascii" => Value::Bool(whole.is_ascii()),
        "isdecimal" => Value::Bool(all(is_decimal)),
        "isdigit" => Value::Bool(all(|c| is_decimal(c) || is_digit(c))),
        "isnumeric" => Value::Bool(all(is_numeral)),
        "isidentifier" => Value::Bool(
            all(|c| c.is_alphanumeric() || c == '_')
                && !whole.starts_with(|c: char| c.is_numeric()),
        ),
        "islower" => Value::Bool(is_case(whole, char::is_lowercase, char::is_uppercase)),
        "isupper" => Value::Bool(is_case(whole, char::is_uppercase, char::is_lowercase)),
        "isprintable" => Value::Bool(whole.chars().all(is_printable)),
        "isspace" => Value::Bool(all(is_space)),
        "istitle" => {
            Value::Bool(whole.chars().any(char::is_alphabetic) && title(text).as_str() == whole)
        }
        _ => return None,
    })
}

fn is_case(text: &str, is: fn(char) -> bool, is_other: fn(char) -> bool) -> bool {
    text.chars().any(is) && !text.chars().any(is_other)
}

/// The characters of a class that is written as in a regular expression.
fn class(pattern: &str) -> ClassUnicode {
    let hir = regex_syntax::parse(pattern).expect("a class of Unicode");
    match hir.into_kind() {
        HirKind::Class(Class::Unicode(class)) => class,
        _ => unreachable!("the pattern is a class"),
    }
}

fn holds(class: &ClassUnicode, c: char) -> bool {
    let ranges = class.ranges();
    let at = ranges.partition_point(|range| range.end() < c);
    ranges.get(at).is_some_and(|range| range.start() <= c)
}

/// Python's `isalpha` of a character. Marks aren't letters.
fn is_letter(c: char) -> bool {
    static LETTERS: OnceLock<ClassUnicode> = OnceLock::new();
    c.is_ascii_alphabetic() || (!c.is_ascii() && holds(LETTERS.get_or_init(|| class(r"\p{L}")), c))
}

/// Digits of decimal numbers in any script.
fn is_decimal(c: char) -> bool {
    static DECIMALS: OnceLock<ClassUnicode> = OnceLock::new();
    c.is_ascii_digit() || (!c.is_ascii() && holds(DECIMALS.get_or_init(|| class(r"\p{Nd}")), c))
}

/// Digits that no decimal number is written with, such as superscripts (`Numeric_Type=Digit`).
fn is_digit(c: char) -> bool {
    const RANGES: [(char, char); 20] = [
        ('²', '³'),
        ('¹', '¹'),
        ('\u{1369}', '\u{1371}'),
        ('\u{19da}', '\u{19da}'),
        ('⁰', '⁰'),
        ('⁴', '⁹'),
        ('₀', '₉'),
        ('①', '⑨'),
        ('⑴', '⑼'),
        ('⒈', '⒐'),
        ('⓪', '⓪'),
        ('⓵', '⓽'),
        ('⓿', '⓿'),
        ('❶', '❾'),
        ('➀', '➈'),
        ('➊', '➒'),
        ('\u{10a40}', '\u{10a43}'),
        ('\u{10e60}', '\u{10e68}'),
        ('\u{11052}', '\u{1105a}'),
        ('\u{1f100}', '\u{1f10a}'),
    ];
    RANGES.iter().any(|(first, last)| (*first..=*last).contains(&c))
}

/// Python's `isnumeric` of a character: numbers, and ideographs that mean one.
fn is_numeral(c: char) -> bool {
    const IDEOGRAPHS: &str = "\
        㐅㒃㠪㭍一七万三九二五亖亿什仟仨伍佰億兆兩八六十千卄卅卌\
        叁参參叄四壱壹幺廾廿弌弍弎弐拾捌柒漆玖百肆萬貮貳贰阡陆陌陸零\
        \u{f96b}\u{f973}\u{f978}\u{f9b2}\u{f9d1}\u{f9d3}\u{f9fd}\
        𠀁𠁤𠃢𠄡𠤪𠦃𠦌𠦜𠫪𠫽𠬙𢎐𢦘𣬛𦉭\u{2f890}";
    c.is_numeric() || (c >= '㐀' && IDEOGRAPHS.contains(c))
}
