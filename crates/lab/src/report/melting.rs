//! The melting point: the temperature of the largest heat capacity. And the turning point, where
//! entropy begins to rise faster than exponentially.
//!
//! At the melting point a small increase of T adds the most choices. Below it, text is nearly
//! restricted to the most likely tokens; above it, text is noise. The turning point (TURN, arXiv
//! 2502.05234) is the first temperature at which the second derivative of ln H(T) is positive, H
//! the mean entropy of the distributions that tokens were drawn from.

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

use super::{Melting, MeltingPoint, SEED, Setting};
use crate::metrics::Values;

const RESAMPLES: usize = 999;
/// A turn is found between the ends: with fewer temperatures there is one answer, or two.
const LEAST_FOR_TURN: usize = 5;

/// Melting and turning points of all families with at least three temperatures above 0.
pub(super) fn melting(settings: &[Setting], heat: &[Values], entropy: &[Values]) -> Vec<Melting> {
    let mut found: Vec<Melting> = Vec::new();
    for (i, setting) in settings.iter().enumerate() {
        // Its figures are of tokens; texts have their own.
        if setting.whole || !setting.temperature.is_some_and(|t| t > 0.0) {
            continue;
        }
        match found.iter_mut().find(|one| (one.run, &one.family) == (setting.run, &setting.family))
        {
            Some(one) => one.settings.push(i),
            None => found.push(Melting {
                run: setting.run,
                family: setting.family.clone(),
                settings: vec![i],
                point: None,
                turning: None,
            }),
        }
    }
    found.retain(|one| one.settings.len() >= 3);
    for one in &mut found {
        let t = |i: usize| settings[i].temperature.unwrap_or(0.0);
        one.settings.sort_by(|&a, &b| t(a).total_cmp(&t(b)));
        let temperatures: Vec<f64> = one.settings.iter().map(|&i| t(i)).collect();
        let each = |values: &[Values]| -> Vec<Vec<Vec<f64>>> {
            let of = |&i: &usize| values[one.run].chains[settings[i].index].clusters();
            one.settings.iter().map(of).collect()
        };
        let (heat, entropy) = (each(heat), each(entropy));
        one.point = point(&temperatures, &heat, peak);
        if temperatures.len() >= LEAST_FOR_TURN {
            one.turning = point(&temperatures, &entropy, turn);
        }
    }
    found
}

/// Finds a point of a curve, given x and y, and says whether it is at an end.
type Find = fn(&[f64], &[f64]) -> Option<(f64, bool)>;

/// A point of a curve, and its interval over resampled prompts. `values` are by temperature, prompt
/// and sample. `find` gets temperatures and values up to a common factor. Resampled prompts without
/// the point have it beyond the last temperature, which stands for it.
fn point(temperatures: &[f64], values: &[Vec<Vec<f64>>], find: Find) -> Option<MeltingPoint> {
    // With one prompt its samples are the units.
    let units = |prompts: &Vec<Vec<f64>>| match &prompts[..] {
        [only] => only.clone(),
        many => {
            many.iter().map(|values| values.iter().sum::<f64>() / values.len() as f64).collect()
        }
    };
    let units: Vec<Vec<f64>> = values.iter().map(units).collect();
    let n = units.first()?.len();
    if n == 0 || units.iter().any(|values| values.len() != n) {
        return None;
    }
    let peak_of = |picks: &[usize]| {
        let means: Vec<f64> =
            units.iter().map(|values| picks.iter().map(|&i| values[i]).sum::<f64>()).collect();
        find(temperatures, &means)
    };
    let (temperature, at_the_edge) = peak_of(&(0..n).collect::<Vec<_>>())?;
    let last = *temperatures.last()?;
    let mut dice = ChaCha8Rng::seed_from_u64(SEED);
    let mut resampled: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            let picks: Vec<usize> =
                (0..n).map(|_| ((u64::from(dice.next_u32()) * n as u64) >> 32) as usize).collect();
            peak_of(&picks).map_or(last, |found| found.0)
        })
        .collect();
    resampled.sort_by(f64::total_cmp);
    let at =
        |share: f64| resampled[((share * (RESAMPLES + 1) as f64) as usize).clamp(1, RESAMPLES) - 1];
    let between = neighbours(temperatures, temperature);
    Some(MeltingPoint { temperature, low: at(0.025), high: at(0.975), at_the_edge, between })
}

/// The two of the rising temperatures between which `t` lies; `None` if it is one of them, to two
/// digits.
fn neighbours(temperatures: &[f64], t: f64) -> Option<(f64, f64)> {
    let is_there = |&one: &f64| (one - t).abs() < 5e-3;
    let pair = temperatures.windows(2).find(|pair| pair[0] < t && t < pair[1])?;
    (!pair.iter().any(is_there)).then(|| (pair[0], pair[1]))
}

