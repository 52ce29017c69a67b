//! One continuation during generation: its sampler, its tokens and its end.
//!
//! A step has two halves. [`Column::draw`] needs nothing but the column's own logits, so the
//! columns of a batch draw in parallel. [`Column::take`] then appends the token and checks whether
//! it ends the text. The scheduler in `batch` is the only caller.

use std::sync::Arc;

use kelvin_sampling::{Distribution, Draw, Learned, Limits, SampleError, Sampler, Search, State};

use super::{
    Constraint, FinishReason,
    bans::{Bans, Before, Earlier, Found},
    constraint::completing,
    pending::Pending,
    stages::{Refused, Stages, draw_through},
    thoughts::{Blocks, Thoughts},
};
use crate::{TokenId, tokenizer::Tokenizer};

/// So few allowed tokens that the constraint may force what follows.
const NARROW: u32 = 32;

/// When a continuation ends by itself.
#[derive(Debug, Clone, Default)]
pub struct Ends {
    /// Most tokens of the continuation.
    pub max_tokens: usize,
    /// Least tokens of the continuation. Before that no token ends it, and stop strings are
    /// ignored.
    pub min_tokens: usize,
    /// Most tokens of prompt and continuation together.
    pub limit: usize,
    /// Continue after tokens that end a turn.
    pub ignore_end: bool,
    /// Further tokens that end the continuation. They aren't part of it.
    pub tokens: Vec<TokenId>,
    /// Stop strings. They aren't part of the continuation.
    pub texts: Vec<String>,
    /// Banned strings, 1 to 256 bytes each. A text that says one goes back to the string's first
    /// token and draws another one there.
    pub banned: Arc<[Search]>,
    /// How the model's thoughts are treated; `None` if they are text like any other.
    pub thoughts: Option<Thoughts>,
}

impl Ends {
    /// All tokens that end the continuation, in rising order.
    pub(crate) fn all_tokens(&self, tokenizer: &Tokenizer) -> Vec<TokenId> {
        let own = if self.ignore_end { &[] } else { tokenizer.end_tokens() };
        let mut tokens = [own, &self.tokens].concat();
        tokens.sort_unstable();
        tokens.dedup();
        tokens
    }
}

/// A continuation that is being generated.
#[derive(Debug)]
pub(crate) struct Column {
    sampler: Sampler,
    prompt_len: usize,
    drawn: Option<Result<Draw, FinishReason>>,
    /// What a stage had learned before the token drawn last.
    learned: Option<Learned>,
    /// Tokens that end the continuation, in rising order, and the number of tokens before they may.
    end_tokens: Vec<TokenId>,
    min_tokens: usize,
    /// Banned sequences of tokens.
    bans: Arc<[Vec<TokenId>]>,
    constraint: Option<Box<dyn Constraint>>,
    /// Stages of the caller, before the sampler's.
    stages: Option<Box<dyn Stages>>,
    /// Whether the constraint left few tokens at the last draw.
    is_narrow: bool,
    /// Scratch: the tokens banned at this step, in rising order.
    banned: Vec<TokenId>,
    /// Scratch: the one token that may come, as a mask.
    only: Vec<u32>,
    /// Banned strings, if there are any.
    strings: Option<Bans>,
    pending: Pending,
    tokens: Vec<TokenId>,
    is_open: bool,
}

/// Result of taking a drawn token.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Taken {
    /// The token, unless the column ended without one.
    pub(crate) draw: Option<Draw>,
    /// New text that can be shown: whole characters, without a possible beginning of a stop string.
    pub(crate) text: String,
    /// New text of thoughts that are kept apart.
    pub(crate) thought: String,
    /// If the column ended: the text that had been held back, and the reason.
    pub(crate) end: Option<(String, FinishReason)>,
}

/// What became of a drawn token.
#[derive(Debug)]
pub(crate) enum Next {
    /// It is part of the text, or ended it.
    Taken(Taken),
    /// It completed a banned string, and the text has to go back: [`Column::go_back`] must follow.
    Back(Found),
}

impl Column {
    /// A column that begins after `prompt`. The sampler keeps its state if that is of exactly these
    /// tokens, since it knows which of them were generated.
    pub(crate) fn new(
        sampler: Sampler,
        prompt: &[TokenId],
        tokenizer: &Tokenizer,
        ends: &Ends,
    ) -> Column {
        let knows = sampler.state().tokens() == prompt;
        let blocks = ends.thoughts.as_ref();
        let blocks = blocks.map(|thoughts| Blocks::new(thoughts, prompt, tokenizer));
        Column {
            sampler: if knows { sampler } else { sampler.after(prompt) },
            prompt_len: prompt.len(),
            drawn: None,
            learned: None,
            end_tokens: ends.all_tokens(tokenizer),
            min_tokens: ends.min_tokens,
            bans: Arc::new([]),
            constraint: None,
            stages: None,
            is_narrow: false,
            banned: Vec::new(),
            only: Vec::new(),
            strings: (!ends.banned.is_empty()).then(|| Bans::new(&ends.banned)),
            pending: Pending::new(&ends.texts, blocks),
            tokens: Vec::new(),
            is_open: true,
        }
    }

