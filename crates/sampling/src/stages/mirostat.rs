//! Mirostat: a truncation that keeps the surprise of the text at a target.

use std::fmt;

use super::{Control, StageInfo, Turn};
use crate::{
    candidates::Candidates,
    error::{ChainError, SampleError},
    notation::Values,
    weights::share_of,
};

/// `mirostat=τ,eta:η,version:v`: keeps the surprise S of the tokens drawn near τ bits.
///
/// Version 2 (the default) drops tokens with -log2 p > μ, and at least the likeliest stays. Version
/// 1 keeps the first k tokens, k from the Zipf slope of the first 100: with t_i = ln((i+2)/(i+1)),
/// b_i = ln(p_i/p_(i+1)), s = Σtb/Σt², ε = s - 1, N the size of the vocabulary: k = (ε·2^μ/(1 -
/// N^-ε))^(1/s), rounded down, at least 1. After the draw μ -= η·(S - τ), S of the token after the
/// truncation; μ starts at 2τ. τ and η are finite and at least 0. The last stage of a chain; μ
/// belongs to the sequence's [state](crate::State).
///
/// A forced token counts too; one that the chain had removed leaves μ as it is.
///
/// Source: Basu et al. 2020, arXiv 2007.14966.
///
/// ```
/// use kelvin_sampling::{Chain, Dice, Sampler};
///
/// let mut sampler = Sampler::new("mirostat=2,eta:0.5".parse()?, Dice::default());
/// sampler.sample(&[0.0; 16], 0)?;
/// // One of 16 alike is 4 bits of surprise: μ = 4 - 0.5·(4 - 2).
/// assert_eq!(sampler.state().memory(), Some([3.0, 0.0]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mirostat {
    version: u8,
    tau: f64,
    eta: f64,
}

impl Mirostat {
    /// η where none is given.
    pub const ETA: f64 = 0.1;
    /// How many of the first tokens tell the slope.
    const FIRST: usize = 100;

    /// Accepts versions 1 and 2, τ >= 0 and η >= 0, both finite.
    pub fn new(version: u8, tau: f64, eta: f64) -> Result<Mirostat, ChainError> {
        let finite = tau.is_finite() && eta.is_finite();
        let in_range = finite && (1..=2).contains(&version) && tau >= 0.0 && eta >= 0.0;
        Self::INFO.require(in_range, format_args!("{tau},eta:{eta},version:{version}"))?;
        Ok(Mirostat { version, tau: tau + 0.0, eta: eta + 0.0 })
    }

    /// 1 or 2.
    pub fn version(self) -> u8 {
        self.version
    }

    /// τ in bits.
    pub fn tau(self) -> f64 {
        self.tau
    }

    /// η.
    pub fn eta(self) -> f64 {
        self.eta
    }

    /// μ in bits, after what is remembered.
    pub fn mu(self, memory: Option<[f64; 2]>) -> f64 {
        memory.map_or(2.0 * self.tau, |[mu, _]| mu)
    }

    /// What is remembered after a token of `surprise` bits.
    pub fn remember(self, memory: Option<[f64; 2]>, surprise: f64) -> [f64; 2] {
        [self.mu(memory) - self.eta * (surprise - self.tau), 0.0]
    }

    /// Version 1's k for the weights of the first tokens in descending order and `n` tokens in the
    /// vocabulary.
    pub fn k(self, mu: f64, first: &[u64], n: usize) -> usize {
        let (mut tb, mut tt) = (0.0, 0.0);
        for (i, pair) in first.windows(2).enumerate().take_while(|(_, pair)| pair[1] > 0) {
            let t = libm::log((i as f64 + 2.0) / (i as f64 + 1.0));
            tb += t * libm::log(pair[0] as f64 / pair[1] as f64);
            tt += t * t;
        }
        if tt == 0.0 {
            return 1;
        }
        let s = tb / tt;
        let epsilon = s - 1.0;
        // The limit of ε/(1 - N^-ε) for ε → 0.
        let ratio = match 1.0 - libm::pow(n as f64, -epsilon) {
            0.0 => 1.0 / libm::log(n as f64),
            rest => epsilon / rest,
        };
        let k = libm::pow(ratio * libm::exp2(mu), 1.0 / s);
        // Equal probabilities have s = 0: all of them. A float cast saturates, and NaN becomes 0.
        (k as usize).max(1)
    }

    pub(super) fn learn(
        self,
        memory: Option<[f64; 2]>,
        candidates: &mut Candidates<'_>,
        index: Option<usize>,
    ) -> [f64; 2] {
        match index {
            None => [self.mu(memory), 0.0],
            Some(index) => {
                let total = candidates.total();
                // A survivor weighs something, unless it was kept by a count alone.
                let weight = candidates.weight_at(index).max(1);
                self.remember(memory, libm::log2(total as f64 / weight as f64))
            }
        }
    }
}

impl Control for Mirostat {
    const INFO: StageInfo = StageInfo {
        name: "mirostat",
        allowed: "a target in bits from 0 up, eta:η from 0 up (default 0.1), version:1 or 2 (default 2)",
        summary: "truncates so that the surprise of the text stays near τ bits",
        source: "arXiv 2007.14966",
    };

    fn parse(text: Option<&str>) -> Result<Mirostat, ChainError> {
        let values = Values::read(&Self::INFO, text, &["eta", "version"])?;
        let (version, eta) = (values.number_or("version", 2)?, values.number_or("eta", Mirostat::ETA)?);
        values.checked(Mirostat::new(version, values.number()?, eta))
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "={}", self.tau)?;
        if self.eta != Mirostat::ETA {
            write!(f, ",eta:{}", self.eta)?;
        }
        if self.version != 2 {
            write!(f, ",version:{}", self.version)?;
        }
        Ok(())
    }

    fn apply(&self, candidates: &mut Candidates<'_>, turn: &mut Turn<'_>) -> Result<(), SampleError> {
        let mu = self.mu(turn.state.memory());
        if self.version == 2 {
            let total = candidates.total();
            candidates.keep_weight(share_of(libm::exp2(-mu), total));
        } else {
            let n = candidates.n_vocab();
            let k = self.k(mu, candidates.first_weights(Mirostat::FIRST), n);
            candidates.keep_first(k, false);
        }
        Ok(())
    }
}
