//! Builds replies in OpenAI's formats from the engine's events, whole or in pieces. The format of
//! the Responses API is in `responses`.

use std::sync::Arc;

use kelvin_engine::{Engine, TokenId, batch::Scored, generate::FinishReason, tokenizer::Tokenizer};
use serde_json::{Map, Value, json};

use super::{
    answers::{
        Assistant, ChatChoice, ChatChunkKind, ChatCompletion, ChatCompletionKind, ChatLogprob,
        ChatLogprobs, ChatMessage, ChatPiece, ChoiceTokens, Chunk, Completion, Delta, End, Finish,
        NamedLogprob, PromptLogprob, PromptTokens, PromptTokensDetails, Recipe, ResponseSettings,
        StopReason, TextChoice, TextCompletionKind, TextLogprobs, Usage,
    },
    places::Places,
    problem::Problem,
    queue::Event,
    scores::LogprobsStage,
    stream::{DONE, Teller},
};

/// The API whose format a reply has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Chat,
    Text,
    /// That of the Responses API.
    Response,
}

impl Shape {
    /// The name of the request's schema in the OpenAPI document.
    pub(crate) fn request(self) -> &'static str {
        match self {
            Shape::Chat => "ChatRequest",
            Shape::Text => "CompletionRequest",
            Shape::Response => "ResponseRequest",
        }
    }
}

/// A request's reply so far, and what it has to contain.
pub(crate) struct Reply {
    pub(crate) engine: Arc<Engine>,
    pub(crate) shape: Shape,
    pub(crate) id: String,
    pub(crate) created: u64,
    pub(crate) model: String,
    /// Number of top logprobs, if logprobs are reported.
    pub(crate) n_top: Option<usize>,
    /// Which probabilities logprobs are of.
    pub(crate) stage: LogprobsStage,
    /// Top logprobs of the prompts' tokens, in vLLM's format.
    pub(crate) prompt_logprobs: Option<usize>,
    /// Whether token ids are reported.
    pub(crate) return_ids: bool,
    pub(crate) prompts: Vec<Echo>,
    pub(crate) choices_a_prompt: usize,
    pub(crate) include_usage: bool,
    /// The recipe that reproduces the texts.
    pub(crate) recipe: Recipe,
    /// State of the Responses API.
    pub(crate) said: ResponseState,
    pub(crate) choices: Vec<Choice>,
    pub(crate) cached: usize,
}

/// State of the Responses API: parameters that the answer repeats, and the progress of a stream.
#[derive(Debug, Default)]
pub(crate) struct ResponseState {
    /// Parameters that the answer repeats.
    pub(crate) settings: ResponseSettings,
    /// Events so far.
    pub(crate) n_events: u64,
    pub(crate) text: String,
    pub(crate) logprobs: Vec<ChatLogprob>,
}

/// A prompt, and whether it is part of the answer.
pub(crate) struct Echo {
    pub(crate) tokens: Vec<TokenId>,
    /// Its text, if it is part of the answer.
    pub(crate) text: Option<String>,
    /// The character of that text that each token begins in, if it's known.
    pub(crate) offsets: Vec<usize>,
    /// Logprobs of its tokens from the second on; empty if they aren't requested.
    pub(crate) scores: Vec<Scored>,
}

/// One choice so far.
#[derive(Default)]
pub(crate) struct Choice {
    pub(crate) text: String,
    n_tokens: usize,
    /// Token ids that haven't been reported yet.
    ids: Vec<u32>,
    pub(crate) scores: Vec<ReportedToken>,
    /// Counts the characters of its text.
    places: Places,
    end: Option<FinishReason>,
}

/// A token of a choice with its logprobs.
#[derive(Clone)]
pub(crate) struct ReportedToken {
    token: TokenId,
    /// The character of the text that it begins in.
    offset: usize,
    /// None for a prompt's first token, which nothing predicts.
    pub(crate) scored: Option<Scored>,
}

impl Choice {
    /// Why it ended, if it did.
    fn end(&self) -> End {
        let (finish, stop) = match &self.end {
            None => (None, None),
            Some(FinishReason::EndToken(token)) => {
                (Some(Finish::Stop), Some(StopReason::Token(token.0)))
            }
            Some(FinishReason::StopString(text)) => {
                (Some(Finish::Stop), Some(StopReason::Text(text.clone())))
            }
            Some(FinishReason::Complete) => (Some(Finish::Stop), None),
            Some(_) => (Some(Finish::Length), None),
        };
        End { finish_reason: finish, stop_reason: stop }
    }

