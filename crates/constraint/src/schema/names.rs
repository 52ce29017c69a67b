//! Decides how many names a pattern matches: unboundedly many from every prefix on, a few, or
//! neither.
//!
//! The pattern is compiled to an automaton. If a state that leads to a name can't reach a loop, a
//! text in that state may run out of unused names.

use llguidance::derivre::{Regex, RegexAst, RegexBuilder, StateID};
use llguidance::regex_to_lark;

/// What making one expression may cost, in the library's units, and the most states of an
/// automaton.
const MAX_COST: u64 = 100_000;
const MAX_STATES: usize = 2000;
/// What all automata of a schema may cost together, and what an expression costs at least.
const MAX_WORK: u64 = 500_000;
const LEAST_COST: u64 = 500;
/// The most names that are listed.
const MAX_NAMES: usize = 64;

#[derive(Debug, PartialEq)]
pub(super) enum Names {
    Endless,
    Few(Vec<String>),
    Other,
}

/// The work that is left for the patterns of a schema.
#[derive(Debug)]
pub(crate) struct Work {
    left: u64,
}

/// The patterns of a schema take more work than there is for them.
#[derive(Debug, PartialEq)]
pub(super) struct TooMuch;

impl TooMuch {
    /// The sentence that a schema is refused with.
    pub(super) const WHY: &str = "can't be used: the patterns of names take too much work, all of \
        the schema's together; make them simpler";
}

/// One pattern, compiled.
pub(super) struct Pattern(Regex);

impl Work {
    pub(crate) fn new() -> Work {
        Work { left: MAX_WORK }
    }

    fn spend(&mut self, cost: u64) -> Result<(), TooMuch> {
        self.left = self.left.checked_sub(cost).ok_or(TooMuch)?;
        Ok(())
    }

    /// The names that a pattern (of JSON Schema: found anywhere) has.
    pub(super) fn of_pattern(&mut self, pattern: &str) -> Result<Names, TooMuch> {
        let automaton = automaton(&searched(pattern), self)?;
        Ok(automaton.map_or(Names::Other, |mut automaton| automaton.names()))
    }

    /// Whether the names that none of these patterns has are endless.
    pub(super) fn are_endless_beside<'a>(
        &mut self,
        patterns: impl Iterator<Item = &'a String>,
    ) -> Result<bool, TooMuch> {
        let any = RegexAst::Or(patterns.map(|pattern| searched(pattern)).collect());
        let all = RegexAst::Regex("(?s:.*)".to_string());
        let none = RegexAst::And(vec![all, RegexAst::Not(Box::new(any))]);
        let automaton = automaton(&none, self)?;
        Ok(automaton.is_some_and(|mut automaton| automaton.names() == Names::Endless))
    }

    /// Compiles a pattern, unless it is too large.
    pub(super) fn compile(&mut self, pattern: &str) -> Result<Pattern, TooMuch> {
        self.spend(LEAST_COST)?;
        regex(&searched(pattern)).map(Pattern).ok_or(TooMuch)
    }

    /// Whether a pattern matches this name.
    pub(super) fn fits(&mut self, pattern: &mut Pattern, name: &str) -> Result<bool, TooMuch> {
        let before = pattern.0.cost();
        let fits = pattern.0.is_match(name);
        self.spend(1 + pattern.0.cost().saturating_sub(before))?;
        Ok(fits)
    }
}

/// The parser's objection to a pattern.
pub(super) fn check(pattern: &str) -> Result<(), String> {
    let made = RegexBuilder::new().mk(&searched(pattern));
    made.map(drop).map_err(|error| crate::error::short(&error.to_string()))
}

/// A pattern as the parser reads it in a schema.
fn searched(pattern: &str) -> RegexAst {
    RegexAst::SearchRegex(regex_to_lark(pattern, "dw"))
}

fn regex(ast: &RegexAst) -> Option<Regex> {
    let mut builder = RegexBuilder::new();
    let made = builder.mk(ast).ok()?;
    builder.into_regex_limited(made, MAX_COST).ok()
}

/// States and where each byte leads.
struct Automaton {
    next: Vec<Vec<(u8, usize)>>,
    accepts: Vec<bool>,
}

/// The automaton, if it isn't too large.
fn automaton(ast: &RegexAst, work: &mut Work) -> Result<Option<Automaton>, TooMuch> {
    work.spend(LEAST_COST)?;
    let Some(mut regex) = regex(ast) else { return Ok(None) };
    let mut paid = 0;
    let mut states: Vec<StateID> = vec![regex.initial_state()];
    let mut automaton = Automaton { next: Vec::new(), accepts: Vec::new() };
    let mut n = 0;
    while let Some(state) = states.get(n).copied() {
        automaton.accepts.push(regex.is_accepting(state));
        let mut next = Vec::new();
        for byte in 0..=255 {
            let to = regex.transition(state, byte);
            if to.is_dead() {
                continue;
            }
            let known = states.iter().rposition(|state| *state == to);
            next.push((byte, known.unwrap_or(states.len())));
            if known.is_none() {
                states.push(to);
            }
        }
        automaton.next.push(next);
        n += 1;
        work.spend(regex.cost().saturating_sub(paid))?;
        paid = regex.cost();
        if states.len() > MAX_STATES {
            return Ok(None);
        }
    }
    Ok(Some(automaton))
}

