//! Softmax in f64: of typed numbers, and for one token of a model's logits.

use crate::{SampleError, TokenId};

/// exp(x_i/T) / Σ exp(x_j/T) in f64, in the order of `logits`. At T = ∞ all are equal; at T = 0 the
/// first of the largest has everything.
///
/// For views: nothing is drawn and no chain is applied. -inf is a masked entry with probability 0.
/// `None` if there are no entries, if all are masked, if a logit is NaN or +inf, or if `t` is NaN
/// or negative.
///
/// ```
/// let p = kelvin_sampling::softmax(&[1.0, 2.0], 5.0).expect("numbers");
/// assert_eq!(format!("{:.6} {:.6}", p[0], p[1]), "0.450166 0.549834");
/// ```
pub fn softmax(logits: &[f64], t: f64) -> Option<Vec<f64>> {
    if logits.iter().any(|x| x.is_nan() || *x == f64::INFINITY) || t.is_nan() || t < 0.0 {
        return None;
    }
    let max = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if max == f64::NEG_INFINITY {
        return None;
    }
    if t == 0.0 {
        let first = logits.iter().position(|&x| x == max)?;
        return Some((0..logits.len()).map(|i| f64::from(u8::from(i == first))).collect());
    }
    let weight = |&x: &f64| match x {
        f64::NEG_INFINITY => 0.0,
        // 0 divided by a T that rounds to 0 or ∞ must not become NaN.
        _ if x == max || t == f64::INFINITY => 1.0,
        _ => libm::exp((x - max) / t),
    };
    let weights: Vec<f64> = logits.iter().map(weight).collect();
    let total: f64 = weights.iter().sum();
    Some(weights.into_iter().map(|w| w / total).collect())
}

/// What a softmax in f64 has to tell beside its probabilities, all with the largest logit taken out
/// first so that nothing overflows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thermal {
    /// H = -Σ p ln p, in nats.
    pub entropy: f64,
    /// F = -T ln Σ exp(x/T), in logits. At T = 0 its limit, -max; at T = ∞ -∞ if there is a choice.
    pub free_energy: f64,
    /// C = Var_p(x)/T², in nats. 0 at T = 0 and at T = ∞, its limits.
    pub heat_capacity: f64,
}

/// The figures of [`softmax`]. `None` where that has no distribution.
///
/// ```
/// let even = kelvin_sampling::thermal(&[0.0, 0.0], 1.0).expect("numbers");
/// assert!((even.entropy - 2f64.ln()).abs() < 1e-15);
/// assert!((even.free_energy + 2f64.ln()).abs() < 1e-15);
/// ```
pub fn thermal(logits: &[f64], t: f64) -> Option<Thermal> {
    let p = softmax(logits, t)?;
    let max = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let drawn = |f: &dyn Fn(f64) -> f64| -> f64 {
        logits.iter().zip(&p).filter(|(_, p)| **p > 0.0).map(|(&x, p)| p * f(x)).sum()
    };
    let entropy = p.iter().filter(|&&p| p > 0.0).map(|p| -p * libm::log(*p)).sum::<f64>().max(0.0);
    if t == 0.0 || t == f64::INFINITY {
        let chooses = t > 0.0 && logits.iter().filter(|x| **x > f64::NEG_INFINITY).count() > 1;
        let free_energy = if chooses { f64::NEG_INFINITY } else { -max };
        return Some(Thermal { entropy, free_energy, heat_capacity: 0.0 });
    }
    let weight = |&x: &f64| if x == max { 1.0 } else { libm::exp((x - max) / t) };
    let ln_z = libm::log(logits.iter().map(weight).sum::<f64>());
    // Distances from the maximum in units of T stay small where T² would leave f64's range.
    let d = |x: f64| if x == max { 0.0 } else { (x - max) / t };
    let mean = drawn(&d);
    let heat_capacity = drawn(&|x| (d(x) - mean) * (d(x) - mean));
    Some(Thermal { entropy, free_energy: -(max + t * ln_z), heat_capacity })
}

/// -ln p of a token under a model's own logits, in nats: [`crate::Distribution::surprisal`] of the
/// neutral chain, in one pass without buffers. For scoring texts. All in f64; ∞ for a masked token.
///
/// # Errors
/// If there are no logits, if one is NaN or +inf, if all are masked, or if there is no such token.
pub fn surprisal(logits: &[f32], token: TokenId) -> Result<f64, SampleError> {
    let (max, x) = checked(logits, token)?;
    let z: f64 = logits.iter().map(|&x| libm::exp(f64::from(x) - max)).sum();
    Ok(libm::log(z) - (x - max))
}

