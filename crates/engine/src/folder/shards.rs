//! The `*.safetensors` files of a folder: one, or several with an index. Headers are read and
//! checked here; the crate `safetensors` knows what a header says.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
};

use kelvin_kernels::format::Format;
use safetensors::{Dtype, tensor::Metadata};

use super::{
    error::{FolderError, wrong},
    json,
};

const ONE: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";
/// The largest mixtures of experts have some ten megabytes of header.
const MAX_HEADER: u64 = 64 << 20;
/// All files stay open, and a process may have some thousand open files.
const MAX_FILES: usize = 512;

/// One tensor of the files.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) name: String,
    /// Outermost dimension first.
    pub(super) shape: Vec<usize>,
    /// F32, F16 or BF16.
    pub(super) format: Format,
    /// Which file.
    file: usize,
    /// From the beginning of the file.
    offset: u64,
}

/// The open files and their tensors.
#[derive(Debug)]
pub(super) struct Shards {
    files: Vec<(PathBuf, File)>,
    pub(super) tensors: Vec<Stored>,
    by_name: HashMap<String, usize>,
}

#[derive(serde::Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

impl Shards {
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = PathBuf> {
        self.files.iter().map(|(path, _)| path.clone())
    }

    /// The name of the file that holds a tensor.
    pub(super) fn file_of(&self, tensor: &Stored) -> String {
        name_of(&self.files[tensor.file].0)
    }

    /// The numbers of some tensors that have one each.
    pub(super) fn numbers(&self, stored: &[usize]) -> Result<Vec<f32>, FolderError> {
        let number = |&i: &usize| {
            let tensor = &self.tensors[i];
            let (mut bytes, mut number) = (vec![0; tensor.format.block_bytes()], [0.0]);
            self.read(tensor, 0, &mut bytes).map_err(|error| FolderError {
                file: self.file_of(tensor),
                problem: format!("tensor {:?} can't be read: {error}", tensor.name),
            })?;
            tensor.format.dequantize(&bytes, &mut number);
            Ok(number[0])
        };
        stored.iter().map(number).collect()
    }

    /// Fills `out` with bytes of a tensor from byte `at` of it on.
    pub(super) fn read(&self, tensor: &Stored, at: usize, out: &mut [u8]) -> std::io::Result<()> {
        crate::gguf::read_at(&self.files[tensor.file].1, out, tensor.offset + at as u64)
    }
}

/// Opens all files that the folder's model consists of.
pub(super) fn open(folder: &Path) -> Result<Shards, FolderError> {
    let index: Option<Index> = json::read(folder, INDEX, json::MAX_CONFIG)?;
    let names = match &index {
        Some(index) => listed(folder, index)?,
        None if folder.join(ONE).exists() => vec![ONE.to_string()],
        None => return Err(no_weights(folder)),
    };
    let mut shards = Shards { files: Vec::new(), tensors: Vec::new(), by_name: HashMap::new() };
    for name in &names {
        shards.add(folder, name)?;
    }
    for (tensor, file) in index.iter().flat_map(|index| &index.weight_map) {
        let found = shards.find(tensor).map(|i| shards.file_of(&shards.tensors[i]));
        if found.as_ref() != Some(file) {
            let found =
                found.map_or("no file has it".to_string(), |found| format!("it is in {found}"));
            return wrong(INDEX, format!("says that {file} has tensor {tensor:?}, but {found}"));
        }
    }
    Ok(shards)
}

/// The files that an index names: names only, all of them there.
fn listed(folder: &Path, index: &Index) -> Result<Vec<String>, FolderError> {
    let names: BTreeSet<&String> = index.weight_map.values().collect();
    if names.is_empty() || names.len() > MAX_FILES {
        let problem = format!("names {} files, expected 1 to {MAX_FILES}", names.len());
        return wrong(INDEX, problem);
    }
    for name in &names {
        if name.contains(['/', '\\', ':']) || name.starts_with('.') {
            let problem = format!(
                "names the file {name:?}, expected names of files in the same folder without a path"
            );
            return wrong(INDEX, problem);
        }
        if !name.ends_with(".safetensors") {
            return wrong(INDEX, format!("names the file {name:?}, expected *.safetensors"));
        }
    }
    let missing: Vec<&str> =
        names.iter().filter(|name| !folder.join(name).exists()).map(|name| name.as_str()).collect();
    if !missing.is_empty() {
        let problem = format!(
            "names {} files, and {} of them {} missing: {}{}",
            names.len(),
            missing.len(),
            if missing.len() == 1 { "is" } else { "are" },
            missing[..missing.len().min(4)].join(", "),
            if missing.len() > 4 { ", …" } else { "" }
        );
        return wrong(INDEX, problem);
    }
    Ok(names.into_iter().cloned().collect())
}

