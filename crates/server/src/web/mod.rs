//! The studio's files: plain HTML, CSS and ES modules, embedded in the binary.
//!
//! `main.js` explains how to add a view. A new file also needs a line in the table below.

/// The files, each with its path below `/web/`. `element.js` makes DOM elements for the studio and
/// for the lab's report; it is stored with the report, which is upstream.
macro_rules! files {
    ($($path:literal),+ $(,)?) => {
        const FILES: &[(&str, &[u8])] = &[
            $(($path, include_bytes!($path))),+,
            ("element.js", include_bytes!("../../../lab/src/report/page/element.js")),
        ];
    };
}

files! {
    "address.js",
    "chain.js",
    "charts.css",
    "dom.js",
    "draw/against.js",
    "draw/bars.js",
    "draw/chart.js",
    "draw/cumulative.js",
    "draw/curve.js",
    "draw/formula.js",
    "draw/lens.js",
    "draw/ranks.js",
    "draw/waterfall.js",
    "format.js",
    "guide.js",
    "heat.js",
    "icon.svg",
    "index.html",
    "main.js",
    "parts/card.js",
    "parts/columns.js",
    "parts/dart.js",
    "parts/draws.js",
    "parts/exports.js",
    "parts/logits.js",
    "parts/loop.js",
    "parts/places.js",
    "parts/search.js",
    "parts/seed.js",
    "parts/sortable.js",
    "parts/subject.js",
    "parts/temperature.js",
    "parts/tokens.js",
    "server.js",
    "store.js",
    "style.css",
    "types.js",
    "views/chain.js",
    "views/compare.js",
    "views/next.js",
    "views/softmax.js",
    "views/write.js",
    "write/alternatives.js",
    "write/brush.js",
    "write/change.js",
    "write/file.js",
    "write/go_on.js",
    "write/open.js",
    "write/outline.js",
    "write/page.js",
    "write/paint.js",
    "write/tree.js",
    "writing.css",
}

/// The content type and the bytes of a file.
pub(crate) fn file(path: &str) -> Option<(&'static str, &'static [u8])> {
    let (path, bytes) = FILES.iter().find(|(name, _)| *name == path)?;
    Some((kind(path), bytes))
}

fn kind(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    fn walk(folder: &Path, below: &str, paths: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{below}{}", entry.file_name().to_string_lossy());
            if entry.path().is_dir() {
                walk(&entry.path(), &format!("{name}/"), paths);
            } else if !name.ends_with(".rs") {
                paths.push(name);
            }
        }
    }

    #[test]
    fn every_file_is_embedded_and_nothing_is_of_unknown_kind() {
        let mut found = Vec::new();
        walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/web"), "", &mut found);
        found.push("element.js".to_string());
        found.sort();
        let mut embedded: Vec<String> = FILES.iter().map(|(path, _)| path.to_string()).collect();
        embedded.sort();
        assert_eq!(found, embedded);
        assert!(FILES.iter().all(|(path, _)| kind(path) != "application/octet-stream"));
    }

    /// The policy forbids them anyway; here it's said which file.
    #[test]
    fn no_file_has_inline_code_or_speaks_to_another_host() {
        for (path, bytes) in FILES {
            let text = std::str::from_utf8(bytes).unwrap();
            for bad in [
                "innerHTML",
                "outerHTML",
                "insertAdjacentHTML",
                "document.write",
                "eval(",
                "new Function",
                " style=\"",
                "onclick=",
            ] {
                assert!(!text.contains(bad), "{path} has {bad}");
            }
            let hosts = text.replace("http://www.w3.org/2000/svg", "");
            assert!(
                !hosts.contains("http://") && !hosts.contains("https://"),
                "{path} names another host"
            );
        }
    }
}
