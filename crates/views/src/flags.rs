//! Writes an engine's settings in the form in which users type them: command-line flags, lines of a
//! file, arguments of a call.

use kelvin_sampling::{Engine, STAGES};
use serde_json::{Map, Value};

/// The settings as users of `engine` type them; `None` if JSON is the only form.
pub fn flags(engine: &str, settings: &Map<String, Value>) -> Option<String> {
    match engine {
        "llama.cpp" => Some(llama(settings)),
        "ollama" => {
            Some(settings.iter().map(|(key, value)| format!("PARAMETER {key} {value}\n")).collect())
        }
        "vllm" => Some(call("SamplingParams", "", settings)),
        "transformers" => Some(call("model.generate", "**inputs, ", settings)),
        "openai" => Some(call("client.chat.completions.create", "model=…, messages=…, ", settings)),
        "transformers.js" => Some(format!("model.generate({{ ...inputs, {} }})", script(settings))),
        "onnxruntime-genai" => Some(call("params.set_search_options", "", settings)),
        "openvino-genai" => Some(call("openvino_genai.GenerationConfig", "", settings)),
        "ctranslate2" => Some(call("generator.generate_batch", "tokens, ", settings)),
        "mlx-lm" => Some(mlx(settings)),
        _ => None,
    }
}

fn llama(settings: &Map<String, Value>) -> String {
    let mut parts = vec!["llama-cli -m MODEL.gguf".to_string()];
    for (key, value) in settings {
        if let Some(flag) = llama_flag(key) {
            parts.push(format!("{flag} {value}"));
        }
    }
    let list = |key: &str| settings.get(key).and_then(Value::as_array);
    for pair in list("logit_bias").into_iter().flatten() {
        // `false` is a ban.
        let Some(bias) = pair[1].as_f64() else {
            parts.push(format!("--logit-bias {}-inf", pair[0]));
            continue;
        };
        let sign = if bias < 0.0 { "" } else { "+" };
        parts.push(format!("--logit-bias {}{sign}{}", pair[0], pair[1]));
    }
    for breaker in list("dry_sequence_breakers").into_iter().flatten().filter_map(Value::as_str) {
        // An empty string stands for no breakers.
        let text = if breaker.is_empty() { "none".to_string() } else { shell(breaker) };
        parts.push(format!("--dry-sequence-breaker {text}"));
    }
    if let Some(names) = list("samplers") {
        let names: Vec<&str> = names.iter().filter_map(Value::as_str).collect();
        parts.push(format!("--samplers '{}'", names.join(";")));
    }
    parts.join(" \\\n  ")
}

/// llama.cpp's flag for a setting of its server.
fn llama_flag(setting: &str) -> Option<&'static str> {
    let there = STAGES.iter().filter_map(|info| info.counterpart(Engine::LlamaCpp));
    let mut settings = there.flat_map(|counterpart| counterpart.settings);
    let found = settings.find(|other| other.name == setting)?;
    (!found.flag.is_empty()).then_some(found.flag)
}

