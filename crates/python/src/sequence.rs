//! `Sequence`: tokens that a program appends itself, and the logits of what comes next.

use std::sync::Arc;

use kelvin_engine::{
    TokenId,
    batch::{Batch, Scored, score},
    transformer::{self, Append, Want},
};
use numpy::{IntoPyArray, PyArray1, PyArray2, ndarray::Array2};
use pyo3::{
    exceptions::{PyRuntimeError, PyValueError},
    prelude::*,
};

use crate::{parts::value_error, prompt, shared::Shared};

/// Tokens of a forward pass at most, so that Ctrl-C is heard between two of them.
const CHUNK: usize = 256;

/// Tokens of one text and their KV cache, made by Model.sequence.
///
/// A fork shares all full pages of 32 positions. Use it as a context manager, or close it, to give
/// its memory back early.
///
/// Examples:
///     >>> with model.sequence("Hi") as sequence:
///     ...     logits = sequence.append("!")
///     >>> sequence.is_closed
///     True
#[pyclass(module = "kelvin")]
#[derive(Debug)]
pub(crate) struct Sequence {
    shared: Arc<Shared>,
    /// None once it is closed.
    inner: Option<transformer::Sequence>,
}

impl Sequence {
    pub(crate) fn new(py: Python<'_>, shared: Arc<Shared>) -> PyResult<Sequence> {
        shared.check_place()?;
        let inner = py.detach(|| shared.seat().batch.sequence(shared.engine()));
        Ok(Sequence { shared, inner: Some(inner) })
    }

    /// Appends tokens; the logits of what comes after the last of them.
    pub(crate) fn extend(&mut self, py: Python<'_>, ids: &[TokenId]) -> PyResult<Vec<f32>> {
        let shared = Arc::clone(&self.shared);
        append(py, &shared, self.open_mut()?, ids, Want::Last)
    }

    /// Appends tokens; rows of logits, one after each of them.
    pub(crate) fn rows(&mut self, py: Python<'_>, ids: &[TokenId]) -> PyResult<Vec<f32>> {
        let shared = Arc::clone(&self.shared);
        append(py, &shared, self.open_mut()?, ids, Want::All)
    }

    fn vocab_size(&self) -> usize {
        vocab(&self.shared)
    }

    fn open(&self) -> PyResult<&transformer::Sequence> {
        self.inner.as_ref().ok_or_else(closed)
    }

    fn open_mut(&mut self) -> PyResult<&mut transformer::Sequence> {
        self.inner.as_mut().ok_or_else(closed)
    }
}

fn closed() -> PyErr {
    PyRuntimeError::new_err("the sequence is closed; make a new one with Model.sequence()")
}

