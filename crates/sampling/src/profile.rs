//! Profiles: the order and defaults of the stages in other engines.
//!
//! The place of a stage in an engine is in the stage's own file
//! ([`StageInfo::counterparts`](crate::StageInfo)), what is true of each engine as a whole in
//! `engine.rs`.
//!
//! Sources: llama.cpp `common/arg.cpp` and `llama-sampling.cpp`, vLLM `v1/sample/sampler.py`,
//! transformers `generation/utils.py`, Ollama's `parameters` documentation, OpenAI's API reference.
//! The others were run on models of known probabilities.

use crate::{Chain, ChainError, Engine, Profile, STAGES, Stage};

impl Profile {
    /// Where a stage stands in the engine's order; `None` if the engine doesn't have it.
    pub fn place(self, stage: &str) -> Option<usize> {
        let position = STAGES.iter().position(|info| info.name == stage)?;
        match self.engine() {
            Engine::Kelvin => Some(position),
            engine => STAGES[position].counterpart(engine).map(|there| there.place.into()),
        }
    }

    /// A stage in the notation, `name=value`, as the engine takes it: parameters that aren't given
    /// have the engine's defaults.
    ///
    /// # Errors
    /// If the notation has no such stage, or if a value isn't allowed.
    pub fn stage(self, text: &str) -> Result<Stage, ChainError> {
        let (name, values) = text.split_once('=').unwrap_or((text, ""));
        let info = STAGES.iter().find(|info| info.name == name.trim());
        let there = info.and_then(|info| info.counterpart(self.engine()));
        let is_given = |parameter: &str| {
            let key = parameter.split(':').next();
            values.split(',').any(|item| item.split_once(':').map(|(k, _)| k.trim()) == key)
        };
        let defaults = there.map_or(&[][..], |there| there.defaults).iter();
        let mut whole = text.trim().to_string();
        for parameter in defaults.filter(|parameter| !is_given(parameter)) {
            whole.push(',');
            whole.push_str(parameter);
        }
        // An error quotes the text as it was typed.
        if values.trim().is_empty() {
            text.parse()
        } else {
            whole.parse().or_else(|_| text.parse())
        }
    }

    /// The engine's chain: its defaults with `stages` at their places in its order, each replacing
    /// the default of its kind. [`Profile::stage`] reads a stage with the engine's own parameters.
    ///
    /// # Errors
    /// If the engine doesn't have one of the stages, or if a kind is given twice.
    pub fn chain(self, stages: &[Stage]) -> Result<Chain, ChainError> {
        let mut chain = self.defaults().parse::<Chain>()?.stages().to_vec();
        chain.retain(|default| stages.iter().all(|s| s.info().name != default.info().name));
        self.check(stages)?;
        for stage in stages {
            chain.push(stage.clone().adapted(self)?);
        }
        chain.sort_by_key(|stage| self.place(stage.info().name));
        Chain::new(chain)
    }

    /// A chain of `stages` alone, as they are, in the engine's order.
    ///
    /// # Errors
    /// If the engine doesn't have one of the stages, or if a kind is given twice.
    pub fn ordered(self, stages: &[Stage]) -> Result<Chain, ChainError> {
        self.check(stages)?;
        let mut chain = stages.to_vec();
        chain.sort_by_key(|stage| self.place(stage.info().name));
        Chain::new(chain)
    }

