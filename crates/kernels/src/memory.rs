//! Memory for weights and KV cache pages: anonymous maps in huge pages, handed out in aligned
//! buffers.
//!
//! Weight matrices and KV cache pages are small compared with a huge page, so they share a few
//! large maps. The system zeroes a map on first touch, so untouched memory takes no RAM. Model
//! files are never mapped.

mod map;

use std::{
    marker::PhantomData,
    ops::{Deref, DerefMut},
    sync::{Arc, Mutex, PoisonError},
};

use half::f16;

use map::Map;

/// Alignment of every buffer in bytes: a cache line, and the widest vector (AVX-512).
pub const ALIGN: usize = 64;

/// The system has no memory (address space) left.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the system gives no more memory ({0})")]
pub struct NoMemory(String);

/// Minimum size of one map. WebAssembly has 4 GiB in all, and no huge pages to fill.
const MAP_BYTES: usize = if cfg!(target_arch = "wasm32") { 4 << 20 } else { 64 << 20 };

/// Plain-old-data element types: any bytes are a valid value.
///
/// # Safety
/// Every bit pattern is a value of the type, its alignment divides [`ALIGN`], and it needs no drop.
pub unsafe trait Pod: Copy + Send + Sync + 'static {}

// SAFETY: an integer takes any bits; alignment 1.
unsafe impl Pod for u8 {}
// SAFETY: an integer takes any bits; alignment 1.
unsafe impl Pod for i8 {}
// SAFETY: an integer takes any bits; alignment 8.
unsafe impl Pod for u64 {}
// SAFETY: f16 is a transparent u16, so it takes any bits; alignment 2.
unsafe impl Pod for f16 {}
// SAFETY: f32 takes any bits; alignment 4.
unsafe impl Pod for f32 {}

/// A bump allocator over huge-page maps. It never frees; a map lives as long as its last buffer.
#[derive(Debug, Default)]
pub struct Arena {
    map: Option<Arc<Map>>,
    used: usize,
}

/// A slice of `T` in an arena's map, owned exclusively and zero at first. It keeps its map alive.
#[derive(Debug)]
pub struct Buffer<T> {
    map: Arc<Map>,
    /// Offset in the map, in bytes.
    start: usize,
    /// Number of elements.
    len: usize,
    of: PhantomData<T>,
}

impl Arena {
    /// Creates an arena that has mapped nothing yet.
    pub fn new() -> Arena {
        Arena::default()
    }

    /// Allocates a buffer of `len` zeros.
    ///
    /// # Errors
    /// If the system has no address space left.
    pub fn alloc<T: Pod>(&mut self, len: usize) -> Result<Buffer<T>, NoMemory> {
        let bytes =
            len.checked_mul(size_of::<T>()).ok_or_else(|| NoMemory(format!("{len} numbers")))?;
        let map = match &self.map {
            Some(map) if map.len() - self.used >= bytes => Arc::clone(map),
            _ => {
                let whole = bytes.max(MAP_BYTES).checked_next_multiple_of(ALIGN);
                let whole = whole.ok_or_else(|| NoMemory(format!("{bytes} bytes")))?;
                let map = Arc::new(Map::new(whole, ALIGN).map_err(NoMemory)?);
                self.used = 0;
                Arc::clone(self.map.insert(map))
            }
        };
        let start = self.used;
        // The map's length is a multiple of ALIGN, so this stays within it.
        self.used = (start + bytes).next_multiple_of(ALIGN);
        Ok(Buffer { map, start, len, of: PhantomData })
    }
}

impl<T: Pod> Deref for Buffer<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: the `len` elements from byte `start` on lie within the map, which lives as long
        // as this buffer and is aligned to ALIGN, as `start` is. The bytes are initialised
        // (zeroed by the system) and any bits are a T. No other buffer has them, since `alloc`
        // hands out each byte once. A shared borrow of the buffer excludes writes.
        unsafe {
            std::slice::from_raw_parts(self.map.as_mut_ptr().add(self.start).cast(), self.len)
        }
    }
}

impl<T: Pod> DerefMut for Buffer<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as in `deref`; the mutable borrow of the buffer excludes every other reference.
        unsafe {
            std::slice::from_raw_parts_mut(self.map.as_mut_ptr().add(self.start).cast(), self.len)
        }
    }
}

/// A pool of buffers of one length. Dropped buffers return to it and are reused without being
/// cleared. Clones share the same buffers.
#[derive(Debug)]
pub struct BufferPool<T: Pod> {
    state: Arc<Mutex<PoolState<T>>>,
}

