//! The engine from outside, without network or downloaded models: model files, tokenizers, chat
//! templates, the forward pass on very small models.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod batch;
mod chat_child;
mod chat_hostile;
mod chat_hostile_values;
mod chat_language;
mod chat_snippets;
mod chat_templates;
mod families;
mod folder;
mod formats;
mod gguf_malformed;
mod gguf_malformed_tensors;
mod gguf_memory;
mod gguf_parts;
mod gguf_read;
mod guesses;
mod phases;
mod prefixes;
#[path = "../reference/mod.rs"]
mod reference;
mod search;
mod stages;
mod texts;
mod tiny_models;
mod tokenizer;
mod tokenizer_malformed;
mod tokenizer_names;
mod unread;
