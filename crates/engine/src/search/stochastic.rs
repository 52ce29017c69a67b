//! Stochastic beam search (Kool, van Hoof and Welling 2019, arXiv 1903.06059): texts drawn without
//! replacement.
//!
//! A text's perturbed log-probability is its ln p plus a Gumbel number of its own. The `k` texts
//! with the largest ones are a sample of `k` different texts without replacement, in its order: the
//! first has probability p, the second p among the rest, and so on. A beam's perturbed
//! log-probability is the largest of its continuations. So those of its children are drawn under
//! the condition that their maximum is the beam's, and beams of width `k` find the `k` largest
//! exactly.
//!
//! The Gumbel numbers of a text's children are made from random words whose stream is a hash of the
//! text's tokens. So they depend on the seed and the tokens alone, and the texts of `k` beams are
//! the first of those of more beams.
//!
//! Under a form the distribution is that which texts are drawn from under it: at each place
//! renormalised over the tokens that it allows.

use kelvin_sampling::Dice;

use super::{
    candidates::{Candidate, Seen, all},
    held::Held,
    task::{End, SearchError, Task},
    tree::{Fate, Found, Node, Outcome, Tree},
};
use crate::{
    TokenId,
    rows::{Rows, append, begin, fork},
};

/// A beam, or a text that has ended.
#[derive(Debug)]
struct Line {
    tokens: Vec<TokenId>,
    /// ln p of the model, and of the chain.
    logprob: f64,
    chained: f64,
    /// The perturbed log-probability.
    gumbel: f64,
    /// The stream of its children's random words.
    stream: u64,
    node: Option<usize>,
    end: Option<End>,
    next: Vec<Child>,
    /// Its place within the form.
    held: Option<Held>,
}

/// A token that may come next, with what the line is with it.
#[derive(Debug, Clone, Copy)]
struct Child {
    token: TokenId,
    logprob: f64,
    chained: f64,
    gumbel: f64,
}

/// The perturbed log-probability of a child under the condition that the largest of all children is
/// the parent's: of what it was drawn as, the largest of all children as they were drawn, and the
/// parent's.
type Condition = fn(f64, f64, f64) -> f64;

/// A search between two steps.
#[derive(Debug)]
pub(super) struct Drawing<T> {
    beams: usize,
    seed: u64,
    condition: Condition,
    lines: Vec<Line>,
    /// A text for each line that hasn't ended. Before the first step it is the prompt's, but for
    /// its last token.
    texts: Vec<T>,
    found: Outcome,
}

impl<T: Clone> Drawing<T> {
    pub(super) fn new(beams: usize, seed: u64, text: T) -> Drawing<T> {
        let (lines, found) = (Vec::new(), Outcome::default());
        Drawing { beams, seed, condition: conditioned, lines, texts: vec![text], found }
    }

    /// See [`Steps::step`].
    pub(super) fn step<R: Rows<Text = T>>(
        &mut self,
        rows: &mut R,
        task: &Task<'_>,
    ) -> Result<bool, SearchError> {
        let Drawing { beams, seed, condition, lines, texts, found } = self;
        let search = Search { task, beams: *beams, seed: *seed, condition: *condition };
        if lines.is_empty() {
            let mut root = search.root();
            let next = begin(rows, texts, task.prompt, &|logits| search.children(&root, logits))?;
            root.next = next.transpose()?.unwrap_or_default();
            lines.push(root);
            return Ok(true);
        }
        let depth = found.n_steps + 1;
        let (chosen, parents) = search.choose(std::mem::take(lines), &mut found.tree, depth)?;
        *lines = chosen;
        if parents.is_empty() {
            return Ok(false);
        }
        *texts = fork(std::mem::take(texts), &parents);
        let open: Vec<&Line> = lines.iter().filter(|line| line.end.is_none()).collect();
        let tokens: Vec<TokenId> =
            open.iter().filter_map(|line| line.tokens.last().copied()).collect();
        let read = |i: usize, logits: &[f32]| search.children(open[i], logits);
        let read = append(rows, texts, &tokens, &read)?;
        found.n_steps += 1;
        found.n_rows += texts.len();
        let open = lines.iter_mut().filter(|line| line.end.is_none());
        for (line, next) in open.zip(read) {
            line.next = next?;
        }
        Ok(true)
    }

