//! One step: a forward pass over decode and prefill tokens together, then draws for every text that
//! got logits, then the events.

use std::ops::ControlFlow;

use kelvin_sampling::SampleError;

use super::{
    Batch, Observer, Phase, PromptRead, RequestId, Running, Step,
    branch::{Branch, Decode},
    guess::{Costs, Guesses, choose},
    prefill::Reading,
    score::{Scored, score},
    text::{DrawResult, Text},
};
use crate::{
    Engine, TokenId,
    generate::{Ends, FinishReason},
    transformer::{Append, Logits, ModelError, PAGE, Prefixes, Sequence, Want},
};

impl Batch {
    /// Runs one step and sends its events to the observer. Does nothing if no request runs.
    ///
    /// # Errors
    /// If the model refuses the step (there's no memory, or a prompt has a token that isn't in the
    /// vocabulary). All requests are as they were before; [`Batch::clear`] or [`Batch::cancel`]
    /// removes them.
    pub fn step(&mut self, engine: &Engine, observer: &mut dyn Observer) -> Result<(), ModelError> {
        self.tell_progress(observer);
        self.share_chunk();
        self.guess(engine);
        let Batch { options, running, scratch, prefixes, n_steps, counts, .. } = self;
        let costs = Costs::new(engine.model.config.experts.is_some());
        let mut appends = appends(running);
        if appends.is_empty() {
            return Ok(());
        }
        let logits = engine.model.forward(&mut appends, scratch)?;
        drop(appends);
        *n_steps += 1;
        cache_full_pages(prefixes, running);
        score_prompts(engine, running, logits);
        for one in running.iter_mut() {
            start_decode(engine, one, options.guesses, prefixes, logits, observer);
        }
        draw(engine, running, logits);
        for decode in running.iter_mut().filter_map(Running::decode) {
            decode.part(prefixes, costs, counts);
        }
        let draws = |one: &mut Running| one.decode().is_some_and(|all| !all.texts.is_empty());
        counts.n_steps += u64::from(running.iter_mut().any(draws));
        for one in running.iter_mut() {
            tell_drawn(one, logits, observer);
        }
        self.remove_ended(observer);
        self.cache_partial_pages(engine);
        Ok(())
    }

    /// Reports progress of prefill. Requests that the observer breaks are cancelled.
    fn tell_progress(&mut self, observer: &mut dyn Observer) {
        self.running.retain_mut(|one| {
            let Phase::Prefill(Reading { sequence, drafts, .. }) = &one.phase else { return true };
            if observer.prompt(one.id, sequence.len(), one.prompt.len()).is_continue() {
                return true;
            }
            for number in 0..drafts.len() {
                observer.finished(one.id, number, "", &FinishReason::Cancelled);
            }
            observer.ended(one.id);
            false
        });
    }

    /// Guesses what texts in decode will draw, and adds what is worth it to what the step reads.
    fn guess(&mut self, engine: &Engine) {
        let is_prefill = |one: &Running| matches!(&one.phase, Phase::Prefill(r) if r.share > 0);
        // A chunk of a prompt fills the step's arithmetic.
        let guesses = self.options.guesses;
        if guesses == Guesses::Off || self.running.iter().any(is_prefill) {
            return;
        }
        let mut costs = Costs::new(engine.model.config.experts.is_some());
        let Batch { running, drafter, counts, .. } = self;
        let (mut n_rows, mut n_texts) = (0, 0);
        for one in running.iter_mut() {
            let max_new = one.max_new();
            let Some(decode) = one.decode() else { continue };
            (n_rows, n_texts) = (n_rows + decode.branches.len(), n_texts + decode.texts.len());
            decode.guess(engine, guesses, max_new);
        }
        if let Some(drafter) = drafter {
            let asks = running.iter_mut().flat_map(|one| {
                let max_new = one.max_new();
                one.decode().into_iter().flat_map(move |decode| decode.asks(max_new))
            });
            let (n_steps, spent) = drafter.draft(asks, n_rows, costs);
            counts.n_draft_steps += n_steps;
            costs.spent = spent;
        }
        let (mut places, mut bids) = (Vec::new(), Vec::new());
        for (at, decode) in running.iter_mut().map(Running::decode).enumerate() {
            for (branch, bid) in decode.iter().flat_map(|decode| decode.bids()) {
                places.push((at, branch));
                bids.push(bid);
            }
        }
        let chosen = choose(&bids, n_rows, n_texts, costs);
        for ((at, branch), n) in places.into_iter().zip(chosen) {
            if let Some(decode) = running[at].decode() {
                decode.read_guesses(branch, n);
            }
        }
    }

