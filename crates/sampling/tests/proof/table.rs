//! A table of 20 patterns of logits, 12 temperatures and every stage: each cell is exact or a named
//! error.

use kelvin_sampling::{
    Chain, Dice, Distribution, SampleError, Sampler, State, TokenId, Trace, Words,
};

use crate::{cases, exact};

const INF: f32 = f32::INFINITY;

/// Twelve of the temperatures that are allowed, the ends of f32 among them.
const TEMPERATURES: [&str; 12] =
    ["0", "1e-45", "1.2e-38", "1e-8", "0.05", "0.8", "1", "2", "10", "1e8", "1e38", "3.4028235e38"];

/// Twenty rows of logits; the first six can't be drawn from.
fn patterns() -> [Vec<f32>; 20] {
    let ramp = |n: usize, step: f32| (0..n).map(|i| i as f32 * step).collect::<Vec<_>>();
    let with = |mut row: Vec<f32>, at: usize, x: f32| {
        row[at] = x;
        row
    };
    [
        vec![],
        with(ramp(40, 0.1), 0, f32::NAN),
        with(ramp(200, 0.1), 150, -f32::NAN),
        with(ramp(40, 0.1), 39, INF),
        vec![-INF; 9],
        vec![INF; 70],
        vec![0.0],
        vec![0.0, -0.0, 0.0, -0.0, 0.0, 0.0],
        vec![1e-45, 0.0, -1e-45, 1e-45, -0.0, 1e-40],
        vec![f32::MAX; 5],
        vec![f32::MIN; 6],
        vec![f32::MAX, f32::MIN, 0.0, 1.0, -1.0],
        vec![f32::MIN, -INF, f32::MIN, -INF, f32::MIN],
        vec![3.0; 130],
        vec![0.0, -100.0, -1000.0, -1e30, -5.0],
        vec![88.0, 89.0, 1e30, -1e30, 1e-30],
        vec![-INF, -5.0, -INF, -INF, -INF, -INF],
        with(with(ramp(9, 1.0), 8, -INF), 0, -INF),
        ramp(300, 0.01),
        with((0..150).map(|i| (i % 3) as f32).collect(), 77, 31.0),
    ]
}

#[test]
fn every_cell_is_exact_or_a_named_error() {
    let mut cells = (0, 0);
    for (row, logits) in patterns().iter().enumerate() {
        for t in TEMPERATURES {
            for case in cases::all(8) {
                // A text has ids of the vocabulary.
                let id = |token: &TokenId| TokenId(token.0 % logits.len().max(1) as u32);
                let state = State::restore(case.state.tokens().iter().map(id).collect(), 5, None);
                for text in
                    [format!("temp={t} | {}", case.chain), format!("{} | temp={t}", case.chain)]
                {
                    // What learns can only be the last.
                    let Ok(chain) = text.parse::<Chain>() else { continue };
                    match row {
                        0..6 => {
                            bad(row, logits, &chain, &state);
                            cells.1 += 1;
                        }
                        _ => {
                            let words = [0, 1 << 63, u64::MAX];
                            exact::check_after(
                                logits,
                                &chain,
                                &state,
                                0x1234_5678_9abc_def0,
                                &words,
                            );
                            cells.0 += 1;
                        }
                    }
                }
            }
        }
    }
    assert!(cells.0 >= 14 * 12 * 30 && cells.1 >= 6 * 12 * 30, "{cells:?}");
}

/// Every way to look at a row refuses it with the same error.
fn bad(row: usize, logits: &[f32], chain: &Chain, state: &State) {
    let mut sampler = Sampler::new(chain.clone(), Dice::default());
    sampler.set_state(state.clone());
    let error = sampler.sample(logits, 3).unwrap_err();
    let expected = match row {
        0 => "there are no logits: the vocabulary is empty",
        1 => "the logit of token 0 is NaN; expected a finite number, or -inf for a masked token",
        2 => "the logit of token 150 is NaN; expected a finite number, or -inf for a masked token",
        3 => "the logit of token 39 is inf; expected a finite number, or -inf for a masked token",
        4 => "all 9 tokens are masked (their logits are -inf), so there is nothing to draw",
        _ => "the logit of token 0 is inf; expected a finite number, or -inf for a masked token",
    };
    assert_eq!(error.to_string(), expected, "{chain}");
    let (words, watched) = (Words::default(), [TokenId(0)]);
    let others = [
        sampler.draw(logits, 3).err(),
        sampler.force(logits, 3, TokenId(0)).err(),
        sampler.replay(&Chain::default(), logits, 3).err(),
        Distribution::after(logits, chain, state, &words).err(),
        Trace::new(logits, chain, state, &words, &watched).err(),
    ];
    // As text, since a NaN isn't equal to itself.
    assert!(
        others.iter().all(|other| other.as_ref().map(ToString::to_string) == Some(expected.into())),
        "{chain}"
    );
    assert_eq!(sampler.state(), state, "{chain}: an error moves nothing");
}

#[test]
fn temperatures_that_cannot_be_are_refused_when_made() {
    for t in ["-1e-45", "-1", "nan", "inf", "-inf", "1e39", "1e999", "", "x"] {
        let error = format!("temp={t}").parse::<Chain>().unwrap_err().to_string();
        assert!(
            error.starts_with("temp: ") && error.contains("expected 0 (greedy)"),
            "{t}: {error}"
        );
    }
}

