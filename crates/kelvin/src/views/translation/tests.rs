//! Translations: what they say, and that it is the distribution that was asked for.

use kelvin_sampling::Distribution;

use super::*;

fn to(chain: &str, profile: &str) -> Translation {
    translate(&chain.parse().unwrap(), profile.parse().unwrap()).unwrap()
}

/// What an engine is said to run has the distribution that was asked for, unless something is said to be missing.
#[test]
fn a_round_trip_gives_the_same_distribution() {
    let logits: Vec<f32> = (0..200).map(|i| ((i * 7919) % 1009) as f32 * 0.009).collect();
    let (mut whole, mut partly) = (0, 0);
    for chain in [
        "temp=0.7",
        "temp=1.5 | top_k=20 | top_p=0.9",
        "top_k=20 | top_p=0.9 | min_p=0.02 | temp=0.8",
        "temp=0.8 | min_p=0.1 | top_k=30",
        "min_p=0.1 | temp=2",
        "temp=2 | typical=0.5",
        "top_n_sigma=1 | temp=2 | xtc=1",
        "bias=3:2.5 | temp=0.5 | top_p=0.5",
        "quadratic=0.3 | temp=1",
        "dynatemp=0.5..1.5",
        "top_p=0.9 | top_p=0.8",
    ] {
        let asked = Distribution::new(&logits, &chain.parse().unwrap()).unwrap();
        for profile in Profile::all() {
            let translation = to(chain, profile.name());
            if !translation.missing.is_empty() {
                partly += 1;
                continue;
            }
            whole += 1;
            let runs = Distribution::new(&logits, &translation.runs.parse().unwrap()).unwrap();
            assert_eq!(asked.top(200).len(), runs.top(200).len(), "{chain} for {}", profile.name());
            for (a, b) in asked.top(200).iter().zip(runs.top(200)) {
                assert_eq!(a.token, b.token, "{chain} for {}", profile.name());
                assert!((a.probability - b.probability).abs() < 1e-12, "{chain} for {}", profile.name());
            }
        }
    }
    assert!(whole >= 25 && partly >= 15, "{whole} {partly}");
}

#[test]
fn what_cannot_be_expressed_is_said() {
    let vllm = to("top_p=0.9 | temp=2", "vllm");
    assert_eq!(vllm.missing, ["the order: vllm runs temp, then top_p"]);
    let openai = to("temp=2 | top_k=40", "openai");
    assert_eq!(openai.missing, ["top_k=40: openai has no such control"]);
    let llama = to("temp=2 | top_p=0.9", "llama.cpp");
    assert!(llama.missing.is_empty());
    assert_eq!(llama.settings["samplers"], json!(["temperature", "top_p"]));
    assert_eq!((&llama.settings["top_k"], &llama.settings["min_p"]), (&json!(0), &json!(0.0)));
    let kelvin = to("temp=2 | top_p=0.9 | temp=1 | top_p=0.8", "kelvin");
    assert!(kelvin.missing.is_empty());
    assert_eq!(kelvin.settings["sampler"], json!("temp=2 | top_p=0.9 | temp=1 | top_p=0.8"));
    assert_eq!(to("temp=0.001", "vllm").missing, ["temp=0.001: vllm makes it 0.01"]);
}
