//! Writes a report as one self-contained HTML file: styles, scripts, plotly and the data are
//! embedded.
//!
//! The page's scripts are ES modules, which tools can check; the file holds them as one script, in
//! one scope.
//!
//! Text from models is only in the data, as JSON without any `<`, and the page inserts it as text
//! nodes, so it can't become markup. The page's content security policy forbids loading anything.

use std::io::Read;

use flate2::read::DeflateDecoder;

use super::Report;

const PAGE: &str = include_str!("page/page.html");
const STYLE: &str = include_str!("page/page.css");
/// The page's modules, each after those that it imports. The studio embeds `element.js` as well.
const MODULES: [&str; 9] = [
    include_str!("page/element.js"),
    include_str!("page/data.js"),
    include_str!("page/charts.js"),
    include_str!("page/figures.js"),
    include_str!("page/plane.js"),
    include_str!("page/texts.js"),
    include_str!("page/tables.js"),
    include_str!("page/whole.js"),
    include_str!("page/page.js"),
];

/// The file.
pub fn html(report: &Report) -> String {
    let data =
        serde_json::to_string(report).expect("a report is always JSON").replace('<', "\\u003c");
    let script = script();
    let mut page =
        String::with_capacity(PAGE.len() + STYLE.len() + data.len() + script.len() + (5 << 20));
    // One pass over the template, so that no placeholder in the data is replaced.
    let mut rest = PAGE;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").expect("the page's places are closed");
        page.push_str(before);
        let (tag, close, content) = match name {
            "style" => ("<style>", "</style>", STYLE),
            "data" => ("<script type=\"application/json\" id=\"data\">", "</script>", &*data),
            "plotly" => ("<script>", "</script>", &*plotly()),
            "script" => ("<script>", "</script>", &*script),
            other => unreachable!("the page has no place {other}"),
        };
        page.extend([tag, content, close]);
        rest = after;
    }
    page + rest
}

/// Joins the modules into one script. Their names share a scope, so `import` and `export` are
/// removed.
fn script() -> String {
    let mut script = String::from("(() => {\n\"use strict\";\n");
    let mut in_import = false;
    for line in MODULES.iter().flat_map(|module| module.lines()) {
        in_import |= line.starts_with("import ");
        if !in_import {
            script.push_str(line.strip_prefix("export ").unwrap_or(line));
            script.push('\n');
        }
        in_import &= !line.ends_with(';');
    }
    script + "})();"
}

/// plotly.js, as the build script has packed it.
fn plotly() -> String {
    const PACKED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/plotly.js.deflate"));
    let mut script = String::new();
    let read = DeflateDecoder::new(PACKED).read_to_string(&mut script);
    read.expect("the build script has packed a text");
    script
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Text, tests::report};

    #[test]
    fn nothing_a_model_writes_is_markup() {
        let mut report = report();
        let evil = "</script><script>alert(1)</script><img src=x onerror=alert(2)>{{plotly}}";
        report.texts = vec![Text {
            setting: 0,
            prompt: 0,
            sample: 0,
            tokens: vec![(evil.into(), Some(1.0))],
            finish: crate::run::Finish::MaxTokens,
        }];
        report.runs[0].prompts[0] = evil.into();
        let page = html(&report);
        assert!(!page.contains("<img src=x") && !page.contains("<script>alert"));
        let begin = page.find("id=\"data\">").unwrap() + "id=\"data\">".len();
        let data = &page[begin..begin + page[begin..].find("</script>").unwrap()];
        let data: serde_json::Value = serde_json::from_str(data).unwrap();
        assert_eq!(data["texts"][0]["tokens"][0][0], evil);
        assert_eq!(data["runs"][0]["prompts"][0], evil);
    }

    /// What a line at the top of a module declares.
    fn declared(line: &str) -> Option<&str> {
        let line = line.strip_prefix("export ").unwrap_or(line);
        let kinds = ["const ", "let ", "function ", "async function ", "class "];
        let rest = kinds.iter().find_map(|kind| line.strip_prefix(kind))?;
        rest.split(|c: char| !c.is_alphanumeric() && c != '_').next()
    }

    #[test]
    fn modules_share_one_scope() {
        let mut names = std::collections::BTreeSet::new();
        for module in MODULES {
            for line in module.lines() {
                assert!(!line.starts_with("import *"), "{line}: the file has no modules");
                if let Some(name) = declared(line) {
                    assert!(names.insert(name), "{name} is declared twice");
                }
            }
            // What is imported stands before, under its own name.
            for import in module.split("\nimport ").skip(1) {
                let list = import.split_once(" from ").unwrap().0.trim_matches(['{', '}', ' ']);
                for name in list.split(',').map(str::trim).filter(|name| !name.is_empty()) {
                    assert!(names.contains(name), "{name} is imported before it's there");
                }
            }
        }
        assert!(names.contains("h") && names.contains("report") && names.len() > 50);
        let script = script();
        let left = |line: &str| line.starts_with("import ") || line.starts_with("export ");
        assert!(!script.lines().any(left) && script.contains("\nfunction h("));
    }

    #[test]
    fn the_file_needs_nothing_else() {
        let page = html(&report());
        assert!(page.contains("plotly.js v") && page.len() > 4_000_000);
        let own = [PAGE, STYLE, &script().replace("http://www.w3.org/2000/svg", "")].concat();
        for outside in ["http:", "https:", "src=\"", "url("] {
            assert!(!own.contains(outside), "{outside}");
        }
        // In scripts this names a type (JSDoc).
        assert!(![PAGE, STYLE].concat().contains("@import"));
        assert!(PAGE.contains("default-src 'none'"));
        assert_eq!(html(&report()), page);
    }
}
