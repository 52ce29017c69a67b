//! The Responses API: its parameters, its response format and its events. Prompt and sampling are
//! those of a chat completion.

use serde_json::{Map, Value, json};

use super::{
    Shared,
    answers::{
        Assistant, ChatLogprob, IncompleteDetails, InputTokensDetails, MessageKind, OutputMessage,
        OutputText, OutputTextKind, OutputTokensDetails, Response, ResponseKind, ResponseSettings,
        ResponseUsage, Status, TextSettings,
    },
    fields::{Fields, shortened, wrong},
    forms::{self, Wanted},
    history::no_tools,
    limits::MAX_LOGPROBS,
    problem::Problem,
    prompts,
    reply::{Choice, Reply, ResponseState},
};

/// Parameters that are accepted with these values only. They have no effect.
const AS_IT_IS: &[(&str, &[&str])] = &[
    ("background", &["false"]),
    ("parallel_tool_calls", &["true", "false"]),
    ("tool_choice", &["\"auto\"", "\"none\""]),
    ("truncation", &["\"disabled\""]),
];

/// The parameters that only the Responses API has.
pub(crate) struct Asked {
    pub(crate) prompt: prompts::Prompt,
    pub(crate) max_tokens: Option<usize>,
    pub(crate) n_top: Option<usize>,
    pub(crate) form: Option<Wanted>,
    pub(crate) said: ResponseState,
}

/// Reads the parameters. Sampling parameters have been taken before; `noted` has those that the
/// answer repeats.
pub(crate) fn read(
    fields: &mut Fields,
    shared: &Shared,
    limit: usize,
    noted: &EchoedFields,
) -> Result<Asked, Problem> {
    if let Some(tools) = fields.take("tools").filter(|tools| *tools != json!([])) {
        return Err(no_tools("tools", &format!("\"tools\" is {}", shortened(&tools.to_string()))));
    }
    fields.as_it_is(AS_IT_IS)?;
    no_reasoning(fields)?;
    let instructions = fields.text("instructions")?;
    let prompt = prompts::of_input(fields, shared, limit, instructions.as_deref())?;
    let max_tokens =
        fields.whole("max_output_tokens", 1..=u64::from(u32::MAX))?.map(|n| n as usize);
    let wants_scores = include(fields)?;
    let n_top = fields.whole("top_logprobs", 0..=MAX_LOGPROBS)?.map(|n| n as usize);
    if n_top.is_some_and(|n| n > 0) && !wants_scores {
        let message = "\"top_logprobs\" needs \"message.output_text.logprobs\" in \"include\"";
        return Err(Problem::parameter("top_logprobs", message));
    }
    let (form, format) = text(fields)?;
    let settings = ResponseSettings {
        instructions,
        max_output_tokens: max_tokens,
        metadata: noted.metadata.clone(),
        temperature: noted.temperature,
        text: TextSettings { format },
        tool_choice: "auto",
        top_logprobs: n_top.unwrap_or(0),
        top_p: noted.top_p,
        truncation: "disabled",
        ..ResponseSettings::default()
    };
    let said = ResponseState { settings, ..ResponseState::default() };
    Ok(Asked { prompt, max_tokens, n_top: wants_scores.then_some(n_top.unwrap_or(0)), form, said })
}

/// Accepts `reasoning` only if it asks for none.
fn no_reasoning(fields: &mut Fields) -> Result<(), Problem> {
    let Some(value) = fields.take("reasoning") else { return Ok(()) };
    let found = shortened(&value.to_string());
    let Value::Object(map) = value else { return Err(wrong("reasoning", &value, "an object")) };
    let mut reasoning = Fields::of(map);
    let effort = reasoning.take("effort").is_none_or(|effort| effort == "none");
    let is_silent =
        ["summary", "generate_summary"].iter().all(|name| reasoning.take(name).is_none());
    reasoning.end().map_err(|problem| problem.inside("reasoning"))?;
    if effort && is_silent {
        return Ok(());
    }
    let message = format!(
        "\"reasoning\" is {found}, but an answer isn't thought about before: only the \
         effort \"none\" is supported"
    );
    Err(Problem::parameter("reasoning", message).coded("unsupported_parameter"))
}

