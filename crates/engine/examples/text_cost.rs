//! What a temperature of whole texts costs: one text by particles beside as many ordinary
//! continuations, in turn, with equal numbers of tokens.
//!
//! `cargo run --release -p kelvin-engine --example text_cost -- MODEL.gguf [PARTICLES] [TOKENS]`

use std::{env, error::Error, ops::ControlFlow, path::Path, time::Instant};

use kelvin_engine::{
    Engine,
    batch::{Batch, BatchOptions, Budget, Request, generate},
    generate::Ends,
    rows::BatchRows,
    texts::{Ending, Method, Quality, Settings, Start, draw},
    transformer::ModelOptions,
};
use kelvin_sampling::{Chain, Dice, Sampler, Stage, Temp};

const ROUNDS: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = env::args().skip(1).collect();
    let path = args.first().ok_or("give a model file")?;
    let number = |i: usize, usual: usize| args.get(i).map_or(Ok(usual), |typed| typed.parse());
    let (particles, n) = (number(1, 16)?, number(2, 64)?);
    let engine = Engine::open(Path::new(path), &ModelOptions::default(), &mut |_, _| {})?;
    let prompt = engine.tokenizer.encode("Once upon a time", true, false);
    let ends = Ends { max_tokens: n, limit: usize::MAX, ignore_end: true, ..Ends::default() };
    let budget = Budget::for_texts(particles + 1, prompt.len() + n + 64);
    println!("T     plain secs  particles secs  ratio  tokens read  resamplings");
    for t in [0.25, 0.5, 0.8, 1.0] {
        let temperature = Temp::new(t)?;
        let (mut plain, mut texts, mut said) = (Vec::new(), Vec::new(), (0, 0));
        for round in 0..ROUNDS as u64 {
            let mut batch = Batch::new(&engine, BatchOptions::new(budget));
            let chain = Chain::new(vec![Stage::Temp(temperature)])?;
            let sampler = |sample| Sampler::new(chain.clone(), Dice { seed: round, sample });
            let samplers = (0..particles as u64).map(sampler).collect();
            let request = Request { ends: ends.clone(), ..Request::new(prompt.clone(), samplers) };
            let begin = Instant::now();
            generate(&engine, &mut batch, request, &mut ())?;
            plain.push(begin.elapsed().as_secs_f64());

            let mut batch = Batch::new(&engine, BatchOptions::new(budget));
            let settings = Settings::new(temperature, Method::Smc { particles }, n)?;
            let begin = Instant::now();
            let mut rows =
                BatchRows { engine: &engine, batch: &mut batch, progress: &mut |_, _| () };
            let ending = Ending::new(&engine, &ends);
            let start = Start::read(&mut rows, prompt.clone())?;
            let dice = [Dice { seed: round, sample: 0 }];
            let go_on = &mut |_| ControlFlow::Continue(());
            let drawn = draw(&mut rows, &start, &settings, &dice, &|y| ending.ends(y), go_on)?;
            texts.push(begin.elapsed().as_secs_f64());
            if let Quality::Smc(quality) = &drawn[0].quality {
                said = (said.0 + drawn[0].n_read, said.1 + quality.resamplings);
            }
        }
        let median = |times: &mut Vec<f64>| {
            times.sort_by(f64::total_cmp);
            times[ROUNDS / 2]
        };
        let (plain, texts) = (median(&mut plain), median(&mut texts));
        let [read, resamplings] = [said.0, said.1].map(|sum| sum as f64 / ROUNDS as f64);
        println!(
            "{t:<4}  {plain:10.3}  {texts:14.3}  {:5.2}  {read:11.0}  {resamplings:11.1}",
            texts / plain
        );
    }
    Ok(())
}
