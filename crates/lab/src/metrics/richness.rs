//! Lexical richness of a text with little dependence on its length: MTLD and HD-D.
//!
//! Words as in the package `lexicalrichness`: lower case, digits and dashes removed, other ASCII
//! punctuation replaced by spaces.

use std::collections::HashMap;

use super::{Absent, words};

/// A factor is complete below this type-token ratio.
const THRESHOLD: f64 = 0.72;
/// The sample size of HD-D in words.
const DRAWS: usize = 42;

/// MTLD, the measure of textual lexical diversity: the mean length of sequential words that keep a
/// type-token ratio above 0.72, forwards and backwards (McCarthy & Jarvis 2010), as
/// `lexicalrichness` computes it.
pub fn mtld(text: &str) -> Result<f64, Absent> {
    let cleaned = cleaned(text);
    let words: Vec<&str> = words::words(&cleaned).collect();
    if words.is_empty() {
        return Err(Absent::TooShort { words: 1 });
    }
    let forwards = words.len() as f64 / factors(words.iter());
    let backwards = words.len() as f64 / factors(words.iter().rev());
    Ok((forwards + backwards) / 2.0)
}

/// The number of factors. The incomplete last one counts in part.
fn factors<'a>(words: impl Iterator<Item = &'a &'a str>) -> f64 {
    let mut seen = std::collections::HashSet::new();
    let (mut n, mut ratio, mut factors) = (0u32, 1.0, 0.0);
    for word in words {
        n += 1;
        seen.insert(*word);
        ratio = seen.len() as f64 / f64::from(n);
        if ratio <= THRESHOLD {
            (n, factors) = (0, factors + 1.0);
            seen.clear();
        }
    }
    if n > 0 {
        factors += (1.0 - ratio) / (1.0 - THRESHOLD);
    }
    // No word occurs twice.
    if factors == 0.0 { 1.0 } else { factors }
}

/// HD-D: the expected type-token ratio of 42 words drawn without replacement (McCarthy & Jarvis
/// 2007), as `lexicalrichness` computes it.
pub fn hdd(text: &str) -> Result<f64, Absent> {
    let cleaned = cleaned(text);
    let (mut counts, mut places, mut n) = (Vec::new(), HashMap::new(), 0);
    for word in words::words(&cleaned) {
        n += 1;
        let place = *places.entry(word).or_insert(counts.len());
        if place == counts.len() {
            counts.push(0);
        }
        counts[place] += 1;
    }
    if n < DRAWS {
        return Err(Absent::TooShort { words: DRAWS });
    }
    // The probability that no draw is this word, as a product over draws.
    let none = |count: usize| {
        (0..DRAWS).map(|i| (n - i).saturating_sub(count) as f64 / (n - i) as f64).product::<f64>()
    };
    Ok(counts.into_iter().map(|count| (1.0 - none(count)) / DRAWS as f64).sum())
}

fn cleaned(text: &str) -> String {
    let kept = text.to_lowercase();
    let kept = kept.chars().filter(|c| !c.is_ascii_digit() && !"–—-".contains(*c));
    kept.map(|c| if c.is_ascii_punctuation() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_never_come_twice_are_as_rich_as_the_text_is_long() {
        assert_eq!(mtld("one two three, four"), Ok(4.0));
        assert_eq!(mtld("word"), Ok(1.0));
        assert!(mtld("12 - !").is_err());
        // Each second word completes a factor.
        assert_eq!(mtld("a a a a"), Ok(2.0));
    }

    #[test]
    fn hdd_is_a_share_of_draws() {
        let all_new: Vec<String> =
            (0..60).map(|i| format!("w{}x", ["a", "b", "c"][i % 3].repeat(i + 1))).collect();
        assert!((hdd(&all_new.join(" ")).unwrap() - 1.0).abs() < 1e-12);
        assert!((hdd(&"the ".repeat(60)).unwrap() - 1.0 / 42.0).abs() < 1e-12);
        assert_eq!(hdd("too short"), Err(Absent::TooShort { words: 42 }));
    }
}
