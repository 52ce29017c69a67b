//! Compares the diversity of settings at equal quality.
//!
//! Nearly everything that makes texts more diverse makes them less fluent. At equal temperature
//! min-p leaves fewer tokens than top-p, so its texts are more fluent and less diverse, which says
//! nothing about either method (arXiv 2506.13681). What can be compared is the diversity of both at
//! one quality.

use super::{
    Difference, Estimate, Over, Series, Verdict,
    bootstrap::{Dice, deviation, studentised},
    comparison::settle,
};

/// A setting's values of two metrics, for the same prompts and samples.
#[derive(Debug, Clone, Copy)]
pub struct Point<'a> {
    /// The metric that is held equal (quality).
    pub quality: &'a Series,
    /// The metric that is compared (diversity).
    pub diversity: &'a Series,
}

/// A setting compared with a family at equal quality.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Matched {
    /// The two neighbouring settings of the family whose mean qualities enclose the setting's, as
    /// indices among all points.
    pub between: [usize; 2],
    /// The position between the two, 0 to 1.
    pub share: f64,
    /// The setting's mean quality.
    pub quality: f64,
    /// The family's diversity at that quality.
    pub family_has: f64,
    /// The setting's diversity minus the family's at that quality, with the interval for linear
    /// interpolation.
    pub difference: Difference,
}

