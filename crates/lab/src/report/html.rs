//! Writes a report as one self-contained HTML file: styles, scripts, plotly and the data are
//! embedded.
//!
//! Text from models is only in the data, as JSON without any `<`, and the page inserts it as text
//! nodes, so it can't become markup. The page's content security policy forbids loading anything.

use plotly::Plot;

use super::Report;

const PAGE: &str = include_str!("page/page.html");
const STYLE: &str = include_str!("page/page.css");
const SCRIPTS: [&str; 6] = [
    include_str!("page/dom.js"),
    include_str!("page/charts.js"),
    include_str!("page/figures.js"),
    include_str!("page/texts.js"),
    include_str!("page/tables.js"),
    include_str!("page/page.js"),
];

/// The file.
pub fn html(report: &Report) -> String {
    let data =
        serde_json::to_string(report).expect("a report is always JSON").replace('<', "\\u003c");
    let scripts = format!("(() => {{\n\"use strict\";\n{}}})();", SCRIPTS.concat());
    let mut page =
        String::with_capacity(PAGE.len() + STYLE.len() + data.len() + scripts.len() + (5 << 20));
    // One pass over the template, so that no placeholder in the data is replaced.
    let mut rest = PAGE;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").expect("the page's places are closed");
        page.push_str(before);
        match name {
            "style" => page.push_str(STYLE),
            "data" => page.push_str(&data),
            "plotly" => page.push_str(&plotly()),
            "scripts" => page.push_str(&scripts),
            other => unreachable!("the page has no place {other}"),
        }
        rest = after;
    }
    page + rest
}

/// plotly.js, the first of the two scripts that the crate embeds; the other renders formulas, which
/// reports don't have.
fn plotly() -> String {
    let scripts = Plot::offline_js_sources();
    let script = scripts.split_once("</script>").map_or(&*scripts, |(first, _)| first);
    script.split_once('>').map_or(script, |(_, text)| text).to_string()
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

    #[test]
    fn the_file_needs_nothing_else() {
        let page = html(&report());
        assert!(page.contains("plotly.js v") && page.len() > 4_000_000);
        let own = [PAGE, STYLE, &SCRIPTS.concat()].concat();
        for outside in ["http:", "https:", "src=\"", "@import", "url("] {
            assert!(!own.contains(outside), "{outside}");
        }
        assert!(PAGE.contains("default-src 'none'"));
        assert_eq!(html(&report()), page);
    }
}
