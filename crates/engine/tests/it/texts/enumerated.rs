//! The power distribution of a made-up model of 5 tokens and texts of up to 6, against all of its
//! texts written out.

use std::{collections::BTreeMap, ops::ControlFlow};

use kelvin_engine::{
    TokenId,
    rows::OfText,
    texts::{Drawn, Method, Quality, Settings, SmcQuality, Start, draw},
};
use kelvin_sampling::{Dice, Temp};

const V: u32 = 5;
const N: usize = 6;
/// Ends a text.
const END: TokenId = TokenId(4);
/// Texts begin after this prompt.
const PROMPT: [TokenId; 2] = [TokenId(1), TokenId(3)];

/// Logits that depend on the whole text by a hash: a likely token may lead to unlikely ones.
fn logits(text: &[TokenId]) -> Vec<f32> {
    let mut hash = text.iter().fold(0xcbf2_9ce4_8422_2325u64, |hash, token| {
        (hash ^ u64::from(token.0 + 1)).wrapping_mul(0x0100_0000_01b3)
    });
    let mut next = || {
        hash ^= hash >> 29;
        hash = hash.wrapping_mul(0xbf58_476d_1ce4_e5b9);
        hash ^= hash >> 32;
        (hash >> 40) as f32 / 2f32.powi(24)
    };
    // An end is less likely than other tokens, so that texts get long.
    (0..V).map(|token| 7.0 * next() - if token == END.0 { 3.0 } else { 0.0 }).collect()
}

/// Draws on the made-up model. Returns what was drawn, and how many rows the model computed.
fn draws_of(t: f32, method: Method, dice: &[Dice]) -> (Vec<Drawn>, usize) {
    let settings = Settings::new(Temp::new(t).unwrap(), method, N).unwrap();
    let mut model = OfText::new(logits);
    let start = Start::read(&mut model, PROMPT.to_vec()).unwrap();
    let ends = |tokens: &[TokenId]| tokens.last() == Some(&END);
    let go_on = &mut |_| ControlFlow::Continue(());
    let drawn = draw(&mut model, &start, &settings, dice, &ends, go_on).unwrap();
    (drawn, model.n_rows())
}

/// All texts with ln p and the weight ln w of a draw at token temperature `t`.
fn enumerate(t: f64) -> BTreeMap<Vec<TokenId>, (f64, f64)> {
    let (mut all, mut open) = (BTreeMap::new(), vec![(Vec::new(), 0.0, 0.0)]);
    while let Some((text, ln_p, ln_w)) = open.pop() {
        let read = [&PROMPT[..], &text].concat();
        let xs: Vec<f64> = logits(&read).into_iter().map(f64::from).collect();
        let ln_sum = |t: f64| xs.iter().map(|x| (x / t).exp()).sum::<f64>().ln();
        let ln_w = ln_w + ln_sum(t) - ln_sum(1.0) / t;
        for (token, x) in (0..V).map(TokenId).zip(&xs) {
            let (longer, ln_p) = ([&text[..], &[token]].concat(), ln_p + x - ln_sum(1.0));
            if token == END || longer.len() == N {
                all.insert(longer, (ln_p, ln_w));
            } else {
                open.push((longer, ln_p, ln_w));
            }
        }
    }
    all
}

/// The power distribution by its definition.
struct Truth {
    p: BTreeMap<Vec<TokenId>, f64>,
    ln_z: f64,
    /// Mean and variance of -ln p.
    energy: f64,
    variance: f64,
    /// Mean of ln w, which is larger than that of draws at token temperature.
    ln_w: f64,
}

impl Truth {
    fn at(t: f64) -> Truth {
        let texts = enumerate(t);
        let z: f64 = texts.values().map(|(ln_p, _)| (ln_p / t).exp()).sum();
        let mean = |f: &dyn Fn(f64, f64) -> f64| -> f64 {
            texts.values().map(|&(ln_p, ln_w)| (ln_p / t).exp() / z * f(-ln_p, ln_w)).sum()
        };
        let energy = mean(&|e, _| e);
        let variance = mean(&|e, _| (e - energy) * (e - energy));
        let ln_w = mean(&|_, ln_w| ln_w);
        let p = texts.iter().map(|(text, (ln_p, _))| (text.clone(), (ln_p / t).exp() / z));
        Truth { p: p.collect(), ln_z: z.ln(), energy, variance, ln_w }
    }

    /// The chi-squared statistic of draws, as a number of its standard deviations (Wilson and
    /// Hilferty 1931). Texts of which fewer than 5 are expected are one cell.
    fn chi_squared(&self, drawn: &[Vec<TokenId>]) -> f64 {
        let n = drawn.len() as f64;
        let mut counts: BTreeMap<&[TokenId], f64> = BTreeMap::new();
        drawn.iter().for_each(|text| *counts.entry(&text[..]).or_default() += 1.0);
        let (mut sum, mut cells, mut rest) = (0.0, 0.0, (0.0, 0.0));
        for (text, p) in &self.p {
            let (count, expected) = (counts.get(&text[..]).copied().unwrap_or(0.0), n * p);
            if expected < 5.0 {
                rest = (rest.0 + count, rest.1 + expected);
            } else {
                sum += (count - expected) * (count - expected) / expected;
                cells += 1.0;
            }
        }
        assert!(cells > 10.0 && rest.1 > 5.0, "{cells} cells, {} in the rest", rest.1);
        sum += (rest.0 - rest.1) * (rest.0 - rest.1) / rest.1;
        let spread = 2.0 / (9.0 * cells);
        ((sum / cells).cbrt() - (1.0 - spread)) / spread.sqrt()
    }
}

