//! Software prefetch: hints that bring cache lines closer before a kernel loads them.
//!
//! A prefetch never changes a result and may name any address. Three places use it: products (the
//! weights a few blocks ahead), attention (the next page of the KV cache) and idle threads of the
//! pool (the first weights of the next job).

/// Bytes of a cache line, the unit of every transfer from memory.
pub(crate) const CACHE_LINE: usize = 64;

/// Prefetches the cache line at `address`, any address, into the L2 cache.
///
/// Not into L1: a core has some twenty line fill buffers for L1, and once they are taken the loads
/// of the running product stall.
#[inline(always)]
pub(crate) fn prefetch_l2(address: *const u8) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        // SAFETY: SSE is part of x86-64, and a prefetch may name any address.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(address.cast()) };
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: a prefetch may name any address and writes no register.
    unsafe {
        std::arch::asm!("prfm pldl2keep, [{}]", in(reg) address, options(nostack, preserves_flags));
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let _ = address;
}

/// Prefetches `bytes` bytes of a weight stream, from `ahead` bytes after `stream` on, into the L2
/// cache.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
#[inline(always)]
pub(crate) fn prefetch_weights(ahead: usize, stream: *const u8, bytes: usize) {
    for at in (ahead..ahead + bytes).step_by(CACHE_LINE) {
        prefetch_l2(stream.wrapping_add(at));
    }
}

/// Prefetches `n` elements, from element `first` of the array at `base`, into the L2 cache. Where
/// they are less than a cache line, only those that begin one do.
#[inline(always)]
pub(crate) fn prefetch_elements<T>(base: *const u8, first: usize, n: usize) {
    let (start, bytes) = (first * size_of::<T>(), n * size_of::<T>());
    if bytes < CACHE_LINE && start % CACHE_LINE >= bytes {
        return;
    }
    let start = base.wrapping_add(start);
    (0..bytes).step_by(CACHE_LINE).for_each(|line| prefetch_l2(start.wrapping_add(line)));
}
