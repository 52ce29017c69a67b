//! `generate`: streams one continuation of a prompt.

pub(super) mod args;

use std::{io::Write, ops::ControlFlow};

use kelvin_constraint::Form;
use kelvin_engine::{
    batch::{Observer, RequestId, Step, generate},
    generate::FinishReason,
};
use kelvin_sampling::{Dice, Sampler};
use kelvin_views::{
    clock::{Clock, Timings},
    escape,
    figures::{Figures, Finish},
};
use serde::Serialize;

use crate::{
    cli::shared::{
        failure::Interrupted,
        form, options,
        prompt::{self, Otherwise, Prompt},
        session::{self, ModelFile},
    },
    interrupt,
    terminal::{
        self, json,
        late::{Counted, LateBar},
    },
};
use args::GenerateArgs;

#[derive(Debug, Serialize)]
struct GenerateOutput {
    #[serde(flatten)]
    model: ModelFile,
    prompt: Prompt,
    chain: String,
    seed: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    form: Option<Form>,
    ids: Vec<u32>,
    text: String,
    finish: Finish,
    figures: Figures,
    #[serde(skip_serializing_if = "Option::is_none")]
    timings: Option<Timings>,
}

/// Streams one continuation to standard output.
pub(crate) struct Stream<'a> {
    /// JSON says everything at the end.
    pub(crate) silent: bool,
    /// Whether control characters have to be made visible.
    pub(crate) to_terminal: bool,
    /// Ctrl-C.
    pub(crate) guard: &'a interrupt::Guard,
    /// How long it takes.
    pub(crate) clock: Clock,
    /// How far the prompt has been read.
    pub(crate) reading: LateBar,
    /// Standard output went away.
    pub(crate) failed: Option<std::io::Error>,
}

impl Stream<'_> {
    fn show(&mut self, text: &str) -> ControlFlow<()> {
        if !self.silent && !text.is_empty() {
            let mut out = std::io::stdout().lock();
            let shown = escape::for_output(text, self.to_terminal);
            if let Err(error) = out.write_all(shown.as_bytes()).and_then(|()| out.flush()) {
                self.failed = Some(error);
                return ControlFlow::Break(());
            }
        }
        if self.guard.requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

impl Observer for Stream<'_> {
    fn prompt(&mut self, _: RequestId, done: usize, total: usize) -> ControlFlow<()> {
        self.reading.set(done as u64, total as u64);
        if done == total {
            self.clock.prompt_read();
        }
        if self.guard.requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn token(&mut self, step: Step<'_>) -> ControlFlow<()> {
        self.clock.token();
        self.show(step.text)
    }

    fn finished(&mut self, _: RequestId, _column: usize, text: &str, _reason: &FinishReason) {
        let _ = self.show(text);
    }
}

/// Runs the verb.
pub(crate) fn run(args: &GenerateArgs) -> anyhow::Result<()> {
    let (_, mut chain) = options::chain(&args.sampling, &args.heat)?;
    options::check_length(&args.length)?;
    let seed = options::seed(args.sampling.seed)?;
    let form = form::read(&args.form, prompt::on_standard_input(&args.prompt))?;
    let text = prompt::read(&args.prompt)?;
    let session = session::open(&args.model)?;
    let prompt = prompt::prepare(&session.engine, text, &args.prompt, Otherwise::AsItIs)?;
    prompt.note_date(&args.prompt);
    if args.recommended.recommended {
        (_, chain) = options::start_recommended(&session.engine, &args.sampling, &args.heat)?;
    }
    let samplers = vec![Sampler::new(
        session.engine.tokenizer.bind(&chain),
        Dice { seed: seed.value, sample: 0 },
    )];
    let request = session.request(prompt.tokens(), samplers, &args.length, form.as_ref())?;
    let budget = session.check(&request.prompt, 1, args.length.max_tokens)?;
    if !args.output.json {
        // What flags and profile came to, on standard error: the text alone is the output.
        terminal::note(&format!("{} · {chain} · seed {}", session.file.model, seed.value));
    }
    let guard = interrupt::Guard::new();
    let to_terminal = terminal::is_terminal();
    let reading = LateBar::new(Counted::Tokens);
    let clock = Clock::start();
    let mut stream = Stream {
        silent: args.output.json,
        to_terminal,
        guard: &guard,
        clock,
        reading,
        failed: None,
    };
    let mut continuations =
        generate(&session.engine, &mut session.batch(budget), request, &mut stream)?;
    let continuation = continuations.pop().expect("one sampler, one column");
    if let Some(error) = stream.failed {
        return Err(error.into());
    }
    let timings = stream.clock.timings(continuation.tokens.len());
    let finish = Finish::of(&continuation.finish, &session.engine);
    if args.output.json {
        json::print(&GenerateOutput {
            model: session.file.clone(),
            prompt,
            chain: chain.to_string(),
            seed: seed.value,
            form: form.as_ref().map(|asked| asked.form.clone()),
            ids: prompt::ids(continuation.tokens.clone()),
            text: continuation.text.clone(),
            finish: finish.clone(),
            figures: Figures::of(&continuation),
            timings: args.output.timings.then_some(timings),
        })?;
    } else {
        terminal::print("\n")?;
        if args.output.timings {
            let count = terminal::counted(continuation.tokens.len(), "token");
            terminal::note(&format!(
                "{count}, {:.1} a second, prompt read in {:.2} s, ended by {}",
                timings.tokens_per_sec,
                timings.prompt_secs,
                finish.words()
            ));
        } else {
            if let Some(remark) = finish.remark() {
                terminal::note(&remark);
            }
        }
    }
    if let Some(form) = &form {
        form.note_cut([&continuation.finish]);
    }
    match continuation.finish {
        FinishReason::Cancelled => Err(Interrupted.into()),
        reason => reason.failure().map_or(Ok(()), |failure| Err(anyhow::anyhow!(failure))),
    }
}
