//! Reads runs from the database: a list, one by its name, or a whole run.

use std::collections::HashSet;

use kelvin_sampling::Shift;
use rusqlite::{Row, params};

use super::{RunId, Store, StoreError};
use crate::{
    Recipe, Run,
    recipe::{Evaluation, Origin},
    recorded::RecordedLogits,
    run::{Finish, Judged, Sample, Source, Token},
};

/// A run as `runs list` shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// The run's number in this database.
    pub id: RunId,
    /// The recipe's hash.
    pub hash: String,
    /// When it was begun, in UTC.
    pub created: String,
    /// The version of Kelvin that began it.
    pub version: String,
    /// Where its texts were generated.
    pub source: Source,
    /// The recipe.
    pub recipe: Recipe,
    /// The recipe in its canonical form.
    pub canonical: String,
    /// The judge model, if there is one.
    pub judge: Option<Source>,
    /// The number of samples that the judge has scored.
    pub n_judged: usize,
    /// SHA-256 of the embedding model, if there is one.
    pub embedder: Option<String>,
    /// The number of samples with an embedding.
    pub n_embedded: usize,
    /// The number of samples.
    pub n_done: usize,
    /// The number of their tokens.
    pub n_tokens: usize,
}

/// One session of a sweep.
#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    /// When it was recorded, in UTC.
    pub begun: String,
    /// Its duration.
    pub elapsed_secs: f64,
    /// Tokens of the samples that were finished.
    pub tokens: usize,
    /// Threads, or concurrent requests.
    pub threads: usize,
}

/// The minimum number of digits that name a hash.
const LEAST_DIGITS: usize = 4;

impl Store {
    /// All runs, in the order in which they were begun.
    ///
    /// # Errors
    /// If they can't be read.
    pub fn list(&self) -> Result<Vec<Listed>, StoreError> {
        self.at_once(|| self.listed("SELECT id FROM runs WHERE ?1 IS NULL ORDER BY id", None))
    }

    /// One run.
    ///
    /// # Errors
    /// If it can't be read or doesn't exist.
    pub fn show(&self, run: RunId) -> Result<Listed, StoreError> {
        let found = self.at_once(|| self.listed("SELECT id FROM runs WHERE id = ?1", Some(run)))?;
        found.into_iter().next().ok_or_else(|| self.damaged(format!("run {run} isn't there")))
    }

