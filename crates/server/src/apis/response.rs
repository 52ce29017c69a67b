//! `/v1/responses`: the Responses API. Prompt and sampling are those of a chat completion.

use serde_json::{Value, json};

use super::api::{Api, Asked};
use crate::{
    Shared,
    answers::{
        Assistant, ChatLogprob, IncompleteDetails, InputTokensDetails, MessageKind, OutputMessage,
        OutputText, OutputTextKind, OutputTokensDetails, Response, ResponseKind, ResponseSettings,
        ResponseUsage, Status, TextSettings,
    },
    controls::Controls,
    events::{ResponseEvent, TextPlace},
    forms::Wanted,
    problem::Problem,
    prompts::{check_model, of_messages},
    queue::Event,
    reply::{Choice, Reply},
    requests::{ChoiceFields, GenerationFields, ResponseRequest, TextField},
    stream::Teller,
};

/// A response in progress. It is one text in one message.
pub(crate) struct Responses {
    reply: Reply,
    /// What the answer repeats of the request.
    settings: ResponseSettings,
    /// Events so far.
    n_events: u64,
    /// What the stream has told so far.
    text: String,
    logprobs: Vec<ChatLogprob>,
}

impl Api for Responses {
    type Request = ResponseRequest;
    type Repeated = ResponseSettings;
    type Answer = Response;

    const PROMPT: &'static str = "input";
    const ID: &'static str = "resp_";
    const MAX_TOKENS: usize = 4096;

    fn asked(
        request: ResponseRequest,
        shared: &Shared,
    ) -> Result<(Asked, ResponseSettings), Problem> {
        let mut fields = request.shared;
        check_model(fields.model.as_ref(), &shared.names)?;
        let includes = request.include.is_some_and(|include| include.0);
        let n_top = request.top_logprobs.map_or(0, |n| n.get());
        if n_top > 0 && !includes {
            let message = "\"top_logprobs\" needs \"message.output_text.logprobs\" in \"include\"";
            return Err(Problem::parameter("top_logprobs", message));
        }
        let max_tokens = request.max_output_tokens.map(|n| n.get());
        let repeated = ResponseSettings {
            instructions: request.instructions,
            max_output_tokens: max_tokens,
            text: TextSettings { format: given_format(request.text.as_ref()) },
            top_logprobs: n_top,
            ..repeated(&fields)
        };
        let text_format = request.text.and_then(|text| text.format).map(|given| given.format);
        let wanted = Wanted::of(text_format, &mut fields)?;
        let controls = Controls::of(fields, ChoiceFields::default(), shared)?;
        if controls.chains.len() > 1 {
            let message = "a response has one text, so \"temperatures\" can't ask for more";
            return Err(Problem::parameter("temperatures", message));
        }
        let messages = request.input.with_instructions(repeated.instructions.as_deref());
        let prompt = of_messages(&messages, request.date, shared, shared.limit, Self::PROMPT)?;
        let (prompts, n_top) = (vec![prompt], includes.then_some(n_top));
        Ok((Asked { controls, prompts, max_tokens, n_top, echo: false, wanted }, repeated))
    }

    fn begin(reply: Reply, settings: ResponseSettings) -> Responses {
        Responses { reply, settings, n_events: 0, text: String::new(), logprobs: Vec::new() }
    }

    fn reply(&mut self) -> &mut Reply {
        &mut self.reply
    }

    fn whole(&self) -> Response {
        let choice = &self.reply.choices[0];
        let part = part(choice.text.clone(), logprobs(&self.reply, choice));
        let status = self.status();
        let message = self.message(status, vec![part]);
        self.response(status, vec![message], Some(self.usage()))
    }
}

/// The format that a request gives, as it writes it.
fn given_format(text: Option<&TextField>) -> Value {
    let format = text.and_then(|text| text.format.as_ref());
    format.map_or_else(|| json!({ "type": "text" }), |format| format.given.clone())
}

/// What an answer repeats of the fields that all routes share.
fn repeated(fields: &GenerationFields) -> ResponseSettings {
    let sampling = &fields.sampling;
    ResponseSettings {
        metadata: fields.inert.metadata.0.clone(),
        temperature: sampling.temperature.map_or(1.0, |temperature| temperature.0),
        tool_choice: "auto",
        top_p: sampling.stages.get("top_p").unwrap_or(1.0),
        truncation: "disabled",
        ..ResponseSettings::default()
    }
}

impl Teller for Responses {
    type Event = ResponseEvent;

    const ENDS_WITH_DONE: bool = false;

