//! `models check`: what a model file is, whether it runs here, how much memory it takes, and how
//! fast this machine's limits let it run. Weights aren't read.

use anyhow::{Context, bail};
use kelvin_engine::{
    batch::Budget,
    chat::{ChatTemplate, template_source},
    gguf::{Gguf, Metadata, TensorInfo},
    source,
    tokenizer::Tokenizer,
    transformer::{CacheFormat, Config},
    uses::{self, Use},
};
use kelvin_kernels::{isa::Isa, pool::Pool, roofline};
use kelvin_models::megabytes;
use kelvin_views::{escape, recommended::Recommended};
use serde::Serialize;

use crate::{
    cli::shared::{
        args::{FetchArgs, NamedModelArgs},
        limits, memory,
        session::{self, check_threads},
    },
    terminal::{
        self, json,
        style::Style,
        table::{self, Align},
    },
};

/// Length of the text that memory and speed are given for, besides the whole context.
const SHORT: usize = 4096;
/// Runs of the loops that measure the machine; the best result counts.
const N_MEASURED: usize = 8;
/// Maximum number of problems, and of warnings, of one kind in the list.
const MAX_LISTED: usize = 5;

/// The result of a check.
#[derive(Debug, Serialize)]
struct CheckOutput {
    model: String,
    file: String,
    size: u64,
    name: Option<String>,
    architecture: Option<String>,
    parameters: u64,
    formats: Vec<String>,
    context: Option<usize>,
    /// Whether it runs on this machine.
    runs: bool,
    /// Why it doesn't run.
    problems: Vec<String>,
    /// Warnings: no chat template, no end token, an unknown pre-tokenizer.
    odd: Vec<String>,
    /// `None` if the engine can't run the file on any machine.
    memory: Option<Memory>,
    speed: Option<Speed>,
    recommended: Option<Recommended>,
}

/// Bytes of memory.
#[derive(Debug, Serialize)]
struct Memory {
    weights: u64,
    /// Keys and values (f16) of a text of `tokens` tokens, and its recurrent states if it has some.
    kv_cache: u64,
    tokens: usize,
    /// As `kv_cache`, of a text that fills the context.
    kv_cache_of_context: u64,
    /// Memory that is free now, if the system reports it.
    available: Option<u64>,
}

/// Upper bounds of the speed, from this machine's limits. `kelvin bench` measures the speed that a
/// model reaches.
#[derive(Debug, Serialize)]
struct Speed {
    threads: usize,
    /// Upper bound of tokens per second of one text.
    decode_at_most: f64,
    /// Upper bound of prompt tokens per second.
    prefill_at_most: f64,
    limit_gb_per_sec: f64,
    limit_giga_ops_per_sec: f64,
}

/// Checks a model.
pub(super) fn run(
    model: &str,
    threads: Option<usize>,
    fetch: FetchArgs,
    as_json: bool,
) -> anyhow::Result<()> {
    check_threads(threads)?;
    let (_, path) = session::locate(&NamedModelArgs { model: model.to_string(), fetch })?;
    let gguf =
        source::open(&path, None).with_context(|| format!("can't use {}", path.display()))?;
    let found = check(model, &path.display().to_string(), &gguf, threads)?;
    if as_json {
        json::print(&found)?;
    } else {
        terminal::print(&render(&found, Style::stdout()))?;
    }
    match found.problems.first() {
        Some(problem) => bail!("{model} doesn't run here: {problem}"),
        None => Ok(()),
    }
}

fn check(
    model: &str,
    file: &str,
    gguf: &Gguf,
    threads: Option<usize>,
) -> anyhow::Result<CheckOutput> {
    let text = |key: &str| gguf.metadata.str(key).ok().flatten().map(str::to_string);
    let (mut problems, mut odd) = (Vec::new(), Vec::new());
    let config = Config::from_gguf(gguf).map_err(|error| problems.push(error.to_string())).ok();
    refused(gguf, &mut problems);
    warned(gguf, &mut odd);
    let tokenizer = Tokenizer::from_metadata(&gguf.metadata);
    match (&tokenizer, &config) {
        (Err(error), _) => problems.push(error.to_string()),
        (Ok(tokenizer), Some(config)) if tokenizer.vocab_size() != config.vocab_size => {
            problems.push(format!(
                "the tokenizer has {} tokens, but the model's embedding has {}",
                tokenizer.vocab_size(),
                config.vocab_size
            ));
        }
        _ => {}
    }
    if let Ok(tokenizer) = &tokenizer {
        odd.extend(tokenizer.warnings().iter().cloned());
        if tokenizer.end_tokens().is_empty() {
            odd.push("no end token: texts end at their length or at a stop string".to_string());
        }
        template(&gguf.metadata, tokenizer, &mut odd);
    }
    let recommended = Recommended::of(&gguf.metadata);
    odd.extend(recommended.iter().filter_map(|found| found.problem.clone()));
    let memory = config.as_ref().map(|config| memory_of(gguf, config));
    problems.extend(memory.as_ref().and_then(Memory::shortage));
    let speed = config.as_ref().map(|config| speed(gguf, config, threads)).transpose()?;
    let mut formats: Vec<String> =
        gguf.tensors.iter().map(|tensor| format!("{:?}", tensor.format)).collect();
    formats.sort_unstable();
    formats.dedup();
    Ok(CheckOutput {
        model: model.to_string(),
        file: file.to_string(),
        size: gguf.file_len(),
        name: text("general.name"),
        architecture: text("general.architecture"),
        parameters: gguf.tensors.iter().map(numbers).sum(),
        formats,
        context: config.as_ref().map(|config| config.ctx_len),
        runs: problems.is_empty(),
        problems,
        odd,
        memory,
        speed,
        recommended,
    })
}

