//! Translates a chain to another engine's settings, and lists what that engine can't express.

mod hosted;
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
    /// The engine, or the hosted model.
    pub to: String,
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
    /// Which version this is known of, since when, and from where; empty for Kelvin itself.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub known_from: String,
}

/// Says `chain` in the settings of an engine, or of a hosted model, `provider:model`.
///
/// # Errors
/// One sentence if nothing of that name is known, or if a profile can't be made of what is left.
pub fn translate_to(chain: &Chain, to: &str) -> Result<Translation, String> {
    if let Some(said) = hosted::hosted(chain, to) {
        return said;
    }
    let profile: Profile = to.parse().map_err(|error: ChainError| error.to_string())?;
    translate(chain, profile).map_err(|error| error.to_string())
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
    for stage in acting(chain) {
        writer.add(stage, source);
    }
    if let Some((stage, why)) = source.needs
        && chain.temperature() != Some(0.0)
        && !writer.expressed.iter().any(|other| other.info().name == stage)
    {
        writer.missing.push(format!("no {stage}: {} {why}", profile.name()));
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
    let runs = Chain::new(runs)?;
    if let Some(penalty) = runs.blunted() {
        writer.missing.push(format!(
            "{} behind a temperature: {} divides or multiplies the logits, Kelvin their \
             differences from the largest",
            penalty.info().name,
            profile.name()
        ));
    }
    // By name: a map keeps the order in which it was filled, which says nothing here.
    writer.settings.sort_keys();
    Ok(Translation {
        from: chain.to_string(),
        to: profile.name().to_string(),
        place: place(profile),
        flags: flags(profile.name(), &writer.settings),
        settings: writer.settings,
        runs: runs.to_string(),
        missing: writer.missing,
        known_from: format!(
            "{} {}, {}: {}",
            source.engine, source.version, source.date, source.place
        ),
    })
}

/// The stages that do something: whoever lacks one that is switched off lacks nothing.
fn acting(chain: &Chain) -> impl Iterator<Item = &Stage> {
    chain.stages().iter().filter(|stage| !stage.is_off())
}

/// The one who has every stage, in any order and several times, takes the chain itself.
fn as_it_stands(chain: &Chain, profile: Profile) -> Translation {
    let settings: Map<String, Value> =
        [("sampler".to_string(), json!(chain.to_string()))].into_iter().collect();
    Translation {
        from: chain.to_string(),
        to: profile.name().to_string(),
        place: place(profile),
        flags: flags(profile.name(), &settings),
        settings,
        runs: chain.to_string(),
        missing: Vec::new(),
        known_from: String::new(),
    }
}

/// Whether a text is a day, as in 2026-11-30.
#[cfg(test)]
fn is_day(text: &str) -> bool {
    let fits = |(i, c): (usize, char)| if i == 4 || i == 7 { c == '-' } else { c.is_ascii_digit() };
    text.len() == 10 && text.chars().enumerate().all(fits)
}

/// Where an engine's settings go.
fn place(profile: Profile) -> &'static str {
    match profile.name() {
        "llama.cpp" => "llama-server, POST /completion",
        "vllm" => "vLLM, SamplingParams or the request's body",
        "transformers" => "transformers, GenerationConfig",
        "ollama" => "Ollama, options",
        "openai" => "OpenAI, the request's body",
        "transformers.js" => "transformers.js, generate",
        "onnxruntime-genai" => "ONNX Runtime GenAI, set_search_options",
        "openvino-genai" => "OpenVINO GenAI, GenerationConfig",
        "ctranslate2" => "CTranslate2, generate_batch",
        "mlx-lm" => "MLX LM, make_sampler and make_logits_processors",
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
