//! What a search found: its settings, its texts by rank, and the tree of the tokens that it
//! weighed.

mod settings;

use std::collections::BTreeMap;

use kelvin_engine::{
    Engine, TokenId,
    generate::{FinishReason, first_stop},
    search::{Drawn, End, Fate, Found, Node, Ranked, Tree},
};
use schemars::JsonSchema;
use serde::Serialize;

pub use settings::{CHRF, Settings, Utility};

use crate::{
    figures::{Finish, divergence},
    json, token,
};

/// A text.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "SearchText")]
pub struct TextRow {
    /// From 1.
    pub rank: usize,
    /// The text, up to a stop string.
    pub text: String,
    /// Without an end token.
    pub ids: Vec<u32>,
    /// Number of tokens, an end token included.
    pub tokens: usize,
    /// ln p of these tokens under the model's own distribution.
    #[serde(serialize_with = "json::number")]
    pub logprob: f64,
    /// That divided by their number.
    #[serde(serialize_with = "json::number")]
    pub logprob_per_token: f64,
    /// What it is ranked by.
    #[serde(serialize_with = "json::number")]
    pub score: f64,
    /// Its group, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<usize>,
    /// How often it was drawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times: Option<usize>,
    /// Its first token (from 0) that isn't the best text's; null if there is none.
    pub diverges_at: Option<usize>,
    /// Why it ended.
    pub finish: Finish,
    /// Its last node in the tree.
    #[serde(skip)]
    pub node: Option<usize>,
}

/// A token that was weighed, or that drawn texts have.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "SearchNode")]
pub struct NodeRow {
    /// Index of the node before; null after the prompt.
    pub parent: Option<usize>,
    /// The token.
    pub ids: [u32; 1],
    /// Its text.
    pub text: String,
    /// Number of tokens with it.
    pub depth: usize,
    /// From 1.
    pub group: usize,
    /// ln p of all tokens up to it under the model's own distribution.
    #[serde(serialize_with = "json::number")]
    pub logprob: f64,
    /// What it was ranked by in its step; of drawn texts as `logprob`.
    #[serde(serialize_with = "json::number")]
    pub score: f64,
    /// `kept`, `ended`, `dropped` or `left`.
    pub fate: &'static str,
    /// Rank of the text that ends here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rank: Option<usize>,
    /// How many of the drawn texts have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times: Option<usize>,
}

/// How texts end that a search finds.
#[derive(Debug)]
pub struct Ending<'a> {
    /// The engine.
    pub engine: &'a Engine,
    /// Stop strings.
    pub stops: &'a [String],
    /// Why a text ends that has all its tokens.
    pub by_length: FinishReason,
}

impl Ending<'_> {
    /// Whether a text of these tokens has come to a stop string.
    pub fn stops(&self, tokens: &[TokenId]) -> bool {
        first_stop(&self.decoded(tokens), self.stops).is_some()
    }

    fn decoded(&self, tokens: &[TokenId]) -> String {
        self.engine.tokenizer.decode(tokens, false)
    }

    /// The text up to the first stop string, and which it was.
    fn cut(&self, mut text: String) -> (String, Option<String>) {
        let Some((at, stop)) = first_stop(&text, self.stops) else {
            return (text, None);
        };
        text.truncate(at);
        (text, Some(stop.clone()))
    }

    fn reason(&self, found: &Found, stop: Option<String>) -> FinishReason {
        match (found.end, stop) {
            (End::Token(token), _) => FinishReason::EndToken(token),
            (End::Stop, Some(stop)) => FinishReason::StopString(stop),
            (End::Complete, _) => FinishReason::Complete,
            _ => self.by_length.clone(),
        }
    }

    /// Texts of beams.
    pub fn found(&self, all: &[Found], has_groups: bool) -> Vec<TextRow> {
        let of = |(i, found): (usize, &Found)| {
            let (text, stop) = self.cut(self.decoded(&found.tokens));
            let reason = self.reason(found, stop);
            TextRow {
                rank: i + 1,
                text,
                ids: found.tokens.iter().map(|token| token.0).collect(),
                tokens: found.length(),
                logprob: found.logprob,
                logprob_per_token: found.logprob / found.length().max(1) as f64,
                score: found.score,
                group: has_groups.then_some(found.group + 1),
                times: None,
                diverges_at: divergence(&all[0].tokens, &found.tokens),
                finish: Finish::of(&reason, self.engine),
                node: Some(found.node),
            }
        };
        all.iter().enumerate().map(of).collect()
    }
}

