//! The prefix cache: finds the longest known prefix of a new text.
//!
//! It is a tree whose nodes are pages. A node's tokens follow those of its parents, so a page that
//! two texts share exists once. The tree holds references. A text that is still being prefilled or
//! decoded can be in it too, because its sequence only writes other pages, or copies. A prefix
//! found here has the same bits as one computed again.
//!
//! Models with recurrent layers can go on from a page only if the state after it is kept too. A
//! state may be far larger than a page, so few are: after every `STATE_EVERY` tokens, and after the
//! last full page of prompts and of texts that ended. The least recently used are dropped first.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    ops::Bound::{Excluded, Included, Unbounded},
};

use super::{
    PAGE, Sequence,
    sequence::HeldPage,
    states::{STATE_EVERY, State},
};
use crate::TokenId;

/// What sequences of one model have read.
#[derive(Debug)]
pub struct Prefixes {
    /// No tokens: what a beginning is made from.
    empty: Sequence,
    /// First pages.
    roots: Children,
    nodes: BTreeMap<Id, Node>,
    /// Nodes with a recurrent state, and how many there may be.
    with_state: BTreeSet<Id>,
    most_states: usize,
    next: u64,
    clock: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Id(u64);

/// Nodes by their tokens. None of these begins with all of another.
type Children = BTreeMap<Box<[TokenId]>, Id>;

#[derive(Debug)]
struct Node {
    page: HeldPage,
    /// The recurrent state after its tokens.
    state: Option<State>,
    /// What its place in the tree is.
    parent: Option<Id>,
    tokens: Box<[TokenId]>,
    depth: usize,
    /// None unless the page is full.
    children: Children,
    /// When it was last found; never later than its parent.
    used: u64,
}

impl Prefixes {
    /// No texts yet; they will be of the model, and stored in the format, that this sequence is of.
    /// Of a model with recurrent layers at most `most_states` states are kept.
    pub fn new(mut empty: Sequence, most_states: usize) -> Prefixes {
        empty.truncate(0);
        Prefixes {
            empty,
            roots: Children::new(),
            nodes: BTreeMap::new(),
            with_state: BTreeSet::new(),
            most_states,
            next: 0,
            clock: 0,
        }
    }

    /// A sequence with the longest beginning of `tokens` that is known here, as far as a recurrent
    /// state is kept if the model has one. It shares the pages.
    pub fn find(&mut self, tokens: &[TokenId]) -> Sequence {
        self.clock += 1;
        let mut found = self.empty.clone();
        let mut at = None;
        while let Some((id, n)) = nearest(self.children(at), &tokens[found.len()..]) {
            let Some(node) = self.nodes.get_mut(&id) else { break };
            node.used = self.clock;
            let state = node.state.as_ref().filter(|_| n == node.tokens.len());
            found.share(&node.page, &node.tokens[..n], state);
            if n < PAGE {
                break;
            }
            at = Some(id);
        }
        found.truncate(found.n_read());
        found
    }

    /// Takes in the first `len` tokens of a sequence. As long as that one goes on, only whole pages
    /// should be taken in: if it shared the last, it would have to copy it. Of a model with
    /// recurrent layers whole pages alone are taken.
    pub fn keep(&mut self, sequence: &Sequence, len: usize) {
        if !sequence.is_like(&self.empty) {
            return;
        }
        self.clock += 1;
        let mut at = None;
        let mut len = len.min(sequence.n_read());
        if sequence.states().is_some() {
            len = len / PAGE * PAGE;
        }
        for (i, tokens) in sequence.tokens()[..len].chunks(PAGE).enumerate() {
            let id = match extending(self.children(at), tokens) {
                Some(id) => id,
                None => self.add(at, i, tokens, sequence.hold(i)),
            };
            if let Some(node) = self.nodes.get_mut(&id) {
                node.used = self.clock;
            }
            if ((i + 1) * PAGE).is_multiple_of(STATE_EVERY) {
                self.keep_state_at(id, sequence, (i + 1) * PAGE);
            }
            at = Some(id);
        }
    }

    /// Takes in the recurrent state after the last full page of a sequence whose pages are here:
    /// texts may go on from there. Nothing happens without recurrent layers.
    pub fn keep_state(&mut self, sequence: &Sequence) {
        let Some(states) = sequence.states() else { return };
        let (len, mut at) = (states.last_kept(), None);
        for tokens in sequence.tokens()[..len].chunks(PAGE) {
            let Some(id) = extending(self.children(at), tokens) else { return };
            at = Some(id);
        }
        if let Some(id) = at {
            self.keep_state_at(id, sequence, len);
        }
    }

