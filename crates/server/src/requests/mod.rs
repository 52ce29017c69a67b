//! The bodies of the API's requests as types. Parsing and the schemas of the OpenAPI document come
//! from their declarations: `object!` in `fields` says how.

mod decisions;
mod formats;
mod messages;
mod search;
mod stages;
mod values;

use kelvin_engine::TokenId;
use schemars::{
    JsonSchema, Schema,
    generate::{Contract, SchemaSettings},
    transform::RecursiveTransform,
};
use serde_json::{Map, Value};

pub(crate) use decisions::{Asked, DecisionRequest};
pub(crate) use formats::{ResponseFormat, StructuredOutputs, TextFormat, unusable};
pub(crate) use messages::{Input, Messages};
pub(crate) use search::SearchRequest;
pub(crate) use values::{
    AllowedIds, BadWords, BanStrings, ChainText, ChatDate, Choices, Count, FewIds, Ids, LogitBias,
    Metadata, ModelName, On, ProfileName, Stops, Temperature, Temperatures, TextMethod, Whole,
};

use crate::{
    fields::{Object, Param, Place, object, token},
    limits::MAX_LOGPROBS,
    problem::Problem,
    scores::LogprobsStage,
};
use stages::StageFields;
use values::{
    CacheRetention, False, Ignored, MediumVerbosity, NoArguments, NoEffort, NoSuffix, NoTruncation,
    ServiceTier, TextModality, ToolChoice, True, id, schemas,
};

object! {
    /// Continues prompts.
    pub(crate) struct CompletionRequest {
        prompt: Prompts,
        #[schemars(default)]
        add_special_tokens: On,
        /// Whether the prompt is part of the answer.
        echo: Option<bool>,
        /// Number of likely tokens whose log-probabilities are reported at each place.
        logprobs: Option<Top>,
        /// Maximum number of new tokens; 16 by default.
        max_tokens: Option<Count>,
        ..choices: ChoiceFields,
        ..shared: GenerationFields,
    }

    /// Answers a chat.
    pub(crate) struct ChatRequest {
        messages: Messages,
        date: Option<ChatDate>,
        /// Whether log-probabilities are reported.
        logprobs: Option<bool>,
        /// Number of likely tokens beside each; needs `logprobs`.
        top_logprobs: Option<Top>,
        /// Maximum number of new tokens; by default as many as fit, up to 4096.
        max_tokens: Option<Count>,
        /// The newer name of `max_tokens`, which it overrides.
        max_completion_tokens: Option<Count>,
        /// Not supported yet.
        tools: Option<NoTools>,
        tool_choice: Option<ToolChoice>,
        parallel_tool_calls: Option<bool>,
        functions: Option<NoTools>,
        function_call: Option<ToolChoice>,
        reasoning_effort: Option<NoEffort>,
        verbosity: Option<MediumVerbosity>,
        chat_template_kwargs: Option<NoArguments>,
        ..choices: ChoiceFields,
        ..shared: GenerationFields,
    }

    /// Answers in the format of the Responses API.
    pub(crate) struct ResponseRequest {
        input: Input,
        /// A system message before the input.
        instructions: Option<String>,
        date: Option<ChatDate>,
        max_output_tokens: Option<Whole<1, { u32::MAX as u64 }>>,
        /// Asks for log-probabilities.
        include: Option<Include>,
        /// Number of likely tokens beside each; needs `include`.
        top_logprobs: Option<Top>,
        text: Option<TextField>,
        background: Option<False>,
        parallel_tool_calls: Option<bool>,
        tool_choice: Option<ToolChoice>,
        /// Not supported yet.
        tools: Option<NoTools>,
        reasoning: Option<NoReasoning>,
        truncation: Option<NoTruncation>,
        ..shared: GenerationFields,
    }

