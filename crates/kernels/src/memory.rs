//! Room for weights and caches: anonymous memory in huge pages where the system gives them, handed out in aligned blocks.
//!
//! A model's matrices and a cache's pages are small beside a huge page, so they share a few large maps. A map is zeroed by the
//! system when it is first touched: what nobody writes takes no memory. No file is ever mapped.

use std::{
    marker::PhantomData,
    ops::{Deref, DerefMut},
    sync::{Arc, Mutex, PoisonError},
};

use half::f16;
use memmap2::{MmapOptions, MmapRaw};

/// Blocks begin at a multiple of this: a cache line, and a vector of the widest instruction set.
pub const ALIGN: usize = 64;

/// The system gives no more address space.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the system gives no more memory ({0})")]
pub struct NoMemory(String);

/// Address space that is asked for at once, at least.
const MAP_BYTES: usize = 64 << 20;

/// Numbers for which any bytes are a value.
///
/// # Safety
/// Every pattern of bits is a value of the type, its alignment divides [`ALIGN`], and it needs no drop.
pub unsafe trait Plain: Copy + Send + Sync + 'static {}

// SAFETY: whole numbers and floats take any bits, and are aligned to 1, 8, 2 and 4.
unsafe impl Plain for u8 {}
// SAFETY: as above.
unsafe impl Plain for u64 {}
// SAFETY: as above; f16 is a transparent u16.
unsafe impl Plain for f16 {}
// SAFETY: as above.
unsafe impl Plain for f32 {}

/// Hands out blocks of memory.
#[derive(Debug, Default)]
pub struct Arena {
    map: Option<Arc<MmapRaw>>,
    used: usize,
}

/// Some numbers in memory of an arena, zero at first. They belong to their owner alone and live as long as it does.
#[derive(Debug)]
pub struct Block<T> {
    map: Arc<MmapRaw>,
    /// In bytes.
    start: usize,
    /// In numbers.
    len: usize,
    of: PhantomData<T>,
}

impl Arena {
    /// An arena that has asked for nothing yet.
    pub fn new() -> Arena {
        Arena::default()
    }

    /// A block of `len` zeros.
    ///
    /// # Errors
    /// If the system has no address space left.
    pub fn take<T: Plain>(&mut self, len: usize) -> Result<Block<T>, NoMemory> {
        let bytes = len.checked_mul(size_of::<T>()).ok_or_else(|| NoMemory(format!("{len} numbers")))?;
        let map = match &self.map {
            Some(map) if map.len() - self.used >= bytes => Arc::clone(map),
            _ => {
                let whole = bytes.max(MAP_BYTES).checked_next_multiple_of(ALIGN);
                let whole = whole.ok_or_else(|| NoMemory(format!("{bytes} bytes")))?;
                let map = MmapOptions::new().len(whole).map_anon();
                let map = map.map_err(|error| NoMemory(error.to_string()))?;
                // A wish: without huge pages everything works, a little slower.
                #[cfg(target_os = "linux")]
                let _ = map.advise(memmap2::Advice::HugePage);
                self.used = 0;
                Arc::clone(self.map.insert(Arc::new(MmapRaw::from(map))))
            }
        };
        let start = self.used;
        // A map's length is a multiple as well.
        self.used = (start + bytes).next_multiple_of(ALIGN);
        Ok(Block { map, start, len, of: PhantomData })
    }
}

impl<T: Plain> Deref for Block<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: the `len` numbers from byte `start` on are within the map, which lives as long as this block and begins at a
        // page, so they are aligned; its bytes are initialised (zeroed by the system), any bits are a T, and no other
        // block has them, since `take` gives each byte out once. A shared borrow of the block excludes writes.
        unsafe { std::slice::from_raw_parts(self.map.as_ptr().add(self.start).cast(), self.len) }
    }
}

impl<T: Plain> DerefMut for Block<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as in `deref`; the block is borrowed mutably, so nobody else has a reference to its numbers.
        unsafe { std::slice::from_raw_parts_mut(self.map.as_mut_ptr().add(self.start).cast(), self.len) }
    }
}

