//! Entry points for the fuzz targets: bytes from strangers in, what the server and the command line
//! would say to them out.
//!
//! Nothing else uses this module. It exists because the parsers of requests and forms are private
//! to this crate.

use std::path::Path;

use kelvin_engine::{
    Engine, generate::Constraint, tokenizer::Tokenizer, transformer::ModelOptions,
};

use crate::{constraint, server::DryRun};

/// The server's routes without a socket and without an engine thread.
pub struct Requests(DryRun);

impl Requests {
    /// The routes of a server that has opened the file `model`.
    ///
    /// # Errors
    /// If the file can't be opened as a model, or threads can't be started.
    pub fn new(model: &Path) -> anyhow::Result<Requests> {
        let engine = Engine::open(model, &ModelOptions { threads: 1, isa: None }, &mut |_, _| {})?;
        Ok(Requests(DryRun::new(engine)?))
    }

    /// Status and body of the answer to a POST. A request that needs a step of the model gets 503,
    /// as from a server that shuts down.
    pub fn post(&self, path: &str, body: &[u8]) -> (u16, Vec<u8>) {
        self.0.post(path, body)
    }
}

/// The ways in which a form is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notation {
    /// A JSON schema.
    Schema,
    /// A regular expression.
    Regex,
    /// A grammar in Lark's notation.
    Lark,
    /// Texts to choose from, one a line.
    Choice,
}

impl Notation {
    fn form(self, text: &str) -> Result<constraint::Form, String> {
        Ok(match self {
            Notation::Schema => {
                constraint::Form::schema(text).map_err(|error| error.to_string())?
            }
            Notation::Regex => constraint::Form::Regex(text.to_string()),
            Notation::Lark => constraint::Form::Lark(text.to_string()),
            Notation::Choice => {
                constraint::Form::Choice(text.lines().map(str::to_string).collect())
            }
        })
    }

    /// Whether Kelvin's own checks let a form pass to the compiler; the words of the refusal if
    /// not.
    ///
    /// # Errors
    /// The refusal.
    pub fn check(self, text: &str) -> Result<(), String> {
        self.form(text)?.grammar().map(drop).map_err(|error| error.to_string())
    }
}

/// A vocabulary for which forms are compiled.
pub struct Forms(constraint::Forms);

impl Forms {
    /// Of a tokenizer's tokens.
    ///
    /// # Errors
    /// If no token of it ends a text.
    pub fn new(tokenizer: &Tokenizer) -> Result<Forms, String> {
        constraint::Forms::in_process(tokenizer).map(Forms).map_err(|error| error.to_string())
    }

    /// A form compiled as a request's form is.
    ///
    /// # Errors
    /// The refusal.
    pub fn compile(&self, notation: Notation, text: &str) -> Result<Box<dyn Constraint>, String> {
        self.0.compile(&notation.form(text)?).map_err(|error| error.to_string())
    }
}
