//! What other engines take: the range of each setting, with the version and the place where it
//! stands.
//!
//! One table, from which the checks of a translation and their messages come. llama.cpp's rows are
//! held against its own server by the tests of the binary (`real/engines.rs`); the others were read, since those
//! engines don't run here.

/// Where an engine's rows come from.
#[derive(Debug)]
pub struct Source {
    /// The engine's name.
    pub engine: &'static str,
    /// The version that was tried or read.
    pub version: &'static str,
    /// The files of that version that check the settings.
    pub place: &'static str,
    /// The largest seed that means itself.
    pub most_seed: u64,
    rows: &'static [Range],
}

/// The numbers that one setting may have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    /// The setting's name.
    pub setting: &'static str,
    low: f64,
    high: f64,
    /// Whether the ends themselves are outside.
    open: (bool, bool),
}

const fn range(setting: &'static str, low: f64, high: f64) -> Range {
    Range { setting, low, high, open: (false, false) }
}

/// Without its lower end.
const fn above(setting: &'static str, low: f64, high: f64) -> Range {
    Range { setting, low, high, open: (true, false) }
}

/// The shortest decimal that is the largest f32, as it is written.
const F32: f64 = 3.402_823_5e38;
const I32: f64 = i32::MAX as f64;

/// More tokens than any context has, for engines whose windows can't be "everything": llama.cpp
/// takes 4 bytes for each.
pub(crate) const WHOLE_CONTEXT: u32 = 1 << 20;

/// What the server clamps or refuses; a number of f32 beyond its range becomes infinite.
const LLAMA: &[Range] = &[
    range("temperature", 0.0, F32),
    range("dynatemp_range", 0.0, F32),
    range("dynatemp_exponent", 0.0, F32),
    range("top_k", 0.0, I32),
    range("top_p", 0.0, 1.0),
    range("min_p", 0.0, 1.0),
    range("typical_p", 0.0, 1.0),
    range("top_n_sigma", 0.0, F32),
    range("xtc_probability", 0.0, 1.0),
    range("xtc_threshold", 0.0, 1.0),
    // Its reciprocal has to be finite as well.
    above("repeat_penalty", 1.0 / F32, F32),
    range("repeat_last_n", 0.0, I32),
    range("frequency_penalty", -F32, F32),
    range("presence_penalty", -F32, F32),
    range("dry_multiplier", 0.0, F32),
    range("dry_base", 1.0, F32),
    range("dry_allowed_length", 1.0, I32),
    range("dry_penalty_last_n", 0.0, I32),
    range("logit_bias", f64::NEG_INFINITY, F32),
    range("adaptive_target", 0.0, 1.0),
    range("adaptive_decay", 0.0, 0.99),
    range("mirostat", 1.0, 2.0),
    range("mirostat_tau", 0.0, F32),
    range("mirostat_eta", 0.0, F32),
];

/// All engines that a chain can be said to, but Kelvin itself.
pub(crate) const SOURCES: &[Source] = &[
    Source {
        engine: "llama.cpp",
        version: "0.6.0 (xllamacpp 2026.10.11549)",
        place: "tools/server/server-schema.cpp, common/sampling.cpp",
        // 4294967295 draws a fresh one; larger ones are cut to 32 bits.
        most_seed: u32::MAX as u64 - 1,
        rows: LLAMA,
    },
    Source {
        engine: "vllm",
        version: "0.33",
        place: "vllm/sampling_params.py",
        most_seed: i64::MAX as u64,
        rows: &[
            // Above 0 and below 0.01 it becomes 0.01: the profile's floor.
            range("temperature", 0.0, 2.0),
            above("top_p", 0.0, 1.0),
            range("top_k", -1.0, I32),
            range("min_p", 0.0, 1.0),
            above("repetition_penalty", 0.0, F32),
            range("frequency_penalty", -2.0, 2.0),
            range("presence_penalty", -2.0, 2.0),
            range("logit_bias", -100.0, 100.0),
        ],
    },
    Source {
        engine: "transformers",
        version: "5.24.0",
        place: "generation/logits_process.py, generation/utils.py",
        most_seed: u64::MAX,
        rows: &[
            // T = 0 is said by do_sample; logits are divided in f32 and have to stay finite.
            range("temperature", 1e-30, F32),
            range("top_k", 0.0, I32),
            range("top_p", 0.0, 1.0),
            range("min_p", 0.0, 1.0),
            above("typical_p", 0.0, 1.0),
            above("top_h", 0.0, 1.0),
            // Both are passed over at 0 and at 1.
            Range { setting: "epsilon_cutoff", low: 0.0, high: 1.0, open: (false, true) },
            Range { setting: "eta_cutoff", low: 0.0, high: 1.0, open: (false, true) },
            above("repetition_penalty", 0.0, F32),
            range("no_repeat_ngram_size", 0.0, I32),
        ],
    },
    Source {
        engine: "ollama",
        version: "by its documentation",
        place: "docs/modelfile.mdx, with llama.cpp's ranges",
        most_seed: u32::MAX as u64 - 1,
        rows: LLAMA,
    },
    Source {
        engine: "openai",
        version: "(package 3.57.0)",
        place: "types/completion_create_params.py",
        most_seed: i64::MAX as u64,
        rows: &[
            range("temperature", 0.0, 2.0),
            range("top_p", 0.0, 1.0),
            range("frequency_penalty", -2.0, 2.0),
            range("presence_penalty", -2.0, 2.0),
            range("logit_bias", -100.0, 100.0),
        ],
    },
];

