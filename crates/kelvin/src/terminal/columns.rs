//! Lays out texts with headings side by side.

use std::ops::Range;

use kelvin_views::escape;
use unicode_width::UnicodeWidthStr;

use super::{style::Style, wrap};

/// A text under a heading.
#[derive(Debug, Clone, Default)]
pub(crate) struct Column {
    /// Stands over it.
    pub(crate) heading: String,
    /// Colours the heading.
    pub(crate) temperature: f32,
    /// The text so far, as the model wrote it.
    pub(crate) text: String,
    /// The bytes of `text` to mark.
    pub(crate) mark: Option<Range<usize>>,
}

const GAP: &str = " │ ";
/// Narrower columns are no longer read but deciphered.
const NARROWEST: usize = 20;

/// Whether `n` columns fit into `width` cells side by side.
pub(crate) fn fit(n: usize, width: usize) -> bool {
    n > 0 && column_width(n, width) >= NARROWEST
}

fn column_width(n: usize, width: usize) -> usize {
    width.saturating_sub((n - 1) * GAP.width()) / n
}

/// The lines of `columns` side by side: headings, a rule, texts.
pub(crate) fn side_by_side(columns: &[Column], width: usize, style: Style) -> Vec<String> {
    let each = column_width(columns.len(), width);
    let row = |cells: Vec<String>| cells.join(&style.dim(GAP)).trim_end().to_string();
    let headings = columns.iter().map(|column| {
        let line = wrap::wrap(&column.heading, None, each).swap_remove(0);
        style.heat(column.temperature, &line.render(each, Style::default()))
    });
    let mut out = vec![row(headings.collect())];
    out.push(style.dim(&vec!["─".repeat(each); columns.len()].join("─┼─")));
    let wrapped: Vec<Vec<wrap::Line>> =
        columns.iter().map(|column| wrap::wrap(&column.text, column.mark.clone(), each)).collect();
    let height = wrapped.iter().map(Vec::len).max().unwrap_or(0);
    for i in 0..height {
        let cells = wrapped.iter().map(|lines| {
            lines.get(i).map_or_else(|| " ".repeat(each), |line| line.render(each, style))
        });
        out.push(row(cells.collect()));
    }
    out
}

/// The lines of `columns` one below the other. On a terminal texts are wrapped and made safe;
/// elsewhere they stay as the model wrote them.
pub(crate) fn blocks(columns: &[Column], width: Option<usize>, style: Style) -> Vec<String> {
    let mut out = Vec::new();
    for column in columns {
        out.push(style.heat(column.temperature, &format!("── {} ──", column.heading)));
        match width {
            Some(width) => out.extend(
                wrap::wrap(&column.text, column.mark.clone(), width)
                    .iter()
                    .map(|line| line.render(0, style)),
            ),
            None => out.push(escape::for_output(&column.text, false).into_owned()),
        }
        out.push(String::new());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns() -> Vec<Column> {
        let column = |heading: &str, text: &str, mark| Column {
            heading: heading.into(),
            temperature: 1.0,
            text: text.into(),
            mark,
        };
        vec![
            column("T = 0.5", "Nepal is a country in Asia", None),
            column("T = 2", "Nepal बारे 日本 paints its spoons", Some(6..16)),
        ]
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        for width in [43, 80, 120] {
            for line in side_by_side(&columns(), width, Style::default()) {
                assert!(line.width() <= width, "{line:?}");
            }
        }
        assert!(fit(3, 80) && !fit(4, 80) && fit(5, 120));
    }

    #[test]
    fn the_mark_is_there_without_colours() {
        let text = side_by_side(&columns(), 80, Style::default()).join("\n");
        assert!(text.contains("Nepal ▸बारे") && text.contains("T = 0.5"), "{text}");
        assert!(!text.contains('\x1b'));
    }
}