/// Compares each of `settings` with a family of settings at equal quality, where the family reaches
/// the setting's mean quality. Both are indices among `points`; the family's are in order of
/// temperature.
///
/// The family's diversity at a quality is interpolated linearly between the two neighbours whose
/// mean qualities enclose it, D = D₁ + (D₂ - D₁)(q - q₁)/(q₂ - q₁); if several pairs do, the
/// hottest is used. Means are over prompts, restricted to those where every setting involved has
/// values. The bootstrap resamples prompts and each prompt's samples, the same ones for all
/// settings and both metrics because samples with equal numbers share their random numbers; means
/// and interpolation are recomputed from each resample. The error of a resample is that of a sum
/// over its prompts of first-order contributions (the delta method), and the interval is
/// studentised like [`Estimate::of`]. A metric of cells has one value per prompt, so only prompts
/// are resampled.
///
/// Families bend: between two settings the true diversity mostly lies above the line, which would
/// favour any setting there. So a difference is only claimed if it also holds against the parabola
/// through a third setting of the family; where the signs disagree, p is 1. Holm's correction is
/// over all settings. A family of two settings has no parabola.
pub fn matched(
    points: &[Point<'_>],
    settings: &[usize],
    family: &[usize],
    resamples: usize,
    seed: u64,
) -> Vec<Matched> {
    let one = |&setting: &usize| against(points, setting, family, resamples, seed);
    let mut found: Vec<Matched> = settings.iter().filter_map(one).collect();
    settle(found.iter_mut().map(|one| &mut one.difference).collect());
    found
}

/// The p-value is not corrected yet.
fn against(
    points: &[Point<'_>],
    setting: usize,
    family: &[usize],
    resamples: usize,
    seed: u64,
) -> Option<Matched> {
    let quality = |i: usize| points[i].quality.mean();
    let q = quality(setting)?;
    let held = |i: &usize| match (quality(family[*i]), quality(family[*i + 1])) {
        (Some(a), Some(b)) => a != b && a.min(b) <= q && q <= a.max(b),
        _ => false,
    };
    let first = (0..family.len().saturating_sub(1)).rev().find(held)?;
    let between = [family[first], family[first + 1]];
    let [a, b] = between.map(|i| quality(i).unwrap_or(q));
    // A third setting on the side of the interpolation; of two candidates the one with the more
    // even spacing, because a parabola is unstable where two points nearly coincide.
    let beyond =
        |i: usize, near: f64, far: f64| Some(((quality(i)? - near) / (near - far)).ln().abs());
    let before = first.checked_sub(1).and_then(|i| Some((family[i], beyond(family[i], a, b)?)));
    let after = family.get(first + 2).and_then(|&i| Some((i, beyond(i, b, a)?)));
    let thirds = [before, after].into_iter().flatten().filter(|(_, uneven)| uneven.is_finite());
    let third = thirds.min_by(|one, other| one.1.total_cmp(&other.1)).map(|(i, _)| i);

    let taking_part: Vec<Point<'_>> =
        [setting, between[0], between[1]].into_iter().chain(third).map(|i| points[i]).collect();
    let units = Units::of(&taking_part);
    let ends = points[setting].diversity.minus(points[between[0]].diversity).ends();
    let line =
        units.estimate(3, resamples, seed).filter(|line| line.mean.is_finite())?.within(ends);
    let bent = third.and_then(|_| units.estimate(4, resamples, seed));
    let p = line.p.map(|p| match bent {
        Some(bent) if bent.mean * line.mean <= 0.0 => 1.0,
        Some(bent) => bent.p.map_or(1.0, |other| p.max(other)),
        None => p,
    });
    let difference = Difference { setting, estimate: line, p_holm: p, verdict: Verdict::Unknown };
    let family_has = units.mean_diversity() - line.mean;
    Some(Matched { between, share: (q - a) / (b - a), quality: q, family_has, difference })
}

/// The resampled values: for each unit (a prompt, or a sample of a single prompt) the values of the
/// setting, its two neighbours and the third.
struct Units {
    of: Vec<Vec<[Vec<Option<f64>>; 2]>>,
    n_samples: usize,
    over: Over,
}

impl Units {
    /// The prompts where all points have values of both metrics.
    fn of(points: &[Point<'_>]) -> Units {
        let n_prompts = points.iter().map(|point| point.quality.prompts().len()).min().unwrap_or(0);
        let prompt = |i: usize| -> Vec<[Vec<Option<f64>>; 2]> {
            let both = |point: &Point<'_>| {
                [point.quality, point.diversity]
                    .map(|series| series.prompts().get(i).cloned().unwrap_or_default())
            };
            points.iter().map(both).collect()
        };
        let is_whole = |unit: &Vec<[Vec<Option<f64>>; 2]>| {
            unit.iter().flatten().all(|values| values.iter().flatten().count() > 0)
        };
        let mut of: Vec<_> = (0..n_prompts).map(prompt).filter(is_whole).collect();
        let mut over = Over::Prompts;
        if let [only] = &of[..] {
            let n = only.iter().flatten().map(Vec::len).min().unwrap_or(0);
            let sample =
                |i: usize| only.iter().map(|both| both.each_ref().map(|v| vec![v[i]])).collect();
            of = (0..n).map(sample).filter(is_whole).collect();
            over = Over::Samples;
        }
        let n_samples = of.iter().flatten().flatten().map(Vec::len).max().unwrap_or(0);
        Units { of, n_samples, over }
    }

    /// The setting's means.
    fn mean_diversity(&self) -> f64 {
        mean(self.of.iter().map(|unit| mean(unit[0][1].iter().flatten().copied())))
    }

    /// The difference from the curve through the first `n` points of the family, with its interval.
    fn estimate(&self, n: usize, resamples: usize, seed: u64) -> Option<Estimate> {
        let mut drawn = vec![[[0.0; 2]; MOST]; self.of.len()];
        let mut picks: Vec<usize> = (0..self.n_samples).collect();
        drawn.iter_mut().zip(&self.of).for_each(|(slot, unit)| means(slot, &unit[..n], &picks));
        let mut each = Vec::new();
        contributions(&drawn, n, &mut each);
        let n_values = self.of.iter().flat_map(|unit| &unit[0][1]).flatten().count();
        studentised(&each.clone(), self.over, n_values, |center, error| {
            let mut dice = Dice::new(seed);
            let one = |i: usize| {
                for slot in &mut drawn {
                    let unit = &self.of[dice.pick(self.of.len())];
                    picks.iter_mut().for_each(|pick| *pick = dice.pick(self.n_samples));
                    means(slot, &unit[..n], &picks);
                }
                contributions(&drawn, n, &mut each);
                let found = deviation(&each, center, error);
                // Where two neighbours coincide there is no curve: the deviation counts as extreme,
                // with alternating sign.
                let far = if i.is_multiple_of(2) { f64::INFINITY } else { f64::NEG_INFINITY };
                if found.is_nan() { far } else { found }
            };
            (0..resamples).map(one).collect()
        })
    }
}

/// The setting, two neighbours and a third.
const MOST: usize = 4;

/// Means of a unit's resampled values, by point and metric. A value per cell stands for each
/// sample; if no resampled sample has a value, all do.
fn means(slot: &mut [[f64; 2]; MOST], unit: &[[Vec<Option<f64>>; 2]], picks: &[usize]) {
    for (slot, both) in slot.iter_mut().zip(unit) {
        for (slot, values) in slot.iter_mut().zip(both) {
            let picked = mean(picks.iter().filter_map(|&i| *values.get(i)?));
            let is_of_all = values.len() == 1 || picked.is_nan();
            *slot = if is_of_all { mean(values.iter().flatten().copied()) } else { picked };
        }
    }
}

/// NaN for an empty list.
fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, n) = values.fold((0.0, 0), |(sum, n), value| (sum + value, n + 1));
    sum / f64::from(n)
}