    /// Whether it ended at its maximum length.
    pub(crate) fn is_cut(&self) -> bool {
        matches!(self.end, Some(FinishReason::MaxTokens | FinishReason::ContextFull))
    }
}

impl Reply {
    /// Whether every choice has ended.
    pub(crate) fn is_complete(&self) -> bool {
        self.choices.iter().all(|choice| choice.end.is_some())
    }

    /// Adds an event to the answer.
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

    /// The answer that isn't streamed, as JSON.
    pub(crate) fn whole(&mut self) -> String {
        let usage = self.usage();
        let choices = std::mem::take(&mut self.choices);
        let each = choices.iter().enumerate();
        let answer = match self.shape {
            Shape::Response => {
                self.choices = choices;
                let response = serde_json::to_string(&self.response_whole());
                return response.expect("every key is a text");
            }
            Shape::Text => serde_json::to_string(&Completion {
                id: self.id.clone(),
                object: TextCompletionKind,
                created: self.created,
                model: self.model.clone(),
                choices: each.map(|(i, choice)| self.text_choice(i, choice, true)).collect(),
                usage,
                kelvin: self.recipe.clone(),
            }),
            Shape::Chat => serde_json::to_string(&ChatCompletion {
                id: self.id.clone(),
                object: ChatCompletionKind,
                created: self.created,
                model: self.model.clone(),
                choices: each.map(|(i, choice)| self.chat_choice(i, choice)).collect(),
                prompt: self.prompt_tokens(0),
                usage,
                kelvin: self.recipe.clone(),
            }),
        };
        answer.expect("every key is a text")
    }

    /// A piece of a stream with these choices.
    fn chunk<K: Default, C>(&self, choices: Vec<C>) -> Chunk<K, C> {
        Chunk {
            id: self.id.clone(),
            object: K::default(),
            created: self.created,
            model: self.model.clone(),
            choices,
            usage: self.include_usage.then_some(None),
            prompt: PromptTokens::default(),
            kelvin: None,
        }
    }

    /// A choice of a completion, or what is new of it; with its prompt's tokens where they are
    /// wanted.
    fn text_choice(&self, index: usize, choice: &Choice, with_prompt: bool) -> TextChoice {
        let prompt = index / self.choices_a_prompt;
        TextChoice {
            index,
            logprobs: self.n_top.map(|n_top| self.text_logprobs(choice, n_top)),
            end: choice.end(),
            text: choice.text.clone(),
            tokens: self.choice_tokens(choice),
            prompt: if with_prompt { self.prompt_tokens(prompt) } else { PromptTokens::default() },
        }
    }

    /// A choice of a chat.
    fn chat_choice(&self, index: usize, choice: &Choice) -> ChatChoice {
        ChatChoice {
            index,
            logprobs: self.n_top.map(|_| self.chat_logprobs(choice)),
            end: choice.end(),
            message: ChatMessage { role: Assistant, content: choice.text.clone(), refusal: () },
            tokens: self.choice_tokens(choice),
        }
    }

    /// What is new of a choice of a chat.
    fn chat_piece(&self, index: usize, choice: &Choice) -> ChatPiece {
        let End { finish_reason, stop_reason } = choice.end();
        let content = Some(choice.text.clone()).filter(|text| !text.is_empty());
        ChatPiece {
            index,
            logprobs: self.n_top.map(|_| self.chat_logprobs(choice)),
            finish_reason,
            stop_reason: Some(stop_reason),
            delta: Delta { role: None, content },
            tokens: self.choice_tokens(choice),
        }
    }

    fn choice_tokens(&self, choice: &Choice) -> ChoiceTokens {
        ChoiceTokens { token_ids: self.return_ids.then(|| choice.ids.clone()) }
    }

    /// A prompt's token ids and logprobs in vLLM's format, if requested.
    fn prompt_tokens(&self, i: usize) -> PromptTokens {
        let prompt = &self.prompts[i];
        let ids = || prompt.tokens.iter().map(|token| token.0).collect();
        let prompt_token_ids = self.return_ids.then(ids);
        let Some(n_top) = self.prompt_logprobs else {
            return PromptTokens { prompt_token_ids, prompt_logprobs: None };
        };
        let entry = |token: TokenId, logprob: f64, rank: usize| {
            let bytes = self.engine.tokenizer.bytes(token, true);
            let decoded_token = String::from_utf8_lossy(bytes).into_owned();
            let value = PromptLogprob { logprob: finite(logprob), rank, decoded_token };
            (token.0.to_string(), json!(value))
        };
        let one = |scored: &Scored| {
            let top = scored.top.iter().take(n_top).zip(1..);
            let mut entries: Map<String, Value> =
                top.map(|(&(token, logprob), rank)| entry(token, logprob, rank)).collect();
            entries.extend([entry(scored.token, scored.logprob, scored.rank)]);
            Some(entries)
        };
        let prompt_logprobs = std::iter::once(None).chain(prompt.scores.iter().map(one)).collect();
        PromptTokens { prompt_token_ids, prompt_logprobs: Some(prompt_logprobs) }
    }

