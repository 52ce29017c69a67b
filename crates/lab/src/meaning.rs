//! A text in, its place among meanings out: a vector of length 1 by all-MiniLM-L6-v2 (Reimers &
//! Gurevych 2019, arXiv 1908.10084), the nearer to another's the more alike the two texts are.
//!
//! The model is candle's, since Kelvin's own engine only writes. As sentence-transformers runs it:
//! the first 256 word pieces, both ends marked, the mean over all of them. Each text goes alone, so
//! that none depends on its neighbours; the last bits depend on the processor, not on how many
//! threads compute.

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::{BertModel, Config};
use rayon::{ThreadPool, ThreadPoolBuilder};
use tokenizers::{Tokenizer, TruncationParams};

/// Word pieces that are read, the two ends among them: what the model was trained for.
const MOST_PIECES: usize = 256;

/// Why texts can't be placed.
#[derive(Debug, thiserror::Error)]
pub enum MeaningError {
    /// The file of settings is wrong.
    #[error("the settings of the model of meanings can't be read: {0}")]
    Config(#[from] serde_json::Error),
    /// The tokenizer's file is wrong, or it refuses a text.
    #[error("the tokenizer of the model of meanings failed: {0}")]
    Tokenizer(#[from] tokenizers::Error),
    /// There are no threads to be had.
    #[error("the model of meanings gets no threads: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
    /// The weights are wrong, or there is no room.
    #[error("the model of meanings failed: {0}")]
    Model(#[from] candle_core::Error),
}

/// The open model.
pub struct Embedder {
    model: BertModel,
    tokenizer: Tokenizer,
    /// Who multiplies its matrices: whatever candle gives to rayon is done by the pool from which
    /// it was called.
    pool: ThreadPool,
}

impl Embedder {
    /// Of the model's three files: `config.json`, `model.safetensors` and `tokenizer.json`; with so
    /// many threads, or one for each core.
    ///
    /// # Errors
    /// If one of them is another thing.
    pub fn new(
        config: &[u8],
        weights: Vec<u8>,
        tokenizer: &[u8],
        n_threads: Option<usize>,
    ) -> Result<Embedder, MeaningError> {
        let config: Config = serde_json::from_slice(config)?;
        let mut tokenizer = Tokenizer::from_bytes(tokenizer)?;
        // The file has settings for a server of fixed width: 128 pieces, filled up.
        let truncation =
            TruncationParams { max_length: MOST_PIECES, ..TruncationParams::default() };
        tokenizer.with_padding(None).with_truncation(Some(truncation))?;
        let weights = VarBuilder::from_buffered_safetensors(weights, DType::F32, &Device::Cpu)?;
        // rayon's 0 is every core.
        let pool = ThreadPoolBuilder::new().num_threads(n_threads.unwrap_or(0)).build()?;
        Ok(Embedder { model: BertModel::load(weights, &config)?, tokenizer, pool })
    }

    /// Where a text lies.
    ///
    /// # Errors
    /// If the model fails, which it shouldn't.
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
