//! Reproduction files: written line by line, read back within bounds.

use std::{
    collections::HashSet,
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write},
    path::Path,
};

use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};

use super::{Difference, Head, ProvedText, Step, difference::of_prompts};
use crate::{
    job::Job,
    run::{Finish, Row},
};

/// The version of the form.
const FORM: u32 = 1;
/// Maximum bytes of a line: a text of two million steps.
pub const MAX_LINE: usize = 256 << 20;
/// The last line is shorter than this.
const MAX_END: usize = 256;

/// Why a reproduction file can't be read or written. The sentence begins with the file's name.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// The file can't be opened, read or written.
    #[error("{name}: {error}")]
    Io {
        /// The file.
        name: String,
        /// The I/O error.
        error: io::Error,
    },
    /// A line isn't what it must be.
    #[error("{name}, line {line}: {problem}")]
    Line {
        /// The file.
        name: String,
        /// The line, from 1.
        line: usize,
        /// What was found and what was expected.
        problem: String,
    },
    /// The file ends before its last line.
    #[error(
        "{name} was cut short after line {line}: a reproduction file ends with a line that counts \
         its texts"
    )]
    Cut {
        /// The file.
        name: String,
        /// The last whole line, from 1.
        line: usize,
    },
    /// The file is of another run.
    #[error("{name} is of another {what}: name another file")]
    Other {
        /// The file.
        name: String,
        /// What differs.
        what: &'static str,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeadForm {
    proof: u32,
    kelvin: String,
    job: Box<RawValue>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    quantize: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    form: Option<Value>,
    prompts: Vec<Vec<u32>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TextForm {
    prompt: usize,
    chain: usize,
    sample: usize,
    finish: Finish,
    text: String,
    steps: Vec<Step>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EndForm {
    texts: usize,
    steps: usize,
}

impl Head {
    fn to_json(&self) -> String {
        let job = RawValue::from_string(self.job.to_json()).expect("a job's JSON is JSON");
        let form = HeadForm {
            proof: FORM,
            kelvin: self.kelvin.clone(),
            job,
            quantize: self.quantize.clone(),
            form: self.form.clone(),
            prompts: self.prompts.clone(),
        };
        serde_json::to_string(&form).expect("texts and numbers are always JSON")
    }

    fn read(line: &[u8]) -> Result<Head, String> {
        // Another version may have other fields, so the version is read alone first.
        #[derive(Deserialize)]
        struct Version {
            proof: u32,
        }
        let no_proof = |error| format!("it isn't the head of a reproduction file: {error}");
        let Version { proof } = serde_json::from_slice(line).map_err(no_proof)?;
        if proof != FORM {
            return Err(format!("its version is {proof}, this Kelvin reads {FORM}"));
        }
        let form: HeadForm = serde_json::from_slice(line).map_err(no_proof)?;
        let job = Job::read(form.job.get()).map_err(|error| error.to_string())?;
        let (n, of) = (form.prompts.len(), job.recipe().prompts.len());
        if n != of {
            return Err(format!("it has tokens of {n} prompts, but the recipe has {of}"));
        }
        let HeadForm { kelvin, quantize, form, prompts, .. } = form;
        Ok(Head { kelvin, job, quantize, form, prompts })
    }

    /// The first prompt whose tokens here differ from the file's, and where.
    pub fn difference(&self, found: &[Vec<u32>]) -> Option<(usize, Difference)> {
        let pairs = self.prompts.iter().zip(found).enumerate();
        pairs.into_iter().find_map(|(i, (a, b))| Some((i, of_prompts(a, b)?)))
    }
}

/// Writes a reproduction file.
#[derive(Debug)]
pub struct Writer<W> {
    out: W,
    head: Head,
    /// Numbers of the rows that are in the file.
    rows: HashSet<usize>,
    n_steps: usize,
}

impl<W: Write> Writer<W> {
    /// Begins a file with its head.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn new(mut out: W, head: Head) -> io::Result<Writer<W>> {
        writeln!(out, "{}", head.to_json())?;
        out.flush()?;
        Ok(Writer { out, head, rows: HashSet::new(), n_steps: 0 })
    }

    /// Adds a text, and flushes it. A text that is there, or isn't in the recipe's table, is left
    /// out.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn push(&mut self, text: &ProvedText) -> io::Result<()> {
        let is_new = self.head.job.id(text.row).is_some_and(|id| self.rows.insert(id));
        if !is_new {
            return Ok(());
        }
        self.n_steps += text.steps.len();
        let Row { prompt, chain, sample } = text.row;
        let ProvedText { finish, steps, text, .. } = text.clone();
        let form = TextForm { prompt, chain, sample, finish, text, steps };
        serde_json::to_writer(&mut self.out, &form)?;
        self.out.write_all(b"\n")?;
        self.out.flush()
    }

    /// Ends the file. Returns the number of its texts.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn end(mut self) -> io::Result<usize> {
        let form = EndForm { texts: self.rows.len(), steps: self.n_steps };
        serde_json::to_writer(&mut self.out, &form)?;
        self.out.write_all(b"\n")?;
        self.out.flush()?;
        Ok(form.texts)
    }
}

