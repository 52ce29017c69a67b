//! The hyperparameters of one file, read by their names after `ARCH.`, each within its range.

use std::ops::RangeInclusive;

use super::super::{ModelError, families::Family};
use crate::gguf::{Metadata, Value};

/// Rows of weights are kept in groups of sixteen: a matrix of fewer rows than this would take many
/// times its room in the file.
pub(super) const FEWEST_ROWS: usize = 8;

/// The keys of one architecture, with its name in front.
pub(super) struct Keys<'a> {
    pub(super) metadata: &'a Metadata,
    pub(super) family: &'static Family,
}

impl Keys<'_> {
    pub(super) fn name(&self, key: &str) -> String {
        format!("{}.{key}", self.family.architecture)
    }

    pub(super) fn error(&self, key: &str, problem: String) -> ModelError {
        ModelError::Hyperparameter { key: self.name(key), problem }
    }

    /// A key without which the file can't be read isn't there.
    pub(super) fn missing(&self, key: &str) -> ModelError {
        self.error(key, "missing, and there's no default for it".to_string())
    }

    /// A size from 1 to `max`; `default` where the key is absent and may be.
    pub(super) fn size(
        &self,
        key: &str,
        default: Option<usize>,
        max: usize,
    ) -> Result<usize, ModelError> {
        match (self.metadata.u32(&self.name(key))?, default) {
            (Some(n), _) if (1..=max).contains(&(n as usize)) => Ok(n as usize),
            (Some(n), _) => Err(self.error(key, format!("expected 1 to {max}, found {n}"))),
            (None, Some(default)) => Ok(default),
            (None, None) => Err(self.missing(key)),
        }
    }

    /// Refuses a matrix of few rows, which would take many times its size in the file. With
    /// `fewest` 0, no rows at all are allowed: a layer may lack a part.
    pub(super) fn check_rows(
        &self,
        key: &str,
        rows: usize,
        fewest: usize,
    ) -> Result<(), ModelError> {
        if rows >= FEWEST_ROWS || (rows == 0 && fewest == 0) {
            return Ok(());
        }
        let problem =
            format!("its matrices would have {rows} rows, expected {FEWEST_ROWS} or more");
        Err(self.error(key, problem))
    }

    /// A size for each layer: the file has one for all or a list. `default` where the key is absent
    /// and may be.
    pub(super) fn sizes(
        &self,
        key: &str,
        n_layers: usize,
        range: RangeInclusive<usize>,
        default: Option<&[usize]>,
    ) -> Result<Vec<usize>, ModelError> {
        let (least, most) = (*range.start(), *range.end());
        let checked = |n: i64| match usize::try_from(n) {
            Ok(n) if range.contains(&n) => Ok(n),
            _ => Err(self.error(key, format!("expected {least} to {most}, found {n}"))),
        };
        if let Some(Value::IntArray(list)) = self.metadata.get(&self.name(key)) {
            // Layers that predict several tokens at once stand at the end.
            let n_blocks = self.metadata.u32(&self.name("block_count"))?.unwrap_or(0) as usize;
            if ![n_layers, n_blocks].contains(&list.len()) {
                let n = list.len();
                let problem =
                    format!("expected one number for each of {n_layers} layers, found {n}");
                return Err(self.error(key, problem));
            }
            return list.iter().take(n_layers).map(|&n| checked(n)).collect();
        }
        match (self.metadata.u32(&self.name(key))?, default) {
            (Some(n), _) => Ok(vec![checked(n.into())?; n_layers]),
            (None, Some(default)) => Ok(default.to_vec()),
            (None, None) => Err(self.missing(key)),
        }
    }

    pub(super) fn positive(&self, key: &str, default: f64) -> Result<f64, ModelError> {
        match self.metadata.f32(&self.name(key))? {
            None => Ok(default),
            Some(x) if x > 0.0 && x.is_finite() => Ok(f64::from(x)),
            Some(x) => Err(self.error(key, format!("expected a positive number, found {x}"))),
        }
    }

    /// What the file says in a key that the family reads, if it says anything; 0 where something is
    /// turned off.
    pub(super) fn said(&self, key: &str) -> Result<Option<f64>, ModelError> {
        if !self.family.reads_key(key) {
            return Ok(None);
        }
        match self.metadata.f32(&self.name(key))? {
            None => Ok(None),
            Some(x) if x >= 0.0 && x.is_finite() => Ok(Some(f64::from(x))),
            Some(x) => Err(self.error(key, format!("expected 0 or a positive number, found {x}"))),
        }
    }
}
