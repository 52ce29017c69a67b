//! Splits the notation of chains, and quotes the texts in it.

/// The parts of a chain's notation between separators, except those in quotes.
pub fn split(text: &str, separator: char) -> Vec<&str> {
    let mut is_quoted = false;
    text.split(move |c| {
        is_quoted ^= c == '"';
        c == separator && !is_quoted
    })
    .map(str::trim)
    .collect()
}

/// A text as the notation writes it: in double quotes, with an escape for every character that
/// separates parts of a chain.
///
/// Escapes are `\n`, `\t`, `\r` and `\xNN` (two hexadecimal digits, below 80), so a quoted text has
/// no `|`, `,`, `:`, `/`, `+` or brace, and the notation can be split without regard to quotes.
pub(crate) fn quote(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c.is_ascii() && !c.is_ascii_alphanumeric() && !" *-_.;!?#".contains(c) => {
                out.push_str(&format!("\\x{:02x}", c as u32));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// The first escape of a text in quotes that is none of [`quote`]'s.
pub(crate) fn bad_escape(quoted: &str) -> Option<&str> {
    let mut rest = quoted;
    while let Some(at) = rest.find('\\') {
        rest = &rest[at..];
        let is_escape = |end: usize| {
            let Some(escape) = rest.get(..end) else { return false };
            unquote(&format!("\"{escape}\"")).is_some()
        };
        let Some(end) = [2, 4].into_iter().find(|&end| is_escape(end)) else {
            let n = if rest.starts_with("\\x") { 4 } else { 2 };
            return Some(rest.char_indices().nth(n).map_or(rest, |(end, _)| &rest[..end]));
        };
        rest = &rest[end..];
    }
    None
}

/// The text that [`quote`] wrote; `None` if the text isn't quoted.
pub(crate) fn unquote(quoted: &str) -> Option<String> {
    let mut rest = quoted.strip_prefix('"')?.strip_suffix('"')?.chars();
    let mut text = String::new();
    while let Some(c) = rest.next() {
        text.push(match c {
            '"' => return None,
            '\\' => match rest.next()? {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                'x' => {
                    let (high, low) = (rest.next()?.to_digit(16)?, rest.next()?.to_digit(16)?);
                    char::from_u32(16 * high + low).filter(char::is_ascii)?
                }
                _ => return None,
            },
            c => c,
        });
    }
    Some(text)
}
