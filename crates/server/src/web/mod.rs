//! The studio's files: plain HTML, CSS and ES modules, embedded in the binary.
//!
//! `main.js` explains how to add a view. A new file also needs a line in the table below.
//!
//! A debug build reads the files from the source folder while KELVIN_PAGE_FROM_DISK is set, so that
//! a change of the page needs no compiling.

use std::borrow::Cow;

/// Whether this path is the page itself, which holds no secret and asks for the key.
pub(crate) fn is_page(path: &str) -> bool {
    path == "/" || path.starts_with("/web/")
}

/// The files, each with its path below `/web/`. `element.js` makes DOM elements for the studio and
/// for the lab's report; it is stored with the report, which is upstream.
macro_rules! files {
    ($($path:literal),+ $(,)?) => {
        pub(crate) const FILES: &[(&str, &[u8])] = &[
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
    "draw/figure.js",
    "draw/formula.js",
    "draw/lens.js",
    "draw/options.js",
    "draw/ranks.js",
    "draw/waterfall.js",
    "format.js",
    "guide.js",
    "heat.js",
    "icon.svg",
    "index.html",
    "learn.css",
    "learn/columns.js",
    "learn/contrast.js",
    "learn/criteria.js",
    "learn/curve.js",
    "learn/exercises.js",
    "learn/greetings.js",
    "learn/nepal.js",
    "learn/scores.js",
    "learn/sheet.js",
    "learn/steps.js",
    "learn/texts.js",
    "learn/token.js",
    "main.js",
    "parts/card.js",
    "parts/columns.js",
    "parts/criteria.js",
    "parts/dart.js",
    "parts/draws.js",
    "parts/exports.js",
    "parts/frame.js",
    "parts/logits.js",
    "parts/loop.js",
    "parts/models.js",
    "parts/outcome.js",
    "parts/pieces.js",
    "parts/phases.js",
    "parts/places.js",
    "parts/question.js",
    "parts/save.js",
    "parts/search.js",
    "parts/seed.js",
    "parts/share.js",
    "parts/sortable.js",
    "parts/subject.js",
    "parts/temperature.js",
    "parts/tokens.js",
    "parts/votes.js",
    "search.css",
    "search/rows.js",
    "search/settings.js",
    "search/texts.js",
    "search/tree.js",
    "server.js",
    "store.js",
    "style.css",
    "tab/disk.js",
    "tab/download.js",
    "tab/engine.js",
    "tab/file.js",
    "tab/host.js",
    "tab/model.js",
    "tab/offline.js",
    "tab/place.js",
    "tab/relaxed.js",
    "tab/storage.js",
    "tab/thread.js",
    "tab/threads.js",
    "tab/transport.js",
    "tab/wasi.js",
    "tab/worker.js",
    "transport.js",
    "types.js",
    "views/chain.js",
    "views/compare.js",
    "views/decide.js",
    "views/learn.js",
    "views/next.js",
    "views/search.js",
    "views/softmax.js",
    "views/write.js",
    "write/alternatives.js",
    "write/brush.js",
    "write/change.js",
    "write/colours.js",
    "write/copies.js",
    "write/disk.js",
    "write/draws.js",
    "write/edit.js",
    "write/export.js",
    "write/file.js",
    "write/find.js",
    "write/follow.js",
    "write/gathered.js",
    "write/go_on.js",
    "write/keeper.js",
    "write/marks.js",
    "write/open.js",
    "write/outline.js",
    "write/page.js",
    "write/paint.js",
    "write/reading.js",
    "write/rewrite.js",
    "write/schedule.js",
    "write/sessions.js",
    "write/sheet.js",
    "write/shelf.js",
    "write/shift.js",
    "write/stretches.js",
    "write/token.js",
    "write/tree.js",
    "write/typing.js",
    "write/vary.js",
    "write/versions.js",
    "writing.css",
}

/// The content type and the bytes of a file.
pub(crate) fn file(path: &str) -> Option<(&'static str, Cow<'static, [u8]>)> {
    #[cfg(debug_assertions)]
    if let Some(bytes) = on_disk(path) {
        return Some((kind(path), bytes.into()));
    }
    let (path, bytes) = FILES.iter().find(|(name, _)| *name == path)?;
    Some((kind(path), (*bytes).into()))
}

/// The bytes of a file as the source folder has them now, if KELVIN_PAGE_FROM_DISK asks for them.
#[cfg(debug_assertions)]
fn on_disk(path: &str) -> Option<Vec<u8>> {
    std::env::var_os("KELVIN_PAGE_FROM_DISK")?;
    let folder = match path {
        "element.js" => "../lab/src/report/page",
        _ => "src/web",
    };
    let is_plain = path.split('/').all(|part| !part.is_empty() && !part.starts_with('.'));
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join(path);
    is_plain.then(|| std::fs::read(path).ok()).flatten()
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
