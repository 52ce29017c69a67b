//! Admission: a request starts only if the page budget covers its longest possible texts.
//!
//! The pages that are held, those promised to running requests and those that the new request may
//! need never come to more than the budget. What the prefix cache holds counts as held, but pages
//! that no sequence uses are evicted for a new request, least recently used first.
//!
//! Recurrent states need no such promises: their number follows from that of the texts, and those
//! that the prefix cache keeps are bounded by it.

use super::{
    Batch, Draft, GenerateError, Phase, Request, RequestId, Running,
    prefill::{Reading, first_read},
};
use crate::{
    Engine, TokenId,
    generate::Ends,
    transformer::{CacheFormat, Config, PAGE, STATE_EVERY, Sequence},
};

/// Limits of a batch: running texts and pages of the KV cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Most texts running at once.
    pub n_texts: usize,
    /// Most pages of the KV cache, those of the prefix cache included.
    pub n_pages: usize,
}

impl Budget {
    /// Room for `n_texts` unrelated texts of up to `n_tokens` tokens each, prompts included.
    pub fn for_texts(n_texts: usize, n_tokens: usize) -> Budget {
        Budget { n_texts, n_pages: n_texts.saturating_mul(n_tokens.div_ceil(PAGE)) }
    }

    /// Number of tokens that the pages hold.
    pub fn n_tokens(self) -> usize {
        self.n_pages.saturating_mul(PAGE)
    }

    /// Most recurrent states that the prefix cache keeps.
    pub fn n_kept_states(self) -> usize {
        self.n_tokens().div_ceil(STATE_EVERY) + 1
    }

    /// Most recurrent states at once: those that are kept, and of each text the present one, the
    /// one after its last full page, and one that a step is making.
    pub fn n_states(self) -> usize {
        self.n_texts.saturating_mul(3).saturating_add(self.n_kept_states())
    }

    /// Bytes of all pages and recurrent states.
    pub fn n_bytes(self, config: &Config, cache: CacheFormat) -> usize {
        let pages = self.n_pages.saturating_mul(config.page_bytes(cache));
        pages.saturating_add(self.n_states().saturating_mul(config.state_bytes()))
    }
}

/// Pages of a prompt and of `n_texts` continuations of up to `max_tokens` tokens. Full pages of the
/// prompt are shared. Each text has its own copy of the prompt's last, partly filled page.
pub fn pages(prompt: usize, n_texts: usize, max_tokens: usize) -> usize {
    prompt.div_ceil(PAGE).saturating_add(pages_after_prompt(prompt, n_texts, max_tokens))
}

/// As [`pages`], but only those that are taken after prefill.
pub(super) fn pages_after_prompt(prompt: usize, n_texts: usize, max_tokens: usize) -> usize {
    let full = prompt / PAGE;
    let of_a_text = prompt.saturating_add(max_tokens).div_ceil(PAGE) - full;
    // One text takes over the prompt's partly filled last page.
    n_texts.saturating_mul(of_a_text).saturating_sub(prompt.div_ceil(PAGE) - full)
}

/// The most tokens that prompt and continuation may have. Refuses a prompt that leaves no room for
/// a continuation. `context` is a limit below the model's own.
pub fn check_prompt(
    engine: &Engine,
    prompt: &[TokenId],
    context: Option<usize>,
) -> Result<usize, GenerateError> {
    let limit = context.unwrap_or(usize::MAX).min(engine.model.config.ctx_len);
    if prompt.is_empty() {
        return Err(GenerateError::EmptyPrompt);
    }
    if prompt.len() >= limit {
        return Err(GenerateError::PromptTooLong { len: prompt.len(), limit });
    }
    Ok(limit)
}

/// A place for a request, with the prefix of its prompt found in the prefix cache. Pass it to
/// [`Batch::start`] before placing another request, since its pages count from then on.
#[derive(Debug)]
pub struct Place {
    sequence: Sequence,
}

impl Place {
    /// Prompt tokens that were found in the prefix cache.
    pub fn cached(&self) -> usize {
        self.sequence.len()
    }
}