/// Begins a file, or continues one that an earlier command left: it must have an equal head. Its
/// last line is removed, and so is a text that was cut short.
///
/// # Errors
/// If the file can't be read or written, or has other contents.
pub fn resume(path: &Path, head: Head) -> Result<Writer<BufWriter<File>>, ProofError> {
    let name = path.display().to_string();
    let failed = |error| ProofError::Io { name: name.clone(), error };
    let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
    let mut file = open.map_err(failed)?;
    let mut kept = None;
    if file.metadata().map_err(failed)?.len() > 0 {
        let mut reader = Reader::new(BufReader::new(&file), &name)?;
        let is_equal = |of: fn(&Head) -> &str| of(reader.head()) == of(&head);
        if !is_equal(|head| head.job.hash()) {
            return Err(ProofError::Other { name, what: "recipe or model" });
        }
        if !is_equal(|head| &head.kelvin) {
            return Err(ProofError::Other { name, what: "version of Kelvin" });
        }
        if (&reader.head().prompts, &reader.head().form) != (&head.prompts, &head.form) {
            return Err(ProofError::Other { name, what: "recipe" });
        }
        let samples = |head: &Head| head.job.recipe().samples;
        if samples(reader.head()) != samples(&head) {
            return Err(ProofError::Other { name, what: "number of samples" });
        }
        loop {
            match reader.next_text() {
                Ok(Some(_)) => {}
                Ok(None) | Err(ProofError::Cut { .. }) => break,
                Err(error) => return Err(error),
            }
        }
        kept = Some((reader.whole, reader.rows, reader.counted.steps));
    }
    let Some((len, rows, n_steps)) = kept else {
        return Writer::new(BufWriter::new(file), head).map_err(failed);
    };
    file.set_len(len).map_err(failed)?;
    file.seek(SeekFrom::End(0)).map_err(failed)?;
    Ok(Writer { out: BufWriter::new(file), head, rows, n_steps })
}

/// Reads a reproduction file, one line at a time.
#[derive(Debug)]
pub struct Reader<R> {
    source: R,
    name: String,
    head: Head,
    /// Lines read.
    line: usize,
    /// Bytes of the head and the texts read.
    whole: u64,
    /// Numbers of the rows read.
    rows: HashSet<usize>,
    counted: EndForm,
    has_ended: bool,
}

impl<R: BufRead> Reader<R> {
    /// Reads the head. Errors call the file `name`.
    ///
    /// # Errors
    /// If the file can't be read, or isn't a reproduction file of this version.
    pub fn new(mut source: R, name: &str) -> Result<Reader<R>, ProofError> {
        let refuse = |problem| ProofError::Line { name: name.to_string(), line: 1, problem };
        let line = read_line(&mut source, name, 0).map_err(|error| match error {
            ProofError::Cut { .. } => refuse("it isn't the head of a reproduction file".into()),
            other => other,
        })?;
        Ok(Reader {
            head: Head::read(&line).map_err(refuse)?,
            source,
            name: name.to_string(),
            line: 1,
            whole: line.len() as u64,
            rows: HashSet::new(),
            counted: EndForm::default(),
            has_ended: false,
        })
    }

    /// The head.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// The next text; `None` after the last line. Each row comes once and is in the recipe's table.
    ///
    /// # Errors
    /// If the file can't be read, was cut short, or a line isn't what it must be.
    pub fn next_text(&mut self) -> Result<Option<ProvedText>, ProofError> {
        if self.has_ended {
            return Ok(None);
        }
        let line = read_line(&mut self.source, &self.name, self.line)?;
        self.line += 1;
        let end = (line.len() < MAX_END).then(|| serde_json::from_slice(&line).ok()).flatten();
        let read = match end {
            Some(end) => self.end(end),
            None => self.text(&line).map(Some),
        };
        read.map_err(|problem| self.refuse(problem))
    }

    fn text(&mut self, line: &[u8]) -> Result<ProvedText, String> {
        let form: TextForm = serde_json::from_slice(line).map_err(|error| error.to_string())?;
        let TextForm { prompt, chain, sample, finish, text, steps } = form;
        let row = Row { prompt, chain, sample };
        let name = || format!("prompt {prompt}, chain {chain}, sample {sample}");
        let Some(id) = self.head.job.id(row) else {
            return Err(format!("{} isn't in the recipe's table", name()));
        };
        if !self.rows.insert(id) {
            return Err(format!("{} comes twice", name()));
        }
        self.counted.texts += 1;
        self.counted.steps += steps.len();
        self.whole += line.len() as u64;
        Ok(ProvedText { row, finish, text, steps })
    }

    fn end(&mut self, end: EndForm) -> Result<Option<ProvedText>, String> {
        if end != self.counted {
            let EndForm { texts, steps } = self.counted;
            return Err(format!(
                "it counts {} texts and {} steps, but {texts} texts and {steps} steps stand before \
                 it",
                end.texts, end.steps
            ));
        }
        self.has_ended = true;
        match self.source.fill_buf() {
            Ok([]) => Ok(None),
            Ok(_) => Err("it is the last line, but more follows".to_string()),
            Err(error) => Err(error.to_string()),
        }
    }

    fn refuse(&self, problem: String) -> ProofError {
        ProofError::Line { name: self.name.clone(), line: self.line, problem }
    }
}

/// The line after line number `before`, with its line break.
fn read_line(source: &mut impl BufRead, name: &str, before: usize) -> Result<Vec<u8>, ProofError> {
    let mut line = Vec::new();
    let name = || name.to_string();
    source
        .take(MAX_LINE as u64 + 1)
        .read_until(b'\n', &mut line)
        .map_err(|error| ProofError::Io { name: name(), error })?;
    if line.len() > MAX_LINE {
        let problem = format!("it is longer than {MAX_LINE} bytes, which is the most that is read");
        return Err(ProofError::Line { name: name(), line: before + 1, problem });
    }
    if line.last() != Some(&b'\n') {
        return Err(ProofError::Cut { name: name(), line: before });
    }
    Ok(line)
}
