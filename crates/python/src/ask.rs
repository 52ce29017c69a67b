//! Questions of Python: `Model.decide` and `Model.calibrate`.
//!
//! A question and an item have the shape that a file of `kelvin decide --items` has; lists and
//! dictionaries become that JSON, and the lab reads it.

use std::{ops::ControlFlow, path::PathBuf};

use kelvin_engine::{
    batch::{Batch, BatchOptions, Budget},
    decide::{self, Calibrated, Kind, Layout, Settings, SettingsError},
};
use kelvin_lab::{
    calibration::{self, FEWEST, FitError, LabelError, Labelled},
    decisions::{AskError, Asked, Manner, Prompts, ask},
    questions::{self, Item, Named},
};
use pyo3::{
    exceptions::{PyTypeError, PyValueError},
    prelude::*,
    types::{PyDict, PyString},
};
use serde_json::{Value, json};

use crate::{
    calibration::Calibration, decide::Decision, functions::Raised, model::Model,
    parts::value_error, shared::Shared,
};

/// What all questions of a call have in common.
struct Common<'a, 'py> {
    question: Option<&'a Bound<'py, PyAny>>,
    options: Option<&'a Bound<'py, PyAny>>,
    score: Option<(i64, i64)>,
    layout: Option<&'a str>,
    rotations: Option<usize>,
    temperature: Option<f64>,
    raw: bool,
    date: Option<String>,
}

