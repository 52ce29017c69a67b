//! The share of a text that lies in repeated phrases.

/// The number of consecutive repetitions that make a loop.
const TIMES: usize = 3;
/// The minimum length of a phrase in tokens. One word three times in a row is ordinary language.
const SHORTEST: usize = 2;
/// The maximum length of a phrase in tokens.
const LONGEST: usize = 128;

/// The share of tokens in a phrase of at least two tokens that occurs at least three times in a
/// row. The incomplete last repetition counts. 0 for an empty text.
///
/// Holtzman et al. 2020 (arXiv 1904.09751) call a text degenerate that ends in a loop; here loops
/// inside a text count as well.
pub fn looped<T: PartialEq>(tokens: &[T]) -> f64 {
    let mut inside = vec![false; tokens.len()];
    for period in SHORTEST..=LONGEST.min(tokens.len() / TIMES) {
        // A run of tokens that equal the token one period earlier.
        let mut run = 0;
        for i in period..=tokens.len() {
            if i < tokens.len() && tokens[i] == tokens[i - period] {
                run += 1;
                continue;
            }
            if run >= (TIMES - 1) * period {
                inside[i - run - period..i].fill(true);
            }
            run = 0;
        }
    }
    let n = inside.iter().filter(|inside| **inside).count();
    if n == 0 { 0.0 } else { n as f64 / tokens.len() as f64 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn circles() {
        assert_eq!(looped(b""), 0.0);
        assert_eq!(looped(b"ababa"), 0.0);
        assert_eq!(looped(b"ababab"), 1.0);
        assert_eq!(looped(b"xyabcabcabcabz"), 11.0 / 14.0);
        // One word six times is a phrase of two three times.
        assert_eq!(looped(b"aaaaa"), 0.0);
        assert_eq!(looped(b"aaaaaa"), 1.0);
    }

    proptest! {
        /// Against all phrases at all places.
        #[test]
        fn every_loop_is_found(tokens in prop::collection::vec(0u8..3, 0..40)) {
            let mut inside = vec![false; tokens.len()];
            for period in 2..=tokens.len() / 3 {
                for start in 0..tokens.len() {
                    for end in start + 3 * period..=tokens.len() {
                        if (start + period..end).all(|i| tokens[i] == tokens[i - period]) {
                            inside[start..end].fill(true);
                        }
                    }
                }
            }
            let n = inside.iter().filter(|inside| **inside).count();
            prop_assert_eq!(looped(&tokens), if n == 0 { 0.0 } else { n as f64 / tokens.len() as f64 });
        }
    }
}
