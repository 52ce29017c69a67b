//! What came of a continuation: tokens, text and the figures of each draw as arrays.

use kelvin_engine::{Engine, TokenId, generate::FinishReason};
use kelvin_sampling::Draw;
use kelvin_views::{
    figures::{Finish, distinct_2, mean},
    html::{self, Tinted},
};
use numpy::{PyArray1, PyArrayMethods};
use pyo3::prelude::*;

use crate::chain::Chain;

/// A continuation so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Growing {
    pub(crate) ids: Vec<TokenId>,
    pub(crate) draws: Vec<Draw>,
    pub(crate) text: String,
    pub(crate) finish: Option<FinishReason>,
}

/// How a continuation was drawn.
#[derive(Debug, Clone)]
pub(crate) struct Recipe {
    pub(crate) chain: String,
    pub(crate) temperature: Option<f32>,
    pub(crate) seed: u64,
    pub(crate) sample: u64,
    /// Whether chain, seed and sample are all that it takes.
    is_reproducible: bool,
}

impl Recipe {
    pub(crate) fn of(chain: &Chain, seed: u64, sample: u64) -> Recipe {
        Recipe {
            chain: chain.to_string(),
            temperature: chain.temperature(),
            seed,
            sample,
            is_reproducible: chain.as_stages().is_some(),
        }
    }
}

/// A drawn token of a continuation.
///
/// Examples:
///     >>> token = next(model.generate("Hi", "temp=0", max_tokens=1))
///     >>> token.column, token.index, token.rank
///     (0, 0, 0)
#[pyclass(frozen, module = "kelvin", get_all)]
#[derive(Debug)]
pub(crate) struct Token {
    /// Which text of a comparison, from 0.
    pub(crate) column: usize,
    /// Which token of the continuation, from 0.
    pub(crate) index: usize,
    /// The id.
    pub(crate) id: u32,
    /// The text that is now complete: whole characters, nothing that may become a stop string.
    pub(crate) text: String,
    /// How many survivors precede it.
    pub(crate) rank: u32,
    /// -ln p, raw, in nats.
    pub(crate) surprisal: f64,
    /// -ln p after the chain, in nats.
    pub(crate) surprisal_final: f64,
    /// Entropy, raw, in nats.
    pub(crate) entropy: f64,
    /// Entropy after the chain, in nats.
    pub(crate) entropy_final: f64,
    /// Tokens that the chain left.
    pub(crate) survivors: u32,
}

#[pymethods]
impl Token {
    fn __str__(&self) -> &str {
        &self.text
    }

    fn __repr__(&self) -> String {
        let Token { column, index, id, text, surprisal, .. } = self;
        format!(
            "Token(column={column}, index={index}, id={id}, text={text:?}, \
             surprisal={surprisal:.4})"
        )
    }
}

/// A continuation: its tokens, its text and the figures of each draw.
///
/// All arrays have the shape (tokens,).
///
/// Examples:
///     >>> text = model.generate("Hi", max_tokens=5, ignore_end=True).result()
///     >>> len(text.ids), text.surprisal.shape, text.finish
///     (5, (5,), 'max_tokens')
#[pyclass(frozen, module = "kelvin", get_all)]
#[derive(Debug)]
pub(crate) struct Text {
    /// The text, up to a stop string.
    text: String,
    /// What it thinks: the text inside of reasoning blocks. Empty of a model that doesn't think.
    thoughts: String,
    /// The text outside of reasoning blocks: all of it, if the model doesn't think.
    answer: String,
    /// Token ids, uint32, shape (tokens,).
    ids: Py<PyArray1<u32>>,
    /// The text of each token.
    tokens: Vec<String>,
    /// How many survivors preceded each token.
    rank: Py<PyArray1<u32>>,
    /// Tokens that the chain left at each place.
    survivors: Py<PyArray1<u32>>,
    /// -ln p of each token, raw, in nats.
    surprisal: Py<PyArray1<f64>>,
    /// -ln p of each token after the chain, in nats.
    surprisal_final: Py<PyArray1<f64>>,
    /// Entropy at each place, raw, in nats.
    entropy: Py<PyArray1<f64>>,
    /// Entropy at each place after the chain, in nats.
    entropy_final: Py<PyArray1<f64>>,
    /// Why it ended; None while it goes on.
    finish: Option<&'static str>,
    /// The chain.
    chain: String,
    /// The temperature of its only `temp` stage.
    temperature: Option<f32>,
    /// The seed.
    seed: u64,
    /// The sample.
    sample: u64,
    /// Whether chain, seed and sample give this text again. False if the chain has a Python
    /// function, which its name doesn't describe.
    is_reproducible: bool,
    /// Distinct bigrams over bigrams.
    distinct_2: Option<f64>,
}

impl Text {
    pub(crate) fn new(
        py: Python<'_>,
        engine: &Engine,
        prompt: &[TokenId],
        recipe: &Recipe,
        growing: Growing,
    ) -> Text {
        let (thoughts, answer) = apart(engine, prompt, &growing);
        let Growing { ids, draws, text, finish } = growing;
        let Recipe { chain, temperature, seed, sample, is_reproducible } = recipe.clone();
        let whole =
            |f: fn(&Draw) -> u32| PyArray1::from_vec(py, draws.iter().map(f).collect()).unbind();
        let real =
            |f: fn(&Draw) -> f64| PyArray1::from_vec(py, draws.iter().map(f).collect()).unbind();
        Text {
            text,
            thoughts,
            answer,
            tokens: engine.tokenizer.texts(&ids),
            rank: whole(|draw| draw.rank),
            survivors: whole(|draw| draw.survivors),
            surprisal: real(|draw| draw.surprisal),
            surprisal_final: real(|draw| draw.surprisal_final),
            entropy: real(|draw| draw.entropy),
            entropy_final: real(|draw| draw.entropy_final),
            finish: finish.map(|reason| Finish::of(&reason, engine).reason),
            chain,
            temperature,
            seed,
            sample,
            is_reproducible,
            distinct_2: distinct_2(&ids),
            ids: PyArray1::from_vec(py, ids.iter().map(|id| id.0).collect()).unbind(),
        }
    }