/// Sampling parameters that the answer repeats.
pub(crate) struct EchoedFields {
    temperature: f64,
    top_p: f64,
    metadata: Option<Map<String, Value>>,
}

impl EchoedFields {
    /// Notes them before they are taken.
    pub(crate) fn of(fields: &Fields) -> EchoedFields {
        let number = |name| fields.get(name).and_then(Value::as_f64).unwrap_or(1.0);
        let metadata = match fields.get("metadata") {
            None => Some(Map::new()),
            Some(value) => value.as_object().cloned(),
        };
        EchoedFields { temperature: number("temperature"), top_p: number("top_p"), metadata }
    }
}

/// Whether logprobs are requested.
fn include(fields: &mut Fields) -> Result<bool, Problem> {
    const SCORES: &str = "message.output_text.logprobs";
    let Some(value) = fields.take("include") else { return Ok(false) };
    let items = value.as_array().filter(|items| items.iter().all(|item| item == SCORES));
    let items = items.ok_or_else(|| {
        wrong("include", &value, &format!("a list in which only \"{SCORES}\" is supported"))
    })?;
    Ok(!items.is_empty())
}

/// The form of the text, and how the answer repeats it.
fn text(fields: &mut Fields) -> Result<(Option<Wanted>, Value), Problem> {
    let plain = json!({ "type": "text" });
    let mut text = match fields.take("text") {
        None => return Ok((None, plain)),
        Some(Value::Object(map)) => Fields::of(map),
        Some(other) => return Err(wrong("text", &other, "an object with a \"format\"")),
    };
    if let Some(verbosity) = text.take("verbosity").filter(|verbosity| verbosity != "medium") {
        return Err(wrong("text.verbosity", &verbosity, "\"medium\", the only one there is,"));
    }
    let format = text.take("format");
    text.end().map_err(|problem| problem.inside("text"))?;
    let mut of_format = match format.clone() {
        None => return Ok((None, plain)),
        Some(Value::Object(map)) => Fields::of(map),
        Some(other) => return Err(wrong("text.format", &other, "an object with a \"type\"")),
    };
    let form = forms::typed(&mut of_format, forms::schema)
        .map_err(|problem| problem.inside("text.format"))?;
    of_format.end().map_err(|problem| problem.inside("text.format"))?;
    Ok((form.map(|form| Wanted { name: "text.format", form }), format.unwrap_or(plain)))
}

impl Reply {
    /// The response object with this status.
    fn response(
        &self,
        status: Status,
        output: Vec<OutputMessage>,
        usage: Option<ResponseUsage>,
    ) -> Response {
        let is_cut = status == Status::Incomplete;
        Response {
            id: self.id.clone(),
            object: ResponseKind,
            created_at: self.created,
            status,
            error: (),
            incomplete_details: is_cut.then_some(IncompleteDetails { reason: "max_output_tokens" }),
            model: self.model.clone(),
            output,
            usage,
            kelvin: self.recipe.clone(),
            settings: self.said.settings.clone(),
            logprobs_stage: self.n_top.map(|_| self.stage.name()),
        }
    }

    fn message_id(&self) -> String {
        self.id.replacen("resp", "msg", 1)
    }

    fn message(&self, status: Status, content: Vec<OutputText>) -> OutputMessage {
        let id = self.message_id();
        OutputMessage { id, kind: MessageKind, role: Assistant, status, content }
    }

    fn event(&mut self, kind: &str, more: Value) -> Value {
        let mut event = json!({ "type": kind, "sequence_number": self.said.n_events });
        if let (Value::Object(event), Value::Object(more)) = (&mut event, more) {
            event.extend(more);
        }
        self.said.n_events += 1;
        event
    }

