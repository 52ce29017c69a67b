//! Writes one JSON object per row.

use std::io::{self, Write};

use serde_json::{Map, Value};

use super::{Cell, Column, Sink};

pub(super) struct Jsonl<'a> {
    columns: &'a [Column],
    out: &'a mut (dyn Write + Send),
}

impl<'a> Jsonl<'a> {
    pub(super) fn new(columns: &'a [Column], out: &'a mut (dyn Write + Send)) -> Jsonl<'a> {
        Jsonl { columns, out }
    }
}

impl Sink for Jsonl<'_> {
    fn row(&mut self, row: Vec<Cell>) -> io::Result<()> {
        let value = |cell: Cell| match cell {
            Cell::Empty => Value::Null,
            Cell::Whole(n) => n.into(),
            Cell::Number(x) => x.into(),
            Cell::Text(text) => text.into(),
        };
        let names = self.columns.iter().map(|column| column.name.to_string());
        let object: Map<String, Value> = names.zip(row.into_iter().map(value)).collect();
        serde_json::to_writer(&mut *self.out, &object)?;
        self.out.write_all(b"\n")
    }

    fn end(self: Box<Self>) -> io::Result<()> {
        self.out.flush()
    }
}
