//! Hosted models by name: which controls each takes, by the packages of its provider's protocol.
//!
//! No service says in which order it runs its stages, so a translation names no order.

use kelvin_sampling::{Chain, ChainError, Range, Stage};
use serde_json::{Map, Value, json};

use super::{Translation, acting};

/// A control of a provider.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Control {
    /// The stage's name in the notation.
    stage: &'static str,
    /// The name in a request.
    name: &'static str,
    range: Range,
    whole: bool,
}

const fn control(stage: &'static str, name: &'static str, high: f64) -> Control {
    Control { stage, name, range: Range::new(0.0, high), whole: false }
}

const fn penalty(stage: &'static str, name: &'static str) -> Control {
    Control { range: Range::new(-2.0, 2.0), ..control(stage, name, 2.0) }
}

const fn top_k(name: &'static str) -> Control {
    Control { range: Range::new(1.0, Range::I32), whole: true, ..control("top_k", name, 1.0) }
}

const TO_ONE: Control = control("temp", "temperature", 1.0);
const TO_TWO: Control = control("temp", "temperature", 2.0);
const TOP_P: Control = control("top_p", "top_p", 1.0);
const PENALTIES: [Control; 2] =
    [penalty("presence", "presence_penalty"), penalty("frequency", "frequency_penalty")];

/// A provider, and where its rows come from.
#[derive(Debug)]
struct Provider {
    name: &'static str,
    place: &'static str,
    version: &'static str,
    date: &'static str,
    /// The first row that fits is a model's.
    models: &'static [Family],
}

/// Models of a provider that take the same controls.
#[derive(Debug, Clone, Copy)]
struct Family {
    /// The beginnings of their names.
    names: &'static [&'static str],
    takes: &'static [Control],
    /// When they take them, or why they take fewer than others; empty for always.
    remark: &'static str,
    /// Two controls of which a request may have one.
    either: Option<[&'static str; 2]>,
}

const PLAIN: Family = Family { names: &[], takes: &[], remark: "", either: None };

