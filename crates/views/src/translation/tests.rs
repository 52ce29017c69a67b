//! Tests of translations: their texts, and that they describe the requested distribution.

use kelvin_sampling::Distribution;

use super::{ranges::SOURCES, *};

fn to(chain: &str, profile: &str) -> Translation {
    translate(&chain.parse().unwrap(), profile.parse().unwrap()).unwrap()
}

/// What an engine is said to run has the distribution that was asked for, unless something is said
/// to be missing.
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
                assert!(
                    (a.probability - b.probability).abs() < 1e-12,
                    "{chain} for {}",
                    profile.name()
                );
            }
        }
    }
    assert!(whole >= 25 && partly >= 15, "{whole} {partly}");
}

#[test]
fn a_stage_that_does_nothing_is_missed_by_none() {
    let chain = "min_p=0 | top_k=0 | temp=0.8 | top_p=1 | typical=1 | presence=0 | xtc=0";
    let engines = SOURCES.iter().map(|source| source.engine);
    for target in engines.chain(["openai:gpt-4o", "anthropic:claude-haiku-4-5"]) {
        let said = translate_to(&chain.parse().unwrap(), target).unwrap();
        let alone = translate_to(&"temp=0.8".parse().unwrap(), target).unwrap();
        assert_eq!(said.missing, alone.missing, "{target}");
        assert_eq!((said.settings, said.runs), (alone.settings, alone.runs), "{target}");
    }
    assert!(to(chain, "ollama").missing.is_empty() && to(chain, "openai").missing.is_empty());
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
    assert_eq!(vllm.known_from, "vllm 0.33, 2026-11-28: vllm/sampling_params.py");
    let kelvin = to("temp=2 | top_p=0.9 | temp=1 | top_p=0.8", "kelvin");
    assert!(kelvin.missing.is_empty());
    assert_eq!(kelvin.settings["sampler"], json!("temp=2 | top_p=0.9 | temp=1 | top_p=0.8"));
}

/// What is printed is what the engine takes, and what it makes of it is what `runs` says.
#[test]
fn settings_and_words_are_the_same() {
    let found = |chain: &str, engine: &str, settings: Value, runs: &str, missing: &[&str]| {
        let said = to(chain, engine);
        for (key, value) in settings.as_object().unwrap() {
            assert_eq!(&said.settings[key], value, "{chain} for {engine}: {key}");
        }
        assert_eq!(said.runs, runs, "{chain} for {engine}");
        assert_eq!(said.missing.len(), missing.len(), "{chain} for {engine}: {:?}", said.missing);
        for (said, words) in said.missing.iter().zip(missing) {
            assert!(said.contains(words), "{chain} for {engine}: {said}");
        }
    };
    // llama.cpp has no -1, and no empty list.
    let whole = json!({"repeat_last_n": 1_048_576, "repeat_penalty": 1.1});
    found(
        "repetition=1.1 | temp=1",
        "llama.cpp",
        whole,
        "repetition=1.1,window:1048576 | temp=1",
        &[],
    );
    let dry = json!({"dry_penalty_last_n": 1_048_576, "dry_sequence_breakers": [""]});
    found("dry=0.8 | temp=1", "llama.cpp", dry, "dry=0.8,window:1048576 | temp=1", &[]);
    let texts = json!({"dry_penalty_last_n": 64, "dry_sequence_breakers": ["\n", ":"]});
    let chain = r#"dry=0.8,window:64,breakers:"\n"/"\x3a" | temp=1"#;
    found(chain, "llama.cpp", texts, chain, &[]);
    found(
        "dry=1,breakers:13 | temp=1",
        "llama.cpp",
        json!({}),
        "temp=1",
        &["texts, not as token ids"],
    );
    // Ceilings and floors.
    let t = |t: f64| json!({ "temperature": t });
    found("temp=0.001", "vllm", t(0.01), "temp=0.01", &["vllm makes it 0.01"]);
    found("temp=3", "vllm", t(2.0), "temp=2", &["takes `temperature` from 0 to 2"]);
    found("temp=3", "openai", t(2.0), "temp=2", &["so temp=2 is written"]);
    let two = json!({"frequency_penalty": 2.0});
    found("frequency=3 | temp=1", "openai", two, "frequency=2 | temp=1", &["from -2 to 2"]);
    let two = json!({"presence_penalty": -2.0});
    found("presence=-3 | temp=1", "vllm", two, "presence=-2 | temp=1", &["from -2 to 2"]);
    found(
        "temp=0 | epsilon=1",
        "transformers",
        json!({"do_sample": false}),
        "temp=0",
        &["to below 1"],
    );
    // Bans.
    let ban = json!({"logit_bias": [[5, false], [6, 1.5]]});
    found("bias=5:-inf,6:1.5 | temp=1", "llama.cpp", ban, "bias=5:-inf,6:1.5 | temp=1", &[]);
    let ban = json!({"logit_bias": [[1, false], [2, false]]});
    found("mask=not,1-2 | temp=1", "llama.cpp", ban, "mask=not,1-2 | temp=1", &[]);
    found(
        "mask=not,1 | bias=2:1 | temp=1",
        "llama.cpp",
        json!({"logit_bias": [[1, false]]}),
        "mask=not,1 | temp=1",
        &["is taken"],
    );
    let near = json!({"logit_bias": {"5": -100.0}});
    found("bias=5:-inf | temp=1", "vllm", near, "bias=5:-100 | temp=1", &["from -100 to 100"]);
    let both = json!({"sequence_bias": [[[5], -3.0]], "suppress_tokens": [7]});
    found("bias=5:-3,7:-inf | temp=1", "transformers", both, "bias=5:-3,7:-inf | temp=1", &[]);
    // A model's own generation_config.json can't come in.
    found("temp=1", "vllm", json!({"repetition_penalty": 1.0, "top_k": -1}), "temp=1", &[]);
    // What llama.cpp has once.
    let mirostat =
        json!({"mirostat": 2, "mirostat_tau": 5.0, "mirostat_eta": 0.1, "temperature": 1.0});
    found("temp=1 | mirostat=5", "llama.cpp", mirostat, "temp=1 | mirostat=5", &[]);
    found(
        "temp=1 | top_k=5 | mirostat=5",
        "llama.cpp",
        json!({}),
        "temp=1 | top_k=5",
        &["takes the place"],
    );
    let window = "repetition=1.1,window:64 | presence=1,window:32,scope:prompt+output | temp=1";
    found(
        window,
        "llama.cpp",
        json!({"repeat_last_n": 64}),
        "repetition=1.1,window:64 | temp=1",
        &["one window"],
    );
    found("temp=2 | dynatemp=0.5..1.5", "llama.cpp", t(2.0), "temp=2", &["one temperature"]);
    let adaptive = json!({"adaptive_target": 0.5, "adaptive_decay": 0.9, "samplers": ["temperature", "adaptive_p"]});
    found("temp=1 | adaptive_p=0.5", "llama.cpp", adaptive, "temp=1 | adaptive_p=0.5", &[]);
}