impl Automaton {
    fn names(&mut self) -> Names {
        let accepts = self.accepts.clone();
        let lives = self.reaching(accepts);
        for next in &mut self.next {
            next.retain(|(_, to)| lives[*to]);
        }
        // What is on a loop is what stays when ends are taken away again and again.
        let mut goes_on = lives.clone();
        loop {
            let ends: Vec<usize> = (0..goes_on.len())
                .filter(|state| {
                    goes_on[*state] && !self.next[*state].iter().any(|(_, to)| goes_on[*to])
                })
                .collect();
            if ends.is_empty() {
                break;
            }
            ends.into_iter().for_each(|state| goes_on[state] = false);
        }
        let n_live = lives.iter().filter(|lives| **lives).count();
        let n_endless = goes_on.iter().filter(|goes_on| **goes_on).count();
        if n_live == n_endless && n_live > 0 {
            return Names::Endless;
        }
        if n_endless > 0 {
            return Names::Other;
        }
        self.few().map_or(Names::Other, Names::Few)
    }

    /// From which states one of these can be reached.
    fn reaching(&self, mut reaches: Vec<bool>) -> Vec<bool> {
        loop {
            let found: Vec<usize> = (0..reaches.len())
                .filter(|state| {
                    !reaches[*state] && self.next[*state].iter().any(|(_, to)| reaches[*to])
                })
                .collect();
            if found.is_empty() {
                return reaches;
            }
            found.into_iter().for_each(|state| reaches[state] = true);
        }
    }

    /// All names, if there are no loops and only a few.
    fn few(&self) -> Option<Vec<String>> {
        let mut names = Vec::new();
        let mut left = vec![(0, Vec::new())];
        let mut n_steps = 0;
        while let Some((state, name)) = left.pop() {
            n_steps += 1;
            if n_steps > MAX_NAMES * 256 || names.len() > MAX_NAMES {
                return None;
            }
            if self.accepts[state] {
                names.push(String::from_utf8(name.clone()).ok()?);
            }
            for (byte, to) in self.next[state].iter().rev() {
                left.push((*to, [&name[..], &[*byte]].concat()));
            }
        }
        Some(names)
    }
}

/// Whether a pattern matches this name.
#[cfg(test)]
pub(super) fn fits(pattern: &str, name: &str) -> bool {
    let mut work = Work::new();
    let mut pattern = work.compile(pattern).expect("a small pattern");
    work.fits(&mut pattern, name).expect("a short name")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_pattern(pattern: &str) -> Names {
        Work::new().of_pattern(pattern).unwrap()
    }

    fn are_endless_beside<'a>(patterns: impl Iterator<Item = &'a String>) -> bool {
        Work::new().are_endless_beside(patterns).unwrap()
    }

    #[test]
    fn the_work_of_patterns_is_bounded_together() {
        let pattern = |i: usize| format!("^k{}.*\\p{{L}}{}$", "v".repeat(30), "v".repeat(i));
        let mut work = Work::new();
        let begun = std::time::Instant::now();
        let n_examined = (0..500).take_while(|i| work.of_pattern(&pattern(*i)).is_ok()).count();
        assert!(n_examined < 500, "all of them");
        assert!(begun.elapsed() < std::time::Duration::from_secs(20), "{:?}", begun.elapsed());
        assert_eq!(work.of_pattern(&pattern(400)), Err(TooMuch));
        // Texts cost too.
        let mut work = Work::new();
        let mut any = work.compile("a.{0,8}b").unwrap();
        let names = (0..1_000_000).map(|i| format!("a{i}"));
        assert!(names.map(|name| work.fits(&mut any, &name)).any(|fits| fits.is_err()));
    }

    #[test]
    fn names_are_counted() {
        for pattern in ["", "^x-", "^[a-z]+$", "a", "^.{2,}$", "^(?s:.{0,})$"] {
            assert_eq!(of_pattern(pattern), Names::Endless, "{pattern}");
        }
        assert_eq!(of_pattern("^k[01]$"), Names::Few(vec!["k0".to_string(), "k1".to_string()]));
        assert_eq!(of_pattern("^é?$"), Names::Few(vec![String::new(), "é".to_string()]));
        for pattern in ["^.{1,8}$", "^(a|b.*)$", "^[a-z]{2}$"] {
            assert_eq!(of_pattern(pattern), Names::Other, "{pattern}");
        }
        assert!(are_endless_beside(["^x-".to_string()].iter()));
        assert!(!are_endless_beside(["^(?s:.{3,})$".to_string()].iter()));
        assert!(fits("^[a-z]$", "b") && !fits("^[a-z]$", "bb"));
    }
}
