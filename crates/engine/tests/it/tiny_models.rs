//! Very small models of random F32 weights in; the engine's logits against the plain reference's
//! out, and a clear error for every hyperparameter that can't be. No network, no download.

use std::{fs, time::Instant};

use kelvin_engine::{
    TokenId,
    gguf::Gguf,
    transformer::{Append, CacheFormat, Model, ModelOptions, Scratch, Want},
};
use kelvin_testkit::tiny::{
    GEMMA3_LIKE, LLAMA3_LIKE, MISTRAL_LIKE, Meta, Random, Shape, TinyModel,
};

use crate::reference::{
    Reference,
    run::{ids, load, logits},
};

/// Longer than a page of the cache and than every window.
const N_TOKENS: usize = 45;

fn open(model: &TinyModel) -> Gguf {
    let path = model.write();
    let gguf = Gguf::open(&path).unwrap();
    fs::remove_file(path).unwrap();
    gguf
}

fn text(shape: &Shape) -> Vec<u32> {
    let mut random = Random(7);
    (0..N_TOKENS).map(|_| random.token(shape.vocab_size)).collect()
}

/// The largest difference of two tables of logits, in units of the largest logit.
fn difference(ours: &[Vec<f32>], truth: &[Vec<f64>]) -> f64 {
    assert_eq!(ours.len(), truth.len());
    let pairs = ours.iter().flatten().zip(truth.iter().flatten());
    let scale = truth.iter().flatten().fold(0.0, |max: f64, x| max.max(x.abs()));
    assert!(scale > 0.5, "logits of at most {scale} test nothing");
    // A NaN in the engine's logits must not slip through a maximum.
    pairs
        .map(|(&a, b)| (f64::from(a) - b).abs() / scale)
        .fold(0.0, |max, d| if d <= max { max } else { d })
}

#[track_caller]
fn agrees_with_the_reference(shape: &Shape, name: &str) {
    let tokens = text(shape);
    let truth = Reference::new(open(&TinyModel::new(shape))).logits(&tokens, tokens.len());
    let model = load(&open(&TinyModel::new(shape)), &ModelOptions { threads: 2, isa: None });
    for chunk in [1, 10, N_TOKENS] {
        let d = difference(&logits(&model, &ids(&tokens), CacheFormat::F32, chunk), &truth);
        assert!(
            d <= 1e-4,
            "{name}, keys and values in f32, steps of {chunk}: logits differ by {d:.1e} of their \
             scale"
        );
    }
    let d = difference(&logits(&model, &ids(&tokens), CacheFormat::F16, N_TOKENS), &truth);
    assert!(d <= 1e-2, "{name}, keys and values in f16: logits differ by {d:.1e} of their scale");
}

#[test]
fn grouped_queries_and_a_window() {
    agrees_with_the_reference(&MISTRAL_LIKE, "mistral-like");
}

#[test]
fn frequency_factors_and_tied_embeddings() {
    agrees_with_the_reference(&LLAMA3_LIKE, "llama3-like");
}

#[test]
fn local_and_global_layers() {
    agrees_with_the_reference(&GEMMA3_LIKE, "gemma3-like");
}

#[test]
fn a_long_text_of_a_tiny_model_through_many_pages() {
    let tokens: Vec<u32> = [text(&GEMMA3_LIKE), text(&GEMMA3_LIKE), text(&GEMMA3_LIKE)].concat();
    let gguf = open(&TinyModel::new(&GEMMA3_LIKE));
    let model = load(&gguf, &ModelOptions { threads: 1, isa: None });
    let truth = Reference::new(gguf).logits(&tokens, tokens.len());
    let d = difference(&logits(&model, &ids(&tokens), CacheFormat::F32, 50), &truth);
    assert!(d <= 1e-4, "logits differ by {d:.1e} of their scale");
}

/// Three layers that look six tokens back see eighteen tokens: what lies before can't change a bit.
#[test]
fn nothing_is_seen_past_the_window() {
    let tokens = text(&MISTRAL_LIKE);
    let mut other = tokens.clone();
    other[20] = (tokens[20] + 1) % MISTRAL_LIKE.vocab_size as u32;
    let model =
        load(&open(&TinyModel::new(&MISTRAL_LIKE)), &ModelOptions { threads: 1, isa: None });
    let [a, b] =
        [tokens, other].map(|tokens| logits(&model, &ids(&tokens), CacheFormat::F16, N_TOKENS));
    assert_eq!(a[..20], b[..20]);
    assert!((20..=38).all(|i| a[i] != b[i]), "token 20 is seen up to token 38");
    assert_eq!(a[39..], b[39..]);
}

