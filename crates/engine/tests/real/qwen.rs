//! Qwen2.5 Coder 0.5B in: its chat template's prompt, and the greedy text that follows it, as
//! llama.cpp and transformers have them.

use kelvin_engine::{
    chat::{ChatTemplate, Message, RenderOptions},
    tokenizer::Tokenizer,
};
use kelvin_testkit::models;

const FILE: &str = "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf";
const ADVICE: &str = "fetch it with: cargo run --release -- models pull qwen2.5-coder-0.5b";

/// The template is ChatML, with a system message of its own where there is none, and tools.
#[test]
fn its_template_is_chatml() {
    let gguf = models::open(FILE, ADVICE);
    let source = gguf.metadata.str("tokenizer.chat_template").unwrap().unwrap();
    let template = ChatTemplate::new(source, "", "<|im_end|>").unwrap();
    let options = RenderOptions { add_generation_prompt: true, date: None };
    let user = Message::new("user", "Write a short poem about the sea.");
    let prompt = template.render(std::slice::from_ref(&user), &options).unwrap();
    // The prompt whose greedy text the goldens have.
    let goldens: serde_json::Value =
        serde_json::from_str(include_str!("../goldens/qwen2.json")).unwrap();
    let expected = goldens["generation"][2]["prompt"].as_str().unwrap();
    assert_eq!(prompt.text, expected);
    let tokenizer = Tokenizer::from_metadata(&gguf.metadata).unwrap();
    let ids: Vec<u64> =
        tokenizer.encode(&prompt.text, true, true).iter().map(|id| id.0.into()).collect();
    let expected = goldens["generation"][2]["prompt_tokens"].as_array().unwrap();
    assert_eq!(ids, expected.iter().map(|id| id.as_u64().unwrap()).collect::<Vec<_>>());

    let system = Message::new("system", "Be brief.");
    let answer = Message::new("assistant", "Waves.");
    let prompt = template.render(&[system, user.clone(), answer, user], &options).unwrap();
    let turn = "<|im_start|>user\nWrite a short poem about the sea.<|im_end|>\n";
    assert_eq!(
        prompt.text,
        format!(
            "<|im_start|>system\nBe brief.<|im_end|>\n{turn}<|im_start|>assistant\n\
             Waves.<|im_end|>\n{turn}<|im_start|>assistant\n"
        )
    );
}
