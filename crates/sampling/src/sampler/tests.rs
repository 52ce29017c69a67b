//! A sampler's buffers, and what it learns from tokens that it is given.

use super::*;

/// After the first step buffers have their final size, whatever later logits need.
#[test]
fn later_steps_allocate_nothing() {
    const V: usize = 20_000;
    let shapes: [fn(usize) -> f32; 4] = [
        |i| (i * 7919 % V) as f32 * 1e-3,
        |_| 2.0,
        |i| if i == 5 { 40.0 } else { (i % 3) as f32 },
        |i| if i % 2 == 0 { f32::NEG_INFINITY } else { 1e-6 * i as f32 },
    ];
    for chain in [
        "temp=0",
        "temp=1",
        "top_p=0.9 | temp=1e8",
        "top_k=15000 | min_p=0.001",
        "top_k=3",
        "typical=0.9 | top_h=0.5",
        "xtc=1,threshold:0 | quadratic=0.3",
        "tfs=0.9 | adaptive_p=0.4",
    ] {
        let mut sampler =
            Sampler::new(chain.parse().unwrap(), Dice { seed: 1, sample: 0 }).measuring_shift();
        sampler.sample(&vec![0.0; V], 0).unwrap();
        let before = sampler.scratch.candidates.places();
        for (pos, shape) in shapes.iter().enumerate() {
            let logits: Vec<f32> = (0..V).map(shape).collect();
            sampler.sample(&logits, pos as u64).unwrap();
            sampler.sample(&logits[..77], pos as u64).unwrap();
            sampler.draw(&logits, pos as u64).unwrap();
        }
        assert_eq!(sampler.scratch.candidates.places(), before, "{chain}");
    }
}

/// A forced token teaches what the same token teaches when it's drawn.
#[test]
fn a_token_teaches_the_same_drawn_or_forced() {
    let logits: Vec<f32> = (0..1000).map(|i| ((i * 7919) % 1000) as f32 * 0.02).collect();
    for chain in
        ["temp=1.5 | mirostat=2,eta:0.6", "mirostat=3,version:1", "temp=1.5 | adaptive_p=0.1"]
    {
        let mut drawn = Sampler::new(chain.parse().unwrap(), Dice { seed: 1, sample: 0 });
        let mut forced = drawn.clone();
        for pos in 0..20 {
            let token = drawn.sample(&logits, pos).unwrap();
            let after = forced.learned_after(&logits, pos, &[TokenId(0), token]).unwrap();
            forced.force(&logits, pos, token).unwrap();
            assert_eq!(forced.state(), drawn.state(), "{chain} {pos}");
            assert_eq!(after[1], drawn.state().learned(), "{chain} {pos}");
        }
    }
}
