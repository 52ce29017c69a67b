//! The engine on real models: `kelvin models pull smollm2 gemma3 qwen2.5-coder-0.5b` fetches them,
//! `./check` writes the rest.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod chat_templates;
mod determinism;
mod goldens;
mod mistral_tokenizer;
mod qwen;
#[path = "../reference/mod.rs"]
mod reference;
mod tokenizer;
mod vocabularies;
