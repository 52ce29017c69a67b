//! The sampling settings that a model file recommends: its metadata keys `general.sampling.*`, as
//! llama.cpp reads them. A chain comes out, which is used only where somebody asks for it.

use kelvin_engine::gguf::{Metadata, Value as GgufValue};
use kelvin_sampling::{Chain, Engine, Mirostat, Profile, SamplingParams, Stage};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{json, shorten::shortened};

/// What all of the keys begin with.
const PREFIX: &str = "general.sampling.";

/// llama.cpp's target of mirostat, for a file that turns it on alone.
const MIROSTAT_TAU: f64 = 5.0;

/// What a model file recommends.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Recommended {
    /// The settings of the file, by their names without `general.sampling.`.
    pub settings: Map<String, Value>,
    /// The chain that they are, in the notation; null if they make none.
    pub chain: Option<String>,
    /// Why they make no chain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    #[serde(skip)]
    stages: Vec<Stage>,
    /// Names of stages in the order that the file gives, if it gives one.
    #[serde(skip)]
    sequence: Option<Vec<&'static str>>,
}

/// The chain that a model file recommends, if it recommends one that can be used.
pub fn chain(metadata: &Metadata) -> Option<Chain> {
    let params = Recommended::of(metadata)?.params(&[]).ok()?;
    Some(params.chain().clone())
}

impl Recommended {
    /// What the file recommends; `None` if it says nothing.
    ///
    /// Settings that change nothing, such as a top-p of 1, give no stage. The order is the file's,
    /// or llama.cpp's own. None of llama.cpp's defaults are added.
    pub fn of(metadata: &Metadata) -> Option<Recommended> {
        let own = |(key, value): &(String, GgufValue)| {
            Some((key.strip_prefix(PREFIX)?.to_string(), json::metadata(value)))
        };
        let settings: Map<String, Value> = metadata.entries.iter().filter_map(own).collect();
        if settings.is_empty() {
            return None;
        }
        let mut recommended = Recommended {
            settings,
            chain: None,
            problem: None,
            stages: Vec::new(),
            sequence: None,
        };
        match recommended.read() {
            Ok(chain) => recommended.chain = Some(chain.to_string()),
            Err(problem) => recommended.problem = Some(problem),
        }
        Some(recommended)
    }

    /// The recommended chain, with `own` stages in place of those of their kind.
    ///
    /// # Errors
    /// Why the settings make no chain, in words.
    pub fn params(&self, own: &[Stage]) -> Result<SamplingParams, String> {
        match &self.problem {
            Some(problem) => Err(problem.clone()),
            None => self.with(own).map(SamplingParams::from),
        }
    }

    fn with(&self, own: &[Stage]) -> Result<Chain, String> {
        let is_replaced =
            |stage: &&Stage| own.iter().any(|other| other.info().name == stage.info().name);
        let mut stages = own.to_vec();
        stages.extend(self.stages.iter().filter(|stage| !is_replaced(stage)).cloned());
        let chain = Profile::of(Engine::LlamaCpp).ordered(&stages).map_err(|e| e.to_string())?;
        let Some(sequence) = &self.sequence else { return Ok(chain) };
        // What the sequence doesn't name comes first.
        let place = |stage: &Stage| sequence.iter().position(|name| *name == stage.info().name);
        let mut stages = chain.stages().to_vec();
        stages.sort_by_key(place);
        Chain::new(stages).map_err(|error| error.to_string())
    }

