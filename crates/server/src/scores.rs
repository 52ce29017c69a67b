//! Which log-probabilities an answer reports: at what stage of the chain.

use kelvin_engine::batch::Logprobs;
use kelvin_sampling::{Chain, Stage};

/// Which probabilities an answer reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogprobsStage {
    /// The model's own, at T = 1.
    Raw,
    /// After the chain's last temperature.
    Temperature,
    /// After its last truncation.
    Truncation,
    /// What the token was drawn from.
    Final,
}

impl LogprobsStage {
    /// All stages with their names.
    pub(crate) const ALL: [(&'static str, LogprobsStage); 4] = [
        ("raw", LogprobsStage::Raw),
        ("temperature", LogprobsStage::Temperature),
        ("truncation", LogprobsStage::Truncation),
        ("final", LogprobsStage::Final),
    ];

    /// The name in the API.
    pub(crate) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, stage)| *stage == self).map_or("", |(name, _)| name)
    }

    /// How tokens drawn by `chain` are scored, with the `n_top` likeliest beside each.
    pub(crate) fn logprobs(self, n_top: usize, chain: &Chain) -> Logprobs {
        Logprobs { n_top, n_stages: self.n_stages(chain) }
    }

    /// How many of a chain's stages have acted by then; none for the model's own.
    fn n_stages(self, chain: &Chain) -> Option<usize> {
        let after_last =
            |is: fn(&Stage) -> bool| chain.stages().iter().rposition(is).map_or(0, |at| at + 1);
        match self {
            LogprobsStage::Raw => None,
            LogprobsStage::Temperature => Some(after_last(Stage::heats)),
            LogprobsStage::Truncation => Some(after_last(Stage::truncates)),
            LogprobsStage::Final => chain.chains().iter().map(|chain| chain.stages().len()).max(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_are_those_of_the_chain_in_its_order() {
        let n = |chain: &str| {
            let chain: Chain = chain.parse().unwrap();
            LogprobsStage::ALL.map(|(_, stage)| stage.n_stages(&chain))
        };
        assert_eq!(n("bias=1:2 | temp=2 | top_k=5 | xtc=0.5"), [None, Some(2), Some(3), Some(4)]);
        assert_eq!(n("top_k=5 | min_p=0.1 | temp=2"), [None, Some(3), Some(2), Some(3)]);
        assert_eq!(n("draw"), [None, Some(0), Some(0), Some(0)]);
    }
}