impl Batch {
    /// Finds a place for a request. `None` if it has to wait until others end. Pages that only the
    /// prefix cache holds are evicted if needed.
    ///
    /// # Errors
    /// If the prompt has no tokens, or can't be continued within the context.
    pub fn place(
        &mut self,
        engine: &Engine,
        request: &Request,
    ) -> Result<Option<Place>, GenerateError> {
        let len = request.prompt.len();
        let limit = request.ends.limit.min(engine.model.config.ctx_len);
        let n_new = usize::from(!request.drafts.is_empty() && request.ends.max_tokens > 0);
        if len == 0 {
            return Err(GenerateError::EmptyPrompt);
        }
        if len + n_new > limit {
            return Err(GenerateError::PromptTooLong { len, limit });
        }
        let is_json = |draft: &Draft| draft.constraint.as_ref().is_some_and(|form| form.is_json());
        let other = request.drafts.iter().filter(|draft| !is_json(draft));
        if let Some(place) = other.filter_map(|draft| draft.sampler.chain().place_of_json()).next()
        {
            return Err(GenerateError::NotJson { place });
        }
        if self.n_texts() + request.n_texts() > self.options.budget.n_texts {
            return Ok(None);
        }
        let first_read = first_read(request.prompt_logprobs, len);
        let mut sequence = self.prefixes.find(&request.prompt[..first_read]);
        if !self.make_room(engine, request, &sequence) {
            // A prefix that ends within a page holds that page and its copy. Without the prefix,
            // even the largest request fits into an otherwise empty budget.
            sequence.truncate(sequence.len() / PAGE * PAGE);
            if !self.make_room(engine, request, &sequence) {
                return Ok(None);
            }
        }
        Ok(Some(Place { sequence }))
    }

    /// Starts a request in its place.
    pub fn start(&mut self, engine: &Engine, request: Request, place: Place) -> RequestId {
        let (id, Place { sequence }) = (RequestId(self.next_id), place);
        self.next_id += 1;
        self.cached_tokens += sequence.len() as u64;
        let (n_texts, cached) = (request.n_texts(), sequence.len());
        let Request { prompt, drafts, mut ends, bans, prompt_logprobs } = request;
        ends.limit = ends.limit.min(engine.model.config.ctx_len);
        let phase = Phase::Prefill(Reading::new(sequence, drafts));
        self.running.push(Running {
            id,
            prompt,
            ends,
            bans,
            prompt_logprobs,
            n_texts,
            cached,
            phase,
        });
        id
    }

    /// Places and starts a request that must fit now.
    ///
    /// # Errors
    /// If the page budget is too small for it now, or its prompt is refused.
    pub fn admit(&mut self, engine: &Engine, request: Request) -> Result<RequestId, GenerateError> {
        match self.place(engine, &request)? {
            Some(place) => Ok(self.start(engine, request, place)),
            None => {
                let (len, n_texts) = (request.prompt.len(), request.drafts.len());
                let n_pages = pages(len, n_texts, max_new(engine, &request.ends, len));
                Err(GenerateError::NoRoom { n_pages, n_texts: request.n_texts() })
            }
        }
    }

    /// Whether the budget covers the longest texts of a request with this prefix, after eviction if
    /// needed. Pages of the prefix itself aren't evicted.
    fn make_room(&mut self, engine: &Engine, request: &Request, sequence: &Sequence) -> bool {
        let (len, n_texts) = (request.prompt.len(), request.drafts.len());
        let max_new = max_new(engine, &request.ends, len);
        let needed = sequence.pages_until(len) + pages_after_prompt(len, n_texts, max_new);
        let taken = self.n_held_pages(engine) + self.n_promised_pages() + needed;
        let missing = taken.saturating_sub(self.options.budget.n_pages);
        missing == 0 || self.prefixes.give_back(missing)
    }

    /// Pages that texts and the prefix cache hold.
    pub fn n_held_pages(&self, engine: &Engine) -> usize {
        engine.model.n_pages(self.options.cache)
    }
}

/// The most tokens that a continuation of a prompt of `len` tokens can get.
fn max_new(engine: &Engine, ends: &Ends, len: usize) -> usize {
    let limit = ends.limit.min(engine.model.config.ctx_len);
    ends.max_tokens.min(limit.saturating_sub(len))
}
