//! Lays out rows of cells as a table, aligned by display width.

use unicode_width::UnicodeWidthStr;

use super::style::Style;

/// Which side a column's cells stand on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// Lines of `rows`, two spaces between columns, `indent` spaces before them. Missing cells are
/// empty; the last column isn't padded on its right.
pub(crate) fn lines(rows: &[Vec<String>], align: &[Align], indent: usize) -> Vec<String> {
    let widths: Vec<usize> = (0..align.len())
        .map(|column| {
            rows.iter()
                .filter_map(|row| row.get(column))
                .map(|cell| cell.width())
                .max()
                .unwrap_or(0)
        })
        .collect();
    let mut out = Vec::with_capacity(rows.len());
    for row in rows {
        let mut line = " ".repeat(indent);
        for (column, (&width, &side)) in widths.iter().zip(align).enumerate() {
            let cell = row.get(column).map_or("", String::as_str);
            let gap = " ".repeat(width - cell.width());
            if column > 0 {
                line.push_str("  ");
            }
            match side {
                Align::Left => {
                    line.push_str(cell);
                    line.push_str(&gap);
                }
                Align::Right => {
                    line.push_str(&gap);
                    line.push_str(cell);
                }
            }
        }
        line.truncate(line.trim_end().len());
        out.push(line);
    }
    out
}

/// A table headed by the first of `rows`, in blocks of columns if the terminal is too narrow.
pub(crate) fn dressed(
    rows: &[Vec<String>],
    align: &[Align],
    indent: usize,
    style: Style,
) -> Vec<String> {
    let mut out = Vec::new();
    for mut block in blocks(rows, align, indent, super::width()) {
        block[0] = style.dim(&block[0]);
        out.append(&mut block);
    }
    out
}

/// Lines of `rows` in blocks that a terminal of this width has room for: each has the first column
/// and some of the others.
fn blocks(
    rows: &[Vec<String>],
    align: &[Align],
    indent: usize,
    terminal: Option<usize>,
) -> Vec<Vec<String>> {
    let width_of = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.width()).max()
    };
    let widths: Vec<usize> = (0..align.len()).map(|column| width_of(column).unwrap_or(0)).collect();
    let room = terminal.unwrap_or(usize::MAX).saturating_sub(indent + widths.first().unwrap_or(&0));
    let mut parts: Vec<Vec<usize>> = vec![vec![0]];
    let mut used = 0;
    for (column, width) in widths.iter().enumerate().skip(1) {
        if used > 0 && used + 2 + width > room {
            parts.push(vec![0]);
            used = 0;
        }
        used += 2 + width;
        parts.last_mut().expect("there was one from the start").push(column);
    }
    let part = |columns: &Vec<usize>| {
        let pick = |row: &Vec<String>| -> Vec<String> {
            columns.iter().filter_map(|&column| row.get(column).cloned()).collect()
        };
        let align: Vec<Align> =
            columns.iter().filter_map(|&column| align.get(column).copied()).collect();
        lines(&rows.iter().map(pick).collect::<Vec<_>>(), &align, indent)
    };
    parts.iter().map(part).collect()
}

/// `text` in at most `longest` cells, its cut end marked.
pub(crate) fn cut(text: &str, longest: usize) -> String {
    if text.width() <= longest {
        return text.to_string();
    }
    let mut out = String::new();
    for c in text.chars() {
        let mut longer = out.clone();
        longer.push(c);
        if longer.width() >= longest {
            break;
        }
        out = longer;
    }
    out + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align_by_display_width() {
        let rows = [
            vec!["नेपाल".to_string(), "1".to_string()],
            vec!["ab".to_string(), "10".to_string()],
            vec!["日本".to_string()],
        ];
        let lines = lines(&rows, &[Align::Left, Align::Right], 1);
        assert_eq!(lines[1].width(), lines[0].width());
        assert!(lines[1].ends_with("10") && lines[0].ends_with(" 1"));
        assert_eq!(lines[2], " 日本");
        assert_eq!(cut("日本語です", 7), "日本語…");
        assert_eq!(cut("abc", 3), "abc");
    }

    #[test]
    fn a_table_that_is_too_wide_comes_in_blocks() {
        let row = |cells: [&str; 4]| cells.map(String::from).to_vec();
        let rows = [row(["", "one", "two", "three"]), row(["a", "1", "2", "3"])];
        let all = |terminal| blocks(&rows, &[Align::Right; 4], 1, terminal);
        assert_eq!(all(None), [lines(&rows, &[Align::Right; 4], 1)]);
        assert_eq!(all(Some(19)), all(None));
        let halves: [&[&str]; 2] = [&["    one  two", " a    1    2"], &["    three", " a      3"]];
        assert_eq!(all(Some(18)), halves);
        // Where there is room for nothing each column is still there.
        assert_eq!(all(Some(1)).len(), 3);
        assert_eq!(blocks(&[row(["a", "", "", ""])], &[Align::Left], 0, Some(9)), [["a"]]);
    }
}