const PROVIDERS: &[Provider] = &[
    Provider {
        name: "openai",
        place: "OpenAI, chat completions",
        version: "@ai-sdk/openai 4.0.118",
        date: "2026-11-30",
        models: &[
            Family { names: &["gpt-6"], remark: "at any effort", ..PLAIN },
            Family {
                names: &["gpt-5-chat", "gpt-4.1", "gpt-4-", "gpt-3.5"],
                takes: &[TO_TWO, TOP_P, PENALTIES[0], PENALTIES[1]],
                ..PLAIN
            },
            Family {
                names: &["gpt-4o-search-preview", "gpt-4o-mini-search-preview"],
                takes: &[TOP_P, PENALTIES[0], PENALTIES[1]],
                ..PLAIN
            },
            Family {
                names: &["gpt-4o", "gpt-4"],
                takes: &[TO_TWO, TOP_P, PENALTIES[0], PENALTIES[1]],
                ..PLAIN
            },
            Family {
                names: &["gpt-5."],
                takes: &[TO_TWO, TOP_P],
                remark: "takes them with reasoning_effort none alone",
                ..PLAIN
            },
            Family { names: &["gpt-5", "o1", "o3", "o4"], remark: "it reasons", ..PLAIN },
        ],
    },
    Provider {
        name: "anthropic",
        place: "Anthropic, messages",
        version: "@ai-sdk/anthropic 4.0.105",
        date: "2026-11-30",
        models: &[
            Family {
                names: &[
                    "claude-opus-4-7",
                    "claude-opus-4-8",
                    "claude-opus-5",
                    "claude-sonnet-5",
                    "claude-haiku-5-5",
                    "claude-fable-5",
                ],
                ..PLAIN
            },
            Family {
                names: &[
                    "claude-opus-4-0",
                    "claude-opus-4-1",
                    "claude-opus-4-2025",
                    "claude-opus-4-5",
                    "claude-opus-4-6",
                    "claude-sonnet-4-0",
                    "claude-sonnet-4-2025",
                    "claude-sonnet-4-5",
                    "claude-sonnet-4-6",
                    "claude-haiku-4-5",
                    "claude-3",
                ],
                takes: &[TO_ONE, TOP_P, top_k("top_k")],
                remark: "takes them while thinking is off",
                either: Some(["temp", "top_p"]),
            },
        ],
    },
    Provider {
        name: "google",
        place: "Google, generationConfig",
        version: "@ai-sdk/google 4.0.121",
        date: "2026-11-30",
        models: &[
            Family {
                names: &["gemini-2.5"],
                takes: &[TO_TWO, control("top_p", "topP", 1.0), top_k("topK")],
                ..PLAIN
            },
            Family {
                names: &["gemini-3"],
                takes: &[
                    TO_TWO,
                    control("top_p", "topP", 1.0),
                    top_k("topK"),
                    penalty("presence", "presencePenalty"),
                    penalty("frequency", "frequencyPenalty"),
                ],
                ..PLAIN
            },
        ],
    },
    Provider {
        name: "deepseek",
        place: "DeepSeek, chat completions",
        version: "@ai-sdk/deepseek 3.0.56",
        date: "2026-11-30",
        models: &[
            Family {
                names: &["deepseek-v4", "deepseek-flash", "deepseek-pro"],
                takes: &[TO_TWO, TOP_P],
                remark: "takes them while thinking is off; it is on unless a request says otherwise",
                ..PLAIN
            },
            Family { names: &["deepseek-reasoner"], remark: "it thinks", ..PLAIN },
            Family { names: &["deepseek-chat"], takes: &[TO_TWO, TOP_P], ..PLAIN },
        ],
    },
    Provider {
        name: "moonshotai",
        place: "Moonshot AI, chat completions",
        version: "@ai-sdk/moonshotai 3.0.60",
        date: "2026-11-30",
        models: &[
            Family {
                names: &["kimi-k2.5", "kimi-k2.6", "kimi-k2.7-code", "kimi-k3"],
                remark: "the model fixes it",
                ..PLAIN
            },
            Family {
                names: &["moonshot-v1"],
                takes: &[TO_ONE, TOP_P, PENALTIES[0], PENALTIES[1]],
                ..PLAIN
            },
        ],
    },
];

impl Provider {
    /// The family of a model: that of the first name which the model's begins with.
    fn family(&self, model: &str) -> Option<&'static Family> {
        self.models.iter().find(|family| family.names.iter().any(|name| model.starts_with(name)))
    }
}

/// Says `chain` in a request to a hosted model, `provider:model`; `None` if no provider is named.
///
/// # Errors
/// One sentence if no row is for the provider or the model.
pub(super) fn hosted(chain: &Chain, to: &str) -> Option<Result<Translation, String>> {
    let (provider, model) = to.split_once(':')?;
    let known = |names: Vec<&str>| names.join(", ");
    let Some(found) = PROVIDERS.iter().find(|other| other.name == provider) else {
        let names = known(PROVIDERS.iter().map(|other| other.name).collect());
        return Some(Err(format!("no hosted models of {provider:?} are known; {names} are")));
    };
    let Some(family) = found.family(model) else {
        let names = known(found.models.iter().flat_map(|family| family.names).copied().collect());
        return Some(Err(format!(
            "{provider} has no model {model:?} that is known here; known are those that begin with \
             {names}"
        )));
    };
    let shown = format!("{provider}:{model}");
    Some(said(chain, found, family, shown).map_err(|error| error.to_string()))
}

