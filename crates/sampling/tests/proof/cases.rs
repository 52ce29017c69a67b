//! Each stage in a chain that lets it act, for a vocabulary of any size, in the midst of a text
//! that repeats itself.

use kelvin_sampling::{Chain, Dice, STAGES, Stage, State, TokenId, Words};

use crate::reference;

/// A stage and what it's tried with.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) chain: Chain,
    pub(crate) state: State,
}

/// Texts of chains with parameters that suit a vocabulary of `v` tokens.
fn chosen(v: usize) -> Vec<String> {
    let (few, even, bits) = (v / 4, 0.7 / v as f64, 0.4 * (v as f64).log2());
    // Version 1 cuts by the slope of the first hundred, so they need one.
    let (t, tau) = match v {
        8 => (1.0, 3),
        1000 => (0.05, 3),
        _ => (0.001, 8),
    };
    let top_a = if v > 8 { 1.0 } else { 0.3 };
    vec![
        "bias=1:1.5,3:-inf,5:-2".into(),
        format!("mask=0-{}", v * 3 / 4),
        format!("mask=not,1,3,{}", v - 1),
        "repetition=1.3,window:9".into(),
        "frequency=0.4".into(),
        // A window longer than the text.
        "presence=0.7,window:1000,scope:prompt+output".into(),
        "dry=0.8,base:1.5,length:1".into(),
        "no_repeat_ngram=3".into(),
        "temp=0.6".into(),
        "temp=1.3".into(),
        "dynatemp=0.5..1.8".into(),
        "edt=1.5,theta:0.3".into(),
        "quadratic=0.2,curve:1.5".into(),
        // Between two that are equal.
        format!("top_k={few}"),
        format!("top_k={few},ties:kept"),
        "top_p=0.6".into(),
        "min_p=0.3".into(),
        "top_n_sigma=1.2".into(),
        "typical=0.6".into(),
        "typical=0.3,ties:kept".into(),
        "top_h=0.5".into(),
        format!("epsilon={even}"),
        format!("eta={even}"),
        format!("top_a={top_a}"),
        "temp=2 | p_less".into(),
        "tfs=0.9".into(),
        format!("xtc=0.5,threshold:{even}"),
        "adaptive_p=0.3".into(),
        format!("mirostat={bits}"),
        format!("temp={t} | mirostat={tau},version:1"),
        format!("top_k={} | top_p=0.95 | min_p=0.05 | temp=1.5", v / 2),
    ]
}

/// At least one chain for each stage: those above, and each other row's own example.
fn chains(v: usize) -> Vec<String> {
    let mut texts = chosen(v);
    for info in STAGES {
        let has = |text: &String| text.split(" | ").any(|stage| name(stage) == info.name);
        if !texts.iter().any(has) {
            texts.push(info.example());
        }
    }
    texts
}

fn name(stage: &str) -> &str {
    stage.split('=').next().unwrap_or_default()
}

/// Chains under which a tail 18 to 25 nats down stays to be drawn from.
fn mild() -> Vec<String> {
    let chains = [
        "bias=1:0.5",
        "mask=not,1",
        "repetition=1.1",
        "frequency=0.2",
        "presence=0.2",
        "dry=0.5",
        "no_repeat_ngram=3",
        "temp=1.05",
        "dynatemp=0.9..1.1",
        "edt=1,theta:0",
        "quadratic=0.05",
        "top_k=262143",
        "top_p=0.999999999999",
        "min_p=0.000000000001",
        "top_n_sigma=1000",
        "typical=0.999999999999",
        "top_h=0.999999999",
        "epsilon=0.00000000000001",
        "eta=0.0000000000000000000001",
        "top_a=0.000000000001",
        "tfs=0.9999999999999999",
        "xtc=1,threshold:0.5",
        "adaptive_p=0.9",
        "mirostat=25",
        "mirostat=100,version:1",
        // p >= Σp² never lets a tail through that one token outweighs; what it leaves is drawn all
        // the same.
        "mask=not,0 | p_less",
    ];
    chains.map(String::from).to_vec()
}

fn with_states(chains: &[String]) -> Vec<Case> {
    let tokens = [0, 1, 2, 3, 0, 1, 2, 4, 1, 2, 0, 1].map(TokenId);
    let case = |text: &String| Case {
        chain: text.parse().unwrap(),
        state: State::restore(tokens.to_vec(), 5, None),
    };
    chains.iter().map(case).collect()
}

/// At least one case for each stage.
pub(crate) fn all(v: usize) -> Vec<Case> {
    with_states(&chains(v))
}

/// Cases with parameters that leave the tail.
pub(crate) fn tails() -> Vec<Case> {
    with_states(&mild())
}

/// Logits with ties, of any size: two at 8 tokens are equal, pairs at 1,000, fours at 262,144.
pub(crate) fn logits(v: usize) -> Vec<f32> {
    match v {
        8 => vec![0.3, 1.5, -2.0, 0.0, 1.5, -0.7, 2.2, 0.9],
        1000 => (0..v).map(|i| ((i * 617) % 500) as f32 * 0.018).collect(),
        _ => (0..v).map(|i| ((i * 5003) % (v / 4)) as f32 * (13.0 / (v / 4) as f32)).collect(),
    }
}

/// The three sizes of every proof.
pub(crate) const SIZES: [usize; 3] = [8, 1000, 262_144];

impl Case {
    /// By plain f64 arithmetic over what the reference leaves, the probability of each id: over the
    /// chance of an `xtc` as well.
    pub(crate) fn truth(&self, logits: &[f32]) -> Vec<f64> {
        let chance = self.chain.stages().iter().find_map(|stage| match stage {
            Stage::Xtc(xtc) => Some(xtc.chance()),
            _ => None,
        });
        let mut p = vec![0.0; logits.len()];
        let mut add = |share: f64, word: u64| {
            let words = Words { draw: 0, stages: [word; 7] };
            let left = reference::try_survive(logits, &self.chain, &self.state, &words).unwrap();
            for (&(id, _), q) in left.survivors.iter().zip(left.probabilities()) {
                p[id as usize] += share * q;
            }
        };
        add(chance.unwrap_or(1.0), 0);
        if let Some(chance) = chance {
            add(1.0 - chance, u64::MAX);
        }
        p
    }

    /// A sampler for it.
    pub(crate) fn sampler(&self) -> kelvin_sampling::Sampler {
        let mut sampler = kelvin_sampling::Sampler::new(self.chain.clone(), Dice::default());
        sampler.set_state(self.state.clone());
        sampler
    }
}
