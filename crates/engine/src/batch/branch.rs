//! Texts of a request that are equal so far: they have one sequence, and a step reads it once for
//! all of them.
//!
//! All texts begin on one branch. Where they draw different tokens the branch parts, by forks of
//! its sequence. What a step read of guesses that nobody drew is forgotten there.

use super::{
    guess::{
        Acceptance, Ask, Bid, Costs, Drafting, Guess, GuessCounts, Guessed, Guesses, Lookup, most,
    },
    text::Text,
};
use crate::{
    Engine, TokenId,
    transformer::{PAGE, Prefixes, Sequence},
};

/// The texts of a request in decode.
#[derive(Debug)]
pub(super) struct Decode {
    /// Those that haven't ended.
    pub(super) texts: Vec<Text>,
    pub(super) branches: Vec<Branch>,
    /// Where guesses are looked up, if there are any.
    lookup: Option<Lookup>,
}

/// Where some texts of a request are.
#[derive(Debug)]
pub(super) struct Branch {
    pub(super) sequence: Sequence,
    /// What the next step reads: the token drawn last, then guesses.
    pub(super) next: Vec<TokenId>,
    /// Index of the first row of the step's logits.
    pub(super) first_row: usize,
    /// What could be guessed, whether it is read or not.
    guess: Guess,
    /// What the draft model guessed, which is read instead.
    draft: Guess,
    acceptance: Acceptance,
    drafting: Drafting,
}

impl Branch {
    fn new(sequence: Sequence, last: TokenId, first_row: usize) -> Branch {
        Branch {
            sequence,
            next: vec![last],
            first_row,
            guess: Guess::default(),
            draft: Guess::default(),
            acceptance: Acceptance::default(),
            drafting: Drafting::default(),
        }
    }

    /// The tokens guessed for this step.
    pub(super) fn guesses(&self) -> &[TokenId] {
        &self.next[1..]
    }

    /// The guess from which tokens are read.
    fn chosen(&self) -> &Guess {
        if self.draft.0.is_empty() { &self.guess } else { &self.draft }
    }

    /// What of that guess the step reads.
    fn read(&self) -> &[Guessed] {
        &self.chosen().0[..self.guesses().len()]
    }
}

impl Decode {
    /// After a prompt that `sequence` has read: `n_texts` texts draw their first token from
    /// `first_row`. The texts are still to be added.
    pub(super) fn new(
        guesses: Guesses,
        sequence: &Sequence,
        prompt: &[TokenId],
        n_texts: usize,
        first_row: usize,
    ) -> Decode {
        let last = prompt.last().copied().unwrap_or(TokenId(0));
        let n_branches = if guesses == Guesses::Auto { n_texts.min(1) } else { n_texts };
        let branch = |_| Branch::new(sequence.clone(), last, first_row);
        // With recurrent layers the state after a refused guess would have to be computed again.
        let can_guess = guesses != Guesses::Off && !sequence.has_state();
        Decode {
            texts: Vec::with_capacity(n_texts),
            branches: (0..n_branches).map(branch).collect(),
            lookup: can_guess.then(|| Lookup::new(prompt, n_texts)),
        }
    }

    /// The branch of the text with this number, before the first draw.
    pub(super) fn first_branch(&self, number: usize) -> usize {
        number.min(self.branches.len() - 1)
    }

    /// Pages that its texts may still take if each becomes `len` tokens long.
    pub(super) fn pages_until(&self, len: usize) -> usize {
        let mut n_texts = vec![0; self.branches.len()];
        self.texts.iter().for_each(|text| n_texts[text.branch] += 1);
        let of = |(branch, n_texts): (&Branch, usize)| {
            let sequence = &branch.sequence;
            // A fork copies the last page, if that is partly filled.
            let of_a_fork = len.div_ceil(PAGE).saturating_sub(sequence.len() / PAGE);
            match n_texts {
                0 => 0,
                n => sequence.pages_until(len) + (n - 1) * of_a_fork,
            }
        };
        self.branches.iter().zip(n_texts).map(of).sum()
    }

