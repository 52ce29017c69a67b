//! A hostile template in, what rendering it came to out: it's rendered in a process of its own, so
//! that its memory is its own and its death would be seen.

use std::{fs, path::PathBuf, process::Command, time::Instant};

use kelvin_engine::chat::{ChatTemplate, Message, RenderOptions};

/// Names the file with the template that the child process renders.
const FILE: &str = "KELVIN_TEST_TEMPLATE";
/// What a template may cost, in bytes.
const MEMORY: u64 = 128 << 20;

/// The largest resident size that this process ever had, in bytes; 0 where the system doesn't say.
fn peak_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    line.map_or(0, |line| line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024)
}

fn render(source: &str) -> Result<String, String> {
    let messages = [("user", "Hello"), ("assistant", "Hi"), ("user", "Bye")];
    let messages = messages.map(|(role, content)| Message::new(role, content));
    let template = ChatTemplate::new(source, "<s>", "</s>").map_err(|e| e.to_string())?;
    let options = RenderOptions::default();
    template.render(&messages, &options).map(|rendered| rendered.text).map_err(|e| e.to_string())
}

/// Not a test: the child's part, which renders, tells what came of it, ends. Without the variable
/// there is nothing to do.
#[test]
fn child() {
    let Some(path) = std::env::var_os(FILE) else {
        return;
    };
    let source = fs::read_to_string(path).unwrap();
    let before = peak_memory();
    let started = Instant::now();
    let result = render(&source);
    let elapsed = started.elapsed().as_millis();
    let outcome = match result {
        Ok(text) => format!("rendered {} bytes", text.len()),
        Err(error) => format!("refused {}", error.replace('\n', " ")),
    };
    println!("\nresult {} {elapsed} {outcome}", peak_memory() - before);
}

/// Renders in a process of its own, gives what came of it.
pub(crate) fn run(case: &str, source: &str) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("{}-{case}.jinja", std::process::id()));
    fs::write(&path, source).unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["chat_child::child", "--exact", "--nocapture"])
        .env(FILE, &path)
        .output()
        .unwrap();
    fs::remove_file(&path).unwrap();
    assert!(output.status.success(), "{case}: the process died: {output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("result ")).unwrap();
    let mut parts = line.splitn(3, ' ');
    let peak: u64 = parts.next().unwrap().parse().unwrap();
    let millis: u64 = parts.next().unwrap().parse().unwrap();
    let outcome = parts.next().unwrap();
    println!("{case}: {} KiB, {millis} ms, {outcome}", peak >> 10);
    assert!(millis < 2000, "{case}: took {millis} ms");
    assert!(peak < MEMORY, "{case}: took {peak} bytes");
    outcome.to_owned()
}

/// The template is refused, in words that contain `part`.
pub(crate) fn check(case: &str, source: &str, part: &str) {
    let outcome = run(case, source);
    assert!(
        outcome.starts_with("refused") && outcome.contains(part),
        "{case}: {part:?} isn't in {outcome:?}"
    );
}

/// What the error of an exhausted budget says.
pub(crate) const STOPPED: &str = "more work or memory than any template needs";
