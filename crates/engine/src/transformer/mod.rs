//! The transformer: one forward pass for every family, over batches of sequences that share
//! prefixes.
//!
//! [`Config`] has the hyperparameters, `weights` the tensors, [`Sequence`] is the KV cache of a
//! text, [`Prefixes`] the prefix cache, and `forward` the pass itself.

mod config;
mod cost;
mod experts;
pub(crate) mod families;
mod forward;
mod prefixes;
mod sequence;
mod step;
mod weights;

pub use config::{
    Config, ExpertConfig, LatentConfig, LayerConfig, NormKind, PositionTemperature, QkNorm, Rope,
    RopeSections, Yarn,
};
pub use families::Gating;
pub use kelvin_kernels::kv_cache::PAGE;
pub use prefixes::Prefixes;
pub use sequence::{CacheFormat, Sequence};
pub use step::{Append, Logits, Scratch, Want};

use kelvin_kernels::{float_env::FloatEnv, isa::Isa, memory::NoMemory, pool::Pool};

use crate::gguf::{Gguf, GgufError};
use sequence::PagePools;
use weights::Weights;

/// How a model runs. Nothing here changes a bit of what it computes.
#[derive(Debug, Clone, Default)]
pub struct ModelOptions {
    /// Threads, the caller's included; 0 means all cores.
    pub threads: usize,
    /// The instruction set; none means the best this CPU has.
    pub isa: Option<Isa>,
}

/// How a kind of rotary embedding turns.
#[derive(Debug, Clone, PartialEq)]
struct Turns {
    /// How far each pair turns from one position to the next.
    speeds: Vec<f64>,
    /// What cosines and sines are multiplied with.
    magnitude: f64,
}

/// A model ready to run.
#[derive(Debug)]
pub struct Model {
    /// Its shapes and rules.
    pub config: Config,
    weights: Weights,
    pages: PagePools,
    /// One for each kind of rotary embedding.
    turns: Vec<Turns>,
    pool: Pool,
    isa: Isa,
}

impl Model {
    /// Reads the weights of an open file, tensor by tensor. `progress` gets bytes done and bytes in
    /// all.
    pub fn load(
        gguf: &Gguf,
        options: &ModelOptions,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Model, ModelError> {
        // Hosts change the rounding mode, and angles are computed here.
        let _env = FloatEnv::standard();
        let config = Config::from_gguf(gguf)?;
        let pool = Pool::new(options.threads);
        let weights = Weights::load(gguf, &config, &pool, progress)?;
        let turns = (config.ropes.iter())
            .map(|rope| Turns {
                speeds: config.speeds(rope, weights.rope_factors.as_deref()),
                magnitude: rope.magnitude,
            })
            .collect();
        let pages = PagePools::new(&config);
        Ok(Model {
            config,
            weights,
            pages,
            turns,
            pool,
            isa: options.isa.unwrap_or_else(Isa::best),
        })
    }

    /// An empty sequence whose keys and values are stored as `cache` says.
    pub fn sequence(&self, cache: CacheFormat) -> Sequence {
        Sequence::new(cache, &self.pages)
    }

    /// Pages that sequences and prefixes hold now; what several share counts once.
    pub fn n_pages(&self, cache: CacheFormat) -> usize {
        self.pages.n_lent(cache)
    }

    /// Makes room for `n` pages in all, so that no step will have to ask the system for one as long
    /// as no more are held.
    pub fn make_pages(&self, cache: CacheFormat, n: usize) -> Result<(), ModelError> {
        Ok(self.pages.make(cache, n)?)
    }

    /// Runs `task(i, item)` for every item, spread over the model's threads.
    pub(crate) fn for_each<T: Send>(&self, items: &mut [T], task: &(dyn Fn(usize, &mut T) + Sync)) {
        self.pool.for_each_chunk(items, 1, &|i, item| task(i, &mut item[0]));
    }

    /// How many threads it runs on.
    pub fn n_threads(&self) -> usize {
        self.pool.n_threads()
    }

    /// The instruction set it runs on.
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// Bytes that the weights take in memory.
    pub fn weight_bytes(&self) -> usize {
        self.weights.n_bytes()
    }
}

/// Why a model can't be loaded or run.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The file can't be read, or a key has the wrong type.
    #[error(transparent)]
    Gguf(#[from] GgufError),
    /// There is no memory for the weights or for keys and values.
    #[error(transparent)]
    Memory(#[from] NoMemory),
    /// The file is of a family that isn't known here.
    #[error(
        "the model's architecture is {found:?}, which isn't supported; supported are: {supported}"
    )]
    Architecture {
        /// What the file says.
        found: String,
        /// What there is.
        supported: String,
    },
    /// The file says that it is something else than a model: an adapter, a vocabulary, a projector
    /// for images.
    #[error("the file isn't a language model: {found}")]
    NoModel {
        /// What it is instead.
        found: String,
    },
    /// Tensors or keys that belong to the model's arithmetic, but which the engine doesn't use.
    #[error(
        "the model file has {what} that the engine doesn't use for the architecture \
         {architecture:?}, \
         so the model would compute something else: {names}"
    )]
    Unread {
        /// `tensors` or `keys`.
        what: &'static str,
        /// `general.architecture`.
        architecture: String,
        /// The first of them, in quotes, with reasons where there are some.
        names: String,
    },
    /// A hyperparameter is missing, out of its range or not supported.
    #[error("model file, key {key:?}: {problem}")]
    Hyperparameter {
        /// The metadata key.
        key: String,
        /// What was expected and found.
        problem: String,
    },
    /// A tensor is missing or has another shape than the hyperparameters say.
    #[error(
        "model file, tensor {name:?}: expected shape {expected:?} (innermost first), found {found}"
    )]
    Tensor {
        /// The tensor.
        name: String,
        /// Its shape by the hyperparameters.
        expected: Vec<usize>,
        /// Its shape in the file, or that it's missing.
        found: String,
    },
    /// A token that the vocabulary doesn't have.
    #[error("token {token} is out of the vocabulary, which has {vocab_size} tokens")]
    Token {
        /// The token's id.
        token: u32,
        /// How many there are.
        vocab_size: usize,
    },
    /// A sequence would be longer than the model's context.
    #[error("{len} tokens don't fit into the context of {limit} tokens")]
    Context {
        /// Tokens of the sequence with those to be appended.
        len: usize,
        /// The model's limit.
        limit: usize,
    },
    /// A step that appends nothing to one of its sequences.
    #[error("a sequence of the batch has no tokens to append")]
    NoTokens,
    /// A sequence made by a model of another shape.
    #[error("the sequence belongs to a model of another shape")]
    ForeignSequence,
}
