//! What is asked for: a temperature of whole texts and a method, checked; and how it can fail.

use kelvin_sampling::{SampleError, Temp};

use crate::transformer::ModelError;

/// How texts are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Rejection. A draw at token temperature is accepted with probability w, which is at most 1
    /// for T <= 1. Exact, and only for texts that are short: the mean number of tries is 1/Z(α).
    Exact {
        /// The most tries of a sample.
        tries: u64,
        /// Tries that run at once, which changes no text.
        at_once: usize,
    },
    /// Sequential Monte Carlo: Power-SMC (arXiv 2602.10273).
    Smc {
        /// Particles of a sample, K.
        particles: usize,
    },
    /// Metropolis-Hastings with redrawn suffixes (arXiv 2510.14901).
    Mcmc {
        /// Moves after each block.
        moves: u64,
        /// Tokens of a block.
        block: usize,
    },
}

impl Method {
    /// The name in flags and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Method::Exact { .. } => "exact",
            Method::Smc { .. } => "smc",
            Method::Mcmc { .. } => "mcmc",
        }
    }

    /// Texts of a sample that run at once.
    pub fn width(self) -> usize {
        match self {
            Method::Exact { at_once, .. } => at_once,
            Method::Smc { particles } => particles,
            Method::Mcmc { .. } => 1,
        }
    }
}

/// A temperature of whole texts, how it is drawn, and how long texts may become.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    temperature: Temp,
    method: Method,
    max_tokens: usize,
}

impl Settings {
    /// The most particles of a sample, and the most tries that run at once.
    pub const MAX_PARTICLES: usize = 1024;
    /// The most tries of a sample.
    pub const MAX_TRIES: u64 = 1_000_000_000;
    /// The most moves after a block.
    pub const MAX_MOVES: u64 = 1_000_000;

    /// Texts with probability ∝ p(y)^(1/T), of up to `max_tokens` tokens.
    ///
    /// # Errors
    /// If T is 0, if the method is exact and T above 1, or if a number is out of its range.
    pub fn new(
        temperature: Temp,
        method: Method,
        max_tokens: usize,
    ) -> Result<Settings, SettingsError> {
        let t = temperature.get();
        let range = |what, found, least, most| match (least..=most).contains(&found) {
            true => Ok(()),
            false => Err(SettingsError::Range { what, found, least, most }),
        };
        if t == 0.0 {
            return Err(SettingsError::Zero);
        }
        if max_tokens == 0 {
            return Err(SettingsError::NoTokens);
        }
        match method {
            Method::Exact { .. } if t > 1.0 => return Err(SettingsError::HotExact { t }),
            Method::Exact { tries, at_once } => {
                range("the number of tries", tries, 1, Settings::MAX_TRIES)?;
                let most = Settings::MAX_PARTICLES as u64;
                range("the number of tries at once", at_once as u64, 1, most)?;
            }
            Method::Smc { particles } => {
                let most = Settings::MAX_PARTICLES as u64;
                range("the number of particles", particles as u64, 2, most)?;
            }
            Method::Mcmc { moves, block } => {
                range("the number of moves", moves, 1, Settings::MAX_MOVES)?;
                range("the block", block as u64, 1, u64::from(u32::MAX))?;
            }
        }
        Ok(Settings { temperature, method, max_tokens })
    }

    /// T.
    pub fn temperature(&self) -> Temp {
        self.temperature
    }

    /// The method.
    pub fn method(&self) -> Method {
        self.method
    }

    /// The most tokens of a text.
    pub fn max_tokens(&self) -> usize {
        self.max_tokens
    }
}

/// Why a temperature of texts can't be drawn at.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SettingsError {
    /// T = 0.
    #[error(
        "a text at T = 0 is the likeliest of all, which has to be searched for: give a temperature \
         above 0"
    )]
    Zero,
    /// Rejection above T = 1.
    #[error(
        "the exact method accepts with weights of at most 1, and at T = {t} they are larger: give a \
         T of at most 1, or the method smc or mcmc"
    )]
    HotExact {
        /// The temperature.
        t: f32,
    },
    /// A number is out of its range.
    #[error("{what} is {found}, but it is a number from {least} to {most}")]
    Range {
        /// What it counts.
        what: &'static str,
        /// The number.
        found: u64,
        /// The least allowed one.
        least: u64,
        /// The largest allowed one.
        most: u64,
    },
    /// No tokens.
    #[error("a text of 0 tokens has no temperature: allow at least 1")]
    NoTokens,
}

/// Why drawing texts failed.
#[derive(Debug, thiserror::Error)]
pub enum TextsError {
    /// The model refused a step.
    #[error(transparent)]
    Model(ModelError),
    /// The model's logits have no distribution.
    #[error("the model gave logits that nothing can be drawn from: {0}")]
    Logits(SampleError),
    /// The caller ended it.
    #[error("drawing was cancelled")]
    Cancelled,
}