/// [`surprisal`] and the entropy of the whole distribution, both in nats.
///
/// # Errors
/// Those of [`surprisal`].
pub fn surprisal_and_entropy(logits: &[f32], token: TokenId) -> Result<(f64, f64), SampleError> {
    let (max, x) = checked(logits, token)?;
    let (mut z, mut moment) = (0.0, 0.0);
    for &x in logits {
        let d = f64::from(x) - max;
        let weight = libm::exp(d);
        z += weight;
        // A masked token's weight is 0, its distance infinite.
        if weight > 0.0 {
            moment += weight * d;
        }
    }
    let ln_z = libm::log(z);
    Ok((ln_z - (x - max), ln_z - moment / z))
}

/// How far one model's distribution is from another's at T = 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Divergence {
    /// KL(p ‖ q) = Σ p ln(p/q), in nats; at least 0, ∞ where q masks what p doesn't.
    pub kl: f64,
    /// Whether both have the same likeliest token (of equal logits the first).
    pub same_top: bool,
}

/// The divergence of the distribution of logits `q` from that of logits `p`, all in f64.
///
/// With d the distance from the maximum, KL(p ‖ q) = Σ p·(d_p - d_q) - ln Z_p + ln Z_q.
///
/// # Errors
/// If one has no distribution, as in [`surprisal`], or if their lengths differ.
pub fn divergence(p: &[f32], q: &[f32]) -> Result<Divergence, SampleError> {
    let first_of = |logits: &[f32]| -> Result<(f64, usize), SampleError> {
        let (max, _) = checked(logits, TokenId(0))?;
        let first = logits.iter().position(|&x| f64::from(x) == max);
        Ok((max, first.expect("a maximum is one of the logits")))
    };
    let ((max_p, top_p), (max_q, top_q)) = (first_of(p)?, first_of(q)?);
    if p.len() != q.len() {
        let (token, vocab) = (TokenId(p.len().min(q.len()) as u32), p.len().min(q.len()));
        return Err(SampleError::UnknownToken { stage: "divergence", token, vocab });
    }
    let (mut z_p, mut z_q, mut moment) = (0.0, 0.0, 0.0);
    for (&x, &y) in p.iter().zip(q) {
        let (d_p, d_q) = (f64::from(x) - max_p, f64::from(y) - max_q);
        let weight = libm::exp(d_p);
        z_p += weight;
        z_q += libm::exp(d_q);
        if weight > 0.0 {
            moment += weight * (d_p - d_q);
        }
    }
    // Rounding may leave less than nothing between equal distributions.
    let kl = (moment / z_p - libm::log(z_p) + libm::log(z_q)).max(0.0);
    Ok(Divergence { kl, same_top: top_p == top_q })
}

