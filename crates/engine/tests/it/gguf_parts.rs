//! Split models: every part leads to the whole, which runs as one file does, and parts that are
//! missing or don't belong together are refused by name.

use std::{
    fs,
    path::{Path, PathBuf},
};

use kelvin_engine::{
    Engine,
    gguf::Gguf,
    transformer::{CacheFormat, ModelOptions},
};
use kelvin_testkit::tiny::{MISTRAL_LIKE, Meta, TinyModel};

use crate::reference::run::{ids, logits};

const N_PARTS: usize = 3;

/// A folder of its own, removed in the end.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("kelvin-parts-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn part(&self, i: usize) -> PathBuf {
        self.0.join(format!("tiny-{:05}-of-{N_PARTS:05}.gguf", i + 1))
    }

    /// Writes parts that `change` changed before.
    fn write(&self, change: impl FnOnce(&mut [TinyModel])) {
        let mut parts = split();
        change(&mut parts);
        for (i, part) in parts.iter().enumerate() {
            fs::rename(part.write_in(&self.0), self.part(i)).unwrap();
        }
    }
}

fn whole() -> TinyModel {
    TinyModel::new(&MISTRAL_LIKE).speaking()
}

/// As gguf-split cuts: the first part has the metadata, tensors follow in order.
fn split() -> Vec<TinyModel> {
    let model = whole();
    let (n, per_part) = (model.tensors.len(), model.tensors.len().div_ceil(N_PARTS));
    let chunks = model.tensors.chunks(per_part).enumerate();
    let parts = chunks.map(|(i, tensors)| {
        let mut metadata = if i == 0 { model.metadata.clone() } else { Vec::new() };
        for (key, value) in [("no", i), ("count", N_PARTS), ("tensors.count", n)] {
            metadata.push((format!("split.{key}"), Meta::U32(value as u32)));
        }
        TinyModel { metadata, tensors: tensors.to_vec() }
    });
    parts.collect()
}

fn set(part: &mut TinyModel, key: &str, value: Meta) {
    part.metadata.retain(|(found, _)| found != key);
    part.metadata.push((key.into(), value));
}

fn open(path: &Path) -> Engine {
    Engine::open(path, &ModelOptions { threads: 1, isa: None }, &mut |_, _| ()).unwrap()
}

#[test]
fn any_part_opens_the_whole() {
    let folder = Folder::new("any");
    folder.write(|_| ());
    let path = whole().write_in(&folder.0);
    let tokens = ids(&[1, 5, 9, 70, 33]);
    let expected = logits(&open(&path).model, &tokens, CacheFormat::F16, 5);
    let one = Gguf::open(&path).unwrap();
    for i in 0..N_PARTS {
        let gguf = Gguf::open(&folder.part(i)).unwrap();
        assert_eq!(gguf.paths().len(), N_PARTS);
        assert_eq!(gguf.tensors.len(), one.tensors.len());
        assert!(gguf.tensors.iter().any(|tensor| tensor.part == N_PARTS - 1));
        let sizes = (0..N_PARTS).map(|i| fs::metadata(folder.part(i)).unwrap().len());
        assert_eq!(gguf.file_len(), sizes.sum::<u64>());
        let engine = open(&folder.part(i));
        assert!(logits(&engine.model, &tokens, CacheFormat::F16, 5) == expected, "part {i}");
        let encode = |engine: &Engine| engine.tokenizer.encode("abc", true, false);
        assert_eq!(encode(&engine), encode(&open(&path)));
    }
}

/// Opening any part is refused in words that contain each of `words`.
fn refused(case: &str, change: impl FnOnce(&mut [TinyModel]), words: &[&str]) {
    let folder = Folder::new(case);
    folder.write(change);
    for i in [0, 2] {
        let error = Gguf::open(&folder.part(i)).unwrap_err().to_string();
        for word in words {
            assert!(error.contains(word), "{case}: {word:?} isn't in {error:?}");
        }
    }
}

#[test]
fn parts_that_disagree() {
    let count = |n| Meta::U32(n);
    refused("count", |parts| set(&mut parts[1], "split.count", count(4)), &["tiny-00002", "of 4"]);
    refused("no", |parts| set(&mut parts[1], "split.no", count(2)), &["tiny-00002", "part 3 of 3"]);
    refused(
        "tensors",
        |parts| parts.iter_mut().for_each(|p| set(p, "split.tensors.count", count(99))),
        &["split.tensors.count", "is 99", "tensors together"],
    );
    refused(
        "stated",
        |parts| set(&mut parts[1], "split.tensors.count", count(99)),
        &["tiny-00002", "\"split.tensors.count\" says 99"],
    );
    refused(
        "twice",
        |parts| {
            let tensor = parts[0].tensors[0].clone();
            parts[1].tensors[0] = tensor;
        },
        &["parts 1 and 2", "\"token_embd.weight\""],
    );
    refused(
        "key",
        |parts| set(&mut parts[1], "llama.block_count", count(9)),
        &["\"llama.block_count\" says 9 (u32)", "3 (u32) in the first"],
    );
    let own = Folder::new("own");
    own.write(|parts| set(&mut parts[2], "split.no", count(7)));
    let error = Gguf::open(&own.part(2)).unwrap_err().to_string();
    assert!(error.contains("part 8, but split.count has 3 parts"), "{error}");
    let many = Folder::new("many");
    many.write(|parts| set(&mut parts[0], "split.count", count(u32::MAX)));
    let error = Gguf::open(&many.part(0)).unwrap_err().to_string();
    assert!(error.contains("4294967295 parts, allowed: at most 512"), "{error}");
}

#[test]
fn parts_that_are_missing_or_broken() {
    let folder = Folder::new("missing");
    folder.write(|_| ());
    fs::remove_file(folder.part(1)).unwrap();
    for i in [0, 2] {
        let error = Gguf::open(&folder.part(i)).unwrap_err().to_string();
        for words in ["split into 3 files", "1 of them is missing", "tiny-00002-of-00003.gguf"] {
            assert!(error.contains(words), "{error}");
        }
    }
    fs::write(folder.part(1), b"GGUF").unwrap();
    let error = Gguf::open(&folder.part(0)).unwrap_err().to_string();
    assert!(error.starts_with("tiny-00002-of-00003.gguf: the file ends too early"), "{error}");

    let renamed = folder.0.join("renamed.gguf");
    fs::rename(folder.part(0), &renamed).unwrap();
    let error = Gguf::open(&renamed).unwrap_err().to_string();
    for words in ["part 1 of 3 of a split model", "\"renamed.gguf\"", "-00001-of-00003.gguf"] {
        assert!(error.contains(words), "{error}");
    }
}
