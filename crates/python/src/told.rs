//! The progress of long work, as Python's function is told it.

use std::ops::ControlFlow;

use pyo3::{exceptions::PyKeyboardInterrupt, prelude::*};

/// What work is called while texts are made.
const WRITING: &str = "texts";

/// Tells Python of the texts that are done, and listens for Ctrl-C.
pub(crate) struct Told {
    /// Called with the texts that are done, all texts, the tokens that were drawn, a note, and what
    /// the work is called.
    call: Py<PyAny>,
    work: String,
    pub(crate) done: usize,
    pub(crate) all: usize,
    pub(crate) tokens: usize,
    /// What Python raised: it ends the work.
    raised: Option<PyErr>,
}

impl Told {
    pub(crate) fn new(call: Py<PyAny>) -> Told {
        Told { call, work: WRITING.to_string(), done: 0, all: 0, tokens: 0, raised: None }
    }

    /// Tells where the work is. `Break` if Python raised something, now or before.
    pub(crate) fn tell(&mut self, note: Option<&str>) -> ControlFlow<()> {
        if self.raised.is_some() {
            return ControlFlow::Break(());
        }
        let told = Python::attach(|py| {
            py.check_signals()?;
            let Told { work, done, all, tokens, .. } = self;
            self.call.call1(py, (*done, *all, *tokens, note, work.as_str())).map(drop)
        });
        match told {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.raised = Some(error);
                ControlFlow::Break(())
            }
        }
    }

    /// So many texts are there already, of all that are to be made.
    pub(crate) fn begin(&mut self, done: usize, all: usize) -> ControlFlow<()> {
        self.at(WRITING, done, all)
    }

    /// The work, and how far it is.
    pub(crate) fn at(&mut self, work: &str, done: usize, all: usize) -> ControlFlow<()> {
        if self.work != work {
            self.work = work.to_string();
        }
        (self.done, self.all) = (done, all);
        self.tell(None)
    }

    /// What Python raised, if the work was broken off.
    pub(crate) fn broken_off(&mut self) -> PyErr {
        let unknown = || PyKeyboardInterrupt::new_err("the work was broken off");
        self.raised.take().unwrap_or_else(unknown)
    }

    /// The outcome of work that this may have broken off.
    pub(crate) fn or_broken_off(&mut self, outcome: PyResult<ControlFlow<()>>) -> PyResult<()> {
        match outcome? {
            ControlFlow::Continue(()) if self.raised.is_none() => Ok(()),
            _ => Err(self.broken_off()),
        }
    }
}
