//! Refuses grammars whose cost `llguidance` doesn't bound.
//!
//! The library bounds the cost of a schema's patterns, but not that of a grammar's terminals on
//! their first byte: remainders have as many states as the divisor is large, and intersections and
//! complements may need the product of their operands' states. Such a grammar would occupy a thread
//! for minutes and memory without bound.

use serde_json::{Deserializer, Value};

use super::{error::FormError, schema};

/// Upper bound of the least common multiple of a schema's divisors.
const MAX_REMAINDERS: u64 = 10_000;
/// Maximum nesting of a schema: that of JSON that is parsed.
const MAX_DEPTH: usize = 128;

/// Refuses a schema by its divisors. They may come together in one number (`allOf`), so what counts
/// is what they come to together; the parser computes that in 32 bits.
pub(super) fn of_schema(schema: &Value) -> Result<(), FormError> {
    let mut product = 1;
    let mut seen: Vec<(u64, u32)> = Vec::new();
    divisors(schema, 0, &mut |divisor, decimals| {
        product = least_common_multiple(product, divisor);
        if !seen.contains(&(divisor, decimals)) {
            seen.push((divisor, decimals));
        }
        let most_decimals = seen.iter().map(|(_, decimals)| *decimals).max().unwrap_or(0);
        let scale = 10_u64.saturating_pow(most_decimals);
        let together = seen
            .iter()
            .fold(scale, |product, (divisor, _)| product.saturating_mul((*divisor).max(1)));
        product <= MAX_REMAINDERS && (seen.len() < 2 || together <= u64::from(u32::MAX))
    })
}

/// Calls `fits` with each divisor as an integer, the decimal point removed.
fn divisors(
    schema: &Value,
    depth: usize,
    fits: &mut impl FnMut(u64, u32) -> bool,
) -> Result<(), FormError> {
    if depth > MAX_DEPTH {
        return Err(FormError::Refused(format!("it is nested deeper than {MAX_DEPTH}")));
    }
    match schema {
        Value::Object(map) => {
            for (name, value) in map {
                // A property may have that name; then its value is a schema.
                if let (true, Some(divisor)) = (name == "multipleOf", value.as_f64())
                    && !digits(divisor).is_some_and(|(digits, decimals)| fits(digits, decimals))
                {
                    return Err(FormError::Refused(format!(
                        "\"multipleOf\" is {value}, but it needs a state for every remainder, and \
                         there is room for {MAX_REMAINDERS} of them, all \"multipleOf\" together"
                    )));
                }
                divisors(value, depth + 1, fits)?;
            }
            Ok(())
        }
        Value::Array(items) => items.iter().try_for_each(|item| divisors(item, depth + 1, fits)),
        _ => Ok(()),
    }
}

/// The digits of a number without its point, and how many stand behind it; none if they are too
/// many.
fn digits(mut number: f64) -> Option<(u64, u32)> {
    let mut decimals = 0;
    while number.fract() != 0.0 && number.abs() <= MAX_REMAINDERS as f64 {
        number *= 10.0;
        decimals += 1;
    }
    (number.abs() <= MAX_REMAINDERS as f64).then_some((number.abs() as u64, decimals))
}

/// Of a number and a divisor; 0 divides nothing but 0, and costs nothing.
fn least_common_multiple(a: u64, b: u64) -> u64 {
    let (mut x, mut y) = (a, b);
    while y > 0 {
        (x, y) = (y, x % y);
    }
    if b == 0 { a } else { (a / x).saturating_mul(b) }
}

/// The grammar with its schemas rewritten for the parser. Terminals and schemas of unbounded cost
/// are refused.
pub(super) fn of_grammar(grammar: &str) -> Result<String, FormError> {
    let mut out = String::with_capacity(grammar.len());
    let mut patterns = schema::Work::new();
    let mut left = grammar;
    while let Some(c) = left.chars().next() {
        let here = left;
        let rest = &left[c.len_utf8()..];
        left = match c {
            '#' => after_line(left),
            '/' if rest.starts_with('/') => after_line(left),
            '"' | '/' => after_quoted(rest, c),
            '&' => {
                let words = "\"&\" in a grammar isn't supported: to find out whether any text is \
                    both may take without end";
                return Err(FormError::Refused(words.to_string()));
            }
            // Before a number it says how often.
            '~' if !rest.trim_start().starts_with(|c: char| c.is_ascii_digit()) => {
                let words = "\"~\" in a grammar isn't supported but for repetition (x~3): to find \
                    out whether any text is left may take without end";
                return Err(FormError::Refused(words.to_string()));
            }
            '%' => {
                let (after, schema) = after_directive(rest, &mut patterns)?;
                if let Some(schema) = schema {
                    out.push_str("%json ");
                    out.push_str(&schema.to_string());
                    left = after;
                    continue;
                }
                after
            }
            _ => rest,
        };
        out.push_str(&here[..here.len() - left.len()]);
    }
    Ok(out)
}

