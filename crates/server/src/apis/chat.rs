//! `/v1/chat/completions`: messages are answered.

use std::future::ready;

use super::api::{Api, Asked};
use crate::{
    Shared,
    answers::{
        Assistant, ChatChoice, ChatCompletion, ChatCompletionKind, ChatMessage, ChoiceTokens, End,
        PromptTokens,
    },
    controls::Controls,
    events::{ChatChunk, ChatEvent, ChatPiece, Delta, StreamEvent},
    forms::Wanted,
    problem::Problem,
    prompts::{check_model, of_messages},
    queue::Event,
    reply::{Choice, Reply},
    requests::ChatRequest,
    stream::Teller,
};

/// Answers in progress.
pub(crate) struct Chat(Reply);

impl Api for Chat {
    type Request = ChatRequest;
    type Repeated = ();
    type Answer = ChatCompletion;

    const PROMPT: &'static str = "messages";
    const ID: &'static str = "chatcmpl-";
    const MAX_TOKENS: usize = 4096;
    const KEEPS_THOUGHTS_APART: bool = true;

    fn asked(request: ChatRequest, shared: &Shared) -> Result<(Asked, ()), Problem> {
        let mut fields = request.shared;
        check_model(fields.model.as_ref(), &shared.names)?;
        let n_top = match (request.logprobs.unwrap_or(false), request.top_logprobs) {
            (false, Some(n)) if n.0 > 0 => {
                let message = "\"top_logprobs\" needs \"logprobs\": true beside it";
                return Err(Problem::parameter("top_logprobs", message));
            }
            (scores, n) => scores.then_some(n.map_or(0, |n| n.get())),
        };
        let (format, outputs) = (fields.response_format.take(), fields.structured_outputs.take());
        let wanted = Wanted::of(None, format, outputs)?;
        let controls = Controls::of(fields, request.choices, shared)?;
        let messages = &request.messages.0;
        let prompt = of_messages(messages, request.date, shared, shared.limit, Self::PROMPT)?;
        let max_tokens = request.max_completion_tokens.or(request.max_tokens).map(|n| n.get());
        let prompts = vec![prompt];
        Ok((Asked { controls, prompts, max_tokens, n_top, echo: false, wanted }, ()))
    }

    fn begin(reply: Reply, (): ()) -> Chat {
        Chat(reply)
    }

    fn reply(&mut self) -> &mut Reply {
        &mut self.0
    }

    fn whole(&self) -> ChatCompletion {
        let reply = &self.0;
        let each = reply.choices.iter().enumerate();
        ChatCompletion {
            id: reply.id.clone(),
            object: ChatCompletionKind,
            created: reply.created,
            model: reply.model.clone(),
            choices: each.map(|(i, found)| choice(reply, i, found)).collect(),
            prompt: reply.prompt_tokens(0),
            usage: reply.usage(),
            kelvin: reply.recipe.clone(),
        }
    }
}

impl Teller for Chat {
    type Event = ChatEvent;

    const ENDS_WITH_DONE: bool = true;

    /// Says who speaks.
    fn opening(&mut self) -> Vec<Self::Event> {
        let reply = &self.0;
        let first = |index| {
            let piece = ChatPiece {
                index,
                logprobs: None,
                finish_reason: None,
                stop_reason: None,
                delta: Delta {
                    role: Some(Assistant),
                    content: Some(String::new()),
                    reasoning_content: None,
                },
                tokens: ChoiceTokens::default(),
            };
            let is_first = index == 0;
            let prompt = if is_first { reply.prompt_tokens(0) } else { PromptTokens::default() };
            StreamEvent::Piece(ChatChunk { prompt, ..reply.chunk(vec![piece]) })
        };
        (0..reply.choices.len()).map(first).collect()
    }

    fn tell(&mut self, event: Event) -> Result<Vec<Self::Event>, Problem> {
        let piece = |reply: &Reply, i: usize, found: &Choice| {
            StreamEvent::Piece(reply.chunk(vec![piece(reply, i, found)]))
        };
        self.0.pieces(event, false, piece)
    }

    fn is_complete(&self) -> bool {
        self.0.is_complete()
    }

    fn closing(&mut self) -> impl Future<Output = Result<Vec<Self::Event>, Problem>> + Send {
        ready(Ok(self.0.last_chunk().map(StreamEvent::Piece).into_iter().collect()))
    }

    fn failed(&mut self, problem: &Problem) -> Self::Event {
        StreamEvent::Problem(problem.body())
    }
}

/// A whole choice.
fn choice(reply: &Reply, index: usize, choice: &Choice) -> ChatChoice {
    ChatChoice {
        index,
        logprobs: reply.n_top.map(|_| reply.chat_logprobs(choice)),
        end: choice.end(),
        message: ChatMessage {
            role: Assistant,
            content: choice.text.clone(),
            reasoning_content: thoughts(choice),
            refusal: (),
        },
        tokens: reply.choice_tokens(choice),
    }
}

/// What a choice thinks, if it does.
fn thoughts(choice: &Choice) -> Option<String> {
    Some(choice.thoughts.clone()).filter(|thoughts| !thoughts.is_empty())
}

/// What is new of a choice.
fn piece(reply: &Reply, index: usize, choice: &Choice) -> ChatPiece {
    let End { finish_reason, stop_reason } = choice.end();
    let content = Some(choice.text.clone()).filter(|text| !text.is_empty());
    ChatPiece {
        index,
        logprobs: reply.n_top.map(|_| reply.chat_logprobs(choice)),
        finish_reason,
        stop_reason: Some(stop_reason),
        delta: Delta { role: None, content, reasoning_content: thoughts(choice) },
        tokens: reply.choice_tokens(choice),
    }
}