    /// For each branch its first text, and the number of its texts.
    fn firsts(&self) -> Vec<(usize, usize)> {
        let mut firsts: Vec<(usize, usize)> = vec![(0, 0); self.branches.len()];
        for (at, text) in self.texts.iter().enumerate().rev() {
            firsts[text.branch] = (at, firsts[text.branch].1 + 1);
        }
        firsts
    }

    /// Looks for guesses. `max_new` is the most tokens that a text can get.
    pub(super) fn guess(&mut self, engine: &Engine, guesses: Guesses, max_new: usize) {
        let firsts = self.firsts();
        let Decode { texts, branches, lookup: Some(lookup) } = self else { return };
        for (branch, (first, _)) in branches.iter_mut().zip(firsts) {
            // A step that failed has left its guesses.
            branch.next.truncate(1);
            branch.draft = Guess::default();
            let first = &mut texts[first];
            let n = most(max_new.saturating_sub(first.column.tokens().len()));
            let forced = match guesses {
                Guesses::Auto if n > 0 => first.forced(engine),
                _ => Vec::new(),
            };
            branch.guess = if !forced.is_empty() {
                Guess::forced(&forced, n)
            } else if let Some(found) = lookup.find(first.number) {
                Guess::found(lookup.following(first.number, found, n), found.len)
            } else {
                Guess::default()
            };
        }
    }

    /// The branches that the draft model may draft for: those whose guesses promise less than its.
    pub(super) fn asks(&mut self, max_new: usize) -> impl Iterator<Item = Ask<'_>> {
        let firsts = self.firsts();
        let can_guess = self.lookup.is_some();
        let Decode { texts, branches, .. } = self;
        let texts = &*texts;
        branches.iter_mut().zip(firsts).filter(move |_| can_guess).filter_map(
            move |(branch, (first, _))| {
                let Branch { guess, draft, acceptance, drafting, .. } = branch;
                let promised = guess.odds(acceptance).first().copied().unwrap_or(0.0);
                let text = &texts[first];
                let left = max_new.saturating_sub(text.column.tokens().len());
                let ask = Ask { text, acceptance, drafting, guess: draft, left };
                (promised < ask.acceptance.expected_of_model()).then_some(ask)
            },
        )
    }

    /// A bid for each branch that has guesses, with the branch's index.
    pub(super) fn bids(&self) -> Vec<(usize, Bid)> {
        let bid = |(at, (branch, (_, n_texts))): (usize, (&Branch, (usize, usize)))| {
            let odds = branch.chosen().odds(&branch.acceptance);
            (!odds.is_empty()).then_some((at, Bid { n_texts, odds }))
        };
        self.branches.iter().zip(self.firsts()).enumerate().filter_map(bid).collect()
    }

    /// Adds the first `n` guesses of a branch to what the next step reads.
    pub(super) fn read_guesses(&mut self, branch: usize, n: usize) {
        let branch = &mut self.branches[branch];
        let tokens: Vec<TokenId> = branch.chosen().0[..n].iter().map(|one| one.token).collect();
        branch.next.extend(tokens);
    }

    /// After the draws of a step: parts texts that drew different tokens, and forgets what was read
    /// of guesses that nobody drew. Full pages enter the prefix cache.
    pub(super) fn part(&mut self, prefixes: &mut Prefixes, costs: Costs, counts: &mut GuessCounts) {
        let Decode { texts, branches, lookup } = self;
        // For each branch the new ones: the first text, and the index.
        let mut parts: Vec<Vec<(usize, usize)>> = vec![Vec::new(); branches.len()];
        let mut n_new = 0;
        for at in 0..texts.len() {
            let own = &mut parts[texts[at].branch];
            let mut all = own.iter().filter(|(first, _)| drew_alike(&texts[*first], &texts[at]));
            let same = all.next().map(|(_, new)| *new);
            let (is_first, new) = match same {
                Some(new) => (false, new),
                None => {
                    own.push((at, n_new));
                    n_new += 1;
                    (true, n_new - 1)
                }
            };
            counts.n_drawn += texts[at].results.len() as u64;
            counts.n_drawn -= texts[at].back.map_or(0, |back| back.n_lost as u64);
            if let Some(lookup) = lookup {
                let number = texts[at].number;
                if let Some(back) = texts[at].back {
                    lookup.truncate(number, back.n_left);
                }
                drawn(&texts[at]).for_each(|token| lookup.push(number, token, is_first));
            }
            texts[at].branch = new;
        }
        let mut new: Vec<Option<Branch>> = (0..n_new).map(|_| None).collect();
        for (branch, parts) in std::mem::take(branches).into_iter().zip(parts) {
            let longest = parts.iter().map(|(first, _)| texts[*first].results.len()).max();
            counts.count(branch.read(), longest.unwrap_or(1).saturating_sub(1));
            let mut last = Some(branch);
            let n_parts = parts.len();
            for (i, (first, at)) in parts.into_iter().enumerate() {
                let own = if i + 1 == n_parts { last.take() } else { last.as_ref().map(fork) };
                let Some(own) = own else { continue };
                new[at] = Some(went_on(own, costs, &texts[first], prefixes));
            }
        }
        *branches = new.into_iter().flatten().collect();
    }

    /// Removes texts that have ended. The pages of a branch without texts enter the prefix cache:
    /// nothing is appended to its sequence any more.
    pub(super) fn remove_ended(&mut self, prefixes: &mut Prefixes) {
        let Decode { texts, branches, .. } = self;
        texts.retain(|text| text.column.is_open());
        let mut n_texts = vec![0; branches.len()];
        texts.iter().for_each(|text| n_texts[text.branch] += 1);
        let (mut places, mut n_left) = (Vec::new(), 0);
        for (branch, n_texts) in branches.iter().zip(&n_texts) {
            places.push(n_left);
            n_left += usize::from(*n_texts > 0);
            if *n_texts == 0 {
                prefixes.keep(&branch.sequence, branch.sequence.len());
                prefixes.keep_state(&branch.sequence);
            }
        }
        texts.iter_mut().for_each(|text| text.branch = places[text.branch]);
        let mut n_texts = n_texts.into_iter();
        branches.retain(|_| n_texts.next() != Some(0));
    }
}

