//! Mirostat: a truncation that keeps the surprisal of the text at a target.

use std::fmt;

use super::{
    Context, Counterpart, Flag, List, Param, Range, Setting, StageInfo, StageKind, Traits, Values,
};
use crate::{
    Engine,
    candidates::Candidates,
    error::{ChainError, SampleError},
    state::Learned,
    weights::share_of,
};

/// `mirostat=τ,eta:η,version:v`: keeps the surprisal S of the drawn tokens near τ bits.
///
/// Version 2 (the default) removes tokens with -log2 p > μ; at least the likeliest is kept. Version
/// 1 keeps the first k tokens, k from the Zipf slope of the first 100: with t_i = ln((i+2)/(i+1)),
/// b_i = ln(p_i/p_(i+1)), s = Σtb/Σt², ε = s - 1 and N the size of the vocabulary, k = (ε·2^μ/(1 -
/// N^-ε))^(1/s), rounded down, at least 1. After a draw μ -= η·(S - τ), S of the token after the
/// truncation; μ starts at 2τ. τ and η are finite and at least 0. The stage must be the last of a
/// chain. μ belongs to the sequence's [state](crate::State), as [`Learned::Mirostat`].
///
/// A forced token counts too; one that the chain had removed leaves μ unchanged.
///
/// Source: Basu et al. 2020, arXiv 2007.14966.
///
/// ```
/// use kelvin_sampling::{Chain, Dice, Learned, Sampler};
///
/// let mut sampler = Sampler::new("mirostat=2,eta:0.5".parse()?, Dice::default());
/// sampler.sample(&[0.0; 16], 0)?;
/// // One of 16 equal tokens has a surprisal of 4 bits: μ = 4 - 0.5·(4 - 2).
/// assert_eq!(sampler.state().learned(), Some(Learned::Mirostat { mu: 3.0 }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mirostat {
    version: u8,
    tau: f64,
    eta: f64,
}

impl Mirostat {
    /// The default of η.
    pub const ETA: f64 = 0.1;
    /// How many of the first tokens the slope is computed from.
    const FIRST: usize = 100;

    /// A stage with these parameters.
    ///
    /// # Errors
    /// Unless the version is 1 or 2, τ >= 0 and η >= 0, both finite.
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

    /// μ in bits.
    pub fn mu(self, learned: Option<Learned>) -> f64 {
        match learned {
            Some(Learned::Mirostat { mu }) => mu,
            _ => 2.0 * self.tau,
        }
    }

    /// What is learned from a token with a surprisal of so many bits.
    pub fn after(self, learned: Option<Learned>, surprisal: f64) -> Learned {
        Learned::Mirostat { mu: self.mu(learned) - self.eta * (surprisal - self.tau) }
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
}

const LLAMA: Counterpart = Counterpart {
    place: 160,
    settings: &[
        Setting::new("mirostat", Range::new(1.0, 2.0)).key("version").whole().flag("--mirostat"),
        Setting::new("mirostat_tau", Range::FROM_ZERO).flag("--mirostat-ent"),
        Setting::new("mirostat_eta", Range::FROM_ZERO).key("eta").flag("--mirostat-lr"),
    ],
    list: List::Instead {
        beside: &["bias", "mask", "temp"],
        why: "mirostat takes the place of every stage but bias and temp",
    },
    ..Counterpart::of(Engine::LlamaCpp)
};

impl StageKind for Mirostat {
    const INFO: StageInfo = StageInfo {
        name: "mirostat",
        allowed: "a target in bits from 0 up, eta:η from 0 up (default 0.1), version:1 or 2 \
                  (default 2)",
        summary: "truncates so that the surprise of the text stays near τ bits",
        source: "arXiv 2007.14966",
        traits: Traits { learns: true, ..Traits::TRUNCATION },
        params: &[
            Param::number("τ in bits", "5", [0.0, 12.0, 0.1]),
            Param::number("η", "0.1", [0.0, 1.0, 0.01]).named("eta"),
            Param::whole("version", "2", [1.0, 2.0]).named("version"),
        ],
        flag: Some(Flag::new(
            "mirostat",
            "T[,eta:E,version:1]",
            "Keep the surprise of the text near T bits",
        )),
        counterparts: &[LLAMA, LLAMA.in_ollama().without_settings()],
        ..StageInfo::BLANK
    };

    fn parse(text: Option<&str>) -> Result<Mirostat, ChainError> {
        let values = Values::read(&Self::INFO, text, &["eta", "version"])?;
        let version = values.number_or("version", 2)?;
        let eta = values.number_or("eta", Mirostat::ETA)?;
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

    fn apply(
        &self,
        candidates: &mut Candidates<'_>,
        context: &mut Context<'_>,
    ) -> Result<(), SampleError> {
        let mu = self.mu(context.learned());
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

    fn learn(
        &self,
        learned: Option<Learned>,
        candidates: &mut Candidates<'_>,
        index: Option<usize>,
    ) -> Option<Learned> {
        let Some(index) = index else {
            return Some(Learned::Mirostat { mu: self.mu(learned) });
        };
        let total = candidates.total();
        // A survivor weighs something, unless it was kept by a count alone.
        let weight = candidates.weight_at(index).max(1);
        Some(self.after(learned, libm::log2(total as f64 / weight as f64)))
    }
}
