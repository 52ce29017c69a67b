//! How far an engine's distributions are from the truth: mean Kullback-Leibler divergence over a
//! text, with its uncertainty. The truth is llama.cpp on the file expanded to F32, which rounds
//! neither weights further nor activations.

use std::path::Path;

use anyhow::{Result, ensure};
use serde::Serialize;

use crate::{
    engines::{
        kelvin::Kelvin,
        llama::{Llama, Mode, Size},
        most_likely,
    },
    random::Random,
};

/// What to measure on.
pub struct Request {
    /// How many of the text's tokens.
    pub n_tokens: usize,
    /// How many tokens are read at a time, each window as a text of its own.
    pub window: usize,
    pub threads: usize,
    /// Of the bootstrap.
    pub seed: u64,
    /// Without Kelvin: how far llama.cpp is from the truth.
    pub llama_only: bool,
}

/// One engine beside the truth.
#[derive(Serialize)]
pub struct Candidate {
    pub name: &'static str,
    /// Mean of KL(truth || candidate) over all positions, nats.
    pub mean_kl: f64,
    pub median_kl: f64,
    /// Share of positions where both have the same most likely token.
    pub same_first: f64,
    /// Mean surprisal of the text's own tokens, nats.
    pub mean_surprisal: f64,
    /// Root mean square of the log probabilities' difference from the truth, over all positions and
    /// the whole vocabulary, nats.
    pub rms_difference: f64,
    #[serde(skip)]
    kl: Vec<f64>,
    #[serde(skip)]
    n_same: usize,
    #[serde(skip)]
    surprisal: f64,
    #[serde(skip)]
    square: f64,
}

/// The answer of `kl`.
#[derive(Serialize)]
pub struct Report {
    pub model: String,
    /// The file that llama.cpp ran plainly.
    pub truth: String,
    pub n_tokens: usize,
    pub window: usize,
    pub truth_surprisal: f64,
    pub candidates: Vec<Candidate>,
    /// Kelvin's mean KL over llama.cpp's.
    pub ratio: Option<f64>,
    /// Its 95 % interval: positions drawn again with replacement, both engines' together.
    pub ratio_interval: Option<[f64; 2]>,
    /// What the project asks for: ratio at most 1.05. None without Kelvin, or where the truth isn't
    /// an expanded file.
    pub within_target: Option<bool>,
}

const TARGET: f64 = 1.05;
const N_BOOTSTRAP: usize = 10_000;
/// Neighbouring positions are alike, so they are drawn in blocks of this many.
const BLOCK: usize = 16;

impl Candidate {
    fn new(name: &'static str) -> Candidate {
        Candidate {
            name,
            mean_kl: 0.0,
            median_kl: 0.0,
            same_first: 0.0,
            mean_surprisal: 0.0,
            rms_difference: 0.0,
            kl: Vec::new(),
            n_same: 0,
            surprisal: 0.0,
            square: 0.0,
        }
    }

    fn add(&mut self, truth: &Row, row: &[f32], next: Option<u32>) {
        let row_log_p = log_probabilities(row);
        self.kl.push(divergence(&truth.log_p, &row_log_p));
        let squares = truth.log_p.iter().zip(&row_log_p).map(|(p, q)| (p - q).powi(2));
        self.square += squares.sum::<f64>() / row.len() as f64;
        self.n_same += usize::from(most_likely(row) == truth.first);
        self.surprisal -= next.map_or(0.0, |t| row_log_p[t as usize]);
    }

    fn finish(&mut self, n_next: usize) {
        let n = self.kl.len() as f64;
        self.mean_kl = self.kl.iter().sum::<f64>() / n;
        let mut sorted = self.kl.clone();
        sorted.sort_by(f64::total_cmp);
        self.median_kl = sorted[sorted.len() / 2];
        self.same_first = self.n_same as f64 / n;
        self.rms_difference = (self.square / n).sqrt();
        self.mean_surprisal = self.surprisal / n_next as f64;
    }
}

