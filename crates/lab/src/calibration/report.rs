//! Reliability before and after as SVG, and the report of a calibration as one HTML file.
//!
//! The file needs no script and loads nothing. Its colours follow the reader's theme, light or
//! dark; an SVG outside of it takes the colour of the text around.

use std::fmt::Write;

use super::{
    file::Calibration,
    judge::{Bin, Figures, Found, Judged},
};

/// The side of a panel's square, and what is around it.
const SIDE: f64 = 240.0;
const LEFT: f64 = 66.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = 46.0;
const BETWEEN: f64 = 36.0;
/// The radius of the point of a bin with all examples.
const LARGEST: f64 = 14.0;

const STYLE: &str = "\
:root{color-scheme:light dark;--paper:#fbfaf8;--ink:#24262b;--soft:#5c6068;--line:#d5d6da;\
--mark:#b3401f;--fill:#b3401f}\
@media(prefers-color-scheme:dark){:root{--paper:#17191d;--ink:#e8e9ec;--soft:#a9adb6;\
--line:#3b3f47;--mark:#ff9a6b;--fill:#ff9a6b}}\
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}\
main{max-width:50rem;margin:0 auto;padding:1.5rem 1rem 3rem}\
h1{font-size:1.5rem;line-height:1.25;margin:0 0 .5rem}\
h2{font-size:1.15rem;margin:2.2rem 0 .3rem}\
p{margin:.4rem 0;overflow-wrap:anywhere}.soft{color:var(--soft)}\
.scroll{overflow-x:auto}\
table{border-collapse:collapse;margin:.8rem 0;font-variant-numeric:tabular-nums}\
th,td{text-align:right;padding:.25rem .7rem;border-bottom:1px solid var(--line);\
white-space:nowrap}\
th:first-child,td:first-child{text-align:left;padding-left:0}\
.warning{color:var(--mark);font-weight:600}\
thead th{color:var(--soft);font-weight:600}\
svg{max-width:100%;height:auto;color:var(--ink)}";

/// The report of a calibration: a file of HTML.
pub fn html(calibration: &Calibration) -> String {
    let model = escaped(&calibration.model);
    let how = calibration.manner();
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src \
         'unsafe-inline'\">\n<title>Calibration of {model}</title>\n<style>{STYLE}</style>\n\
         </head>\n<body>\n<main>\n<h1>Calibration of {model}</h1>\n\
         <p>How sure the model says it is, and how often it is right. {how}</p>\n"
    );
    for (kind, judged) in &calibration.kinds {
        out.push_str(&section(kind, judged));
    }
    let _ = write!(
        out,
        "<h2>How to read this</h2>\n<p>Examples are sorted by the probability of what was chosen \
         and divided into bins of equal size. Each point is a bin: across, its mean probability; \
         up, how often the choice was right; its area, the number of its examples. On the \
         dashed line both are equal. Below it the model is too sure.</p>\n<p>The temperature T of \
         softmax(ln q / T) is fitted by the least mean −ln p of the right answers. “After” is \
         cross-fitted: each example is judged at the temperature that the other nine tenths gave. \
         T changes no choice. Brackets are 95 % intervals.</p>\n<p class=\"soft\">SHA-256 of the \
         model: {}</p>\n</main>\n</body>\n</html>\n",
        escaped(&calibration.sha256)
    );
    out
}

fn section(kind: &str, judged: &Judged) -> String {
    let t = judged.fit.temperature;
    let interval = match judged.fit.interval {
        Some((low, high)) => format!("95 % interval {low:.3} to {high:.3}"),
        None => "the examples don’t bound it".to_string(),
    };
    let mut out = format!(
        "<section>\n<h2>{}: T = {t:.3}</h2>\n<p class=\"soft\">{interval} · {} examples · {} \
         right</p>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Figures of \
         {}\">\n<table>\n<thead><tr><th scope=\"col\">figure</th><th scope=\"col\">before (T = \
         1)</th><th scope=\"col\">after</th><th scope=\"col\">change</th></tr></thead>\n<tbody>\n",
        escaped(kind),
        judged.n,
        shown(&judged.accuracy),
        escaped(kind)
    );
    let (before, after) = (&judged.before, &judged.after);
    for (name, before, after, change) in [
        ("mean −ln p (nats)", &before.nll, &after.nll, Some(&judged.nll_change)),
        ("Brier score", &before.brier, &after.brier, None),
        ("calibration error", &before.ece, &after.ece, Some(&judged.ece_change)),
    ] {
        let change = change.map_or(String::new(), shown);
        let _ = writeln!(
            out,
            "<tr><th scope=\"row\">{name}</th><td>{}</td><td>{}</td><td>{change}</td></tr>",
            shown(before),
            shown(after)
        );
    }
    out.push_str("</tbody>\n</table>\n</div>\n");
    if let Some(note) = judged.note() {
        let _ = writeln!(out, "<p class=\"soft\">{}</p>", escaped(note));
    }
    for warning in &judged.warnings {
        let _ = writeln!(out, "<p class=\"warning\">{}</p>", escaped(warning));
    }
    let _ = write!(out, "{}\n</section>\n", reliability(judged));
    out
}

