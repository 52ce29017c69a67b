//! `Model.search`: the likeliest continuations, different likely ones, or the best of drawn ones.

use std::ops::ControlFlow;

use kelvin_engine::{
    Engine, TokenId,
    batch::{Batch, BatchOptions, Budget, Observer, RequestId, Step, check_prompt, pages},
    generate::{Ends, FinishReason},
    rows::BatchRows,
    search::{
        By, EarlyStopping, Method, Outcome, Plan, Runs, SearchError, Task, Wanted, beam_search,
        best_of, chrf, draw_texts, minimum_risk, stochastic_beams,
    },
};
use kelvin_sampling::{Chain, Dice, Sampler};
use kelvin_views::{
    html,
    search::{self, Ending, TextRow},
};
use numpy::PyArray1;
use pyo3::{
    exceptions::{PyMemoryError, PyRuntimeError, PyValueError},
    prelude::*,
};

use crate::{
    functions::Raised,
    json,
    model::Model,
    parts::value_error,
    prompt,
    request::{stages, strings},
    shared::Shared,
};

/// A continuation that a search found.
///
/// Examples:
///     >>> best = model.search("Hi", max_tokens=4).texts[0]
///     >>> best.rank, best.logprob <= 0, len(best.ids) <= 4
///     (1, True, True)
#[pyclass(frozen, module = "kelvin", get_all)]
#[derive(Debug)]
pub(crate) struct Found {
    /// Its place, from 1.
    rank: usize,
    /// The text, up to a stop string.
    text: String,
    /// Token ids of the likeliest spelling without an end token, uint32, shape (tokens,).
    ids: Py<PyArray1<u32>>,
    /// Number of its tokens, an end token included.
    n_tokens: usize,
    /// ln p of the text under the model's own distribution, in nats, summed over its spellings.
    logprob: f64,
    /// What it is ranked by; the method says what that is.
    score: f64,
    /// Its group, from 1; None without groups.
    group: Option<usize>,
    /// How often it was drawn; None of beams.
    times: Option<usize>,
    /// Number of ways in which what was found spells it.
    n_spellings: usize,
    /// The first token (from 0) in which it isn't the best text; None if there is none.
    diverges_at: Option<usize>,
    /// Why it ended.
    finish: &'static str,
}

impl Found {
    fn new(py: Python<'_>, row: &TextRow) -> Found {
        Found {
            rank: row.rank,
            text: row.text.clone(),
            ids: PyArray1::from_slice(py, &row.ids).unbind(),
            n_tokens: row.tokens,
            logprob: row.logprob,
            score: row.score,
            group: row.group,
            times: row.times,
            n_spellings: row.n_spellings(),
            diverges_at: row.diverges_at,
            finish: row.finish.reason,
        }
    }

    fn heading(&self) -> String {
        let times = self.times.filter(|&n| n > 1).map(|n| format!(", drawn {n} times"));
        let ways = Some(self.n_spellings).filter(|&n| n > 1);
        let ways = ways.map(|n| format!(", spelled in {n} ways")).unwrap_or_default();
        let Found { rank, score, logprob, .. } = self;
        format!("{rank}: score {score:.4}, ln p {logprob:.2}{}{ways}", times.unwrap_or_default())
    }
}

#[pymethods]
impl Found {
    fn __len__(&self) -> usize {
        self.n_tokens
    }

    fn __str__(&self) -> &str {
        &self.text
    }

    fn __repr__(&self) -> String {
        format!("{}\n{}", self.heading(), self.text)
    }
}

