//! `verify`: makes the texts of a reproduction file again, and says where they differ.
//!
//! The file may come from anybody. It names no file and no address that is opened: without `-m` the
//! model is the one of the catalogue with the file's hash.

pub(super) mod args;
mod view;

use std::{
    fs::File,
    io::{BufRead, BufReader},
    ops::ControlFlow,
};

use anyhow::{Context, anyhow};
use kelvin_constraint::{Form, Forms};
use kelvin_engine::{Engine, TokenId, generate::Constraint, source::Quantize};
use kelvin_lab::{
    Recipe,
    proof::{Head, ProvedText, Reader, difference, ids},
    recipe::Record,
    replay::RecordedLogits,
    run::{Sample, Source},
    worker::{Local, Row, Watcher, Worker},
};
use kelvin_models::catalogue;
use kelvin_views::escape;

use crate::{
    cli::shared::{
        args::{EngineArgs, ModelArgs},
        failure::{Differs, Interrupted, usage},
        session::{self, Session},
    },
    interrupt::Guard,
    terminal::{
        self, json,
        late::{Counted, LateBar},
    },
};
use args::VerifyArgs;
use view::{Found, Verdict};

/// Steps of texts that are in memory at once; a single text may have more.
const MAX_STEPS: usize = 1 << 20;

/// Runs the verb.
pub(crate) fn run(args: &VerifyArgs) -> anyhow::Result<()> {
    session::check_threads(args.threads)?;
    if args.width == 0 {
        return Err(usage("--width is 0: give at least 1"));
    }
    let name = args.file.display().to_string();
    let file = File::open(&args.file).with_context(|| format!("can't read {name}"))?;
    let mut reader = Reader::new(BufReader::new(file), &name)?;
    let head = reader.head().clone();
    let session = open(args, &head)?;
    let mut verdict = Verdict::new(&name, &head);
    let recipe = Recipe { record: Record::default(), ..head.job.recipe().clone() };
    let prompts = tokens(&session.engine, &recipe)?;
    let found_ids = ids(&prompts);
    if let Some((prompt, difference)) = head.difference(&found_ids) {
        // No step can be equal after another prompt.
        verdict.found.push(Found { row: Row { prompt, chain: 0, sample: 0 }, difference });
    } else {
        let source = head.job.source().clone();
        let local =
            Local::new(&session.engine, source, prompts, recipe.length.context, args.width)?;
        let constraint = constraint(&session.engine, &head)?;
        let local = local.drafting_with(session.draft_model.clone());
        let mut local = local.guessing(session.guesses).under(constraint).proving(true);
        compare(&mut reader, &recipe, &mut local, &mut verdict)?;
    }
    if args.output.json {
        json::print(&verdict)?;
    } else {
        terminal::print(&verdict.words(&session))?;
    }
    if verdict.found.is_empty() { Ok(()) } else { Err(Differs.into()) }
}

/// Opens the model with the file's hash.
fn open(args: &VerifyArgs, head: &Head) -> anyhow::Result<Session> {
    let Source::Local { model, sha256 } = head.job.source() else {
        return Err(anyhow!("the file's texts come from a server, which can't be run here"));
    };
    let model = escape::printable(model);
    let named = catalogue::entries().iter().find(|e| e.sha256.as_deref() == Some(sha256));
    let typed = args.model.as_deref().or(named.map(|entry| entry.name.as_str()));
    let Some(typed) = typed else {
        return Err(usage(format!(
            "the file was made with {model}, which `kelvin models` doesn't have: give it with -m \
             (SHA-256 {})",
            escape::printable(sha256)
        )));
    };
    let recipe = head.job.recipe();
    let quantize = head.quantize.as_ref().map(|name| {
        let known = Quantize::ALL.into_iter().find(|format| format.name() == name);
        known.ok_or_else(|| {
            anyhow!("the file packs weights into {}, an unknown format", escape::printable(name))
        })
    });
    let mut opened = ModelArgs::of(typed, args.fetch, args.threads);
    opened.engine = EngineArgs {
        quantize: quantize.transpose()?,
        ctx_size: recipe.length.context,
        cache_type: recipe.length.cache,
        isa: args.isa.clone(),
        ..opened.engine
    };
    let session = session::open(&opened)?.drafting(&args.drafts.draft, &opened)?;
    let here = session.sha256()?;
    if here != *sha256 {
        return Err(anyhow!(
            "the file was made with another model: {model} has SHA-256 {}, but {typed} has {here}",
            escape::printable(sha256)
        ));
    }
    Ok(session)
}

