//! Changes the database: begins runs, stores samples, removes runs.

use rusqlite::{OptionalExtension, Transaction, TransactionBehavior, params};

use super::{RunId, Store, StoreError};
use crate::{
    Recipe,
    recorded::RecordedLogits,
    run::{Judged, Sample, Source, Token},
};

impl Store {
    /// Finds or creates the run of a recipe. An existing run grows to the recipe's number of
    /// samples. The recipe's evaluation settings replace earlier ones; settings that it doesn't
    /// name stay.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn begin(
        &mut self,
        recipe: &Recipe,
        source: &Source,
        version: &str,
    ) -> Result<RunId, StoreError> {
        self.begin_as(recipe, source, version, false)
    }

    /// As [`Store::begin`], for a round of a search. Until [`Store::close_rounds`], `last` doesn't
    /// name it, unless it was a run before.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn begin_round(
        &mut self,
        recipe: &Recipe,
        source: &Source,
        version: &str,
    ) -> Result<RunId, StoreError> {
        self.begin_as(recipe, source, version, true)
    }

    /// A search has come to its end: its rounds are runs as others are.
    ///
    /// # Errors
    /// If they can't be written.
    pub fn close_rounds(&mut self, runs: &[RunId]) -> Result<(), StoreError> {
        self.write(None, |db| {
            let mut close = db.prepare("UPDATE runs SET is_open = 0 WHERE id = ?1")?;
            runs.iter().try_for_each(|run| close.execute([run]).map(drop))
        })
    }

    fn begin_as(
        &mut self,
        recipe: &Recipe,
        source: &Source,
        version: &str,
        is_round: bool,
    ) -> Result<RunId, StoreError> {
        let (canonical, hash) = (recipe.canonical(source), recipe.hash(source));
        let source = serde_json::to_string(source).expect("texts are always JSON");
        let n_samples = recipe.samples as i64;
        let evaluation = &recipe.evaluation;
        let metrics = (!evaluation.metrics.is_empty())
            .then(|| serde_json::to_string(&evaluation.metrics).expect("texts are always JSON"));
        let run = self.write(None, |db| {
            let is_new = db.execute(
                "INSERT INTO runs (hash, canonical, source, n_samples, version, created, \
                 ask_metrics, ask_judge, is_open)
                 VALUES (?1, ?2, ?3, ?4, ?5, strftime('%Y-%m-%dT%H:%M:%SZ'), ?6, ?7, ?8)
                 ON CONFLICT (hash) DO NOTHING",
                params![
                    hash,
                    canonical,
                    source,
                    n_samples,
                    version,
                    metrics,
                    evaluation.judge,
                    is_round
                ],
            )? == 1;
            let run: RunId =
                db.query_row("SELECT id FROM runs WHERE hash = ?1", [&hash], |row| row.get(0))?;
            if !is_new {
                db.execute(
                    "UPDATE runs SET n_samples = max(n_samples, ?2), ask_metrics = coalesce(?3, \
                     ask_metrics),
                     ask_judge = coalesce(?4, ask_judge), is_open = is_open AND ?5 WHERE id = ?1",
                    params![run, n_samples, metrics, evaluation.judge, is_round],
                )?;
                return Ok(run);
            }
            let mut add = db.prepare(
                "INSERT INTO prompts (run, prompt, text, fields) VALUES (?1, ?2, ?3, \
                    ?4)",
            )?;
            for (i, prompt) in recipe.prompts.iter().enumerate() {
                let fields = serde_json::to_string(&prompt.fields).expect("JSON is always JSON");
                add.execute(params![run, i as i64, prompt.text, fields])?;
            }
            let mut add =
                db.prepare("INSERT INTO chains (run, chain, text) VALUES (?1, ?2, ?3)")?;
            for (i, chain) in recipe.chains.iter().enumerate() {
                add.execute(params![run, i as i64, chain.to_string()])?;
            }
            Ok(run)
        })?;
        self.begun.insert(run, hash);
        Ok(run)
    }

    /// Stores a finished sample, synced to disk when this returns. Returns whether it is new; an
    /// existing sample stays unchanged.
    ///
    /// # Errors
    /// If it can't be written. Then no part of it is stored.
    pub fn put(&mut self, run: RunId, sample: &Sample) -> Result<bool, StoreError> {
        self.put_with(run, sample, &[])
    }

    /// Stores a finished sample together with the logits of its tokens, in order.
    ///
    /// # Errors
    /// If it can't be written. Then no part of it is stored.
    pub fn put_with(
        &mut self,
        run: RunId,
        sample: &Sample,
        logits: &[RecordedLogits],
    ) -> Result<bool, StoreError> {
        Ok(self.put_all(run, &[(sample, logits)])? == 1)
    }

    /// Stores finished samples with the logits of their tokens, in one transaction. Returns how
    /// many are new; existing samples stay unchanged.
    ///
    /// # Errors
    /// If they can't be written. Then none is stored.
    pub fn put_all(
        &mut self,
        run: RunId,
        all: &[(&Sample, &[RecordedLogits])],
    ) -> Result<usize, StoreError> {
        self.write(Some(run), |db| {
            let mut n_new = 0;
            for (sample, logits) in all {
                n_new += usize::from(put_sample(db, run, sample, logits)?);
            }
            Ok(n_new)
        })
    }

    /// Stores a judge's scores by (prompt, chain, sample), in one transaction. Scores of another
    /// judge are deleted.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn judge(
        &mut self,
        run: RunId,
        judge: &Source,
        judged: &[(usize, usize, usize, Judged)],
    ) -> Result<(), StoreError> {
        let judge = serde_json::to_string(judge).expect("texts are always JSON");
        self.write(Some(run), |db| {
            if db.execute(
                "UPDATE runs SET judge = ?2 WHERE id = ?1 AND judge IS NOT ?2",
                params![run, judge],
            )? == 1
            {
                db.execute(
                    "UPDATE samples SET judged_tokens = NULL, judged_nats = NULL WHERE cell IN \
                     (SELECT id FROM cells WHERE run = ?1)",
                    [run],
                )?;
            }
            let mut set = db.prepare(
                "UPDATE samples SET judged_tokens = ?5, judged_nats = ?6 WHERE sample = ?4
                 AND cell = (SELECT id FROM cells WHERE run = ?1 AND prompt = ?2 AND chain = ?3)",
            )?;
            for &(prompt, chain, sample, Judged { tokens, nats }) in judged {
                set.execute(params![
                    run,
                    prompt as i64,
                    chain as i64,
                    sample as i64,
                    tokens as i64,
                    nats
                ])?;
            }
            Ok(())
        })
    }

    /// Stores embeddings by (prompt, chain, sample), in one transaction, with the SHA-256 of the
    /// embedding model. Embeddings of another model are deleted.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn embed(
        &mut self,
        run: RunId,
        embedder: &str,
        embeddings: &[(usize, usize, usize, Vec<f32>)],
    ) -> Result<(), StoreError> {
        self.write(Some(run), |db| {
            if db.execute(
                "UPDATE runs SET embedder = ?2 WHERE id = ?1 AND embedder IS NOT ?2",
                params![run, embedder],
            )? == 1
            {
                db.execute(
                    "UPDATE samples SET embedding = NULL WHERE cell IN (SELECT id FROM cells WHERE \
                     run = ?1)",
                    [run],
                )?;
            }
            let mut set = db.prepare(
                "UPDATE samples SET embedding = ?5 WHERE sample = ?4
                 AND cell = (SELECT id FROM cells WHERE run = ?1 AND prompt = ?2 AND chain = ?3)",
            )?;
            for (prompt, chain, sample, embedding) in embeddings {
                let bytes: Vec<u8> = embedding.iter().flat_map(|x| x.to_le_bytes()).collect();
                set.execute(params![run, *prompt as i64, *chain as i64, *sample as i64, bytes])?;
            }
            Ok(())
        })
    }

    /// Records one session of a sweep: its duration, tokens and threads.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn record_session(
        &mut self,
        run: RunId,
        elapsed_secs: f64,
        tokens: usize,
        threads: usize,
    ) -> Result<(), StoreError> {
        self.write(Some(run), |db| {
            db.execute(
                "INSERT INTO sittings (run, begun, elapsed_secs, tokens, threads)
                 VALUES (?1, strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-' || ?2 || ' seconds'), ?2, \
                 ?3, ?4)",
                params![run, elapsed_secs, tokens as i64, threads as i64],
            )?;
            Ok(())
        })
    }

    /// Deletes a run and all its texts.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn remove(&mut self, run: RunId) -> Result<(), StoreError> {
        // Rows of other tables are deleted with it (ON DELETE CASCADE). Free pages are returned
        // where that needs no copy of the file.
        self.write(Some(run), |db| {
            for table in ["tokens", "logits", "scores"] {
                db.execute(
                    &format!(
                        "DELETE FROM {table} WHERE sample IN (SELECT s.id FROM samples s JOIN \
                         cells c ON s.cell = c.id WHERE c.run = ?1)"
                    ),
                    [run],
                )?;
            }
            db.execute(
                "DELETE FROM samples WHERE cell IN (SELECT id FROM cells WHERE run = \
                ?1)",
                [run],
            )?;
            for table in ["cells", "chains", "prompts", "sittings"] {
                db.execute(&format!("DELETE FROM {table} WHERE run = ?1"), [run])?;
            }
            db.execute("DELETE FROM runs WHERE id = ?1", [run])?;
            Ok(())
        })
    }

    /// Runs `change` in one transaction, synced to disk when this returns. A run begun by this
    /// connection must still exist: its number may belong to another run by now.
    pub(super) fn write<T>(
        &mut self,
        run: Option<RunId>,
        change: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let path = &self.path;
        let explained = |error| StoreError::of(path, error);
        let db =
            self.db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(explained)?;
        if let Some((run, hash)) = run.and_then(|run| self.begun.get_key_value(&run)) {
            let found: Option<String> = db
                .prepare_cached("SELECT hash FROM runs WHERE id = ?1")
                .and_then(|mut query| query.query_row([run], |row| row.get(0)).optional())
                .map_err(explained)?;
            if found.as_ref() != Some(hash) {
                return Err(StoreError::Removed { path: path.clone(), run: *run });
            }
        }
        let done = change(&db).map_err(explained)?;
        db.commit().map_err(explained)?;
        Ok(done)
    }
}