    /// Figures in one line.
    pub(crate) fn heading(&self, py: Python<'_>) -> PyResult<String> {
        let of = |array: &Py<PyArray1<f64>>| -> PyResult<f64> {
            Ok(mean(array.bind(py).readonly().as_slice()?.iter().copied()).unwrap_or(0.0))
        };
        let (surprisal, entropy) = (of(&self.surprisal)?, of(&self.entropy)?);
        let t = self.temperature.map_or(self.chain.clone(), |t| format!("T = {t}"));
        let n = self.tokens.len();
        Ok(format!("{t}: {n} tokens, surprisal {surprisal:.2}, entropy {entropy:.2} nats"))
    }

    pub(crate) fn tinted(&self, py: Python<'_>) -> PyResult<String> {
        let surprisal = self.surprisal.bind(py).readonly();
        let pairs = self.tokens.iter().zip(surprisal.as_slice()?);
        let tokens = pairs.map(|(text, &surprisal)| Tinted { text: text.clone(), surprisal });
        Ok(html::tinted(&tokens.collect::<Vec<_>>()))
    }
}

/// The thoughts and the answer of a text. A text that thinks nothing is its own answer.
fn apart(engine: &Engine, prompt: &[TokenId], growing: &Growing) -> (String, String) {
    if engine.reasoning.is_none() {
        return (String::new(), growing.text.clone());
    }
    let (thoughts, mut answer) = engine.read_blocks(prompt).split(&growing.ids);
    if let Some(FinishReason::StopString(stop)) = &growing.finish {
        answer.truncate(answer.find(stop).unwrap_or(answer.len()));
    }
    (thoughts, answer)
}

#[pymethods]
impl Text {
    fn __len__(&self) -> usize {
        self.tokens.len()
    }

    fn __str__(&self) -> &str {
        &self.text
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("{}\n{}", self.heading(py)?, self.text))
    }

    fn _repr_html_(&self, py: Python<'_>) -> PyResult<String> {
        Ok(html::columns(&[(self.heading(py)?, self.tinted(py)?)]))
    }
}

/// How expected each token of a text is under the model's own distribution.
///
/// Examples:
///     >>> score = model.score("Hi")
///     >>> score.logprobs.shape == (len(score.ids) - 1,)
///     True
#[pyclass(frozen, module = "kelvin", get_all)]
#[derive(Debug)]
pub(crate) struct Score {
    /// Token ids, uint32, shape (tokens,).
    ids: Py<PyArray1<u32>>,
    /// The text of each token.
    tokens: Vec<String>,
    /// ln p of each token but the first, f64, shape (tokens - 1,).
    logprobs: Py<PyArray1<f64>>,
    /// Entropy where each token but the first is predicted, in nats.
    entropy: Py<PyArray1<f64>>,
    /// How many tokens are likelier than each, from 0.
    rank: Py<PyArray1<u32>>,
    /// Mean of -logprobs, in nats.
    mean_surprisal: f64,
    /// exp(mean_surprisal).
    perplexity: f64,
}

impl Score {
    pub(crate) fn new(
        py: Python<'_>,
        engine: &Engine,
        ids: &[TokenId],
        scores: &[kelvin_engine::batch::Scored],
    ) -> Score {
        let mean_surprisal = mean(scores.iter().map(|score| -score.logprob)).unwrap_or(0.0);
        Score {
            ids: PyArray1::from_vec(py, ids.iter().map(|id| id.0).collect()).unbind(),
            tokens: engine.tokenizer.texts(ids),
            logprobs: PyArray1::from_iter(py, scores.iter().map(|s| s.logprob)).unbind(),
            entropy: PyArray1::from_iter(py, scores.iter().map(|s| s.entropy)).unbind(),
            rank: PyArray1::from_iter(py, scores.iter().map(|s| s.rank as u32 - 1)).unbind(),
            mean_surprisal,
            perplexity: mean_surprisal.exp(),
        }
    }
}

#[pymethods]
impl Score {
    fn __len__(&self) -> usize {
        self.tokens.len().saturating_sub(1)
    }

    fn __repr__(&self) -> String {
        let (n, mean, perplexity) = (self.__len__(), self.mean_surprisal, self.perplexity);
        format!("Score({n} tokens, mean surprisal {mean:.4} nats, perplexity {perplexity:.2})")
    }

    fn _repr_html_(&self, py: Python<'_>) -> PyResult<String> {
        let logprobs = self.logprobs.bind(py).readonly();
        let surprisal =
            [0.0].into_iter().chain(logprobs.as_slice()?.iter().map(|logprob| -logprob));
        let tokens: Vec<Tinted> = (self.tokens.iter().zip(surprisal))
            .map(|(text, surprisal)| Tinted { text: text.clone(), surprisal })
            .collect();
        Ok(html::columns(&[(self.__repr__(), html::tinted(&tokens))]))
    }
}
