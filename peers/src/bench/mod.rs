//! Engines side by side on the same files: speed, time to the first token, memory. Ratios come from one run of interleaved
//! rounds, each sample between two runs of a reference loop; a sample whose reference was disturbed is dropped.

mod reference;
pub mod sample;
mod table;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use serde::Serialize;

use crate::{
    engines::llama::{self, Llama, Mode, Size},
    gguf::Header,
};
use reference::Reference;
use sample::{Name, Outcome, Spec, Waiting, Work};

pub use table::print;

/// What to measure.
pub struct Request {
    pub models: Vec<PathBuf>,
    pub engines: Vec<Name>,
    pub threads: Vec<usize>,
    /// How many undisturbed rounds each row wants.
    pub pairs: usize,
    pub kinds: Vec<Kind>,
    pub prompt_tokens: usize,
    pub depths: Vec<usize>,
    pub ways: Vec<usize>,
    pub steps: usize,
}

/// The kinds of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// A prompt, read at once
    Prompt,
    /// One continuation
    Decode,
    /// From the model file to the first token, and peak memory
    First,
    /// One prompt continued several ways together
    Compare,
}

/// Prompt lengths that the issue fixes.
const FIRST_TOKENS: usize = 20;
const COMPARE_PROMPT: usize = 128;
/// A sample counts if the reference loop around it ran at no less than this share of its best.
const UNDISTURBED: f64 = 0.88;
/// How many rounds a row may take, as a multiple of the pairs it wants.
const PATIENCE: usize = 3;
/// How often the reference loop runs before anything else, so that its best is known from the beginning.
const N_FIRST: usize = 20;

/// Everything that was measured.
#[derive(Serialize)]
pub struct Report {
    /// The peer's version, commit and build.
    pub llama: String,
    pub candle: &'static str,
    /// The best of the reference loop: threads, 10^9 bytes a second.
    pub read_gb_per_sec: BTreeMap<usize, f64>,
    pub rows: Vec<Row>,
    /// Engines that couldn't do a work, and why.
    pub refusals: Vec<String>,
}

/// One figure of one work, for each engine.
#[derive(Serialize)]
pub struct Row {
    pub model: String,
    pub work: String,
    pub threads: usize,
    pub figure: Figure,
    /// The median of the undisturbed samples.
    pub medians: BTreeMap<Name, Option<f64>>,
    /// Kelvin's figure over each peer's in the same round: median, least, greatest, how many rounds.
    pub ratios: BTreeMap<Name, Option<Ratio>>,
    /// Samples dropped of samples taken.
    pub dropped: usize,
    pub taken: usize,
    /// Decoding: Kelvin's bytes of weights a second over what the reference loop reads.
    pub kelvin_share_of_read: Option<f64>,
}

/// What a row's numbers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Figure {
    TokensPerSec,
    /// Steps alone, the prompt's time left out.
    StepTokensPerSec,
    LoadMs,
    FirstTokenMs,
    PeakMib,
}

/// A median of paired ratios.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Ratio {
    pub median: f64,
    pub least: f64,
    pub greatest: f64,
    pub n: usize,
}

/// One sample and how undisturbed it was.
struct Taken {
    outcome: Outcome,
    reference: f64,
}

/// All samples of a work: rounds of one sample for each engine.
struct Case {
    model: PathBuf,
    work: Work,
    threads: usize,
    rounds: Vec<Vec<Option<Taken>>>,
}

