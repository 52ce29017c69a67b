//! `search`: the likeliest texts after a prompt, different likely ones, or the best of drawn ones.

mod answer;
pub(super) mod args;
mod plan;
mod tree;
mod view;

use std::ops::ControlFlow;

use kelvin_engine::{
    TokenId,
    batch::{Observer, RequestId},
    generate::FinishReason,
    rows::BatchRows,
    search::{
        Drawn, Outcome, Ranked, Runs, SearchError, Task, beam_search, best_of, chrf, draw_texts,
        minimum_risk, stochastic_beams,
    },
};
use kelvin_sampling::{Chain, Dice, Sampler};
use kelvin_views::search::{self as rows, Ending, NodeRow, TextRow};

use crate::{
    cli::shared::{
        failure::{Interrupted, usage},
        form::{self, Asked},
        meaning, options,
        prompt::{self, Otherwise, Prompt},
        session::{self, Session},
    },
    interrupt,
    terminal::{
        self, json,
        late::{Counted, LateBar},
    },
};
use answer::Answer;
use args::{SearchArgs, Utility};
use plan::Plan;

/// Runs the verb.
pub(crate) fn run(args: &SearchArgs) -> anyhow::Result<()> {
    let (_, chain) = options::chain(&args.sampling, &args.heat)?;
    options::check_length(&args.length)?;
    let plan = plan::plan(args, &chain)?;
    check_phases(args, plan, &chain)?;
    let form = form::read(&args.form, prompt::on_standard_input(&args.prompt))?;
    if plan.has_beams() && form.is_some() {
        return Err(usage(format!(
            "--method {} can't keep to a form: --method best-of and mbr can",
            args.how.method.name()
        )));
    }
    if matches!(plan, Plan::Mbr(_, Utility::Meaning)) {
        meaning::make_ready(args.model.named.fetch.permissions())?;
    }
    let seed = match plan.is_random() {
        true => options::seed(args.sampling.seed)?.value,
        false => args.sampling.seed.unwrap_or(0),
    };
    let text = prompt::read(&args.prompt)?;
    let session = session::open(&args.model)?;
    let prompt = prompt::prepare(&session.engine, text, &args.prompt, Otherwise::AsItIs)?;
    prompt.note_date(&args.prompt);
    let job = Job { args, session: &session, plan, prompt: &prompt, chain: &chain, seed };
    if !args.output.json {
        terminal::note(&view::facts(&job));
    }
    let guard = interrupt::Guard::new();
    let answer = match plan {
        Plan::Beams(_) | Plan::Stochastic(_) => job.search(&guard)?,
        Plan::BestOf(..) | Plan::Mbr(..) => job.draw(form.as_ref(), &guard)?,
    };
    if args.output.json {
        return json::print(&answer);
    }
    terminal::print(&view::render(&job, &answer))
}

/// Refuses what changes along a text where a search can't follow it.
fn check_phases(args: &SearchArgs, plan: Plan, chain: &Chain) -> anyhow::Result<()> {
    let method = args.how.method.name();
    if !args.length.bans.ban_string.is_empty() {
        return Err(usage(
            "a search has no --ban-string, which takes tokens back: `kelvin generate` and `compare` \
             have it",
        ));
    }
    if plan.has_beams() && args.length.bans.think.is_some() {
        return Err(usage(format!("--method {method} has no --think: best-of and mbr have it")));
    }
    if plan.has_beams() && chain.is_schedule() {
        return Err(usage(format!(
            "--method {method} takes one chain: schedules are for best-of and mbr"
        )));
    }
    Ok(())
}

/// A search before it runs.
struct Job<'a> {
    args: &'a SearchArgs,
    session: &'a Session,
    plan: Plan,
    prompt: &'a Prompt,
    chain: &'a Chain,
    seed: u64,
}

/// What a search finds, before it is an answer.
#[derive(Default)]
struct Parts {
    texts: Vec<TextRow>,
    tree: Option<Vec<NodeRow>>,
    steps: Option<usize>,
    rows: Option<usize>,
}

