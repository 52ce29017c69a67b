//! One row of logits and one throw of the dice in; the exact temperatures at which the token
//! changes out.

use kelvin_sampling::{Chain, Dice, Sampler};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words = ["Ni Hao", "Konnichiwa", "Hola", "Namaste", "Hello", "Ciao"];
    let logits = [0.1, 0.0, 0.5, 1.0, 4.0, 0.6];
    for sample in 0..4 {
        let mut sampler = Sampler::new(Chain::default(), Dice { seed: 7, sample });
        let changes = sampler.changes(&logits, 12, 10)?;
        let Some(first) = changes.first() else {
            println!("sample {sample}: the same token from T = 0.05 to 10");
            continue;
        };
        print!("sample {sample}: {}", words[first.from.index()]);
        for change in &changes {
            print!(", from T = {} on {}", change.above, words[change.to.index()]);
        }
        println!();
    }
    Ok(())
}
