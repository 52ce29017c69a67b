//! Parses lists of values: `0.2..2 step 0.2`, `0.5, 1, 2`, or both combined.
//!
//! A value stays text because it is inserted into a chain's notation. A range is computed in
//! integer multiples of its last digit, so 0.6 is exactly 0.6 and the end value is included when
//! the steps reach it.

/// The maximum number of values. More is taken for a typing error.
const MOST: i128 = 100_000;

/// The values of a list, in the order written.
///
/// # Errors
/// A sentence about the invalid part.
pub fn values(text: &str) -> Result<Vec<String>, String> {
    let mut all = Vec::new();
    for part in text.split(',').map(str::trim) {
        if all.len() as i128 > MOST {
            return Err(format!("the list has more than {MOST} values"));
        }
        match part.split_once("..") {
            _ if part.is_empty() => {
                return Err(format!("\"{text}\" has an empty value"));
            }
            None => all.push(part.to_string()),
            Some((from, rest)) => all.extend(range(part, from, rest)?),
        }
    }
    Ok(all)
}

fn range(whole: &str, from: &str, rest: &str) -> Result<Vec<String>, String> {
    let Some((to, step)) = rest.split_once("step") else {
        return Err(format!(
            "the range \"{whole}\" has no step; write it as in \"0.2..2 step 0.2\""
        ));
    };
    let parts = [from, to, step].map(str::trim);
    let places = parts.iter().map(|part| places(part)).max().unwrap_or(0);
    let [from, to, step] = parts.map(|part| {
        scaled(part, places).ok_or_else(|| {
            format!("the range \"{whole}\": \"{part}\" isn't a plain number such as 0.2")
        })
    });
    let (from, to, step) = (from?, to?, step?);
    if step <= 0 || to < from {
        return Err(format!(
            "the range \"{whole}\" doesn't rise: its end must be at least its start, its step above 0"
        ));
    }
    let n = (to - from) / step + 1;
    if n > MOST {
        return Err(format!("the range \"{whole}\" has {n} values, at most {MOST} are taken"));
    }
    Ok((0..n).map(|i| decimal(from + i * step, places)).collect())
}

/// The number of digits after the decimal point.
fn places(number: &str) -> usize {
    number.split_once('.').map_or(0, |(_, digits)| digits.len())
}

/// A plain decimal number as an integer, scaled by 10^`places`.
fn scaled(number: &str, places: usize) -> Option<i128> {
    let (sign, digits) = number.strip_prefix('-').map_or((1, number), |digits| (-1, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all = format!("{whole}{fraction}{}", "0".repeat(places - fraction.len()));
    let is_plain = !whole.is_empty() && all.len() <= 30 && all.bytes().all(|b| b.is_ascii_digit());
    is_plain.then(|| all.parse::<i128>().ok().map(|n| sign * n)).flatten()
}

/// The shortest text of such a scaled integer.
fn decimal(number: i128, places: usize) -> String {
    let digits = format!("{:0width$}", number.unsigned_abs(), width = places + 1);
    let (whole, fraction) = digits.split_at(digits.len() - places);
    let fraction = fraction.trim_end_matches('0');
    let sign = if number < 0 { "-" } else { "" };
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_count_in_decimals() {
        let list = |text: &str| values(text).unwrap().join(" ");
        assert_eq!(list("0.2..2.0 step 0.2"), "0.2 0.4 0.6 0.8 1 1.2 1.4 1.6 1.8 2");
        assert_eq!(list("0, 0.1..0.3 step 0.1 ,7"), "0 0.1 0.2 0.3 7");
        assert_eq!(list("-1..1 step 0.75"), "-1 -0.25 0.5");
        assert_eq!(list("5..5 step 1"), "5");
        assert_eq!(list("1e-3,x"), "1e-3 x");
    }

    #[test]
    fn what_is_wrong_is_quoted() {
        for (text, words) in [
            ("0.2..2", "no step"),
            ("2..1 step 0.1", "doesn't rise"),
            ("1..2 step 0", "doesn't rise"),
            ("1..2 step -1", "doesn't rise"),
            ("a..2 step 1", "\"a\" isn't a plain number"),
            ("0..1e9 step 1", "\"1e9\" isn't"),
            ("0..1000000 step 0.001", "1000000001 values"),
            ("1,,2", "an empty value"),
            ("", "an empty value"),
            ("0..99999 step 1, 0..99999 step 1, 0..99999 step 1", "more than 100000 values"),
            ("0.2..2 step 0.000000001", "1800000001 values"),
            ("0.2..2 step 1e-9", "\"1e-9\" isn't a plain number"),
            ("0..99999999999999999999999999999999 step 1", "isn't a plain number"),
        ] {
            let said = values(text).unwrap_err();
            assert!(said.contains(words), "{text}: {said}");
        }
    }
}