/// Adds a sample unless it exists. Returns whether it is new.
fn put_sample(
    db: &Transaction<'_>,
    run: RunId,
    sample: &Sample,
    logits: &[RecordedLogits],
) -> rusqlite::Result<bool> {
    let finish = serde_json::to_value(sample.finish).expect("a name is always JSON");
    let (prompt, chain) = (sample.prompt as i64, sample.chain as i64);
    let json = |whole| serde_json::to_string(whole).expect("names and numbers are always JSON");
    let whole = sample.whole.as_ref().map(json);
    db.prepare_cached(
        "INSERT INTO cells (run, prompt, chain) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
    )?
    .execute(params![run, prompt, chain])?;
    let cell: i64 = db
        .prepare_cached("SELECT id FROM cells WHERE run = ?1 AND prompt = ?2 AND chain = ?3")?
        .query_row(params![run, prompt, chain], |row| row.get(0))?;
    let is_new =
        db.prepare_cached(
            "INSERT INTO samples (cell, sample, text, finish, n_tokens, judged_tokens, \
             judged_nats, whole)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            cell,
            sample.sample as i64,
            sample.text,
            finish.as_str(),
            sample.tokens.len() as i64,
            sample.judged.map(|judged| judged.tokens as i64),
            sample.judged.map(|judged| judged.nats),
            whole,
        ])? == 1;
    if is_new {
        let id = db.last_insert_rowid();
        put_tokens(db, id, &sample.tokens)?;
        put_logits(db, id, logits)?;
    }
    Ok(is_new)
}

