//! The static studio as one HTML file, which browsers open from a disk. There a page can't load
//! modules, so each is a `data:` URL: those of the page in its import map, and those of the worker,
//! which has no such map, inside each other.

use std::{borrow::Cow, fmt::Write as _};

use serde_json::{Map, json};

use super::{base64::base64, web::FILES};

/// Modules that this page has in place of others.
const INSTEAD: [(&str, &str); 2] =
    [("transport.js", "tab/transport.js"), ("tab/place.js", "tab/inside.js")];
const WORKER: &str = "tab/worker.js";
/// What the modules' names begin with in the import map.
const PREFIX: &str = "kelvin/";

/// The engine as modules of WebAssembly, of which a browser runs one.
#[derive(Debug)]
pub struct StaticEngine {
    /// For every browser.
    pub plain: Vec<u8>,
    /// With relaxed SIMD: equal bits, faster.
    pub relaxed: Option<Vec<u8>>,
}

/// The page, with the engine's modules.
pub(crate) fn one_file(engine: &StaticEngine) -> String {
    let mut imports = Map::new();
    let is_module = |path: &str| path.ends_with(".js") && path != "tab/file.js";
    for (path, _) in FILES.iter().filter(|(path, _)| is_module(path)) {
        let from = INSTEAD.iter().find(|(name, _)| name == path).map_or(*path, |(_, from)| from);
        // The module that the transport stands for has the place in `tab` that its imports start at.
        let text = with_imports(from, &|name| format!("{PREFIX}{name}"));
        imports.insert(format!("{PREFIX}{path}"), data("text/javascript", text.as_bytes()).into());
    }
    let mut head = String::new();
    for (path, bytes) in FILES.iter().filter(|(path, _)| path.ends_with(".css")) {
        let _ = writeln!(head, "<style data-file=\"{path}\">\n{}</style>", text_of(bytes));
    }
    let map = json!({ "imports": imports });
    let _ = writeln!(head, "<script type=\"importmap\">{map}</script>");
    let mut carry = |name: &str, text: &str| {
        let _ = writeln!(head, "<script type=\"text/plain\" id=\"{name}\">{text}</script>");
    };
    carry("worker.js", &nested(WORKER));
    carry("kelvin.wasm", &base64(&engine.plain));
    if let Some(relaxed) = &engine.relaxed {
        carry("kelvin-relaxed.wasm", &base64(relaxed));
    }
    let start = format!("<script type=\"module\">import \"{PREFIX}main.js\";</script>");
    let icon = data("image/svg+xml", bytes_of("icon.svg"));
    let page = text_of(bytes_of("index.html"));
    let lines = page.lines().filter(|line| !line.contains("rel=\"stylesheet\""));
    let lines = lines.map(|line| match line.contains("/web/main.js") {
        true => format!("{head}{start}"),
        false => line.replace("/web/icon.svg", &icon),
    });
    lines.collect::<Vec<String>>().join("\n")
}

/// A module of the worker with all that it imports inside.
fn nested(path: &str) -> String {
    data("text/javascript", with_imports(path, &nested).as_bytes())
}

/// The text of a module, whose imports have other addresses: `to` of a file's path.
fn with_imports(path: &str, to: &dyn Fn(&str) -> String) -> String {
    const FROM: &str = " from \"";
    let text = text_of(bytes_of(path));
    let mut parts = text.split(FROM);
    let mut out = parts.next().unwrap_or_default().to_string();
    for part in parts {
        out.push_str(FROM);
        match part.split_once('"').filter(|(name, _)| name.starts_with('.')) {
            Some((name, rest)) => {
                let _ = write!(out, "{}\"{rest}", to(&beside(path, name)));
            }
            None => out.push_str(part),
        }
    }
    out
}

/// The path of a file that is named as seen from another one.
fn beside(path: &str, name: &str) -> String {
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    for part in name.split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

fn bytes_of(path: &str) -> &'static [u8] {
    FILES.iter().find(|(name, _)| *name == path).map(|(_, bytes)| *bytes).expect("it's embedded")
}

fn text_of(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

fn data(kind: &str, bytes: &[u8]) -> String {
    format!("data:{kind};base64,{}", base64(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_name_files_of_the_page() {
        assert_eq!(beside("tab/model.js", "../dom.js"), "dom.js");
        assert_eq!(beside("main.js", "./views/chain.js"), "views/chain.js");
        let text = with_imports("tab/worker.js", &|path| format!("<{path}>"));
        assert!(text.contains("import { Engine } from \"<tab/engine.js>\";"), "{text}");
        assert!(!text.contains("from \"."), "{text}");
    }

    #[test]
    fn the_page_in_one_file_names_no_other_file() {
        let engine = StaticEngine { plain: b"\0asm".to_vec(), relaxed: None };
        let page = one_file(&engine);
        assert!(!page.contains("\"/web/") && !page.contains("stylesheet"));
        assert!(page.contains("\"kelvin/main.js\":\"data:text/javascript;base64,"));
        assert!(page.contains("id=\"worker.js\">data:text/javascript;base64,"));
    }
}