/// Drawn texts by rank.
pub fn drawn(engine: &Engine, all: &[Drawn], ranked: &[Ranked]) -> Vec<TextRow> {
    let best = &all[ranked[0].index];
    let of = |(i, one): (usize, &Ranked)| {
        let drawn = &all[one.index];
        TextRow {
            rank: i + 1,
            text: drawn.text.clone(),
            ids: drawn.tokens.iter().map(|token| token.0).collect(),
            tokens: drawn.length,
            logprob: drawn.logprob,
            logprob_per_token: drawn.logprob / drawn.length.max(1) as f64,
            score: one.score,
            group: None,
            times: Some(one.times),
            diverges_at: divergence(&best.tokens, &drawn.tokens),
            finish: Finish::of(&drawn.finish, engine),
            node: None,
        }
    };
    ranked.iter().enumerate().map(of).collect()
}

/// The tree for JSON.
pub fn nodes(engine: &Engine, tree: &Tree, texts: &[TextRow]) -> Vec<NodeRow> {
    let rank = |node: usize| texts.iter().find(|text| text.node == Some(node)).map(|one| one.rank);
    let of = |(i, one): (usize, &Node)| NodeRow { rank: rank(i), ..node(engine, one) };
    tree.nodes.iter().enumerate().map(of).collect()
}

/// A node for JSON, as if no text ended there.
pub fn node(engine: &Engine, node: &Node) -> NodeRow {
    NodeRow {
        parent: node.parent,
        ids: [node.token.0],
        text: token::text(engine, node.token),
        depth: node.depth,
        group: node.group + 1,
        logprob: node.logprob,
        score: node.score,
        fate: match node.fate {
            Fate::Kept => "kept",
            Fate::Ended => "ended",
            Fate::Dropped => "dropped",
            Fate::Left => "left",
        },
        rank: None,
        times: None,
    }
}

/// The tree of drawn texts: what several of them begin with is there once.
pub fn drawn_nodes(engine: &Engine, all: &[Drawn], ranked: &[Ranked]) -> Vec<NodeRow> {
    let mut nodes: Vec<NodeRow> = Vec::new();
    let mut known: BTreeMap<(Option<usize>, TokenId), usize> = BTreeMap::new();
    for (i, one) in ranked.iter().enumerate() {
        let drawn = &all[one.index];
        let end = match drawn.finish {
            FinishReason::EndToken(token) => Some(token),
            _ => None,
        };
        let (mut parent, mut logprob) = (None, 0.0);
        let tokens = drawn.tokens.iter().copied().chain(end);
        for (k, (token, own)) in tokens.zip(&drawn.logprobs).enumerate() {
            logprob += own;
            let at = *known.entry((parent, token)).or_insert_with(|| {
                nodes.push(NodeRow {
                    parent,
                    ids: [token.0],
                    text: token::text(engine, token),
                    depth: k + 1,
                    group: 1,
                    logprob,
                    score: logprob,
                    fate: "kept",
                    rank: None,
                    times: Some(0),
                });
                nodes.len() - 1
            });
            nodes[at].times = nodes[at].times.map(|times| times + one.times);
            parent = Some(at);
        }
        if let Some(last) = parent {
            nodes[last].fate = "ended";
            nodes[last].rank = Some(i + 1);
        }
    }
    nodes
}
