//! `bench`: measures prefill and decode speed, compared with the limits of the machine.
//!
//! Each sample is enclosed by runs of two reference loops (a plain read of memory, multiplications
//! in registers). A sample during which either ran 12 % below its best is dropped, because another
//! process was running. The best of a loop is the mean of its best tenth: a single best run is an
//! outlier on a shared machine.

pub(super) mod args;
pub(super) mod view;

use std::{hint::black_box, ops::Range, time::Instant};

use anyhow::anyhow;
use kelvin_engine::{
    TokenId,
    batch::{Batch, Budget, Chunks, GuessCounts, Guesses, Request, generate, next_logits},
    transformer::PAGE,
};
use kelvin_kernels::{memory::Buffer, roofline};
use kelvin_sampling::{Chain, Dice, Sampler};

use crate::{
    cli::{
        compare::plan::MAX_COLUMNS,
        shared::{
            drafts::Drafts,
            failure::usage,
            limits::{self, Limits},
            session::{self, Session},
        },
    },
    terminal::{
        self, json,
        late::{Counted, LateBar},
        style::Style,
    },
};
use args::{BenchArgs, WorkName};
use view::BenchRow;

/// Runs of the reference loops before the first sample, so that their best is known.
const N_FIRST: usize = 10;
/// A sample counts if each loop ran at no less than this share of its best, before and after.
const UNDISTURBED: f64 = 0.88;
/// Maximum samples taken for each sample that is wanted.
const PATIENCE: usize = 3;
/// Length of the prompt of `compare`, in tokens.
const COMPARE_PROMPT: usize = 128;

/// A measurement.
#[derive(Debug, Clone, Copy)]
enum Work {
    /// Prefill of a prompt of this many tokens.
    Prompt(usize),
    /// Decode of one text that has this many tokens.
    Decode(usize),
    /// Decode of this many continuations of one prompt, in one batch.
    Compare(usize),
}

/// The result of one sample.
struct Done {
    secs: f64,
    tokens: usize,
    bytes: usize,
    multiply_adds: usize,
    /// Tokens that a step gave each continuation, if there were steps of decode.
    per_step: Option<f64>,
    /// What came of drafts.
    drafts: Option<Drafts>,
}

/// Samples, each with the slower run of each loop, before or after it.
type Samples = Vec<(Done, Limits)>;

/// Runs the verb.
pub(crate) fn run(args: &BenchArgs) -> anyhow::Result<()> {
    let works = works(args)?;
    let session = session::open(&args.model)?.drafting(&args.draft, &args.model)?;
    let longest = works.iter().map(|work| work.longest(args.tokens)).max().unwrap_or(0);
    if longest > session.limit() {
        return Err(usage(format!(
            "the longest work needs {longest} tokens, but the context has room for {}",
            session.limit()
        )));
    }
    for work in &works {
        if let Work::Compare(n) = work {
            session.check(&[TokenId(0); COMPARE_PROMPT], *n, args.tokens)?;
        }
    }
    let mut bench = Bench {
        session: &session,
        n_tokens: args.tokens,
        numbers: roofline::read_buffer()?,
        seen: Vec::new(),
        batch: session.batch(budget(&works, args.tokens)),
    };
    for _ in 0..N_FIRST {
        bench.reference();
    }
    let total = (works.len() * args.rounds) as u64;
    let mut bar = LateBar::new(Counted::Samples);
    let mut all = Vec::new();
    for (i, &work) in works.iter().enumerate() {
        let samples = bench
            .measure(work, args.rounds, &mut |n| bar.set((i * args.rounds + n) as u64, total))?;
        all.push((work, samples));
    }
    bar.set(total, total);
    let rows: Vec<BenchRow> = all.iter().map(|(work, samples)| bench.row(*work, samples)).collect();
    if !args.json {
        terminal::print(&view::render(&session, &rows, Style::stdout()))?;
    }
    json::print_line(&rows)
}

fn works(args: &BenchArgs) -> anyhow::Result<Vec<Work>> {
    if args.rounds == 0 || args.tokens == 0 {
        return Err(usage("--rounds and -n are at least 1"));
    }
    if let Some(n) = args.batch.iter().find(|&&n| n > MAX_COLUMNS) {
        return Err(usage(format!(
            "--batch has {n}, but at most {MAX_COLUMNS} texts are continued together"
        )));
    }
    for (flag, numbers) in [("--prompts", &args.prompts), ("--batch", &args.batch)] {
        if numbers.contains(&0) {
            return Err(usage(format!(
                "{flag} has a 0, but takes whole numbers from 1 up, such as 1,16"
            )));
        }
    }
    let mut works = Vec::new();
    for name in &args.work {
        match name {
            WorkName::Prompt => works.extend(args.prompts.iter().copied().map(Work::Prompt)),
            WorkName::Decode => works.extend(args.depths.iter().copied().map(Work::Decode)),
            WorkName::Compare => works.extend(args.batch.iter().copied().map(Work::Compare)),
        }
    }
    Ok(works)
}

