//! One tiny model of each kind has the same bits for every number of threads, batch, cut into
//! steps, fork and instruction set, with keys and values in f16 and in f32.

use kelvin_engine::{
    TokenId,
    transformer::{Append, CacheFormat, Model, ModelOptions, Scratch, Sequence, Want},
};
use kelvin_kernels::isa::Isa;

use super::{
    build::Case,
    cases::cases,
    run::{open_case, tokens},
};
use crate::reference::run::{ids, load};

/// A case for each kind of part.
const KINDS: &[&str] = &[
    "llama.longrope",       // RMS norm, two sets of rotary factors
    "mistral3.full",        // YaRN, a temperature by position, biases
    "gemma2.full",          // windows, soft caps, norms after each half
    "olmo2.full",           // norms of whole queries and keys
    "hunyuan-dense.full",   // norms of heads after their rotation
    "gpt2.full",            // LayerNorm, learned positions
    "bloom.full",           // ALiBi, a norm of the embedding
    "gptneox.full",         // parallel residual
    "apertus.full",         // xIELU
    "qwen3vl.full",         // pairs that don't turn
    "bitnet.full",          // norms inside, scales of matrices
    "muse-glimmer.full",    // a gate of attention's output
    "nanbeige.full",        // blocks that are run twice
    "deci.parts",           // layers without attention or feed-forward
    "minicpm3.full",        // latent attention
    "gemma4.shared",        // an embedding for each layer, keys and values shared by layers
    "smallthinker.full",    // a router that reads the stream before attention
    "gpt-oss.mxfp4",        // experts in MXFP4 with biases, attention sinks
    "qwen2moe.iq4_experts", // a shared expert with a gate
    "lfm2.full",            // short convolutions
    "qwen35.full",          // the delta rule, heads in turn, a gate of attention in its queries
    "qwen3next.full",       // the delta rule, neighbouring heads, experts
    "falcon-h1.full",       // Mamba 2 beside attention
    "granitehybrid.full",   // Mamba 2 by turns with attention
    "bailingmoe2.full",     // groups of experts, a bias for selection, a dense layer first
    "deepseek2.full",       // latent attention with matrices of each head, experts
    "llama4.full",          // weights of experts' inputs, a temperature of layers that don't rotate
    "mimo2.full",           // values narrower than keys
    "laguna.full",          // softplus gates, heads that differ from layer to layer
    "arctic.full",          // experts of the stream before attention
    "step35.full",          // limits of activations
    "mamba.full",           // a state whose columns decay at rates of their own
    "plamo2.full",          // Mamba 2's heads, inputs made of the convolution's output
    "kimi-linear.full",     // a decay for each row, by turns with latent attention
    "bailingmoe3.full",     // bounded decays, a gate of latent attention
    "minimax-01.full",      // decays of heads without a convolution, halves that add to norms
    "rwkv7.full",           // a state that is rewritten, tokens mixed with the one before
    "rwkv6.full",           // a state that is read before it changes
    "rwkv6qwen2.full",      // gated linear attention, heads that share keys
    "hrm_text.full",        // two stacks of layers by turns
    "k2-horizon.values",    // norms of parts of the stream, values that experts make
    "grovemoe.full",        // experts that share networks
    "dots3note.full",       // latent attention of other widths in layers with a window
    "hy_v4.full",           // several streams, sinks of latent attention
    "chameleon.full",       // LayerNorms of heads, tokens that are never made
    "graniteswitch.full",   // adapters that tokens switch on
    "qwen4exp.full",        // gates of several streams, a table of n-grams
    "glm5-next.full",       // several streams that are mixed
    "kimi-k3.full",         // kept sums of the stream, experts of a narrower one
    "deepseek4.long",       // compressed keys of 4 and of 128 tokens, experts by the token
];
/// Texts of a batch: longer than a page, all but one forks of the first.
const N_TEXTS: usize = 7;
const N_TOKENS: usize = 36;
/// Of texts that are longer than what any key stands for.
const N_TOKENS_OF_LONG: usize = 150;
/// Where forks part.
const FORK: usize = 13;

