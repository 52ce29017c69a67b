//! One column of a row group in Parquet: for each row its items, each with a value or without one.
//! A column that isn't in a list has one item a row.

use std::io::Write;

use parquet::{
    column::{
        page::{Page, PageMetadata, PageReader},
        reader::{ColumnReader, ColumnReaderImpl, get_column_reader},
    },
    data_type::{ByteArrayType, DataType, DoubleType, Int32Type, Int64Type},
    errors::{ParquetError, Result as ParquetResult},
    file::writer::SerializedRowGroupWriter,
    schema::types::ColumnDescPtr,
};

/// Writes the next column of a row group: the items of each row, and the value of an item.
pub(super) fn write<'r, T: DataType, I: 'r>(
    group: &mut SerializedRowGroupWriter<'_, impl Write + Send>,
    rows: impl Iterator<Item = &'r [I]>,
    value: impl Fn(&'r I) -> Option<T::T>,
) -> Result<(), ParquetError> {
    let mut column = group.next_column()?.expect("the schema has the column");
    let max = column.typed::<T>().get_descriptor().max_def_level();
    let (mut values, mut levels, mut repeats) = (Vec::new(), Vec::new(), Vec::new());
    for items in rows {
        if items.is_empty() {
            levels.push(0);
            repeats.push(0);
        }
        for (i, item) in items.iter().enumerate() {
            let value = value(item);
            levels.push(if value.is_some() { max } else { max - 1 });
            repeats.push(i16::from(i > 0));
            values.extend(value);
        }
    }
    column.typed::<T>().write_batch(&values, Some(&levels), Some(&repeats))?;
    column.close()
}

/// The items of some rows, one row after another.
#[derive(Debug)]
pub(super) struct Items<V> {
    /// How many items each row has.
    pub(super) lengths: Vec<usize>,
    /// The values of all items.
    pub(super) values: Vec<Option<V>>,
}

/// A column that is read from the start of its row group to the end.
pub(super) struct Column {
    reader: ColumnReader,
    /// The definition level of a value.
    max: i16,
    is_list: bool,
}

impl Column {
    /// Opens a column, which may have so many items.
    pub(super) fn open(column: ColumnDescPtr, pages: Box<dyn PageReader>, most: usize) -> Column {
        let (max, is_list) = (column.max_def_level(), column.max_rep_level() > 0);
        let pages = Box::new(Bounded { pages, left: most });
        Column { reader: get_column_reader(column, pages), max, is_list }
    }

    /// The items of the next `n` rows.
    ///
    /// # Errors
    /// If the column has another type, has fewer rows, or can't be read.
    pub(super) fn read<T: Readable>(&mut self, n: usize) -> Result<Items<T::T>, String> {
        let (mut levels, mut repeats, mut values) = (Vec::new(), Vec::new(), Vec::new());
        let reader = T::reader(&mut self.reader).ok_or("a column has another type")?;
        let (n_rows, _, n_levels) = reader
            .read_records(n, Some(&mut levels), Some(&mut repeats), &mut values)
            .map_err(|error| error.to_string())?;
        if n_rows != n {
            return Err(format!("a column has {n_rows} rows, where {n} were expected"));
        }
        // What is never missing, or never repeated, has no levels.
        levels.resize(n_levels, self.max);
        repeats.resize(n_levels, 0);
        let (mut items, mut values) =
            (Items { lengths: Vec::new(), values: vec![] }, values.into_iter());
        for (level, repeat) in levels.into_iter().zip(repeats) {
            if repeat == 0 {
                items.lengths.push(0);
            }
            let last = items.lengths.last_mut().ok_or("a row begins in the middle")?;
            if level > 0 || !self.is_list {
                *last += 1;
                items.values.push(if level == self.max { values.next() } else { None });
            }
        }
        match items.lengths.len() {
            found if found == n => Ok(items),
            found => Err(format!("a column has {found} rows, where {n} were expected")),
        }
    }
}

/// A type whose columns can be read.
pub(super) trait Readable: DataType + Sized {
    /// The reader, if the column has this type.
    fn reader(column: &mut ColumnReader) -> Option<&mut ColumnReaderImpl<Self>>;
}

macro_rules! readable {
    ($($kind:ident in $reader:ident),+) => {$(
        impl Readable for $kind {
            fn reader(column: &mut ColumnReader) -> Option<&mut ColumnReaderImpl<$kind>> {
                match column {
                    ColumnReader::$reader(reader) => Some(reader),
                    _ => None,
                }
            }
        }
    )+};
}

readable!(
    Int32Type in Int32ColumnReader,
    Int64Type in Int64ColumnReader,
    DoubleType in DoubleColumnReader,
    ByteArrayType in ByteArrayColumnReader
);

/// Pages with a bounded number of items: a few bytes may claim billions of them.
struct Bounded {
    pages: Box<dyn PageReader>,
    left: usize,
}

impl PageReader for Bounded {
    fn get_next_page(&mut self) -> ParquetResult<Option<Page>> {
        let page = self.pages.get_next_page()?;
        if let Some(page @ (Page::DataPage { .. } | Page::DataPageV2 { .. })) = &page {
            let left = self.left.checked_sub(page.num_values() as usize);
            self.left = left.ok_or_else(|| {
                ParquetError::General("a column has more items than its rows can have".into())
            })?;
        }
        Ok(page)
    }

    fn peek_next_page(&mut self) -> ParquetResult<Option<PageMetadata>> {
        self.pages.peek_next_page()
    }

    fn skip_next_page(&mut self) -> ParquetResult<()> {
        self.pages.skip_next_page()
    }

    fn at_record_boundary(&mut self) -> ParquetResult<bool> {
        self.pages.at_record_boundary()
    }
}

impl Iterator for Bounded {
    type Item = ParquetResult<Page>;

    fn next(&mut self) -> Option<ParquetResult<Page>> {
        self.get_next_page().transpose()
    }
}
