//! Translates patterns of ECMAScript and pydantic to the library's syntax of regular expressions.

use super::{names, place::Place};
use crate::error::FormError;

/// How many digits a decimal's pattern is written out for.
const MAX_DIGITS: usize = 64;

/// zod's pattern of durations, which looks ahead, and the same without.
const DURATIONS: [&str; 2] = [
    r"^P(?:(\d+W)|(?!.*W)(?=\d|T\d)(\d+Y)?(\d+M)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+([.,]\d+)?S)?)?)$",
    concat!(
        r"^P(?:[0-9]+W|(?:[0-9]+Y(?:[0-9]+M)?(?:[0-9]+D)?|[0-9]+M(?:[0-9]+D)?|[0-9]+D)(?:T(?:",
        r"[0-9]+H(?:[0-9]+M)?(?:[0-9]+(?:[.,][0-9]+)?S)?|[0-9]+M(?:[0-9]+(?:[.,][0-9]+)?S)?|[0-9]+(?:[.,][0-9]+)?S))?|T(?:",
        r"[0-9]+H(?:[0-9]+M)?(?:[0-9]+(?:[.,][0-9]+)?S)?|[0-9]+M(?:[0-9]+(?:[.,][0-9]+)?S)?|[0-9]+(?:[.,][0-9]+)?S))$"
    ),
];

/// Translates a pattern to the parser's syntax, or refuses it.
pub(super) fn plain(pattern: &str, keyword: &str, place: &Place) -> Result<String, FormError> {
    let refuse = |why: &str| {
        let shown = kelvin_views::shorten::shortened(pattern);
        place.refuse(keyword, &format!("is /{shown}/, {why}"))
    };
    if let Some(decimal) = decimal(pattern) {
        return Ok(decimal);
    }
    if pattern == DURATIONS[0] {
        return Ok(DURATIONS[1].to_string());
    }
    let (plain, looks_around) = translated(pattern);
    if looks_around {
        return Err(refuse("which looks around ((?=, (?!, (?<=, (?<!): that isn't supported"));
    }
    let Some(plain) = plain else {
        return Err(refuse("which has \"--\" in a class; write the hyphen once, at its end"));
    };
    names::check(&plain).map_err(|error| refuse(&format!("which can't be used: {error}")))?;
    Ok(plain)
}

/// What stands for itself in a class of ECMAScript, escaped; nothing if it's ambiguous. And whether
/// it looks around.
fn translated(pattern: &str) -> (Option<String>, bool) {
    let mut out = String::with_capacity(pattern.len());
    let (mut in_class, mut looks_around, mut is_ambiguous) = (false, false, false);
    let mut left = pattern.char_indices();
    while let Some((i, c)) = left.next() {
        match c {
            '\\' => {
                out.push(c);
                out.extend(left.next().map(|(_, c)| c));
                continue;
            }
            '[' if !in_class => in_class = true,
            ']' if in_class => in_class = false,
            // Classes of classes, and what joins them, are unknown to ECMAScript.
            '[' | '&' | '~' if in_class => out.push('\\'),
            '-' if in_class => is_ambiguous |= pattern[i..].starts_with("--"),
            '(' if !in_class => {
                let look = ["(?=", "(?!", "(?<=", "(?<!"];
                looks_around |= look.iter().any(|look| pattern[i..].starts_with(look));
            }
            _ => {}
        }
        out.push(c);
    }
    ((!is_ambiguous).then_some(out), looks_around)
}

