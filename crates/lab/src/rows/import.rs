//! Files of rows into a database: everything is checked before it is stored.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use super::{Job, Reader, RowsError, file::name};
use crate::{
    recorded::RecordedLogits,
    run::Sample,
    store::{RunId, Store},
    text_file,
};

/// The file of a folder that holds the job of its files.
const JOB_FILE: &str = "job.json";
/// More than the JSON of any job.
const MAX_JOB: u64 = 256 << 20;

/// What an import did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The run that the rows belong to.
    pub run: RunId,
    /// Texts that the database didn't have.
    pub n_new: usize,
    /// Texts that it had.
    pub n_known: usize,
    /// Texts that the run still lacks.
    pub n_missing: usize,
    /// Rows without a text, and why the first of them has none.
    pub n_errors: usize,
    /// The first of these rows and its error.
    pub first_error: Option<String>,
}

/// Stores the rows of a file, or of all files of a folder with `job.json`. Rows that the database
/// has stay as they are.
///
/// # Errors
/// If a file isn't one of rows, belongs to another recipe or has rows that the recipe hasn't, with
/// the file's name. Nothing of that file's bad batch is stored; batches before it are.
pub fn import(store: &mut Store, path: &Path, version: &str) -> Result<Imported, RowsError> {
    let (job, files) = open(path)?;
    // Every file's head is read before the first row is stored.
    for file in &files {
        reader(file)?.rows(&job).map(drop)?;
    }
    let mut taking = Taking::begin(store, &job, version)?;
    for file in &files {
        taking.take(reader(file)?)?;
    }
    taking.end()
}

/// Takes files of rows into a run, one after another.
#[derive(Debug)]
pub struct Taking<'a> {
    store: &'a mut Store,
    job: &'a Job,
    taken: Imported,
}

impl<'a> Taking<'a> {
    /// Begins the job's run, or goes on with it.
    ///
    /// # Errors
    /// If the database can't be written.
    pub fn begin(store: &'a mut Store, job: &'a Job, version: &str) -> Result<Self, RowsError> {
        let run = store.begin(job.recipe(), job.source(), version)?;
        let taken =
            Imported { run, n_new: 0, n_known: 0, n_missing: 0, n_errors: 0, first_error: None };
        Ok(Taking { store, job, taken })
    }

    /// Stores the rows of a file that the run doesn't have.
    ///
    /// # Errors
    /// As [`import`].
    pub fn take(&mut self, file: Reader) -> Result<(), RowsError> {
        let Taking { store, job, taken } = self;
        for rows in file.rows(job)? {
            let rows = rows?;
            let texts: Vec<(&Sample, &[RecordedLogits])> = rows
                .iter()
                .filter_map(|row| row.outcome.as_ref().ok())
                .map(|(sample, logits)| (sample, &logits[..]))
                .collect();
            let n_new = store.put_all(taken.run, &texts)?;
            taken.n_new += n_new;
            taken.n_known += texts.len() - n_new;
            for row in &rows {
                if let Err(error) = &row.outcome {
                    taken.n_errors += 1;
                    let told = || format!("{}: {error}", name(row.row));
                    taken.first_error.get_or_insert_with(told);
                }
            }
        }
        Ok(())
    }

    /// What was taken in, and how many texts the run still lacks.
    ///
    /// # Errors
    /// If the database can't be read.
    pub fn end(mut self) -> Result<Imported, RowsError> {
        let listed = self.store.show(self.taken.run)?;
        self.taken.n_missing = listed.recipe.n_texts().saturating_sub(listed.n_done);
        Ok(self.taken)
    }
}

/// The job and the files that hold its rows.
fn open(path: &Path) -> Result<(Job, Vec<PathBuf>), RowsError> {
    let refuse = |problem: String| RowsError::File { name: path.display().to_string(), problem };
    if !path.is_dir() {
        let job = reader(path)?.job;
        let job = job.ok_or_else(|| {
            refuse("it is a part of a table; give the folder, which says of which".into())
        });
        return Ok((job?, vec![path.to_path_buf()]));
    }
    let json = path.join(JOB_FILE);
    let json = text_file::read(&json, MAX_JOB).map_err(|error| {
        refuse(format!("a folder of rows has the file {JOB_FILE}, which can't be read ({error})"))
    })?;
    let job = Job::read(json.trim_end())?;
    let unread = |error: std::io::Error| refuse(format!("it can't be read ({error})"));
    let mut files = Vec::new();
    for entry in fs::read_dir(path).map_err(unread)? {
        let file = entry.map_err(unread)?.path();
        let is_hidden = file.file_name().is_some_and(|n| n.to_string_lossy().starts_with('.'));
        if !is_hidden && file.extension().is_some_and(|extension| extension == "parquet") {
            files.push(file);
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(refuse("it has no file of rows (*.parquet)".into()));
    }
    Ok((job, files))
}

fn reader(path: &Path) -> Result<Reader, RowsError> {
    let shown = path.display().to_string();
    let file = File::open(path).map_err(|error| RowsError::File {
        name: shown.clone(),
        problem: format!("it can't be read ({error})"),
    })?;
    Reader::open(file, &shown)
}
