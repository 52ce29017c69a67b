//! Rows as a Parquet file, written in order and read batch by batch.
//!
//! A file's metadata has the job's hash, and the job itself where the file stands alone.

use std::{fmt, io::Write, sync::Arc};

use bytes::Bytes;
use parquet::{
    basic::Compression,
    errors::ParquetError,
    file::{
        metadata::KeyValue,
        properties::WriterProperties,
        reader::{ChunkReader, FileReader, SerializedFileReader},
        writer::SerializedFileWriter,
    },
    schema::types::{ColumnDescriptor, SchemaDescriptor},
};

use super::{
    Finished, Job, RowsError,
    column::Column,
    table::{Filling, finished, groups, schema, write_group},
};
use crate::{
    store::{RunId, Store},
    worker::Row,
};

/// The key of the job's hash in a file's metadata.
const HASH: &str = "kelvin.hash";
/// The key of the job.
const JOB: &str = "kelvin.job";
/// Rows that are read at once.
const BATCH: usize = 256;
/// The size of a row group, unpacked, that no file of ours exceeds.
const MAX_GROUP: i64 = 4 << 30;

/// Writes rows one by one, which must come in the job's order.
#[derive(Debug)]
pub struct Writer<W: Write + Send> {
    parquet: SerializedFileWriter<W>,
    waiting: Vec<Finished>,
    filling: Filling,
}

impl<W: Write + Send> Writer<W> {
    /// Begins a file. With `alone` it holds the job, else its hash.
    ///
    /// # Errors
    /// If `out` can't be written.
    pub fn new(out: W, job: &Job, alone: bool) -> Result<Writer<W>, RowsError> {
        let mut metadata = vec![KeyValue::new(HASH.to_string(), job.hash().to_string())];
        if alone {
            metadata.push(KeyValue::new(JOB.to_string(), job.to_json()));
        }
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by(concat!("kelvin ", env!("CARGO_PKG_VERSION")).to_string())
            .set_key_value_metadata(Some(metadata))
            .build();
        let parquet =
            SerializedFileWriter::new(out, schema(), Arc::new(properties)).map_err(unwritten)?;
        Ok(Writer { parquet, waiting: Vec::new(), filling: Filling::default() })
    }

    /// Writes the next row.
    ///
    /// # Errors
    /// If the file can't be written.
    pub fn push(&mut self, row: Finished) -> Result<(), RowsError> {
        if !self.filling.takes(&row) {
            let waiting = std::mem::take(&mut self.waiting);
            self.write(&waiting)?;
        }
        self.waiting.push(row);
        Ok(())
    }

    /// Ends the file.
    ///
    /// # Errors
    /// If the file can't be written.
    pub fn end(mut self) -> Result<W, RowsError> {
        let waiting = std::mem::take(&mut self.waiting);
        self.write(&waiting)?;
        self.parquet.into_inner().map_err(unwritten)
    }

    /// Row groups, whose borders depend on the table alone and not on how it was cut.
    fn write(&mut self, rows: &[Finished]) -> Result<(), RowsError> {
        for rows in groups(rows) {
            let mut group = self.parquet.next_row_group().map_err(unwritten)?;
            write_group(&mut group, rows).map_err(unwritten)?;
            group.close().map_err(unwritten)?;
        }
        Ok(())
    }
}

fn unwritten(error: ParquetError) -> RowsError {
    RowsError::Write(error.to_string())
}

/// Rows in the job's order, each once.
///
/// # Errors
/// If a row isn't the job's, or comes twice with different texts.
pub fn sorted(job: &Job, mut rows: Vec<Finished>) -> Result<Vec<Finished>, RowsError> {
    rows.sort_by_key(|row| row.row);
    rows.dedup_by(|a, b| a == b);
    if let Some(row) = rows.iter().find(|row| job.id(row.row).is_none()) {
        return Err(RowsError::Write(format!("{} isn't in the job's table", name(row.row))));
    }
    match rows.windows(2).find(|pair| pair[0].row == pair[1].row) {
        None => Ok(rows),
        Some(twice) => {
            let row = name(twice[0].row);
            Err(RowsError::Write(format!("{row} came twice with different texts")))
        }
    }
}

