//! Rows finished in any blocks and any order give the bytes that one sweep gives, and a database
//! takes them in; files that aren't what they say are refused.

use std::{
    collections::HashSet,
    fs::{self, File},
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use kelvin_engine::{Engine, transformer::ModelOptions};
use kelvin_lab::{
    Recipe, Store,
    recipe::Draft,
    rows::{Finished, Imported, Job, Reader, RowWorker, Writer, export, import, sorted, write},
    run::{Sample, Source},
    sweep::{self, Progress},
    worker::{Local, Row},
};
use kelvin_testkit::tiny::{MISTRAL_LIKE, TinyModel};
use tempfile::TempDir;

struct Silent;

impl Progress for Silent {
    fn tokens(&mut self, _: usize) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn waits(&mut self, _: &str) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn stored(&mut self, _: &Sample) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

fn engine() -> Engine {
    let path = TinyModel::new(&MISTRAL_LIKE).speaking().write();
    let options = ModelOptions { threads: 2, isa: None };
    let engine = Engine::open(&path, &options, &mut |_, _| {}).unwrap();
    fs::remove_file(path).unwrap();
    engine
}

fn recipe(samples: usize) -> Recipe {
    let draft = Draft {
        model: Some("tiny".into()),
        prompts: vec!["abc".into(), "the quick brown fox".into(), "once".into()],
        temp: Some("0.7,1.5".into()),
        samples: Some(samples),
        max_tokens: Some(9),
        record: vec!["shift".into(), "logits=5".into()],
        metrics: vec!["vendi".into()],
        ..Draft::default()
    };
    draft.resolve().unwrap()
}

fn source() -> Source {
    Source::Local { model: "tiny".into(), sha256: "ab".into() }
}

fn job() -> Job {
    Job::new(recipe(5), source())
}

fn finish(worker: &mut RowWorker<&Engine>, ids: &[usize]) -> Vec<Finished> {
    let rows: Vec<Row> = ids.iter().map(|&id| worker.job().row(id).unwrap()).collect();
    worker.finish(&rows, &mut |_| ControlFlow::Continue(())).unwrap()
}

fn store(folder: &TempDir, name: &str) -> Store {
    Store::open(&folder.path().join(name)).unwrap()
}

/// The file of the same table as one sweep makes it.
fn swept(engine: &Engine, folder: &TempDir) -> Vec<u8> {
    let recipe = recipe(5);
    let read = |text: &str| recipe.framing.read_for_recipe(engine, text).unwrap().tokens;
    let prompts = recipe.prompts.iter().map(|prompt| read(&prompt.text)).collect();
    let mut worker = Local::new(engine, source(), prompts, None, 4).unwrap();
    let mut store = store(folder, "swept.db");
    let run = store.begin(&recipe, &source(), "test").unwrap();
    sweep::sweep(&recipe, run, &mut store, &mut worker, &mut Silent).unwrap();
    export(&store, run, Vec::new()).unwrap()
}

/// A folder of rows as a cluster leaves it: the job and one file for each block.
fn parts(folder: &TempDir, job: &Job, blocks: &[Vec<Finished>]) -> PathBuf {
    let parts = folder.path().join("parts");
    fs::create_dir_all(&parts).unwrap();
    fs::write(parts.join("job.json"), job.to_json()).unwrap();
    for (i, block) in blocks.iter().enumerate() {
        let file = File::create(parts.join(format!("{i}.parquet"))).unwrap();
        write(file, job, block, false).unwrap();
    }
    parts
}

#[test]
fn any_blocks_in_any_order_give_the_bytes_of_one_sweep() {
    let (engine, job, folder) = (engine(), job(), tempfile::tempdir().unwrap());
    let expected = swept(&engine, &folder);
    let mut blocks = job.blocks(&HashSet::new(), 7);
    blocks.reverse();
    let width = |i: usize| [1, 3, 16][i % 3];
    let finished: Vec<Vec<Finished>> = blocks
        .iter()
        .enumerate()
        .map(|(i, ids)| finish(&mut RowWorker::new(&engine, job.clone(), width(i)), ids))
        .collect();
    // A block that came twice, as after a lost worker, changes nothing.
    let twice = [finished.concat(), finished[1].clone()].concat();
    let all = sorted(&job, twice).unwrap();
    assert!(write(Vec::new(), &job, &all, true).unwrap() == expected);
    assert!(write(Vec::new(), &job, &finished.concat(), true).is_err(), "not sorted");
    // A database that took the blocks in has all that the sweep's has.
    let mut store = store(&folder, "taken.db");
    let folder_of_parts = parts(&folder, &job, &finished);
    let imported = import(&mut store, &folder_of_parts, "test").unwrap();
    let run = imported.run;
    let whole =
        Imported { run, n_new: 30, n_known: 0, n_missing: 0, n_errors: 0, first_error: None };
    assert_eq!(imported, whole);
    assert!(export(&store, run, Vec::new()).unwrap() == expected);
    assert_eq!(store.show(run).unwrap().recipe.evaluation, recipe(5).evaluation);
    // The whole table knows its job, and the database knows its rows already.
    let alone = folder.path().join("rows.parquet");
    fs::write(&alone, &expected).unwrap();
    let again = import(&mut store, &alone, "test").unwrap();
    assert_eq!(again, Imported { n_new: 0, n_known: 30, ..whole });
}

#[test]
fn blocks_keep_prompts_together_and_leave_out_what_is_done() {
    let job = job();
    assert_eq!(job.n_rows(), 30);
    for id in 0..30 {
        assert_eq!(job.id(job.row(id).unwrap()), Some(id));
    }
    assert_eq!(job.row(30), None);
    let sizes = |done: &[usize], size| -> Vec<usize> {
        let done = done.iter().copied().collect();
        job.blocks(&done, size).iter().map(Vec::len).collect()
    };
    assert_eq!(sizes(&[], 25), [20, 10]);
    assert_eq!(sizes(&[], 4), [4, 4, 2, 4, 4, 2, 4, 4, 2]);
    assert_eq!(sizes(&(0..25).collect::<Vec<_>>(), 4), [4, 1]);
    assert!(sizes(&(0..30).collect::<Vec<_>>(), 4).is_empty());
    let all: HashSet<usize> = job.blocks(&HashSet::new(), 7).concat().into_iter().collect();
    assert_eq!(all.len(), 30);
}

#[test]
fn a_prompt_that_cannot_be_continued_is_a_value_of_its_rows() {
    let engine = engine();
    let mut recipe = recipe(1);
    recipe.prompts[1].text = "x".repeat(1000);
    let job = Job::new(recipe, source());
    let finished = finish(&mut RowWorker::new(&engine, job.clone(), 4), &[0, 1, 2, 3, 4, 5]);
    let error = finished[2].outcome.as_ref().unwrap_err();
    assert!(error.contains("tokens, but the context has room for"), "{error}");
    assert_eq!(finished.iter().filter(|row| row.outcome.is_ok()).count(), 4);
    let (folder, file) = (tempfile::tempdir().unwrap(), "rows.parquet");
    let path = folder.path().join(file);
    write(File::create(&path).unwrap(), &job, &finished, true).unwrap();
    let imported = import(&mut store(&folder, "a.db"), &path, "test").unwrap();
    assert_eq!((imported.n_new, imported.n_missing, imported.n_errors), (4, 2, 2));
    assert!(imported.first_error.unwrap().starts_with("prompt 2, chain 1, sample 0: "));
}

#[test]
fn a_job_is_read_as_it_was_written_and_only_so() {
    let job = job();
    let json = job.to_json();
    assert_eq!(Job::read(&json).unwrap(), job);
    let refused = |json: &str, said: &str| {
        let error = Job::read(json).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    };
    refused(&json.replace("\"rows\":1", "\"rows\":2"), "its version is 2");
    refused(&json.replace("\"samples\":5", "\"samples\":0"), "its table has 0 rows");
    refused(&json.replace("once", "twice"), "its hash is");
    refused(&json.replace("\"sha256\":\"ab\"", "\"sha256\":\"cd\""), "its hash is");
    refused(&json[..json.len() - 1], "EOF");
    let server = Draft {
        server: Some("http://localhost/v1".into()),
        model: Some("m".into()),
        prompts: vec!["x".into()],
        ..Draft::default()
    };
    let error = Job::of_unknown_file(server.resolve().unwrap()).unwrap_err().to_string();
    assert!(error.contains("rows are made with a model"), "{error}");
}

#[test]
fn files_that_are_not_what_they_say_are_refused() {
    let (engine, job, folder) = (engine(), job(), tempfile::tempdir().unwrap());
    let finished = finish(&mut RowWorker::new(&engine, job.clone(), 4), &[0, 1, 7]);
    let mut store = store(&folder, "a.db");
    let mut refused = |path: &Path, said: &str| {
        let error = import(&mut store, path, "test").unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    };
    let path = folder.path().join("x.parquet");
    let good = write(Vec::new(), &job, &finished, true).unwrap();
    for cut in [0, 3, good.len() / 2, good.len() - 1] {
        fs::write(&path, &good[..cut]).unwrap();
        refused(&path, "isn't a Parquet file");
    }
    fs::write(&path, write(Vec::new(), &job, &finished, false).unwrap()).unwrap();
    refused(&path, "it is a part of a table; give the folder");
    refused(&folder.path().join("none"), "can't be read");
    let empty = tempfile::tempdir().unwrap();
    refused(empty.path(), "job.json");
    fs::write(empty.path().join("job.json"), job.to_json()).unwrap();
    refused(empty.path(), "no file of rows");
    // Rows of another recipe, and rows that the recipe hasn't.
    let others = parts(
        &folder,
        &Job::new(recipe(5), Source::Local { model: "tiny".into(), sha256: "cd".into() }),
        std::slice::from_ref(&finished),
    );
    fs::write(others.join("job.json"), job.to_json()).unwrap();
    refused(&others, "its rows are of the recipe");
    let outside = |change: &dyn Fn(&mut Finished)| {
        let mut row = finished[0].clone();
        change(&mut row);
        let mut writer = Writer::new(Vec::new(), &job, true).unwrap();
        writer.push(row).unwrap();
        writer.end().unwrap()
    };
    fs::write(&path, outside(&|row| row.row.sample = 5)).unwrap();
    refused(&path, "the recipe has no prompt 1, chain 1, sample 5");
    let longer = |n: usize| {
        outside(&move |row| {
            let sample = &mut row.outcome.as_mut().unwrap().0;
            sample.tokens = vec![sample.tokens[0].clone(); n];
        })
    };
    fs::write(&path, longer(10)).unwrap();
    refused(&path, "has 10 tokens, where the recipe allows 9");
    // Far more of them aren't even read.
    fs::write(&path, longer(1000)).unwrap();
    refused(&path, "a column has more items than its rows can have");
    assert!(store.list().unwrap().iter().all(|run| run.n_done == 0));
    // One row, two texts: somebody's model isn't the job's.
    let mut other = finished.clone();
    other[0].outcome.as_mut().unwrap().0.text.push('!');
    let both = [finished.clone(), other].concat();
    let error = sorted(&job, both).unwrap_err().to_string();
    assert!(
        error.contains("prompt 1, chain 1, sample 0 came twice with different texts"),
        "{error}"
    );
}

#[test]
fn a_file_holds_the_rows() {
    let (engine, job) = (engine(), job());
    let finished = finish(&mut RowWorker::new(&engine, job.clone(), 4), &[3, 4, 12, 29]);
    let bytes = write(Vec::new(), &job, &finished, true).unwrap();
    let reader = Reader::of_bytes(bytes, "it").unwrap();
    assert_eq!((reader.hash.clone(), reader.n_rows), (job.hash().to_string(), 4));
    let read: Vec<Finished> = reader.rows(&job).unwrap().flat_map(Result::unwrap).collect();
    assert_eq!(read, finished);
}