fn numbers(tensor: &TensorInfo) -> u64 {
    tensor.shape.iter().map(|&n| n as u64).product()
}

/// Adds the keys and tensors that the model needs and the engine can't use.
fn refused(gguf: &Gguf, problems: &mut Vec<String>) {
    let keys = gguf.metadata.entries.iter();
    let keys = keys.map(|(key, value)| (key, uses::of_key(&gguf.metadata, key, value)));
    let tensors = gguf.tensors.iter().map(|tensor| &tensor.name).zip(uses::of_tensors(gguf));
    let refused = |(name, of): (&String, Use)| match of {
        Use::Refused(reason) => Some(format!("{}: {reason}", escape::visible(name))),
        _ => None,
    };
    let all: Vec<String> = keys.chain(tensors).filter_map(refused).collect();
    // The configuration's error has named the first few already.
    let new = all.iter().filter(|one| !problems.iter().any(|said| said.contains(*one)));
    let new: Vec<String> = new.take(MAX_LISTED).cloned().collect();
    problems.extend(new);
}

/// Adds the keys that should have an effect and have none.
fn warned(gguf: &Gguf, odd: &mut Vec<String>) {
    let entries = gguf.metadata.entries.iter();
    let warned =
        entries.filter_map(|(key, value)| match uses::of_key(&gguf.metadata, key, value) {
            Use::Warned(reason) => Some(format!("{}: {reason}", escape::visible(key))),
            _ => None,
        });
    odd.extend(warned.take(MAX_LISTED));
}

fn template(metadata: &Metadata, tokenizer: &Tokenizer, odd: &mut Vec<String>) {
    let Some(source) = template_source(metadata, false).ok().flatten() else {
        odd.push("no chat template: it continues text, and `kelvin chat` refuses it".to_string());
        return;
    };
    let text = |token: Option<_>| token.map(|token| tokenizer.piece(token).to_string());
    let (bos, eos) = (text(tokenizer.bos()), text(tokenizer.eos()));
    let (bos, eos) = (bos.unwrap_or_default(), eos.unwrap_or_default());
    let made = source.and_then(|source| ChatTemplate::new(source, &bos, &eos));
    if let Err(error) = made {
        odd.push(format!("the chat template can't be used: {error}"));
    }
}

fn memory_of(gguf: &Gguf, config: &Config) -> Memory {
    let tokens = SHORT.min(config.ctx_len);
    let of = |n_tokens: usize| {
        Budget::for_texts(1, n_tokens).n_bytes(config, CacheFormat::default()) as u64
    };
    Memory {
        weights: gguf.tensors.iter().map(|tensor| tensor.n_bytes as u64).sum(),
        kv_cache: of(tokens),
        tokens,
        kv_cache_of_context: of(config.ctx_len),
        available: memory::available(),
    }
}

impl Memory {
    /// The sentence about too little memory; `None` if there is enough.
    fn shortage(&self) -> Option<String> {
        let needed = self.weights.saturating_add(self.kv_cache);
        let free = self.available.filter(|&free| free < needed)?;
        Some(format!(
            "it takes {} with a text of {} tokens, but {} of memory are free",
            megabytes(needed),
            self.tokens,
            megabytes(free)
        ))
    }
}

/// Weight bytes that a decode step of one text reads. Only the selected experts count, and one row
/// of an untied input embedding.
fn step_bytes(gguf: &Gguf, config: &Config) -> f64 {
    let mixture = config.experts.as_ref();
    let of_experts =
        mixture.map_or(1.0, |mixture| mixture.n_used as f64 / mixture.n_experts as f64);
    let has_output = gguf.tensors.iter().any(|tensor| tensor.name == "output.weight");
    let read = |tensor: &TensorInfo| match tensor.name.as_str() {
        "token_embd.weight" if has_output => 0.0,
        "position_embd.weight" | "per_layer_token_embd.weight" => 0.0,
        name if name.contains("_exps.") => tensor.n_bytes as f64 * of_experts,
        _ => tensor.n_bytes as f64,
    };
    gguf.tensors.iter().map(read).sum()
}