    /// Removes ended texts, and requests whose texts have all ended.
    fn remove_ended(&mut self, observer: &mut dyn Observer) {
        let Batch { running, prefixes, .. } = self;
        running.retain_mut(|one| {
            let Phase::Decode(decode) = &mut one.phase else { return true };
            decode.remove_ended(prefixes);
            if decode.texts.is_empty() {
                observer.ended(one.id);
            }
            !decode.texts.is_empty()
        });
    }

    /// Puts the partly filled last page of prompts just read into the prefix cache as well. A
    /// request with an equal prompt then reads a single token. Texts copy that page on their first
    /// write, so this needs one page more than was reserved.
    fn cache_partial_pages(&mut self, engine: &Engine) {
        for at in 0..self.running.len() {
            let one = &self.running[at];
            let len = one.prompt.len();
            let is_new = |sequence: &&Sequence| sequence.len() == len && !len.is_multiple_of(PAGE);
            let Some(sequence) = one.sequences().find(is_new) else { continue };
            let taken = self.n_held_pages(engine) + self.n_promised_pages() + 1;
            if taken <= self.options.budget.n_pages {
                self.prefixes.keep(sequence, len);
            }
        }
    }
}

/// Collects the tokens that the step reads, and records which rows of logits belong to whom.
fn appends(running: &mut [Running]) -> Vec<Append<'_>> {
    let (mut appends, mut n_rows) = (Vec::new(), 0);
    for one in running {
        let (first, is_scored) = match &one.phase {
            Phase::Prefill(reading) => {
                let len = reading.sequence.len();
                (len, one.is_scored_at(len))
            }
            Phase::Decode(_) => (0, false),
        };
        match &mut one.phase {
            Phase::Decode(decode) => {
                for Branch { sequence, next, first_row, .. } in &mut decode.branches {
                    *first_row = n_rows;
                    n_rows += next.len();
                    appends.push(Append { sequence, tokens: next, want: Want::All });
                }
            }
            Phase::Prefill(Reading { sequence, share, first_row, .. }) if *share > 0 => {
                let end = first + *share;
                let tokens = &one.prompt[first..end];
                let want = match (is_scored, end == one.prompt.len()) {
                    (true, _) => Want::All,
                    (false, true) => Want::Last,
                    (false, false) => Want::None,
                };
                *first_row = n_rows;
                n_rows += match want {
                    Want::All => tokens.len(),
                    Want::Last => 1,
                    Want::None => 0,
                };
                appends.push(Append { sequence, tokens, want });
            }
            Phase::Prefill(_) => {}
        }
    }
    appends
}

/// Puts the pages of prompts that this step filled into the prefix cache. Only full pages: a
/// running sequence would have to copy a shared, partly filled one.
fn cache_full_pages(prefixes: &mut Prefixes, running: &[Running]) {
    for one in running {
        if let Phase::Prefill(Reading { sequence, share, .. }) = &one.phase {
            let full = sequence.len() / PAGE * PAGE;
            if full + share > sequence.len() {
                prefixes.keep(sequence, full);
            }
        }
    }
}

/// Computes logprobs of prompts' tokens whose logits this step gave, on all threads.
fn score_prompts(engine: &Engine, running: &mut [Running], logits: Logits<'_>) {
    struct Work {
        running: usize,
        row: usize,
        token: TokenId,
        n_top: usize,
        scored: Option<Result<Scored, SampleError>>,
    }
    let mut all: Vec<Work> = Vec::new();
    for (at, one) in running.iter().enumerate() {
        let (Phase::Prefill(reading), Some(scoring)) = (&one.phase, one.prompt_logprobs) else {
            continue;
        };
        let first = reading.sequence.len() - reading.share;
        if reading.share == 0 || !one.is_scored_at(first) {
            continue;
        }
        // Logits after a token predict the next one. Those after the last token predict none of
        // the prompt.
        let end = one.prompt.len().min(reading.sequence.len() + 1);
        let (row, n_top) = (reading.first_row, scoring.n_top);
        all.extend(one.prompt[first + 1..end].iter().enumerate().map(|(i, &token)| Work {
            running: at,
            row: row + i,
            token,
            n_top,
            scored: None,
        }));
    }
    engine.model.for_each(&mut all, &|_, work| {
        work.scored = Some(score(logits.row(work.row), work.token, work.n_top));
    });
    for Work { running: at, scored, .. } in all {
        if let (Some(scored), Phase::Prefill(reading)) = (scored, &mut running[at].phase) {
            reading.logprobs.push(scored);
        }
    }
}

