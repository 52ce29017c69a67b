//! Guesses change no text: random requests with and without them, on very small models.

use std::{
    collections::BTreeMap,
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    ops::ControlFlow,
    sync::{Arc, Mutex},
};

use kelvin_engine::{
    Engine, TokenId,
    batch::{
        Batch, BatchOptions, Budget, Chunks, Draft, DraftModel, DraftModelError, GuessCounts,
        GuessKind, Guesses, Logprobs, Observer, PromptLogprobs, Request, RequestId, Step, Tap,
        generate,
    },
    generate::{Constraint, Ends, FinishReason},
    transformer::{CacheFormat, ModelOptions},
};
use kelvin_sampling::{Chain, Dice, Sampler};
use kelvin_testkit::tiny::{LLAMA3_LIKE, MISTRAL_LIKE, Random, Shape, TinyModel};

const N_RECIPES: u64 = 300;
const VOCAB: usize = 101;

/// Every kind of stage: those that look back, that learn, that take words of their own.
const CHAINS: [&str; 14] = [
    "temp=0",
    "temp=0.1",
    "temp=0.5",
    "temp=1",
    "top_k=5 | temp=0.7",
    "top_p=0.8 | temp=2",
    "min_p=0.2 | temp=0.4",
    "repetition=1.3 | temp=0.3",
    "dry=0.8,base:1.75,length:2 | temp=0.2",
    "no_repeat_ngram=4 | temp=0",
    "temp=0.6 | mirostat=2,eta:0.3",
    "mirostat=3,version:1",
    "temp=0.8 | adaptive_p=0.5",
    "xtc=0.5,threshold:0.1 | temp=0.5",
];

fn engine(shape: &Shape, threads: usize, poisoned: bool) -> Engine {
    let model = TinyModel::new(shape).speaking();
    let path = if poisoned { model.poisoned() } else { model }.write();
    let options = ModelOptions { threads, isa: None };
    let engine = Engine::open(&path, &options, &mut |_, _| {}).unwrap();
    fs::remove_file(path).unwrap();
    engine
}

/// Allows some tokens by the number of tokens before, at some places one alone, and is complete
/// after so many.
#[derive(Debug, Clone)]
struct Rounds {
    masks: Vec<Vec<u32>>,
    n_taken: usize,
    n: usize,
}

impl Constraint for Rounds {
    fn allowed(&mut self) -> Result<&[u32], String> {
        Ok(&self.masks[self.n_taken % self.masks.len()])
    }

    fn take(&mut self, token: TokenId) -> Result<(), String> {
        self.n_taken += 1;
        if self.n_taken > 25 && token.0.is_multiple_of(17) { Err("no more".into()) } else { Ok(()) }
    }

    fn is_complete(&self) -> bool {
        self.n_taken >= self.n
    }

    /// What the rounds that allow one token force.
    fn forced(&mut self) -> Vec<u8> {
        let at = |i: usize| &self.masks[i % self.masks.len()];
        let tokens = |mask: &Vec<u32>| mask.iter().map(|word| word.count_ones()).sum::<u32>();
        let rounds = (self.n_taken..self.n_taken + 9).map(at).take_while(|mask| tokens(mask) == 1);
        let id = |mask: &Vec<u32>| (0..VOCAB).find(|id| mask[id / 32] >> (id % 32) & 1 == 1);
        rounds.filter_map(id).map_while(|id| (id < 97).then(|| b'!' + (id - 3) as u8)).collect()
    }

    fn fork(&self) -> Box<dyn Constraint> {
        Box::new(self.clone())
    }
}

impl Rounds {
    fn new(random: &mut Random) -> Rounds {
        let masks = (0..2 + pick(random, 6)).map(|_| {
            let mut mask = vec![0u32; VOCAB.div_ceil(32)];
            (0..[1, 1, 3, 60][pick(random, 4)]).for_each(|_| {
                let token = 3 + pick(random, 97);
                mask[token / 32] |= 1 << (token % 32);
            });
            mask
        });
        Rounds { masks: masks.collect(), n_taken: 0, n: 5 + pick(random, 60) }
    }
}

/// A number below `n`.
fn pick(random: &mut Random, n: usize) -> usize {
    random.token(n + 1) as usize
}

/// Any token that is text.
fn other(random: &mut Random) -> u32 {
    3 + pick(random, 98) as u32
}

