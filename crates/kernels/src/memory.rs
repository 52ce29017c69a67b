//! Room for weights: anonymous memory in huge pages where the system gives them, handed out in aligned blocks.
//!
//! A model's matrices are small beside a huge page, so they share a few large maps. A map is zeroed by the system when it is
//! first touched: what nobody writes takes no memory. No file is ever mapped.

use std::{
    io,
    ops::{Deref, DerefMut},
    sync::Arc,
};

use memmap2::{MmapOptions, MmapRaw};

/// Blocks begin at a multiple of this: a cache line, and a vector of the widest instruction set.
pub const ALIGN: usize = 64;

/// Address space that is asked for at once, at least.
const MAP_BYTES: usize = 64 << 20;

/// Hands out blocks of memory.
#[derive(Debug, Default)]
pub struct Arena {
    map: Option<Arc<MmapRaw>>,
    used: usize,
}

/// Some bytes of an arena, zero at first. They belong to their owner alone and live as long as it does.
#[derive(Debug)]
pub struct Block {
    map: Arc<MmapRaw>,
    start: usize,
    len: usize,
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
    pub fn take(&mut self, len: usize) -> io::Result<Block> {
        let map = match &self.map {
            Some(map) if map.len() - self.used >= len => Arc::clone(map),
            _ => {
                let map = MmapOptions::new().len(len.max(MAP_BYTES)).map_anon()?;
                // A wish: without huge pages everything works, a little slower.
                #[cfg(target_os = "linux")]
                let _ = map.advise(memmap2::Advice::HugePage);
                self.used = 0;
                Arc::clone(self.map.insert(Arc::new(MmapRaw::from(map))))
            }
        };
        let start = self.used;
        // A map ends at the end of a page, so the next multiple lies within it or is its end.
        self.used = (start + len).next_multiple_of(ALIGN).min(map.len());
        Ok(Block { map, start, len })
    }
}

impl Deref for Block {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: start + len is within the map, which lives as long as this block; its bytes are initialised (zeroed by the
        // system) and no other block has them, since `take` gives each byte out once. A shared borrow of the block
        // excludes writes through `deref_mut`.
        unsafe { std::slice::from_raw_parts(self.map.as_ptr().add(self.start), self.len) }
    }
}

impl DerefMut for Block {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `deref`; the block is borrowed mutably, so nobody else has a reference to its bytes.
        unsafe { std::slice::from_raw_parts_mut(self.map.as_mut_ptr().add(self.start), self.len) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_zero_aligned_and_apart() {
        let mut arena = Arena::new();
        let mut blocks: Vec<Block> =
            [1, 63, 64, 65, MAP_BYTES - 100, 0, 5000].map(|len| arena.take(len).unwrap()).into();
        drop(arena);
        for (i, block) in blocks.iter_mut().enumerate() {
            assert!((block.as_ptr() as usize).is_multiple_of(ALIGN));
            assert!(block.iter().all(|&byte| byte == 0));
            block.fill(i as u8 + 1);
        }
        for (i, block) in blocks.iter().enumerate() {
            assert!(block.iter().all(|&byte| byte == i as u8 + 1));
        }
    }
}