impl Job<'_> {
    /// Searches with beams.
    fn search(&self, guard: &interrupt::Guard) -> anyhow::Result<Answer> {
        let (engine, tokens) = (&self.session.engine, self.prompt.tokens());
        let budget =
            self.session.check(&tokens, self.plan.n_texts(), self.args.length.max_tokens)?;
        let room = self.session.limit() - tokens.len();
        let by_length = match self.args.length.max_tokens > room {
            true => FinishReason::ContextFull,
            false => FinishReason::MaxTokens,
        };
        let ending = Ending { engine, stops: &self.args.length.stop, by_length };
        let stops = |tokens: &[TokenId]| ending.stops(tokens);
        let bound = self.session.bind(self.chain)?;
        let own = engine.tokenizer.end_tokens();
        let task = Task {
            prompt: &tokens,
            chain: (*self.chain != Chain::default()).then_some(&bound),
            end_tokens: if self.args.length.ignore_end { &[] } else { own },
            max_tokens: self.args.length.max_tokens.min(room),
            stops: if ending.stops.is_empty() { None } else { Some(&stops) },
        };
        let mut reading = LateBar::new(Counted::Tokens);
        let mut bar = LateBar::new(Counted::Steps);
        let mut batch = self.session.batch(budget);
        let mut progress = |done: usize, all: usize| reading.set(done as u64, all as u64);
        let mut model = BatchRows { engine, batch: &mut batch, progress: &mut progress };
        let mut step = |done: usize| {
            bar.set(done as u64, task.max_tokens as u64);
            if guard.requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let found = match self.plan {
            Plan::Beams(how) => beam_search(&mut model, &task, &how, &mut step),
            _ => stochastic_beams(&mut model, &task, self.plan.n_texts(), self.seed, &mut step),
        };
        drop(bar);
        let Outcome { texts, tree, n_rows, n_steps } = found.map_err(|error| match error {
            SearchError::Cancelled => Interrupted.into(),
            other => anyhow::Error::new(other),
        })?;
        if texts.is_empty() {
            anyhow::bail!("the chain leaves no text that can end");
        }
        let texts = ending.found(&texts, self.plan.settings().method == "diverse");
        let tree = self.args.tree.then(|| rows::nodes(engine, &tree, &texts));
        Ok(self.answer(Parts { texts, tree, steps: Some(n_steps), rows: Some(n_rows) }, None))
    }

    /// Draws texts and ranks them.
    fn draw(&self, form: Option<&Asked>, guard: &interrupt::Guard) -> anyhow::Result<Answer> {
        let (session, n) = (self.session, self.plan.n_texts());
        let bound = session.bind(self.chain)?;
        let sampler = |sample: u64| Sampler::new(bound.clone(), Dice { seed: self.seed, sample });
        let samplers = (0..n as u64).map(sampler).collect();
        let request = session.request(self.prompt.tokens(), samplers, &self.args.length, form)?;
        let budget = session.check(&request.prompt, n, self.args.length.max_tokens)?;
        let mut watch = Watch {
            guard,
            reading: LateBar::new(Counted::Tokens),
            writing: LateBar::new(Counted::Texts),
            n_ended: 0,
            n,
        };
        let mut batch = session.batch(budget);
        let drawn = draw_texts(&session.engine, &mut batch, request, &mut watch)?;
        if drawn.iter().any(|text| text.finish == FinishReason::Cancelled) {
            return Err(Interrupted.into());
        }
        if let Some(failure) = drawn.iter().find_map(|text| text.finish.failure()) {
            anyhow::bail!(failure);
        }
        if let Some(form) = form {
            form.note_cut(drawn.iter().map(|text| &text.finish));
        }
        let ranked = self.rank(&drawn)?;
        let texts = rows::drawn(&session.engine, &drawn, &ranked);
        Ok(self.answer(Parts { texts, ..Parts::default() }, form))
    }

    fn rank(&self, drawn: &[Drawn]) -> anyhow::Result<Vec<Ranked>> {
        let texts = || drawn.iter().map(|text| &*text.text);
        Ok(match self.plan {
            Plan::Mbr(_, Utility::Meaning) => {
                let model = &self.args.model;
                let may = model.named.fetch.permissions();
                let places = meaning::embeddings(texts(), may, model.engine.threads)?;
                let cosine = |i: usize, j: usize| -> f64 {
                    let pairs = places[i].iter().zip(&places[j]);
                    pairs.map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
                };
                minimum_risk(drawn, &cosine)
            }
            Plan::Mbr(..) => {
                let runs: Vec<Runs> = texts().map(Runs::of).collect();
                minimum_risk(drawn, &|i, j| chrf(&runs[i], &runs[j]))
            }
            Plan::BestOf(_, by) => best_of(drawn, by),
            Plan::Beams(_) | Plan::Stochastic(_) => unreachable!("beams draw no texts"),
        })
    }

    fn answer(&self, parts: Parts, form: Option<&Asked>) -> Answer {
        Answer {
            model: self.session.file.clone(),
            prompt: self.prompt.clone(),
            settings: self.plan.settings(),
            chain: self.chain.to_string(),
            seed: self.plan.is_random().then_some(self.seed),
            form: form.map(|asked| asked.form.clone()),
            steps: parts.steps,
            rows: parts.rows,
            texts: parts.texts,
            tree: parts.tree,
        }
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
