//! How other engines order the same stages: settings in, the chain that such an engine would run
//! out.
//!
//! Sources: llama.cpp `common/arg.cpp` and `llama-sampling.cpp`, vLLM `v1/sample/sampler.py`,
//! transformers `generation/utils.py`, Ollama's `parameters` documentation, OpenAI's API reference.

use std::str::FromStr;

use crate::{Chain, ChainError, Frequency, Presence, Repetition, Scope, Stage, Temp, TopK, TopP};

/// An engine whose order, defaults and edges a chain can take over.
///
/// ```
/// use kelvin_sampling::Profile;
///
/// let llama: Profile = "llama.cpp".parse()?;
/// // Temperature stands last, so heat can't bring back what truncation removed.
/// assert_eq!(llama.chain(&[])?.to_string(), "top_k=40 | top_p=0.95 | min_p=0.05 | temp=0.8");
/// let vllm: Profile = "vllm".parse()?;
/// assert_eq!(vllm.chain(&["top_k=5".parse()?])?.to_string(), "temp=1 | top_k=5,ties:kept");
/// // A stage that is turned on has the engine's own defaults where nothing else is said.
/// assert_eq!(llama.stage("repetition=1.1")?.to_string(), "repetition=1.1,window:64");
/// # Ok::<(), kelvin_sampling::ChainError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Profile(&'static Engine);

#[derive(Debug, PartialEq)]
struct Engine {
    name: &'static str,
    /// The names of the stages it knows, in its order.
    order: &'static [&'static str],
    /// What it does when nothing is asked for.
    defaults: &'static str,
    /// The parameters of stages that are turned on, in the notation, where they differ from the
    /// notation's own defaults.
    stages: &'static [(&'static str, &'static [&'static str])],
    /// Whether `frequency` and `presence` count the prompt as well, whatever is asked for.
    counts_prompt: bool,
    /// Whether its top-k and typical keep tokens that tie with the last.
    ties: bool,
    /// Temperatures above 0 are raised to this one.
    floor: Option<f32>,
}

const LLAMA_ORDER: &[&str] = &[
    "bias",
    "mask",
    "repetition",
    "frequency",
    "presence",
    "dry",
    "top_n_sigma",
    "top_k",
    "typical",
    "top_p",
    "min_p",
    "xtc",
    "temp",
    "dynatemp",
    "adaptive_p",
    "mirostat",
];

