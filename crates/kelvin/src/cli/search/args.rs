//! The arguments of `search`.

use clap::{
    Args as ClapArgs,
    builder::{PossibleValuesParser, TypedValueParser},
};
use kelvin_engine::search::{By, EarlyStopping, Method};

use crate::cli::shared::{
    args::{JsonArgs, LengthArgs, ModelArgs, PromptArgs},
    drafts::DraftArgs,
    form::FormArgs,
    number,
    sampling::SamplingArgs,
    temp::TempArgs,
};

/// `search`.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  kelvin search \"The capital of Nepal is\" -n 12
  kelvin search \"Once upon a time\" --beams 8 --length-penalty 0 --tree
  kelvin search \"Once upon a time\" --method diverse --beams 6 --groups 3 --diversity-penalty 2
  kelvin search \"Once upon a time\" --method stochastic --beams 8 --seed 7
  kelvin search --chat \"Name a mountain\" --method best-of --samples 32 --by sum --seed 7
  kelvin search --chat \"Why is the sky blue?\" --method mbr --samples 16 -t 0.7 --seed 7 --json

beam keeps the likeliest beginnings; a text that ends scores ln p / tokens^penalty. diverse has \
groups of beams that pay for tokens of the groups before them. Both find what transformers finds. \
stochastic draws different texts without replacement (Gumbel top-k). best-of draws texts and ranks \
them by their likelihood. mbr draws texts and ranks each by how alike it is to the others: minimum \
Bayes risk. ln p is always the model's own, the end token's included. Several spellings of a text \
are one row, with the sum of their probabilities; --json has each.

A chain or -t before beam, diverse and stochastic changes the distribution that they search; random \
stages can't be there. The text stays unchanged (--chat: it is put into the model's chat template).")]
pub(crate) struct SearchArgs {
    #[command(flatten)]
    pub(crate) prompt: PromptArgs,
    #[command(flatten)]
    pub(crate) how: MethodArgs,
    #[command(flatten)]
    pub(crate) heat: TempArgs,
    #[command(flatten)]
    pub(crate) sampling: SamplingArgs,
    #[command(flatten)]
    pub(crate) form: FormArgs,
    #[command(flatten)]
    pub(crate) length: LengthArgs,
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    #[command(flatten)]
    pub(crate) drafts: DraftArgs,
    /// How many texts are printed, the best first; JSON has all
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = number::count,
        allow_negative_numbers = true, help_heading = "Output")]
    pub(crate) top: usize,
    /// Show the tree of beams: what each step kept and what it dropped (beam, diverse, stochastic)
    #[arg(long, help_heading = "Output")]
    pub(crate) tree: bool,
    #[command(flatten)]
    pub(crate) output: JsonArgs,
}

/// The method and its settings.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Search")]
pub(crate) struct MethodArgs {
    /// How texts are searched
    #[arg(long, value_name = "METHOD", value_parser = methods(), default_value = "beam")]
    pub(crate) method: Method,
    /// Number of beams, of all groups together, 1 to 256 (beam, diverse, stochastic; default: 4)
    #[arg(short, long, value_name = "N", value_parser = number::count,
        allow_negative_numbers = true)]
    pub(crate) beams: Option<usize>,
    /// Number of groups that the beams are divided into (diverse; default: 2)
    #[arg(long, value_name = "N", value_parser = number::count, allow_negative_numbers = true)]
    pub(crate) groups: Option<usize>,
    /// What a token loses for each beam of an earlier group that has it, in nats (diverse; default:
    /// 1)
    #[arg(long, value_name = "X", value_parser = number::real, allow_negative_numbers = true)]
    pub(crate) diversity_penalty: Option<f64>,
    /// The power of its number of tokens that a text's ln p is divided by: 0 is the sum, 1 the mean
    /// (beam, diverse; default: 1, and 0 for texts of a form)
    #[arg(long, value_name = "X", value_parser = number::real, allow_negative_numbers = true)]
    pub(crate) length_penalty: Option<f64>,
    /// When to stop once as many texts have ended as there are beams: at once (true), when the best
    /// beam isn't better now (false), or when none can become better (never) (beam, diverse;
    /// default: false)
    #[arg(long, value_name = "WHEN", value_parser = stops())]
    pub(crate) early_stopping: Option<EarlyStopping>,
    /// Number of texts that are drawn, at most 512 (best-of, mbr; default: 16)
    #[arg(long, value_name = "N", value_parser = number::count, allow_negative_numbers = true)]
    pub(crate) samples: Option<usize>,
    /// Rank by ln p of the text, or by its mean per token (best-of; default: mean, and sum for
    /// texts of a form)
    #[arg(long, value_name = "WHAT", value_parser = bys())]
    pub(crate) by: Option<By>,
    /// How alike texts are: by runs of characters (chrf), or by the cosine of their embeddings
    /// (meaning) (mbr; default: chrf)
    #[arg(long, value_name = "WHAT", value_parser = utilities())]
    pub(crate) utility: Option<Utility>,
}

/// How alike two texts are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Utility {
    /// By their runs of characters.
    #[default]
    Chrf,
    /// By the cosine of their embeddings.
    Meaning,
}

impl Utility {
    pub(crate) const ALL: [Utility; 2] = [Utility::Chrf, Utility::Meaning];

    /// The name in flags.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Utility::Chrf => "chrf",
            Utility::Meaning => "meaning",
        }
    }

    /// The one with a name.
    pub(crate) fn named(name: &str) -> Option<Utility> {
        Utility::ALL.into_iter().find(|utility| utility.name() == name)
    }
}

/// Reads one of several values by its name.
fn named<T: Clone + Send + Sync + 'static>(
    all: &'static [T],
    name: fn(&T) -> &'static str,
) -> impl TypedValueParser<Value = T> {
    let names = PossibleValuesParser::new(all.iter().map(name));
    let of = move |typed: String| all.iter().find(|one| name(one) == typed).cloned();
    names.map(move |typed| of(typed).expect("only names of values are taken"))
}

fn methods() -> impl TypedValueParser<Value = Method> {
    named(&Method::ALL, |method| method.name())
}

fn stops() -> impl TypedValueParser<Value = EarlyStopping> {
    named(&EarlyStopping::ALL, |stop| stop.name())
}

fn bys() -> impl TypedValueParser<Value = By> {
    named(&By::ALL, |by| by.name())
}

fn utilities() -> impl TypedValueParser<Value = Utility> {
    named(&Utility::ALL, |utility| utility.name())
}