/// The largest logit and the token's, after checking both.
fn checked(logits: &[f32], token: TokenId) -> Result<(f64, f64), SampleError> {
    if logits.is_empty() {
        return Err(SampleError::Empty);
    }
    let bad = |x: &f32| x.is_nan() || *x == f32::INFINITY;
    if let Some(i) = logits.iter().position(bad) {
        return Err(SampleError::BadLogit { token: TokenId(i as u32), value: logits[i] });
    }
    let max = f64::from(logits.iter().copied().fold(f32::NEG_INFINITY, f32::max));
    if max == f64::NEG_INFINITY {
        return Err(SampleError::AllMasked { count: logits.len() });
    }
    let Some(&x) = logits.get(token.index()) else {
        return Err(SampleError::UnknownToken { stage: "surprisal", token, vocab: logits.len() });
    };
    Ok((max, f64::from(x)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Chain, Distribution};

    /// Against Σ p ln(p/q) of the probabilities themselves.
    #[test]
    fn a_divergence_is_that_of_its_definition() {
        let row = |n: u32, scale: f32| -> Vec<f32> {
            (0..3000u32).map(|i| (i * n % 2003) as f32 / scale - 4.0).collect()
        };
        let (p, q) = (row(7919, 150.0), row(6007, 210.0));
        let of =
            |x: &[f32]| softmax(&x.iter().map(|&x| f64::from(x)).collect::<Vec<_>>(), 1.0).unwrap();
        let truth: f64 = of(&p).iter().zip(of(&q)).map(|(p, q)| p * (p / q).ln()).sum();
        let found = divergence(&p, &q).unwrap();
        assert!(truth > 0.1 && (found.kl - truth).abs() < 1e-12 * truth, "{found:?} {truth}");
        assert!(!found.same_top);
        assert_eq!(divergence(&p, &p).unwrap(), Divergence { kl: 0.0, same_top: true });
        // A constant changes nothing.
        let shifted: Vec<f32> = q.iter().map(|x| x + 8.0).collect();
        assert!((divergence(&q, &shifted).unwrap().kl).abs() < 1e-6);
        let half = [0.0, f32::NEG_INFINITY];
        assert_eq!(divergence(&half, &[0.0, 0.0]).unwrap().kl, 2f64.ln());
        assert_eq!(divergence(&[0.0, 0.0], &half).unwrap().kl, f64::INFINITY);
        assert!(divergence(&p, &q[1..]).is_err() && divergence(&[f32::NAN], &[0.0]).is_err());
        assert!(divergence(&[], &[]).is_err());
    }

    #[test]
    fn the_surprisal_of_a_token_is_that_of_the_distribution() {
        let logits: Vec<f32> =
            (0..5000u32).map(|i| (i * 7919 % 4001) as f32 / 150.0 - 9.0).collect();
        let all = Distribution::new(&logits, &Chain::default()).unwrap();
        for token in [0, 1, 17, 4999].map(TokenId) {
            let (a, b) = (surprisal(&logits, token).unwrap(), all.surprisal(token));
            let (same, entropy) = surprisal_and_entropy(&logits, token).unwrap();
            assert!(same == a && (entropy - all.entropy()).abs() < 1e-5, "{entropy}");
            assert!((a - b).abs() < 1e-10, "{a} {b}");
        }
        assert!(
            (surprisal(&[0.0, 3f32.ln()], TokenId(1)).unwrap() - (4.0f64 / 3.0).ln()).abs() < 1e-7
        );
        assert_eq!(surprisal(&[0.0, f32::NEG_INFINITY], TokenId(1)), Ok(f64::INFINITY));
        assert_eq!(surprisal(&[3e38, 0.0], TokenId(0)), Ok(0.0));
        for (bad, words) in [
            (&[][..], "empty"),
            (&[f32::NAN], "token 0 is NaN"),
            (&[0.0, f32::INFINITY], "token 1 is inf"),
            (&[f32::NEG_INFINITY; 2], "masked"),
            (&[1.0], "no token 5"),
        ] {
            let said = surprisal(bad, TokenId(5)).unwrap_err().to_string();
            assert!(said.contains(words), "{said}");
        }
    }

    /// The numbers of the article that the project starts from.
    #[test]
    fn the_numbers_to_reproduce() {
        let text = |t: f64, logits: &[f64], digits: usize| {
            let p = softmax(logits, t).unwrap();
            p.iter().map(|p| format!("{p:.digits$}")).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(text(1.0, &[1.0, 2.0], 8), "0.26894142 0.73105858");
        assert_eq!(text(2.0, &[1.0, 2.0], 8), "0.37754067 0.62245933");
        assert_eq!(text(5.0, &[1.0, 2.0], 6), "0.450166 0.549834");
        let greetings = [0.1, 0.0, 0.5, 1.0, 4.0, 0.6];
        // 'Hello' is 0.868119; where it is printed as 0.8682 the last digit is a slip.
        assert_eq!(text(1.0, &greetings, 4), "0.0176 0.0159 0.0262 0.0432 0.8681 0.0290");
        assert_eq!(text(5.0, &greetings, 4), "0.1325 0.1299 0.1435 0.1586 0.2890 0.1464");
        assert_eq!(format!("{:.3} {:.3}", libm::exp(1.0), libm::exp(2.0)), "2.718 7.389");
    }

    #[test]
    fn figures_of_heat() {
        let inf = f64::INFINITY;
        let figures = thermal(&[1.0, 2.0, -inf], 2.0).unwrap();
        let p = softmax(&[1.0, 2.0], 2.0).unwrap();
        let entropy = -p[0] * p[0].ln() - p[1] * p[1].ln();
        assert!((figures.entropy - entropy).abs() < 1e-15);
        assert!((figures.free_energy + 2.0 * (0.5f64.exp() + 1f64.exp()).ln()).abs() < 1e-14);
        assert!((figures.heat_capacity - p[0] * p[1] / 4.0).abs() < 1e-15);
        let at = |t| thermal(&[3.0, 5.0], t).unwrap();
        assert_eq!(at(0.0), Thermal { entropy: 0.0, free_energy: -5.0, heat_capacity: 0.0 });
        assert_eq!((at(inf).free_energy, at(inf).heat_capacity), (-inf, 0.0));
        assert_eq!(at(1e-300).heat_capacity, 0.0);
        assert_eq!(thermal(&[], 1.0), None);
        assert_eq!(thermal(&[1e308, -1e308], inf).unwrap().entropy, 2f64.ln());
    }

    #[test]
    fn edges() {
        let inf = f64::INFINITY;
        assert_eq!(softmax(&[3.0, 5.0, 5.0], 0.0), Some(vec![0.0, 1.0, 0.0]));
        assert_eq!(
            softmax(&[3.0, -inf, 5.0, 1e308], inf),
            Some(vec![1.0 / 3.0, 0.0, 1.0 / 3.0, 1.0 / 3.0])
        );
        assert_eq!(softmax(&[2.0, 1.0], 5e-324), Some(vec![1.0, 0.0]));
        for (logits, t) in [
            (&[][..], 1.0),
            (&[-inf], 1.0),
            (&[f64::NAN], 1.0),
            (&[inf], 1.0),
            (&[1.0], -1.0),
            (&[1.0], f64::NAN),
        ] {
            assert_eq!(softmax(logits, t), None, "{logits:?} {t}");
        }
    }
}
