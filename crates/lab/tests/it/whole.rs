//! Texts drawn as a whole, as rows of a sweep on a very small model: equal whatever the threads, the
//! width and the company, stored and read back, and counted by what was computed.

use std::{fs, ops::ControlFlow};

use kelvin_engine::{
    Engine, TokenId,
    batch::{Batch, BatchOptions, Budget},
    generate::Ends,
    rows::BatchRows,
    texts::{Ending, Start, draw},
    transformer::ModelOptions,
};
use kelvin_lab::{
    Recipe, Store, TextQuality,
    recipe::Draft,
    replay::RecordedLogits,
    run::{Finish, Sample, Source},
    sweep::{Progress, sweep},
    worker::{Local, Row, Watcher, Worker},
};
use kelvin_sampling::Dice;
use kelvin_testkit::tiny::{MISTRAL_LIKE, TinyModel};

fn engine(threads: usize) -> Engine {
    let path = TinyModel::new(&MISTRAL_LIKE).speaking().write();
    let options = ModelOptions { threads, isa: None };
    let engine = Engine::open(&path, &options, &mut |_, _| {}).unwrap();
    fs::remove_file(path).unwrap();
    engine
}

/// Two prompts, a chain and three methods, four samples.
fn recipe() -> Recipe {
    let draft = Draft {
        prompts: vec!["abc".into(), "the quick brown fox jumps over the lazy dog".into()],
        sampler: vec![
            "temp=0.8".into(),
            "text_temp={0.6,1},smc:5".into(),
            "text_temp=0.8,mcmc:3,block:4".into(),
            "text_temp=0.9,exact:20".into(),
        ],
        samples: Some(4),
        max_tokens: Some(9),
        ..Draft::default()
    };
    draft.resolve().unwrap()
}

fn prompts(engine: &Engine, recipe: &Recipe) -> Vec<Vec<TokenId>> {
    let encode = |text: &str| engine.tokenizer.encode(text, true, false);
    recipe.prompts.iter().map(|prompt| encode(&prompt.text)).collect()
}

fn source() -> Source {
    Source::Local { model: "tiny".into(), sha256: "ab".into() }
}

fn local<'a>(engine: &'a Engine, recipe: &Recipe, width: usize) -> Local<&'a Engine> {
    Local::new(engine, source(), prompts(engine, recipe), None, width).unwrap()
}

fn rows(recipe: &Recipe) -> Vec<Row> {
    let cells = (0..2).flat_map(|prompt| (0..recipe.chains.len()).map(move |c| (prompt, c)));
    let of = |(prompt, chain)| (0..4).map(move |sample| Row { prompt, chain, sample });
    cells.flat_map(of).collect()
}

#[derive(Default)]
struct Seen {
    samples: Vec<Sample>,
    n_tokens: usize,
    breaks_after: usize,
}

impl Watcher for Seen {
    fn tokens(&mut self, n_new: usize) -> ControlFlow<()> {
        self.n_tokens += n_new;
        ControlFlow::Continue(())
    }

