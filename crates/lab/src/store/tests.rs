//! What is put into a store comes out of it, and whatever goes wrong with its file is said.

mod crowd;

use std::{fs, path::PathBuf};

use kelvin_sampling::Shift;
use tempfile::TempDir;

use super::*;
use crate::{
    Recipe,
    recipe::{Draft, Evaluation},
    run::{Finish, Judged, Sample, Source, Token},
    text_quality::{OfMethod, TextQuality},
};

fn recipe(samples: usize) -> Recipe {
    let draft = Draft {
        prompts: vec!["a".into(), "नेपाल\n".into()],
        temp: Some("0,1".into()),
        samples: Some(samples),
        ..Draft::default()
    };
    draft.resolve().unwrap()
}

fn source() -> Source {
    Source::Local { model: "tiny".into(), sha256: "ab".into() }
}

fn sample(prompt: usize, chain: usize, number: usize) -> Sample {
    let token = |id: u32| Token {
        id: Some(id),
        bytes: vec![0xE0, id as u8],
        rank: Some(3),
        surprisal: Some(0.0),
        surprisal_final: Some(0.1 + f64::from(id)),
        entropy: Some(1e-300),
        entropy_final: Some(2.5),
        survivors: Some(49152),
        shift: (id == 1).then_some(Shift { width: 7, outside: 0.25, heat_capacity: 1.5 }),
        top: if id == 2 { vec![("a\"b".into(), -0.5), ("c".into(), -2.25)] } else { Vec::new() },
    };
    Sample {
        prompt,
        chain,
        sample: number,
        text: format!("text {prompt} {chain} {number} \u{0} é"),
        finish: Finish::StopString,
        tokens: (0..number as u32 + 1).map(token).collect(),
        judged: (number == 1).then_some(Judged { tokens: 4, nats: 9.75 }),
        embedding: None,
        whole: None,
    }
}

fn fresh() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/runs.db");
    (folder, path)
}

#[test]
fn what_is_put_in_comes_out_in_order_and_once() {
    let (_folder, path) = fresh();
    let mut store = Store::open(&path).unwrap();
    let run = store.begin(&recipe(2), &source(), "0.1.0").unwrap();
    assert_eq!(store.begin(&recipe(1), &source(), "0.2.0").unwrap(), run);
    for (p, c, s) in [(1, 0, 1), (0, 1, 1), (0, 1, 0)] {
        assert!(store.put(run, &sample(p, c, s)).unwrap());
    }
    let other = Sample { text: "another".into(), ..sample(0, 1, 0) };
    assert!(!store.put(run, &other).unwrap());
    let judge = |model: &str| Source::Local { model: model.into(), sha256: "ef".into() };
    store.judge(run, &judge("other"), &[(0, 1, 1, Judged { tokens: 9, nats: 9.5 })]).unwrap();
    store.judge(run, &judge("gemma3"), &[(0, 1, 0, Judged { tokens: 2, nats: 3.5 })]).unwrap();
    store.embed(run, "aa", &[(0, 1, 1, vec![9.0, 9.0])]).unwrap();
    store.embed(run, "bb", &[(0, 1, 0, vec![0.6, -0.8])]).unwrap();
    store.embed(run, "bb", &[(1, 0, 1, vec![0.1, 1e-38])]).unwrap();
    store.record_session(run, 1.5, 30, 2).unwrap();
    drop(store);

    let store = Store::open_to_read(&path).unwrap();
    let loaded = store.load(run).unwrap();
    let embedding = Some(vec![0.6, -0.8]);
    let judged =
        Sample { judged: Some(Judged { tokens: 2, nats: 3.5 }), embedding, ..sample(0, 1, 0) };
    // The judge that came later counts alone, and so does the later embedder.
    let unjudged = |p, c, s| Sample { judged: None, ..sample(p, c, s) };
    let placed = Sample { embedding: Some(vec![0.1, 1e-38]), ..unjudged(1, 0, 1) };
    assert_eq!(loaded.samples, [judged, unjudged(0, 1, 1), placed]);
    assert_eq!(loaded.judge, Some(judge("gemma3")));
    assert_eq!((loaded.n_samples, loaded.prompts.len(), loaded.chains.len()), (2, 2, 2));
    assert!(
        !loaded.is_whole() && loaded.source == source() && loaded.hash == recipe(2).hash(&source())
    );
    assert!(loaded.samples[0].tokens[0].surprisal.unwrap().is_sign_positive());
    let listed = &store.list().unwrap()[0];
    assert_eq!((listed.n_done, listed.n_tokens, listed.recipe.samples), (3, 5, 2));
    assert_eq!(
        (listed.n_judged, listed.n_embedded, listed.embedder.as_deref()),
        (1, 2, Some("bb"))
    );
    assert_eq!(listed.version, "0.1.0");
    assert_eq!(store.present(run).unwrap().len(), 3);
    let sessions = store.sessions_of(&source()).unwrap();
    assert_eq!((sessions.len(), sessions[0].tokens, sessions[0].threads), (1, 30, 2));
}

