//! Searches: against transformers on shared logits, against the enumeration of all texts, and on a
//! very small model.

mod batch;
mod draws;
mod forms;
mod goldens;
mod of_ids;
mod refusals;
mod whole;

use std::ops::ControlFlow;

/// A search that isn't broken off.
pub(crate) fn on(_: usize) -> ControlFlow<()> {
    ControlFlow::Continue(())
}
