//! Zeroed memory from the system: an anonymous map in huge pages, or the allocator's memory where
//! there are no maps (WebAssembly).

#[cfg(not(target_arch = "wasm32"))]
pub(super) use mapped::Map;

#[cfg(target_arch = "wasm32")]
pub(super) use allocated::Map;

#[cfg(not(target_arch = "wasm32"))]
mod mapped {
    use memmap2::{MmapOptions, MmapRaw};

    /// Zeros at first, aligned to a page.
    #[derive(Debug)]
    pub(in super::super) struct Map(MmapRaw);

    impl Map {
        /// `len` bytes; the alignment of a page is any that a caller asks for.
        pub(in super::super) fn new(len: usize, _align: usize) -> Result<Map, String> {
            let map = MmapOptions::new().len(len).map_anon().map_err(|error| error.to_string())?;
            // Best effort: without huge pages everything works, a little slower.
            #[cfg(target_os = "linux")]
            let _ = map.advise(memmap2::Advice::HugePage);
            Ok(Map(MmapRaw::from(map)))
        }

        pub(in super::super) fn len(&self) -> usize {
            self.0.len()
        }

        pub(in super::super) fn as_mut_ptr(&self) -> *mut u8 {
            self.0.as_mut_ptr()
        }
    }
}

#[cfg(target_arch = "wasm32")]
mod allocated {
    use std::alloc::{Layout, alloc_zeroed, dealloc};

    /// Zeros at first.
    #[derive(Debug)]
    pub(in super::super) struct Map {
        start: *mut u8,
        layout: Layout,
    }

    // SAFETY: the pointer is the memory's only owner; who reads and writes it is the arena's care.
    unsafe impl Send for Map {}
    // SAFETY: as for `Send`.
    unsafe impl Sync for Map {}

    impl Map {
        /// `len` bytes, not zero.
        pub(in super::super) fn new(len: usize, align: usize) -> Result<Map, String> {
            let none = || format!("{len} bytes");
            let layout = Layout::from_size_align(len, align).map_err(|_| none())?;
            // SAFETY: an arena asks for at least one buffer's minimum, so the size isn't zero.
            let start = unsafe { alloc_zeroed(layout) };
            if start.is_null() { Err(none()) } else { Ok(Map { start, layout }) }
        }

        pub(in super::super) fn len(&self) -> usize {
            self.layout.size()
        }

        pub(in super::super) fn as_mut_ptr(&self) -> *mut u8 {
            self.start
        }
    }

    impl Drop for Map {
        fn drop(&mut self) {
            // SAFETY: allocated with this layout, and freed once.
            unsafe { dealloc(self.start, self.layout) };
        }
    }
}
