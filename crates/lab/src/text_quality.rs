//! How a text that was drawn as a whole was drawn: its energy, what it cost, and what its method
//! says of its own quality. As JSON it is in the database, in the output of verbs and in the API.

use kelvin_engine::texts::{Drawn, Quality, SmcQuality};
use serde::{Deserialize, Serialize};

/// What is known of a text that was drawn as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TextQuality {
    /// The method and its own figures.
    #[serde(flatten)]
    pub of_method: OfMethod,
    /// -ln p of the text under the model, that of the token that ended it included, in nats; `None`
    /// without a text.
    pub energy: Option<f64>,
    /// Tokens that the model read for it; what particles share counts once.
    pub tokens_read: u64,
}

/// A method's own figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "lowercase")]
pub enum OfMethod {
    /// Rejection.
    Exact {
        /// Tries up to the accepted one.
        tries: u64,
        /// Whether one was accepted.
        accepted: bool,
    },
    /// Sequential Monte Carlo.
    Smc {
        /// Their number.
        particles: usize,
        /// Effective sample size at the end.
        ess: f64,
        /// How often particles were resampled.
        resamplings: u64,
        /// Distinct particles of the beginning from which those of the end descend.
        ancestors: usize,
        /// Distinct texts among the particles.
        distinct: usize,
        /// The estimate of ln Z.
        ln_z: f64,
        /// Its standard error, which one ancestor doesn't tell.
        ln_z_error: Option<f64>,
        /// Mean energy of the weighted particles, in nats.
        mean_energy: f64,
        /// Mean squared energy of the weighted particles.
        mean_energy_squared: f64,
    },
    /// Metropolis-Hastings.
    Mcmc {
        /// Moves that were tried.
        moves: u64,
        /// Moves that were accepted.
        accepted: u64,
        /// Accepted moves over moves.
        acceptance: f64,
        /// Correlation of the energies of neighbouring moves of the last block.
        autocorrelation: Option<f64>,
        /// In moves.
        autocorrelation_time: Option<f64>,
    },
}

impl TextQuality {
    /// Of a drawn text.
    pub fn of(drawn: &Drawn) -> TextQuality {
        let of_method = match drawn.quality.clone() {
            Quality::Exact { tries, accepted } => OfMethod::Exact { tries, accepted },
            Quality::Smc(smc) => OfMethod::Smc {
                particles: smc.particles,
                ess: smc.ess,
                resamplings: smc.resamplings,
                ancestors: smc.ancestors,
                distinct: smc.distinct,
                ln_z: smc.ln_z,
                ln_z_error: smc.ln_z_error,
                mean_energy: smc.energy,
                mean_energy_squared: smc.energy_squared,
            },
            Quality::Mcmc { moves, accepted, autocorrelation, autocorrelation_time } => {
                let acceptance = accepted as f64 / moves as f64;
                OfMethod::Mcmc {
                    moves,
                    accepted,
                    acceptance,
                    autocorrelation,
                    autocorrelation_time,
                }
            }
        };
        let energy = drawn.path.as_ref().map(|path| path.energy());
        TextQuality { of_method, energy, tokens_read: drawn.n_read }
    }

    /// The particles' figures, if particles drew it.
    pub fn particles(&self) -> Option<SmcQuality> {
        match self.of_method {
            OfMethod::Smc {
                particles,
                ess,
                resamplings,
                ancestors,
                distinct,
                ln_z,
                ln_z_error,
                mean_energy: energy,
                mean_energy_squared: energy_squared,
            } => Some(SmcQuality {
                particles,
                ess,
                resamplings,
                ancestors,
                distinct,
                ln_z,
                ln_z_error,
                energy,
                energy_squared,
            }),
            _ => None,
        }
    }

    /// The quality in words, for people.
    pub fn words(&self) -> String {
        let counted = |n: u64, thing: &str| match n {
            1 => format!("1 {thing}"),
            n => format!("{n} {thing}s"),
        };
        match &self.of_method {
            OfMethod::Exact { tries, accepted: true } => format!("accepted at try {tries}"),
            OfMethod::Exact { tries, accepted: false } => {
                format!("none of {tries} tries was accepted")
            }
            OfMethod::Smc {
                particles,
                ess,
                resamplings,
                ancestors,
                distinct,
                ln_z,
                ln_z_error,
                ..
            } => {
                let error = match ln_z_error {
                    Some(error) => format!(" ± {error:.2}"),
                    None => ", its error unknown".to_string(),
                };
                format!(
                    "{particles} particles, {ess:.1} of them effective, {}, {}, {}, ln Z = \
                     {ln_z:.2}{error}",
                    counted(*resamplings, "resampling"),
                    counted(*ancestors as u64, "ancestor"),
                    counted(*distinct as u64, "text")
                )
            }
            OfMethod::Mcmc { moves, acceptance, autocorrelation_time, .. } => {
                let time = autocorrelation_time
                    .map(|time| format!(", autocorrelation time {time:.1} moves"));
                format!(
                    "{moves} moves, {:.0} % accepted{}",
                    acceptance * 100.0,
                    time.unwrap_or_default()
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_gives_the_figures_back() {
        let smc = OfMethod::Smc {
            particles: 16,
            ess: 2.5,
            resamplings: 1,
            ancestors: 2,
            distinct: 3,
            ln_z: -5.125,
            ln_z_error: None,
            mean_energy: 12.0625,
            mean_energy_squared: 1e3,
        };
        let quality = TextQuality { of_method: smc, energy: Some(0.1), tokens_read: 7 };
        let json = serde_json::to_string(&quality).unwrap();
        assert!(json.starts_with("{\"method\":\"smc\",\"particles\":16,"), "{json}");
        assert_eq!(serde_json::from_str::<TextQuality>(&json).unwrap(), quality);
        assert!(quality.words().contains("1 resampling, 2 ancestors, 3 texts"));
    }
}
