//! Engines whose stages Kelvin knows, and what is true of each as a whole: its defaults and edge
//! cases. The place of a stage in an engine is in the stage's own file
//! ([`StageInfo::counterparts`](crate::StageInfo)).
//!
//! Sources: see `profile.rs`.

use std::str::FromStr;

use crate::{
    error::ChainError,
    state::{Scope, Window},
};

/// An engine whose stages Kelvin knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Engine {
    /// Kelvin itself.
    Kelvin,
    /// llama.cpp 0.6.0.
    LlamaCpp,
    /// vLLM.
    Vllm,
    /// Hugging Face transformers.
    Transformers,
    /// Ollama, which runs llama.cpp's samplers.
    Ollama,
    /// OpenAI's API.
    OpenAi,
    /// transformers.js.
    TransformersJs,
    /// ONNX Runtime GenAI.
    OnnxGenAi,
    /// OpenVINO GenAI.
    OpenVino,
    /// CTranslate2.
    CTranslate2,
    /// MLX LM.
    MlxLm,
}

impl Engine {
    /// The name that is typed.
    pub fn name(self) -> &'static str {
        Profile::of(self).name()
    }
}

/// The order, the defaults and the edge cases of an engine, for a chain of Kelvin.
///
/// ```
/// use kelvin_sampling::Profile;
///
/// let llama: Profile = "llama.cpp".parse()?;
/// // The temperature is last, so it can't bring back what truncations removed.
/// assert_eq!(llama.chain(&[])?.to_string(), "top_k=40 | top_p=0.95 | min_p=0.05 | temp=0.8");
/// let vllm: Profile = "vllm".parse()?;
/// assert_eq!(vllm.chain(&["top_k=5".parse()?])?.to_string(), "temp=1 | top_k=5,ties:kept");
/// // A stage that is turned on has the engine's defaults for parameters that aren't given.
/// assert_eq!(llama.stage("repetition=1.1")?.to_string(), "repetition=1.1,window:64");
/// # Ok::<(), kelvin_sampling::ChainError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Profile(&'static Row);

/// What is true of an engine as a whole.
#[derive(Debug, PartialEq)]
struct Row {
    engine: Engine,
    name: &'static str,
    /// The chain that runs when nothing is asked for.
    defaults: &'static str,
    /// Whether `frequency` and `presence` always count the prompt.
    counts_prompt: bool,
    /// Whether its top-k and typical keep tokens that tie with the last one.
    ties: bool,
    /// Lower temperatures above 0 are raised to this one.
    floor: Option<f32>,
    /// Whether it takes the likeliest token unless `do_sample` is set.
    asks_to_draw: bool,
}

const PLAIN: Row = Row {
    engine: Engine::Kelvin,
    name: "kelvin",
    defaults: "temp=1",
    counts_prompt: false,
    ties: false,
    floor: None,
    asks_to_draw: false,
};

const ROWS: &[Row] = &[
    PLAIN,
    Row {
        engine: Engine::LlamaCpp,
        name: "llama.cpp",
        defaults: "top_k=40 | top_p=0.95 | min_p=0.05 | temp=0.8",
        counts_prompt: true,
        ..PLAIN
    },
    Row { engine: Engine::Vllm, name: "vllm", ties: true, floor: Some(0.01), ..PLAIN },
    Row {
        engine: Engine::Transformers,
        name: "transformers",
        defaults: "temp=1 | top_k=50,ties:kept",
        ties: true,
        asks_to_draw: true,
        ..PLAIN
    },
    Row {
        engine: Engine::Ollama,
        name: "ollama",
        defaults: "top_k=40 | top_p=0.9 | temp=0.8",
        counts_prompt: true,
        ..PLAIN
    },
    Row { engine: Engine::OpenAi, name: "openai", ..PLAIN },
    Row {
        engine: Engine::TransformersJs,
        name: "transformers.js",
        defaults: "temp=1 | top_k=50",
        asks_to_draw: true,
        ..PLAIN
    },
    Row {
        engine: Engine::OnnxGenAi,
        name: "onnxruntime-genai",
        defaults: "top_k=50 | temp=1",
        asks_to_draw: true,
        ..PLAIN
    },
    Row { engine: Engine::OpenVino, name: "openvino-genai", asks_to_draw: true, ..PLAIN },
    // Greedy by its top-k, whatever the temperature.
    Row { engine: Engine::CTranslate2, name: "ctranslate2", defaults: "temp=1 | top_k=1", ..PLAIN },
    Row { engine: Engine::MlxLm, name: "mlx-lm", defaults: "temp=0", counts_prompt: true, ..PLAIN },
];

impl Profile {
    /// Kelvin's own profile: the order of [`STAGES`](crate::STAGES), and nothing but `temp=1` by
    /// default.
    pub const KELVIN: Profile = Profile(&PLAIN);

    /// The profile of a name, or Kelvin's own without one.
    ///
    /// # Errors
    /// If there is no such profile.
    pub fn named(name: Option<&str>) -> Result<Profile, ChainError> {
        name.map_or(Ok(Profile::KELVIN), str::parse)
    }

    /// All profiles.
    pub fn all() -> impl Iterator<Item = Profile> {
        ROWS.iter().map(Profile)
    }

    /// The profile of an engine.
    pub fn of(engine: Engine) -> Profile {
        Profile::all().find(|profile| profile.0.engine == engine).unwrap_or(Profile::KELVIN)
    }

    /// The engine.
    pub fn engine(self) -> Engine {
        self.0.engine
    }

    /// The name that is typed.
    pub fn name(self) -> &'static str {
        self.0.name
    }

    /// The chain that runs when nothing is asked for, in the notation.
    pub(crate) fn defaults(self) -> &'static str {
        self.0.defaults
    }

    /// The temperature that the engine would use for `t`.
    pub fn temperature(self, t: f32) -> f32 {
        match self.0.floor {
            Some(least) if t > 0.0 && t < least => least,
            _ => t,
        }
    }

    /// Whether the engine takes the likeliest token unless its setting `do_sample` is true.
    pub fn asks_to_draw(self) -> bool {
        self.0.asks_to_draw
    }

    /// Whether the engine's top-k and typical keep tokens that tie with the last one.
    pub(crate) fn keeps_ties(self) -> bool {
        self.0.ties
    }

    /// The scope of a penalty there.
    pub(crate) fn scope(self, scope: Scope) -> Scope {
        if self.0.counts_prompt { Scope::All } else { scope }
    }

    /// The window of a penalty there: those of llama.cpp and mlx-lm are always a number of tokens.
    pub(crate) fn window(self, window: Window) -> Window {
        match self.0.engine {
            Engine::LlamaCpp | Engine::Ollama | Engine::MlxLm => window.within_context(),
            _ => window,
        }
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
