//! Distributions, stages and texts as small pieces of HTML for notebooks, and as plain text.
//!
//! The pieces stand alone: all styles are inline, there are no scripts, and every text is escaped.

use std::fmt::Write;

use crate::{escape::visible, trace::StageRow};

/// One bar of a distribution.
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    /// The token.
    pub label: String,
    /// Its probability.
    pub share: f64,
}

/// A token of a text and what it is coloured by.
#[derive(Debug, Clone, PartialEq)]
pub struct Tinted {
    /// Its text.
    pub text: String,
    /// Its surprisal in nats.
    pub surprisal: f64,
}

/// Characters of the longest bar of plain text.
const WIDTH: f64 = 30.0;
/// From this surprisal on (nats) a token has the full colour.
const FULL_COLOUR: f64 = 10.0;
const MONO: &str = "font-family:monospace;white-space:pre;padding:0 .5em";

/// A text with nothing in it that HTML would read.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out
}

/// A distribution as bars under a title. `rest` are the tokens that aren't shown, and their mass.
pub fn bars(title: &str, bars: &[Bar], rest: (usize, f64)) -> String {
    let mut out = format!("<div><div>{}</div><table>", escaped(title));
    let longest = bars.iter().map(|bar| bar.share).fold(rest.1, f64::max).max(f64::MIN_POSITIVE);
    let mut row = |label: &str, share: f64, colour: &str| {
        let width = share / longest * 16.0;
        let _ = write!(
            out,
            "<tr><td style=\"{MONO}\">{}</td><td style=\"{MONO};text-align:right\">{}</td><td \
             style=\"text-align:left\"><div style=\"background:{colour};height:.8em;\
             width:{width:.2}em\"></div></td></tr>",
            escaped(label),
            percent(share)
        );
    };
    for bar in bars {
        row(&visible(&bar.label), bar.share, "#4c78a8");
    }
    if rest.0 > 0 {
        row(&format!("{} others", rest.0), rest.1, "#bbb");
    }
    out.push_str("</table></div>");
    out
}

/// [`bars`] in plain text.
pub fn bars_text(title: &str, bars: &[Bar], rest: (usize, f64)) -> String {
    let others = (rest.0 > 0).then(|| (format!("{} others", rest.0), rest.1));
    let rows: Vec<(String, f64)> =
        bars.iter().map(|bar| (visible(&bar.label), bar.share)).chain(others).collect();
    let longest = rows.iter().map(|row| row.1).fold(f64::MIN_POSITIVE, f64::max);
    let label_width = rows.iter().map(|row| row.0.chars().count()).max().unwrap_or(0);
    let mut out = title.to_string();
    for (label, share) in rows {
        let blocks = "█".repeat((share / longest * WIDTH).round() as usize);
        let _ = write!(out, "\n{label:label_width$} {:>8} {blocks}", percent(share));
    }
    out
}

/// What each stage of a chain did, as a table.
pub fn stages(rows: &[StageRow]) -> String {
    let mut out = "<table><tr><th>stage</th><th>survivors</th><th>entropy (nats)</th><th>mass \
                   removed</th></tr>"
        .to_string();
    for row in rows {
        let _ = write!(
            out,
            "<tr><td style=\"{MONO}\">{}</td><td>{} → {}</td><td>{:.3} → {:.3}</td><td>{}</td></tr>",
            escaped(&row.stage),
            row.survivors_before,
            row.survivors_after,
            row.entropy_before,
            row.entropy_after,
            percent(row.mass_removed)
        );
    }
    out.push_str("</table>");
    out
}

/// [`stages`] in plain text.
pub fn stages_text(rows: &[StageRow]) -> String {
    let line = |row: &StageRow| {
        format!(
            "{}: {} → {} survivors, entropy {:.3} → {:.3} nats, {} removed",
            row.stage,
            row.survivors_before,
            row.survivors_after,
            row.entropy_before,
            row.entropy_after,
            percent(row.mass_removed)
        )
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// A text whose tokens are coloured by their surprisal: the redder, the less expected.
pub fn tinted(tokens: &[Tinted]) -> String {
    let mut out = "<div style=\"white-space:pre-wrap;line-height:1.5\">".to_string();
    for Tinted { text, surprisal } in tokens {
        let strength = (surprisal / FULL_COLOUR).clamp(0.0, 1.0) * 0.8;
        let _ = write!(
            out,
            "<span style=\"background:rgba(228,87,86,{strength:.2})\" title=\"{surprisal:.2} \
             nats\">{}</span>",
            escaped(text)
        );
    }
    out.push_str("</div>");
    out
}

/// Pieces of HTML side by side under their headings.
pub fn columns(columns: &[(String, String)]) -> String {
    let mut out = "<div style=\"display:flex;gap:1em;align-items:flex-start\">".to_string();
    for (heading, piece) in columns {
        let _ = write!(
            out,
            "<div style=\"flex:1;min-width:8em\"><b>{}</b>{piece}</div>",
            escaped(heading)
        );
    }
    out.push_str("</div>");
    out
}

fn percent(share: f64) -> String {
    format!("{:.2} %", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_model_writes_is_html() {
        let bad = "<script>alert(\"&'\")</script>".to_string();
        let bar = Bar { label: bad.clone(), share: 1.0 };
        let tint = Tinted { text: bad.clone(), surprisal: 3.0 };
        for piece in [
            bars(&bad, &[bar], (0, 0.0)),
            tinted(&[tint]),
            columns(&[(bad.clone(), String::new())]),
        ] {
            assert!(!piece.contains("<script") && piece.contains("&lt;script&gt;"), "{piece}");
        }
    }

    #[test]
    fn bars_have_the_lengths_of_their_shares() {
        let two = ["a", "b"].map(|label| Bar { label: label.into(), share: 0.4 });
        let page = bars("t", &two, (7, 0.2));
        assert_eq!(page.matches("width:16.00em").count(), 2, "{page}");
        assert!(page.contains("7 others") && page.contains("width:8.00em"), "{page}");
        let text = bars_text("t", &two[..1], (0, 0.0));
        assert_eq!(text, format!("t\na  40.00 % {}", "█".repeat(30)));
        assert_eq!(bars_text("none", &[], (0, 0.0)), "none");
    }

    #[test]
    fn colours_end_at_full_strength() {
        let of = |surprisal| tinted(&[Tinted { text: "x".into(), surprisal }]);
        assert!(of(0.0).contains("rgba(228,87,86,0.00)"));
        assert!(of(f64::INFINITY).contains("rgba(228,87,86,0.80)"));
    }
}
