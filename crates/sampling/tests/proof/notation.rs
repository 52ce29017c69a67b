//! Chains: printed as they were written, refused with reasons.

use kelvin_sampling::{Chain, ChainError, MinP, Temp, TopP};
use proptest::prelude::*;

use crate::logits;

proptest! {
    #[test]
    fn printed_and_parsed_back(chain in logits::chain(8)) {
        let text = chain.to_string();
        let again: Chain = text.parse().unwrap();
        prop_assert_eq!(again.to_string(), text);
        prop_assert_eq!(again, chain);
    }

    #[test]
    fn any_text_is_a_chain_or_an_error(text in "[a-z_|= .0-9-]{0,40}") {
        let _ = text.parse::<Chain>();
    }
}

#[test]
fn canonical_texts_stay_as_they_are() {
    for text in [
        "temp=1",
        "draw",
        "temp=0.8 | top_k=40 | top_p=0.95 | min_p=0.05",
        "top_k=40 | top_k=20 | temp=0.7 | temp=2",
        "top_p=0.9999999999 | min_p=0 | top_k=0",
    ] {
        assert_eq!(text.parse::<Chain>().unwrap().to_string(), text);
    }
    assert_eq!(
        " temp = 1.50|top_k=40 | draw".parse::<Chain>().unwrap().to_string(),
        "temp=1.5 | top_k=40"
    );
    assert_eq!(Chain::default().to_string(), "temp=1");
    assert_eq!("temp=-0".parse::<Chain>().unwrap().to_string(), "temp=0");
}

#[test]
fn errors_name_stage_value_and_range() {
    let temp = "expected 0 (greedy), or a finite number from 1.4e-45 to 3.4e38";
    let top_p = "expected a number above 0 and at most 1 (1 is off)";
    let min_p = "expected a number from 0 (off) to 1";
    let top_k = "expected a whole number from 0 (off) to 4294967295";
    for (text, parts) in [
        ("temp=-1", ["temp", "-1", temp]),
        ("temp=nan", ["temp", "nan", temp]),
        ("temp=inf", ["temp", "inf", temp]),
        ("temp=1e39", ["temp", "1e39", temp]),
        ("temp=1e-50", ["temp", "1e-50", temp]),
        ("temp=warm", ["temp", "warm", temp]),
        ("temp", ["temp", "no value", temp]),
        ("temp=", ["temp", "no value", temp]),
        ("temp=1 | top_p=0", ["top_p", "0", top_p]),
        ("top_p=1.01", ["top_p", "1.01", top_p]),
        ("top_p=NaN", ["top_p", "NaN", top_p]),
        ("top_p=-inf", ["top_p", "-inf", top_p]),
        ("min_p=-0.1", ["min_p", "-0.1", min_p]),
        ("min_p=2", ["min_p", "2", min_p]),
        ("min_p=nan", ["min_p", "nan", min_p]),
        ("top_k=-1", ["top_k", "-1", top_k]),
        ("top_k=4.5", ["top_k", "4.5", top_k]),
        ("top_k=4294967296", ["top_k", "4294967296", top_k]),
        ("top_q=4", ["unknown stage `top_q`", "known stages: ", "top_k, top_p, min_p"]),
        ("top k=4", ["unknown stage `top k`", "known", ""]),
        ("", ["stage 1", "empty", "temp=1"]),
        ("temp=1 || top_k=3", ["stage 2", "empty", ""]),
        ("temp=1 |", ["stage 2", "empty", ""]),
        ("draw | temp=1", ["`draw`", "place 1", "last"]),
    ] {
        let error = text.parse::<Chain>().expect_err(text).to_string();
        for part in parts {
            assert!(error.contains(part), "`{text}`: `{error}` lacks `{part}`");
        }
    }
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -1e-45] {
        assert!(
            Temp::new(bad).is_err()
                && TopP::new(bad.into()).is_err()
                && MinP::new(bad.into()).is_err()
        );
    }
}

/// Each stage may go over the vocabulary in every step, so 4 KB of chain may not be 600 of them.
#[test]
fn a_chain_has_so_many_stages_and_no_more() {
    let stages = |n: usize| vec!["mask=0-524286"; n].join(" | ").parse::<Chain>();
    assert_eq!(stages(Chain::MAX_STAGES).unwrap().stages().len(), 64);
    let error = stages(65).unwrap_err();
    assert_eq!(error.to_string(), "the chain has 65 stages, at most 64 are taken");
    assert_eq!(
        Chain::new([stages(64).unwrap().stages(); 2].concat()),
        Err(ChainError::TooManyStages { count: 128 })
    );
}

#[test]
fn a_temperature_replaces_the_one_that_is_there() {
    let with = |text: &str, t: f32| text.parse::<Chain>().unwrap().with_temperature(t);
    assert_eq!(
        with("top_k=40 | temp=0.8 | min_p=0.1", 2.0).unwrap().to_string(),
        "top_k=40 | temp=2 | min_p=0.1"
    );
    assert_eq!(with("top_k=40", 0.0).unwrap().to_string(), "temp=0 | top_k=40");
    assert_eq!(with("draw", 0.5).unwrap().to_string(), "temp=0.5");
    let several = with("temp=1 | top_k=4 | temp=2", 3.0).unwrap_err();
    assert_eq!(
        several,
        ChainError::SeveralTemperatures { chain: "temp=1 | top_k=4 | temp=2".into(), count: 2 }
    );
    assert!(
        with("temp=1", f32::NAN).unwrap_err().to_string().starts_with("temp: NaN is not allowed")
    );
    assert_eq!("temp=0.8 | top_k=4".parse::<Chain>().unwrap().temperature(), Some(0.8));
    assert_eq!("top_k=4".parse::<Chain>().unwrap().temperature(), None);
}

#[test]
fn a_chain_of_all_the_stages_it_may_have() {
    let text = vec!["temp=1 | top_k=5"; 32].join(" | ");
    let chain: Chain = text.parse().unwrap();
    assert_eq!(chain.to_string(), text);
    let mut sampler =
        kelvin_sampling::Sampler::new(chain, kelvin_sampling::Dice { seed: 1, sample: 0 });
    assert_eq!(sampler.draw(&[1.0; 9], 0).unwrap().survivors, 5);
}
