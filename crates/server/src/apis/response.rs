//! `/v1/responses`: the Responses API. Prompt and sampling are those of a chat completion.

use std::future::ready;

use serde_json::{Value, json};

use super::api::{Api, Asked};
use crate::{
    Shared,
    answers::{Assistant, ChatLogprob},
    controls::Controls,
    events::{ResponseEvent, TextPlace},
    forms::Wanted,
    outputs::{
        IncompleteDetails, InputTokensDetails, MessageKind, OutputItem, OutputMessage, OutputPart,
        OutputReasoning, OutputText, OutputTextKind, OutputTokensDetails, ReasoningKind,
        ReasoningText, ReasoningTextKind, Response, ResponseKind, ResponseSettings, ResponseUsage,
        Status, TextSettings,
    },
    problem::Problem,
    prompts::{check_model, of_messages},
    queue::Event,
    reply::Reply,
    requests::{ChoiceFields, GenerationFields, ResponseRequest, TextField},
    stream::Teller,
};

/// A response in progress: the items of its output so far. A model that doesn't think has one
/// message.
pub(crate) struct Responses {
    reply: Reply,
    /// What the answer repeats of the request.
    settings: ResponseSettings,
    /// Events so far.
    n_events: u64,
    items: Vec<Item>,
    /// Tokens before the first item, and their logprobs: whose they are isn't known yet.
    n_early: usize,
    early: Vec<ChatLogprob>,
    /// Tokens in reasoning blocks.
    n_thought: usize,
}

/// An item so far.
struct Item {
    /// Whether it is thoughts.
    thinks: bool,
    text: String,
    logprobs: Vec<ChatLogprob>,
}

/// What an event adds.
#[derive(Default)]
struct New {
    text: String,
    logprobs: Vec<ChatLogprob>,
    /// Whether the text is thoughts.
    thinks: bool,
}

impl Api for Responses {
    type Request = ResponseRequest;
    type Repeated = ResponseSettings;
    type Answer = Response;

    const PROMPT: &'static str = "input";
    const ID: &'static str = "resp_";
    const MAX_TOKENS: usize = 4096;
    const KEEPS_THOUGHTS_APART: bool = true;

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
        let (format, outputs) = (fields.response_format.take(), fields.structured_outputs.take());
        let wanted = Wanted::of(text_format, format, outputs)?;
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
        Responses {
            reply,
            settings,
            n_events: 0,
            items: Vec::new(),
            n_early: 0,
            early: Vec::new(),
            n_thought: 0,
        }
    }

    fn reply(&mut self) -> &mut Reply {
        &mut self.reply
    }

    fn take(&mut self, event: Event) -> Result<(), Problem> {
        self.add(event).map(drop)
    }

    fn whole(&self) -> Response {
        let status = self.status();
        let mut output: Vec<OutputItem> =
            (0..self.items.len()).map(|at| self.item(at, status)).collect();
        if output.is_empty() {
            let message = Item { logprobs: self.early.clone(), ..Item::message() };
            output.push(self.made(&message, 0, status));
        }
        self.response(status, output, Some(self.usage()))
    }
}

impl Item {
    /// An empty message.
    fn message() -> Item {
        Item { thinks: false, text: String::new(), logprobs: Vec::new() }
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
        let mut events = vec![
            ResponseEvent::Created { sequence_number: self.count(), response: first },
            ResponseEvent::InProgress { sequence_number: self.count(), response: second },
        ];
        if self.reply.engine.reasoning.is_none() {
            self.items.push(Item::message());
            events.extend(self.opened());
        }
        events
    }

    fn tell(&mut self, event: Event) -> Result<Vec<ResponseEvent>, Problem> {
        let before = self.items.len();
        let New { text: delta, logprobs, thinks } = self.add(event)?;
        let mut events = Vec::new();
        if self.items.len() > before {
            if before > 0 {
                events.extend(self.closed(before - 1, Status::Completed));
            }
            events.extend(self.opened());
        }
        if delta.is_empty() && logprobs.is_empty() {
            return Ok(events);
        }
        let (sequence_number, place) = (self.count(), self.place(self.items.len() - 1));
        events.push(match thinks {
            true => ResponseEvent::ThoughtDelta { sequence_number, delta, place },
            false => ResponseEvent::TextDelta { sequence_number, delta, logprobs, place },
        });
        Ok(events)
    }

    fn is_complete(&self) -> bool {
        self.reply.is_complete()
    }