/// Measures. `progress` is told of each sample.
pub fn measure(request: &Request, progress: &mut dyn FnMut(&str)) -> Result<Report> {
    llama::ensure_fit()?;
    ensure!(
        cfg!(target_feature = "avx2"),
        "candle was built without AVX2, so nothing is compared with it: build in the folder peers/"
    );
    let reference = Reference::new();
    let mut best: BTreeMap<usize, f64> = BTreeMap::new();
    for &threads in &request.threads {
        let first = (0..N_FIRST).map(|_| reference.gb_per_sec(threads)).fold(0.0, f64::max);
        best.insert(threads, first);
    }
    let mut cases = Vec::new();
    let mut refusals = Vec::new();
    for model in &request.models {
        let tokens = tokens(model)?;
        for &threads in &request.threads {
            for work in works(request) {
                let mut case = Case { model: model.clone(), work, threads, rounds: Vec::new() };
                // An engine that refused once isn't asked again for this work.
                let mut engines: Vec<Option<Name>> = request.engines.iter().map(|&e| Some(e)).collect();
                while case.rounds.len() < request.pairs * PATIENCE {
                    let mut round = Vec::new();
                    for slot in &mut engines {
                        let Some(engine) = *slot else {
                            round.push(None);
                            continue;
                        };
                        let spec =
                            Spec { engine, model: model.clone(), threads, work, tokens: tokens.clone() };
                        match take(&spec, &reference) {
                            Ok(taken) => {
                                let best = best.entry(threads).or_default();
                                *best = best.max(taken.reference);
                                progress(&format!(
                                    "{} {work:?} {threads} threads {engine:?}",
                                    name_of(model)
                                ));
                                round.push(Some(taken));
                            }
                            Err(error) => {
                                let said = format!("{engine:?} on {}, {work:?}: {error:#}", name_of(model));
                                progress(&said);
                                refusals.push(said);
                                *slot = None;
                                round.push(None);
                            }
                        }
                    }
                    case.rounds.push(round);
                    let limit = best[&threads] * UNDISTURBED;
                    let good =
                        |round: &&Vec<Option<Taken>>| round.iter().flatten().all(|t| t.reference >= limit);
                    if case.rounds.iter().filter(good).count() >= request.pairs {
                        break;
                    }
                }
                cases.push(case);
            }
        }
    }
    let mut rows = Vec::new();
    for case in &cases {
        rows.extend(case.rows(&request.engines, best[&case.threads])?);
    }
    Ok(Report { llama: llama::system_info(), candle: "candle 0.11.1", read_gb_per_sec: best, rows, refusals })
}

fn works(request: &Request) -> Vec<Work> {
    let mut works = Vec::new();
    for kind in &request.kinds {
        match kind {
            Kind::Prompt => works.push(Work::Prompt { tokens: request.prompt_tokens }),
            Kind::Decode => {
                works.extend(request.depths.iter().map(|&depth| Work::Decode { depth, steps: request.steps }))
            }
            Kind::First => works.push(Work::First { tokens: FIRST_TOKENS }),
            Kind::Compare => works.extend(request.ways.iter().map(|&ways| Work::Compare {
                prompt: COMPARE_PROMPT,
                ways,
                steps: request.steps,
            })),
        }
    }
    works
}

/// Ordinary text as tokens of this model.
fn tokens(model: &Path) -> Result<Vec<u32>> {
    let size = Size { n_ctx: 256, n_sequences: 1 };
    let llama = Llama::load(model, Mode::Default, 1, size)?;
    Ok(llama.tokenize(include_str!("../../data/prose.txt")))
}

fn take(spec: &Spec, reference: &Reference) -> Result<Taken> {
    let waiting = Waiting::start(spec)?;
    let before = reference.gb_per_sec(spec.threads);
    let outcome = waiting.go()?;
    let after = reference.gb_per_sec(spec.threads);
    Ok(Taken { outcome, reference: before.min(after) })
}

fn name_of(model: &Path) -> String {
    model.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned())
}

impl Case {
    fn rows(&self, engines: &[Name], best: f64) -> Result<Vec<Row>> {
        let figures: &[Figure] = match self.work {
            Work::Prompt { .. } | Work::Decode { .. } => &[Figure::TokensPerSec],
            Work::First { .. } => &[Figure::LoadMs, Figure::FirstTokenMs, Figure::PeakMib],
            Work::Compare { .. } => &[Figure::TokensPerSec, Figure::StepTokensPerSec],
        };
        let mut rows = Vec::new();
        for &figure in figures {
            rows.push(self.row(figure, engines, best)?);
        }
        Ok(rows)
    }

    fn row(&self, figure: Figure, engines: &[Name], best: f64) -> Result<Row> {
        let value = |round: &[Option<Taken>], engine: usize| -> Option<f64> {
            let taken = round[engine].as_ref()?;
            (taken.reference >= UNDISTURBED * best).then(|| self.value(figure, &taken.outcome))
        };
        let taken = self.rounds.iter().flatten().flatten();
        let (n_taken, dropped) =
            (taken.clone().count(), taken.filter(|t| t.reference < UNDISTURBED * best).count());
        let medians: BTreeMap<Name, Option<f64>> = engines
            .iter()
            .enumerate()
            .map(|(e, &name)| (name, median(self.rounds.iter().filter_map(|r| value(r, e)).collect())))
            .collect();
        let kelvin = engines.iter().position(|&e| e == Name::Kelvin);
        let ratio = |peer: usize| -> Option<Ratio> {
            let mut ratios: Vec<f64> =
                self.rounds.iter().filter_map(|r| Some(value(r, kelvin?)? / value(r, peer)?)).collect();
            ratios.sort_by(f64::total_cmp);
            Some(Ratio {
                least: *ratios.first()?,
                greatest: *ratios.last()?,
                n: ratios.len(),
                median: median(ratios)?,
            })
        };
        let ratios = engines
            .iter()
            .enumerate()
            .filter(|(_, name)| **name != Name::Kelvin)
            .map(|(e, &name)| (name, ratio(e)))
            .collect();
        let kelvin_share_of_read = match (self.work, medians.get(&Name::Kelvin).copied().flatten()) {
            (Work::Decode { .. }, Some(speed)) => {
                Some(speed * weight_bytes_of_a_step(&self.model)? as f64 / 1e9 / best)
            }
            _ => None,
        };
        Ok(Row {
            model: name_of(&self.model),
            work: describe(self.work),
            threads: self.threads,
            figure,
            medians,
            ratios,
            dropped,
            taken: n_taken,
            kelvin_share_of_read,
        })
    }

