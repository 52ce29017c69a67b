//! Scores that a text and its prompt decide, and what a judge's answers come to.

use std::sync::Mutex;

use regex::Regex;
use serde_json::Value;

use super::Kind;
use crate::run::Prompt;

/// The value of a text, or why it has none; `None` if more than the text is needed.
pub(super) fn value(kind: &Kind, prompt: &Prompt, text: &str) -> Option<Result<f64, String>> {
    let is = match kind {
        Kind::Expected { field } => answers(prompt, field).map(|answers| {
            let said = plain(text);
            answers.iter().any(|answer| plain(answer) == said)
        }),
        Kind::Contains { text: part } => Ok(text.contains(part)),
        Kind::ContainsField { field } => answers(prompt, field)
            .map(|answers| answers.iter().any(|answer| text.contains(answer.as_str()))),
        Kind::Regex { pattern } => compiled(pattern).map(|pattern| pattern.is_match(text)),
        Kind::Json => Ok(serde_json::from_str::<Value>(text.trim()).is_ok()),
        Kind::Schema { schema } => match serde_json::from_str::<Value>(text.trim()) {
            Err(_) => Ok(false),
            Ok(value) => validator(schema).map(|validator| validator.is_valid(&value)),
        },
        Kind::Command { .. } | Kind::Judge { .. } | Kind::Csv { .. } => return None,
    };
    Some(is.map(|is| f64::from(u8::from(is))))
}

/// The right answers in a field of a prompt's record.
fn answers(prompt: &Prompt, field: &str) -> Result<Vec<String>, String> {
    let said = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(is) => Some(is.to_string()),
        _ => None,
    };
    let found = match prompt.fields.get(field) {
        None | Some(Value::Null) => {
            return Err(format!("the prompt has no field \"{field}\""));
        }
        Some(Value::Array(all)) => all.iter().map(said).collect(),
        Some(one) => said(one).map(|one| vec![one]),
    };
    found.filter(|found| !found.is_empty()).ok_or_else(|| {
        format!("the prompt's field \"{field}\" is neither a text nor a list of texts")
    })
}

/// A text without case, without white space and punctuation at its ends, and with single spaces.
fn plain(text: &str) -> String {
    let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    let joined = words.join(" ");
    joined.trim_matches(|c: char| !c.is_alphanumeric() && !"-+$€£%".contains(c)).to_string()
}

/// A regular expression. The last ones are kept, since one is asked for each text.
pub(super) fn compiled(pattern: &str) -> Result<Regex, String> {
    static KEPT: Mutex<Vec<(String, Regex)>> = Mutex::new(Vec::new());
    const MOST: usize = 32;
    let mut kept = KEPT.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some((_, regex)) = kept.iter().find(|(known, _)| known == pattern) {
        return Ok(regex.clone());
    }
    let regex = Regex::new(pattern).map_err(|error| {
        let text = error.to_string();
        let why = text.lines().last().unwrap_or_default();
        format!("the regular expression isn't valid: {}", why.trim_start_matches("error: "))
    })?;
    if kept.len() == MOST {
        kept.remove(0);
    }
    kept.push((pattern.to_string(), regex.clone()));
    Ok(regex)
}

/// The validator of a schema. A schema that refers to another address is refused: nothing is
/// fetched.
pub(super) fn validator(schema: &Value) -> Result<jsonschema::Validator, String> {
    jsonschema::validator_for(schema).map_err(|error| format!("the schema isn't valid: {error}"))
}

/// The values of a judge's answers: numbers are their own, others stand from 0 to 1 at equal
/// distances.
pub(super) fn values(answers: &[String]) -> Vec<f64> {
    let numbers: Option<Vec<f64>> = answers
        .iter()
        .map(|answer| answer.trim().parse().ok().filter(|number: &f64| number.is_finite()))
        .collect();
    let steps = (answers.len().max(2) - 1) as f64;
    numbers.unwrap_or_else(|| (0..answers.len()).map(|i| i as f64 / steps).collect())
}

/// A question to a judge model about one text, and what its answers come to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judgement<'a> {
    /// The question, with its places for the text and the prompt.
    pub question: &'a str,
    /// The answers.
    pub answers: &'a [String],
}