/// What a search found: its texts, the best first, and what it weighed on the way.
///
/// Examples:
///     >>> search = model.search("Hi", "diverse", beams=4, groups=2, max_tokens=3)
///     >>> len(search), search.tree[0]["parent"] is None
///     (4, True)
#[pyclass(frozen, module = "kelvin")]
#[derive(Debug)]
pub(crate) struct Search {
    /// The method.
    #[pyo3(get)]
    method: &'static str,
    /// The texts, the best first.
    #[pyo3(get)]
    texts: Vec<Py<Found>>,
    /// A dictionary for each token that was weighed: parent (an index into the list), ids, text,
    /// depth, group, logprob, score, fate, and the rank of a text that ends there. Empty for drawn
    /// texts.
    #[pyo3(get)]
    tree: Py<PyAny>,
    /// Forward passes after the prompt; None for drawn texts.
    #[pyo3(get)]
    steps: Option<usize>,
}

#[pymethods]
impl Search {
    fn __len__(&self) -> usize {
        self.texts.len()
    }

    fn __repr__(&self) -> String {
        let texts = self.texts.iter().map(|text| text.get().__repr__());
        texts.collect::<Vec<_>>().join("\n\n")
    }

    fn _repr_html_(&self) -> String {
        let shown = |text: &Py<Found>| {
            let text = text.get();
            let piece = html::escaped(&text.text);
            (text.heading(), format!("<div style=\"white-space:pre-wrap\">{piece}</div>"))
        };
        html::columns(&self.texts.iter().map(shown).collect::<Vec<_>>())
    }
}

#[pymethods]
impl Model {
    /// Searches the likeliest continuations, different likely ones, or the best of drawn ones.
    ///
    /// Args:
    ///     prompt: a text (the model's beginning token is added), or token ids such as chat gives.
    ///     method: "beam", "diverse" (groups of beams that avoid each other's tokens), "stochastic"
    ///         (drawn without replacement), "best-of" (the likeliest of drawn texts), or "mbr" (the
    ///         drawn text that is most like the others, by chrF).
    ///     chain: a Chain or its notation, the distribution that is searched; the model's own by
    ///         default. Beams take no random stages.
    ///     beams: beams of all groups together, 1 to 256; 4 by default.
    ///     groups: groups of diverse beams; 2 by default.
    ///     diversity_penalty: what a token loses for each beam of an earlier group that has it, in
    ///         nats; 1 by default.
    ///     length_penalty: the power of its number of tokens that a text's ln p is divided by; 1 by
    ///         default.
    ///     early_stopping: "true", "false" or "never", as in transformers; "false" by default.
    ///     samples: texts to draw, at most 512; 16 by default.
    ///     by: "mean" or "sum", what best-of ranks by.
    ///     max_tokens: bound of the number of new tokens.
    ///     stop: a text or several that end it and aren't part of it.
    ///     ignore_end: go on after the tokens that end a turn.
    ///     seed: names the dice of stochastic beams and drawn texts.
    ///
    /// Returns:
    ///     Search.
    ///
    /// Raises:
    ///     ValueError: a setting of another method, or one that can't be.
    ///     MemoryError: cache_tokens is too small for the drawn texts.
    ///     KeyboardInterrupt: Ctrl-C, after a step.
    ///
    /// Source: transformers' beam search, which beam and diverse equal; arXiv 1610.02424 (diverse),
    /// 1903.06059 (stochastic), 2005.10283 (mbr).
    ///
    /// Examples:
    ///     >>> search = model.search("Hi", beams=3, max_tokens=5)
    ///     >>> scores = [text.score for text in search.texts]
    ///     >>> len(scores), scores == sorted(scores, reverse=True)
    ///     (3, True)
    #[pyo3(signature = (
        prompt, method = "beam", *, chain = None, beams = None, groups = None,
        diversity_penalty = None, length_penalty = None, early_stopping = None, samples = None,
        by = None, max_tokens = 64, stop = None, ignore_end = false, seed = 0
    ))]
    #[allow(clippy::too_many_arguments, reason = "the keywords of a Python method")]
    fn search(
        &self,
        py: Python<'_>,
        prompt: &Bound<'_, PyAny>,
        method: &str,
        chain: Option<&Bound<'_, PyAny>>,
        beams: Option<usize>,
        groups: Option<usize>,
        diversity_penalty: Option<f64>,
        length_penalty: Option<f64>,
        early_stopping: Option<&str>,
        samples: Option<usize>,
        by: Option<&str>,
        max_tokens: usize,
        stop: Option<&Bound<'_, PyAny>>,
        ignore_end: bool,
        seed: u64,
    ) -> PyResult<Search> {
        let method = one_of("method", method, &Method::ALL, |method| method.name())?;
        let early_stopping = early_stopping
            .map(|name| one_of("early_stopping", name, &EarlyStopping::ALL, |one| one.name()))
            .transpose()?;
        let by = by.map(|name| one_of("by", name, &By::ALL, |by| by.name())).transpose()?;
        let wanted = Wanted {
            beams,
            groups,
            diversity_penalty,
            length_penalty,
            early_stopping,
            samples,
            by,
        };
        let plan = wanted.plan(method).map_err(search_error)?;
        let shared = self.shared();
        shared.check_place()?;
        let job = Job {
            engine: shared.engine(),
            shared,
            prompt: prompt::tokens(shared.engine(), prompt)?,
            chain: chain.map(|_| stages(shared.engine(), py, chain)).transpose()?,
            max_tokens,
            stops: strings(stop)?,
            ignore_end,
            seed,
            raised: Raised::default(),
        };
        let parts = py.detach(|| job.run(method, plan));
        if let Some(error) = job.raised.take() {
            return Err(error);
        }
        let (texts, tree, steps) = parts?;
        let texts = texts.iter().map(|row| Py::new(py, Found::new(py, row)));
        Ok(Search {
            method: method.name(),
            texts: texts.collect::<PyResult<_>>()?,
            tree: json::object(py, &tree)?.unbind(),
            steps,
        })
    }
}

