//! Bad logits are errors with names; extreme but good ones give exact, finite answers.

use kelvin_sampling::{Chain, Dice, Distribution, MAX_VOCAB, SampleError, Sampler, TokenId};

const INF: f32 = f32::INFINITY;

fn sample(logits: &[f32]) -> Result<TokenId, SampleError> {
    let mut sampler = Sampler::new(Chain::default(), Dice { seed: 1, sample: 0 });
    let drawn = sampler.draw(logits, 0).map(|draw| draw.token);
    let shown = Distribution::new(logits, &Chain::default()).map(|_| TokenId(0));
    assert_eq!(drawn.is_err(), shown.is_err());
    drawn
}

#[test]
fn bad_numbers_name_the_token() {
    let mut logits = vec![0.5; 1000];
    logits[700] = f32::NAN;
    assert_eq!(
        sample(&logits).unwrap_err().to_string(),
        "the logit of token 700 is NaN; expected a finite number, or -inf for a masked token"
    );
    logits[129] = INF;
    assert_eq!(sample(&logits), Err(SampleError::BadLogit { token: TokenId(129), value: INF }));
    logits[..].fill(-f32::NAN);
    assert!(matches!(sample(&logits), Err(SampleError::BadLogit { token: TokenId(0), .. })));
}

#[test]
fn nothing_to_draw() {
    assert_eq!(sample(&[]), Err(SampleError::Empty));
    assert_eq!(sample(&[-INF; 70]), Err(SampleError::AllMasked { count: 70 }));
    let too_many = vec![0.0; MAX_VOCAB + 1];
    assert_eq!(sample(&too_many), Err(SampleError::TooMany { found: MAX_VOCAB + 1 }));
    assert_eq!(sample(&[-INF, -INF, 3.0, -INF]), Ok(TokenId(2)));
}

#[test]
fn masked_tokens_are_neither_drawn_nor_counted() {
    let logits = [1.0, -INF, 1.0, -INF, 1.0];
    let mut sampler = Sampler::new(Chain::default(), Dice { seed: 1, sample: 0 });
    for pos in 0..500 {
        let draw = sampler.draw(&logits, pos).unwrap();
        assert_eq!(draw.token.0 % 2, 0);
        assert_eq!(draw.survivors, 3);
        assert!((draw.entropy - 3f64.ln()).abs() < 1e-12);
    }
}

/// Every pattern at every temperature: figures are finite and probabilities sum to 1.
#[test]
fn extremes_are_finite() {
    let ramp: Vec<f32> = (0..300).map(|i| i as f32 * 0.1).collect();
    let patterns: [&[f32]; 12] = [
        &[0.0],
        &[-0.0, 0.0],
        &[1e-45, 0.0, -1e-45],
        &[f32::MAX],
        &[f32::MIN],
        &[f32::MAX, f32::MIN],
        &[f32::MIN, f32::MIN, -INF],
        &[3.0, 3.0, 3.0, 3.0],
        &[0.0, -100.0, -1000.0],
        &[88.0, 89.0, 1e30],
        &[-INF, -5.0, -INF],
        &ramp,
    ];
    let temperatures =
        [1e-45, 1e-38, 1e-8, 0.01, 0.5, 1.0, 2.0, 100.0, 1e8, 1e30, 1e38, f32::MAX, 0.0];
    for logits in patterns {
        for t in temperatures {
            for truncation in ["", " | top_k=2", " | top_p=0.5", " | min_p=0.5"] {
                let chain: Chain = format!("temp={t}{truncation}").parse().unwrap();
                let case = format!("{logits:?} under {chain}");
                let mut sampler = Sampler::new(chain.clone(), Dice { seed: 1, sample: 0 });
                let draw = sampler.draw(logits, 3).unwrap();
                let figures = [draw.entropy, draw.entropy_final, draw.surprisal_final];
                assert!(figures.iter().all(|x| x.is_finite() && *x >= 0.0), "{case}: {draw:?}");
                let shown = Distribution::new(logits, &chain).unwrap();
                let sum: f64 = shown.top(usize::MAX).iter().map(|c| c.probability).sum();
                assert!((sum - 1.0).abs() < 1e-12, "{case}: {sum}");
                assert_eq!(shown.survivors(), draw.survivors as usize, "{case}");
                assert!(shown.probability(draw.token) > 0.0, "{case}");
                let figures = [shown.entropy(), shown.heat_capacity(), shown.effective_choices()];
                assert!(figures.iter().all(|x| x.is_finite() && *x >= 0.0), "{case}: {figures:?}");
            }
        }
    }
}
