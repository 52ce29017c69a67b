//! The first place where two makings of a text differ.

use serde::Serialize;

use super::{ProvedText, Step};

/// Characters of a text that a difference quotes.
const QUOTED: usize = 40;

/// The part of a step, or of a text, that differs. A step's parts are compared in this order: equal
/// logits with another draw mean that chain or dice differ, an equal draw with another token that
/// the file was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The tokens of the prompt.
    Prompt,
    /// The model's logits.
    Logits,
    /// The random word, or the weights after the chain.
    Draw,
    /// The token drawn.
    Token,
    /// The number of steps, or the reason of the end.
    End,
    /// The text of equal tokens.
    Text,
}

/// The first difference of two texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Index of the step, from 0; of a prompt's token for [`Part::Prompt`].
    pub step: usize,
    /// What differs.
    pub part: Part,
    /// The file's value.
    pub expected: String,
    /// The value here.
    pub found: String,
}

/// Where the text made here first differs from the file's, if it does.
pub fn difference(expected: &ProvedText, found: &ProvedText) -> Option<Difference> {
    let steps = expected.steps.iter().zip(&found.steps).enumerate();
    let of_steps = steps.into_iter().find_map(|(step, (a, b))| of_step(a, b, step));
    of_steps.or_else(|| of_ends(expected, found))
}

/// Where the tokens of a prompt first differ.
pub(super) fn of_prompts(expected: &[u32], found: &[u32]) -> Option<Difference> {
    let step = (0..expected.len().max(found.len())).find(|&i| expected.get(i) != found.get(i))?;
    let words = |ids: &[u32]| match ids.get(step) {
        Some(id) => format!("token {id}"),
        None => format!("{} tokens", ids.len()),
    };
    let (expected, found) = (words(expected), words(found));
    Some(Difference { step, part: Part::Prompt, expected, found })
}

fn of_step(a: &Step, b: &Step, step: usize) -> Option<Difference> {
    let differs = |part, words: fn(&Step) -> String| {
        Some(Difference { step, part, expected: words(a), found: words(b) })
    };
    if a.logits != b.logits {
        return differs(Part::Logits, |step| format!("{:032x}", step.logits));
    }
    if (a.word, a.weight, a.total) != (b.word, b.weight, b.total) {
        return differs(Part::Draw, |Step { word, weight, total, .. }| {
            format!("word {word:x}, weight {weight:x} of {total:x}")
        });
    }
    if a.token != b.token {
        return differs(Part::Token, |step| format!("token {}", step.token));
    }
    None
}

fn of_ends(a: &ProvedText, b: &ProvedText) -> Option<Difference> {
    let step = a.steps.len().min(b.steps.len());
    if (a.steps.len(), a.finish) != (b.steps.len(), b.finish) {
        let words = |text: &ProvedText| {
            let reason = serde_json::to_string(&text.finish).unwrap_or_default();
            format!("{} steps, then {}", text.steps.len(), reason.trim_matches('"'))
        };
        return Some(Difference { step, part: Part::End, expected: words(a), found: words(b) });
    }
    if a.text != b.text {
        let equal = a.text.chars().zip(b.text.chars()).take_while(|(a, b)| a == b).count();
        let words = |text: &str| text.chars().skip(equal).take(QUOTED).collect::<String>();
        let (expected, found) = (format!("{:?}", words(&a.text)), format!("{:?}", words(&b.text)));
        return Some(Difference { step, part: Part::Text, expected, found });
    }
    None
}
