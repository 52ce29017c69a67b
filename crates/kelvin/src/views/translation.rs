//! A chain in, another engine's settings for the same distribution out, and what that engine can't express.

use kelvin_sampling::{Chain, ChainError, Profile, Scope, Stage, Window};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::flags::flags;
use crate::terminal::json;

/// A chain in the words of another engine.
#[derive(Debug, Serialize)]
pub(crate) struct Translation {
    from: String,
    pub(crate) to: &'static str,
    /// Where the settings go.
    pub(crate) place: &'static str,
    pub(crate) settings: Map<String, Value>,
    /// The same as one types it for the engine, if it has such a form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) flags: Option<String>,
    /// What the engine makes of them, in Kelvin's notation.
    pub(crate) runs: String,
    /// What it can't express.
    pub(crate) missing: Vec<String>,
}

/// Settings of one engine.
struct Writer {
    profile: Profile,
    settings: Map<String, Value>,
    expressed: Vec<Stage>,
    missing: Vec<String>,
}

/// Says `chain` in the settings of `profile`'s engine.
pub(crate) fn translate(chain: &Chain, profile: Profile) -> Result<Translation, ChainError> {
    if profile.name() == "kelvin" {
        return Ok(as_it_stands(chain, profile));
    }
    let mut writer = Writer { profile, settings: off(profile), expressed: Vec::new(), missing: Vec::new() };
    for stage in chain.stages() {
        let twice = writer.expressed.iter().any(|other| other.info().name == stage.info().name);
        match writer.write(stage) {
            _ if twice => writer.missing.push(format!("{stage}: {} has each stage once", profile.name())),
            Ok(pairs) => {
                writer.settings.extend(pairs.into_iter().map(|(key, value)| (key.to_string(), value)));
                writer.expressed.push(stage.clone());
            }
            Err(reason) => writer.missing.push(format!("{stage}: {reason}")),
        }
    }
    // What is off has no place in the order.
    let runs: Vec<Stage> = profile.chain(&writer.expressed)?.stages().to_vec();
    let named = |stage: &&Stage| writer.expressed.iter().any(|other| other.info().name == stage.info().name);
    let mut runs: Vec<Stage> = runs.iter().filter(named).cloned().collect();
    if profile.name() == "llama.cpp" {
        runs.sort_by_key(|stage| {
            writer.expressed.iter().position(|other| other.info().name == stage.info().name)
        });
        if let Some(order) = samplers(&runs) {
            writer.settings.insert("samplers".into(), order);
        }
    }
    let order: Vec<&str> = runs.iter().map(|stage| stage.info().name).collect();
    let asked: Vec<&str> = writer.expressed.iter().map(|stage| stage.info().name).collect();
    if !same_order(&asked, &order) {
        writer.missing.push(format!("the order: {} runs {}", profile.name(), order.join(", then ")));
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

/// Whether two orders of the same stages come to the same: temperature may change places with a truncation that
/// doesn't look at it.
fn same_order(asked: &[&str], order: &[&str]) -> bool {
    let blind = |a: &str, b: &str| a == "temp" && matches!(b, "top_k" | "top_n_sigma");
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
        "vllm" => json!({"temperature": 1.0, "top_k": -1, "top_p": 1.0, "min_p": 0.0}),
        "transformers" => json!({"do_sample": true, "temperature": 1.0, "top_k": 0, "top_p": 1.0}),
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
            // Always first.
            Stage::Bias(_) => continue,
            _ => return None,
        });
    }
    names.dedup();
    Some(names.into())
}

