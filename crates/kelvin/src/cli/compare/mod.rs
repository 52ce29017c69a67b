//! `compare`: continuations of one prompt at several temperatures, side by side.
//!
//! All columns use equal random numbers, so where two columns diverge, temperature alone is the
//! cause. The samples of one temperature use different random numbers, so their differences are
//! chance. Several models continue the prompt one after another.

mod answer;
pub(super) mod args;
mod done;
pub(super) mod plan;
mod quality;
mod searches;
pub(super) mod view;

use std::path::Path;

use kelvin_constraint::Form;
use kelvin_engine::{
    batch::{Continuation, GuessCounts, generate},
    generate::FinishReason,
};
use kelvin_views::figures::{self, Figures, Finish};

use crate::{
    cli::shared::{
        drafts::Drafts,
        failure::{Interrupted, usage},
        form::{self, Asked},
        prompt::{self, Otherwise, Prompt},
        proof::{Made, Pending},
        session::{self, Session},
        texts::{self, TextDrawn},
    },
    interrupt,
    terminal::{self, json},
};
use answer::{ColumnOutput, CompareOutput, HeatOutput, Models, summary};
use args::CompareArgs;
use done::{Done, compare_with_first};
use plan::Plan;

/// One model's part of a comparison.
struct Job<'s> {
    session: &'s Session,
    plan: Plan,
    prompt: Prompt,
}

/// Runs the verb.
pub(crate) fn run(args: &CompareArgs) -> anyhow::Result<()> {
    let plan = Plan::new(args)?;
    let proof = args.proof.checked()?;
    if proof.is_some() && args.model.models.len() > 1 {
        return Err(usage("--proof is of one model: give -m once"));
    }
    let form = form::read(&args.form, prompt::on_standard_input(&args.prompt))?;
    let text = prompt::read(&args.prompt)?;
    let open = |model| session::open(&model)?.drafting(&args.drafts.draft, &model);
    let sessions: Vec<Session> = args.model.each().map(open).collect::<anyhow::Result<_>>()?;
    // All prompts are read before the first model continues one.
    let job = |session| job(args, session, &plan, &text);
    let jobs: Vec<Job<'_>> = sessions.iter().map(job).collect::<anyhow::Result<_>>()?;
    let guard = interrupt::Guard::new();
    let mut all: Vec<Done<'_>> = Vec::new();
    for job in jobs {
        let is_first = all.is_empty();
        let mut done = continue_prompt(args, job, form.as_ref(), (proof, is_first), &guard)?;
        if let Some(first) = all.first() {
            compare_with_first(first, &mut done);
        }
        let is_interrupted = done.is_interrupted();
        all.push(done);
        if is_interrupted {
            break;
        }
    }
    match &all[..] {
        [one] if args.output.json && sessions.len() == 1 => json::print(&one.answer)?,
        all if args.output.json => {
            json::print(&Models { models: all.iter().map(|done| &done.answer).collect() })?;
        }
        all => terminal::print(&view::final_print(all))?,
    }
    let finishes = || all.iter().flat_map(|done| &done.continuations).map(|text| &text.finish);
    if let Some(form) = &form {
        form.note_cut(finishes());
    }
    if all.iter().any(Done::is_interrupted) {
        return Err(Interrupted.into());
    }
    let failure = all.iter().find_map(|done| done.continuations[0].finish.failure());
    let failure = failure.or_else(|| all.iter().find_map(Done::no_texts));
    failure.map_or(Ok(()), |failure| Err(anyhow::anyhow!(failure)))
}

fn job<'s>(
    args: &CompareArgs,
    session: &'s Session,
    plan: &Plan,
    text: &str,
) -> anyhow::Result<Job<'s>> {
    let mut plan = plan.clone();
    let otherwise = Otherwise::TemplateIfAny;
    let prompt = prompt::prepare(&session.engine, text.to_string(), &args.prompt, otherwise)?;
    prompt.note_date(&args.prompt);
    if args.recommended {
        plan.add_recommended(&session.engine)?;
    }
    plan.add_texts()?;
    Ok(Job { session, plan, prompt })
}

