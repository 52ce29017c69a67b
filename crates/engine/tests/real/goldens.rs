//! Real models in; the engine's logits against llama.cpp's (`goldens/`) and against the truth out.
//!
//! llama.cpp's two runs differ from each other by up to 0.7 logits, so its logits are a loose
//! check. The sharp one is the divergence from the plain reference, which rounds nothing; the
//! reference itself is held against llama.cpp here too.

use kelvin_engine::{
    tokenizer::Tokenizer,
    transformer::{CacheFormat, ModelOptions},
};
use serde_json::Value;

use crate::reference::{
    Reference, Rows,
    run::{ids, load, logits, real_model},
};

const SMOLLM2: (&str, &str) =
    ("SmolLM2-135M-Instruct.Q4_1.gguf", include_str!("../goldens/smollm2.json"));
const GEMMA3: (&str, &str) = ("gemma-3-270m-q4_k_m.gguf", include_str!("../goldens/gemma3.json"));

const QWEN2: (&str, &str) =
    ("qwen2.5-coder-0.5b-instruct-q4_k_m.gguf", include_str!("../goldens/qwen2.json"));

/// How far a logit may lie from that of llama.cpp's plain run.
const LOOSE: f64 = 0.75;
/// Where llama.cpp's first token leads by this much, it must be ours as well.
const CLEAR: f64 = 0.8;

/// Ordinary English, about a hundred tokens.
const TEXT: &str = "The village lies at the end of a long valley, where the road turns into a path \
    and the path into \
    steps. In spring the river carries melted snow past the mill, and children go down after \
    school to watch the wheel \
    turn. Nobody has ground flour there for forty years; the miller's grandson repairs bicycles in \
    the lower room and \
    rents the upper one to walkers. When the rain comes early, the bridge is closed, and whoever \
    is on the wrong side \
    stays for the night, eats lentils and rice, and listens to stories about the winter of the \
    great avalanche.";

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

fn tokens(value: &Value) -> Vec<u32> {
    numbers(value).into_iter().map(|x| x as u32).collect()
}

fn first(row: &[f64]) -> u32 {
    (0..row.len()).rev().max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap() as u32
}

/// Checks the logits after a case's prompt and after each of llama.cpp's own greedy tokens, fed in.
#[track_caller]
fn agrees_with_llama_cpp(who: &str, case: &Value, run: &dyn Fn(&[u32], usize) -> Rows) {
    let prompt = case["prompt"].as_str().unwrap();
    let plain = &case["reference"];
    let greedy = tokens(&plain["greedy64_tokens"]);
    let text = [tokens(&case["prompt_tokens"]), greedy.clone()].concat();
    let rows = run(&text, greedy.len() + 1);

    let top20: Vec<Vec<f64>> =
        plain["top20_logits"].as_array().unwrap().iter().map(numbers).collect();
    assert_eq!(top20.len(), 20);
    let distances = top20.iter().map(|pair| (rows[0][pair[0] as usize] - pair[1]).abs());
    let worst = distances.fold(0.0, f64::max);
    assert!(worst <= LOOSE, "{who}, {prompt:?}: a top-20 logit is {worst:.3} from llama.cpp's");

    let margins = numbers(&plain["top1_minus_top2"]);
    let mut n_same = 0;
    for (i, (&token, &margin)) in greedy.iter().zip(&margins).enumerate() {
        let ours = first(&rows[i]);
        n_same += usize::from(ours == token);
        assert!(
            margin < CLEAR || ours == token,
            "{who}, {prompt:?}, step {i}: {ours}, where llama.cpp has {token} by {margin}"
        );
    }
    println!(
        "{who}, {prompt:?}: worst top-20 logit {worst:.3} off, the same first token {n_same} of {}",
        greedy.len()
    );
}

#[test]
fn engine_agrees_with_llama_cpp() {
    for (file, golden) in [SMOLLM2, GEMMA3, QWEN2] {
        let model = load(&real_model(file), &ModelOptions { threads: 0, isa: None });
        let golden: Value = serde_json::from_str(golden).unwrap();
        for case in golden["generation"].as_array().unwrap() {
            agrees_with_llama_cpp(file, case, &|text, n_wanted| {
                let rows = logits(&model, &ids(text), CacheFormat::F16, 512);
                rows[text.len() - n_wanted..]
                    .iter()
                    .map(|row| row.iter().map(|&x| f64::from(x)).collect())
                    .collect()
            });
        }
    }
}

/// The truth must be true: the plain code, which shares nothing with the engine, on the first case
/// of each model.
#[test]
fn reference_agrees_with_llama_cpp() {
    for (file, golden) in [SMOLLM2, GEMMA3] {
        let truth = Reference::new(real_model(file));
        let golden: Value = serde_json::from_str(golden).unwrap();
        let case = &golden["generation"][0];
        agrees_with_llama_cpp(&format!("the reference on {file}"), case, &|text, n_wanted| {
            truth.logits(text, n_wanted)
        });
    }
}

/// -Σ p ln(q/p) in nats of two rows of logits.
fn divergence(truth: &[f64], ours: &[f32]) -> f64 {
    let log_sum = |row: &mut dyn Iterator<Item = f64>| {
        let row: Vec<f64> = row.collect();
        let max = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        max + row.iter().map(|x| (x - max).exp()).sum::<f64>().ln()
    };
    let truth_sum = log_sum(&mut truth.iter().copied());
    let our_sum = log_sum(&mut ours.iter().map(|&x| f64::from(x)));
    let terms = truth
        .iter()
        .zip(ours)
        .map(|(&t, &o)| (t - truth_sum).exp() * ((t - truth_sum) - (f64::from(o) - our_sum)));
    terms.sum()
}

/// What rounding activations to 8 bits and the cache to f16 costs, in nats a token over ordinary
/// text. The bounds are less than twice what was measured (0.0033 and 0.0045).
#[test]
fn engine_is_close_to_the_truth() {
    for (file, bound) in [(SMOLLM2.0, 0.006), (GEMMA3.0, 0.008)] {
        let gguf = real_model(file);
        let text = Tokenizer::from_metadata(&gguf.metadata).unwrap().encode(TEXT, true, false);
        let model = load(&gguf, &ModelOptions { threads: 0, isa: None });
        let ours = logits(&model, &text, CacheFormat::F16, 512);
        let plain: Vec<u32> = text.iter().map(|token| token.0).collect();
        let truth = Reference::new(gguf).logits(&plain, plain.len());
        let mean =
            truth.iter().zip(&ours).map(|(t, o)| divergence(t, o)).sum::<f64>() / text.len() as f64;
        let same = truth.iter().zip(&ours).filter(|(t, o)| {
            first(t) == first(&o.iter().map(|&x| f64::from(x)).collect::<Vec<_>>())
        });
        println!(
            "{file}: {mean:.6} nats from the truth a token, the same first token {} of {}",
            same.count(),
            text.len()
        );
        assert!(
            mean <= bound,
            "{file}: the mean divergence from the truth is {mean:.6} nats, expected at most {bound}"
        );
    }
}