#[test]
fn a_batch_gives_each_sequence_the_bits_it_has_alone() {
    let model = load(&open(&TinyModel::new(&GEMMA3_LIKE)), &ModelOptions { threads: 2, isa: None });
    let tokens = ids(&text(&GEMMA3_LIKE));
    let texts = [&tokens[..40], &tokens[3..], &tokens[7..8]];
    let mut sequences = texts.map(|_| model.sequence(CacheFormat::F16));
    let mut batch: Vec<Append<'_>> = sequences
        .iter_mut()
        .zip(texts)
        .zip([Want::Last, Want::All, Want::Last])
        .map(|((sequence, tokens), want)| Append { sequence, tokens, want })
        .collect();
    let mut scratch = Scratch::default();
    let together = model.forward(&mut batch, &mut scratch).unwrap();
    let alone = texts.map(|tokens| logits(&model, tokens, CacheFormat::F16, N_TOKENS));
    let expected = [&alone[0][39..], &alone[1][..], &alone[2][..]].concat();
    assert_eq!(together.n_rows(), expected.len());
    (0..expected.len()).for_each(|i| assert_eq!(together.row(i), expected[i], "row {i}"));
}

#[test]
fn a_token_outside_the_vocabulary_and_a_full_context_are_errors() {
    let model =
        load(&open(&TinyModel::new(&MISTRAL_LIKE)), &ModelOptions { threads: 1, isa: None });
    let mut scratch = Scratch::default();
    let mut sequence = model.sequence(CacheFormat::F16);
    for tokens in [vec![TokenId(101)], vec![TokenId(u32::MAX)], vec![TokenId(1); 257]] {
        let step = Append { sequence: &mut sequence, tokens: &tokens, want: Want::Last };
        assert!(model.forward(&mut [step], &mut scratch).is_err());
        assert_eq!(sequence.len(), 0, "a refused step leaves the sequence as it was");
    }
}

/// The file is refused within two seconds, by a sentence that names `what`.
#[track_caller]
fn refuses(model: &TinyModel, what: &str) {
    let path = model.write();
    let begun = Instant::now();
    let result = Gguf::open(&path).map_err(|error| error.to_string()).and_then(|gguf| {
        Model::load(&gguf, &ModelOptions { threads: 1, isa: None }, &mut |_, _| {})
            .map_err(|error| error.to_string())
    });
    fs::remove_file(path).unwrap();
    let error = result.err().unwrap_or_else(|| panic!("a wrong {what} was believed"));
    assert!(error.contains(what), "the error doesn't name {what}: {error}");
    assert!(begun.elapsed().as_secs_f32() < 2.0, "{what} took {:?}", begun.elapsed());
}

const SIZES: [&str; 7] = [
    "attention.head_count",
    "attention.head_count_kv",
    "embedding_length",
    "block_count",
    "rope.dimension_count",
    "attention.key_length",
    "vocab_size",
];

#[test]
fn a_size_of_zero_is_refused() {
    for (shape, key) in
        [&MISTRAL_LIKE, &GEMMA3_LIKE].into_iter().flat_map(|shape| SIZES.map(|key| (shape, key)))
    {
        let mut model = TinyModel::new(shape);
        model.set(key, Meta::U32(0));
        refuses(&model, key);
    }
}

#[test]
fn a_size_of_the_wrong_type_is_refused() {
    for (key, value) in
        SIZES.iter().flat_map(|key| [(key, Meta::Str("many".into())), (key, Meta::F32(4.0))])
    {
        let mut model = TinyModel::new(&MISTRAL_LIKE);
        model.set(key, value);
        refuses(&model, key);
    }
}

#[test]
fn sizes_that_cannot_be_are_refused() {
    for n_layers in [513, u32::MAX] {
        let mut model = TinyModel::new(&MISTRAL_LIKE);
        model.set("block_count", Meta::U32(n_layers));
        refuses(&model, "block_count");
    }
    for key in ["attention.head_count", "embedding_length", "feed_forward_length", "context_length"]
    {
        let mut model = TinyModel::new(&MISTRAL_LIKE);
        model.set(key, Meta::U32(u32::MAX));
        refuses(&model, key);
    }
}

/// Each alone might be, but a step's buffers would be out of all proportion to the file.
#[test]
fn shapes_out_of_proportion_are_refused() {
    let d_model = MISTRAL_LIKE.d_model as u32;
    for (keys, named) in [
        (vec![("feed_forward_length", 64 * d_model + 1)], "feed_forward_length"),
        (vec![("attention.head_count", 64 * d_model)], "attention.head_count"),
        (
            vec![
                ("attention.head_count", 129),
                ("attention.head_count_kv", 1),
                ("attention.key_length", 2),
            ],
            "attention.head_count_kv",
        ),
    ] {
        let mut model = TinyModel::new(&MISTRAL_LIKE);
        keys.into_iter().for_each(|(key, n)| model.set(key, Meta::U32(n)));
        refuses(&model, named);
    }
}

