//! The book as HTML: built by mdBook's libraries, and every link of the result followed.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Component, Path, PathBuf},
};

use anyhow::{Context, Result};
use mdbook_driver::MDBook;

/// Builds the book into `folder`.
///
/// # Errors
/// A `book.toml`, summary or page that mdBook refuses, or a file that can't be written.
pub fn build(folder: &Path) -> Result<()> {
    let mut book = MDBook::load(crate::root().join("docs"))?;
    book.config.build.build_dir = folder.to_path_buf();
    book.build()
}

/// The links of the HTML files below `folder` that lead nowhere: to a file that isn't there, or to
/// an id that its file hasn't. Links to the web are not followed.
///
/// # Errors
/// A file that can't be read.
pub fn dead_links(folder: &Path) -> Result<Vec<String>> {
    let mut files = BTreeMap::new();
    read(folder, &mut files)?;
    let ids: BTreeMap<&PathBuf, BTreeSet<String>> =
        files.iter().map(|(path, text)| (path, attributes(text, "id").collect())).collect();
    let mut dead = Vec::new();
    for (path, text) in &files {
        // The page for unknown addresses is written for the root of a site; the page for printing
        // holds every chapter once more.
        if ["404.html", "print.html"].iter().any(|name| path.ends_with(name)) {
            continue;
        }
        for link in attributes(text, "href").chain(attributes(text, "src")) {
            if link.contains("://") || link.starts_with("data:") {
                continue;
            }
            let (file, id) = link.split_once('#').unwrap_or((&link, ""));
            let target = if file.is_empty() { path.clone() } else { joined(path, file) };
            let known = ids.get(&target).is_some_and(|ids| id.is_empty() || ids.contains(id));
            let other = id.is_empty() && target.exists();
            if !known && !other {
                let page = path.strip_prefix(folder).unwrap_or(path);
                dead.push(format!("{}: `{link}` leads nowhere", page.display()));
            }
        }
    }
    Ok(dead)
}

fn read(folder: &Path, files: &mut BTreeMap<PathBuf, String>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            read(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "html") {
            let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            files.insert(path, text);
        }
    }
    Ok(())
}

/// The values of an attribute, as mdBook writes them: in double quotes.
fn attributes<'a>(html: &'a str, name: &str) -> impl Iterator<Item = String> + use<'a> {
    let opening = format!(" {name}=\"");
    let starts: Vec<usize> =
        html.match_indices(&opening).map(|(at, _)| at + opening.len()).collect();
    starts.into_iter().filter_map(move |at| {
        let value = &html[at..];
        Some(value[..value.find('"')?].replace("&amp;", "&"))
    })
}

/// The file that a relative address in the file `from` means.
fn joined(from: &Path, address: &str) -> PathBuf {
    let mut path = from.parent().unwrap_or(from).to_path_buf();
    for part in Path::new(address).components() {
        match part {
            Component::ParentDir => _ = path.pop(),
            Component::Normal(name) => path.push(name),
            _ => {}
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dead_links_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        write("a.html", r##"<h1 id="x"></h1><a href="b.html#y"></a><a href="#x"></a>"##);
        write("b.html", r##"<h1 id="y"></h1><a href="a.html#z"></a><img src="c.png">"##);
        let dead = dead_links(folder.path()).unwrap();
        assert_eq!(
            dead,
            ["b.html: `a.html#z` leads nowhere", "b.html: `c.png` leads nowhere"],
            "a.html has no dead link"
        );
    }
}
