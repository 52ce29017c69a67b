//! Rows as a Parquet file, written in order and read batch by batch.
//!
//! A file's metadata has the job's hash, and the job itself where the file stands alone.

use std::io::Write;

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;
use bytes::Bytes;
use parquet::{
    arrow::{
        ArrowWriter,
        arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder},
    },
    basic::Compression,
    errors::ParquetError,
    file::{metadata::KeyValue, properties::WriterProperties, reader::ChunkReader},
};

use super::{
    Finished, Job, RowsError,
    table::{Filling, batches, finished, schema},
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
    parquet: ArrowWriter<W>,
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
        let parquet = ArrowWriter::try_new(out, schema(), Some(properties)).map_err(unwritten)?;
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
        for batch in batches(rows) {
            self.parquet.write(&batch).map_err(unwritten)?;
            self.parquet.flush().map_err(unwritten)?;
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
#[derive(Debug)]
pub struct Reader {
    batches: ParquetRecordBatchReader,
    name: String,
    /// The hash of the job whose rows they are.
    pub hash: String,
    /// The job, if the file stands alone.
    pub job: Option<Job>,
    /// The number of rows that the file says it has.
    pub n_rows: i64,
}

impl Reader {
    /// Opens a file. `name` is what errors call it.
    ///
    /// # Errors
    /// If it isn't a file of rows.
    pub fn open<R: ChunkReader + 'static>(file: R, name: &str) -> Result<Reader, RowsError> {
        let refuse = |problem: String| RowsError::File { name: name.to_string(), problem };
        let foreign = |error: ParquetError| {
            refuse(format!("it isn't a Parquet file that can be read ({error})"))
        };
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(foreign)?;
        let metadata = builder.metadata();
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
        let (expected, found) = (schema(), builder.schema());
        if found.fields() != expected.fields() {
            return Err(refuse(difference(found.fields(), expected.fields())));
        }
        if metadata
            .row_groups()
            .iter()
            .any(|group| !(0..=MAX_GROUP).contains(&group.total_byte_size()))
        {
            return Err(refuse(format!("a row group has more than {MAX_GROUP} bytes")));
        }
        let n_rows = metadata.file_metadata().num_rows();
        let batches = builder.with_batch_size(BATCH).build().map_err(foreign)?;
        Ok(Reader { batches, name: name.to_string(), hash, job, n_rows })
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
        let Reader { batches, name, hash, n_rows, .. } = self;
        let refuse = move |problem| RowsError::File { name: name.clone(), problem };
        let expected = job.hash();
        if hash != expected {
            return Err(refuse(format!("its rows are of the recipe {hash}, expected {expected}")));
        }
        let most = job.n_rows();
        if !(0..=most as i64).contains(&n_rows) {
            let problem = format!("it says it has {n_rows} rows, where the recipe has {most}");
            return Err(refuse(problem));
        }
        Ok(batches.map(move |batch| checked(job, batch).map_err(&refuse)))
    }
}

fn checked(job: &Job, batch: Result<RecordBatch, ArrowError>) -> Result<Vec<Finished>, String> {
    let rows = finished(&batch.map_err(|error| error.to_string())?)?;
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

/// The first column that isn't as expected.
fn difference(found: &arrow_schema::Fields, expected: &arrow_schema::Fields) -> String {
    let differs = |i: &usize| found.get(*i) != expected.get(*i);
    let i = (0..found.len().max(expected.len())).find(differs).unwrap_or(0);
    let said = |fields: &arrow_schema::Fields| {
        fields.get(i).map_or("nothing".to_string(), |f| format!("{} {}", f.name(), f.data_type()))
    };
    format!("column {} is {}, expected {}", i + 1, said(found), said(expected))
}
