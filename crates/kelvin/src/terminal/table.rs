//! Rows of cells in, aligned lines out, measured by display width.

use unicode_width::UnicodeWidthStr;

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
            rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.width()).max().unwrap_or(0)
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
    }
}
