//! Tail probabilities of Student's t, used where there are too few prompts to resample.

/// P(T > `t`) for `t` >= 0 (Abramowitz & Stegun 26.7.3 and 26.7.4, which are exact).
pub(crate) fn upper_tail(freedom: usize, t: f64) -> f64 {
    let n = freedom as f64;
    let theta = libm::atan(t / n.sqrt());
    let (sin, cos) = (libm::sin(theta), libm::cos(theta));
    let mut term = if freedom % 2 == 1 { cos } else { 1.0 };
    let mut sum = 0.0;
    for i in 0..freedom / 2 {
        sum += term;
        let k = 2.0 * i as f64 + if freedom % 2 == 1 { 2.0 } else { 1.0 };
        term *= cos * cos * k / (k + 1.0);
    }
    let within = if freedom % 2 == 1 {
        std::f64::consts::FRAC_2_PI * (theta + sin * sum)
    } else {
        sin * sum
    };
    (1.0 - within) / 2.0
}

/// The quantile of `below`, which is at least 0.5.
pub(crate) fn quantile(freedom: usize, below: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1e9);
    for _ in 0..200 {
        let middle = low + (high - low) / 2.0;
        if upper_tail(freedom, middle) > 1.0 - below { low = middle } else { high = middle }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_of_old_books() {
        for (freedom, t) in
            [(1, 12.7062), (2, 4.3027), (3, 3.1824), (4, 2.7764), (9, 2.2622), (30, 2.0423)]
        {
            assert!((quantile(freedom, 0.975) - t).abs() < 1e-4, "{freedom}");
        }
        assert!((upper_tail(5, 0.0) - 0.5).abs() < 1e-15);
        assert!((upper_tail(2, 2.92) - 0.05).abs() < 1e-5);
    }
}
