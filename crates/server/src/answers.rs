//! The bodies of the API's answers as types. They serialize to the answers' JSON, and the OpenAPI
//! document describes them with schemas that are derived from them.

use std::collections::BTreeMap;

use kelvin_views::{
    decision::Answer,
    search::{NodeRow, Settings, TextRow},
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::whole_text::WholeText;

/// Declares types that are one text, such as an object's kind.
macro_rules! constant {
    ($($name:ident = $text:literal;)+) => {$(
        #[doc = concat!("The text `", $text, "`.")]
        #[derive(Debug, Clone, Copy, Default)]
        pub(crate) struct $name;

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str($text)
            }
        }

        impl schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "const": $text })
            }
        }
    )+};
}

pub(crate) use constant;

constant! {
    TextCompletionKind = "text_completion";
    ChatCompletionKind = "chat.completion";
    ModelKind = "model";
    ListKind = "list";
    Assistant = "assistant";
}

/// The server answers.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Health {
    pub(crate) status: &'static str,
}

/// The models: one.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Models {
    pub(crate) object: ListKind,
    pub(crate) data: Vec<Model>,
}

/// A model.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Model {
    pub(crate) id: String,
    pub(crate) object: ModelKind,
    /// When the server began, in seconds since 1970.
    pub(crate) created: u64,
    pub(crate) owned_by: &'static str,
    /// Tokens that a text may have.
    pub(crate) max_model_len: usize,
    /// The date that chat templates are told.
    pub(crate) date: String,
    /// There if the model file recommends sampling settings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) recommended: Option<RecommendedSettings>,
}

/// The sampling settings that a model file recommends.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct RecommendedSettings {
    /// The settings of the file (general.sampling.*).
    pub(crate) settings: Map<String, Value>,
    /// The chain that they are; null if they make none.
    pub(crate) chain: Option<String>,
    /// Why they make none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) problem: Option<String>,
    /// Whether requests without a `sampler` and a `profile` start from it.
    pub(crate) applied: bool,
}

/// What a request cost.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Usage {
    pub(crate) prompt_tokens: usize,
    pub(crate) completion_tokens: usize,
    pub(crate) total_tokens: usize,
    pub(crate) prompt_tokens_details: PromptTokensDetails,
}

/// Where the prompts' tokens came from.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct PromptTokensDetails {
    /// Tokens that the prefix cache had.
    pub(crate) cached_tokens: usize,
}

/// The answers to questions about a text.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Decisions {
    /// One for each question, in their order.
    pub(crate) answers: Vec<Answer>,
    pub(crate) model: String,
    pub(crate) usage: DecisionUsage,
}

/// What a decision cost.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct DecisionUsage {
    /// Tokens of all prompts: of each question, as often as it was rotated.
    pub(crate) input_tokens: usize,
    pub(crate) input_tokens_details: DecisionInputDetails,
    pub(crate) output_tokens: usize,
    pub(crate) output_tokens_details: DecisionOutputDetails,
    pub(crate) total_tokens: usize,
}

/// Where a decision's prompts came from.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct DecisionInputDetails {
    /// Tokens that the prefix cache had.
    pub(crate) cached_tokens: usize,
    /// Always 0: nobody pays for writing to the cache.
    pub(crate) cache_write_tokens: usize,
}

/// What a decision's output consists of: nothing is written.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct DecisionOutputDetails {
    pub(crate) reasoning_tokens: usize,
}

/// What a search found.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Searched {
    pub(crate) model: String,
    #[serde(flatten)]
    pub(crate) settings: Settings,
    pub(crate) chain: String,
    /// Where something is random.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) seed: Option<u64>,
    /// There if the chat template asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) date: Option<String>,
    /// Forward passes of beams after the prompt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) steps: Option<usize>,
    /// Their rows in all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rows: Option<usize>,
    /// The best first.
    pub(crate) texts: Vec<TextRow>,
    /// With `tree`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tree: Option<Vec<NodeRow>>,
    /// `completion_tokens` are all tokens that the model computed for texts.
    pub(crate) usage: Usage,
}

/// What gives the same texts again.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Recipe {
    /// One for each temperature.
    pub(crate) chains: Vec<String>,
    /// There if the chat template asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) date: Option<String>,
    pub(crate) seed: u64,
}

/// What vLLM's parameters ask of a prompt's tokens.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub(crate) struct PromptTokens {
    /// With `return_token_ids`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) prompt_token_ids: Option<Vec<u32>>,
    /// With `prompt_logprobs`: for each token its own entry and those of the likeliest, by id. Null
    /// for the first token, which nothing predicts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Vec<Option<BTreeMap<String, PromptLogprob>>>>")]
    pub(crate) prompt_logprobs: Option<Vec<Option<Map<String, Value>>>>,
}