/// A prompt that repeats itself, more or less.
fn prompt(random: &mut Random) -> Vec<TokenId> {
    let period: Vec<u32> = (0..2 + pick(random, 12)).map(|_| other(random)).collect();
    let noise = 2 + pick(random, 30);
    (0..1 + pick(random, 90))
        .map(|i| {
            let other = other(random);
            TokenId(if pick(random, noise) == 0 { other } else { period[i % period.len()] })
        })
        .collect()
}

/// What a tap saw: positions and hashes of rows.
type Seen = Arc<Mutex<Vec<(usize, u64)>>>;

fn hash(logits: &[f32]) -> u64 {
    let mut hasher = DefaultHasher::new();
    logits.iter().for_each(|x| x.to_bits().hash(&mut hasher));
    hasher.finish()
}

fn request(random: &mut Random, seen: &mut Vec<Seen>) -> Request {
    let constraint = (pick(random, 2) == 0).then(|| Rounds::new(random));
    let logprobs = (pick(random, 3) == 0).then(|| Logprobs {
        n_top: pick(random, 4),
        n_stages: [None, Some(0), Some(9)][pick(random, 3)],
    });
    let seed = pick(random, 1000) as u64;
    let drafts = (0..1 + pick(random, 5)).map(|sample| {
        let chain: Chain = CHAINS[pick(random, CHAINS.len())].parse().unwrap();
        // Some texts have the dice of others, so that they are equal for long.
        let sample = (sample * pick(random, 2)) as u64;
        let mut draft = Draft::new(Sampler::new(chain, Dice { seed, sample }));
        draft.constraint = constraint.clone().map(|form| Box::new(form) as Box<dyn Constraint>);
        draft.logprobs = logprobs;
        if pick(random, 4) == 0 {
            let kept = Seen::default();
            let of_tap = Arc::clone(&kept);
            seen.push(kept);
            draft.tap = Some(Tap::new(move |pos, row, _| {
                of_tap.lock().unwrap().push((pos, hash(row)));
            }));
        }
        draft
    });
    let drafts = drafts.collect();
    let mut request = Request::new(prompt(random), Vec::new());
    request.drafts = drafts;
    let ids = |random: &mut Random, n: usize| {
        (0..pick(random, n)).map(|_| TokenId(other(random))).collect::<Vec<_>>()
    };
    request.ends = Ends {
        max_tokens: pick(random, 70),
        min_tokens: [0, 0, 8][pick(random, 3)],
        limit: [usize::MAX, 100, 128][pick(random, 3)],
        ignore_end: pick(random, 2) == 0,
        tokens: ids(random, 3),
        texts: [vec![], vec!["a".into(), "xy".into()], vec!["e".into()]][pick(random, 3)].clone(),
        ..Ends::default()
    };
    if pick(random, 4) == 0 {
        request.bans = Arc::new([ids(random, 3), ids(random, 4)]);
    }
    if pick(random, 5) == 0 {
        request.prompt_logprobs = Some(PromptLogprobs { from: 1, n_top: 1 });
    }
    request
}

/// What a text was told, in its order.
#[derive(Default)]
struct Log {
    told: BTreeMap<(RequestId, usize), Vec<String>>,
    /// The request to break, after so many tokens of its first text.
    breaks: Option<(RequestId, usize)>,
}

impl Observer for Log {
    fn token(&mut self, step: Step<'_>) -> ControlFlow<()> {
        let Step { index, pos, draw, text, scored, learned, logits, .. } = step;
        let row = hash(logits);
        self.told
            .entry((step.request, step.column))
            .or_default()
            .push(format!("{index} {pos} {draw:?} {text:?} {scored:?} {learned:?} {row}"));
        match self.breaks {
            Some((id, n)) if id == step.request && step.column == 0 && index + 1 == n => {
                ControlFlow::Break(())
            }
            _ => ControlFlow::Continue(()),
        }
    }

    fn finished(&mut self, id: RequestId, column: usize, text: &str, reason: &FinishReason) {
        self.told.entry((id, column)).or_default().push(format!("{text:?} {reason:?}"));
    }
}

/// Where guesses come from.
#[derive(Clone, Copy)]
enum From<'a> {
    Nowhere,
    Lookup,
    Auto,
    Model(&'a DraftModel),
}

impl From<'_> {
    fn batch(self, engine: &Engine, options: BatchOptions) -> Batch {
        let guesses = match self {
            From::Nowhere => Guesses::Off,
            From::Lookup => Guesses::Lookup,
            From::Auto | From::Model(_) => Guesses::Auto,
        };
        let batch = Batch::new(engine, BatchOptions { guesses, ..options });
        match self {
            From::Model(model) => batch.drafting_with(model.clone()),
            _ => batch,
        }
    }
}