    fn finished(&mut self, sample: Sample, logits: Vec<RecordedLogits>) -> ControlFlow<()> {
        assert!(logits.is_empty());
        self.samples.push(sample);
        match self.samples.len() == self.breaks_after {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }
}

fn filled(threads: usize, width: usize, rows: &[Row]) -> Seen {
    let (engine, recipe, mut seen) = (engine(threads), recipe(), Seen::default());
    local(&engine, &recipe, width).fill(&recipe, rows, &mut seen).unwrap();
    seen.samples.sort_by_key(Sample::row);
    seen
}

#[test]
fn a_row_depends_on_the_row_alone() {
    let all = rows(&recipe());
    let expected = filled(1, 16, &all);
    assert_eq!(expected.samples.iter().map(Sample::row).collect::<Vec<_>>(), all);
    assert_eq!(filled(3, 3, &all).samples, expected.samples);
    // Every other row, in another order, alone.
    let mut some: Vec<Row> = all.iter().copied().step_by(2).collect();
    some.reverse();
    let alone: Vec<Sample> =
        some.iter().map(|row| filled(2, 1, &[*row]).samples.remove(0)).collect();
    let of = |row: &Row| expected.samples.iter().find(|sample| sample.row() == *row).unwrap();
    assert!(alone.iter().zip(&some).all(|(sample, row)| sample == of(row)));
    // What is told while they run is what they cost.
    let computed: usize = expected.samples.iter().map(Sample::n_computed).sum();
    let by_token = |sample: &&Sample| sample.whole.is_none();
    let ended: usize = expected
        .samples
        .iter()
        .filter(by_token)
        .filter(|sample| sample.finish == Finish::EndToken)
        .count();
    assert!((computed..=computed + ended).contains(&expected.n_tokens), "{}", expected.n_tokens);
}

/// A row is the text of [`draw`], with its tokens and its quality.
#[test]
fn rows_are_the_engines_texts() {
    let (engine, recipe) = (engine(2), recipe());
    let seen = filled(2, 16, &rows(&recipe));
    let ends = Ends { max_tokens: 9, limit: usize::MAX, ..Ends::default() };
    let ending = Ending::new(&engine, &ends);
    let options = BatchOptions::new(Budget { n_texts: 4, n_pages: 40 });
    let mut batch = Batch::new(&engine, options);
    let mut n_accepted = 0;
    for sample in seen.samples.iter().filter(|sample| sample.chain > 0) {
        let texts = recipe.chains[sample.chain].texts().unwrap();
        let tokens = prompts(&engine, &recipe)[sample.prompt].clone();
        let mut model = BatchRows { engine: &engine, batch: &mut batch, progress: &mut |_, _| () };
        let start = Start::read(&mut model, tokens).unwrap();
        let dice = [Dice { seed: recipe.seed, sample: sample.sample as u64 }];
        let go_on = &mut |_| ControlFlow::Continue(());
        let settings = texts.settings(9).unwrap();
        let drawn = draw(&mut model, &start, &settings, &dice, &|y| ending.ends(y), go_on).unwrap();
        assert_eq!(sample.whole, Some(TextQuality::of(&drawn[0])));
        let Some(path) = &drawn[0].path else {
            assert!(sample.text.is_empty() && sample.tokens.is_empty());
            continue;
        };
        n_accepted += 1;
        let text = ending.continuation(path);
        assert_eq!(sample.text, text.text);
        let ids: Vec<Option<u32>> = text.tokens.iter().map(|token| Some(token.0)).collect();
        assert_eq!(sample.tokens.iter().map(|token| token.id).collect::<Vec<_>>(), ids);
        let surprisals: Vec<Option<f64>> = sample.tokens.iter().map(|t| t.surprisal).collect();
        let drawn = text.draws.iter().map(|draw| Some(draw.surprisal));
        assert_eq!(surprisals, drawn.collect::<Vec<_>>());
    }
    assert!(n_accepted > 24, "{n_accepted}");
}

/// Breaks off after some stored texts.
struct Stops {
    after: usize,
}

impl Progress for Stops {
    fn tokens(&mut self, _: usize) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn waits(&mut self, _: &str) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn stored(&mut self, _: &Sample) -> ControlFlow<()> {
        self.after -= 1;
        if self.after == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

#[test]
fn a_sweep_that_was_broken_off_goes_on() {
    let (folder, recipe, engine) = (tempfile::tempdir().unwrap(), recipe(), engine(2));
    let mut store = Store::open(&folder.path().join("runs.db")).unwrap();
    let run = store.begin(&recipe, &source(), "0").unwrap();
    let (mut n_new, mut n_tokens, n_all) = (0, 0, recipe.n_texts());
    for after in [13, 5, 1, usize::MAX] {
        let mut worker = local(&engine, &recipe, 8);
        let swept = sweep(&recipe, run, &mut store, &mut worker, &mut Stops { after }).unwrap();
        assert_eq!(swept.n_before, n_new);
        n_new += swept.n_new;
        n_tokens += swept.n_tokens;
        assert_eq!(swept.n_missing, n_all - n_new);
    }
    assert_eq!(n_new, n_all);
    let stored = store.load(run).unwrap();
    let expected = filled(1, 16, &rows(&recipe));
    for (stored, expected) in stored.samples.iter().zip(&expected.samples) {
        assert_eq!((&stored.text, &stored.tokens), (&expected.text, &expected.tokens));
        assert_eq!(stored.n_computed(), expected.n_computed());
        // Numbers are kept as JSON, whose readers may miss the last bit.
        let method = |sample: &Sample| {
            let of = sample.whole.as_ref().map(|whole| &whole.of_method);
            of.map(std::mem::discriminant)
        };
        assert_eq!(method(stored), method(expected));
    }
    assert_eq!(n_tokens, expected.samples.iter().map(Sample::n_computed).sum::<usize>());
    assert_eq!(stored.chains, recipe.chains);
}
