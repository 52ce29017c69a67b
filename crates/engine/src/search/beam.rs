//! Beam search, and diverse beam search (Vijayakumar et al. 2016, arXiv 1610.02424).
//!
//! A step extends every beam by every token and keeps the likeliest of all. A text that ends is
//! scored as sum / length^penalty: its ln p (after the chain, if there is one), divided by a power
//! of its number of tokens, the end token included.
//!
//! Diverse beams are groups that choose one after another. A token loses `diversity_penalty` for
//! each beam of an earlier group that goes on with it in this step. The loss stays in the sum, as
//! in transformers, so a score isn't a log-probability there.
//!
//! Beams that keep to a form are ranked by the model's own ln p of what it allows, so a search wide
//! enough finds the likeliest texts of the form. After a chain they are ranked by its
//! probabilities, renormalised over what the form allows, as texts are drawn.
//!
//! One group gives what transformers 5 gives, several what its `group_beam_search` gave up to
//! version 4. The two differ in details of when they stop, and so does this. A group that has
//! ended penalises nothing here; in transformers its pad token still counts.

use super::{
    candidates::{Candidate, Seen, likeliest},
    held::Held,
    task::{End, MAX_BEAMS, SearchError, Task},
    tree::{Fate, Found, Node, Outcome, Tree},
};
use crate::{
    TokenId,
    rows::{Rows, append, begin, fork},
};

/// The largest length penalty, and the smallest with a minus.
pub const MAX_LENGTH_PENALTY: f64 = 10.0;

/// Settings of beam search. Names and defaults are those of transformers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Beams {
    /// Number of beams, of all groups together: 1 to [`MAX_BEAMS`]. One is greedy decoding.
    pub beams: usize,
    /// Number of groups, a divisor of `beams`. 1 is ordinary beam search.
    pub groups: usize,
    /// What a token loses for each beam of an earlier group that has it: above 0, in nats.
    pub diversity_penalty: f64,
    /// The exponent of the length that sums are divided by: 0 prefers short texts, 1 is the mean
    /// per token, more prefers long ones.
    pub length_penalty: f64,
    /// When a group stops that has as many ended texts as beams.
    pub early_stopping: EarlyStopping,
}

impl Default for Beams {
    fn default() -> Beams {
        Beams {
            beams: 4,
            groups: 1,
            diversity_penalty: 1.0,
            length_penalty: 1.0,
            early_stopping: EarlyStopping::Heuristic,
        }
    }
}

/// When a group stops that has as many ended texts as beams (transformers' `early_stopping`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EarlyStopping {
    /// At once (`true`).
    AtOnce,
    /// When the best beam's score, if it ended now, isn't above the worst ended text's (`false`).
    #[default]
    Heuristic,
    /// When no beam can come above the worst ended text any more (`never`).
    Never,
}

impl EarlyStopping {
    /// All of them.
    pub const ALL: [EarlyStopping; 3] =
        [EarlyStopping::AtOnce, EarlyStopping::Heuristic, EarlyStopping::Never];

    /// Its name in transformers and in flags.
    pub fn name(self) -> &'static str {
        match self {
            EarlyStopping::AtOnce => "true",
            EarlyStopping::Heuristic => "false",
            EarlyStopping::Never => "never",
        }
    }

    /// The one with a name.
    pub fn named(name: &str) -> Option<EarlyStopping> {
        EarlyStopping::ALL.into_iter().find(|one| one.name() == name)
    }
}

impl Beams {
    /// Checks the settings.
    ///
    /// # Errors
    /// In a sentence that says what can't be.
    pub fn check(&self) -> Result<(), SearchError> {
        check_beams(self.beams)?;
        let wrong = |words: String| Err(SearchError::Settings(words));
        if self.groups == 0 || !self.beams.is_multiple_of(self.groups) {
            return wrong(format!(
                "{} beams can't be divided into {} equal groups",
                self.beams, self.groups
            ));
        }
        let (penalty, most) = (self.length_penalty, MAX_LENGTH_PENALTY);
        if penalty.is_nan() || penalty.abs() > most {
            return wrong(format!("a length penalty is from -{most} to {most}, not {penalty}"));
        }
        let loss = self.diversity_penalty;
        if self.groups > 1 && !(loss.is_finite() && loss > 0.0) {
            return wrong(format!("a diversity penalty is above 0, not {loss}"));
        }
        Ok(())
    }
}

/// Refuses a number of beams that can't be.
pub(super) fn check_beams(beams: usize) -> Result<(), SearchError> {
    if (1..=MAX_BEAMS).contains(&beams) {
        return Ok(());
    }
    Err(SearchError::Settings(format!("a search has 1 to {MAX_BEAMS} beams, not {beams}")))
}