fn run(t: f32, method: Method, seed: u64, n: u64) -> Vec<Drawn> {
    let dice: Vec<Dice> = (0..n).map(|sample| Dice { seed, sample }).collect();
    draws_of(t, method, &dice).0
}

fn tokens(drawn: &[Drawn]) -> Vec<Vec<TokenId>> {
    drawn.iter().map(|one| one.path.as_ref().unwrap().tokens.clone()).collect()
}

fn smc(drawn: &Drawn) -> &SmcQuality {
    let Quality::Smc(quality) = &drawn.quality else { panic!("{:?}", drawn.quality) };
    quality
}

/// Fewer draws where code isn't optimised, unless KELVIN_ALL_DRAWS is set.
fn draws(all: u64) -> u64 {
    let is_full = !cfg!(debug_assertions) || std::env::var_os("KELVIN_ALL_DRAWS").is_some();
    if is_full { all } else { all / 100 }
}

const EXACT: Method = Method::Exact { tries: 100_000, at_once: 4 };

#[test]
fn accepted_texts_have_the_power_distribution() {
    let truth = Truth::at(0.6);
    let drawn = run(0.6, EXACT, 1, draws(1_000_000));
    let chi = truth.chi_squared(&tokens(&drawn));
    assert!(chi.abs() < 4.0, "{chi} standard deviations");
    // The mean number of tries is 1/Z.
    let tries = drawn.iter().map(|one| match one.quality {
        Quality::Exact { tries, accepted: true } => tries as f64,
        _ => panic!("{:?}", one.quality),
    });
    let (n, ratio) =
        (drawn.len() as f64, tries.sum::<f64>() / drawn.len() as f64 * truth.ln_z.exp());
    assert!((ratio - 1.0).abs() < 4.0 / n.sqrt(), "{ratio}");
    // Token temperature is something else: the test would see it.
    let token = run(0.6, Method::Smc { particles: 2 }, 2, draws(1_000_000));
    assert!(truth.chi_squared(&tokens(&token)) > 10.0);
}

#[test]
fn tries_at_once_and_company_change_nothing() {
    let texts = |at_once, n| {
        let drawn = run(0.5, Method::Exact { tries: 30, at_once }, 3, n);
        drawn
            .into_iter()
            .map(|one| (one.path.map(|path| path.tokens), one.quality))
            .collect::<Vec<_>>()
    };
    let one_by_one = texts(1, 100);
    for at_once in [2, 7, 64] {
        assert_eq!(texts(at_once, 100), one_by_one);
    }
    assert_eq!(texts(16, 9)[..], one_by_one[..9]);
    // What wasn't accepted is said.
    let refused = (None, Quality::Exact { tries: 30, accepted: false });
    assert!(one_by_one.contains(&refused), "{one_by_one:?}");
}

#[test]
fn at_one_a_text_has_an_ordinary_temperature() {
    let truth = Truth::at(1.0);
    assert!(truth.ln_z.abs() < 1e-12);
    let exact = run(1.0, EXACT, 4, 500);
    assert!(exact.iter().all(|one| one.quality == Quality::Exact { tries: 1, accepted: true }));
    for one in run(1.0, Method::Smc { particles: 8 }, 4, 50) {
        let quality = smc(&one);
        let found = (quality.resamplings, quality.ancestors, quality.ess, quality.ln_z);
        assert_eq!(found, (0, 8, 8.0, 0.0));
    }
    let moves = run(1.0, Method::Mcmc { moves: 4, block: N }, 4, 500);
    assert!(truth.chi_squared(&tokens(&run(1.0, EXACT, 5, 3000))).abs() < 4.0);
    // Every move between texts of equal length is accepted.
    let accepted = moves.iter().filter(|one| match one.quality {
        Quality::Mcmc { moves, accepted, .. } => moves == accepted,
        _ => false,
    });
    assert!(accepted.count() > 100);
}

/// Mean of a figure and its standard error.
fn mean(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (n - 1.0);
    (mean, (variance / n).sqrt())
}

/// Mean ln w of the drawn texts.
fn ln_w(drawn: &[Drawn]) -> (f64, f64) {
    let all: Vec<f64> = drawn.iter().map(|one| one.path.as_ref().unwrap().ln_weight(0)).collect();
    mean(&all)
}

