//! What a search found, and the tree of all that it weighed on the way.

use super::task::End;
use crate::TokenId;

/// A continuation that a search found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Its tokens, without an end token.
    pub tokens: Vec<TokenId>,
    /// Why it ended.
    pub end: End,
    /// ln p of its tokens, the end token included, under the model's own distribution.
    pub logprob: f64,
    /// What it was ranked by: its meaning is the method's.
    pub score: f64,
    /// Its group, from 0.
    pub group: usize,
    /// Its last node in the tree.
    pub node: usize,
}

impl Found {
    /// Number of its tokens, the end token included: what means and length penalties divide by.
    pub fn length(&self) -> usize {
        self.tokens.len() + usize::from(matches!(self.end, End::Token(_)))
    }
}

/// What a search found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// The texts, the best first.
    pub texts: Vec<Found>,
    /// All tokens that were weighed.
    pub tree: Tree,
    /// Rows that forward passes after the prompt had, in all.
    pub n_rows: usize,
    /// Forward passes after the prompt.
    pub n_steps: usize,
}

/// The tokens that a search weighed, in the order of steps, and in each step by group and rank.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tree {
    /// Each after its parent.
    pub nodes: Vec<Node>,
}

/// A token that a search weighed.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The node before; `None` after the prompt.
    pub parent: Option<usize>,
    /// The token.
    pub token: TokenId,
    /// Number of tokens with it.
    pub depth: usize,
    /// Its group, from 0.
    pub group: usize,
    /// ln p of all tokens up to it under the model's own distribution.
    pub logprob: f64,
    /// What it was ranked by in its step.
    pub score: f64,
    /// What became of it.
    pub fate: Fate,
}

/// What became of a token that was weighed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The search went on from it.
    Kept,
    /// A text ended with it. Better ones may have driven it out later.
    Ended,
    /// Others were better.
    Dropped,
    /// It was to be kept, but the search ended.
    Left,
}

impl Tree {
    /// Appends a node, and returns its index.
    pub(super) fn push(&mut self, node: Node) -> usize {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    /// The nodes from the first token to `node`.
    pub fn path(&self, node: usize) -> Vec<usize> {
        let mut path: Vec<usize> =
            std::iter::successors(Some(node), |&node| self.nodes.get(node)?.parent).collect();
        path.reverse();
        path
    }
}
