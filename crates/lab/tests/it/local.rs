//! A very small model as worker and as judge: the same rows whatever the width and the order, each
//! prompt read once, and scores that are those of plain code.

use std::{fs, ops::ControlFlow};

use kelvin_engine::{
    Engine, TokenId,
    transformer::{Append, CacheFormat, ModelOptions, Scratch, Want},
};
use kelvin_lab::{
    Recipe,
    judge::judge,
    recipe::Draft,
    replay::RecordedLogits,
    run::{Sample, Source},
    worker::{Local, Row, Watcher, Worker},
};
use kelvin_sampling::surprisal;

use kelvin_testkit::tiny::{MISTRAL_LIKE, TinyModel};

fn engine() -> Engine {
    let path = TinyModel::new(&MISTRAL_LIKE).speaking().write();
    let options = ModelOptions { threads: 2, isa: None };
    let engine = Engine::open(&path, &options, &mut |_, _| {}).unwrap();
    fs::remove_file(path).unwrap();
    engine
}

/// Two prompts, two chains, five samples: one prompt is longer than a page.
fn recipe() -> Recipe {
    let draft = Draft {
        prompts: vec!["abc".into(), "the quick brown fox jumps over the lazy dog".into()],
        temp: Some("0.7,1.5".into()),
        samples: Some(5),
        max_tokens: Some(20),
        record: vec!["logits=9".into()],
        ..Draft::default()
    };
    draft.resolve().unwrap()
}

fn prompts(engine: &Engine, recipe: &Recipe) -> Vec<Vec<TokenId>> {
    let encode = |text: &str| engine.tokenizer.encode(text, true, false);
    recipe.prompts.iter().map(|prompt| encode(&prompt.text)).collect()
}

fn local<'a>(engine: &'a Engine, recipe: &Recipe, width: usize) -> Local<&'a Engine> {
    let source = Source::Local { model: "tiny".into(), sha256: "ab".into() };
    Local::new(engine, source, prompts(engine, recipe), None, width).unwrap()
}

fn rows(recipe: &Recipe) -> Vec<Row> {
    let all = |prompt| (0..2).flat_map(move |chain| (0..5).map(move |s| (prompt, chain, s)));
    let rows = (0..recipe.prompts.len()).flat_map(all);
    rows.map(|(prompt, chain, sample)| Row { prompt, chain, sample }).collect()
}

#[derive(Default)]
struct Seen {
    samples: Vec<(Sample, Vec<RecordedLogits>)>,
    n_tokens: usize,
    breaks_after: usize,
}

impl Watcher for Seen {
    fn tokens(&mut self, n_new: usize) -> ControlFlow<()> {
        self.n_tokens += n_new;
        ControlFlow::Continue(())
    }

    fn finished(&mut self, sample: Sample, logits: Vec<RecordedLogits>) -> ControlFlow<()> {
        self.samples.push((sample, logits));
        match self.samples.len() == self.breaks_after {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }
}

fn fill(worker: &mut Local<&Engine>, recipe: &Recipe, rows: &[Row]) -> Seen {
    let mut seen = Seen::default();
    worker.fill(recipe, rows, &mut seen).unwrap();
    seen.samples.sort_by_key(|(sample, _)| (sample.prompt, sample.chain, sample.sample));
    seen
}

#[test]
fn rows_are_the_same_at_any_width_and_in_any_order() {
    let (engine, recipe) = (engine(), recipe());
    let rows = rows(&recipe);
    let one = fill(&mut local(&engine, &recipe, 1), &recipe, &rows);
    assert_eq!(one.samples.len(), 20);
    let tokens = one.samples.iter().map(|(sample, _)| sample.tokens.len()).sum::<usize>();
    assert_eq!(one.n_tokens, tokens);
    for (sample, logits) in &one.samples {
        // A token that ends a text was looked at as well.
        assert!((sample.tokens.len()..=sample.tokens.len() + 1).contains(&logits.len()));
    }
    for width in [3, 16, 64] {
        let many = fill(&mut local(&engine, &recipe, width), &recipe, &rows);
        assert_eq!(many.samples, one.samples, "width {width}");
    }
    let backwards: Vec<Row> = rows.iter().rev().copied().collect();
    assert_eq!(fill(&mut local(&engine, &recipe, 4), &recipe, &backwards).samples, one.samples);
}

#[test]
fn each_prompt_is_read_once() {
    let (engine, recipe) = (engine(), recipe());
    let rows = rows(&recipe);
    let prompts = prompts(&engine, &recipe);
    // One row at a time: each but the first of a prompt finds all of it but its last token.
    let mut worker = local(&engine, &recipe, 1);
    let of = |n: u64| n * prompts.iter().map(|prompt| prompt.len() as u64 - 1).sum::<u64>();
    // Both begin with a BOS and a space, which the second prompt's first row finds.
    let common = 2;
    fill(&mut worker, &recipe, &rows);
    assert_eq!(worker.cached_tokens(), of(9) + common);
    // It is known the next time as well.
    fill(&mut worker, &recipe, &rows[10..11]);
    assert_eq!(worker.cached_tokens(), of(9) + common + prompts[1].len() as u64 - 1);
    // Four at a time: the first four of a prompt start together.
    let mut worker = local(&engine, &recipe, 4);
    fill(&mut worker, &recipe, &rows[..10]);
    // Later ones start one by one, or together where several end in one step.
    let (cached, known) = (worker.cached_tokens(), prompts[0].len() as u64 - 1);
    assert!(cached % known == 0 && (2..=6).contains(&(cached / known)), "{cached}");
}

#[test]
fn a_watcher_that_breaks_off_is_told_no_more_and_the_worker_can_go_on() {
    let (engine, recipe) = (engine(), recipe());
    let rows = rows(&recipe);
    let mut worker = local(&engine, &recipe, 4);
    let mut seen = Seen { breaks_after: 3, ..Seen::default() };
    worker.fill(&recipe, &rows, &mut seen).unwrap();
    assert_eq!(seen.samples.len(), 3);
    let all = fill(&mut worker, &recipe, &rows);
    assert_eq!(all.samples, fill(&mut local(&engine, &recipe, 8), &recipe, &rows).samples);
}

#[test]
fn a_judge_says_what_plain_code_says() {
    let engine = engine();
    let encode = |text: &str, bos| engine.tokenizer.encode(text, bos, false);
    let prompt = encode("a prompt of more than thirty-two characters", true);
    let texts =
        ["one text", "", "another, which is longer than a page of the cache is, to be sure"];
    let judged = judge(&engine, &prompt, &texts).unwrap();
    for (text, judged) in texts.iter().zip(&judged) {
        let tokens = encode(text, false);
        let all = [&prompt[..], &tokens].concat();
        let (mut sequence, mut scratch) =
            (engine.model.sequence(CacheFormat::F16), Scratch::default());
        let append = Append { sequence: &mut sequence, tokens: &all, want: Want::All };
        let rows = engine.model.forward(&mut [append], &mut scratch).unwrap();
        let nats: f64 = (prompt.len()..all.len())
            .map(|pos| surprisal(rows.row(pos - 1), all[pos]).unwrap())
            .sum();
        assert_eq!((judged.tokens, judged.nats), (tokens.len(), nats), "{text}");
    }
    assert!(judge(&engine, &[], &texts).is_err());
    assert!(judge(&engine, &prompt, &["x".repeat(300).as_str()]).is_err());
}
