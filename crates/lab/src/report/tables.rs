//! The tables of a report, as rows of cells, for a terminal and for Markdown.

use super::{MatchedDifference, MatchedSetting, Matching, Measured, Report, Value, Whole};
use crate::{metrics::Aspect, statistics::Measured as Measure};

/// A table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// The title.
    pub title: String,
    /// A note for the reader; may be empty.
    pub note: String,
    /// The column names. The first column is text, the others are numbers.
    pub head: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<String>>,
}

/// The overview: one table each for fluency, diversity and the shape of distributions, with
/// settings in rows.
pub fn tables(report: &Report) -> Vec<Table> {
    let of = |aspects: &[Aspect]| -> Vec<&Measured> {
        let there = |metric: &&Measured| {
            aspects.contains(&metric.aspect) && metric.values.iter().flatten().count() > 0
        };
        report.metrics.iter().filter(there).collect()
    };
    let groups = [
        ("Scores", of(&[Aspect::Wanted, Aspect::Unwanted])),
        ("Fluency", of(&[Aspect::Fluency, Aspect::Disfluency])),
        ("Diversity", of(&[Aspect::Diversity, Aspect::Sameness])),
        ("Distributions", of(&[Aspect::Shape])),
    ];
    let mut tables: Vec<Table> = groups
        .into_iter()
        .filter(|(_, metrics)| !metrics.is_empty())
        .map(|(title, metrics)| overview(report, title, &metrics))
        .collect();
    tables.extend(matched(report));
    tables.extend(partings(report));
    tables.extend(costs(report));
    tables.extend(thermodynamics(report));
    tables
}

/// What a text costs at both kinds of temperature.
fn costs(report: &Report) -> Option<Table> {
    let row = |whole: &Whole| {
        vec![
            report.settings[whole.setting].label.clone(),
            short(whole.tokens),
            short(whole.computed),
            short(whole.computed / whole.tokens.max(1.0)),
            whole.not_accepted.to_string(),
            whole.quality.clone().unwrap_or_else(|| "-".to_string()),
        ]
    };
    let head = ["setting", "tokens", "computed", "computed a token", "not accepted", "quality"];
    let rows: Vec<Vec<String>> = report.whole.iter().map(row).collect();
    (!rows.is_empty()).then(|| Table {
        title: "What a text costs".to_string(),
        note: "tokens of a text, tokens that the model computed for it (what particles share \
               counts once), and what the method says of its own quality; means over texts"
            .to_string(),
        head: head.map(String::from).to_vec(),
        rows,
    })
}

/// Thermodynamics of whole texts against their temperature.
fn thermodynamics(report: &Report) -> Option<Table> {
    let figure = |of: Measure| match of.error {
        Some(error) => format!("{} ± {}", short(of.value), short(error)),
        None => short(of.value),
    };
    let row = |whole: &Whole| {
        let heat = whole.heat?;
        let mut cells = vec![report.settings[whole.setting].label.clone()];
        let all = [heat.free_energy, heat.energy, heat.entropy, heat.heat_capacity];
        cells.extend(all.map(figure));
        Some(cells)
    };
    let head = ["setting", "free energy", "energy", "entropy", "heat capacity"];
    let rows: Vec<Vec<String>> = report.whole.iter().filter_map(row).collect();
    (!rows.is_empty()).then(|| Table {
        title: "Thermodynamics of texts".to_string(),
        note:
            "nats a text, means over prompts ± standard errors over dice: F = -T ln Z, energy the \
               mean of -ln p, S = ln Z + energy/T, C = Var(-ln p)/T²; texts melt where heat \
               capacity is largest"
                .to_string(),
        head: head.map(String::from).to_vec(),
        rows,
    })
}