/// The page budget of the largest measurement.
fn budget(works: &[Work], n_tokens: usize) -> Budget {
    let of = |work: &Work| {
        let n_texts = if let Work::Compare(ways) = work { *ways } else { 1 };
        // One page more for each text: a partly filled page that two texts share is copied.
        Budget::for_texts(n_texts, work.longest(n_tokens).saturating_add(2 * PAGE))
    };
    let most = |a: Budget, b: Budget| Budget {
        n_texts: a.n_texts.max(b.n_texts),
        n_pages: a.n_pages.max(b.n_pages),
    };
    works.iter().map(of).fold(Budget { n_texts: 1, n_pages: 0 }, most)
}

impl Work {
    /// Length of the longest text, in tokens.
    fn longest(self, n_tokens: usize) -> usize {
        match self {
            Work::Prompt(n) => n,
            Work::Decode(depth) => depth.max(1).saturating_add(n_tokens),
            Work::Compare(_) => n_tokens.saturating_add(COMPARE_PROMPT),
        }
    }
}

struct Bench<'a> {
    session: &'a Session,
    /// Tokens of each continuation.
    n_tokens: usize,
    /// The buffer that the reading loop reads.
    numbers: Buffer<u64>,
    /// All results of the loops so far.
    seen: Vec<Limits>,
    /// The scheduler that all verbs use.
    batch: Batch,
}