/// The reliability diagrams before and after side by side: an `svg` element that takes the colour
/// of the text around it.
pub fn reliability(judged: &Judged) -> String {
    let width = LEFT + 2.0 * SIDE + BETWEEN + 16.0;
    let height = TOP + SIDE + BOTTOM;
    let mut out = format!(
        "<svg viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\" \
         aria-label=\"Reliability: calibration error {:.3} before, {:.3} after\" \
         font-family=\"system-ui, sans-serif\" font-size=\"12\" fill=\"currentColor\">",
        judged.before.ece.value, judged.after.ece.value
    );
    let titles =
        ["before (T = 1)".to_string(), format!("after (T = {:.3})", judged.fit.temperature)];
    for (i, (title, figures)) in titles.iter().zip([&judged.before, &judged.after]).enumerate() {
        let left = LEFT + i as f64 * (SIDE + BETWEEN);
        panel(&mut out, left, title, figures, judged.n);
    }
    let _ = write!(
        out,
        "<text transform=\"translate(13 {}) rotate(-90)\" text-anchor=\"middle\">how often it was \
         right</text></svg>",
        TOP + SIDE / 2.0
    );
    out
}

fn panel(out: &mut String, left: f64, title: &str, figures: &Figures, n: usize) {
    let (x, y) = (|p: f64| left + p * SIDE, |p: f64| TOP + (1.0 - p) * SIDE);
    let (middle, bottom) = (left + SIDE / 2.0, TOP + SIDE);
    let _ = write!(
        out,
        "<text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\" font-size=\"13\" \
         font-weight=\"600\">{title}</text><text x=\"{middle}\" y=\"{}\" \
         text-anchor=\"middle\">how sure it was</text>",
        TOP - 14.0,
        bottom + 36.0
    );
    for tick in 0..=4 {
        let p = f64::from(tick) / 4.0;
        let percent = tick * 25;
        let _ = write!(
            out,
            "<path d=\"M{0} {1}H{2}M{3} {TOP}V{bottom}\" stroke=\"currentColor\" \
             stroke-opacity=\".15\" fill=\"none\"/><text x=\"{3}\" y=\"{4}\" \
             text-anchor=\"middle\">{percent}</text>",
            left,
            y(p),
            left + SIDE,
            x(p),
            bottom + 17.0
        );
        if left == LEFT {
            let _ = write!(
                out,
                "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{percent} %</text>",
                left - 6.0,
                y(p) + 4.0
            );
        }
    }
    let _ = write!(
        out,
        "<path d=\"M{left} {bottom}L{} {TOP}\" stroke=\"currentColor\" stroke-dasharray=\"5 4\" \
         fill=\"none\"/>",
        left + SIDE
    );
    let point = |bin: &Bin| (x(bin.confidence), y(bin.accuracy));
    let line: Vec<String> =
        figures.bins.iter().map(point).map(|(x, y)| format!("{x:.1} {y:.1}")).collect();
    let _ = write!(
        out,
        "<path d=\"M{}\" fill=\"none\" style=\"stroke:var(--mark,#d9683c)\" stroke-width=\"1.5\"/>",
        line.join("L")
    );
    for bin in &figures.bins {
        let (x, y) = point(bin);
        let radius = (LARGEST * (bin.n as f64 / n.max(1) as f64).sqrt()).max(2.5);
        let _ = write!(
            out,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius:.1}\" \
             style=\"fill:var(--fill,#d9683c)\"><title>{} examples: {:.1} % sure, {:.1} % \
             right</title></circle>",
            bin.n,
            bin.confidence * 100.0,
            bin.accuracy * 100.0
        );
    }
}

fn shown(found: &Found) -> String {
    match found.interval {
        Some((low, high)) => format!("{:.3} [{low:.3}, {high:.3}]", found.value),
        None => format!("{:.3}", found.value),
    }
}

/// A text with nothing in it that HTML would read.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use kelvin_engine::decide::{Kind, Layout};

    use super::*;
    use crate::calibration::{Example, judge_with, simulated};

    #[test]
    fn a_report_shows_each_bin_where_it_is() {
        let judged = judge_with(&simulated::examples(150, 3, 2.5, 1), 99, 1).unwrap();
        let svg = reliability(&judged);
        let bins = judged.before.bins.len() + judged.after.bins.len();
        assert_eq!(svg.matches("<circle").count(), bins);
        let first = judged.before.bins[0];
        let (x, y) = (LEFT + first.confidence * SIDE, TOP + (1.0 - first.accuracy) * SIDE);
        assert!(svg.contains(&format!("cx=\"{x:.1}\" cy=\"{y:.1}\"")), "{svg}");
        let (t, nll) = (judged.fit.temperature, judged.after.nll.value);
        let kinds = BTreeMap::from([(Kind::Choice, judged)]);
        let how = (Layout::default(), 1, true);
        let page = html(&Calibration::new("<b>tiny", "ab", how, kinds));
        assert!(page.contains("&lt;b&gt;tiny") && !page.contains("<b>tiny"));
        assert!(page.contains(&format!("choice: T = {t:.3}")));
        assert!(page.contains(&format!("<td>{nll:.3} [")));
        assert!(!page.contains("<p class=\"warning\">"), "it helps");
        // Always right at equal odds: nothing bounds T.
        let sure = vec![Example { ln: vec![-0.1, -2.3], answer: 0 }; 60];
        let kinds = BTreeMap::from([(Kind::Choice, judge_with(&sure, 99, 1).unwrap())]);
        let page = html(&Calibration::new("tiny", "ab", how, kinds));
        assert!(page.contains("<p class=\"warning\">T = 0.050 is at an end"), "{page}");
        assert!(!page.contains("http:") && !page.contains("https:"), "it loads nothing");
    }
}
