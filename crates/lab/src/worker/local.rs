//! A model on this machine as a worker: rows become requests of one batch of steady width.
//!
//! Rows of one prompt start together as one request, as many as there is room for. When a text
//! ends, the next row takes its place, of the next prompt if need be, so every step of the model
//! serves as many texts as it can. A prompt is read once: later rows of it find it in the prefix
//! cache, which lasts as long as the worker.

use std::{
    collections::HashMap,
    ops::{ControlFlow, Deref},
    sync::{Arc, Mutex, PoisonError},
};

use kelvin_engine::{
    Engine, TokenId,
    batch::{
        Batch, BatchOptions, Budget, Chunks, Draft, DraftModel, Guesses, Observer, Request,
        RequestId, Step, Tap, check_prompt,
    },
    generate::{Constraint, Ends, FinishReason, banned_strings},
    transformer::PAGE,
};
use kelvin_sampling::{Chain, ChainError, Dice, Sampler};

use super::{Row, Watcher, Worker, WorkerError, record::record, whole::Filling};
use crate::{
    Recipe,
    proof::{ProvedText, Recorder},
    recorded::RecordedLogits,
    run::{Finish, Sample, Source, Token},
};

/// A worker with an open model, which it borrows or owns.
#[derive(Debug)]
pub struct Local<E> {
    engine: E,
    source: Source,
    /// Tokens of each prompt of the recipe.
    prompts: Vec<Vec<TokenId>>,
    /// Most texts running at once.
    width: usize,
    guesses: Guesses,
    /// Structured output of all texts.
    constraint: Option<Box<dyn Constraint>>,
    /// Whether each text's steps are passed to the watcher.
    proves: bool,
    draft_model: Option<DraftModel>,
    /// Kept from one call to the next, since its prefix cache has the prompts.
    batch: Option<Batch>,
}

/// The logits of a text's tokens, packed by the threads that draw.
type Logits = Arc<Mutex<Vec<RecordedLogits>>>;

/// A text that is being generated.
struct Lane {
    row: Row,
    text: String,
    tokens: Vec<Token>,
    /// Logits of each token, if the recipe records them.
    logits: Option<Logits>,
    /// The steps, if they are recorded.
    steps: Option<Recorder>,
}

impl<E: Deref<Target = Engine>> Local<E> {
    /// A worker for a recipe, with its tokenized prompts.
    ///
    /// # Errors
    /// If a prompt can't be continued within the recipe's context.
    pub fn new(
        engine: E,
        source: Source,
        prompts: Vec<Vec<TokenId>>,
        context: Option<usize>,
        width: usize,
    ) -> Result<Local<E>, WorkerError> {
        for (i, prompt) in prompts.iter().enumerate() {
            check_prompt(&engine, prompt, context)
                .map_err(|problem| WorkerError::Prompt { number: i + 1, problem })?;
        }
        Ok(Local::unchecked(engine, source, prompts, width))
    }

    /// A worker some of whose prompts may be bad: their rows can't be filled.
    pub(crate) fn unchecked(
        engine: E,
        source: Source,
        prompts: Vec<Vec<TokenId>>,
        width: usize,
    ) -> Local<E> {
        let (width, guesses) = (width.max(1), Guesses::default());
        let (constraint, proves, draft_model, batch) = (None, false, None, None);
        Local { engine, source, prompts, width, guesses, constraint, proves, draft_model, batch }
    }

    /// The worker, but steps read tokens that are guessed; its texts are the same.
    pub fn guessing(self, guesses: Guesses) -> Local<E> {
        Local { guesses, ..self }
    }

    /// The worker, but its texts have a form.
    pub fn under(self, constraint: Option<Box<dyn Constraint>>) -> Local<E> {
        Local { constraint, ..self }
    }

    /// The worker, but it passes each text's steps to [`Watcher::proved`], and so hashes the logits
    /// of each step.
    pub fn proving(self, proves: bool) -> Local<E> {
        Local { proves, ..self }
    }

    /// The worker, but a smaller model guesses as well, if there is one.
    pub fn drafting_with(self, draft_model: Option<DraftModel>) -> Local<E> {
        Local { draft_model, ..self }
    }

    /// Number of tokens of all prompts.
    pub fn prompt_tokens(&self) -> usize {
        self.prompts.iter().map(Vec::len).sum()
    }

    /// Number of prompt tokens found in the prefix cache.
    pub fn cached_tokens(&self) -> u64 {
        self.batch.as_ref().map_or(0, Batch::cached_tokens)
    }

