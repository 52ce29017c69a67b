//! Builds replies in OpenAI's formats from the engine's events, whole or in pieces. The format of
//! the Responses API is in `responses`.

use std::{collections::BTreeMap, sync::Arc};

use kelvin_engine::{Engine, TokenId, batch::Scored, generate::FinishReason, tokenizer::Tokenizer};
use serde_json::{Map, Value, json};

use super::{
    places::Places,
    problem::Problem,
    queue::Event,
    scores::LogprobsStage,
    stream::{DONE, Teller},
};

/// Which of the three shapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Chat,
    Text,
    /// That of the Responses API.
    Response,
}

impl Shape {
    /// What the API's document calls the body of such a request.
    pub(crate) fn request(self) -> &'static str {
        match self {
            Shape::Chat => "ChatRequest",
            Shape::Text => "CompletionRequest",
            Shape::Response => "ResponseRequest",
        }
    }
}

/// What's asked back of one request, and what has come of it so far.
pub(crate) struct Reply {
    pub(crate) engine: Arc<Engine>,
    pub(crate) shape: Shape,
    pub(crate) id: String,
    pub(crate) created: u64,
    pub(crate) model: String,
    /// How many likeliest tokens beside each, if log-probabilities are reported.
    pub(crate) n_top: Option<usize>,
    /// Which those are.
    pub(crate) stage: LogprobsStage,
    /// Top logprobs of the prompts' tokens, in vLLM's format.
    pub(crate) prompt_logprobs: Option<usize>,
    /// Whether ids are reported.
    pub(crate) return_ids: bool,
    pub(crate) prompts: Vec<Echo>,
    pub(crate) choices_a_prompt: usize,
    pub(crate) include_usage: bool,
    /// ResponseState once for all: the dice and the chains.
    pub(crate) recipe: Value,
    /// Of the Responses API alone.
    pub(crate) said: ResponseState,
    pub(crate) choices: Vec<Choice>,
    pub(crate) cached: usize,
}

/// Of the Responses API: what an answer repeats of its request, and how far a stream has come.
#[derive(Debug, Default)]
pub(crate) struct ResponseState {
    /// Parameters that the answer repeats.
    pub(crate) settings: Map<String, Value>,
    /// Events so far.
    pub(crate) n_events: u64,
    pub(crate) text: String,
    pub(crate) logprobs: Vec<Value>,
}

/// A prompt, and whether it's part of the answer.
pub(crate) struct Echo {
    pub(crate) tokens: Vec<TokenId>,
    /// Its text, if it is.
    pub(crate) text: Option<String>,
    /// The character of that text that each token begins in, if it's known.
    pub(crate) offsets: Vec<usize>,
    /// What the model thought of its tokens, but for the first, which nothing predicts; empty if
    /// nobody wants to know.
    pub(crate) scores: Vec<Scored>,
}

/// One choice so far.
#[derive(Default)]
pub(crate) struct Choice {
    pub(crate) text: String,
    n_tokens: usize,
    /// Those not reported yet.
    ids: Vec<u32>,
    pub(crate) scores: Vec<ReportedToken>,
    /// How far its text has come.
    places: Places,
    end: Option<FinishReason>,
}

/// A token of a choice that is told of.
#[derive(Clone)]
pub(crate) struct ReportedToken {
    token: TokenId,
    /// The character of the text that it begins in.
    offset: usize,
    /// None for a prompt's first token, which nothing predicts.
    pub(crate) scored: Option<Scored>,
}

impl Choice {
    /// Whether it ended for want of room.
    pub(crate) fn is_cut(&self) -> bool {
        matches!(self.end, Some(FinishReason::MaxTokens | FinishReason::ContextFull))
    }
}

impl Reply {
    /// Whether nothing more will come.
    pub(crate) fn is_complete(&self) -> bool {
        self.choices.iter().all(|choice| choice.end.is_some())
    }

