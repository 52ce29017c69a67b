//! Prints fitted temperatures, their worth, and reliability before and after.

use std::path::Path;

use kelvin_lab::calibration::{Bin, Calibration, Found, Judged};

use crate::terminal::{
    self, bars,
    style::Style,
    table::{self, Align},
    wrap,
};

/// Columns of a bar of the reliability diagram.
const BAR: usize = 20;

/// All kinds of a calibration.
pub(super) fn render(calibration: &Calibration, file: Option<&Path>, style: Style) -> String {
    let mut out = String::new();
    for (kind, judged) in &calibration.kinds {
        out.push_str(&of_kind(kind, judged, style));
    }
    let note = match file {
        Some(file) => format!(
            "{} · written to {}, which decide and serve take with --calibration",
            calibration.model,
            file.display()
        ),
        None => format!("{} · nothing written: --output FILE does", calibration.model),
    };
    for line in wrap::sentence(&note, 0, terminal::width(), |line| style.dim(line)) {
        out.push_str(&(line + "\n"));
    }
    out
}

fn of_kind(kind: &str, judged: &Judged, style: Style) -> String {
    let t = judged.fit.temperature;
    let interval = match judged.fit.interval {
        // Labels without a signal fit any temperature.
        Some((low, high)) if high > 1000.0 * low => {
            "95 % interval without bounds: the examples don't determine T".to_string()
        }
        Some((low, high)) => format!("95 % interval {low:.3} to {high:.3}"),
        None => "at the end of what is searched: the examples don't bound it".to_string(),
    };
    let facts = format!(
        "{interval} · {} · {} right",
        terminal::counted(judged.n, "example"),
        shown(&judged.accuracy)
    );
    let mut out = format!(
        "{}  {}\n  {}\n\n",
        style.bold(kind),
        style.heat(t as f32, &format!("T = {t:.3}")),
        style.dim(&facts)
    );
    let (before, after) = (&judged.before, &judged.after);
    let mut rows = vec![["", "before (T = 1)", "after", "change"].map(str::to_string).to_vec()];
    for (name, before, after, change) in [
        ("NLL (nats)", &before.nll, &after.nll, Some(&judged.nll_change)),
        ("Brier score", &before.brier, &after.brier, None),
        ("calibration error", &before.ece, &after.ece, Some(&judged.ece_change)),
    ] {
        let change = change.map_or(String::new(), shown);
        rows.push(vec![name.to_string(), shown(before), shown(after), change]);
    }
    let align = [Align::Left, Align::Right, Align::Right, Align::Right];
    let lines = table::dressed(&rows, &align, 2, style);
    out.push_str(&(lines.join("\n") + "\n"));
    if let Some(note) = judged.note() {
        for line in wrap::sentence(note, 2, terminal::width(), |line| style.dim(line)) {
            out.push_str(&(line + "\n"));
        }
    }
    out.push('\n');
    out.push_str(&reliability(before.bins.as_slice(), after.bins.as_slice(), style));
    out + "\n"
}

/// How often answers were right, by how sure the model was.
fn reliability(before: &[Bin], after: &[Bin], style: Style) -> String {
    let mut rows =
        vec![["sure", "right", "before", "sure", "right", "after"].map(str::to_string).to_vec()];
    let cells = |bin: Option<&Bin>| match bin {
        Some(bin) => [
            percent(bin.confidence),
            percent(bin.accuracy),
            format!("{:BAR$}", bars::bar(bin.accuracy, BAR)),
        ],
        None => [String::new(), String::new(), String::new()],
    };
    for i in 0..before.len().max(after.len()) {
        rows.push([cells(before.get(i)), cells(after.get(i))].concat());
    }
    let align = [Align::Right, Align::Right, Align::Left, Align::Right, Align::Right, Align::Left];
    let lines = table::lines(&rows, &align, 2);
    let mut out =
        format!("  {}\n", style.dim("reliability: of answers as sure as this, so many were right"));
    for (i, line) in lines.iter().enumerate() {
        out.push_str(&(if i == 0 { style.dim(line) } else { line.clone() } + "\n"));
    }
    out
}

fn shown(found: &Found) -> String {
    match found.interval {
        Some((low, high)) => format!("{:.3} [{low:.3}, {high:.3}]", found.value),
        None => format!("{:.3}", found.value),
    }
}

fn percent(p: f64) -> String {
    format!("{:.0} %", p * 100.0)
}
