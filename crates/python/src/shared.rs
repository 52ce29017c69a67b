//! What all objects of one model share: the engine, its batch, and the events of its continuations.
//!
//! The batch is locked only while the interpreter is released, so that two Python threads can't
//! wait for each other: a step may call a Python function, which waits for the interpreter.

use std::{
    cell::RefCell,
    collections::{HashMap, VecDeque},
    ops::ControlFlow,
    sync::{Mutex, MutexGuard, PoisonError},
};

use kelvin_engine::{
    Engine,
    batch::{Batch, BatchOptions, Observer, RequestId, Step},
    generate::FinishReason,
    transformer::ModelError,
};
use kelvin_sampling::Draw;
use pyo3::{exceptions::PyRuntimeError, prelude::*};

/// An open model.
#[derive(Debug)]
pub(crate) struct Shared {
    /// `None` only while it is dropped.
    engine: Option<Engine>,
    seat: Mutex<Seat>,
    /// Requests that nobody wants any more. The next one to lock the batch removes them.
    unwanted: Mutex<Vec<RequestId>>,
    /// Of the process that opened it: its threads are in no other.
    process: u32,
}

/// The batch and what it told of each running request.
#[derive(Debug)]
pub(crate) struct Seat {
    pub(crate) batch: Batch,
    inboxes: HashMap<RequestId, Inbox>,
}

/// What the batch told of one request.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    pub(crate) events: VecDeque<Event>,
    pub(crate) has_ended: bool,
}

/// A new token of a text, or the end of a text.
#[derive(Debug)]
pub(crate) enum Event {
    Token { column: usize, index: usize, draw: Draw, text: String },
    Finished { column: usize, text: String, reason: FinishReason },
}

impl Seat {
    /// The page budget of another batch of this model that needs `n_pages`: what is held counts in
    /// every batch. Without room the prefix cache is emptied; none if that isn't enough.
    pub(crate) fn pages_beside(&mut self, engine: &Engine, n_pages: usize) -> Option<usize> {
        let most = self.batch.options().budget.n_pages;
        let total = |batch: &Batch| batch.n_held_pages(engine).saturating_add(n_pages);
        if total(&self.batch) > most {
            self.batch.forget_prefixes(engine);
        }
        Some(total(&self.batch)).filter(|&total| total <= most)
    }
}

impl Shared {
    pub(crate) fn new(engine: Engine, options: BatchOptions) -> Shared {
        let batch = Batch::new(&engine, options);
        let seat = Mutex::new(Seat { batch, inboxes: HashMap::new() });
        Shared {
            engine: Some(engine),
            seat,
            unwanted: Mutex::default(),
            process: std::process::id(),
        }
    }

    pub(crate) fn engine(&self) -> &Engine {
        self.engine.as_ref().expect("it is taken only when this is dropped")
    }

    /// Names the model while it is open.
    pub(crate) fn id(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// Refuses to compute in a process that was forked from the one that opened the model, and in
    /// a function that the model waits for.
    pub(crate) fn check_place(&self) -> PyResult<()> {
        if !self.is_here() {
            return Err(PyRuntimeError::new_err(
                "the model was opened before this process was forked, and its threads are not \
                 here; open it again in the child, or start processes with the method \"spawn\"",
            ));
        }
        if INSIDE.with_borrow(|models| models.contains(&self.id())) {
            return Err(PyRuntimeError::new_err(
                "a stage of a chain can't run the model that waits for it; draw with Chain.draw \
                 from the logits of a Sequence instead",
            ));
        }
        Ok(())
    }

    fn is_here(&self) -> bool {
        std::process::id() == self.process
    }

    /// The batch, for this thread alone. To be called with the interpreter released.
    pub(crate) fn seat(&self) -> MutexGuard<'_, Seat> {
        let mut seat = self.seat.lock().unwrap_or_else(|poisoned| {
            // A panic in a step may have left requests half done.
            self.seat.clear_poison();
            let mut seat = poisoned.into_inner();
            seat.batch.clear();
            for inbox in seat.inboxes.values_mut() {
                inbox.has_ended = true;
            }
            seat
        });
        self.remove_unwanted(&mut seat);
        seat
    }

    /// Removes a request, if it still runs. Never waits: the interpreter may be held, and a step
    /// may wait for that.
    pub(crate) fn cancel(&self, id: RequestId) {
        if self.is_here() {
            self.unwanted.lock().unwrap_or_else(PoisonError::into_inner).push(id);
            if let Ok(mut seat) = self.seat.try_lock() {
                self.remove_unwanted(&mut seat);
            }
        }
    }

    fn remove_unwanted(&self, seat: &mut Seat) {
        let mut unwanted = self.unwanted.lock().unwrap_or_else(PoisonError::into_inner);
        for id in unwanted.drain(..) {
            seat.batch.cancel(id);
            seat.inboxes.remove(&id);
        }
    }
}

impl Seat {
    /// Begins to keep what is told of a request.
    pub(crate) fn listen(&mut self, id: RequestId) {
        self.inboxes.insert(id, Inbox::default());
    }

    /// What was told of a request and isn't taken yet.
    pub(crate) fn inbox(&mut self, id: RequestId) -> &mut Inbox {
        // A request that was removed has ended.
        self.inboxes.entry(id).or_insert(Inbox { has_ended: true, ..Inbox::default() })
    }

    /// One step of all running requests.
    pub(crate) fn step(&mut self, engine: &Engine) -> Result<(), ModelError> {
        let Seat { batch, inboxes } = self;
        let stepped = batch.step(engine, &mut Sorter(inboxes));
        if stepped.is_err() {
            batch.clear();
            inboxes.values_mut().for_each(|inbox| inbox.has_ended = true);
        }
        stepped
    }
}

thread_local! {
    /// Models that wait for a Python function on this thread.
    static INSIDE: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

/// While it lives, a model waits for a function on this thread.
pub(crate) struct Inside;

impl Inside {
    pub(crate) fn of(model: usize) -> Inside {
        INSIDE.with_borrow_mut(|models| models.push(model));
        Inside
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        INSIDE.with_borrow_mut(Vec::pop);
    }
}

/// Puts events into the inboxes of their requests.
struct Sorter<'a>(&'a mut HashMap<RequestId, Inbox>);

impl Observer for Sorter<'_> {
    fn token(&mut self, step: Step<'_>) -> ControlFlow<()> {
        let Step { column, index, draw, text, .. } = step;
        let event = Event::Token { column, index, draw, text: text.to_string() };
        if let Some(inbox) = self.0.get_mut(&step.request) {
            inbox.events.push_back(event);
        }
        ControlFlow::Continue(())
    }

    fn finished(&mut self, request: RequestId, column: usize, text: &str, reason: &FinishReason) {
        let event = Event::Finished { column, text: text.to_string(), reason: reason.clone() };
        if let Some(inbox) = self.0.get_mut(&request) {
            inbox.events.push_back(event);
        }
    }

    fn ended(&mut self, request: RequestId) {
        if let Some(inbox) = self.0.get_mut(&request) {
            inbox.has_ended = true;
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if !self.is_here() {
            // Its threads can't be joined from a forked process. The memory is that process's end.
            std::mem::forget(self.engine.take());
        }
    }
}
