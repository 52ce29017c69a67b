//! Prints what each stage of a chain did.

use kelvin_sampling::TokenId;
use kelvin_views::{
    token,
    trace::{StageRow, Watched},
};

use super::{failure::usage, session::Session};
use crate::terminal::{
    style::Style,
    table::{self, Align},
};

/// The tokens of `--token`.
pub(crate) fn tokens(typed: &[String], session: &Session) -> anyhow::Result<Vec<TokenId>> {
    let one = |typed: &String| {
        token::find(&session.engine, typed).map_err(|error| usage(format!("--token: {error}")))
    };
    typed.iter().map(one).collect()
}

/// The stages of a trace as a table.
pub(crate) fn stage_lines(stages: &[StageRow], style: Style) -> String {
    let mut rows =
        vec![["stage", "tokens left", "entropy", "mass removed"].map(str::to_string).to_vec()];
    for stage in stages {
        rows.push(vec![
            stage.stage.clone(),
            format!("{} → {}", stage.survivors_before, stage.survivors_after),
            format!("{:.3} → {:.3}", stage.entropy_before, stage.entropy_after),
            percent(stage.mass_removed),
        ]);
    }
    let lines = table::lines(&rows, &[Align::Left, Align::Right, Align::Right, Align::Right], 2);
    lines.iter().map(|line| style.dim(line) + "\n").collect()
}

/// The watched tokens as a table: after every stage if `all`, else before and after the chain.
pub(crate) fn watched_lines(watched: &[Watched], all: bool, style: Style) -> String {
    let mut rows =
        vec![["token", "after", "rank", "probability", "nats"].map(str::to_string).to_vec()];
    for token in watched {
        let last = token.places.len() - 1;
        let places = token.places.iter().enumerate().filter(|(i, _)| all || *i == 0 || *i == last);
        for (i, place) in places {
            let name = if i == 0 { token.shown.clone() } else { String::new() };
            rows.push(vec![
                name,
                place.after.clone(),
                place.rank.map_or_else(|| "gone".to_string(), |rank| (rank + 1).to_string()),
                percent(place.probability),
                place.surprisal_nats.map_or_else(|| "∞".to_string(), |nats| format!("{nats:.3}")),
            ]);
        }
    }
    let align = [Align::Left, Align::Left, Align::Right, Align::Right, Align::Right];
    let mut lines = table::lines(&rows, &align, 2);
    lines[0] = style.dim(&lines[0]);
    lines.join("\n") + "\n"
}

/// A probability as a percentage, with enough digits for small values.
pub(crate) fn percent(p: f64) -> String {
    match p {
        0.0 => "0 %".to_string(),
        p if p < 5e-6 => format!("{:.1e} %", p * 100.0),
        _ => format!("{:.4} %", p * 100.0),
    }
}