/// Writes rows as one file.
///
/// # Errors
/// If they aren't [`sorted`], or if `out` can't be written.
pub fn write<W: Write + Send>(
    out: W,
    job: &Job,
    rows: &[Finished],
    alone: bool,
) -> Result<W, RowsError> {
    if !rows.is_sorted_by(|a, b| a.row < b.row) {
        return Err(RowsError::Write("the rows aren't in the job's order, each once".into()));
    }
    let mut writer = Writer::new(out, job, alone)?;
    writer.write(rows)?;
    writer.end()
}

/// A row for an error message.
pub(super) fn name(row: Row) -> String {
    format!("prompt {}, chain {}, sample {}", row.prompt + 1, row.chain + 1, row.sample)
}

/// Writes a run of a database as one file, which [`import`](super::import) reads.
///
/// # Errors
/// If the run can't be read or the file can't be written.
pub fn export<W: Write + Send>(store: &Store, run: RunId, out: W) -> Result<W, RowsError> {
    let listed = store.show(run)?;
    let job = Job::new(listed.recipe, listed.source);
    let mut writer = Writer::new(out, &job, true)?;
    store.each_whole(run, &mut |mut sample, logits| {
        // A judge's scores and embeddings are made again by `report`.
        (sample.judged, sample.embedding) = (None, None);
        let row = sample.row();
        writer.push(Finished { row, outcome: Ok((sample, logits)) })
    })?;
    writer.end()
}

/// Reads the rows of a file, some at a time.
pub struct Reader {
    file: Box<dyn FileReader>,
    name: String,
    /// The hash of the job whose rows they are.
    pub hash: String,
    /// The job, if the file stands alone.
    pub job: Option<Job>,
    /// The number of rows that the file says it has.
    pub n_rows: usize,
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} rows of {})", self.name, self.n_rows, self.hash)
    }
}

impl Reader {
    /// Opens a file. `name` is what errors call it.
    ///
    /// # Errors
    /// If it isn't a file of rows.
    pub fn open<R: ChunkReader + 'static>(file: R, name: &str) -> Result<Reader, RowsError> {
        let refuse = |problem: String| RowsError::File { name: name.to_string(), problem };
        let file = SerializedFileReader::new(file).map_err(|error| {
            refuse(format!("it isn't a Parquet file that can be read ({error})"))
        })?;
        let metadata = file.metadata();
        let pairs = metadata.file_metadata().key_value_metadata();
        let value = |key: &str| {
            let pair = pairs.into_iter().flatten().find(|pair| pair.key == key);
            pair.and_then(|pair| pair.value.clone())
        };
        let Some(hash) = value(HASH) else {
            return Err(refuse(
                "it has no rows of a run: `kelvin runs export --what rows` and kelvin.ray write \
                 such files"
                    .into(),
            ));
        };
        let job = value(JOB).map(|json| Job::read(&json)).transpose();
        let job = job.map_err(|error| refuse(error.to_string()))?;
        if job.as_ref().is_some_and(|job| job.hash() != hash) {
            return Err(refuse(format!("it names two recipes, of which one is {hash}")));
        }
        if let Some(problem) = difference(metadata.file_metadata().schema_descr()) {
            return Err(refuse(problem));
        }
        let groups = metadata.row_groups();
        if groups.iter().any(|group| !(0..=MAX_GROUP).contains(&group.total_byte_size())) {
            return Err(refuse(format!("a row group has more than {MAX_GROUP} bytes")));
        }
        let count =
            |n: i64| usize::try_from(n).map_err(|_| refuse(format!("it says it has {n} rows")));
        let n_rows = count(metadata.file_metadata().num_rows())?;
        let n_groups = groups.iter().map(|group| count(group.num_rows()));
        let n_groups = n_groups.sum::<Result<usize, _>>()?;
        if n_groups != n_rows {
            return Err(refuse(format!("its row groups have {n_groups} rows, and it {n_rows}")));
        }
        Ok(Reader { file: Box::new(file), name: name.to_string(), hash, job, n_rows })
    }

    /// Opens a file that is in memory.
    ///
    /// # Errors
    /// If it isn't a file of rows.
    pub fn of_bytes(bytes: Vec<u8>, name: &str) -> Result<Reader, RowsError> {
        Reader::open(Bytes::from(bytes), name)
    }

    /// The rows, some at a time, each checked to be one of the job.
    ///
    /// # Errors
    /// If the file belongs to another job, or has more rows than that.
    pub fn rows(
        self,
        job: &Job,
    ) -> Result<impl Iterator<Item = Result<Vec<Finished>, RowsError>>, RowsError> {
        let Reader { file, name, hash, n_rows, .. } = self;
        let refuse = move |problem| RowsError::File { name: name.clone(), problem };
        let expected = job.hash();
        if hash != expected {
            return Err(refuse(format!("its rows are of the recipe {hash}, expected {expected}")));
        }
        let most = job.n_rows();
        if n_rows > most {
            let problem = format!("it says it has {n_rows} rows, where the recipe has {most}");
            return Err(refuse(problem));
        }
        let mut batches = Batches { file, group: 0, columns: Vec::new(), left: 0 };
        Ok(std::iter::from_fn(move || {
            let rows = batches.next(job).transpose()?;
            Some(rows.and_then(|rows| checked(job, rows)).map_err(&refuse))
        }))
    }
}

