//! How other engines order the same stages: settings in, the chain that such an engine would run out.
//!
//! Sources: llama.cpp `common/arg.cpp` and `llama-sampling.cpp`, vLLM `v1/sample/sampler.py`, transformers
//! `generation/utils.py`, Ollama's `parameters` documentation, OpenAI's API reference.

use std::str::FromStr;

use crate::{Chain, ChainError, Frequency, Presence, Repetition, Scope, Stage, Temp, TopK, TopP, Window};

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
    /// The window of its penalties where none is given, which then count the prompt as well.
    window: Option<u32>,
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
        window: None,
        ties: false,
        floor: None,
    },
    Engine {
        name: "llama.cpp",
        order: LLAMA_ORDER,
        defaults: "top_k=40 | top_p=0.95 | min_p=0.05 | temp=0.8",
        window: Some(64),
        ties: false,
        floor: None,
    },
    Engine {
        name: "vllm",
        order: &["bias", "mask", "repetition", "frequency", "presence", "temp", "min_p", "top_k", "top_p"],
        defaults: "temp=1",
        window: None,
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
        window: None,
        ties: true,
        floor: None,
    },
    Engine {
        name: "ollama",
        order: LLAMA_ORDER,
        defaults: "top_k=40 | top_p=0.9 | temp=0.8",
        window: Some(64),
        ties: false,
        floor: None,
    },
    Engine {
        name: "openai",
        order: &["bias", "frequency", "presence", "temp", "top_p"],
        defaults: "temp=1",
        window: None,
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

    /// The engine's chain: its defaults with `settings` in the place that it has for them, each replacing the default of
    /// its kind.
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
        let window = |window: Window| match engine.window {
            Some(n) if window == Window::ALL => Window::last(n),
            _ => window,
        };
        let scope = |scope: Scope| if engine.window.is_some() { Scope::All } else { scope };
        Ok(match stage {
            Stage::Temp(t) => Temp::new(self.temperature(t.get()))?.into(),
            Stage::TopK(k) if engine.ties => TopK::with_ties(k.get()).into(),
            Stage::Typical(t) if engine.ties => t.with_ties().into(),
            Stage::Repetition(r) => Repetition::new(r.theta(), window(r.window()), scope(r.scope()))?.into(),
            Stage::Frequency(p) => Frequency::new(p.alpha(), window(p.window()), scope(p.scope()))?.into(),
            Stage::Presence(p) => Presence::new(p.alpha(), window(p.window()), scope(p.scope()))?.into(),
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
        let settings: Vec<Stage> = settings.iter().map(|s| s.parse()).collect::<Result<_, _>>()?;
        Ok(profile.parse::<Profile>()?.chain(&settings)?.to_string())
    }

    #[test]
    fn orders_defaults_and_edges() {
        for (profile, settings, expected) in [
            ("kelvin", &["top_p=0.9", "temp=2", "repetition=1.1"][..], "repetition=1.1 | temp=2 | top_p=0.9"),
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
            ("vllm", &["top_p=0.9", "temp=0.001", "min_p=0.1"], "temp=0.01 | min_p=0.1 | top_p=0.9"),
            ("vllm", &["temp=0.000001"], "temp=0.01"),
            ("vllm", &["temp=0"], "temp=0"),
            ("transformers", &["typical=0.5"], "temp=1 | top_k=50,ties:kept | typical=0.5,ties:kept"),
            ("ollama", &[], "top_k=40 | top_p=0.9 | temp=0.8"),
            ("openai", &["frequency=0.5", "bias=3:-100"], "bias=3:-100 | frequency=0.5 | temp=1"),
        ] {
            assert_eq!(chain(profile, settings).unwrap(), expected);
        }
        assert_eq!(
            chain("openai", &["top_k=4"]).unwrap_err().to_string(),
            "openai has no stage `top_k`, so that profile can't express it"
        );
        assert!(chain("vllm", &["top_k=4", "top_k=5"]).unwrap_err().to_string().contains("twice"));
        assert!(chain("lamma", &[]).unwrap_err().to_string().contains("llama.cpp, vllm"));
    }
}
