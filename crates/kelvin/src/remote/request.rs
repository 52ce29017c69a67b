//! Writes a row of a recipe as the body of a request for `/v1/completions`. What a server can't do
//! is refused before anything is sent.

use kelvin_lab::{
    Column, Recipe,
    recipe::{Origin, Template},
    worker::Row,
};
use kelvin_sampling::Profile;
use kelvin_views::translation::{ranges, translate};
use serde_json::{Map, Value, json};

/// The likeliest tokens that are asked for: OpenAI's most.
const N_TOP: u32 = 5;

/// Refuses what would be passed over in silence.
pub(super) fn check(recipe: &Recipe) -> Result<(), String> {
    let Origin::Server { url, speaks, .. } = &recipe.origin else { return Ok(()) };
    if !(url.starts_with("http://") || url.starts_with("https://")) {
        return Err(format!("server: \"{url}\" isn't an address such as http://localhost:8000/v1"));
    }
    let framing = &recipe.framing;
    let unheard = [
        (
            framing.template == Template::Chat,
            "template",
            "a server takes prompts as they are: leave the chat template out, or write it into the \
             prompts",
        ),
        (
            framing.system.is_some(),
            "system",
            "a system text belongs to a chat template, and a server takes prompts as they are",
        ),
        (framing.special, "special", "a server decides by itself which texts are control tokens"),
        (recipe.length.context.is_some(), "context", "a server has a context of its own"),
        (
            !recipe.length.ban_string.is_empty() && speaks.as_deref() != Some("kelvin"),
            "ban_string",
            "only a server that speaks kelvin bans strings",
        ),
        (
            recipe.length.think.is_some() && speaks.as_deref() != Some("kelvin"),
            "think",
            "only a server that speaks kelvin limits thoughts",
        ),
        (
            recipe.record.shift || recipe.record.logits.is_some(),
            "record",
            "a server doesn't tell whole distributions",
        ),
    ];
    if let Some((_, field, why)) = unheard.into_iter().find(|(is, ..)| *is) {
        return Err(format!("{field}: {why}"));
    }
    let profile = profile(speaks.as_deref())?;
    check_seeds(recipe, profile)?;
    if recipe.length.ignore_end && !["kelvin", "vllm"].contains(&profile.name()) {
        return Err(format!("ignore_end: {} has no such setting", profile.name()));
    }
    recipe.chains.iter().try_for_each(|chain| settings(chain, profile).map(drop))
}

/// What a server is asked for one text.
pub(super) fn body(recipe: &Recipe, row: Row) -> Result<Value, String> {
    let Origin::Server { model, speaks, .. } = &recipe.origin else {
        return Err("the recipe is of a model on this machine".into());
    };
    let profile = profile(speaks.as_deref())?;
    let mut body = settings(&recipe.chains[row.chain], profile)?;
    let mut set = |name: &str, value: Value| drop(body.insert(name.into(), value));
    set("model", json!(model));
    set("prompt", json!(recipe.prompts[row.prompt].text));
    set("max_tokens", json!(recipe.length.max_tokens));
    set("logprobs", json!(N_TOP));
    if !recipe.length.stop.is_empty() {
        set("stop", json!(recipe.length.stop));
    }
    if recipe.length.ignore_end {
        set("ignore_eos", json!(true));
    }
    if !recipe.length.ban_string.is_empty() {
        set("ban_strings", json!(recipe.length.ban_string));
    }
    if let Some(think) = recipe.length.think {
        set("think", json!(think));
    }
    if profile.name() == "kelvin" {
        set("seed", json!(recipe.seed));
        set("first_sample", json!(row.sample));
        set("return_token_ids", json!(true));
    } else {
        // Others know no sample numbers: each number has a seed of its own.
        set("seed", json!(recipe.seed.wrapping_add(row.sample as u64)));
    }
    Ok(Value::Object(body))
}

/// Refuses seeds that the server would read as another, or as none.
fn check_seeds(recipe: &Recipe, profile: Profile) -> Result<(), String> {
    let Some(source) = ranges::source(profile.name()) else { return Ok(()) };
    let last = recipe.seed.checked_add(recipe.samples.saturating_sub(1) as u64);
    let Some(most) = source.most_seed else { return Ok(()) };
    if last.is_some_and(|last| last <= most) {
        return Ok(());
    }
    Err(format!(
        "seed: {} {} takes seeds from 0 to {}, but here they begin at {} and each of {} samples \
         has one; choose a smaller seed",
        source.engine, source.version, most, recipe.seed, recipe.samples
    ))
}

/// Whether a server has words for a column.
pub fn can_ask(column: &Column, speaks: Option<&str>) -> bool {
    profile(speaks).is_ok_and(|profile| settings(column, profile).is_ok())
}

