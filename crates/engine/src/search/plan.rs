//! Methods by their names, and a caller's settings of one, checked.

use super::{
    beam::{Beams, EarlyStopping},
    draws::By,
    task::{MAX_BEAMS, MAX_TEXTS, SearchError},
};

/// Texts that are drawn if a caller doesn't say.
const USUAL_SAMPLES: usize = 16;
/// Groups of diverse beams if a caller doesn't say.
const USUAL_GROUPS: usize = 2;

/// How texts are searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// The likeliest.
    Beam,
    /// Groups of beams that avoid each other's tokens.
    Diverse,
    /// Drawn without replacement.
    Stochastic,
    /// The likeliest of drawn texts.
    BestOf,
    /// The drawn text that is most like the others.
    Mbr,
}

use Method::{Beam, BestOf, Diverse, Mbr, Stochastic};

impl Method {
    /// All of them.
    pub const ALL: [Method; 5] = [Beam, Diverse, Stochastic, BestOf, Mbr];

    /// The name in flags.
    pub fn name(self) -> &'static str {
        match self {
            Beam => "beam",
            Diverse => "diverse",
            Stochastic => "stochastic",
            BestOf => "best-of",
            Mbr => "mbr",
        }
    }

    /// The one with a name.
    pub fn named(name: &str) -> Option<Method> {
        Method::ALL.into_iter().find(|method| method.name() == name)
    }
}

/// What a caller sets. What isn't set has its usual value.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Wanted {
    /// Beams, of all groups together.
    pub beams: Option<usize>,
    /// Groups of beams.
    pub groups: Option<usize>,
    /// What a token loses for each beam of an earlier group that has it, in nats.
    pub diversity_penalty: Option<f64>,
    /// The exponent of the length.
    pub length_penalty: Option<f64>,
    /// When a group stops.
    pub early_stopping: Option<EarlyStopping>,
    /// Texts that are drawn.
    pub samples: Option<usize>,
    /// What best of n compares.
    pub by: Option<By>,
}

/// A method with its settings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Plan {
    /// Beam search, in groups or not.
    Beams(Beams),
    /// So many stochastic beams.
    Stochastic(usize),
    /// The best of so many drawn texts.
    BestOf(usize, By),
    /// The one of so many drawn texts that is most like the others.
    Mbr(usize),
}

impl Plan {
    /// Whether beams are read, and nothing is drawn token by token.
    pub fn has_beams(self) -> bool {
        matches!(self, Plan::Beams(_) | Plan::Stochastic(_))
    }

    /// Texts at a time.
    pub fn n_texts(self) -> usize {
        match self {
            Plan::Beams(Beams { beams: n, .. })
            | Plan::Stochastic(n)
            | Plan::BestOf(n, _)
            | Plan::Mbr(n) => n,
        }
    }
}

impl Wanted {
    /// The settings where texts keep to a form. Texts of a form are whole, so the likeliest one is
    /// the one of the largest probability: what isn't set is `length_penalty` 0, or `by` the sum.
    /// A mean per token would prefer unusual spellings of many tokens.
    #[must_use]
    pub fn in_form(self, method: Method) -> Wanted {
        match method {
            Beam | Diverse => Wanted { length_penalty: self.length_penalty.or(Some(0.0)), ..self },
            BestOf => Wanted { by: self.by.or(Some(By::Sum)), ..self },
            Stochastic | Mbr => self,
        }
    }

    /// The settings of a method.
    ///
    /// # Errors
    /// If one of them can't be, or belongs to another method.
    pub fn plan(&self, method: Method) -> Result<Plan, SearchError> {
        self.refuse_foreign(method)?;
        let usual = Beams::default();
        let beams = Beams {
            beams: self.beams.unwrap_or(usual.beams),
            groups: if method == Diverse { self.groups.unwrap_or(USUAL_GROUPS) } else { 1 },
            diversity_penalty: self.diversity_penalty.unwrap_or(usual.diversity_penalty),
            length_penalty: self.length_penalty.unwrap_or(usual.length_penalty),
            early_stopping: self.early_stopping.unwrap_or(usual.early_stopping),
        };
        if matches!(method, Beam | Diverse | Stochastic) {
            beams.check()?;
        }
        Ok(match method {
            Beam | Diverse => Plan::Beams(beams),
            Stochastic => Plan::Stochastic(beams.beams.min(MAX_BEAMS)),
            BestOf => Plan::BestOf(self.samples(method, 1)?, self.by.unwrap_or_default()),
            Mbr => Plan::Mbr(self.samples(method, 2)?),
        })
    }

