//! Schedules, reasoning blocks and banned strings, on very small models: texts are those that a
//! generation from scratch gives, whatever the batch, the guesses, the threads and the instruction
//! set.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    ops::ControlFlow,
};

use kelvin_engine::{
    Engine, TokenId,
    batch::{
        Batch, BatchOptions, Budget, Continuation, Draft, DraftModel, Guesses, Observer, Request,
        RequestId, Step, generate, next_logits,
    },
    chat::Reasoning,
    generate::{Constraint, Ends, FinishReason, Thoughts, banned_strings},
    transformer::ModelOptions,
};
use kelvin_kernels::isa::Isa;
use kelvin_sampling::{Chain, Dice, Limits, Sampler};
use kelvin_testkit::tiny::{LLAMA3_LIKE, MISTRAL_LIKE, Random, Shape, TinyModel};

const VOCAB: usize = 101;
/// Marks of one character, which texts of random characters have often.
const MARKS: Reasoning = Reasoning { open: "(", close: ")", around: &[] };

/// Schedules with every place, and plain chains beside them.
const CHAINS: [&str; 10] = [
    "temp=0",
    "temp=0.3 | repetition=1.2",
    "temp=0.6 | mirostat=3,eta:0.4",
    "think: temp=1.5; answer: temp=0.2",
    "after 9: temp=0; temp=0.8",
    "after \"a\": temp=0.2 | top_k=5; temp=1.2",
    "repeats 2: heat 6; temp=0.15",
    "entropy > 3.5: temp=0.1; temp=0.9 | min_p=0.05",
    "repeats 1: heat 2; think: temp=0.5 | mirostat=2; after 12: mirostat=2; temp=0.3 | dry=0.8",
    "after \"()\": temp=2; think: temp=0.2; temp=0.4",
];

fn engine(shape: &Shape, threads: usize, isa: Option<Isa>) -> Engine {
    let path = TinyModel::new(shape).speaking().write();
    let options = ModelOptions { threads, isa };
    let mut engine = Engine::open(&path, &options, &mut |_, _| {}).unwrap();
    fs::remove_file(path).unwrap();
    engine.reasoning = Some(MARKS);
    engine
}

/// A number below `n`.
fn pick(random: &mut Random, n: usize) -> usize {
    random.token(n + 1) as usize
}

fn random(seed: u64) -> Random {
    let mut random = Random(seed * 7919 + 1);
    // The first numbers of neighbouring seeds are alike.
    for _ in 0..20 {
        random.next();
    }
    random
}

/// What one text is made from.
#[derive(Debug, Clone)]
struct Recipe {
    prompt: Vec<TokenId>,
    chain: &'static str,
    dice: Dice,
    banned: Vec<String>,
    budget: Option<usize>,
    is_apart: bool,
    max_tokens: usize,
    is_formed: bool,
}

impl Recipe {
    fn of(seed: u64) -> Recipe {
        let random = &mut random(seed);
        let period: Vec<u32> =
            (0..2 + pick(random, 5)).map(|_| 3 + pick(random, 96) as u32).collect();
        let len = 1 + pick(random, 40);
        let mut prompt: Vec<TokenId> =
            (0..len).map(|i| TokenId(period[i % period.len()])).collect();
        if pick(random, 4) == 0 {
            // The prompt opens a block.
            prompt.extend([token('('), token('\n')]);
        }
        let letters: Vec<char> = ('!'..='~').collect();
        let string = |random: &mut Random| {
            let n = [1, 1, 2, 2, 3][pick(random, 5)];
            (0..n).map(|_| letters[pick(random, letters.len())]).collect::<String>()
        };
        Recipe {
            prompt,
            chain: CHAINS[pick(random, CHAINS.len())],
            dice: Dice { seed: pick(random, 1000) as u64, sample: pick(random, 3) as u64 },
            banned: (0..pick(random, 24)).map(|_| string(random)).collect(),
            budget: [None, Some(0), Some(3), Some(9)][pick(random, 4)],
            is_apart: pick(random, 2) == 0,
            max_tokens: 1 + pick(random, 40),
            is_formed: pick(random, 3) == 0,
        }
    }