/// What a family takes of a chain.
fn said(
    chain: &Chain,
    provider: &Provider,
    family: &Family,
    shown: String,
) -> Result<Translation, ChainError> {
    let mut settings = Map::new();
    let (mut expressed, mut missing): (Vec<Stage>, Vec<String>) = (Vec::new(), Vec::new());
    for stage in acting(chain) {
        match value(stage, family, &expressed) {
            Ok((control, number, changed)) => {
                let number = if control.whole { json!(number as i64) } else { json!(number) };
                settings.insert(control.name.to_string(), number);
                let written = format!("{}={}", control.stage, as_typed(&settings[control.name]));
                missing.extend(changed.map(|why| {
                    format!(
                        "{stage}: {shown} takes {why} ({}), so {written} is written",
                        provider.version
                    )
                }));
                expressed.push(written.parse()?);
            }
            Err(why) => missing.push(format!("{stage}: {shown} {why} ({})", provider.version)),
        }
    }
    if !family.takes.is_empty() && !family.remark.is_empty() && !expressed.is_empty() {
        missing.push(format!("always: {shown} {} ({})", family.remark, provider.version));
    }
    if expressed.len() > 1 {
        missing.push(format!("the order: {} says of none", provider.name));
    }
    settings.sort_keys();
    Ok(Translation {
        from: chain.to_string(),
        to: shown,
        place: provider.place,
        flags: None,
        settings,
        runs: Chain::new(expressed)?.to_string(),
        missing,
        known_from: format!("{}, {}: its table of models", provider.version, provider.date),
    })
}

/// A number as the notation has it.
fn as_typed(number: &Value) -> String {
    number.as_f64().map_or_else(|| number.to_string(), |x| x.to_string())
}

/// A stage's control and its number there, with the range if the number had to be moved into it; or
/// why the family can't take it, as the end of a sentence that begins with the model's name.
fn value(
    stage: &Stage,
    family: &Family,
    earlier: &[Stage],
) -> Result<(Control, f64, Option<String>), String> {
    let name = stage.info().name;
    let word = match name {
        "temp" => "temperature",
        other => other,
    };
    let because = if family.takes.is_empty() {
        Some(family.remark).filter(|why| !why.is_empty())
    } else {
        None
    };
    let none = || match because {
        Some(why) => format!("has no {word}: {why}"),
        None => format!("has no {word}"),
    };
    let control = family.takes.iter().find(|control| control.stage == name).ok_or_else(none)?;
    if earlier.iter().any(|other| other.info().name == name) {
        return Err(format!("has {word} once"));
    }
    if let Some(pair) = family.either
        && pair.contains(&name)
        && let Some(other) = earlier.iter().find(|other| pair.contains(&other.info().name))
    {
        return Err(format!("takes {word} or {}, not both", other.info().name));
    }
    let plain = stage.info().params.iter().filter_map(|param| param.key);
    if let Some(key) = plain.into_iter().find(|key| {
        let kept = stage.info().params.iter().find(|param| param.key == Some(*key));
        stage.param(Some(key)).as_deref() != kept.map(|param| param.start)
    }) {
        return Err(format!("has no {key} for its {word}"));
    }
    let number = stage.param(None).and_then(|text| text.parse::<f64>().ok()).ok_or_else(none)?;
    if control.range.has(number) {
        return Ok((*control, number, None));
    }
    let why = format!("`{}` {}", control.name, control.range.words());
    let nearest = (name != "top_k").then(|| control.range.nearest(number)).flatten();
    match nearest {
        Some(nearest) => Ok((*control, nearest, Some(why))),
        None => Err(format!("takes {why}")),
    }
}

#[cfg(test)]
mod tests {
    use kelvin_sampling::STAGES;

    use super::*;
    use crate::translation::{is_day, translate_to};

    fn to(chain: &str, model: &str) -> Translation {
        translate_to(&chain.parse().unwrap(), model).unwrap()
    }