/// A batch of some requests, drawn with a seed, to its end.
fn run(engine: &Engine, seed: u64, from: From<'_>) -> (Log, Vec<Vec<(usize, u64)>>, GuessCounts) {
    let random = &mut Random(seed * 7919 + 1);
    // The first numbers of neighbouring seeds are alike.
    for _ in 0..20 {
        random.next();
    }
    let chunks = Chunks { alone: 40, beside_decode: 9, scored: 5 };
    let cache = CacheFormat::ALL[pick(random, 3)];
    let options = BatchOptions::new(Budget { n_texts: 16, n_pages: 90 });
    let mut batch = from.batch(engine, BatchOptions { chunks, cache, ..options });
    let (mut seen, mut log) = (Vec::new(), Log::default());
    for i in 0..1 + pick(random, 3) {
        let request = request(random, &mut seen);
        if request.prompt.len() < request.ends.limit {
            batch.admit(engine, request).unwrap();
        }
        // The next one comes while this one is in decode.
        (0..3 * i).for_each(|_| step(engine, &mut batch, &mut log));
    }
    while !batch.is_empty() {
        step(engine, &mut batch, &mut log);
    }
    assert_eq!(batch.n_promised_pages(), 0);
    assert_eq!(engine.model.n_pages(cache), batch.n_cached_pages(), "no page is lost");
    if let From::Model(model) = from {
        assert!(model.engine().model.n_pages(cache) <= options.budget.n_pages);
    }
    let seen = seen.iter().map(|seen| seen.lock().unwrap().clone()).collect();
    (log, seen, batch.guess_counts())
}

fn step(engine: &Engine, batch: &mut Batch, log: &mut Log) {
    batch.step(engine, log).unwrap();
    let options = *batch.options();
    assert!(batch.n_held_pages(engine) <= options.budget.n_pages, "never more than the budget");
}

#[test]
fn texts_are_the_same_with_and_without_guesses() {
    let engines = [
        engine(&MISTRAL_LIKE, 2, false),
        engine(&LLAMA3_LIKE, 1, false),
        engine(&MISTRAL_LIKE, 3, true),
    ];
    // Each model drafts for each, itself and the one whose logits are NaN here and there included.
    let drafts = engines.each_ref().map(|engine| {
        let shapes = [(&MISTRAL_LIKE, false), (&LLAMA3_LIKE, false), (&LLAMA3_LIKE, true)];
        shapes.map(|(shape, poisoned)| draft_model(engine, shape, poisoned))
    });
    let mut all: [GuessCounts; 4] = Default::default();
    for seed in 0..N_RECIPES {
        let at = seed as usize % engines.len();
        let (engine, model) = (&engines[at], &drafts[at][seed as usize / engines.len() % 3]);
        let (plain, plain_seen, counts) = run(engine, seed, From::Nowhere);
        assert_eq!((counts.n_guessed(), counts.n_right()), (0, 0));
        add(&mut all[0], counts);
        let kinds = [("lookup", From::Lookup), ("auto", From::Auto), ("model", From::Model(model))];
        for (i, (kind, from)) in kinds.into_iter().enumerate() {
            let (log, seen, counts) = run(engine, seed, from);
            assert!(log.told == plain.told, "recipe {seed}, {kind}");
            assert_eq!(seen, plain_seen, "taps of recipe {seed}, {kind}");
            add(&mut all[i + 1], counts);
        }
    }
    let [plain, lookup, auto, model] = all;
    // The recipes would show nothing if few guesses were right, or few wrong.
    for counts in [lookup, auto, model] {
        assert_eq!(plain.n_drawn, counts.n_drawn);
        let (n_guessed, n_right) = (counts.n_guessed(), counts.n_right());
        assert!(n_right > 500 && n_guessed > n_right + 100, "{counts:?}");
        assert!(counts.n_steps < plain.n_steps, "{counts:?} {plain:?}");
    }
    let of = |counts: GuessCounts, kind: GuessKind| counts.kinds[kind as usize];
    assert_eq!(of(auto, GuessKind::Model).n_guessed, 0);
    assert_eq!(of(lookup, GuessKind::Forced).n_guessed, 0);
    for counts in [auto, model] {
        let counts = of(counts, GuessKind::Forced);
        assert!(counts.n_right > 50, "{counts:?}");
    }
    for kind in [GuessKind::Lookup, GuessKind::Model] {
        let counts = of(model, kind);
        assert!(counts.n_right > 50 && counts.n_guessed > counts.n_right + 20, "{model:?}");
    }
    assert!(model.n_draft_steps > 0 && auto.n_draft_steps == 0);
}

