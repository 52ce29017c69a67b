//! A chat template in: it is refused, or renders in bounded time and memory, the same text each
//! time.
//!
//! What comes after a zero byte is the contents of messages, one after each zero byte.

use std::time::{Duration, Instant};

use kelvin_engine::chat::{ChatError, ChatTemplate, Message, RenderOptions};

use crate::memory;

/// Fuel bounds the work; this is for a machine that is busy.
const MAX_TIME: Duration = Duration::from_secs(6);
/// Fuel pays for 64 bytes each, and there are somewhat more than 100,000 of it.
const MAX_TEXT: usize = 16 << 20;
/// Everything that a template holds while it is compiled and rendered, its stack aside.
const MAX_MEMORY: usize = 256 << 20;
const MAX_ERROR: usize = 2000;

/// Panics if the template breaks a promise.
pub(crate) fn check(bytes: &[u8]) {
    let mut parts = bytes.split(|&byte| byte == 0).map(String::from_utf8_lossy);
    let source = parts.next().unwrap_or_default();
    let mut contents: Vec<String> = parts.map(|part| part.into_owned()).collect();
    if contents.is_empty() {
        contents = ["Be brief.", "Hello!", "Hi {{ there }}", "Bye"].map(String::from).into();
    }
    let roles = ["system", "user", "assistant"];
    let messages: Vec<Message> = contents
        .into_iter()
        .enumerate()
        .map(|(i, content)| Message::new(roles[if i < 3 { i } else { 1 + i % 2 }], content))
        .collect();
    let begun = Instant::now();
    let (result, peak) = memory::peak_of(|| render(&source, &messages));
    let elapsed = begun.elapsed();
    assert!(elapsed <= MAX_TIME, "the template took {elapsed:?}");
    assert!(peak <= MAX_MEMORY, "the template took {peak} bytes of memory");
    match &result {
        Ok(text) => assert!(text.len() <= MAX_TEXT, "a prompt of {} bytes", text.len()),
        // The template's own words, which may be none.
        Err(ChatError::Raised { message }) => assert!(message.len() <= MAX_TEXT),
        Err(error) => {
            let error = error.to_string();
            assert!(
                !error.is_empty() && error.len() <= MAX_ERROR + 8 * bytes.len(),
                "an error of {} bytes",
                error.len()
            );
        }
    }
    // Twice the work, so not always.
    if bytes.len().is_multiple_of(16) && result.is_ok() {
        assert_eq!(render(&source, &messages).ok(), result.ok(), "another text the second time");
    }
}

fn render(source: &str, messages: &[Message]) -> Result<String, ChatError> {
    let template = ChatTemplate::new(source, "<s>", "</s>")?;
    let options = RenderOptions { add_generation_prompt: true, date: Some("2026-11-28".into()) };
    template.render(messages, &options).map(|rendered| rendered.text)
}
