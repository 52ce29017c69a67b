//! A made-up run, and what a report says of it.

use std::collections::BTreeMap;

use kelvin_sampling::Shift;

use super::*;
use crate::{
    metrics::METRICS,
    recipe::Draft,
    run::{Finish, Prompt, Sample, Token},
    text_quality::{OfMethod, TextQuality},
};

/// Three temperatures and min-p, two prompts, four samples: hotter texts use more words and
/// surprise more.
pub(crate) fn evidence() -> Evidence {
    let draft = Draft {
        prompts: vec!["Write about Nepal".into(), "Once".into(), "Tea".into()],
        sampler: vec!["temp={0,0.5,1,2}".into(), "temp={0.5,1,2} | min_p=0.1".into()],
        samples: Some(4),
        seed: Some(7),
        ..Draft::default()
    };
    let recipe = draft.resolve().unwrap();
    let mut samples = Vec::new();
    for prompt in 0..recipe.prompts.len() {
        for (chain, chain_of) in recipe.chains.iter().enumerate() {
            let t = f64::from(chain_of.temperature().unwrap());
            samples.extend((0..4).map(|sample| {
                let tokens: Vec<Token> = (0..12)
                    .map(|i| {
                        // The same dice: hotter texts part earlier.
                        let word = if (i as f64) < 8.0 - 3.0 * t {
                            i
                        } else {
                            i * (1 + sample) + (t * 10.0) as usize
                        };
                        Token {
                            bytes: format!(" w{}", word % (4 + (t * 8.0) as usize)).into_bytes(),
                            surprisal: Some(t * (1.0 + 0.02 * prompt as f64) + sample as f64 * 0.1),
                            entropy: Some(2.0 + 0.1 * t),
                            entropy_final: Some(3.0 * t),
                            shift: Some(Shift {
                                width: 1 + (t * 100.0) as u32,
                                outside: 0.1 * t,
                                heat_capacity: 4.0 - (t - 1.0 - 0.1 * prompt as f64).powi(2),
                            }),
                            ..Token::default()
                        }
                    })
                    .collect();
                let bytes: Vec<u8> = tokens.iter().flat_map(|token| token.bytes.clone()).collect();
                let text = String::from_utf8(bytes).unwrap();
                Sample {
                    prompt,
                    chain,
                    sample,
                    text,
                    finish: Finish::MaxTokens,
                    tokens,
                    judged: None,
                    embedding: None,
                    whole: None,
                }
            }));
        }
    }
    let prompt = |text: &str| Prompt { text: text.into(), fields: BTreeMap::new() };
    let run = Run {
        hash: "ab12".into(),
        source: Source::Local { model: "smollm2".into(), sha256: "cd34".into() },
        judge: None,
        scores: BTreeMap::new(),
        seed: 7,
        max_tokens: 12,
        n_samples: 4,
        prompts: ["Write about Nepal", "Once", "Tea"].map(prompt).to_vec(),
        chains: recipe.chains.clone(),
        samples,
    };
    Evidence { run, recipe, scores: Vec::new(), version: "0.1.0".into() }
}

pub(crate) fn options() -> Options {
    Options {
        metrics: METRICS.iter().collect(),
        against: None,
        quality: None,
        diversity: None,
        texts: 2,
    }
}

pub(crate) fn report() -> Report {
    Report::new(&[evidence()], &options(), "kelvin report 1".into()).unwrap()
}

#[test]
fn a_report_says_what_is_in_the_run() {
    let report = report();
    assert_eq!(report.settings.len(), 7);
    assert_eq!(
        report.settings.iter().filter(|s| s.is_base).map(|s| &*s.chain).collect::<Vec<_>>(),
        ["temp=1"]
    );
    let surprisal = report.metrics.iter().find(|m| m.name == "surprisal").unwrap();
    assert!((surprisal.values[2].unwrap().mean - 1.17).abs() < 1e-12);
    let hotter = surprisal.differences[3].unwrap();
    assert!((hotter.value.mean - 1.02).abs() < 1e-12 && hotter.verdict == "more", "{hotter:?}");
    // The same with min-p: it did nothing here.
    assert_eq!(surprisal.differences[5].unwrap().verdict, "not shown");
    let judge = report.metrics.iter().find(|m| m.name == "judge").unwrap();
    assert!(judge.values.iter().all(Option::is_none) && judge.absent[0].1 == 84);
    let plane = report.plane.as_ref().unwrap();
    assert_eq!((plane.quality, plane.diversity), ("surprisal", "vendi"));
    assert_eq!(report.melting.len(), 2);
    let point = report.melting[0].point.unwrap();
    assert!(!point.at_the_edge && (point.temperature - 1.1).abs() < 1e-6, "{point:?}");
    let (colder, hotter) = point.between.unwrap();
    let tried: Vec<f64> = report.settings.iter().filter_map(|one| one.temperature).collect();
    assert!(colder < 1.1 && hotter > 1.1, "{point:?}");
    assert!(tried.contains(&colder) && tried.contains(&hotter), "{point:?} {tried:?}");
    let words = format!("between T = {colder} and T = {hotter}, which were tried");
    assert!(markdown(&report).contains(&words));
    assert_eq!(report.partings.len(), 5);
    assert!(report.partings[0].token.unwrap().mean < 12.0 && report.partings[0].together == 0.0);
    assert_eq!(report.texts.len(), 7 * 3 * 2);
    assert!(report.warnings.is_empty(), "{:?}", report.warnings);
}

