//! Compiles every new form in a child process first, so that a crash of the library can't end the
//! server.
//!
//! `llguidance` may overflow its stack or exhaust memory, and either ends its process. So the
//! program that [`start_children_with`] named, or else this one, is started with a hidden verb. It
//! is sent the vocabulary once, and then each new form. A form on which the child dies or exceeds
//! the time limit is refused, and a new child is started for the next form. The child has a memory
//! limit and exits when its standard input is closed.

use std::{
    ffi::OsString,
    io::{BufRead, BufReader, BufWriter, Read, Write},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Arc, Mutex, OnceLock, PoisonError, mpsc},
    thread,
    time::Duration,
};

use super::{
    compile::{PATIENCE, in_its_thread},
    error::FormError,
    form::Form,
    vocabulary::{Vocabulary, read_u32},
};

/// The hidden verb that starts the child process.
pub const VERB: &str = "__compile-forms";
/// Time limit of reading the vocabulary.
const MAX_STARTUP: Duration = Duration::from_secs(180);
/// Limit of the child's address space in bytes: what the largest vocabularies need, and a gigabyte.
#[cfg(unix)]
const MAX_MEMORY: u64 = 2 << 30;
/// The child's answers: a form is harmless, a form is refused, the vocabulary has been read.
const GOOD: &str = "good";
const REFUSED: &str = "refused ";
const READY: &str = "ready";
/// In test builds: a word and a text with a colon in between (`abort:x`, `hang:x`). A form with
/// that text in it does that to the process.
#[cfg(debug_assertions)]
const FAULT: &str = "KELVIN_FORM_FAULT";

/// Compiles forms for one vocabulary in child processes.
#[derive(Debug)]
pub(super) struct Isolated {
    vocabulary: Arc<Vocabulary>,
    idle: Mutex<Vec<Worker>>,
}

impl Isolated {
    /// Starts the first child process without waiting for it.
    pub(super) fn start(vocabulary: Arc<Vocabulary>) -> Result<Isolated, FormError> {
        let first = Worker::start(&vocabulary)?;
        Ok(Isolated { vocabulary, idle: Mutex::new(vec![first]) })
    }

    /// Compiles a form in a child process. Callers bound how many run at once.
    pub(super) fn check(&self, form: &Form) -> Result<(), FormError> {
        let text = serde_json::to_string(form).map_err(failed)?;
        let mut worker = self.take()?;
        if worker.send(&text).is_err() {
            // It died while it had nothing to do, so this form isn't to blame.
            worker = Worker::start(&self.vocabulary)?;
            worker.send(&text).map_err(failed)?;
        }
        match worker.answers.recv_timeout(PATIENCE) {
            Ok(answer) => {
                self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(worker);
                match answer.strip_prefix(REFUSED) {
                    None => Ok(()),
                    Some(words) => {
                        Err(FormError::Refused(serde_json::from_str(words).map_err(failed)?))
                    }
                }
            }
            Err(mpsc::RecvTimeoutError::Timeout) => Err(FormError::TooSlow(PATIENCE.as_secs())),
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                let words = "the parser of constraints failed on it; make it simpler";
                Err(FormError::Refused(words.to_string()))
            }
        }
    }

    fn take(&self) -> Result<Worker, FormError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.map_or_else(|| Worker::start(&self.vocabulary), Ok)
    }
}

fn failed(error: impl std::fmt::Display) -> FormError {
    FormError::Failed(format!("the process that compiles forms first: {error}"))
}

/// A child process. It ends when this is dropped.
#[derive(Debug)]
struct Worker {
    process: Child,
    /// None until the vocabulary has been written.
    input: Option<ChildStdin>,
    written: mpsc::Receiver<ChildStdin>,
    answers: mpsc::Receiver<String>,
}

