//! The Responses API: its parameters, its response format and its events. Prompt and sampling are
//! those of a chat completion.

use serde_json::{Value, json};

use super::{
    Shared,
    fields::{Fields, shortened, wrong},
    forms::{self, Wanted},
    history::no_tools,
    limits::MAX_LOGPROBS,
    problem::Problem,
    prompts,
    reply::{Choice, Reply, ResponseState},
};

/// Parameters that may say what is so anyway, and with which values.
const AS_IT_IS: &[(&str, &[&str])] = &[
    ("background", &["false"]),
    ("parallel_tool_calls", &["true", "false"]),
    ("tool_choice", &["\"auto\"", "\"none\""]),
    ("truncation", &["\"disabled\""]),
];

/// What the Responses API asks for by names of its own.
pub(crate) struct Asked {
    pub(crate) prompt: prompts::Prompt,
    pub(crate) max_tokens: Option<usize>,
    pub(crate) n_top: Option<usize>,
    pub(crate) form: Option<Wanted>,
    pub(crate) said: ResponseState,
}

/// Reads them; the controls of drawing have been taken already, `temperature` and `top_p` noted
/// before that.
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
    let settings = json!({
        "instructions": instructions,
        "max_output_tokens": max_tokens,
        "metadata": noted.metadata.clone().unwrap_or_else(|| json!({})),
        "parallel_tool_calls": false,
        "previous_response_id": null,
        "reasoning": { "effort": null, "summary": null },
        "store": false,
        "temperature": noted.temperature,
        "text": { "format": format },
        "tool_choice": "auto",
        "tools": [],
        "top_logprobs": n_top.unwrap_or(0),
        "top_p": noted.top_p,
        "truncation": "disabled",
    });
    let Value::Object(settings) = settings else { unreachable!("an object is written above") };
    let said = ResponseState { settings, ..ResponseState::default() };
    Ok(Asked { prompt, max_tokens, n_top: wants_scores.then_some(n_top.unwrap_or(0)), form, said })
}

/// No thinking before the answer is supported; that may be said.
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

/// What an answer repeats of the parameters that chats have as well.
pub(crate) struct EchoedFields {
    temperature: f64,
    top_p: f64,
    metadata: Option<Value>,
}

impl EchoedFields {
    /// Before they're taken.
    pub(crate) fn of(fields: &Fields) -> EchoedFields {
        let number = |name| fields.get(name).and_then(Value::as_f64).unwrap_or(1.0);
        let metadata = fields.get("metadata").cloned();
        EchoedFields { temperature: number("temperature"), top_p: number("top_p"), metadata }
    }
}

/// Whether log-probabilities are to be included.
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
    /// The response so far, or as it is in the end.
    fn response(&self, status: &str, output: Value, usage: Value) -> Value {
        let said = &self.said;
        let mut response = json!({
            "id": self.id,
            "object": "response",
            "created_at": self.created,
            "status": status,
            "error": null,
            "incomplete_details": if status == "incomplete" { json!({ "reason": "max_output_tokens" }) } else { Value::Null },
            "model": self.model,
            "output": output,
            "usage": usage,
            "kelvin": self.recipe,
        });
        if let Value::Object(map) = &mut response {
            map.extend(said.settings.clone());
            if self.n_top.is_some() {
                map.insert("logprobs_stage".to_string(), self.stage.name().into());
            }
        }
        response
    }

    fn message_id(&self) -> String {
        self.id.replacen("resp", "msg", 1)
    }

    fn message(&self, status: &str, content: Value) -> Value {
        json!({ "id": self.message_id(), "type": "message", "role": "assistant", "status": status, "content": content })
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
        let response = json!({ "response": self.response("in_progress", json!([]), Value::Null) });
        let item = json!({ "output_index": 0, "item": self.message("in_progress", json!([])) });
        let part = json!({ "part": part("", &[]) });
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
        let part = part(&text, &logprobs);
        let message = self.message(status, json!([part]));
        let response = self.response(status, json!([message]), self.response_usage());
        vec![
            self.text_event(
                "response.output_text.done",
                json!({ "text": text, "logprobs": logprobs }),
            ),
            self.text_event("response.content_part.done", json!({ "part": part })),
            self.event("response.output_item.done", json!({ "output_index": 0, "item": message })),
            self.event(&format!("response.{status}"), json!({ "response": response })),
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
    pub(crate) fn response_whole(&mut self) -> Value {
        let mut choice = std::mem::take(&mut self.choices[0]);
        let logprobs = self.response_scores(&mut choice);
        let part = part(&choice.text, &logprobs);
        self.choices[0] = choice;
        let status = self.response_status();
        self.response(status, json!([self.message(status, json!([part]))]), self.response_usage())
    }

    fn response_scores(&self, choice: &mut Choice) -> Vec<Value> {
        let scores = self.n_top.map(|_| self.chat_logprobs(choice).content);
        scores.unwrap_or_default().iter().map(|scored| json!(scored)).collect()
    }

    fn response_status(&self) -> &'static str {
        if self.choices[0].is_cut() { "incomplete" } else { "completed" }
    }

    fn response_usage(&self) -> Value {
        let usage = self.usage();
        json!({
            "input_tokens": usage.prompt_tokens,
            "input_tokens_details": { "cached_tokens": self.cached, "cache_write_tokens": 0 },
            "output_tokens": usage.completion_tokens,
            "output_tokens_details": { "reasoning_tokens": 0 },
            "total_tokens": usage.total_tokens,
        })
    }
}

fn part(text: &str, logprobs: &[Value]) -> Value {
    json!({ "type": "output_text", "text": text, "annotations": [], "logprobs": logprobs })
}