/// A token that could stand at a position of the prompt.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct PromptLogprob {
    pub(crate) logprob: f64,
    /// 1 is the likeliest.
    pub(crate) rank: usize,
    pub(crate) decoded_token: String,
}

/// Continuations of prompts.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Completion {
    pub(crate) id: String,
    pub(crate) object: TextCompletionKind,
    pub(crate) created: u64,
    pub(crate) model: String,
    pub(crate) choices: Vec<TextChoice>,
    pub(crate) usage: Usage,
    pub(crate) kelvin: Recipe,
}

/// A continuation.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct TextChoice {
    pub(crate) index: usize,
    pub(crate) logprobs: Option<TextLogprobs>,
    #[serde(flatten)]
    pub(crate) end: End,
    pub(crate) text: String,
    #[serde(flatten)]
    pub(crate) tokens: ChoiceTokens,
    #[serde(flatten)]
    pub(crate) prompt: PromptTokens,
}

/// Log-probabilities of a completion's tokens, a list for each kind.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct TextLogprobs {
    pub(crate) tokens: Vec<String>,
    /// Null for a prompt's first token, which nothing predicts.
    pub(crate) token_logprobs: Vec<Option<f64>>,
    /// The likeliest tokens and the token itself, by text.
    #[schemars(with = "Vec<Option<BTreeMap<String, f64>>>")]
    pub(crate) top_logprobs: Vec<Option<Map<String, Value>>>,
    /// The character of the text that each token begins in.
    pub(crate) text_offset: Vec<usize>,
    /// Which probabilities they are.
    pub(crate) stage: &'static str,
}

/// Why a text ended; null while it goes on.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct End {
    pub(crate) finish_reason: Option<Finish>,
    /// The id of the end token or the stop string that ended it.
    pub(crate) stop_reason: Option<StopReason>,
}

/// Why a text ended.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(crate) enum Finish {
    Stop,
    Length,
}

/// What a text ended with.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
pub(crate) enum StopReason {
    Token(u32),
    Text(String),
}

/// The ids of a choice's tokens, with `return_token_ids`, and how it was drawn, with
/// `text_temperature`.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub(crate) struct ChoiceTokens {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) token_ids: Option<Vec<u32>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) text_temperature: Option<WholeText>,
}

/// Answers in a chat.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ChatCompletion {
    pub(crate) id: String,
    pub(crate) object: ChatCompletionKind,
    pub(crate) created: u64,
    pub(crate) model: String,
    pub(crate) choices: Vec<ChatChoice>,
    #[serde(flatten)]
    pub(crate) prompt: PromptTokens,
    pub(crate) usage: Usage,
    pub(crate) kelvin: Recipe,
}

/// An answer in a chat.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ChatChoice {
    pub(crate) index: usize,
    pub(crate) logprobs: Option<ChatLogprobs>,
    #[serde(flatten)]
    pub(crate) end: End,
    pub(crate) message: ChatMessage,
    #[serde(flatten)]
    pub(crate) tokens: ChoiceTokens,
}

/// The assistant's message.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ChatMessage {
    pub(crate) role: Assistant,
    pub(crate) content: String,
    /// What a model that thinks thought before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reasoning_content: Option<String>,
    /// Always null.
    pub(crate) refusal: (),
}

/// Log-probabilities of a chat answer's tokens.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ChatLogprobs {
    pub(crate) content: Vec<ChatLogprob>,
    /// Always null.
    pub(crate) refusal: (),
    /// Which probabilities they are.
    pub(crate) stage: &'static str,
}

/// A drawn token and the likeliest ones at its place.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct ChatLogprob {
    #[serde(flatten)]
    pub(crate) own: NamedLogprob,
    pub(crate) top_logprobs: Vec<NamedLogprob>,
}

/// A token with its log-probability.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct NamedLogprob {
    pub(crate) token: String,
    pub(crate) logprob: f64,
    pub(crate) bytes: Vec<u8>,
}

/// The tokens of a text.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Tokens {
    pub(crate) tokens: Vec<u32>,
    pub(crate) count: usize,
    /// Tokens that a text may have.
    pub(crate) max_model_len: usize,
}

/// The text of tokens, under both names that clients know.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Text {
    pub(crate) prompt: String,
    pub(crate) content: String,
}

/// Messages in the chat template.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Rendered {
    pub(crate) prompt: String,
}

/// What is known of the tokenizer.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct TokenizerInfo {
    pub(crate) vocab_size: usize,
    pub(crate) bos_token: Option<String>,
    pub(crate) eos_token: Option<String>,
    pub(crate) end_token_ids: Vec<u32>,
}

/// Why a request isn't answered.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub(crate) struct ProblemBody {
    pub(crate) error: ErrorBody,
}

/// What is wrong, with which parameter, if it is one.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Error")]
pub(crate) struct ErrorBody {
    pub(crate) message: String,
    /// OpenAI's kind of error.
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    pub(crate) param: Option<String>,
    pub(crate) code: &'static str,
}
