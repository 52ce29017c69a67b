//! `generate`: streams one continuation of a prompt.

pub(super) mod args;
mod texts;

use std::{io::Write, ops::ControlFlow};

use kelvin_constraint::Form;
use kelvin_engine::{
    TokenId,
    batch::{Continuation, GuessCounts, Observer, RequestId, Step, generate},
    generate::FinishReason,
};
use kelvin_sampling::{Chain, Dice, Sampler};
use kelvin_views::{
    clock::{Clock, Timings},
    escape,
    figures::{Figures, Finish},
};
use serde::Serialize;

use crate::{
    cli::shared::{
        drafts::Drafts,
        failure::Interrupted,
        form::{self, Asked},
        options,
        prompt::{self, Otherwise, Prompt},
        proof::{Made, Pending},
        session::{self, ModelFile, Session},
    },
    interrupt,
    terminal::{
        self, json,
        late::{Counted, LateBar},
        style::Style,
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
    /// The parts of a text that thinks.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    apart: Option<Apart>,
    finish: Finish,
    figures: Figures,
    #[serde(skip_serializing_if = "Option::is_none")]
    timings: Option<Timings>,
    #[serde(skip_serializing_if = "Option::is_none")]
    drafts: Option<Drafts>,
}

/// Thoughts and answer.
#[derive(Debug, Serialize)]
struct Apart {
    reasoning_content: String,
    content: String,
}

impl Apart {
    /// Of a text after `prompt`; `None` if nothing in it is a thought.
    fn of(session: &Session, prompt: &[TokenId], text: &Continuation) -> Option<Apart> {
        let (reasoning_content, mut content) =
            session.engine.read_blocks(prompt).split(&text.tokens);
        if let FinishReason::StopString(stop) = &text.finish {
            content.truncate(content.find(stop).unwrap_or(content.len()));
        }
        let thinks = !reasoning_content.is_empty() || content != text.text;
        (session.engine.reasoning.is_some() && thinks)
            .then_some(Apart { reasoning_content, content })
    }
}

/// Streams one continuation to standard output.
pub(crate) struct Stream<'a> {
    /// Nothing is streamed: JSON is printed at the end.
    pub(crate) silent: bool,
    /// Whether to escape control characters.
    pub(crate) to_terminal: bool,
    /// Reports Ctrl-C.
    pub(crate) guard: &'a interrupt::Guard,
    /// Measures prefill and decode.
    pub(crate) clock: Clock,
    /// The progress bar of prefill.
    pub(crate) reading: LateBar,
    /// That of a text which is printed at the end, and how many tokens it has at most.
    pub(crate) writing: (LateBar, u64),
    /// Tokens so far.
    pub(crate) n_written: u64,
    /// Whether thoughts were shown last.
    pub(crate) thinks: bool,
    /// The error that ended the output, e.g. a closed pipe.
    pub(crate) failed: Option<std::io::Error>,
}

