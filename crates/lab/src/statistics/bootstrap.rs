//! Confidence intervals of means over prompts and samples: the two-level studentised bootstrap.

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

use serde::Serialize;

use super::{
    series::{Series, mean},
    student,
};

/// The number of resamples of an interval.
pub const RESAMPLES: usize = 4_999;
/// The nominal coverage of an interval.
pub const COVERAGE: f64 = 0.95;
/// The minimum number of prompts for the bootstrap. With fewer, Student's t is used.
const FEWEST: usize = 4;
/// Lower bound of a resample's standard error, relative to the sample's own. A resample of few
/// repeated values would otherwise have an error of 0.
const LEAST_ERROR: f64 = 0.1;

/// A mean with its confidence interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The mean over prompts of the means over their samples.
    pub mean: f64,
    /// The ends of the 95 % interval; `None` if the spread can't be estimated.
    pub interval: Option<(f64, f64)>,
    /// The two-sided p-value of a mean of 0; `None` if the spread can't be estimated.
    pub p: Option<f64>,
    /// The population that the interval generalises to.
    pub over: Over,
    /// The number of values.
    pub n: usize,
}

/// The population that an interval generalises to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Over {
    /// Other prompts of this kind, and other random numbers.
    Prompts,
    /// This prompt, with other random numbers.
    Samples,
}

impl Estimate {
    /// The mean of a series with its interval; `None` for an empty series.
    ///
    /// The bootstrap resamples prompts, then each prompt's samples, and studentises: it looks at
    /// the mean in units of the resample's own standard error, with equal tails (Davison & Hinkley
    /// 1997, 3.8 and 5.2). Resampling at both levels counts the samples' spread twice; dividing by
    /// the error of the same resample cancels it. With 4 to 8 prompts the coverage is 94 to 96 %,
    /// with long-tailed values 90 to 94 %; percentile and BCa intervals fall to 72 to 90 %
    /// (docs/log/2026-11-25-intervals.md). With one prompt its samples stand in for the prompts.
    ///
    /// The interval is clipped to the series' [ends](Series::ends), since a mean can't lie outside
    /// (there are no loops beyond 100 % of a text). The true mean lies inside, so clipping doesn't
    /// change the coverage. Resampling on a bounded scale (arcsine, logit) covers equally well but
    /// would give means and differences different scales; percentile intervals stay inside but
    /// cover too little (docs/log/2026-11-25-intervals.md). Equal values have an interval of width
    /// 0: a rare event that wasn't seen may still occur.
    ///
    /// Equal numbers and `seed` give equal intervals on every machine.
    pub fn of(series: &Series, seed: u64) -> Option<Estimate> {
        Estimate::with(series, RESAMPLES, seed)
    }

    /// [`Estimate::of`] with a given number of resamples.
    pub fn with(series: &Series, resamples: usize, seed: u64) -> Option<Estimate> {
        Some(unbounded(series, resamples, seed)?.within(series.ends()))
    }

    /// Clips the interval to the ends of its quantity.
    pub(super) fn within(self, (least, most): (f64, f64)) -> Estimate {
        // Rounding may put the mean itself beyond an end.
        let cut = |(low, high): (f64, f64)| {
            (low.max(least).min(self.mean), high.min(most).max(self.mean))
        };
        Estimate { interval: self.interval.map(cut), ..self }
    }
}

/// [`Estimate::of`] for an unbounded quantity.
fn unbounded(series: &Series, resamples: usize, seed: u64) -> Option<Estimate> {
    let mut clusters = series.clusters();
    let mut over = Over::Prompts;
    if let [only] = &clusters[..] {
        clusters = only.iter().map(|&value| vec![value]).collect();
        over = Over::Samples;
    }
    let means: Vec<f64> = clusters.iter().map(|values| mean(values)).collect();
    let resample = |center, error| resample(&clusters, center, error, resamples, seed);
    studentised(&means, over, series.len(), resample)
}

