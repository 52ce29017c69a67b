//! Names of a file in sentences of errors: quoted, cut where they are long, and only the first of
//! many.

/// How many names an error lists, and how much of each.
const MAX_LISTED: usize = 6;
const MAX_CHARS: usize = 80;

/// The first names of a list and how many more there are, so that no file makes an error long; none
/// if there are none.
pub(crate) fn listed(names: impl Iterator<Item = String>) -> Option<String> {
    let (mut list, mut n) = (String::new(), 0);
    for name in names {
        n += 1;
        if n <= MAX_LISTED {
            list += if n > 1 { ", " } else { "" };
            list += &name;
        }
    }
    if n > MAX_LISTED {
        list += &format!(" and {} more", n - MAX_LISTED);
    }
    (n > 0).then_some(list)
}

/// A name of the file in quotes, cut where it is long.
pub(crate) fn quoted(name: &str) -> String {
    let mut text: String = name.chars().take(MAX_CHARS).flat_map(char::escape_debug).collect();
    if name.chars().nth(MAX_CHARS).is_some() {
        text.push('…');
    }
    format!("\"{text}\"")
}
