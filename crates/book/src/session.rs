//! Runs the commands of a page and compares what they print with what the page shows.
//!
//! A block marked `sh` is executed; a block marked `text` right behind it is its whole output,
//! standard error included. In an expected output, `…` stands for any text. Figures of speed are
//! written as `…` and not compared. A block in another language whose first line is a comment with
//! a file's name, such as `# study.toml`, is that file. All blocks of a page run in one folder of
//! their own.

use std::{
    fs::{self, File},
    io::Read,
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::pages::{Block, Page, blocks};

/// Verbs that need no model.
const WITHOUT_MODEL: [&str; 6] =
    ["softmax", "stages", "translate", "completions", "--help", "--version"];

/// The way to `kelvin` from a checkout that hasn't installed it.
const BY_CARGO: &str = "cargo run --release -- ";

/// The port that pages name; each session takes a free one instead.
const PORT: &str = "8080";

/// Which blocks are to run.
#[derive(Clone, Copy, PartialEq)]
pub enum Which {
    /// Those that need no model.
    WithoutModel,
    /// Every one.
    All,
}

/// A page whose commands were run.
pub struct Ran {
    /// How many blocks were run.
    pub n_run: usize,
    /// What differs from the page.
    pub problems: Vec<String>,
    /// The page with the outputs that there were.
    pub text: String,
}

/// Runs the commands of a page with the binary at `kelvin`.
///
/// # Errors
/// A folder that can't be made, or a program that can't be started.
pub fn run(page: &Page, which: Which, kelvin: &Path) -> Result<Ran> {
    let mut session = Session::new(kelvin)?;
    let mut ran = Ran { n_run: 0, problems: Vec::new(), text: page.text.clone() };
    let all = blocks(&page.text);
    let mut outputs = Vec::new();
    for (i, block) in all.iter().enumerate() {
        if let Some(name) = file_name(block) {
            let text = block.text.replace(PORT, &session.port.to_string());
            fs::write(session.folder.path().join(name), text)?;
        }
        let skipped = which == Which::WithoutModel && needs_model(&block.text);
        // CI runs the gate itself.
        if block.info != "sh" || skipped || block.text == "./check\n" {
            continue;
        }
        ran.n_run += 1;
        let line = page.text[..block.range.start].lines().count() + 1;
        let (output, succeeded) = session.run(&block.text)?;
        if !succeeded {
            ran.problems.push(format!("{}:{line}: failed:\n{}\n{output}", page.path, block.text));
            continue;
        }
        let next = all.get(i + 1).filter(|next| next.info == "text");
        let Some(next) = next.filter(|next| adjoin(&page.text, block, next)) else { continue };
        if !matches(&next.text, &output) {
            ran.problems.push(format!(
                "{}:{line}: `{}` prints\n{output}but the page says\n{}",
                page.path,
                block.text.trim(),
                next.text
            ));
            outputs.push((next, output));
        }
    }
    for (block, output) in outputs.into_iter().rev() {
        let output = without_speed(&output);
        // Somebody has shortened this one by hand.
        let n_left_out = |text: &str| text.matches('…').count();
        if n_left_out(&block.text) > n_left_out(&output) {
            continue;
        }
        ran.text.replace_range(block.range.clone(), &format!("```text\n{output}```"));
    }
    Ok(ran)
}

/// The file that a block says it is.
fn file_name(block: &Block) -> Option<&str> {
    let name = block.text.lines().next()?.strip_prefix("# ")?;
    let has_extension = name.ends_with(".toml") || name.ends_with(".py");
    (block.info != "sh" && has_extension && !name.contains(['/', ' '])).then_some(name)
}

/// Whether nothing but blank lines stands between two blocks.
fn adjoin(text: &str, first: &Block, second: &Block) -> bool {
    text[first.range.end..second.range.start].trim().is_empty()
}

fn needs_model(script: &str) -> bool {
    script.replace(BY_CARGO, "kelvin ").lines().any(|line| {
        let verb = line.split("kelvin ").nth(1).and_then(|rest| rest.split_whitespace().next());
        match verb {
            Some(verb) => !WITHOUT_MODEL.contains(&verb),
            None => ["curl ", "python "].iter().any(|program| line.starts_with(program)),
        }
    })
}

/// Whether an output is as expected, but for figures of speed and where `…` stands.
fn matches(expected: &str, found: &str) -> bool {
    let (expected, found) = (without_speed(expected), without_speed(found));
    let mut parts = expected.split('…');
    let first = parts.next().unwrap_or("");
    let Some(mut rest) = found.strip_prefix(first) else { return false };
    let mut ends = true;
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
        ends = part.trim().is_empty();
    }
    rest.is_empty() || ends && expected.contains('…')
}

