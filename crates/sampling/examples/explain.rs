//! Shows what each stage of a chain does to a row of logits, and the rank of one token on the way.
//!
//! `cargo run --example explain -- "temp=1.5 | typical=0.9 | xtc=0.5"`

use kelvin_sampling::{Chain, Dice, State, TokenId, Trace};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let typed = std::env::args().nth(1);
    let chain: Chain = typed.as_deref().unwrap_or("temp=2 | top_k=40 | top_p=0.9").parse()?;
    // 1,000 tokens, a few likely ones and a long tail.
    let logits: Vec<f32> = (0..1000).map(|i| 8.0 / (1.0 + i as f32 * 0.1)).collect();
    let words = Dice { seed: 7, sample: 0 }.words(12);
    let trace = Trace::new(&logits, &chain, &State::default(), &words, &[TokenId(20)])?;
    println!(
        "{:<14} {:>13} {:>17} {:>9} {:>12}",
        "stage", "survivors", "entropy", "removed", "p(token 20)"
    );
    for (report, place) in trace.stages().iter().zip(&trace.places(0)[1..]) {
        println!(
            "{:<14} {:>4} to {:>5} {:>7.4} to {:>6.4} {:>7.3} % {:>12}",
            report.stage.to_string(),
            report.survivors_before,
            report.survivors_after,
            report.entropy_before,
            report.entropy_after,
            report.mass_removed * 100.0,
            place.map_or("gone".to_string(), |place| format!("{:.6}", place.probability)),
        );
    }
    let last = trace.distribution();
    println!(
        "{} tokens are left, with {:.1} effective choices",
        last.survivors(),
        last.effective_choices()
    );
    Ok(())
}
