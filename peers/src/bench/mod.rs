//! Engines side by side on the same files: speed, time to the first token, memory. Ratios come from
//! one run of interleaved rounds, each sample between two runs of a reference loop; a round during
//! which the machine changed is dropped.

mod costs;
mod reference;
mod rounds;
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
use reference::{Limits, Reference, Spread};
use rounds::{Round, Rounds};
use sample::{Name, Outcome, Work};

pub use table::{label, print};

/// What to measure.
pub struct Request {
    pub models: Vec<PathBuf>,
    pub engines: Vec<Name>,
    pub threads: Vec<usize>,
    /// How many steady rounds each row wants.
    pub pairs: usize,
    pub kinds: Vec<Kind>,
    pub prompt_tokens: usize,
    pub depths: Vec<usize>,
    pub ways: Vec<usize>,
    pub steps: usize,
    /// How many rounds are taken at most for each pair that is wanted.
    pub patience: usize,
    /// How many rounds are taken before the models are loaded anew.
    pub rounds_a_load: usize,
    /// Count unsteady rounds as well.
    pub keep_unsteady: bool,
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
/// A round counts if each reference loop in it reached this share of the round's fastest.
const STEADY: f64 = 0.88;

/// Everything that was measured.
#[derive(Serialize)]
pub struct Report {
    /// The peer's version, commit and build.
    pub llama: String,
    pub candle: &'static str,
    /// What the reference loops reached, by threads.
    pub limits: BTreeMap<usize, Spread>,
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
    /// The median over the steady rounds.
    pub medians: BTreeMap<Name, Option<f64>>,
    /// Kelvin's figure over each peer's in the same round: median, least, greatest, how many
    /// rounds.
    pub ratios: BTreeMap<Name, Option<Ratio>>,
    /// Rounds dropped of rounds taken.
    pub dropped: usize,
    pub taken: usize,
    /// What the machine's limit is for this figure, and where Kelvin stands: the median over the
    /// steady rounds.
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

/// All samples of a work: rounds of one sample for each engine.
struct Case {
    model: PathBuf,
    work: Work,
    threads: usize,
    /// Whether unsteady rounds count.
    keep_unsteady: bool,
    rounds: Vec<Round>,
}

/// Measures. `progress` is told of each sample.
pub fn measure(request: &Request, progress: &mut dyn FnMut(&str)) -> Result<Report> {
    llama::ensure_fit()?;
    ensure!(
        cfg!(target_feature = "avx2"),
        "candle was built without AVX2, so nothing is compared with it: build in the folder peers/"
    );
    let reference = Reference::new(&request.threads)?;
    let mut seen: BTreeMap<usize, Vec<Limits>> = BTreeMap::new();
    let mut cases = Vec::new();
    let mut refusals = Vec::new();
    for model in &request.models {
        let tokens = tokens(model)?;
        for &threads in &request.threads {
            for work in works(request) {
                let keep_unsteady = request.keep_unsteady;
                let mut case =
                    Case { model: model.clone(), work, threads, keep_unsteady, rounds: Vec::new() };
                let at = (model.as_path(), work, threads);
                let mut rounds =
                    Rounds::new(&request.engines, at, &tokens, &reference, request.rounds_a_load);
                while case.rounds.len() < request.pairs * request.patience
                    && case.counted().count() < request.pairs
                {
                    let round = rounds.take(progress);
                    seen.entry(threads)
                        .or_default()
                        .extend(round.iter().flatten().flat_map(|t| t.around));
                    case.rounds.push(round);
                }
                refusals.append(&mut rounds.refusals);
                cases.push(case);
            }
        }
    }
    let limits = seen.iter().map(|(&n, all)| (n, Spread::of(all))).collect();
    let mut rows = Vec::new();
    for case in &cases {
        let costs = Costs::of(&case.model)?;
        rows.extend(case.rows(&request.engines, &costs));
    }
    Ok(Report { llama: llama::system_info(), candle: "candle 0.11.1", limits, rows, refusals })
}

fn works(request: &Request) -> Vec<Work> {
    let mut works = Vec::new();
    for kind in &request.kinds {
        match kind {
            Kind::Prompt => works.push(Work::Prompt { tokens: request.prompt_tokens }),
            Kind::Decode => works.extend(
                request.depths.iter().map(|&depth| Work::Decode { depth, steps: request.steps }),
            ),
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

/// Tokens of the model's context.
pub fn context_len(model: &Path) -> Result<usize> {
    Ok(Costs::of(model)?.config.ctx_len)
}

fn name_of(model: &Path) -> String {
    model.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned())
}

impl Work {
    /// What a reference loop says of this work: what multiplies is judged by the loop that
    /// multiplies, what reads by the other.
    fn judge(self, limits: &Limits) -> f64 {
        match self {
            Work::Prompt { .. } | Work::Compare { ways: 4.., .. } => limits.int8_giga_ops_per_sec,
            Work::Decode { .. } | Work::First { .. } | Work::Compare { .. } => {
                limits.read_gb_per_sec
            }
        }
    }
}

impl Case {
    /// The rounds that count.
    fn counted(&self) -> impl Iterator<Item = &Round> {
        self.rounds.iter().filter(|round| self.keep_unsteady || self.is_steady(round))
    }

    /// Whether the machine was the same for all engines of a round.
    fn is_steady(&self, round: &Round) -> bool {
        let loops =
            || round.iter().flatten().flat_map(|taken| &taken.around).map(|l| self.work.judge(l));
        let fastest = loops().fold(0.0, f64::max);
        loops().all(|speed| speed >= STEADY * fastest)
    }

    fn rows(&self, engines: &[Name], costs: &Costs) -> Vec<Row> {
        let figures: &[Figure] = match self.work {
            Work::Prompt { .. } | Work::Decode { .. } => &[Figure::TokensPerSec],
            Work::First { .. } => &[Figure::LoadMs, Figure::FirstTokenMs, Figure::PeakMib],
            Work::Compare { .. } => &[Figure::TokensPerSec, Figure::StepTokensPerSec],
        };
        figures.iter().map(|&figure| self.row(figure, engines, costs)).collect()
    }

    fn row(&self, figure: Figure, engines: &[Name], costs: &Costs) -> Row {
        let value = |round: &Round, engine: usize| -> Option<f64> {
            Some(self.value(figure, &round[engine].as_ref()?.outcome))
        };
        let medians = engines.iter().enumerate().map(|(e, &name)| {
            (name, median(self.counted().filter_map(|round| value(round, e)).collect()))
        });
        let kelvin = engines.iter().position(|&e| e == Name::Kelvin);
        let ratio = |peer: usize| -> Option<Ratio> {
            let of = |round: &Round| Some(value(round, kelvin?)? / value(round, peer)?);
            let mut ratios: Vec<f64> = self.counted().filter_map(of).collect();
            ratios.sort_by(f64::total_cmp);
            Some(Ratio {
                least: *ratios.first()?,
                greatest: *ratios.last()?,
                n: ratios.len(),
                median: median(ratios)?,
            })
        };
        let peers = engines.iter().enumerate().filter(|(_, name)| **name != Name::Kelvin);
        let share = |round: &Round| {
            let taken = round[kelvin?].as_ref()?;
            self.share(figure, self.value(figure, &taken.outcome), taken.around, costs)
        };
        let shares: Vec<Share> = self.counted().filter_map(share).collect();
        let limit = shares
            .first()
            .map(|share| share.of)
            .zip(median(shares.iter().map(|s| s.share).collect()));
        Row {
            model: name_of(&self.model),
            work: describe(self.work),
            measured: self.work,
            threads: self.threads,
            figure,
            medians: medians.collect(),
            ratios: peers.map(|(e, &name)| (name, ratio(e))).collect(),
            dropped: self.rounds.len() - self.counted().count(),
            taken: self.rounds.len(),
            limit: limit.map(|(of, share)| Share { of, share }),
        }
    }

    /// How near a value of this work comes to what limits it: the faster of the loops around it.
    fn share(
        &self,
        figure: Figure,
        value: f64,
        around: [Limits; 2],
        costs: &Costs,
    ) -> Option<Share> {
        let limit = self.work.judge(&around[0]).max(self.work.judge(&around[1]));
        let gb_per_sec = |bytes: f64| bytes * value / 1e9;
        match (figure, self.work) {
            (Figure::TokensPerSec, Work::Prompt { tokens }) => {
                let ops = 2.0 * costs.prompt_multiply_adds(tokens) / tokens as f64;
                Some(Share { of: Limit::Int8, share: ops * value / 1e9 / limit })
            }
            (Figure::TokensPerSec, Work::Decode { depth, steps }) => {
                let depth = depth.max(1);
                let cache: usize = (depth..depth + steps).map(|pos| costs.cache_bytes(pos)).sum();
                let bytes = costs.step_bytes as f64 + cache as f64 / steps as f64;
                Some(Share { of: Limit::Read, share: gb_per_sec(bytes) / limit })
            }
            (Figure::PeakMib, Work::First { tokens }) => {
                let bytes = costs.file_bytes + costs.room_bytes(tokens + 1);
                Some(Share {
                    of: Limit::FileAndCache,
                    share: value * f64::from(1 << 20) / bytes as f64,
                })
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
    use kelvin_engine::transformer::{Config, LayerConfig, NormKind, QkNorm, Rope};
    use kelvin_kernels::{gate::Activation, rope::Pairing};

    use super::{rounds::Taken, *};

    /// A sample between two loops that read at these speeds.
    fn taken(steps_secs: f64, around: [f64; 2]) -> Option<Taken> {
        let outcome = Outcome { load_secs: 0.5, prompt_secs: 1.0, steps_secs, peak_bytes: 3 << 20 };
        let limits = |read_gb_per_sec| Limits { read_gb_per_sec, int8_giga_ops_per_sec: 100.0 };
        Some(Taken { outcome, around: around.map(limits) })
    }

    fn costs() -> Costs {
        let layer = LayerConfig { window: None, rope: Some(0), parallel: false, xielu: None };
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
            norm: NormKind::Rms,
            norm_eps: 1e-5,
            qk_norm: QkNorm::Head,
            norm_after_rotation: false,
            embedding_scale: 1.0,
            residual_scale: 1.0,
            attention_scale: 1.0,
            logit_scale: 1.0,
            score_cap: None,
            logit_cap: None,
            clamp: None,
            slopes: Vec::new(),
            temperature: None,
            activation: Activation::Silu,
            gated: true,
            pairing: Pairing::Adjacent,
            rope_dim: 8,
            ropes: vec![Rope::plain(1e4)],
            layers: vec![layer],
        };
        Costs { config, file_bytes: (2 << 20) - 21 * 32, step_bytes: 1000 }
    }

    fn case(work: Work, rounds: Vec<Round>) -> Case {
        Case { model: "m.gguf".into(), work, threads: 2, keep_unsteady: false, rounds }
    }

    #[test]
    fn unsteady_rounds_are_dropped_and_ratios_are_paired() {
        let rounds = || {
            vec![
                vec![taken(1.0, [20.0, 20.0]), taken(2.0, [19.0, 18.0])],
                // The machine was slower for the peer; then it was slow for both.
                vec![taken(1.0, [20.0, 20.0]), taken(9.0, [20.0, 15.0])],
                vec![taken(2.0, [9.0, 8.0]), taken(8.0, [8.0, 9.0])],
            ]
        };
        let mut case = case(Work::Compare { prompt: 128, ways: 2, steps: 10 }, rounds());
        let engines = [Name::Kelvin, Name::Llama];
        let row = case.row(Figure::StepTokensPerSec, &engines, &costs());
        assert_eq!((row.dropped, row.taken), (1, 3));
        assert_eq!(row.medians[&Name::Kelvin], Some(15.0));
        let ratio = row.ratios[&Name::Llama].unwrap();
        assert_eq!((ratio.n, ratio.median, ratio.least), (2, 3.0, 2.0));
        case.keep_unsteady = true;
        let row = case.row(Figure::TokensPerSec, &engines, &costs());
        assert_eq!((row.dropped, row.ratios[&Name::Llama].unwrap().n), (0, 3));
        // What multiplies isn't judged by the loop that reads.
        let case = Case { work: Work::Compare { prompt: 128, ways: 4, steps: 10 }, ..case };
        assert_eq!(case.rounds.iter().filter(|round| case.is_steady(round)).count(), 3);
    }

    #[test]
    fn shares_count_the_cache_and_the_multiplications() {
        let share = |work: Work, figure: Figure| {
            let rounds = vec![vec![taken(1.0, [20.0, 18.0])]];
            case(work, rounds).row(figure, &[Name::Kelvin], &costs()).limit.unwrap()
        };
        // 2 steps a second, each of 1000 bytes and of the keys and values of 101 and 102 positions,
        // 32 bytes each.
        let read = share(Work::Decode { depth: 100, steps: 2 }, Figure::TokensPerSec);
        assert_eq!(read.of, Limit::Read);
        assert!(
            (read.share * 20e9 / (2.0 * 1000.0 + 203.0 * 32.0) - 1.0).abs() < 1e-12,
            "{read:?}"
        );
        // A token takes 4·64 + 3·128 multiplications, the last one 80 more.
        let int8 = share(Work::Prompt { tokens: 10 }, Figure::TokensPerSec);
        assert_eq!(int8.of, Limit::Int8);
        assert!((int8.share * 100e9 / (2.0 * 6480.0) - 1.0).abs() < 1e-12, "{int8:?}");
        let memory = share(Work::First { tokens: 20 }, Figure::PeakMib);
        assert_eq!((memory.of, memory.share), (Limit::FileAndCache, 1.5));
    }
}
