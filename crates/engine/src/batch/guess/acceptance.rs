//! How often the guesses of a text were right, by what they come from.

use super::lookup::LONGEST;

/// Classes of guesses.
const CLASSES: usize = 15;
/// What is expected of a class before anything was counted. It is little for a match, so that a
/// text has to show that it repeats itself. Of what a constraint forces, the last token may be
/// spelled in one with what follows.
const EXPECTED: [f32; CLASSES] =
    [0.10, 0.20, 0.30, 0.40, 0.50, 0.65, 0.80, 0.90, 0.90, 0.50, 0.30, 0.45, 0.60, 0.80, 0.95];
/// The expectation counts as much as so many tokens.
const WEIGHT: f32 = 4.0;
/// After so many tokens the older ones count half.
const MEMORY: f32 = 32.0;

/// Where a guessed token comes from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Source {
    /// So many tokens before it are equal to the text's last ones.
    Match(usize),
    /// The constraint allows nothing else, though it may be spelled in other tokens.
    Forced,
    /// The last one of these.
    LastForced,
    /// The draft model drew it, and gave it this probability before any stage.
    Model(f32),
}

/// The ways in which tokens are guessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum GuessKind {
    /// Tokens that followed the same ones before.
    Lookup,
    /// Tokens that a constraint forces.
    Forced,
    /// Tokens that a draft model drew.
    Model,
}

impl GuessKind {
    /// All kinds.
    pub const ALL: [GuessKind; 3] = [GuessKind::Lookup, GuessKind::Forced, GuessKind::Model];

    /// The name in JSON and metrics.
    pub fn name(self) -> &'static str {
        match self {
            GuessKind::Lookup => "lookup",
            GuessKind::Forced => "forced",
            GuessKind::Model => "model",
        }
    }
}

impl Source {
    pub(crate) fn kind(self) -> GuessKind {
        match self {
            Source::Match(_) => GuessKind::Lookup,
            Source::Forced | Source::LastForced => GuessKind::Forced,
            Source::Model(_) => GuessKind::Model,
        }
    }

    fn class(self) -> usize {
        match self {
            Source::Match(len) => match len.min(LONGEST) {
                0..=2 => 0,
                3 => 1,
                4 => 2,
                5..=6 => 3,
                7..=10 => 4,
                11..=16 => 5,
                17..=31 => 6,
                _ => 7,
            },
            Source::Forced => 8,
            Source::LastForced => 9,
            Source::Model(p) => match p {
                ..0.3 => 10,
                ..0.5 => 11,
                ..0.75 => 12,
                ..0.95 => 13,
                _ => 14,
            },
        }
    }
}

/// Guesses of a text that were compared with what it drew, read or not, and those that were right.
#[derive(Debug, Clone, Default)]
pub(crate) struct Acceptance {
    classes: [Share; CLASSES],
    /// Of all classes of the draft model.
    model: Share,
}

/// A share of tokens of which the older ones count less.
#[derive(Debug, Clone, Copy, Default)]
struct Share {
    tried: f32,
    right: f32,
}

impl Share {
    fn expected(self, before: f32) -> f32 {
        (WEIGHT * before + self.right) / (WEIGHT + self.tried)
    }

    fn count(&mut self, is_right: bool) {
        if self.tried >= MEMORY {
            (self.tried, self.right) = (self.tried / 2.0, self.right / 2.0);
        }
        self.tried += 1.0;
        self.right += f32::from(u8::from(is_right));
    }
}

impl Acceptance {
    /// The probability that a guess is right if those before it are.
    pub(crate) fn expected(&self, source: Source) -> f32 {
        let class = source.class();
        self.classes[class].expected(EXPECTED[class])
    }

    /// The probability that the next token of the draft model is right, before it is known.
    pub(crate) fn expected_of_model(&self) -> f32 {
        self.model.expected(0.8)
    }

    /// Counts a guess, those before it having been right.
    pub(crate) fn count(&mut self, source: Source, is_right: bool) {
        self.classes[source.class()].count(is_right);
        if let Source::Model(_) = source {
            self.model.count(is_right);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_expected_follows_what_was_counted() {
        let mut acceptance = Acceptance::default();
        let of = |acceptance: &Acceptance| acceptance.expected(Source::Match(4));
        assert_eq!(of(&acceptance), EXPECTED[2]);
        (0..40).for_each(|_| acceptance.count(Source::Match(4), true));
        assert!(of(&acceptance) > 0.9);
        (0..40).for_each(|_| acceptance.count(Source::Match(4), false));
        assert!(of(&acceptance) < 0.3);
        let other = acceptance.expected(Source::Match(1000));
        assert_eq!(other, EXPECTED[7], "other classes are as before");
    }

    #[test]
    fn a_draft_model_is_counted_by_its_confidence_and_in_all() {
        let mut acceptance = Acceptance::default();
        for _ in 0..32 {
            acceptance.count(Source::Model(0.99), true);
            acceptance.count(Source::Model(0.4), false);
        }
        assert!(acceptance.expected(Source::Model(0.96)) > 0.98);
        assert!(acceptance.expected(Source::Model(0.45)) < 0.1);
        assert!((acceptance.expected_of_model() - 0.5).abs() < 0.1);
        assert_eq!(acceptance.expected(Source::Model(0.1)), EXPECTED[10]);
    }
}