/// The estimate of a mean of independent units, from `n` values in all. `resample` receives the
/// mean and its error, and returns the resamples' deviations from the mean in units of the
/// resample's own error. It is only called with enough units.
pub(super) fn studentised(
    units: &[f64],
    over: Over,
    n: usize,
    resample: impl FnOnce(f64, f64) -> Vec<f64>,
) -> Option<Estimate> {
    if units.is_empty() {
        return None;
    }
    let (center, error) = mean_and_error(units);
    let unknown = Estimate { mean: center, interval: None, p: None, over, n };
    if units.len() < 2 || !error.is_finite() {
        return Some(unknown);
    }
    if error <= 1e-12 * center.abs() {
        // All units are equal, except for rounding. If the true mean were 0, all k would have the
        // same sign with probability 2^(1-k).
        let p = if center == 0.0 { 1.0 } else { 0.5f64.powi(units.len() as i32 - 1) };
        return Some(Estimate { interval: Some((center, center)), p: Some(p), ..unknown });
    }
    if units.len() < FEWEST {
        let freedom = units.len() - 1;
        let reach = student::quantile(freedom, 1.0 - (1.0 - COVERAGE) / 2.0) * error;
        let p = 2.0 * student::upper_tail(freedom, (center / error).abs());
        return Some(Estimate {
            interval: Some((center - reach, center + reach)),
            p: Some(p),
            ..unknown
        });
    }
    let mut deviations = resample(center, error);
    deviations.sort_by(f64::total_cmp);
    let resamples = deviations.len();
    let tail = (1.0 - COVERAGE) / 2.0;
    let at = |share: f64| deviations[place(share, resamples)];
    let interval = (center - at(1.0 - tail) * error, center - at(tail) * error);
    // Twice the share of resamples beyond 0, on the rarer side.
    let found = center / error;
    let below = deviations.partition_point(|&t| t < found);
    let not_above = deviations.partition_point(|&t| t <= found);
    let rarer = (resamples - below).min(not_above) + 1;
    let p = (2.0 * rarer as f64 / (resamples + 1) as f64).min(1.0);
    Some(Estimate { interval: Some(interval), p: Some(p), ..unknown })
}

/// Basic bootstrap intervals of statistics of `n` independent units: 2θ minus the quantiles of the
/// resamples (Davison & Hinkley 1997, 5.2), clipped to `ends` and widened to hold θ. `values` are
/// the statistics of the sample itself, `of` computes them from the indices of a resample's units.
pub(crate) fn basic_intervals<const N: usize>(
    n: usize,
    values: [f64; N],
    ends: [(f64, f64); N],
    resamples: usize,
    seed: u64,
    of: impl Fn(&[usize]) -> [f64; N],
) -> [(f64, f64); N] {
    let mut dice = Dice::new(seed);
    let mut picks = vec![0; n];
    let mut drawn: [Vec<f64>; N] = std::array::from_fn(|_| Vec::with_capacity(resamples));
    for _ in 0..resamples {
        picks.fill_with(|| dice.pick(n));
        for (all, value) in drawn.iter_mut().zip(of(&picks)) {
            all.push(value);
        }
    }
    let tail = (1.0 - COVERAGE) / 2.0;
    std::array::from_fn(|i| {
        drawn[i].sort_by(f64::total_cmp);
        let mirrored = |share: f64| 2.0 * values[i] - drawn[i][place(share, resamples)];
        let (least, most) = ends[i];
        // Mirrored quantiles of a biased statistic may lie on one side of it.
        let low = mirrored(1.0 - tail).clamp(least, most).min(values[i]);
        (low, mirrored(tail).clamp(least, most).max(values[i]))
    })
}

/// The index of a quantile among sorted numbers.
fn place(share: f64, n: usize) -> usize {
    ((share * (n + 1) as f64).round() as usize).clamp(1, n) - 1
}

/// (mean of a resample - mean)/(error of the resample).
fn resample(
    clusters: &[Vec<f64>],
    center: f64,
    error: f64,
    resamples: usize,
    seed: u64,
) -> Vec<f64> {
    let mut dice = Dice::new(seed);
    let mut drawn = vec![0.0; clusters.len()];
    let one = |_| {
        for slot in &mut drawn {
            let values = &clusters[dice.pick(clusters.len())];
            let sum: f64 = values.iter().map(|_| values[dice.pick(values.len())]).sum();
            *slot = sum / values.len() as f64;
        }
        deviation(&drawn, center, error)
    };
    (0..resamples).map(one).collect()
}

/// The deviation of a resample's mean from `center`, in units of the resample's own error. `error`
/// is the whole sample's.
pub(super) fn deviation(drawn: &[f64], center: f64, error: f64) -> f64 {
    let (mean, spread) = mean_and_error(drawn);
    (mean - center) / spread.max(LEAST_ERROR * error)
}

/// The random numbers of the bootstrap.
pub(crate) struct Dice(ChaCha8Rng);

impl Dice {
    pub(crate) fn new(seed: u64) -> Dice {
        Dice(ChaCha8Rng::seed_from_u64(seed))
    }

    /// A uniform integer below `n`.
    pub(crate) fn pick(&mut self, n: usize) -> usize {
        ((u64::from(self.0.next_u32()) * n as u64) >> 32) as usize
    }
}

