//! Other ways to choose a temperature, side by side with the search: where entropy turns (TURN),
//! where texts melt, the knee of quality and diversity, and what the model's maker recommends.
//!
//! All are read from the search's first round, whose texts have every candidate. Each comes with
//! the objective's value at its setting, with its interval.

use serde::Serialize;

use super::Objective;
use crate::{
    column::Column,
    metrics::Metric,
    report::{Evidence, MeltingPoint, Options, Report, Value},
};

/// A way to choose, and what it chooses.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Beside {
    /// `turn`, `melting point`, `knee` or `maker`.
    pub by: &'static str,
    /// The setting; for a temperature between settings the nearest one of its family.
    pub setting: String,
    /// The temperature that it names.
    pub temperature: Option<f64>,
    /// The ends of its 95 % interval over resampled prompts, if it has one.
    pub low: Option<f64>,
    /// As above.
    pub high: Option<f64>,
    /// Whether it is at the end of what was tried.
    pub at_the_edge: bool,
    /// The objective's target metric at the setting.
    pub value: Option<Value>,
}

/// Metrics of quality and diversity whose knee is looked for.
const PLANE: [&str; 2] = ["surprisal", "vendi"];

/// What other ways choose among the settings of one run. `recommended` is the chain that the
/// model's maker recommends, if the run has it.
///
/// # Errors
/// If there is nothing to choose from.
pub fn beside(
    first: Evidence,
    objective: &Objective,
    recommended: Option<&Column>,
) -> Result<Vec<Beside>, String> {
    let mut metrics: Vec<&'static Metric> =
        PLANE.map(Metric::find).into_iter().collect::<Result<_, _>>()?;
    metrics.extend(objective.metrics().filter(|metric| !PLANE.contains(&metric.name)));
    let named = |name: &str| metrics.iter().copied().find(|metric| metric.name == name);
    let options = Options {
        quality: named(PLANE[0]),
        diversity: named(PLANE[1]),
        metrics: metrics.clone(),
        against: None,
        texts: 0,
    };
    let report = Report::new(&[first], &options, String::new())?;
    let target = report.metrics.iter().find(|metric| metric.name == objective.metric.name);
    let at = |by: &'static str, i: usize, point: Option<MeltingPoint>| {
        let setting = &report.settings[i];
        Beside {
            by,
            setting: setting.label.clone(),
            temperature: point.map_or(setting.temperature, |point| Some(point.temperature)),
            low: point.map(|point| point.low),
            high: point.map(|point| point.high),
            at_the_edge: point.is_some_and(|point| point.at_the_edge),
            value: target.and_then(|target| target.values[i]),
        }
    };
    let mut found = Vec::new();
    for melting in &report.melting {
        for (by, point) in [("turn", melting.turning), ("melting point", melting.point)] {
            let Some(point) = point else { continue };
            let far = |i: &&usize| {
                let t = report.settings[**i].temperature.unwrap_or(f64::INFINITY);
                (t - point.temperature).abs()
            };
            let nearest = melting.settings.iter().min_by(|a, b| far(a).total_cmp(&far(b)));
            found.extend(nearest.map(|&i| at(by, i, Some(point))));
        }
    }
    let knee = report.plane.as_ref().and_then(|plane| plane.knee);
    found.extend(knee.map(|i| at("knee", i, None)));
    let recommended = recommended.map(Column::to_string);
    let maker = |chain: String| report.settings.iter().position(|one| one.chain == chain);
    found.extend(recommended.and_then(maker).map(|i| at("maker", i, None)));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::evidence;

    #[test]
    fn every_way_names_a_setting_and_its_value() {
        let objective: Objective = "distinct_2, surprisal<=2".parse().unwrap();
        let maker: Column = "temp=0.5".parse().unwrap();
        let found = beside(evidence(), &objective, Some(&maker)).unwrap();
        let of = |by: &str| found.iter().filter(|one| one.by == by).collect::<Vec<_>>();
        // Both families melt at 1.1, whose nearest setting is T = 1; three temperatures don't turn.
        let melting = of("melting point");
        assert_eq!(melting.len(), 2);
        assert_eq!(
            (&*melting[0].setting, melting[1].setting.as_str()),
            ("temp=1", "temp=1 | min_p=0.1")
        );
        let t = melting[0].temperature.unwrap();
        assert!((t - 1.1).abs() < 1e-6 && melting[0].low <= Some(t) && melting[0].high >= Some(t));
        assert!(of("turn").is_empty());
        assert_eq!((of("knee").len(), of("maker")[0].setting.as_str()), (1, "temp=0.5"));
        assert!(found.iter().all(|one| one.value.is_some_and(|value| value.low.is_some())));
        assert!(beside(evidence(), &objective, None).unwrap().len() == found.len() - 1);
    }
}