#[test]
fn particles_converge_in_their_number() {
    for t in [0.7, 1.6] {
        let truth = Truth::at(f64::from(t));
        let n = draws(200_000);
        let far = |particles| {
            let (found, error) = ln_w(&run(t, Method::Smc { particles }, 6, n));
            ((found - truth.ln_w).abs(), error)
        };
        let all = [2, 8, 64].map(|k| (k, far(k)));
        let [(_, few), (_, some), (_, many)] = all;
        assert!(few.0 > 6.0 * few.1 && few.0 > 1.5 * some.0, "T = {t}: {all:?}");
        assert!(many.0 < 5.0 * many.1 + 0.01, "T = {t}: {all:?}");
    }
}

#[test]
fn the_estimate_of_z_has_no_bias_and_knows_its_error() {
    for (t, particles) in [(0.5, 16), (0.7, 64), (1.5, 64)] {
        let truth = Truth::at(f64::from(t));
        let drawn = run(t, Method::Smc { particles }, 7, draws(40_000));
        let ratios: Vec<f64> = drawn.iter().map(|one| (smc(one).ln_z - truth.ln_z).exp()).collect();
        let (found, error) = mean(&ratios);
        assert!((found - 1.0).abs() < 4.0 * error, "T = {t}: {found} ± {error}");
        let squares: Vec<f64> = ratios.iter().map(|ratio| (ratio - 1.0) * (ratio - 1.0)).collect();
        // What has no bias is the variance of Z's estimate, not that of its logarithm.
        let said = drawn
            .iter()
            .zip(&ratios)
            .map(|(one, ratio)| smc(one).ln_z_error.unwrap_or(1.0) * ratio);
        let said = said.map(|error| error * error).sum::<f64>() / drawn.len() as f64;
        let real = mean(&squares).0;
        // Systematic resampling varies less than what the estimate assumes.
        assert!((0.7..2.0).contains(&(said / real)), "T = {t}: said {said}, is {real}");
        // The weighted particles have the distribution's energy and its variance.
        if particles == 64 {
            let (e, e_error) = mean(&drawn.iter().map(|one| smc(one).energy).collect::<Vec<_>>());
            assert!((e - truth.energy).abs() < 4.0 * e_error + 0.03, "{e} {}", truth.energy);
            let of = |one: &Drawn| smc(one).energy_squared - smc(one).energy * smc(one).energy;
            let (v, v_error) = mean(&drawn.iter().map(of).collect::<Vec<_>>());
            assert!(
                (v / truth.variance - 1.0).abs() < 0.1 + 4.0 * v_error,
                "{v} {}",
                truth.variance
            );
        }
    }
}

#[test]
fn moves_converge_in_their_number() {
    for (t, block) in [(0.7, N), (0.7, 2), (1.6, N)] {
        let truth = Truth::at(f64::from(t));
        let n = draws(200_000);
        let far = |moves| {
            let (found, error) = ln_w(&run(t, Method::Mcmc { moves, block }, 8, n));
            ((found - truth.ln_w).abs(), error)
        };
        let all = [1, 4, 60].map(far);
        let [few, some, many] = all;
        assert!(few.0 > 5.0 * few.1 && few.0 > some.0, "T = {t}, block {block}: {all:?}");
        assert!(many.0 < 4.0 * many.1, "T = {t}, block {block}: {all:?}");
    }
}

/// Stationary moves leave the power distribution as it is: many of them have it, in blocks or not.
#[test]
fn many_moves_have_the_power_distribution() {
    let truth = Truth::at(0.7);
    for block in [3, N] {
        let drawn = run(0.7, Method::Mcmc { moves: 120, block }, 9, draws(150_000));
        let chi = truth.chi_squared(&tokens(&drawn));
        assert!(chi.abs() < 4.0, "block {block}: {chi} standard deviations");
    }
}

/// Texts that are equal so far are one row of a step.
#[test]
fn equal_texts_are_read_once() {
    let dice = [Dice { seed: 1, sample: 0 }];
    let (drawn, n_rows) = draws_of(0.05, Method::Smc { particles: 32 }, &dice);
    assert!(n_rows < 4 * N, "{n_rows} rows");
    assert_eq!(drawn[0].n_read, n_rows as u64);
}

#[test]
fn what_cannot_be_is_one_sentence() {
    let of = |t: f32, method, n| Settings::new(Temp::new(t).unwrap(), method, n).unwrap_err();
    let smc = |particles| Method::Smc { particles };
    for (error, words) in [
        (of(0.0, smc(16), 9), "the likeliest of all"),
        (of(2.0, EXACT, 9), "at T = 2 they are larger"),
        (of(0.5, smc(1), 9), "the number of particles is 1, but it is a number from 2 to 1024"),
        (of(0.5, smc(1025), 9), "is 1025"),
        (of(0.5, Method::Exact { tries: 0, at_once: 1 }, 9), "the number of tries is 0"),
        (of(0.5, Method::Mcmc { moves: 0, block: 1 }, 9), "the number of moves is 0"),
        (of(0.5, Method::Mcmc { moves: 1, block: 0 }, 9), "the block is 0"),
        (of(0.5, smc(16), 0), "at least 1"),
    ] {
        let said = error.to_string();
        assert!(said.contains(words) && !said.contains(". "), "{said}");
    }
}
