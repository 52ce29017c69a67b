//! The Vendi score: the effective number of different samples of a cell.

use std::collections::HashMap;

use super::{Absent, words::Corpus};

/// exp of the entropy of the eigenvalues of K/n, where K holds the texts' similarities with 1 on
/// the diagonal (Friedman & Dieng 2023, arXiv 2210.02410).
///
/// `similarity` has n rows of n numbers.
pub fn vendi(similarity: &[f64]) -> Result<f64, Absent> {
    let n = similarity.len().isqrt();
    if n == 0 {
        return Err(Absent::NoTexts);
    }
    let scaled: Vec<f64> = similarity.iter().map(|k| k / n as f64).collect();
    let entropy: f64 =
        eigenvalues(scaled).into_iter().filter(|&l| l > 0.0).map(|l| -l * libm::log(l)).sum();
    Ok(libm::exp(entropy))
}

/// The score for the mean over n = 1 … 4 of the cosine similarities of n-gram counts, as
/// `vendi-score` computes it for texts of at least four words.
///
/// Where a text is too short for an n, similarities are rescaled so that it has similarity 1 with
/// itself. Texts without words are similar to each other and to nothing else.
pub fn ngram_vendi(texts: &[&str]) -> Result<f64, Absent> {
    if texts.len() < 2 {
        return Err(Absent::NeedsSamples { samples: 2 });
    }
    let corpus = Corpus::new(texts);
    let n = texts.len();
    let mut k = vec![0.0; n * n];
    for order in 1..=4 {
        let counts: Vec<HashMap<&[u32], usize>> = (0..n).map(|i| corpus.counts(i, order)).collect();
        let dot = |i: usize, j: usize| {
            // Integers, so the sum doesn't depend on the iteration order of the map.
            let both = counts[i].iter().map(|(ngram, a)| a * counts[j].get(ngram).unwrap_or(&0));
            both.sum::<usize>() as f64
        };
        let norms: Vec<f64> = (0..n).map(|i| dot(i, i).sqrt()).collect();
        for i in 0..n {
            for j in 0..n {
                let norm = norms[i] * norms[j];
                k[i * n + j] += if norm > 0.0 { dot(i, j) / norm / 4.0 } else { 0.0 };
            }
        }
    }
    let wordless: Vec<bool> = corpus.texts.iter().map(Vec::is_empty).collect();
    let diagonal: Vec<f64> = (0..n).map(|i| k[i * n + i].sqrt()).collect();
    for i in 0..n {
        for j in 0..n {
            let k = &mut k[i * n + j];
            *k = if wordless[i] || wordless[j] {
                f64::from(u8::from(wordless[i] && wordless[j]))
            } else {
                *k / (diagonal[i] * diagonal[j])
            };
        }
    }
    vendi(&k)
}

/// The eigenvalues of a symmetric matrix by Jacobi rotations: each rotation makes one pair of
/// off-diagonal entries 0.
fn eigenvalues(mut a: Vec<f64>) -> Vec<f64> {
    let n = a.len().isqrt();
    for _ in 0..100 {
        let beside: f64 = (0..n * n).filter(|i| i / n != i % n).map(|i| a[i] * a[i]).sum();
        if beside < 1e-24 {
            break;
        }
        for p in 0..n {
            for q in p + 1..n {
                rotate(&mut a, n, p, q);
            }
        }
    }
    (0..n).map(|i| a[i * n + i]).collect()
}

fn rotate(a: &mut [f64], n: usize, p: usize, q: usize) {
    let off = a[p * n + q];
    if off == 0.0 {
        return;
    }
    let theta = (a[q * n + q] - a[p * n + p]) / (2.0 * off);
    let t = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
    let c = 1.0 / (t * t + 1.0).sqrt();
    let s = t * c;
    for i in 0..n {
        let (ip, iq) = (a[i * n + p], a[i * n + q]);
        a[i * n + p] = c * ip - s * iq;
        a[i * n + q] = s * ip + c * iq;
    }
    for i in 0..n {
        let (pi, qi) = (a[p * n + i], a[q * n + i]);
        a[p * n + i] = c * pi - s * qi;
        a[q * n + i] = s * pi + c * qi;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-9
    }

    #[test]
    fn eigenvalues_of_matrices_that_are_known() {
        let mut found = eigenvalues(vec![2.0, -1.0, 0.0, -1.0, 2.0, -1.0, 0.0, -1.0, 2.0]);
        found.sort_by(f64::total_cmp);
        let root = 2f64.sqrt();
        assert!(
            found.iter().zip([2.0 - root, 2.0, 2.0 + root]).all(|(&a, b)| near(a, b)),
            "{found:?}"
        );
        assert_eq!(eigenvalues(vec![3.0]), [3.0]);
    }

    #[test]
    fn as_many_as_there_are_different_ones() {
        assert!(near(ngram_vendi(&["a b c d", "e f g h", "i j k l"]).unwrap(), 3.0));
        assert!(near(ngram_vendi(&["a b c d", "a b c d", "i j k l", "i j k l"]).unwrap(), 2.0));
        assert!(near(
            ngram_vendi(&["", "", "a"]).unwrap(),
            vendi(&[1., 1., 0., 1., 1., 0., 0., 0., 1.]).unwrap()
        ));
        assert!(ngram_vendi(&["a"]).is_err() && vendi(&[]).is_err());
    }
}
