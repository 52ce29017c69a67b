//! `score` for people: totals, divergence, and a table of places.

use kelvin_views::escape;

use super::answer::{Answer, Place};
use crate::terminal::{
    self,
    style::Style,
    table::{self, Align},
    wrap,
};

/// Characters that are shown before a place.
const BEFORE: usize = 24;
/// Most characters of a place.
const LONGEST: usize = 28;

/// The answer as lines.
pub(crate) fn render(answer: &Answer, text: &str, style: Style) -> String {
    let mut lines = totals(answer, style);
    let width = terminal::width();
    if let Some(why) = &answer.apart {
        let note = format!(
            "{why}, so tokens have no divergence: each line is a stretch of the text that is whole \
             tokens of both"
        );
        lines.extend(wrap::sentence(&note, 0, width, str::to_string));
    }
    if let Some(of) = &answer.divergence {
        let error = of.standard_error.map_or_else(String::new, |error| format!(" ± {error:.4}"));
        let note = format!(
            "KL(A ‖ B) in nats: mean {:.4}{error} · median {:.4} · 99 % below {:.4} · largest \
             {:.4}; both find the same token likeliest at {:.1} % of places",
            of.mean,
            of.median,
            of.percentile_99,
            of.largest,
            of.same_top * 100.0
        );
        lines.extend(wrap::sentence(&note, 0, width, str::to_string));
    }
    lines.push(String::new());
    lines.extend(places(answer, text, style));
    if answer.places.len() < answer.n_places {
        let note = format!(
            "{} of {}, {} first; --all lists every one in the text's order",
            answer.places.len(),
            terminal::counted(answer.n_places, "place"),
            if answer.models.len() == 2 { "where they part most" } else { "the least likely" }
        );
        lines.push(style.dim(&note));
    }
    lines.join("\n") + "\n"
}

/// A line for each model.
fn totals(answer: &Answer, style: Style) -> Vec<String> {
    let head = ["", "model", "tokens", "ln p", "bits per byte", "perplexity"];
    let mut rows = vec![head.map(str::to_string).to_vec()];
    for (model, letter) in answer.models.iter().zip(letters(answer)) {
        rows.push(vec![
            letter.to_string(),
            escape::printable(&model.file.model),
            model.tokens.to_string(),
            format!("{:.3}", model.logprob),
            format!("{:.4}", model.bits_per_byte),
            format!("{:.3}", model.perplexity),
        ]);
    }
    let mut align = vec![Align::Right; head.len()];
    align[..2].fill(Align::Left);
    let mut lines = table::lines(&rows, &align, 0);
    lines[0] = style.dim(&lines[0]);
    lines
}

/// The names of models in a table: none if there is only one.
fn letters(answer: &Answer) -> &'static [&'static str] {
    if answer.models.len() == 2 { &["A", "B"] } else { &[""] }
}

fn places(answer: &Answer, text: &str, style: Style) -> Vec<String> {
    let two = answer.models.len() == 2;
    let has_kl = answer.divergence.is_some();
    let mut head = vec!["place"];
    head.extend(if two {
        &["ln p A", "ln p B", "B - A"][..]
    } else {
        &["ln p", "rank", "entropy"]
    });
    head.extend(has_kl.then_some("KL"));
    let n_numbers = head.len();
    head.extend(["before", "text"]);
    head.extend(if two { &["A likeliest", "B likeliest"][..] } else { &["likeliest"] });
    let mut align = vec![Align::Left; head.len()];
    align[..=n_numbers].fill(Align::Right);
    let mut rows = vec![head.iter().map(ToString::to_string).collect::<Vec<_>>()];
    rows.extend(answer.places.iter().map(|place| row(place, text)));
    let mut lines = table::lines(&rows, &align, 0);
    lines[0] = style.dim(&lines[0]);
    lines
}

fn row(place: &Place, text: &str) -> Vec<String> {
    let mut row = vec![place.bytes.start.to_string()];
    row.extend(place.models.iter().map(|said| format!("{:.3}", said.logprob)));
    match (place.difference, &place.models[0]) {
        (Some(difference), _) => row.push(format!("{difference:+.3}")),
        (None, said) => {
            row.push(said.rank.map_or_else(String::new, |rank| rank.to_string()));
            row.push(said.entropy.map_or_else(String::new, |nats| format!("{nats:.3}")));
        }
    }
    row.extend(place.kl.map(|kl| format!("{kl:.4}")));
    row.push(escape::visible(&before(text, place.bytes.start)));
    row.push(table::cut(&escape::visible(&place.text), LONGEST));
    let likeliest = place.models.iter().map(|said| escape::visible(&said.likeliest));
    row.extend(likeliest.map(|token| table::cut(&token, LONGEST)));
    row
}

/// The last characters of a text before a place in it.
fn before(text: &str, place: usize) -> String {
    let mut end = place.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let start = text[..end].char_indices().rev().take(BEFORE).last().map_or(end, |(i, _)| i);
    text[start..end].to_string()
}