type Pairs = Vec<(&'static str, Value)>;

impl Writer {
    /// The settings for a stage, or why there are none.
    fn write(&self, stage: &Stage) -> Result<Pairs, String> {
        let name = self.profile.name();
        let one_of = |engines: &[&str]| {
            if engines.contains(&name) { Ok(()) } else { Err(format!("{name} has no such control")) }
        };
        const LLAMA: [&str; 2] = ["llama.cpp", "ollama"];
        match stage {
            Stage::Temp(t) if name == "transformers" && t.get() == 0.0 => {
                Ok(vec![("do_sample", json!(false))])
            }
            Stage::Temp(t) => {
                let (t, real) = (t.get(), self.profile.temperature(t.get()));
                if t == real {
                    Ok(vec![("temperature", short(t))])
                } else {
                    Err(format!("{name} makes it {real}"))
                }
            }
            Stage::TopP(p) => Ok(vec![("top_p", json!(p.get()))]),
            Stage::TopK(k) => {
                one_of(&["llama.cpp", "ollama", "vllm", "transformers"])?;
                let off = if name == "vllm" { json!(-1) } else { json!(0) };
                Ok(vec![("top_k", if k.get() == 0 { off } else { json!(k.get()) })])
            }
            Stage::MinP(m) => {
                one_of(&["llama.cpp", "ollama", "vllm", "transformers"])?;
                Ok(vec![("min_p", json!(m.get()))])
            }
            Stage::Typical(t) => {
                one_of(&["llama.cpp", "ollama", "transformers"])?;
                Ok(vec![("typical_p", json!(t.get()))])
            }
            Stage::TopNSigma(n) => one_of(&["llama.cpp"]).map(|()| vec![("top_n_sigma", json!(n.get()))]),
            Stage::Epsilon(e) => one_of(&["transformers"]).map(|()| vec![("epsilon_cutoff", json!(e.get()))]),
            Stage::Eta(e) => one_of(&["transformers"]).map(|()| vec![("eta_cutoff", json!(e.get()))]),
            Stage::TopH(h) => one_of(&["transformers"]).map(|()| vec![("top_h", json!(h.get()))]),
            Stage::NoRepeatNgram(n) => {
                one_of(&["transformers"]).map(|()| vec![("no_repeat_ngram_size", json!(n.get()))])
            }
            Stage::Xtc(x) => {
                one_of(&["llama.cpp"])?;
                Ok(vec![("xtc_probability", json!(x.chance())), ("xtc_threshold", json!(x.threshold()))])
            }
            Stage::DynaTemp(d) => {
                one_of(&["llama.cpp"])?;
                let (lo, hi) = d.range();
                Ok(vec![
                    ("temperature", json!((lo + hi) / 2.0)),
                    ("dynatemp_range", json!((hi - lo) / 2.0)),
                    ("dynatemp_exponent", json!(d.exponent())),
                ])
            }
            Stage::Dry(d) => {
                one_of(&["llama.cpp"])?;
                if !d.breakers().is_empty() {
                    return Err("llama.cpp takes breakers as texts, not as token ids".into());
                }
                Ok(vec![
                    ("dry_multiplier", short(d.multiplier())),
                    ("dry_base", short(d.base())),
                    ("dry_allowed_length", json!(d.length())),
                    ("dry_penalty_last_n", window(d.window())),
                    ("dry_sequence_breakers", json!([])),
                ])
            }
            Stage::Mirostat(_) => {
                one_of(&LLAMA).and(Err(format!("{name}'s mirostat takes the place of all truncations")))
            }
            Stage::Bias(b) => {
                one_of(&["llama.cpp", "vllm", "openai"])?;
                let banned = b.get().iter().any(|(_, b)| *b == f32::NEG_INFINITY);
                if banned {
                    return Err("a ban (-inf) isn't a number in JSON; -100 comes near".into());
                }
                let pairs = b.get().iter();
                Ok(vec![if name == "llama.cpp" {
                    ("logit_bias", pairs.map(|(id, b)| json!([id.0, short(*b)])).collect())
                } else {
                    (
                        "logit_bias",
                        Value::Object(pairs.map(|(id, b)| (id.0.to_string(), short(*b))).collect()),
                    )
                }])
            }
            Stage::Mask(m) if name == "vllm" && !m.bans() => Ok(vec![("allowed_token_ids", json!(m.ids()))]),
            Stage::Repetition(r) => {
                one_of(&["llama.cpp", "ollama", "vllm", "transformers"])?;
                if r.scope() != Scope::All {
                    return Err(format!("{name} counts the prompt as well"));
                }
                if LLAMA.contains(&name) {
                    return Ok(vec![
                        ("repeat_penalty", short(r.theta())),
                        ("repeat_last_n", window(r.window())),
                    ]);
                }
                if r.window() != Window::ALL {
                    return Err(format!("{name} has no window"));
                }
                Ok(vec![("repetition_penalty", short(r.theta()))])
            }
            Stage::Frequency(p) => self.counted("frequency_penalty", p.alpha(), p.window(), p.scope()),
            Stage::Presence(p) => self.counted("presence_penalty", p.alpha(), p.window(), p.scope()),
            _ => Err(format!("{name} has no such control")),
        }
    }

    fn counted(&self, key: &'static str, alpha: f32, of: Window, scope: Scope) -> Result<Pairs, String> {
        let name = self.profile.name();
        match name {
            "llama.cpp" | "ollama" if scope == Scope::All => {
                Ok(vec![(key, short(alpha)), ("repeat_last_n", window(of))])
            }
            "llama.cpp" | "ollama" => Err(format!("{name} counts the prompt as well")),
            "vllm" | "openai" if scope != Scope::Output || of != Window::ALL => {
                Err(format!("{name} counts the whole output and nothing else"))
            }
            "vllm" | "openai" => Ok(vec![(key, short(alpha))]),
            _ => Err(format!("{name} has no such control")),
        }
    }
}

/// An f32 with the digits that it was typed with.
fn short(x: f32) -> Value {
    json!(json::short(x))
}

fn window(window: Window) -> Value {
    window.get().map_or(json!(-1), |n| json!(n))
}

#[cfg(test)]
mod tests {
    use kelvin_sampling::Distribution;

    use super::*;

    fn to(chain: &str, profile: &str) -> Translation {
        translate(&chain.parse().unwrap(), profile.parse().unwrap()).unwrap()
    }

    /// What an engine is said to run has the distribution that was asked for, unless something is said to be missing.
    #[test]
    fn a_round_trip_gives_the_same_distribution() {
        let logits: Vec<f32> = (0..200).map(|i| ((i * 7919) % 1009) as f32 * 0.009).collect();
        let (mut whole, mut partly) = (0, 0);
        for chain in [
            "temp=0.7",
            "temp=1.5 | top_k=20 | top_p=0.9",
            "top_k=20 | top_p=0.9 | min_p=0.02 | temp=0.8",
            "temp=0.8 | min_p=0.1 | top_k=30",
            "min_p=0.1 | temp=2",
            "temp=2 | typical=0.5",
            "top_n_sigma=1 | temp=2 | xtc=1",
            "bias=3:2.5 | temp=0.5 | top_p=0.5",
            "quadratic=0.3 | temp=1",
            "dynatemp=0.5..1.5",
            "top_p=0.9 | top_p=0.8",
        ] {
            let asked = Distribution::new(&logits, &chain.parse().unwrap()).unwrap();
            for profile in Profile::all() {
                let translation = to(chain, profile.name());
                if !translation.missing.is_empty() {
                    partly += 1;
                    continue;
                }
                whole += 1;
                let runs = Distribution::new(&logits, &translation.runs.parse().unwrap()).unwrap();
                assert_eq!(asked.top(200).len(), runs.top(200).len(), "{chain} for {}", profile.name());
                for (a, b) in asked.top(200).iter().zip(runs.top(200)) {
                    assert_eq!(a.token, b.token, "{chain} for {}", profile.name());
                    assert!((a.probability - b.probability).abs() < 1e-12, "{chain} for {}", profile.name());
                }
            }
        }
        assert!(whole >= 25 && partly >= 15, "{whole} {partly}");
    }

    #[test]
    fn what_cannot_be_expressed_is_said() {
        let vllm = to("top_p=0.9 | temp=2", "vllm");
        assert_eq!(vllm.missing, ["the order: vllm runs temp, then top_p"]);
        let openai = to("temp=2 | top_k=40", "openai");
        assert_eq!(openai.missing, ["top_k=40: openai has no such control"]);
        let llama = to("temp=2 | top_p=0.9", "llama.cpp");
        assert!(llama.missing.is_empty());
        assert_eq!(llama.settings["samplers"], json!(["temperature", "top_p"]));
        assert_eq!((&llama.settings["top_k"], &llama.settings["min_p"]), (&json!(0), &json!(0.0)));
        let kelvin = to("temp=2 | top_p=0.9 | temp=1 | top_p=0.8", "kelvin");
        assert!(kelvin.missing.is_empty());
        assert_eq!(kelvin.settings["sampler"], json!("temp=2 | top_p=0.9 | temp=1 | top_p=0.8"));
        assert_eq!(to("temp=0.001", "vllm").missing, ["temp=0.001: vllm makes it 0.01"]);
    }
}
