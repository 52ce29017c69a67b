//! Settings of an engine in, the same as one types them for it out: flags of a command, lines of a file, arguments of a call.

use serde_json::{Map, Value};

/// llama.cpp's flags by the names of its server's settings.
const LLAMA: &[(&str, &str)] = &[
    ("temperature", "--temp"),
    ("top_k", "--top-k"),
    ("top_p", "--top-p"),
    ("min_p", "--min-p"),
    ("typical_p", "--typical"),
    ("top_n_sigma", "--top-nsigma"),
    ("xtc_probability", "--xtc-probability"),
    ("xtc_threshold", "--xtc-threshold"),
    ("dynatemp_range", "--dynatemp-range"),
    ("dynatemp_exponent", "--dynatemp-exp"),
    ("dry_multiplier", "--dry-multiplier"),
    ("dry_base", "--dry-base"),
    ("dry_allowed_length", "--dry-allowed-length"),
    ("dry_penalty_last_n", "--dry-penalty-last-n"),
    ("repeat_penalty", "--repeat-penalty"),
    ("repeat_last_n", "--repeat-last-n"),
    ("presence_penalty", "--presence-penalty"),
    ("frequency_penalty", "--frequency-penalty"),
];

/// What is typed for `engine`, if it has such a form beside JSON.
pub(crate) fn flags(engine: &str, settings: &Map<String, Value>) -> Option<String> {
    match engine {
        "llama.cpp" => Some(llama(settings)),
        "ollama" => Some(settings.iter().map(|(key, value)| format!("PARAMETER {key} {value}\n")).collect()),
        "vllm" => Some(call("SamplingParams", "", settings)),
        "transformers" => Some(call("model.generate", "**inputs, ", settings)),
        "openai" => Some(call("client.chat.completions.create", "model=…, messages=…, ", settings)),
        _ => None,
    }
}

fn llama(settings: &Map<String, Value>) -> String {
    let mut parts = vec!["llama-cli -m MODEL.gguf".to_string()];
    for (key, value) in settings {
        if let Some((_, flag)) = LLAMA.iter().find(|(name, _)| name == key) {
            parts.push(format!("{flag} {value}"));
        }
    }
    let list = |key: &str| settings.get(key).and_then(Value::as_array);
    for pair in list("logit_bias").into_iter().flatten() {
        let sign = if pair[1].as_f64().is_some_and(|bias| bias < 0.0) { "" } else { "+" };
        parts.push(format!("--logit-bias {}{sign}{}", pair[0], pair[1]));
    }
    if list("dry_sequence_breakers").is_some() {
        parts.push("--dry-sequence-breaker none".to_string());
    }
    if let Some(names) = list("samplers") {
        let names: Vec<&str> = names.iter().filter_map(Value::as_str).collect();
        parts.push(format!("--samplers '{}'", names.join(";")));
    }
    parts.join(" \\\n  ")
}

/// A call in Python.
fn call(function: &str, first: &str, settings: &Map<String, Value>) -> String {
    let arguments: Vec<String> =
        settings.iter().map(|(key, value)| format!("{key}={}", python(value))).collect();
    format!("{function}({first}{})", arguments.join(", "))
}

fn python(value: &Value) -> String {
    match value {
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
    use crate::views::translation::translate;

    fn to(chain: &str, engine: &str) -> String {
        let translation = translate(&chain.parse().unwrap(), engine.parse().unwrap()).unwrap();
        flags(engine, &translation.settings).unwrap()
    }

    #[test]
    fn every_engine_has_its_own_form() {
        assert_eq!(
            to("bias=5:-2,7:1.5 | top_k=40 | temp=0.8", "llama.cpp"),
            "llama-cli -m MODEL.gguf \\\n  --min-p 0.0 \\\n  --temp 0.8 \\\n  --top-k 40 \\\n  --top-p 1.0 \\\n  --logit-bias 5-2.0 \\\n  \
             --logit-bias 7+1.5 \\\n  --samplers 'top_k;temperature'"
        );
        assert!(to("temp=0.5", "ollama").contains("PARAMETER temperature 0.5\n"));
        assert_eq!(
            to("temp=0", "transformers"),
            "model.generate(**inputs, do_sample=False, temperature=1.0, top_k=0, top_p=1.0)"
        );
        assert!(to("temp=2 | min_p=0.1", "vllm").starts_with("SamplingParams(min_p=0.1, temperature=2.0"));
        assert!(flags("kelvin", &Map::new()).is_none());
    }

    /// A setting without a flag would be lost without a word.
    #[test]
    fn every_setting_of_llama_has_a_flag() {
        let chain = "bias=1:1 | repetition=1.1,window:64 | frequency=0.1,window:64,scope:prompt+output | presence=0.1,window:64,scope:prompt+output \
                     | dry=0.8 | top_n_sigma=1 | top_k=4 | typical=0.9 | top_p=0.9 | min_p=0.1 | xtc=0.5 | dynatemp=0.5..1.5";
        let translation = translate(&chain.parse().unwrap(), "llama.cpp".parse().unwrap()).unwrap();
        assert_eq!(translation.missing, Vec::<String>::new());
        for key in translation.settings.keys() {
            let own = ["logit_bias", "samplers", "dry_sequence_breakers"].contains(&key.as_str());
            assert!(
                own || LLAMA.iter().any(|(name, _)| name == key),
                "{key}: {}",
                json!(translation.settings)
            );
        }
    }
}
