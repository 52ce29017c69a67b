//! Opens the file or the files of a GGUF model. llama.cpp's `gguf-split` cuts a model into parts
//! called `NAME-00001-of-0000N.gguf`: any part leads to the others, which lie beside it.
//!
//! The first part has the metadata. Every part has `split.no` (from 0), `split.count` and
//! `split.tensors.count` (of all parts together), and tensors of its own.

use std::{
    collections::HashMap,
    fs::File,
    path::{Path, PathBuf},
};

use super::{
    Gguf, TensorData, TensorInfo,
    error::GgufError,
    header,
    metadata::{self, Metadata},
    other_files,
    reader::{self, Reader},
    tensor,
    value::Value,
};

/// All parts stay open, and a process may have some thousand open files.
const MAX_PARTS: u32 = 512;
/// What a later part may say by itself, besides repeating the first one.
const OWN_KEYS: [&str; 2] = ["split.no", "general.alignment"];

/// One file whose header was read and checked.
#[derive(Debug)]
struct Opened {
    path: PathBuf,
    file: File,
    len: u64,
    version: u32,
    metadata: Metadata,
    tensors: Vec<TensorInfo>,
    header_memory: u64,
}

/// The files that tensors are read from, by `TensorInfo::part`.
#[derive(Debug)]
struct Files(Vec<File>);

impl TensorData for Files {
    fn read(
        &self,
        _: usize,
        info: &TensorInfo,
        at: usize,
        out: &mut [u8],
    ) -> Result<(), GgufError> {
        let offset = info.offset + at as u64;
        reader::read_at(&self.0[info.part], out, offset).map_err(|source| GgufError::Io {
            doing: format!(
                "can't read {} bytes of tensor {:?} at byte {offset}",
                out.len(),
                info.name
            ),
            source,
        })
    }
}

/// Opens a file and, if it is a part of a model, all other parts.
pub(super) fn open(path: &Path) -> Result<Gguf, GgufError> {
    let named = open_one(path)?;
    let (n_parts, part) = place_of(&named.metadata)?;
    if n_parts <= 1 {
        return join(vec![named]);
    }
    let paths = paths(path, n_parts, part)?;
    let missing: Vec<String> =
        paths.iter().filter(|path| !path.exists()).map(|path| name_of(path)).collect();
    if !missing.is_empty() {
        return Err(GgufError::Parts(format!(
            "the model is split into {n_parts} files, and {} of them {} missing beside {}: {}{}; \
             put all parts into one folder",
            missing.len(),
            if missing.len() == 1 { "is" } else { "are" },
            name_of(path),
            missing[..missing.len().min(4)].join(", "),
            if missing.len() > 4 { ", …" } else { "" },
        )));
    }
    let mut named = Some(named);
    let mut parts = Vec::with_capacity(paths.len());
    for (i, path) in paths.iter().enumerate() {
        let opened = if i as u32 == part { named.take() } else { None };
        parts.push(match opened {
            Some(opened) => opened,
            None => open_one(path)
                .map_err(|error| GgufError::InPart { file: name_of(path), error: error.into() })?,
        });
    }
    check(&parts, n_parts)?;
    join(parts)
}

/// Reads and checks one file's header.
fn open_one(path: &Path) -> Result<Opened, GgufError> {
    let failed = |source| GgufError::Io {
        doing: format!("can't open the model file {}", path.display()),
        source,
    };
    // Asked before opening, because opening a pipe waits for somebody to write into it.
    if !std::fs::metadata(path).map_err(failed)?.is_file() {
        return Err(failed(std::io::Error::other("it isn't a regular file")));
    }
    let file = File::open(path).map_err(failed)?;
    let len = file.metadata().map_err(failed)?.len();
    let mut first = [0; other_files::N_BYTES];
    let first = &mut first[..len.min(other_files::N_BYTES as u64) as usize];
    reader::read_at(&file, first, 0).map_err(failed)?;
    if let Some(what) = other_files::describe(first, len) {
        return Err(GgufError::OtherFile { what });
    }

    let mut reader = Reader::new(&file, len);
    let counts = header::read(&mut reader)?;
    let metadata = metadata::read(&mut reader, counts.n_entries)?;
    let alignment = header::alignment(&metadata)?;
    let tensors = tensor::read(&mut reader, counts.n_tensors, alignment)?;
    let header_memory = reader.held();
    let path = path.to_path_buf();
    Ok(Opened { path, file, len, version: counts.version, metadata, tensors, header_memory })
}

