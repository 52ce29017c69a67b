//! `Decision`: probabilities of a question's options. How Python asks questions is in `ask`.

use kelvin_engine::decide::{self, Kind};
use kelvin_lab::decisions::Asked;
use kelvin_views::{
    decision::{Answer, best},
    html::{self, Bar},
};
use numpy::{PyArray1, PyArray2};
use pyo3::{exceptions::PyValueError, prelude::*, types::PyBool};

use crate::{json, parts::value_error};

/// Probabilities of a question's options, by one forward pass for each rotation.
///
/// options has their texts, and all arrays go in their order: probabilities at the temperature and
/// raw at T = 1, both of shape (options,), rotations at T = 1 of shape (rotations, options).
///
/// Examples:
///     >>> decision = model.decide("Which?", options=["red", "blue"], rotations=2)
///     >>> decision.probabilities.shape, decision.rotations.shape
///     ((2,), (2, 2))
#[pyclass(frozen, module = "kelvin")]
#[derive(Debug)]
pub(crate) struct Decision {
    /// "predicate", "choice" or "score".
    #[pyo3(get)]
    kind: &'static str,
    /// What was asked.
    #[pyo3(get)]
    question: String,
    /// The text that it was asked about, if there is one.
    #[pyo3(get)]
    text: Option<String>,
    /// The options; "yes" and "no" of a predicate.
    #[pyo3(get)]
    options: Vec<String>,
    /// What the model saw in their places.
    #[pyo3(get)]
    labels: Vec<String>,
    /// Probabilities at the temperature, f64, shape (options,); their sum is 1.
    #[pyo3(get)]
    probabilities: Py<PyArray1<f64>>,
    /// q, the probabilities at T = 1, f64, shape (options,).
    #[pyo3(get)]
    raw: Py<PyArray1<f64>>,
    /// Those of each rotation at T = 1, f64, shape (rotations, options).
    #[pyo3(get)]
    rotations: Py<PyArray2<f64>>,
    /// The temperature T of softmax(ln q / T).
    #[pyo3(get)]
    temperature: f64,
    /// The probability of all tokens that are no labels, 0 to 1.
    #[pyo3(get)]
    outside: f64,
    /// How far an option's probability goes from one rotation to another at most, 0 to 1.
    #[pyo3(get)]
    spread: f64,
    /// Index of the likeliest option; of equals the first.
    #[pyo3(get)]
    index: usize,
    /// Its probability.
    #[pyo3(get)]
    confidence: f64,
    /// Σ value · probability over the levels of a score; None of other kinds.
    #[pyo3(get)]
    score: Option<f64>,
    /// The standard deviation of that; None of other kinds.
    #[pyo3(get)]
    deviation: Option<f64>,
    /// All figures as `kelvin decide --json` names them.
    #[pyo3(get)]
    answer: Py<PyAny>,
    /// Probabilities in this process, for display and other temperatures.
    shares: Vec<(String, f64)>,
    whole: decide::Decision,
}

impl Decision {
    pub(crate) fn new(
        py: Python<'_>,
        asked: &Asked,
        whole: decide::Decision,
        temperature: f64,
    ) -> PyResult<Decision> {
        let answer = Answer::new(asked.name.clone(), &asked.form, &whole, temperature);
        let (shares, figures) = (answer.shares(), answer.figures());
        let p: Vec<f64> = shares.iter().map(|(_, p)| *p).collect();
        let (score, deviation) = match &answer {
            Answer::Score { score, deviation, .. } => (Some(*score), Some(*deviation)),
            _ => (None, None),
        };
        let index = best(&p);
        let question = asked.form.question();
        let rotations = PyArray2::from_vec2(py, &figures.rotations).map_err(value_error)?;
        let row = json::object(py, &answer)?;
        if let Some(id) = &asked.item.id {
            row.set_item("id", json::object(py, id)?)?;
        }
        Ok(Decision {
            kind: question.kind().name(),
            question: question.instructions().to_string(),
            text: asked.item.text.clone(),
            options: shares.iter().map(|(text, _)| text.clone()).collect(),
            labels: figures.labels.clone(),
            confidence: p[index],
            probabilities: PyArray1::from_vec(py, p).unbind(),
            raw: PyArray1::from_slice(py, &figures.raw).unbind(),
            rotations: rotations.unbind(),
            temperature,
            outside: whole.outside,
            spread: whole.spread,
            index,
            score,
            deviation,
            answer: row.unbind(),
            shares,
            whole,
        })
    }

    fn title(&self) -> String {
        let mut facts = vec![format!("{}: T = {}", self.question, self.temperature)];
        if let (Some(score), Some(deviation)) = (self.score, self.deviation) {
            facts.push(format!("score {score:.3} ± {deviation:.3}"));
        }
        facts.push(format!("{:.1} % outside of the labels", self.outside * 100.0));
        if self.whole.readings.len() > 1 {
            let (n, spread) = (self.whole.readings.len(), self.spread * 100.0);
            facts.push(format!("{n} rotations within {spread:.1} %"));
        }
        facts.join(", ")
    }

    fn bars(&self) -> Vec<Bar> {
        let bar = |(label, share): &(String, f64)| Bar { label: label.clone(), share: *share };
        self.shares.iter().map(bar).collect()
    }
}

#[pymethods]
impl Decision {
    /// The likeliest option: True or False of a predicate, a level's number of a score, else the
    /// option's text or boolean.
    #[getter]
    fn choice<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let answer = self.answer.bind(py);
        match Kind::named(self.kind) {
            Some(Kind::Predicate) => Ok(PyBool::new(py, self.index == 0).to_owned().into_any()),
            Some(Kind::Score) => {
                answer.get_item("probabilities")?.get_item(self.index)?.get_item("value")
            }
            _ => answer.get_item("choice"),
        }
    }

    /// The probabilities at another temperature: softmax(ln q / T).
    ///
    /// Args:
    ///     temperature: T, above 0.
    ///
    /// Returns:
    ///     f64, shape (options,), with the sum 1. The order of the options stays.
    ///
    /// Raises:
    ///     ValueError: T isn't above 0 and finite.
    ///
    /// Source: Guo et al. 2017, arXiv 1706.04599.
    ///
    /// Examples:
    ///     >>> decision = model.decide("Which?", options=["red", "blue"])
    ///     >>> bool(np.allclose(decision.at(1), decision.raw))
    ///     True
    fn at(&self, py: Python<'_>, temperature: f64) -> PyResult<Py<PyArray1<f64>>> {
        if !(temperature > 0.0 && temperature.is_finite()) {
            let wrong = decide::SettingsError::Temperature(temperature);
            return Err(PyValueError::new_err(wrong.to_string()));
        }
        Ok(PyArray1::from_vec(py, self.whole.at(temperature)).unbind())
    }

    fn __len__(&self) -> usize {
        self.shares.len()
    }

    fn __repr__(&self) -> String {
        html::bars_text(&self.title(), &self.bars(), (0, 0.0))
    }

    fn _repr_html_(&self) -> String {
        html::bars(&self.title(), &self.bars(), (0, 0.0))
    }
}
