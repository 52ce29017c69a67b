//! chrF: how alike two texts are, by their runs of characters (Popović 2015).
//!
//! For n from 1 to 6, precision is the share of the first text's runs of n characters that the
//! other has as well, recall the share of the other's. Both are averaged over those n for which
//! both texts have runs. With β = 2, F = (1 + β²)·P·R / (β²·P + R). White space isn't counted. That
//! is sacrebleu's chrF2, from 0 to 1 rather than 100.

/// The longest runs.
const ORDER: usize = 6;
/// β².
const FACTOR: f64 = 4.0;

/// The runs of characters of a text, for comparisons with many others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runs {
    /// For each length the runs in order, each with how often it occurs.
    counts: [Vec<([char; ORDER], usize)>; ORDER],
    n_chars: usize,
}

impl Runs {
    /// Of a text.
    pub fn of(text: &str) -> Runs {
        let chars: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).collect();
        let counts = std::array::from_fn(|i| {
            let mut runs: Vec<[char; ORDER]> = chars.windows(i + 1).map(padded).collect();
            runs.sort_unstable();
            runs.chunk_by(|a, b| a == b).map(|equal| (equal[0], equal.len())).collect()
        });
        Runs { counts, n_chars: chars.len() }
    }

    fn n_runs(&self, length: usize) -> usize {
        (self.n_chars + 1).saturating_sub(length)
    }
}

fn padded(run: &[char]) -> [char; ORDER] {
    let mut padded = ['\0'; ORDER];
    padded[..run.len()].copy_from_slice(run);
    padded
}

/// chrF2 of a text against the one that is right, from 0 to 1. Two empty texts are alike.
///
/// ```
/// use kelvin_engine::search::{Runs, chrf};
///
/// let [cat, hat] = ["the cat sat", "the hat sat"].map(Runs::of);
/// assert_eq!(format!("{:.4}", chrf(&cat, &hat)), "0.4573");
/// assert_eq!(chrf(&cat, &cat), 1.0);
/// ```
pub fn chrf(text: &Runs, right: &Runs) -> f64 {
    if text.n_chars == 0 && right.n_chars == 0 {
        return 1.0;
    }
    let (mut precision, mut recall, mut n) = (0.0, 0.0, 0);
    for i in 0..ORDER {
        let (n_text, n_right) = (text.n_runs(i + 1), right.n_runs(i + 1));
        if n_text == 0 || n_right == 0 {
            continue;
        }
        let shared = n_shared(&text.counts[i], &right.counts[i]) as f64;
        precision += shared / n_text as f64;
        recall += shared / n_right as f64;
        n += 1;
    }
    if precision + recall == 0.0 {
        return 0.0;
    }
    let (precision, recall) = (precision / f64::from(n), recall / f64::from(n));
    (1.0 + FACTOR) * precision * recall / (FACTOR * precision + recall)
}

/// How many runs two sorted lists share.
fn n_shared(a: &[([char; ORDER], usize)], b: &[([char; ORDER], usize)]) -> usize {
    let (mut i, mut j, mut n) = (0, 0, 0);
    while let (Some((x, n_x)), Some((y, n_y))) = (a.get(i), b.get(j)) {
        match x.cmp(y) {
            std::cmp::Ordering::Less => i += 1,
            std::cmp::Ordering::Greater => j += 1,
            std::cmp::Ordering::Equal => {
                n += n_x.min(n_y);
                (i, j) = (i + 1, j + 1);
            }
        }
    }
    n
}
