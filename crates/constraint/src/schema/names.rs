//! Decides how many names a pattern matches: unboundedly many from every prefix on, a few, or
//! neither.
//!
//! The pattern is compiled to an automaton. If a state that leads to a name can't reach a loop, a
//! text in that state may run out of unused names.

use llguidance::derivre::{Regex, RegexAst, RegexBuilder, StateID};
use llguidance::regex_to_lark;

/// What making an automaton may cost, in the library's units, and the most states.
const MAX_COST: u64 = 100_000;
const MAX_STATES: usize = 2000;
/// The most names that are listed.
const MAX_NAMES: usize = 64;

#[derive(Debug, PartialEq)]
pub(super) enum Names {
    Endless,
    Few(Vec<String>),
    Other,
}

/// The names that a pattern (of JSON Schema: found anywhere) has.
pub(super) fn of_pattern(pattern: &str) -> Names {
    automaton(&searched(pattern)).map_or(Names::Other, |mut automaton| automaton.names())
}

/// Whether the names that none of these patterns has are endless.
pub(super) fn are_endless_beside<'a>(patterns: impl Iterator<Item = &'a String>) -> bool {
    let any = RegexAst::Or(patterns.map(|pattern| searched(pattern)).collect());
    let none =
        RegexAst::And(vec![RegexAst::Regex("(?s:.*)".to_string()), RegexAst::Not(Box::new(any))]);
    automaton(&none).is_some_and(|mut automaton| automaton.names() == Names::Endless)
}

/// Whether a pattern matches this name. A pattern that is too large matches none.
pub(super) fn fits(pattern: &str, name: &str) -> bool {
    regex(&searched(pattern)).is_some_and(|mut regex| regex.is_match(name))
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

fn automaton(ast: &RegexAst) -> Option<Automaton> {
    let mut regex = regex(ast)?;
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
        if states.len() > MAX_STATES || regex.cost() > MAX_COST * 10 {
            return None;
        }
    }
    Some(automaton)
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

#[cfg(test)]
mod tests {
    use super::*;

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
