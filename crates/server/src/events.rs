//! The events of the API's streams as types. They serialize to the events' JSON, and the OpenAPI
//! document describes them with schemas that are derived from them.

use kelvin_views::{figures::Finish as Ended, search::NodeRow};
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    answers::{
        Assistant, ChatLogprob, ChatLogprobs, ChoiceTokens, ErrorBody, Finish, ProblemBody,
        PromptTokens, Recipe, Searched, StopReason, TextChoice, TextCompletionKind, Usage,
        constant,
    },
    outputs::{OutputItem, OutputPart, Response},
};

constant! {
    ChatChunkKind = "chat.completion.chunk";
}

/// An event of a stream: a piece of the answer, or the problem that ends it.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum StreamEvent<T> {
    Piece(T),
    Problem(ProblemBody),
}

/// An event of a stream of completions.
pub(crate) type TextEvent = StreamEvent<TextChunk>;
/// An event of a stream of answers in a chat.
pub(crate) type ChatEvent = StreamEvent<ChatChunk>;
/// A piece of completions.
pub(crate) type TextChunk = Chunk<TextCompletionKind, TextChoice>;
/// A piece of answers in a chat.
pub(crate) type ChatChunk = Chunk<ChatChunkKind, ChatPiece>;

/// A piece of a stream: new text of choices.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "{C}Chunk")]
pub(crate) struct Chunk<K, C> {
    pub(crate) id: String,
    pub(crate) object: K,
    pub(crate) created: u64,
    pub(crate) model: String,
    /// What is new of choices; none in the last piece of a stream with `include_usage`.
    pub(crate) choices: Vec<C>,
    /// With `include_usage`: null until the last piece.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) usage: Option<Option<Usage>>,
    #[serde(flatten)]
    pub(crate) prompt: PromptTokens,
    /// In the last piece, with `include_usage`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) kelvin: Option<Recipe>,
}

/// What is new of an answer in a chat.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ChatPiece {
    pub(crate) index: usize,
    pub(crate) logprobs: Option<ChatLogprobs>,
    pub(crate) finish_reason: Option<Finish>,
    /// Not there in a choice's first piece.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stop_reason: Option<Option<StopReason>>,
    pub(crate) delta: Delta,
    #[serde(flatten)]
    pub(crate) tokens: ChoiceTokens,
}

/// New text; in a choice's first piece, who speaks.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub(crate) struct Delta {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) role: Option<Assistant>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content: Option<String>,
    /// New text of the thoughts before the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reasoning_content: Option<String>,
}

/// An event of the Responses API. Its type is the name of the event as well.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "type")]
pub(crate) enum ResponseEvent {
    #[serde(rename = "response.created")]
    Created { sequence_number: u64, response: Box<Response> },
    #[serde(rename = "response.in_progress")]
    InProgress { sequence_number: u64, response: Box<Response> },
    #[serde(rename = "response.output_item.added")]
    ItemAdded { sequence_number: u64, output_index: usize, item: OutputItem },
    #[serde(rename = "response.content_part.added")]
    PartAdded {
        sequence_number: u64,
        part: OutputPart,
        #[serde(flatten)]
        place: TextPlace,
    },
    #[serde(rename = "response.reasoning_text.delta")]
    ThoughtDelta {
        sequence_number: u64,
        delta: String,
        #[serde(flatten)]
        place: TextPlace,
    },
    #[serde(rename = "response.reasoning_text.done")]
    ThoughtDone {
        sequence_number: u64,
        text: String,
        #[serde(flatten)]
        place: TextPlace,
    },
    #[serde(rename = "response.output_text.delta")]
    TextDelta {
        sequence_number: u64,
        delta: String,
        logprobs: Vec<ChatLogprob>,
        #[serde(flatten)]
        place: TextPlace,
    },
    #[serde(rename = "response.output_text.done")]
    TextDone {
        sequence_number: u64,
        text: String,
        logprobs: Vec<ChatLogprob>,
        #[serde(flatten)]
        place: TextPlace,
    },
    #[serde(rename = "response.content_part.done")]
    PartDone {
        sequence_number: u64,
        part: OutputPart,
        #[serde(flatten)]
        place: TextPlace,
    },
    #[serde(rename = "response.output_item.done")]
    ItemDone { sequence_number: u64, output_index: usize, item: OutputItem },
    #[serde(rename = "response.completed")]
    Completed { sequence_number: u64, response: Box<Response> },
    #[serde(rename = "response.incomplete")]
    Incomplete { sequence_number: u64, response: Box<Response> },
    #[serde(rename = "error")]
    Error { sequence_number: u64, code: &'static str, message: String, param: Option<String> },
}

/// The one text of an item.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct TextPlace {
    pub(crate) item_id: String,
    /// Which item it is of, from 0.
    pub(crate) output_index: usize,
    /// Always 0.
    pub(crate) content_index: usize,
}

/// An event of a search. Its type is the name of the event as well.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "type")]
pub(crate) enum SearchEvent {
    /// The prompt was read.
    #[serde(rename = "search.read")]
    Read { prompt_tokens: usize, cached_tokens: usize },
    /// Beams went on, or ended, with these tokens.
    #[serde(rename = "search.step")]
    Step {
        /// Tokens of a text with that of this step.
        step: usize,
        /// The most that a text may have.
        max_tokens: usize,
        /// Rows of all forward passes after the prompt, so far.
        rows: usize,
        nodes: Vec<StepNode>,
    },
    /// A text that is drawn has new text, or has ended.
    #[serde(rename = "search.text")]
    Text {
        /// Which text, from 0.
        sample: usize,
        /// What is new.
        text: String,
        /// There in its last event.
        #[serde(skip_serializing_if = "Option::is_none")]
        finish: Option<Ended>,
    },
    /// The search is done.
    #[serde(rename = "search.done")]
    Done {
        /// The answer as it is without `stream`.
        search: Box<Searched>,
    },
    /// The search failed. Nothing follows.
    #[serde(rename = "error")]
    Error { error: ErrorBody },
}

/// A token that a search goes on with, or that ends a text.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct StepNode {
    /// Its index in the answer's `tree`, of which `parent` is another.
    pub(crate) node: usize,
    #[serde(flatten)]
    pub(crate) row: NodeRow,
}