    /// The log-probabilities of a chat's or a response's tokens.
    pub(crate) fn chat_logprobs(&self, choice: &Choice) -> ChatLogprobs {
        let tokenizer = &self.engine.tokenizer;
        let one = |told: &ReportedToken| {
            let scored = told.scored.as_ref()?;
            let top = scored.top.iter().map(|&(id, logprob)| named(tokenizer, id, logprob));
            let own = named(tokenizer, scored.token, scored.logprob);
            Some(ChatLogprob { own, top_logprobs: top.collect() })
        };
        let content = choice.scores.iter().filter_map(one).collect();
        ChatLogprobs { content, refusal: (), stage: self.stage.name() }
    }

    fn text_logprobs(&self, choice: &Choice, n_top: usize) -> TextLogprobs {
        let tokenizer = &self.engine.tokenizer;
        let mut found = TextLogprobs {
            tokens: Vec::new(),
            token_logprobs: Vec::new(),
            top_logprobs: Vec::new(),
            text_offset: Vec::new(),
            stage: self.stage.name(),
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

    pub(crate) fn usage(&self) -> Usage {
        let prompt_tokens: usize = self.prompts.iter().map(|prompt| prompt.tokens.len()).sum();
        let completion_tokens: usize = self.choices.iter().map(|choice| choice.n_tokens).sum();
        Usage {
            prompt_tokens,
            completion_tokens,
            total_tokens: prompt_tokens + completion_tokens,
            prompt_tokens_details: PromptTokensDetails { cached_tokens: self.cached },
        }
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
        let first = |index| {
            let delta = Delta { role: Some(Assistant), content: Some(String::new()) };
            let (logprobs, finish_reason, stop_reason) = (None, None, None);
            let tokens = ChoiceTokens::default();
            let piece = ChatPiece { index, logprobs, finish_reason, stop_reason, delta, tokens };
            let chunk = self.chunk::<ChatChunkKind, ChatPiece>(vec![piece]);
            let is_first = index == 0;
            let prompt = if is_first { self.prompt_tokens(0) } else { PromptTokens::default() };
            json!(Chunk { prompt, ..chunk })
        };
        (0..self.choices.len()).map(first).collect()
    }

    /// Adds an event to the answer and returns the new pieces of the stream.
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
                pieces.push(match self.shape {
                    Shape::Text => {
                        let piece = self.text_choice(i, &choice, begins);
                        json!(self.chunk::<TextCompletionKind, _>(vec![piece]))
                    }
                    _ => {
                        let piece = self.chat_piece(i, &choice);
                        json!(self.chunk::<ChatChunkKind, _>(vec![piece]))
                    }
                });
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
            let (usage, kelvin) = (Some(Some(self.usage())), Some(self.recipe.clone()));
            pieces.push(match self.shape {
                Shape::Text => {
                    let last = self.chunk::<TextCompletionKind, TextChoice>(Vec::new());
                    json!(Chunk { usage, kelvin, ..last })
                }
                _ => {
                    let last = self.chunk::<ChatChunkKind, ChatPiece>(Vec::new());
                    json!(Chunk { usage, kelvin, ..last })
                }
            });
        }
        pieces.push(DONE.into());
        pieces
    }

    /// The last event of a stream that fails.
    fn failed(&mut self, problem: &Problem) -> Value {
        if self.shape == Shape::Response { self.response_error(problem) } else { problem.body() }
    }
}

fn named(tokenizer: &Tokenizer, token: TokenId, logprob: f64) -> NamedLogprob {
    NamedLogprob {
        token: spelled(tokenizer, token),
        logprob: finite(logprob),
        bytes: tokenizer.bytes(token, true).to_vec(),
    }
}

/// A token's text. Bytes that aren't UTF-8 are written as OpenAI does.
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
fn finite(logprob: f64) -> f64 {
    logprob.max(-9999.0)
}