    /// Refuses stages that the engine doesn't have, and two of a kind.
    fn check(self, stages: &[Stage]) -> Result<(), ChainError> {
        for (i, stage) in stages.iter().enumerate() {
            let name = stage.info().name;
            if self.place(name).is_none() {
                return Err(ChainError::NotInProfile { stage: name, profile: self.name() });
            }
            if stages[..i].iter().any(|s| s.info().name == name) {
                return Err(ChainError::Twice { stage: name });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(profile: &str, settings: &[&str]) -> Result<String, ChainError> {
        let profile: Profile = profile.parse()?;
        let settings: Vec<Stage> =
            settings.iter().map(|s| profile.stage(s)).collect::<Result<_, _>>()?;
        Ok(profile.chain(&settings)?.to_string())
    }

    #[test]
    fn orders_defaults_and_edges() {
        for (profile, settings, expected) in [
            (
                "kelvin",
                &["top_p=0.9", "temp=2", "repetition=1.1"][..],
                "repetition=1.1 | temp=2 | top_p=0.9",
            ),
            (
                "llama.cpp",
                &["temp=2", "repetition=1.1"],
                "repetition=1.1,window:64 | top_k=40 | top_p=0.95 | min_p=0.05 | temp=2",
            ),
            (
                "llama.cpp",
                &["presence=1"],
                "presence=1,window:64,scope:prompt+output | top_k=40 | top_p=0.95 | min_p=0.05 | \
                 temp=0.8",
            ),
            (
                "vllm",
                &["top_p=0.9", "temp=0.001", "min_p=0.1"],
                "temp=0.01 | min_p=0.1 | top_p=0.9",
            ),
            ("vllm", &["temp=0.000001"], "temp=0.01"),
            ("vllm", &["temp=0"], "temp=0"),
            (
                "transformers",
                &["typical=0.5"],
                "temp=1 | top_k=50,ties:kept | typical=0.5,ties:kept",
            ),
            ("ollama", &[], "top_k=40 | top_p=0.9 | temp=0.8"),
            ("openai", &["frequency=0.5", "bias=3:-100"], "bias=3:-100 | frequency=0.5 | temp=1"),
            ("vllm", &["repetition=1.1", "temp=2"], "repetition=1.1 | temp=2"),
            ("mlx-lm", &["repetition=1.1"], "repetition=1.1,window:20 | temp=0"),
            (
                "mlx-lm",
                &["frequency=1", "temp=2", "top_p=0.5"],
                "frequency=1,window:20,scope:prompt+output | top_p=0.5 | temp=2",
            ),
            ("ctranslate2", &["temp=2"], "temp=2 | top_k=1"),
            ("onnxruntime-genai", &["top_p=0.5"], "top_k=50 | temp=1 | top_p=0.5"),
            ("openvino-genai", &["presence=1"], "presence=1 | temp=1"),
            (
                "transformers",
                &["repetition=1.1", "top_k=0"],
                "repetition=1.1 | temp=1 | top_k=0,ties:kept",
            ),
        ] {
            assert_eq!(chain(profile, settings).unwrap(), expected);
        }
        assert_eq!(
            chain("openai", &["top_k=4"]).unwrap_err().to_string(),
            "openai has no stage `top_k`, so that profile can't express it"
        );
        assert!(chain("vllm", &["top_k=4", "top_k=5"]).unwrap_err().to_string().contains("twice"));
        // Parameters that aren't given are the engine's; those that are given stay.
        let llama = |setting: &str| {
            let whole = chain("llama.cpp", &[setting]).unwrap();
            whole.replace("top_k=40 | top_p=0.95 | min_p=0.05 | ", "").replace(" | temp=0.8", "")
        };
        for (setting, expected) in [
            ("dry=0.8", r#"dry=0.8,window:64,breakers:"\n"/"\x3a"/"\x22"/"*""#),
            ("dry=0.8,base:2,breakers:13", "dry=0.8,base:2,window:64,breakers:13"),
            ("dry=0.8,window:-1,breakers:\"\\n\"", r#"dry=0.8,breakers:"\n""#),
            ("repetition=1.1,window:-1", "repetition=1.1"),
            ("repetition=1.1, window : 9", "repetition=1.1,window:9"),
            ("frequency=0.5,scope:output", "frequency=0.5,window:64,scope:prompt+output"),
        ] {
            assert_eq!(llama(setting), expected);
        }
        assert_eq!(
            chain("ollama", &["dry=0.8"]).unwrap(),
            chain("ollama", &[llama("dry=0.8").as_str()]).unwrap()
        );
        let said = chain("llama.cpp", &["dry=-1"]).unwrap_err().to_string();
        assert!(said.starts_with("dry: -1 is not allowed"), "{said}");
        assert!(chain("lamma", &[]).unwrap_err().to_string().contains("llama.cpp, vllm"));
    }

    /// The order of each engine, as its source has it. A stage that is missing here is one that the
    /// engine doesn't have.
    #[test]
    fn the_order_of_each_engine() {
        let order = |name: &str| {
            let profile: Profile = name.parse().unwrap();
            let mut order: Vec<(usize, &str)> = STAGES
                .iter()
                .filter_map(|info| Some((profile.place(info.name)?, info.name)))
                .collect();
            order.sort_unstable();
            assert!(order.windows(2).all(|pair| pair[0].0 < pair[1].0), "{name}: {order:?}");
            order.into_iter().map(|(_, name)| name).collect::<Vec<_>>().join(" ")
        };
        let llama = "bias mask repetition frequency presence dry top_n_sigma top_k typical top_p \
                     min_p xtc temp dynatemp adaptive_p mirostat";
        assert_eq!(order("llama.cpp"), llama);
        assert_eq!(order("ollama"), llama);
        assert_eq!(order("vllm"), "bias mask repetition frequency presence temp min_p top_k top_p");
        assert_eq!(
            order("transformers"),
            "bias mask repetition no_repeat_ngram temp top_h top_k top_p min_p typical epsilon eta"
        );
        assert_eq!(order("openai"), "bias frequency presence temp top_p");
        for (name, expected) in [
            ("transformers.js", "repetition no_repeat_ngram temp top_k"),
            ("onnxruntime-genai", "repetition no_repeat_ngram top_k temp top_p"),
            ("openvino-genai", "repetition presence frequency temp top_k top_p min_p"),
            ("ctranslate2", "repetition no_repeat_ngram temp top_k top_p"),
            ("mlx-lm", "bias repetition presence frequency top_p min_p xtc top_k temp"),
        ] {
            assert_eq!(order(name), expected, "{name}");
        }
        assert_eq!(order("kelvin").split(' ').count(), STAGES.len());
    }
}