    fn ends(&self) -> Ends {
        Ends {
            max_tokens: self.max_tokens,
            limit: 250,
            banned: banned_strings(&self.banned).unwrap(),
            thoughts: Some(Thoughts {
                reasoning: MARKS,
                budget: self.budget,
                apart: self.is_apart,
            }),
            ..Ends::default()
        }
    }

    /// `n` texts of it, with the dice of neighbouring samples.
    fn request(&self, engine: &Engine, n: u64) -> Request {
        let chain = engine.bind(&self.chain.parse().unwrap()).unwrap();
        let mut request = Request::new(self.prompt.clone(), Vec::new());
        request.drafts = (0..n)
            .map(|i| {
                let dice = Dice { sample: self.dice.sample + i, ..self.dice };
                let mut draft = Draft::new(Sampler::new(chain.clone(), dice));
                let form = self.is_formed.then(|| Box::new(Odd::default()) as Box<dyn Constraint>);
                draft.constraint = form;
                draft
            })
            .collect();
        request.ends = self.ends();
        request
    }
}

/// The token of a character.
fn token(c: char) -> TokenId {
    match c {
        '\n' => TokenId(98),
        c => TokenId(3 + c as u32 - '!' as u32),
    }
}

/// Allows every second token, by the number and the sum of those that it was told of.
#[derive(Debug, Clone, Default)]
struct Odd {
    mask: Vec<u32>,
    sum: u32,
}

impl Odd {
    fn allows(&self, token: u32) -> bool {
        !(token ^ self.sum).is_multiple_of(2)
    }
}

impl Constraint for Odd {
    fn allowed(&mut self) -> Result<&[u32], String> {
        self.mask = vec![0; VOCAB.div_ceil(32)];
        for id in (0..VOCAB as u32).filter(|&id| !(id ^ self.sum).is_multiple_of(2)) {
            self.mask[id as usize / 32] |= 1 << (id % 32);
        }
        Ok(&self.mask)
    }

    fn take(&mut self, token: TokenId) -> Result<(), String> {
        assert!(self.allows(token.0), "it is told of tokens that it allowed");
        self.sum = (self.sum + token.0) / 3;
        Ok(())
    }

    fn is_complete(&self) -> bool {
        false
    }

    fn fork(&self) -> Box<dyn Constraint> {
        Box::new(self.clone())
    }
}

/// Logits after tokens, each computed once.
struct Rows<'a> {
    engine: &'a Engine,
    batch: Batch,
    known: HashMap<Vec<TokenId>, Vec<f32>>,
}

impl Rows<'_> {
    fn after(&mut self, tokens: &[TokenId]) -> Vec<f32> {
        let Rows { engine, batch, known } = self;
        let read = || next_logits(engine, batch, tokens.to_vec(), &mut ()).unwrap().unwrap();
        known.entry(tokens.to_vec()).or_insert_with(read).clone()
    }
}

/// The text of a recipe by its definition: every token is drawn from the beginning, with all that
/// is known to be banned after the tokens before it. Where a banned string ends, its first token is
/// banned after those before it from then on, and everything begins again.
fn from_scratch(engine: &Engine, rows: &mut Rows<'_>, recipe: &Recipe) -> Vec<TokenId> {
    let chain: Chain = engine.bind(&recipe.chain.parse().unwrap()).unwrap();
    let mut bans: HashSet<(Vec<TokenId>, TokenId)> = HashSet::new();
    // With SentencePiece's space in front.
    let ending = engine.tokenizer.encode(MARKS.close, false, true);
    loop {
        let mut sampler = Sampler::new(chain.clone(), recipe.dice).after(&recipe.prompt);
        let mut form = recipe.is_formed.then(Odd::default);
        let (mut tokens, mut n_thought, mut n_forced) = (Vec::new(), 0, 0);
        let mut forced: Vec<bool> = Vec::new();
        let found = loop {
            if tokens.len() == recipe.max_tokens {
                return tokens;
            }
            let all = [&recipe.prompt[..], &tokens].concat();
            let is_in = is_in_block(&recipe.prompt, &tokens);
            n_forced = if is_in { n_forced } else { 0 };
            let is_spent = is_in && recipe.budget.is_some_and(|budget| n_thought >= budget);
            let ending = ending.get(n_forced).copied().filter(|_| is_spent);
            n_forced += usize::from(ending.is_some());
            n_thought += usize::from(is_in && ending.is_none());
            let here = |id: u32| bans.contains(&(tokens.clone(), TokenId(id)));
            let may = |id: u32| match (&form, ending) {
                (_, Some(ending)) => TokenId(id) == ending,
                (Some(form), None) if !is_in => form.allows(id) && !here(id),
                _ => !here(id),
            };
            let banned: Vec<TokenId> =
                (0..VOCAB as u32).filter(|&id| !may(id)).map(TokenId).collect();
            let limits = Limits { allowed: None, banned: &banned };
            let row = rows.after(&all);
            let Ok(draw) = sampler.draw_within(&row, all.len() as u64, limits) else {
                return tokens;
            };
            if let Some(form) = form.as_mut().filter(|_| !is_in) {
                form.take(draw.token).unwrap();
            }
            if engine.tokenizer.end_tokens().contains(&draw.token) {
                return tokens;
            }
            tokens.push(draw.token);
            forced.push(ending.is_some());
            let found = banned_at_the_end(engine, &tokens, &recipe.banned);
            if let Some(first) = found.filter(|_| ending.is_none()) {
                break (first..).find(|&n| !forced[n]).unwrap();
            }
        };
        bans.insert((tokens[..found].to_vec(), tokens[found]));
    }
}