    /// Takes what the engine says into the whole answer.
    pub(crate) fn take(&mut self, event: Event) -> Result<(), Problem> {
        match event {
            Event::Read { first_choice, cached, scores } => {
                self.cached += cached;
                let prompt = &mut self.prompts[first_choice / self.choices_a_prompt];
                prompt.scores = scores;
                let Some(text) = &prompt.text else { return Ok(()) };
                let mut scores: Vec<ReportedToken> = Vec::new();
                if let Some(n_top) = self.n_top {
                    let scored =
                        std::iter::once(None).chain(prompt.scores.iter().cloned().map(Some));
                    let tokens = prompt.tokens.iter().zip(&prompt.offsets);
                    let told = tokens.zip(scored).map(|((&token, &offset), mut scored)| {
                        scored.iter_mut().for_each(|scored| scored.top.truncate(n_top));
                        ReportedToken { token, offset, scored }
                    });
                    scores.extend(told);
                }
                let places = Places::after(text);
                for choice in &mut self.choices[first_choice..first_choice + self.choices_a_prompt]
                {
                    choice.text = text.clone();
                    choice.scores = scores.clone();
                    choice.places = places.clone();
                }
            }
            Event::Token { choice, text, draw, scored, .. } => {
                let choice = &mut self.choices[choice];
                choice.text.push_str(&text);
                choice.n_tokens += 1;
                choice.ids.push(draw.token.0);
                if scored.is_some() {
                    // What a control token is called isn't part of the text.
                    let offset = choice.places.push(self.engine.tokenizer.bytes(draw.token, false));
                    choice.scores.push(ReportedToken { token: draw.token, offset, scored });
                }
            }
            Event::End { choice, text, reason } => {
                let choice = &mut self.choices[choice];
                choice.text.push_str(&text);
                choice.end = Some(reason);
            }
            // Only a job without choices has one.
            Event::Row(_) => {}
            Event::Failed(problem) => return Err(problem),
        }
        Ok(())
    }

    /// The answer that isn't streamed.
    pub(crate) fn whole(&mut self) -> Value {
        if self.shape == Shape::Response {
            return self.response_whole();
        }
        let usage = self.usage();
        let mut choices = std::mem::take(&mut self.choices);
        let all: Vec<Value> = choices
            .iter_mut()
            .enumerate()
            .map(|(i, choice)| self.choice(i, choice, false))
            .collect();
        let kind = if self.shape == Shape::Chat { "chat.completion" } else { "text_completion" };
        let mut answer = self.envelope(kind, all);
        if self.shape == Shape::Chat {
            self.add_prompt(0, &mut answer);
        }
        answer["usage"] = usage;
        answer["kelvin"] = self.recipe.clone();
        answer
    }

    fn chunk(&self, choices: Vec<Value>) -> Value {
        let kind =
            if self.shape == Shape::Chat { "chat.completion.chunk" } else { "text_completion" };
        let mut chunk = self.envelope(kind, choices);
        if self.include_usage {
            chunk["usage"] = Value::Null;
        }
        chunk
    }

    fn envelope(&self, kind: &str, choices: Vec<Value>) -> Value {
        json!({ "id": self.id, "object": kind, "created": self.created, "model": self.model, "choices": choices })
    }

    /// A choice, or what is new of it.
    fn choice(&self, i: usize, choice: &mut Choice, is_piece: bool) -> Value {
        let (finish, stop) = match &choice.end {
            None => (Value::Null, Value::Null),
            Some(FinishReason::EndToken(token)) => ("stop".into(), token.0.into()),
            Some(FinishReason::StopString(text)) => ("stop".into(), text.as_str().into()),
            Some(FinishReason::Complete) => ("stop".into(), Value::Null),
            Some(_) => ("length".into(), Value::Null),
        };
        let scores = self.n_top.map_or(Value::Null, |n_top| self.scores(choice, n_top));
        let mut value =
            json!({ "index": i, "logprobs": scores, "finish_reason": finish, "stop_reason": stop });
        match (self.shape, is_piece) {
            (Shape::Text, _) => value["text"] = choice.text.as_str().into(),
            (Shape::Chat | Shape::Response, false) => {
                value["message"] =
                    json!({ "role": "assistant", "content": choice.text, "refusal": null });
            }
            (Shape::Chat | Shape::Response, true) if choice.text.is_empty() => {
                value["delta"] = json!({})
            }
            (Shape::Chat | Shape::Response, true) => {
                value["delta"] = json!({ "content": choice.text })
            }
        }
        if self.return_ids {
            value["token_ids"] = choice.ids.as_slice().into();
        }
        if self.shape == Shape::Text && !is_piece {
            self.add_prompt(i / self.choices_a_prompt, &mut value);
        }
        value
    }

