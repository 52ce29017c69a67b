//! What `search` found, for people and programs.

use kelvin_constraint::Form;
use kelvin_engine::{
    TokenId,
    generate::{FinishReason, first_stop},
    search::{Drawn, End, Fate, Found, Ranked, Tree},
};
use kelvin_views::figures::Finish;
use serde::Serialize;

use super::plan::Settings;
use crate::{
    cli::shared::{
        prompt::Prompt,
        session::{ModelFile, Session},
    },
    terminal::json,
};

/// The answer.
#[derive(Debug, Serialize)]
pub(crate) struct Answer {
    #[serde(flatten)]
    pub(crate) model: ModelFile,
    pub(crate) prompt: Prompt,
    #[serde(flatten)]
    pub(crate) settings: Settings,
    pub(crate) chain: String,
    /// Where something is random.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) seed: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) form: Option<Form>,
    /// Forward passes after the prompt, and their rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) steps: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rows: Option<usize>,
    /// The best first.
    pub(crate) texts: Vec<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tree: Option<Vec<NodeOutput>>,
}

/// A text.
#[derive(Debug, Serialize)]
pub(crate) struct Text {
    /// From 1.
    pub(crate) rank: usize,
    pub(crate) text: String,
    /// Without an end token.
    pub(crate) ids: Vec<u32>,
    /// Number of tokens, an end token included.
    pub(crate) tokens: usize,
    /// ln p of these tokens under the model's own distribution.
    #[serde(serialize_with = "json::number")]
    pub(crate) logprob: f64,
    #[serde(serialize_with = "json::number")]
    pub(crate) logprob_per_token: f64,
    /// What it is ranked by.
    #[serde(serialize_with = "json::number")]
    pub(crate) score: f64,
    /// Its group, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) group: Option<usize>,
    /// How often it was drawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) times: Option<usize>,
    /// Its first token (from 0) that isn't the best text's; null if there is none.
    pub(crate) diverges_at: Option<usize>,
    pub(crate) finish: Finish,
    /// Its last node in the tree.
    #[serde(skip)]
    pub(crate) node: Option<usize>,
}

/// A token that was weighed.
#[derive(Debug, Serialize)]
pub(crate) struct NodeOutput {
    /// Index of the node before; null after the prompt.
    pub(crate) parent: Option<usize>,
    pub(crate) ids: [u32; 1],
    pub(crate) text: String,
    /// Number of tokens with it.
    pub(crate) depth: usize,
    /// From 1.
    pub(crate) group: usize,
    #[serde(serialize_with = "json::number")]
    pub(crate) logprob: f64,
    #[serde(serialize_with = "json::number")]
    pub(crate) score: f64,
    /// `kept`, `ended`, `dropped` or `left`.
    pub(crate) fate: &'static str,
    /// Rank of the text that ends here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rank: Option<usize>,
}

/// How texts end that a search finds.
pub(crate) struct Ending<'a> {
    pub(crate) session: &'a Session,
    pub(crate) stops: &'a [String],
    /// Why a text ends that has all its tokens.
    pub(crate) by_length: FinishReason,
}

impl Ending<'_> {
    /// Whether a text of these tokens has come to a stop string.
    pub(crate) fn stops(&self, tokens: &[TokenId]) -> bool {
        first_stop(&self.decoded(tokens), self.stops).is_some()
    }

    fn decoded(&self, tokens: &[TokenId]) -> String {
        self.session.engine.tokenizer.decode(tokens, false)
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
            _ => self.by_length.clone(),
        }
    }

    /// Texts of beams.
    pub(crate) fn found(&self, all: &[Found], has_groups: bool) -> Vec<Text> {
        let of = |(i, found): (usize, &Found)| {
            let (text, stop) = self.cut(self.decoded(&found.tokens));
            let reason = self.reason(found, stop);
            Text {
                rank: i + 1,
                text,
                ids: found.tokens.iter().map(|token| token.0).collect(),
                tokens: found.length(),
                logprob: found.logprob,
                logprob_per_token: found.logprob / found.length().max(1) as f64,
                score: found.score,
                group: has_groups.then_some(found.group + 1),
                times: None,
                diverges_at: parting(&all[0].tokens, &found.tokens),
                finish: Finish::of(&reason, &self.session.engine),
                node: Some(found.node),
            }
        };
        all.iter().enumerate().map(of).collect()
    }
}

/// Drawn texts by rank.
pub(crate) fn drawn(session: &Session, all: &[Drawn], ranked: &[Ranked]) -> Vec<Text> {
    let best = &all[ranked[0].index];
    let of = |(i, one): (usize, &Ranked)| {
        let drawn = &all[one.index];
        Text {
            rank: i + 1,
            text: drawn.text.clone(),
            ids: drawn.tokens.iter().map(|token| token.0).collect(),
            tokens: drawn.length,
            logprob: drawn.logprob,
            logprob_per_token: drawn.logprob / drawn.length.max(1) as f64,
            score: one.score,
            group: None,
            times: Some(one.times),
            diverges_at: parting(&best.tokens, &drawn.tokens),
            finish: Finish::of(&drawn.finish, &session.engine),
            node: None,
        }
    };
    ranked.iter().enumerate().map(of).collect()
}

/// The first token at which two texts differ. One that ends earlier differs there.
fn parting(best: &[TokenId], other: &[TokenId]) -> Option<usize> {
    let shared = best.iter().zip(other).take_while(|(a, b)| a == b).count();
    (shared < best.len() || shared < other.len()).then_some(shared)
}

/// The tree for JSON.
pub(crate) fn nodes(session: &Session, tree: &Tree, texts: &[Text]) -> Vec<NodeOutput> {
    let rank = |node: usize| texts.iter().find(|text| text.node == Some(node)).map(|one| one.rank);
    let of = |(i, node): (usize, &kelvin_engine::search::Node)| NodeOutput {
        parent: node.parent,
        ids: [node.token.0],
        text: session.text(node.token),
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
        rank: rank(i),
    };
    tree.nodes.iter().enumerate().map(of).collect()
}