#[test]
fn figures_come_out_bit_for_bit() {
    let (_folder, path) = fresh();
    let mut store = Store::open(&path).unwrap();
    let run = store.begin(&recipe(1), &source(), "0.1.0").unwrap();
    let mut seventeen_digits = (1..).map(|i| (f64::from(i) * 0.618_033_988_749_894_9).fract().ln());
    let mut next = || seventeen_digits.next().unwrap();
    let mut put = sample(0, 0, 40);
    put.judged = Some(Judged { tokens: 3, nats: next() });
    for token in &mut put.tokens {
        token.surprisal = Some(next().abs());
        token.entropy = Some(next());
        token.top = (0..20).map(|_| ("a".to_string(), next())).collect();
    }
    put.whole = Some(TextQuality {
        of_method: OfMethod::Mcmc {
            moves: 3,
            accepted: 2,
            acceptance: next(),
            autocorrelation: Some(next()),
            autocorrelation_time: Some(next()),
        },
        energy: Some(next()),
        tokens_read: 7,
    });
    // Unjudged as it is put: a judge comes later.
    let judged = put.judged.take().unwrap();
    store.put(run, &put).unwrap();
    store.judge(run, &source(), &[(0, 0, 40, judged)]).unwrap();
    store.put_scores(run, "d", &[(0, 0, 40, Ok(judged.nats))]).unwrap();
    drop(store);
    let store = Store::open_to_read(&path).unwrap();
    assert_eq!(store.load(run).unwrap().samples, [Sample { judged: Some(judged), ..put }]);
    assert_eq!(store.scores(run, "d").unwrap()[&(0, 0, 40)], Ok(judged.nats));
}

#[test]
fn runs_have_names_and_can_be_removed() {
    let (_folder, path) = fresh();
    let mut store = Store::open(&path).unwrap();
    assert!(store.find("last").unwrap_err().to_string().contains("has no runs"));
    let first = store.begin(&recipe(1), &source(), "0.1.0").unwrap();
    let second = store.begin(&Recipe { seed: 9, ..recipe(1) }, &source(), "0.1.0").unwrap();
    store.put(first, &sample(0, 0, 0)).unwrap();
    store.put(second, &sample(0, 0, 0)).unwrap();
    let hash = recipe(1).hash(&source());
    for name in ["1", &hash, &hash[..6]] {
        assert_eq!(store.find(name).unwrap(), first, "{name}");
    }
    assert_eq!(store.find("last").unwrap(), second);
    for name in ["3", &hash[..3], "xyzw", ""] {
        assert!(store.find(name).unwrap_err().to_string().contains("there is no run"), "{name}");
    }
    store.remove(first).unwrap();
    let left = |table: &str| -> i64 {
        store.db.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    };
    assert_eq!(
        ["runs", "prompts", "chains", "cells", "samples", "tokens"].map(left),
        [1, 2, 2, 1, 1, 1]
    );
    assert_eq!(store.load(second).unwrap().samples, [sample(0, 0, 0)]);
}

