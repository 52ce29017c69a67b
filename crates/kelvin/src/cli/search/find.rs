//! One search: with beams, or of texts that are drawn and ranked.

use std::ops::ControlFlow;

use kelvin_engine::{
    TokenId,
    batch::{Batch, Observer, RequestId},
    generate::FinishReason,
    rows::BatchRows,
    search::{
        Drawn, End, Held, Outcome, Plan as Planned, Ranked, Runs, SearchError, Task, beam_search,
        best_of, chrf, draw_texts, minimum_risk, stochastic_beams,
    },
};
use kelvin_models::fetch::Permissions;
use kelvin_sampling::{Chain, Dice, Sampler};
use kelvin_views::search::{self as rows, Ending, NodeRow, TextRow};

use super::plan::Plan;
use crate::{
    cli::shared::{
        args::LengthArgs, failure::Interrupted, form::Asked, meaning, prompt::Prompt,
        session::Session,
    },
    interrupt,
    terminal::{
        self,
        late::{Counted, LateBar},
    },
};

/// A search before it runs.
pub(crate) struct Job<'a> {
    pub(crate) session: &'a Session,
    pub(crate) plan: Plan,
    pub(crate) prompt: &'a Prompt,
    pub(crate) chain: &'a Chain,
    pub(crate) seed: u64,
    pub(crate) length: &'a LengthArgs,
    pub(crate) form: Option<&'a Asked>,
    /// A line for standard error, printed when nothing can be refused any more.
    pub(crate) facts: Option<String>,
    /// Whether the tree of beams is wanted.
    pub(crate) has_tree: bool,
    /// Whether the model that compares meanings may be fetched, and its threads.
    pub(crate) may: Permissions,
    pub(crate) threads: Option<usize>,
}

/// What a search finds.
#[derive(Debug, Default)]
pub(crate) struct Finding {
    /// The best first; at least one.
    pub(crate) texts: Vec<TextRow>,
    pub(crate) tree: Option<Vec<NodeRow>>,
    /// Forward passes after the prompt, and their rows, of beams.
    pub(crate) steps: Option<usize>,
    pub(crate) rows: Option<usize>,
}