    /// What is wanted of a prompt's tokens, as vLLM writes it.
    fn add_prompt(&self, i: usize, to: &mut Value) {
        let prompt = &self.prompts[i];
        if self.return_ids {
            to["prompt_token_ids"] = prompt.tokens.iter().map(|token| token.0).collect();
        }
        let Some(n_top) = self.prompt_logprobs else { return };
        let entry = |token: TokenId, logprob: f64, rank: usize| {
            let text =
                String::from_utf8_lossy(self.engine.tokenizer.bytes(token, true)).into_owned();
            let value = json!({ "logprob": finite(logprob), "rank": rank, "decoded_token": text });
            (token.0.to_string(), value)
        };
        let one = |scored: &Scored| {
            let top = scored.top.iter().take(n_top).zip(1..);
            let mut entries: Map<String, Value> =
                top.map(|(&(token, logprob), rank)| entry(token, logprob, rank)).collect();
            entries.extend([entry(scored.token, scored.logprob, scored.rank)]);
            Value::Object(entries)
        };
        to["prompt_logprobs"] =
            std::iter::once(Value::Null).chain(prompt.scores.iter().map(one)).collect();
    }

    pub(crate) fn scores(&self, choice: &Choice, n_top: usize) -> Value {
        let tokenizer = &self.engine.tokenizer;
        if self.shape != Shape::Text {
            let content: Vec<Value> = choice
                .scores
                .iter()
                .filter_map(|told| {
                    let scored = told.scored.as_ref()?;
                    let top = scored.top.iter().map(|&(id, logprob)| named(tokenizer, id, logprob));
                    let mut own = named(tokenizer, scored.token, scored.logprob);
                    own["top_logprobs"] = top.collect();
                    Some(own)
                })
                .collect();
            return json!({ "content": content, "refusal": null, "stage": self.stage.name() });
        }
        let (mut tokens, mut logprobs, mut tops, mut offsets) = (vec![], vec![], vec![], vec![]);
        for ReportedToken { token, offset, scored } in &choice.scores {
            tokens.push(spelled(tokenizer, *token));
            offsets.push(*offset);
            logprobs.push(scored.as_ref().map(|scored| finite(scored.logprob)));
            // Of two tokens that are spelled the same the likelier is shown; the token itself
            // always is.
            tops.push(scored.as_ref().filter(|_| n_top > 0).map(|scored| {
                let mut top = Map::new();
                for &(id, logprob) in &scored.top {
                    top.entry(spelled(tokenizer, id)).or_insert_with(|| finite(logprob));
                }
                top.entry(spelled(tokenizer, scored.token))
                    .or_insert_with(|| finite(scored.logprob));
                Value::Object(top)
            }));
        }
        json!({
            "tokens": tokens,
            "token_logprobs": logprobs,
            "top_logprobs": tops,
            "text_offset": offsets,
            "stage": self.stage.name(),
        })
    }

    pub(crate) fn usage(&self) -> Value {
        let prompt: usize = self.prompts.iter().map(|prompt| prompt.tokens.len()).sum();
        let new: usize = self.choices.iter().map(|choice| choice.n_tokens).sum();
        json!({
            "prompt_tokens": prompt,
            "completion_tokens": new,
            "total_tokens": prompt + new,
            "prompt_tokens_details": { "cached_tokens": self.cached },
        })
    }
}