    #[test]
    fn every_row_has_a_version_a_day_and_models() {
        for provider in PROVIDERS {
            assert!(provider.version.chars().any(|c| c.is_ascii_digit()), "{}", provider.name);
            assert!(is_day(provider.date) && !provider.place.is_empty(), "{}", provider.name);
            for family in provider.models {
                assert!(!family.names.is_empty(), "{}", provider.name);
                for name in family.names {
                    // A row that an earlier one hides would never be read.
                    let found = provider.family(name).unwrap();
                    assert!(std::ptr::eq(found, family), "{}: {name}", provider.name);
                }
                for control in family.takes {
                    let info = STAGES.iter().find(|info| info.name == control.stage);
                    assert!(info.is_some_and(|info| info.params[0].key.is_none()));
                    assert!(control.range.low < control.range.high, "{control:?}");
                    let ends = control.range.ends();
                    assert!(ends.iter().all(|end| control.range.has(*end)), "{control:?}");
                }
            }
        }
    }

    /// No number outside of a range is written, and what is written is what `runs` says.
    #[test]
    fn every_number_is_in_range() {
        let mut tried = 0;
        for provider in PROVIDERS {
            for family in provider.models {
                let model = format!("{}:{}", provider.name, family.names[0]);
                for chain in [
                    "temp=0",
                    "temp=1.5",
                    "temp=9",
                    "top_p=0.3 | temp=1",
                    "top_k=0 | temp=1",
                    "top_k=7 | temp=1",
                    "presence=-9 | temp=1",
                    "frequency=3 | temp=1",
                    "min_p=0.1 | temp=1",
                ] {
                    let said = to(chain, &model);
                    for (name, value) in &said.settings {
                        let control = family.takes.iter().find(|other| other.name == name).unwrap();
                        assert!(control.range.has(value.as_f64().unwrap()), "{model}: {chain}");
                        tried += 1;
                    }
                    // A stage that is off isn't missed.
                    let whole = said.runs == said.from.trim_start_matches("top_k=0 | ");
                    assert!(whole || !said.missing.is_empty(), "{model}: {chain}");
                }
            }
        }
        assert!(tried > 60, "{tried}");
    }

    #[test]
    fn what_a_model_refuses_is_said() {
        let missing = |chain: &str, model: &str| to(chain, model).missing.join("; ");
        assert_eq!(
            missing("temp=0.7", "anthropic:claude-opus-4-7"),
            "temp=0.7: anthropic:claude-opus-4-7 has no temperature (@ai-sdk/anthropic 4.0.105)"
        );
        assert_eq!(
            missing("temp=0.7", "openai:gpt-6-mini"),
            "temp=0.7: openai:gpt-6-mini has no temperature: at any effort (@ai-sdk/openai 4.0.118)"
        );
        assert!(missing("temp=1.5", "anthropic:claude-opus-4-6").contains("from 0 to 1 ("));
        let both = to("temp=0.7 | top_p=0.9", "anthropic:claude-sonnet-4-5");
        assert_eq!(both.settings, *json!({"temperature": 0.7}).as_object().unwrap());
        assert!(both.missing[0].contains("takes top_p or temp, not both"), "{:?}", both.missing);
        let whole = to("temp=0.7", "openai:gpt-4o");
        assert!(whole.known_from.starts_with("@ai-sdk/openai 4.0.118, 2026-"));
        assert_eq!((whole.runs.as_str(), whole.missing.len()), ("temp=0.7", 0));
        assert!(missing("temp=0.7", "openai:gpt-5.1").contains("reasoning_effort none"));
        assert!(missing("temp=0.7", "openai:gpt-4o-search-preview").contains("has no temperature"));
        assert!(
            missing("presence=1,window:5 | temp=1", "google:gemini-3-pro").contains("no window")
        );
        assert!(missing("temp=1", "moonshotai:kimi-k3").contains("the model fixes it"));
        let words = |model: &str| translate_to(&Chain::default(), model).unwrap_err();
        assert!(words("openai:bert").contains("no model \"bert\""), "{}", words("openai:bert"));
        assert!(words("acme:gpt-4o").contains("openai, anthropic"), "{}", words("acme:gpt-4o"));
        assert!(words("lamma").contains("llama.cpp"), "{}", words("lamma"));
    }
}