/// Where reading a file is.
struct Batches {
    file: Box<dyn FileReader>,
    /// The next row group.
    group: usize,
    /// The columns of the group that is open, and how many of its rows weren't read yet.
    columns: Vec<Column>,
    left: usize,
}

impl Batches {
    /// The next rows; `None` at the end.
    fn next(&mut self, job: &Job) -> Result<Option<Vec<Finished>>, String> {
        while self.left == 0 {
            if self.group == self.file.num_row_groups() {
                return Ok(None);
            }
            self.open(job).map_err(|error| error.to_string())?;
            self.group += 1;
        }
        let n = self.left.min(BATCH);
        self.left -= n;
        finished(&mut self.columns, n).map(Some)
    }

    fn open(&mut self, job: &Job) -> Result<(), ParquetError> {
        let group = self.file.get_row_group(self.group)?;
        self.left = group.metadata().num_rows() as usize;
        // A token has at most one row of logits, and so has the end. An empty list counts as one.
        let most = self.left.saturating_mul(job.recipe().length.max_tokens.saturating_add(1));
        let schema = self.file.metadata().file_metadata().schema_descr();
        let column =
            |i: usize| Ok(Column::open(schema.column(i), group.get_column_page_reader(i)?, most));
        self.columns = (0..group.num_columns()).map(column).collect::<Result<_, ParquetError>>()?;
        Ok(())
    }
}

fn checked(job: &Job, rows: Vec<Finished>) -> Result<Vec<Finished>, String> {
    rows.iter().try_for_each(|row| check(job, row))?;
    Ok(rows)
}

fn check(job: &Job, row: &Finished) -> Result<(), String> {
    let (name, most) = (name(row.row), job.recipe().length.max_tokens);
    if job.id(row.row).is_none() {
        return Err(format!("the recipe has no {name}"));
    }
    match row.outcome.as_ref().map_or(0, |(sample, _)| sample.tokens.len()) {
        n if n > most => Err(format!("{name} has {n} tokens, where the recipe allows {most}")),
        _ => Ok(()),
    }
}

/// Names the first column that isn't as expected.
fn difference(found: &SchemaDescriptor) -> Option<String> {
    let expected = SchemaDescriptor::new(schema());
    let of = |schema: &SchemaDescriptor, i: usize| {
        schema.columns().get(i).map_or("nothing".to_string(), |column| described(column))
    };
    let mut all = (0..found.num_columns().max(expected.num_columns()))
        .map(|i| (i, of(found, i), of(&expected, i)));
    let (i, found, expected) = all.find(|(_, found, expected)| found != expected)?;
    Some(format!("column {} is {found}, expected {expected}", i + 1))
}

/// All that reading a column depends on.
fn described(column: &ColumnDescriptor) -> String {
    let levels = (column.max_def_level(), column.max_rep_level());
    let kind = match levels {
        (0, 0) => "required",
        (1, 0) => "optional",
        (1, 1) => "required in a list",
        (2, 1) => "optional in a list",
        _ => "nested",
    };
    format!("{} {} ({kind})", column.path().string(), column.physical_type())
}