#[test]
fn a_full_disk_is_said_and_work_goes_on_after_room_is_made() {
    let (_folder, path) = fresh();
    let mut store = Store::open(&path).unwrap();
    let run = store.begin(&recipe(500), &source(), "0.1.0").unwrap();
    let pages: i64 = store.db.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
    let limit = |store: &Store, pages: i64| {
        store.db.execute_batch(&format!("PRAGMA max_page_count = {pages}")).unwrap()
    };
    limit(&store, pages + 4);
    let mut kept = Vec::new();
    let refused = loop {
        let next = sample(0, 0, kept.len());
        match store.put(run, &next) {
            Ok(_) => kept.push(next),
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, StoreError::Full { .. }), "{refused}");
    assert!(
        refused.to_string().contains("free some space and run the same command again"),
        "{refused}"
    );
    assert!(kept.len() > 3, "only {} samples had room", kept.len());
    assert_eq!(store.load(run).unwrap().samples, kept);
    limit(&store, pages + 400);
    kept.push(sample(0, 0, kept.len()));
    assert!(store.put(run, kept.last().unwrap()).unwrap());
    assert_eq!(store.load(run).unwrap().samples, kept);
}

/// The file beside the database, through which its users see each other, finds no room either.
#[test]
fn a_disk_that_is_full_from_the_start_is_no_riddle() {
    let failed = |code| {
        let error = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None);
        StoreError::of("runs.db".as_ref(), error)
    };
    assert!(matches!(failed(rusqlite::ffi::SQLITE_IOERR_SHMSIZE), StoreError::Full { .. }));
    let said = failed(rusqlite::ffi::SQLITE_IOERR_READ).to_string();
    assert!(said.starts_with("runs.db: it can't be read or written"), "{said}");
}

#[test]
fn files_that_are_no_database_of_runs() {
    let (folder, path) = fresh();
    let said = |opened: Result<Store, StoreError>| opened.unwrap_err().to_string();
    assert!(said(Store::open_to_read(&path)).contains("doesn't exist"));
    let text = folder.path().join("text");
    fs::write(&text, "not a database, but long enough to be taken for one by its size alone")
        .unwrap();
    assert!(said(Store::open(&text)).contains("isn't a database of Kelvin's runs"));
    assert!(said(Store::open_to_read(&text)).contains("isn't a database of Kelvin's runs"));
    let empty = folder.path().join("empty");
    fs::write(&empty, "").unwrap();
    assert!(said(Store::open_to_read(&empty)).contains("it is empty"));
    let foreign = folder.path().join("foreign.db");
    Connection::open(&foreign).unwrap().execute_batch("CREATE TABLE songs (name)").unwrap();
    assert!(said(Store::open(&foreign)).contains("a database of another program"));
    assert!(said(Store::open(&text.join("runs.db"))).contains("can't write"));
    // Even root can't make a file there.
    let nowhere = if cfg!(target_os = "linux") { "/proc/runs.db" } else { "/dev/null/runs.db" };
    assert!(said(Store::open(Path::new(nowhere))).contains("can't write"));
}

#[test]
fn what_a_recipe_asks_for_is_kept_and_where_a_later_one_is_silent_it_stays() {
    let (_folder, path) = fresh();
    let mut store = Store::open(&path).unwrap();
    let mut asks = |metrics: &[&str], judge: Option<&str>| {
        let metrics = metrics.iter().map(|name| name.to_string()).collect();
        let evaluation = Evaluation { metrics, judge: judge.map(String::from) };
        let run = store.begin(&Recipe { evaluation, ..recipe(1) }, &source(), "0.1.0").unwrap();
        let Evaluation { metrics, judge } = store.show(run).unwrap().recipe.evaluation;
        (run, metrics.join(","), judge)
    };
    assert_eq!(asks(&[], None), (1, String::new(), None));
    assert_eq!(asks(&["vendi", "loops"], None), (1, "vendi,loops".into(), None));
    assert_eq!(asks(&[], Some("gemma3")), (1, "vendi,loops".into(), Some("gemma3".into())));
    assert_eq!(asks(&["all"], Some("none")), (1, "all".into(), Some("none".into())));
}

