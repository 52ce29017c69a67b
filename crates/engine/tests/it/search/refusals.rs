//! What can't be searched for is refused in a sentence, and a search can be broken off.

use std::ops::ControlFlow;

use kelvin_engine::{
    TokenId,
    search::{Beams, EarlyStopping, SearchError, Task, beam_search, stochastic_beams},
};
use kelvin_sampling::Chain;

use super::{of_ids::OfIds, on};

const PROMPT: [TokenId; 2] = [TokenId(1), TokenId(2)];

fn task<'a>() -> Task<'a> {
    Task { prompt: &PROMPT, chain: None, max_tokens: 5, ..Task::default() }
}

#[test]
fn impossible_settings_are_refused() {
    let model = OfIds::new(1, 9, &[]);
    let usual = Beams::default();
    let nan = f64::NAN;
    for (how, words) in [
        (Beams { beams: 0, ..usual }, "1 to 256 beams, not 0"),
        (Beams { beams: 257, ..usual }, "1 to 256 beams, not 257"),
        (Beams { groups: 0, ..usual }, "4 beams can't be divided into 0 equal groups"),
        (Beams { groups: 3, ..usual }, "4 beams can't be divided into 3 equal groups"),
        (Beams { groups: 8, ..usual }, "4 beams can't be divided into 8 equal groups"),
        (Beams { length_penalty: nan, ..usual }, "from -10 to 10, not NaN"),
        (Beams { length_penalty: -11.0, ..usual }, "from -10 to 10, not -11"),
        (Beams { groups: 2, diversity_penalty: 0.0, ..usual }, "above 0, not 0"),
        (Beams { groups: 2, diversity_penalty: -1.0, ..usual }, "above 0, not -1"),
        (Beams { groups: 2, diversity_penalty: nan, ..usual }, "above 0, not NaN"),
    ] {
        let said = beam_search(&mut model.rows(), &task(), &how, &mut on).unwrap_err().to_string();
        assert!(said.contains(words), "{how:?}: {said}");
    }
    for beams in [0, 257] {
        let said = stochastic_beams(&mut model.rows(), &task(), beams, 1, &mut on).unwrap_err();
        assert!(said.to_string().contains("1 to 256 beams"), "{said}");
    }
    let none = Task { max_tokens: 0, ..task() };
    let said = beam_search(&mut model.rows(), &none, &usual, &mut on).unwrap_err().to_string();
    assert!(said.contains("at least one token"), "{said}");
    for (chain, words) in
        [("xtc=0.5", "xtc is random"), ("mirostat=5", "mirostat learns from what is drawn")]
    {
        let chain: Chain = chain.parse().unwrap();
        let task = Task { chain: Some(&chain), ..task() };
        let said = beam_search(&mut model.rows(), &task, &usual, &mut on).unwrap_err().to_string();
        assert!(said.contains(words), "{said}");
        assert!(stochastic_beams(&mut model.rows(), &task, 3, 1, &mut on).is_err());
    }
    assert_eq!(EarlyStopping::named("sometimes"), None);
}

#[test]
fn a_search_can_be_broken_off() {
    let model = OfIds::new(1, 9, &[]);
    let mut n = 0;
    let mut step = |depth: usize| {
        n = depth;
        if depth == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let broken = beam_search(&mut model.rows(), &task(), &Beams::default(), &mut step);
    assert!(matches!(broken, Err(SearchError::Cancelled)));
    let broken = stochastic_beams(&mut model.rows(), &task(), 3, 1, &mut step);
    assert!(matches!(broken, Err(SearchError::Cancelled)));
    assert_eq!(n, 3);
}