    /// A text or messages whose tokens are asked for.
    pub(crate) struct TokenizeRequest {
        /// vLLM's name for the text.
        prompt: Option<String>,
        #[schemars(extend("default" = true))]
        add_special_tokens: Option<bool>,
        /// Whether control tokens written in the text become themselves.
        #[schemars(extend("default" = true))]
        parse_special: Option<bool>,
        /// llama.cpp's name for `prompt`.
        content: Option<String>,
        add_special: Option<bool>,
        messages: Option<Messages>,
        date: Option<ChatDate>,
        model: Option<ModelName>,
    }

    /// Tokens whose text is asked for.
    pub(crate) struct DetokenizeRequest {
        tokens: Ids,
        model: Option<ModelName>,
    }

    /// Messages for the chat template.
    pub(crate) struct TemplateRequest {
        messages: Messages,
        date: Option<ChatDate>,
        model: Option<ModelName>,
    }

    /// Fields of all routes that generate text.
    pub(crate) struct GenerationFields {
        model: Option<ModelName>,
        seed: Option<Whole<0, { u64::MAX }>>,
        /// The sample index of the first choice; further choices count on from it.
        first_sample: Option<Count>,
        stream: Option<bool>,
        stream_options: Option<StreamOptions>,
        stop: Option<Stops>,
        stop_token_ids: Option<FewIds>,
        ignore_eos: Option<bool>,
        /// Minimum number of new tokens.
        min_tokens: Option<Count>,
        bad_words: Option<BadWords>,
        /// Strings that no text says: it goes back to where one began and draws again.
        ban_strings: Option<BanStrings>,
        /// Maximum number of tokens that a thinking model thinks.
        think: Option<Count>,
        response_format: Option<ResponseFormat>,
        structured_outputs: Option<StructuredOutputs>,
        /// The stage of the chain whose probabilities are reported; raw by default.
        logprobs_stage: Option<LogprobsStage>,
        /// One choice (or `n`) at each temperature, with equal random numbers.
        temperatures: Option<Temperatures>,
        ..sampling: SamplingFields,
        ..inert: InertFields,
    }

    /// The chain of sampler stages.
    pub(crate) struct SamplingFields {
        temperature: Option<Temperature>,
        logit_bias: Option<LogitBias>,
        allowed_token_ids: Option<AllowedIds>,
        /// A whole chain: "temp=0.8 | top_k=40".
        sampler: Option<ChainText>,
        /// The engine whose stage order and defaults are used.
        profile: Option<ProfileName>,
        ..stages: StageFields,
    }

    /// Fields of the routes whose answers have choices. A response has none: it is one text, and
    /// has nothing but its tokens' log-probabilities beside it.
    #[derive(Default)]
    pub(crate) struct ChoiceFields {
        /// Choices, at each temperature.
        n: Option<Choices>,
        /// Draws whole texts y with probability proportional to p(y)^(1/T), rather than each token.
        text_temperature: Option<Temperature>,
        /// How: smc (the default), exact or mcmc.
        text_method: Option<TextMethod>,
        /// smc: particles of each choice; 16 by default.
        text_particles: Option<Whole<2, 1024>>,
        /// exact: the most tries of each choice; 1000 by default.
        text_tries: Option<Whole<1, 1_000_000>>,
        /// mcmc: moves after each block; 10 by default.
        text_moves: Option<Whole<1, 1_000_000>>,
        /// mcmc: tokens of a block; 32 by default.
        text_block: Option<Whole<1, 1_000_000>>,
        /// Number of likely tokens that are reported at each place of the prompt.
        prompt_logprobs: Option<Top>,
        return_token_ids: Option<bool>,
        /// 1, or as `n`.
        best_of: Option<Whole<1, { u64::MAX }>>,
        modalities: Option<TextModality>,
        suffix: Option<NoSuffix>,
        use_beam_search: Option<False>,
    }

    /// Fields without effect, which clients send.
    pub(crate) struct InertFields {
        prompt_cache_retention: Option<CacheRetention>,
        store: Option<False>,
        service_tier: Option<ServiceTier>,
        skip_special_tokens: Option<True>,
        /// No effect, like the two below.
        user: Option<Ignored>,
        safety_identifier: Option<Ignored>,
        prompt_cache_key: Option<Ignored>,
        #[schemars(default)]
        metadata: Metadata,
    }
}