    /// The batch for a recipe. The last call's batch is reused if its options fit.
    fn batch(&mut self, recipe: &Recipe, ends: &Ends) -> Batch {
        let cache = recipe.length.cache;
        let longest = |prompt: &Vec<TokenId>| prompt.len().saturating_add(ends.max_tokens);
        let longest = self.prompts.iter().map(longest).max().unwrap_or(0).min(ends.limit);
        // One more page for each text and for the prefix cache, for copy-on-write.
        let n_pages = Budget::for_texts(self.width, longest + PAGE).n_pages.saturating_add(1);
        let budget = Budget { n_texts: self.width, n_pages };
        // Nobody watches single tokens, so prefill uses large chunks.
        let usual = Chunks::default();
        let chunks = Chunks { beside_decode: usual.alone, ..usual };
        let guesses = self.guesses;
        let options = BatchOptions { cache, chunks, guesses, ..BatchOptions::new(budget) };
        let fits = |batch: &Batch| {
            let of = batch.options();
            (of.cache, of.budget) == (cache, budget)
        };
        let new = || {
            let batch = Batch::new(&self.engine, options);
            match &self.draft_model {
                Some(model) => batch.drafting_with(model.clone()),
                None => batch,
            }
        };
        self.batch.take().filter(fits).unwrap_or_else(new)
    }

    /// Generates texts token by token. Returns whether the watcher broke off.
    fn fill_by_token(
        &self,
        batch: &mut Batch,
        recipe: &Recipe,
        rows: &[Row],
        ends: &Ends,
        watcher: &mut dyn Watcher,
    ) -> Result<bool, WorkerError> {
        let constraint = self.constraint.as_deref();
        let mut lanes = Lanes::new(&self.engine, recipe, constraint, self.proves, watcher);
        let mut waiting = rows;
        let mut filled = Ok(());
        while filled.is_ok() && !lanes.is_broken && !(batch.is_empty() && waiting.is_empty()) {
            filled = self.start(batch, waiting, ends, &mut lanes).and_then(|later| {
                waiting = later;
                Ok(batch.step(&self.engine, &mut lanes)?)
            });
            lanes.tell_tokens();
        }
        batch.clear();
        let panicked = lanes.has_panicked;
        let is_broken = lanes.is_broken;
        filled.and(if panicked { Err(WorkerError::Panicked) } else { Ok(is_broken) })
    }

    /// Starts rows until the batch has its most texts or no free pages. Returns the rows that wait.
    fn start<'r>(
        &self,
        batch: &mut Batch,
        mut waiting: &'r [Row],
        ends: &Ends,
        lanes: &mut Lanes<'_>,
    ) -> Result<&'r [Row], WorkerError> {
        while batch.n_texts() < self.width && !waiting.is_empty() {
            // Starts as many rows of one prompt together as fit.
            let prompt = waiting[0].prompt;
            let own = waiting.iter().take_while(|row| row.prompt == prompt).count();
            let (now, later) = waiting.split_at(own.min(self.width - batch.n_texts()));
            let drafts = now.iter().map(|&row| lanes.draft(row));
            let (drafts, new) = drafts.collect::<Result<Vec<_>, _>>()?.into_iter().unzip();
            let prompt_tokens = self.prompts[prompt].clone();
            let request =
                Request { drafts, ends: ends.clone(), ..Request::new(prompt_tokens, vec![]) };
            let problem = |problem| WorkerError::Prompt { number: prompt + 1, problem };
            let id = match batch.place(&self.engine, &request).map_err(problem)? {
                Some(place) => batch.start(&self.engine, request, place),
                None if !batch.is_empty() => break,
                None => batch.admit(&self.engine, request).map_err(problem)?,
            };
            lanes.add(id, new);
            waiting = later;
        }
        Ok(waiting)
    }
}

impl<E: Deref<Target = Engine>> Worker for Local<E> {
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
        let ends = Ends {
            max_tokens: length.max_tokens,
            limit: length.context.unwrap_or(usize::MAX).min(self.engine.model.config.ctx_len),
            ignore_end: length.ignore_end,
            texts: length.stop.clone(),
            banned: banned_strings(&length.ban_string).map_err(WorkerError::Banned)?,
            thoughts: self.engine.thoughts(length.think, false)?,
            ..Ends::default()
        };
        let is_whole = |row: &Row| recipe.chains[row.chain].texts().is_some();
        let (whole, by_token): (Vec<Row>, Vec<Row>) = rows.iter().copied().partition(is_whole);
        if !whole.is_empty() && (self.constraint.is_some() || self.proves) {
            let what = if self.proves { "proof" } else { "form" };
            return Err(WorkerError::Texts(format!("a temperature of texts has no {what}")));
        }
        let mut batch = self.batch(recipe, &ends);
        let mut filled = self.fill_by_token(&mut batch, recipe, &by_token, &ends, watcher);
        if matches!(filled, Ok(false)) && !whole.is_empty() {
            let (engine, prompts) = (&*self.engine, &self.prompts[..]);
            let batch = &mut batch;
            let mut filling = Filling { engine, batch, recipe, prompts, ends: &ends };
            filled = filling.run(&whole, watcher);
        }
        self.batch = Some(batch);
        filled.map(drop)
    }
}

