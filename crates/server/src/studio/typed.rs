//! Softmax of typed logits: the distribution, the four criteria, and curves over temperature. Needs
//! no model.

use kelvin_sampling::slope;
use kelvin_views::{
    criteria::{Verdict, verdicts},
    grid::{self, Point},
    softmax::{Logit, View, view},
};
use serde::Serialize;
use serde_json::Value;

use super::ask::temperature_of;
use crate::{
    Shared,
    fields::{Fields, wrong},
    limits::MAX_TYPED_LOGITS,
    problem::Problem,
};

const MAX_LABEL: usize = 64;

#[derive(Debug, Serialize)]
pub(super) struct Softmax {
    /// The distribution at the requested temperature.
    at: View,
    /// The distribution at T = 1, which the page draws behind it.
    one: View,
    /// The slope of e^(x/T) at each logit; null at T = 0 and where it overflows f64.
    slopes: Vec<Option<f64>>,
    /// The gap between the two largest probabilities.
    gap: f64,
    /// The four criteria; empty at the limits T = 0 and T = ∞.
    criteria: Vec<Verdict>,
}

/// The distribution of `logits` at `temperature`.
pub(super) fn softmax(_: &Shared, fields: &mut Fields) -> Result<Softmax, Problem> {
    let logits = logits(fields)?;
    let t: Option<Value> = fields.take("temperature")?;
    let t = t.map_or(Ok(1.0), |value| temperature_of(&value))?;
    let t = kelvin_views::json::short(t);
    let values: Vec<f64> = logits.iter().map(|x| x.logit).collect();
    let at = view(&logits, t);
    let probabilities: Vec<f64> = at.choices.iter().map(|choice| choice.probability).collect();
    let is_limit = t == 0.0 || t.is_infinite();
    let slopes =
        values.iter().map(|&x| Some(slope(x, t)).filter(|slope| !is_limit && slope.is_finite()));
    Ok(Softmax {
        slopes: slopes.collect(),
        gap: grid::gap(&probabilities),
        criteria: if is_limit { Vec::new() } else { verdicts(&values, t) },
        one: view(&logits, 1.0),
        at,
    })
}

#[derive(Debug, Serialize)]
pub(super) struct Curves {
    points: Vec<Point>,
}

/// The figures of `logits` against T, from 0 to ∞.
pub(super) fn curves(_: &Shared, fields: &mut Fields) -> Result<Curves, Problem> {
    let logits = logits(fields)?;
    Ok(Curves { points: grid::temperatures().map(|t| Point::of(&view(&logits, t))).collect() })
}

/// Takes `logits`: objects with a `logit` (a number, or `"-inf"`) and an optional `label`.
fn logits(fields: &mut Fields) -> Result<Vec<Logit>, Problem> {
    let expected =
        format!("a list of 1 to {MAX_TYPED_LOGITS} objects with \"logit\" and perhaps \"label\"");
    let value = fields.take::<Option<Value>>("logits")?.unwrap_or_default();
    let items = value.as_array().filter(|items| (1..=MAX_TYPED_LOGITS).contains(&items.len()));
    let items = items.ok_or_else(|| wrong("logits", &value, &expected))?;
    let one = |item: &Value| {
        let logit = match &item["logit"] {
            Value::String(text) if text == "-inf" => f64::NEG_INFINITY,
            other => other.as_f64().ok_or_else(|| wrong("logits", item, &expected))?,
        };
        let label = item["label"].as_str().map(|label| label.chars().take(MAX_LABEL).collect());
        Ok(Logit { label, logit })
    };
    let logits = items.iter().map(one).collect::<Result<Vec<Logit>, Problem>>()?;
    if logits.iter().all(|x| x.logit == f64::NEG_INFINITY) {
        return Err(Problem::parameter("logits", "every logit is -inf, so nothing could be drawn"));
    }
    Ok(logits)
}
