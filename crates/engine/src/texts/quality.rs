//! What a method says of its own quality.

/// How well a text was drawn, as its method can tell.
#[derive(Debug, Clone, PartialEq)]
pub enum Quality {
    /// Of the exact method.
    Exact {
        /// Tries in order, up to the one that was accepted.
        tries: u64,
        /// Whether one was.
        accepted: bool,
    },
    /// Of sequential Monte Carlo.
    Smc(SmcQuality),
    /// Of Metropolis-Hastings.
    Mcmc {
        /// Moves that were tried.
        moves: u64,
        /// Moves that were accepted.
        accepted: u64,
        /// Correlation of the energies after neighbouring moves of the last block; `None` if they
        /// are all equal or fewer than 3.
        autocorrelation: Option<f64>,
        /// Integrated autocorrelation time of these energies, in moves (1 + 2 Σ ρ_k over Geyer's
        /// initial positive sequence, Geyer 1992); `None` as above.
        autocorrelation_time: Option<f64>,
    },
}

/// Of one sample's particles.
#[derive(Debug, Clone, PartialEq)]
pub struct SmcQuality {
    /// Their number, K.
    pub particles: usize,
    /// The effective sample size at the end, (Σw)²/Σw²: from 1 to K.
    pub ess: f64,
    /// How often particles were resampled.
    pub resamplings: u64,
    /// Distinct particles of the beginning from which those of the end descend.
    pub ancestors: usize,
    /// Distinct texts among the particles of the end.
    pub distinct: usize,
    /// The estimate of ln Z(α), Z = Σ_y p(y)^α. That of Z has no bias.
    pub ln_z: f64,
    /// Its standard error, from the ancestors (Lee and Whiteley 2018, arXiv 1509.00394): `None` if
    /// only one is left, which doesn't tell. With few particles it is too small.
    pub ln_z_error: Option<f64>,
    /// Mean energy of the weighted particles, -ln p(y), in nats.
    pub energy: f64,
    /// Mean squared energy of the weighted particles.
    pub energy_squared: f64,
}
