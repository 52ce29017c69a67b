//! Weight matrices, read from a model file and repacked for the products.
//!
//! The layout is described in `layout.rs`; `repack.rs` writes it.

use std::{
    cell::RefCell,
    ops::Range,
    sync::{Mutex, PoisonError},
};

use crate::{
    format::Format,
    layout::GROUP_ROWS,
    memory::{Arena, Buffer, NoMemory},
    pool::Pool,
    repack::repack_row,
};

/// Bytes of a file that a thread reads and repacks at a time.
const READ_BYTES: usize = 64 << 10;

/// Reads a tensor's bytes from an offset on, enough to fill the slice.
pub type ReadBytes<'a, E> = dyn Fn(usize, &mut [u8]) -> Result<(), E> + Sync + 'a;

thread_local! {
    /// Bytes read and not yet repacked.
    static FILE_BYTES: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// A weight matrix `[rows][cols]`, repacked for products with activations of length `cols`.
#[derive(Debug)]
pub struct WeightMatrix {
    format: Format,
    rows: usize,
    cols: usize,
    /// Row groups one after another; the last one is padded with rows of zeros.
    data: Buffer<u8>,
}

impl WeightMatrix {
    /// Repacks a tensor from its bytes in a GGUF file, row after row.
    ///
    /// `cols` is a multiple of the format's block length, and `bytes` holds rows · cols weights;
    /// the GGUF reader checks both.
    ///
    /// # Errors
    /// If the system has no memory left.
    pub fn new(
        pool: &Pool,
        format: Format,
        rows: usize,
        cols: usize,
        bytes: &[u8],
    ) -> Result<WeightMatrix, NoMemory> {
        let copy = |at: usize, out: &mut [u8]| {
            out.copy_from_slice(&bytes[at..at + out.len()]);
            Ok(())
        };
        WeightMatrix::read(pool, &mut Arena::new(), format, rows, cols, &copy)
    }

    /// Reads and repacks a tensor, a few rows at a time on each thread, into memory of `arena`.
    ///
    /// `cols` is a multiple of the format's block length.
    ///
    /// # Errors
    /// The first error of `read`, or that the system has no memory left.
    pub fn read<E: From<NoMemory> + Send>(
        pool: &Pool,
        arena: &mut Arena,
        format: Format,
        rows: usize,
        cols: usize,
        read: &ReadBytes<'_, E>,
    ) -> Result<WeightMatrix, E> {
        assert!(cols.is_multiple_of(format.block_len()), "rows are whole blocks");
        let row_bytes = cols / format.block_len() * format.block_bytes();
        let group_bytes = format.group_bytes(cols);
        let mut data = arena.alloc(format.memory_bytes(rows, cols))?;
        let groups_per_task = (READ_BYTES / (GROUP_ROWS * row_bytes).max(1)).max(1);
        let failure = Mutex::new(None);
        pool.for_each_chunk(&mut data, (groups_per_task * group_bytes).max(1), &|task, groups| {
            FILE_BYTES.with_borrow_mut(|bytes| {
                let first = task * groups_per_task * GROUP_ROWS;
                let n_rows = (groups_per_task * GROUP_ROWS).min(rows - first);
                bytes.resize(n_rows * row_bytes, 0);
                if let Err(error) = read(first * row_bytes, bytes) {
                    failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                    return;
                }
                for (group, rows) in
                    groups.chunks_exact_mut(group_bytes).zip(bytes.chunks(GROUP_ROWS * row_bytes))
                {
                    for (r, row) in rows.chunks_exact(row_bytes).enumerate() {
                        repack_row(format, row, r, group);
                    }
                }
            });
        });
        match failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(error) => Err(error),
            None => Ok(WeightMatrix { format, rows, cols, data }),
        }
    }

    /// The format of the weights in the file.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Output length of a product.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Input length of a product.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// Bytes in memory.
    pub fn n_bytes(&self) -> usize {
        self.data.len()
    }

    /// The bytes of some neighbouring row groups.
    pub(crate) fn groups(&self, groups: Range<usize>) -> &[u8] {
        let n = self.format.group_bytes(self.cols);
        &self.data[groups.start * n..groups.end * n]
    }

    /// Dequantizes one row, for embedding lookup: `d·unit·scale·value(code) + m·min`, in that
    /// order.
    ///
    /// # Panics
    /// If there is no such row, or `out` isn't of length `cols`.
    pub fn row(&self, row: usize, out: &mut [f32]) {
        assert!(row < self.rows && out.len() == self.cols, "a row of this matrix");
        let (group, r) = (self.groups(row / GROUP_ROWS..row / GROUP_ROWS + 1), row % GROUP_ROWS);
        let Some(layout) = self.format.layout() else {
            for (k, out) in out.iter_mut().enumerate() {
                *out = self.format.float(group, k * GROUP_ROWS + r);
            }
            return;
        };
        for (block, out) in
            group.chunks_exact(layout.bytes()).zip(out.chunks_exact_mut(layout.block_len))
        {
            let m = if layout.has_min() { layout.min_factor(block, r) } else { 0.0 };
            for (k, out) in out.iter_mut().enumerate() {
                let s = k / layout.sub_block_len;
                let scale = layout.factor(block, r, k) * layout.scale(block, r, s) as f32;
                *out = scale * layout.value(block, r, k) as f32;
                if layout.has_min() {
                    *out += m * layout.min(block, r, s) as f32;
                }
            }
        }
    }
}