fn speed(gguf: &Gguf, config: &Config, threads: Option<usize>) -> anyhow::Result<Speed> {
    let pool = Pool::new(threads.unwrap_or(0));
    let numbers = roofline::read_buffer()?;
    let (mut gb, mut ops) = (0.0f64, 0.0f64);
    for _ in 0..N_MEASURED {
        let now = limits::measure(&pool, Isa::best(), &numbers);
        (gb, ops) = (gb.max(now.gb_per_sec), ops.max(now.giga_ops_per_sec));
    }
    let arithmetic = |logits: bool| ops * 1e9 / (2.0 * config.multiply_adds(logits).max(1) as f64);
    let reading = gb * 1e9 / step_bytes(gguf, config).max(1.0);
    Ok(Speed {
        threads: pool.n_threads(),
        decode_at_most: json::short(reading.min(arithmetic(true)) as f32),
        prefill_at_most: json::short(arithmetic(false) as f32),
        limit_gb_per_sec: json::short(gb as f32),
        limit_giga_ops_per_sec: json::short(ops as f32),
    })
}

fn render(found: &CheckOutput, style: Style) -> String {
    let unknown = || "(none)".to_string();
    let mut facts = vec![
        ("file", format!("{} ({})", found.file, megabytes(found.size))),
        ("name", found.name.clone().unwrap_or_else(unknown)),
        (
            "model",
            format!(
                "{}, {:.1} million parameters, {}",
                found.architecture.clone().unwrap_or_else(unknown),
                found.parameters as f64 / 1e6,
                found.formats.join(", ")
            ),
        ),
    ];
    if let Some(context) = found.context {
        facts.push(("context", format!("{context} tokens")));
    }
    facts.push(("runs here", if found.runs { "yes" } else { "no" }.to_string()));
    facts.extend(found.problems.iter().map(|problem| ("problem", problem.clone())));
    if let Some(memory) = &found.memory {
        let free = memory.available.map(|free| format!(", {} free now", megabytes(free)));
        facts.push((
            "memory",
            format!(
                "{}: weights {}, KV cache of {} tokens {} (whole context {}){}",
                megabytes(memory.weights.saturating_add(memory.kv_cache)),
                megabytes(memory.weights),
                memory.tokens,
                megabytes(memory.kv_cache),
                megabytes(memory.kv_cache_of_context),
                free.unwrap_or_default()
            ),
        ));
    }
    if let Some(speed) = &found.speed {
        facts.push((
            "speed",
            format!(
                "at most {:.1} tokens/s in decode and {:.0} in prefill with {} ({:.1} GB/s, {:.0} \
                 GOP/s); `kelvin bench` measures it",
                speed.decode_at_most,
                speed.prefill_at_most,
                terminal::counted(speed.threads, "thread"),
                speed.limit_gb_per_sec,
                speed.limit_giga_ops_per_sec
            ),
        ));
    }
    if let Some(chain) = found.recommended.as_ref().and_then(|found| found.chain.as_ref()) {
        facts.push(("recommended", format!("{chain} (--recommended)")));
    }
    facts.extend(found.odd.iter().map(|odd| ("odd", odd.clone())));
    let row = |(what, value): (&str, String)| {
        vec![what.to_string(), escape::visible(&value).replace('␣', " ")]
    };
    let rows: Vec<Vec<String>> = facts.into_iter().map(row).collect();
    let lines = table::lines(&rows, &[Align::Left, Align::Left], 0);
    let line = |(i, line): (usize, &String)| match rows[i][0].as_str() {
        "problem" | "odd" => style.bold(line),
        _ => line.clone(),
    };
    lines.iter().enumerate().map(line).collect::<Vec<_>>().join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_that_is_too_large_for_the_memory_is_refused() {
        let memory = |available| Memory {
            weights: 3_000_000_000,
            kv_cache: 1_000_000_000,
            tokens: 4096,
            kv_cache_of_context: 9_000_000_000,
            available,
        };
        assert_eq!(memory(None).shortage(), None);
        assert_eq!(memory(Some(4_000_000_000)).shortage(), None);
        assert_eq!(
            memory(Some(2_000_000_000)).shortage().unwrap(),
            "it takes 4.0 GB with a text of 4096 tokens, but 2.0 GB of memory are free"
        );
    }
}