/// Whether the token after a text is in a block: marks are single tokens here.
fn is_in_block(prompt: &[TokenId], tokens: &[TokenId]) -> bool {
    let last = prompt.iter().rev().find(|&&id| id != token('\n') && id != TokenId(97));
    let mut is_in = last == Some(&token('('));
    for &id in tokens {
        is_in = if is_in { id != token(')') } else { id == token('(') };
    }
    is_in
}

/// The first token of the banned string that a text's last token completes: of the one that ends
/// first, and then of the longest.
fn banned_at_the_end(engine: &Engine, tokens: &[TokenId], banned: &[String]) -> Option<usize> {
    let bytes = |tokens: &[TokenId]| -> Vec<u8> {
        tokens.iter().flat_map(|&id| engine.tokenizer.bytes(id, false)).copied().collect()
    };
    let (before, text) = (bytes(&tokens[..tokens.len() - 1]).len(), bytes(tokens));
    let found = (before + 1..=text.len()).find_map(|end| {
        let ending = banned.iter().filter(|string| text[..end].ends_with(string.as_bytes()));
        ending.map(|string| end - string.len()).min()
    })?;
    (0..tokens.len()).find(|&n| bytes(&tokens[..n + 1]).len() > found)
}

fn batch(engine: &Engine, guesses: Guesses) -> Batch {
    let options = BatchOptions::new(Budget::for_texts(8, 128));
    Batch::new(engine, BatchOptions { guesses, ..options })
}

/// What texts were told, in their order.
#[derive(Default)]
struct Log(BTreeMap<(RequestId, usize), Vec<String>>);

impl Observer for Log {
    fn thought(&mut self, request: RequestId, column: usize, text: &str) {
        self.0.entry((request, column)).or_default().push(format!("thinks {text:?}"));
    }

    fn token(&mut self, step: Step<'_>) -> ControlFlow<()> {
        let Step { request, column, index, pos, draw, text, learned, logits, .. } = step;
        let mut hasher = DefaultHasher::new();
        logits.iter().for_each(|x| x.to_bits().hash(&mut hasher));
        let row = hasher.finish();
        let told = format!("{index} {pos} {draw:?} {text:?} {learned:?} {row}");
        self.0.entry((request, column)).or_default().push(told);
        ControlFlow::Continue(())
    }

    fn finished(&mut self, id: RequestId, column: usize, text: &str, reason: &FinishReason) {
        self.0.entry((id, column)).or_default().push(format!("{text:?} {reason:?}"));
    }
}

