//! Continues one prompt at three temperatures, with the library alone:
//! `cargo run --release -p kelvin-engine --example three_temperatures -- MODEL.gguf "Once upon a time"`

use std::{env, error::Error, path::Path};

use kelvin_engine::{
    Engine,
    batch::{Batch, BatchOptions, Budget, Request, generate},
    transformer::ModelOptions,
};
use kelvin_sampling::{Chain, Dice, Sampler};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = env::args().skip(1);
    let model = args.next().ok_or("which model file? e.g. SmolLM2-135M-Instruct.Q4_1.gguf")?;
    let prompt = args.next().unwrap_or("Once upon a time".to_string());

    let engine = Engine::open(Path::new(&model), &ModelOptions::default(), &mut |_, _| {})?;
    let tokens = engine.tokenizer.encode(&prompt, true, true);
    let temperatures = [0.5, 1.0, 2.0];
    let mut samplers = Vec::new();
    for t in temperatures {
        // Equal random numbers for all three: where texts diverge, temperature is the only cause.
        samplers
            .push(Sampler::new(Chain::default().with_temperature(t)?, Dice { seed: 7, sample: 0 }));
    }
    let mut request = Request::new(tokens, samplers);
    request.ends.max_tokens = 40;
    // Three texts of up to 2,000 tokens each, prompt included.
    let mut batch = Batch::new(&engine, BatchOptions::new(Budget::for_texts(3, 2000)));
    // `()` watches nothing; an `Observer` that streams would print each token's text.
    let continuations = generate(&engine, &mut batch, request, &mut ())?;
    for (t, continuation) in temperatures.iter().zip(continuations) {
        println!("T = {t}: {}\n", continuation.text);
    }
    Ok(())
}