#[test]
fn an_older_file_can_be_read_as_it_is_and_is_brought_up_to_date_when_it_is_written() {
    let (_folder, path) = fresh();
    let mut store = Store::open(&path).unwrap();
    let run = store.begin(&recipe(2), &source(), "0.1.0").unwrap();
    store.put(run, &sample(0, 1, 1)).unwrap();
    drop(store);
    let first = "DROP TABLE scores; ALTER TABLE runs DROP COLUMN embedder; ALTER TABLE samples DROP COLUMN embedding;
        ALTER TABLE samples DROP COLUMN whole; ALTER TABLE runs DROP COLUMN is_open;
        ALTER TABLE runs DROP COLUMN ask_metrics; ALTER TABLE runs DROP COLUMN ask_judge; PRAGMA \
        user_version = 1";
    Connection::open(&path).unwrap().execute_batch(first).unwrap();
    let version = || -> i64 {
        let db = Connection::open(&path).unwrap();
        db.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap()
    };

    let store = Store::open_to_read(&path).unwrap();
    assert_eq!(store.load(run).unwrap().samples, [sample(0, 1, 1)]);
    assert_eq!(store.find("last").unwrap(), run);
    assert_eq!(
        (&store.list().unwrap()[0].recipe.evaluation, version()),
        (&Evaluation::default(), 1)
    );
    drop(store);

    let mut store = Store::open(&path).unwrap();
    let evaluation = Evaluation { metrics: vec!["vendi".into()], judge: None };
    let again = store
        .begin(&Recipe { evaluation: evaluation.clone(), ..recipe(2) }, &source(), "0.2.0")
        .unwrap();
    assert_eq!((again, version()), (run, SCHEMA));
    assert_eq!(store.show(run).unwrap().recipe.evaluation, evaluation);
    assert_eq!(store.load(run).unwrap().samples, [sample(0, 1, 1)]);
}

#[test]
fn a_round_of_a_search_that_was_stopped_isnt_the_last_run() {
    let (_folder, path) = fresh();
    let mut store = Store::open(&path).unwrap();
    let at = |seed: u64| Recipe { seed, ..recipe(1) };
    let round = store.begin_round(&at(1), &source(), "0.1.0").unwrap();
    let said = store.find("last").unwrap_err().to_string();
    assert!(said.contains("rounds of a search that was stopped"), "{said}");
    assert_eq!(store.find(&round.to_string()).unwrap(), round);
    let swept = store.begin(&at(2), &source(), "0.1.0").unwrap();
    let next = store.begin_round(&at(3), &source(), "0.1.0").unwrap();
    // A run that was swept before stays one.
    assert_eq!(store.begin_round(&at(2), &source(), "0.1.0").unwrap(), swept);
    assert_eq!(store.find("last").unwrap(), swept);
    // Swept by itself, or with the whole search, a round is a run.
    store.begin(&at(3), &source(), "0.1.0").unwrap();
    assert_eq!(store.find("last").unwrap(), next);
    let last = store.begin_round(&at(4), &source(), "0.1.0").unwrap();
    assert_eq!(store.find("last").unwrap(), next);
    store.close_rounds(&[round, last]).unwrap();
    assert_eq!(store.find("last").unwrap(), last);
}

#[test]
fn a_newer_schema_is_refused_by_name() {
    let (_folder, path) = fresh();
    drop(Store::open(&path).unwrap());
    Connection::open(&path)
        .unwrap()
        .execute_batch(&format!("PRAGMA user_version = {}", SCHEMA + 1))
        .unwrap();
    for opened in [Store::open(&path), Store::open_to_read(&path)] {
        let said = opened.unwrap_err().to_string();
        let words =
            format!("newer version of Kelvin (schema {}, this one knows {SCHEMA})", SCHEMA + 1);
        assert!(said.contains(&words), "{said}");
    }
}

#[test]
fn commits_are_synced() {
    let (_folder, path) = fresh();
    let store = Store::open(&path).unwrap();
    let pragma = |name: &str| -> String {
        store
            .db
            .query_row(&format!("SELECT * FROM pragma_{name}"), [], |row| {
                row.get::<_, rusqlite::types::Value>(0)
            })
            .map(|value| format!("{value:?}"))
            .unwrap()
    };
    assert_eq!(pragma("synchronous"), "Integer(2)");
    assert_eq!(pragma("journal_mode"), "Text(\"wal\")");
}
