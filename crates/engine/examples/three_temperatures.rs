//! A model file in, one prompt continued at three temperatures out, with the library alone:
//! `cargo run --release -p kelvin-engine --example three_temperatures -- MODEL.gguf "Once upon a time"`

use std::{env, error::Error, ops::ControlFlow, path::Path};

use kelvin_engine::{
    Engine,
    generate::{Observer, Request, Step, generate},
    transformer::{CacheFormat, ModelOptions},
};
use kelvin_sampling::{Chain, Dice, Sampler};

/// Watches nothing; a program that streams would print `step.text` here.
struct Unseen;

impl Observer for Unseen {
    fn token(&mut self, _: &Step<'_>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = env::args().skip(1);
    let model = args.next().ok_or("which model file? e.g. SmolLM2-135M-Instruct.Q4_1.gguf")?;
    let prompt = args.next().unwrap_or("Once upon a time".to_string());

    let engine = Engine::open(Path::new(&model), &ModelOptions::default(), &mut |_, _| {})?;
    let tokens = engine.tokenizer.encode(&prompt, true, true);
    let temperatures = [0.5, 1.0, 2.0];
    let mut samplers = Vec::new();
    for t in temperatures {
        // The same dice for all three: where they part, only the temperature is why.
        samplers
            .push(Sampler::new(Chain::default().with_temperature(t)?, Dice { seed: 7, sample: 0 }));
    }
    let request = Request { max_tokens: 40, ..Request::new(samplers) };
    let mut sequence = engine.model.sequence(CacheFormat::F16);
    for (t, column) in
        temperatures.iter().zip(generate(&engine, &mut sequence, &tokens, request, &mut Unseen)?)
    {
        println!("T = {t}: {}\n", column.text);
    }
    Ok(())
}
