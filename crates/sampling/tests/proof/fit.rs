//! Draws come up at their rate, and independently of each other; a sampler that is 1 % off is caught.

use kelvin_sampling::{Chain, Dice, Sampler};

use crate::{chance, reference};

/// Counts of `n` draws by id, and the plain f64 probabilities of the ids.
///
/// `word` turns the word of the dice into the one that is used: the identity for an honest sampler.
fn count(logits: &[f32], chain: &str, seed: u64, n: u64, word: impl Fn(u64) -> u64) -> (Vec<u64>, Vec<f64>) {
    let chain: Chain = chain.parse().unwrap();
    let truth = reference::survive(logits, &chain);
    let mut p = vec![0.0; logits.len()];
    for (&(id, _), share) in truth.survivors.iter().zip(truth.probabilities()) {
        p[id as usize] = share;
    }
    let dice = Dice { seed, sample: 3 };
    let mut sampler = Sampler::new(chain, dice);
    let mut counts = vec![0; logits.len()];
    for pos in 0..n {
        let draw = sampler.draw_with(logits, word(dice.word(pos))).unwrap();
        counts[draw.token.index()] += 1;
    }
    for (&count, &p) in counts.iter().zip(&p) {
        assert!(count == 0 || p > 0.0, "a token outside the support was drawn");
    }
    (counts, p)
}

const EIGHT: [f32; 8] = [0.3, 1.5, -2.0, 0.0, 1.5, -0.7, 2.2, 0.9];
const CHAINS: [&str; 8] = [
    "temp=1",
    "temp=0.5",
    "temp=2.5",
    "top_k=5",
    "top_p=0.8",
    "min_p=0.2",
    "temp=1.3 | top_k=6 | top_p=0.9",
    "top_p=0.9 | temp=3 | min_p=0.5",
];

#[test]
fn every_stage_fits_at_8_tokens() {
    for chain in CHAINS {
        let (counts, p) = count(&EIGHT, chain, 11, 200_000, |word| word);
        let value = chance::fit(&counts, &p);
        assert!(value > 1e-4, "{chain}: p = {value:e}, {counts:?}");
    }
}

#[test]
fn every_stage_fits_at_1000_tokens() {
    let logits: Vec<f32> = (0..1000).map(|i| ((i * 617) % 1000) as f32 * 0.009).collect();
    for chain in CHAINS {
        let (counts, p) = count(&logits, chain, 12, 40_000, |word| word);
        let value = chance::fit(&counts, &p);
        assert!(value > 1e-4, "{chain}: p = {value:e}");
    }
}

#[test]
fn a_full_vocabulary_fits() {
    let logits: Vec<f32> = (0..262_144u64).map(|i| ((i * 5_003) % 262_144) as f32 * 5e-5).collect();
    for chain in ["temp=1", "temp=2 | top_p=0.95"] {
        let (counts, p) = count(&logits, chain, 13, 800, |word| word);
        // The expected draws per token are few: bins of equal share of the descending order.
        let mut order: Vec<usize> = (0..logits.len()).filter(|&i| p[i] > 0.0).collect();
        order.sort_by(|&a, &b| logits[b].total_cmp(&logits[a]));
        let bins = order.chunks(order.len() / 32 + 1);
        let sums = bins.map(|bin| bin.iter().fold((0, 0.0), |(n, q), &i| (n + counts[i], q + p[i])));
        let (counts, p): (Vec<u64>, Vec<f64>) = sums.unzip();
        let value = chance::fit(&counts, &p);
        assert!(value > 1e-4, "{chain}: p = {value:e}");
    }
}

/// A fit that is too good is a bug as well.
#[test]
fn p_values_over_many_seeds_are_uniform() {
    for chain in ["temp=1", "temp=1.3 | top_k=6 | top_p=0.9"] {
        let value = |seed| {
            let (counts, p) = count(&EIGHT, chain, seed, 3000, |word| word);
            chance::fit(&counts, &p)
        };
        let values = (1000..1300).map(value).collect();
        let p = chance::uniform(values);
        assert!(p > 1e-3, "{chain}: p = {p:e}");
    }
}

/// The distance to the truth falls as it must and has no floor.
#[test]
fn total_variation_has_no_floor() {
    for n in [1_000u64, 10_000, 100_000, 1_000_000] {
        let (counts, p) = count(&EIGHT, "temp=1", 21, n, |word| word);
        let distance = |(&c, &p): (&u64, &f64)| (c as f64 / n as f64 - p).abs() / 2.0;
        let found: f64 = counts.iter().zip(&p).map(distance).sum();
        let noise = |p: &f64| (p * (1.0 - p) / (std::f64::consts::TAU * n as f64)).sqrt();
        let expected: f64 = p.iter().map(noise).sum();
        assert!(found < 2.0 * expected && found > 0.3 * expected, "{n}: {found} {expected}");
    }
}

/// The tests of the tests: samplers that are wrong by 1 % don't pass.
#[test]
fn wrong_samplers_are_caught() {
    // One draw in a hundred takes the likeliest token, whatever the dice say.
    let biased = |word: u64| if word.is_multiple_of(100) { 0 } else { word };
    // The last hundredth of the distribution is never reached.
    let tailless = |word: u64| word - word / 100;
    type Mutant = fn(u64) -> u64;
    let mutants: [(&str, Mutant); 2] = [("biased", biased), ("tailless", tailless)];
    for (name, mutant) in mutants {
        let (counts, p) = count(&EIGHT, "temp=1", 11, 400_000, mutant);
        let value = chance::fit(&counts, &p);
        assert!(value < 1e-6, "the {name} sampler passed with p = {value:e}");
    }
}

#[test]
fn neighbours_are_independent() {
    let mut draw = |dice: Dice, pos: u64| {
        let mut sampler = Sampler::new(Chain::default(), dice);
        sampler.draw(&EIGHT[..6], pos).unwrap().rank as usize
    };
    let n = 60_000;
    type Pair = fn(&mut dyn FnMut(Dice, u64) -> usize, u64) -> (usize, usize);
    let pairs: [(&str, Pair); 4] = [
        ("positions", |draw, i| {
            let dice = Dice { seed: 5, sample: 0 };
            (draw(dice, 2 * i), draw(dice, 2 * i + 1))
        }),
        ("samples", |draw, i| {
            (draw(Dice { seed: 5, sample: 2 * i }, 40), draw(Dice { seed: 5, sample: 2 * i + 1 }, 40))
        }),
        ("seeds", |draw, i| {
            (draw(Dice { seed: 2 * i, sample: 0 }, 40), draw(Dice { seed: 2 * i + 1, sample: 0 }, 40))
        }),
        ("a draw and a stage", |draw, i| {
            let dice = Dice { seed: 6, sample: 0 };
            (draw(dice, i), (dice.words(i).stages[0] >> 61) as usize)
        }),
    ];
    for (name, pair) in pairs {
        let mut table = vec![vec![0; 8]; 6];
        for i in 0..n {
            let (a, b) = pair(&mut draw, i);
            table[a][b] += 1;
        }
        // Ranks of six tokens leave two columns empty.
        let width = table.iter().flat_map(|row| row.iter().rposition(|&n| n > 0)).max().unwrap() + 1;
        table.iter_mut().for_each(|row| row.truncate(width));
        let value = chance::independence(&table);
        assert!(value > 1e-4, "{name}: p = {value:e}");
    }
}