/// The mean and its standard error.
fn mean_and_error(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let center = mean(values);
    let squares: f64 = values.iter().map(|x| (x - center) * (x - center)).sum();
    (center, (squares / (n - 1.0) / n).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(prompts: &[&[f64]]) -> Series {
        Series::new(
            prompts.iter().map(|values| values.iter().map(|&x| Some(x)).collect()).collect(),
        )
    }

    #[test]
    fn the_same_seed_gives_the_same_interval() {
        let data = series(&[&[1.0, 2.0], &[2.0, 4.0], &[0.0, 1.0], &[3.0, 1.0], &[2.0, 2.5]]);
        let (a, b) = (Estimate::of(&data, 7).unwrap(), Estimate::of(&data, 7).unwrap());
        assert_eq!(a, b);
        let (low, high) = a.interval.unwrap();
        assert!(
            low < a.mean && a.mean < high && a.mean == 1.85 && a.n == 10 && a.over == Over::Prompts
        );
        let (other, _) = Estimate::of(&data, 8).unwrap().interval.unwrap();
        assert!(other != low && (other - low).abs() < 0.2);
    }

    #[test]
    fn little_data_gives_little() {
        assert_eq!(Estimate::of(&series(&[]), 1), None);
        let one = Estimate::of(&series(&[&[3.0]]), 1).unwrap();
        assert_eq!((one.mean, one.interval, one.p, one.over), (3.0, None, None, Over::Samples));
        // Student's t with one degree of freedom: 12.706.
        let two = Estimate::of(&series(&[&[1.0], &[3.0, 3.0]]), 1).unwrap();
        let (low, high) = two.interval.unwrap();
        assert!((low + 10.706).abs() < 1e-2 && (high - 14.706).abs() < 1e-2, "{low} {high}");
        assert!((two.p.unwrap() - 0.2952).abs() < 1e-3);
        let same = Estimate::of(&series(&[&[2.0], &[2.0], &[2.0]]), 1).unwrap();
        assert_eq!((same.interval, same.p), (Some((2.0, 2.0)), Some(0.25)));
        assert_eq!(Estimate::of(&series(&[&[0.0], &[0.0]]), 1).unwrap().p, Some(1.0));
    }

    /// An interval ends where its metric does, and says the same of 0 as before.
    #[test]
    fn nothing_is_claimed_beyond_the_ends() {
        let shares = series(&[&[0.0, 0.0], &[0.9, 1.0], &[0.0, 0.1], &[0.0, 0.0], &[0.0, 0.0]]);
        let free = Estimate::of(&shares, 3).unwrap();
        let cut = Estimate::of(&shares.clone().within(0.0, 1.0), 3).unwrap();
        let (low, high) = free.interval.unwrap();
        assert!(low < 0.0 && high > 1.0, "{low} {high}");
        assert_eq!(cut, Estimate { interval: Some((0.0, 1.0)), ..free });
        let none = series(&[&[0.0, 0.0][..]; 5]).within(0.0, 1.0);
        let difference = Estimate::of(&shares.within(0.0, 1.0).minus(&none), 3).unwrap();
        assert_eq!((difference.interval, difference.p), (Some((low, 1.0)), free.p));
        // Below four prompts too.
        let few = Estimate::of(&series(&[&[0.1], &[0.9]]).within(0.0, 1.0), 1).unwrap();
        assert_eq!(few.interval, Some((0.0, 1.0)));
        // A mean that rounding has carried over its end stays in its interval.
        let over =
            Estimate::of(&series(&[&[4.0 + 1e-9], &[4.0 + 1e-9]]).within(1.0, 4.0), 1).unwrap();
        assert_eq!(over.interval, Some((over.mean, over.mean)));
    }

    /// The p-value and the interval say the same.
    #[test]
    fn zero_is_outside_exactly_if_p_is_small() {
        for i in 0..60 {
            let shift = f64::from(i) * 0.05;
            let data: Vec<Vec<f64>> =
                (0..6).map(|k| vec![shift + f64::from(k * k % 7) - 3.0, shift - 0.5]).collect();
            let data = series(&data.iter().map(Vec::as_slice).collect::<Vec<_>>());
            let found = Estimate::with(&data, 1999, 3).unwrap();
            let (low, high) = found.interval.unwrap();
            let p = found.p.unwrap();
            // At the boundary itself either may stand.
            assert!(
                (p - 0.05).abs() < 2e-3 || (p < 0.05) == (low > 0.0 || high < 0.0),
                "{p} {low} {high}"
            );
        }
    }
}