/// Starts the texts of a request whose prefill has ended: they all draw their first token from one
/// row of logits.
fn start_decode(
    engine: &Engine,
    one: &mut Running,
    guesses: Guesses,
    prefixes: &mut Prefixes,
    logits: Logits<'_>,
    observer: &mut dyn Observer,
) {
    let Phase::Prefill(reading) = &one.phase else { return };
    if reading.sequence.len() < one.prompt.len() {
        return;
    }
    let is_scored = one.is_scored_at(one.prompt.len() - reading.share);
    let Running { id, prompt, ends, bans, cached, phase, .. } = one;
    let Phase::Prefill(reading) = &mut *phase else { return };
    let row = reading.first_row + if is_scored { reading.share - 1 } else { 0 };
    let (drafts, logprobs) =
        (std::mem::take(&mut reading.drafts), std::mem::take(&mut reading.logprobs));
    if drafts.is_empty() {
        prefixes.keep(&reading.sequence, prompt.len());
    }
    prefixes.keep_state(&reading.sequence);
    let mut decode = Decode::new(guesses, &reading.sequence, prompt, drafts.len(), row);
    for (number, draft) in drafts.into_iter().enumerate() {
        let branch = decode.first_branch(number);
        decode.texts.push(Text::new(engine, (number, draft), branch, prompt, ends, bans));
    }
    *phase = Phase::Decode(decode);
    let read = PromptRead { request: *id, cached: *cached, logprobs, logits: logits.row(row) };
    let told = observer.prompt(*id, prompt.len(), prompt.len());
    if told.is_break() || observer.prompt_read(read).is_break() {
        cancel(one, observer);
    }
}

/// Draws for every text with logits of this step, on all threads.
fn draw(engine: &Engine, running: &mut [Running], logits: Logits<'_>) {
    let mut all: Vec<(&mut Text, &Branch, &Ends)> = Vec::new();
    for one in running {
        if let Phase::Decode(Decode { texts, branches, .. }) = &mut one.phase {
            let (branches, ends) = (&*branches, &one.ends);
            let open = texts.iter_mut().filter(|text| text.column.is_open());
            all.extend(open.map(|text| {
                let branch = &branches[text.branch];
                (text, branch, ends)
            }));
        }
    }
    engine.model.for_each(&mut all, &|_, (text, branch, ends)| {
        text.advance(engine, ends, logits, branch.first_row, branch.guesses());
    });
}

/// Reports what the texts of a request drew, in order of the texts.
fn tell_drawn(one: &mut Running, logits: Logits<'_>, observer: &mut dyn Observer) {
    let (request, Phase::Decode(Decode { texts, .. })) = (one.id, &mut one.phase) else { return };
    for text in texts.iter_mut() {
        for _ in 0..text.tell() {
            let Some(told) = text.untold.pop_front() else { break };
            // Earlier texts have their tokens. Tokens drawn after this one are dropped.
            if tell_one(request, text.number, told, logits, observer).is_break() {
                return cancel(one, observer);
            }
        }
        text.keep(logits);
    }
}

/// Reports one draw.
fn tell_one(
    request: RequestId,
    column: usize,
    told: DrawResult,
    logits: Logits<'_>,
    observer: &mut dyn Observer,
) -> ControlFlow<()> {
    let DrawResult { taken, row, pos, index, scored, learned, .. } = told;
    if !taken.thought.is_empty() {
        observer.thought(request, column, &taken.thought);
    }
    let mut goes_on = ControlFlow::Continue(());
    if let Some(draw) = taken.draw {
        let (text, logits) = (&taken.text, row.of(logits));
        goes_on = observer.token(Step {
            request,
            column,
            index,
            pos,
            draw,
            text,
            logits,
            scored,
            learned,
        });
    }
    if let Some((rest, reason)) = taken.end {
        observer.finished(request, column, &rest, &reason);
    }
    goes_on
}

/// Ends the texts of a request whose end wasn't told yet.
fn cancel(one: &mut Running, observer: &mut dyn Observer) {
    let (request, Some(decode)) = (one.id, one.decode()) else { return };
    for text in &mut decode.texts {
        if text.column.is_open() || !text.results.is_empty() || !text.untold.is_empty() {
            let (rest, thought) = text.cancel();
            if !thought.is_empty() {
                observer.thought(request, text.number, &thought);
            }
            observer.finished(request, text.number, &rest, &FinishReason::Cancelled);
        }
    }
}
