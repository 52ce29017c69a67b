//! `translate`: translates a chain to another engine's settings, and lists what that engine can't
//! express.

use clap::Args as ClapArgs;
use kelvin_sampling::Chain;
use kelvin_views::translation::translate_to;

use crate::{
    cli::shared::{args::JsonArgs, failure::usage},
    terminal::{self, json, style::Style},
};

/// `translate`.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  kelvin translate \"temp=0.8 | top_k=40 | top_p=0.95\" --to vllm
  kelvin translate \"min_p=0.1 | temp=2\" --to llama.cpp --json
  kelvin translate \"temp=0.7\" --to anthropic:claude-opus-4-7")]
pub(crate) struct TranslateArgs {
    /// A chain, as for --sampler
    #[arg(value_name = "CHAIN")]
    pub(crate) chain: String,
    /// The engine: llama.cpp, vllm, transformers, ollama, openai, transformers.js,
    /// onnxruntime-genai, openvino-genai, ctranslate2, mlx-lm; or a hosted model: PROVIDER:MODEL
    #[arg(long, value_name = "NAME")]
    pub(crate) to: String,
    #[command(flatten)]
    pub(crate) output: JsonArgs,
}

/// Runs the verb.
pub(crate) fn run(args: &TranslateArgs) -> anyhow::Result<()> {
    let chain: Chain = args.chain.parse().map_err(|error| usage(format!("{error}")))?;
    let translation =
        translate_to(&chain, &args.to).map_err(|error| usage(format!("--to: {error}")))?;
    if args.output.json {
        return json::print(&translation);
    }
    let style = Style::stdout();
    let settings = serde_json::to_string_pretty(&translation.settings)?;
    let mut out = format!("{}\n{settings}\n", style.dim(translation.place));
    out.push_str(&format!("{} {}\n", style.dim("runs as"), translation.runs));
    for missing in &translation.missing {
        out.push_str(&format!("{} {missing}\n", style.bold("can't:")));
    }
    if !translation.known_from.is_empty() {
        out.push_str(&format!("{} {}\n", style.dim("known from"), translation.known_from));
    }
    terminal::print(&out)
}