impl Job<'_> {
    /// Runs the search on a batch that has room for its texts.
    pub(crate) fn run(
        &self,
        batch: &mut Batch,
        guard: &interrupt::Guard,
    ) -> anyhow::Result<Finding> {
        if self.plan.how.has_beams() { self.search(batch, guard) } else { self.draw(batch, guard) }
    }

    fn say(&self) {
        self.facts.iter().for_each(|facts| terminal::note(facts));
    }

    /// Searches with beams.
    fn search(&self, batch: &mut Batch, guard: &interrupt::Guard) -> anyhow::Result<Finding> {
        let (engine, tokens) = (&self.session.engine, self.prompt.tokens());
        let room = self.session.limit().saturating_sub(tokens.len());
        let by_length = match self.length.max_tokens > room {
            true => FinishReason::ContextFull,
            false => FinishReason::MaxTokens,
        };
        let ending = Ending { engine, stops: &self.length.stop, by_length };
        let stops = |tokens: &[TokenId]| ending.stops(tokens);
        let bound = self.session.bind(self.chain)?;
        let form = self.form.map(|form| form.constraint(&engine.tokenizer)).transpose()?;
        let held = form.map(Held::new);
        // Where a form may end, an end token does end it.
        let is_endless = self.length.ignore_end && held.is_none();
        let task = Task {
            prompt: &tokens,
            chain: (*self.chain != Chain::default()).then_some(&bound),
            end_tokens: if is_endless { &[] } else { engine.tokenizer.end_tokens() },
            max_tokens: self.length.max_tokens.min(room),
            stops: if ending.stops.is_empty() { None } else { Some(&stops) },
            form: held.as_ref(),
        };
        self.say();
        let mut reading = LateBar::new(Counted::Tokens);
        let mut bar = LateBar::new(Counted::Steps);
        let mut progress = |done: usize, all: usize| reading.set(done as u64, all as u64);
        let mut model = BatchRows { engine, batch, progress: &mut progress };
        let mut step = |done: usize| {
            bar.set(done as u64, task.max_tokens as u64);
            if guard.requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let found = match self.plan.how {
            Planned::Beams(how) => beam_search(&mut model, &task, &how, &mut step),
            _ => stochastic_beams(&mut model, &task, self.plan.how.n_texts(), self.seed, &mut step),
        };
        drop(bar);
        let Outcome { texts, tree, n_rows, n_steps } = found.map_err(|error| match error {
            SearchError::Cancelled => Interrupted.into(),
            other => anyhow::Error::new(other),
        })?;
        if texts.is_empty() {
            anyhow::bail!(match self.form {
                Some(_) => "form and chain together leave no text that can end",
                None => "the chain leaves no text that can end",
            });
        }
        if let Some(form) = self.form {
            let reasons: Vec<FinishReason> = texts.iter().map(|found| cut(found.end)).collect();
            form.note_cut(&reasons);
        }
        let texts = ending.found(&texts, self.plan.how);
        let tree = self.has_tree.then(|| rows::nodes(engine, &tree, &texts));
        Ok(Finding { texts, tree, steps: Some(n_steps), rows: Some(n_rows) })
    }

    /// Draws texts and ranks them.
    fn draw(&self, batch: &mut Batch, guard: &interrupt::Guard) -> anyhow::Result<Finding> {
        let (session, n) = (self.session, self.plan.how.n_texts());
        let bound = session.bind(self.chain)?;
        let sampler = |sample: u64| Sampler::new(bound.clone(), Dice { seed: self.seed, sample });
        let samplers = (0..n as u64).map(sampler).collect();
        let request = session.request(self.prompt.tokens(), samplers, self.length, self.form)?;
        self.say();
        let mut watch = Watch {
            guard,
            reading: LateBar::new(Counted::Tokens),
            writing: LateBar::new(Counted::Texts),
            n_ended: 0,
            n,
        };
        let drawn = draw_texts(&session.engine, batch, request, &mut watch)?;
        if drawn.iter().any(|text| text.finish == FinishReason::Cancelled) {
            return Err(Interrupted.into());
        }
        if let Some(failure) = drawn.iter().find_map(|text| text.finish.failure()) {
            anyhow::bail!(failure);
        }
        if let Some(form) = self.form {
            form.note_cut(drawn.iter().map(|text| &text.finish));
        }
        let ranked = self.rank(&drawn)?;
        let texts = rows::drawn(&session.engine, &drawn, &ranked);
        Ok(Finding { texts, ..Finding::default() })
    }

    fn rank(&self, drawn: &[Drawn]) -> anyhow::Result<Vec<Ranked>> {
        let texts = || drawn.iter().map(|text| &*text.text);
        Ok(match self.plan.how {
            Planned::Mbr(_) if self.plan.compares_meanings() => {
                let places = meaning::embeddings(texts(), self.may, self.threads)?;
                let cosine = |i: usize, j: usize| -> f64 {
                    let pairs = places[i].iter().zip(&places[j]);
                    pairs.map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
                };
                minimum_risk(drawn, &cosine)
            }
            Planned::Mbr(_) => {
                let runs: Vec<Runs> = texts().map(Runs::of).collect();
                minimum_risk(drawn, &|i, j| chrf(&runs[i], &runs[j]))
            }
            Planned::BestOf(_, by) => best_of(drawn, by),
            Planned::Beams(_) | Planned::Stochastic(_) => unreachable!("beams draw no texts"),
        })
    }
}

/// Why a text of beams ended, as far as a form that may be cut asks.
fn cut(end: End) -> FinishReason {
    match end {
        End::Token(token) => FinishReason::EndToken(token),
        End::Stop => FinishReason::StopString(String::new()),
        End::Complete => FinishReason::Complete,
        End::Length => FinishReason::MaxTokens,
    }
}

/// Shows progress, and breaks drawing off.
struct Watch<'a> {
    guard: &'a interrupt::Guard,
    reading: LateBar,
    writing: LateBar,
    n_ended: usize,
    n: usize,
}

impl Watch<'_> {
    fn goes_on(&self) -> ControlFlow<()> {
        if self.guard.requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

impl Observer for Watch<'_> {
    fn prompt(&mut self, _: RequestId, done: usize, total: usize) -> ControlFlow<()> {
        self.reading.set(done as u64, total as u64);
        self.goes_on()
    }

    fn token(&mut self, _: kelvin_engine::batch::Step<'_>) -> ControlFlow<()> {
        self.writing.set(self.n_ended as u64, self.n as u64);
        self.goes_on()
    }

    fn finished(&mut self, _: RequestId, _: usize, _: &str, _: &FinishReason) {
        self.n_ended += 1;
    }
}
