//! Real models in, one hash of all logits out: the same for any number of threads, batch, cut of
//! the prompt and instruction set, and for sequences that were forked or cut back.

use kelvin_engine::{
    TokenId,
    transformer::{Append, CacheFormat, Model, ModelOptions, Scratch, Want},
};
use kelvin_kernels::isa::Isa;
use kelvin_testkit::tiny::Random;

use crate::reference::run::{append, load, logits, real_model};

const SMOLLM2: &str = "SmolLM2-135M-Instruct.Q4_1.gguf";
const GEMMA3: &str = "gemma-3-270m-q4_k_m.gguf";

fn text(model: &Model, seed: u64, n: usize) -> Vec<TokenId> {
    let mut random = Random(seed);
    (0..n).map(|_| TokenId(random.token(model.config.vocab_size))).collect()
}

/// FNV-1a over the bits of every number, in order, a number at a time.
fn hash(rows: &[Vec<f32>]) -> u64 {
    let numbers = rows.iter().flatten().map(|x| u64::from(x.to_bits()));
    numbers.fold(0xCBF2_9CE4_8422_2325, |hash, x| (hash ^ x).wrapping_mul(0x0100_0000_01B3))
}

/// The hash of all logits of `texts`, `batch` of them at a time, each read `chunk` tokens a step.
fn hash_of(model: &Model, texts: &[Vec<TokenId>], batch: usize, chunk: usize) -> u64 {
    let mut rows: Vec<Vec<Vec<f32>>> = vec![Vec::new(); texts.len()];
    let mut scratch = Scratch::default();
    for (texts, rows) in texts.chunks(batch).zip(rows.chunks_mut(batch)) {
        let mut sequences: Vec<_> =
            texts.iter().map(|_| model.sequence(CacheFormat::F16)).collect();
        let longest = texts.iter().map(Vec::len).max().unwrap();
        for begin in (0..longest).step_by(chunk) {
            // Texts end at different steps, so the batch shrinks as it goes.
            let part = |text: &Vec<TokenId>| begin.min(text.len())..(begin + chunk).min(text.len());
            let running: Vec<usize> =
                (0..texts.len()).filter(|&i| !part(&texts[i]).is_empty()).collect();
            let mut step: Vec<Append<'_>> = sequences
                .iter_mut()
                .zip(texts)
                .filter(|(_, text)| !part(text).is_empty())
                .map(|(sequence, text)| Append {
                    sequence,
                    tokens: &text[part(text)],
                    want: Want::All,
                })
                .collect();
            let logits = model.forward(&mut step, &mut scratch).unwrap();
            let mut at = 0;
            for i in running {
                let n = part(&texts[i]).len();
                rows[i].extend((at..at + n).map(|row| logits.row(row).to_vec()));
                at += n;
            }
            assert_eq!(at, logits.n_rows());
        }
    }
    hash(&rows.concat())
}

/// Texts of different lengths.
fn texts(model: &Model, longest: usize) -> Vec<Vec<TokenId>> {
    (0..16).map(|i| text(model, 100 + i, longest - i as usize)).collect()
}

fn one_hash_for_all(file: &str, longest: usize) {
    let gguf = real_model(file);
    let mut hashes = Vec::new();
    for threads in [1, 2, 3] {
        let model = load(&gguf, &ModelOptions { threads, isa: None });
        assert_eq!(model.n_threads(), threads);
        let texts = texts(&model, longest);
        let ways = [
            (1, 1),
            (1, 16),
            (1, 512),
            (2, 16),
            (7, 1),
            (7, 16),
            (7, 512),
            (16, 1),
            (16, 16),
            (16, 512),
        ];
        for (batch, chunk) in ways {
            let hash = hash_of(&model, &texts, batch, chunk);
            println!("{file}: {threads} threads, batch {batch}, chunk {chunk}: {hash:016x}");
            hashes.push(hash);
        }
    }
    assert!(hashes.iter().all(|&hash| hash == hashes[0]), "{hashes:x?}");
}

#[test]
fn smollm2_threads_batches_and_chunks() {
    one_hash_for_all(SMOLLM2, 24);
}