impl Worker {
    fn start(vocabulary: &Arc<Vocabulary>) -> Result<Worker, FormError> {
        let mut command = child().map_err(failed)?;
        command.arg(VERB).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        // Ctrl-C is for this process, which ends the other one by itself.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut process = command.spawn().map_err(failed)?;
        let input = process.stdin.take().expect("it's piped");
        let output = process.stdout.take().expect("it's piped");
        let (gives_input, written) = mpsc::channel();
        let vocabulary = Arc::clone(vocabulary);
        let write = move || {
            let mut input = BufWriter::new(input);
            if vocabulary.write(&mut input).is_ok()
                && let Ok(input) = input.into_inner()
            {
                let _ = gives_input.send(input);
            }
        };
        let (gives_answers, answers) = mpsc::channel();
        let read = move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if gives_answers.send(line).is_err() {
                    break;
                }
            }
        };
        let worker = Worker { process, input: None, written, answers };
        thread::Builder::new().name("form-input".to_string()).spawn(write).map_err(failed)?;
        thread::Builder::new().name("form-answers".to_string()).spawn(read).map_err(failed)?;
        Ok(worker)
    }

    /// Sends a form, once the process is ready.
    fn send(&mut self, text: &str) -> std::io::Result<()> {
        let timed_out = |_| std::io::Error::new(std::io::ErrorKind::TimedOut, "it didn't start");
        let input = match &mut self.input {
            Some(input) => input,
            None => {
                let input = self.written.recv_timeout(MAX_STARTUP).map_err(timed_out)?;
                self.answers.recv_timeout(MAX_STARTUP).map_err(timed_out)?;
                self.input.insert(input)
            }
        };
        input.write_all(&(text.len() as u32).to_le_bytes())?;
        input.write_all(text.as_bytes())?;
        input.flush()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The program and arguments that start a child process, before the hidden verb.
static CHILD: OnceLock<(OsString, Vec<OsString>)> = OnceLock::new();

/// Names the command that starts child processes, for programs that aren't the executable itself:
/// in a Python process that would be the interpreter. The hidden verb follows the arguments. The
/// first call counts.
pub fn start_children_with(program: OsString, args: Vec<OsString>) {
    let _ = CHILD.set((program, args));
}

/// The command of a child process, without the hidden verb.
fn child() -> std::io::Result<Command> {
    match CHILD.get() {
        Some((program, args)) => {
            let mut command = Command::new(program);
            command.args(args);
            Ok(command)
        }
        None => Ok(Command::new(program()?)),
    }
}

/// The path of this program. On Linux it is right even if the file was replaced.
fn program() -> std::io::Result<std::path::PathBuf> {
    let running = std::path::Path::new("/proc/self/exe");
    if cfg!(target_os = "linux") && running.exists() {
        Ok(running.to_path_buf())
    } else {
        std::env::current_exe()
    }
}

/// The child process: reads the vocabulary and forms from standard input, and writes an answer to
/// each on standard output.
///
/// # Errors
/// If the input can't be read or an answer can't be written.
pub fn run() -> std::io::Result<()> {
    limit_memory();
    answer(&mut std::io::stdin().lock(), &mut std::io::stdout().lock())
}

fn answer(from: &mut impl Read, to: &mut impl Write) -> std::io::Result<()> {
    let vocabulary = Vocabulary::read(from)?;
    let factory = vocabulary.factory().map_err(std::io::Error::other)?;
    drop(vocabulary);
    let factory = Arc::new(factory);
    writeln!(to, "{READY}")?;
    to.flush()?;
    loop {
        // What ends between two forms has ended well.
        let Ok(n_bytes) = read_u32(from) else { return Ok(()) };
        let mut bytes = vec![0; n_bytes as usize];
        from.read_exact(&mut bytes)?;
        #[cfg(debug_assertions)]
        inject(&String::from_utf8_lossy(&bytes));
        let form: Form = serde_json::from_slice(&bytes)?;
        let compiled = form.grammar().and_then(|grammar| in_its_thread(&factory, grammar, || ()));
        match compiled {
            Ok(_) => writeln!(to, "{GOOD}")?,
            // Who waits has given up as well.
            Err(FormError::TooSlow(_)) => return Err(std::io::ErrorKind::TimedOut.into()),
            Err(error) => writeln!(to, "{REFUSED}{}", serde_json::to_string(&error.to_string())?)?,
        }
        to.flush()?;
    }
}

/// Fails as the parser might, in test builds alone.
#[cfg(debug_assertions)]
fn inject(form: &str) {
    let Ok(fault) = std::env::var(FAULT) else { return };
    match fault.split_once(':') {
        Some(("abort", text)) if form.contains(text) => std::process::abort(),
        Some(("hang", text)) if form.contains(text) => thread::sleep(Duration::from_secs(3600)),
        _ => {}
    }
}

/// A lower limit that is already set stays.
#[cfg(unix)]
fn limit_memory() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    for (resource, most) in [(Resource::As, MAX_MEMORY), (Resource::Core, 0)] {
        let Rlimit { current, maximum } = getrlimit(resource);
        let current = Some(current.map_or(most, |limit| limit.min(most)));
        let _ = setrlimit(resource, Rlimit { current, maximum });
    }
}

#[cfg(not(unix))]
fn limit_memory() {}
