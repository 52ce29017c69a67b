//! Runs a command on a text: the text goes to its standard input, a number comes from its standard
//! output. Time and output are bounded, and whatever goes wrong is a sentence about that text.

use std::{
    io::{Read, Write},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

/// The most bytes that a command may print.
pub const MOST_OUTPUT: usize = 64 << 10;
/// The most bytes of an error's words that are quoted.
const MOST_QUOTED: usize = 200;
/// How often a command that has closed its output is asked whether it has ended.
const PAUSE: Duration = Duration::from_millis(2);
/// How soon a command that runs is killed once it is to stop.
const LOOK: Duration = Duration::from_millis(50);

/// The number that `command` prints when it reads `text`.
///
/// The command is one for the system's shell (`sh -c`, on Windows `cmd /C`). After `limit`, when it
/// prints more than [`MOST_OUTPUT`], or once `stop` is set, it is killed with all that it has
/// started.
///
/// # Errors
/// A sentence: it can't be started, took too long, printed too much or no number, or failed.
pub fn run(command: &str, text: &str, limit: Duration, stop: &AtomicBool) -> Result<f64, String> {
    let end = Instant::now() + limit;
    let mut child =
        start(command).map_err(|error| format!("the command can't be started: {error}"))?;
    let (Some(mut input), Some(output), Some(errors)) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        kill(&mut child);
        return Err("the command can't be started: it has no pipes".into());
    };
    let text = text.as_bytes().to_vec();
    // A command that doesn't read its input to the end is none the worse for it.
    thread::spawn(move || drop(input.write_all(&text)));
    let (output, errors) = (gathered(output, MOST_OUTPUT), gathered(errors, MOST_QUOTED));
    let too_long = || format!("the command took longer than {} s", limit.as_secs_f64());
    let printed = loop {
        let left = end.saturating_duration_since(Instant::now());
        match output.recv_timeout(left.min(LOOK)) {
            Ok(printed) => break printed,
            Err(RecvTimeoutError::Disconnected) => break Vec::new(),
            Err(RecvTimeoutError::Timeout) if left > LOOK && !stop.load(Ordering::Relaxed) => {}
            Err(RecvTimeoutError::Timeout) => {
                kill(&mut child);
                return Err(too_long());
            }
        }
    };
    if printed.len() > MOST_OUTPUT {
        kill(&mut child);
        return Err(format!("the command printed more than {MOST_OUTPUT} bytes"));
    }
    let Some(status) = ended(&mut child, end, stop) else {
        kill(&mut child);
        return Err(too_long());
    };
    if !status.success() {
        let words = errors.recv_timeout(PAUSE * 500).unwrap_or_default();
        return Err(failed(status, &words));
    }
    let printed = String::from_utf8_lossy(&printed);
    let number = printed.trim().parse::<f64>().ok().filter(|number| number.is_finite());
    number.ok_or_else(|| match printed.trim() {
        "" => "the command printed nothing, where a number is expected".to_string(),
        other => format!("the command printed {:?}, which isn't a number", quoted(other)),
    })
}

#[cfg(unix)]
fn start(command: &str) -> std::io::Result<Child> {
    use std::os::unix::process::CommandExt;
    piped(Command::new("sh").args(["-c", command]).process_group(0)).spawn()
}

#[cfg(not(unix))]
fn start(command: &str) -> std::io::Result<Child> {
    piped(Command::new("cmd").args(["/C", command])).spawn()
}

fn piped(command: &mut Command) -> &mut Command {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped())
}

/// Ends a command with all that it has started.
fn kill(child: &mut Child) {
    #[cfg(unix)]
    if let Some(group) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    let _ = child.kill();
    let _ = child.wait();
}

/// What a stream says until its end, or `most` bytes and one more.
fn gathered(stream: impl Read + Send + 'static, most: usize) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let mut stream = stream;
        let _ = stream.by_ref().take(most as u64 + 1).read_to_end(&mut bytes);
        let _ = sender.send(bytes);
        // A command that goes on writing isn't held up by a full pipe.
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
    });
    receiver
}

/// How a command ended, if it did in time.
fn ended(child: &mut Child, end: Instant, stop: &AtomicBool) -> Option<ExitStatus> {
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if Instant::now() < end && !stop.load(Ordering::Relaxed) => {
                thread::sleep(PAUSE);
            }
            _ => return None,
        }
    }
}

fn failed(status: ExitStatus, words: &[u8]) -> String {
    let how = match status.code() {
        Some(code) => format!("the command ended with exit code {code}"),
        None => "the command was ended by a signal".to_string(),
    };
    let words = String::from_utf8_lossy(words);
    match words.lines().map(str::trim).rfind(|line| !line.is_empty()) {
        Some(line) => format!("{how}: {}", quoted(line)),
        None => how,
    }
}

fn quoted(text: &str) -> String {
    let mut short: String = text.chars().take(80).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn of(command: &str, text: &str) -> Result<f64, String> {
        run(command, text, Duration::from_secs(20), &AtomicBool::new(false))
    }

    #[test]
    fn a_number_is_a_number() {
        assert_eq!(of("wc -w", "one two three"), Ok(3.0));
        assert_eq!(of("echo -1.5e2", "not read"), Ok(-150.0));
        // More than a pipe holds, both ways.
        let long = "x".repeat(1 << 20);
        assert_eq!(of("wc -c", &long), Ok(1_048_576.0));
        assert_eq!(of("exec <&-; echo 4", &long), Ok(4.0));
    }

    #[test]
    fn failures_are_sentences() {
        let said = |command: &str| of(command, "x").unwrap_err();
        assert_eq!(said("true"), "the command printed nothing, where a number is expected");
        assert!(said("echo one").contains("printed \"one\", which isn't a number"));
        assert!(said("echo nan").contains("isn't a number"));
        assert_eq!(said("echo 1; echo bad >&2; exit 3"), "the command ended with exit code 3: bad");
        assert_eq!(said("kill -9 $$"), "the command was ended by a signal");
        assert!(said("yes").contains("more than 65536 bytes"));
    }

    #[test]
    fn time_is_bounded_for_children_too() {
        let begun = Instant::now();
        for command in ["sleep 60", "sleep 60 & wait", "(sleep 60 >&2 &); exec >&-; sleep 60"] {
            let limit = Duration::from_millis(300);
            let said = run(command, "x", limit, &AtomicBool::new(false)).unwrap_err();
            assert!(said.contains("longer than"), "{said}");
        }
        assert!(begun.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn a_command_is_killed_when_it_is_to_stop() {
        let begun = Instant::now();
        for command in ["sleep 60", "exec >&-; sleep 60"] {
            let stop = AtomicBool::new(false);
            thread::scope(|scope| {
                scope.spawn(|| {
                    thread::sleep(Duration::from_millis(100));
                    stop.store(true, Ordering::Relaxed);
                });
                run(command, "x", Duration::from_secs(60), &stop).unwrap_err();
            });
        }
        assert!(begun.elapsed() < Duration::from_secs(30));
    }
}
