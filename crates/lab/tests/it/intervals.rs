//! The statistics themselves: on data with a difference that is known, how often the interval holds
//! it; on data without one, how often one is claimed.

use kelvin_lab::statistics::{
    Estimate, Matched, Over, Point, Series, Verdict, compare, holm, matched,
};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

const EXPERIMENTS: u64 = 2_000;
const RESAMPLES: usize = 999;

/// Random numbers of a made-up experiment.
struct Chance(ChaCha8Rng);

impl Chance {
    fn uniform(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        let (a, b) = (1.0 - self.uniform(), self.uniform());
        (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos()
    }

    /// Two settings that differ by `difference` on average: prompts differ among each other and
    /// answer to the setting differently, and samples share part of their chance.
    fn pair(
        &mut self,
        prompts: usize,
        samples: usize,
        difference: f64,
        answers: f64,
    ) -> [Series; 2] {
        let (mut a, mut b) = (Vec::new(), Vec::new());
        for _ in 0..prompts {
            let (prompt, effect) = (3.0 * self.normal(), difference + answers * self.normal());
            let (mut one, mut other) = (Vec::new(), Vec::new());
            for _ in 0..samples {
                let shared = prompt + self.normal();
                one.push(Some(shared + 0.5 * self.normal()));
                other.push(Some(shared + effect + 0.5 * self.normal()));
            }
            a.push(one);
            b.push(other);
        }
        [Series::new(a), Series::new(b)]
    }
}

/// In how many of `n` experiments something holds, as a share.
fn share(n: u64, seed: u64, mut one: impl FnMut(&mut Chance, u64) -> bool) -> f64 {
    let hits = (0..n).filter(|&i| one(&mut Chance(ChaCha8Rng::seed_from_u64(seed + i)), i));
    hits.count() as f64 / n as f64
}

/// 95 ± 1 % of 2,000 intervals hold the true difference.
#[test]
fn intervals_hold_the_truth_at_their_rate() {
    for (prompts, samples, answers) in [(3, 8, 0.5), (5, 8, 0.4), (8, 6, 0.5), (16, 4, 1.0)] {
        let held = share(EXPERIMENTS, 1_000_000, |chance, i| {
            let [a, b] = chance.pair(prompts, samples, 0.7, answers);
            let found = Estimate::with(&b.minus(&a), RESAMPLES, i).unwrap();
            let (low, high) = found.interval.unwrap();
            assert_eq!(found.over, Over::Prompts);
            low <= 0.7 && 0.7 <= high
        });
        assert!((0.94..=0.96).contains(&held), "{prompts} prompts of {samples}: {held}");
    }
}

/// Of shares of texts that loop, for most prompts none: what reaches beyond 0 … 1 is cut off, and
/// never held the truth.
#[test]
fn cutting_at_the_ends_of_a_metric_costs_no_truth() {
    // A prompt's chance to loop is u³, a text that does is from 0.3 to 0.9 of it in loops: 1/4 ·
    // 0.6 on average.
    let truth = 0.15;
    let mut cut = 0;
    let mut held = [0, 0];
    for i in 0..EXPERIMENTS {
        let mut chance = Chance(ChaCha8Rng::seed_from_u64(6_000_000 + i));
        let prompts = (0..8).map(|_| {
            let loops = chance.uniform().powi(3);
            let mut one =
                || if chance.uniform() < loops { 0.3 + 0.6 * chance.uniform() } else { 0.0 };
            (0..4).map(|_| Some(one())).collect()
        });
        let shares = Series::new(prompts.collect());
        let free = Estimate::with(&shares, RESAMPLES, i).unwrap();
        let within = Estimate::with(&shares.within(0.0, 1.0), RESAMPLES, i).unwrap();
        let (low, high) = within.interval.unwrap();
        assert!(0.0 <= low && low <= within.mean && within.mean <= high && high <= 1.0);
        assert_eq!((within.mean, within.p), (free.mean, free.p));
        cut += u64::from(within.interval != free.interval);
        for (held, interval) in held.iter_mut().zip([free.interval, within.interval]) {
            let (low, high) = interval.unwrap();
            *held += u64::from(low <= truth && truth <= high);
        }
    }
    assert_eq!(held[0], held[1]);
    // It matters, and the rate is what is promised, or better.
    assert!(cut > EXPERIMENTS / 5 && held[1] * 100 >= EXPERIMENTS * 94, "{cut} {held:?}");
}

/// With one prompt the interval speaks of that prompt alone.
#[test]
fn of_one_prompt_they_hold_its_own_truth() {
    let held = share(EXPERIMENTS, 2_000_000, |chance, i| {
        let [a, b] = chance.pair(1, 24, 0.7, 0.0);
        let found = Estimate::with(&b.minus(&a), RESAMPLES, i).unwrap();
        let (low, high) = found.interval.unwrap();
        assert_eq!(found.over, Over::Samples);
        low <= 0.7 && 0.7 <= high
    });
    assert!((0.94..=0.96).contains(&held), "{held}");
}

/// Without a difference one is claimed 5 times in 100, and Holm's correction keeps any claim at all
/// among ten to that.
#[test]
fn without_a_difference_claims_are_as_rare_as_stated() {
    let p_of = |chance: &mut Chance, i, prompts, samples| {
        let [a, b] = chance.pair(prompts, samples, 0.0, 0.5);
        Estimate::with(&b.minus(&a), RESAMPLES, i).unwrap().p.unwrap()
    };
    let claims = share(EXPERIMENTS, 3_000_000, |chance, i| p_of(chance, i, 8, 6) <= 0.05);
    assert!((0.04..=0.06).contains(&claims), "{claims}");
    let mut uncorrected = 0;
    let any = share(500, 4_000_000, |chance, i| {
        let p: Vec<f64> = (0..10).map(|_| p_of(chance, i, 6, 3)).collect();
        uncorrected += i32::from(p.iter().any(|&p| p <= 0.05));
        holm(&p).into_iter().any(|p| p <= 0.05)
    });
    // 500 experiments: within two standard errors.
    assert!(any <= 0.07, "{any}");
    // The correction is needed.
    assert!(uncorrected > 150, "{uncorrected}");
}

/// A difference that is there is found, a fifth as large as what prompts differ by: pairs are why.
#[test]
fn a_difference_is_found_between_pairs() {
    let found = share(200, 5_000_000, |chance, i| {
        let pair = chance.pair(12, 8, 0.6, 0.3);
        compare(&pair, 0, i)[0].verdict == Verdict::More
    });
    assert!(found > 0.95, "{found}");
}

/// Settings of two families along curves from quality to diversity: (quality, diversity) of each.
/// Prompts differ at both, and answer to each setting differently; what chance does to a sample's
/// quality is partly shared, diversity is a value for each prompt and goes along with quality.
fn settings(
    chance: &mut Chance,
    prompts: usize,
    samples: usize,
    at: &[(f64, f64)],
) -> Vec<[Series; 2]> {
    let mut found = vec![(Vec::new(), Vec::new()); at.len()];
    for _ in 0..prompts {
        let (level, kind) = (0.4 * chance.normal(), 0.1 * chance.normal());
        let shared: Vec<f64> = (0..samples).map(|_| 0.3 * chance.normal()).collect();
        for (&(q, d), (qualities, diversities)) in at.iter().zip(&mut found) {
            let own = 0.2 * chance.normal();
            let values =
                shared.iter().map(|shared| Some(q + level + own + shared + 0.3 * chance.normal()));
            qualities.push(values.collect());
            diversities.push(vec![Some(d + kind + 0.1 * own + 0.05 * chance.normal())]);
        }
    }
    found.into_iter().map(|(q, d)| [Series::new(q), Series::new(d)]).collect()
}

/// The first so many settings against the family that the others are.
fn beside(found: &[[Series; 2]], n: usize, seed: u64) -> Vec<Matched> {
    let points: Vec<Point<'_>> =
        found.iter().map(|[quality, diversity]| Point { quality, diversity }).collect();
    let family: Vec<usize> = (n..found.len()).collect();
    matched(&points, &(0..n).collect::<Vec<_>>(), &family, RESAMPLES, seed)
}

/// A gap between two curves that is known lies in its interval at the rate of intervals, is found,
/// and is found at equal quality, not at equal place: by themselves these settings are less diverse
/// than their neighbours.
#[test]
fn a_gap_at_equal_quality_is_held_and_found() {
    let line = |q: f64| (q, 1.0 + 0.5 * q);
    let (gap, at) = (0.25, 1.9);
    for (prompts, samples) in [(6, 8), (12, 4), (24, 4)] {
        let mut found = 0;
        let held = share(EXPERIMENTS, 7_000_000, |chance, i| {
            let curve = [(at, line(at).1 + gap), line(1.0), line(2.0), line(3.2)];
            let one = beside(&settings(chance, prompts, samples, &curve), 1, i).remove(0);
            assert!(one.between == [1, 2] || one.between == [2, 3], "{one:?}");
            found += u64::from(one.difference.verdict == Verdict::More);
            let (low, high) = one.difference.estimate.interval.unwrap();
            low <= gap && gap <= high
        });
        assert!((0.935..=0.965).contains(&held), "{prompts} prompts of {samples}: {held}");
        let least = if prompts < 10 { 70 } else { 97 };
        assert!(found * 100 > EXPERIMENTS * least, "{prompts} prompts of {samples}: {found}");
    }
}

/// Where all lie on one curve a difference is claimed for any of three settings in 5 of 100
/// experiments at most, on a straight one and on one that bends as diversity does, towards its
/// ceiling. By the line alone it would be claimed three times as often there.
#[test]
fn on_one_curve_no_difference_is_claimed() {
    let bent = |q: f64| (q, 4.0 - 2.0 * (-q).exp());
    let straight = |q: f64| (q, 1.0 + 0.5 * q);
    for (curve, is_bent) in [(&straight as &dyn Fn(f64) -> (f64, f64), false), (&bent, true)] {
        let at: Vec<(f64, f64)> = [1.4, 1.9, 2.5, 0.5, 1.1, 1.7, 2.3, 3.0].map(curve).to_vec();
        let mut by_the_line = 0;
        let claims = share(600, 8_000_000, |chance, i| {
            let found = beside(&settings(chance, 24, 4, &at), 3, i);
            let p: Vec<f64> = found.iter().filter_map(|one| one.difference.estimate.p).collect();
            by_the_line += i32::from(holm(&p).into_iter().any(|p| p <= 0.05));
            found.iter().any(|one| one.difference.verdict != Verdict::NotShown)
        });
        // 600 experiments: within two standard errors.
        assert!(claims <= 0.068, "{claims}");
        // The parabola is needed.
        assert_eq!(by_the_line > 60, is_bent, "{by_the_line}");
    }
}
