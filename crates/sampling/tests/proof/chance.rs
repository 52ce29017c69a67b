//! The statistics of counts: how likely it is that chance alone explains them.

/// Q(a, x), the upper regularised incomplete gamma function (series and continued fraction, DLMF
/// 8.11 and 8.9).
fn gamma_q(a: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    let scale = (a * x.ln() - x - libm::lgamma(a)).exp();
    if x < a + 1.0 {
        let (mut term, mut sum, mut n) = (1.0 / a, 1.0 / a, a);
        while term > sum * 1e-16 {
            n += 1.0;
            term *= x / n;
            sum += term;
        }
        return 1.0 - scale * sum;
    }
    // Lentz's method.
    let mut b = x + 1.0 - a;
    let mut c = 1e300;
    let mut d = 1.0 / b;
    let mut h = d;
    for i in 1..10_000 {
        let an = -f64::from(i) * (f64::from(i) - a);
        b += 2.0;
        d = 1.0 / (an * d + b);
        c = b + an / c;
        h *= d * c;
        if (d * c - 1.0).abs() < 1e-15 {
            break;
        }
    }
    scale * h
}

/// The p-value of Pearson's chi-squared for counts against probabilities; bins with fewer than 5
/// expected draws are pooled.
pub(crate) fn fit(counts: &[u64], probabilities: &[f64]) -> f64 {
    assert_eq!(counts.len(), probabilities.len());
    let n: u64 = counts.iter().sum();
    let (mut statistic, mut bins) = (0.0, 0);
    let (mut pooled, mut pooled_expected) = (0.0, 0.0);
    let mut add = |found: f64, expected: f64| {
        statistic += (found - expected) * (found - expected) / expected;
        bins += 1;
    };
    for (&count, &p) in counts.iter().zip(probabilities) {
        let expected = p * n as f64;
        if expected >= 5.0 {
            add(count as f64, expected);
        } else {
            pooled += count as f64;
            pooled_expected += expected;
        }
    }
    if pooled_expected >= 5.0 {
        add(pooled, pooled_expected);
    } else {
        // Fewer draws than a test can be made of: they must not be many.
        assert!(pooled < 40.0, "{pooled} draws where {pooled_expected} were expected");
    }
    // A single bin has all draws: there's nothing to compare.
    if bins < 2 { 1.0 } else { gamma_q(f64::from(bins - 1) / 2.0, statistic / 2.0) }
}

/// The p-value of independence of the two sides of a table of counts (chi-squared).
pub(crate) fn independence(table: &[Vec<u64>]) -> f64 {
    let rows: Vec<f64> = table.iter().map(|row| row.iter().sum::<u64>() as f64).collect();
    let columns: Vec<f64> =
        (0..table[0].len()).map(|j| table.iter().map(|row| row[j]).sum::<u64>() as f64).collect();
    let n: f64 = rows.iter().sum();
    let mut statistic = 0.0;
    for (row, total) in table.iter().zip(&rows) {
        for (&count, column) in row.iter().zip(&columns) {
            let expected = total * column / n;
            assert!(expected >= 5.0, "too few draws for the table");
            statistic += (count as f64 - expected).powi(2) / expected;
        }
    }
    let freedom = (rows.len() - 1) * (columns.len() - 1);
    gamma_q(freedom as f64 / 2.0, statistic / 2.0)
}

/// The p-value of the Kolmogorov-Smirnov test that numbers in [0, 1] are uniform.
pub(crate) fn uniform(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    let n = numbers.len() as f64;
    let gap = |(i, x): (usize, &f64)| (x - i as f64 / n).max((i + 1) as f64 / n - x);
    let widest = numbers.iter().enumerate().map(gap).fold(0.0, f64::max);
    let z = widest * (n.sqrt() + 0.12 + 0.11 / n.sqrt());
    let term =
        |k: i32| (-2.0 * f64::from(k * k) * z * z).exp() * if k % 2 == 1 { 2.0 } else { -2.0 };
    (1..100).map(term).sum::<f64>().clamp(0.0, 1.0)
}

#[test]
fn p_values_are_those_of_the_tables() {
    // Chi-squared quantiles at 5 %: 3.841 with 1 degree of freedom, 18.307 with 10, 124.342
    // with 100.
    for (freedom, quantile) in [(1.0, 3.841), (10.0, 18.307), (100.0, 124.342)] {
        let p = gamma_q(freedom / 2.0, quantile / 2.0);
        assert!((p - 0.05).abs() < 1e-4, "{freedom}: {p}");
    }
    let even: Vec<f64> = (0..1000).map(|i| (f64::from(i) + 0.5) / 1000.0).collect();
    assert!(uniform(even.clone()) > 0.999);
    assert!(uniform(even.iter().map(|x| x * x).collect()) < 1e-9);
}