/// The text with `…` for figures of speed: the column `tokens/s` of tables, and numbers before
/// `tokens/s`, `min` or `s`.
fn without_speed(text: &str) -> String {
    const COLUMN: &str = "  tokens/s  ";
    let mut lines = String::new();
    let mut column = None;
    for line in text.lines() {
        if let Some(at) = line.find(COLUMN) {
            column = Some(line[..at].chars().count());
            lines.push_str(line);
        } else if line.is_empty() || line.starts_with(|c: char| c.is_alphabetic()) {
            column = None;
            lines.push_str(&without_speed_in_words(line));
        } else if let Some(from) = column {
            let before: String = line.chars().take(from).collect();
            let after: String = line.chars().skip(from + COLUMN.len() - 2).collect();
            lines.push_str(&format!("{before}         …{after}"));
        } else {
            lines.push_str(&without_speed_in_words(line));
        }
        lines.push('\n');
    }
    lines
}

fn without_speed_in_words(line: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    let is_unit =
        |word: &&str| ["tokens/s", "min", "s"].contains(&word.trim_end_matches([')', ',', '.']));
    let kept = words.iter().enumerate().map(|(i, word)| {
        let number = word.trim_start_matches('(');
        if number.parse::<f64>().is_ok() && words.get(i + 1).is_some_and(is_unit) {
            word.replace(number, "…")
        } else {
            word.to_string()
        }
    });
    kept.collect::<Vec<_>>().join(" ")
}

/// A folder in which the commands of a page run, and the server that one of them started.
struct Session {
    folder: TempDir,
    programs: TempDir,
    port: u16,
    server: Option<Child>,
}

impl Session {
    fn new(kelvin: &Path) -> Result<Session> {
        let programs = TempDir::new()?;
        // The program's name is in its help.
        std::os::unix::fs::symlink(kelvin, programs.path().join("kelvin"))
            .with_context(|| kelvin.display().to_string())?;
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        Ok(Session { folder: TempDir::new()?, programs, port, server: None })
    }

    /// Runs a script; a script that is a server alone goes on running until the session ends.
    fn run(&mut self, script: &str) -> Result<(String, bool)> {
        let script = script.replace(BY_CARGO, "kelvin ");
        let script = script.replace(PORT, &self.port.to_string());
        if script.starts_with("kelvin serve") && script.lines().count() == 1 {
            self.serve(&script)?;
            return Ok((String::new(), true));
        }
        let output = self.command(&format!("exec 2>&1\n{script}")).output()?;
        let text = String::from_utf8(output.stdout).context("the output isn't UTF-8")?;
        let text = text.replace(&self.port.to_string(), PORT);
        // A last line without its end would run into the fence.
        let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
        Ok((text + end, output.status.success()))
    }

    fn command(&self, script: &str) -> Command {
        let mut command = Command::new("sh");
        let path = std::env::var("PATH").unwrap_or_default();
        let clients = crate::root().join(".venv/bin");
        command
            .args(["-euc", script])
            .current_dir(self.folder.path())
            .env("PATH", format!("{}:{}:{path}", self.programs.path().display(), clients.display()))
            .env("KELVIN_DB", self.folder.path().join("runs.db"))
            .env("KELVIN_PROGRESS", "0")
            .env_remove("KELVIN_MODEL")
            .env_remove("KELVIN_API_KEY")
            .stdin(Stdio::null());
        command
    }

    fn serve(&mut self, script: &str) -> Result<()> {
        ensure!(self.server.is_none(), "a page starts one server");
        let script = format!("exec {}", script.trim());
        let log = self.folder.path().join("server.log");
        let server =
            self.command(&script).stdout(Stdio::null()).stderr(File::create(&log)?).spawn()?;
        self.server = Some(server);
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let mut said = String::new();
            File::open(&log)?.read_to_string(&mut said)?;
            ensure!(begun.elapsed() < Duration::from_secs(60), "`{script}` doesn't listen: {said}");
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(server) = &mut self.server {
            // It may have ended by itself.
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ellipsis_stands_for_any_text() {
        assert!(matches("a\n…\nd\n", "a\nb\nc\nd\n"));
        assert!(matches("a … c\n", "a b c\n"));
        assert!(matches("a\n…\n", "a\nb\n"));
        assert!(!matches("a\n…\nd\n", "a\nb\n"));
        assert!(!matches("a\n", "a\nb\n"));
        assert!(!matches("a\n", "b\n"));
    }

    #[test]
    fn speed_is_not_compared() {
        let table = "  T  tokens/s  parts at\n  1      53.4  -\nat 160.3 tokens/s after 0.10 s\n";
        let other = "  T  tokens/s  parts at\n  1     153.4  -\nat 2 tokens/s after 7 s\n";
        assert!(matches(table, other));
        assert!(!matches(table, &other.replace("1  ", "2  ")));
    }

    #[test]
    fn commands_that_need_a_model_are_known() {
        assert!(!needs_model("kelvin softmax 1 2\n"));
        assert!(needs_model("kelvin softmax 1 2\nkelvin next a\n"));
        assert!(needs_model("cargo run --release -- compare a\n"));
        assert!(needs_model("curl localhost:8080\n"));
    }
}
