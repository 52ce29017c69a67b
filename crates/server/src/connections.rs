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

/// All that are open.
#[derive(Debug)]
pub(crate) struct Connections {
    most: usize,
    state: Mutex<State>,
    /// A place may have become free.
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    n_open: usize,
    /// Counts up whenever a client begins to owe a request.
    turn: u64,
    /// Those whose client owes a request, by the turn in which that began.
    owing: BTreeMap<u64, Arc<Connection>>,
}

/// A connection that has a place.
#[derive(Debug)]
pub(crate) struct Connection {
    all: Arc<Connections>,
    close: Notify,
    of: Mutex<Place>,
}

#[derive(Debug)]
enum Place {
    /// The client owes a request since this turn.
    Owing(u64),
    /// The client waits for an answer.
    Waiting,
    /// Given up.
    Closed,
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic elsewhere leaves nothing half done in here.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Connections {
    /// With `most` places.
    pub(crate) fn new(most: usize) -> Arc<Connections> {
        Arc::new(Connections { most, state: Mutex::default(), changed: Notify::new() })
    }

    /// A place, once there is one.
    pub(crate) async fn open(self: &Arc<Connections>) -> Arc<Connection> {
        loop {
            if let Some(connection) = self.try_open() {
                return connection;
            }
            self.changed.notified().await;
        }
    }

    /// A place, if need be that of the connection whose client has owed a request longest.
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

    /// Closes the connection whose client has owed a request longest, if there is one.
    pub(crate) fn close_one(&self) -> bool {
        let oldest = held(&self.state).owing.pop_first();
        let Some((_, connection)) = oldest else { return false };
        connection.leave();
        connection.close.notify_one();
        true
    }
}

impl Connection {
    /// Resolves when the place was given to another one.
    pub(crate) async fn closed(&self) {
        self.close.notified().await;
    }

    /// The whole request is there.
    pub(crate) fn has_request(&self) {
        let mut place = held(&self.of);
        if let Place::Owing(turn) = *place {
            held(&self.all.state).owing.remove(&turn);
            *place = Place::Waiting;
        }
    }

    /// The request was answered: the client owes the next one.
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

    /// Gives up the place, once.
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

/// The body of an answer; once it was sent, or nobody wants it, its connection's client owes the
/// next request.
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
