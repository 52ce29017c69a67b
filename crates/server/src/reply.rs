//! Collects the engine's events to a reply. The folder `apis` has the formats of replies.

use std::sync::Arc;

use kelvin_engine::{Engine, TokenId, batch::Scored, generate::FinishReason, tokenizer::Tokenizer};
use serde_json::{Map, Value, json};

use super::{
    answers::{
        ChatLogprob, ChatLogprobs, ChoiceTokens, End, Finish, NamedLogprob, PromptLogprob,
        PromptTokens, PromptTokensDetails, Recipe, StopReason, Usage,
    },
    events::Chunk,
    places::Places,
    problem::Problem,
    queue::Event,
    scores::LogprobsStage,
    whole_text::WholeText,
};

/// A request's reply so far, and what it has to contain.
pub(crate) struct Reply {
    pub(crate) engine: Arc<Engine>,
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
    pub(crate) choices: Vec<Choice>,
    pub(crate) cached: usize,
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
    /// Thoughts that are kept apart from the text.
    pub(crate) thoughts: String,
    n_tokens: usize,
    /// Token ids that haven't been reported yet.
    ids: Vec<u32>,
    pub(crate) scores: Vec<ReportedToken>,
    /// Counts the characters of its text.
    places: Places,
    /// How it was drawn, if it was drawn as a whole.
    whole: Option<WholeText>,
    end: Option<FinishReason>,
}

/// A token of a choice with its logprobs.
#[derive(Clone)]
pub(crate) struct ReportedToken {
    pub(crate) token: TokenId,
    /// The character of the text that it begins in.
    pub(crate) offset: usize,
    /// None for a prompt's first token, which nothing predicts.
    pub(crate) scored: Option<Scored>,
}

impl Choice {
    /// Why it ended, if it did.
    pub(crate) fn end(&self) -> End {
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
            Event::Thought { choice, text } => self.choices[choice].thoughts.push_str(&text),
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
            Event::Whole { choice, whole } => self.choices[choice].whole = Some(whole),
            Event::End { choice, text, reason } => {
                let choice = &mut self.choices[choice];
                choice.text.push_str(&text);
                choice.end = Some(reason);
            }
            // Only jobs without choices have them.
            Event::Row(_) | Event::Weighed { .. } | Event::Searched(_) => {}
            Event::Failed(problem) => return Err(problem),
        }
        Ok(())
    }

    /// Adds an event to the answer and makes a piece of what is new of each choice. A choice with
    /// nothing new has one if `is_forced`.
    pub(crate) fn pieces<T>(
        &mut self,
        event: Event,
        is_forced: bool,
        piece: impl Fn(&Reply, usize, &Choice) -> T,
    ) -> Result<Vec<T>, Problem> {
        let which = match &event {
            Event::Read { first_choice, .. } => {
                *first_choice..*first_choice + self.choices_a_prompt
            }
            Event::Thought { choice, .. }
            | Event::Token { choice, .. }
            | Event::End { choice, .. } => *choice..*choice + 1,
            Event::Row(_)
            | Event::Weighed { .. }
            | Event::Searched(_)
            | Event::Whole { .. }
            | Event::Failed(_) => 0..0,
        };
        self.take(event)?;
        let mut pieces = Vec::new();
        for i in which {
            let mut choice = std::mem::take(&mut self.choices[i]);
            let is_new = !choice.text.is_empty()
                || !choice.thoughts.is_empty()
                || !choice.scores.is_empty()
                || choice.end.is_some();
            if is_new || is_forced || (self.return_ids && !choice.ids.is_empty()) {
                pieces.push(piece(self, i, &choice));
                choice.text.clear();
                choice.thoughts.clear();
                choice.scores.clear();
                choice.ids.clear();
            }
            self.choices[i] = choice;
        }
        Ok(pieces)
    }

    /// A piece of a stream with these choices.
    pub(crate) fn chunk<K: Default, C>(&self, choices: Vec<C>) -> Chunk<K, C> {
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

    /// The piece of a stream that ends it with what the request cost, if that is wanted.
    pub(crate) fn last_chunk<K: Default, C>(&self) -> Option<Chunk<K, C>> {
        let (usage, kelvin) = (Some(Some(self.usage())), Some(self.recipe.clone()));
        self.include_usage.then(|| Chunk { usage, kelvin, ..self.chunk(Vec::new()) })
    }

    pub(crate) fn choice_tokens(&self, choice: &Choice) -> ChoiceTokens {
        ChoiceTokens {
            token_ids: self.return_ids.then(|| choice.ids.clone()),
            text_temperature: choice.whole.clone(),
        }
    }

    /// A prompt's token ids and logprobs in vLLM's format, if requested.
    pub(crate) fn prompt_tokens(&self, i: usize) -> PromptTokens {
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

    pub(crate) fn usage(&self) -> Usage {
        let prompt_tokens: usize = self.prompts.iter().map(|prompt| prompt.tokens.len()).sum();
        // A text that was drawn as a whole costs all tokens that were computed for it.
        let computed = |choice: &Choice| {
            let whole = choice.whole.as_ref().map(|whole| whole.tokens_read as usize);
            whole.unwrap_or(choice.n_tokens)
        };
        let completion_tokens: usize = self.choices.iter().map(computed).sum();
        Usage {
            prompt_tokens,
            completion_tokens,
            total_tokens: prompt_tokens + completion_tokens,
            prompt_tokens_details: PromptTokensDetails { cached_tokens: self.cached },
        }
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
pub(crate) fn spelled(tokenizer: &Tokenizer, token: TokenId) -> String {
    let bytes = tokenizer.bytes(token, true);
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_string(),
        Err(_) => {
            bytes.iter().fold("bytes:".to_string(), |text, byte| format!("{text}\\x{byte:02x}"))
        }
    }
}

/// JSON has no infinity; a masked token is as unlikely as OpenAI's.
pub(crate) fn finite(logprob: f64) -> f64 {
    logprob.max(-9999.0)
}