/// Quotes a text for a POSIX shell, with the escapes that llama.cpp reads in a breaker.
fn shell(text: &str) -> String {
    let escapes = [(r"\", r"\\"), ("\n", r"\n"), ("\t", r"\t"), ("\r", r"\r"), ("'", r"'\''")];
    let escaped = escapes.iter().fold(text.to_string(), |text, (from, to)| text.replace(from, to));
    format!("'{escaped}'")
}

/// The settings as a call in Python.
fn call(function: &str, first: &str, settings: &Map<String, Value>) -> String {
    let arguments: Vec<String> =
        settings.iter().map(|(key, value)| format!("{key}={}", python(value, function))).collect();
    format!("{function}({first}{})", arguments.join(", "))
}

/// What draws has a function of its own, and what changes logits another.
fn mlx(settings: &Map<String, Value>) -> String {
    let changes = |key: &str| {
        ["_penalty", "_context_size", "logit_bias"].iter().any(|end| key.ends_with(end))
    };
    let part = |of_logits: bool| {
        let part = settings.iter().filter(|(key, _)| changes(key) == of_logits);
        part.map(|(key, value)| (key.clone(), value.clone())).collect()
    };
    let [sampler, processors] = [part(false), part(true)];
    format!(
        "{}\n{}",
        call("make_sampler", "", &sampler),
        call("make_logits_processors", "", &processors)
    )
}

/// The settings as the inside of an object in JavaScript.
fn script(settings: &Map<String, Value>) -> String {
    let all: Vec<String> = settings.iter().map(|(key, value)| format!("{key}: {value}")).collect();
    all.join(", ")
}

fn python(value: &Value, function: &str) -> String {
    match value {
        // These take token ids as numbers. JSON has strings as keys.
        Value::Object(map) if ["SamplingParams", "make_logits_processors"].contains(&function) => {
            let pairs: Vec<String> = map.iter().map(|(id, bias)| format!("{id}: {bias}")).collect();
            format!("{{{}}}", pairs.join(", "))
        }
        Value::Bool(true) => "True".to_string(),
        Value::Bool(false) => "False".to_string(),
        Value::Null => "None".to_string(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::translation::translate;

    fn to(chain: &str, engine: &str) -> String {
        let translation = translate(&chain.parse().unwrap(), engine.parse().unwrap()).unwrap();
        flags(engine, &translation.settings).unwrap()
    }

    #[test]
    fn every_engine_has_its_own_form() {
        assert_eq!(
            to("bias=5:-2,7:1.5 | top_k=40 | temp=0.8", "llama.cpp"),
            "llama-cli -m MODEL.gguf \\\n  --min-p 0.0 \\\n  --temp 0.8 \\\n  --top-k \
             40 \\\n  --top-p 1.0 \\\n  --logit-bias 5-2.0 \\\n  \
             --logit-bias 7+1.5 \\\n  --samplers 'top_k;temperature'"
        );
        assert!(to("temp=0.5", "ollama").contains("PARAMETER temperature 0.5\n"));
        assert_eq!(
            to("temp=0", "transformers"),
            "model.generate(**inputs, do_sample=False, repetition_penalty=1.0, temperature=1.0, \
             top_k=0, top_p=1.0)"
        );
        let llama = to(r#"bias=5:-inf | dry=0.8,breakers:"*"/"\n" | temp=1"#, "llama.cpp");
        assert!(llama.contains("--logit-bias 5-inf "), "{llama}");
        assert!(
            llama.contains(r"--dry-sequence-breaker '*' ")
                && llama.contains(r"--dry-sequence-breaker '\n' "),
            "{llama}"
        );
        assert!(to("dry=0.8 | temp=1", "llama.cpp").contains("--dry-sequence-breaker none "));
        assert!(to("bias=5:-2 | temp=1", "vllm").contains("logit_bias={5: -2.0}"));
        assert!(to("bias=5:-2 | temp=1", "openai").contains(r#"logit_bias={"5":-2.0}"#));
        assert!(
            to("temp=2 | min_p=0.1", "vllm")
                .starts_with("SamplingParams(min_p=0.1, repetition_penalty=1.0, temperature=2.0")
        );
        assert!(flags("kelvin", &Map::new()).is_none());
        assert_eq!(
            to("repetition=1.1 | top_k=5 | temp=0.5", "transformers.js"),
            "model.generate({ ...inputs, do_sample: true, repetition_penalty: 1.1, \
             temperature: 0.5, top_k: 5 })"
        );
        assert_eq!(
            to("bias=5:-2 | repetition=1.1,window:20 | top_p=0.9 | temp=0.5", "mlx-lm"),
            "make_sampler(min_p=0.0, temp=0.5, top_k=0, top_p=0.9)\n\
             make_logits_processors(logit_bias={5: -2.0}, repetition_context_size=20, \
             repetition_penalty=1.1)"
        );
        assert_eq!(
            to("temp=2 | top_k=5", "ctranslate2"),
            "generator.generate_batch(tokens, repetition_penalty=1.0, sampling_temperature=2.0, \
             sampling_topk=5, sampling_topp=1.0)"
        );
        assert!(
            to("top_k=9 | temp=1", "onnxruntime-genai").starts_with("params.set_search_options")
        );
        assert!(to("temp=0", "openvino-genai").contains("do_sample=False"));
    }

    /// A setting without a flag would be lost without a word.
    #[test]
    fn every_setting_of_llama_has_a_flag() {
        let of_lists = ["logit_bias", "samplers", "dry_sequence_breakers"];
        let has_flag = |name: &str| of_lists.contains(&name) || llama_flag(name).is_some();
        for info in STAGES {
            let there = info.counterpart(Engine::LlamaCpp);
            for setting in there.map_or(&[][..], |there| there.settings) {
                assert!(has_flag(setting.name), "{}: {}", info.name, setting.name);
            }
            // What is written for a stage, by a table or by code of its own.
            let profile = Engine::LlamaCpp.name().parse().unwrap();
            let translation = translate(&info.example().parse().unwrap(), profile).unwrap();
            for name in translation.settings.keys() {
                assert!(has_flag(name), "{}: {}", info.name, json!(translation.settings));
            }
        }
    }
}
