//! The answers of the Responses API as types. They serialize to the JSON that clients read, and the
//! OpenAPI document describes them with schemas that are derived from them.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use super::answers::{Assistant, ChatLogprob, Recipe, constant};

constant! {
    ResponseKind = "response";
    MessageKind = "message";
    OutputTextKind = "output_text";
    ReasoningKind = "reasoning";
    ReasoningTextKind = "reasoning_text";
}

/// An answer of the Responses API.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Response {
    pub(crate) id: String,
    pub(crate) object: ResponseKind,
    pub(crate) created_at: u64,
    pub(crate) status: Status,
    /// Always null.
    pub(crate) error: (),
    /// Why the text is incomplete; null if it isn't.
    pub(crate) incomplete_details: Option<IncompleteDetails>,
    pub(crate) model: String,
    /// What the model thinks, if it does, and one message.
    pub(crate) output: Vec<OutputItem>,
    /// Null until the text has ended.
    pub(crate) usage: Option<ResponseUsage>,
    pub(crate) kelvin: Recipe,
    #[serde(flatten)]
    pub(crate) settings: ResponseSettings,
    /// Which probabilities logprobs are of, with logprobs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) logprobs_stage: Option<&'static str>,
}

/// How far a response has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub(crate) enum Status {
    InProgress,
    Completed,
    Incomplete,
}

/// Why a response is incomplete.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct IncompleteDetails {
    pub(crate) reason: &'static str,
}

/// What a response repeats of its request.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub(crate) struct ResponseSettings {
    pub(crate) instructions: Option<String>,
    pub(crate) max_output_tokens: Option<usize>,
    pub(crate) metadata: Option<Map<String, Value>>,
    pub(crate) parallel_tool_calls: bool,
    /// Always null: nothing is stored.
    pub(crate) previous_response_id: (),
    pub(crate) reasoning: Reasoning,
    /// Always false.
    pub(crate) store: bool,
    pub(crate) temperature: f64,
    pub(crate) text: TextSettings,
    pub(crate) tool_choice: &'static str,
    /// Always empty.
    pub(crate) tools: [(); 0],
    pub(crate) top_logprobs: usize,
    pub(crate) top_p: f64,
    pub(crate) truncation: &'static str,
}

/// No reasoning is supported.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub(crate) struct Reasoning {
    pub(crate) effort: (),
    pub(crate) summary: (),
}

/// The form of the text.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub(crate) struct TextSettings {
    /// As the request has it.
    pub(crate) format: Value,
}

/// An item of a response.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum OutputItem {
    /// What the model thinks.
    Reasoning(OutputReasoning),
    /// What it answers.
    Message(OutputMessage),
}

/// The thoughts before an answer.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct OutputReasoning {
    pub(crate) id: String,
    #[serde(rename = "type")]
    pub(crate) kind: ReasoningKind,
    /// Always empty: thoughts aren't summarised.
    pub(crate) summary: [(); 0],
    pub(crate) status: Status,
    pub(crate) content: Vec<ReasoningText>,
}

/// The text of thoughts.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct ReasoningText {
    #[serde(rename = "type")]
    pub(crate) kind: ReasoningTextKind,
    pub(crate) text: String,
}

/// A part of an item.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum OutputPart {
    /// Of thoughts.
    Reasoning(ReasoningText),
    /// Of a message.
    Text(OutputText),
}

/// A message of a response.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct OutputMessage {
    pub(crate) id: String,
    #[serde(rename = "type")]
    pub(crate) kind: MessageKind,
    pub(crate) role: Assistant,
    pub(crate) status: Status,
    pub(crate) content: Vec<OutputText>,
}

/// The text of a message.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct OutputText {
    #[serde(rename = "type")]
    pub(crate) kind: OutputTextKind,
    pub(crate) text: String,
    /// Always empty.
    pub(crate) annotations: [(); 0],
    pub(crate) logprobs: Vec<ChatLogprob>,
}

/// What a response cost.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ResponseUsage {
    pub(crate) input_tokens: usize,
    pub(crate) input_tokens_details: InputTokensDetails,
    pub(crate) output_tokens: usize,
    pub(crate) output_tokens_details: OutputTokensDetails,
    pub(crate) total_tokens: usize,
}

/// Where the input's tokens came from.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct InputTokensDetails {
    /// Tokens that the prefix cache had.
    pub(crate) cached_tokens: usize,
    /// Always 0.
    pub(crate) cache_write_tokens: usize,
}

/// What the output's tokens are.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct OutputTokensDetails {
    /// Tokens in reasoning blocks, with what begins and ends them.
    pub(crate) reasoning_tokens: usize,
}
