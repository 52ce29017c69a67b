//! Translates a chain to another engine's settings, and lists what that engine can't express.

pub mod ranges;
#[cfg(test)]
mod tests;
mod writer;

use kelvin_sampling::{Chain, ChainError, Profile, STAGES, Stage, Traits};
use serde::Serialize;
use serde_json::{Map, Value, json};

use self::writer::{Writer, samplers};
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
    /// The settings in the form in which users type them for the engine, if it has one.
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
    let mut writer = Writer::new(profile);
    for stage in chain.stages() {
        writer.add(stage, source);
    }
    if chain.is_schedule() {
        let other = "the schedule: one chain draws a whole text there, here its last";
        writer.missing.insert(0, other.to_string());
    }
    let runs = writer.runs()?;
    if profile.name() == "llama.cpp"
        && let Some(order) = samplers(&runs, profile)
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

/// Whether two orders of the same stages give the same distribution: a temperature may change
/// places with a truncation that ignores it, and stages that only add to logits with each other.
fn same_order(asked: &[&str], order: &[&str]) -> bool {
    let traits = |name: &str| {
        STAGES.iter().find(|info| info.name == name).map_or(Traits::NONE, |info| info.traits)
    };
    let may_change = |a: &str, b: &str| {
        (a == "temp" && traits(b).ignores_temperature) || (traits(a).adds && traits(b).adds)
    };
    let place = |name: &str| order.iter().position(|other| *other == name);
    let pairs = (0..asked.len()).flat_map(|i| (i + 1..asked.len()).map(move |j| (i, j)));
    pairs
        .filter(|&(i, j)| place(asked[i]) > place(asked[j]))
        .all(|(i, j)| may_change(asked[i], asked[j]) || may_change(asked[j], asked[i]))
}