impl Teller for Reply {
    /// What a stream begins with: in a chat, who speaks.
    fn opening(&mut self) -> Vec<Value> {
        match self.shape {
            Shape::Text => return Vec::new(),
            Shape::Response => return self.response_opening(),
            Shape::Chat => {}
        }
        let first = |i| json!({ "index": i, "delta": { "role": "assistant", "content": "" }, "logprobs": null, "finish_reason": null });
        let mut chunks: Vec<Value> =
            (0..self.choices.len()).map(|i| self.chunk(vec![first(i)])).collect();
        self.add_prompt(0, &mut chunks[0]);
        chunks
    }

    /// Takes what the engine says, and gives it as pieces of a stream.
    fn tell(&mut self, event: Event) -> Result<Vec<Value>, Problem> {
        let which = match &event {
            Event::Read { first_choice, .. } => {
                *first_choice..*first_choice + self.choices_a_prompt
            }
            Event::Token { choice, .. } | Event::End { choice, .. } => *choice..*choice + 1,
            Event::Row(_) | Event::Failed(_) => 0..0,
        };
        let begins =
            matches!(event, Event::Read { .. }) && self.return_ids && self.shape == Shape::Text;
        self.take(event)?;
        let mut pieces = Vec::new();
        for i in which {
            let mut choice = std::mem::take(&mut self.choices[i]);
            if self.shape == Shape::Response {
                pieces.extend(self.response_piece(&mut choice));
                self.choices[i] = choice;
                continue;
            }
            let is_new =
                !choice.text.is_empty() || !choice.scores.is_empty() || choice.end.is_some();
            if is_new || begins || (self.return_ids && !choice.ids.is_empty()) {
                let mut value = self.choice(i, &mut choice, true);
                if begins {
                    self.add_prompt(i / self.choices_a_prompt, &mut value);
                }
                pieces.push(self.chunk(vec![value]));
                choice.text.clear();
                choice.scores.clear();
                choice.ids.clear();
            }
            self.choices[i] = choice;
        }
        Ok(pieces)
    }

    fn is_complete(&self) -> bool {
        Reply::is_complete(self)
    }

    /// What a stream ends with.
    fn closing(&mut self) -> Vec<Value> {
        if self.shape == Shape::Response {
            return self.response_closing();
        }
        let mut pieces = Vec::new();
        if self.include_usage {
            let mut last = self.chunk(Vec::new());
            last["usage"] = self.usage();
            last["kelvin"] = self.recipe.clone();
            pieces.push(last);
        }
        pieces.push(DONE.into());
        pieces
    }

    /// What a stream ends with that can't go on.
    fn failed(&mut self, problem: &Problem) -> Value {
        if self.shape == Shape::Response { self.response_error(problem) } else { problem.body() }
    }
}

fn named(tokenizer: &Tokenizer, token: TokenId, logprob: f64) -> Value {
    json!({
        "token": spelled(tokenizer, token),
        "logprob": finite(logprob),
        "bytes": tokenizer.bytes(token, true),
    })
}

/// A token's text; as OpenAI spells them, bytes that aren't text.
fn spelled(tokenizer: &Tokenizer, token: TokenId) -> String {
    let bytes = tokenizer.bytes(token, true);
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_string(),
        Err(_) => {
            bytes.iter().fold("bytes:".to_string(), |text, byte| format!("{text}\\x{byte:02x}"))
        }
    }
}

/// JSON has no infinity; a masked token is as unlikely as OpenAI's.
fn finite(logprob: f64) -> Value {
    logprob.max(-9999.0).into()
}

/// The prompts' part of the recipe, so that an answer can be made again.
pub(crate) fn recipe(seed: u64, chains: &[String], date: Option<&str>) -> Value {
    let mut recipe = BTreeMap::new();
    recipe.insert("seed", Value::from(seed));
    recipe.insert("chains", chains.into());
    if let Some(date) = date {
        recipe.insert("date", date.into());
    }
    json!(recipe)
}
