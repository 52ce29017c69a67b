//! A model on this machine as a worker: all rows in one batch of steady width.
//!
//! A prompt is read once, and every text of it is a fork. When a text ends, the next row takes its
//! place, of the next prompt if need be, so that a step of the model always serves as many texts as
//! it can.

use std::{collections::HashMap, ops::ControlFlow};

use kelvin_engine::{
    Engine, TokenId,
    generate::{Column, Ends, FinishReason, check_prompt},
    transformer::{Append, CacheFormat, Scratch, Sequence, Want},
};
use kelvin_sampling::{Chain, Dice, Draw, Sampler};

use super::{Row, Watcher, Worker, WorkerError};
use crate::{
    Recipe,
    recipe::Cache,
    replay::Kept,
    run::{Finish, Sample, Source, Token},
};

/// Prompt tokens that one step reads.
const CHUNK: usize = 256;

/// A worker with an open model.
#[derive(Debug)]
pub struct Local<'a> {
    engine: &'a Engine,
    source: Source,
    /// Of each prompt of the recipe.
    prompts: Vec<Vec<TokenId>>,
    /// Texts at once.
    width: usize,
    scratch: Scratch,
}

/// A prompt that was read, and what follows it.
struct Begun {
    prompt: usize,
    sequence: Sequence,
    logits: Vec<f32>,
}

/// A text in the making.
struct Lane {
    row: Row,
    column: Column,
    text: String,
    tokens: Vec<Token>,
    /// Of each token, if they're asked for.
    logits: Vec<Kept>,
}

impl<'a> Local<'a> {
    /// A worker for a recipe whose prompts have become these tokens.
    ///
    /// # Errors
    /// If one of them can't be continued within the recipe's context.
    pub fn new(
        engine: &'a Engine,
        source: Source,
        prompts: Vec<Vec<TokenId>>,
        context: Option<usize>,
        width: usize,
    ) -> Result<Local<'a>, WorkerError> {
        for (i, prompt) in prompts.iter().enumerate() {
            check_prompt(engine, prompt, context)
                .map_err(|problem| WorkerError::Prompt { number: i + 1, problem })?;
        }
        Ok(Local { engine, source, prompts, width: width.max(1), scratch: Scratch::default() })
    }

    /// Tokens of all prompts together.
    pub fn prompt_tokens(&self) -> usize {
        self.prompts.iter().map(Vec::len).sum()
    }

    fn read(&mut self, recipe: &Recipe, prompt: usize) -> Result<Begun, WorkerError> {
        let cache = match recipe.length.cache {
            Cache::F16 => CacheFormat::F16,
            Cache::F32 => CacheFormat::F32,
        };
        let mut sequence = self.engine.model.sequence(cache);
        let (last, head) =
            self.prompts[prompt].split_last().expect("prompts were checked to have tokens");
        for tokens in head.chunks(CHUNK) {
            let append = Append { sequence: &mut sequence, tokens, want: Want::None };
            self.engine.model.forward(&mut [append], &mut self.scratch)?;
        }
        let append = Append {
            sequence: &mut sequence,
            tokens: std::slice::from_ref(last),
            want: Want::Last,
        };
        let logits = self.engine.model.forward(&mut [append], &mut self.scratch)?.row(0).to_vec();
        Ok(Begun { prompt, sequence, logits })
    }

    fn lane(&self, recipe: &Recipe, chain: &Chain, row: Row, begun: &Begun, ends: &Ends) -> Lane {
        let dice = Dice { seed: recipe.seed, sample: row.sample as u64 };
        let mut sampler = Sampler::new(chain.clone(), dice);
        if recipe.record.shift {
            sampler = sampler.measuring_shift();
        }
        let (sequence, prompt) = (begun.sequence.clone(), &self.prompts[row.prompt]);
        let column = Column::new(sampler, sequence, prompt, &self.engine.tokenizer, ends);
        Lane { row, column, text: String::new(), tokens: Vec::new(), logits: Vec::new() }
    }

    /// Draws a token for each lane, from the row of logits that `logits_of` says; all threads at
    /// once.
    fn draw<'l>(
        &self,
        recipe: &Recipe,
        lanes: &mut [Lane],
        logits_of: impl Fn(usize) -> &'l [f32] + Sync,
    ) {
        self.engine.model.pool().for_each_chunk(lanes, 1, &|i, lane| {
            let (lane, logits) = (&mut lane[0], logits_of(i));
            if let Some(keep) = recipe.record.logits {
                lane.logits.push(Kept::pack(logits, lane.column.pos() as u64, keep));
            }
            lane.column.draw(logits);
        });
    }

    /// Takes what was drawn. Lanes that ended are told of and gone.
    fn take(
        &self,
        lanes: &mut Vec<Lane>,
        ends: &Ends,
        watcher: &mut dyn Watcher,
    ) -> ControlFlow<()> {
        let tokenizer = &self.engine.tokenizer;
        let mut told = watcher.tokens(lanes.len());
        for mut lane in std::mem::take(lanes) {
            let Some(taken) = lane.column.take(tokenizer, ends) else { continue };
            lane.text.push_str(&taken.text);
            lane.tokens
                .extend(taken.draw.map(|draw| record(draw, tokenizer.bytes(draw.token, true))));
            match taken.end {
                None => lanes.push(lane),
                Some(_) if told.is_break() => {}
                Some((rest, reason)) => {
                    let logits = std::mem::take(&mut lane.logits);
                    told = watcher.finished(lane.finish(&rest, &reason), logits);
                }
            }
        }
        told
    }
}

