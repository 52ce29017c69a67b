//! One step: a forward pass over decode and prefill tokens together, then a draw for every text
//! that got logits, then the events.

use std::ops::ControlFlow;

use kelvin_sampling::SampleError;

use super::{
    Batch, Observer, Phase, PromptRead, RequestId, Running, Step,
    prefill::Reading,
    request::Text,
    score::{Scored, score},
};
use crate::{
    Engine, TokenId,
    generate::FinishReason,
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
        let Batch { running, scratch, prefixes, n_steps, .. } = self;
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
            start_decode(engine, one, prefixes, logits, observer);
        }
        draw(engine, running, logits);
        for one in running.iter_mut() {
            take_drawn(engine, one, logits, observer);
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

    /// Removes ended texts, and requests whose texts have all ended. Nothing is appended to their
    /// sequences any more, so all their pages can enter the prefix cache.
    fn remove_ended(&mut self, observer: &mut dyn Observer) {
        let Batch { running, prefixes, .. } = self;
        running.retain_mut(|one| {
            let Phase::Decode(texts) = &mut one.phase else { return true };
            texts.retain(|text| {
                let sequence = text.column.sequence();
                if !text.column.is_open() {
                    prefixes.keep(sequence, sequence.len());
                }
                text.column.is_open()
            });
            if texts.is_empty() {
                observer.ended(one.id);
            }
            !texts.is_empty()
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
            Phase::Decode(texts) => {
                for text in texts {
                    text.row = Some(n_rows);
                    n_rows += 1;
                    appends.push(text.column.append());
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

/// Puts the pages that this step filled into the prefix cache. Only full pages: a running sequence
/// would have to copy a shared, partly filled one.
fn cache_full_pages(prefixes: &mut Prefixes, running: &[Running]) {
    for one in running {
        match &one.phase {
            Phase::Prefill(Reading { sequence, share, .. }) => {
                let full = sequence.len() / PAGE * PAGE;
                if full + share > sequence.len() {
                    prefixes.keep(sequence, full);
                }
            }
            Phase::Decode(_) => one
                .sequences()
                .filter(|sequence| sequence.len().is_multiple_of(PAGE))
                .for_each(|sequence| prefixes.keep(sequence, sequence.len())),
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

/// Starts the texts of a request whose prefill has ended: forks of its sequence, which all draw
/// their first token from one row of logits.
fn start_decode(
    engine: &Engine,
    one: &mut Running,
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
    let text = |draft| {
        let fork = reading.sequence.clone();
        Text::new(engine, draft, fork, prompt, ends, bans, row)
    };
    let texts: Vec<Text> = drafts.into_iter().enumerate().map(text).collect();
    if texts.is_empty() {
        prefixes.keep(&reading.sequence, prompt.len());
    }
    *phase = Phase::Decode(texts);
    let read = PromptRead { request: *id, cached: *cached, logprobs, logits: logits.row(row) };
    let told = observer.prompt(*id, prompt.len(), prompt.len());
    if told.is_break() || observer.prompt_read(read).is_break() {
        cancel(one, observer);
    }
}

/// Draws a token for every text with logits of this step, on all threads.
fn draw(engine: &Engine, running: &mut [Running], logits: Logits<'_>) {
    let mut all: Vec<(&mut Text, usize)> = Vec::new();
    for one in running {
        if let Phase::Decode(texts) = &mut one.phase {
            let open = texts.iter_mut().filter(|text| text.column.is_open());
            all.extend(open.filter_map(|text| text.row.map(|row| (text, row))));
        }
    }
    engine.model.for_each(&mut all, &|_, (text, row)| text.draw(logits.row(*row)));
}

/// Appends the drawn tokens to the texts of a request, and reports them in order of the texts.
fn take_drawn(engine: &Engine, one: &mut Running, logits: Logits<'_>, observer: &mut dyn Observer) {
    let (request, Phase::Decode(texts)) = (one.id, &mut one.phase) else { return };
    for text in texts.iter_mut().filter(|text| text.column.is_open()) {
        let Some(row) = text.row.take() else { continue };
        let pos = text.column.pos();
        let Some(taken) = text.take(engine, &one.ends) else { continue };
        let mut told = ControlFlow::Continue(());
        if let Some(draw) = taken.draw {
            told = observer.token(Step {
                request,
                column: text.number,
                index: text.column.tokens().len() - 1,
                pos,
                draw,
                text: &taken.text,
                logits: logits.row(row),
                scored: text.scored.take(),
                learned: text.column.state().learned(),
            });
        }
        if let Some((rest, reason)) = taken.end {
            observer.finished(request, text.number, &rest, &reason);
        }
        if told.is_break() {
            // Earlier texts have their token. The tokens drawn for later ones are dropped.
            return cancel(one, observer);
        }
    }
}

/// Ends the open texts of a request.
fn cancel(one: &mut Running, observer: &mut dyn Observer) {
    let (request, Phase::Decode(texts)): (RequestId, _) = (one.id, &mut one.phase) else { return };
    for text in texts.iter_mut().filter(|text| text.column.is_open()) {
        let rest = text.column.end(&FinishReason::Cancelled);
        observer.finished(request, text.number, &rest, &FinishReason::Cancelled);
    }
}
