//! `Model`: an open model file, from prompts to logits, texts and scores.

use std::{path::PathBuf, sync::Arc};

use kelvin_engine::{
    Engine, TokenId,
    batch::{BatchOptions, Budget, Draft, Request, score},
    generate::Ends,
    transformer::{CacheFormat, ModelOptions},
};
use kelvin_models::{
    Dialog, Progress,
    catalogue::Reference,
    fetch::{self, Permissions},
};
use kelvin_sampling::{Dice, Distribution, Sampler, State};
use kelvin_views::{
    next::{self, Moment},
    token,
};
use numpy::{PyArray1, PyArray2, PyArrayMethods};
use pyo3::{
    exceptions::{PyFileNotFoundError, PyValueError},
    prelude::*,
    types::PyString,
};

use crate::{
    arrays,
    chain::{Chain, value_error},
    draws::Survivors,
    generation::{Comparison, Generation},
    prompt,
    sequence::{self, Sequence},
    shared::Shared,
    text::{Recipe, Score, Text},
};

/// A model; see kelvin/_kelvin.pyi.
#[pyclass(frozen, module = "kelvin")]
#[derive(Debug)]
pub(crate) struct Model {
    shared: Arc<Shared>,
    path: PathBuf,
}

/// What ends a continuation, as Python gives it.
struct Length<'a, 'py> {
    max_tokens: usize,
    min_tokens: usize,
    stop: Option<&'a Bound<'py, PyAny>>,
    ignore_end: bool,
}

#[pymethods]
impl Model {
    #[new]
    #[pyo3(signature = (source, *, threads = 0, cache = "f16", cache_tokens = 65_536, offline = false, accept_terms = false))]
    fn new(
        py: Python<'_>,
        source: &Bound<'_, PyAny>,
        threads: usize,
        cache: &str,
        cache_tokens: usize,
        offline: bool,
        accept_terms: bool,
    ) -> PyResult<Model> {
        let source: PathBuf = source.extract()?;
        let cache = match cache {
            "f16" => CacheFormat::F16,
            "f32" => CacheFormat::F32,
            _ => {
                let found = format!("cache is {cache:?}, expected \"f16\" or \"f32\"");
                return Err(PyValueError::new_err(found));
            }
        };
        if cache_tokens == 0 {
            return Err(PyValueError::new_err(
                "cache_tokens is 0; a text needs at least one token",
            ));
        }
        let reference = Reference::writer(&source.to_string_lossy()).map_err(value_error)?;
        if let Reference::Path(path) = &reference
            && !path.exists()
        {
            let problem = format!("there is no model file {}", path.display());
            return Err(PyFileNotFoundError::new_err(problem));
        }
        let may = Permissions { offline, accept_terms };
        let path = py.detach(|| fetch::ensure(&reference, may, &Log));
        let path = path.map_err(|error| value_error(format!("{error:#}")))?;
        let options = ModelOptions { threads, ..ModelOptions::default() };
        let engine = py.detach(|| Engine::open(&path, &options, &mut |_, _| {}));
        let engine = engine
            .map_err(|error| value_error(format!("can't use {}: {error}", path.display())))?;
        let budget = Budget { n_texts: usize::MAX, ..Budget::for_texts(1, cache_tokens) };
        let options = BatchOptions { cache, ..BatchOptions::new(budget) };
        Ok(Model { shared: Arc::new(Shared::new(engine, options)), path })
    }

    #[getter]
    fn path(&self) -> PathBuf {
        self.path.clone()
    }

    #[getter]
    fn vocab_size(&self) -> usize {
        self.engine().model.config.vocab_size
    }

    #[getter]
    fn context(&self) -> usize {
        self.engine().model.config.ctx_len
    }

    #[getter]
    fn threads(&self) -> usize {
        self.engine().model.n_threads()
    }

    #[getter]
    fn end_tokens(&self) -> Vec<u32> {
        self.engine().tokenizer.end_tokens().iter().map(|token| token.0).collect()
    }