fn draft_model(engine: &Engine, shape: &Shape, poisoned: bool) -> DraftModel {
    // They are as large as what they draft for, so by their real cost drafts wouldn't pay.
    DraftModel::new(engine, self::engine(shape, 1, poisoned)).unwrap().costing(0.1)
}

fn add(all: &mut GuessCounts, counts: GuessCounts) {
    all.n_steps += counts.n_steps;
    all.n_drawn += counts.n_drawn;
    all.n_draft_steps += counts.n_draft_steps;
    for (all, counts) in all.kinds.iter_mut().zip(counts.kinds) {
        all.n_guessed += counts.n_guessed;
        all.n_right += counts.n_right;
    }
}

#[test]
fn a_model_that_drafts_for_itself_is_right() {
    let engine = engine(&MISTRAL_LIKE, 2, false);
    let model = draft_model(&engine, &MISTRAL_LIKE, false);
    for chain in CHAINS {
        let run = |from: From<'_>| {
            let options = BatchOptions::new(Budget::for_texts(4, 300));
            let mut batch = from.batch(&engine, options);
            let sampler = |sample| Sampler::new(chain.parse().unwrap(), Dice { seed: 5, sample });
            let mut request = Request::new(prompt(&mut Random(9)), (0..2).map(sampler).collect());
            (request.ends.max_tokens, request.ends.ignore_end) = (90, true);
            let texts = generate(&engine, &mut batch, request, &mut ()).unwrap();
            let tokens: Vec<Vec<TokenId>> = texts.into_iter().map(|text| text.tokens).collect();
            (tokens, batch.guess_counts())
        };
        let ((plain, _), (drafted, counts)) = (run(From::Nowhere), run(From::Model(&model)));
        assert_eq!(plain, drafted, "{chain}");
        let of_model = counts.kinds[GuessKind::Model as usize];
        assert!(of_model.n_guessed > 0, "{chain}: {counts:?}");
        // Texts that part read the other one's tokens in vain.
        let wrong = of_model.n_guessed - of_model.n_right;
        assert!(wrong * 5 <= of_model.n_right, "{chain}: {counts:?}");
    }
}

#[test]
fn a_model_of_another_vocabulary_is_refused() {
    let target = engine(&MISTRAL_LIKE, 1, false);
    // One character of the vocabulary is another one.
    let path = TinyModel::new(&MISTRAL_LIKE).speaking().write();
    let mut bytes = fs::read(&path).unwrap();
    let at = bytes.windows(2).position(|two| two == "é".as_bytes()).unwrap();
    bytes[at..at + 2].copy_from_slice("è".as_bytes());
    fs::write(&path, bytes).unwrap();
    let other = Engine::open(&path, &ModelOptions { threads: 1, isa: None }, &mut |_, _| {});
    fs::remove_file(path).unwrap();
    let refused = DraftModel::new(&target, other.unwrap()).unwrap_err();
    assert!(matches!(refused, DraftModelError::Token { .. }), "{refused}");
    assert!(refused.to_string().ends_with("both must have the same vocabulary"), "{refused}");
}

#[test]
fn equal_runs_do_equal_work_whatever_the_threads() {
    let engines = [1, 2, 3].map(|threads| engine(&MISTRAL_LIKE, threads, false));
    for seed in 0..12 {
        let counts = engines.each_ref().map(|engine| {
            let model = draft_model(engine, &LLAMA3_LIKE, false);
            [run(engine, seed, From::Auto).2, run(engine, seed, From::Model(&model)).2]
        });
        assert_eq!([counts[0], counts[0]], [counts[1], counts[2]]);
    }
}

/// A mask of one token.
fn only(token: u32) -> Vec<u32> {
    let mut mask = vec![0u32; VOCAB.div_ceil(32)];
    mask[token as usize / 32] |= 1 << (token % 32);
    mask
}

/// A request for texts that repeat themselves.
fn repeating(n: u64, max_tokens: usize) -> Request {
    let prompt = (0..40).map(|i| TokenId(3 + i % 5)).collect();
    let sampler = |sample| Sampler::new("temp=0.05".parse().unwrap(), Dice { seed: 1, sample });
    let mut request = Request::new(prompt, (0..n).map(sampler).collect());
    (request.ends.max_tokens, request.ends.ignore_end) = (max_tokens, true);
    request
}

fn batch(engine: &Engine, guesses: Guesses) -> Batch {
    let options = BatchOptions::new(Budget::for_texts(8, 300));
    Batch::new(engine, BatchOptions { guesses, ..options })
}