#[pymethods]
impl Model {
    /// Probabilities of a question's options, instead of text.
    ///
    /// Args:
    ///     question: a text, or a dictionary in the shape of OpenAI's Decisions API: type,
    ///         instructions, and choices or levels. None if every item has its own. A text without
    ///         options and score is a predicate: true or not, or a question of yes and no.
    ///     items: a text to decide about, or a list of texts and dictionaries with input, id and
    ///         question. Items of one call share what their prompts begin with.
    ///     options: 2 to 255 options of a choice: texts, booleans, or dictionaries with value,
    ///         description and label.
    ///     score: the first and last level of a scale, such as (1, 5).
    ///     rotations: orders of the options that are asked, at most as many as options; the answer
    ///         is the geometric mean. That of the calibration by default, or 1.
    ///     temperature: T of softmax(ln q / T). That of the calibration by default, or 1.
    ///     layout: "question-first" or "text-first", what prompts begin with.
    ///     calibration: a Calibration or the path of its file, fitted for this model.
    ///     raw: leave the model's chat template out.
    ///     date: YYYY-MM-DD for templates that ask for it; today by default.
    ///
    /// Returns:
    ///     Decision; a list of them if items is a list. Equal bits alone and among others.
    ///
    /// Raises:
    ///     ValueError: too few or equal options, a label that is no token, a calibration of another
    ///         model, a prompt longer than the context.
    ///     TypeError: what is no question, no item or no option.
    ///     KeyboardInterrupt: Ctrl-C, between two prompts.
    ///
    /// Source: OpenAI's POST /v1/decisions for the shape; Guo et al. 2017, arXiv 1706.04599, for
    /// the temperature.
    ///
    /// Examples:
    ///     >>> decisions = model.decide("Which?", ["one", "two"], options=["red", "blue"])
    ///     >>> [round(float(one.probabilities.sum()), 9) for one in decisions]
    ///     [1.0, 1.0]
    ///     >>> model.decide("How good?", "A film.", score=(1, 3)).options
    ///     ['1', '2', '3']
    #[pyo3(signature = (
        question = None, items = None, *, options = None, score = None, rotations = None,
        temperature = None, layout = None, calibration = None, raw = false, date = None
    ))]
    #[allow(clippy::too_many_arguments, reason = "the keywords of a Python method")]
    fn decide(
        &self,
        py: Python<'_>,
        question: Option<&Bound<'_, PyAny>>,
        items: Option<&Bound<'_, PyAny>>,
        options: Option<&Bound<'_, PyAny>>,
        score: Option<(i64, i64)>,
        rotations: Option<usize>,
        temperature: Option<f64>,
        layout: Option<&str>,
        calibration: Option<&Bound<'_, PyAny>>,
        raw: bool,
        date: Option<String>,
    ) -> PyResult<Py<PyAny>> {
        let common = Common { question, options, score, layout, rotations, temperature, raw, date };
        let fitted = calibration.map(|given| self.fitted(py, given)).transpose()?;
        let (items, is_one) = match items {
            None => (vec![empty()], true),
            Some(one) if one.is_instance_of::<PyString>() => {
                (vec![Item { text: Some(one.extract()?), ..empty() }], true)
            }
            Some(several) => (read_items(several)?, false),
        };
        if question.is_none() && is_one {
            return Err(PyValueError::new_err("there is no question: give a text or a dictionary"));
        }
        let (manner, asked) = self.ask(&common, items, fitted.as_ref())?;
        let settings = common.settings()?;
        let of = |kind: Kind| settings.temperature(fitted.as_ref(), kind).map_err(value_error);
        let kinds = asked.iter().map(|one| one.form.question().kind());
        let temperatures: Vec<f64> = kinds.map(of).collect::<PyResult<_>>()?;
        let decisions = decisions(py, self.shared(), &asked, &manner)?;
        let rows = asked.iter().zip(decisions).zip(temperatures);
        let mut found = rows
            .map(|((asked, decision), t)| Py::new(py, Decision::new(py, asked, decision, t)?))
            .collect::<PyResult<Vec<Py<Decision>>>>()?;
        match is_one {
            true => Ok(found.remove(0).into_any()),
            false => Ok(found.into_pyobject(py)?.into_any().unbind()),
        }
    }

    /// Fits a temperature for each kind of question to labelled examples, and judges it.
    ///
    /// Args:
    ///     examples: at least 50 of each kind: dictionaries with input, answer and, without a
    ///         common question, question. The answer is True or False, a choice, or a level or its
    ///         number.
    ///     question, options, score, rotations, layout, raw, date: as decide has them. The
    ///         temperatures hold for questions that are asked in this way alone.
    ///     seed: names the dice of folds and bootstrap.
    ///
    /// Returns:
    ///     Calibration, which decide takes. T changes no choice, only how sure the model is.
    ///
    /// Raises:
    ///     ValueError: fewer examples, one without an answer, or with an answer that isn't one of
    ///         its question's.
    ///     TypeError, KeyboardInterrupt: as decide.
    ///
    /// Source: Guo et al. 2017, arXiv 1706.04599; cross-fitted in ten folds.
    ///
    /// Examples:
    ///     >>> examples = [{"input": str(i), "answer": i % 3 == 0} for i in range(60)]
    ///     >>> calibration = model.calibrate(examples, "It is a multiple of 3.")
    ///     >>> sorted(calibration.temperatures)
    ///     ['predicate']
    #[pyo3(signature = (
        examples, question = None, *, options = None, score = None, rotations = None,
        layout = None, raw = false, date = None, seed = 0
    ))]
    #[allow(clippy::too_many_arguments, reason = "the keywords of a Python method")]
    fn calibrate(
        &self,
        py: Python<'_>,
        examples: &Bound<'_, PyAny>,
        question: Option<&Bound<'_, PyAny>>,
        options: Option<&Bound<'_, PyAny>>,
        score: Option<(i64, i64)>,
        rotations: Option<usize>,
        layout: Option<&str>,
        raw: bool,
        date: Option<String>,
        seed: u64,
    ) -> PyResult<Calibration> {
        let common =
            Common { question, options, score, layout, rotations, temperature: None, raw, date };
        let items = read_items(examples)?;
        if items.len() < FEWEST {
            return Err(value_error(FitError::TooFew(items.len())));
        }
        let (manner, asked) = self.ask(&common, items, None)?;
        let labelled = Labelled::new(&asked).map_err(label_error)?;
        let decisions = decisions(py, self.shared(), &asked, &manner)?;
        let sha256 = py.detach(|| self.sha256())?;
        let judged = py.detach(|| labelled.judge(decisions, seed)).map_err(label_error)?;
        let how = (manner.layout, manner.rotations, manner.chat);
        Ok(Calibration(calibration::Calibration::new(&self.name(), sha256, how, judged)))
    }
}

