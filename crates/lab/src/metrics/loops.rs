//! The tokens of one text in, how much of it goes in circles out.

/// So many times in a row is a loop.
const TIMES: usize = 3;
/// Tokens of the shortest phrase that can make one: three times the same word is still a way to
/// speak.
const SHORTEST: usize = 2;
/// Tokens of the longest.
const LONGEST: usize = 128;

/// The part of the tokens that lie in a phrase of at least two tokens which stands three times in a
/// row or more; the phrase's broken-off last repetition counts. 0 for an empty text.
///
/// Holtzman et al. 2020 (arXiv 1904.09751) call a text degenerate that ends so; here the loops
/// inside are seen as well.
pub fn looped<T: PartialEq>(tokens: &[T]) -> f64 {
    let mut inside = vec![false; tokens.len()];
    for period in SHORTEST..=LONGEST.min(tokens.len() / TIMES) {
        // A run of places that equal the one a period before.
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