/// llama.cpp 0.6.0, `common/common.h`: `penalty_last_n` and `dry_penalty_last_n` 64,
/// `dry_sequence_breakers` "\n", ":", "\"", "*"; `dry_base` 1.75, `dry_allowed_length` 2,
/// `xtc_threshold` 0.1, `adaptive_decay` 0.9 and `mirostat_eta` 0.1 are the notation's defaults.
const LLAMA_STAGES: &[(&str, &[&str])] = &[
    ("repetition", &["window:64"]),
    ("frequency", &["window:64", "scope:prompt+output"]),
    ("presence", &["window:64", "scope:prompt+output"]),
    ("dry", &["window:64", r#"breakers:"\n"/"\x3a"/"\x22"/"*""#]),
];

const ENGINES: &[Engine] = &[
    Engine {
        name: "kelvin",
        order: &[
            "bias",
            "mask",
            "repetition",
            "frequency",
            "presence",
            "dry",
            "no_repeat_ngram",
            "temp",
            "dynatemp",
            "edt",
            "quadratic",
            "top_k",
            "top_p",
            "min_p",
            "top_n_sigma",
            "typical",
            "top_h",
            "epsilon",
            "eta",
            "top_a",
            "p_less",
            "tfs",
            "xtc",
            "adaptive_p",
            "mirostat",
        ],
        defaults: "temp=1",
        stages: &[],
        counts_prompt: false,
        ties: false,
        floor: None,
    },
    Engine {
        name: "llama.cpp",
        order: LLAMA_ORDER,
        defaults: "top_k=40 | top_p=0.95 | min_p=0.05 | temp=0.8",
        stages: LLAMA_STAGES,
        counts_prompt: true,
        ties: false,
        floor: None,
    },
    Engine {
        name: "vllm",
        order: &[
            "bias",
            "mask",
            "repetition",
            "frequency",
            "presence",
            "temp",
            "min_p",
            "top_k",
            "top_p",
        ],
        defaults: "temp=1",
        stages: &[],
        counts_prompt: false,
        ties: true,
        floor: Some(0.01),
    },
    Engine {
        name: "transformers",
        order: &[
            "bias",
            "mask",
            "repetition",
            "no_repeat_ngram",
            "temp",
            "top_h",
            "top_k",
            "top_p",
            "min_p",
            "typical",
            "epsilon",
            "eta",
        ],
        defaults: "temp=1 | top_k=50,ties:kept",
        stages: &[],
        counts_prompt: false,
        ties: true,
        floor: None,
    },
    Engine {
        name: "ollama",
        order: LLAMA_ORDER,
        defaults: "top_k=40 | top_p=0.9 | temp=0.8",
        stages: LLAMA_STAGES,
        counts_prompt: true,
        ties: false,
        floor: None,
    },
    Engine {
        name: "openai",
        order: &["bias", "frequency", "presence", "temp", "top_p"],
        defaults: "temp=1",
        stages: &[],
        counts_prompt: false,
        ties: false,
        floor: None,
    },
];

impl Profile {
    /// Kelvin's own: the order of the definitions, and neutral.
    pub const KELVIN: Profile = Profile(&ENGINES[0]);

    /// All profiles.
    pub fn all() -> impl Iterator<Item = Profile> {
        ENGINES.iter().map(Profile)
    }

    /// The name that is typed.
    pub fn name(self) -> &'static str {
        self.0.name
    }

    /// A stage in the notation, `name=value`, as the engine takes it: parameters that aren't named
    /// have the engine's defaults.
    ///
    /// # Errors
    /// If the notation has no such stage, or if a value isn't allowed.
    pub fn stage(self, text: &str) -> Result<Stage, ChainError> {
        let (name, values) = text.split_once('=').unwrap_or((text, ""));
        let defaults = self.0.stages.iter().find(|(stage, _)| *stage == name.trim());
        let is_named = |parameter: &str| {
            let key = parameter.split(':').next();
            values.split(',').any(|item| item.split_once(':').map(|(k, _)| k.trim()) == key)
        };
        let unnamed = defaults.map_or(&[][..], |(_, parameters)| parameters).iter();
        let mut whole = text.trim().to_string();
        for parameter in unnamed.filter(|parameter| !is_named(parameter)) {
            whole.push(',');
            whole.push_str(parameter);
        }
        // A mistake is quoted as it was typed.
        if values.trim().is_empty() {
            text.parse()
        } else {
            whole.parse().or_else(|_| text.parse())
        }
    }

    /// The engine's chain: its defaults with `settings` in the place that it has for them, each
    /// replacing the default of its kind. [`Profile::stage`] reads a setting with the engine's own
    /// parameters.
    ///
    /// # Errors
    /// If the engine has no such stage, or if a kind is given twice.
    pub fn chain(self, settings: &[Stage]) -> Result<Chain, ChainError> {
        let mut stages = self.0.defaults.parse::<Chain>()?.stages().to_vec();
        stages.retain(|default| settings.iter().all(|s| s.info().name != default.info().name));
        for (i, setting) in settings.iter().enumerate() {
            let name = setting.info().name;
            if !self.0.order.contains(&name) {
                return Err(ChainError::NotInProfile { stage: name, profile: self.0.name });
            }
            if settings[..i].iter().any(|s| s.info().name == name) {
                return Err(ChainError::Twice { stage: name });
            }
            stages.push(self.adapt(setting.clone())?);
        }
        let place = |stage: &Stage| self.0.order.iter().position(|name| *name == stage.info().name);
        stages.sort_by_key(place);
        Chain::new(stages)
    }

    /// The temperature that the engine would really use for `t`.
    pub fn temperature(self, t: f32) -> f32 {
        match self.0.floor {
            Some(least) if t > 0.0 && t < least => least,
            _ => t,
        }
    }

    /// A setting with the engine's own idea of its edges.
    fn adapt(self, stage: Stage) -> Result<Stage, ChainError> {
        let engine = self.0;
        let scope = |scope: Scope| if engine.counts_prompt { Scope::All } else { scope };
        Ok(match stage {
            Stage::Temp(t) => Temp::new(self.temperature(t.get()))?.into(),
            Stage::TopK(k) if engine.ties => TopK::with_ties(k.get()).into(),
            Stage::Typical(t) if engine.ties => t.with_ties().into(),
            Stage::Repetition(r) => {
                Repetition::new(r.theta(), r.window(), scope(r.scope()))?.into()
            }
            Stage::Frequency(p) => Frequency::new(p.alpha(), p.window(), scope(p.scope()))?.into(),
            Stage::Presence(p) => Presence::new(p.alpha(), p.window(), scope(p.scope()))?.into(),
            // Off, as some clients write it.
            Stage::TopP(p) if p.get() >= 1.0 => TopP::new(1.0)?.into(),
            other => other,
        })
    }
}

impl FromStr for Profile {
    type Err = ChainError;

    fn from_str(name: &str) -> Result<Profile, ChainError> {
        let known = || Profile::all().map(Profile::name).collect::<Vec<_>>().join(", ");
        let found = Profile::all().find(|profile| profile.name() == name);
        found.ok_or_else(|| ChainError::UnknownProfile { name: name.to_owned(), known: known() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(profile: &str, settings: &[&str]) -> Result<String, ChainError> {
        let profile: Profile = profile.parse()?;
        let settings: Vec<Stage> =
            settings.iter().map(|s| profile.stage(s)).collect::<Result<_, _>>()?;
        Ok(profile.chain(&settings)?.to_string())
    }

    #[test]
    fn orders_defaults_and_edges() {
        for (profile, settings, expected) in [
            (
                "kelvin",
                &["top_p=0.9", "temp=2", "repetition=1.1"][..],
                "repetition=1.1 | temp=2 | top_p=0.9",
            ),
            (
                "llama.cpp",
                &["temp=2", "repetition=1.1"],
                "repetition=1.1,window:64 | top_k=40 | top_p=0.95 | min_p=0.05 | temp=2",
            ),
            (
                "llama.cpp",
                &["presence=1"],
                "presence=1,window:64,scope:prompt+output | top_k=40 | top_p=0.95 | min_p=0.05 | temp=0.8",
            ),
            (
                "vllm",
                &["top_p=0.9", "temp=0.001", "min_p=0.1"],
                "temp=0.01 | min_p=0.1 | top_p=0.9",
            ),
            ("vllm", &["temp=0.000001"], "temp=0.01"),
            ("vllm", &["temp=0"], "temp=0"),
            (
                "transformers",
                &["typical=0.5"],
                "temp=1 | top_k=50,ties:kept | typical=0.5,ties:kept",
            ),
            ("ollama", &[], "top_k=40 | top_p=0.9 | temp=0.8"),
            ("openai", &["frequency=0.5", "bias=3:-100"], "bias=3:-100 | frequency=0.5 | temp=1"),
            ("vllm", &["repetition=1.1", "temp=2"], "repetition=1.1 | temp=2"),
            (
                "transformers",
                &["repetition=1.1", "top_k=0"],
                "repetition=1.1 | temp=1 | top_k=0,ties:kept",
            ),
        ] {
            assert_eq!(chain(profile, settings).unwrap(), expected);
        }
        assert_eq!(
            chain("openai", &["top_k=4"]).unwrap_err().to_string(),
            "openai has no stage `top_k`, so that profile can't express it"
        );
        assert!(chain("vllm", &["top_k=4", "top_k=5"]).unwrap_err().to_string().contains("twice"));
        // What is turned on has the engine's parameters; what is said is what was meant.
        let llama = |setting: &str| {
            let whole = chain("llama.cpp", &[setting]).unwrap();
            whole.replace("top_k=40 | top_p=0.95 | min_p=0.05 | ", "").replace(" | temp=0.8", "")
        };
        for (setting, expected) in [
            ("dry=0.8", r#"dry=0.8,window:64,breakers:"\n"/"\x3a"/"\x22"/"*""#),
            ("dry=0.8,base:2,breakers:13", "dry=0.8,base:2,window:64,breakers:13"),
            ("dry=0.8,window:-1,breakers:\"\\n\"", r#"dry=0.8,breakers:"\n""#),
            ("repetition=1.1,window:-1", "repetition=1.1"),
            ("repetition=1.1, window : 9", "repetition=1.1,window:9"),
            ("frequency=0.5,scope:output", "frequency=0.5,window:64,scope:prompt+output"),
        ] {
            assert_eq!(llama(setting), expected);
        }
        assert_eq!(
            chain("ollama", &["dry=0.8"]).unwrap(),
            chain("ollama", &[llama("dry=0.8").as_str()]).unwrap()
        );
        let said = chain("llama.cpp", &["dry=-1"]).unwrap_err().to_string();
        assert!(said.starts_with("dry: -1 is not allowed"), "{said}");
        assert!(chain("lamma", &[]).unwrap_err().to_string().contains("llama.cpp, vllm"));
    }
}