    fn opening(&mut self) -> Vec<ResponseEvent> {
        let begun = Status::InProgress;
        let response = || Box::new(self.response(begun, Vec::new(), None));
        let (first, second) = (response(), response());
        let item = self.message(begun, Vec::new());
        let (part, place) = (part(String::new(), Vec::new()), self.place());
        vec![
            ResponseEvent::Created { sequence_number: self.count(), response: first },
            ResponseEvent::InProgress { sequence_number: self.count(), response: second },
            ResponseEvent::ItemAdded { sequence_number: self.count(), output_index: 0, item },
            ResponseEvent::PartAdded { sequence_number: self.count(), part, place },
        ]
    }

    fn tell(&mut self, event: Event) -> Result<Vec<ResponseEvent>, Problem> {
        self.reply.take(event)?;
        let mut choice = std::mem::take(&mut self.reply.choices[0]);
        let logprobs = logprobs(&self.reply, &choice);
        choice.scores.clear();
        let delta = std::mem::take(&mut choice.text);
        self.reply.choices[0] = choice;
        if delta.is_empty() && logprobs.is_empty() {
            return Ok(Vec::new());
        }
        self.text.push_str(&delta);
        self.logprobs.extend(logprobs.iter().cloned());
        let (sequence_number, place) = (self.count(), self.place());
        Ok(vec![ResponseEvent::TextDelta { sequence_number, delta, logprobs, place }])
    }

    fn is_complete(&self) -> bool {
        self.reply.is_complete()
    }

    fn closing(&mut self) -> Vec<ResponseEvent> {
        let (text, logprobs) = (std::mem::take(&mut self.text), std::mem::take(&mut self.logprobs));
        let (status, place) = (self.status(), self.place());
        let part = part(text.clone(), logprobs.clone());
        let item = self.message(status, vec![part.clone()]);
        let response = Box::new(self.response(status, vec![item.clone()], Some(self.usage())));
        let mut events = vec![
            ResponseEvent::TextDone {
                sequence_number: self.count(),
                text,
                logprobs,
                place: place.clone(),
            },
            ResponseEvent::PartDone { sequence_number: self.count(), part, place },
            ResponseEvent::ItemDone { sequence_number: self.count(), output_index: 0, item },
        ];
        let sequence_number = self.count();
        events.push(match status {
            Status::Completed => ResponseEvent::Completed { sequence_number, response },
            _ => ResponseEvent::Incomplete { sequence_number, response },
        });
        events
    }

    fn failed(&mut self, problem: &Problem) -> ResponseEvent {
        let error = problem.error();
        ResponseEvent::Error {
            sequence_number: self.count(),
            code: error.code,
            message: error.message,
            param: error.param,
        }
    }
}

impl Responses {
    /// The number of the next event.
    fn count(&mut self) -> u64 {
        self.n_events += 1;
        self.n_events - 1
    }

    /// The response object with this status.
    fn response(
        &self,
        status: Status,
        output: Vec<OutputMessage>,
        usage: Option<ResponseUsage>,
    ) -> Response {
        let (reply, is_cut) = (&self.reply, status == Status::Incomplete);
        Response {
            id: reply.id.clone(),
            object: ResponseKind,
            created_at: reply.created,
            status,
            error: (),
            incomplete_details: is_cut.then_some(IncompleteDetails { reason: "max_output_tokens" }),
            model: reply.model.clone(),
            output,
            usage,
            kelvin: reply.recipe.clone(),
            settings: self.settings.clone(),
            logprobs_stage: reply.n_top.map(|_| reply.stage.name()),
        }
    }

    fn message_id(&self) -> String {
        self.reply.id.replacen("resp", "msg", 1)
    }

    /// Where the text stands.
    fn place(&self) -> TextPlace {
        TextPlace { item_id: self.message_id(), output_index: 0, content_index: 0 }
    }

    fn message(&self, status: Status, content: Vec<OutputText>) -> OutputMessage {
        let id = self.message_id();
        OutputMessage { id, kind: MessageKind, role: Assistant, status, content }
    }

    fn status(&self) -> Status {
        if self.reply.choices[0].is_cut() { Status::Incomplete } else { Status::Completed }
    }

    fn usage(&self) -> ResponseUsage {
        let usage = self.reply.usage();
        ResponseUsage {
            input_tokens: usage.prompt_tokens,
            input_tokens_details: InputTokensDetails {
                cached_tokens: self.reply.cached,
                cache_write_tokens: 0,
            },
            output_tokens: usage.completion_tokens,
            output_tokens_details: OutputTokensDetails { reasoning_tokens: 0 },
            total_tokens: usage.total_tokens,
        }
    }
}

/// What is known of the tokens of a choice.
fn logprobs(reply: &Reply, choice: &Choice) -> Vec<ChatLogprob> {
    reply.n_top.map(|_| reply.chat_logprobs(choice).content).unwrap_or_default()
}

fn part(text: String, logprobs: Vec<ChatLogprob>) -> OutputText {
    OutputText { kind: OutputTextKind, text, annotations: [], logprobs }
}