/// A copy of a branch, for other texts.
fn fork(branch: &Branch) -> Branch {
    let Branch { sequence, next, first_row, guess, draft, acceptance, drafting } = branch;
    Branch {
        sequence: sequence.clone(),
        next: next.clone(),
        first_row: *first_row,
        guess: guess.clone(),
        draft: draft.clone(),
        acceptance: acceptance.clone(),
        drafting: drafting.fork(),
    }
}

/// A branch after a step in which `text`, its first, drew its results.
fn went_on(branch: Branch, costs: Costs, text: &Text, prefixes: &mut Prefixes) -> Branch {
    let n_read = branch.next.len();
    let Branch { mut sequence, guess, draft, mut acceptance, mut drafting, .. } = branch;
    guess.count(drawn(text), &mut acceptance);
    draft.count(drawn(text), &mut acceptance);
    drafting.count(text.results.len(), n_read - 1, costs.further);
    let before = sequence.len() - n_read;
    if text.back.is_some() {
        // The token before the place is read again, for its logits.
        let last = text.column.pos().saturating_sub(1);
        let token = sequence.tokens().get(last).copied().unwrap_or(TokenId(0));
        sequence.truncate(last);
        return Branch { acceptance, drafting, ..Branch::new(sequence, token, 0) };
    }
    // A text that was cancelled before its first draw has no results.
    sequence.truncate(before + text.results.len().max(1));
    // Pages that may still be given back aren't promised to others.
    let n_settled = text.column.pos().saturating_sub(text.column.n_held());
    let full = sequence.len().min(n_settled) / PAGE * PAGE;
    if full > before {
        // Only full pages: a running sequence would have to copy a shared, partly filled one.
        prefixes.keep(&sequence, full);
    }
    let last = drawn(text).last().unwrap_or(TokenId(0));
    Branch { acceptance, drafting, ..Branch::new(sequence, last, 0) }
}

/// The tokens that a text drew in this step.
fn drawn(text: &Text) -> impl Iterator<Item = TokenId> {
    text.results.iter().filter_map(|result| result.token())
}

/// Whether two texts that were equal are so after a step.
fn drew_alike(a: &Text, b: &Text) -> bool {
    a.results.len() == b.results.len() && a.back == b.back && drawn(a).eq(drawn(b))
}