/// Why a folder has no weights that can be read.
fn no_weights(folder: &Path) -> FolderError {
    let names: Vec<String> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .take(4096)
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    let ends = |endings: &[&str]| {
        names.iter().find(|name| endings.iter().any(|ending| name.ends_with(ending)))
    };
    let mut problem = format!("is missing in {}, and so is {INDEX}", folder.display());
    if let Some(pickle) = ends(&[".bin", ".pt", ".pth", ".ckpt"]) {
        problem += &format!(
            "; {pickle} is a pickle, which can run any code, so Kelvin never opens one: fetch the \
             model's *.safetensors"
        );
    } else if let Some(gguf) = ends(&[".gguf"]) {
        problem += &format!("; give {gguf} itself, which is a model by itself");
    } else if let Some(other) = ends(&[".safetensors"]) {
        problem += &format!("; {other} isn't the name of a whole model");
    }
    FolderError { file: ONE.to_string(), problem }
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

impl Shards {
    /// Reads and checks one file's header.
    fn add(&mut self, folder: &Path, name: &str) -> Result<(), FolderError> {
        let path = folder.join(name);
        let failed = |error: std::io::Error| FolderError {
            file: name.to_string(),
            problem: format!("can't be read: {error}"),
        };
        if !fs::metadata(&path).map_err(failed)?.is_file() {
            return wrong(name, "isn't a regular file");
        }
        let mut file = File::open(&path).map_err(failed)?;
        let len = file.metadata().map_err(failed)?.len();
        let mut length = [0; 8];
        if len < 8 {
            return wrong(name, format!("has {len} bytes, a safetensors file has 8 or more"));
        }
        file.read_exact(&mut length).map_err(failed)?;
        if length == *b"version " {
            return wrong(name, "is a Git LFS pointer: run `git lfs pull` in the repository");
        }
        let header_len = u64::from_le_bytes(length);
        if header_len > (len - 8).min(MAX_HEADER) {
            let problem = format!(
                "its header would have {header_len} bytes, but {} bytes follow, and {MAX_HEADER} \
                 are allowed",
                len - 8
            );
            return wrong(name, problem);
        }
        let mut header = vec![0; header_len as usize];
        file.read_exact(&mut header).map_err(failed)?;
        let header: Metadata = serde_json::from_slice(&header).map_err(|error| FolderError {
            file: name.to_string(),
            problem: format!(
                "its header isn't that of a safetensors file with tensors one after the other: \
                 {error}"
            ),
        })?;
        let data = 8 + header_len;
        if data + header.data_len() as u64 != len {
            let problem = format!(
                "its tensors take {} bytes, but {} bytes follow the header: the file is cut short \
                 or damaged, fetch it again",
                header.data_len(),
                len - data
            );
            return wrong(name, problem);
        }
        let number = self.files.len();
        self.files.push((path, file));
        for tensor in header.offset_keys() {
            let info = header.info(&tensor).expect("a key of the header itself");
            self.push(number, name, tensor, info, data)?;
        }
        Ok(())
    }

    fn push(
        &mut self,
        file: usize,
        file_name: &str,
        name: String,
        info: &safetensors::tensor::TensorInfo,
        data: u64,
    ) -> Result<(), FolderError> {
        let format = match info.dtype {
            Dtype::F32 => Format::F32,
            Dtype::F16 => Format::F16,
            Dtype::BF16 => Format::BF16,
            // Causal masks that old files keep beside their weights.
            Dtype::BOOL | Dtype::U8 if super::families::is_ignored(&name) => return Ok(()),
            other => {
                let problem = format!(
                    "tensor {name:?} has the type {other:?}, expected F32, F16 or BF16: use the \
                     model's unpacked weights or a GGUF file"
                );
                return wrong(file_name, problem);
            }
        };
        if info.shape.contains(&0) || info.shape.len() > 4 {
            let problem =
                format!("tensor {name:?} has the shape {:?}, expected at most 4 sizes", info.shape);
            return wrong(file_name, problem);
        }
        if let Some(&before) = self.by_name.get(&name) {
            let before = self.file_of(&self.tensors[before]);
            return wrong(file_name, format!("has tensor {name:?}, which {before} has as well"));
        }
        self.by_name.insert(name.clone(), self.tensors.len());
        self.tensors.push(Stored {
            name,
            // A number by itself has no sizes.
            shape: if info.shape.is_empty() { vec![1] } else { info.shape.clone() },
            format,
            file,
            offset: data + info.data_offsets.0 as u64,
        });
        Ok(())
    }
}