    /// An event about the one text of the one message.
    fn text_event(&mut self, kind: &str, mut more: Value) -> Value {
        more["item_id"] = self.message_id().into();
        more["output_index"] = 0.into();
        more["content_index"] = 0.into();
        self.event(kind, more)
    }

    /// A stream's first events.
    pub(crate) fn response_opening(&mut self) -> Vec<Value> {
        let begun = Status::InProgress;
        let response = json!({ "response": self.response(begun, Vec::new(), None) });
        let item = json!({ "output_index": 0, "item": self.message(begun, Vec::new()) });
        let part = json!({ "part": part(String::new(), Vec::new()) });
        vec![
            self.event("response.created", response.clone()),
            self.event("response.in_progress", response),
            self.event("response.output_item.added", item),
            self.text_event("response.content_part.added", part),
        ]
    }

    /// What is new of the text, if anything is.
    pub(crate) fn response_piece(&mut self, choice: &mut Choice) -> Option<Value> {
        let logprobs = self.response_scores(choice);
        choice.scores.clear();
        let delta = std::mem::take(&mut choice.text);
        if delta.is_empty() && logprobs.is_empty() {
            return None;
        }
        self.said.text.push_str(&delta);
        self.said.logprobs.extend(logprobs.iter().cloned());
        Some(self.text_event(
            "response.output_text.delta",
            json!({ "delta": delta, "logprobs": logprobs }),
        ))
    }

    /// A stream's last events.
    pub(crate) fn response_closing(&mut self) -> Vec<Value> {
        let (text, logprobs) =
            (std::mem::take(&mut self.said.text), std::mem::take(&mut self.said.logprobs));
        let status = self.response_status();
        let part = part(text.clone(), logprobs.clone());
        let message = self.message(status, vec![part.clone()]);
        let response = self.response(status, vec![message.clone()], Some(self.response_usage()));
        let ended = if status == Status::Completed { "completed" } else { "incomplete" };
        vec![
            self.text_event(
                "response.output_text.done",
                json!({ "text": text, "logprobs": logprobs }),
            ),
            self.text_event("response.content_part.done", json!({ "part": part })),
            self.event("response.output_item.done", json!({ "output_index": 0, "item": message })),
            self.event(&format!("response.{ended}"), json!({ "response": response })),
        ]
    }

    /// A stream that can't go on says so.
    pub(crate) fn response_error(&mut self, problem: &Problem) -> Value {
        let error = problem.body()["error"].take();
        self.event(
            "error",
            json!({ "code": error["code"], "message": error["message"], "param": error["param"] }),
        )
    }

    /// The answer that isn't streamed.
    pub(crate) fn response_whole(&mut self) -> Response {
        let choice = &self.choices[0];
        let part = part(choice.text.clone(), self.response_scores(choice));
        let status = self.response_status();
        let message = self.message(status, vec![part]);
        self.response(status, vec![message], Some(self.response_usage()))
    }

    fn response_scores(&self, choice: &Choice) -> Vec<ChatLogprob> {
        self.n_top.map(|_| self.chat_logprobs(choice).content).unwrap_or_default()
    }

    fn response_status(&self) -> Status {
        if self.choices[0].is_cut() { Status::Incomplete } else { Status::Completed }
    }

    fn response_usage(&self) -> ResponseUsage {
        let usage = self.usage();
        ResponseUsage {
            input_tokens: usage.prompt_tokens,
            input_tokens_details: InputTokensDetails {
                cached_tokens: self.cached,
                cache_write_tokens: 0,
            },
            output_tokens: usage.completion_tokens,
            output_tokens_details: OutputTokensDetails { reasoning_tokens: 0 },
            total_tokens: usage.total_tokens,
        }
    }
}

fn part(text: String, logprobs: Vec<ChatLogprob>) -> OutputText {
    OutputText { kind: OutputTextKind, text, annotations: [], logprobs }
}
