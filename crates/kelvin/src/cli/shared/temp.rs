//! The flag `-t` (`--temp`) of every verb: one temperature, or several.

use clap::{Arg, Args as ClapArgs};

/// The temperatures of verbs that take several, if neither a flag nor a chain says any.
pub(crate) const USUAL: &str = "0.5,1,2";

/// Help of verbs that take an infinite temperature.
pub(crate) const OR_INF: &str = ", inf makes everything equal";
/// Help of verbs that take ranges.
pub(crate) const OR_RANGES: &str = "; ranges such as \"0.2..2 step 0.2\" are lists";

/// The temperature, as it was typed.
#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct TempArgs {
    /// The temperature: 0 is greedy, 1 is the model's own, higher is wilder (default: 1)
    #[arg(
        short = 't',
        long = "temp",
        visible_alias = "temperature",
        value_name = "T",
        allow_hyphen_values = true,
        help_heading = "Sampling"
    )]
    pub(crate) temp: Option<String>,
}

/// Describes the flag of a verb that takes several temperatures: what else it takes, and what it
/// takes without the flag and without a chain that has a temperature.
pub(crate) fn several(also: &str, default: &str) -> impl FnOnce(Arg) -> Arg {
    let help = format!(
        "The temperatures: 0 is greedy, 1 is the model's own, higher is wilder{also} (default: that \
         of --sampler, or {default})"
    );
    move |flag| flag.value_name("T,…").help(help)
}