    #[getter]
    fn has_chat_template(&self) -> bool {
        matches!(self.engine().template, Some(Ok(_)))
    }

    /// The tokens of a text.
    #[pyo3(signature = (text, *, bos = true, special = true))]
    fn encode(&self, text: &str, bos: bool, special: bool) -> PyResult<Vec<u32>> {
        Ok(ids(&prompt::encode(self.engine(), text, bos, special)?))
    }

    /// The text of tokens.
    #[pyo3(signature = (tokens, *, special = false))]
    fn decode(&self, tokens: &Bound<'_, PyAny>, special: bool) -> PyResult<String> {
        let ids = match tokens.extract::<u32>() {
            Ok(id) => vec![TokenId(id)],
            Err(_) => arrays::token_ids(tokens, "tokens")?,
        };
        prompt::check(self.engine(), &ids)?;
        Ok(self.engine().tokenizer.decode(&ids, special))
    }

    /// The tokens of messages in the chat template.
    #[pyo3(signature = (messages, *, add_generation_prompt = true, date = None))]
    fn chat(
        &self,
        messages: &Bound<'_, PyAny>,
        add_generation_prompt: bool,
        date: Option<&str>,
    ) -> PyResult<Vec<u32>> {
        Ok(ids(&prompt::chat(self.engine(), messages, add_generation_prompt, date)?))
    }

