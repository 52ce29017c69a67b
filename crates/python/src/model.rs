//! `Model`: an open model file, from prompts to logits, texts and scores.

use std::{
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use kelvin_engine::{
    Engine, TokenId,
    batch::{BatchOptions, Budget},
    transformer::CacheFormat,
};
use kelvin_models::{catalogue::Reference, fetch::Permissions};
use kelvin_sampling::{Dice, Distribution, Sampler, State};
use kelvin_views::{
    next::{Moment, next},
    token,
};
use numpy::{PyArray1, PyArrayMethods};
use pyo3::{exceptions::PyValueError, prelude::*};

use crate::{
    arrays,
    chain::Chain,
    draws::Survivors,
    functions::{Raised, draft},
    generation::{Comparison, Generation},
    next::Next,
    open::{Opened, open, sha256},
    parts::value_error,
    prompt,
    request::{Length, request, stages},
    sequence,
    shared::Shared,
    text::Recipe,
};

/// An open model file (GGUF).
///
/// Args:
///     source: a name of the catalogue ("smollm2", fetched if need be), a path, or
///         "owner/repo:file.gguf" of the Hugging Face hub.
///     threads: 0 means all cores. Results have the same bits with any number.
///     cache: how keys and values are stored, "f16", "f32" or "q8_0" (8-bit integers with a scale
///         for each key and value of a head). Only this changes results.
///     cache_tokens: tokens whose keys and values may be held at once, prefix cache included.
///     offline: fetch nothing.
///     accept_terms: accept the terms of use of a model that has some.
///
/// Raises:
///     FileNotFoundError: no such file.
///     ValueError: an unknown name, or a file that can't be used, with the reason.
///
/// Source: kelvin's book, docs/src/platforms.md, for families and formats.
///
/// Examples:
///     >>> model.vocab_size, model.context
///     (101, 256)
#[pyclass(frozen, module = "kelvin")]
#[derive(Debug)]
pub(crate) struct Model {
    shared: Arc<Shared>,
    path: PathBuf,
    /// The model as its user named it.
    reference: Reference,
    /// SHA-256 of its files, once somebody has asked.
    sha256: OnceLock<String>,
}

#[pymethods]
impl Model {
    #[new]
    #[pyo3(signature = (
        source, *, threads = 0, cache = "f16", cache_tokens = 65_536, offline = false,
        accept_terms = false
    ))]
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
        let known = CacheFormat::ALL.map(|format| format!("{:?}", format.name())).join(", ");
        let unknown = || PyValueError::new_err(format!("cache is {cache:?}, expected {known}"));
        let cache = CacheFormat::named(cache).ok_or_else(unknown)?;
        if cache_tokens == 0 {
            return Err(PyValueError::new_err(
                "cache_tokens is 0; a text needs at least one token",
            ));
        }
        let may = Permissions { offline, accept_terms };
        let source = source.to_string_lossy();
        let Opened { engine, path, reference } = py.detach(|| open(&source, threads, may))?;
        let budget = Budget { n_texts: usize::MAX, ..Budget::for_texts(1, cache_tokens) };
        let options = BatchOptions { cache, ..BatchOptions::new(budget) };
        let shared = Arc::new(Shared::new(engine, options));
        Ok(Model { shared, path, reference, sha256: OnceLock::new() })
    }

    /// The file.
    #[getter]
    fn path(&self) -> PathBuf {
        self.path.clone()
    }

    /// Tokens of the vocabulary.
    #[getter]
    fn vocab_size(&self) -> usize {
        self.engine().model.config.vocab_size
    }

    /// The longest text in tokens.
    #[getter]
    fn context(&self) -> usize {
        self.engine().model.config.ctx_len
    }

    /// How many threads compute.
    #[getter]
    fn threads(&self) -> usize {
        self.engine().model.n_threads()
    }

    /// Ids of the tokens that end a turn.
    #[getter]
    fn end_tokens(&self) -> Vec<u32> {
        self.engine().tokenizer.end_tokens().iter().map(|token| token.0).collect()
    }

    /// Whether chat works.
    #[getter]
    fn has_chat_template(&self) -> bool {
        matches!(self.engine().template, Some(Ok(_)))
    }

    /// The tokens of a text.
    ///
    /// Args:
    ///     bos: put the model's beginning token in front, if it has one.
    ///     special: read texts of special tokens as those tokens.
    ///
    /// Returns:
    ///     A list of ids, equal to llama.cpp's.
    ///
    /// Raises:
    ///     ValueError: a character that the vocabulary can't write.
    ///
    /// Source: llama.cpp, src/llama-vocab.cpp, which it is tested against.
    ///
    /// Examples:
    ///     >>> model.encode("Hi")
    ///     [1, 97, 42, 75]
    #[pyo3(signature = (text, *, bos = true, special = true))]
    fn encode(&self, text: &str, bos: bool, special: bool) -> PyResult<Vec<u32>> {
        Ok(ids(&prompt::encode(self.engine(), text, bos, special)?))
    }

    /// The text of tokens.
    ///
    /// Args:
    ///     tokens: ids, or one id.
    ///     special: write special tokens too.
    ///
    /// Raises:
    ///     ValueError: an unknown id.
    ///
    /// Source: as encode.
    ///
    /// Examples:
    ///     >>> model.decode(model.encode("Hi"))
    ///     'Hi'
    #[pyo3(signature = (tokens, *, special = false))]
    fn decode(&self, tokens: &Bound<'_, PyAny>, special: bool) -> PyResult<String> {
        let ids = match tokens.extract::<u32>() {
            Ok(id) => vec![TokenId(id)],
            Err(_) => arrays::token_ids(tokens, "tokens")?,
        };
        prompt::check(self.engine(), &ids)?;
        Ok(self.engine().tokenizer.decode(&ids, special))
    }

    /// The tokens of messages in the model's chat template.
    ///
    /// Args:
    ///     messages: a text of the user, or dictionaries with role and content.
    ///     add_generation_prompt: end with the opening of an assistant's turn.
    ///     date: YYYY-MM-DD for templates that ask for it; today by default.
    ///
    /// Returns:
    ///     A list of ids. Special tokens in messages are plain text.
    ///
    /// Raises:
    ///     ValueError: no template, or one that refuses the messages, in its own words.
    ///     TypeError: a message that is no dictionary of texts.
    ///
    /// Source: the Jinja template of the model file.
    ///
    /// Examples:
    ///     >>> model.decode(model.chat([{"role": "user", "content": "Hi"}]))
    ///     'Hi\n'
    #[pyo3(signature = (messages, *, add_generation_prompt = true, date = None))]
    fn chat(
        &self,
        messages: &Bound<'_, PyAny>,
        add_generation_prompt: bool,
        date: Option<&str>,
    ) -> PyResult<Vec<u32>> {
        Ok(ids(&prompt::chat(self.engine(), messages, add_generation_prompt, date)?))
    }

    /// Logits of what comes after a prompt.
    ///
    /// Args:
    ///     prompt: a text (the model's beginning token is added), or token ids such as chat gives.
    ///     all: after each of its tokens.
    ///
    /// Returns:
    ///     f32, shape (vocab,), or (tokens, vocab) with all.
    ///
    /// Raises:
    ///     ValueError: an empty prompt, an unknown id, or more tokens than the context.
    ///     KeyboardInterrupt: Ctrl-C, after at most 256 tokens.
    ///
    /// Source: kelvin's book, docs/src/arithmetic.md, for what the numbers are.
    ///
    /// Examples:
    ///     >>> every = model.logits("Hi", all=True)
    ///     >>> every.shape, bool((every[-1] == model.logits("Hi")).all())
    ///     ((4, 101), True)
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

    /// What could come next, stage by stage.
    ///
    /// Args:
    ///     prompt: a text (the model's beginning token is added), or token ids such as chat gives.
    ///     chain: a Chain or its notation; temp=1 by default.
    ///     n: how many of the likeliest tokens the view lists.
    ///     seed, sample: name the dice of the draw that is shown.
    ///
    /// Returns:
    ///     Next.
    ///
    /// Raises:
    ///     ValueError: as logits and Chain.apply.
    ///
    /// Source: kelvin's book, docs/src/concepts/chain.md.
    ///
    /// Examples:
    ///     >>> len(model.next("Hi", "temp=2 | top_k=5").survivors)
    ///     5
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
        let chain = stages(self.engine(), py, chain)?;
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
            let view = next(&moment, &raw, pick, n, &[])?;
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
    ///
    /// Args:
    ///     prompt: a text (the model's beginning token is added), or token ids such as chat gives.
    ///     chain: a Chain or its notation; temp=1 by default. A function in it is called for each
    ///         token, on any thread, while the model waits.
    ///     max_tokens, min_tokens: bounds of the number of new tokens.
    ///     stop: a text or several that end it and aren't part of it.
    ///     ignore_end: go on after the tokens that end a turn.
    ///     think: most tokens that a thinking model thinks; then the end of its reasoning block
    ///         follows.
    ///     ban_strings: a text or several that it may not say: it goes back to the string's first
    ///         token and draws another one there.
    ///     seed, sample: name the dice.
    ///
    /// Returns:
    ///     Generation: iterate over its tokens, or ask for its result.
    ///
    /// Raises:
    ///     ValueError: an empty prompt, one longer than the context, a bad chain, think for a model
    ///         whose template shows no reasoning block.
    ///     MemoryError: cache_tokens is too small for it beside what runs.
    ///     RuntimeError: the process was forked.
    ///
    /// Source: kelvin's book, docs/src/concepts/exact.md: the same text on any machine.
    ///
    /// Examples:
    ///     >>> text = model.generate("Hi", "temp=0.7", max_tokens=4, seed=7).result()
    ///     >>> text.chain, len(text.ids) <= 4
    ///     ('temp=0.7', True)
    #[pyo3(signature = (
        prompt, chain = None, *, max_tokens = 256, min_tokens = 0, stop = None,
        ignore_end = false, think = None, ban_strings = None, seed = 0, sample = 0
    ))]
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
        think: Option<usize>,
        ban_strings: Option<&Bound<'_, PyAny>>,
        seed: u64,
        sample: u64,
    ) -> PyResult<Generation> {
        let (chain, raised) = (Chain::given(py, chain)?, Raised::default());
        let chain = chain.bind(py).get();
        let recipe = Recipe::of(chain, seed, sample);
        let length = Length { max_tokens, min_tokens, stop, ignore_end, think, ban_strings };
        let drafts = vec![draft(py, &self.shared, chain, Dice { seed, sample }, &raised)?];
        let request = request(self.engine(), prompt, drafts, &length)?;
        Generation::start(py, Arc::clone(&self.shared), request, recipe, raised)
    }

    /// Continues a prompt at several temperatures with the same dice.
    ///
    /// Args:
    ///     prompt: a text (the model's beginning token is added), or token ids such as chat gives.
    ///     temperatures: one column for each and each sample; 0.5, 1 and 2 by default.
    ///     samples: texts of each temperature, with dice of their own.
    ///     chain: what `temp` is replaced in; temp=1 by default. Functions in it as for generate.
    ///     max_tokens, min_tokens: bounds of the number of new tokens.
    ///     stop: a text or several that end it and aren't part of it.
    ///     ignore_end: go on after the tokens that end a turn.
    ///     think, ban_strings: as for generate.
    ///     seed: names the dice.
    ///
    /// Returns:
    ///     Comparison: iterate over its tokens, or ask for its result.
    ///
    /// Raises:
    ///     ValueError: an empty prompt, one longer than the context, a bad chain.
    ///     MemoryError: cache_tokens is too small for it beside what runs.
    ///     RuntimeError: the process was forked.
    ///
    /// Source: kelvin's book, docs/src/concepts/dice.md.
    ///
    /// Examples:
    ///     >>> texts = model.compare("Hi", [0.5, 2], max_tokens=3).result()
    ///     >>> [text.temperature for text in texts]
    ///     [0.5, 2.0]
    #[pyo3(signature = (
        prompt, temperatures = None, samples = 1, chain = None, *, max_tokens = 256,
        min_tokens = 0, stop = None, ignore_end = false, think = None, ban_strings = None,
        seed = 0
    ))]
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
        think: Option<usize>,
        ban_strings: Option<&Bound<'_, PyAny>>,
        seed: u64,
    ) -> PyResult<Comparison> {
        let temperatures = temperatures.unwrap_or(vec![0.5, 1.0, 2.0]);
        if temperatures.is_empty() || samples == 0 {
            return Err(PyValueError::new_err(
                "nothing to compare: give at least one temperature and one sample",
            ));
        }
        let (chain, raised) = (Chain::given(py, chain)?, Raised::default());
        let (mut drafts, mut recipes) = (Vec::new(), Vec::new());
        for &t in &temperatures {
            let chain = chain.bind(py).get().with_temperature(py, t)?;
            for sample in 0..samples {
                drafts.push(draft(py, &self.shared, &chain, Dice { seed, sample }, &raised)?);
                recipes.push(Recipe::of(&chain, seed, sample));
            }
        }
        let length = Length { max_tokens, min_tokens, stop, ignore_end, think, ban_strings };
        let request = request(self.engine(), prompt, drafts, &length)?;
        Comparison::start(py, Arc::clone(&self.shared), request, recipes, raised)
    }

    fn __repr__(&self) -> String {
        let name = self.name();
        format!("Model({name:?}, {} tokens of context)", self.context())
    }
}

impl Model {
    fn engine(&self) -> &Engine {
        self.shared.engine()
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// SHA-256 of its files. To be called with the interpreter released.
    pub(crate) fn sha256(&self) -> PyResult<&str> {
        if let Some(known) = self.sha256.get() {
            return Ok(known);
        }
        let found = sha256(&self.reference, &self.engine().files, &self.path)?;
        Ok(self.sha256.get_or_init(|| found))
    }

    /// Its name for people: the file's, without its directory.
    pub(crate) fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }
}

fn ids(tokens: &[TokenId]) -> Vec<u32> {
    tokens.iter().map(|token| token.0).collect()
}