/// A text that goes on.
#[derive(Debug)]
struct Beam {
    tokens: Vec<TokenId>,
    logprob: f64,
    /// The sum that it is ranked by.
    sum: f64,
    node: Option<usize>,
    group: usize,
    next: Vec<Candidate>,
    /// Its place within the form.
    held: Option<Held>,
}

impl Beam {
    fn seen(&self) -> Seen<'_> {
        Seen { tokens: &self.tokens, held: self.held.as_ref() }
    }
}

/// A beam with one more token.
#[derive(Debug, Clone, Copy)]
struct Child {
    /// Index of the beam that it goes on from.
    parent: usize,
    token: TokenId,
    logprob: f64,
    sum: f64,
}

/// What has ended in a group.
#[derive(Debug, Clone, Default)]
struct Group {
    /// At most as many as the group has beams, the best first.
    ended: Vec<Found>,
    is_done: bool,
}

/// A search between two steps.
#[derive(Debug)]
pub(super) struct Beaming<T> {
    how: Beams,
    beams: Vec<Beam>,
    /// A text for each beam. Before the first step it is the prompt's, but for its last token.
    texts: Vec<T>,
    groups: Vec<Group>,
    found: Outcome,
}

impl<T: Clone> Beaming<T> {
    pub(super) fn new(how: Beams, text: T) -> Beaming<T> {
        let groups = vec![Group::default(); how.groups];
        Beaming { how, beams: Vec::new(), texts: vec![text], groups, found: Outcome::default() }
    }

    /// See [`Steps::step`].
    pub(super) fn step<R: Rows<Text = T>>(
        &mut self,
        rows: &mut R,
        task: &Task<'_>,
    ) -> Result<bool, SearchError> {
        let Beaming { how, beams, texts, groups, found } = self;
        let search = Search { task, how, size: how.beams / how.groups };
        let n_next = search.n_weighed() + if how.groups > 1 { how.beams } else { 0 };
        if beams.is_empty() {
            let before = Seen { tokens: &[], held: task.form };
            let read = |logits: &[f32]| likeliest(task, before, logits, n_next);
            let next = begin(rows, texts, task.prompt, &read)?;
            let next = next.transpose()?.unwrap_or_default();
            let root = |group: usize| Beam {
                tokens: Vec::new(),
                logprob: 0.0,
                sum: 0.0,
                node: None,
                group,
                next: next.clone(),
                held: task.form.map(Held::fork),
            };
            beams.extend((0..how.groups).map(root));
            *texts = vec![texts[0].clone(); how.groups];
            return Ok(true);
        }
        let depth = found.n_steps + 1;
        let (parents, children) = search.choose(beams, groups, &mut found.tree, depth)?;
        if children.is_empty() {
            return Ok(false);
        }
        let tokens: Vec<TokenId> =
            children.iter().filter_map(|beam| beam.tokens.last().copied()).collect();
        *beams = children;
        *texts = fork(std::mem::take(texts), &parents);
        let read = |i: usize, logits: &[f32]| likeliest(task, beams[i].seen(), logits, n_next);
        let read = append(rows, texts, &tokens, &read)?;
        found.n_steps += 1;
        found.n_rows += texts.len();
        for (beam, next) in beams.iter_mut().zip(read) {
            beam.next = next?;
        }
        Ok(true)
    }

    /// What was found so far, without its texts.
    pub(super) fn so_far(&self) -> &Outcome {
        &self.found
    }

    pub(super) fn outcome(&mut self) -> Outcome {
        let groups = std::mem::take(&mut self.groups);
        let mut texts: Vec<Found> = groups.into_iter().flat_map(|group| group.ended).collect();
        texts.sort_by(|a, b| b.score.total_cmp(&a.score));
        Outcome { texts, ..std::mem::take(&mut self.found) }
    }
}

/// The rules of one search.
struct Search<'a> {
    task: &'a Task<'a>,
    how: &'a Beams,
    /// Beams of a group.
    size: usize,
}