    /// Bans sequences of tokens: the last token of each is masked after the tokens before it.
    pub(crate) fn banning(self, bans: Arc<[Vec<TokenId>]>) -> Column {
        Column { bans, ..self }
    }

    /// Adds a constraint. A text that is complete under it ends, whatever the other conditions are.
    pub(crate) fn under(self, constraint: Option<Box<dyn Constraint>>) -> Column {
        let strings = self.strings.map(|strings| strings.under(constraint.as_deref()));
        Column { constraint, strings, ..self }
    }

    /// Puts a caller's stages before the sampler's.
    pub(crate) fn through(self, stages: Option<Box<dyn Stages>>) -> Column {
        Column { stages, ..self }
    }

    /// Position of the next token, prompt included.
    pub(crate) fn pos(&self) -> usize {
        self.prompt_len + self.tokens.len()
    }

    /// Draws the next token from the logits of the last position. [`Column::take`] must follow.
    pub(crate) fn draw(&mut self, logits: &[f32]) {
        self.draw_showing(logits, None);
    }

    /// Draws the next token, and passes on the distribution after the first `n_stages` stages.
    pub(crate) fn draw_showing(
        &mut self,
        logits: &[f32],
        n_stages: Option<usize>,
    ) -> Option<Distribution> {
        self.learned = self.sampler.state().learned();
        let drawn = self.try_draw(logits, n_stages);
        let (drawn, shown) = match drawn {
            Ok((draw, shown)) => (Ok(draw), shown),
            Err(reason) => (Err(reason), None),
        };
        self.drawn = Some(drawn);
        shown
    }

    fn try_draw(
        &mut self,
        logits: &[f32],
        n_stages: Option<usize>,
    ) -> Result<(Draw, Option<Distribution>), FinishReason> {
        let pos = self.pos() as u64;
        let blocks = self.pending.blocks();
        let (forced, is_in) =
            blocks.map_or((None, false), |blocks| (blocks.forced(), blocks.is_in()));
        self.list_banned(forced.is_some());
        let allowed = match (forced, &mut self.constraint) {
            (Some(token), _) => Ok(Some(only(&mut self.only, token, logits.len()))),
            // A form is that of the answer.
            (None, Some(constraint)) if !is_in => constraint.allowed().map(Some),
            _ => Ok(None),
        };
        let n_allowed = |mask: &[u32]| mask.iter().map(|word| word.count_ones()).sum::<u32>();
        self.is_narrow = !is_in && matches!(&allowed, Ok(Some(mask)) if n_allowed(mask) <= NARROW);
        let limits =
            Limits { allowed: allowed.map_err(FinishReason::NothingLeft)?, banned: &self.banned };
        let place = self.tokens.len();
        let banned = || self.strings.as_ref().and_then(|strings| strings.contradiction(place));
        let refused = |error: SampleError| match error {
            // In both cases controls and constraint left no token, so the logits aren't to blame.
            SampleError::NothingLeft { .. } | SampleError::UnknownToken { .. } => {
                FinishReason::NothingLeft(banned().unwrap_or_else(|| error.to_string()))
            }
            _ => FinishReason::BadLogits(error.to_string()),
        };
        let shown =
            n_stages.map(|n| self.sampler.distribution_within(n, logits, pos, limits)).transpose();
        let shown = shown.map_err(refused)?;
        let draw = match &mut self.stages {
            None => self.sampler.draw_within(logits, pos, limits).map_err(refused)?,
            Some(stages) => {
                let draw = draw_through(&mut **stages, &mut self.sampler, logits, pos, limits);
                draw.map_err(|error| match error {
                    Refused::Stages(words) => FinishReason::NothingLeft(words),
                    Refused::Sampler(error) => refused(error),
                })?
            }
        };
        if let Some(constraint) = self.constraint.as_mut().filter(|_| !is_in) {
            constraint.take(draw.token).map_err(FinishReason::NothingLeft)?;
        }
        Ok((draw, shown))
    }

