//! What columns of whole texts say of their own quality, as lines below the table.

use super::done::Done;
use crate::cli::shared::texts::all_words;

/// What texts that were drawn as a whole say of their quality: a line for each, or for each
/// temperature.
pub(crate) fn lines(done: &Done<'_>) -> Vec<String> {
    let Done { plan, answer, .. } = done;
    let mut lines = Vec::new();
    for t in plan.texts.clone() {
        let columns = &answer.columns[t * plan.samples..(t + 1) * plan.samples];
        let each = columns.iter().filter_map(|column| column.text_temperature.as_ref());
        let heading = plan.heading(t);
        match (plan.samples, &answer.temperatures[t].text_heat) {
            (1, _) | (_, None) => lines.extend(each.zip(1..).map(|(quality, sample)| {
                let of =
                    if plan.samples > 1 { format!(", sample {sample}") } else { String::new() };
                format!("{heading}{of}: {}", quality.words())
            })),
            (_, Some(heat)) => {
                let each: Vec<_> = each.collect();
                lines.push(format!("{heading}: {}; {}", all_words(&each), heat.words()));
            }
        }
    }
    lines
}
