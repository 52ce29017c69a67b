//! Writes stages as the settings of one engine, with notes on what differs.

use kelvin_sampling::{
    Bias, ChainError, Dry, Frequency, MAX_VOCAB, Presence, Profile, Repetition, Scope, Stage, Temp,
    Window,
};
use serde_json::{Map, Value, json};

use super::ranges::{Source, WHOLE_CONTEXT};
use crate::json;

/// Token ids that one can still read in a list.
const MOST_IDS: usize = 4096;

/// Settings of one engine.
pub(super) struct Writer {
    pub(super) profile: Profile,
    pub(super) settings: Map<String, Value>,
    /// What the engine will run, which may be less than what was asked for.
    pub(super) expressed: Vec<Stage>,
    pub(super) missing: Vec<String>,
}

type Pairs = Vec<(&'static str, Value)>;

impl Writer {
    /// Takes up a stage: its settings, what the engine will run of it, and what can't be had.
    pub(super) fn add(&mut self, stage: &Stage, source: &Source) {
        match self.clash(stage).map_or_else(|| self.fit(stage, source), Err) {
            Ok((real, pairs, changed)) => {
                self.settings
                    .extend(pairs.into_iter().map(|(key, value)| (key.to_string(), value)));
                self.expressed.push(real);
                self.missing.extend(changed.map(|reason| format!("{stage}: {reason}")));
            }
            Err(reason) => self.missing.push(format!("{stage}: {reason}")),
        }
    }

    /// Why a stage can't stand beside those that were taken up.
    fn clash(&self, stage: &Stage) -> Option<String> {
        let name = self.profile.name();
        let has = |is: &dyn Fn(&Stage) -> bool| self.expressed.iter().any(is);
        if has(&|other| other.info().name == stage.info().name) {
            return Some(format!("{name} has each stage once"));
        }
        if stage.heats() && has(&Stage::heats) {
            return Some(format!("{name} takes one temperature"));
        }
        if is_llama(name)
            && let Some(window) = counted(stage)
            && has(&|other| counted(other).is_some_and(|other| whole(other) != whole(window)))
        {
            return Some(format!("{name} has one window for repetition, frequency and presence"));
        }
        let alone =
            |other: &Stage| matches!(other, Stage::Bias(_) | Stage::Mask(_) | Stage::Temp(_));
        if matches!(stage, Stage::Mirostat(_)) && has(&|other| !alone(other)) {
            return Some(format!(
                "{name}'s mirostat takes the place of every stage but bias and temp"
            ));
        }
        None
    }

    /// The stage as the engine can run it, its settings, and what was changed; or why there are
    /// none.
    fn fit(
        &self,
        stage: &Stage,
        source: &Source,
    ) -> Result<(Stage, Pairs, Option<String>), String> {
        let name = self.profile.name();
        let mut real = if is_llama(name) { with_whole_window(stage)? } else { stage.clone() };
        let mut changed = None;
        if let Stage::Temp(t) = stage
            && self.profile.temperature(t.get()) != t.get()
        {
            let floor = self.profile.temperature(t.get());
            changed = Some(format!("{name} makes it {floor}"));
            real = Temp::new(floor).map_err(|error| error.to_string())?.into();
        }
        if matches!(stage, Stage::TopH(_)) && name == "transformers" {
            changed = Some("transformers looks at the 100 likeliest tokens alone".into());
        }
        let mut pairs = self.write(&real)?;
        let outside = |real: &Stage, pairs: &Pairs| {
            let numbers = numbers(real, pairs);
            numbers.into_iter().find_map(|(key, x)| Some((key, x, source.refuses(key, x)?)))
        };
        if let Some((key, x, reason)) = outside(&real, &pairs) {
            let nearest = source.range(key).and_then(|range| range.nearest(x));
            let moved = nearest
                .and_then(|nearest| moved(&real, source, key, nearest))
                .ok_or(reason.as_str())?;
            pairs = self.write(&moved)?;
            if let Some((_, _, reason)) = outside(&moved, &pairs) {
                return Err(reason);
            }
            changed = Some(format!("{reason}, so {moved} is written"));
            real = moved;
        }
        if let Some((key, _)) = pairs.iter().find(|(key, _)| {
            matches!(*key, "logit_bias" | "suppress_tokens") && self.settings.contains_key(*key)
        }) {
            return Err(format!("`{key}` is taken by another stage"));
        }
        Ok((real, pairs, changed))
    }

    /// What the engine makes of all that was taken up, in its order.
    pub(super) fn runs(&self) -> Result<Vec<Stage>, ChainError> {
        let runs = self.profile.chain(&self.expressed)?;
        // What is off has no place in the order.
        let place = |stage: &Stage| {
            self.expressed.iter().position(|other| other.info().name == stage.info().name)
        };
        let mut runs: Vec<Stage> =
            runs.stages().iter().filter(|stage| place(stage).is_some()).cloned().collect();
        if self.profile.name() == "llama.cpp" {
            // Its `samplers` have the order that is asked for; biases come before them, and the
            // three penalties are one of them.
            let penalties = self.expressed.iter().position(|stage| counted(stage).is_some());
            runs.sort_by_key(|stage| match stage {
                Stage::Bias(_) => (None, 0),
                Stage::Mask(_) => (None, 1),
                Stage::Repetition(_) => (penalties, 0),
                Stage::Frequency(_) => (penalties, 1),
                Stage::Presence(_) => (penalties, 2),
                other => (place(other), 0),
            });
        }
        Ok(runs)
    }

    /// The settings for a stage, or why there are none.
    fn write(&self, stage: &Stage) -> Result<Pairs, String> {
        let name = self.profile.name();
        let one_of = |engines: &[&str]| {
            if engines.contains(&name) {
                Ok(())
            } else {
                Err(format!("{name} has no such control"))
            }
        };
        match stage {
            Stage::Temp(t) if name == "transformers" && t.get() == 0.0 => {
                Ok(vec![("do_sample", json!(false))])
            }
            Stage::Temp(t) => Ok(vec![("temperature", short(t.get()))]),
            Stage::TopP(p) => Ok(vec![("top_p", json!(p.get()))]),
            Stage::TopK(k) => {
                one_of(&["llama.cpp", "ollama", "vllm", "transformers"])?;
                let off = if name == "vllm" { json!(-1) } else { json!(0) };
                // As many as no vocabulary has is as good as more, and a whole number of 32 bits
                // everywhere.
                let k = k.get().min(MAX_VOCAB as u32);
                Ok(vec![("top_k", if k == 0 { off } else { json!(k) })])
            }
            Stage::MinP(m) => {
                one_of(&["llama.cpp", "ollama", "vllm", "transformers"])?;
                Ok(vec![("min_p", json!(m.get()))])
            }
            Stage::Typical(t) => {
                one_of(&["llama.cpp", "ollama", "transformers"])?;
                Ok(vec![("typical_p", json!(t.get()))])
            }
            Stage::TopNSigma(n) => {
                one_of(&["llama.cpp"]).map(|()| vec![("top_n_sigma", json!(n.get()))])
            }
            Stage::Epsilon(e) => {
                one_of(&["transformers"]).map(|()| vec![("epsilon_cutoff", json!(e.get()))])
            }
            Stage::Eta(e) => {
                one_of(&["transformers"]).map(|()| vec![("eta_cutoff", json!(e.get()))])
            }
            Stage::TopH(h) => one_of(&["transformers"]).map(|()| vec![("top_h", json!(h.get()))]),
            Stage::NoRepeatNgram(n) => {
                one_of(&["transformers"]).map(|()| vec![("no_repeat_ngram_size", json!(n.get()))])
            }
            Stage::Xtc(x) => {
                one_of(&["llama.cpp"])?;
                Ok(vec![
                    ("xtc_probability", json!(x.chance())),
                    ("xtc_threshold", json!(x.threshold())),
                ])
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
                // The list may not be empty, an empty text in it is passed over.
                let texts = if d.texts().is_empty() { json!([""]) } else { json!(d.texts()) };
                Ok(vec![
                    ("dry_multiplier", short(d.multiplier())),
                    ("dry_base", short(d.base())),
                    ("dry_allowed_length", json!(d.length())),
                    ("dry_penalty_last_n", last(d.window())),
                    ("dry_sequence_breakers", texts),
                ])
            }
            Stage::AdaptiveP(a) => {
                one_of(&["llama.cpp"])?;
                Ok(vec![
                    ("adaptive_target", json!(a.target())),
                    ("adaptive_decay", json!(a.decay())),
                ])
            }
            Stage::Mirostat(m) => {
                one_of(&["llama.cpp"])?;
                Ok(vec![
                    ("mirostat", json!(m.version())),
                    ("mirostat_tau", json!(m.tau())),
                    ("mirostat_eta", json!(m.eta())),
                ])
            }
            Stage::Bias(b) => {
                one_of(&["llama.cpp", "vllm", "openai", "transformers"])?;
                Ok(biases(name, b))
            }
            Stage::Mask(m) if m.n_ids() > MOST_IDS => {
                Err(format!("a list of {} token ids is too long to write", m.n_ids()))
            }
            Stage::Mask(m) if name == "vllm" && !m.bans() => {
                Ok(vec![("allowed_token_ids", m.ids().collect())])
            }
            Stage::Mask(m) if name == "transformers" && m.bans() => {
                Ok(vec![("suppress_tokens", m.ids().collect())])
            }
            Stage::Mask(m) if name == "llama.cpp" && m.bans() => {
                Ok(vec![("logit_bias", m.ids().map(|id| json!([id, false])).collect())])
            }
            Stage::Repetition(r) => {
                one_of(&["llama.cpp", "ollama", "vllm", "transformers"])?;
                if r.scope() != Scope::All {
                    return Err(format!("{name} counts the prompt as well"));
                }
                if is_llama(name) {
                    return Ok(vec![
                        ("repeat_penalty", short(r.theta())),
                        ("repeat_last_n", last(r.window())),
                    ]);
                }
                if r.window() != Window::ALL {
                    return Err(format!("{name} has no window"));
                }
                Ok(vec![("repetition_penalty", short(r.theta()))])
            }
            Stage::Frequency(p) => {
                self.penalty("frequency_penalty", p.alpha(), p.window(), p.scope())
            }
            Stage::Presence(p) => {
                self.penalty("presence_penalty", p.alpha(), p.window(), p.scope())
            }
            _ => Err(format!("{name} has no such control")),
        }
    }

    fn penalty(
        &self,
        key: &'static str,
        alpha: f32,
        window: Window,
        scope: Scope,
    ) -> Result<Pairs, String> {
        let name = self.profile.name();
        match name {
            "llama.cpp" | "ollama" if scope == Scope::All => {
                Ok(vec![(key, short(alpha)), ("repeat_last_n", last(window))])
            }
            "llama.cpp" | "ollama" => Err(format!("{name} counts the prompt as well")),
            "vllm" | "openai" if scope != Scope::Output || window != Window::ALL => {
                Err(format!("{name} counts the whole output and nothing else"))
            }
            "vllm" | "openai" => Ok(vec![(key, short(alpha))]),
            _ => Err(format!("{name} has no such control")),
        }
    }
}

fn is_llama(name: &str) -> bool {
    matches!(name, "llama.cpp" | "ollama")
}

/// The window of one of the three penalties that are one sampler in llama.cpp.
fn counted(stage: &Stage) -> Option<Window> {
    match stage {
        Stage::Repetition(r) => Some(r.window()),
        Stage::Frequency(p) => Some(p.window()),
        Stage::Presence(p) => Some(p.window()),
        _ => None,
    }
}

/// A window as llama.cpp can have it, which has none of everything.
fn whole(window: Window) -> Window {
    Window::last(window.get().unwrap_or(WHOLE_CONTEXT).min(WHOLE_CONTEXT))
}

/// A stage with such a window.
fn with_whole_window(stage: &Stage) -> Result<Stage, String> {
    let stage = match stage {
        Stage::Repetition(r) => {
            Repetition::new(r.theta(), whole(r.window()), r.scope()).map(Stage::from)
        }
        Stage::Frequency(p) => {
            Frequency::new(p.alpha(), whole(p.window()), p.scope()).map(Stage::from)
        }
        Stage::Presence(p) => {
            Presence::new(p.alpha(), whole(p.window()), p.scope()).map(Stage::from)
        }
        Stage::Dry(d) => {
            Dry::new(d.multiplier(), d.base(), d.length(), whole(d.window()), d.breakers().to_vec())
                .and_then(|dry| dry.with_texts(d.texts().to_vec()))
                .map(Stage::from)
        }
        other => Ok(other.clone()),
    };
    stage.map_err(|error| error.to_string())
}

/// The numbers of a stage's settings, with the names under which their ranges stand.
fn numbers(stage: &Stage, pairs: &Pairs) -> Vec<(&'static str, f64)> {
    match stage {
        Stage::Bias(b) => b.get().iter().map(|(_, b)| ("logit_bias", f64::from(*b))).collect(),
        _ => pairs.iter().filter_map(|(key, value)| Some((*key, value.as_f64()?))).collect(),
    }
}

/// The stage with the nearest number that the engine takes.
fn moved(stage: &Stage, source: &Source, key: &str, nearest: f64) -> Option<Stage> {
    let x = nearest as f32;
    match stage {
        Stage::Temp(_) => Temp::new(x).ok().map(Stage::from),
        Stage::Frequency(p) => Frequency::new(x, p.window(), p.scope()).ok().map(Stage::from),
        Stage::Presence(p) => Presence::new(x, p.window(), p.scope()).ok().map(Stage::from),
        Stage::Bias(b) => {
            let range = source.range(key)?;
            let within = |b: f32| {
                if range.has(f64::from(b)) {
                    Some(b)
                } else {
                    range.nearest(f64::from(b)).map(|b| b as f32)
                }
            };
            let all: Option<Vec<_>> =
                b.get().iter().map(|&(id, b)| Some((id, within(b)?))).collect();
            Bias::new(all?).ok().map(Stage::from)
        }
        _ => None,
    }
}

/// Biases in an engine's own form. A ban is `false` in llama.cpp, a list of its own in
/// transformers.
fn biases(engine: &str, bias: &Bias) -> Pairs {
    let is_ban = |b: f32| b == f32::NEG_INFINITY;
    let all = || bias.get().iter().map(|&(id, b)| (id.0, b));
    match engine {
        "llama.cpp" => {
            let value = |b: f32| if is_ban(b) { json!(false) } else { short(b) };
            vec![("logit_bias", all().map(|(id, b)| json!([id, value(b)])).collect())]
        }
        "transformers" => {
            let added: Vec<Value> =
                all().filter(|&(_, b)| !is_ban(b)).map(|(id, b)| json!([[id], short(b)])).collect();
            let banned: Vec<u32> = all().filter(|&(_, b)| is_ban(b)).map(|(id, _)| id).collect();
            let mut pairs = Pairs::new();
            if !added.is_empty() {
                pairs.push(("sequence_bias", added.into()));
            }
            if !banned.is_empty() {
                pairs.push(("suppress_tokens", banned.into()));
            }
            pairs
        }
        _ => vec![(
            "logit_bias",
            Value::Object(all().map(|(id, b)| (id.to_string(), short(b))).collect()),
        )],
    }
}

/// An f32 with the digits that it was typed with.
fn short(x: f32) -> Value {
    json!(json::short(x))
}

/// A window that isn't of everything.
fn last(window: Window) -> Value {
    json!(window.get().unwrap_or(WHOLE_CONTEXT))
}
