//! Writes rows as comma-separated values (RFC 4180): a header, CRLF, and quotes where a field
//! contains a comma, a quote or a line break.

use std::io::{self, Write};

use super::{Cell, Column, Sink};

pub(super) struct Csv<'a> {
    out: &'a mut (dyn Write + Send),
}

impl<'a> Csv<'a> {
    pub(super) fn new(columns: &[Column], out: &'a mut (dyn Write + Send)) -> io::Result<Csv<'a>> {
        let names = columns.iter().map(|column| &*column.name).collect::<Vec<_>>().join(",");
        write!(out, "{names}\r\n")?;
        Ok(Csv { out })
    }
}

impl Sink for Csv<'_> {
    fn row(&mut self, row: Vec<Cell>) -> io::Result<()> {
        let cells: Vec<String> = row.into_iter().map(field).collect();
        write!(self.out, "{}\r\n", cells.join(","))
    }

    fn end(self: Box<Self>) -> io::Result<()> {
        self.out.flush()
    }
}

fn field(cell: Cell) -> String {
    match cell {
        Cell::Empty => String::new(),
        Cell::Whole(n) => n.to_string(),
        // The shortest decimal digits that round-trip.
        Cell::Number(x) => format!("{x:?}"),
        Cell::Text(text) if text.is_empty() || text.contains([',', '"', '\n', '\r']) => {
            format!("\"{}\"", text.replace('"', "\"\""))
        }
        Cell::Text(text) => text,
    }
}
