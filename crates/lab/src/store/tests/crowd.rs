//! Several connections to one file at once, as several processes have them: all of them finish, and
//! none sees half of what another does.

use std::{
    collections::HashSet,
    sync::{
        Barrier,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use super::*;

/// Rounds of each test: a race that is lost once in some rounds is found.
const ROUNDS: usize = 40;
const CROWD: usize = 4;

/// Does `work` in several threads that begin together, and gives what came of each.
fn together<T: Send>(work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let barrier = Barrier::new(CROWD);
    thread::scope(|scope| {
        let (barrier, work) = (&barrier, &work);
        let one = |i| {
            scope.spawn(move || {
                barrier.wait();
                work(i)
            })
        };
        let threads: Vec<_> = (0..CROWD).map(one).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// One text of a recipe of its own, as a sweep would keep it.
fn small_sweep(path: &Path, seed: u64) -> Result<(), StoreError> {
    let mut store = Store::open(path)?;
    let run = store.begin(&Recipe { seed, ..recipe(1) }, &source(), "0.1.0")?;
    store.put(run, &sample(0, 0, 0))?;
    store.record_session(run, 1.0, 1, 1)
}

#[test]
fn a_fresh_file_is_made_once_and_everybody_finishes() {
    for _ in 0..ROUNDS {
        let (_folder, path) = fresh();
        for done in together(|i| small_sweep(&path, i as u64)) {
            done.unwrap();
        }
        let runs = Store::open_to_read(&path).unwrap().list().unwrap();
        assert_eq!(runs.len(), CROWD);
        assert!(runs.iter().all(|run| run.n_done == 1));
    }
}

#[test]
fn one_recipe_begun_by_several_is_one_run() {
    let (_folder, path) = fresh();
    together(|_| small_sweep(&path, 7).unwrap());
    let runs = Store::open_to_read(&path).unwrap().list().unwrap();
    assert_eq!((runs.len(), runs[0].n_done), (1, 1));
}

#[test]
fn an_older_file_is_brought_up_to_date_once() {
    for _ in 0..ROUNDS / 4 {
        let (_folder, path) = fresh();
        small_sweep(&path, 100).unwrap();
        let first = "DROP TABLE scores; ALTER TABLE runs DROP COLUMN embedder;
            ALTER TABLE samples DROP COLUMN embedding; ALTER TABLE samples DROP COLUMN whole;
            ALTER TABLE runs DROP COLUMN is_open;
            ALTER TABLE runs DROP COLUMN ask_metrics; ALTER TABLE runs DROP COLUMN ask_judge;
            PRAGMA user_version = 1; PRAGMA journal_mode = DELETE";
        Connection::open(&path).unwrap().execute_batch(first).unwrap();
        for done in together(|i| small_sweep(&path, i as u64)) {
            done.unwrap();
        }
        assert_eq!(Store::open_to_read(&path).unwrap().list().unwrap().len(), 1 + CROWD);
    }
}

/// What a reader sees of runs is whole, while runs come and go.
#[test]
fn readers_beside_writers_see_whole_runs() {
    let (_folder, path) = fresh();
    small_sweep(&path, 100).unwrap();
    let ended = AtomicBool::new(false);
    thread::scope(|scope| {
        let readers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut n_read = 0;
                    while !ended.load(Ordering::SeqCst) {
                        let store = Store::open_to_read(&path).unwrap();
                        for listed in store.list().unwrap() {
                            assert_eq!(listed.recipe.prompts.len(), 2);
                            // It may be gone by now, but then it is gone as a whole.
                            if let Ok(run) = store.load(listed.id) {
                                assert!(run.samples.iter().all(|one| !one.tokens.is_empty()));
                                n_read += 1;
                            }
                        }
                    }
                    n_read
                })
            })
            .collect();
        for seed in 0..ROUNDS as u64 {
            let mut store = Store::open(&path).unwrap();
            let run = store.begin(&Recipe { seed, ..recipe(1) }, &source(), "0.1.0").unwrap();
            store.put(run, &sample(0, 1, 0)).unwrap();
            store.remove(run).unwrap();
        }
        ended.store(true, Ordering::SeqCst);
        for reader in readers {
            assert!(reader.join().unwrap() > 0);
        }
    });
}

#[test]
fn a_run_that_was_removed_takes_no_texts_and_no_other_run_takes_them() {
    let (_folder, path) = fresh();
    let mut sweep = Store::open(&path).unwrap();
    let run = sweep.begin(&recipe(1), &source(), "0.1.0").unwrap();
    sweep.put(run, &sample(0, 0, 0)).unwrap();
    let mut other = Store::open(&path).unwrap();
    other.remove(run).unwrap();
    let said = sweep.put(run, &sample(0, 1, 0)).unwrap_err().to_string();
    assert!(
        said.starts_with("run 1 and its texts were removed from ")
            && said.contains("begins it anew"),
        "{said}"
    );
    // Its number is given out again.
    assert_eq!(other.begin(&Recipe { seed: 9, ..recipe(1) }, &source(), "0.1.0").unwrap(), run);
    for refused in
        [sweep.put(run, &sample(0, 1, 0)).map(drop), sweep.record_session(run, 1.0, 1, 1)]
    {
        assert!(matches!(refused, Err(StoreError::Removed { run: 1, .. })), "{refused:?}");
    }
    assert_eq!(other.present(run).unwrap(), HashSet::new());
    // The same recipe begun again is the same run again.
    let again = other.begin(&recipe(1), &source(), "0.1.0").unwrap();
    assert_ne!(again, run);
}

/// A writer that holds the file for a moment is waited for, from the change of the journal's mode
/// on.
#[test]
fn a_lock_is_waited_for() {
    let (folder, path) = fresh();
    fs::create_dir_all(folder.path().join("deep")).unwrap();
    let holder = Connection::open(&path).unwrap();
    holder.execute_batch("BEGIN EXCLUSIVE").unwrap();
    thread::scope(|scope| {
        let sweep = scope.spawn(|| small_sweep(&path, 1));
        thread::sleep(Duration::from_millis(300));
        holder.execute_batch("COMMIT").unwrap();
        sweep.join().unwrap().unwrap();
    });
}
