//! Measurements of one engine in a process of its own: what to do comes in as JSON on standard
//! input, times and peak memory go out as JSON. Between getting ready and doing the work the
//! process waits for a word, so that the parent's reference loop runs right before and right after;
//! another word lets it get ready once more, with the model as it was loaded.

use std::{
    io::{BufRead, BufReader, StdinLock, Write},
    path::PathBuf,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Instant,
};

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};

#[cfg(feature = "candle")]
use crate::engines::candle::Candle;
use crate::engines::{
    Engine,
    kelvin::Kelvin,
    llama::{Llama, Mode, Size},
};

/// Who is measured.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Name {
    Kelvin,
    Llama,
    Candle,
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Work {
    /// A prompt is read at once.
    Prompt { tokens: usize },
    /// One continuation takes `steps` steps after a prompt of `depth`.
    Decode { depth: usize, steps: usize },
    /// From the model file to the first token after a short prompt.
    First { tokens: usize },
    /// A prompt is read, then continued several ways together.
    Compare { prompt: usize, ways: usize, steps: usize },
}

/// All that the process needs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Spec {
    pub engine: Name,
    pub model: PathBuf,
    pub threads: usize,
    pub work: Work,
    /// Tokens to feed, taken in a circle: the same ones for every engine.
    pub tokens: Vec<u32>,
}

/// What the process measured.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Outcome {
    pub load_secs: f64,
    /// Reading the prompt, up to its first token.
    pub prompt_secs: f64,
    /// All steps after it.
    pub steps_secs: f64,
    /// The most memory that the process ever held (VmHWM), mapped files included.
    pub peak_bytes: u64,
}

const READY: &str = "ready";
const GO: &str = "go";
const AGAIN: &str = "again";

impl Work {
    /// How many tokens the context must hold, and in how many sequences.
    fn size(self) -> Size {
        let (n_ctx, n_sequences) = match self {
            Work::Prompt { tokens } | Work::First { tokens } => (tokens + 1, 1),
            Work::Decode { depth, steps } => (depth.max(1) + steps + 1, 1),
            Work::Compare { prompt, ways, steps } => (prompt + ways * (steps + 1), ways),
        };
        Size { n_ctx, n_sequences }
    }
}

impl Spec {
    fn tokens(&self, from: usize, n: usize) -> Vec<u32> {
        self.tokens.iter().copied().cycle().skip(from % self.tokens.len()).take(n).collect()
    }

    /// What the continuations are fed at a step: each has a text of its own.
    fn step_tokens(&self, from: usize, ways: usize) -> Vec<u32> {
        (0..ways).map(|way| self.tokens[(from + 37 * way) % self.tokens.len()]).collect()
    }

    fn load(&self) -> Result<Box<dyn Engine>> {
        let size = self.work.size();
        Ok(match self.engine {
            Name::Kelvin => Box::new(Kelvin::load(&self.model, self.threads)?),
            Name::Llama => Box::new(Llama::load(&self.model, Mode::Default, self.threads, size)?),
            #[cfg(feature = "candle")]
            Name::Candle => Box::new(Candle::load(&self.model)?),
            #[cfg(not(feature = "candle"))]
            Name::Candle => bail!("peers was built without its feature candle"),
        })
    }
}

