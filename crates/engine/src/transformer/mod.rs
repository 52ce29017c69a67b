//! The transformer: one forward pass for every family, over batches of sequences that share
//! prefixes.
//!
//! [`Config`] has the hyperparameters, `weights` the tensors, [`Sequence`] is the KV cache of a
//! text, [`Prefixes`] the prefix cache, and `forward` the pass itself.

mod config;
mod cost;
mod error;
mod experts;
pub(crate) mod families;
mod forward;
mod kinds;
mod page_shape;
mod prefixes;
mod scratch;
mod sequence;
mod states;
mod step;
mod weights;

pub use config::{
    Config, ExpertConfig, GroupedExperts, HyperConfig, HyperRule, LatentConfig, LayerConfig,
    NgramConfig, RecurrentConfig, Rope, RopeSections, SharedKeyConfig, StackLevel, SwitchConfig,
    Yarn,
};
pub use error::ModelError;
pub use families::Gating;
pub use kelvin_kernels::kv_cache::PAGE;
pub use kinds::{GateCurve, NormKind, PositionTemperature, QkNorm, RecurrentKind};
pub use prefixes::Prefixes;
pub use scratch::Scratch;
pub use sequence::{CacheFormat, Sequence};
pub use states::STATE_EVERY;
pub use step::{Append, Logits, Want};

use kelvin_kernels::{float_env::FloatEnv, isa::Isa, pool::Pool};

use crate::gguf::Gguf;
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

    /// Recurrent states that sequences and prefixes hold now; what several share counts once.
    pub fn n_states(&self) -> usize {
        self.pages.n_states_lent()
    }

    /// Makes room for `n` recurrent states in all, if the model has recurrent layers.
    pub fn make_states(&self, n: usize) -> Result<(), ModelError> {
        Ok(self.pages.make_states(n)?)
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