#[test]
fn matrices_of_few_rows_are_refused() {
    for (key, n) in [("feed_forward_length", 7), ("embedding_length", 4)] {
        let mut model = TinyModel::new(&MISTRAL_LIKE);
        model.set("attention.head_count", Meta::U32(2));
        model.set("attention.head_count_kv", Meta::U32(2));
        model.set("attention.key_length", Meta::U32(4));
        model.set("attention.value_length", Meta::U32(4));
        model.set("rope.dimension_count", Meta::U32(4));
        model.set(key, Meta::U32(n));
        refuses(&model, key);
    }
}

#[test]
fn factors_below_zero_turn_the_other_way() {
    let mut model = TinyModel::new(&LLAMA3_LIKE);
    let factors = model.tensors.iter_mut().find(|(name, ..)| name == "rope_freqs.weight").unwrap();
    factors.2[1] = -0.25;
    let tokens = text(&LLAMA3_LIKE);
    let truth = Reference::new(open(&model)).logits(&tokens, tokens.len());
    let run = |model: &TinyModel| {
        let model = load(&open(model), &ModelOptions { threads: 2, isa: None });
        logits(&model, &ids(&tokens), CacheFormat::F32, N_TOKENS)
    };
    let ours = run(&model);
    let d = difference(&ours, &truth);
    assert!(d <= 1e-4, "logits differ by {d:.1e} of their scale");
    assert!(ours != run(&TinyModel::new(&LLAMA3_LIKE)), "the factor changes nothing");
}

#[test]
fn factors_that_divide_no_angle_are_refused() {
    for bad in [0.0, -0.0, f32::NAN, f32::INFINITY] {
        let mut model = TinyModel::new(&LLAMA3_LIKE);
        let factors =
            model.tensors.iter_mut().find(|(name, ..)| name == "rope_freqs.weight").unwrap();
        factors.2[1] = bad;
        refuses(&model, "rope_freqs.weight");
    }
}

#[test]
fn a_step_without_tokens_is_an_error() {
    let model = load(&open(&TinyModel::new(&MISTRAL_LIKE)), &ModelOptions::default());
    let mut sequence = model.sequence(CacheFormat::F16);
    let step = Append { sequence: &mut sequence, tokens: &[], want: Want::Last };
    let error = model.forward(&mut [step], &mut Scratch::default()).unwrap_err();
    assert!(error.to_string().contains("no tokens"), "{error}");
}

#[test]
fn heads_that_do_not_divide_are_refused() {
    let mut model = TinyModel::new(&MISTRAL_LIKE);
    model.set("attention.head_count_kv", Meta::U32(3));
    refuses(&model, "attention.head_count_kv");
    let mut model = TinyModel::new(&MISTRAL_LIKE);
    model.metadata.retain(|(key, _)| !key.contains("_length") || key.contains("embedding"));
    model.set("attention.head_count", Meta::U32(5));
    model.set("attention.head_count_kv", Meta::U32(5));
    refuses(&model, "attention.head_count");
}

#[test]
fn missing_keys_are_refused() {
    for key in ["attention.head_count", "embedding_length", "block_count", "feed_forward_length"] {
        let mut model = TinyModel::new(&MISTRAL_LIKE);
        model.metadata.retain(|(k, _)| *k != format!("llama.{key}"));
        refuses(&model, key);
    }
}

#[test]
fn an_unknown_architecture_is_refused_with_those_that_are_known() {
    let mut model = TinyModel::new(&MISTRAL_LIKE);
    model.metadata[0].1 = Meta::Str("gptj".into());
    refuses(&model, "gptj");
    refuses(&model, "gemma3");
}

#[test]
fn a_tensor_whose_shape_disagrees_is_refused() {
    let names: Vec<String> =
        TinyModel::new(&GEMMA3_LIKE).tensors.iter().map(|(name, _, _)| name.clone()).collect();
    // The vocabulary's size is what the embedding says, and a tied embedding may have any.
    for name in names.iter().filter(|name| {
        *name != "token_embd.weight" && (name.contains("blk.3.") || !name.contains("blk."))
    }) {
        let mut model = TinyModel::new(&GEMMA3_LIKE);
        let (_, shape, values) = model.tensors.iter_mut().find(|tensor| tensor.0 == *name).unwrap();
        let last = shape.len() - 1;
        shape[last] += 1;
        values.resize(shape.iter().product(), 0.0);
        refuses(&model, name);

        let mut model = TinyModel::new(&GEMMA3_LIKE);
        model.tensors.retain(|tensor| tensor.0 != *name);
        refuses(&model, name);
    }
    // The hyperparameters disagree with every tensor.
    for key in ["embedding_length", "feed_forward_length", "attention.head_count"] {
        let mut model = TinyModel::new(&MISTRAL_LIKE);
        model.set(key, Meta::U32(72));
        refuses(&model, "weight");
    }
}