#[pymethods]
impl Sequence {
    /// Appends tokens in one forward pass for each 256 of them.
    ///
    /// Args:
    ///     tokens: ids, one id, or a text.
    ///     all: logits after each of the tokens instead of the last.
    ///
    /// Returns:
    ///     f32 logits of what comes next, shape (vocab,), or (tokens, vocab) with all.
    ///
    /// Raises:
    ///     ValueError: no tokens, an unknown id, or more than the context holds.
    ///     RuntimeError: the sequence is closed, or the process was forked.
    ///     KeyboardInterrupt: Ctrl-C, between two passes. After any of them it is as it was before.
    ///
    /// Examples:
    ///     >>> model.sequence().append([5, 6, 7], all=True).shape
    ///     (3, 101)
    #[pyo3(signature = (tokens, *, all = false))]
    fn append<'py>(
        &mut self,
        py: Python<'py>,
        tokens: &Bound<'py, PyAny>,
        all: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.shared.check_place()?;
        let shared = Arc::clone(&self.shared);
        let ids = prompt::continuation(shared.engine(), tokens)?;
        if all {
            let rows = self.rows(py, &ids)?;
            return Ok(of_rows(py, rows, ids.len(), vocab(&shared))?.into_any());
        }
        Ok(PyArray1::from_vec(py, self.extend(py, &ids)?).into_any())
    }

    /// Another sequence of the same tokens; costs nothing until one of the two appends.
    ///
    /// Raises:
    ///     RuntimeError: the sequence is closed.
    ///
    /// Examples:
    ///     >>> one = model.sequence("Hi")
    ///     >>> one.fork().tokens == one.tokens
    ///     True
    fn fork(&self) -> PyResult<Sequence> {
        Ok(Sequence { shared: Arc::clone(&self.shared), inner: Some(self.open()?.clone()) })
    }

    /// Forgets all but the first n tokens.
    ///
    /// Raises:
    ///     ValueError: it has fewer.
    ///     RuntimeError: the sequence is closed.
    ///
    /// Examples:
    ///     >>> sequence = model.sequence("Hi")
    ///     >>> sequence.truncate(1)
    ///     >>> len(sequence)
    ///     1
    fn truncate(&mut self, n: usize) -> PyResult<()> {
        let len = self.open()?.len();
        if n > len {
            return Err(PyValueError::new_err(format!(
                "the sequence has {len} tokens, so it can't be truncated to {n}"
            )));
        }
        self.open_mut()?.truncate(n);
        Ok(())
    }

    /// Gives its memory back. Closing twice is fine.
    ///
    /// Examples:
    ///     >>> model.sequence().close()
    fn close(&mut self) {
        self.inner = None;
    }

    /// Whether it was closed.
    #[getter]
    fn is_closed(&self) -> bool {
        self.inner.is_none()
    }

    /// Its token ids.
    #[getter]
    fn tokens(&self) -> PyResult<Vec<u32>> {
        Ok(self.open()?.tokens().iter().map(|token| token.0).collect())
    }

    /// Its text, without special tokens.
    #[getter]
    fn text(&self) -> PyResult<String> {
        Ok(self.shared.engine().tokenizer.decode(self.open()?.tokens(), false))
    }

    /// Bytes of its keys and values, shared ones included.
    #[getter]
    fn n_bytes(&self) -> PyResult<usize> {
        Ok(self.open()?.n_bytes())
    }

    fn __len__(&self) -> PyResult<usize> {
        Ok(self.open()?.len())
    }

    fn __repr__(&self) -> String {
        match &self.inner {
            Some(sequence) => format!("Sequence({} tokens)", sequence.len()),
            None => "Sequence(closed)".to_string(),
        }
    }

    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    #[pyo3(signature = (*_args))]
    fn __exit__(&mut self, _args: &Bound<'_, pyo3::types::PyTuple>) {
        self.close();
    }
}

/// Appends `ids` in chunks, and returns the rows of logits that are wanted. On Ctrl-C or an error
/// the sequence is as it was.
fn append(
    py: Python<'_>,
    shared: &Shared,
    sequence: &mut transformer::Sequence,
    ids: &[TokenId],
    want: Want,
) -> PyResult<Vec<f32>> {
    let before = sequence.len();
    // Without tokens the model itself says what is missing.
    let n_chunks = ids.len().div_ceil(CHUNK).max(1);
    let mut rows = Vec::new();
    for i in 0..n_chunks {
        let tokens = &ids[i * CHUNK..ids.len().min((i + 1) * CHUNK)];
        let want = if want == Want::Last && i + 1 < n_chunks { Want::None } else { want };
        let appended = py.check_signals().and_then(|()| {
            let append = Append { sequence: &mut *sequence, tokens, want };
            py.detach(|| step(&mut shared.seat().batch, shared, &mut [append], &mut rows))
                .map_err(value_error)
        });
        if let Err(error) = appended {
            sequence.truncate(before);
            return Err(error);
        }
    }
    Ok(rows)
}

fn step(
    batch: &mut Batch,
    shared: &Shared,
    appends: &mut [Append<'_>],
    rows: &mut Vec<f32>,
) -> Result<(), transformer::ModelError> {
    let logits = batch.append(shared.engine(), appends)?;
    for i in 0..logits.n_rows() {
        rows.extend_from_slice(logits.row(i));
    }
    Ok(())
}

fn vocab(shared: &Shared) -> usize {
    shared.engine().model.config.vocab_size
}

/// Rows of vocab_size logits as an array of shape (n, vocab).
fn of_rows(
    py: Python<'_>,
    rows: Vec<f32>,
    n: usize,
    vocab: usize,
) -> PyResult<Bound<'_, PyArray2<f32>>> {
    Ok(Array2::from_shape_vec((n, vocab), rows).map_err(value_error)?.into_pyarray(py))
}

