//! The perplexity of a text under Kelvin and under llama.cpp, on the same tokens and by the same
//! convention: that of `llama-perplexity`, unless `skip` says otherwise. Code of its own, so that
//! it is a check on `kelvin perplexity` as well.

use std::path::Path;

use anyhow::{Result, ensure};
use serde::Serialize;

use crate::engines::{
    kelvin::Kelvin,
    llama::{Llama, Mode, Size},
};

/// What to measure on.
pub struct Request {
    /// How many of the text's tokens; windows that they don't fill are left out.
    pub n_tokens: usize,
    /// Tokens read at a time, each window as a text of its own.
    pub window: usize,
    /// The first place in a window from which a token is predicted that counts.
    pub skip: usize,
    pub threads: usize,
}

/// One engine.
#[derive(Serialize)]
pub struct Side {
    pub name: &'static str,
    pub mean_nats: f64,
    /// Of the mean, the tokens taken as independent.
    pub standard_error: f64,
    pub perplexity: f64,
}

/// The answer.
#[derive(Serialize)]
pub struct Report {
    pub model: String,
    pub window: usize,
    pub skip: usize,
    pub windows: usize,
    /// Tokens that count.
    pub tokens: usize,
    pub kelvin: Side,
    pub llama: Side,
    /// Kelvin's perplexity over llama.cpp's.
    pub ratio: f64,
    /// The standard error of the ratio's logarithm, from the tokens' own differences.
    pub ratio_error: f64,
    /// What the project asks for: at most 0.3 % from 1.
    pub within_target: bool,
}

const TARGET: f64 = 0.003;

/// Measures both on the first tokens of `text`.
pub fn measure(model: &Path, text: &str, request: &Request) -> Result<Report> {
    let (window, skip) = (request.window, request.skip);
    ensure!(
        window >= 2 && skip <= window - 2,
        "a skip of {skip} leaves nothing of a window of {window}"
    );
    let size = Size { n_ctx: window, n_sequences: 1 };
    let mut llama = Llama::load(model, Mode::Default, request.threads, size)?;
    let mut kelvin = Kelvin::load(model, request.threads)?;
    let mut tokens = llama.tokenize(text.strip_suffix('\n').unwrap_or(text));
    // What the model puts before a text stands first in every window as well.
    let plain = llama.tokenize("a");
    let first = (plain.len() > 1 && plain[0] == tokens[0]).then_some(tokens[0]);
    ensure!(
        tokens.len() >= request.n_tokens && request.n_tokens >= window,
        "the text has {} tokens, {} were asked for in windows of {window}",
        tokens.len(),
        request.n_tokens
    );
    tokens.truncate(request.n_tokens);
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let windows = tokens.chunks_exact(window);
    let n_windows = windows.len();
    for own in windows {
        let mut own = own.to_vec();
        own[0] = first.unwrap_or(own[0]);
        let mut pos = 0;
        let mut add = |nats: &mut Vec<f64>, row: &[f32]| {
            if (skip..window - 1).contains(&pos) {
                nats.push(surprisal(row, own[pos + 1]));
            }
            pos = (pos + 1) % window;
        };
        kelvin.rows(&own, |row| add(&mut ours, row))?;
        llama.rows(&own, |row| add(&mut theirs, row))?;
    }
    ensure!(
        ours.len() == theirs.len() && ours.len() == n_windows * (window - 1 - skip),
        "a row is missing"
    );
    let differences: Vec<f64> = ours.iter().zip(&theirs).map(|(a, b)| a - b).collect();
    let (mean, ratio_error) = mean_and_error(&differences);
    let ratio = mean.exp();
    Ok(Report {
        model: model.display().to_string(),
        window,
        skip,
        windows: n_windows,
        tokens: ours.len(),
        kelvin: Side::new("kelvin", &ours),
        llama: Side::new("llama.cpp", &theirs),
        ratio,
        ratio_error,
        within_target: (ratio - 1.0).abs() <= TARGET,
    })
}

impl Side {
    fn new(name: &'static str, nats: &[f64]) -> Side {
        let (mean_nats, standard_error) = mean_and_error(nats);
        Side { name, mean_nats, standard_error, perplexity: mean_nats.exp() }
    }
}

/// -ln p of a token.
fn surprisal(logits: &[f32], token: u32) -> f64 {
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = logits.iter().map(|&x| (f64::from(x) - f64::from(max)).exp()).sum();
    sum.ln() + f64::from(max) - f64::from(logits[token as usize])
}

fn mean_and_error(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (mean, (variance / n).sqrt())
}

/// Prints a report as people read it.
pub fn print(report: &Report) {
    println!(
        "{}: {} tokens scored, {} windows of {}, the first {} of each only read",
        report.model,
        report.tokens,
        report.windows,
        report.window,
        report.skip + 1
    );
    for side in [&report.kelvin, &report.llama] {
        println!(
            "{:<10} perplexity {:>9.4} ± {:.4}   mean {:.6} ± {:.6} nats",
            side.name,
            side.perplexity,
            side.perplexity * side.standard_error,
            side.mean_nats,
            side.standard_error
        );
    }
    println!(
        "kelvin / llama.cpp: {:.5} ± {:.5}, {} the target of {} %",
        report.ratio,
        report.ratio * report.ratio_error,
        if report.within_target { "within" } else { "over" },
        100.0 * TARGET
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_equal_tokens_have_a_perplexity_of_four() {
        let nats = [surprisal(&[1.5; 4], 0), surprisal(&[1.5; 4], 3)];
        let side = Side::new("x", &nats);
        assert!((side.perplexity - 4.0).abs() < 1e-12 && side.standard_error < 1e-12);
        let (mean, error) = mean_and_error(&[1.0, 3.0]);
        assert_eq!((mean, error), (2.0, 1.0));
    }
}
