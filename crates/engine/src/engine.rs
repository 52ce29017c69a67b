//! Opens a model: weights, tokenizer and chat template in one value.

use std::path::{Path, PathBuf};

use crate::{
    chat::{ChatError, ChatTemplate, template_source},
    gguf::{Gguf, GgufError, Metadata},
    source,
    tokenizer::{Tokenizer, TokenizerError},
    transformer::{Model, ModelError, ModelOptions},
};

/// A model with its tokenizer and its chat template.
#[derive(Debug)]
pub struct Engine {
    /// The file's key-value section.
    pub metadata: Metadata,
    /// Text to tokens and back.
    pub tokenizer: Tokenizer,
    /// Messages to text, if the file has a template and it could be compiled.
    pub template: Option<Result<ChatTemplate, ChatError>>,
    /// Tokens to logits.
    pub model: Model,
    /// The files that it was read from.
    pub files: Vec<PathBuf>,
    /// Their length together, in bytes.
    pub file_bytes: u64,
}

impl Engine {
    /// Opens a GGUF file, any part of a split one, or a Hugging Face folder. `progress` gets bytes
    /// read and bytes in all.
    pub fn open(
        path: &Path,
        options: &ModelOptions,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Engine, EngineError> {
        Engine::load(source::open(path, None)?, options, progress)
    }

    /// Reads the weights of a model whose header is open. `progress` as in [`Engine::open`].
    pub fn load(
        gguf: Gguf,
        options: &ModelOptions,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Engine, EngineError> {
        let model = Model::load(&gguf, options, progress)?;
        let tokenizer = Tokenizer::from_metadata(&gguf.metadata)?;
        if tokenizer.vocab_size() != model.config.vocab_size {
            return Err(EngineError::Vocabulary {
                tokenizer: tokenizer.vocab_size(),
                model: model.config.vocab_size,
            });
        }
        let text = |token| tokenizer.piece(token).to_string();
        let bos = tokenizer.bos().map(text).unwrap_or_default();
        let eos = tokenizer.eos().map(text).unwrap_or_default();
        // A template that is refused is an error only for those who ask for it.
        let source = template_source(&gguf.metadata, false)?;
        let template =
            source.map(|source| source.and_then(|source| ChatTemplate::new(source, &bos, &eos)));
        let (files, file_bytes) = (gguf.paths().to_vec(), gguf.file_len());
        Ok(Engine { metadata: gguf.metadata, tokenizer, template, model, files, file_bytes })
    }
}

/// Why a model file can't be used.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// It isn't a sound GGUF file.
    #[error(transparent)]
    Gguf(#[from] GgufError),
    /// Its hyperparameters or tensors don't make a model.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Its vocabulary doesn't make a tokenizer.
    #[error(transparent)]
    Tokenizer(#[from] TokenizerError),
    /// Its two halves disagree.
    #[error("the tokenizer has {tokenizer} tokens, but the model's embedding has {model}")]
    Vocabulary {
        /// Tokens of the tokenizer.
        tokenizer: usize,
        /// Rows of `token_embd.weight`.
        model: usize,
    },
}