#[test]
fn texts_are_those_of_a_generation_that_begins_again_at_each_banned_string() {
    let engine = engine(&MISTRAL_LIKE, 2, None);
    // A model of its own, since pages are counted by the model.
    let other = self::engine(&MISTRAL_LIKE, 1, None);
    let mut rows =
        Rows { engine: &other, batch: batch(&other, Guesses::Off), known: HashMap::new() };
    let (mut n_back, mut n_closed) = (0, 0);
    for seed in 0..1000 {
        let recipe = Recipe::of(seed);
        let guesses = Guesses::ALL[seed as usize % 3];
        let mut batch = batch(&engine, guesses);
        let request = recipe.request(&engine, 1);
        let text = generate(&engine, &mut batch, request, &mut ()).unwrap().remove(0);
        let expected = from_scratch(&engine, &mut rows, &recipe);
        assert_eq!(text.tokens, expected, "recipe {seed}, {guesses:?}: {recipe:?}");
        let whole = engine.tokenizer.decode(&text.tokens, false);
        // The end of a block is said where it is forced.
        let forced = |string: &&String| recipe.budget.is_some() && string.contains(')');
        for string in recipe.banned.iter().filter(|string| !forced(string)) {
            assert!(!whole.contains(string.as_str()), "recipe {seed}: {string:?} in {whole:?}");
        }
        let draws: Vec<TokenId> = text.draws.iter().map(|draw| draw.token).collect();
        assert_eq!(draws, text.tokens);
        let free = Recipe { banned: Vec::new(), ..recipe.clone() };
        n_back += usize::from(from_scratch(&engine, &mut rows, &free) != expected);
        let free = Recipe { budget: None, ..recipe.clone() };
        n_closed += usize::from(from_scratch(&engine, &mut rows, &free) != expected);
    }
    // The recipes would show nothing if strings or budgets hardly mattered.
    assert!(n_back > 300 && n_closed > 100, "{n_back} {n_closed}");
}

/// Requests of several texts beside each other, alone, guessed by lookup and by a model.
#[test]
fn neither_batch_nor_guesses_change_what_is_told() {
    let engine = engine(&MISTRAL_LIKE, 2, None);
    // It drafts for itself, so that drafts are right.
    let other = self::engine(&MISTRAL_LIKE, 1, None);
    let model = DraftModel::new(&engine, other).unwrap().costing(0.1);
    let mut n_right = 0;
    for seed in 0..120 {
        let to_the_end = |mut batch: Batch, beside: &[u64]| {
            let mut log = Log::default();
            let recipe = Recipe { max_tokens: 40, ..Recipe::of(seed) };
            let first = batch.admit(&engine, recipe.request(&engine, 3)).unwrap();
            for &seed in beside {
                batch.step(&engine, &mut log).unwrap();
                batch.admit(&engine, Recipe::of(seed).request(&engine, 1)).unwrap();
            }
            while !batch.is_empty() {
                batch.step(&engine, &mut log).unwrap();
                let held = batch.n_held_pages(&engine) + batch.n_promised_pages();
                assert!(held <= batch.options().budget.n_pages, "never more than the budget");
            }
            log.0.retain(|(id, _), _| *id == first);
            (log.0, batch.guess_counts())
        };
        let (plain, _) = to_the_end(batch(&engine, Guesses::Off), &[]);
        let beside: Vec<u64> = (1..4).map(|i| seed + 1000 * i).collect();
        let crowded = to_the_end(batch(&engine, Guesses::Off), &beside).0;
        assert!(crowded == plain, "recipe {seed} beside others");
        for guesses in [Guesses::Lookup, Guesses::Auto] {
            let (told, counts) = to_the_end(batch(&engine, guesses), &beside);
            assert!(told == plain, "recipe {seed}, {guesses:?}: {told:#?} {plain:#?}");
            n_right += counts.n_right();
        }
        let drafted = batch(&engine, Guesses::Auto).drafting_with(model.clone());
        let (told, counts) = to_the_end(drafted, &[]);
        assert!(told == plain, "recipe {seed}, drafted");
        n_right += counts.n_right();
    }
    assert!(n_right > 300, "{n_right}");
}

#[test]
fn neither_threads_nor_instruction_set_change_a_text() {
    let texts = |engine: &Engine| -> Vec<(Vec<TokenId>, String, String)> {
        let of = |seed| {
            let mut batch = batch(engine, Guesses::Auto);
            let recipe = Recipe { max_tokens: 30, ..Recipe::of(seed) };
            let texts = generate(engine, &mut batch, recipe.request(engine, 2), &mut ()).unwrap();
            texts.into_iter().map(|text| (text.tokens, text.text, text.thoughts))
        };
        (0..30).flat_map(of).collect()
    };
    let expected = texts(&engine(&LLAMA3_LIKE, 1, None));
    for threads in [2, 3] {
        assert!(texts(&engine(&LLAMA3_LIKE, threads, None)) == expected, "{threads} threads");
    }
    for isa in Isa::all() {
        assert!(texts(&engine(&LLAMA3_LIKE, 2, Some(isa))) == expected, "{isa:?}");
    }
}

