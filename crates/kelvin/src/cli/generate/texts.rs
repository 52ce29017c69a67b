//! `generate --text-temperature`: one text, drawn as a whole.

use kelvin_lab::TextQuality;
use kelvin_sampling::Chain;
use kelvin_views::{
    escape,
    figures::{Figures, Finish},
};
use serde::Serialize;

use super::args::GenerateArgs;
use crate::{
    cli::shared::{
        failure::usage,
        options,
        prompt::{self, Otherwise, Prompt},
        sampling::DEFAULT_PROFILE,
        session::{self, ModelFile},
        texts::{self, Asked},
    },
    interrupt,
    terminal::{self, json},
};

#[derive(Debug, Serialize)]
struct TextOutput {
    #[serde(flatten)]
    model: ModelFile,
    prompt: Prompt,
    temperature: f64,
    seed: u64,
    ids: Vec<u32>,
    text: String,
    finish: Finish,
    figures: Figures,
    text_temperature: TextQuality,
}

/// Draws the text and prints it.
pub(super) fn run(args: &GenerateArgs, asked: &Asked, chain: &Chain) -> anyhow::Result<()> {
    let &[temperature] = &asked.temperatures[..] else {
        return Err(usage(
            "--text-temperature has several temperatures: give one, or use `kelvin compare`",
        ));
    };
    let is_given = args.form.is_given();
    asked.refuse_beside(chain, &args.length.bans, is_given, args.proof.proof.is_some())?;
    let is_typed = args.sampling.sampler.is_some() || args.sampling.profile != DEFAULT_PROFILE;
    if args.heat.temp.is_some() || is_typed || args.recommended.recommended {
        return Err(usage(
            "--text-temperature stands in the place of a token temperature: leave out -t, --sampler, \
             --profile and --recommended",
        ));
    }
    let seed = options::seed(args.sampling.seed)?.value;
    let text = prompt::read(&args.prompt)?;
    let session = session::open(&args.model)?;
    let prompt = prompt::prepare(&session.engine, text, &args.prompt, Otherwise::AsItIs)?;
    prompt.note_date(&args.prompt);
    let request = session.request(prompt.tokens(), Vec::new(), &args.length, None)?;
    let budget = session.check(&request.prompt, asked.n_texts(1), args.length.max_tokens)?;
    let t = temperature.get();
    if !args.output.json {
        let (model, form, how) = (&session.file.model, prompt.form(), asked.words());
        terminal::note(&format!("{model} · {form} · text T = {t}, {how} · seed {seed}"));
    }
    let guard = interrupt::Guard::new();
    let mut batch = session.batch(budget);
    let after_prompt = (request.prompt, &request.ends);
    let drawn = texts::run(&session, &mut batch, after_prompt, asked, (seed, 1), &guard)?;
    let one = drawn.into_iter().flatten().next().expect("one temperature, one sample");
    let continuation = one.continuation;
    let finish = Finish::of(&continuation.finish, &session.engine);
    if args.output.json {
        json::print(&TextOutput {
            model: session.file.clone(),
            prompt,
            temperature: json::short(t),
            seed,
            ids: prompt::ids(continuation.tokens.clone()),
            text: continuation.text.clone(),
            finish,
            figures: Figures::of(&continuation),
            text_temperature: one.quality,
        })?;
    } else {
        let shown = escape::for_output(&continuation.text, terminal::is_terminal());
        terminal::print(&format!("{shown}\n"))?;
        finish.remark().iter().for_each(|remark| terminal::note(remark));
        terminal::note(&one.quality.words());
    }
    continuation.finish.failure().map_or(Ok(()), |failure| Err(anyhow::anyhow!(failure)))
}