    /// What was found so far, without its texts.
    pub(super) fn so_far(&self) -> &Outcome {
        &self.found
    }

    pub(super) fn outcome(&mut self) -> Outcome {
        let lines = std::mem::take(&mut self.lines);
        let texts = lines.into_iter().filter_map(Line::found).collect();
        Outcome { texts, ..std::mem::take(&mut self.found) }
    }
}

/// The rules of one search.
struct Search<'a> {
    task: &'a Task<'a>,
    beams: usize,
    seed: u64,
    condition: Condition,
}

impl Search<'_> {
    /// The line of the prompt.
    fn root(&self) -> Line {
        Line {
            tokens: Vec::new(),
            logprob: 0.0,
            chained: 0.0,
            gumbel: gumbel(Dice { seed: self.seed, sample: stream(0, TokenId(u32::MAX)) }.word(0)),
            stream: stream(0, TokenId(0)),
            node: None,
            end: None,
            next: Vec::new(),
            held: self.task.form.map(Held::fork),
        }
    }

    /// The children of a line with the largest perturbed log-probabilities, in descending order.
    fn children(&self, line: &Line, logits: &[f32]) -> Result<Vec<Child>, SearchError> {
        let mut noise = Noise::new(Dice { seed: self.seed, sample: line.stream });
        let child = |next: Candidate| {
            let chained = line.chained + next.chained;
            let gumbel = chained + gumbel(noise.word(next.token.0));
            Child { token: next.token, logprob: line.logprob + next.logprob, chained, gumbel }
        };
        let next = all(self.task, line.seen(), logits)?;
        let mut children: Vec<Child> = next.into_iter().map(child).collect();
        let order = |a: &Child, b: &Child| {
            b.gumbel.total_cmp(&a.gumbel).then_with(|| a.token.0.cmp(&b.token.0))
        };
        if self.beams < children.len() {
            children.select_nth_unstable_by(self.beams, order);
            children.truncate(self.beams);
        }
        children.sort_unstable_by(order);
        // The condition keeps the order.
        let largest = children.first().map_or(0.0, |child| child.gumbel);
        for child in &mut children {
            child.gumbel = (self.condition)(child.gumbel, largest, line.gumbel);
        }
        Ok(children)
    }

    /// The lines after one more token, the largest first, and the indices among the open ones of
    /// those that the new open ones go on from.
    fn choose(
        &self,
        lines: Vec<Line>,
        tree: &mut Tree,
        depth: usize,
    ) -> Result<(Vec<Line>, Vec<usize>), SearchError> {
        // Each with the line that it was or goes on from, its number among the open ones, and its
        // next token.
        let mut all: Vec<(f64, usize, usize, Option<Child>)> = Vec::new();
        let mut n_open = 0;
        for (i, line) in lines.iter().enumerate() {
            if line.end.is_some() {
                all.push((line.gumbel, i, 0, None));
            } else {
                all.extend(line.next.iter().map(|child| (child.gumbel, i, n_open, Some(*child))));
                n_open += 1;
            }
        }
        all.sort_by(|a, b| b.0.total_cmp(&a.0));
        let (mut parents, mut places, mut made) = (Vec::new(), Vec::new(), Vec::new());
        for (rank, (gumbel, from, number, child)) in all.into_iter().enumerate() {
            let is_kept = rank < self.beams;
            let Some(child) = child else {
                // An ended text that is driven out stays in the tree as one that ended.
                places.extend(is_kept.then_some((from, None)));
                continue;
            };
            let line = &lines[from];
            let Child { token, logprob, chained, .. } = child;
            let (parent, group, score) = (line.node, 0, gumbel);
            let mut weighed =
                |fate: Fate| tree.push(Node { parent, token, depth, group, logprob, score, fate });
            if !is_kept {
                weighed(Fate::Dropped);
                continue;
            }
            let tokens = [&line.tokens[..], &[token]].concat();
            let held = self.task.advance(line.held.as_ref(), token)?;
            let end = self.task.end(&tokens, held.as_ref());
            let node = Some(weighed(if end.is_some() { Fate::Ended } else { Fate::Kept }));
            let (stream, next) = (stream(line.stream, token), Vec::new());
            places.push((from, Some(made.len())));
            made.push(Line { tokens, logprob, chained, gumbel, stream, node, end, next, held });
            parents.extend(end.is_none().then_some(number));
        }
        let mut old: Vec<Option<Line>> = lines.into_iter().map(Some).collect();
        let mut made: Vec<Option<Line>> = made.into_iter().map(Some).collect();
        let line = |(from, new): (usize, Option<usize>)| match new {
            Some(new) => made[new].take(),
            None => old[from].take(),
        };
        Ok((places.into_iter().filter_map(line).collect(), parents))
    }
}

