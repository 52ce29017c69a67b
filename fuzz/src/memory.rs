//! Work in, the bytes that it held at most out, as the allocator of this crate counts them.
//!
//! The count is of the whole process, so checks of memory run one at a time.

use crate::ALLOCATOR;

/// Does `work`; tells how many bytes were allocated at most beyond those before it.
pub(crate) fn peak_of<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    let result = work();
    (result, ALLOCATOR.peak_usage().saturating_sub(before))
}