    /// Takes in the state that a sequence had after `len` tokens, if it has it still.
    fn keep_state_at(&mut self, id: Id, sequence: &Sequence, len: usize) {
        let state = sequence.states().and_then(|states| states.after(len));
        let (Some(state), Some(node)) = (state, self.nodes.get_mut(&id)) else { return };
        node.state = Some(State::clone(state));
        self.with_state.insert(id);
        if self.with_state.len() > self.most_states {
            let used = |id: &Id| self.nodes.get(id).map(|node| (node.used, node.depth));
            let oldest = self.with_state.iter().copied().min_by_key(|id| used(id));
            if let Some(oldest) = oldest {
                self.with_state.remove(&oldest);
                if let Some(node) = self.nodes.get_mut(&oldest) {
                    node.state = None;
                }
            }
        }
    }

    /// Lets go of `n` pages that no sequence holds, those first that were found longest ago; of
    /// none and false if there aren't so many.
    pub fn give_back(&mut self, n: usize) -> bool {
        if n > self.nodes.len() {
            return false;
        }
        // Children come before their parents: they were never found later, and lie deeper.
        let mut by_age: Vec<_> =
            self.nodes.iter().map(|(&id, node)| (node.used, Reverse(node.depth), id)).collect();
        by_age.sort_unstable();
        let (mut go, mut needed) = (Vec::new(), BTreeSet::new());
        for (_, _, id) in by_age {
            if go.len() == n {
                break;
            }
            let Some(node) = self.nodes.get(&id) else { continue };
            if node.page.is_shared() || needed.contains(&id) {
                needed.extend(node.parent);
            } else {
                go.push(id);
            }
        }
        let enough = go.len() == n;
        if enough {
            go.into_iter().for_each(|id| self.remove(id));
        }
        enough
    }

    /// How many pages are held here, those that sequences hold as well included.
    pub fn n_pages(&self) -> usize {
        self.nodes.len()
    }

    fn children(&self, at: Option<Id>) -> &Children {
        at.and_then(|id| self.nodes.get(&id)).map_or(&self.roots, |node| &node.children)
    }

    fn children_mut(&mut self, at: Option<Id>) -> &mut Children {
        at.and_then(|id| self.nodes.get_mut(&id)).map_or(&mut self.roots, |node| &mut node.children)
    }

    fn add(&mut self, parent: Option<Id>, depth: usize, tokens: &[TokenId], page: HeldPage) -> Id {
        // A page with less of the same tokens has become superfluous.
        let before =
            self.children(parent).range::<[TokenId], _>((Unbounded, Excluded(tokens))).next_back();
        if let Some((shorter, &id)) = before
            && tokens.starts_with(shorter)
        {
            self.remove(id);
        }
        let id = Id(self.next);
        self.next += 1;
        let tokens: Box<[TokenId]> = tokens.into();
        self.children_mut(parent).insert(tokens.clone(), id);
        let (children, used) = (Children::new(), self.clock);
        self.nodes.insert(id, Node { page, state: None, parent, tokens, depth, children, used });
        id
    }

    fn remove(&mut self, id: Id) {
        self.with_state.remove(&id);
        if let Some(node) = self.nodes.remove(&id) {
            self.children_mut(node.parent).remove(&node.tokens);
        }
    }
}

/// The child that begins with all of `tokens`.
fn extending(children: &Children, tokens: &[TokenId]) -> Option<Id> {
    let (longer, &id) = children.range::<[TokenId], _>((Included(tokens), Unbounded)).next()?;
    longer.starts_with(tokens).then_some(id)
}

/// The child that shares most tokens with `tokens`, and how many: of sorted lists, one of the two
/// neighbours does.
fn nearest(children: &Children, tokens: &[TokenId]) -> Option<(Id, usize)> {
    let after = children.range::<[TokenId], _>((Included(tokens), Unbounded)).next();
    let before = children.range::<[TokenId], _>((Unbounded, Excluded(tokens))).next_back();
    let shared = |own: &[TokenId]| own.iter().zip(tokens).take_while(|(a, b)| a == b).count();
    let both = before.into_iter().chain(after).map(|(own, &id)| (id, shared(own)));
    both.max_by_key(|&(_, n)| n).filter(|&(_, n)| n > 0)
}