/// The truth at one position.
struct Row {
    log_p: Vec<f64>,
    first: u32,
}

/// Measures on the first tokens of `text`. `truth` is `model` with F32 numbers, or `model` itself
/// where that would be too large.
pub fn measure(model: &Path, truth: &Path, text: &str, request: &Request) -> Result<Report> {
    let size = Size { n_ctx: request.window, n_sequences: 1 };
    let truth_file = truth.display().to_string();
    // Against its own file run plainly, a ratio says little about who is right.
    let is_expanded = truth != model;
    let mut truth = Llama::load(truth, Mode::Plain, 1, size)?;
    let mut llama = Llama::load(model, Mode::Default, request.threads, size)?;
    let mut kelvin = match request.llama_only {
        true => None,
        false => Some(Kelvin::load(model, request.threads)?),
    };
    let all = llama.tokenize(text);
    ensure!(
        all.len() >= request.n_tokens,
        "the text has {} tokens, {} were asked for: give a longer text or fewer --tokens",
        all.len(),
        request.n_tokens
    );
    // Each window begins as the text does, with the special token that the model adds, where it
    // adds one.
    let plain = llama.tokenize("a");
    let first_special = (plain.len() > 1 && plain[0] == all[0]).then_some(all[0]);
    let body = &all[usize::from(first_special.is_some())..];

    let mut llama_side = Candidate::new("llama.cpp defaults");
    let mut kelvin_side = Candidate::new("kelvin");
    let (mut n_done, mut n_next, mut truth_surprisal) = (0, 0, 0.0);
    let mut rest = body;
    while n_done < request.n_tokens {
        let n = request.window.min(request.n_tokens - n_done);
        let (own, later) = rest.split_at(n - usize::from(first_special.is_some()));
        rest = later;
        let window: Vec<u32> = first_special.into_iter().chain(own.iter().copied()).collect();
        let next = |pos: usize| window.get(pos + 1).copied();

        let mut rows = Vec::with_capacity(n);
        truth.rows(&window, |row| {
            rows.push(Row { log_p: log_probabilities(row), first: most_likely(row) });
        })?;
        for (pos, row) in rows.iter().enumerate() {
            truth_surprisal -= next(pos).map_or(0.0, |t| row.log_p[t as usize]);
            n_next += usize::from(next(pos).is_some());
        }
        let mut pos = 0;
        llama.rows(&window, |row| {
            llama_side.add(&rows[pos], row, next(pos));
            pos += 1;
        })?;
        if let Some(kelvin) = &mut kelvin {
            let mut pos = 0;
            kelvin.rows(&window, |row| {
                kelvin_side.add(&rows[pos], row, next(pos));
                pos += 1;
            })?;
            ensure!(pos == n, "Kelvin returned {pos} rows for {n} tokens");
        }
        n_done += n;
    }

    llama_side.finish(n_next);
    let (mut ratio, mut ratio_interval) = (None, None);
    let mut candidates = Vec::new();
    if kelvin.is_some() {
        kelvin_side.finish(n_next);
        ratio = Some(kelvin_side.mean_kl / llama_side.mean_kl);
        ratio_interval = Some(bootstrap(&kelvin_side.kl, &llama_side.kl, request.seed));
        candidates.push(kelvin_side);
    }
    candidates.push(llama_side);
    Ok(Report {
        model: model.display().to_string(),
        truth: truth_file,
        n_tokens: n_done,
        window: request.window,
        truth_surprisal: truth_surprisal / n_next as f64,
        candidates,
        ratio,
        ratio_interval,
        within_target: ratio.filter(|_| is_expanded).map(|r| r <= TARGET),
    })
}

