//! How fast a text goes on with each kind of drafts, in turn: medians of the ratios to none in the
//! same round, and what came of the drafts. The prompt is a user's message in ChatML.
//!
//!     cargo run --release -p kelvin-engine --example draft_speed -- MODEL PROMPT [CHAIN] \
//!         [TOKENS] [ROUNDS] [SAMPLES]

use std::{error::Error, ops::ControlFlow, path::Path, time::Instant};

use kelvin_engine::{
    Engine,
    batch::{
        Batch, BatchOptions, Budget, GuessCounts, Guesses, Observer, PromptRead, Request, generate,
    },
    transformer::ModelOptions,
};
use kelvin_sampling::{Chain, Dice, Sampler};

const KINDS: [Guesses; 3] = [Guesses::Off, Guesses::Lookup, Guesses::Auto];

/// Notes when the prompt was read.
#[derive(Default)]
struct Clock(Option<Instant>);

impl Observer for Clock {
    fn prompt_read(&mut self, _: PromptRead<'_>) -> ControlFlow<()> {
        self.0 = Some(Instant::now());
        ControlFlow::Continue(())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let model = args.next().ok_or("which model file?")?;
    let prompt = std::fs::read_to_string(args.next().ok_or("which prompt?")?)?;
    let chain = args.next().unwrap_or("temp=0".into());
    let n_tokens: usize = args.next().map_or(Ok(300), |n| n.parse())?;
    let n_rounds: usize = args.next().map_or(Ok(5), |n| n.parse())?;
    let n_samples: u64 = args.next().map_or(Ok(1), |n| n.parse())?;
    let engine = Engine::open(Path::new(&model), &ModelOptions::default(), &mut |_, _| ())?;
    let prompt = format!("<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n", prompt.trim());
    let prompt = engine.tokenizer.encode(&prompt, true, true);
    let mut ratios = [const { Vec::new() }; KINDS.len()];
    let mut seen: Option<Vec<_>> = None;
    let mut counts = [GuessCounts::default(); KINDS.len()];
    let mut off = Vec::new();
    for _ in 0..n_rounds {
        let mut rates = [0.0; KINDS.len()];
        for (i, guesses) in KINDS.into_iter().enumerate() {
            let budget = Budget::for_texts(n_samples as usize, prompt.len() + n_tokens + 64);
            let mut batch =
                Batch::new(&engine, BatchOptions { guesses, ..BatchOptions::new(budget) });
            let parsed: Chain = chain.parse()?;
            let sampler = |sample| Sampler::new(parsed.clone(), Dice { seed: 7, sample });
            let mut request = Request::new(prompt.clone(), (0..n_samples).map(sampler).collect());
            request.ends.max_tokens = n_tokens;
            let mut clock = Clock::default();
            let texts = generate(&engine, &mut batch, request, &mut clock)?;
            let secs = clock.0.ok_or("no prompt")?.elapsed().as_secs_f64();
            let tokens: Vec<_> = texts.into_iter().map(|text| text.tokens).collect();
            rates[i] = tokens.iter().map(Vec::len).sum::<usize>() as f64 / secs;
            assert!(seen.get_or_insert(tokens.clone()) == &tokens, "the texts are the same");
            counts[i] = batch.guess_counts();
        }
        off.push(rates[0]);
        ratios.iter_mut().zip(rates).for_each(|(ratios, rate)| ratios.push(rate / rates[0]));
    }
    off.sort_by(f64::total_cmp);
    let n = seen.map_or(0, |texts| texts.iter().map(Vec::len).sum());
    println!("{chain}: {n} tokens after {}, off {:.1} tokens/s", prompt.len(), off[n_rounds / 2]);
    for ((kind, ratios), counts) in KINDS.into_iter().zip(&mut ratios).zip(counts) {
        ratios.sort_by(f64::total_cmp);
        println!(
            "{:7} {:.2} ({:.2} to {:.2}), {:.2} tokens a step, {} of {} right",
            kind.name(),
            ratios[n_rounds / 2],
            ratios[0],
            ratios[n_rounds - 1],
            counts.n_drawn as f64 / counts.n_steps.max(1) as f64,
            counts.n_right(),
            counts.n_guessed()
        );
    }
    Ok(())
}
