//! Reads the tensors of a folder as GGUF has them: rows in another order, one added to norms,
//! columns as rows, weights packed. It works from several threads at once.

use std::{
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

use kelvin_kernels::{format::Format, quantize::quantize};

use super::{
    shards::{Shards, Stored},
    tensors::{Recipe, Rows},
};
use crate::gguf::{GgufError, TensorData, TensorInfo};

/// How to make every tensor, and the files.
#[derive(Debug)]
pub(super) struct FolderData {
    recipes: Vec<Recipe>,
    shards: Shards,
    /// The stored matrix whose columns were wanted last, turned around.
    turned: Mutex<Option<(usize, Arc<Vec<f32>>)>>,
}

impl TensorData for FolderData {
    fn read(
        &self,
        index: usize,
        info: &TensorInfo,
        at: usize,
        out: &mut [u8],
    ) -> Result<(), GgufError> {
        let recipe = &self.recipes[index];
        let row_bytes = recipe.row_len() / info.format.block_len() * info.format.block_bytes();
        let rows = at / row_bytes..(at + out.len()).div_ceil(row_bytes);
        if at.is_multiple_of(row_bytes) && out.len().is_multiple_of(row_bytes) {
            return self.rows(recipe, info.format, rows, out);
        }
        let before = at - rows.start * row_bytes;
        let mut whole = vec![0; rows.len() * row_bytes];
        self.rows(recipe, info.format, rows, &mut whole)?;
        out.copy_from_slice(&whole[before..before + out.len()]);
        Ok(())
    }
}

impl Recipe {
    /// Numbers of a row.
    fn row_len(&self) -> usize {
        match self {
            Recipe::Rows(rows) => rows.row_len,
            Recipe::Columns { row_len, .. } => *row_len,
            Recipe::Numbers(numbers) => numbers.len(),
        }
    }
}

impl FolderData {
    pub(super) fn new(recipes: Vec<Recipe>, shards: Shards) -> FolderData {
        FolderData { recipes, shards, turned: Mutex::new(None) }
    }

    /// Fills `out` with whole rows in a format.
    fn rows(
        &self,
        recipe: &Recipe,
        format: Format,
        rows: Range<usize>,
        out: &mut [u8],
    ) -> Result<(), GgufError> {
        match recipe {
            Recipe::Numbers(numbers) => {
                quantize(format, numbers, out);
                Ok(())
            }
            Recipe::Columns { stored, row_len } => {
                let turned = self.turned(*stored)?;
                quantize(format, &turned[rows.start * row_len..rows.end * row_len], out);
                Ok(())
            }
            Recipe::Rows(all) => self.stored_rows(all, format, rows, out),
        }
    }

    /// Rows of stored tensors. Neighbours in the file are read together.
    fn stored_rows(
        &self,
        all: &Rows,
        format: Format,
        rows: Range<usize>,
        out: &mut [u8],
    ) -> Result<(), GgufError> {
        let row_bytes = out.len() / rows.len().max(1);
        let place = |row: usize| (row / all.rows_each, all.order.of(row % all.rows_each));
        let mut row = rows.start;
        while row < rows.end {
            let (piece, first) = place(row);
            let is_next = |n: &usize| row + n < rows.end && place(row + n) == (piece, first + n);
            let n = 1 + (1..).take_while(is_next).count();
            let stored = &self.shards.tensors[all.stored[piece]];
            let out = &mut out[(row - rows.start) * row_bytes..][..n * row_bytes];
            let at = first * all.row_len * stored.format.block_bytes();
            if stored.format == format && all.add == 0.0 {
                self.read(stored, at, out)?;
            } else {
                let mut numbers = self.numbers(stored, at, n * all.row_len)?;
                numbers.iter_mut().for_each(|x| *x += all.add);
                quantize(format, &numbers, out);
            }
            row += n;
        }
        Ok(())
    }

    /// A stored matrix with rows and columns in each other's place.
    fn turned(&self, index: usize) -> Result<Arc<Vec<f32>>, GgufError> {
        let mut last = self.turned.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((which, turned)) = last.as_ref()
            && *which == index
        {
            return Ok(turned.clone());
        }
        let stored = &self.shards.tensors[index];
        let (rows, cols) = (stored.shape[0], stored.shape[1]);
        let numbers = self.numbers(stored, 0, rows * cols)?;
        let turned = (0..rows * cols).map(|i| numbers[i % rows * cols + i / rows]).collect();
        let turned = Arc::new(turned);
        *last = Some((index, Arc::clone(&turned)));
        Ok(turned)
    }

    /// Numbers of a stored tensor from byte `at` of it on.
    fn numbers(&self, stored: &Stored, at: usize, n: usize) -> Result<Vec<f32>, GgufError> {
        let mut bytes = vec![0; n * stored.format.block_bytes()];
        self.read(stored, at, &mut bytes)?;
        let mut numbers = vec![0.0; n];
        stored.format.dequantize(&bytes, &mut numbers);
        Ok(numbers)
    }

    fn read(&self, stored: &Stored, at: usize, out: &mut [u8]) -> Result<(), GgufError> {
        self.shards.read(stored, at, out).map_err(|source| GgufError::Io {
            doing: format!(
                "can't read {} bytes of tensor {:?} in {}",
                out.len(),
                stored.name,
                self.shards.file_of(stored)
            ),
            source,
        })
    }
}
