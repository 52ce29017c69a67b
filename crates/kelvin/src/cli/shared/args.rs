//! Flags of several verbs: model, prompt, length and output.

use std::path::PathBuf;

use clap::{
    Args as ClapArgs,
    builder::{PossibleValuesParser, TypedValueParser},
};
use kelvin_engine::{decide::Layout, source::Quantize, transformer::CacheFormat};
use kelvin_models::fetch::Permissions;

use super::number;

/// Whether a model may be downloaded.
#[derive(Debug, Clone, Copy, ClapArgs)]
pub(crate) struct FetchArgs {
    /// Never use the network
    #[arg(long, help_heading = "Model")]
    pub(crate) offline: bool,
    /// Accept the model's terms of use without being asked
    #[arg(long, help_heading = "Model")]
    pub(crate) accept_terms: bool,
}

impl FetchArgs {
    /// The permissions for `kelvin_models`.
    pub(crate) fn permissions(self) -> Permissions {
        Permissions { offline: self.offline, accept_terms: self.accept_terms }
    }
}

/// The model.
#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct NamedModelArgs {
    /// A name from `kelvin models`, a path to a GGUF file or Hugging Face folder, or
    /// hub-owner/repo:file.gguf
    #[arg(
        short,
        long,
        value_name = "MODEL",
        default_value = "smollm2",
        env = "KELVIN_MODEL",
        hide_env_values = true,
        help_heading = "Model"
    )]
    pub(crate) model: String,
    #[command(flatten)]
    pub(crate) fetch: FetchArgs,
}

/// The model, and how it runs.
#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct ModelArgs {
    #[command(flatten)]
    pub(crate) named: NamedModelArgs,
    #[command(flatten)]
    pub(crate) engine: EngineArgs,
}

/// One or several models that run in the same way.
#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct ModelsArgs {
    /// A name from `kelvin models`, a path to a GGUF file or Hugging Face folder, or
    /// hub-owner/repo:file.gguf; give it again for another model beside it
    #[arg(
        short,
        long = "model",
        value_name = "MODEL",
        default_value = "smollm2",
        env = "KELVIN_MODEL",
        hide_env_values = true,
        help_heading = "Model"
    )]
    pub(crate) models: Vec<String>,
    #[command(flatten)]
    pub(crate) fetch: FetchArgs,
    #[command(flatten)]
    pub(crate) engine: EngineArgs,
}

impl ModelsArgs {
    /// The arguments of each model.
    pub(crate) fn each(&self) -> impl Iterator<Item = ModelArgs> {
        self.models.iter().map(|model| ModelArgs {
            named: NamedModelArgs { model: model.clone(), fetch: self.fetch },
            engine: self.engine.clone(),
        })
    }
}

/// How a model runs.
#[derive(Debug, Clone, Default, ClapArgs)]
#[command(next_help_heading = "Model")]
pub(crate) struct EngineArgs {
    /// Pack the matrices of a Hugging Face folder while they are read; part of the recipe
    #[arg(long, value_name = "FORMAT", value_parser = quantize_formats())]
    pub(crate) quantize: Option<Quantize>,
    /// Number of threads (default: all cores); the text doesn't depend on it
    #[arg(long, value_name = "N", value_parser = number::count, allow_negative_numbers = true)]
    pub(crate) threads: Option<usize>,
    /// Context size in tokens (default: what the model was trained for)
    #[arg(long, value_name = "N", alias = "context", value_parser = number::count, allow_negative_numbers = true)]
    pub(crate) ctx_size: Option<usize>,
    /// Format of the KV cache: half or single precision, or 8-bit integers with a scale for each
    /// key and value of a head (q8_0); part of the recipe
    #[arg(long, value_name = "TYPE", value_parser = cache_formats(), default_value = "f16")]
    pub(crate) cache_type: CacheFormat,
    /// Which kernels compute; the text doesn't depend on it
    #[arg(long, value_name = "NAME", hide = true)]
    pub(crate) isa: Option<String>,
}

impl ModelArgs {
    /// A model with the default options.
    pub(crate) fn of(model: &str, fetch: FetchArgs, threads: Option<usize>) -> ModelArgs {
        ModelArgs {
            named: NamedModelArgs { model: model.to_string(), fetch },
            engine: EngineArgs { threads, ..EngineArgs::default() },
        }
    }
}

/// Reads a format of the KV cache by its name.
pub(crate) fn cache_formats() -> impl TypedValueParser<Value = CacheFormat> {
    let names = PossibleValuesParser::new(CacheFormat::ALL.map(CacheFormat::name));
    names.map(|name| CacheFormat::named(&name).expect("only names of formats are taken"))
}

/// Reads a format that a folder's weights are packed into by its name.
pub(crate) fn quantize_formats() -> impl TypedValueParser<Value = Quantize> {
    let names = PossibleValuesParser::new(Quantize::ALL.map(Quantize::name));
    let named = |name: String| Quantize::ALL.into_iter().find(|format| format.name() == name);
    names.map(move |name| named(name).expect("only names of formats are taken"))
}