#[derive(Debug)]
struct PoolState<T> {
    arena: Arena,
    free: Vec<Buffer<T>>,
    n_in_use: usize,
    len: usize,
}

/// A buffer that returns to its pool when it is dropped.
#[derive(Debug)]
pub struct PooledBuffer<T: Pod> {
    /// None only during drop.
    buffer: Option<Buffer<T>>,
    state: Arc<Mutex<PoolState<T>>>,
}

impl<T: Pod> BufferPool<T> {
    /// Creates an empty pool of buffers of `len` elements.
    pub fn new(len: usize) -> BufferPool<T> {
        let state = PoolState { arena: Arena::new(), free: Vec::new(), n_in_use: 0, len };
        BufferPool { state: Arc::new(Mutex::new(state)) }
    }

    /// How many buffers are in use.
    pub fn n_in_use(&self) -> usize {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).n_in_use
    }

    /// Allocates buffers until the pool owns `n`, those in use included. Acquiring up to `n` then
    /// needs no further memory from the system.
    ///
    /// # Errors
    /// If the system has no address space left.
    pub fn reserve(&self, n: usize) -> Result<(), NoMemory> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        while state.n_in_use + state.free.len() < n {
            let len = state.len;
            let buffer = state.arena.alloc(len)?;
            state.free.push(buffer);
        }
        Ok(())
    }

    /// Takes a free buffer, or allocates one. Its content is left over from its last use, or zero.
    ///
    /// # Errors
    /// If the system has no address space left.
    pub fn acquire(&self) -> Result<PooledBuffer<T>, NoMemory> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let buffer = match state.free.pop() {
            Some(buffer) => buffer,
            None => {
                let len = state.len;
                state.arena.alloc(len)?
            }
        };
        state.n_in_use += 1;
        Ok(PooledBuffer { buffer: Some(buffer), state: Arc::clone(&self.state) })
    }
}

impl<T: Pod> Clone for BufferPool<T> {
    fn clone(&self) -> BufferPool<T> {
        BufferPool { state: Arc::clone(&self.state) }
    }
}

impl<T: Pod> Drop for PooledBuffer<T> {
    fn drop(&mut self) {
        if let Some(buffer) = self.buffer.take() {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.n_in_use -= 1;
            state.free.push(buffer);
        }
    }
}

impl<T: Pod> Deref for PooledBuffer<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        self.buffer.as_deref().expect("the buffer is there until drop")
    }
}

impl<T: Pod> DerefMut for PooledBuffer<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        self.buffer.as_deref_mut().expect("the buffer is there until drop")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_zero_aligned_and_disjoint() {
        let mut arena = Arena::new();
        let mut buffers: Vec<Buffer<u8>> =
            [1, 63, 64, 65, MAP_BYTES - 100, 0, 5000].map(|len| arena.alloc(len).unwrap()).into();
        let floats: Buffer<f32> = arena.alloc(33).unwrap();
        assert!(floats.len() == 33 && floats.iter().all(|&x| x == 0.0));
        drop(arena);
        for (i, buffer) in buffers.iter_mut().enumerate() {
            assert!((buffer.as_ptr() as usize).is_multiple_of(ALIGN));
            assert!(buffer.iter().all(|&byte| byte == 0));
            buffer.fill(i as u8 + 1);
        }
        for (i, buffer) in buffers.iter().enumerate() {
            assert!(buffer.iter().all(|&byte| byte == i as u8 + 1));
        }
        assert!(floats.iter().all(|&x| x == 0.0));
    }

    #[test]
    fn dropped_buffers_are_reused() {
        let pool: BufferPool<f32> = BufferPool::new(100);
        let mut first = pool.acquire().unwrap();
        let second = pool.clone().acquire().unwrap();
        first.fill(7.0);
        let address = first.as_ptr();
        assert!(second.as_ptr() != address && second.iter().all(|&x| x == 0.0));
        assert_eq!(pool.n_in_use(), 2);
        drop(first);
        assert_eq!(pool.n_in_use(), 1);
        assert_eq!(pool.acquire().unwrap().as_ptr(), address);
        pool.reserve(5).unwrap();
        let all: Vec<_> = (0..4).map(|_| pool.acquire().unwrap()).collect();
        assert_eq!((pool.n_in_use(), all.len()), (5, 4));
    }
}