    /// Lists the tokens that are banned at this step.
    fn list_banned(&mut self, is_forced: bool) {
        self.banned.clear();
        if is_forced {
            return;
        }
        let place = self.tokens.len();
        self.banned.extend(completing(&self.bans, &self.tokens));
        self.banned.extend(self.strings.iter().flat_map(|strings| strings.at(place)));
        if place < self.min_tokens {
            self.banned.extend(&self.end_tokens);
        }
        self.banned.sort_unstable();
        self.banned.dedup();
    }

    /// The sampler's state, the token drawn last included.
    pub(crate) fn state(&self) -> &State {
        self.sampler.state()
    }

    /// Tokens of a text that the constraint forces, or none. They may be others: what is forced is
    /// bytes. Asked for only where few tokens were allowed before, since the answer takes time.
    pub(crate) fn forced(&mut self, tokenizer: &Tokenizer) -> Vec<TokenId> {
        let (true, Some(constraint)) = (self.is_narrow, &mut self.constraint) else {
            return Vec::new();
        };
        let forced = constraint.forced();
        let text = match std::str::from_utf8(&forced) {
            Ok(text) => text,
            Err(error) => std::str::from_utf8(&forced[..error.valid_up_to()]).unwrap_or(""),
        };
        if text.is_empty() {
            return Vec::new();
        }
        // Tokens depend on what is before them.
        let before = self.tokens.last().copied();
        let head = before.map(|token| tokenizer.text(token)).unwrap_or_default();
        let mut tokens = tokenizer.encode_inside(&format!("{head}{text}"));
        if before.is_some() && tokens.first() == before.as_ref() {
            tokens.remove(0);
        } else {
            tokens = tokenizer.encode_inside(text);
        }
        let bytes = tokens.iter().flat_map(|&token| tokenizer.bytes(token, false));
        if bytes.eq(text.as_bytes()) { tokens } else { Vec::new() }
    }

    /// What [`Column::draw`] drew, until [`Column::take`].
    pub(crate) fn drawn(&self) -> Option<&Draw> {
        self.drawn.as_ref().and_then(|drawn| drawn.as_ref().ok())
    }

    /// A copy that draws ahead of the text, from the logits of a draft model: everything that
    /// decides a draw, but for the stages of the caller, which may have effects. `own` is a sampler
    /// of an earlier copy, whose buffers are used again.
    pub(crate) fn rehearsal(&self, own: Option<Sampler>) -> Column {
        let new = || Sampler::new(self.sampler.chain().clone(), self.sampler.dice());
        let mut sampler = own.unwrap_or_else(new);
        sampler.set_state(self.sampler.state().clone());
        Column {
            sampler,
            prompt_len: self.prompt_len,
            drawn: None,
            learned: None,
            end_tokens: self.end_tokens.clone(),
            min_tokens: self.min_tokens,
            bans: Arc::clone(&self.bans),
            constraint: self.constraint.as_ref().map(|constraint| constraint.fork()),
            stages: None,
            is_narrow: false,
            banned: Vec::new(),
            only: Vec::new(),
            strings: self.strings.as_ref().map(Bans::still),
            pending: Pending::new(&[], self.pending.blocks().cloned()),
            tokens: self.tokens.clone(),
            is_open: true,
        }
    }

    /// Draws a token and goes on after it. `None` where nothing can be drawn, and where the token
    /// would end the text.
    pub(crate) fn rehearse(&mut self, logits: &[f32], tokenizer: &Tokenizer) -> Option<Draw> {
        let (draw, _) = self.try_draw(logits, None).ok()?;
        self.tokens.push(draw.token);
        self.pending.push(draw.token, tokenizer);
        self.end_tokens.binary_search(&draw.token).is_err().then_some(draw)
    }

    /// Its sampler.
    pub(crate) fn into_sampler(self) -> Sampler {
        self.sampler
    }