fn after_line(text: &str) -> &str {
    text.find('\n').map_or("", |end| &text[end..])
}

/// The rest after a string or a regular expression.
fn after_quoted(text: &str, quote: char) -> &str {
    let mut is_escaped = false;
    for (i, c) in text.char_indices() {
        if c == quote && !is_escaped {
            return &text[i + 1..];
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    ""
}

/// The rest after a directive and its JSON, and the schema if the directive is one.
fn after_directive<'a>(
    text: &'a str,
    patterns: &mut schema::Work,
) -> Result<(&'a str, Option<Value>), FormError> {
    let name = ["json", "regex", "llguidance"].into_iter().find(|name| text.starts_with(name));
    let Some(name) = name else { return Ok((text, None)) };
    let text = &text[name.len()..];
    let mut values = Deserializer::from_str(text).into_iter::<Value>();
    let schema = match values.next() {
        Some(Ok(value)) if name == "json" => {
            of_schema(&value)?;
            Some(schema::plain_among(&value, patterns)?)
        }
        Some(Ok(_)) => None,
        // The parser says what is wrong with it; what comes after it is never read.
        Some(Err(_)) | None => return Ok(("", None)),
    };
    Ok((&text[values.byte_offset()..], schema))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn divisors_count_together() {
        for good in [
            json!({ "multipleOf": 0.01 }),
            json!({ "allOf": [{ "multipleOf": 100 }, { "multipleOf": 0.25 }, { "multipleOf": 5 }] }),
            json!({ "properties": { "multipleOf": { "type": "string" } } }),
            json!({ "multipleOf": 0 }),
            json!({ "multipleOf": 10_000 }),
        ] {
            assert_eq!(of_schema(&good), Ok(()), "{good}");
        }
        for bad in [
            json!({ "multipleOf": 1_000_003 }),
            json!({ "multipleOf": 0.000_123_457 }),
            json!({ "multipleOf": 1e300 }),
            json!({ "multipleOf": -1_000_003 }),
            json!({ "allOf": [{ "multipleOf": 9973 }, { "multipleOf": 9967 }] }),
            json!({ "properties": { "multipleOf": { "multipleOf": 77_777 } } }),
            json!({ "$defs": { "x": [{ "multipleOf": 77_777 }] } }),
        ] {
            assert!(of_schema(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_grammar_is_read_as_the_parser_reads_it() {
        for good in [
            "start: \"&\" | /a&b~c/ | \"\\\"&\" // & and ~",
            "start: x~3 | x ~ 2..4 # ~x & y\nx: /[^\\/]&/",
            "start: %json { \"multipleOf\": 5, \"enum\": [\"&~\"] } \"~\"",
            "start: %regex { \"substring_chars\": \"a & b\" }",
        ] {
            let read = of_grammar(good).unwrap();
            assert!(good.contains("%json") || read == good, "{good}: {read}");
        }
        for bad in [
            "start: T\nT: /a/ & /b/",
            "start: T\nT: ~/a/",
            "start: T\nT: \"//\" ~ U",
            "start: T\nT: /\\// & /b/",
            "start: \"\\\\\" & \"x\"",
            "start: %json { \"multipleOf\": 77777 }",
            "start: %json { \"type\": \"integer\" } T\nT: \"a\" & \"b\"",
            "start: %regex { \"substring_chars\": \"a\" } & T",
            "// comment \"\nstart: a & b",
        ] {
            assert!(of_grammar(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_schemas_of_a_grammar_share_the_work_for_patterns() {
        let grammar = |n: usize| {
            let schema = |i: usize| {
                let pattern = format!("^k{}.*\\p{{L}}{}$", "v".repeat(30), "v".repeat(i));
                let schema = json!({
                    "type": "object",
                    "patternProperties": { pattern: {} },
                    "additionalProperties": false,
                });
                format!("%json {schema}")
            };
            format!("start: {}", (0..n).map(schema).collect::<Vec<_>>().join(" | "))
        };
        assert_eq!(of_grammar(&grammar(1)).err(), None);
        let said = of_grammar(&grammar(300)).unwrap_err().to_string();
        assert!(said.contains("too much work"), "{said}");
    }
}