impl Search<'_> {
    /// How many children of a group are weighed in a step: so many that enough don't end.
    fn n_weighed(&self) -> usize {
        (1 + self.task.end_tokens.len()).max(2) * self.size
    }

    /// The beams of the next step, and the indices of those that they go on from. Texts that end
    /// come into their groups.
    fn choose(
        &self,
        beams: &[Beam],
        groups: &mut [Group],
        tree: &mut Tree,
        depth: usize,
    ) -> Result<(Vec<usize>, Vec<Beam>), SearchError> {
        let (mut parents, mut next): (Vec<usize>, Vec<Beam>) = (Vec::new(), Vec::new());
        // The tokens that groups go on with, or would if texts could be longer.
        let mut used: Vec<TokenId> = Vec::new();
        for (number, group) in groups.iter_mut().enumerate().filter(|(_, group)| !group.is_done) {
            let children = self.weigh(beams, number, &used);
            let n_used = used.len();
            let begin = next.len();
            let mut cut = Vec::new();
            for (rank, child) in children.iter().enumerate() {
                let mut tokens = beams[child.parent].tokens.clone();
                tokens.push(child.token);
                let held = self.task.advance(beams[child.parent].held.as_ref(), child.token)?;
                let end = self.task.end(&tokens, held.as_ref());
                let fate = match end {
                    Some(_) if rank < self.size => Fate::Ended,
                    None if next.len() - begin < self.size => Fate::Kept,
                    _ => Fate::Dropped,
                };
                if matches!(end, None | Some(End::Length)) && used.len() - n_used < self.size {
                    used.push(child.token);
                }
                let (logprob, score) = (child.logprob, child.sum);
                let parent = beams[child.parent].node;
                let token = child.token;
                let node = Node { parent, token, depth, group: number, logprob, score, fate };
                let node = tree.push(node);
                match (fate, end) {
                    (Fate::Ended, Some(end)) => {
                        let found = self.found(tokens, end, child, (number, node));
                        if end == End::Length {
                            cut.push(found);
                        } else {
                            group.add(found, self.size);
                        }
                    }
                    (Fate::Kept, _) => {
                        parents.push(child.parent);
                        let sum = child.sum;
                        let (node, group, unread) = (Some(node), number, Vec::new());
                        next.push(Beam { tokens, logprob, sum, node, group, next: unread, held });
                    }
                    _ => {}
                }
            }
            // Where there are several groups, what is cut comes in only if the group isn't done.
            let best = if self.how.groups > 1 {
                children.first().map(|child| child.sum)
            } else {
                next.get(begin).map(|beam| beam.sum)
            };
            let is_done = |group: &Group| self.is_done(group, best, depth);
            if !(self.how.groups > 1 && is_done(group)) {
                cut.into_iter().for_each(|found| group.add(found, self.size));
            }
            group.is_done = is_done(group) || next.len() == begin;
            if group.is_done {
                for left in next.drain(begin..).filter_map(|beam| beam.node) {
                    tree.nodes[left].fate = Fate::Left;
                }
                parents.truncate(begin);
            }
        }
        Ok((parents, next))
    }

    /// The best children of a group in descending order. `used` has the tokens of earlier groups.
    fn weigh(&self, beams: &[Beam], group: usize, used: &[TokenId]) -> Vec<Child> {
        let loss = |token: TokenId| {
            let n = used.iter().filter(|&&other| other == token).count();
            if n == 0 { 0.0 } else { self.how.diversity_penalty * n as f64 }
        };
        let of = |(parent, beam): (usize, &Beam)| -> Vec<Child> {
            let child = |next: &Candidate| Child {
                parent,
                token: next.token,
                logprob: beam.logprob + next.logprob,
                sum: beam.sum + (next.chained - loss(next.token)),
            };
            beam.next.iter().map(child).collect()
        };
        let own = beams.iter().enumerate().filter(|(_, beam)| beam.group == group);
        let mut children: Vec<Child> = own.flat_map(of).collect();
        // Of equal sums the first beam's comes first, and its lowest id.
        let key = |child: &Child| (child.parent, child.token.0);
        children.sort_by(|a, b| b.sum.total_cmp(&a.sum).then_with(|| key(a).cmp(&key(b))));
        children.truncate(self.n_weighed());
        children
    }

    fn found(
        &self,
        mut tokens: Vec<TokenId>,
        end: End,
        child: &Child,
        (group, node): (usize, usize),
    ) -> Found {
        let score = self.score(child.sum, tokens.len());
        if let End::Token(_) = end {
            tokens.pop();
        }
        Found { tokens, end, logprob: child.logprob, score, group, node }
    }

    fn score(&self, sum: f64, length: usize) -> f64 {
        sum / libm::pow(length as f64, self.how.length_penalty)
    }

    /// Whether a group is done whose best beam has this sum.
    fn is_done(&self, group: &Group, best: Option<f64>, depth: usize) -> bool {
        let (true, Some(worst)) = (group.ended.len() >= self.size, group.ended.last()) else {
            return false;
        };
        let Some(best) = best else { return true };
        let length = match self.how.early_stopping {
            EarlyStopping::AtOnce => return true,
            EarlyStopping::Never if self.how.length_penalty > 0.0 => self.task.max_tokens,
            _ => depth,
        };
        worst.score >= self.score(best, length)
    }
}

impl Group {
    /// Puts an ended text at its place, and keeps the best `size`; of equal scores the earlier one
    /// is before it.
    fn add(&mut self, found: Found, size: usize) {
        let at = self.ended.partition_point(|other| other.score >= found.score);
        self.ended.insert(at, found);
        self.ended.truncate(size);
    }
}
