//! Provides the logits after a text, computed by the engine thread or taken from a small cache.
//!
//! Moving a slider requests the same row again and again. Only the first request costs a forward
//! pass.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use kelvin_engine::{TokenId, batch::Request};
use kelvin_sampling::{Chain, Distribution, SampleError};
use tokio::sync::mpsc::unbounded_channel;

use super::ask::too_long;
use crate::{
    Shared,
    problem::Problem,
    queue::{Event, Job},
};

/// Maximum number of cached rows. One takes 1 MiB with the largest vocabulary (262,144 tokens).
const MAX_ROWS: usize = 32;

/// Tokens, and the next-token logits after them.
type Row = (Vec<TokenId>, Arc<[f32]>);

/// The most recently used rows, the newest last.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    kept: Mutex<VecDeque<Row>>,
    /// The row used last, with its distribution. Only one is cached: it is six times as large as a
    /// row.
    last: Mutex<Option<Looked>>,
}

/// A row, and the distribution of the neutral chain over it.
type Looked = (Arc<[f32]>, Arc<Distribution>);

impl Rows {
    fn kept(&self) -> MutexGuard<'_, VecDeque<Row>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The distribution of the neutral chain over a row.
    pub(super) fn raw(&self, row: &Arc<[f32]>) -> Result<Arc<Distribution>, SampleError> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, raw)) = last.filter(|(of, _)| Arc::ptr_eq(of, row)) {
            return Ok(raw);
        }
        let raw = Arc::new(Distribution::new(row, &Chain::default())?);
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((Arc::clone(row), Arc::clone(&raw)));
        Ok(raw)
    }

    fn find(&self, tokens: &[TokenId]) -> Option<Arc<[f32]>> {
        let mut kept = self.kept();
        let at = kept.iter().position(|(of, _)| of == tokens)?;
        let found = kept.remove(at)?;
        let row = Arc::clone(&found.1);
        kept.push_back(found);
        Some(row)
    }

    fn keep(&self, tokens: &[TokenId], row: &Arc<[f32]>) {
        let mut kept = self.kept();
        kept.retain(|(of, _)| of != tokens);
        kept.push_back((tokens.to_vec(), Arc::clone(row)));
        if kept.len() > MAX_ROWS {
            kept.pop_front();
        }
    }
}

/// The next-token logits after `tokens`.
pub(crate) async fn row(
    shared: &Shared,
    id: &str,
    tokens: &[TokenId],
) -> Result<Arc<[f32]>, Problem> {
    if let Some(row) = shared.rows.find(tokens) {
        return Ok(row);
    }
    if tokens.is_empty() {
        return Err(Problem::parameter(
            "prompt",
            "the text has no tokens, so nothing comes after it",
        ));
    }
    if tokens.len() > shared.limit {
        return Err(too_long(tokens.len(), shared.limit));
    }
    let (sender, mut events) = unbounded_channel();
    shared.queue.push(vec![Job {
        id: id.to_string(),
        request: Request::new(tokens.to_vec(), Vec::new()),
        whole: None,
        first_choice: 0,
        events: sender,
        arrived: Instant::now(),
    }])?;
    loop {
        match events.recv().await {
            Some(Event::Row(row)) => {
                let row: Arc<[f32]> = row.into();
                shared.rows.keep(tokens, &row);
                return Ok(row);
            }
            Some(Event::Failed(problem)) => return Err(problem),
            Some(_) => {}
            None => return Err(Problem::gone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rows_used_last_are_kept() {
        let rows = Rows::default();
        let tokens = |i: u32| [TokenId(i), TokenId(7)];
        for i in 0..MAX_ROWS as u32 {
            rows.keep(&tokens(i), &Arc::from([i as f32]));
        }
        assert_eq!(rows.find(&tokens(0)).as_deref(), Some([0.0].as_slice()));
        rows.keep(&tokens(99), &Arc::from([99.0]));
        assert_eq!(rows.find(&tokens(1)), None, "the one not used for longest is gone");
        assert!(rows.find(&tokens(0)).is_some() && rows.find(&tokens(99)).is_some());
        rows.keep(&tokens(0), &Arc::from([5.0]));
        assert_eq!(rows.find(&tokens(0)).as_deref(), Some([5.0].as_slice()));
        assert_eq!(rows.kept().len(), MAX_ROWS);
        let (row, other): (Arc<[f32]>, Arc<[f32]>) = (Arc::from([1.0, 2.0]), Arc::from([1.0, 3.0]));
        let raw = rows.raw(&row).unwrap();
        assert!(Arc::ptr_eq(&raw, &rows.raw(&row).unwrap()));
        assert!(rows.raw(&other).unwrap().entropy() < raw.entropy());
    }
}