/// The first-order contribution of each unit to the difference, whose mean is the difference. With
/// P the curve through the family's means (q_i, d_i) and weights w_i such that P(q) = Σ w_i d_i, a
/// unit moves the difference by its own d, by -w_i of each d_i, by -P'(q) of its own q and by w_i
/// P'(q_i) of each q_i.
fn contributions(units: &[[[f64; 2]; MOST]], n: usize, each: &mut Vec<f64>) {
    let mut mean = [[0.0; 2]; MOST];
    for unit in units {
        for (sum, value) in mean.as_flattened_mut().iter_mut().zip(unit.as_flattened()) {
            *sum += value / units.len() as f64;
        }
    }
    let [q, d] = mean[0];
    let nodes = &mean[1..n];
    // Lagrange weights at x, and the slope there.
    let weight = |i: usize, x: f64| -> f64 {
        let others = nodes.iter().enumerate().filter(|&(j, _)| j != i);
        others.map(|(_, other)| (x - other[0]) / (nodes[i][0] - other[0])).product()
    };
    let slope = |x: f64| -> f64 {
        let of = |i: usize| -> f64 {
            let others = || (0..nodes.len()).filter(move |&j| j != i);
            let without = |j: usize| -> f64 {
                let rest = others().filter(|&k| k != j);
                rest.map(|k| (x - nodes[k][0]) / (nodes[i][0] - nodes[k][0])).product()
            };
            others().map(|j| without(j) / (nodes[i][0] - nodes[j][0])).sum()
        };
        (0..nodes.len()).map(|i| nodes[i][1] * of(i)).sum()
    };
    let mut by = [[0.0; 2]; MOST];
    by[0] = [-slope(q), 1.0];
    let mut difference = d;
    for (i, &[node, value]) in nodes.iter().enumerate() {
        let w = weight(i, q);
        difference -= w * value;
        by[i + 1] = [w * slope(node), -w];
    }
    // Rounding errors of equal values don't count as a difference.
    let least =
        1e-12 * mean.as_flattened().iter().fold(0.0, |most: f64, value| most.max(value.abs()));
    each.clear();
    each.extend(units.iter().map(|unit| {
        let parts = unit.as_flattened().iter().zip(mean.as_flattened()).zip(by.as_flattened());
        let sum = difference + parts.map(|((value, mean), by)| by * (value - mean)).sum::<f64>();
        if sum.abs() < least { 0.0 } else { sum }
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(prompts: &[&[f64]]) -> Series {
        Series::new(
            prompts
                .iter()
                .map(|values| values.iter().map(|&value| Some(value)).collect())
                .collect(),
        )
    }

    /// Of prompts that differ by what both metrics share.
    fn point(quality: f64, diversity: f64) -> [Series; 2] {
        let prompts = [-0.2, -0.1, 0.0, 0.1, 0.2];
        let of =
            |x: f64, by: f64| Series::new(prompts.iter().map(|p| vec![Some(x + by * p)]).collect());
        [of(quality, 1.0), of(diversity, 2.0)]
    }

    fn found(at: &[[Series; 2]], settings: &[usize], family: &[usize]) -> Vec<Matched> {
        let points: Vec<Point<'_>> =
            at.iter().map(|[quality, diversity]| Point { quality, diversity }).collect();
        matched(&points, settings, family, 999, 5)
    }

    #[test]
    fn the_family_is_met_between_its_neighbours() {
        // A line of slope 2 with the same slope among prompts: what prompts share falls out.
        let at =
            [point(1.5, 4.25), point(0.0, 1.0), point(1.0, 3.0), point(3.0, 7.0), point(9.0, 0.0)];
        let one = &found(&at, &[0, 4], &[1, 2, 3])[..];
        assert_eq!((one.len(), one[0].between), (1, [2, 3]));
        assert!((one[0].share - 0.25).abs() < 1e-12 && (one[0].family_has - 4.0).abs() < 1e-12);
        let estimate = one[0].difference.estimate;
        assert!(
            (estimate.mean - 0.25).abs() < 1e-12
                && (estimate.n, estimate.over) == (5, Over::Prompts)
        );
        let (low, high) = estimate.interval.unwrap();
        assert!(high - low < 1e-9 && one[0].difference.verdict == Verdict::NotShown, "{one:?}");
    }

    #[test]
    fn of_several_crossings_the_hottest_counts() {
        // Cold texts go in circles and are no more fluent for it.
        let at = [point(1.5, 0.0), point(2.0, 0.0), point(1.0, 1.0), point(3.0, 2.0)];
        assert_eq!(found(&at, &[0], &[1, 2, 3])[0].between, [2, 3]);
        assert!(
            found(&[point(5.0, 0.0), point(1.0, 1.0), point(2.0, 2.0)], &[0], &[1, 2]).is_empty()
        );
        assert!(found(&at, &[0], &[1]).is_empty());
    }

    #[test]
    fn what_a_unit_contributes_is_what_it_moves() {
        // Twice a unit in the sample moves the difference as its contribution says, to first order.
        let unit = |i: usize| {
            let x = i as f64;
            [
                [1.4 + 0.2 * (x * 1.3).sin(), 3.0 + 0.3 * (x * 0.7).cos()],
                [1.0 + 0.1 * (x * 2.1).sin(), 2.0 + 0.2 * x.cos()],
                [2.0 + 0.1 * (x * 0.9).cos(), 3.5 + 0.2 * x.sin()],
                [3.5 + 0.3 * (x * 1.7).cos(), 4.0 + 0.1 * (x * 0.3).sin()],
            ]
        };
        let units: Vec<_> = (0..1_000).map(unit).collect();
        for n in [3, 4] {
            let (mut each, mut twice) = (Vec::new(), Vec::new());
            contributions(&units, n, &mut each);
            let difference = |each: &[f64]| each.iter().sum::<f64>() / each.len() as f64;
            for i in [0, 7, 500] {
                let more: Vec<_> = units.iter().copied().chain([units[i]]).collect();
                contributions(&more, n, &mut twice);
                let moved = (difference(&twice) - difference(&each)) * more.len() as f64;
                let said = each[i] - difference(&each);
                assert!((moved - said).abs() < 0.01 * said.abs(), "{n} {i}: {moved} {said}");
            }
        }
    }

    #[test]
    fn values_that_are_missing_take_their_prompt_or_their_sample_along() {
        let whole = series(&[&[1.0, 2.0], &[3.0, 5.0], &[2.0, 2.5]]);
        let low = series(&[&[0.0, 0.5], &[0.5, 0.0], &[0.0, 0.1]]);
        let high = series(&[&[4.0, 5.0], &[6.0, 5.0], &[5.0, 5.0]]);
        let holed =
            Series::new(vec![vec![Some(1.0), None], vec![None, None], vec![Some(1.0), Some(2.0)]]);
        let both = |quality: &Series, diversity: &Series| [quality.clone(), diversity.clone()];
        let at = [both(&whole, &holed), both(&low, &low), both(&high, &high)];
        let one = found(&at, &[0], &[1, 2]).remove(0);
        assert_eq!((one.difference.estimate.n, one.difference.estimate.over), (3, Over::Prompts));
        // One prompt: its samples stand for prompts, those that have all values.
        let only = |values: &[Option<f64>]| Series::new(vec![values.to_vec()]);
        let full = only(&[Some(1.0), Some(2.0), Some(1.5)]);
        let part = only(&[Some(1.0), None, Some(2.0)]);
        let at = [
            both(&full, &part),
            both(&only(&[Some(0.0); 3]), &full),
            both(&only(&[Some(3.0), Some(4.0), Some(3.0)]), &full),
        ];
        let one = found(&at, &[0], &[1, 2]).remove(0);
        assert_eq!((one.difference.estimate.n, one.difference.estimate.over), (2, Over::Samples));
    }
}
