//! `compare`: continuations of one prompt at several temperatures, side by side.
//!
//! All columns use equal random numbers, so where two columns diverge, temperature alone is the
//! cause. The samples of one temperature use different random numbers, so their differences are
//! chance.

use kelvin_constraint::Form;
use kelvin_engine::{
    batch::{Continuation, generate},
    generate::FinishReason,
    tokenizer::Tokenizer,
};
use kelvin_sampling::{Chain, Dice, Sampler};
use kelvin_views::{
    clock::Timings,
    figures::{self, Figures, Finish},
};
use serde::Serialize;

use super::{
    args::CompareArgs,
    compare_view as view,
    failure::{Interrupted, usage},
    form,
    options::{self, Infinity},
    prompt::{self, Otherwise, Prompt},
    session::{self, ModelFile, Session},
};
use crate::{
    interrupt,
    terminal::{self, json},
};

/// What is compared if nothing else is said.
const USUAL: &str = "0.5,1,2";

/// More columns than this are a sweep's job.
pub(crate) const MOST_COLUMNS: usize = 512;

/// Everything that was asked for, resolved.
#[derive(Debug)]
pub(crate) struct Plan {
    /// None for a chain that stands as it is.
    pub(crate) temperatures: Vec<Option<f32>>,
    pub(crate) samples: usize,
    /// As the flags gave it.
    chain: Chain,
    chains: Vec<Chain>,
    pub(crate) seed: options::Seed,
}

impl Plan {
    fn new(args: &CompareArgs) -> anyhow::Result<Plan> {
        let typed = args.temperatures.as_deref();
        typed.map(|typed| options::temperatures(typed, Infinity::Refused)).transpose()?;
        let controls = options::controls(&args.sampling)?;
        let temperatures = options::columns(typed, USUAL, controls.typed(), Infinity::Refused)?;
        let chains = temperatures.iter().map(|&t| controls.of(t)).collect::<anyhow::Result<_>>()?;
        options::hint_at_threads(&temperatures.iter().copied().flatten().collect::<Vec<_>>());
        options::check_length(&args.length)?;
        let columns = args.samples.saturating_mul(temperatures.len());
        if !(1..=MOST_COLUMNS).contains(&columns) {
            return Err(usage(format!(
                "{} samples of {} temperatures are {columns} continuations: ask for 1 to {MOST_COLUMNS}",
                args.samples,
                temperatures.len()
            )));
        }
        Ok(Plan {
            temperatures,
            samples: args.samples,
            chain: controls.chain,
            chains,
            seed: options::seed(args.sampling.seed)?,
        })
    }

    /// Columns in order: all samples of the first temperature, then of the second.
    pub(crate) fn columns(&self) -> impl Iterator<Item = (usize, usize)> {
        let samples = self.samples;
        (0..self.temperatures.len()).flat_map(move |t| (0..samples).map(move |sample| (t, sample)))
    }

    fn samplers(&self, tokenizer: &Tokenizer) -> Vec<Sampler> {
        let chains: Vec<Chain> = self.chains.iter().map(|chain| tokenizer.bind(chain)).collect();
        self.columns()
            .map(|(t, sample)| {
                Sampler::new(
                    chains[t].clone(),
                    Dice { seed: self.seed.value, sample: sample as u64 },
                )
            })
            .collect()
    }

    /// The column that `column` is compared with: the first temperature's with the same dice.
    pub(crate) fn first_of(&self, column: usize) -> usize {
        column % self.samples
    }
}

/// The whole answer.
#[derive(Debug, Serialize)]
pub(crate) struct Answer {
    #[serde(flatten)]
    pub(crate) model: ModelFile,
    pub(crate) prompt: Prompt,
    pub(crate) seed: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) form: Option<Form>,
    pub(crate) columns: Vec<Answered>,
    pub(crate) temperatures: Vec<Summary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) timings: Option<Timings>,
}

/// One continuation.
#[derive(Debug, Serialize)]
pub(crate) struct Answered {
    /// Null where the chain stands as it is and has no single one.
    pub(crate) temperature: Option<f64>,
    pub(crate) sample: usize,
    pub(crate) chain: String,
    pub(crate) ids: Vec<u32>,
    pub(crate) text: String,
    pub(crate) finish: Finish,
    /// The first token (from 0) that differs from the first temperature's column of the same
    /// sample.
    pub(crate) diverges_at: Option<usize>,
    pub(crate) figures: Figures,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) timings: Option<Timings>,
}

/// All samples of one temperature together.
#[derive(Debug, Serialize)]
pub(crate) struct Summary {
    pub(crate) temperature: Option<f64>,
    pub(crate) samples: usize,
    pub(crate) distinct_texts: usize,
    /// Mean first token (from 0) that differs, over all pairs of samples; pairs that never part
    /// count their length.
    pub(crate) samples_diverge_at: Option<f64>,
    /// Mean first token that differs from the first temperature, over the samples; as above.
    pub(crate) diverges_at: Option<f64>,
    pub(crate) tokens: f64,
    pub(crate) mean_entropy_raw: Option<f64>,
    pub(crate) mean_surprisal_raw: Option<f64>,
    pub(crate) distinct_2: Option<f64>,
}