    /// Fills `stages` and `sequence`.
    fn read(&mut self) -> Result<Chain, String> {
        const KNOWN: [&str; 12] = [
            "sequence",
            "temp",
            "top_k",
            "top_p",
            "min_p",
            "xtc_probability",
            "xtc_threshold",
            "penalty_repeat",
            "penalty_last_n",
            "mirostat",
            "mirostat_tau",
            "mirostat_eta",
        ];
        if let Some(other) = self.settings.keys().find(|name| !KNOWN.contains(&name.as_str())) {
            return Err(format!("{PREFIX}{} isn't known here", shortened(other)));
        }
        let number = |name: &str| number(&self.settings, name);
        // Parameters that the file doesn't give have llama.cpp's defaults.
        let parameter = |name: &str, setting: &str| {
            number(setting).map(|x| x.map_or(String::new(), |x| format!(",{name}:{x}")))
        };
        let mut texts = Vec::new();
        // llama.cpp takes a negative temperature as 0.
        if let Some(t) = number("temp")? {
            texts.push(format!("temp={}", t.max(0.0)));
        }
        let tau = number("mirostat_tau")?.unwrap_or(MIROSTAT_TAU);
        let eta = number("mirostat_eta")?.unwrap_or(Mirostat::ETA);
        match number("mirostat")? {
            // Mirostat takes the place of every truncation and penalty.
            Some(version) if version != 0.0 => {
                texts.push(format!("mirostat={tau},eta:{eta},version:{version}"));
            }
            _ => {
                let has_no_window = number("penalty_last_n")? == Some(0.0);
                let window = parameter("window", "penalty_last_n")?;
                let threshold = parameter("threshold", "xtc_threshold")?;
                let stages = [
                    ("penalty_repeat", "repetition", 1.0, window),
                    ("top_k", "top_k", 0.0, String::new()),
                    ("top_p", "top_p", 1.0, String::new()),
                    ("min_p", "min_p", 0.0, String::new()),
                    ("xtc_probability", "xtc", 0.0, threshold),
                ];
                for (setting, stage, neutral, more) in stages {
                    let Some(x) = number(setting)? else { continue };
                    let is_off = match setting {
                        "penalty_repeat" => x == neutral || has_no_window,
                        "top_p" => x >= neutral,
                        _ => x <= neutral,
                    };
                    if !is_off {
                        texts.push(format!("{stage}={x}{more}"));
                    }
                }
            }
        }
        if texts.is_empty() {
            texts.push("temp=1".to_string());
        }
        let profile = Profile::of(Engine::LlamaCpp);
        let stages = texts.iter().map(|text| profile.stage(text));
        let stages = stages.collect::<Result<_, _>>().map_err(|error| error.to_string())?;
        let sequence = self.settings.get("sequence").map(sequence).transpose()?;
        (self.stages, self.sequence) = (stages, sequence);
        if let Some(sequence) = &self.sequence {
            // llama.cpp doesn't run a sampler that its sequence leaves out.
            self.stages.retain(|stage| {
                let name = stage.info().name;
                name == "mirostat" || sequence.contains(&name)
            });
        }
        self.with(&[])
    }
}

/// The stages of `general.sampling.sequence`, which has llama.cpp's names with `;` between them.
fn sequence(value: &Value) -> Result<Vec<&'static str>, String> {
    let wrong = |found: &str| {
        format!(
            "{PREFIX}sequence has {}, but expected are names of llama.cpp's samplers, such as \
             top_k;top_p;temperature",
            shortened(found)
        )
    };
    let text = value.as_str().ok_or_else(|| wrong(&value.to_string()))?;
    let one = |name: &str| match name {
        "penalties" => Ok(Some("repetition")),
        "top_k" | "top-k" => Ok(Some("top_k")),
        "top_p" | "top-p" | "nucleus" => Ok(Some("top_p")),
        "min_p" | "min-p" => Ok(Some("min_p")),
        "xtc" => Ok(Some("xtc")),
        "temperature" | "temp" => Ok(Some("temp")),
        // No key gives their values, and llama.cpp has them off by default.
        "dry" | "top_n_sigma" | "top-n-sigma" | "typ_p" | "typ-p" | "typ" | "typical"
        | "typical_p" | "typical-p" | "infill" | "adaptive_p" | "adaptive-p" => Ok(None),
        other => Err(wrong(&format!("{other:?}"))),
    };
    let names = text.split(';').map(str::trim).filter(|name| !name.is_empty()).map(one);
    Ok(names.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
}

/// The number of a setting. llama.cpp reads texts as well, so `"0.7"` is one.
fn number(settings: &Map<String, Value>, name: &str) -> Result<Option<f64>, String> {
    let Some(value) = settings.get(name) else { return Ok(None) };
    let number = match value {
        Value::String(text) => text.trim().parse().ok(),
        other => other.as_f64(),
    };
    let number = number.filter(|x: &f64| x.is_finite()).ok_or_else(|| {
        let found = shortened(&value.to_string());
        format!("{PREFIX}{name} is {found}, but expected is a number")
    });
    number.map(Some)
}

#[cfg(test)]
mod tests {
    use GgufValue::{F32, I32, Str};
    use serde_json::json;