/// pydantic's patterns of decimals (2.12 and before), which exclude a sign and a point alone by
/// looking ahead. Two of them lack an anchor and so match almost anything; what is written here is
/// what they mean.
fn decimal(pattern: &str) -> Option<String> {
    let rest = pattern.strip_prefix(r"^(?!^[-+.]*$)[+-]?0*")?;
    let number = |text: &str| text.parse::<usize>().ok().filter(|n| *n <= MAX_DIGITS);
    // After the point: up to so many digits, and zeros; `some` if there has to be one.
    let fraction = |most: usize| format!("[0-9]{{0,{most}}}0*");
    let some = |most: usize| {
        if most == 0 { "0+".to_string() } else { format!("(?:[0-9]{{1,{most}}}0*|0+)") }
    };
    let whole = |most: usize| {
        if most == 0 {
            "0+".to_string()
        } else {
            format!("(?:0+[0-9]{{0,{most}}}|[0-9]{{1,{most}}})")
        }
    };
    let alternatives = if rest == r"\d*\.?\d*$" {
        vec![r"[0-9]+(?:\.[0-9]*)?".to_string(), r"\.[0-9]+".to_string()]
    } else if let Some(places) =
        rest.strip_prefix(r"\d*\.?\d{0,").and_then(|rest| rest.strip_suffix("}0*$"))
    {
        let places = number(places)?;
        vec![format!(r"[0-9]+(?:\.{})?", fraction(places)), format!(r"\.{}", some(places))]
    } else {
        let (most_whole, rest) = rest.strip_prefix(r"(?:\d{0,")?.split_once(r"}|(?=[\d.]{1,")?;
        let (most, rest) = rest.split_once("}0*$)")?;
        let (most_whole, most) = (number(most_whole)?, number(most)?.checked_sub(1)?);
        if rest == r"\d*\.\d*0*$)" {
            let mut all = vec![whole(most), format!(r"0*\.{}", some(most))];
            all.extend((1..=most).map(|n| format!(r"0*[0-9]{{{n}}}\.{}", fraction(most - n))));
            // Zeros alone may stand before a point without a digit behind it.
            all.push(r"0+\.".to_string());
            all
        } else {
            let rest = rest.strip_prefix(&format!(r"\d{{0,{most_whole}}}\.\d{{0,"))?;
            let places = number(rest.strip_suffix("}0*$)")?)?.min(most);
            vec![
                format!(r"{}(?:\.{})?", whole(most_whole), fraction(places)),
                format!(r"\.{}", some(places)),
            ]
        }
    };
    Some(format!("^[+-]?(?:{})$", alternatives.join("|")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(pattern: &str) -> String {
        plain(pattern, "pattern", &Place::top()).unwrap()
    }

    #[test]
    fn decimals_of_pydantic_are_held() {
        let any = held(r"^(?!^[-+.]*$)[+-]?0*\d*\.?\d*$");
        let places = held(r"^(?!^[-+.]*$)[+-]?0*\d*\.?\d{0,2}0*$");
        let both = held(r"^(?!^[-+.]*$)[+-]?0*(?:\d{0,4}|(?=[\d.]{1,7}0*$)\d{0,4}\.\d{0,2}0*$)");
        let digits = held(r"^(?!^[-+.]*$)[+-]?0*(?:\d{0,3}|(?=[\d.]{1,4}0*$)\d*\.\d*0*$)");
        for (text, fits) in [
            ("", [false; 4]),
            ("-", [false; 4]),
            ("+.", [false; 4]),
            ("abc", [false; 4]),
            ("0", [true; 4]),
            ("-00.", [true; 4]),
            (".5", [true; 4]),
            ("+.0", [true; 4]),
            ("12.25", [true, true, true, false]),
            ("1.25000", [true; 4]),
            ("001.250", [true; 4]),
            ("1.255", [true, false, false, false]),
            ("12345", [true, true, false, false]),
            ("1234.5", [true, true, true, false]),
            ("12.3", [true; 4]),
            ("1.2.3", [false; 4]),
        ] {
            let found = [&any, &places, &both, &digits].map(|pattern| names::fits(pattern, text));
            assert_eq!(found, fits, "{text:?}");
        }
    }

    #[test]
    fn durations_of_zod_are_held() {
        let durations = held(DURATIONS[0]);
        for good in ["P1W", "P1Y", "P1Y2D", "P3M", "P1DT2H", "PT5M", "PT1H2,5S", "P1Y2M3DT4H5M6.7S"]
        {
            assert!(names::fits(&durations, good), "{good}");
        }
        for bad in ["P", "PT", "P1DT", "P1W1D", "P1WT1H", "P1D1Y"] {
            assert!(!names::fits(&durations, bad), "{bad}");
        }
    }

    #[test]
    fn what_looks_around_is_refused_and_classes_are_those_of_ecmascript() {
        for bad in ["^(?!a)b", "(?<=x)y", r"\bword\b", "(a", r"(a)\1", "[+--z]"] {
            let error = plain(bad, "pattern", &Place::top()).unwrap_err().to_string();
            assert!(error.contains("\"pattern\" at the top"), "{error}");
        }
        assert!(names::fits(&held("^[[a&&b]$"), "&") && names::fits(&held("^[[a&&b]$"), "["));
        assert!(names::fits(&held(r"^[^\]~]\(?=\[$"), "x=["));
    }
}
