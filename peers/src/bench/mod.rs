//! Engines side by side on the same files: speed, time to the first token, memory. Ratios come from one run of interleaved
//! rounds, each sample between two runs of a reference loop; a sample whose reference was disturbed is dropped.

mod costs;
mod reference;
pub mod sample;
mod table;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::{Result, ensure};
use serde::Serialize;

use crate::engines::llama::{self, Llama, Mode, Size};
use costs::Costs;
use reference::{Limits, Reference};
use sample::{Name, Outcome, Spec, Waiting, Work};

pub use table::{label, print};

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
    /// How many rounds are taken at most for each pair that is wanted.
    pub patience: usize,
    /// Count disturbed samples as well: on a machine that is never quiet, pairs taken right after each other still give a ratio.
    pub keep_disturbed: bool,
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
/// A sample counts if the reference loops around it ran at no less than this share of their best.
const UNDISTURBED: f64 = 0.88;
/// How often the reference loop runs before anything else, so that its best is known from the beginning.
const N_FIRST: usize = 20;

/// Everything that was measured.
#[derive(Serialize)]
pub struct Report {
    /// The peer's version, commit and build.
    pub llama: String,
    pub candle: &'static str,
    /// What the best tenth of the reference loops reached, by threads.
    pub limits: BTreeMap<usize, Limits>,
    pub rows: Vec<Row>,
    /// Engines that couldn't do a work, and why.
    pub refusals: Vec<String>,
}

/// One figure of one work, for each engine.
#[derive(Clone, Serialize)]
pub struct Row {
    pub model: String,
    pub work: String,
    /// The same in numbers.
    pub measured: Work,
    pub threads: usize,
    pub figure: Figure,
    /// The median of the undisturbed samples.
    pub medians: BTreeMap<Name, Option<f64>>,
    /// Kelvin's figure over each peer's in the same round: median, least, greatest, how many rounds.
    pub ratios: BTreeMap<Name, Option<Ratio>>,
    /// Samples dropped of samples taken.
    pub dropped: usize,
    pub taken: usize,
    /// What the machine's limit is for this figure, and where Kelvin stands.
    pub limit: Option<Share>,
}

/// Kelvin's figure beside a limit.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Share {
    pub of: Limit,
    pub share: f64,
}

/// What a figure runs against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// Bytes of weights, keys and values that the steps must read, over the plain read.
    Read,
    /// Multiplications and additions with weights, over those in registers.
    Int8,
    /// Bytes of the model file and of a cache for the context that was asked for.
    FileAndCache,
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
    reference: Limits,
}

/// All samples of a work: rounds of one sample for each engine.
struct Case {
    model: PathBuf,
    work: Work,
    threads: usize,
    /// What share of their best the loops around a sample must reach for it to count.
    share: f64,
    rounds: Vec<Vec<Option<Taken>>>,
}