impl<'a> Stream<'a> {
    /// A stream that begins now; `silent` if JSON is printed at the end. The text has at most
    /// `longest` tokens.
    pub(crate) fn new(silent: bool, longest: usize, guard: &'a interrupt::Guard) -> Stream<'a> {
        Stream {
            silent,
            to_terminal: terminal::is_terminal(),
            guard,
            clock: Clock::start(),
            reading: LateBar::new(Counted::Tokens),
            writing: (LateBar::new(Counted::NewTokens), longest as u64),
            n_written: 0,
            thinks: false,
            failed: None,
        }
    }

    fn show(&mut self, text: &str) -> ControlFlow<()> {
        // An answer begins in a paragraph of its own.
        let gap = if !text.is_empty() && std::mem::take(&mut self.thinks) { "\n\n" } else { "" };
        let shown = escape::for_output(text, self.to_terminal);
        self.write(&format!("{gap}{shown}"))
    }

    fn write(&mut self, shown: &str) -> ControlFlow<()> {
        if !self.silent && !shown.is_empty() {
            let mut out = std::io::stdout().lock();
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

    fn thought(&mut self, _: RequestId, _column: usize, text: &str) {
        self.thinks = true;
        let shown = escape::for_output(text, self.to_terminal);
        let _ = self.write(&Style::stdout().dim(&shown));
    }

    fn token(&mut self, step: Step<'_>) -> ControlFlow<()> {
        self.clock.token();
        self.n_written += 1;
        if self.silent {
            let (bar, longest) = &mut self.writing;
            bar.set(self.n_written, *longest);
        }
        self.show(step.text)
    }

    fn finished(&mut self, _: RequestId, _column: usize, text: &str, _reason: &FinishReason) {
        let (bar, longest) = &mut self.writing;
        bar.set(*longest, *longest);
        let _ = self.show(text);
    }
}

/// What the text is made from, for a reproduction file.
fn made<'a>(
    args: &'a GenerateArgs,
    session: &'a Session,
    prompt: &'a Prompt,
    chain: &Chain,
    seed: u64,
    form: Option<&'a Asked>,
) -> Made<'a> {
    Made {
        session,
        prompt,
        framing: prompt::framing(&args.prompt, Otherwise::AsItIs),
        chains: vec![chain.clone()],
        samples: 1,
        seed,
        length: &args.length,
        form,
    }
}

/// Prints how long it took and what ended the text, as far as that is asked for or surprising.
fn print_end(timings: Option<&Timings>, n: usize, finish: &Finish, drafts: Option<&Drafts>) {
    match timings {
        Some(timings) => {
            terminal::note(&format!(
                "{}, {:.1} a second, prompt read in {:.2} s, ended by {}",
                terminal::counted(n, "token"),
                timings.tokens_per_sec,
                timings.prompt_secs,
                finish.words()
            ));
            drafts.iter().for_each(|drafts| terminal::note(&drafts.words()));
        }
        None => finish.remark().iter().for_each(|remark| terminal::note(remark)),
    }
}

/// Runs the verb.
pub(crate) fn run(args: &GenerateArgs) -> anyhow::Result<()> {
    let (_, mut chain) = options::chain(&args.sampling, &args.heat)?;
    options::check_length(&args.length)?;
    if let Some(asked) = args.texts.asked(args.length.max_tokens)? {
        return texts::run(args, &asked, &chain);
    }
    let proof = args.proof.checked()?;
    let seed = options::seed(args.sampling.seed)?;
    let form = form::read(&args.form, prompt::on_standard_input(&args.prompt))?;
    let text = prompt::read(&args.prompt)?;
    let session = session::open(&args.model)?.drafting(&args.drafts.draft, &args.model)?;
    let prompt = prompt::prepare(&session.engine, text, &args.prompt, Otherwise::AsItIs)?;
    prompt.note_date(&args.prompt);
    if args.recommended.recommended {
        (_, chain) = options::start_recommended(&session.engine, &args.sampling, &args.heat)?;
    }
    let samplers = vec![Sampler::new(session.bind(&chain)?, Dice { seed: seed.value, sample: 0 })];
    let mut request = session.request(prompt.tokens(), samplers, &args.length, form.as_ref())?;
    let pending = proof.map(|path| Pending::begin(path, &mut request));
    let budget = session.check(&request.prompt, 1, args.length.max_tokens)?;
    if !args.output.json {
        // The resolved chain goes to standard error: standard output has the text alone.
        let (model, form) = (&session.file.model, prompt.form());
        terminal::note(&format!("{model} · {form} · {chain} · seed {}", seed.value));
    }
    let guard = interrupt::Guard::new();
    let mut stream = Stream::new(args.output.json, args.length.max_tokens, &guard);
    let mut batch = session.batch(budget);
    let mut continuations = generate(&session.engine, &mut batch, request, &mut stream)?;
    if let Some(pending) = pending {
        let made = made(args, &session, &prompt, &chain, seed.value, form.as_ref());
        pending.write(&made, &continuations)?;
    }
    let continuation = continuations.pop().expect("one sampler, one column");
    if let Some(error) = stream.failed {
        return Err(error.into());
    }
    let timings = stream.clock.timings(continuation.tokens.len());
    let drafts = Drafts::of(session.guesses, GuessCounts::default(), batch.guess_counts());
    let finish = Finish::of(&continuation.finish, &session.engine);
    if args.output.json {
        let apart = Apart::of(&session, &prompt.tokens(), &continuation);
        json::print(&GenerateOutput {
            model: session.file.clone(),
            prompt,
            chain: chain.to_string(),
            seed: seed.value,
            form: form.as_ref().map(|asked| asked.form.clone()),
            ids: prompt::ids(continuation.tokens.clone()),
            text: continuation.text.clone(),
            apart,
            finish: finish.clone(),
            figures: Figures::of(&continuation),
            timings: args.output.timings.then_some(timings),
            drafts: drafts.filter(|_| args.output.timings),
        })?;
    } else {
        terminal::print("\n")?;
        let timings = args.output.timings.then_some(&timings);
        print_end(timings, continuation.tokens.len(), &finish, drafts.as_ref());
    }
    if let Some(form) = &form {
        form.note_cut([&continuation.finish]);
    }
    match continuation.finish {
        FinishReason::Cancelled => Err(Interrupted.into()),
        reason => reason.failure().map_or(Ok(()), |failure| Err(anyhow::anyhow!(failure))),
    }
}