/// Continues the prompt in all columns of one model. The first model's prompt is shown, when
/// nothing can be refused any more.
fn continue_prompt<'s>(
    args: &CompareArgs,
    Job { session, plan, prompt }: Job<'s>,
    form: Option<&Asked>,
    (proof, is_first): (Option<&Path>, bool),
    guard: &interrupt::Guard,
) -> anyhow::Result<Done<'s>> {
    let samplers = plan.samplers(session)?;
    let mut request = session.request(prompt.tokens(), samplers, &args.length, form)?;
    let pending = proof.map(|path| Pending::begin(path, &mut request));
    let asked_texts = plan.asked_texts.as_ref();
    let n_texts = request.drafts.len()
        + asked_texts.map_or(0, |asked| asked.n_texts(plan.samples))
        + plan.searches.iter().map(|asked| asked.plan.how.n_texts()).max().unwrap_or(0);
    let after_prompt = (request.prompt.clone(), request.ends.clone());
    let budget = session.check(&request.prompt, n_texts, args.length.max_tokens)?;
    let live = !args.output.json && terminal::is_terminal();
    if !args.output.json {
        let typed = if is_first { view::typed(&prompt) } else { String::new() };
        let facts = view::facts(session, &prompt, &plan, &plan.chain.to_string());
        terminal::print(&(typed + &facts))?;
    }
    let longest = args.length.max_tokens;
    let mut watcher = view::Watcher::new(&plan, live, longest, guard)?;
    let mut batch = session.batch(budget);
    let mut continuations = generate(&session.engine, &mut batch, request, &mut watcher)?;
    let clocks = watcher.finish()?;
    let is_cancelled = |text: &Continuation| text.finish == FinishReason::Cancelled;
    let asked_texts = asked_texts.filter(|_| !continuations.iter().any(is_cancelled));
    let drawn = asked_texts.map(|asked| {
        let ((prompt, ends), how) = (after_prompt, (plan.seed.value, plan.samples));
        texts::run(session, &mut batch, (prompt, &ends), asked, how, guard)
    });
    let drawn: Vec<Vec<TextDrawn>> = drawn.transpose()?.unwrap_or_default();
    continuations.extend(drawn.iter().flatten().map(|one| one.continuation.clone()));
    // Ctrl-C leaves columns of whole texts empty.
    continuations.resize_with(plan.columns().count(), || texts::empty(FinishReason::Cancelled));
    if let Some(pending) = pending {
        let made = Made {
            session,
            prompt: &prompt,
            framing: prompt::framing(&args.prompt, Otherwise::TemplateIfAny),
            chains: plan.chains.clone(),
            samples: plan.samples,
            seed: plan.seed.value,
            length: &args.length,
            form,
        };
        pending.write(&made, &continuations)?;
    }
    let found = match continuations.iter().any(is_cancelled) {
        true => Vec::new(),
        false => searches::run(
            args,
            &plan,
            (session, &prompt),
            form,
            (&mut batch, guard),
            &continuations[0],
        )?,
    };
    let asked_form = form.map(|asked| asked.form.clone());
    let mut answer = answer(session, prompt, asked_form, &plan, &continuations, &clocks);
    answer.searches = found;
    add_texts(&mut answer, &plan, &drawn);
    answer.drafts = Drafts::of(session.guesses, GuessCounts::default(), batch.guess_counts());
    if !args.output.timings {
        answer = answer.without_timings();
    }
    Ok(Done { session, plan, continuations, answer })
}

/// Says what texts that were drawn as a whole say of their quality.
fn add_texts(answer: &mut CompareOutput, plan: &Plan, drawn: &[Vec<TextDrawn>]) {
    let columns = &mut answer.columns[plan.texts.start * plan.samples..];
    for (column, one) in columns.iter_mut().zip(drawn.iter().flatten()) {
        column.text_temperature = Some(one.quality.clone());
    }
    for (summary, drawn) in answer.temperatures[plan.texts.start..].iter_mut().zip(drawn) {
        summary.text_heat = HeatOutput::of(summary.temperature.unwrap_or(1.0), drawn);
    }
}

fn answer(
    session: &Session,
    prompt: Prompt,
    form: Option<Form>,
    plan: &Plan,
    continuations: &[Continuation],
    clocks: &view::Clocks,
) -> CompareOutput {
    let columns = plan
        .columns()
        .zip(continuations)
        .enumerate()
        .map(|(column, ((t, sample), continuation))| ColumnOutput {
            temperature: plan.temperatures[t].map(json::short),
            recommended: plan.is_recommended(t),
            sample,
            chain: plan.chains[t].to_string(),
            ids: prompt::ids(continuation.tokens.clone()),
            text: continuation.text.clone(),
            finish: Finish::of(&continuation.finish, &session.engine),
            diverges_at: figures::parting(&continuations[plan.first_of(column)], continuation),
            diverges_from_first_model_at: None,
            figures: Figures::of(continuation),
            text_temperature: None,
            timings: Some(clocks.of(column, continuation.tokens.len())),
        })
        .collect();
    let summaries = (0..plan.temperatures.len()).map(|t| summary(plan, t, continuations)).collect();
    // Texts that were drawn as a whole aren't in the clock's time.
    let n_timed = (plan.temperatures.len() - plan.texts.len()) * plan.samples;
    let total = continuations[..n_timed].iter().map(|c| c.tokens.len()).sum();
    CompareOutput {
        model: session.file.clone(),
        prompt,
        seed: plan.seed.value,
        spread: plan.spread,
        form,
        columns,
        temperatures: summaries,
        searches: Vec::new(),
        timings: Some(clocks.whole(total)),
        drafts: None,
    }
}