/// Engines that were run on models of known probabilities.
#[test]
fn engines_that_mislead_are_told_about() {
    let js = to("temp=0.7 | top_k=5 | top_p=0.9", "transformers.js");
    assert_eq!(js.missing, ["top_p=0.9: transformers.js has no such control"]);
    assert_eq!((&js.settings["do_sample"], &js.settings["top_k"]), (&json!(true), &json!(5)));
    let onnx = to("temp=0.7 | top_p=0.9", "onnxruntime-genai");
    assert!(onnx.missing[0].contains("is greedy at top_k=0"), "{:?}", onnx.missing);
    assert!(!onnx.settings.contains_key("top_k"));
    assert!(to("top_k=9 | temp=0.7 | top_p=0.9", "onnxruntime-genai").missing.is_empty());
    assert!(to("temp=0", "onnxruntime-genai").missing.is_empty());
    let off = to("top_k=0 | temp=1", "onnxruntime-genai");
    assert!(off.missing[0].contains("is greedy at top_k=0"), "{:?}", off.missing);
    let openvino = to("presence=1 | temp=0.7", "openvino-genai");
    assert!(openvino.missing[0].contains("where a logit is negative"), "{:?}", openvino.missing);
    assert_eq!(to("temp=0", "openvino-genai").settings["do_sample"], json!(false));
    // Without it ctranslate2 is greedy.
    assert_eq!(to("temp=0.7", "ctranslate2").settings["sampling_topk"], json!(0));
    let mlx = to("repetition=1.1,window:0 | temp=1", "mlx-lm");
    assert!(mlx.missing[0].contains("`repetition_context_size` from 1"), "{:?}", mlx.missing);
    let mlx = to("temp=2 | top_p=0.9", "mlx-lm");
    assert_eq!(mlx.missing, ["the order: mlx-lm runs top_p, then temp"]);
}

/// llama.cpp's list has one place for the three penalties, and biases come before it.
#[test]
fn an_order_that_llama_cannot_run_is_said() {
    let order = |chain: &str| {
        let said = to(chain, "llama.cpp");
        (said.settings["samplers"].clone(), said.missing.len())
    };
    let (repetition, frequency) =
        ("repetition=1.1,window:64", "frequency=1,window:64,scope:prompt+output");
    assert_eq!(
        order(&format!("{repetition} | {frequency} | temp=1")),
        (json!(["penalties", "temperature"]), 0)
    );
    assert_eq!(
        order(&format!("{frequency} | {repetition} | temp=1")),
        (json!(["penalties", "temperature"]), 1)
    );
    let apart = format!("{repetition} | top_k=5 | {frequency} | temp=1");
    assert_eq!(order(&apart), (json!(["penalties", "top_k", "temperature"]), 1));
    assert_eq!(order("temp=2 | bias=5:1"), (json!(["temperature"]), 1));
    assert_eq!(order("temp=2 | top_p=0.9"), (json!(["temperature", "top_p"]), 0));
    // Only sums, in whatever order.
    assert_eq!(order(&format!("{frequency} | bias=5:1 | temp=1")).1, 0);
}