impl<'a> Judgement<'a> {
    /// The question of a score, if it asks a judge.
    pub fn of(kind: &'a Kind) -> Option<Judgement<'a>> {
        match kind {
            Kind::Judge { question, answers } => Some(Judgement { question, answers }),
            _ => None,
        }
    }

    /// The question about a text. One pass, so that a text that says `{prompt}` stays as it is.
    pub fn about(&self, prompt: &str, text: &str) -> String {
        let mut out = String::new();
        let mut rest = self.question;
        while let Some(at) = rest.find('{') {
            out.push_str(&rest[..at]);
            rest = &rest[at..];
            let (part, len) = if rest.starts_with("{text}") {
                (text, "{text}".len())
            } else if rest.starts_with("{prompt}") {
                (prompt, "{prompt}".len())
            } else {
                ("{", 1)
            };
            out.push_str(part);
            rest = &rest[len..];
        }
        out + rest
    }

    /// The mean of the answers' values, weighted by their probabilities (G-Eval, Liu et al. 2023,
    /// arXiv 2303.16634). `nats` has -ln p of each whole answer.
    ///
    /// # Errors
    /// If the judge gives no answer any probability.
    pub fn value(&self, nats: &[f64]) -> Result<f64, String> {
        let least = nats.iter().copied().fold(f64::INFINITY, f64::min);
        if !least.is_finite() {
            return Err("the judge gives none of the answers any probability".into());
        }
        // Relative to the likeliest, so that no exponential vanishes.
        let weights: Vec<f64> = nats.iter().map(|nats| libm::exp(least - nats)).collect();
        let sum: f64 = weights.iter().sum();
        let values = values(self.answers);
        Ok(values.iter().zip(&weights).map(|(value, weight)| value * weight).sum::<f64>() / sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: &Kind, fields: Value, text: &str) -> Result<f64, String> {
        let fields = serde_json::from_value(fields).unwrap();
        value(kind, &Prompt { text: "p".into(), fields }, text).unwrap()
    }

    #[test]
    fn the_expected_answer_may_be_dressed_otherwise() {
        let kind = Kind::Expected { field: "answer".into() };
        let one = serde_json::json!({"answer": "Kathmandu"});
        for (said, value) in [
            ("Kathmandu", 1.0),
            ("  kathmandu.\n", 1.0),
            ("\"Kathmandu\"", 1.0),
            ("Kathmandu, Nepal", 0.0),
            ("", 0.0),
        ] {
            assert_eq!(of(&kind, one.clone(), said), Ok(value), "{said}");
        }
        let several = serde_json::json!({"answer": ["12", 13]});
        assert_eq!(of(&kind, several.clone(), "13."), Ok(1.0));
        assert_eq!(of(&kind, several, "-13"), Ok(0.0));
        let wrong = of(&kind, serde_json::json!({"other": 1}), "x").unwrap_err();
        assert_eq!(wrong, "the prompt has no field \"answer\"");
        assert!(of(&kind, serde_json::json!({"answer": {}}), "x").unwrap_err().contains("neither"));
    }

    #[test]
    fn parts_patterns_and_json() {
        let no = || serde_json::json!({});
        let contains = Kind::Contains { text: "Nepal".into() };
        assert_eq!(of(&contains, no(), "in Nepal."), Ok(1.0));
        assert_eq!(of(&contains, no(), "in nepal."), Ok(0.0));
        let field = Kind::ContainsField { field: "place".into() };
        let place = serde_json::json!({"place": ["Pokhara", "Nepal"]});
        assert_eq!(of(&field, place, "in Nepal."), Ok(1.0));
        let regex = Kind::Regex { pattern: r"\b(19|20)\d\d\b".into() };
        assert_eq!(of(&regex, no(), "in 1953,"), Ok(1.0));
        assert_eq!(of(&regex, no(), "in 19531,"), Ok(0.0));
        let wrong = Kind::Regex { pattern: "(".into() };
        assert!(of(&wrong, no(), "x").unwrap_err().contains("unclosed group"));
        for (said, value) in [(" {\"a\": 1}\n", 1.0), ("```json\n{}\n```", 0.0), ("12", 1.0)] {
            assert_eq!(of(&Kind::Json, no(), said), Ok(value), "{said}");
        }
        let schema = serde_json::json!({"type": "object", "required": ["a"],
            "properties": {"a": {"type": "integer", "minimum": 2}}});
        let schema = Kind::Schema { schema };
        for (said, value) in [("{\"a\": 2}", 1.0), ("{\"a\": 1}", 0.0), ("{}", 0.0), ("{", 0.0)] {
            assert_eq!(of(&schema, no(), said), Ok(value), "{said}");
        }
    }

    #[test]
    fn a_judges_answers_are_weighted() {
        let answers = |all: &[&str]| all.iter().map(|one| one.to_string()).collect::<Vec<_>>();
        let two = answers(&["no", "yes"]);
        let asked = Judgement { question: "{prompt}: {text} {x} Good?", answers: &two };
        assert_eq!(asked.about("p", "{prompt}"), "p: {prompt} {x} Good?");
        // p(no) = 1/8 and p(yes) = 3/8, whatever else the judge might say.
        let value = asked.value(&[8f64.ln(), (8f64 / 3.0).ln()]).unwrap();
        assert!((value - 0.75).abs() < 1e-12, "{value}");
        let marks = answers(&["1", "2", "5"]);
        let marked = Judgement { question: "{text}", answers: &marks };
        // Equal chances: (1 + 2 + 5)/3, even if all of them are tiny.
        let value = marked.value(&[900.0; 3]).unwrap();
        assert!((value - 8.0 / 3.0).abs() < 1e-12, "{value}");
        assert_eq!(values(&answers(&["bad", "fair", "good"])), [0.0, 0.5, 1.0]);
        assert!(asked.value(&[f64::INFINITY; 2]).is_err());
    }
}
