//! `compare`: continuations of one prompt at several temperatures, side by side.
//!
//! All columns use equal random numbers, so where two columns diverge, temperature alone is the
//! cause. The samples of one temperature use different random numbers, so their differences are
//! chance.

mod answer;
pub(super) mod args;
pub(super) mod plan;
pub(super) mod view;

use kelvin_constraint::Form;
use kelvin_engine::{
    batch::{Continuation, generate},
    generate::FinishReason,
};
use kelvin_views::figures::{self, Figures, Finish};

use crate::{
    cli::shared::{
        failure::Interrupted,
        form,
        prompt::{self, Otherwise, Prompt},
        session::{self, Session},
    },
    interrupt,
    terminal::{self, json},
};
use answer::{ColumnOutput, CompareOutput, summary};
use args::CompareArgs;
use plan::Plan;

/// Runs the verb.
pub(crate) fn run(args: &CompareArgs) -> anyhow::Result<()> {
    let mut plan = Plan::new(args)?;
    let form = form::read(&args.form, prompt::on_standard_input(&args.prompt))?;
    let text = prompt::read(&args.prompt)?;
    let session = session::open(&args.model)?;
    let prompt = prompt::prepare(&session.engine, text, &args.prompt, Otherwise::TemplateIfAny)?;
    prompt.note_date(&args.prompt);
    if args.recommended {
        plan.add_recommended(&session.engine)?;
    }
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
    let mut answer = answer(&session, prompt, asked_form, &plan, &continuations, &clocks);
    if !args.output.timings {
        answer = answer.without_timings();
    }
    if args.output.json {
        json::print(&answer)?;
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
            figures: Figures::of(continuation),
            timings: Some(clocks.of(column, continuation.tokens.len())),
        })
        .collect();
    let summaries = (0..plan.temperatures.len()).map(|t| summary(plan, t, continuations)).collect();
    let total = continuations.iter().map(|c| c.tokens.len()).sum();
    CompareOutput {
        model: session.file.clone(),
        prompt,
        seed: plan.seed.value,
        form,
        columns,
        temperatures: summaries,
        timings: Some(clocks.whole(total)),
    }
}