#[test]
fn gemma3_threads_batches_and_chunks() {
    one_hash_for_all(GEMMA3, 18);
}

/// Scalar code is the specification. On a CPU without AVX2 there is only one set, and this fails to
/// say so aloud.
#[test]
fn instruction_sets_agree() {
    assert!(Isa::avx2().is_some(), "this CPU has no AVX2: run this test on one that has");
    for (file, longest) in [(SMOLLM2, 34), (GEMMA3, 6)] {
        let gguf = real_model(file);
        let hashes = Isa::all().into_iter().map(|isa| {
            let model = load(&gguf, &ModelOptions { threads: 0, isa: Some(isa) });
            assert_eq!(model.isa(), isa);
            let hash = hash_of(&model, &[text(&model, 5, longest)], 1, 512);
            println!("{file}: {} {hash:016x}", isa.name());
            hash
        });
        let hashes: Vec<u64> = hashes.collect();
        assert!(hashes.iter().all(|&hash| hash == hashes[0]), "{file}: {hashes:x?}");
    }
}

/// Past the window of 512 and through many pages: only the last logits are looked at. The last run
/// is on pages that were given back by the others, so what they left there doesn't show.
#[test]
fn a_long_prompt_in_any_chunks() {
    for file in [SMOLLM2, GEMMA3] {
        let gguf = real_model(file);
        let mut hashes = Vec::new();
        for isa in Isa::all().into_iter().filter(|&isa| isa != Isa::SCALAR) {
            let model = load(&gguf, &ModelOptions { threads: 0, isa: Some(isa) });
            let text = text(&model, 11, 2008);
            for chunk in [1, 16, 512, 2000, 100] {
                // A token at a time takes long: most of it in larger steps.
                let begin = if chunk == 1 { 1960 } else { 0 };
                let mut sequence = model.sequence(CacheFormat::F16);
                let mut scratch = Scratch::default();
                let steps = text[..begin].chunks(512).chain(text[begin..2000].chunks(chunk));
                for tokens in steps {
                    let step = Append { sequence: &mut sequence, tokens, want: Want::None };
                    assert_eq!(model.forward(&mut [step], &mut scratch).unwrap().n_rows(), 0);
                }
                hashes.push(hash(&append(&model, &mut sequence, &text[2000..], chunk)));
            }
        }
        println!("{file}: {hashes:016x?}");
        assert!(hashes.iter().all(|&hash| hash == hashes[0]), "{file}: {hashes:x?}");
    }
}

#[test]
fn forks_and_cuts_leave_no_trace() {
    let gguf = real_model(SMOLLM2);
    let model = load(&gguf, &ModelOptions { threads: 2, isa: None });
    let [prompt, left, right] = [(1, 45), (2, 30), (3, 25)].map(|(seed, n)| text(&model, seed, n));
    let fresh = |tail: &[TokenId]| {
        let all = [&prompt[..], tail].concat();
        hash(&logits(&model, &all, CacheFormat::F16, 512)[prompt.len()..])
    };
    let expected = [fresh(&left), fresh(&right)];

    let mut trunk = model.sequence(CacheFormat::F16);
    append(&model, &mut trunk, &prompt, 512);
    // A fork inside a page: both write to places that they share up to here.
    let mut fork = trunk.clone();
    let ours = [append(&model, &mut trunk, &left, 7), append(&model, &mut fork, &right, 4)]
        .map(|rows| hash(&rows));
    assert_eq!(ours, expected, "forks");

    // Back to the prompt, and the other way: what was written is gone, and the fork doesn't notice.
    trunk.truncate(prompt.len());
    assert_eq!(hash(&append(&model, &mut trunk, &right, 512)), expected[1], "a cut");
    fork.truncate(prompt.len() - 13);
    append(&model, &mut fork, &prompt[prompt.len() - 13..], 512);
    assert_eq!(
        hash(&append(&model, &mut fork, &left, 512)),
        expected[0],
        "a cut inside the prompt"
    );
    assert_eq!(fork.tokens(), [&prompt[..], &left[..]].concat());
}