impl Model {
    /// The temperatures of a calibration that was fitted for this model.
    fn fitted(&self, py: Python<'_>, given: &Bound<'_, PyAny>) -> PyResult<Calibrated> {
        let sha256 = py.detach(|| self.sha256())?;
        if let Ok(calibration) = given.cast::<Calibration>() {
            return calibration.get().0.of_model(sha256, "the calibration").map_err(value_error);
        }
        let path: PathBuf = given.extract().map_err(|_| {
            PyTypeError::new_err(format!(
                "calibration is {}, expected a Calibration or the path of its file",
                given.get_type()
            ))
        })?;
        Calibration::read(&path)?
            .0
            .of_model(sha256, &path.display().to_string())
            .map_err(value_error)
    }

    /// Items with their questions, and how they are asked.
    fn ask(
        &self,
        common: &Common<'_, '_>,
        items: Vec<Item>,
        fitted: Option<&Calibrated>,
    ) -> PyResult<(Manner, Vec<Asked>)> {
        let (engine, settings) = (self.shared().engine(), common.settings()?);
        let refused = |error: SettingsError| value_error(error);
        let manner = Manner::new(engine, &settings, fitted, common.raw, common.date.clone());
        let asked = ask(&engine.tokenizer, items, common.question()?.as_ref());
        Ok((manner.map_err(refused)?, asked.map_err(ask_error)?))
    }
}

impl Common<'_, '_> {
    fn settings(&self) -> PyResult<Settings> {
        let layout = self.layout.map(|name| {
            let known = Layout::ALL.map(|layout| format!("{:?}", layout.name())).join(" or ");
            Layout::named(name)
                .ok_or_else(|| value_error(format!("layout is {name:?}, expected {known}")))
        });
        let (rotations, temperature) = (self.rotations, self.temperature);
        Ok(Settings { layout: layout.transpose()?, rotations, temperature })
    }

    /// The common question, if there is one.
    fn question(&self) -> PyResult<Option<Named>> {
        let Some(given) = self.question else {
            return match self.options.is_some() || self.score.is_some() {
                true => Err(value_error("there are options, but no question")),
                false => Ok(None),
            };
        };
        let value = match given.cast::<PyString>() {
            Ok(text) => self.of_text(&text.to_cow()?)?,
            Err(_) if self.options.is_some() || self.score.is_some() => {
                return Err(value_error(
                    "options and score belong to a question that is a text; a dictionary has \
                     choices or levels",
                ));
            }
            Err(_) => dictionary(given, "the question")?,
        };
        questions::question(value).map(Some).map_err(value_error)
    }

    fn of_text(&self, text: &str) -> PyResult<Value> {
        match (self.options, self.score) {
            (Some(_), Some(_)) => Err(value_error("a question has options or a score, not both")),
            (None, None) => Ok(json!({ "type": "predicate", "instructions": text })),
            (None, Some((low, high))) => {
                let n = high.saturating_sub(low).saturating_add(1);
                let most = decide::MAX_OPTIONS as i64;
                if !(2..=most).contains(&n) || low.unsigned_abs() > u64::from(u32::MAX) {
                    return Err(value_error(format!(
                        "score is ({low}, {high}), expected the first and last of 2 to {most} \
                         levels, such as (1, 5)"
                    )));
                }
                let level = |value: i64| json!({ "label": value.to_string(), "value": value });
                let levels: Vec<Value> = (low..=high).map(level).collect();
                Ok(json!({ "type": "score", "instructions": text, "levels": levels }))
            }
            (Some(options), None) => {
                let options = listed(options, "options")?;
                let one = |option: &Bound<'_, PyAny>| match option.cast::<PyDict>() {
                    Ok(_) => dictionary(option, "an option"),
                    Err(_) => Ok(json!({ "value": plain(option)? })),
                };
                let choices: Vec<Value> = options.iter().map(one).collect::<PyResult<_>>()?;
                Ok(json!({ "type": "choice", "instructions": text, "choices": choices }))
            }
        }
    }
}