#[test]
fn a_text_that_repeats_itself_takes_fewer_steps_and_ends_where_it_would() {
    let engine = engine(&MISTRAL_LIKE, 2, false);
    for max_tokens in [1, 2, 17, 100, 1000] {
        let [plain, guessed] = [Guesses::Off, Guesses::Lookup].map(|guesses| {
            let mut batch = batch(&engine, guesses);
            let mut request = repeating(1, max_tokens);
            let masks = [5, 6, 7, 6, 8].map(only).to_vec();
            let form = Rounds { masks, n_taken: 0, n: 2000 };
            request.drafts[0].constraint = Some(Box::new(form));
            let texts = generate(&engine, &mut batch, request, &mut ()).unwrap();
            (texts[0].tokens.clone(), texts[0].finish.clone(), batch.guess_counts())
        });
        assert_eq!((&plain.0, &plain.1), (&guessed.0, &guessed.1));
        let full =
            if max_tokens == 1000 { FinishReason::ContextFull } else { FinishReason::MaxTokens };
        assert_eq!(plain.1, full);
        assert_eq!(plain.2.n_drawn, guessed.2.n_drawn);
        if max_tokens >= 100 {
            assert!(guessed.2.n_steps * 2 < plain.2.n_steps, "{:?} {:?}", guessed.2, plain.2);
        }
    }
}

#[test]
fn guesses_that_are_always_wrong_are_soon_not_read() {
    let engine = engine(&MISTRAL_LIKE, 2, false);
    // After every "a b" comes another token than before.
    let masks: Vec<Vec<u32>> = (0..60).flat_map(|i| [only(10), only(11), only(30 + i)]).collect();
    let run = |guesses| {
        let mut request = repeating(1, 150);
        let form = Rounds { masks: masks.clone(), n_taken: 0, n: 1000 };
        request.drafts[0].constraint = Some(Box::new(form));
        let mut batch = batch(&engine, guesses);
        let texts = generate(&engine, &mut batch, request, &mut ()).unwrap();
        (texts[0].tokens.clone(), texts[0].finish.clone(), batch.guess_counts())
    };
    let (plain, guessed) = (run(Guesses::Off), run(Guesses::Lookup));
    assert_eq!((plain.0, plain.1), (guessed.0, guessed.1));
    let counts = guessed.2;
    assert!(counts.n_right() == 0 && counts.n_guessed() < 20, "{counts:?}");
}

#[test]
fn whoever_is_cancelled_has_the_tokens_that_were_told() {
    let engine = engine(&MISTRAL_LIKE, 2, false);
    for n in [1, 5, 23, 40] {
        let [plain, guessed] = [Guesses::Off, Guesses::Auto].map(|guesses| {
            let mut batch = batch(&engine, guesses);
            // The stop string never comes whole, but holds text back.
            let mut request = repeating(1, 60);
            request.ends.texts = vec!["!\"!\"☠".into(), "\"#$%☠".into(), "&'☠".into()];
            let id = batch.admit(&engine, request).unwrap();
            let other = batch.admit(&engine, repeating(3, 30)).unwrap();
            let mut log = Log { breaks: Some((id, n)), ..Log::default() };
            while !batch.is_empty() {
                step(&engine, &mut batch, &mut log);
            }
            assert_eq!(log.told[&(id, 0)].len(), n + 1);
            assert_eq!(log.told[&(other, 2)].len(), 31);
            log.told
        });
        assert!(plain == guessed, "{n}");
    }
}

#[test]
fn texts_that_are_equal_so_far_are_read_as_one() {
    let engine = engine(&MISTRAL_LIKE, 2, false);
    let run = |guesses| {
        let mut batch = batch(&engine, guesses);
        let mut request = repeating(6, 60);
        // All with the dice of one.
        let sampler = request.drafts[0].sampler.clone();
        request.drafts.iter_mut().for_each(|draft| draft.sampler = sampler.clone());
        let id = batch.admit(&engine, request).unwrap();
        let (mut log, mut most) = (Log::default(), 0);
        while !batch.is_empty() {
            step(&engine, &mut batch, &mut log);
            most = most.max(batch.n_held_pages(&engine));
        }
        assert_eq!(log.told[&(id, 5)], log.told[&(id, 0)]);
        (log.told, most)
    };
    let ((plain, pages), (shared, fewer)) = (run(Guesses::Off), run(Guesses::Auto));
    assert!(plain == shared);
    assert!(fewer < pages, "one text's pages: {fewer} and {pages}");
}