impl Worker for Local<'_> {
    fn source(&self) -> &Source {
        &self.source
    }

    fn n_threads(&self) -> usize {
        self.engine.model.n_threads()
    }

    fn fill(
        &mut self,
        recipe: &Recipe,
        rows: &[Row],
        watcher: &mut dyn Watcher,
    ) -> Result<(), WorkerError> {
        let length = &recipe.length;
        let limit = length.context.unwrap_or(usize::MAX).min(self.engine.model.config.ctx_len);
        let ends = Ends {
            max_tokens: length.max_tokens,
            limit,
            ignore_end: length.ignore_end,
            texts: length.stop.clone(),
            ..Ends::default()
        };
        let mut waiting = rows;
        let mut begun: Option<Begun> = None;
        let mut lanes: Vec<Lane> = Vec::new();
        // Each chain with the tokens of its breakers, which are looked up once.
        let mut chains: HashMap<usize, Chain> = HashMap::new();
        loop {
            // New texts in the places of those that ended, as many of one prompt at a time as there
            // is room for.
            while lanes.len() < self.width && !waiting.is_empty() {
                let prompt = waiting[0].prompt;
                let own = waiting.iter().take_while(|row| row.prompt == prompt).count();
                let (now, later) = waiting.split_at(own.min(self.width - lanes.len()));
                waiting = later;
                let begun = match begun.take().filter(|begun| begun.prompt == prompt) {
                    Some(same) => begun.insert(same),
                    None => begun.insert(self.read(recipe, prompt)?),
                };
                let mut lane = |&row: &Row| {
                    let bind = || self.engine.tokenizer.bind(&recipe.chains[row.chain]);
                    self.lane(
                        recipe,
                        chains.entry(row.chain).or_insert_with(bind),
                        row,
                        begun,
                        &ends,
                    )
                };
                let mut new: Vec<Lane> = now.iter().map(&mut lane).collect();
                self.draw(recipe, &mut new, |_| &begun.logits);
                if self.take(&mut new, &ends, watcher).is_break() {
                    return Ok(());
                }
                lanes.append(&mut new);
            }
            if lanes.is_empty() {
                return Ok(());
            }
            let mut batch: Vec<Append<'_>> =
                lanes.iter_mut().map(|lane| lane.column.append()).collect();
            // The scratch is taken out for the step, since its logits are borrowed while lanes
            // draw.
            let mut scratch = std::mem::take(&mut self.scratch);
            let logits = self.engine.model.forward(&mut batch, &mut scratch)?;
            self.draw(recipe, &mut lanes, |i| logits.row(i));
            self.scratch = scratch;
            if self.take(&mut lanes, &ends, watcher).is_break() {
                return Ok(());
            }
        }
    }
}

impl Lane {
    fn finish(self, rest: &str, reason: &FinishReason) -> Sample {
        let finish = match reason {
            FinishReason::EndToken(_) => Finish::EndToken,
            FinishReason::StopString(_) => Finish::StopString,
            FinishReason::MaxTokens => Finish::MaxTokens,
            FinishReason::ContextFull => Finish::ContextFull,
            FinishReason::BadLogits(_) | FinishReason::NothingLeft(_) => Finish::BadLogits,
            FinishReason::Complete | FinishReason::Cancelled => Finish::Other,
        };
        let Row { prompt, chain, sample } = self.row;
        Sample {
            prompt,
            chain,
            sample,
            text: self.text + rest,
            finish,
            tokens: self.tokens,
            judged: None,
            embedding: None,
        }
    }
}

fn record(draw: Draw, bytes: &[u8]) -> Token {
    Token {
        id: Some(draw.token.0),
        bytes: bytes.to_vec(),
        rank: Some(draw.rank),
        surprisal: Some(draw.surprisal),
        surprisal_final: Some(draw.surprisal_final),
        entropy: Some(draw.entropy),
        entropy_final: Some(draw.entropy_final),
        survivors: Some(draw.survivors),
        shift: draw.shift,
        top: Vec::new(),
    }
}