/// The texts: they begin alike.
fn texts(case: &Case) -> Vec<Vec<TokenId>> {
    let tokens = ids(&tokens(case));
    let len = if tokens.len() > N_TOKENS_OF_LONG { N_TOKENS_OF_LONG } else { N_TOKENS };
    let text = |i: usize| [&tokens[..FORK], &tokens[FORK + i..len + i]].concat();
    (0..N_TEXTS).map(text).collect()
}

/// The logits after each token of each sequence of a batch, all texts cut into steps alike.
fn append(
    model: &Model,
    sequences: &mut [Sequence],
    texts: &[&[TokenId]],
    chunk: usize,
) -> Vec<Vec<f32>> {
    let mut scratch = Scratch::default();
    let mut rows = vec![Vec::new(); texts.len()];
    let mut start = 0;
    while start < texts[0].len() {
        let end = (start + chunk).min(texts[0].len());
        let steps = sequences.iter_mut().zip(texts);
        let mut batch: Vec<Append<'_>> = steps
            .map(|(sequence, text)| Append { sequence, tokens: &text[start..end], want: Want::All })
            .collect();
        let logits = model.forward(&mut batch, &mut scratch).unwrap();
        for (i, rows) in rows.iter_mut().enumerate() {
            for at in 0..end - start {
                rows.extend_from_slice(logits.row(i * (end - start) + at));
            }
        }
        start = end;
    }
    rows
}

/// The logits of the first `batch` texts; as forks, those after `FORK` tokens.
fn run(
    model: &Model,
    texts: &[Vec<TokenId>],
    (cache, batch, chunk, fork): (CacheFormat, usize, usize, bool),
) -> Vec<Vec<f32>> {
    let from = if fork { FORK } else { 0 };
    let mut first = model.sequence(cache);
    if fork {
        append(model, std::slice::from_mut(&mut first), &[&texts[0][..FORK]], chunk);
    }
    let mut sequences: Vec<Sequence> = (0..batch).map(|_| first.clone()).collect();
    let parts: Vec<&[TokenId]> = texts[..batch].iter().map(|text| &text[from..]).collect();
    append(model, &mut sequences, &parts, chunk)
}

fn check(case: &Case) {
    let texts = texts(case);
    let gguf = open_case(case);
    let caches = CacheFormat::ALL;
    let alone = load(&gguf, &ModelOptions { threads: 1, isa: None });
    let expected = caches.map(|cache| -> Vec<Vec<f32>> {
        let text = |i: usize| run(&alone, &texts[i..=i], (cache, 1, 512, false)).remove(0);
        (0..N_TEXTS).map(text).collect()
    });
    let compare = |model: &Model, (batch, chunk, fork): (usize, usize, bool)| {
        for (cache, expected) in caches.into_iter().zip(&expected) {
            let found = run(model, &texts, (cache, batch, chunk, fork));
            let from = if fork { FORK * model.config.vocab_size } else { 0 };
            for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
                assert!(
                    found[..] == expected[from..],
                    "{}, {} threads on {}, cache {cache:?}, batch of {batch}, steps of {chunk}, \
                     fork {fork}: text {i} has other bits",
                    case.name,
                    model.n_threads(),
                    model.isa().name(),
                );
            }
        }
    };
    for threads in [1, 2, 3] {
        let model = load(&gguf, &ModelOptions { threads, isa: None });
        for (batch, chunk) in [(1, 1), (1, 16), (1, 512), (7, 1), (7, 16), (7, 512)] {
            compare(&model, (batch, chunk, false));
        }
        for (batch, chunk) in [(1, 16), (7, 16)] {
            compare(&model, (batch, chunk, true));
        }
    }
    for isa in Isa::all().into_iter().filter(|isa| *isa != Isa::best()) {
        let model = load(&gguf, &ModelOptions { threads: 2, isa: Some(isa) });
        compare(&model, (7, 16, true));
        compare(&model, (1, 1, false));
    }
}

#[test]
fn a_model_of_each_kind_has_the_same_bits_however_it_is_run() {
    for kind in KINDS {
        let case = cases().find(|case| case.name == *kind);
        check(case.unwrap_or_else(|| panic!("no case {kind}")));
    }
}
