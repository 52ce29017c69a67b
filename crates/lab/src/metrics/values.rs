//! The values of a metric in a run, by chain, prompt and sample.

use std::collections::BTreeMap;

use kelvin_sampling::Stage;

use super::{Absent, Metric, Of, Seen};
use crate::{
    column::Column,
    run::{Run, Sample},
    statistics::Series,
};

/// The values of a metric in a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Values {
    /// For each chain its series.
    pub chains: Vec<Series>,
    /// The reasons for missing values, each with its count.
    pub absent: BTreeMap<Absent, usize>,
}

/// Computes a metric for a run.
///
/// A metric of texts has one value per sample, a metric of cells one per prompt. With a single
/// prompt a cell metric's spread couldn't be estimated, so it gets one value per sample: the
/// jackknife's pseudo-values (Tukey 1958), shifted so that their mean is the metric's value.
pub fn measure(run: &Run, metric: &Metric) -> Values {
    let mut absent = BTreeMap::new();
    let mut note =
        |found: Result<f64, Absent>| found.map_err(|why| *absent.entry(why).or_insert(0) += 1).ok();
    let chains = (0..run.chains.len()).map(|chain| {
        let of_prompt = |prompt: usize| {
            let cell: Vec<&Sample> = run.cell(prompt, chain).iter().collect();
            if cell.is_empty() {
                // Samples that aren't generated yet aren't counted as missing values.
                return Vec::new();
            }
            let Of::Sample(of) = metric.of else {
                let one = |samples: &[&Sample]| of_cell(metric, samples);
                if run.prompts.len() == 1 {
                    return influences(run, &cell, one).unwrap_or_else(|why| vec![note(Err(why))]);
                }
                return vec![note(one(&cell))];
            };
            let greedy = greedy(run, prompt);
            let mut values = vec![None; run.n_samples];
            for sample in cell {
                if let Some(place) = values.get_mut(sample.sample) {
                    *place = note(of(&Seen { run, sample, greedy, metric }));
                }
            }
            values
        };
        let (least, most) = metric.range.ends(run);
        Series::new((0..run.prompts.len()).map(of_prompt).collect()).within(least, most)
    });
    Values { chains: chains.collect(), absent }
}

fn of_cell(metric: &Metric, samples: &[&Sample]) -> Result<f64, Absent> {
    match metric.of {
        Of::Texts(of) => of(&samples.iter().map(|sample| sample.text.as_str()).collect::<Vec<_>>()),
        Of::Samples(of) => of(samples),
        Of::Sample(_) => Err(Absent::NoTexts),
    }
}

/// The pseudo-values of a cell, one per sample.
fn influences(
    run: &Run,
    cell: &[&Sample],
    of: impl Fn(&[&Sample]) -> Result<f64, Absent>,
) -> Result<Vec<Option<f64>>, Absent> {
    let whole = of(cell)?;
    let n = cell.len();
    let without = |i: usize| of(&[&cell[..i], &cell[i + 1..]].concat());
    // With too few samples for leave-one-out the value stands alone.
    let Ok(each) = (0..n).map(without).collect::<Result<Vec<f64>, Absent>>() else {
        return Ok(vec![Some(whole)]);
    };
    let mean = each.iter().sum::<f64>() / n as f64;
    let mut values = vec![None; run.n_samples];
    for (sample, without) in cell.iter().zip(each) {
        if let Some(place) = values.get_mut(sample.sample) {
            *place = Some(whole + (n - 1) as f64 * (mean - without));
        }
    }
    Ok(values)
}

