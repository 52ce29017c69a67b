//! Parses integers of the command line, with errors that state the allowed range.

/// Parses a count. The verb checks whether 0 is allowed.
pub(crate) fn count(typed: &str) -> Result<usize, String> {
    typed.parse().map_err(|_| {
        match typed.bytes().all(|c| c.is_ascii_digit()) && !typed.is_empty() {
            true => "a smaller whole number was expected".to_string(),
            false => "a whole number such as 4 was expected".to_string(),
        }
    })
}

/// Parses a number with or without a fraction. The verb checks its range.
pub(crate) fn real(typed: &str) -> Result<f64, String> {
    typed.parse().map_err(|_| "a number such as 0.5 was expected".to_string())
}

/// Parses a seed.
pub(crate) fn seed(typed: &str) -> Result<u64, String> {
    typed.parse().map_err(|_| format!("a seed is a whole number from 0 to {}", u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_with_a_fraction() {
        assert_eq!((real("-0.5"), real("2")), (Ok(-0.5), Ok(2.0)));
        assert!(real("a").is_err() && real("").is_err());
    }

    #[test]
    fn what_is_no_whole_number_says_what_is_one() {
        assert_eq!((count("16"), seed("18446744073709551615")), (Ok(16), Ok(u64::MAX)));
        for bad in ["-1", "1.5", "", "1e3", "99999999999999999999"] {
            assert!(seed(bad).unwrap_err().contains("18446744073709551615"), "{bad}");
            let (said, is_large) = (count(bad).unwrap_err(), bad.len() > 10);
            assert!(said.contains("whole number") && said.contains("smaller") == is_large, "{bad}");
        }
    }
}
