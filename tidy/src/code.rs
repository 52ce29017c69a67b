//! Rust source in, the same text with comments and literals blanked out, so that a rule that looks
//! for a word finds code.

/// `text` with every comment and the inside of every string and character literal replaced by
/// spaces; lines stay where they are.
pub(crate) fn without_comments_and_literals(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = end_of_blank(&chars, at);
        if end == at {
            out.push(chars[at]);
            at += 1;
        } else {
            out.extend(chars[at..end].iter().map(|&c| if c == '\n' { '\n' } else { ' ' }));
            at = end;
        }
    }
    out
}

/// The code with every item under `#[cfg(test)]` blanked as well.
pub(crate) fn without_test_items(code: &str) -> String {
    let mut out = code.to_string();
    let mut from = 0;
    while let Some(found) = out[from..].find("#[cfg(test)]") {
        let begin = from + found;
        let end = begin + end_of_item(&out[begin..]);
        let blank: String =
            out[begin..end].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
        out.replace_range(begin..end, &blank);
        from = begin;
    }
    out
}

/// The line (from 1) of a byte position.
pub(crate) fn line_of(text: &str, position: usize) -> usize {
    text[..position].matches('\n').count() + 1
}

/// Where `word` stands as a word of its own.
pub(crate) fn find_word<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let part_of_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    code.match_indices(word).map(|(at, _)| at).filter(move |&at| {
        !part_of_word(code[..at].chars().next_back())
            && !part_of_word(code[at + word.len()..].chars().next())
    })
}

/// The names that code takes from `root::`, e.g. `fs` and `io` for `use std::{fs::File, io}`, each
/// with its position.
pub(crate) fn taken_from<'a>(code: &'a str, root: &'a str) -> Vec<(usize, &'a str)> {
    let mut names = Vec::new();
    for at in find_word(code, root) {
        let Some(rest) = code[at + root.len()..].strip_prefix("::") else {
            continue;
        };
        let begin = code.len() - rest.len();
        if !rest.starts_with('{') {
            names.push((begin, first_word(rest)));
            continue;
        }
        let mut depth = 0;
        let mut wants_name = false;
        for (i, c) in rest.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 1 => break,
                '}' => depth -= 1,
                _ => {}
            }
            if (c == '{' || c == ',') && depth == 1 {
                wants_name = true;
            } else if wants_name && !c.is_whitespace() {
                names.push((begin + i, first_word(&rest[i..])));
                wants_name = false;
            }
        }
    }
    names
}

fn first_word(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    &text[..end]
}

/// How long the item is that the attribute at the beginning of `text` stands on: up to its closing
/// brace or semicolon.
fn end_of_item(text: &str) -> usize {
    let mut depth = 0usize;
    for (i, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth <= 1 => return i + 1,
            '}' => depth -= 1,
            ';' if depth == 0 => return i + 1,
            _ => {}
        }
    }
    text.len()
}

/// If a comment or a literal begins at `at`, where it ends (exclusive); otherwise `at`.
fn end_of_blank(chars: &[char], at: usize) -> usize {
    let next = |i: usize| chars.get(at + i).copied().unwrap_or('\0');
    let before = if at == 0 { ' ' } else { chars[at - 1] };
    match chars[at] {
        '/' if next(1) == '/' => find(chars, at, &['\n']),
        '/' if next(1) == '*' => end_of_block_comment(chars, at),
        'r' if !(before.is_alphanumeric() && before != 'b' || before == '_')
            && (next(1) == '"' || next(1) == '#') =>
        {
            end_of_raw_string(chars, at)
        }
        '"' => end_of_quoted(chars, at, '"'),
        // A lifetime has no closing quote after one (possibly escaped) character.
        '\'' if next(1) == '\\' || next(2) == '\'' => end_of_quoted(chars, at, '\''),
        _ => at,
    }
}

fn find(chars: &[char], from: usize, wanted: &[char]) -> usize {
    (from..chars.len()).find(|&i| wanted.contains(&chars[i])).unwrap_or(chars.len())
}

fn end_of_block_comment(chars: &[char], at: usize) -> usize {
    let mut depth = 0;
    let mut i = at;
    while i + 1 < chars.len() {
        match (chars[i], chars[i + 1]) {
            ('/', '*') => (depth, i) = (depth + 1, i + 2),
            ('*', '/') if depth == 1 => return i + 2,
            ('*', '/') => (depth, i) = (depth - 1, i + 2),
            _ => i += 1,
        }
    }
    chars.len()
}

fn end_of_raw_string(chars: &[char], at: usize) -> usize {
    let hashes = chars[at + 1..].iter().take_while(|&&c| c == '#').count();
    let open = at + 1 + hashes;
    // `r#type` is a raw identifier.
    if chars.get(open) != Some(&'"') {
        return at;
    }
    let closes = |i: usize| {
        chars[i] == '"' && chars[i + 1..].iter().take_while(|&&c| c == '#').count() >= hashes
    };
    (open + 1..chars.len()).find(|&i| closes(i)).map_or(chars.len(), |i| i + 1 + hashes)
}

fn end_of_quoted(chars: &[char], at: usize, quote: char) -> usize {
    let mut i = at + 1;
    while i < chars.len() {
        match chars[i] {
            '\\' => i += 2,
            c if c == quote => return i + 1,
            _ => i += 1,
        }
    }
    chars.len()
}
