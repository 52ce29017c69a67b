//! Escapes model output and file metadata before it is shown on a terminal.
//!
//! Both may contain any bytes, escape sequences and direction overrides included. [`printable`]
//! keeps line breaks. [`visible`] shows every character of a token.

use std::borrow::Cow;

/// Control characters become visible signs; newlines stay, tabs become spaces.
pub fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push('\n'),
            '\t' => out.push_str("    "),
            _ => push_safe(&mut out, c),
        }
    }
    out
}

/// As [`printable`] if `to_terminal`. A pipe or a file gets the unchanged text.
pub fn for_output(text: &str, to_terminal: bool) -> Cow<'_, str> {
    if to_terminal { Cow::Owned(printable(text)) } else { Cow::Borrowed(text) }
}

/// A token's text in which spaces, newlines and control characters are visible signs.
pub fn visible(text: &str) -> String {
    if text.is_empty() {
        return "∅".to_string();
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            ' ' => out.push('␣'),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ => push_safe(&mut out, c),
        }
    }
    out
}

fn push_safe(out: &mut String, c: char) {
    match c {
        // Unicode has pictures of the control characters from U+2400 on, in the order of their
        // codes.
        '\0'..='\x1f' => out.push(char::from_u32(0x2400 + c as u32).unwrap_or('\u{fffd}')),
        '\x7f' => out.push('␡'),
        _ if is_invisible(c) => out.push_str(&format!("\\u{{{:x}}}", c as u32)),
        _ => out.push(c),
    }
}

/// C1 controls (a terminal may obey them), direction overrides, and what has no width and no place
/// inside words (the joiners of scripts and emoji, U+200C and U+200D, have).
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{80}'..='\u{9f}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_escape_sequence_gets_through() {
        for hostile in
            ["\x1b[2J", "\u{9b}31m", "\x1b]0;title\x07", "a\rb", "\u{202e}abc", "\x7f\x08"]
        {
            for shown in [printable(hostile), visible(hostile)] {
                assert!(shown.chars().all(|c| !c.is_control()), "{hostile:?} → {shown:?}");
                assert!(!shown.contains('\u{202e}'));
            }
        }
    }

    #[test]
    fn ordinary_text_stays() {
        assert_eq!(printable("नेपाल 👩‍🚀\n\tx"), "नेपाल 👩‍🚀\n    x");
        assert_eq!(visible(" the\n"), "␣the\\n");
        assert_eq!(visible(""), "∅");
    }
}