    /// Appends the drawn token to the text and checks whether it ends the text. `None` if nothing
    /// was drawn.
    pub(crate) fn take(&mut self, tokenizer: &Tokenizer, ends: &Ends) -> Option<Next> {
        let without_token = |column: &mut Column, reason| {
            let (text, thought) = column.end(&reason);
            let end = Some((text, reason));
            Some(Next::Taken(Taken { draw: None, text: String::new(), thought, end }))
        };
        let draw = match self.drawn.take()? {
            Ok(draw) => draw,
            Err(reason) => return without_token(self, reason),
        };
        if ends.max_tokens == 0 {
            return without_token(self, FinishReason::MaxTokens);
        }
        let is_complete =
            self.constraint.as_ref().is_some_and(|constraint| constraint.is_complete());
        let is_end = self.end_tokens.binary_search(&draw.token).is_ok();
        if is_end || (is_complete && tokenizer.end_tokens().contains(&draw.token)) {
            return without_token(self, FinishReason::EndToken(draw.token));
        }
        self.tokens.push(draw.token);
        if let Some(strings) = &mut self.strings {
            let blocks = self.pending.blocks();
            let before = Before {
                learned: self.learned,
                is_told: !blocks.is_some_and(Blocks::is_in),
                is_forced: blocks.is_some_and(|blocks| blocks.forced().is_some()),
            };
            let bytes = tokenizer.bytes(draw.token, false);
            if let Some(found) = strings.push(bytes, before) {
                return Some(Next::Back(found));
            }
            if let Err(words) = strings.settle(&self.tokens) {
                return without_token(self, FinishReason::NothingLeft(words));
            }
        }
        let (new, mut thought) = self.pending.push(draw.token, tokenizer);
        let (text, stopped) = if self.tokens.len() <= self.min_tokens {
            (new, None)
        } else {
            self.pending.stop(&new)
        };
        let reason = if let Some(stop) = stopped {
            Some(FinishReason::StopString(stop))
        } else if is_complete {
            Some(FinishReason::Complete)
        } else if self.tokens.len() >= ends.max_tokens {
            Some(FinishReason::MaxTokens)
        } else if self.pos() >= ends.limit {
            Some(FinishReason::ContextFull)
        } else {
            None
        };
        let end = reason.map(|reason| {
            let (text, rest) = self.end(&reason);
            thought.push_str(&rest);
            (text, reason)
        });
        Some(Next::Taken(Taken { draw: Some(draw), text, thought, end }))
    }

    /// Goes back to the token in which a banned string begins. `pending` is what the text held back
    /// before that token. Returns the number of tokens that are left.
    pub(crate) fn go_back(
        &mut self,
        found: &Found,
        pending: Pending,
        tokenizer: &Tokenizer,
    ) -> Result<usize, FinishReason> {
        let Some(strings) = &mut self.strings else { return Ok(self.tokens.len()) };
        let back = strings.go_back(found, &self.tokens, tokenizer);
        let Earlier { learned, constraint } = back.map_err(FinishReason::NothingLeft)?;
        self.tokens.truncate(found.first);
        self.constraint = constraint.or(self.constraint.take());
        self.pending = pending;
        let state = self.sampler.state();
        // A sampler keeps the tokens only if its chain reads them.
        let n_known = state.tokens().len().min(self.prompt_len + found.first);
        let known = state.tokens()[..n_known].to_vec();
        let state = State::restore(known, state.n_prompt(), learned);
        self.sampler.set_state(state);
        Ok(found.first)
    }

    /// How many of the last tokens a banned string may still take back.
    pub(crate) fn n_held(&self) -> usize {
        self.strings.as_ref().map_or(0, Bans::n_held)
    }

    /// Ends the column. Returns the text that had been held back, and the thoughts.
    pub(crate) fn end(&mut self, reason: &FinishReason) -> (String, String) {
        let rest = match reason {
            FinishReason::StopString(_) => Default::default(),
            _ => self.pending.finish(),
        };
        self.is_open = false;
        rest
    }

    /// What the text holds back now.
    pub(crate) fn pending(&self) -> &Pending {
        &self.pending
    }

    /// Ends the column where it held back so much. Tokens that it took since then aren't told.
    pub(crate) fn end_at(&mut self, pending: Pending, reason: &FinishReason) -> (String, String) {
        self.pending = pending;
        self.end(reason)
    }

    /// Ends the column and drops the text that had been held back: drawing panicked, so the state
    /// of the text stream may be inconsistent.
    pub(crate) fn abandon(&mut self) {
        self.is_open = false;
    }

    /// Whether the column hasn't ended.
    pub(crate) fn is_open(&self) -> bool {
        self.is_open
    }

    /// Prompt and continuation. The sampler's state may lack tokens that its chain doesn't read.
    pub(crate) fn all_tokens(&self) -> Vec<TokenId> {
        let known = self.sampler.state().tokens();
        [&known[..self.prompt_len.min(known.len())], &self.tokens].concat()
    }

    /// Tokens of the continuation so far.
    pub(crate) fn tokens(&self) -> &[TokenId] {
        &self.tokens
    }
}

/// A mask of one token.
fn only(mask: &mut Vec<u32>, token: TokenId, vocab: usize) -> &[u32] {
    mask.clear();
    mask.resize(vocab.div_ceil(32), 0);
    if let Some(word) = mask.get_mut(token.index() / 32) {
        *word |= 1 << (token.index() % 32);
    }
    mask
}