fn overview(report: &Report, title: &str, metrics: &[&Measured]) -> Table {
    let better = |metric: &Measured| match metric.more_is_better {
        Some(true) => " ↑",
        Some(false) => " ↓",
        None => "",
    };
    let mut head = vec!["setting".to_string()];
    head.extend(metrics.iter().map(|metric| format!("{}{}", metric.title, better(metric))));
    let rows = report.settings.iter().enumerate().map(|(i, setting)| {
        let mut row = vec![setting.label.clone()];
        row.extend(metrics.iter().map(|metric| match metric.values[i] {
            None => "-".to_string(),
            Some(value) => format!("{}{}", short(value.mean), mark(metric, i, setting.is_base)),
        }));
        row
    });
    Table {
        title: title.to_string(),
        note: "the arrow says which way is better; + more, − less than the setting marked *, pair \
            by pair after Holm's correction; ~ not shown"
            .to_string(),
        head,
        rows: rows.collect(),
    }
}

fn mark(metric: &Measured, setting: usize, is_base: bool) -> &'static str {
    match metric.differences[setting].as_ref().map(|difference| difference.verdict) {
        _ if is_base => " *",
        Some("more") => " +",
        Some("less") => " −",
        Some("not shown") => " ~",
        _ => "  ",
    }
}

/// Settings compared with the base's family at equal quality: by the plane's metric of diversity,
/// and an overview of all metrics if there are several.
fn matched(report: &Report) -> Vec<Table> {
    let (Some(matching), Some(plane)) = (&report.matched, &report.plane) else { return Vec::new() };
    let mut families: Vec<&str> = matching.settings.iter().map(|row| &*row.family).collect();
    families.dedup();
    let families = families.join(", ");
    let names = report.metrics.iter().map(|metric| metric.name);
    let names: Vec<&str> = names
        .filter(|name| matching.settings.iter().any(|row| found(row, name).is_some()))
        .collect();
    let mut tables = vec![at_equal_quality(report, matching, plane.diversity, &families)];
    if names.len() > 1 {
        tables.push(all_at_equal_quality(report, matching, &names, &families));
    }
    tables
}

fn title<'a>(report: &'a Report, name: &str) -> &'a str {
    report.metrics.iter().find(|m| m.name == name).map_or("", |metric| metric.title)
}

/// A setting's difference by a metric, if there is one.
fn found(row: &MatchedSetting, metric: &str) -> Option<MatchedDifference> {
    row.differences.iter().copied().find(|d| d.metric == metric)
}

/// The first cells of a setting: its label, its quality, and where the family has that quality.
fn start(report: &Report, row: &MatchedSetting) -> Vec<String> {
    let label = report.settings[row.setting].label.clone();
    vec![label, short(row.quality), format!("{:.2}", row.temperature)]
}

/// One metric of diversity in full.
fn at_equal_quality(
    report: &Report,
    matching: &Matching,
    diversity: &str,
    families: &str,
) -> Table {
    let quality = title(report, matching.quality);
    let cells = |row: &MatchedSetting| {
        let found = found(row, diversity)?;
        let mut cells = start(report, row);
        cells.extend([
            short(found.family_has),
            signed(found.shown.value.mean),
            interval(&found.shown.value),
            found.shown.p_holm.map_or("-".into(), p_value),
            found.shown.verdict.to_string(),
        ]);
        Some(cells)
    };
    let head = [
        "setting",
        quality,
        "same at T",
        "family's",
        "difference",
        "its interval",
        "p (Holm)",
        "verdict",
    ];
    Table {
        title: format!("{} at equal {quality}", title(report, diversity)),
        note: format!(
            "beside {families} at the temperature where it has the same {quality}, between its \
             nearest settings by a line; the difference is the setting's minus the family's. Shown \
             is only what a bend between those settings doesn't explain (a parabola through a third)"
        ),
        head: head.map(String::from).to_vec(),
        rows: matching.settings.iter().filter_map(cells).collect(),
    }
}

/// The differences by all metrics.
fn all_at_equal_quality(
    report: &Report,
    matching: &Matching,
    names: &[&str],
    families: &str,
) -> Table {
    let quality = title(report, matching.quality);
    let mut head = vec!["setting".to_string(), quality.to_string(), "same at T".to_string()];
    head.extend(names.iter().map(|name| title(report, name).to_string()));
    let cell = |row: &MatchedSetting, name: &str| match found(row, name) {
        None => "-".to_string(),
        Some(found) => {
            let mark = if found.shown.verdict == "not shown" { " ~" } else { "  " };
            format!("{}{mark}", signed(found.shown.value.mean))
        }
    };
    let rows = matching.settings.iter().map(|row| {
        let mut cells = start(report, row);
        cells.extend(names.iter().map(|name| cell(row, name)));
        cells
    });
    Table {
        title: format!("Diversity at equal {quality}"),
        note: format!("differences from {families} at equal {quality}, as above; ~ not shown"),
        head,
        rows: rows.collect(),
    }
}