    fn value(&self, figure: Figure, outcome: &Outcome) -> f64 {
        let (prompt, steps) = (outcome.prompt_secs, outcome.steps_secs);
        match (figure, self.work) {
            (Figure::TokensPerSec, Work::Prompt { tokens }) => tokens as f64 / prompt,
            (Figure::TokensPerSec, Work::Compare { ways, steps: n, .. }) => {
                (ways * n) as f64 / (prompt + steps)
            }
            (
                Figure::TokensPerSec | Figure::StepTokensPerSec,
                Work::Decode { steps: n, .. } | Work::Compare { steps: n, .. },
            ) => {
                let ways = match self.work {
                    Work::Compare { ways, .. } => ways,
                    _ => 1,
                };
                (ways * n) as f64 / steps
            }
            (Figure::LoadMs, _) => outcome.load_secs * 1e3,
            (Figure::FirstTokenMs, _) => (outcome.load_secs + prompt) * 1e3,
            (Figure::PeakMib, _) => outcome.peak_bytes as f64 / f64::from(1 << 20),
            (figure, work) => unreachable!("{figure:?} is no figure of {work:?}"),
        }
    }
}

fn describe(work: Work) -> String {
    match work {
        Work::Prompt { tokens } => format!("prompt of {tokens}"),
        Work::Decode { depth, .. } => format!("one continuation at {depth}"),
        Work::First { tokens } => format!("file to first token of {tokens}"),
        Work::Compare { prompt, ways, .. } => format!("prompt of {prompt}, {ways} ways"),
    }
}

/// The middle value, or the mean of the two middle ones.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let n = values.len();
    match n {
        0 => None,
        _ => Some((values[(n - 1) / 2] + values[n / 2]) / 2.0),
    }
}

/// The file's bytes that a step must read: all tensors, but of an embedding with an output layer beside it only a row.
fn weight_bytes_of_a_step(model: &Path) -> Result<u64> {
    let header = Header::read(model)?;
    let has_output = header.tensors.iter().any(|t| t.name == "output.weight");
    let mut total = 0;
    for tensor in &header.tensors {
        if !(has_output && tensor.name == "token_embd.weight") {
            total += tensor.n_bytes().context("the file was loaded before")?;
        }
    }
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(steps_secs: f64, reference: f64) -> Option<Taken> {
        Some(Taken {
            outcome: Outcome { load_secs: 0.5, prompt_secs: 1.0, steps_secs, peak_bytes: 3 << 20 },
            reference,
        })
    }

    #[test]
    fn disturbed_samples_are_dropped_and_ratios_are_paired() {
        let case = Case {
            model: "m.gguf".into(),
            work: Work::Compare { prompt: 128, ways: 4, steps: 10 },
            threads: 2,
            rounds: vec![
                vec![taken(1.0, 20.0), taken(2.0, 19.0)],
                vec![taken(1.0, 20.0), taken(9.0, 15.0)],
                vec![taken(2.0, 18.0), taken(8.0, 18.0)],
            ],
        };
        let engines = [Name::Kelvin, Name::Llama];
        let row = case.row(Figure::StepTokensPerSec, &engines, 20.0).unwrap();
        assert_eq!((row.dropped, row.taken), (1, 6));
        assert_eq!(row.medians[&Name::Kelvin], Some(40.0));
        let ratio = row.ratios[&Name::Llama].unwrap();
        assert_eq!((ratio.n, ratio.median, ratio.least), (2, 3.0, 2.0));
        let whole = case.row(Figure::TokensPerSec, &engines, 20.0).unwrap();
        assert_eq!(whole.medians[&Name::Kelvin], Some(20.0));
    }
}