/// The first sample of a chain that is greedy.
fn greedy(run: &Run, prompt: usize) -> Option<&Sample> {
    let is_greedy = |column: &Column| {
        let Some(chain) = column.chain() else { return false };
        let is_zero = |stage: &Stage| matches!(stage, Stage::Temp(t) if t.get() == 0.0);
        chain.chains().iter().all(|chain| chain.stages().iter().any(is_zero))
    };
    let chain = run.chains.iter().position(is_greedy)?;
    run.cell(prompt, chain).first()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::{Finish, Judged, Prompt, Source, Token};

    fn run(chains: &[&str], texts: &[&[&[&str]]]) -> Run {
        let token = |word: &str| Token {
            bytes: word.into(),
            surprisal: Some(word.len() as f64),
            entropy: Some(1.0),
            ..Token::default()
        };
        let mut samples = Vec::new();
        for (prompt, cells) in texts.iter().enumerate() {
            for (chain, cell) in cells.iter().enumerate() {
                samples.extend(cell.iter().enumerate().map(|(sample, text)| Sample {
                    prompt,
                    chain,
                    sample,
                    text: text.to_string(),
                    finish: Finish::MaxTokens,
                    tokens: text.split_whitespace().map(token).collect(),
                    judged: (*text != "unread").then_some(Judged { tokens: 2, nats: 3.0 }),
                    embedding: None,
                    whole: None,
                }));
            }
        }
        Run {
            hash: String::new(),
            source: Source::Local { model: "m".into(), sha256: String::new() },
            judge: None,
            scores: BTreeMap::new(),
            seed: 1,
            max_tokens: 9,
            n_samples: texts[0][0].len(),
            prompts: vec![Prompt { text: "p".into(), fields: BTreeMap::new() }; texts.len()],
            chains: chains.iter().map(|chain| chain.parse().unwrap()).collect(),
            samples,
        }
    }

    fn of(run: &Run, metric: &str) -> Values {
        measure(run, Metric::find(metric).unwrap())
    }

    #[test]
    fn texts_have_a_value_each_and_cells_one_for_each_prompt() {
        let run = run(
            &["temp=0", "temp=1"],
            &[&[&["a b c", "a b c"], &["a b c d", "unread"]], &[&["x y", ""], &["x y", "y x"]]],
        );
        assert_eq!(of(&run, "surprisal").chains[0].prompts(), [[Some(1.0); 2], [Some(1.0), None]]);
        assert_eq!(of(&run, "surprisal").absent[&Absent::NoTokens], 1);
        assert_eq!(of(&run, "distinct_1").chains[0].prompts(), [[Some(0.5)], [Some(1.0)]]);
        assert_eq!(of(&run, "novelty").chains[1].prompts()[0], [Some(0.5), None]);
        assert_eq!(of(&run, "judge").chains[1].prompts()[0], [Some(1.5), None]);
        assert_eq!(of(&run, "judge").absent[&Absent::NoJudge], 1);
        assert_eq!(of(&run, "shared_start").chains[1].prompts(), [[Some(0.0)], [Some(0.0)]]);
        // Nobody recorded shifts.
        let width = of(&run, "width");
        assert!(
            width.chains.iter().all(Series::is_empty) && width.absent[&Absent::NotRecorded] == 7
        );
    }

    /// Of one prompt, a cell's value is the mean of what its samples contribute.
    #[test]
    fn a_single_prompt_spreads_a_cells_value_over_its_samples() {
        let texts = ["a b c d e", "a b c x y", "p q r s t", "p q r s u"];
        let run = run(&["temp=1"], &[&[&texts]]);
        for name in ["distinct_2", "self_bleu", "vendi", "shared_start"] {
            let found = of(&run, name).chains.remove(0);
            let direct =
                of_cell(Metric::find(name).unwrap(), &run.samples.iter().collect::<Vec<_>>())
                    .unwrap();
            assert_eq!(found.len(), 4, "{name}");
            assert!((found.mean().unwrap() - direct).abs() < 1e-12, "{name}");
        }
        // For a mean, a sample's part is its own value.
        let mean = |samples: &[&Sample]| {
            Ok(samples.iter().map(|s| s.sample as f64).sum::<f64>() / samples.len() as f64)
        };
        let parts = influences(&run, &run.samples.iter().collect::<Vec<_>>(), mean).unwrap();
        assert!(
            parts.iter().enumerate().all(|(i, part)| (part.unwrap() - i as f64).abs() < 1e-12),
            "{parts:?}"
        );
    }

    /// As from a server that gives texts and nothing else.
    #[test]
    fn tokens_that_were_not_told_are_not_counted() {
        let mut run = run(&["temp=1"], &[&[&["a b c", "a b d"]]]);
        run.samples.iter_mut().for_each(|sample| sample.tokens.clear());
        for name in ["surprisal", "loops", "length", "shared_start", "entropy"] {
            let found = of(&run, name);
            let why = found.absent.keys().map(Absent::to_string).collect::<String>();
            assert!(
                found.chains[0].is_empty() && why.contains("reports neither tokens"),
                "{name}: {why}"
            );
        }
        assert_eq!(of(&run, "distinct_1").chains[0].len(), 2);
    }

    #[test]
    fn metrics_say_how_many_samples_they_need_and_what_no_server_tells() {
        let of = |says: fn(&Metric) -> bool| -> Vec<&str> {
            super::super::METRICS
                .iter()
                .filter(|metric| says(metric))
                .map(|metric| metric.name)
                .collect()
        };
        assert_eq!(
            of(|metric| metric.fewest_samples() == 2),
            ["self_bleu", "self_repetition", "vendi", "semantic_spread", "shared_start"]
        );
        assert!(super::super::METRICS.iter().all(|metric| metric.fewest_samples() <= 2));
        assert_eq!(
            of(|metric| metric.withheld().is_some()),
            ["entropy", "entropy_final", "width", "outside", "heat_capacity"]
        );
    }

    #[test]
    fn one_sample_has_nothing_to_be_compared_with() {
        let run = run(&["temp=1"], &[&[&["a b c"]]]);
        let bleu = of(&run, "self_bleu");
        assert!(bleu.chains[0].is_empty());
        assert_eq!(
            bleu.absent.keys().next().unwrap().to_string(),
            "it compares samples of one prompt and needs at least 2"
        );
        assert_eq!(of(&run, "distinct_1").chains[0].prompts(), [[Some(1.0)]]);
    }
}