    fn listed(&self, ids: &str, run: Option<RunId>) -> Result<Vec<Listed>, StoreError> {
        let ids: Vec<RunId> = self.rows(ids, params![run], |row| row.get(0))?;
        let one = |id: RunId| {
            let (hash, created, version, source, canonical, samples): (
                String,
                String,
                String,
                String,
                String,
                i64,
            ) = self.row(
                "SELECT hash, created, version, source, canonical, n_samples FROM runs WHERE id = ?1",
                id,
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?)),
            )?;
            let (n_done, n_tokens, n_judged) = self.row(
                "SELECT count(*), coalesce(sum(n_tokens), 0), count(judged_tokens) FROM samples \
                 JOIN cells ON cell = cells.id WHERE run = ?1",
                id,
                |row| Ok((number(row, 0)?, number(row, 1)?, number(row, 2)?)),
            )?;
            let judge: Option<String> =
                self.row("SELECT judge FROM runs WHERE id = ?1", id, |row| row.get(0))?;
            let judge = judge.map(|judge| serde_json::from_str(&judge)).transpose();
            let judge =
                judge.map_err(|error| self.damaged(format!("run {id}, its judge: {error}")))?;
            let source: Source = serde_json::from_str(&source)
                .map_err(|error| self.damaged(format!("run {id}, its source: {error}")))?;
            let origin = Origin::of(&source);
            let (embedder, n_embedded) = self.embedder(id)?;
            let recipe =
                Recipe::restore(&canonical, origin, samples as usize, self.evaluation(id)?);
            let recipe = recipe
                .map_err(|problem| self.damaged(format!("run {id}, its recipe: {problem}")))?;
            Ok(Listed {
                id,
                hash,
                created,
                version,
                source,
                recipe,
                canonical,
                judge,
                n_judged,
                embedder,
                n_embedded,
                n_done,
                n_tokens,
            })
        };
        ids.into_iter().map(one).collect()
    }

    /// The evaluation settings of a run's recipe.
    fn evaluation(&self, run: RunId) -> Result<Evaluation, StoreError> {
        if self.schema < 2 {
            return Ok(Evaluation::default());
        }
        let (metrics, judge): (Option<String>, Option<String>) =
            self.row("SELECT ask_metrics, ask_judge FROM runs WHERE id = ?1", run, |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
        let metrics = metrics.map(|names| serde_json::from_str(&names)).transpose();
        let metrics =
            metrics.map_err(|error| self.damaged(format!("run {run}, its metrics: {error}")))?;
        Ok(Evaluation { metrics: metrics.unwrap_or_default(), judge })
    }

    /// The embedding model of a run, and the number of samples with an embedding.
    fn embedder(&self, run: RunId) -> Result<(Option<String>, usize), StoreError> {
        if self.schema < 3 {
            return Ok((None, 0));
        }
        self.row(
            "SELECT embedder, (SELECT count(embedding) FROM samples JOIN cells ON cell = cells.id \
             WHERE run = runs.id)
             FROM runs WHERE id = ?1",
            run,
            |row| Ok((row.get(0)?, number(row, 1)?)),
        )
    }

    /// The last run that isn't a round of a search that was stopped.
    fn closed(&self) -> Result<Option<RunId>, StoreError> {
        let ids: Vec<RunId> = self.rows(
            "SELECT id FROM runs WHERE is_open = 0 ORDER BY id DESC LIMIT 1",
            [],
            |row| row.get(0),
        )?;
        Ok(ids.first().copied())
    }

    /// Finds a run by its number, the first digits of its hash, or `last`. A round of a search that
    /// was stopped isn't the last run.
    ///
    /// # Errors
    /// If no run matches, or several do.
    pub fn find(&self, name: &str) -> Result<RunId, StoreError> {
        let all: Vec<(RunId, String)> =
            self.rows("SELECT id, hash FROM runs ORDER BY id", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
        let refuse = |problem: String| Err(StoreError::Name { problem });
        let Some((last, _)) = all.last() else {
            return refuse(format!(
                "{} has no runs yet: `kelvin sweep` makes them",
                self.path.display()
            ));
        };
        if name == "last" {
            let closed = match self.schema < 6 {
                true => Some(*last),
                false => self.closed()?,
            };
            return closed.map_or_else(
                || {
                    refuse(format!(
                        "the runs of {} are rounds of a search that was stopped: `kelvin tune` \
                         goes on with it, and `kelvin runs list` numbers them",
                        self.path.display()
                    ))
                },
                Ok,
            );
        }
        if let Some((id, _)) = all.iter().find(|(id, _)| id.to_string() == name) {
            return Ok(*id);
        }
        let matching: Vec<_> = all
            .iter()
            .filter(|(_, hash)| name.len() >= LEAST_DIGITS && hash.starts_with(name))
            .collect();
        match matching[..] {
            [(id, _)] => Ok(*id),
            [] => refuse(format!(
                "there is no run \"{name}\" in {} (`kelvin runs list` shows what there is; a hash \
                 needs {LEAST_DIGITS} digits)",
                self.path.display()
            )),
            _ => refuse(format!(
                "\"{name}\" is the beginning of {} hashes: give more digits",
                matching.len()
            )),
        }
    }

    /// The samples that a run has, as (prompt, chain, sample).
    ///
    /// # Errors
    /// If they can't be read.
    pub fn present(&self, run: RunId) -> Result<HashSet<(usize, usize, usize)>, StoreError> {
        let rows = self.rows(
            "SELECT prompt, chain, sample FROM samples JOIN cells ON cell = cells.id WHERE run = ?1",
            [run],
            |row| Ok((number(row, 0)?, number(row, 1)?, number(row, 2)?)),
        )?;
        Ok(rows.into_iter().collect())
    }

    /// Sessions of runs whose texts come from `source`, latest first.
    ///
    /// # Errors
    /// If they can't be read.
    pub fn sessions_of(&self, source: &Source) -> Result<Vec<Session>, StoreError> {
        let source = serde_json::to_string(source).expect("texts are always JSON");
        self.rows(
            "SELECT begun, elapsed_secs, tokens, threads FROM sittings JOIN runs ON run = runs.id \
             WHERE source = ?1
             ORDER BY sittings.id DESC",
            [source],
            |row| {
                Ok(Session {
                    begun: row.get(0)?,
                    elapsed_secs: row.get(1)?,
                    tokens: number(row, 2)?,
                    threads: number(row, 3)?,
                })
            },
        )
    }

    /// Loads a run with all samples that exist.
    ///
    /// # Errors
    /// If it can't be read.
    pub fn load(&self, run: RunId) -> Result<Run, StoreError> {
        let (listed, samples) = self.at_once(|| {
            let listed = self.show(run)?;
            let mut samples = Vec::with_capacity(listed.n_done);
            self.each_sample(run, &mut |sample| {
                samples.push(sample);
                Ok::<(), StoreError>(())
            })?;
            Ok::<_, StoreError>((listed, samples))
        })?;
        let Recipe { prompts, chains, samples: n_samples, seed, length, .. } = listed.recipe;
        Ok(Run {
            hash: listed.hash,
            source: listed.source,
            judge: listed.judge,
            scores: std::collections::BTreeMap::new(),
            seed,
            max_tokens: length.max_tokens,
            n_samples,
            prompts,
            chains,
            samples,
        })
    }

    /// Calls `visit` for every sample of a run, sorted by prompt, chain and sample number.
    ///
    /// # Errors
    /// If a sample can't be read, or the error that `visit` returns.
    pub fn each_sample<E: From<StoreError>>(
        &self,
        run: RunId,
        visit: &mut dyn FnMut(Sample) -> Result<(), E>,
    ) -> Result<(), E> {
        self.each_stored(run, &mut |_, sample| visit(sample))
    }

    /// Like [`Store::each_sample`], with the recorded logits of each sample's tokens.
    ///
    /// # Errors
    /// If a sample can't be read, or the error that `visit` returns.
    pub fn each_whole<E: From<StoreError>>(
        &self,
        run: RunId,
        visit: &mut dyn FnMut(Sample, Vec<RecordedLogits>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.each_stored(run, &mut |id, sample| {
            let logits = self.rows(
                "SELECT place, n_vocab, packed FROM logits WHERE sample = ?1 ORDER BY pos",
                [id],
                |row| {
                    let (place, n_vocab) = (number(row, 0)? as u64, number(row, 1)?);
                    Ok(RecordedLogits { place, n_vocab, packed: row.get(2)? })
                },
            )?;
            visit(sample, logits)
        })
    }

    /// Calls `visit` for every sample of a run with its number in the database.
    fn each_stored<E: From<StoreError>>(
        &self,
        run: RunId,
        visit: &mut dyn FnMut(i64, Sample) -> Result<(), E>,
    ) -> Result<(), E> {
        let explained = |error| E::from(self.explain(error));
        let embedding = if self.schema < 3 { "NULL" } else { "embedding" };
        let whole = if self.schema < 5 { "NULL" } else { "whole" };
        let query = format!(
            "SELECT samples.id, prompt, chain, sample, text, finish, judged_tokens, judged_nats, \
             {embedding}, {whole}
             FROM cells JOIN samples ON cell = cells.id WHERE run = ?1 ORDER BY prompt, chain, \
             sample"
        );
        let mut samples = self.db.prepare(&query).map_err(explained)?;
        let mut rows = samples.query([run]).map_err(explained)?;
        while let Some(row) = rows.next().map_err(explained)? {
            let (id, mut sample) = read_sample(row).map_err(explained)?;
            sample.tokens = self.tokens(id)?;
            visit(id, sample)?;
        }
        Ok(())
    }

    /// Calls `visit` for every step whose logits were recorded: chain, sample number, drawn token,
    /// logits.
    ///
    /// # Errors
    /// If a step can't be read, or the error that `visit` returns.
    pub fn each_kept<E: From<StoreError>>(
        &self,
        run: RunId,
        visit: &mut dyn FnMut(usize, u64, Option<u32>, RecordedLogits) -> Result<(), E>,
    ) -> Result<(), E> {
        let explained = |error| E::from(self.explain(error));
        let mut steps = self
            .db
            .prepare(
                "SELECT samples.sample, tokens.id, chain, place, n_vocab, packed FROM cells JOIN \
                 samples ON cell = cells.id
                 JOIN tokens ON tokens.sample = samples.id
                 JOIN logits ON logits.sample = samples.id AND logits.pos = tokens.pos
                 WHERE run = ?1 ORDER BY prompt, chain, samples.sample, tokens.pos",
            )
            .map_err(explained)?;
        let mut rows = steps.query([run]).map_err(explained)?;
        while let Some(row) = rows.next().map_err(explained)? {
            let read = || -> rusqlite::Result<(usize, usize, Option<u32>, RecordedLogits)> {
                let kept = RecordedLogits {
                    place: number(row, 3)? as u64,
                    n_vocab: number(row, 4)?,
                    packed: row.get(5)?,
                };
                Ok((number(row, 2)?, number(row, 0)?, row.get(1)?, kept))
            };
            let (chain, sample, token, kept) = read().map_err(explained)?;
            visit(chain, sample as u64, token, kept)?;
        }
        Ok(())
    }

    fn tokens(&self, sample: i64) -> Result<Vec<Token>, StoreError> {
        let mut tokens = self
            .db
            .prepare_cached(
                "SELECT id, bytes, rank, logprob_raw, logprob_final, entropy_raw, entropy_final, \
                 survivors,
                 shift_width, shift_outside, heat_capacity, top FROM tokens WHERE sample = ?1 \
                 ORDER BY pos",
            )
            .map_err(|error| self.explain(error))?;
        let rows = tokens.query_map([sample], read_token).and_then(Iterator::collect);
        rows.map_err(|error| self.explain(error))
    }

    fn rows<T>(
        &self,
        query: &str,
        params: impl rusqlite::Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        let mut statement = self.db.prepare(query).map_err(|error| self.explain(error))?;
        statement
            .query_map(params, read)
            .and_then(Iterator::collect)
            .map_err(|error| self.explain(error))
    }

    fn row<T>(
        &self,
        query: &str,
        id: RunId,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        self.db.query_row(query, [id], read).map_err(|error| self.explain(error))
    }
}

fn number(row: &Row<'_>, column: usize) -> rusqlite::Result<usize> {
    row.get::<_, i64>(column).map(|n| n as usize)
}

fn read_sample(row: &Row<'_>) -> rusqlite::Result<(i64, Sample)> {
    let judged = match (row.get::<_, Option<i64>>(6)?, row.get::<_, Option<f64>>(7)?) {
        (Some(tokens), Some(nats)) => Some(Judged { tokens: tokens as usize, nats }),
        _ => None,
    };
    let sample = Sample {
        prompt: number(row, 1)?,
        chain: number(row, 2)?,
        sample: number(row, 3)?,
        text: row.get(4)?,
        finish: parsed(row, 5, |text: &str| serde_json::from_value::<Finish>(text.into()))?,
        tokens: Vec::new(),
        judged,
        embedding: row.get_ref(8)?.as_blob_or_null()?.map(read_embedding),
        whole: match row.get_ref(9)?.as_bytes_or_null()? {
            Some(_) => Some(parsed(row, 9, |text: &str| serde_json::from_str(text))?),
            None => None,
        },
    };
    Ok((row.get(0)?, sample))
}

fn read_embedding(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks().0.iter().map(|number| f32::from_le_bytes(*number)).collect()
}

fn read_token(row: &Row<'_>) -> rusqlite::Result<Token> {
    let nats = |column: usize| {
        row.get::<_, Option<f64>>(column).map(|logprob| logprob.map(|logprob| 0.0 - logprob))
    };
    let shift = match (row.get(8)?, row.get(9)?, row.get(10)?) {
        (Some(width), Some(outside), Some(heat_capacity)) => {
            Some(Shift { width, outside, heat_capacity })
        }
        _ => None,
    };
    let has_top = row.get_ref(11)?.as_bytes_or_null()?.is_some();
    Ok(Token {
        id: row.get(0)?,
        bytes: row.get(1)?,
        rank: row.get(2)?,
        surprisal: nats(3)?,
        surprisal_final: nats(4)?,
        entropy: row.get(5)?,
        entropy_final: row.get(6)?,
        survivors: row.get(7)?,
        shift,
        top: if has_top {
            parsed(row, 11, |text: &str| serde_json::from_str(text))?
        } else {
            Vec::new()
        },
    })
}

/// Parses the text of a column with `read`.
fn parsed<T, E: std::error::Error + Send + Sync + 'static>(
    row: &Row<'_>,
    column: usize,
    read: impl FnOnce(&str) -> Result<T, E>,
) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    read(&text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(
            column,
            rusqlite::types::Type::Text,
            Box::new(error),
        )
    })
}