/// The profile whose settings a server understands; those that all have, if nobody says.
fn profile(speaks: Option<&str>) -> Result<Profile, String> {
    let profile: Profile =
        speaks.unwrap_or("openai").parse().map_err(|error| format!("speaks: {error}"))?;
    let name = profile.name();
    if !matches!(name, "kelvin" | "llama.cpp" | "vllm" | "openai") {
        return Err(format!(
            "speaks: a request of OpenAI's protocol has no place for {name}'s own settings, which \
             {name} would pass over: say openai"
        ));
    }
    Ok(profile)
}

fn settings(column: &Column, profile: Profile) -> Result<Map<String, Value>, String> {
    let Column::Tokens(chain) = column else {
        return Err(format!("`{column}` is of whole texts, which a server isn't asked for"));
    };
    if profile.name() == "kelvin" {
        return Ok(Map::from_iter([("sampler".to_string(), json!(chain.to_string()))]));
    }
    let translation = translate(chain, profile).map_err(|error| error.to_string())?;
    match translation.missing.first() {
        None => Ok(translation.settings),
        Some(missing) => Err(format!(
            "the chain `{chain}` can't be asked of this server, {missing} (--speaks kelvin, vllm \
             or llama.cpp says what it understands)"
        )),
    }
}

#[cfg(test)]
mod tests {
    use kelvin_lab::recipe::Draft;

    use super::*;

    fn recipe(draft: Draft) -> Recipe {
        let server = Draft {
            server: Some("http://localhost:1/v1/".into()),
            model: Some("m".into()),
            prompts: vec!["Hi".into()],
            seed: Some(7),
            max_tokens: Some(9),
            ..Draft::default()
        };
        draft.or(server).resolve().unwrap()
    }

    const ROW: Row = Row { prompt: 0, chain: 0, sample: 2 };

    #[test]
    fn one_request_for_a_row_in_the_servers_own_words() {
        let speaks = |speaks: &str, chain: &str| {
            let draft = Draft {
                speaks: Some(speaks.into()),
                sampler: vec![chain.into()],
                stop: vec!["\n".into()],
                ..Draft::default()
            };
            body(&recipe(draft), ROW).unwrap()
        };
        assert_eq!(
            speaks("openai", "temp=0.5 | top_p=0.5"),
            json!({"model": "m", "prompt": "Hi", "max_tokens": 9, "logprobs": 5, "stop": ["\n"], "seed": 9, "temperature": 0.5, "top_p": 0.5})
        );
        let kelvin = speaks("kelvin", "min_p=0.1 | temp=2");
        assert_eq!(
            (&kelvin["sampler"], &kelvin["seed"], &kelvin["first_sample"]),
            (&json!("min_p=0.1 | temp=2"), &json!(7), &json!(2))
        );
        assert_eq!(speaks("vllm", "temp=2 | top_k=4")["top_k"], json!(4));
        let llama = speaks("llama.cpp", "repetition=1.1 | temp=1 | dry=0.8");
        assert_eq!((&llama["repeat_last_n"], &llama["seed"]), (&json!(1_048_576), &json!(9)));
        assert_eq!(llama["dry_sequence_breakers"], json!([""]));
    }

    #[test]
    fn what_a_server_cannot_do_is_refused() {
        let refused = |draft: Draft, words: &str| {
            let said = check(&recipe(draft)).unwrap_err();
            assert!(said.contains(words), "{said}");
        };
        let draft = Draft::default;
        refused(
            Draft { sampler: vec!["temp=1 | top_k=4".into()], ..draft() },
            "top_k=4: openai has no such control",
        );
        refused(Draft { template: Some("chat".into()), ..draft() }, "template:");
        refused(Draft { system: Some("x".into()), ..draft() }, "system:");
        refused(Draft { ignore_end: Some(true), ..draft() }, "ignore_end: openai");
        refused(Draft { record: vec!["shift".into()], ..draft() }, "record:");
        refused(Draft { server: Some("localhost:1".into()), ..draft() }, "isn't an address");
        refused(Draft { speaks: Some("latin".into()), ..draft() }, "speaks:");
        refused(
            Draft { speaks: Some("ollama".into()), ..draft() },
            "no place for ollama's own settings",
        );
        let llama = |seed| Draft {
            speaks: Some("llama.cpp".into()),
            seed: Some(seed),
            samples: Some(2),
            ..draft()
        };
        refused(llama((1 << 32) - 2), "seed: llama.cpp 0.6.0");
        refused(llama(u64::MAX), "takes seeds from 0 to 4294967294");
        assert!(check(&recipe(llama((1 << 32) - 3))).is_ok());
        refused(Draft { temp: Some("3".into()), ..draft() }, "takes `temperature` from 0 to 2");
        assert!(check(&recipe(draft())).is_ok());
    }
}
