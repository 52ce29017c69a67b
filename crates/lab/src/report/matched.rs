//! Compares settings with the base's family at equal quality.

use super::{MatchedDifference, MatchedSetting, Matching, Plane, SEED, Setting, Shown, Value};
use crate::{
    metrics::{Aspect, Metric, Values},
    statistics::{Point, RESAMPLES, matched},
};

/// For each run whose base belongs to a family: the settings of the other families compared with
/// that family, by every metric of diversity. Empty if there is no such family, or none of the
/// settings lies within its range of quality.
pub(super) fn matching(
    settings: &[Setting],
    measured: &[(&'static Metric, Vec<Values>)],
    plane: Option<&Plane>,
) -> Option<Matching> {
    let plane = plane?;
    let values = |name: &str| measured.iter().find(|(metric, _)| metric.name == name);
    let (_, quality) = values(plane.quality)?;
    let diverse = |metric: &Metric| matches!(metric.aspect, Aspect::Diversity | Aspect::Sameness);
    let mut found: Vec<MatchedSetting> = Vec::new();
    for base in settings.iter().filter(|setting| setting.is_base) {
        let of_run: Vec<&Setting> =
            settings.iter().filter(|setting| setting.run == base.run).collect();
        let size = |one: &Setting| of_run.iter().filter(|other| other.family == one.family).count();
        let (mut family, others): (Vec<&Setting>, Vec<&Setting>) = of_run
            .iter()
            .copied()
            .filter(|one| size(one) > 1)
            .partition(|one| one.family == base.family);
        family
            .sort_by(|a, b| a.temperature.unwrap_or(0.0).total_cmp(&b.temperature.unwrap_or(0.0)));
        let indices =
            |settings: &[&Setting]| settings.iter().map(|one| one.index).collect::<Vec<_>>();
        let first = settings.iter().position(|setting| setting.run == base.run)?;
        for (metric, values) in measured.iter().filter(|(metric, _)| diverse(metric)) {
            let (quality, diversity) = (&quality[base.run].chains, &values[base.run].chains);
            let points: Vec<Point<'_>> = quality
                .iter()
                .zip(diversity)
                .map(|(quality, diversity)| Point { quality, diversity })
                .collect();
            for one in matched(&points, &indices(&others), &indices(&family), RESAMPLES, SEED) {
                let setting = first + one.difference.setting;
                let row =
                    found.iter().position(|row| row.setting == setting).unwrap_or_else(|| {
                        let [a, b] =
                            one.between.map(|i| settings[first + i].temperature.unwrap_or(0.0));
                        found.push(MatchedSetting {
                            setting,
                            family: base.family.clone(),
                            quality: one.quality,
                            temperature: a + one.share * (b - a),
                            differences: Vec::new(),
                        });
                        found.len() - 1
                    });
                found[row].differences.push(MatchedDifference {
                    metric: metric.name,
                    family_has: one.family_has,
                    shown: Shown {
                        value: Value::of(&one.difference.estimate),
                        p_holm: one.difference.p_holm,
                        verdict: one.difference.verdict.words(),
                    },
                });
            }
        }
    }
    found.sort_by_key(|row| row.setting);
    (!found.is_empty()).then_some(Matching { quality: plane.quality, settings: found })
}