/// The maximum of a curve: the vertex of the parabola through the highest point and its neighbours;
/// also whether the maximum is at an end.
fn peak(x: &[f64], y: &[f64]) -> Option<(f64, bool)> {
    let top = (0..y.len()).max_by(|&a, &b| y[a].total_cmp(&y[b]).then(b.cmp(&a))).unwrap_or(0);
    if top == 0 || top + 1 >= x.len() {
        return Some((x[top], true));
    }
    let (a, b) = (x[top] - x[top - 1], x[top] - x[top + 1]);
    let (rise, fall) = (y[top] - y[top + 1], y[top] - y[top - 1]);
    let below = 2.0 * (a * rise - b * fall);
    let vertex = if below == 0.0 { x[top] } else { x[top] - (a * a * rise - b * b * fall) / below };
    Some((vertex.clamp(x[top - 1], x[top + 1]), false))
}

/// The first temperature but the ends at which the second derivative of ln y is positive, if there
/// is one. (The paper's code takes the last but one otherwise.) Derivatives are differences of
/// second order in the distances of neighbours, as in the paper's code.
fn turn(x: &[f64], y: &[f64]) -> Option<(f64, bool)> {
    let logs: Vec<f64> = y.iter().map(|&y| libm::log(y.max(f64::MIN_POSITIVE))).collect();
    let second = slopes(x, &slopes(x, &logs));
    (1..x.len() - 1).find(|&i| second[i] > 0.0).map(|i| (x[i], false))
}

/// dy/dx at each of at least two points.
fn slopes(x: &[f64], y: &[f64]) -> Vec<f64> {
    let step = |i: usize| (y[i + 1] - y[i]) / (x[i + 1] - x[i]);
    let last = x.len() - 1;
    let slope = |i: usize| match i {
        0 => step(0),
        i if i == last => step(last - 1),
        i => {
            let (left, right) = (x[i] - x[i - 1], x[i + 1] - x[i]);
            (right * step(i - 1) + left * step(i)) / (left + right)
        }
    };
    (0..=last).map(slope).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vertex_of_a_parabola_is_found_between_points() {
        let x = [0.2, 0.6, 0.9, 1.5];
        let y: Vec<f64> = x.iter().map(|x| -(x - 0.8f64).powi(2)).collect();
        let (at, edge) = peak(&x, &y).unwrap();
        assert!((at - 0.8).abs() < 1e-12 && !edge, "{at}");
        assert_eq!(peak(&x, &[1.0, 2.0, 3.0, 4.0]), Some((1.5, true)));
        assert_eq!(peak(&x, &[1.0, 1.0, 1.0, 1.0]), Some((0.2, true)));
    }

    #[test]
    fn prompts_that_melt_apart_widen_the_range() {
        let x = [0.5, 1.0, 1.5, 2.0];
        let bump =
            |at: f64| -> Vec<f64> { x.iter().map(|x| (-(x - at).powi(2) * 8.0).exp()).collect() };
        let prompts = |ats: &[f64]| -> Vec<Vec<Vec<f64>>> {
            (0..4).map(|t| ats.iter().map(|&at| vec![bump(at)[t]]).collect()).collect()
        };
        let same = point(&x, &prompts(&[1.0, 1.0, 1.0]), peak).unwrap();
        let apart = point(&x, &prompts(&[0.9, 1.1, 1.5]), peak).unwrap();
        assert!(same.low == same.high && (same.temperature - 1.0).abs() < 1e-9);
        assert!(
            apart.high - apart.low > 0.2
                && apart.low <= apart.temperature
                && apart.temperature <= apart.high
        );
    }

    /// The example of the paper's code (github StigLidu/TURN), by numpy's gradient.
    #[test]
    fn entropy_turns_where_the_papers_code_says() {
        let x: Vec<f64> = (1..=10).map(|i| f64::from(i) / 10.0).collect();
        let y = [0.0275, 0.0592, 0.09405, 0.1346, 0.1754, 0.2293, 0.2907, 0.4100, 0.5574, 0.8995];
        assert_eq!(turn(&x, &y), Some((0.6, false)));
        // np.gradient([0, 1, 4, 6], [0, 1, 3, 4])
        let found = slopes(&[0.0, 1.0, 3.0, 4.0], &[0.0, 1.0, 4.0, 6.0]);
        let expected = [1.0, 7.0 / 6.0, 11.0 / 6.0, 2.0];
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{found:?}");
        let concave: Vec<f64> = x.iter().map(|x| (3.0 * x - x * x).exp()).collect();
        assert_eq!(turn(&x, &concave), None);
        // Prompts of which one doesn't turn: the interval reaches to the end.
        let both = |t: usize| vec![vec![y[t]], vec![concave[t] / 100.0]];
        let found = point(&x, &(0..10).map(both).collect::<Vec<_>>(), turn).unwrap();
        assert_eq!(found.high, 1.0);
    }
}