    use super::*;

    fn of(entries: &[(&str, GgufValue)]) -> Recommended {
        let named = |(key, value): &(&str, GgufValue)| (format!("{PREFIX}{key}"), value.clone());
        Recommended::of(&entries.iter().map(named).collect()).unwrap()
    }

    fn chain(entries: &[(&str, GgufValue)]) -> String {
        let found = of(entries);
        found.chain.unwrap_or_else(|| found.problem.unwrap())
    }

    #[test]
    fn settings_become_a_chain_in_the_order_of_llama_cpp() {
        assert!(Recommended::of(&Metadata::default()).is_none());
        let qwen = [("temp", F32(0.6)), ("top_k", I32(20)), ("top_p", F32(0.95))];
        assert_eq!(chain(&qwen), "top_k=20 | top_p=0.95 | temp=0.6");
        assert_eq!(
            json!(of(&qwen)),
            json!({ "settings": { "temp": 0.6, "top_k": 20, "top_p": 0.95 },
                "chain": "top_k=20 | top_p=0.95 | temp=0.6" })
        );
        // What changes nothing gives no stage.
        let off = [("top_k", I32(0)), ("top_p", F32(1.0)), ("penalty_repeat", F32(1.0))];
        assert_eq!(chain(&off), "temp=1");
        assert_eq!(chain(&[("temp", F32(-1.0))]), "temp=0");
        // llama.cpp's values for parameters that the file leaves out.
        let more = [("penalty_repeat", F32(1.1)), ("xtc_probability", F32(0.5))];
        assert_eq!(chain(&more), "repetition=1.1,window:64 | xtc=0.5");
        assert_eq!(
            chain(&[("penalty_repeat", F32(1.1)), ("penalty_last_n", I32(-1))]),
            "repetition=1.1"
        );
        let text = [("temp", Str("0.7".into()))];
        assert_eq!(chain(&text), "temp=0.7");
    }

    #[test]
    fn mirostat_stands_alone_and_a_sequence_gives_the_order() {
        let both = [("mirostat", I32(2)), ("top_k", I32(20)), ("temp", F32(0.7))];
        assert_eq!(chain(&both), "temp=0.7 | mirostat=5");
        let sequence = |text: &str| {
            let all = [
                ("sequence", Str(text.into())),
                ("temp", F32(2.0)),
                ("min_p", F32(0.1)),
                ("top_k", I32(5)),
            ];
            chain(&all)
        };
        assert_eq!(sequence("temperature;min_p;top_k"), "temp=2 | min_p=0.1 | top_k=5");
        // What it leaves out doesn't run.
        assert_eq!(sequence("dry;top_k;temperature"), "top_k=5 | temp=2");
        let said = sequence("top_k;magic");
        assert!(said.contains("general.sampling.sequence has \"magic\""), "{said}");
    }

    #[test]
    fn own_stages_replace_those_of_their_kind() {
        let found = of(&[("temp", F32(0.6)), ("top_k", I32(20))]);
        let own: Vec<Stage> = ["min_p=0.1", "top_k=3"].map(|text| text.parse().unwrap()).into();
        let params = found.params(&own).unwrap();
        assert_eq!(params.chain().to_string(), "top_k=3 | min_p=0.1 | temp=0.6");
        assert_eq!(params.at("1.5".parse().unwrap()).unwrap().temperature(), Some(1.5));
        let said = found.params(&["tfs=0.5".parse().unwrap()]).unwrap_err();
        assert!(said.contains("llama.cpp has no stage `tfs`"), "{said}");
    }

    #[test]
    fn what_makes_no_chain_says_why() {
        for (entries, expected) in [
            (&[("temp", Str("warm".into()))][..], "general.sampling.temp is \"warm\""),
            (&[("top_p", F32(f32::NAN))], "general.sampling.top_p is null"),
            (&[("min_p", F32(7.0))], "min_p: 7"),
            (&[("top_k", F32(1.5))], "top_k: 1.5"),
            (&[("mirostat", I32(3))], "mirostat: 5,eta:0.1,version:3"),
            (&[("magic", I32(3))], "general.sampling.magic isn't known here"),
        ] {
            let found = of(entries);
            let said = found.params(&[]).unwrap_err();
            assert!(said.contains(expected), "{said}");
            assert_eq!(found.chain, None);
        }
    }
}
