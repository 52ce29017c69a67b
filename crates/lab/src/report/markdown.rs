//! Writes a report as Markdown: the figures as tables.

use std::fmt::Write;

use super::{MeltingPoint, Report, Table, build::model_of, counted, tables, tables::detail};
use crate::run::Source;

/// The whole report as Markdown. Text from models is in code spans, where it has no meaning as
/// markup.
pub fn markdown(report: &Report) -> String {
    let mut out = String::from("# What temperature did\n\n");
    write_runs(&mut out, report);
    for warning in &report.warnings {
        let _ = writeln!(out, "> {}\n", escaped(warning));
    }
    write_advice(&mut out, report);
    write_findings(&mut out, report);
    for table in tables(report) {
        write_table(&mut out, "##", &table);
    }
    out.push_str("## Each metric\n\n");
    for metric in &report.metrics {
        let mut table = detail(report, metric);
        let unit =
            if metric.unit.is_empty() { String::new() } else { format!(" ({})", metric.unit) };
        table.title = format!("{}{unit}", metric.title);
        table.note = format!(
            "{}: {}. Source: {}. Beware: {}.{}",
            metric.summary,
            metric.formula,
            metric.source,
            metric.trap,
            metric
                .absent
                .iter()
                .map(|(why, n)| format!(" Absent {}: {why}.", counted(*n, "time")))
                .collect::<String>()
        );
        write_table(&mut out, "###", &table);
    }
    out.push_str("## How to make it again\n\n```sh\n");
    for run in &report.runs {
        let _ = writeln!(out, "{}", run.command);
    }
    let _ = writeln!(out, "{}\n```", report.command);
    out
}

fn write_runs(out: &mut String, report: &Report) {
    for run in &report.runs {
        // Numbers would be taken for those of the database.
        let name = match report.runs.len() {
            1 => String::new(),
            _ => format!(" {}", code(&run.name)),
        };
        let origin = match &run.source {
            Source::Local { model, sha256 } => format!("{}, file `{sha256}`", escaped(model)),
            Source::Server { model, url } => format!("{} at {}", escaped(model), escaped(url)),
        };
        let _ = writeln!(
            out,
            "Run{name}: {origin}; {} of {} × {}, up to {}, seed {}; recipe `{}`, Kelvin {}.\n",
            counted(run.n_texts, "text"),
            counted(run.prompts.len(), "prompt"),
            counted(run.n_samples, "sample"),
            counted(run.max_tokens, "token"),
            run.seed,
            run.hash,
            run.version
        );
    }
}

/// What to use, and why.
fn write_advice(out: &mut String, report: &Report) {
    for advice in &report.advice {
        let _ = writeln!(out, "{}\n", escaped(&advice.sentences.join(" ")));
    }
    if let Some(ceiling) = &report.ceiling {
        let _ = writeln!(out, "Metrics {}.\n", escaped(ceiling));
    }
}

/// The settings that none beats, and where each model melts.
fn write_findings(out: &mut String, report: &Report) {
    if let Some(plane) = &report.plane {
        let names: Vec<String> =
            plane.frontier.iter().map(|&i| code(&report.settings[i].label)).collect();
        let knee = plane.knee.map_or(String::new(), |i| {
            let label = code(&report.settings[i].label);
            if plane.is_knee_beaten() {
                format!(" The knee is {label}: what beats it at both misses what was asked.")
            } else {
                format!(" Its knee is {label}.")
            }
        });
        let _ = writeln!(
            out,
            "No setting beats these at both {} and {} (by their means): {}.{knee}\n",
            plane.quality,
            plane.diversity,
            names.join(", ")
        );
    }
    for melting in &report.melting {
        let model = escaped(model_of(&report.runs[melting.run].source));
        let mut say = |point: Option<MeltingPoint>, verb: &str, why: &str| {
            let Some(point) = point else { return };
            let MeltingPoint { temperature, low, high, at_the_edge, .. } = point;
            let between = point.between_words();
            let edge = if at_the_edge {
                ", at the edge of what was tried, so it may lie beyond"
            } else {
                ""
            };
            let family = code(&melting.family);
            let _ = writeln!(
                out,
                "{model} with {family} {verb} at T = {temperature:.2} ({low:.2} … \
                 {high:.2}{edge}){between}: {why}.\n"
            );
        };
        say(melting.point, "melts", "there its heat capacity is largest");
        say(
            melting.turning,
            "turns",
            "from there on its entropy rises faster than exponentially (TURN)",
        );
    }
}

fn write_table(out: &mut String, level: &str, table: &Table) {
    let _ = writeln!(out, "{level} {}\n", escaped(&table.title));
    if !table.note.is_empty() {
        let _ = writeln!(out, "{}\n", escaped(&table.note));
    }
    if table.rows.is_empty() {
        return;
    }
    let line = |cells: &[String]| {
        let cells: Vec<String> = cells
            .iter()
            .enumerate()
            .map(
                |(i, cell)| {
                    if i == 0 && cells.len() > 1 { code_in_table(cell) } else { escaped(cell) }
                },
            )
            .collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let head: Vec<String> = table.head.iter().map(|name| escaped(name)).collect();
    let _ = writeln!(out, "| {} |", head.join(" | "));
    let _ = writeln!(out, "|---{}|", "|---:".repeat(table.head.len() - 1));
    table.rows.iter().for_each(|row| out.push_str(&line(row)));
    out.push('\n');
}

/// Escapes every character that has a meaning in Markdown or HTML.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '`' | '|' | '*' | '_' | '[' | ']' | '#' | '~' | '>' => out.extend(['\\', c]),
            '\n' | '\r' => out.push(' '),
            _ => out.push(c),
        }
    }
    out
}

fn code(text: &str) -> String {
    format!("`{}`", text.replace(['`', '\n', '\r'], " "))
}

fn code_in_table(text: &str) -> String {
    code(text).replace('|', "\\|")
}