/// Runs the verb.
pub(crate) fn run(args: &CompareArgs) -> anyhow::Result<()> {
    let plan = Plan::new(args)?;
    let form = form::read(&args.form, prompt::on_standard_input(&args.prompt))?;
    let text = prompt::read(&args.prompt)?;
    let session = session::open(&args.model)?;
    let prompt = prompt::prepare(&session.engine, text, &args.prompt, Otherwise::TemplateIfAny)?;
    prompt.note_date(&args.prompt);
    let samplers = plan.samplers(&session.engine.tokenizer);
    let request = session.request(prompt.tokens(), samplers, &args.length, form.as_ref())?;
    let n_texts = request.drafts.len();
    let budget = session.check(&request.prompt, n_texts, args.length.max_tokens)?;
    let live = !args.output.json && terminal::is_terminal();
    if !args.output.json {
        terminal::print(&view::header(&session, &prompt, &plan, &plan.chain.to_string()))?;
    }
    let guard = interrupt::Guard::new();
    let mut watcher = view::Watcher::new(&plan, live, &guard)?;
    let continuations =
        generate(&session.engine, &mut session.batch(budget), request, &mut watcher)?;
    let clocks = watcher.finish()?;
    let asked_form = form.as_ref().map(|asked| asked.form.clone());
    let answer = answer(&session, prompt, asked_form, &plan, &continuations, &clocks);
    if args.output.json {
        json::print(&if args.output.timings { answer } else { answer.without_timings() })?;
    } else {
        terminal::print(&view::final_print(&answer, &plan, &session, &continuations))?;
    }
    if let Some(form) = &form {
        form.note_cut(continuations.iter().map(|continuation| &continuation.finish));
    }
    if continuations.iter().any(|c| c.finish == FinishReason::Cancelled) {
        return Err(Interrupted.into());
    }
    continuations[0].finish.failure().map_or(Ok(()), |failure| Err(anyhow::anyhow!(failure)))
}

impl Answer {
    fn without_timings(mut self) -> Answer {
        self.timings = None;
        self.columns.iter_mut().for_each(|column| column.timings = None);
        self
    }
}

fn answer(
    session: &Session,
    prompt: Prompt,
    form: Option<Form>,
    plan: &Plan,
    continuations: &[Continuation],
    clocks: &view::Clocks,
) -> Answer {
    let columns = plan
        .columns()
        .zip(continuations)
        .enumerate()
        .map(|(column, ((t, sample), continuation))| Answered {
            temperature: plan.temperatures[t].map(json::short),
            sample,
            chain: plan.chains[t].to_string(),
            ids: prompt::ids(continuation.tokens.clone()),
            text: continuation.text.clone(),
            finish: Finish::of(&continuation.finish, &session.engine),
            diverges_at: figures::parting(&continuations[plan.first_of(column)], continuation),
            figures: Figures::of(continuation),
            timings: Some(clocks.of(column, continuation.tokens.len())),
        })
        .collect();
    let summaries = (0..plan.temperatures.len()).map(|t| summary(plan, t, continuations)).collect();
    let total = continuations.iter().map(|c| c.tokens.len()).sum();
    Answer {
        model: session.file.clone(),
        prompt,
        seed: plan.seed.value,
        form,
        columns,
        temperatures: summaries,
        timings: Some(clocks.whole(total)),
    }
}

fn summary(plan: &Plan, t: usize, continuations: &[Continuation]) -> Summary {
    let range = t * plan.samples..(t + 1) * plan.samples;
    let mine = &continuations[range.clone()];
    let mut texts: Vec<&str> = mine.iter().map(|c| c.text.as_str()).collect();
    texts.sort_unstable();
    texts.dedup();
    let from_first = range.map(|column| {
        let (first, own) = (&continuations[plan.first_of(column)], &continuations[column]);
        figures::parting(first, own).unwrap_or(own.tokens.len()) as f64
    });
    let each: Vec<Figures> = mine.iter().map(Figures::of).collect();
    let mean_of = |f: fn(&Figures) -> Option<f64>| figures::mean(each.iter().filter_map(f));
    Summary {
        temperature: plan.temperatures[t].map(json::short),
        samples: plan.samples,
        distinct_texts: texts.len(),
        samples_diverge_at: figures::mean_parting(mine),
        diverges_at: if t == 0 { None } else { figures::mean(from_first) },
        tokens: figures::mean(each.iter().map(|f| f.tokens as f64)).unwrap_or(0.0),
        mean_entropy_raw: mean_of(|f| f.mean_entropy_raw),
        mean_surprisal_raw: mean_of(|f| f.mean_surprisal_raw),
        distinct_2: mean_of(|f| f.distinct_2),
    }
}