/// Likely tokens that are reported beside each token.
pub(crate) type Top = Whole<0, MAX_LOGPROBS>;

object! {
    /// How a stream ends.
    pub(crate) struct StreamOptions {
        include_usage: Option<bool>,
        include_obfuscation: Option<False>,
    }

    /// The form of the text.
    pub(crate) struct TextField {
        format: Option<GivenFormat>,
        verbosity: Option<MediumVerbosity>,
    }

    /// The fields of `reasoning`.
    pub(crate) struct ReasoningFields {
        effort: Option<NoEffort>,
        summary: Option<Nothing>,
        generate_summary: Option<Nothing>,
    }
}

impl Param for StreamOptions {
    fn read(value: Value, place: &Place) -> Result<StreamOptions, Problem> {
        place.whole_object(value, "an object")
    }
}

impl Param for TextField {
    fn read(value: Value, place: &Place) -> Result<TextField, Problem> {
        place.whole_object(value, "an object with a \"format\"")
    }
}

/// The form of the text. The answer repeats it as the request writes it.
#[derive(Debug, JsonSchema)]
#[schemars(with = "TextFormat")]
pub(crate) struct GivenFormat {
    pub(crate) given: Value,
    pub(crate) format: TextFormat,
}

impl Param for GivenFormat {
    fn read(value: Value, place: &Place) -> Result<GivenFormat, Problem> {
        let given = value.clone();
        Ok(GivenFormat { given, format: TextFormat::read(value, place)? })
    }
}

/// How much is thought before an answer: nothing.
#[derive(Debug, JsonSchema)]
#[schemars(with = "ReasoningFields")]
pub(crate) struct NoReasoning;

impl Param for NoReasoning {
    fn read(value: Value, place: &Place) -> Result<NoReasoning, Problem> {
        let mut fields = place.object(value.clone(), "an object")?;
        let why = "an answer isn't thought about before: only the effort \"none\" is supported";
        ReasoningFields::take(&mut fields).map_err(|_| place.unsupported(&value, why))?;
        fields.end()?;
        Ok(NoReasoning)
    }
}

/// Null.
#[derive(Debug)]
pub(crate) struct Nothing;

impl Param for Nothing {
    fn read(value: Value, place: &Place) -> Result<Nothing, Problem> {
        Err(place.unsupported(&value, "only null is supported"))
    }
}

/// An empty list of tools.
#[derive(Debug)]
pub(crate) struct NoTools;

impl Param for NoTools {
    fn read(value: Value, place: &Place) -> Result<NoTools, Problem> {
        match value.as_array().is_some_and(Vec::is_empty) {
            true => Ok(NoTools),
            false => Err(place.unsupported(&value, "tools aren't supported")),
        }
    }
}

/// Whether logprobs are included.
#[derive(Debug)]
pub(crate) struct Include(pub(crate) bool);

/// What can be included in a response.
const LOGPROBS: &str = "message.output_text.logprobs";

impl Param for Include {
    fn read(value: Value, place: &Place) -> Result<Include, Problem> {
        let items = value.as_array().filter(|items| items.iter().all(|item| item == LOGPROBS));
        let expected = || format!("a list in which only \"{LOGPROBS}\" is supported");
        let items = items.ok_or_else(|| place.wrong(&value, &expected()))?;
        Ok(Include(!items.is_empty()))
    }
}

/// The prompts of a completion.
#[derive(Debug)]
pub(crate) enum Prompts {
    One(Given),
    Many(Vec<Given>),
}

/// A prompt.
#[derive(Debug)]
pub(crate) enum Given {
    Text(String),
    Ids(Vec<TokenId>),
}

/// What is expected as a prompt.
const PROMPTS: &str = "a text, a list of texts, a list of token ids or a list of such lists";