/// Each row of the table of ranges, from both sides: nothing is missing at its ends, and no number
/// outside is ever written.
#[test]
fn every_range_holds_at_its_ends() {
    let chain = |setting: &str, x: f64| {
        let x32 = x as f32;
        Some(match setting {
            "temperature" | "sampling_temperature" | "temp" => format!("temp={x32}"),
            "top_k" | "sampling_topk" => format!("top_k={} | temp=1", x.max(0.0)),
            "top_p" | "sampling_topp" => format!("top_p={x} | temp=1"),
            "min_p" => format!("min_p={x} | temp=1"),
            "typical_p" => format!("typical={x} | temp=1"),
            "top_n_sigma" => format!("top_n_sigma={x} | temp=1"),
            "top_h" => format!("temp=1 | top_h={x}"),
            "epsilon_cutoff" => format!("temp=1 | epsilon={x}"),
            "eta_cutoff" => format!("temp=1 | eta={x}"),
            "xtc_probability" => format!("xtc={x} | temp=1"),
            "xtc_threshold" => format!("xtc=1,threshold:{x} | temp=1"),
            "repeat_penalty" | "repetition_penalty" => format!("repetition={x32} | temp=1"),
            "frequency_penalty" | "presence_penalty" => {
                format!("{}={x32} | temp=1", setting.trim_end_matches("_penalty"))
            }
            "repeat_last_n" | "repetition_context_size" => {
                format!("repetition=1.1,window:{x} | temp=1")
            }
            "presence_context_size" => {
                format!("presence=1,window:{x},scope:prompt+output | temp=1")
            }
            "frequency_context_size" => {
                format!("frequency=1,window:{x},scope:prompt+output | temp=1")
            }
            "dry_penalty_last_n" => format!("dry=1,window:{x} | temp=1"),
            "dry_multiplier" => format!("dry={x32} | temp=1"),
            "dry_base" => format!("dry=1,base:{x32} | temp=1"),
            "dry_allowed_length" => format!("dry=1,length:{x} | temp=1"),
            "no_repeat_ngram_size" => format!("no_repeat_ngram={x} | temp=1"),
            "logit_bias" => format!("bias=5:{x32} | temp=1"),
            "adaptive_target" => format!("temp=1 | adaptive_p={x}"),
            "adaptive_decay" => format!("temp=1 | adaptive_p=0.5,decay:{x}"),
            _ => return None,
        })
    };
    let mut tried = 0;
    for source in SOURCES {
        let profile: Profile = source.engine.parse().unwrap();
        for setting in source.settings() {
            let (name, range) = (setting.name, setting.range);
            let [low, high] = range.ends();
            let beyond = [low - 1.0, low * 2.0 - 1e-3, high + 1.0, high * 2.0];
            for (x, inside) in
                [(low, true), (high, true)].into_iter().chain(beyond.map(|x| (x, false)))
            {
                let Some(Ok(chain)) = chain(name, x).map(|text| text.parse::<Chain>()) else {
                    continue;
                };
                // llama.cpp and ollama count prompts too.
                let chain = match chain.stages() {
                    [Stage::Frequency(_) | Stage::Presence(_), _]
                        if range.has(1e30) && range.low < 0.0 =>
                    {
                        chain
                            .to_string()
                            .replacen(" |", ",scope:prompt+output |", 1)
                            .parse()
                            .unwrap()
                    }
                    _ => chain,
                };
                let said = translate(&chain, profile).unwrap();
                let known = said.missing.iter().all(|words| {
                    words.contains("no such control")
                        || words.contains("likeliest tokens alone")
                        || words.contains("makes it")
                        || words.contains("the order:")
                        || words.contains("makes repetition likelier")
                        || words.starts_with("no top_k:")
                });
                assert!(
                    known || !inside,
                    "{} {}: {chain}: {:?}",
                    source.engine,
                    name,
                    said.missing
                );
                for (key, value) in &said.settings {
                    if let Some(number) = value.as_f64() {
                        assert_eq!(
                            source.refuses(key, number),
                            None,
                            "{chain} for {}",
                            source.engine
                        );
                    }
                }
                tried += 1;
            }
        }
    }
    assert!(tried > 300, "{tried}");
}