impl Line {
    fn seen(&self) -> Seen<'_> {
        Seen { tokens: &self.tokens, held: self.held.as_ref() }
    }

    /// The text, if it has ended.
    fn found(mut self) -> Option<Found> {
        let (end, node) = (self.end?, self.node?);
        if let End::Token(_) = end {
            self.tokens.pop();
        }
        let Line { tokens, logprob, gumbel: score, .. } = self;
        Some(Found { tokens, end, logprob, score, group: 0, node })
    }
}

/// The random words of a text's children: word `id % 8` of the block of position `id / 8`.
struct Noise {
    dice: Dice,
    block: u64,
    words: [u64; 8],
}

impl Noise {
    fn new(dice: Dice) -> Noise {
        let mut noise = Noise { dice, block: 0, words: [0; 8] };
        noise.fill(0);
        noise
    }

    fn fill(&mut self, block: u64) {
        let words = self.dice.words(block);
        self.block = block;
        self.words[0] = words.draw;
        self.words[1..].copy_from_slice(&words.stages);
    }

    fn word(&mut self, id: u32) -> u64 {
        let block = u64::from(id / 8);
        if block != self.block {
            self.fill(block);
        }
        self.words[id as usize % 8]
    }
}

/// A Gumbel number: -ln(-ln u) with u in (0, 1) from the upper 52 bits of a word, so that u is
/// exact.
fn gumbel(word: u64) -> f64 {
    let u = ((word >> 12) as f64 + 0.5) / (1u64 << 52) as f64;
    0.0 - libm::log(0.0 - libm::log(u))
}

/// The stream of a text that goes on with a token: a hash of all its tokens (the finalizer of
/// SplitMix64, a bijection, after each).
fn stream(before: u64, token: TokenId) -> u64 {
    let mut x = before.wrapping_add(0x9E37_79B9_7F4A_7C15).wrapping_add(u64::from(token.0));
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

/// -ln(e^-parent - e^-largest + e^-drawn), as the paper's appendix computes it without overflow.
fn conditioned(drawn: f64, largest: f64, parent: f64) -> f64 {
    let v = parent - drawn + ln_1m_exp(drawn - largest);
    parent - v.max(0.0) - libm::log1p(libm::exp(0.0 - v.abs()))
}

/// ln(1 - e^x) for x at most 0.
fn ln_1m_exp(x: f64) -> f64 {
    if x > -std::f64::consts::LN_2 {
        libm::log(0.0 - libm::expm1(x))
    } else {
        libm::log1p(0.0 - libm::exp(x))
    }
}

#[cfg(test)]
mod tests;