/// The logits of a prompt: after its last token, or after each.
pub(crate) fn logits<'py>(
    py: Python<'py>,
    shared: &Arc<Shared>,
    ids: &[TokenId],
    all: bool,
) -> PyResult<Bound<'py, PyAny>> {
    if ids.is_empty() {
        return Err(PyValueError::new_err("the prompt has no tokens, so nothing comes next"));
    }
    let mut sequence = Sequence::new(py, Arc::clone(shared))?;
    if all {
        let rows = sequence.rows(py, ids)?;
        return Ok(of_rows(py, rows, ids.len(), vocab(shared))?.into_any());
    }
    Ok(PyArray1::from_vec(py, sequence.extend(py, ids)?).into_any())
}

/// Appends tokens to several sequences in one forward pass: the logits after each one's last token,
/// shape (sequences, vocab).
pub(crate) fn append_to_all<'py>(
    py: Python<'py>,
    shared: &Arc<Shared>,
    sequences: &[Bound<'py, Sequence>],
    tokens: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyArray2<f32>>> {
    shared.check_place()?;
    let given: Vec<Bound<'_, PyAny>> = tokens.try_iter()?.collect::<PyResult<_>>()?;
    if given.len() != sequences.len() || given.is_empty() {
        return Err(PyValueError::new_err(format!(
            "{} sequences and the tokens of {}; give one list of tokens for each sequence, and at \
             least one",
            sequences.len(),
            given.len()
        )));
    }
    let ids = given.iter().map(|tokens| match tokens.extract::<u32>() {
        Ok(id) => Ok(vec![TokenId(id)]),
        Err(_) => prompt::continuation(shared.engine(), tokens),
    });
    let ids: Vec<Vec<TokenId>> = ids.collect::<PyResult<_>>()?;
    let borrow = |one: &Bound<'py, Sequence>| {
        one.try_borrow_mut().map_err(|_| {
            PyValueError::new_err("a sequence stands twice in the batch, or is used elsewhere now")
        })
    };
    let mut guards = sequences.iter().map(borrow).collect::<PyResult<Vec<_>>>()?;
    let mut appends = Vec::with_capacity(guards.len());
    for (guard, tokens) in guards.iter_mut().zip(&ids) {
        if !Arc::ptr_eq(&guard.shared, shared) {
            return Err(PyValueError::new_err("a sequence belongs to another model"));
        }
        let sequence = guard.open_mut()?;
        appends.push(Append { sequence, tokens, want: Want::Last });
    }
    let n = appends.len();
    let mut rows = Vec::new();
    py.check_signals()?;
    py.detach(|| step(&mut shared.seat().batch, shared, &mut appends, &mut rows))
        .map_err(value_error)?;
    of_rows(py, rows, n, vocab(shared))
}

/// Tokens that are scored in one forward pass.
const SCORED: usize = 64;

/// The score of each token of a text but the first, read with an empty sequence.
pub(crate) fn scores(
    py: Python<'_>,
    mut sequence: Sequence,
    ids: &[TokenId],
) -> PyResult<Vec<Scored>> {
    if ids.len() < 2 {
        return Err(PyValueError::new_err(format!(
            "the text has {} tokens; the first is never predicted, so at least 2 are needed",
            ids.len()
        )));
    }
    let mut scores = Vec::with_capacity(ids.len() - 1);
    for (tokens, targets) in ids[..ids.len() - 1].chunks(SCORED).zip(ids[1..].chunks(SCORED)) {
        let rows = sequence.rows(py, tokens)?;
        let pairs = rows.chunks_exact(sequence.vocab_size()).zip(targets);
        let scored = py.detach(|| {
            pairs.map(|(row, &target)| score(row, target, 0)).collect::<Result<Vec<_>, _>>()
        });
        scores.extend(scored.map_err(value_error)?);
    }
    Ok(scores)
}