#[test]
fn thoughts_are_apart_and_end_when_they_are_spent() {
    let engine = engine(&MISTRAL_LIKE, 2, None);
    let text = |budget, apart| -> Continuation {
        let recipe = Recipe {
            prompt: vec![token('a'), token('('), token('\n')],
            chain: "think: temp=1; answer: temp=0.5",
            dice: Dice { seed: 3, sample: 0 },
            // Nothing but the budget ends the block, and there is one block.
            banned: vec![")".into(), "(".into()],
            budget,
            is_apart: apart,
            max_tokens: 30,
            is_formed: false,
        };
        let mut request = recipe.request(&engine, 1);
        request.ends.ignore_end = true;
        generate(&engine, &mut batch(&engine, Guesses::Off), request, &mut ()).unwrap().remove(0)
    };
    let (whole, apart) = (text(Some(7), false), text(Some(7), true));
    assert_eq!(whole.tokens, apart.tokens);
    let ending = engine.tokenizer.encode(")", false, true);
    assert_eq!((apart.tokens.len(), &apart.tokens[7..9]), (30, &ending[..]));
    assert_eq!(whole.thoughts, "");
    let (thoughts, answer) = whole.text.split_once(')').unwrap();
    assert_eq!(apart.thoughts, thoughts.trim());
    assert_eq!(apart.text, answer.trim_start());
    let read = engine.read_blocks(&[token('('), token('\n')]).split(&whole.tokens);
    assert_eq!(read, (apart.thoughts, apart.text));
    let endless = text(None, true);
    assert_eq!((endless.text.as_str(), endless.tokens.len()), ("", 30));
    let at_once = text(Some(0), true);
    assert_eq!((at_once.thoughts.as_str(), &at_once.tokens[..2]), ("", &ending[..]));
}

#[test]
fn a_string_that_cannot_be_avoided_ends_the_text() {
    let engine = engine(&MISTRAL_LIKE, 1, None);
    let recipe = Recipe {
        chain: "top_k=90 | temp=1",
        banned: ('!'..='W').map(String::from).collect(),
        budget: None,
        is_formed: false,
        ..Recipe::of(1)
    };
    let mut request = recipe.request(&engine, 1);
    request.ends.max_tokens = 8;
    // Nothing is left but what is banned.
    request.bans = (0..VOCAB as u32)
        .filter(|&id| !(3..10).contains(&id))
        .map(|id| vec![TokenId(id)])
        .collect();
    let text = generate(&engine, &mut batch(&engine, Guesses::Off), request, &mut ()).unwrap();
    assert!(matches!(text[0].finish, FinishReason::NothingLeft(_)), "{:?}", text[0].finish);
    assert!(text[0].tokens.is_empty());
    assert!(banned_strings(&[String::new()]).unwrap_err().contains("is empty"));
    assert!(banned_strings(&["x".repeat(257)]).unwrap_err().contains("257 bytes"));
    assert!(banned_strings(&vec!["x".to_string(); 65]).unwrap_err().contains("65 strings"));
}

#[test]
fn places_in_json_need_json_and_places_in_thoughts_need_a_model_that_thinks() {
    let mut engine = engine(&MISTRAL_LIKE, 1, None);
    let recipe = Recipe { chain: "strings: temp=2; structure: temp=0.2", ..Recipe::of(2) };
    let refused = batch(&engine, Guesses::Off).admit(&engine, recipe.request(&engine, 1));
    let said = refused.unwrap_err().to_string();
    assert!(said.contains("`strings` of the schedule is a place in JSON"), "{said}");
    engine.reasoning = None;
    let said = engine.bind(&"think: temp=1; temp=2".parse().unwrap()).unwrap_err().to_string();
    assert!(said.contains("shows no reasoning block"), "{said}");
    assert!(engine.bind(&"after \"a\": temp=1; temp=2".parse().unwrap()).is_ok());
    assert!(engine.thoughts(Some(3), true).is_err() && engine.thoughts(None, true) == Ok(None));
}