#[test]
fn families_are_compared_at_equal_quality() {
    let report = report();
    let matching = report.matched.as_ref().unwrap();
    // min-p did nothing here, so each of its settings is where plain temperature is, and no
    // different.
    let at: Vec<(usize, f64)> =
        matching.settings.iter().map(|one| (one.setting, one.temperature)).collect();
    assert_eq!(at, [(4, 0.5), (5, 1.0), (6, 2.0)]);
    for one in &matching.settings {
        assert_eq!((&*one.family, matching.quality), ("temp", "surprisal"));
        let vendi = one.differences.iter().find(|found| found.metric == "vendi").unwrap();
        let measured = report.metrics.iter().find(|m| m.name == "vendi").unwrap();
        let own = measured.values[one.setting].unwrap().mean;
        assert!((vendi.family_has + vendi.shown.value.mean - own).abs() < 1e-12);
        assert!(
            vendi.shown.value.mean.abs() < 1e-12 && vendi.shown.verdict == "not shown",
            "{vendi:?}"
        );
    }
    // One family, or one of single settings, has nothing beside it.
    let against = |chain: &str| Options { against: Some(chain.into()), ..options() };
    let other = Report::new(&[evidence()], &against("temp=1 | min_p=0.1"), String::new()).unwrap();
    let family: Vec<_> =
        other.matched.unwrap().settings.iter().map(|one| one.family.clone()).collect();
    assert_eq!(family, ["temp | min_p=0.1"; 3]);
    let mut alone = evidence();
    alone.run.chains.truncate(5);
    alone.run.samples.retain(|sample| sample.chain < 5);
    assert_eq!(Report::new(&[alone], &options(), String::new()).unwrap().matched, None);
}

#[test]
fn what_is_wrong_with_a_comparison_is_said() {
    let mut half = evidence();
    half.run.samples.truncate(50);
    let report = Report::new(&[half], &options(), String::new()).unwrap();
    assert!(report.warnings[0].contains("50 of its 84 texts are stored"), "{:?}", report.warnings);
    assert!(report.warnings[1].contains("budgets differ"), "{:?}", report.warnings);
    let mut none = evidence();
    none.run.samples.clear();
    assert!(Report::new(&[none], &options(), String::new()).unwrap_err().contains("no texts"));
    let odd = Options { quality: Some(Metric::find("length").unwrap()), ..options() };
    assert!(Report::new(&[evidence()], &odd, String::new()).unwrap_err().contains("axis"));
}

#[test]
fn markdown_and_tables_say_the_same() {
    let report = report();
    let page = markdown(&report);
    assert!(page.contains("| `temp=1` |") && page.contains("melts at T = 1.10"), "{page}");
    assert!(page.contains("`temp=1 \\| min_p=0.1`"));
    assert!(page.contains("kelvin sweep -m smollm2 -p 'Write about Nepal'"));
    let all = tables(&report);
    assert_eq!(
        all.iter().map(|t| &*t.title).collect::<Vec<_>>(),
        [
            "Fluency",
            "Diversity",
            "Distributions",
            "Vendi score at equal surprisal",
            "Diversity at equal surprisal",
            "Where texts part"
        ]
    );
    assert!(all.iter().all(|table| table.rows.iter().all(|row| row.len() == table.head.len())));
}

#[test]
fn a_metric_that_is_at_its_ceiling_says_so() {
    let mut one = evidence();
    let score = Score::read("asked=contains:w", "".as_ref()).unwrap();
    // All texts of the first two settings have it, and half of those of the others.
    let values = one.run.samples.iter().map(|sample| {
        let value = if sample.chain < 2 || sample.sample < 2 { 1.0 } else { 0.0 };
        ((sample.prompt, sample.chain, sample.sample), Ok(value))
    });
    let values = values.collect();
    one.run.scores.insert("asked".into(), values);
    one.recipe.scores = vec![score];
    let asking = Options::asking(&["asked".into()], &[&one.recipe], &[]).unwrap();
    let report = Report::new(&[one], &asking, String::new()).unwrap();
    assert!(report.ceiling.unwrap().ends_with("asked (ceiling 1.000, 2 of 7)"));
}

