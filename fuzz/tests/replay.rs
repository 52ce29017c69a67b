//! Every seed of every corpus through its target, without libFuzzer.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::{fs, panic, path::Path};

use kelvin_fuzz::TARGETS;

/// A corpus of fewer seeds misses too much.
const FEWEST: usize = 24;

/// One test for all, since targets measure the memory of the whole process.
#[test]
fn seeds_break_no_promise() {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let mut broken = Vec::new();
    for target in TARGETS {
        let mut seeds: Vec<_> = fs::read_dir(corpora.join(target.corpus()))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        seeds.sort();
        assert!(seeds.len() >= FEWEST, "{}: {} seeds", target.name, seeds.len());
        for seed in seeds {
            let bytes = fs::read(&seed).unwrap();
            assert!(
                bytes.len() <= target.max_len,
                "{}: longer than {}",
                seed.display(),
                target.max_len
            );
            if panic::catch_unwind(|| target.run(&bytes)).is_err() {
                broken.push(seed);
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
    for folder in fs::read_dir(&corpora).unwrap() {
        let name = folder.unwrap().file_name();
        assert!(
            TARGETS.iter().any(|target| *name == *target.corpus()),
            "no target has the corpus {name:?}"
        );
    }
}