/// Observer of the batch: collects texts and passes finished ones on.
struct Lanes<'a> {
    engine: &'a Engine,
    recipe: &'a Recipe,
    constraint: Option<&'a dyn Constraint>,
    proves: bool,
    watcher: &'a mut dyn Watcher,
    lanes: HashMap<(RequestId, usize), Lane>,
    /// Each chain with the tokens of its breakers.
    chains: HashMap<usize, Chain>,
    /// Tokens not yet reported to the watcher.
    n_new: usize,
    /// Whether the watcher broke off or drawing panicked.
    is_broken: bool,
    has_panicked: bool,
}

impl<'a> Lanes<'a> {
    fn new(
        engine: &'a Engine,
        recipe: &'a Recipe,
        constraint: Option<&'a dyn Constraint>,
        proves: bool,
        watcher: &'a mut dyn Watcher,
    ) -> Lanes<'a> {
        Lanes {
            engine,
            recipe,
            constraint,
            proves,
            watcher,
            lanes: HashMap::new(),
            chains: HashMap::new(),
            n_new: 0,
            is_broken: false,
            has_panicked: false,
        }
    }

    /// A row's text before it starts.
    fn draft(&mut self, row: Row) -> Result<(Draft, Lane), ChainError> {
        let (engine, recipe) = (self.engine, self.recipe);
        let chain = match self.chains.get(&row.chain) {
            Some(bound) => bound.clone(),
            None => {
                let chain = recipe.chains[row.chain].chain();
                engine.bind(chain.expect("rows of other columns are drawn as a whole"))?
            }
        };
        self.chains.entry(row.chain).or_insert_with(|| chain.clone());
        let mut sampler =
            Sampler::new(chain, Dice { seed: recipe.seed, sample: row.sample as u64 });
        if recipe.record.shift {
            sampler = sampler.measuring_shift();
        }
        if recipe.spread {
            sampler = sampler.spreading(recipe.samples as u64);
        }
        let dice = sampler.dice();
        let mut draft = Draft::new(sampler);
        draft.constraint = self.constraint.map(Constraint::fork);
        let steps = self.proves.then(Recorder::default);
        let logits = recipe.record.logits.map(|keep| (Logits::default(), keep));
        if steps.is_some() || logits.is_some() {
            let (steps, logits) = (steps.clone(), logits.clone());
            draft.tap = Some(Tap::new(move |pos, row, drawn| {
                if let Some((kept, keep)) = &logits {
                    let packed = RecordedLogits::pack(row, pos as u64, *keep);
                    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                    // A banned string took tokens back: these draw them again.
                    while kept.last().is_some_and(|last| last.place >= packed.place) {
                        kept.pop();
                    }
                    kept.push(packed);
                }
                if let Some(steps) = &steps {
                    steps.see(dice, pos, row, drawn);
                }
            }));
        }
        let logits = logits.map(|(kept, _)| kept);
        Ok((draft, Lane { row, text: String::new(), tokens: Vec::new(), logits, steps }))
    }

    fn add(&mut self, id: RequestId, new: Vec<Lane>) {
        self.lanes.extend(new.into_iter().enumerate().map(|(i, lane)| ((id, i), lane)));
    }

    /// Reports the tokens since the last report.
    fn tell_tokens(&mut self) {
        self.is_broken |= self.watcher.tokens(std::mem::take(&mut self.n_new)).is_break();
    }
}

impl Observer for Lanes<'_> {
    fn token(&mut self, step: Step<'_>) -> ControlFlow<()> {
        self.n_new += 1;
        if let Some(lane) = self.lanes.get_mut(&(step.request, step.column)) {
            let bytes = self.engine.tokenizer.bytes(step.draw.token, true);
            lane.text.push_str(step.text);
            lane.tokens.push(record(step.draw, bytes));
        }
        ControlFlow::Continue(())
    }

    fn finished(&mut self, id: RequestId, column: usize, rest: &str, reason: &FinishReason) {
        let Some(lane) = self.lanes.remove(&(id, column)) else { return };
        if *reason == FinishReason::Panicked {
            (self.has_panicked, self.is_broken) = (true, true);
        }
        if self.is_broken {
            return;
        }
        let logits = lane.logits.clone().unwrap_or_default();
        let logits = std::mem::take(&mut *logits.lock().unwrap_or_else(PoisonError::into_inner));
        let steps = lane.steps.clone();
        let sample = lane.finish(rest, reason);
        if let Some(steps) = steps {
            let proved = ProvedText::new(&sample, steps.take());
            self.is_broken |= self.watcher.proved(proved).is_break();
        }
        if !self.is_broken {
            self.is_broken = self.watcher.finished(sample, logits).is_break();
        }
    }
}

impl Lane {
    fn finish(self, rest: &str, reason: &FinishReason) -> Sample {
        let finish = Finish::of(reason);
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
            whole: None,
        }
    }
}
