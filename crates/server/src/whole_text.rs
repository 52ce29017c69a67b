//! What an answer says of a text that was drawn as a whole.

use kelvin_engine::texts::{Drawn, Quality};
use schemars::JsonSchema;
use serde::Serialize;

/// How a text was drawn as a whole, and what its method says of its own quality.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub(crate) struct WholeText {
    /// exact, smc or mcmc.
    pub(crate) method: &'static str,
    /// -ln p of the text under the model, in nats, that of the token that ended it included.
    pub(crate) energy: Option<f64>,
    /// Tokens that the model computed for it.
    pub(crate) tokens_read: u64,
    /// exact: tries up to the accepted one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tries: Option<u64>,
    /// smc: particles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) particles: Option<usize>,
    /// smc: the effective sample size at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ess: Option<f64>,
    /// smc: how often particles were resampled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) resamplings: Option<u64>,
    /// smc: particles of the beginning from which those of the end descend.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ancestors: Option<usize>,
    /// smc: the estimate of ln Z.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ln_z: Option<f64>,
    /// smc: its standard error; missing if one ancestor is left, which doesn't tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ln_z_error: Option<f64>,
    /// mcmc: moves that were tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) moves: Option<u64>,
    /// mcmc: the share of moves that were accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) acceptance: Option<f64>,
    /// mcmc: after how many moves texts forget each other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) autocorrelation_time: Option<f64>,
}

impl WholeText {
    /// Of a drawn text.
    pub(crate) fn of(drawn: &Drawn) -> WholeText {
        let energy = drawn.path.as_ref().map(|path| path.energy());
        let of = WholeText { energy, tokens_read: drawn.n_read, ..WholeText::default() };
        match &drawn.quality {
            Quality::Exact { tries, .. } => {
                WholeText { method: "exact", tries: Some(*tries), ..of }
            }
            Quality::Smc(smc) => WholeText {
                method: "smc",
                particles: Some(smc.particles),
                ess: Some(smc.ess),
                resamplings: Some(smc.resamplings),
                ancestors: Some(smc.ancestors),
                ln_z: Some(smc.ln_z),
                ln_z_error: smc.ln_z_error,
                ..of
            },
            Quality::Mcmc { moves, accepted, autocorrelation_time, .. } => WholeText {
                method: "mcmc",
                moves: Some(*moves),
                acceptance: Some(*accepted as f64 / *moves as f64),
                autocorrelation_time: *autocorrelation_time,
                ..of
            },
        }
    }
}