/// All figures of one metric.
pub(super) fn detail(report: &Report, metric: &Measured) -> Table {
    let head = [
        "setting",
        "mean",
        "95 % interval",
        "difference",
        "its interval",
        "p (Holm)",
        "verdict",
        "values",
    ];
    let rows = report.settings.iter().zip(&metric.values).zip(&metric.differences);
    let rows = rows.filter_map(|((setting, value), difference)| {
        let value = (*value)?;
        let mut row = vec![setting.label.clone(), short(value.mean), interval(&value)];
        match difference {
            Some(shown) => row.extend([
                signed(shown.value.mean),
                interval(&shown.value),
                shown.p_holm.map_or("-".into(), p_value),
                shown.verdict.to_string(),
            ]),
            None => row.extend(
                ["", "", "", if setting.is_base { "compared with" } else { "" }].map(String::from),
            ),
        }
        row.push(value.n.to_string());
        Some(row)
    });
    Table {
        title: metric.title.to_string(),
        note: String::new(),
        head: head.map(String::from).to_vec(),
        rows: rows.collect(),
    }
}

fn partings(report: &Report) -> Option<Table> {
    let rows: Vec<Vec<String>> = report
        .partings
        .iter()
        .map(|one| {
            let token = one.token.map_or("-".into(), |value| short(value.mean));
            vec![
                format!(
                    "{} → {}",
                    report.settings[one.colder].label, report.settings[one.hotter].label
                ),
                token,
                one.token.as_ref().map_or("-".into(), interval),
                format!("{:.0} %", one.together * 100.0),
            ]
        })
        .collect();
    (!rows.is_empty()).then(|| Table {
        title: "Where texts part".to_string(),
        note: "how many tokens a text shares with the one with the same dice at the next hotter \
            setting before they part; a pair that never does counts its whole length"
            .to_string(),
        head: ["settings", "tokens shared", "95 % interval", "never part"]
            .map(String::from)
            .to_vec(),
        rows,
    })
}

/// Four significant digits.
pub(super) fn short(x: f64) -> String {
    let size = x.abs();
    if !x.is_finite() {
        return if x > 0.0 { "∞".into() } else { "-".into() };
    }
    match size {
        0.0 => "0".to_string(),
        1e6.. => format!("{x:.3e}"),
        1000.0.. => format!("{x:.0}"),
        100.0.. => format!("{x:.1}"),
        10.0.. => format!("{x:.2}"),
        0.001.. => format!("{x:.3}"),
        _ => format!("{x:.1e}"),
    }
}

fn signed(x: f64) -> String {
    if x > 0.0 { format!("+{}", short(x)) } else { short(x).replace('-', "−") }
}

fn interval(value: &Value) -> String {
    match (value.low, value.high) {
        (Some(low), Some(high)) => format!("{} … {}", short(low), short(high)),
        _ => "-".to_string(),
    }
}

fn p_value(p: f64) -> String {
    if p < 0.001 { "< 0.001".to_string() } else { format!("{p:.3}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_digits_that_count() {
        let shown: Vec<String> =
            [0.0, 0.12345, 1.0, 12.345, 123.45, 1234.5, 1e9, 0.000012, -0.5, f64::INFINITY]
                .map(short)
                .to_vec();
        assert_eq!(
            shown,
            ["0", "0.123", "1.000", "12.35", "123.5", "1234", "1.000e9", "1.2e-5", "-0.500", "∞"]
        );
        assert_eq!((signed(0.5), signed(-0.5)), ("+0.500".to_string(), "−0.500".to_string()));
        assert_eq!((p_value(0.0002), p_value(0.05)), ("< 0.001".to_string(), "0.050".to_string()));
    }
}