impl Bench<'_> {
    /// Takes samples until `rounds` are undisturbed, or `PATIENCE` times as many were taken.
    fn measure(
        &mut self,
        work: Work,
        rounds: usize,
        progress: &mut dyn FnMut(usize),
    ) -> anyhow::Result<Samples> {
        if let Work::Decode(depth) = work {
            // Decode is timed without its prefill: the prefix cache holds the text from here on.
            self.batch.forget_prefixes(&self.session.engine);
            self.read(depth.max(1))?;
        }
        // A warm-up: buffers grow, threads wake.
        self.sample(work)?;
        let mut samples = Vec::new();
        while samples.len() < rounds * PATIENCE && self.undisturbed(&samples).count() < rounds {
            progress(samples.len().min(rounds - 1));
            let before = self.reference();
            let done = self.sample(work)?;
            let after = self.reference();
            let slower = Limits {
                gb_per_sec: before.gb_per_sec.min(after.gb_per_sec),
                giga_ops_per_sec: before.giga_ops_per_sec.min(after.giga_ops_per_sec),
            };
            samples.push((done, slower));
        }
        Ok(samples)
    }

    /// Measures the machine's speed at this moment.
    fn reference(&mut self) -> Limits {
        let model = &self.session.engine.model;
        let now = limits::measure(model.pool(), model.isa(), &self.numbers);
        self.seen.push(now);
        now
    }

    /// The speed that a tenth of all runs exceeded, for each loop.
    fn best(&self) -> Limits {
        let at = |of: fn(&Limits) -> f64| {
            let mut all: Vec<f64> = self.seen.iter().map(of).collect();
            all.sort_by(|a, b| b.total_cmp(a));
            all.get(all.len() / 10).copied().unwrap_or(0.0)
        };
        Limits { gb_per_sec: at(|l| l.gb_per_sec), giga_ops_per_sec: at(|l| l.giga_ops_per_sec) }
    }

    /// Takes one sample.
    fn sample(&mut self, work: Work) -> anyhow::Result<Done> {
        let (session, n_tokens) = (self.session, self.n_tokens);
        let model = &session.engine.model;
        let cache = |pos: usize| model.config.cache_bytes(pos, session.cache);
        let of_steps = |places: Range<usize>| places.map(cache).sum::<usize>();
        let (with_logits, without) =
            (model.config.multiply_adds(true), model.config.multiply_adds(false));
        if !matches!(work, Work::Decode(_)) {
            self.batch.forget_prefixes(&session.engine);
        }
        let before = self.batch.guess_counts();
        let begun = Instant::now();
        match work {
            Work::Prompt(n) => {
                let logits = self.read(n)?;
                black_box(sampler(0).sample(&logits, n as u64)?);
                let secs = begun.elapsed().as_secs_f64();
                // Each chunk of the prompt reads the weights, and the keys and values before it.
                let chunks = (0..n).step_by(Chunks::default().alone);
                let bytes: usize = chunks.map(|at| model.step_bytes() + cache(at)).sum();
                let multiply_adds = (n - 1) * without + with_logits;
                Ok(Done { secs, tokens: n, bytes, multiply_adds, per_step: None, drafts: None })
            }
            Work::Decode(depth) => {
                // The prefix cache holds all tokens but the last, which the first step reads.
                let depth = depth.max(1);
                self.continued(depth, 1, n_tokens)?;
                let secs = begun.elapsed().as_secs_f64();
                let bytes = n_tokens * model.step_bytes() + of_steps(depth..depth + n_tokens);
                let (multiply_adds, per_step) = (n_tokens * with_logits, self.per_step(before, 1));
                let drafts = self.drafts(before);
                Ok(Done { secs, tokens: n_tokens, bytes, multiply_adds, per_step, drafts })
            }
            Work::Compare(ways) => {
                // Prefill gives each continuation its first token; `n_tokens` steps follow.
                self.continued(COMPARE_PROMPT, ways, n_tokens + 1)?;
                let secs = begun.elapsed().as_secs_f64();
                // A step reads the prompt's keys and values once, and those of each continuation.
                let shared = n_tokens * cache(COMPARE_PROMPT - 1);
                let own =
                    of_steps(COMPARE_PROMPT..COMPARE_PROMPT + n_tokens).saturating_sub(shared);
                Ok(Done {
                    secs,
                    tokens: ways * n_tokens,
                    bytes: (1 + n_tokens) * model.step_bytes() + shared + ways * own,
                    multiply_adds: COMPARE_PROMPT * without + ways * n_tokens * with_logits,
                    per_step: self.per_step(before, ways),
                    drafts: self.drafts(before),
                })
            }
        }
    }

    /// Tokens that a step gave each of the continuations since a count, with drafts.
    fn per_step(&self, before: GuessCounts, ways: usize) -> Option<f64> {
        let counts = self.batch.guess_counts().since(&before);
        let (steps, drawn) = (counts.n_steps as f64 * ways as f64, counts.n_drawn as f64);
        (self.session.guesses != Guesses::Off && steps > 0.0).then(|| drawn / steps)
    }

    /// What came of drafts since a count.
    fn drafts(&self, before: GuessCounts) -> Option<Drafts> {
        Drafts::of(self.session.guesses, before, self.batch.guess_counts())
    }

    /// A text of `n` tokens; the time doesn't depend on which tokens.
    fn text(&self, n: usize) -> Vec<TokenId> {
        let vocab_size = self.session.engine.model.config.vocab_size as u32;
        (0..n as u32).map(|i| TokenId((i * 7919 + 101) % vocab_size)).collect()
    }

    /// Prefills `n` tokens and returns the next-token logits.
    fn read(&mut self, n: usize) -> anyhow::Result<Vec<f32>> {
        let text = self.text(n);
        let logits = next_logits(&self.session.engine, &mut self.batch, text, &mut ())?;
        Ok(logits.expect("nobody breaks off"))
    }

    /// Continues a text of `n` tokens `ways` times in one batch, as `compare` does.
    fn continued(&mut self, n: usize, ways: usize, max_tokens: usize) -> anyhow::Result<()> {
        let mut request = Request::new(self.text(n), (0..ways as u64).map(sampler).collect());
        (request.ends.max_tokens, request.ends.ignore_end) = (max_tokens, true);
        for way in generate(&self.session.engine, &mut self.batch, request, &mut ())? {
            if let Some(failure) = way.finish.failure() {
                return Err(anyhow!(failure));
            }
        }
        Ok(())
    }

    fn undisturbed<'s>(&self, samples: &'s Samples) -> impl Iterator<Item = &'s Done> {
        let best = self.best();
        let quiet = move |now: &Limits| {
            now.gb_per_sec >= UNDISTURBED * best.gb_per_sec
                && now.giga_ops_per_sec >= UNDISTURBED * best.giga_ops_per_sec
        };
        samples.iter().filter(move |(_, now)| quiet(now)).map(|(done, _)| done)
    }

    fn row(&self, work: Work, samples: &Samples) -> BenchRow {
        let mut counted: Vec<&Done> = self.undisturbed(samples).collect();
        let n_undisturbed = counted.len();
        if counted.is_empty() {
            counted = samples.iter().map(|(done, _)| done).collect();
        }
        counted.sort_by(|a, b| a.secs.total_cmp(&b.secs));
        let (n, done) = (counted.len(), counted[0]);
        let secs = (counted[(n - 1) / 2].secs + counted[n / 2].secs) / 2.0;
        let (name, batch, depth, tokens) = match work {
            Work::Prompt(n) => ("prompt", 1, 0, n),
            Work::Decode(depth) => ("decode", 1, depth, self.n_tokens),
            Work::Compare(ways) => ("compare", ways, COMPARE_PROMPT, self.n_tokens),
        };
        BenchRow {
            work: name,
            threads: self.session.engine.model.n_threads(),
            batch,
            depth,
            tokens,
            tokens_per_sec: done.tokens as f64 / secs,
            tokens_per_sec_range: [
                done.tokens as f64 / counted[n - 1].secs,
                done.tokens as f64 / done.secs,
            ],
            tokens_per_step: done.per_step,
            drafts: done.drafts.clone(),
            gb_per_sec: done.bytes as f64 / secs / 1e9,
            limit_gb_per_sec: self.best().gb_per_sec,
            giga_ops_per_sec: 2.0 * done.multiply_adds as f64 / secs / 1e9,
            limit_giga_ops_per_sec: self.best().giga_ops_per_sec,
            samples: n_undisturbed,
            dropped: samples.len() - n_undisturbed,
        }
    }
}

/// A sampler with the neutral chain.
fn sampler(sample: u64) -> Sampler {
    Sampler::new(Chain::default(), Dice { seed: 7, sample })
}