/// The tokens of each prompt of a recipe.
fn tokens(engine: &Engine, recipe: &Recipe) -> anyhow::Result<Vec<Vec<TokenId>>> {
    let read = |(i, text): (usize, &String)| {
        let framed = recipe.framing.read_for_recipe(engine, text);
        Ok(framed.with_context(|| format!("prompt {}", i + 1))?.tokens)
    };
    recipe.prompts.iter().map(|prompt| &prompt.text).enumerate().map(read).collect()
}

/// The constraint of the file's form, if it has one.
fn constraint(engine: &Engine, head: &Head) -> anyhow::Result<Option<Box<dyn Constraint>>> {
    let Some(form) = head.form.clone() else { return Ok(None) };
    let form: Form = serde_json::from_value(form).context("the file's form isn't one")?;
    let compiled = Forms::new(&engine.tokenizer).and_then(|forms| forms.compile(&form));
    Ok(Some(compiled.context("the file's form can't be used")?))
}

/// Makes the file's texts, some at a time, and adds what differs to the verdict.
fn compare(
    reader: &mut Reader<impl BufRead>,
    recipe: &Recipe,
    local: &mut Local<&Engine>,
    verdict: &mut Verdict,
) -> anyhow::Result<()> {
    let guard = Guard::new();
    let mut bar = LateBar::new(Counted::Texts);
    loop {
        let mut expected = some_texts(reader)?;
        if expected.is_empty() {
            return Ok(());
        }
        expected.sort_by_key(|text| text.row);
        let rows: Vec<Row> = expected.iter().map(|text| text.row).collect();
        let done = verdict.texts;
        verdict.texts += expected.len();
        verdict.steps += expected.iter().map(|text| text.steps.len()).sum::<usize>();
        let mut told = |n: usize| {
            bar.set((done + n) as u64, recipe.n_texts() as u64);
            guard.requested()
        };
        let mut comparer =
            Comparer { expected: &expected, n_done: 0, told: &mut told, found: Vec::new() };
        local.fill(recipe, &rows, &mut comparer)?;
        let Comparer { n_done, mut found, .. } = comparer;
        if n_done < expected.len() {
            return Err(Interrupted.into());
        }
        found.sort_by_key(|found| found.row);
        verdict.found.append(&mut found);
    }
}

/// The next texts of a file, with about [`MAX_STEPS`] steps at most. None at the end.
fn some_texts(reader: &mut Reader<impl BufRead>) -> anyhow::Result<Vec<ProvedText>> {
    let (mut texts, mut n_steps) = (Vec::new(), 0);
    while n_steps < MAX_STEPS
        && let Some(text) = reader.next_text()?
    {
        // An empty text counts too, so that their number is bounded.
        n_steps += text.steps.len() + 1;
        texts.push(text);
    }
    Ok(texts)
}

/// Compares each text with the file's as it ends.
struct Comparer<'a> {
    /// In order of their rows.
    expected: &'a [ProvedText],
    n_done: usize,
    /// Is told how many texts have ended; says whether to stop.
    told: &'a mut dyn FnMut(usize) -> bool,
    found: Vec<Found>,
}

impl Watcher for Comparer<'_> {
    fn tokens(&mut self, _: usize) -> ControlFlow<()> {
        if (self.told)(self.n_done) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn proved(&mut self, text: ProvedText) -> ControlFlow<()> {
        let at = self.expected.binary_search_by_key(&text.row, |expected| expected.row);
        if let Ok(at) = at
            && let Some(difference) = difference(&self.expected[at], &text)
        {
            self.found.push(Found { row: text.row, difference });
        }
        self.n_done += 1;
        ControlFlow::Continue(())
    }

    fn finished(&mut self, _: Sample, _: Vec<RecordedLogits>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}
