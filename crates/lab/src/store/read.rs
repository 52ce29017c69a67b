//! What is stored in, runs out: a list of them, one by its name, a whole one.

use std::collections::HashSet;

use kelvin_sampling::Shift;
use rusqlite::{Row, params};

use super::{RunId, Store, StoreError};
use crate::{
    Recipe, Run,
    recipe::{Evaluation, Origin},
    replay::Kept,
    run::{Finish, Judged, Sample, Source, Token},
};

/// A run as a list shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// Its number here.
    pub id: RunId,
    /// Its recipe's hash.
    pub hash: String,
    /// When it was begun, UTC.
    pub created: String,
    /// The version of the program that began it.
    pub version: String,
    /// Where its texts come from.
    pub source: Source,
    /// The recipe.
    pub recipe: Recipe,
    /// Its canonical form.
    pub canonical: String,
    /// The model whose opinion its samples have, if one has judged them.
    pub judge: Option<Source>,
    /// Texts that it has judged.
    pub n_judged: usize,
    /// SHA-256 of the model by which its samples have embeddings, if one has looked.
    pub embedder: Option<String>,
    /// Texts that have one.
    pub n_embedded: usize,
    /// Texts that are there.
    pub n_done: usize,
    /// Their tokens.
    pub n_tokens: usize,
}

/// A time that somebody worked at a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Sitting {
    /// When, UTC.
    pub begun: String,
    /// How long.
    pub elapsed_secs: f64,
    /// Tokens of the samples that were finished.
    pub tokens: usize,
    /// Threads, or requests at once.
    pub threads: usize,
}

/// A hash is named by this many of its digits at least.
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
    /// If it can't be read or isn't there.
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
                "SELECT count(*), coalesce(sum(n_tokens), 0), count(judged_tokens) FROM samples JOIN cells ON cell = cells.id WHERE run = ?1",
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
            let origin = match source.clone() {
                Source::Local { model, .. } => Origin::Model(model),
                Source::Server { model, url } => Origin::Server { url, model, speaks: None },
            };
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

    /// What a run's recipe wants to be reported.
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

    /// By which model a run's samples have embeddings, and how many have.
    fn embedder(&self, run: RunId) -> Result<(Option<String>, usize), StoreError> {
        if self.schema < 3 {
            return Ok((None, 0));
        }
        self.row(
            "SELECT embedder, (SELECT count(embedding) FROM samples JOIN cells ON cell = cells.id WHERE run = runs.id)
             FROM runs WHERE id = ?1",
            run,
            |row| Ok((row.get(0)?, number(row, 1)?)),
        )
    }

    /// The run that a name means: its number, the first digits of its hash, or `last`.
    ///
    /// # Errors
    /// If none does, or several do.
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
            return Ok(*last);
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
                "there is no run \"{name}\" in {} (`kelvin runs list` shows what there is; a hash needs {LEAST_DIGITS} digits)",
                self.path.display()
            )),
            _ => refuse(format!(
                "\"{name}\" is the beginning of {} hashes: give more digits",
                matching.len()
            )),
        }
    }

    /// Which samples a run has, by prompt, chain and number.
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

    /// When somebody worked at runs whose texts come from this source, latest first.
    ///
    /// # Errors
    /// If they can't be read.
    pub fn sittings_of(&self, source: &Source) -> Result<Vec<Sitting>, StoreError> {
        let source = serde_json::to_string(source).expect("texts are always JSON");
        self.rows(
            "SELECT begun, elapsed_secs, tokens, threads FROM sittings JOIN runs ON run = runs.id WHERE source = ?1
             ORDER BY sittings.id DESC",
            [source],
            |row| Ok(Sitting { begun: row.get(0)?, elapsed_secs: row.get(1)?, tokens: number(row, 2)?, threads: number(row, 3)? }),
        )
    }

    /// A whole run, as far as it has come.
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
            seed,
            max_tokens: length.max_tokens,
            n_samples,
            prompts,
            chains,
            samples,
        })
    }

    /// Every sample of a run, by prompt, then chain, then number, one at a time.
    ///
    /// # Errors
    /// If one can't be read, or what `told` answers.
    pub fn each_sample<E: From<StoreError>>(
        &self,
        run: RunId,
        told: &mut dyn FnMut(Sample) -> Result<(), E>,
    ) -> Result<(), E> {
        let explained = |error| E::from(self.explain(error));
        let embedding = if self.schema < 3 { "NULL" } else { "embedding" };
        let query = format!(
            "SELECT samples.id, prompt, chain, sample, text, finish, judged_tokens, judged_nats, {embedding}
             FROM cells JOIN samples ON cell = cells.id WHERE run = ?1 ORDER BY prompt, chain, sample"
        );
        let mut samples = self.db.prepare(&query).map_err(explained)?;
        let mut rows = samples.query([run]).map_err(explained)?;
        while let Some(row) = rows.next().map_err(explained)? {
            let (id, mut sample) = read_sample(row).map_err(explained)?;
            sample.tokens = self.tokens(id)?;
            told(sample)?;
        }
        Ok(())
    }

    /// Every step of a run whose logits were kept: which chain, which dice, the token that was
    /// drawn, and the logits.
    ///
    /// # Errors
    /// If one can't be read, or what `told` answers.
    pub fn each_kept<E: From<StoreError>>(
        &self,
        run: RunId,
        told: &mut dyn FnMut(usize, u64, Option<u32>, Kept) -> Result<(), E>,
    ) -> Result<(), E> {
        let explained = |error| E::from(self.explain(error));
        let mut steps = self
            .db
            .prepare(
                "SELECT samples.sample, tokens.id, chain, place, n_vocab, packed FROM cells JOIN samples ON cell = cells.id
                 JOIN tokens ON tokens.sample = samples.id
                 JOIN logits ON logits.sample = samples.id AND logits.pos = tokens.pos
                 WHERE run = ?1 ORDER BY prompt, chain, samples.sample, tokens.pos",
            )
            .map_err(explained)?;
        let mut rows = steps.query([run]).map_err(explained)?;
        while let Some(row) = rows.next().map_err(explained)? {
            let read = || -> rusqlite::Result<(usize, usize, Option<u32>, Kept)> {
                let kept = Kept {
                    place: number(row, 3)? as u64,
                    n_vocab: number(row, 4)?,
                    packed: row.get(5)?,
                };
                Ok((number(row, 2)?, number(row, 0)?, row.get(1)?, kept))
            };
            let (chain, sample, token, kept) = read().map_err(explained)?;
            told(chain, sample as u64, token, kept)?;
        }
        Ok(())
    }

    fn tokens(&self, sample: i64) -> Result<Vec<Token>, StoreError> {
        let mut tokens = self
            .db
            .prepare_cached(
                "SELECT id, bytes, rank, logprob_raw, logprob_final, entropy_raw, entropy_final, survivors,
                 shift_width, shift_outside, heat_capacity, top FROM tokens WHERE sample = ?1 ORDER BY pos",
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

/// A column's text, read by `read`.
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