/// Prints a report as people read it.
pub fn print(report: &Report) {
    println!(
        "{}: {} tokens in windows of {}; the text's mean surprisal under the truth is {:.4} nats",
        report.model, report.n_tokens, report.window, report.truth_surprisal
    );
    println!(
        "{:<20} {:>12} {:>12} {:>11} {:>11} {:>11}",
        "", "mean KL", "median KL", "same first", "surprisal", "rms diff"
    );
    for c in &report.candidates {
        println!(
            "{:<20} {:>12.6} {:>12.6} {:>10.2}% {:>11.4} {:>11.4}",
            c.name,
            c.mean_kl,
            c.median_kl,
            100.0 * c.same_first,
            c.mean_surprisal,
            c.rms_difference
        );
    }
    if let (Some(ratio), Some([low, high])) = (report.ratio, report.ratio_interval) {
        print!("kelvin / llama.cpp: {ratio:.3} (95 %: {low:.3} to {high:.3})");
        match report.within_target {
            Some(true) => println!(", within the target of {TARGET}"),
            Some(false) => println!(", over the target of {TARGET}"),
            None => {
                println!(
                    "; the truth is the same file run plainly, so this only tells whether they \
                     agree"
                )
            }
        }
    }
}

/// Natural logarithms of the softmax at temperature 1.
fn log_probabilities(logits: &[f32]) -> Vec<f64> {
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = logits.iter().map(|&x| f64::from(x - max).exp()).sum();
    let log_sum = sum.ln() + f64::from(max);
    logits.iter().map(|&x| f64::from(x) - log_sum).collect()
}

/// KL(p || q) in nats.
fn divergence(log_p: &[f64], log_q: &[f64]) -> f64 {
    log_p.iter().zip(log_q).map(|(&p, &q)| p.exp() * (p - q)).sum()
}

/// The 95 % interval of mean(a) / mean(b), the same positions drawn for both.
fn bootstrap(a: &[f64], b: &[f64], seed: u64) -> [f64; 2] {
    let blocks = |x: &[f64]| -> Vec<f64> { x.chunks(BLOCK).map(|c| c.iter().sum()).collect() };
    let (a, b) = (blocks(a), blocks(b));
    let mut random = Random::new(seed, 0);
    let mut ratios: Vec<f64> = (0..N_BOOTSTRAP)
        .map(|_| {
            let (mut sum_a, mut sum_b) = (0.0, 0.0);
            for _ in 0..a.len() {
                let i = random.below(a.len());
                sum_a += a[i];
                sum_b += b[i];
            }
            sum_a / sum_b
        })
        .collect();
    ratios.sort_by(f64::total_cmp);
    let at = |share: f64| ratios[(share * (N_BOOTSTRAP - 1) as f64).round() as usize];
    [at(0.025), at(0.975)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn divergence_of_two_coins() {
        let p = log_probabilities(&[0.0, 0.0]);
        let q = log_probabilities(&[3f32.ln(), 0.0]);
        // 1/2 ln(1/2 : 3/4) + 1/2 ln(1/2 : 1/4) = 1/2 ln(4/3)
        let expected = 0.5 * (4.0f64 / 3.0).ln();
        assert!((divergence(&p, &q) - expected).abs() < 1e-7);
        assert_eq!(divergence(&p, &p), 0.0);
    }

    #[test]
    fn the_interval_holds_the_ratio_and_narrows_to_it_when_every_position_agrees() {
        let mut random = Random::new(3, 4);
        let b: Vec<f64> = (0..2000).map(|_| f64::from(random.uniform())).collect();
        let twice: Vec<f64> = b.iter().map(|x| 2.0 * x).collect();
        assert_eq!(bootstrap(&twice, &b, 1), [2.0, 2.0]);
        let other: Vec<f64> = (0..2000).map(|_| f64::from(random.uniform())).collect();
        let [low, high] = bootstrap(&other, &b, 1);
        assert!(low < 1.0 && 1.0 < high && high - low < 0.2, "{low} {high}");
    }
}
