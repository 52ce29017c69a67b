//! The distribution of typed logits at a temperature. Needs no model.
//!
//! The numbers are computed in f64 by the formula p = e^(x/T) / Σ e^(x/T), because eight digits are
//! shown. A chain adds the effect of each of its stages.

use kelvin_sampling::{Chain, State, TokenId, Trace, Words};
use serde::Serialize;

use super::trace::{self, StageRow};
use crate::json;

/// One typed number.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Logit {
    /// The label typed before it, as in `cat=2`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The logit; -inf is masked.
    #[serde(serialize_with = "json::number")]
    pub logit: f64,
}

/// The distribution at one temperature.
#[derive(Debug, Serialize)]
pub struct View {
    /// T; infinite for the uniform limit.
    #[serde(serialize_with = "json::number")]
    pub temperature: f64,
    stage: &'static str,
    /// One row per logit, in the order typed.
    pub choices: Vec<Choice>,
    /// Σ e^(x/T); absent at T = 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exp_sum: Option<f64>,
    /// Sum of the probabilities: 1 up to rounding.
    pub probability_sum: f64,
    /// Shannon entropy, in nats.
    pub entropy_nats: f64,
    /// exp(entropy).
    pub effective_choices: f64,
    /// -T ln Σ e^(x/T), in logits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) free_energy: Option<f64>,
    /// Var(x)/T², in nats.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) heat_capacity: Option<f64>,
    /// The chain of `--sampler` at this temperature.
    #[serde(flatten)]
    pub chained: Option<Chained>,
}

/// The effect of a chain on the logits.
#[derive(Debug, Serialize)]
pub struct Chained {
    /// The chain in its notation.
    pub chain: String,
    /// The effect of each stage.
    pub stages: Vec<StageRow>,
    /// Final probability of each logit.
    pub probabilities_final: Vec<f64>,
    /// Number of logits left after the last stage.
    pub survivors: usize,
    entropy_final_nats: f64,
}

/// One logit at this temperature.
#[derive(Debug, Serialize)]
pub struct Choice {
    /// The label typed before it, as in `cat=2`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The logit; -inf is masked.
    #[serde(serialize_with = "json::number")]
    pub logit: f64,
    /// e^(x/T) before normalising; null if it overflows f64.
    pub exp: Option<f64>,
    /// The probability of the logit.
    pub probability: f64,
}

/// The effect of the chain on `logits`, which are rounded to f32 as a model's are. `t` replaces the
/// chain's temperature if it is given.
pub fn chained(logits: &[Logit], chain: &Chain, t: Option<f32>) -> Result<Chained, String> {
    let row: Vec<f32> = logits.iter().map(|x| x.logit as f32).collect();
    let trace = if t.is_none_or(f32::is_finite) {
        let at = |t: f32| chain.with_temperature(t).map_err(|error| format!("T = {t}: {error}"));
        let chain = t.map_or_else(|| Ok(chain.clone()), at)?;
        Trace::new(&row, &chain, &State::default(), &Words::default(), &[])
    } else {
        Trace::at_infinity(&row, chain, &[])
    };
    let trace = trace.map_err(|error| format!("\"{chain}\": {error}"))?;
    let last = trace.distribution();
    Ok(Chained {
        chain: trace.chain().to_string(),
        stages: trace::stages(&trace),
        probabilities_final: (0..row.len()).map(|i| last.probability(TokenId(i as u32))).collect(),
        survivors: last.survivors(),
        entropy_final_nats: last.entropy(),
    })
}

/// The distribution of `logits` at `temperature` (0: greedy, infinite: uniform over what isn't
/// masked).
pub fn view(logits: &[Logit], temperature: f64) -> View {
    let values: Vec<f64> = logits.iter().map(|x| x.logit).collect();
    let probabilities = kelvin_sampling::softmax(&values, temperature)
        .expect("logits and temperature were checked when they were read");
    let figures = kelvin_sampling::thermal(&values, temperature)
        .expect("logits and temperature were checked when they were read");
    let finite = temperature > 0.0 && temperature.is_finite();
    let exps: Vec<Option<f64>> = values
        .iter()
        .map(|&x| {
            (temperature > 0.0)
                .then(|| if x == f64::NEG_INFINITY { 0.0 } else { (x / temperature).exp() })
        })
        .collect();
    View {
        temperature,
        stage: "after temperature",
        choices: logits
            .iter()
            .zip(probabilities.iter().zip(&exps))
            .map(|(x, (&probability, exp))| Choice {
                label: x.label.clone(),
                logit: x.logit,
                exp: exp.filter(|e| e.is_finite()),
                probability,
            })
            .collect(),
        exp_sum: exps.iter().copied().sum::<Option<f64>>().filter(|sum| sum.is_finite()),
        probability_sum: probabilities.iter().sum(),
        entropy_nats: figures.entropy,
        effective_choices: figures.entropy.exp(),
        free_energy: finite.then_some(figures.free_energy),
        heat_capacity: finite.then_some(figures.heat_capacity),
        chained: None,
    }
}