#[test]
fn no_two_labels_are_alike() {
    let report = Report::new(&[evidence(), evidence()], &options(), String::new()).unwrap();
    let mut labels: Vec<&str> = report.settings.iter().map(|one| &*one.label).collect();
    labels.sort_unstable();
    labels.dedup();
    assert_eq!(labels.len(), 14, "{labels:?}");
    assert_eq!(
        [&*report.runs[0].name, &*report.runs[1].name],
        ["smollm2 ab12", "smollm2 ab12 (2)"]
    );
}

/// The run with two temperatures of texts, whose texts are those of the chains at T = 0.5 and 1.
fn with_whole() -> Evidence {
    let mut one = evidence();
    for (t, of) in [("0.5", 1), ("1", 2)] {
        let chain = one.run.chains.len();
        one.run.chains.push(format!("text_temp={t},smc:8").parse().unwrap());
        let copies = one.run.samples.iter().filter(|sample| sample.chain == of).cloned();
        let copies: Vec<Sample> = copies
            .map(|mut sample| {
                let energy = 10.0 + sample.sample as f64;
                let of_method = OfMethod::Smc {
                    particles: 8,
                    ess: 4.0,
                    resamplings: 3,
                    ancestors: 2,
                    distinct: 5,
                    ln_z: if of == 2 { 0.0 } else { -4.0 },
                    ln_z_error: None,
                    mean_energy: energy,
                    mean_energy_squared: energy * energy + 2.0,
                };
                let (energy, tokens_read) = (Some(energy), 60);
                sample.chain = chain;
                sample.whole = Some(TextQuality { of_method, energy, tokens_read });
                sample
            })
            .collect();
        one.run.samples.extend(copies);
    }
    one.run.samples.sort_by_key(Sample::row);
    one
}

#[test]
fn temperatures_of_texts_stand_beside_those_of_tokens() {
    let report = Report::new(&[with_whole()], &options(), String::new()).unwrap();
    assert_eq!(report.settings.len(), 9);
    let base = report.settings.iter().find(|setting| setting.is_base).unwrap();
    assert_eq!((&*base.chain, base.whole), ("temp=1", false));
    let last = &report.settings[8];
    assert_eq!((&*last.family, last.temperature), ("text_temp smc:8", Some(1.0)));
    assert!(last.whole && report.melting.iter().all(|one| one.family != last.family));
    // Both kinds are compared at equal quality: here they are equal.
    let matched = report.matched.as_ref().unwrap().settings.iter();
    assert_eq!(matched.filter(|one| one.setting > 6).count(), 2);
    // Tokens cost themselves; particles cost more.
    assert_eq!(report.whole.len(), 9);
    assert_eq!((report.whole[2].computed, report.whole[8].computed), (12.0, 60.0));
    assert!(report.whole[2].heat.is_none() && report.whole[2].quality.is_none());
    let heat = report.whole[7].heat.unwrap();
    assert_eq!((heat.prompts, heat.free_energy.value), (3, 2.0));
    // Samples of equal Z: the mean of 10 to 13, with the error of a mean over three prompts.
    assert!((heat.energy.value - 11.5).abs() < 1e-12);
    let error = (5f64 / 3.0 / 4.0 / 3.0).sqrt();
    assert!((heat.energy.error.unwrap() - error).abs() < 1e-12, "{heat:?}");
    assert!((heat.entropy.value - (-4.0 + 11.5 / 0.5)).abs() < 1e-12);
    let titles: Vec<String> = tables(&report).into_iter().map(|table| table.title).collect();
    assert_eq!(titles[titles.len() - 2..], ["What a text costs", "Thermodynamics of texts"]);
    assert!(markdown(&report).contains("4.0 of 8 particles effective"));
}

#[test]
fn texts_that_were_not_accepted_are_said() {
    let mut one = with_whole();
    let last = one.run.samples.last_mut().unwrap();
    let of_method = OfMethod::Exact { tries: 5, accepted: false };
    last.whole = Some(TextQuality { of_method, energy: None, tokens_read: 9 });
    let report = Report::new(&[one], &options(), String::new()).unwrap();
    let said = "1 text drawn as a whole had no accepted try and is empty";
    assert!(report.warnings.contains(&said.to_string()), "{:?}", report.warnings);
    assert_eq!(report.whole[8].not_accepted, 1);
    assert!(report.whole[8].heat.is_none_or(|heat| heat.prompts == 2));
}
