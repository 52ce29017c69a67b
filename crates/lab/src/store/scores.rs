//! The stored values of scores of one's own.

use rusqlite::params;

use super::{RunId, Store, StoreError};
use crate::run::Scored;

/// The first version of the schema that has them.
const SINCE: i64 = 4;

impl Store {
    /// The stored values of a score, by its [definition](crate::scoring::definition).
    ///
    /// # Errors
    /// If they can't be read.
    pub fn scores(&self, run: RunId, definition: &str) -> Result<Scored, StoreError> {
        if self.schema < SINCE {
            return Ok(Scored::new());
        }
        let explained = |error| self.explain(error);
        let mut query = self
            .db
            .prepare_cached(
                "SELECT prompt, chain, samples.sample, value, problem FROM cells JOIN samples ON \
                 cell = cells.id
                 JOIN scores ON scores.sample = samples.id AND definition = ?2 WHERE run = ?1",
            )
            .map_err(explained)?;
        let rows = query.query_map(params![run, definition], |row| {
            let number = |column| row.get::<_, i64>(column).map(|n| n as usize);
            let place = (number(0)?, number(1)?, number(2)?);
            let value = match row.get::<_, Option<f64>>(3)? {
                Some(value) => Ok(value),
                None => Err(row.get::<_, Option<String>>(4)?.unwrap_or_default()),
            };
            Ok((place, value))
        });
        rows.and_then(Iterator::collect).map_err(explained)
    }

    /// Stores values of a score by (prompt, chain, sample), in one transaction. They take the place
    /// of earlier ones.
    ///
    /// # Errors
    /// If they can't be written.
    pub fn put_scores(
        &mut self,
        run: RunId,
        definition: &str,
        values: &[(usize, usize, usize, Result<f64, String>)],
    ) -> Result<(), StoreError> {
        self.write(Some(run), |db| {
            let mut put = db.prepare(
                "INSERT INTO scores (sample, definition, value, problem)
                 SELECT samples.id, ?5, ?6, ?7 FROM cells JOIN samples ON cell = cells.id
                 WHERE run = ?1 AND prompt = ?2 AND chain = ?3 AND samples.sample = ?4
                 ON CONFLICT (sample, definition) DO UPDATE SET value = excluded.value, problem = \
                 excluded.problem",
            )?;
            for (prompt, chain, sample, value) in values {
                put.execute(params![
                    run,
                    *prompt as i64,
                    *chain as i64,
                    *sample as i64,
                    definition,
                    value.as_ref().ok(),
                    value.as_ref().err(),
                ])?;
            }
            Ok(())
        })
    }
}
