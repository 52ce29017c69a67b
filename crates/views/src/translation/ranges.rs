//! The engines that a chain can be translated to, and the range that each accepts for each setting.
//!
//! The ranges themselves are in the table of stages ([`kelvin_sampling::Setting`]). The binary's
//! tests (`real/engines.rs`) compare llama.cpp's with its own server. Each row says whether the
//! engine was run or read, and when.

use kelvin_sampling::{Engine, Range, STAGES, Setting};

/// An engine, and where its ranges come from.
#[derive(Debug)]
pub struct Source {
    /// The engine's name.
    pub engine: &'static str,
    /// The version that was tried or read.
    pub version: &'static str,
    /// The day on which that was done.
    pub date: &'static str,
    /// The files of that version that check the settings, or the call that was run.
    pub place: &'static str,
    /// The largest seed that the engine uses unchanged; `None` if requests have no seed.
    pub most_seed: Option<u64>,
    /// A stage that a chain needs there unless it is greedy, and why.
    pub(crate) needs: Option<(&'static str, &'static str)>,
    there: Engine,
}

/// What most rows have.
const RUN: Source = Source {
    engine: "",
    version: "",
    date: "2026-11-28",
    place: "",
    most_seed: None,
    needs: None,
    there: Engine::Kelvin,
};

/// All engines that a chain can be translated to, except Kelvin itself.
pub(crate) const SOURCES: &[Source] = &[
    Source {
        engine: "llama.cpp",
        version: "0.6.0 (xllamacpp 2026.10.11549)",
        place: "tools/server/server-schema.cpp, common/sampling.cpp",
        // 4294967295 draws a fresh one; larger ones are cut to 32 bits.
        most_seed: Some(u32::MAX as u64 - 1),
        there: Engine::LlamaCpp,
        ..RUN
    },
    Source {
        engine: "vllm",
        version: "0.33",
        place: "vllm/sampling_params.py",
        most_seed: Some(i64::MAX as u64),
        there: Engine::Vllm,
        ..RUN
    },
    Source {
        engine: "transformers",
        version: "5.24.0",
        place: "generation/logits_process.py, generation/utils.py",
        there: Engine::Transformers,
        ..RUN
    },
    Source {
        engine: "ollama",
        version: "by its documentation",
        place: "docs/modelfile.mdx, with llama.cpp's ranges",
        there: Engine::Ollama,
        ..RUN
    },
    Source {
        engine: "openai",
        version: "(package 3.57.0)",
        place: "types/completion_create_params.py",
        most_seed: Some(i64::MAX as u64),
        there: Engine::OpenAi,
        ..RUN
    },
    Source {
        engine: "transformers.js",
        version: "4.3.1",
        place: "generate",
        there: Engine::TransformersJs,
        ..RUN
    },
    Source {
        engine: "onnxruntime-genai",
        version: "0.18.0",
        date: "2026-11-30",
        place: "GeneratorParams.set_search_options",
        needs: Some(("top_k", "is greedy at top_k=0, so ask for the size of the vocabulary")),
        there: Engine::OnnxGenAi,
        ..RUN
    },
    Source {
        engine: "openvino-genai",
        version: "2026.4.1",
        date: "2026-11-30",
        place: "GenerationConfig.validate",
        there: Engine::OpenVino,
        ..RUN
    },
    Source {
        engine: "ctranslate2",
        version: "4.8.5",
        date: "2026-11-30",
        place: "Generator.generate_batch",
        there: Engine::CTranslate2,
        ..RUN
    },
    Source {
        engine: "mlx-lm",
        version: "0.32.2",
        date: "2026-11-30",
        place: "sample_utils.py",
        there: Engine::MlxLm,
        ..RUN
    },
];

/// The source of an engine; `None` for Kelvin itself.
pub fn source(engine: &str) -> Option<&'static Source> {
    SOURCES.iter().find(|source| source.engine == engine)
}

impl Source {
    /// All settings that stages have in this engine. Several stages may share one.
    pub(crate) fn settings(&self) -> impl Iterator<Item = &'static Setting> {
        let there = self.there;
        STAGES.iter().filter_map(move |info| info.counterpart(there)).flat_map(|it| it.settings)
    }

    /// The range of a setting; `None` for one without a range.
    pub fn range(&self, setting: &str) -> Option<Range> {
        self.settings().find(|other| other.name == setting).map(|setting| setting.range)
    }

    /// Why a setting can't have this number here, as a sentence; `None` if it can.
    pub(crate) fn refuses(&self, setting: &str, number: f64) -> Option<String> {
        let range = self.range(setting)?;
        let Source { engine, version, place, .. } = self;
        (!range.has(number))
            .then(|| format!("{engine} {version} takes `{setting}` {} ({place})", range.words()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_engine_has_settings_with_a_version_and_a_source() {
        for profile in kelvin_sampling::Profile::all().filter(|profile| profile.name() != "kelvin")
        {
            let source = source(profile.name()).expect("a row for each profile");
            assert_eq!(source.there, profile.engine());
            assert!(!source.version.is_empty() && !source.place.is_empty());
            assert!(crate::translation::is_day(source.date), "{}", source.engine);
            assert!(!source.version.contains("://") && !source.place.contains("://"));
            assert!(source.settings().any(|setting| setting.name.contains("temp")));
            if let Some((stage, why)) = source.needs {
                assert!(STAGES.iter().any(|info| info.name == stage) && !why.is_empty());
            }
            for setting in source.settings() {
                // Stages that share a setting agree on its range.
                assert_eq!(source.range(setting.name), Some(setting.range), "{}", source.engine);
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
