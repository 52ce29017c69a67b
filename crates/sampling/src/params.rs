//! What a user asks of a draw: a whole chain or single stages, then a temperature. A chain comes
//! out. Command line, server, recipes and studio all build their chains here.

use std::str::FromStr;

use crate::{Chain, ChainError, Profile, Stage, Temp};

/// A chain that can still be given a temperature, and the profile whose rules that follows.
///
/// ```
/// use kelvin_sampling::{Profile, SamplingParams, Temp};
///
/// // A whole chain stands as it is written.
/// let whole: SamplingParams = "top_k=40 | temp=1".parse()?;
/// assert_eq!(whole.at(Temp::new(0.5)?)?.to_string(), "top_k=40 | temp=0.5");
/// // Single stages take the order and the defaults of a profile.
/// let llama = SamplingParams::of(Profile::named(Some("llama.cpp"))?, ["min_p=0.1"])?;
/// assert_eq!(llama.chain().to_string(), "top_k=40 | top_p=0.95 | min_p=0.1 | temp=0.8");
/// # Ok::<(), kelvin_sampling::ChainError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct SamplingParams {
    chain: Chain,
    profile: Profile,
}

impl SamplingParams {
    /// Single stages in the notation, `name=value`. The profile gives their order, the stages that
    /// aren't given, and parameters that aren't given.
    ///
    /// # Errors
    /// If a stage can't be read, if the profile's engine doesn't have it, or if a kind is given
    /// twice.
    pub fn of<'a>(
        profile: Profile,
        stages: impl IntoIterator<Item = &'a str>,
    ) -> Result<SamplingParams, ChainError> {
        let stages: Vec<Stage> =
            stages.into_iter().map(|stage| profile.stage(stage)).collect::<Result<_, _>>()?;
        SamplingParams::of_stages(profile, &stages)
    }

    /// Single stages that are already read, by [`Profile::stage`] or otherwise.
    ///
    /// # Errors
    /// Those of [`Profile::chain`].
    pub fn of_stages(profile: Profile, stages: &[Stage]) -> Result<SamplingParams, ChainError> {
        Ok(SamplingParams { chain: profile.chain(stages)?, profile })
    }

    /// The chain as it was asked for. Its temperature is its own, or the profile's default.
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// The chain at a temperature, as the profile's engine would use it.
    ///
    /// # Errors
    /// If the chain has several `temp` stages.
    pub fn at(&self, t: Temp) -> Result<Chain, ChainError> {
        self.chain.with_temperature(self.profile.temperature(t.get()))
    }
}

impl From<Chain> for SamplingParams {
    fn from(chain: Chain) -> SamplingParams {
        SamplingParams { chain, profile: Profile::KELVIN }
    }
}

impl FromStr for SamplingParams {
    type Err = ChainError;

    /// A whole chain in the notation.
    fn from_str(chain: &str) -> Result<SamplingParams, ChainError> {
        chain.parse::<Chain>().map(SamplingParams::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_follow_the_profile_and_a_whole_chain_does_not() {
        let vllm = SamplingParams::of(Profile::named(Some("vllm")).unwrap(), ["top_k=5"]).unwrap();
        let at =
            |params: &SamplingParams, t: f32| params.at(Temp::new(t).unwrap()).unwrap().to_string();
        // vLLM's smallest temperature but 0.
        assert_eq!(at(&vllm, 0.001), "temp=0.01 | top_k=5,ties:kept");
        let whole: SamplingParams = "top_k=5".parse().unwrap();
        assert_eq!(at(&whole, 0.001), "temp=0.001 | top_k=5");
        assert_eq!(whole.chain().to_string(), "top_k=5");
        let twice: SamplingParams = "temp=1 | temp=2".parse().unwrap();
        assert!(twice.at(Temp::ONE).is_err());
        assert!(Profile::named(Some("lamma")).is_err());
        assert_eq!(Profile::named(None).unwrap(), Profile::KELVIN);
    }

    /// 1e-50 isn't greedy, which its nearest f32 would be.
    #[test]
    fn a_temperature_is_read_from_text() {
        assert_eq!("0.7".parse::<Temp>().unwrap().get(), 0.7);
        for bad in ["", "inf", "NaN", "-1", "1e-50", "1e99", "hot"] {
            assert!(bad.parse::<Temp>().is_err(), "{bad}");
        }
    }
}