/// Measures. `progress` is told of each sample.
pub fn measure(request: &Request, progress: &mut dyn FnMut(&str)) -> Result<Report> {
    llama::ensure_fit()?;
    ensure!(
        cfg!(target_feature = "avx2"),
        "candle was built without AVX2, so nothing is compared with it: build in the folder peers/"
    );
    let reference = Reference::new(&request.threads);
    let mut seen: BTreeMap<usize, Vec<Limits>> = BTreeMap::new();
    for &threads in &request.threads {
        seen.insert(threads, (0..N_FIRST).map(|_| reference.now(threads)).collect());
    }
    let mut cases = Vec::new();
    let mut refusals = Vec::new();
    for model in &request.models {
        let tokens = tokens(model)?;
        for &threads in &request.threads {
            for work in works(request) {
                let share = if request.keep_disturbed { 0.0 } else { UNDISTURBED };
                let mut case = Case { model: model.clone(), work, threads, share, rounds: Vec::new() };
                // An engine that refused once isn't asked again for this work.
                let mut engines: Vec<Option<Name>> = request.engines.iter().map(|&e| Some(e)).collect();
                while case.rounds.len() < request.pairs * request.patience {
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
                                seen.entry(threads).or_default().push(taken.reference);
                                progress(&format!(
                                    "{} {work:?} {threads} threads {engine:?}: read {:.1} GB/s, int8 {:.0} GOP/s",
                                    name_of(model),
                                    taken.reference.read_gb_per_sec,
                                    taken.reference.int8_giga_ops_per_sec
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
                    let best = Limits::best(&seen[&threads]);
                    let quiet = |t: &Taken| work.undisturbed(t.reference, best, share);
                    let good = |round: &&Vec<Option<Taken>>| round.iter().flatten().all(quiet);
                    if case.rounds.iter().filter(good).count() >= request.pairs {
                        break;
                    }
                }
                cases.push(case);
            }
        }
    }
    let best: BTreeMap<usize, Limits> = seen.iter().map(|(&n, all)| (n, Limits::best(all))).collect();
    let mut rows = Vec::new();
    for case in &cases {
        let costs = Costs::of(&case.model)?;
        rows.extend(case.rows(&request.engines, best[&case.threads], &costs));
    }
    Ok(Report { llama: llama::system_info(), candle: "candle 0.11.1", limits: best, rows, refusals })
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
    let before = reference.now(spec.threads);
    let outcome = waiting.go()?;
    let after = reference.now(spec.threads);
    Ok(Taken { outcome, reference: before.min(after) })
}

/// Tokens of the model's context.
pub fn context_len(model: &Path) -> Result<usize> {
    Ok(Costs::of(model)?.config.ctx_len)
}

fn name_of(model: &Path) -> String {
    model.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned())
}

impl Work {
    /// Whether a sample counts by the loops around it: what multiplies is judged by the loop that multiplies, what reads weights for a
    /// few rows by both.
    fn undisturbed(self, reference: Limits, best: Limits, share: f64) -> bool {
        match self {
            Work::Prompt { .. } | Work::Compare { ways: 4.., .. } => {
                reference.int8_giga_ops_per_sec >= share * best.int8_giga_ops_per_sec
            }
            Work::Decode { .. } | Work::First { .. } | Work::Compare { .. } => reference.reach(share, best),
        }
    }
}

impl Case {
    fn rows(&self, engines: &[Name], best: Limits, costs: &Costs) -> Vec<Row> {
        let figures: &[Figure] = match self.work {
            Work::Prompt { .. } | Work::Decode { .. } => &[Figure::TokensPerSec],
            Work::First { .. } => &[Figure::LoadMs, Figure::FirstTokenMs, Figure::PeakMib],
            Work::Compare { .. } => &[Figure::TokensPerSec, Figure::StepTokensPerSec],
        };
        figures.iter().map(|&figure| self.row(figure, engines, best, costs)).collect()
    }

    fn row(&self, figure: Figure, engines: &[Name], best: Limits, costs: &Costs) -> Row {
        let value = |round: &[Option<Taken>], engine: usize| -> Option<f64> {
            let taken = round[engine].as_ref()?;
            self.work
                .undisturbed(taken.reference, best, self.share)
                .then(|| self.value(figure, &taken.outcome))
        };
        let taken = self.rounds.iter().flatten().flatten();
        let (n_taken, dropped) = (
            taken.clone().count(),
            taken.filter(|t| !self.work.undisturbed(t.reference, best, self.share)).count(),
        );
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
        let share = |value: f64| self.share(figure, value, best, costs);
        let limit = medians.get(&Name::Kelvin).copied().flatten().and_then(share);
        Row {
            model: name_of(&self.model),
            work: describe(self.work),
            measured: self.work,
            threads: self.threads,
            figure,
            medians,
            ratios,
            dropped,
            taken: n_taken,
            limit,
        }
    }

    /// How near a value of this work comes to what limits it.
    fn share(&self, figure: Figure, value: f64, best: Limits, costs: &Costs) -> Option<Share> {
        let gb_per_sec = |bytes: f64| bytes * value / 1e9;
        match (figure, self.work) {
            (Figure::TokensPerSec, Work::Prompt { tokens }) => {
                let ops = 2.0 * costs.prompt_multiply_adds(tokens) / tokens as f64;
                Some(Share { of: Limit::Int8, share: ops * value / 1e9 / best.int8_giga_ops_per_sec })
            }
            (Figure::TokensPerSec, Work::Decode { depth, steps }) => {
                let depth = depth.max(1);
                let cache: usize = (depth..depth + steps).map(|pos| costs.cache_bytes(pos)).sum();
                let bytes = costs.step_bytes as f64 + cache as f64 / steps as f64;
                Some(Share { of: Limit::Read, share: gb_per_sec(bytes) / best.read_gb_per_sec })
            }
            (Figure::PeakMib, Work::First { tokens }) => {
                let bytes = costs.file_bytes + costs.room_bytes(tokens + 1);
                Some(Share { of: Limit::FileAndCache, share: value * f64::from(1 << 20) / bytes as f64 })
            }
            _ => None,
        }
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

#[cfg(test)]
mod tests {
    use kelvin_engine::transformer::{Config, LayerConfig, Rope};
    use kelvin_kernels::{gate::Activation, rope::Pairing};

    use super::*;

    fn taken(steps_secs: f64, reference: f64) -> Option<Taken> {
        let outcome = Outcome { load_secs: 0.5, prompt_secs: 1.0, steps_secs, peak_bytes: 3 << 20 };
        let reference = Limits { read_gb_per_sec: reference, int8_giga_ops_per_sec: 100.0 };
        Some(Taken { outcome, reference })
    }

    fn costs() -> Costs {
        let layer = LayerConfig { window: None, rope: 0 };
        let config = Config {
            architecture: "llama".to_string(),
            n_layers: 1,
            d_model: 8,
            n_heads: 1,
            n_kv_heads: 1,
            head_dim: 8,
            d_ff: 16,
            vocab_size: 10,
            ctx_len: 64,
            norm_eps: 1e-5,
            embedding_scale: 1.0,
            attention_scale: 1.0,
            activation: Activation::Silu,
            pairing: Pairing::Adjacent,
            rope_dim: 8,
            ropes: vec![Rope { base: 1e4, scale: 1.0, file_factors: false }],
            layers: vec![layer],
            qk_norm: false,
            post_norms: false,
        };
        Costs { config, file_bytes: (2 << 20) - 21 * 32, step_bytes: 1000 }
    }

    fn case(work: Work, rounds: Vec<Vec<Option<Taken>>>) -> Case {
        Case { model: "m.gguf".into(), work, threads: 2, share: UNDISTURBED, rounds }
    }

    const BEST: Limits = Limits { read_gb_per_sec: 20.0, int8_giga_ops_per_sec: 100.0 };

    #[test]
    fn disturbed_samples_are_dropped_and_ratios_are_paired() {
        let rounds = vec![
            vec![taken(1.0, 20.0), taken(2.0, 19.0)],
            vec![taken(1.0, 20.0), taken(9.0, 15.0)],
            vec![taken(2.0, 18.0), taken(8.0, 18.0)],
        ];
        let case = case(Work::Compare { prompt: 128, ways: 4, steps: 10 }, rounds);
        let engines = [Name::Kelvin, Name::Llama];
        let row = case.row(Figure::StepTokensPerSec, &engines, BEST, &costs());
        assert_eq!((row.dropped, row.taken), (1, 6));
        assert_eq!(row.medians[&Name::Kelvin], Some(40.0));
        let ratio = row.ratios[&Name::Llama].unwrap();
        assert_eq!((ratio.n, ratio.median, ratio.least), (2, 3.0, 2.0));
        let whole = case.row(Figure::TokensPerSec, &engines, BEST, &costs());
        assert_eq!(whole.medians[&Name::Kelvin], Some(20.0));
    }

    #[test]
    fn shares_count_the_cache_and_the_multiplications() {
        let share = |work: Work, figure: Figure| {
            let row = case(work, vec![vec![taken(1.0, 20.0)]]).row(figure, &[Name::Kelvin], BEST, &costs());
            row.limit.unwrap()
        };
        // 2 steps a second, each of 1000 bytes and of the keys and values of 101 and 102 positions, 32 bytes each.
        let read = share(Work::Decode { depth: 100, steps: 2 }, Figure::TokensPerSec);
        assert_eq!(read.of, Limit::Read);
        assert!((read.share * 20e9 / (2.0 * 1000.0 + 203.0 * 32.0) - 1.0).abs() < 1e-12, "{read:?}");
        // A token takes 4·64 + 3·128 multiplications, the last one 80 more.
        let int8 = share(Work::Prompt { tokens: 10 }, Figure::TokensPerSec);
        assert_eq!(int8.of, Limit::Int8);
        assert!((int8.share * 100e9 / (2.0 * 6480.0) - 1.0).abs() < 1e-12, "{int8:?}");
        let memory = share(Work::First { tokens: 20 }, Figure::PeakMib);
        assert_eq!((memory.of, memory.share), (Limit::FileAndCache, 1.5));
    }
}
