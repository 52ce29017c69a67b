//! Embeds texts with all-MiniLM-L6-v2 (Reimers & Gurevych 2019, arXiv 1908.10084): vectors of
//! length 1, whose cosine measures similarity of meaning.
//!
//! The model runs in candle, because Kelvin's engine only runs decoders. As in
//! sentence-transformers: the first 256 word pieces with both special tokens, mean pooling. Texts
//! are embedded one by one, so no text depends on its batch. The last bits depend on the CPU, not
//! on the number of threads.

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::{BertModel, Config};
use rayon::{ThreadPool, ThreadPoolBuilder};
use tokenizers::{Tokenizer, TruncationParams};

/// The maximum number of word pieces, special tokens included: the length that the model was
/// trained for.
const MAX_PIECES: usize = 256;

/// Why texts can't be embedded.
#[derive(Debug, thiserror::Error)]
pub enum MeaningError {
    /// The configuration file is invalid.
    #[error("the configuration of the embedding model can't be read: {0}")]
    Config(#[from] serde_json::Error),
    /// The tokenizer file is invalid, or the tokenizer failed on a text.
    #[error("the tokenizer of the embedding model failed: {0}")]
    Tokenizer(#[from] tokenizers::Error),
    /// The thread pool can't be created.
    #[error("can't start the threads of the embedding model: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
    /// The weights are invalid, or memory is exhausted.
    #[error("the embedding model failed: {0}")]
    Model(#[from] candle_core::Error),
}

/// The loaded model.
pub struct Embedder {
    model: BertModel,
    tokenizer: Tokenizer,
    /// The thread pool of its matrix products: candle runs rayon jobs in the pool that it was
    /// called from.
    pool: ThreadPool,
}

impl Embedder {
    /// Loads `config.json`, `model.safetensors` and `tokenizer.json`, and uses the given number of
    /// threads, or one per core.
    ///
    /// # Errors
    /// If a file is invalid.
    pub fn new(
        config: &[u8],
        weights: Vec<u8>,
        tokenizer: &[u8],
        n_threads: Option<usize>,
    ) -> Result<Embedder, MeaningError> {
        let config: Config = serde_json::from_slice(config)?;
        let mut tokenizer = Tokenizer::from_bytes(tokenizer)?;
        // The file's settings are for a server with fixed width: padding to 128 tokens.
        let truncation = TruncationParams { max_length: MAX_PIECES, ..TruncationParams::default() };
        tokenizer.with_padding(None).with_truncation(Some(truncation))?;
        let weights = VarBuilder::from_buffered_safetensors(weights, DType::F32, &Device::Cpu)?;
        // 0 is rayon's value for all cores.
        let pool = ThreadPoolBuilder::new().num_threads(n_threads.unwrap_or(0)).build()?;
        Ok(Embedder { model: BertModel::load(weights, &config)?, tokenizer, pool })
    }

    /// The embedding of a text.
    ///
    /// # Errors
    /// If the model fails, which indicates a defect.
    pub fn embed(&self, text: &str) -> Result<Vec<f32>, MeaningError> {
        self.pool.install(|| self.embed_here(text))
    }

    fn embed_here(&self, text: &str) -> Result<Vec<f32>, MeaningError> {
        let encoding = self.tokenizer.encode(text, true)?;
        let pieces = Tensor::new(encoding.get_ids(), &Device::Cpu)?.unsqueeze(0)?;
        // 1 × pieces × size
        let states = self.model.forward(&pieces, &pieces.zeros_like()?, None)?;
        let mean = states.mean(1)?.squeeze(0)?;
        let length = mean.sqr()?.sum_all()?.sqrt()?;
        Ok(mean.broadcast_div(&length)?.to_vec1()?)
    }
}
