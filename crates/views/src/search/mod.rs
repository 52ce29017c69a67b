//! What a search found: its settings, its texts by rank, and the tree of the tokens that it
//! weighed.

mod settings;

use std::collections::BTreeMap;

use kelvin_engine::{
    Engine, TokenId,
    generate::{FinishReason, first_stop},
    search::{Drawn, End, Fate, Found, Node, Plan, Ranked, Tree, by_text},
};
use schemars::JsonSchema;
use serde::Serialize;

pub use settings::{CHRF, Settings, Utility, method};

use crate::{
    figures::{Finish, divergence},
    json, token,
};

/// A text. Beams or draws that spell it in several ways are one row.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "SearchText")]
pub struct TextRow {
    /// From 1.
    pub rank: usize,
    /// The text, up to a stop string.
    pub text: String,
    /// Those of its likeliest spelling, without an end token.
    pub ids: Vec<u32>,
    /// Number of tokens of the likeliest spelling, an end token included.
    pub tokens: usize,
    /// ln p of the text under the model's own distribution, summed over the spellings that were
    /// found.
    #[serde(serialize_with = "json::number")]
    pub logprob: f64,
    /// That divided by the number of tokens.
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
    /// Its spellings, the likeliest first; missing if it has one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub spellings: Vec<SpellingRow>,
    /// Its first token (from 0) that isn't the best text's; null if there is none.
    pub diverges_at: Option<usize>,
    /// Why it ended.
    pub finish: Finish,
    /// Its last nodes in the tree of beams.
    #[serde(skip)]
    pub nodes: Vec<usize>,
}

impl TextRow {
    /// In how many ways it is spelled.
    pub fn n_spellings(&self) -> usize {
        self.spellings.len().max(1)
    }

    /// Tokens of all texts that were drawn and say it.
    pub fn n_drawn_tokens(&self) -> usize {
        match &self.spellings[..] {
            [] => self.tokens * self.times.unwrap_or(1),
            all => all.iter().map(|one| one.tokens * one.times.unwrap_or(1)).sum(),
        }
    }
}

/// One of the ways in which a text is spelled.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "SearchSpelling")]
pub struct SpellingRow {
    /// Without an end token.
    pub ids: Vec<u32>,
    /// Number of tokens, an end token included.
    pub tokens: usize,
    /// ln p of these tokens under the model's own distribution.
    #[serde(serialize_with = "json::number")]
    pub logprob: f64,
    /// The score of these tokens as a text of their own; missing for drawn texts.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "json::maybe_number")]
    pub score: Option<f64>,
    /// How often these tokens were drawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times: Option<usize>,
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

    /// Texts of beams; `plan` is what found them.
    pub fn found(&self, all: &[Found], plan: Plan) -> Vec<TextRow> {
        let how = match &plan {
            Plan::Beams(how) => Some(how),
            _ => None,
        };
        let has_groups = how.is_some_and(|how| how.groups > 1);
        let ranked = by_text(all, how, &|found| self.cut(self.decoded(&found.tokens)).0);
        let Some(best) = ranked.first().map(|one| &all[one.index()]) else { return Vec::new() };
        let of = |(i, one): (usize, &Ranked)| {
            let found = &all[one.index()];
            let (text, stop) = self.cut(self.decoded(&found.tokens));
            let reason = self.reason(found, stop);
            TextRow {
                rank: i + 1,
                text,
                ids: ids(&found.tokens),
                tokens: found.length(),
                logprob: one.logprob,
                logprob_per_token: one.logprob / found.length().max(1) as f64,
                score: one.score,
                group: has_groups.then_some(found.group + 1),
                times: None,
                spellings: spellings(one, |index, _| {
                    let Found { tokens, logprob, score, .. } = &all[index];
                    let (logprob, score) = (*logprob, Some(*score));
                    let n = all[index].length();
                    SpellingRow { ids: ids(tokens), tokens: n, logprob, score, times: None }
                }),
                diverges_at: divergence(&best.tokens, &found.tokens),
                finish: Finish::of(&reason, self.engine),
                nodes: one.members.iter().map(|&index| all[index].node).collect(),
            }
        };
        ranked.iter().enumerate().map(of).collect()
    }
}

fn ids(tokens: &[TokenId]) -> Vec<u32> {
    tokens.iter().map(|token| token.0).collect()
}

/// The spellings of a text that has several; `row` makes one of an index and how often it came.
fn spellings(one: &Ranked, row: impl Fn(usize, usize) -> SpellingRow) -> Vec<SpellingRow> {
    match one.spellings.len() {
        1 => Vec::new(),
        _ => one.spellings.iter().map(|spelling| row(spelling.index, spelling.times)).collect(),
    }
}

/// Drawn texts by rank.
pub fn drawn(engine: &Engine, all: &[Drawn], ranked: &[Ranked]) -> Vec<TextRow> {
    let best = &all[ranked[0].index()];
    let of = |(i, one): (usize, &Ranked)| {
        let drawn = &all[one.index()];
        TextRow {
            rank: i + 1,
            text: drawn.text.clone(),
            ids: ids(&drawn.tokens),
            tokens: drawn.length,
            logprob: one.logprob,
            logprob_per_token: one.logprob / drawn.length.max(1) as f64,
            score: one.score,
            group: None,
            times: Some(one.times()),
            spellings: spellings(one, |index, times| {
                let Drawn { tokens, length, logprob, .. } = &all[index];
                let (score, times) = (None, Some(times));
                let (tokens, logprob) = (ids(tokens), *logprob);
                SpellingRow { ids: tokens, tokens: *length, logprob, score, times }
            }),
            diverges_at: divergence(&best.tokens, &drawn.tokens),
            finish: Finish::of(&drawn.finish, engine),
            nodes: Vec::new(),
        }
    };
    ranked.iter().enumerate().map(of).collect()
}

/// The tree for JSON.
pub fn nodes(engine: &Engine, tree: &Tree, texts: &[TextRow]) -> Vec<NodeRow> {
    let rank =
        |node: usize| texts.iter().find(|text| text.nodes.contains(&node)).map(|one| one.rank);
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
    let all_spellings = ranked
        .iter()
        .enumerate()
        .flat_map(|(i, one)| one.spellings.iter().map(move |spelling| (i + 1, spelling)));
    for (rank, one) in all_spellings {
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
            nodes[last].rank = Some(rank);
        }
    }
    nodes
}