fn put_logits(
    db: &Transaction<'_>,
    sample: i64,
    logits: &[RecordedLogits],
) -> rusqlite::Result<()> {
    let mut add = db.prepare_cached(
        "INSERT INTO logits (sample, pos, place, n_vocab, packed) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for (pos, RecordedLogits { place, n_vocab, packed }) in logits.iter().enumerate() {
        add.execute(params![sample, pos as i64, *place as i64, *n_vocab as i64, packed])?;
    }
    Ok(())
}

fn put_tokens(db: &Transaction<'_>, sample: i64, tokens: &[Token]) -> rusqlite::Result<()> {
    let mut add = db.prepare_cached(
        "INSERT INTO tokens (sample, pos, id, bytes, rank, logprob_raw, logprob_final, \
         entropy_raw, entropy_final, survivors,
         shift_width, shift_outside, heat_capacity, top) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, \
         ?9, ?10, ?11, ?12, ?13, ?14)",
    )?;
    for (pos, token) in tokens.iter().enumerate() {
        let top = (!token.top.is_empty())
            .then(|| serde_json::to_string(&token.top).expect("texts and numbers are JSON"));
        add.execute(params![
            sample,
            pos as i64,
            token.id,
            token.bytes,
            token.rank,
            token.surprisal.map(|nats| 0.0 - nats),
            token.surprisal_final.map(|nats| 0.0 - nats),
            token.entropy,
            token.entropy_final,
            token.survivors,
            token.shift.map(|shift| shift.width),
            token.shift.map(|shift| shift.outside),
            token.shift.map(|shift| shift.heat_capacity),
            top,
        ])?;
    }
    Ok(())
}
