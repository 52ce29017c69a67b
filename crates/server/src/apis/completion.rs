//! `/v1/completions`: prompts are continued.

use std::future::ready;

use serde_json::Map;

use super::api::{Api, Asked};
use crate::{
    Shared,
    answers::{Completion, PromptTokens, TextChoice, TextCompletionKind, TextLogprobs},
    controls::Controls,
    events::{StreamEvent, TextEvent},
    forms::Wanted,
    problem::Problem,
    prompts::{Reading, check_model, of_completion},
    queue::Event,
    reply::{Choice, Reply, ReportedToken, finite, spelled},
    requests::CompletionRequest,
    stream::Teller,
};

/// Continuations in progress.
pub(crate) struct Completions(Reply);

impl Api for Completions {
    type Request = CompletionRequest;
    type Repeated = ();
    type Answer = Completion;

    const PROMPT: &'static str = "prompt";
    const ID: &'static str = "cmpl-";
    /// OpenAI's.
    const MAX_TOKENS: usize = 16;

    fn asked(request: CompletionRequest, shared: &Shared) -> Result<(Asked, ()), Problem> {
        let mut fields = request.shared;
        check_model(fields.model.as_ref(), &shared.names)?;
        let (format, outputs) = (fields.response_format.take(), fields.structured_outputs.take());
        let wanted = Wanted::of(None, format, outputs)?;
        let controls = Controls::of(fields, request.choices, shared)?;
        let n_top = request.logprobs.map(|n| n.get());
        let echo = request.echo.unwrap_or(false);
        let (most, limit) = (shared.queue.capacity(), shared.limit);
        let reading = Reading { most, limit, offsets: echo && n_top.is_some() };
        let add_special = request.add_special_tokens.0;
        let prompts = of_completion(request.prompt, add_special, &shared.engine, reading)?;
        let max_tokens = request.max_tokens.map(|n| n.get());
        Ok((Asked { controls, prompts, max_tokens, n_top, echo, wanted }, ()))
    }

    fn begin(reply: Reply, (): ()) -> Completions {
        Completions(reply)
    }

    fn reply(&mut self) -> &mut Reply {
        &mut self.0
    }

    fn whole(&self) -> Completion {
        let reply = &self.0;
        let each = reply.choices.iter().enumerate();
        Completion {
            id: reply.id.clone(),
            object: TextCompletionKind,
            created: reply.created,
            model: reply.model.clone(),
            choices: each.map(|(i, found)| choice(reply, i, found, true)).collect(),
            usage: reply.usage(),
            kelvin: reply.recipe.clone(),
        }
    }
}

impl Teller for Completions {
    type Event = TextEvent;

    const ENDS_WITH_DONE: bool = true;

    fn tell(&mut self, event: Event) -> Result<Vec<Self::Event>, Problem> {
        // The prompt's tokens come in a piece of their own.
        let begins = matches!(event, Event::Read { .. }) && self.0.return_ids;
        let piece = |reply: &Reply, i: usize, found: &Choice| {
            StreamEvent::Piece(reply.chunk(vec![choice(reply, i, found, begins)]))
        };
        self.0.pieces(event, begins, piece)
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

/// A choice, or what is new of it; with its prompt's tokens where they are wanted.
fn choice(reply: &Reply, index: usize, choice: &Choice, with_prompt: bool) -> TextChoice {
    let prompt = index / reply.choices_a_prompt;
    TextChoice {
        index,
        logprobs: reply.n_top.map(|n_top| logprobs(reply, choice, n_top)),
        end: choice.end(),
        text: choice.text.clone(),
        tokens: reply.choice_tokens(choice),
        prompt: if with_prompt { reply.prompt_tokens(prompt) } else { PromptTokens::default() },
    }
}

fn logprobs(reply: &Reply, choice: &Choice, n_top: usize) -> TextLogprobs {
    let tokenizer = &reply.engine.tokenizer;
    let mut found = TextLogprobs {
        tokens: Vec::new(),
        token_logprobs: Vec::new(),
        top_logprobs: Vec::new(),
        text_offset: Vec::new(),
        stage: reply.stage.name(),
    };
    for ReportedToken { token, offset, scored } in &choice.scores {
        found.tokens.push(spelled(tokenizer, *token));
        found.text_offset.push(*offset);
        found.token_logprobs.push(scored.as_ref().map(|scored| finite(scored.logprob)));
        // Of two tokens that are spelled the same the likelier is shown; the token itself
        // always is.
        found.top_logprobs.push(scored.as_ref().filter(|_| n_top > 0).map(|scored| {
            let mut top = Map::new();
            let own = (scored.token, scored.logprob);
            for &(id, logprob) in scored.top.iter().chain([&own]) {
                top.entry(spelled(tokenizer, id)).or_insert_with(|| finite(logprob).into());
            }
            top
        }));
    }
    found
}