/// How many parts the model has, and which one this is, from 0. A whole file is part 0 of 1.
fn place_of(metadata: &Metadata) -> Result<(u32, u32), GgufError> {
    let n_parts = metadata.u32("split.count")?.unwrap_or(1).max(1);
    let part = metadata.u32("split.no")?.unwrap_or(0);
    if n_parts > MAX_PARTS {
        return Err(GgufError::Parts(format!(
            "split.count says that the model has {n_parts} parts, allowed: at most {MAX_PARTS}"
        )));
    }
    if part >= n_parts {
        return Err(GgufError::Parts(format!(
            "split.no says that the file is part {}, but split.count has {n_parts} parts",
            u64::from(part) + 1
        )));
    }
    Ok((n_parts, part))
}

/// Where all parts are, by the name of one.
fn paths(path: &Path, n_parts: u32, part: u32) -> Result<Vec<PathBuf>, GgufError> {
    let ending = |part: u32| format!("-{:05}-of-{n_parts:05}.gguf", part + 1);
    let name = name_of(path);
    let Some(start) = name.strip_suffix(&ending(part)) else {
        return Err(GgufError::Parts(format!(
            "the file is part {} of {n_parts} of a split model, but its name {name:?} doesn't end \
             in {:?}, so the other parts can't be found: give all parts their own names again",
            part + 1,
            ending(part)
        )));
    };
    Ok((0..n_parts).map(|part| path.with_file_name(format!("{start}{}", ending(part)))).collect())
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// Refuses parts that don't belong together.
fn check(parts: &[Opened], n_parts: u32) -> Result<(), GgufError> {
    let first = &parts[0];
    let differs = |part: &Opened, what: String| {
        Err(GgufError::Parts(format!(
            "{} and {} aren't parts of one model: {what}",
            name_of(&first.path),
            name_of(&part.path)
        )))
    };
    for (i, part) in parts.iter().enumerate() {
        let (n, no) = place_of(&part.metadata)?;
        if (n, no) != (n_parts, i as u32) {
            let what = format!(
                "the second one is part {} of {n} by its header, expected {} of {n_parts}",
                no + 1,
                i + 1
            );
            return differs(part, what);
        }
        for (key, value) in part.metadata.entries.iter().skip_while(|_| i == 0) {
            let expected = first.metadata.get(key);
            if !OWN_KEYS.contains(&key.as_str()) && expected != Some(value) {
                let expected = expected.map_or("nothing".to_string(), Value::describe);
                let what = format!(
                    "metadata key {key:?} says {} in the second one and {expected} in the first",
                    value.describe()
                );
                return differs(part, what);
            }
        }
    }
    let n_tensors: usize = parts.iter().map(|part| part.tensors.len()).sum();
    match first.metadata.u32("split.tensors.count")? {
        Some(stated) if stated as usize != n_tensors => Err(GgufError::Parts(format!(
            "the {n_parts} parts of the model have {n_tensors} tensors together, but \
             split.tensors.count in {} is {stated}",
            name_of(&first.path)
        ))),
        _ => Ok(()),
    }
}

/// One model of all parts, which are in order.
fn join(parts: Vec<Opened>) -> Result<Gguf, GgufError> {
    let mut tensors: Vec<TensorInfo> = Vec::new();
    let mut by_name = HashMap::with_capacity(parts.iter().map(|part| part.tensors.len()).sum());
    let (mut file_len, mut header_memory) = (0, 0);
    let (mut paths, mut files) = (Vec::new(), Vec::new());
    let (mut version, mut metadata) = (0, Metadata::default());
    for (i, part) in parts.into_iter().enumerate() {
        for tensor in part.tensors {
            if let Some(before) = by_name.insert(tensor.name.clone(), tensors.len()) {
                let before: &TensorInfo = &tensors[before];
                return Err(GgufError::Parts(format!(
                    "parts {} and {} of the split model both have a tensor {:?}, allowed: one",
                    before.part + 1,
                    i + 1,
                    tensor.name
                )));
            }
            tensors.push(TensorInfo { part: i, ..tensor });
        }
        if i == 0 {
            (version, metadata) = (part.version, part.metadata);
        }
        file_len += part.len;
        header_memory += part.header_memory;
        paths.push(part.path);
        files.push(part.file);
    }
    let data = Box::new(Files(files));
    Ok(Gguf { version, metadata, tensors, by_name, paths, file_len, header_memory, data })
}
