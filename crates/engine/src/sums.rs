//! Sums of probabilities that are given by their logarithms.

/// ln Σ exp(x), in the order of the numbers; the number itself of one, -inf for none.
pub(crate) fn ln_sum(xs: &[f64]) -> f64 {
    let max = xs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if max == f64::NEG_INFINITY {
        return max;
    }
    max + libm::log(xs.iter().map(|x| libm::exp(x - max)).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_one_are_exact_and_of_none_are_nothing() {
        assert_eq!(ln_sum(&[-1.7]), -1.7);
        assert_eq!(ln_sum(&[]), f64::NEG_INFINITY);
        assert!((ln_sum(&[-1000.0, -1000.0]) - (2f64.ln() - 1000.0)).abs() < 1e-9);
    }
}