impl Param for Prompts {
    fn read(value: Value, place: &Place) -> Result<Prompts, Problem> {
        let ids = |items: &[Value]| -> Result<Vec<TokenId>, Problem> {
            items.iter().map(|item| token(item, place)).collect()
        };
        let one = |item: Value| match item {
            Value::String(text) => Ok(Given::Text(text)),
            Value::Array(items) => Ok(Given::Ids(ids(&items)?)),
            other => Err(place.wrong(&other, PROMPTS)),
        };
        match value {
            Value::String(text) => Ok(Prompts::One(Given::Text(text))),
            Value::Array(items) if items.first().is_some_and(Value::is_number) => {
                Ok(Prompts::One(Given::Ids(ids(&items)?)))
            }
            Value::Array(items) if !items.is_empty() => {
                items.into_iter().map(one).collect::<Result<_, _>>().map(Prompts::Many)
            }
            other => Err(place.wrong(&other, PROMPTS)),
        }
    }

    fn absent(place: &Place) -> Result<Prompts, Problem> {
        Err(place.missing(PROMPTS))
    }
}

schemas! {
    Nothing => { "type": "null" };
    NoTools => { "type": "array", "maxItems": 0 };
    Include => { "type": "array", "items": { "const": LOGPROBS } };
    Prompts => { "anyOf": [
        { "type": "string" },
        { "type": "array", "items": { "type": "string" }, "minItems": 1 },
        { "type": "array", "items": id(), "minItems": 1 },
        { "type": "array", "items": { "type": "array", "items": id() }, "minItems": 1 },
    ] };
}

/// Schemas of the requests' bodies for the OpenAPI document, by name.
pub(crate) fn schemas() -> Map<String, Value> {
    let all = [
        schema_of::<CompletionRequest>(),
        schema_of::<ChatRequest>(),
        schema_of::<ResponseRequest>(),
        schema_of::<TokenizeRequest>(),
        schema_of::<DetokenizeRequest>(),
        schema_of::<TemplateRequest>(),
        schema_of::<DecisionRequest>(),
        schema_of::<SearchRequest>(),
    ];
    all.into_iter().collect()
}

/// The schema of one body, with everything that it consists of inside.
fn schema_of<T: JsonSchema>() -> (String, Value) {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.meta_schema = None;
        settings.inline_subschemas = true;
        settings.contract = Contract::Deserialize;
    });
    // An object has the fields that are described, and no others.
    let closed = RecursiveTransform(|schema: &mut Schema| {
        schema.remove("format");
        if schema.get("properties").is_some() {
            schema.insert("additionalProperties".to_string(), false.into());
        }
    });
    let generator = settings.with_transform(closed).into_generator();
    let mut schema = generator.into_root_schema_for::<T>();
    schema.remove("title");
    (T::schema_name().into_owned(), schema.to_value())
}

#[cfg(test)]
mod tests {
    use kelvin_sampling::STAGES;

    use super::*;

    /// The names that a request's parser takes.
    fn names<T: Object>() -> Vec<&'static str> {
        let mut names = Vec::new();
        T::names(&mut names);
        names
    }

    #[test]
    fn a_request_has_the_fields_of_its_schema() {
        let schemas = schemas();
        for (name, taken) in [
            ("CompletionRequest", names::<CompletionRequest>()),
            ("ChatRequest", names::<ChatRequest>()),
            ("ResponseRequest", names::<ResponseRequest>()),
            ("TokenizeRequest", names::<TokenizeRequest>()),
            ("DetokenizeRequest", names::<DetokenizeRequest>()),
            ("TemplateRequest", names::<TemplateRequest>()),
            ("DecisionRequest", names::<DecisionRequest>()),
            ("SearchRequest", names::<SearchRequest>()),
        ] {
            let properties = schemas[name]["properties"].as_object().unwrap();
            assert_eq!(properties.keys().collect::<Vec<_>>(), taken, "{name}");
            assert_eq!(schemas[name]["additionalProperties"], false, "{name}");
        }
        for field in STAGES.iter().filter_map(|info| info.field) {
            for name in ["CompletionRequest", "ChatRequest", "ResponseRequest"] {
                let schema = &schemas[name]["properties"][field.name];
                assert!(schema.is_object(), "{name} lacks {}", field.name);
            }
        }
    }
}
