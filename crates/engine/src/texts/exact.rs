//! Exact rejection: whole texts are drawn at token temperature and accepted with probability w.
//!
//! Of a draw y the weight is w = Π Z_t, and q(y)·w = p(y)^α. So what is accepted has exactly the
//! power distribution. Since each Z_t <= 1, w only falls while a text grows. The number u that
//! decides is drawn first, so that a try ends as soon as w is below it.
//!
//! The accepted try is the one of lowest number, so that running many at once changes nothing. One
//! runs at first, and one more for each that was rejected: near T = 1 the first is accepted.

use kelvin_sampling::Stream;

use super::{front::Front, path::Path, quality::Quality, start::Start};

/// A try that runs.
#[derive(Debug, Clone, Copy)]
struct Try {
    number: u64,
    /// It is rejected when ln w falls below.
    ln_u: f64,
    ln_w: f64,
}

/// One sample's tries.
#[derive(Debug)]
pub(super) struct Exact<T> {
    front: Front<T>,
    start: Start<T>,
    /// For each walker of the front.
    running: Vec<Option<Try>>,
    next: u64,
    budget: u64,
    n_rejected: usize,
    accepted: Option<(u64, Path)>,
}

impl<T: Clone> Exact<T> {
    pub(super) fn new(front: Front<T>, start: Start<T>, budget: u64) -> Exact<T> {
        let running = vec![None; front.walkers.len()];
        let mut exact =
            Exact { front, start, running, next: 0, budget, n_rejected: 0, accepted: None };
        exact.refill();
        exact
    }

    pub(super) fn front(&mut self) -> &mut Front<T> {
        &mut self.front
    }

    /// Starts tries on idle walkers, as long as there may be need of more.
    fn refill(&mut self) {
        let mut starting = Vec::new();
        let mut idle = (1 + self.n_rejected).saturating_sub(self.running.iter().flatten().count());
        for (member, running) in self.running.iter_mut().enumerate() {
            if idle == 0 || self.accepted.is_some() || self.next == self.budget {
                break;
            }
            if running.is_none() {
                idle -= 1;
                let number = self.next;
                self.next += 1;
                let ln_u = libm::log(self.front.uniform(*b"accept\0\0", number));
                *running = Some(Try { number, ln_u, ln_w: 0.0 });
                self.front.walkers[member].stream = Stream::new([0; 8], number);
                starting.push(member);
            }
        }
        self.front.enter(starting, &self.start);
    }

    /// Goes on after a step.
    pub(super) fn advance(&mut self) {
        for member in 0..self.running.len() {
            let Some(running) = &mut self.running[member] else { continue };
            let path = &self.front.walkers[member].path;
            running.ln_w += path.ln_zs.last().expect("a try that runs has drawn");
            let number = running.number;
            let beaten = self.accepted.as_ref().is_some_and(|(first, _)| number > *first);
            let is_rejected = running.ln_w <= running.ln_u || beaten;
            if !is_rejected && !self.front.is_complete(path) {
                continue;
            }
            if is_rejected {
                self.n_rejected += 1;
            } else {
                self.accepted = Some((number, path.clone()));
            }
            self.running[member] = None;
            self.front.leave(member);
        }
        let first = self.accepted.as_ref().map_or(u64::MAX, |(number, _)| *number);
        for member in 0..self.running.len() {
            if self.running[member].is_some_and(|running| running.number > first) {
                self.running[member] = None;
                self.front.leave(member);
            }
        }
        self.refill();
    }

    /// The accepted text, if one was, and how many tries that took in order.
    pub(super) fn finish(self) -> (Option<Path>, u64, Quality) {
        let (tries, path) = match self.accepted {
            Some((number, path)) => (number + 1, Some(path)),
            None => (self.next, None),
        };
        let quality = Quality::Exact { tries, accepted: path.is_some() };
        (path, self.front.n_read, quality)
    }
}