/// Texts, the tree, and the number of steps.
type Parts = (Vec<TextRow>, Vec<search::NodeRow>, Option<usize>);

/// A search before it runs.
struct Job<'a> {
    engine: &'a Engine,
    shared: &'a Shared,
    prompt: Vec<TokenId>,
    chain: Option<Chain>,
    max_tokens: usize,
    stops: Vec<String>,
    ignore_end: bool,
    seed: u64,
    raised: Raised,
}

impl Job<'_> {
    fn run(&self, method: Method, plan: Plan) -> PyResult<Parts> {
        match plan {
            Plan::Beams(_) | Plan::Stochastic(_) => self.beams(method, plan),
            Plan::BestOf(..) | Plan::Mbr(_) => self.draws(plan),
        }
    }

    fn beams(&self, method: Method, plan: Plan) -> PyResult<Parts> {
        let engine = self.engine;
        let limit = check_prompt(engine, &self.prompt, None).map_err(value_error)?;
        let room = limit - self.prompt.len();
        let by_length = match self.max_tokens > room {
            true => FinishReason::ContextFull,
            false => FinishReason::MaxTokens,
        };
        if self.chain.as_ref().is_some_and(Chain::is_schedule) {
            return Err(value_error(format!(
                "{} takes one chain: schedules are for best-of and mbr",
                method.name()
            )));
        }
        let ending = Ending { engine, stops: &self.stops, by_length };
        let stops = |tokens: &[TokenId]| ending.stops(tokens);
        let task = Task {
            prompt: &self.prompt,
            chain: self.chain.as_ref(),
            end_tokens: if self.ignore_end { &[] } else { engine.tokenizer.end_tokens() },
            max_tokens: self.max_tokens.min(room),
            stops: if self.stops.is_empty() { None } else { Some(&stops) },
            form: None,
        };
        task.check().map_err(search_error)?;
        let mut seat = self.shared.seat();
        let mut rows =
            BatchRows { engine, batch: &mut seat.batch, progress: &mut |_: usize, _: usize| {} };
        let mut step = |_: usize| self.goes_on();
        let found = match plan {
            Plan::Beams(how) => beam_search(&mut rows, &task, &how, &mut step),
            other => stochastic_beams(&mut rows, &task, other.n_texts(), self.seed, &mut step),
        };
        let Outcome { texts, tree, n_steps, .. } = found.map_err(search_error)?;
        if texts.is_empty() {
            return Err(value_error("the chain leaves no text that can end"));
        }
        let texts = ending.found(&texts, plan);
        let tree = search::nodes(engine, &tree, &texts);
        Ok((texts, tree, Some(n_steps)))
    }

    fn draws(&self, plan: Plan) -> PyResult<Parts> {
        let (engine, n) = (self.engine, plan.n_texts());
        let limit = check_prompt(engine, &self.prompt, None).map_err(value_error)?;
        let n_new = self.max_tokens.min(limit - self.prompt.len());
        let chain = self.chain.clone().unwrap_or_default();
        let sampler = |sample| Sampler::new(chain.clone(), Dice { seed: self.seed, sample });
        let mut request = kelvin_engine::batch::Request::new(
            self.prompt.clone(),
            (0..n as u64).map(sampler).collect(),
        );
        request.ends = Ends {
            max_tokens: self.max_tokens,
            limit,
            ignore_end: self.ignore_end,
            texts: self.stops.clone(),
            ..Ends::default()
        };
        let mut seat = self.shared.seat();
        let options = *seat.batch.options();
        let needed = Budget { n_texts: n, n_pages: pages(self.prompt.len(), n, n_new) };
        let Some(n_pages) = seat.pages_beside(engine, needed.n_pages) else {
            return Err(PyMemoryError::new_err(format!(
                "{n} texts may need {} tokens of keys and values; ask for fewer or shorter texts, \
                 or open the model with a larger cache_tokens",
                needed.n_tokens()
            )));
        };
        let budget = Budget { n_pages, ..needed };
        let mut batch = Batch::new(engine, BatchOptions { budget, ..options });
        let drawn = draw_texts(engine, &mut batch, request, &mut Watch(self));
        let drawn = drawn.map_err(value_error)?;
        if let Some(failure) = drawn.iter().find_map(|text| text.finish.failure()) {
            return Err(PyRuntimeError::new_err(failure));
        }
        let ranked = match plan {
            Plan::BestOf(_, by) => best_of(&drawn, by),
            _ => {
                let runs: Vec<Runs> = drawn.iter().map(|text| Runs::of(&text.text)).collect();
                minimum_risk(&drawn, &|i, j| chrf(&runs[i], &runs[j]))
            }
        };
        Ok((search::drawn(engine, &drawn, &ranked), Vec::new(), None))
    }

    /// Whether nobody has pressed Ctrl-C.
    fn goes_on(&self) -> ControlFlow<()> {
        match Python::attach(|py| py.check_signals()) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.raised.keep(error);
                ControlFlow::Break(())
            }
        }
    }
}

/// Breaks drawing off on Ctrl-C.
struct Watch<'a>(&'a Job<'a>);

impl Observer for Watch<'_> {
    fn prompt(&mut self, _: RequestId, _: usize, _: usize) -> ControlFlow<()> {
        self.0.goes_on()
    }

    fn token(&mut self, _: Step<'_>) -> ControlFlow<()> {
        self.0.goes_on()
    }
}

/// The one of several with a name.
fn one_of<T: Copy>(
    setting: &str,
    given: &str,
    all: &[T],
    name: impl Fn(&T) -> &'static str,
) -> PyResult<T> {
    let found = all.iter().find(|one| name(one) == given).copied();
    found.ok_or_else(|| {
        let known = all.iter().map(|one| format!("{:?}", name(one))).collect::<Vec<_>>();
        PyValueError::new_err(format!("{setting} is {given:?}, expected {}", known.join(", ")))
    })
}

fn search_error(error: SearchError) -> PyErr {
    match error {
        SearchError::Model(error) => PyRuntimeError::new_err(error.to_string()),
        other => value_error(other),
    }
}
