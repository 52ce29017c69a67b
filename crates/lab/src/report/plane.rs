//! The Pareto frontier of quality and diversity.

use super::{Measured, Options, Plane};

/// Candidates for the metric of quality; the first with values is used.
const QUALITY: [&str; 2] = ["judge", "surprisal"];
/// Candidates for the metric of diversity; the first with values is used.
const DIVERSITY: [&str; 3] = ["vendi", "distinct_2", "mtld"];

/// The plane, if a metric of quality and one of diversity have values; without its knee.
pub(super) fn plane(metrics: &[Measured], options: &Options) -> Result<Option<Plane>, String> {
    let there = |name: &str| {
        metrics.iter().find(|m| m.name == name && m.values.iter().flatten().count() > 0)
    };
    let pick = |asked: Option<&'static crate::metrics::Metric>, otherwise: &[&str]| match asked {
        Some(metric) if metric.more_is_better().is_none() => Err(format!(
            "{} can't be an axis of the plane: it measures neither quality nor diversity",
            metric.name
        )),
        Some(metric) => Ok(there(metric.name)),
        None => Ok(otherwise.iter().find_map(|name| there(name))),
    };
    let (quality, diversity) =
        (pick(options.quality, &QUALITY)?, pick(options.diversity, &DIVERSITY)?);
    let (Some(quality), Some(diversity)) = (quality, diversity) else { return Ok(None) };
    let rising = |metric: &Measured, i: usize| {
        let mean = metric.values[i]?.mean;
        Some(if metric.more_is_better == Some(false) { -mean } else { mean })
    };
    let points: Vec<(usize, f64, f64)> = (0..quality.values.len())
        .filter_map(|i| Some((i, rising(quality, i)?, rising(diversity, i)?)))
        .collect();
    let frontier = frontier(&points);
    Ok(Some(Plane {
        quality: quality.name,
        diversity: diversity.name,
        knee: None,
        frontier: frontier.into_iter().map(|(i, ..)| i).collect(),
    }))
}

/// The Pareto-optimal points, the best quality first.
pub(super) fn frontier(points: &[(usize, f64, f64)]) -> Vec<(usize, f64, f64)> {
    let mut sorted = points.to_vec();
    sorted.sort_by(|a, b| b.1.total_cmp(&a.1).then(b.2.total_cmp(&a.2)));
    let mut best = f64::NEG_INFINITY;
    sorted.retain(|point| {
        let stays = point.2 > best;
        best = best.max(point.2);
        stays
    });
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_beats_the_frontier() {
        let points = [
            (0, 1.0, 0.0),
            (1, 0.9, 0.8),
            (2, 0.5, 0.5),
            (3, 0.0, 1.0),
            (4, 0.9, 0.7),
            (5, 0.3, 0.9),
        ];
        let found = frontier(&points);
        assert_eq!(found.iter().map(|p| p.0).collect::<Vec<_>>(), [0, 1, 5, 3]);
    }
}
