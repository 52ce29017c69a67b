//! Collects rows into Arrow record batches, in memory: what data frame libraries take over without
//! a copy.

use std::{io, sync::Arc};

use arrow_array::{
    ArrayRef, RecordBatch, RecordBatchIterator,
    builder::{Float64Builder, Int64Builder, StringBuilder},
};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};

use super::{
    Cell, Column, ExportError, Sink, fill,
    table::{Kind, What, columns, metric_columns, metric_rows},
};
use crate::{
    report::Report,
    store::{RunId, Store},
};

/// Rows per record batch.
const BATCH: usize = 50_000;

/// A table in memory.
#[derive(Debug, Clone)]
pub struct Batches {
    /// Names and types of the columns: int64, float64 or utf8, all nullable.
    pub schema: SchemaRef,
    /// The rows.
    pub batches: Vec<RecordBatch>,
}

impl Batches {
    /// The texts or tokens of a run, with the columns and rows of [`super::export`].
    ///
    /// # Errors
    /// If the run can't be read.
    pub fn of_run(store: &Store, run: RunId, what: What) -> Result<Batches, ExportError> {
        let listed = store.show(run)?;
        let scores = &listed.recipe.scores;
        let columns = columns(what, scores);
        let mut batches = Batches::new(&columns);
        fill(store, &listed, what, scores, Box::new(Arrow::new(&columns, &mut batches)))?;
        Ok(batches)
    }

    /// The metrics of a report: a row for each metric and setting.
    ///
    /// # Errors
    /// If the rows can't be collected.
    pub fn of_report(report: &Report) -> Result<Batches, ExportError> {
        let mut batches = Batches::new(metric_columns());
        let mut sink = Box::new(Arrow::new(metric_columns(), &mut batches));
        metric_rows(report).try_for_each(|row| sink.row(row))?;
        sink.end()?;
        Ok(batches)
    }

    fn new(columns: &[Column]) -> Batches {
        let field = |column: &Column| {
            let kind = match column.kind {
                Kind::Whole => DataType::Int64,
                Kind::Number => DataType::Float64,
                Kind::Text => DataType::Utf8,
            };
            Field::new(&*column.name, kind, true)
        };
        let schema = Schema::new(columns.iter().map(field).collect::<Vec<_>>());
        Batches { schema: Arc::new(schema), batches: Vec::new() }
    }

    /// The number of rows.
    pub fn n_rows(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    /// A reader of its own, which shares the columns' memory.
    pub fn reader(
        &self,
    ) -> RecordBatchIterator<impl Iterator<Item = Result<RecordBatch, ArrowError>> + Send + use<>>
    {
        let batches = self.batches.clone().into_iter().map(Ok);
        RecordBatchIterator::new(batches, Arc::clone(&self.schema))
    }
}

/// The values of a column so far.
enum Builder {
    Whole(Int64Builder),
    Number(Float64Builder),
    Text(StringBuilder),
}

impl Builder {
    fn new(column: &Column) -> Builder {
        match column.kind {
            Kind::Whole => Builder::Whole(Int64Builder::new()),
            Kind::Number => Builder::Number(Float64Builder::new()),
            Kind::Text => Builder::Text(StringBuilder::new()),
        }
    }

    fn push(&mut self, cell: Cell) {
        match (self, cell) {
            (Builder::Whole(builder), Cell::Whole(n)) => builder.append_value(n),
            (Builder::Number(builder), Cell::Number(x)) => builder.append_value(x),
            (Builder::Text(builder), Cell::Text(text)) => builder.append_value(text),
            (Builder::Whole(builder), _) => builder.append_null(),
            (Builder::Number(builder), _) => builder.append_null(),
            (Builder::Text(builder), _) => builder.append_null(),
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Builder::Whole(builder) => Arc::new(builder.finish()),
            Builder::Number(builder) => Arc::new(builder.finish()),
            Builder::Text(builder) => Arc::new(builder.finish()),
        }
    }
}

struct Arrow<'a> {
    builders: Vec<Builder>,
    n_rows: usize,
    out: &'a mut Batches,
}

impl<'a> Arrow<'a> {
    fn new(columns: &[Column], out: &'a mut Batches) -> Arrow<'a> {
        Arrow { builders: columns.iter().map(Builder::new).collect(), n_rows: 0, out }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.n_rows = 0;
        let columns = self.builders.iter_mut().map(Builder::finish).collect();
        let batch = RecordBatch::try_new(Arc::clone(&self.out.schema), columns);
        self.out.batches.push(batch.map_err(io::Error::other)?);
        Ok(())
    }
}

impl Sink for Arrow<'_> {
    fn row(&mut self, row: Vec<Cell>) -> io::Result<()> {
        self.builders.iter_mut().zip(row).for_each(|(builder, cell)| builder.push(cell));
        self.n_rows += 1;
        if self.n_rows == BATCH { self.flush() } else { Ok(()) }
    }

    fn end(mut self: Box<Self>) -> io::Result<()> {
        if self.n_rows > 0 { self.flush() } else { Ok(()) }
    }
}
