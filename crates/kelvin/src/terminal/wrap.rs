//! Wraps text to a display width. Every character is made safe to print.
//!
//! Lines break at spaces where possible. Width is counted by grapheme cluster, so wide and
//! combining characters keep columns aligned. A marked range of the text keeps its mark.

use std::ops::Range;

use kelvin_views::escape;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use super::style::Style;

/// One grapheme as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Cell {
    shown: String,
    width: usize,
    marked: bool,
}

/// One line of a wrapped text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Line {
    cells: Vec<Cell>,
    width: usize,
}

impl Line {
    fn push(&mut self, cell: Cell) {
        self.width += cell.width;
        self.cells.push(cell);
    }

    /// The line with its mark in colour, padded with spaces to `width` cells.
    pub(crate) fn render(&self, width: usize, style: Style) -> String {
        let mut out = String::new();
        for run in self.cells.chunk_by(|a, b| a.marked == b.marked) {
            let text: String = run.iter().map(|cell| cell.shown.as_str()).collect();
            out.push_str(&if run[0].marked { style.mark(&text) } else { text });
        }
        out.push_str(&" ".repeat(width.saturating_sub(self.width)));
        out
    }
}

/// Stands before the marked range, so that the mark shows without colours as well.
const MARK: &str = "▸";

/// Wraps `text` to `width` cells. `mark` is a range of its bytes; an empty one is a mark alone.
pub(crate) fn wrap(text: &str, mark: Option<Range<usize>>, width: usize) -> Vec<Line> {
    let width = width.max(1);
    let mark = mark.map(|mark| after_spaces(text, mark));
    let mut lines = vec![Line::default()];
    for (offset, grapheme) in text.grapheme_indices(true) {
        if mark.as_ref().is_some_and(|mark| (offset..offset + grapheme.len()).contains(&mark.start))
        {
            place(&mut lines, mark_cell(), width);
        }
        if grapheme == "\n" || grapheme == "\r\n" {
            lines.push(Line::default());
            continue;
        }
        let shown = escape::printable(grapheme);
        let marked = mark.as_ref().is_some_and(|mark| mark.contains(&offset));
        if shown == grapheme {
            place(&mut lines, Cell { width: shown.width(), shown, marked }, width);
            continue;
        }
        // What stands for a control character is plain characters, and may be cut between them.
        for sign in shown.chars().map(String::from) {
            place(&mut lines, Cell { width: sign.width(), shown: sign, marked }, width);
        }
    }
    if mark.is_some_and(|mark| mark.start >= text.len()) {
        place(&mut lines, mark_cell(), width);
    }
    lines
}

/// A sentence of our own as lines behind `indent` spaces: as wide as a terminal is, or one where
/// there is none. Each line is as `dress` makes it, which gives it its colour.
pub(crate) fn sentence(
    text: &str,
    indent: usize,
    terminal: Option<usize>,
    dress: impl Fn(&str) -> String,
) -> Vec<String> {
    let width = terminal.map_or(usize::MAX, |width| width.saturating_sub(indent));
    let lines = wrap(text, None, width);
    let lines = lines.iter().map(|line| line.render(0, Style::default()));
    lines.map(|line| format!("{:indent$}{}", "", dress(line.trim_end()))).collect()
}

/// Most tokens begin with a space; the mark stands by the word.
fn after_spaces(text: &str, mark: Range<usize>) -> Range<usize> {
    let spaces = text.get(mark.clone()).map_or(0, |token| {
        if token.trim_start_matches(' ').is_empty() {
            0
        } else {
            token.len() - token.trim_start_matches(' ').len()
        }
    });
    mark.start + spaces..mark.end
}

fn mark_cell() -> Cell {
    Cell { shown: MARK.to_string(), width: 1, marked: true }
}

/// Puts a cell at the end of the last line, or breaks that line first.
fn place(lines: &mut Vec<Line>, cell: Cell, width: usize) {
    let is_space = |cell: &Cell| cell.shown == " ";
    let line = lines.last_mut().expect("wrapping begins with one line");
    if line.width + cell.width > width && !line.cells.is_empty() {
        // A space at the break is the break.
        if is_space(&cell) {
            lines.push(Line::default());
            return;
        }
        let word =
            line.cells.iter().rposition(is_space).map_or(line.cells.len(), |space| space + 1);
        let mut next = Line::default();
        for moved in line.cells.split_off(word) {
            next.push(moved);
        }
        line.width = line.cells.iter().map(|cell| cell.width).sum();
        lines.push(next);
    }
    lines.last_mut().expect("a line was there or was pushed").push(cell);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str, mark: Option<Range<usize>>, width: usize) -> Vec<String> {
        wrap(text, mark, width)
            .iter()
            .map(|line| line.render(0, Style::default()).trim_end().to_string())
            .collect()
    }

    #[test]
    fn lines_break_at_words() {
        assert_eq!(lines("one two three", None, 8), ["one two", "three"]);
        assert_eq!(lines("abcdefghij", None, 4), ["abcd", "efgh", "ij"]);
        assert_eq!(lines("a\n\nb", None, 4), ["a", "", "b"]);
    }

    #[test]
    fn a_sentence_is_as_wide_as_the_terminal() {
        let dress = |line: &str| format!("<{line}>");
        assert_eq!(sentence("one two three", 2, Some(10), dress), ["  <one two>", "  <three>"]);
        assert_eq!(sentence("one two three", 2, None, dress), ["  <one two three>"]);
    }

    #[test]
    fn width_is_what_a_terminal_shows() {
        for text in [
            "नेपाल को बारेमा लेख्नुहोस्",
            "日本語のテキスト",
            "👩‍🚀👩‍🚀👩‍🚀 e\u{301}e\u{301}",
            "\x1b[31mred\ttab",
        ] {
            for width in [3, 5, 8] {
                for line in wrap(text, None, width) {
                    assert!(line.width <= width, "{text:?} at {width}: {line:?}");
                    assert!(!line.render(width, Style::default()).contains('\x1b'));
                }
            }
        }
    }

    #[test]
    fn marks_stay_with_their_token() {
        assert_eq!(lines("the red fox", Some(3..7), 20), ["the ▸red fox"]);
        assert_eq!(lines("the end", Some(7..7), 20), ["the end▸"]);
    }
}