/// Blocks of one length that come back when they are dropped and are lent again, whatever they hold by then.
#[derive(Debug)]
pub struct Stock<T: Plain> {
    shelf: Arc<Mutex<Shelf<T>>>,
}

#[derive(Debug)]
struct Shelf<T> {
    arena: Arena,
    free: Vec<Block<T>>,
    n_lent: usize,
    len: usize,
}

/// A block that goes back to its stock.
#[derive(Debug)]
pub struct Lent<T: Plain> {
    /// None only while it is dropped.
    block: Option<Block<T>>,
    shelf: Arc<Mutex<Shelf<T>>>,
}

impl<T: Plain> Stock<T> {
    /// A stock of blocks of `len` numbers, none of them made yet.
    pub fn new(len: usize) -> Stock<T> {
        let shelf = Shelf { arena: Arena::new(), free: Vec::new(), n_lent: 0, len };
        Stock { shelf: Arc::new(Mutex::new(shelf)) }
    }

    /// How many blocks are lent.
    pub fn n_lent(&self) -> usize {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner).n_lent
    }

    /// Makes blocks until there are `n`, lent ones included: so many can then be lent without asking the system.
    ///
    /// # Errors
    /// If the system has no address space left.
    pub fn make(&self, n: usize) -> Result<(), NoMemory> {
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        while shelf.n_lent + shelf.free.len() < n {
            let len = shelf.len;
            let block = shelf.arena.take(len)?;
            shelf.free.push(block);
        }
        Ok(())
    }

    /// A block. What it holds is left over from its last use, or zero.
    ///
    /// # Errors
    /// If the system has no address space left.
    pub fn lend(&self) -> Result<Lent<T>, NoMemory> {
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        let block = match shelf.free.pop() {
            Some(block) => block,
            None => {
                let len = shelf.len;
                shelf.arena.take(len)?
            }
        };
        shelf.n_lent += 1;
        Ok(Lent { block: Some(block), shelf: Arc::clone(&self.shelf) })
    }
}

impl<T: Plain> Clone for Stock<T> {
    fn clone(&self) -> Stock<T> {
        Stock { shelf: Arc::clone(&self.shelf) }
    }
}

impl<T: Plain> Drop for Lent<T> {
    fn drop(&mut self) {
        if let Some(block) = self.block.take() {
            let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
            shelf.n_lent -= 1;
            shelf.free.push(block);
        }
    }
}

impl<T: Plain> Deref for Lent<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        self.block.as_deref().expect("a block until it is dropped")
    }
}

impl<T: Plain> DerefMut for Lent<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        self.block.as_deref_mut().expect("a block until it is dropped")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_zero_aligned_and_apart() {
        let mut arena = Arena::new();
        let mut blocks: Vec<Block<u8>> =
            [1, 63, 64, 65, MAP_BYTES - 100, 0, 5000].map(|len| arena.take(len).unwrap()).into();
        let floats: Block<f32> = arena.take(33).unwrap();
        assert!(floats.len() == 33 && floats.iter().all(|&x| x == 0.0));
        drop(arena);
        for (i, block) in blocks.iter_mut().enumerate() {
            assert!((block.as_ptr() as usize).is_multiple_of(ALIGN));
            assert!(block.iter().all(|&byte| byte == 0));
            block.fill(i as u8 + 1);
        }
        for (i, block) in blocks.iter().enumerate() {
            assert!(block.iter().all(|&byte| byte == i as u8 + 1));
        }
        assert!(floats.iter().all(|&x| x == 0.0));
    }

    #[test]
    fn lent_blocks_come_back() {
        let stock: Stock<f32> = Stock::new(100);
        let mut first = stock.lend().unwrap();
        let second = stock.clone().lend().unwrap();
        first.fill(7.0);
        let place = first.as_ptr();
        assert!(second.as_ptr() != place && second.iter().all(|&x| x == 0.0));
        assert_eq!(stock.n_lent(), 2);
        drop(first);
        assert_eq!(stock.n_lent(), 1);
        assert_eq!(stock.lend().unwrap().as_ptr(), place);
        stock.make(5).unwrap();
        let all: Vec<_> = (0..4).map(|_| stock.lend().unwrap()).collect();
        assert_eq!((stock.n_lent(), all.len()), (5, 4));
    }
}
