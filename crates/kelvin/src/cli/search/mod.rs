//! `search`: the likeliest texts after a prompt, different likely ones, or the best of drawn ones.

mod answer;
pub(crate) mod args;
pub(crate) mod column;
pub(crate) mod find;
pub(crate) mod plan;
mod tree;
mod view;

use crate::{
    cli::shared::{
        form, meaning, options,
        prompt::{self, Otherwise},
        session,
    },
    interrupt,
    terminal::{self, json},
};
use answer::Answer;
use args::SearchArgs;
use find::Job;

/// Runs the verb.
pub(crate) fn run(args: &SearchArgs) -> anyhow::Result<()> {
    let (_, chain) = options::chain(&args.sampling, &args.heat)?;
    options::check_length(&args.length)?;
    let plan = plan::plan(args, &chain)?;
    let form = form::read(&args.form, prompt::on_standard_input(&args.prompt))?;
    if plan.compares_meanings() {
        meaning::make_ready(args.model.named.fetch.permissions())?;
    }
    let seed = match plan.is_random() {
        true => options::seed(args.sampling.seed)?.value,
        false => args.sampling.seed.unwrap_or(0),
    };
    let text = prompt::read(&args.prompt)?;
    let session = session::open(&args.model)?.drafting(&args.drafts.draft, &args.model)?;
    let prompt = prompt::prepare(&session.engine, text, &args.prompt, Otherwise::AsItIs)?;
    prompt.note_date(&args.prompt);
    let mut job = Job {
        session: &session,
        plan,
        prompt: &prompt,
        chain: &chain,
        seed,
        length: &args.length,
        form: form.as_ref(),
        facts: None,
        has_tree: args.tree,
        may: args.model.named.fetch.permissions(),
        threads: args.model.engine.threads,
    };
    job.facts = (!args.output.json).then(|| view::facts(&job));
    let guard = interrupt::Guard::new();
    let budget = session.check(&prompt.tokens(), plan.how.n_texts(), args.length.max_tokens)?;
    let mut batch = session.batch(budget);
    let found = job.run(&mut batch, &guard)?;
    let answer = Answer {
        model: session.file.clone(),
        prompt: prompt.clone(),
        settings: plan.settings(&chain),
        chain: chain.to_string(),
        seed: plan.is_random().then_some(seed),
        form: form.as_ref().map(|asked| asked.form.clone()),
        steps: found.steps,
        rows: found.rows,
        texts: found.texts,
        tree: found.tree,
    };
    if args.output.json {
        return json::print(&answer);
    }
    terminal::print(&view::render(&job, &answer, args.top))
}
