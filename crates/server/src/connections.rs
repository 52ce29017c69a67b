//! Limits the number of open connections. When all places are taken, the connection that has idled
//! longest is closed.
//!
//! A connection is idle while its client owes a request: from connecting, or from the end of the
//! last reply, until the next request has arrived in full. A connection that waits for a reply is
//! never closed. So idle and slow clients can't keep others out.

use std::{
    collections::BTreeMap,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use axum::body::{Body, Bytes, HttpBody};
use tokio::sync::Notify;

/// All open connections.
#[derive(Debug)]
pub(crate) struct Connections {
    most: usize,
    state: Mutex<State>,
    /// Notified when a place may be free.
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    n_open: usize,
    /// A counter. It rises whenever the server begins to wait for a client's request.
    turn: u64,
    /// Connections that wait for a request, by the turn in which they began to wait.
    owing: BTreeMap<u64, Arc<Connection>>,
}

/// An accepted connection.
#[derive(Debug)]
pub(crate) struct Connection {
    all: Arc<Connections>,
    close: Notify,
    of: Mutex<Place>,
}

#[derive(Debug)]
enum Place {
    /// The server waits for the client's request since this turn.
    Owing(u64),
    /// The client waits for an answer.
    Waiting,
    /// The connection is to be closed.
    Closed,
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic elsewhere leaves nothing half done in here.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Connections {
    /// Room for `most` connections.
    pub(crate) fn new(most: usize) -> Arc<Connections> {
        Arc::new(Connections { most, state: Mutex::default(), changed: Notify::new() })
    }

    /// Waits for a place.
    pub(crate) async fn open(self: &Arc<Connections>) -> Arc<Connection> {
        loop {
            if let Some(connection) = self.try_open() {
                return connection;
            }
            self.changed.notified().await;
        }
    }

    /// Takes a place. If none is free, the connection that has waited longest for a request is
    /// closed.
    fn try_open(self: &Arc<Connections>) -> Option<Arc<Connection>> {
        if held(&self.state).n_open >= self.most && !self.close_one() {
            return None;
        }
        let mut state = held(&self.state);
        state.n_open += 1;
        state.turn += 1;
        let turn = state.turn;
        let connection = Connection {
            all: Arc::clone(self),
            close: Notify::new(),
            of: Mutex::new(Place::Owing(turn)),
        };
        let connection = Arc::new(connection);
        state.owing.insert(turn, Arc::clone(&connection));
        Some(connection)
    }

    /// Closes the connection that has waited longest for a request, if there is one.
    pub(crate) fn close_one(&self) -> bool {
        let oldest = held(&self.state).owing.pop_first();
        let Some((_, connection)) = oldest else { return false };
        connection.leave();
        connection.close.notify_one();
        true
    }
}

impl Connection {
    /// Resolves when the connection has to close.
    pub(crate) async fn closed(&self) {
        self.close.notified().await;
    }

    /// The whole request has arrived.
    pub(crate) fn has_request(&self) {
        let mut place = held(&self.of);
        if let Place::Owing(turn) = *place {
            held(&self.all.state).owing.remove(&turn);
            *place = Place::Waiting;
        }
    }

    /// The request was answered. The server waits for the next one.
    fn was_answered(self: &Arc<Connection>) {
        let mut place = held(&self.of);
        if matches!(*place, Place::Waiting) {
            let mut state = held(&self.all.state);
            state.turn += 1;
            let turn = state.turn;
            state.owing.insert(turn, Arc::clone(self));
            *place = Place::Owing(turn);
            self.all.changed.notify_one();
        }
    }

    /// Frees the place, once.
    pub(crate) fn leave(&self) {
        let place = std::mem::replace(&mut *held(&self.of), Place::Closed);
        if matches!(place, Place::Closed) {
            return;
        }
        let mut state = held(&self.all.state);
        if let Place::Owing(turn) = place {
            state.owing.remove(&turn);
        }
        state.n_open -= 1;
        self.all.changed.notify_one();
    }
}

/// The body of an answer. When it is dropped, the connection waits for the next request.
pub(crate) struct TrackedBody {
    body: Body,
    connection: Arc<Connection>,
}

impl TrackedBody {
    pub(crate) fn new(body: Body, connection: Arc<Connection>) -> TrackedBody {
        TrackedBody { body, connection }
    }
}

impl Drop for TrackedBody {
    fn drop(&mut self) {
        self.connection.was_answered();
    }
}

impl HttpBody for TrackedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<hyper::body::Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn n_open(connections: &Connections) -> usize {
        held(&connections.state).n_open
    }

    #[tokio::test]
    async fn whoever_owes_a_request_longest_goes_first() {
        let all = Connections::new(3);
        let [first, second, third] = [all.open().await, all.open().await, all.open().await];
        first.has_request();
        let fourth = all.open().await;
        second.closed().await;
        assert_eq!(n_open(&all), 3);
        // Answered, the first is the last in the order.
        drop(TrackedBody::new(Body::empty(), Arc::clone(&first)));
        let _fifth = all.open().await;
        third.closed().await;
        let _sixth = all.open().await;
        fourth.closed().await;
        let _seventh = all.open().await;
        first.closed().await;
        // Whoever has gone gives up nothing twice.
        for gone in [first, second, third, fourth] {
            gone.leave();
            drop(TrackedBody::new(Body::empty(), gone));
        }
        assert_eq!((n_open(&all), held(&all.state).owing.len()), (3, 3));
    }

    #[tokio::test]
    async fn whoever_waits_for_an_answer_stays() {
        let all = Connections::new(1);
        let only = all.open().await;
        only.has_request();
        let other = Arc::clone(&all);
        let waits = tokio::spawn(async move { other.open().await });
        tokio::task::yield_now().await;
        assert!(!waits.is_finished() && all.try_open().is_none());
        drop(TrackedBody::new(Body::empty(), Arc::clone(&only)));
        let newcomer = waits.await.unwrap();
        only.closed().await;
        newcomer.leave();
        assert_eq!(n_open(&all), 0);
    }
}
