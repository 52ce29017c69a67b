//! Opens a model: weights, tokenizer and chat template in one value.

use std::path::{Path, PathBuf};

use kelvin_sampling::{Chain, ChainError};

use crate::{
    TokenId,
    chat::{ChatError, ChatTemplate, Reasoning, template_source},
    generate::{BlockReader, Thoughts},
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
    /// What begins and ends the model's thoughts, if its template shows it.
    pub reasoning: Option<Reasoning>,
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
        let text = source.as_ref().and_then(|source| source.as_ref().ok());
        let reasoning = text.and_then(|text| Reasoning::of_template(text));
        let template =
            source.map(|source| source.and_then(|source| ChatTemplate::new(source, &bos, &eos)));
        let (files, file_bytes) = (gguf.paths().to_vec(), gguf.file_len());
        let metadata = gguf.metadata;
        Ok(Engine { metadata, tokenizer, template, reasoning, model, files, file_bytes })
    }

    /// How the model's thoughts are treated: at most `budget` tokens of them, kept `apart` from the
    /// answer or not. `None` if it doesn't think.
    ///
    /// # Errors
    /// If it doesn't think, and there is a budget.
    pub fn thoughts(
        &self,
        budget: Option<usize>,
        apart: bool,
    ) -> Result<Option<Thoughts>, NoThoughts> {
        match (self.reasoning, budget) {
            (None, Some(_)) => Err(NoThoughts),
            (reasoning, _) => Ok(reasoning.map(|reasoning| Thoughts { reasoning, budget, apart })),
        }
    }

    /// Tells the thoughts of a text after `prompt` from its answer.
    pub fn read_blocks(&self, prompt: &[TokenId]) -> BlockReader<'_> {
        BlockReader::new(&self.tokenizer, self.reasoning, prompt)
    }

    /// A chain for this model: with the tokens of its texts, and for a schedule with what places
    /// look at. It prints as before.
    ///
    /// # Errors
    /// If a stage names a token that the model doesn't have; or if a place is in a reasoning block,
    /// and the model's template shows none.
    pub fn bind(&self, chain: &Chain) -> Result<Chain, ChainError> {
        chain.check_ids(self.tokenizer.vocab_size())?;
        let chain = self.tokenizer.bind(chain);
        if !chain.is_schedule() {
            return Ok(chain);
        }
        let marks = self.reasoning.map(|reasoning| reasoning.marks());
        chain.within(&self.tokenizer.token_texts(), marks)
    }
}

/// A budget for thoughts of a model that has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "it limits the thoughts of a model, but the chat template of this one shows no reasoning block \
     (such as <think>…</think>)"
)]
pub struct NoThoughts;

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
