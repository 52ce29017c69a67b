//! Bytes in, a panic out if they break one of Kelvin's promises: a target for each parser of what
//! comes from outside.
//!
//! A target is a plain function, so an ordinary test (`tests/replay.rs`) runs it over the seeds in
//! `corpus/`. `libfuzzer/` is a workspace of its own, which runs the same functions under
//! libFuzzer; see README.md.

mod chain;
mod clock;
mod form;
mod gguf;
mod memory;
mod proof;
mod recipe;
mod request;
mod template;
mod tokenizer;

/// Chat templates are rendered on the calling thread from now on: starting another one for each
/// takes longer than most templates. The stack has to be as large as `run` makes it.
pub fn has_large_stack() {
    kelvin_engine::chat::render_on_this_stack();
}

#[global_allocator]
static ALLOCATOR: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;

/// A parser and its promises.
#[derive(Debug)]
pub struct Target {
    /// Its name.
    pub name: &'static str,
    /// The longest input worth trying, in bytes.
    pub max_len: usize,
    check: fn(&[u8]),
}

/// All targets. `run` reads `max_len` from these lines.
pub const TARGETS: &[Target] = &[
    Target { name: "chain", max_len: 512, check: chain::check },
    Target { name: "form", max_len: 2048, check: form::check },
    Target { name: "form_compile", max_len: 512, check: form::check_compiled },
    Target { name: "gguf", max_len: 8192, check: gguf::check },
    Target { name: "proof", max_len: 4096, check: proof::check },
    Target { name: "recipe", max_len: 2048, check: recipe::check },
    Target { name: "request", max_len: 2048, check: request::check },
    Target { name: "template", max_len: 4096, check: template::check },
    Target { name: "tokenizer", max_len: 1024, check: tokenizer::check },
    Target { name: "tokenizer_long", max_len: 1024, check: tokenizer::check_long },
];

impl Target {
    /// The folder in `corpus/` that has its seeds: targets that do more with the same input share
    /// one.
    pub fn corpus(&self) -> &'static str {
        self.name.split('_').next().unwrap_or(self.name)
    }

    /// Panics if these bytes break a promise.
    pub fn run(&self, bytes: &[u8]) {
        (self.check)(bytes);
    }
}