/// The rows of an engine; none for Kelvin itself.
pub fn source(engine: &str) -> Option<&'static Source> {
    SOURCES.iter().find(|source| source.engine == engine)
}

impl Source {
    /// The range of a setting.
    pub fn range(&self, setting: &str) -> Option<Range> {
        self.rows.iter().find(|range| range.setting == setting).copied()
    }

    /// All of them.
    #[cfg(test)]
    pub fn ranges(&self) -> &'static [Range] {
        self.rows
    }

    /// Why a setting can't have this number here, as a sentence; none if it can.
    pub fn refuses(&self, setting: &str, number: f64) -> Option<String> {
        let range = self.range(setting)?;
        let Source { engine, version, place, .. } = self;
        (!range.has(number))
            .then(|| format!("{engine} {version} takes {} ({place})", range.words()))
    }
}

impl Range {
    /// Whether a number is in it.
    pub fn has(&self, number: f64) -> bool {
        let low = if self.open.0 { self.low < number } else { self.low <= number };
        low && if self.open.1 { number < self.high } else { number <= self.high }
    }

    /// The number of it that is nearest to one outside; none if the end there is open or the number
    /// is none.
    pub fn nearest(&self, number: f64) -> Option<f64> {
        let (end, open) =
            if number < self.low { (self.low, self.open.0) } else { (self.high, self.open.1) };
        (!open && !number.is_nan() && end.is_finite()).then_some(end)
    }

    /// The numbers at both ends, those inside that come next where an end is open.
    #[cfg(test)]
    pub fn ends(&self) -> [f64; 2] {
        let low = if self.open.0 { f64::from((self.low as f32).next_up()) } else { self.low };
        [low, if self.open.1 { f64::from((self.high as f32).next_down()) } else { self.high }]
    }

    /// "a `temperature` from 0 to 2".
    fn words(&self) -> String {
        let end = |number: f64, unbounded: &str| match number {
            n if n.abs() >= F32 => unbounded.to_string(),
            n => n.to_string(),
        };
        let from = if self.open.0 { "above" } else { "from" };
        let to = if self.open.1 { "to below" } else { "to" };
        let (low, high) = (end(self.low, "-3.4e38"), end(self.high, "3.4e38"));
        format!("`{}` {from} {low} {to} {high}", self.setting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_engine_has_rows_with_a_version_and_a_source() {
        for profile in kelvin_sampling::Profile::all().filter(|profile| profile.name() != "kelvin")
        {
            let source = source(profile.name()).expect("a row for each profile");
            assert!(
                !source.version.is_empty()
                    && !source.place.is_empty()
                    && !source.ranges().is_empty()
            );
            assert!(source.range("temperature").is_some() && source.range("top_p").is_some());
            for range in source.ranges() {
                assert!(range.low < range.high, "{range:?}");
                assert!(range.ends().into_iter().all(|end| range.has(end)), "{range:?}");
            }
        }
    }

    #[test]
    fn what_is_outside_is_said_with_the_version() {
        let vllm = source("vllm").unwrap();
        assert_eq!(
            vllm.refuses("temperature", 3.0).unwrap(),
            "vllm 0.33 takes `temperature` from 0 to 2 (vllm/sampling_params.py)"
        );
        assert_eq!(vllm.refuses("temperature", 2.0), None);
        assert_eq!(vllm.range("temperature").unwrap().nearest(3.0), Some(2.0));
        assert_eq!(vllm.range("logit_bias").unwrap().nearest(f64::NEG_INFINITY), Some(-100.0));
        let transformers = source("transformers").unwrap();
        assert!(
            transformers.refuses("epsilon_cutoff", 1.0).unwrap().contains("from 0 to below 1 (")
        );
        assert_eq!(transformers.range("epsilon_cutoff").unwrap().nearest(1.0), None);
    }
}
