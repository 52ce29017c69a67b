//! Reads Markdown files and finds their fenced code blocks.

use std::{
    fs,
    ops::Range,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

/// A Markdown file.
pub struct Page {
    /// Its path, relative to the root of the repository.
    pub path: String,
    /// Its whole text.
    pub text: String,
}

/// A fenced code block.
#[derive(Debug, PartialEq)]
pub struct Block {
    /// What follows the opening fence, such as `sh`.
    pub info: String,
    /// The lines between the fences.
    pub text: String,
    /// The bytes of the whole block in its page, fences included.
    pub range: Range<usize>,
}

/// `README.md` and every page below `docs/src`, in order of their paths.
///
/// # Errors
/// A file that can't be read.
pub fn all() -> Result<Vec<Page>> {
    let root = crate::root();
    let mut paths = vec![root.join("README.md")];
    below(&root.join("docs/src"), &mut paths)?;
    let page = |path: PathBuf| -> Result<Page> {
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let path = path.strip_prefix(&root).expect("pages lie below the root");
        Ok(Page { path: path.display().to_string(), text })
    };
    paths.into_iter().map(page).collect()
}

fn below(folder: &Path, paths: &mut Vec<PathBuf>) -> Result<()> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut entries: Vec<PathBuf> =
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    entries.sort();
    for path in entries {
        if path.is_dir() {
            below(&path, paths)?;
        } else if path.extension().is_some_and(|extension| extension == "md") {
            paths.push(path);
        }
    }
    Ok(())
}

/// The fenced blocks of a Markdown text.
pub fn blocks(markdown: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (event, range) in Parser::new_ext(markdown, Options::ENABLE_TABLES).into_offset_iter() {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => {
                open = Some(Block { info: info.to_string(), text: String::new(), range });
            }
            Event::Text(text) => {
                if let Some(block) = &mut open {
                    block.text.push_str(&text);
                }
            }
            Event::End(TagEnd::CodeBlock) => blocks.extend(open.take()),
            _ => {}
        }
    }
    blocks
}

/// The code spans of a Markdown text that name a file or folder of the repository.
pub fn named_paths(markdown: &str) -> Vec<String> {
    const FOLDERS: [&str; 9] = [
        "crates/",
        "docs/",
        "fuzz/",
        "tidy/",
        "peers/",
        "records/",
        "studies/",
        "findings/",
        ".ci/",
    ];
    Parser::new_ext(markdown, Options::ENABLE_TABLES)
        .filter_map(|event| match event {
            Event::Code(code) => Some(code.to_string()),
            _ => None,
        })
        .filter(|code| FOLDERS.iter().any(|folder| code.starts_with(folder)))
        .filter(|code| !code.contains([' ', '*', '<']) && *code == code.to_lowercase())
        .collect()
}

/// The targets of the links and images of a Markdown text.
pub fn links(markdown: &str) -> Vec<String> {
    Parser::new_ext(markdown, Options::ENABLE_TABLES)
        .filter_map(|event| match event {
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                Some(dest_url.to_string())
            }
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_have_their_info_text_and_place() {
        let markdown = "a\n\n```sh\nx\ny\n```\n\n```text\nz\n```\nb\n";
        let found = blocks(markdown);
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].info.as_str(), found[0].text.as_str()), ("sh", "x\ny\n"));
        assert_eq!(&markdown[found[1].range.clone()], "```text\nz\n```");
    }

    #[test]
    fn paths_and_links_are_found() {
        let markdown = "`crates/book`, `cargo`, [a](b.md#c), ![d](e.png)";
        assert_eq!(named_paths(markdown), ["crates/book"]);
        assert_eq!(links(markdown), ["b.md#c", "e.png"]);
    }
}