    fn closing(&mut self) -> impl Future<Output = Result<Vec<ResponseEvent>, Problem>> + Send {
        let mut events = Vec::new();
        if self.items.is_empty() {
            let logprobs = std::mem::take(&mut self.early);
            self.items.push(Item { logprobs, ..Item::message() });
            events.extend(self.opened());
        }
        let status = self.status();
        events.extend(self.closed(self.items.len() - 1, status));
        let output = (0..self.items.len()).map(|at| self.item(at, status)).collect();
        let response = Box::new(self.response(status, output, Some(self.usage())));
        let sequence_number = self.count();
        events.push(match status {
            Status::Completed => ResponseEvent::Completed { sequence_number, response },
            _ => ResponseEvent::Incomplete { sequence_number, response },
        });
        ready(Ok(events))
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
        output: Vec<OutputItem>,
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

    /// Adds an event to the items, and returns what is new of the last one.
    fn add(&mut self, event: Event) -> Result<New, Problem> {
        let thought = match &event {
            Event::Thought { text, .. } => Some(text.clone()),
            _ => None,
        };
        let is_token = matches!(event, Event::Token { .. });
        self.reply.take(event)?;
        if let Some(text) = thought {
            return Ok(self.push(New { text, logprobs: Vec::new(), thinks: true }));
        }
        let mut choice = std::mem::take(&mut self.reply.choices[0]);
        let logprobs = self.reply.n_top.map(|_| self.reply.chat_logprobs(&choice).content);
        choice.scores.clear();
        let text = std::mem::take(&mut choice.text);
        self.reply.choices[0] = choice;
        let logprobs = logprobs.unwrap_or_default();
        let is_answer = !text.is_empty() || self.items.last().is_some_and(|last| !last.thinks);
        if is_answer {
            return Ok(self.push(New { text, logprobs, thinks: false }));
        }
        // It is of a block, or nobody can tell yet.
        match self.items.is_empty() {
            true => {
                self.n_early += usize::from(is_token);
                self.early.extend(logprobs);
            }
            false => self.n_thought += usize::from(is_token),
        }
        Ok(New::default())
    }

    /// Adds to the last item, or to a new one.
    fn push(&mut self, mut new: New) -> New {
        if self.items.last().is_none_or(|last| last.thinks != new.thinks) {
            let early = std::mem::take(&mut self.early);
            match (new.thinks, self.items.is_empty()) {
                // What stood before thoughts began a block.
                (true, true) => self.n_thought += self.n_early,
                (false, true) => new.logprobs.splice(0..0, early).for_each(drop),
                (_, false) => {}
            }
            self.items.push(Item { thinks: new.thinks, ..Item::message() });
        }
        if let Some(last) = self.items.last_mut() {
            last.text.push_str(&new.text);
            last.logprobs.extend(new.logprobs.iter().cloned());
        }
        new
    }

    /// The events that open the last item.
    fn opened(&mut self) -> Vec<ResponseEvent> {
        let output_index = self.items.len() - 1;
        let Some(last) = self.items.last() else { return Vec::new() };
        let empty = Item { thinks: last.thinks, ..Item::message() };
        let mut item = self.made(&empty, output_index, Status::InProgress);
        match &mut item {
            OutputItem::Reasoning(thoughts) => thoughts.content.clear(),
            OutputItem::Message(message) => message.content.clear(),
        }
        let (part, place) = (part(&empty), self.place(output_index));
        vec![
            ResponseEvent::ItemAdded { sequence_number: self.count(), output_index, item },
            ResponseEvent::PartAdded { sequence_number: self.count(), part, place },
        ]
    }

    /// The events that close an item.
    fn closed(&mut self, output_index: usize, status: Status) -> Vec<ResponseEvent> {
        let (item, place) = (self.item(output_index, status), self.place(output_index));
        let Item { thinks, text, logprobs } = &self.items[output_index];
        let (text, logprobs, thinks) = (text.clone(), logprobs.clone(), *thinks);
        let part = part(&self.items[output_index]);
        let (sequence_number, at) = (self.count(), place.clone());
        vec![
            match thinks {
                true => ResponseEvent::ThoughtDone { sequence_number, text, place: at },
                false => ResponseEvent::TextDone { sequence_number, text, logprobs, place: at },
            },
            ResponseEvent::PartDone { sequence_number: self.count(), part, place },
            ResponseEvent::ItemDone { sequence_number: self.count(), output_index, item },
        ]
    }

    /// An item's id: the first message's has no number.
    fn item_id(&self, at: usize) -> String {
        let first = self.items.iter().position(|item| !item.thinks).unwrap_or(at);
        let kind = if self.items.get(at).is_some_and(|item| item.thinks) { "rs" } else { "msg" };
        let number = match kind {
            "msg" if at == first => String::new(),
            _ => format!("_{at}"),
        };
        self.reply.id.replacen("resp", kind, 1) + &number
    }

    /// Where an item's text stands.
    fn place(&self, at: usize) -> TextPlace {
        TextPlace { item_id: self.item_id(at), output_index: at, content_index: 0 }
    }

    /// An item of the output. All but the last are complete.
    fn item(&self, at: usize, status: Status) -> OutputItem {
        let is_last = at + 1 == self.items.len();
        let status = if is_last { status } else { Status::Completed };
        self.made(&self.items[at], at, status)
    }

    fn made(&self, item: &Item, at: usize, status: Status) -> OutputItem {
        let id = self.item_id(at);
        match part(item) {
            OutputPart::Reasoning(text) => OutputItem::Reasoning(OutputReasoning {
                id,
                kind: ReasoningKind,
                summary: [],
                status,
                content: vec![text],
            }),
            OutputPart::Text(text) => OutputItem::Message(OutputMessage {
                id,
                kind: MessageKind,
                role: Assistant,
                status,
                content: vec![text],
            }),
        }
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
            output_tokens_details: OutputTokensDetails { reasoning_tokens: self.n_thought },
            total_tokens: usage.total_tokens,
        }
    }
}

/// The one part of an item.
fn part(item: &Item) -> OutputPart {
    let (text, logprobs) = (item.text.clone(), item.logprobs.clone());
    match item.thinks {
        true => OutputPart::Reasoning(ReasoningText { kind: ReasoningTextKind, text }),
        false => {
            let kind = OutputTextKind;
            OutputPart::Text(OutputText { kind, text, annotations: [], logprobs })
        }
    }
}
