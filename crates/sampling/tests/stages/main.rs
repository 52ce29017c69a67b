//! Every row of the table of stages says all that consumers of the table rely on.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should say where")]

use std::collections::BTreeSet;

use kelvin_sampling::{
    Chain, ChainError, Engine, FieldKind, List, ParamKind, Profile, STAGES, Stage,
};

#[test]
fn each_row_has_a_name_and_its_example_parses() {
    let names: BTreeSet<&str> = STAGES.iter().map(|info| info.name).collect();
    assert_eq!(names.len(), STAGES.len(), "a name occurs twice");
    for info in STAGES {
        let name = info.name;
        for text in [info.summary, info.allowed, info.source] {
            assert!(!text.is_empty() && text.trim() == text, "{name}: {text:?}");
        }
        let stage: Stage = info.example().parse().unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(stage.info(), info);
        // Printed and parsed, it's the same stage.
        assert_eq!(stage.to_string().parse::<Stage>().unwrap(), stage, "{name}");
        // The stage that `example` writes does something.
        assert!(!stage.is_off(), "{name}");
    }
}

#[test]
fn each_end_of_each_slider_is_allowed() {
    for info in STAGES {
        for (i, param) in info.params.iter().enumerate() {
            let ends = match param.kind {
                ParamKind::Number | ParamKind::Whole => {
                    assert!(param.low < param.high && param.step > 0.0, "{param:?}");
                    vec![param.low.to_string(), param.high.to_string()]
                }
                ParamKind::Temperature => vec!["0".into(), "99".into()],
                ParamKind::Range => vec!["0..0".into(), "0.1..9".into()],
                ParamKind::Scope => vec!["output".into(), "prompt+output".into()],
                ParamKind::Text => vec![param.start.into()],
            };
            for end in ends {
                let text = info.written(|other| {
                    let is_this = info.params.iter().position(|p| p == other) == Some(i);
                    if is_this { end.clone() } else { other.start.to_string() }
                });
                text.parse::<Chain>().unwrap_or_else(|error| panic!("{text}: {error}"));
            }
            // A parameter with a key is written only where it differs from its default.
            if let Some(key) = param.key {
                let stage: Stage = info.example().parse().unwrap();
                assert_eq!(stage.param(Some(key)).as_deref(), Some(param.start), "{stage}");
                assert!(!stage.to_string().contains(&format!("{key}:")), "{stage}");
            }
        }
    }
}

/// A stage that a profile doesn't have is refused by its name; every other stage has its place.
#[test]
fn each_profile_has_a_place_for_a_stage_or_refuses_it_by_name() {
    for profile in Profile::all() {
        let mut places = BTreeSet::new();
        for info in STAGES {
            let stage: Stage = info.example().parse().unwrap();
            match (profile.place(info.name), profile.chain(&[stage])) {
                (Some(place), Ok(chain)) => {
                    assert!(
                        places.insert(place),
                        "{}: {} shares a place",
                        profile.name(),
                        info.name
                    );
                    assert!(chain.stages().iter().any(|stage| stage.info() == info), "{chain}");
                }
                (None, Err(error)) => assert_eq!(
                    error,
                    ChainError::NotInProfile { stage: info.name, profile: profile.name() }
                ),
                (place, chain) => {
                    panic!("{} in {}: {place:?}, {chain:?}", info.name, profile.name())
                }
            }
        }
    }
}

#[test]
fn counterparts_are_complete() {
    for info in STAGES {
        let engines: Vec<Engine> = info.counterparts.iter().map(|there| there.engine).collect();
        let distinct: BTreeSet<&str> = engines.iter().map(|engine| engine.name()).collect();
        assert_eq!(distinct.len(), engines.len(), "{}: an engine occurs twice", info.name);
        assert!(!engines.contains(&Engine::Kelvin), "{}: Kelvin takes the chain itself", info.name);
        for there in info.counterparts {
            for parameter in there.defaults {
                let text = format!("{},{parameter}", info.example());
                // The engine's default may be a parameter that the example has already.
                let named = parameter.split(':').next().unwrap();
                let known = info.params.iter().any(|param| param.key == Some(named));
                assert!(known || text.parse::<Stage>().is_ok(), "{text}");
            }
            for setting in there.settings {
                assert!(setting.range.low < setting.range.high, "{}: {setting:?}", info.name);
                assert!(setting.range.ends().into_iter().all(|end| setting.range.has(end)));
            }
            if let List::Instead { beside, .. } = there.list {
                assert!(beside.iter().all(|name| STAGES.iter().any(|info| info.name == *name)));
            }
        }
    }
}

#[test]
fn flags_and_fields_are_unique_and_said_in_words() {
    let (mut flags, mut fields) = (BTreeSet::new(), BTreeSet::new());
    for info in STAGES {
        if let Some(flag) = info.flag {
            let names = [flag.name].into_iter().chain(flag.aliases.iter().copied());
            for name in names.chain(flag.hidden_aliases.iter().copied()) {
                assert!(flags.insert(name), "--{name} occurs twice");
                assert!(!name.starts_with('-') && !name.contains('_'), "{name}");
            }
            assert!(!flag.value.is_empty() && !flag.help.ends_with('.'), "{}", info.name);
        }
        if let Some(field) = info.field {
            assert!(fields.insert(field.name), "{} occurs twice", field.name);
            let number = field.kind != FieldKind::Own;
            assert!(number || field.off.is_none(), "{}", info.name);
        }
    }
}
