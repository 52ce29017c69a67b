//! Licence texts of dependencies as one text file. Equal texts are printed once.

use std::{collections::BTreeMap, fmt::Write, fs, path::Path};

use anyhow::{Context, Result};

use crate::dependencies::Dependency;

/// Beginnings of the names of files that hold a licence, in capitals.
const NAMES: [&str; 6] = ["LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE", "UNLICENSE"];

/// A list of the dependencies with their licences, and below it each licence text with the crates
/// that ship it.
///
/// # Errors
/// If a dependency's folder, or a licence in it, can't be read.
pub fn text(dependencies: &[Dependency]) -> Result<String> {
    let mut page = String::from(
        "Kelvin contains the crates below. Licences are SPDX expressions; their texts follow.\n\n",
    );
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for dependency in dependencies {
        let Dependency { name, version, license, .. } = dependency;
        let license = if license.is_empty() { "see its licence text" } else { license };
        let found =
            files(&dependency.folder).with_context(|| format!("licences of {name} {version}"))?;
        _ = write!(page, "{name} {version}: {license}");
        if found.is_empty() {
            let authors = match &dependency.authors[..] {
                [] => String::new(),
                authors => format!("; by {}", authors.join(", ")),
            };
            _ = write!(page, " (the crate ships no licence text{authors})");
        }
        page.push('\n');
        for text in found {
            texts.entry(text).or_default().push(format!("{name} {version}"));
        }
    }
    let mut texts: Vec<(String, Vec<String>)> = texts.into_iter().collect();
    texts.sort_by(|a, b| a.1.cmp(&b.1));
    for (text, users) in texts {
        _ = write!(page, "\n{:=<80}\n{}\n{:=<80}\n\n{text}\n", "", users.join(", "), "");
    }
    Ok(page)
}

/// The licence texts in a folder, in order of their files' names.
fn files(folder: &Path) -> Result<Vec<String>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().to_uppercase();
        if NAMES.iter().any(|start| name.starts_with(start)) && entry.path().is_file() {
            paths.push(entry.path());
        }
    }
    paths.sort();
    let read = |path: &std::path::PathBuf| {
        let bytes = fs::read(path).with_context(|| path.display().to_string())?;
        let text = String::from_utf8_lossy(&bytes).replace("\r\n", "\n");
        Ok(text.trim_matches('\n').to_string())
    };
    paths.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_are_printed_once() {
        let root = tempfile::tempdir().unwrap();
        let dependency = |name: &str, files: &[(&str, &str)]| {
            let folder = root.path().join(name);
            fs::create_dir(&folder).unwrap();
            for (file, text) in files {
                fs::write(folder.join(file), text).unwrap();
            }
            Dependency {
                name: name.to_string(),
                version: "1.0.0".to_string(),
                license: "MIT".to_string(),
                authors: vec!["Ada".to_string()],
                repository: None,
                folder,
                sha256: None,
                is_macro: false,
                uses: Vec::new(),
            }
        };
        let page = text(&[
            dependency("a", &[("LICENSE-MIT", "Permission is granted.\n"), ("README", "x")]),
            dependency("b", &[("license.txt", "Permission is granted.\r\n")]),
            dependency("c", &[]),
        ])
        .unwrap();
        assert_eq!(page.matches("Permission is granted.").count(), 1, "{page}");
        assert!(page.contains("\na 1.0.0, b 1.0.0\n"), "{page}");
        assert!(page.contains("c 1.0.0: MIT (the crate ships no licence text; by Ada)"), "{page}");
        assert!(!page.contains("README"), "{page}");
    }
}