#[test]
fn ids_out_of_range_are_named() {
    for (chain, stage, id) in [
        ("bias=2:1,9:1", "bias", 9),
        ("bias=4294967295:-inf", "bias", u32::MAX),
        ("mask=3,8", "mask", 8),
        ("mask=not,1,100000", "mask", 100_000),
        ("temp=0.5 | top_k=2 | mask=8-9", "mask", 8),
    ] {
        let chain: Chain = chain.parse().unwrap();
        // Before a text as well, by the largest id.
        let early = chain.check_ids(8).unwrap_err().to_string();
        assert!(early.starts_with(&format!("{stage}: there is no token ")), "{early}");
        assert_eq!(chain.check_ids(u32::MAX as usize + 1), Ok(()), "{chain}");
        let mut sampler = Sampler::new(chain.clone(), Dice::default());
        let expected = SampleError::UnknownToken { stage, token: TokenId(id), vocab: 8 };
        assert_eq!(sampler.sample(&[0.5; 8], 0), Err(expected.clone()), "{chain}");
        let error = expected.to_string();
        assert!(
            error.contains(stage) && error.contains(&id.to_string()) && error.contains('8'),
            "{error}"
        );
    }
    // A text may name tokens that a penalty finds nothing for: also an error with a name, never a
    // panic.
    for chain in
        ["repetition=1.2", "frequency=1", "presence=1", "dry=1,length:1", "no_repeat_ngram=1"]
    {
        let mut sampler = Sampler::new(chain.parse().unwrap(), Dice::default());
        sampler.set_state(State::restore([3, 900, 3].map(TokenId).to_vec(), 0, None));
        let error = sampler.sample(&[0.5; 8], 0).unwrap_err();
        assert!(
            matches!(error, SampleError::UnknownToken { token: TokenId(900), vocab: 8, .. }),
            "{chain}: {error}"
        );
    }
}

#[test]
fn penalties_behind_heat_are_named() {
    let blunted = |chain: &str| {
        let chain: Chain = chain.parse().unwrap();
        chain.blunted().map(ToString::to_string)
    };
    for chain in ["temp=0.7 | repetition=1.5", "quadratic=0.05 | top_k=9 | repetition=1.5"] {
        assert_eq!(blunted(chain).as_deref(), Some("repetition=1.5"), "{chain}");
        // It is so: the likeliest token stays the likeliest, however large the penalty.
        let chain: Chain = chain.replace("1.5", "1000000").parse().unwrap();
        let mut sampler = Sampler::new(chain, Dice::default()).after(&[TokenId(0)]);
        assert_eq!(sampler.sample(&[30.0, 1.0, 1.0], 1), Ok(TokenId(0)));
    }
    for chain in ["repetition=1.5 | temp=0.7", "temp=1 | repetition=1.5", "temp=0.7 | presence=1"] {
        assert_eq!(blunted(chain), None, "{chain}");
    }
}

#[test]
fn windows_longer_than_the_history() {
    let logits = cases::logits(8);
    for name in ["repetition=1.2", "frequency=0.5", "presence=0.5", "dry=1,length:1"] {
        for text in [&[][..], &[2], &[1, 2, 1]] {
            let state = State::restore(text.iter().map(|&id| TokenId(id)).collect(), 0, None);
            let words = [0, 1 << 62, u64::MAX];
            for window in ["4294967295", "1000", "4", "3", "1", "0", "-1"] {
                let chain = format!("{name},window:{window}").parse().unwrap();
                exact::check_after(&logits, &chain, &state, 0, &words);
            }
        }
    }
}

/// 10,000 stages of all kinds, seven of them random, against the reference.
#[test]
fn a_chain_of_all_the_stages_it_may_have_is_exact() {
    let kinds: Vec<String> = cases::all(1000).iter().map(|case| case.chain.to_string()).collect();
    let last = |text: &String| text.contains("adaptive") || text.contains("mirostat");
    // Those that change logits little, so that many of them leave something to look at.
    let gentle = [
        "temp=1.0001",
        "top_k=290",
        "top_p=0.99999",
        "min_p=0.0000001",
        "bias=1:0.001",
        "quadratic=0",
    ];
    // A case may be a chain of several stages.
    let n_stages = |texts: &[String]| texts.join(" | ").split(" | ").count();
    let mut stages: Vec<String> = kinds.iter().filter(|t| !last(t)).cloned().collect();
    while n_stages(&stages) > Chain::MAX_STAGES - 1 {
        stages.pop();
    }
    let missing = Chain::MAX_STAGES - 1 - n_stages(&stages);
    stages.splice(0..0, (0..missing).map(|i| gentle[i % gentle.len()].to_owned()));
    stages.push("mirostat=4".into());
    let chain: Chain = stages.join(" | ").parse().unwrap();
    assert_eq!(chain.stages().len(), Chain::MAX_STAGES);
    let logits: Vec<f32> = (0..300).map(|i| ((i * 617) % 150) as f32 * 0.03).collect();
    let state = State::restore([0, 1, 2, 3, 0, 1, 2].map(TokenId).to_vec(), 3, None);
    exact::check_after(&logits, &chain, &state, 0, &[1 << 62]);
}
