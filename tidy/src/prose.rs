//! Rules for comments: how long a line may be, and openings that a stranger can't follow.

/// The longest line of a comment, in characters. `rustfmt` holds code to the same.
const MAX_COLUMNS: usize = 100;

/// What is wrong with the comments of a Rust file of a crate, tests aside.
pub(crate) fn for_rust(path: &str, text: &str) -> Vec<String> {
    let is_test = path.split('/').any(|part| ["tests", "tests.rs"].contains(&part));
    if is_test || !path.starts_with("crates/") {
        return Vec::new();
    }
    let lines = text.lines().enumerate();
    lines
        .filter_map(|(at, line)| Some(format!("{path}:{}: {}", at + 1, problem(line, at)?)))
        .collect()
}

/// The code span that a comment begins with, its backticks included; empty if it begins with none.
fn first_span(words: &str) -> &str {
    let fence = &words[..words.len() - words.trim_start_matches('`').len()];
    if fence.is_empty() {
        return "";
    }
    let end = words[fence.len()..].find(fence).map(|at| at + 2 * fence.len());
    &words[..end.unwrap_or(words.len())]
}

/// What is wrong with a line, the `at`th of its file.
fn problem(line: &str, at: usize) -> Option<&'static str> {
    let comment = line.trim_start().strip_prefix("//")?;
    let words = comment.trim_start_matches(['/', '!']).trim_start();
    // Rows of tables can't be divided, nor code spans that are too long by themselves.
    let is_whole = words.starts_with('|') || words.starts_with("http") || {
        let indent = line.len() - words.len();
        indent + first_span(words).chars().count() > MAX_COLUMNS
    };
    if line.chars().count() > MAX_COLUMNS && !is_whole {
        return Some("a comment has at most 100 columns");
    }
    if words.starts_with("The same ") || words.starts_with("Of them") {
        return Some("a comment stands alone: name the thing instead of \"the same\"");
    }
    let is_riddle = [" in, ", " in; "].iter().any(|cut| {
        words.split_once(cut).is_some_and(|(_, rest)| {
            rest.ends_with(" out.") || rest.contains(" out, ") || rest.contains(" out: ")
        })
    });
    if at == 0 && is_riddle {
        return Some("say what the module does instead of what goes in and out");
    }
    None
}
