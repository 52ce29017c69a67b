//! Holm's correction of p-values.

/// Holm's adjusted p-values, in the given order. If all values up to 0.05 are called significant,
/// the probability of any false claim is at most 0.05, whatever the dependence between the tests
/// (Holm 1979).
///
/// ```
/// assert_eq!(kelvin_lab::statistics::holm(&[0.01, 0.04, 0.03]), [0.03, 0.06, 0.06]);
/// ```
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    let mut adjusted = vec![0.0; p.len()];
    let mut least = 0.0;
    for (place, &i) in order.iter().enumerate() {
        least = f64::max(least, ((p.len() - place) as f64 * p[i]).min(1.0));
        adjusted[i] = least;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_ones_never_stand_before_earlier_ones() {
        assert_eq!(holm(&[]), [0.0; 0]);
        assert_eq!(holm(&[0.2]), [0.2]);
        assert_eq!(holm(&[0.02, 0.02, 0.5, 0.9]), [0.08, 0.08, 1.0, 1.0]);
    }
}
