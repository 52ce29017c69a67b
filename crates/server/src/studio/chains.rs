//! Describes chains for the studio: canonical notation, translations for other engines, warnings;
//! the list of stages for its cards; token search.

use std::{collections::BTreeMap, sync::Arc};

use axum::{Json, extract::State};
use kelvin_sampling::{Chain, Profile, STAGES, TokenId};
use kelvin_views::{
    flips::Named,
    knobs::{Knob, knobs},
    token,
    translation::{Translation, translate},
};
use serde::Serialize;
use serde_json::{Value, json};

use super::ask;
use crate::{Shared, fields::Fields, problem::Problem};

const MAX_FOUND: usize = 24;

/// Facts about the model for the page.
pub(super) async fn model(State(shared): State<Arc<Shared>>) -> Json<Value> {
    let config = &shared.engine.model.config;
    let tokenizer = &shared.engine.tokenizer;
    let ends: Vec<Value> = tokenizer
        .end_tokens()
        .iter()
        .map(|&token| json!({ "id": token.0, "shown": token::shown(&shared.engine, token) }))
        .collect();
    let calibration = shared.calibration.as_ref().map(|fitted| {
        let temperatures = fitted.temperatures.iter().map(|(kind, t)| (kind.name(), *t));
        let temperatures: BTreeMap<&str, f64> = temperatures.collect();
        let (rotations, layout) = (fitted.rotations, fitted.layout.name());
        json!({ "temperatures": temperatures, "rotations": rotations, "layout": layout })
    });
    Json(json!({
        "name": shared.names[0],
        "sha256": shared.sha256,
        "n_vocab": config.vocab_size,
        "context": shared.limit,
        "chat": matches!(shared.engine.template, Some(Ok(_))),
        "ends": ends,
        "parallel": shared.room.n_texts,
        "calibration": calibration,
        "models": shared.menu.names(),
        "problem": shared.menu.problem(),
        "run": shared.run,
        "sessions": shared.sessions.is_some(),
    }))
}

#[derive(Debug, Serialize)]
struct StageCard {
    name: &'static str,
    summary: &'static str,
    allowed: &'static str,
    source: &'static str,
    /// The parameters of the stage, with their initial values.
    knobs: Vec<Knob>,
}

/// All stages and profiles.
pub(super) async fn stages() -> Result<Json<Value>, Problem> {
    let row = |stage: &kelvin_sampling::StageInfo| StageCard {
        name: stage.name,
        summary: stage.summary,
        allowed: stage.allowed,
        source: stage.source,
        knobs: knobs(stage),
    };
    let profile = |profile: Profile| {
        let chain = profile.chain(&[]).map_err(|error| Problem::failed(error.to_string()))?;
        Ok(json!({ "name": profile.name(), "chain": chain.to_string() }))
    };
    let stages: Vec<StageCard> = STAGES.iter().map(row).collect();
    let profiles = Profile::all().map(profile).collect::<Result<Vec<Value>, Problem>>()?;
    Ok(Json(json!({ "stages": stages, "profiles": profiles })))
}

/// A chain in several notations.
#[derive(Debug, Serialize)]
pub(super) struct ChainDescription {
    /// The canonical notation, as a whole and by stages.
    chain: String,
    stages: Vec<String>,
    /// The temperature of a chain with one `temp` stage.
    temperature: Option<f64>,
    /// The truncation before the temperature, if there is one.
    cut_before_heat: Option<String>,
    /// The command line that does the same.
    command: String,
    translations: Vec<Translation>,
}

/// Translates `sampler` to every engine.
pub(super) fn chain(shared: &Shared, fields: &mut Fields) -> Result<ChainDescription, Problem> {
    let chain = ask::chain(fields)?.unwrap_or_default();
    let (prompt, chat): (Option<String>, bool) = (fields.take("prompt")?, fields.flag("chat")?);
    let seed = fields.whole("seed", 0..=u64::MAX)?.unwrap_or(0);
    let translation = |profile: Profile| {
        translate(&chain, profile).map_err(|error| Problem::parameter("sampler", error.to_string()))
    };
    let others = Profile::all().filter(|profile| *profile != Profile::KELVIN);
    Ok(ChainDescription {
        stages: chain.stages().iter().map(ToString::to_string).collect(),
        temperature: chain.temperature().map(kelvin_views::json::short),
        cut_before_heat: chain.cut_before_heat().map(ToString::to_string),
        command: command(&shared.names[0], &chain, prompt.as_deref(), chat, seed),
        translations: others.map(translation).collect::<Result<_, _>>()?,
        chain: chain.to_string(),
    })
}

/// The command line for a chain.
fn command(model: &str, chain: &Chain, prompt: Option<&str>, chat: bool, seed: u64) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "'\\''"));
    let prompt = quoted(prompt.unwrap_or("Once upon a time"));
    let model = if model.chars().all(|c| c.is_ascii_alphanumeric() || "-_./:".contains(c)) {
        model.to_string()
    } else {
        quoted(model)
    };
    let how = if chat { "--chat" } else { "--raw" };
    format!(
        "kelvin generate {prompt} {how} -m {model} --seed {seed} --sampler {}",
        quoted(&chain.to_string())
    )
}

/// The tokens whose text equals `query`, starts with it or contains it, in this order, shortest
/// first. `#ID` is the token with that id.
pub(super) fn tokens(shared: &Shared, fields: &mut Fields) -> Result<Vec<Named>, Problem> {
    let query = fields.take::<Option<String>>("query")?.unwrap_or_default();
    let engine = &shared.engine;
    let tokenizer = &engine.tokenizer;
    let n = tokenizer.vocab_size() as u32;
    let mut found: Vec<(u8, usize, u32)> = Vec::new();
    if let Some(id) =
        query.strip_prefix('#').and_then(|id| id.parse::<u32>().ok()).filter(|&id| id < n)
    {
        found.push((0, 0, id));
    }
    let wanted = query.to_lowercase();
    if !wanted.is_empty() {
        let place = |id: u32| {
            let text = token::text(engine, TokenId(id));
            let lower = text.to_lowercase();
            let kind = match () {
                () if text == query || text.trim_start() == query => 1,
                () if lower.trim_start() == wanted.trim_start() => 2,
                () if lower.trim_start().starts_with(wanted.trim_start()) => 3,
                () if lower.contains(&wanted) => 4,
                () => return None,
            };
            Some((kind, text.len(), id))
        };
        found.extend((0..n).filter_map(place));
    }
    found.sort_unstable();
    found.truncate(MAX_FOUND);
    Ok(found.iter().map(|&(_, _, id)| Named::of(engine, TokenId(id))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_survives_a_shell() {
        let chain: Chain = "temp=2 | top_k=5".parse().unwrap();
        let found = command("a model", &chain, Some("it's `x` $y"), false, 7);
        assert_eq!(
            found,
            r"kelvin generate 'it'\''s `x` $y' --raw -m 'a model' --seed 7 --sampler 'temp=2 | top_k=5'"
        );
    }
}
