//! The studio's menu of models: those of the catalogue and of the hub that are on this machine.

use std::{
    fs,
    net::IpAddr,
    path::{Path, PathBuf},
};

use kelvin_models::{catalogue, place};

use super::args::ServeArgs;
use crate::cli::shared::drafts::DraftFrom;

/// Folders below a repository that are looked into.
const DEEPEST: usize = 4;

/// A model of the menu: what it is called there, and what `--model` takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) name: String,
    pub(super) model: String,
}

/// Whether there is a menu. Others who share the server mustn't change its model; and a
/// calibration and a draft model belong to one model.
pub(super) fn is_offered(args: &ServeArgs, has_key: bool) -> bool {
    let is_local = args.host == "localhost"
        || args.host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    let is_alone = args.calibration.is_none() && matches!(args.drafts.draft, DraftFrom::Texts(_));
    (is_local || has_key) && is_alone
}

/// The models on this machine that can write, after the one that is served.
pub(super) fn choices(served: Choice) -> Vec<Choice> {
    let mut all = vec![served];
    let Ok(folder) = place::directory() else { return all };
    let named = catalogue::entries().iter().filter(|entry| !entry.embeds);
    let here = named.filter(|entry| place::named(&folder, entry).exists());
    let names = here.map(|entry| entry.name.clone());
    for name in names.chain(of_hub(&folder.join("hub"))) {
        if all.iter().all(|one| one.model != name && one.name != name) {
            all.push(Choice { model: name.clone(), name });
        }
    }
    all
}

/// Files that were fetched from the hub, as `owner/repo:file`. Of a split model the first part
/// names it.
fn of_hub(hub: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for owner in below(hub) {
        for repo in below(&owner) {
            let mut folders = vec![(repo.clone(), 0)];
            while let Some((folder, depth)) = folders.pop() {
                for path in below(&folder) {
                    if path.is_dir() && depth < DEEPEST {
                        folders.push((path, depth + 1));
                    } else if let Some(name) = reference(hub, &repo, &path) {
                        found.push(name);
                    }
                }
            }
        }
    }
    found.sort();
    found
}

fn reference(hub: &Path, repo: &Path, file: &Path) -> Option<String> {
    let (repo, name) = (repo.strip_prefix(hub).ok()?, file.strip_prefix(repo).ok()?);
    let name = name.to_str()?.replace('\\', "/");
    let is_later = name.rsplit_once("-of-").is_some_and(|(start, _)| !start.ends_with("-00001"));
    let is_model = name.ends_with(".gguf") && !name.contains("mmproj") && !is_later;
    is_model.then(|| Some(format!("{}:{name}", repo.to_str()?.replace('\\', "/")))).flatten()
}

/// What is in a folder.
fn below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_the_hub_are_named_as_they_are_asked_for() {
        let root = tempfile::tempdir().unwrap();
        for file in [
            "someone/model/weights.gguf",
            "someone/model/deep/other.gguf",
            "someone/split/big-00001-of-00003.gguf",
            "someone/split/big-00002-of-00003.gguf",
            "someone/model/notes.txt",
            "someone/model/mmproj-f16.gguf",
        ] {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        assert_eq!(
            of_hub(root.path()),
            [
                "someone/model:deep/other.gguf",
                "someone/model:weights.gguf",
                "someone/split:big-00001-of-00003.gguf"
            ]
        );
        assert!(of_hub(&root.path().join("nowhere")).is_empty());
    }
}