fn empty() -> Item {
    Item { line: 0, id: None, text: None, question: None, answer: None }
}

/// The items of a list.
fn read_items(given: &Bound<'_, PyAny>) -> PyResult<Vec<Item>> {
    let one = |(at, item): (usize, &Bound<'_, PyAny>)| {
        let value = match item.cast::<PyString>() {
            Ok(text) => Value::String(text.to_cow()?.into_owned()),
            Err(_) => dictionary(item, &format!("item {}", at + 1))?,
        };
        questions::of_json(at + 1, value)
            .map_err(|why| value_error(format!("item {}: {why}", at + 1)))
    };
    let items = listed(given, "items")?;
    items.iter().enumerate().map(one).collect()
}

/// What is in a list.
fn listed<'py>(given: &Bound<'py, PyAny>, name: &str) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let is_text = given.is_instance_of::<PyString>() || given.is_instance_of::<PyDict>();
    let wrong = || PyTypeError::new_err(format!("{name} is {}, expected a list", given.get_type()));
    if is_text {
        return Err(wrong());
    }
    given.try_iter().map_err(|_| wrong())?.collect()
}

/// A dictionary of Python as JSON.
fn dictionary(given: &Bound<'_, PyAny>, name: &str) -> PyResult<Value> {
    if !given.is_instance_of::<PyDict>() {
        return Err(PyTypeError::new_err(format!(
            "{name} is {}, expected a text or a dictionary",
            given.get_type()
        )));
    }
    plain(given)
}

/// A value of Python as JSON.
fn plain(given: &Bound<'_, PyAny>) -> PyResult<Value> {
    let text: String = given.py().import("json")?.call_method1("dumps", (given,))?.extract()?;
    serde_json::from_str(&text).map_err(value_error)
}

/// Reads the prompts of questions, in a batch of their own.
fn decisions(
    py: Python<'_>,
    shared: &Shared,
    asked: &[Asked],
    manner: &Manner,
) -> PyResult<Vec<decide::Decision>> {
    shared.check_place()?;
    let (engine, raised) = (shared.engine(), Raised::default());
    let found = py.detach(|| {
        let prompts = Prompts::new(engine, asked, manner, engine.model.config.ctx_len)?;
        // One model computes for one thread at a time, and holds so many tokens at once.
        let mut seat = shared.seat();
        let options = *seat.batch.options();
        let fits = |budget: Budget| budget.n_pages <= options.budget.n_pages;
        let budget = prompts.budget(&fits);
        let n_pages = seat.pages_beside(engine, budget.n_pages).unwrap_or(budget.n_pages);
        let budget = Budget { n_pages, ..budget };
        let mut batch = Batch::new(engine, BatchOptions { budget, ..options });
        prompts.decide(engine, &mut batch, asked, &mut |_, _| match Python::attach(|py| {
            py.check_signals()
        }) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                raised.keep(error);
                ControlFlow::Break(())
            }
        })
    });
    match raised.take() {
        Some(error) => Err(error),
        None => found.map_err(ask_error),
    }
}

fn ask_error(error: AskError) -> PyErr {
    let item = |at: usize| if at == 0 { String::new() } else { format!("item {at}: ") };
    match error {
        AskError::Item { at, error } => value_error(format!("{}{error}", item(at))),
        AskError::NoQuestion(at) => {
            value_error(format!("item {at} has no question, and there is none for all of them"))
        }
        AskError::TooLong { at, len, limit } => value_error(format!(
            "{}the prompt has {len} tokens, but the context has room for {limit}",
            item(at)
        )),
        other => value_error(other),
    }
}

fn label_error(error: LabelError) -> PyErr {
    value_error(match error {
        LabelError::NoAnswer(at) => format!("item {at} has no answer"),
        LabelError::Answer(at, why) => format!("item {at}: {why}"),
        other => other.to_string(),
    })
}