/// The prompt, and its template.
#[derive(Debug, Clone, ClapArgs)]
#[command(next_help_heading = "Prompt")]
pub(crate) struct PromptArgs {
    /// The prompt; `-` or nothing reads standard input
    #[arg(value_name = "PROMPT", allow_hyphen_values = false, help_heading = None::<&'static str>)]
    pub(crate) prompt: Option<String>,
    /// The prompt, as a flag
    #[arg(
        short = 'p',
        long = "prompt",
        value_name = "PROMPT",
        conflicts_with = "prompt",
        allow_hyphen_values = true
    )]
    pub(crate) prompt_flag: Option<String>,
    /// Read the prompt from a file
    #[arg(short, long, value_name = "FILE", conflicts_with_all = ["prompt", "prompt_flag"])]
    pub(crate) file: Option<PathBuf>,
    /// Read \n, \t and \\ in the prompt as newline, tab and backslash
    #[arg(short, long)]
    pub(crate) escape: bool,
    /// Read control tokens such as <|im_start|> in a raw prompt as tokens (in a template they are
    /// text)
    #[arg(long)]
    pub(crate) special: bool,
    /// A system message for the model's chat template
    #[arg(long, value_name = "TEXT")]
    pub(crate) system: Option<String>,
    /// Use the text unchanged, without the model's chat template
    #[arg(long, conflicts_with_all = ["chat", "system", "date"])]
    pub(crate) raw: bool,
    /// Put the text into the model's chat template
    #[arg(long)]
    pub(crate) chat: bool,
    /// The date for chat templates that ask for it: YYYY-MM-DD or today (UTC, the default); part of
    /// the recipe
    #[arg(long, value_name = "DATE")]
    pub(crate) date: Option<String>,
}

/// A text that is only read.
#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct TextArgs {
    /// The text; `-` or nothing reads standard input
    #[arg(value_name = "TEXT")]
    pub(crate) text: Option<String>,
    /// Read the text from a file
    #[arg(short, long, value_name = "FILE", conflicts_with = "text")]
    pub(crate) file: Option<PathBuf>,
}

/// What a continuation may not say, and how long it may think.
#[derive(Debug, Clone, Default, ClapArgs)]
#[command(next_help_heading = "Length")]
pub(crate) struct BanArgs {
    /// Banned string: a text that says it goes back to its first token and draws another one; may
    /// be repeated
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) ban_string: Vec<String>,
    /// Maximum number of tokens that a thinking model thinks; then the end of its reasoning block
    /// follows
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) think: Option<usize>,
}

/// When a continuation ends.
#[derive(Debug, Clone, ClapArgs)]
#[command(next_help_heading = "Length")]
pub(crate) struct LengthArgs {
    /// Maximum number of new tokens
    #[arg(short = 'n', long, value_name = "N", default_value_t = 128, aliases = ["n-predict", "predict", "num-predict"],
        value_parser = number::count, allow_negative_numbers = true)]
    pub(crate) max_tokens: usize,
    /// Stop string: ends the text and isn't part of it; may be repeated
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) stop: Vec<String>,
    #[command(flatten)]
    pub(crate) bans: BanArgs,
    /// Continue after an end token
    #[arg(long, alias = "ignore-eos")]
    pub(crate) ignore_end: bool,
}

/// The form of the output.
#[derive(Debug, Clone, ClapArgs)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArgs {
    /// Print JSON for programs
    #[arg(long)]
    pub(crate) json: bool,
    /// Print times and tokens per second; without it, equal runs print equal bytes
    #[arg(long)]
    pub(crate) timings: bool,
}

/// The form of an output without times.
#[derive(Debug, Clone, Copy, ClapArgs)]
pub(crate) struct JsonArgs {
    /// Print JSON for programs
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,
}

/// A question, and how it is asked.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Question")]
pub(crate) struct QuestionArgs {
    /// What is to be decided
    #[arg(short, long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) question: Option<String>,
    /// An option of a choice; to be repeated
    #[arg(short, long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) option: Vec<String>,
    /// The whole numbers of a score, such as 1..5
    #[arg(long, value_name = "LOW..HIGH", allow_hyphen_values = true, conflicts_with = "option")]
    pub(crate) score: Option<String>,
    /// Labels of the options in place of letters, as many as options; each one token
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true, requires = "option")]
    pub(crate) label: Vec<String>,
    /// Ask with the options in N orders, at most as many as options (default: that of
    /// --calibration, or 1)
    #[arg(short, long, value_name = "N", value_parser = number::count,
        allow_negative_numbers = true)]
    pub(crate) rotations: Option<usize>,
    /// What prompts begin with: question-first lets many texts share a question, text-first many
    /// questions a text (default: that of --calibration, or question-first)
    #[arg(long, value_name = "LAYOUT", value_parser = layouts())]
    pub(crate) layout: Option<Layout>,
    /// Ask without the model's chat template
    #[arg(long, conflicts_with = "date")]
    pub(crate) raw: bool,
    /// The date for chat templates that ask for it: YYYY-MM-DD or today (UTC, the default)
    #[arg(long, value_name = "DATE")]
    pub(crate) date: Option<String>,
}

/// Reads a layout by its name.
fn layouts() -> impl TypedValueParser<Value = Layout> {
    let names = PossibleValuesParser::new(Layout::ALL.map(Layout::name));
    names.map(|name| Layout::named(&name).expect("only names of layouts are taken"))
}