    /// The logits after a prompt, or after each of its tokens.
    #[pyo3(signature = (prompt, *, all = false))]
    fn logits<'py>(
        &self,
        py: Python<'py>,
        prompt: &Bound<'py, PyAny>,
        all: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let ids = prompt::tokens(self.engine(), prompt)?;
        sequence::logits(py, &self.shared, &ids, all)
    }

    /// What could come next.
    #[pyo3(signature = (prompt, chain = None, *, n = 10, seed = 0, sample = 0))]
    fn next(
        &self,
        py: Python<'_>,
        prompt: &Bound<'_, PyAny>,
        chain: Option<&Bound<'_, PyAny>>,
        n: usize,
        seed: u64,
        sample: u64,
    ) -> PyResult<Next> {
        let chain = self.stages(py, chain)?;
        let ids = prompt::tokens(self.engine(), prompt)?;
        let logits =
            sequence::logits(py, &self.shared, &ids, false)?.cast_into::<PyArray1<f32>>()?;
        let row = logits.readonly();
        let (xs, engine) = (row.as_slice()?, self.engine());
        let dice = Dice { seed, sample };
        let (state, words) = (State::of_prompt(&ids), dice.words(ids.len() as u64));
        let seen = py.detach(|| {
            let mut sampler = Sampler::new(chain.clone(), dice).after(&ids);
            let pick = sampler.sample_with(xs, words)?;
            let raw = Distribution::new(xs, &kelvin_sampling::Chain::default())?;
            let moment = Moment { engine, logits: xs, chain: &chain, state: &state, words: &words };
            let view = next::next(&moment, &raw, pick, n, &[])?;
            Ok((view, pick, Distribution::after(xs, &chain, &state, &words)?))
        });
        let (view, pick, left) =
            seen.map_err(|error: kelvin_sampling::SampleError| value_error(error))?;
        let view = crate::json::object(py, &view)?.unbind();
        let text = |id: u32| Some(token::text(engine, TokenId(id)));
        let survivors = Py::new(py, Survivors::new(py, left, &text))?;
        let chain = chain.to_string();
        drop(row);
        Ok(Next { logits: logits.unbind(), survivors, token: pick.0, view, chain })
    }

    /// Continues a prompt.
    #[pyo3(signature = (prompt, chain = None, *, max_tokens = 256, min_tokens = 0, stop = None, ignore_end = false, seed = 0, sample = 0))]
    #[allow(clippy::too_many_arguments, reason = "the keywords of a Python method")]
    fn generate(
        &self,
        py: Python<'_>,
        prompt: &Bound<'_, PyAny>,
        chain: Option<&Bound<'_, PyAny>>,
        max_tokens: usize,
        min_tokens: usize,
        stop: Option<&Bound<'_, PyAny>>,
        ignore_end: bool,
        seed: u64,
        sample: u64,
    ) -> PyResult<Generation> {
        let chain = self.stages(py, chain)?;
        let recipe =
            Recipe { temperature: chain.temperature(), chain: chain.to_string(), seed, sample };
        let length = Length { max_tokens, min_tokens, stop, ignore_end };
        let samplers = vec![Sampler::new(chain, Dice { seed, sample })];
        let request = self.request(prompt, samplers, &length)?;
        Generation::start(py, Arc::clone(&self.shared), request, recipe)
    }

    /// Continues a prompt at several temperatures.
    #[pyo3(signature = (prompt, temperatures = None, samples = 1, chain = None, *, max_tokens = 256, min_tokens = 0, stop = None, ignore_end = false, seed = 0))]
    #[allow(clippy::too_many_arguments, reason = "the keywords of a Python method")]
    fn compare(
        &self,
        py: Python<'_>,
        prompt: &Bound<'_, PyAny>,
        temperatures: Option<Vec<f32>>,
        samples: u64,
        chain: Option<&Bound<'_, PyAny>>,
        max_tokens: usize,
        min_tokens: usize,
        stop: Option<&Bound<'_, PyAny>>,
        ignore_end: bool,
        seed: u64,
    ) -> PyResult<Comparison> {
        let temperatures = temperatures.unwrap_or(vec![0.5, 1.0, 2.0]);
        if temperatures.is_empty() || samples == 0 {
            return Err(PyValueError::new_err(
                "nothing to compare: give at least one temperature and one sample",
            ));
        }
        let chain = self.stages(py, chain)?;
        let (mut samplers, mut recipes) = (Vec::new(), Vec::new());
        for &t in &temperatures {
            let chain = chain.with_temperature(t).map_err(value_error)?;
            for sample in 0..samples {
                samplers.push(Sampler::new(chain.clone(), Dice { seed, sample }));
                let temperature = Some(t);
                recipes.push(Recipe { chain: chain.to_string(), temperature, seed, sample });
            }
        }
        let length = Length { max_tokens, min_tokens, stop, ignore_end };
        let request = self.request(prompt, samplers, &length)?;
        Comparison::start(py, Arc::clone(&self.shared), request, recipes)
    }

    /// How expected each token of a text is.
    fn score(&self, py: Python<'_>, text: &Bound<'_, PyAny>) -> PyResult<Score> {
        let engine = self.engine();
        let ids = prompt::tokens(engine, text)?;
        if ids.len() < 2 {
            return Err(PyValueError::new_err(format!(
                "the text has {} tokens; the first is never predicted, so at least 2 are needed",
                ids.len()
            )));
        }
        let mut sequence = Sequence::new(py, Arc::clone(&self.shared))?;
        let mut scores = Vec::with_capacity(ids.len() - 1);
        for (tokens, targets) in ids[..ids.len() - 1].chunks(SCORED).zip(ids[1..].chunks(SCORED)) {
            let rows = sequence.rows(py, tokens)?;
            let pairs = rows.chunks_exact(self.vocab_size()).zip(targets);
            let scored = py.detach(|| {
                pairs.map(|(row, &target)| score(row, target, 0)).collect::<Result<Vec<_>, _>>()
            });
            scores.extend(scored.map_err(value_error)?);
        }
        Ok(Score::new(py, engine, &ids, &scores))
    }

    /// A sequence with the tokens of a prompt, or an empty one.
    #[pyo3(signature = (prompt = None))]
    fn sequence(&self, py: Python<'_>, prompt: Option<&Bound<'_, PyAny>>) -> PyResult<Sequence> {
        let mut sequence = Sequence::new(py, Arc::clone(&self.shared))?;
        if let Some(prompt) = prompt {
            let ids = prompt::tokens(self.engine(), prompt)?;
            sequence.extend(py, &ids)?;
        }
        Ok(sequence)
    }

    /// Appends tokens to several sequences in one forward pass.
    fn append<'py>(
        &self,
        py: Python<'py>,
        sequences: Vec<Bound<'py, Sequence>>,
        tokens: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        sequence::append_to_all(py, &self.shared, &sequences, tokens)
    }

    fn __repr__(&self) -> String {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        format!("Model({name:?}, {} tokens of context)", self.context())
    }
}

