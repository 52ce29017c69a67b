//! Translates a chain to another engine's settings, and lists what that engine can't express.

pub mod ranges;
#[cfg(test)]
mod tests;
mod writer;

use kelvin_sampling::{Chain, ChainError, Profile, Stage};
use serde::Serialize;
use serde_json::{Map, Value, json};

use self::writer::Writer;
use super::flags::flags;

/// A chain in the words of another engine.
#[derive(Debug, Serialize)]
pub struct Translation {
    from: String,
    /// The engine.
    pub to: &'static str,
    /// Where the settings go.
    pub place: &'static str,
    /// The settings by name, in the engine's own order.
    pub settings: Map<String, Value>,
    /// The same as one types it for the engine, if it has such a form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flags: Option<String>,
    /// What the engine makes of them, in Kelvin's notation.
    pub runs: String,
    /// What it can't express.
    pub missing: Vec<String>,
}

/// Says `chain` in the settings of `profile`'s engine.
///
/// Every number is one that the engine takes, and `runs` is what it makes of them. What differs
/// from `chain` is told in `missing`.
pub fn translate(chain: &Chain, profile: Profile) -> Result<Translation, ChainError> {
    let Some(source) = ranges::source(profile.name()) else {
        return Ok(as_it_stands(chain, profile));
    };
    let mut writer =
        Writer { profile, settings: off(profile), expressed: Vec::new(), missing: Vec::new() };
    for stage in chain.stages() {
        writer.add(stage, source);
    }
    let runs = writer.runs()?;
    if profile.name() == "llama.cpp"
        && let Some(order) = samplers(&runs)
    {
        writer.settings.insert("samplers".into(), order);
    }
    let name = |stage: &Stage| stage.info().name;
    let order: Vec<&str> = runs.iter().map(name).collect();
    let asked: Vec<&str> = writer.expressed.iter().map(name).collect();
    if !same_order(&asked, &order) {
        writer.missing.push(format!(
            "the order: {} runs {}",
            profile.name(),
            order.join(", then ")
        ));
    }
    // By name: a map keeps the order in which it was filled, which says nothing here.
    writer.settings.sort_keys();
    Ok(Translation {
        from: chain.to_string(),
        to: profile.name(),
        place: place(profile),
        flags: flags(profile.name(), &writer.settings),
        settings: writer.settings,
        runs: Chain::new(runs)?.to_string(),
        missing: writer.missing,
    })
}

/// The one who has every stage, in any order and several times, takes the chain itself.
fn as_it_stands(chain: &Chain, profile: Profile) -> Translation {
    let settings: Map<String, Value> =
        [("sampler".to_string(), json!(chain.to_string()))].into_iter().collect();
    Translation {
        from: chain.to_string(),
        to: profile.name(),
        place: place(profile),
        flags: flags(profile.name(), &settings),
        settings,
        runs: chain.to_string(),
        missing: Vec::new(),
    }
}

/// Where an engine's settings go.
fn place(profile: Profile) -> &'static str {
    match profile.name() {
        "llama.cpp" => "llama-server, POST /completion",
        "vllm" => "vLLM, SamplingParams or the request's body",
        "transformers" => "transformers, GenerationConfig",
        "ollama" => "Ollama, options",
        "openai" => "OpenAI, the request's body",
        _ => "Kelvin, --sampler or the request's body",
    }
}

/// Whether two orders of the same stages come to the same: temperature may change places with a
/// truncation that doesn't look at it, and what only adds to logits with what does too.
fn same_order(asked: &[&str], order: &[&str]) -> bool {
    let adds = |a: &str| matches!(a, "bias" | "frequency" | "presence" | "dry");
    let blind = |a: &str, b: &str| {
        (a == "temp" && matches!(b, "top_k" | "top_n_sigma")) || (adds(a) && adds(b))
    };
    let place = |name: &str| order.iter().position(|other| *other == name);
    let pairs = (0..asked.len()).flat_map(|i| (i + 1..asked.len()).map(move |j| (i, j)));
    pairs
        .filter(|&(i, j)| place(asked[i]) > place(asked[j]))
        .all(|(i, j)| blind(asked[i], asked[j]) || blind(asked[j], asked[i]))
}

/// The settings that switch off what the engine does when it isn't asked.
fn off(profile: Profile) -> Map<String, Value> {
    let off = match profile.name() {
        "llama.cpp" => json!({"temperature": 1.0, "top_k": 0, "top_p": 1.0, "min_p": 0.0}),
        // A model's own generation_config.json sets all of them where a request doesn't.
        "vllm" => {
            json!({"temperature": 1.0, "top_k": -1, "top_p": 1.0, "min_p": 0.0, "repetition_penalty": 1.0})
        }
        "transformers" => {
            json!({"do_sample": true, "temperature": 1.0, "top_k": 0, "top_p": 1.0, "repetition_penalty": 1.0})
        }
        "ollama" => {
            json!({"temperature": 1.0, "top_k": 0, "top_p": 1.0, "min_p": 0.0, "repeat_penalty": 1.0})
        }
        "openai" => json!({"temperature": 1.0, "top_p": 1.0}),
        _ => json!({}),
    };
    match off {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// llama.cpp's list of samplers in this order; none if it has no name for one.
fn samplers(stages: &[Stage]) -> Option<Value> {
    let mut names = Vec::new();
    for stage in stages {
        names.push(match stage {
            Stage::Repetition(_) | Stage::Frequency(_) | Stage::Presence(_) => "penalties",
            Stage::Dry(_) => "dry",
            Stage::TopNSigma(_) => "top_n_sigma",
            Stage::TopK(_) => "top_k",
            Stage::Typical(_) => "typ_p",
            Stage::TopP(_) => "top_p",
            Stage::MinP(_) => "min_p",
            Stage::Xtc(_) => "xtc",
            Stage::Temp(_) | Stage::DynaTemp(_) => "temperature",
            Stage::AdaptiveP(_) => "adaptive_p",
            // Always first.
            Stage::Bias(_) | Stage::Mask(_) => continue,
            // Mirostat has no place in the list: it runs instead of it.
            _ => return None,
        });
    }
    names.dedup();
    Some(names.into())
}