    fn refuse_foreign(&self, method: Method) -> Result<(), SearchError> {
        let settings: [(&'static str, bool, &[Method]); 7] = [
            ("beams", self.beams.is_some(), &[Beam, Diverse, Stochastic]),
            ("groups", self.groups.is_some(), &[Diverse]),
            ("diversity_penalty", self.diversity_penalty.is_some(), &[Diverse]),
            ("length_penalty", self.length_penalty.is_some(), &[Beam, Diverse]),
            ("early_stopping", self.early_stopping.is_some(), &[Beam, Diverse]),
            ("samples", self.samples.is_some(), &[BestOf, Mbr]),
            ("by", self.by.is_some(), &[BestOf]),
        ];
        let foreign = settings.into_iter().find(|(_, is_set, of)| *is_set && !of.contains(&method));
        let Some((setting, _, of)) = foreign else { return Ok(()) };
        let names: Vec<&str> = of.iter().map(|method| method.name()).collect();
        let problem = format!("is for {}, not for {}", names.join(" or "), method.name());
        Err(SearchError::Setting { setting, problem })
    }

    /// The number of texts to draw.
    fn samples(&self, method: Method, least: usize) -> Result<usize, SearchError> {
        let (n, method) = (self.samples.unwrap_or(USUAL_SAMPLES), method.name());
        let wrong = |problem| Err(SearchError::Setting { setting: "samples", problem });
        if n < least {
            let texts =
                if least == 1 { "1 text" } else { "2 texts, each compared with the others" };
            return wrong(format!("is {n}, but {method} draws at least {texts}"));
        }
        if n > MAX_TEXTS {
            return wrong(format!("is {n}, but at most {MAX_TEXTS} texts are drawn"));
        }
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_a_form_are_ranked_by_their_probability() {
        let none = Wanted::default();
        for method in Method::ALL {
            let plan = none.in_form(method).plan(method).unwrap();
            match (plan, none.plan(method).unwrap()) {
                (Plan::Beams(held), Plan::Beams(free)) => {
                    assert_eq!((held.length_penalty, free.length_penalty), (0.0, 1.0));
                }
                (Plan::BestOf(n, By::Sum), Plan::BestOf(free, By::Mean)) => assert_eq!(n, free),
                (held, free) => assert_eq!(held, free),
            }
        }
        let said = Wanted { length_penalty: Some(1.5), ..none };
        assert_eq!(said.in_form(Beam), said);
        let said = Wanted { by: Some(By::Mean), ..none };
        assert_eq!(said.in_form(BestOf), said);
    }

    #[test]
    fn each_method_has_its_own_settings() {
        let none = Wanted::default();
        for method in Method::ALL {
            let plan = none.plan(method).unwrap();
            assert_eq!(plan.has_beams(), matches!(method, Beam | Diverse | Stochastic));
            assert_eq!(plan.n_texts(), if plan.has_beams() { 4 } else { 16 });
            assert_eq!(Method::named(method.name()), Some(method));
        }
        let Plan::Beams(diverse) = none.plan(Diverse).unwrap() else { panic!() };
        assert_eq!(diverse.groups, 2);
        let said = |wanted: Wanted, method| wanted.plan(method).unwrap_err().to_string();
        let groups = Wanted { groups: Some(2), ..none };
        assert_eq!(said(groups, Beam), "groups is for diverse, not for beam");
        let samples = |n| Wanted { samples: Some(n), ..none };
        assert_eq!(
            said(samples(1), Mbr),
            "samples is 1, but mbr draws at least 2 texts, each compared with the others"
        );
        assert!(said(samples(513), BestOf).contains("at most 512 texts"));
        assert!(said(samples(3), Stochastic).contains("is for best-of or mbr"));
        let beams = Wanted { beams: Some(0), ..none };
        assert!(said(beams, Stochastic).contains("1 to 256 beams, not 0"));
    }
}
