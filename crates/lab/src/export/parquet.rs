//! Writes rows as Apache Parquet: every column is optional, rows are buffered into row groups and
//! written column by column.

use std::{
    io::{self, Write},
    sync::Arc,
};

use parquet::{
    basic::{Compression, LogicalType, Repetition, Type as Physical},
    data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int64Type},
    errors::ParquetError,
    file::{
        metadata::KeyValue,
        properties::WriterProperties,
        writer::{SerializedColumnWriter, SerializedFileWriter},
    },
    schema::types::Type,
};

use super::{Cell, Column, Sink, table::Kind};

/// Rows per row group.
const GROUP: usize = 50_000;

pub(super) struct Parquet<'a> {
    writer: SerializedFileWriter<&'a mut (dyn Write + Send)>,
    kinds: Vec<Kind>,
    rows: Vec<Vec<Cell>>,
}

impl<'a> Parquet<'a> {
    pub(super) fn new(
        columns: &[Column],
        origin: &[(&'static str, String)],
        out: &'a mut (dyn Write + Send),
    ) -> io::Result<Parquet<'a>> {
        let field = |column: &Column| {
            let (physical, logical) = match column.kind {
                Kind::Whole => (Physical::INT64, None),
                Kind::Number => (Physical::DOUBLE, None),
                Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
            };
            let field = Type::primitive_type_builder(&column.name, physical)
                .with_repetition(Repetition::OPTIONAL)
                .with_logical_type(logical);
            field.build().map(Arc::new).map_err(explained)
        };
        let fields = columns.iter().map(field).collect::<io::Result<_>>()?;
        let schema =
            Type::group_type_builder("run").with_fields(fields).build().map_err(explained)?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_key_value_metadata(Some(
                origin
                    .iter()
                    .map(|(key, value)| {
                        // `kelvin_version` is `kelvin.version` here.
                        let key = key.trim_start_matches("kelvin_");
                        KeyValue::new(format!("kelvin.{key}"), value.clone())
                    })
                    .collect(),
            ))
            .set_created_by(concat!("kelvin ", env!("CARGO_PKG_VERSION")).to_string())
            .build();
        let writer = SerializedFileWriter::new(out, Arc::new(schema), Arc::new(properties))
            .map_err(explained)?;
        Ok(Parquet {
            writer,
            kinds: columns.iter().map(|column| column.kind).collect(),
            rows: Vec::new(),
        })
    }

    fn write_group(&mut self) -> io::Result<()> {
        let rows = std::mem::take(&mut self.rows);
        let mut group = self.writer.next_row_group().map_err(explained)?;
        for (i, kind) in self.kinds.iter().enumerate() {
            let Some(column) = group.next_column().map_err(explained)? else { break };
            let cells = rows.iter().map(|row| &row[i]);
            match kind {
                Kind::Whole => write_column::<Int64Type>(column, cells, |cell| match cell {
                    Cell::Whole(n) => Some(*n),
                    _ => None,
                }),
                Kind::Number => write_column::<DoubleType>(column, cells, |cell| match cell {
                    Cell::Number(x) => Some(*x),
                    _ => None,
                }),
                Kind::Text => write_column::<ByteArrayType>(column, cells, |cell| match cell {
                    Cell::Text(text) => Some(ByteArray::from(text.as_str())),
                    _ => None,
                }),
            }?;
        }
        group.close().map(drop).map_err(explained)
    }
}

/// The values that exist, and for each row whether it has one (the definition levels).
fn write_column<'c, T: DataType>(
    mut column: SerializedColumnWriter<'_>,
    cells: impl Iterator<Item = &'c Cell>,
    value: impl Fn(&Cell) -> Option<T::T>,
) -> io::Result<()> {
    let (mut values, mut levels) = (Vec::new(), Vec::new());
    for cell in cells {
        let value = value(cell);
        levels.push(i16::from(value.is_some()));
        values.extend(value);
    }
    column.typed::<T>().write_batch(&values, Some(&levels), None).map_err(explained)?;
    column.close().map_err(explained)
}

impl Sink for Parquet<'_> {
    fn row(&mut self, row: Vec<Cell>) -> io::Result<()> {
        self.rows.push(row);
        if self.rows.len() == GROUP { self.write_group() } else { Ok(()) }
    }

    fn end(mut self: Box<Self>) -> io::Result<()> {
        if !self.rows.is_empty() {
            self.write_group()?;
        }
        self.writer.close().map(drop).map_err(explained)
    }
}

fn explained(error: ParquetError) -> io::Error {
    match error {
        // The I/O error below, such as a closed pipe, keeps its kind.
        ParquetError::External(inner) => match inner.downcast::<io::Error>() {
            Ok(io) => *io,
            Err(other) => io::Error::other(other),
        },
        other => io::Error::other(other),
    }
}