/// The parent's words, as the child hears them.
struct Parent(StdinLock<'static>);

impl Parent {
    /// Whether the word came; not if the parent is through.
    fn says(&mut self, expected: &str) -> Result<bool> {
        let mut word = String::new();
        let n = self.0.read_line(&mut word)?;
        ensure!(n == 0 || word.trim() == expected, "expected {expected:?}, got {word:?}");
        Ok(n > 0)
    }

    /// Tells it that all is ready, and waits.
    fn lets_go(&mut self) -> Result<()> {
        println!("{READY}");
        std::io::stdout().flush()?;
        ensure!(self.says(GO)?, "the word {GO:?} never came");
        Ok(())
    }
}

/// The child's side.
pub fn serve() -> Result<()> {
    let mut line = String::new();
    let mut parent = Parent(std::io::stdin().lock());
    parent.0.read_line(&mut line)?;
    let spec: Spec =
        serde_json::from_str(&line).context("the work must come as one line of JSON")?;
    ensure!(!spec.tokens.is_empty(), "there are no tokens to feed");

    if let Work::First { .. } = spec.work {
        parent.lets_go()?;
    }
    let begin = Instant::now();
    let mut engine = spec.load()?;
    let load_secs = begin.elapsed().as_secs_f64();
    loop {
        let (prompt_secs, steps_secs) = match spec.work {
            Work::First { tokens } => (timed(|| engine.read(&spec.tokens(0, tokens), 1))?, 0.0),
            Work::Prompt { tokens } => {
                warm_up(&mut *engine, &spec, 1)?;
                parent.lets_go()?;
                (timed(|| engine.read(&spec.tokens(0, tokens), 1))?, 0.0)
            }
            Work::Decode { depth, steps } => {
                warm_up(&mut *engine, &spec, 1)?;
                let depth = depth.max(1);
                engine.read(&spec.tokens(0, depth), 1)?;
                parent.lets_go()?;
                (0.0, timed(|| take_steps(&mut *engine, &spec, depth, 1, steps))?)
            }
            Work::Compare { prompt, ways, steps } => {
                warm_up(&mut *engine, &spec, ways)?;
                parent.lets_go()?;
                (
                    timed(|| engine.read(&spec.tokens(0, prompt), ways))?,
                    timed(|| take_steps(&mut *engine, &spec, prompt, ways, steps))?,
                )
            }
        };
        let outcome = Outcome { load_secs, prompt_secs, steps_secs, peak_bytes: peak_bytes()? };
        println!("{}", serde_json::to_string(&outcome)?);
        if !parent.says(AGAIN)? {
            return Ok(());
        }
    }
}

/// A short prompt and a step, so that no sample pays for first touches.
fn warm_up(engine: &mut dyn Engine, spec: &Spec, ways: usize) -> Result<()> {
    engine.read(&spec.tokens(0, 8), ways)?;
    engine.step(&spec.step_tokens(8, ways))?;
    Ok(())
}

fn take_steps(
    engine: &mut dyn Engine,
    spec: &Spec,
    from: usize,
    ways: usize,
    steps: usize,
) -> Result<()> {
    for i in 0..steps {
        engine.step(&spec.step_tokens(from + i, ways))?;
    }
    Ok(())
}

fn timed<T>(work: impl FnOnce() -> Result<T>) -> Result<f64> {
    let begin = Instant::now();
    work()?;
    Ok(begin.elapsed().as_secs_f64())
}

fn peak_bytes() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")
        .context("peak memory is known on Linux only")?;
    let kib: u64 = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok())
        .context("/proc/self/status has no VmHWM")?;
    Ok(kib << 10)
}

/// The parent's side: a child with a model.
pub struct Sampler {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Sampler {
    /// Starts a child and waits until it is ready.
    pub fn start(spec: &Spec) -> Result<Sampler> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("sample")
            // An engine's refusal is one sentence, not a trace.
            .env("RUST_BACKTRACE", "0")
            .env("RAYON_NUM_THREADS", spec.threads.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let mut input = child.stdin.take().expect("it was piped");
        let output = BufReader::new(child.stdout.take().expect("it was piped"));
        writeln!(input, "{}", serde_json::to_string(spec)?)?;
        let mut sampler = Sampler { child, input, output };
        sampler.until_ready()?;
        Ok(sampler)
    }

    /// One sample of a child that is ready.
    pub fn go(&mut self) -> Result<Outcome> {
        writeln!(self.input, "{GO}")?;
        let line = self.line()?;
        serde_json::from_str(&line).with_context(|| format!("{line:?} is no outcome"))
    }

    /// Lets a child that gave a sample get ready for the next.
    pub fn again(&mut self) -> Result<()> {
        writeln!(self.input, "{AGAIN}")?;
        self.until_ready()
    }

    fn until_ready(&mut self) -> Result<()> {
        let line = self.line()?;
        ensure!(line.trim() == READY, "the process that measures said {line:?}");
        Ok(())
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        if self.output.read_line(&mut line)? == 0 {
            let mut complaint = String::new();
            if let Some(mut stderr) = self.child.stderr.take() {
                std::io::Read::read_to_string(&mut stderr, &mut complaint)?;
            }
            self.child.wait()?;
            bail!("{}", complaint.trim().trim_start_matches("error: "));
        }
        Ok(line)
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        // It has nothing to lose, and the next sample wants the memory and the cores. An error says
        // that it ended already.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}