/// Tokens that are scored in one forward pass.
const SCORED: usize = 64;

impl Model {
    fn engine(&self) -> &Engine {
        self.shared.engine()
    }

    /// A chain of Kelvin's own stages, made for the model's vocabulary.
    fn stages(
        &self,
        py: Python<'_>,
        chain: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<kelvin_sampling::Chain> {
        let chain = Chain::given(py, chain)?;
        let chain = chain.bind(py).get();
        let stages = chain.as_stages().ok_or_else(|| {
            PyValueError::new_err(format!(
                "the chain `{chain}` has a Python function: draw with Chain.draw from the logits \
                 of a Sequence"
            ))
        })?;
        Ok(self.engine().tokenizer.bind(stages))
    }

    fn request(
        &self,
        prompt: &Bound<'_, PyAny>,
        samplers: Vec<Sampler>,
        length: &Length<'_, '_>,
    ) -> PyResult<Request> {
        let stop = match length.stop {
            None => Vec::new(),
            Some(stop) => match stop.cast::<PyString>() {
                Ok(text) => vec![text.to_cow()?.into_owned()],
                Err(_) => stop.extract::<Vec<String>>()?,
            },
        };
        if stop.iter().any(String::is_empty) {
            return Err(PyValueError::new_err("a stop string is empty, which every text contains"));
        }
        let tokens = prompt::tokens(self.engine(), prompt)?;
        let mut request = Request::new(tokens, Vec::new());
        request.drafts = samplers.into_iter().map(Draft::new).collect();
        request.ends = Ends {
            max_tokens: length.max_tokens,
            min_tokens: length.min_tokens,
            limit: self.context(),
            ignore_end: length.ignore_end,
            texts: stop,
            ..Ends::default()
        };
        Ok(request)
    }
}

fn ids(tokens: &[TokenId]) -> Vec<u32> {
    tokens.iter().map(|token| token.0).collect()
}

/// What could come next; see kelvin/_kelvin.pyi.
#[pyclass(frozen, module = "kelvin", get_all)]
#[derive(Debug)]
pub(crate) struct Next {
    logits: Py<PyArray1<f32>>,
    survivors: Py<Survivors>,
    /// What the dice draw.
    token: u32,
    /// All figures, as `kelvin next --json` names them.
    view: Py<PyAny>,
    chain: String,
}

#[pymethods]
impl Next {
    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        self.survivors.bind(py).repr()?.extract()
    }

    fn _repr_html_(&self, py: Python<'_>) -> PyResult<String> {
        self.survivors.bind(py).call_method0("_repr_html_")?.extract()
    }
}

/// Tells what fetching a model has to say to the logger `kelvin`.
struct Log;

impl Dialog for Log {
    fn note(&self, sentence: &str) {
        Python::attach(|py| {
            // Without a logger nobody listens, which is no reason not to fetch.
            let logger =
                py.import("logging").and_then(|l| l.call_method1("getLogger", ("kelvin",)));
            let _ = logger.and_then(|logger| logger.call_method1("info", ("%s", sentence)));
        });
    }

    fn accepts_terms(&self) -> anyhow::Result<Option<bool>> {
        Ok(None)
    }

    fn begin(&self, _: u64) -> Box<dyn Progress> {
        Box::new(Log)
    }
}

impl Progress for Log {
    fn set(&self, _: u64) {}
}

/// Adds the classes to the module.
pub(crate) fn add(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Model>()?;
    module.add_class::<Sequence>()?;
    module.add_class::<Generation>()?;
    module.add_class::<Comparison>()?;
    module.add_class::<Text>()?;
    module.add_class::<crate::text::Token>()?;
    module.add_class::<Score>()?;
    module.add_class::<Next>()
}
